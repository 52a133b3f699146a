"""MIDI messages of every kind to changes, and what is learned from them."""

from __future__ import annotations

import pytest

from visualizer.control.backlog import MOST, Backlog
from visualizer.control.bindings import MidiBinding
from visualizer.control.bound_control import ShowInfo
from visualizer.control.commands import Act, Set, ShowPreset
from visualizer.control.learning import Learner, sentence
from visualizer.control.mapping import MidiMapping, Moved
from visualizer.control.parameters import base_parameters

DECAY = base_parameters().find("beat.decay")


def mapping(*said: dict) -> MidiMapping:
    return MidiMapping(MidiBinding.model_validate(one) for one in said)


def hear(one: MidiMapping, kind: str, number: int, value: int, *, channel: int = 1, port: str = "X", values=None):
    return one.changes(Moved(kind, number, channel, value, port), ShowInfo(values or {}, ("a", "b")), 0.0)


def test_a_control_change_sets_a_parameter_over_its_whole_range():
    one = mapping({"cc": 7, "does": "beat.decay"})
    assert hear(one, "cc", 7, 0) == [Set("beat.decay", DECAY.low)]
    assert hear(one, "cc", 7, 127) == [Set("beat.decay", pytest.approx(DECAY.high))]
    assert hear(one, "cc", 8, 127) == hear(one, "note", 7, 127) == []


def test_channel_and_port_are_any_unless_named():
    one = mapping({"cc": 7, "channel": 3, "port": "nano", "does": "tap"})
    assert hear(one, "cc", 7, 127, channel=3, port="nanoKONTROL2") == [Act("tap")]
    assert hear(one, "cc", 7, 127, channel=2, port="nanoKONTROL2") == []
    assert hear(one, "cc", 7, 127, channel=3, port="Launchpad") == []


def test_fourteen_bits():
    one = mapping({"cc": 1, "fine": True, "does": "beat.decay"})
    assert hear(one, "cc", 1, 64) == [Set("beat.decay", pytest.approx(DECAY.at(8192 / 16383)))]
    assert hear(one, "cc", 33, 1) == [Set("beat.decay", pytest.approx(DECAY.at(8193 / 16383)))]
    assert hear(one, "cc", 1, 127) and hear(one, "cc", 33, 127) == [Set("beat.decay", pytest.approx(DECAY.high))]


def test_a_note_is_pressed_and_released_and_velocity_0_releases():
    one = mapping({"note": 36, "does": "blackout", "hold": True}, {"note": 37, "does": "tap"})
    assert hear(one, "note", 36, 1) == [Set("blackout", 1.0)] and hear(one, "note", 36, 0) == [Set("blackout", 0.0)]
    assert hear(one, "note", 37, 9) == hear(one, "note", 37, 9) == [Act("tap")] and hear(one, "note", 37, 0) == []


def test_a_note_sets_a_parameter_by_how_hard_it_is_hit():
    one = mapping({"note": 36, "does": "beat.decay"})
    assert hear(one, "note", 36, 127, values={"beat.decay": 0.2}) == [Set("beat.decay", pytest.approx(DECAY.high))]
    assert hear(one, "note", 36, 0) == []


def test_programs_show_presets():
    one = mapping({"program": "any", "does": "preset"}, {"program": 5, "preset": "club"})
    assert hear(one, "program", 1, 1) == [ShowPreset("b")]
    assert hear(one, "program", 5, 5) == [ShowPreset("club")], "there is no sixth preset"


def test_the_bend_is_a_knob_or_a_button():
    one = mapping({"bend": True, "does": "beat.decay"}, {"bend": True, "channel": 2, "does": "tap"})
    assert hear(one, "bend", 0, 16383) == [Set("beat.decay", pytest.approx(DECAY.high))]
    assert [hear(one, "bend", 0, value, channel=2)[1:] for value in (8192, 16383, 8192)] == [[], [Act("tap")], []]


@pytest.mark.parametrize(("mode", "up", "down"), [("twos", 2, 126), ("offset", 66, 62), ("sign", 2, 66)])
def test_relative_knobs(mode, up, down):
    one = mapping({"cc": 7, "relative": mode, "does": "beat.decay"})
    values = {"beat.decay": DECAY.at(0.5)}
    assert hear(one, "cc", 7, up, values=values) == [Set("beat.decay", pytest.approx(DECAY.at(0.5 + 2 / 127)))]
    assert hear(one, "cc", 7, down, values=values) == [Set("beat.decay", pytest.approx(DECAY.at(0.5)))]


