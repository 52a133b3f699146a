"""One control: pressed, held, turned, picked up, and turned without an end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.control.bindings import MidiBinding
from visualizer.control.bound_control import BoundControl, ShowInfo, preset_change
from visualizer.control.commands import Act, Set, ShowPreset
from visualizer.control.parameters import Parameter, base_parameters

NOTHING = ShowInfo()
DECAY = base_parameters().find("beat.decay")


def control(does: str, **more: object) -> BoundControl:
    return BoundControl(MidiBinding.model_validate({"cc": 1, "does": does, **more}))


def test_a_button_acts_when_it_is_pressed_and_not_when_that_is_sent_again():
    one = control("blackout")
    assert [one.button(pressed, NOTHING) for pressed in (True, True, False, False, True)] == [
        [Act("blackout")], [], [], [], [Act("blackout")],
    ]  # fmt: skip


def test_a_switch_that_is_held_is_on_while_held():
    one = control("freeze", hold=True)
    assert one.button(True, NOTHING) == [Set("freeze", 1.0)] and one.button(False, NOTHING) == [Set("freeze", 0.0)]


def test_a_press_may_set_a_value_or_show_a_preset():
    assert control("beat.motion", value="steps").press(NOTHING) == [Set("beat.motion", "steps")]
    assert control("preset:club").press(NOTHING) == [ShowPreset("club")]


def test_presets_by_number():
    assert preset_change(2, ("a", "b")) == ShowPreset("b")
    assert preset_change(3, ("a", "b")) is None and preset_change(0, ()) is None and preset_change(10, ()) is None
    assert preset_change(9, ()) == Act("preset_9")


def test_a_knob_goes_from_one_end_of_its_part_to_the_other():
    one = control("beat.decay", low=0.9, high=0.6)
    assert one.turn(0.0, NOTHING, 0.0) == [Set("beat.decay", pytest.approx(0.9))]
    assert one.turn(1.0, NOTHING, 0.0) == [Set("beat.decay", pytest.approx(0.6))]


def test_a_knob_waits_until_it_passes_the_value():
    one, values = control("beat.decay"), {"beat.decay": DECAY.at(0.5)}
    assert [one.turn(share, ShowInfo(values), 0.0) for share in (0.1, 0.2, 0.4)] == [[], [], []]
    assert one.turn(0.6, ShowInfo(values), 0.1) == [Set("beat.decay", DECAY.at(0.6))], "passed"
    assert one.turn(0.1, ShowInfo(values), 0.2) == [Set("beat.decay", DECAY.at(0.1))], (
        "it has picked up the value, although the report of it is late"
    )


def test_a_knob_at_the_value_picks_it_up_at_once():
    assert control("beat.decay").turn(0.505, ShowInfo({"beat.decay": DECAY.at(0.5)}), 0.0)


def test_a_knob_must_pick_up_again_when_something_else_changes_the_value():
    one, values = control("beat.decay"), {"beat.decay": DECAY.at(0.5)}
    assert one.turn(0.5, ShowInfo(values), 0.0)
    values["beat.decay"] = DECAY.at(0.9)  # another preset
    assert one.turn(0.51, ShowInfo(values), 2.0) == []
    assert one.turn(0.7, ShowInfo(values), 2.1) == [] and one.turn(0.95, ShowInfo(values), 2.2) != []


def test_a_value_outside_the_part_of_a_knob_is_picked_up_at_its_end():
    one = control("beat.decay", low=0.5, high=0.6)
    assert one.turn(0.5, ShowInfo({"beat.decay": 0.9}), 0.0) == []
    assert one.turn(1.0, ShowInfo({"beat.decay": 0.9}), 0.1) == [Set("beat.decay", pytest.approx(0.6))]


def test_pickup_can_be_switched_off():
    assert control("beat.decay", pickup=False).turn(0.1, ShowInfo({"beat.decay": 0.9}), 0.0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0, 1))
def test_a_value_never_jumps_further_than_the_knob_moved(shares, start):
    """However a knob is moved: from the value as it is, the first step it makes is no longer than the knob's own."""
    one, values = control("beat.decay"), {"beat.decay": DECAY.at(start)}
    before = None
    for index, share in enumerate(shares):
        commands = one.turn(share, ShowInfo(values), float(index))
        if commands:
            jump = abs(DECAY.share_of(commands[0].value) - DECAY.share_of(values["beat.decay"]))
            assert jump <= (0.012 if before is None else abs(share - before) + 0.012)
            values["beat.decay"] = commands[0].value
        before = share


def test_an_endless_knob_starts_where_the_value_is():
    one, values = control("beat.decay", relative="twos"), {"beat.decay": DECAY.at(0.5)}
    assert one.step(12, ShowInfo(values), 0.0) == [Set("beat.decay", pytest.approx(DECAY.at(0.5 + 12 / 127)))]
    assert one.step(-12, ShowInfo(values), 0.1) == [Set("beat.decay", pytest.approx(DECAY.at(0.5)))]
    values["beat.decay"] = DECAY.at(0.2)
    assert one.step(-127, ShowInfo(values), 9.0) == [Set("beat.decay", pytest.approx(DECAY.at(0.0)))]


def test_an_endless_knob_goes_through_choices_one_by_one():
    motion = base_parameters().find("beat.motion")
    one, values = control("beat.motion", relative="twos"), {"beat.motion": motion.choices[0]}
    assert one.step(1, ShowInfo(values), 0.0) == [Set("beat.motion", motion.choices[1])]
    assert one.step(99, ShowInfo(values), 0.1) == [Set("beat.motion", motion.choices[-1])]


def test_a_pad_toggles_a_switch_that_has_no_action():
    one = control("output.mute")
    assert one.press(ShowInfo({"output.mute": 0.0})) == [Set("output.mute", 1.0)]
    assert one.press(ShowInfo({"output.mute": 1.0})) == [Set("output.mute", 0.0)]


def test_a_parameter_of_a_look_can_be_bound_before_the_look_is_shown():
    zoom = Parameter("look.zoom", "", "number", 1.0, 3.0)
    mirror = Parameter("look.mirror", "", "switch")
    shown = ShowInfo(parameters=base_parameters().with_look([zoom, mirror]))
    one = control("look.zoom", low=2.0)
    assert one.turn(0.5, NOTHING, 0.0) == [] and not one.is_knob(NOTHING), "another look is shown"
    assert one.is_knob(shown) and one.turn(0.5, shown, 1.0) == [Set("look.zoom", 2.5)]
    assert control("look.mirror").press(shown) == [Set("look.mirror", 1.0)]
    assert control("look.mirror").press(NOTHING) == []