def test_learning_takes_the_first_control_that_moves():
    learner = Learner()
    assert learner.midi(Moved("cc", 1, 1, 5, "X")) is None, "nothing is learned"
    learner.target = "beat.decay"
    assert learner.midi(Moved("cc", 1, 1, 5, "X")) is None, "it reports its position again"
    assert learner.midi(Moved("cc", 2, 1, 5, "X")) is None, (
        "the first message of a control: it may only report its position"
    )
    assert learner.midi(Moved("note", 2, 1, 0, "X")) is None, "released"
    assert learner.midi(Moved("cc", 123, 1, 0, "X")) is learner.midi(Moved("cc", 123, 1, 1, "X")) is None
    found = learner.midi(Moved("cc", 1, 1, 6, "X"))
    assert found == MidiBinding(cc=1, channel=1, port="X", does="beat.decay")
    assert sentence(found) == "CC 1 channel 1 of X now sets beat.decay"


def test_learning_notes_programs_bends_and_osc():
    learner = Learner()
    learner.target = "preset"
    assert learner.midi(Moved("note", 2, 1, 99, "X")) is None, "a note has no preset's number"
    assert sentence(learner.midi(Moved("program", 4, 1, 4, "X"))) == (
        "program any channel 1 of X now shows the preset of its number"
    )
    learner.target = "preset:club"
    assert sentence(learner.midi(Moved("note", 2, 1, 99, "X"))) == "note 2 channel 1 of X now shows preset club"
    learner.target = "blackout"
    assert learner.midi(Moved("bend", 0, 1, 8192, "X")) is None and learner.midi(Moved("bend", 0, 1, 9, "X"))
    for address, told in (
        ("/1/x", []),
        ("/1/x", ["a"]),
        ("/1/x", [float("nan")]),
        ("/visualizer/tap", [1.0]),
        ("x", [1.0]),
    ):
        assert learner.osc(address, told) is None
    assert sentence(learner.osc("/1/x", [0.2])) == "/1/x now does blackout"
    assert learner.osc("/1/x", [90.0]).full == 127.0


def test_of_many_values_for_one_parameter_the_last_waits_and_presses_all_do():
    backlog = Backlog()
    for index in range(1000):
        backlog.put([Set("beat.decay", index / 1000)])
    backlog.put([Act("tap"), Act("tap"), Set("beat.decay", 0.5)])
    assert backlog.take() == [Act("tap"), Act("tap"), Set("beat.decay", 0.5)]
    assert backlog.take() == [] and backlog.n_dropped == 0
    backlog.put([Act("tap")] * (MOST + 7))
    assert len(backlog.take()) == MOST and backlog.n_dropped == 7


HOLD = {"does": "blackout", "hold": True}
OFF = [Set("blackout", 0.0)]


@pytest.mark.parametrize(("control", "kind", "on"), [({"note": 36}, "note", 1), ({"cc": 36}, "cc", 127)])
def test_what_a_port_holds_is_released_when_it_is_lost(control: dict, kind: str, on: int):
    one = mapping({**control, **HOLD}, {"note": 40, "does": "freeze", "hold": True})
    assert one.disconnect("X") == []
    assert hear(one, kind, 36, on) == [Set("blackout", 1.0)]
    assert one.disconnect("Y") == [] and one.disconnect("X") == OFF and one.disconnect("X") == []
    assert hear(one, kind, 36, on) == [Set("blackout", 1.0)], "it comes back released"


def test_a_lost_port_forgets_where_its_controls_stood():
    one = mapping({"cc": 64, "does": "tap"}, {"cc": 7, "does": "beat.decay"})
    assert hear(one, "cc", 64, 127) == [Act("tap")] and hear(one, "cc", 64, 127) == []
    assert hear(one, "cc", 7, 0, values={"beat.decay": DECAY.low}) == [Set("beat.decay", DECAY.low)]
    one.disconnect("X")
    assert hear(one, "cc", 64, 127) == [Act("tap")]
    assert hear(one, "cc", 7, 127, values={"beat.decay": DECAY.low}) == [], "it was moved meanwhile: no jump"


def test_what_is_no_longer_bound_is_released_and_the_rest_stays_held():
    one = mapping({"note": 36, **HOLD}, {"cc": 3, "does": "freeze", "hold": True})
    hear(one, "note", 36, 1), hear(one, "cc", 3, 127)
    [_, freeze] = one.bindings
    assert one.rebind([freeze, MidiBinding(note=36, does="tap")]) == OFF
    assert hear(one, "note", 36, 0) == [], "the release of a control that means something else now"
    assert hear(one, "cc", 3, 0) == [Set("freeze", 0.0)] and one.rebind([]) == []
