"""The state of a show: what commands make of it, purely."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visualizer.control import commands
from visualizer.control.actions import find_actions
from visualizer.control.capabilities import Capability
from visualizer.control.commands import (
    Act,
    Command,
    Learn,
    PresetFailed,
    PresetShown,
    PresetsListed,
    PressKey,
    Reported,
    Set,
    SetTempo,
    SettingsMoved,
    ShowPreset,
    SourceReported,
    Unset,
)
from visualizer.control.keys import Keymap
from visualizer.control.parameters import Parameter, base_parameters
from visualizer.control.state import SENSITIVITY_RANGE, Context, Request, ShowState, action_of_key, apply, changes_to
from visualizer.errors import BadInput
from visualizer.settings import BeatSettings

CONTEXT = Context(find_actions(), base_parameters(), Keymap(), frozenset(Capability))
NOTHING = replace(CONTEXT, capabilities=frozenset())
ZOOM = Parameter("look.zoom", "", "number", 1.0, 4.0, default=2.0)
FLASH = Parameter("look.flash", "", "switch", is_event=True)
PRESETS = ("a-one", "b-two", "/home/u/c-three")


def shown(preset="a-one", look=(ZOOM, FLASH), dream=(), **beat):
    values = {f"beat.{key}": value for key, value in (BeatSettings().model_dump() | beat).items()}
    return PresetShown(preset, tuple(values.items()), dream, tuple(look))


def after(*changes, state=None, context=CONTEXT):
    """The state after some changes, one second apart."""
    for index, change in enumerate(changes):
        state = apply(state or ShowState(), Command(48_000 * index, change), context)
    return state


def action(key, state, place=None):
    """The action of a key."""
    return action_of_key(PressKey(key, place or key), state, CONTEXT)


START = after(PresetsListed(PRESETS), shown(), SourceReported((("output.volume_db", -6.0), ("output.mute", 0.0))))


def test_every_switch_goes_on_and_off():
    for action, name in (("blackout", "blackout"), ("freeze", "freeze"), ("lock", "lock"), ("help", "hud"),
                         ("fullscreen", "fullscreen"), ("panel", "panel")):  # fmt: skip
        on = after(Act(action), state=START)
        assert getattr(on, name) and not getattr(after(Act(action), state=on), name), action
    for name in base_parameters().switches:
        on = after(Set(name, 1.0), Set(name, 1.0), state=START)
        assert on.switch(name) and on.value(name, CONTEXT) == 1.0
        assert not after(Set(name, 0.0), state=on).switch(name)


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        (Act("no such"), "unknown action 'no such'"),
        (Set("strobe", 1.0), "unknown parameter 'strobe'"),
        (Set("beat.decey", 0.5), "did you mean 'beat.decay'"),
        (Set("beat.decay", 2.0), "allowed: 0.1 .. 0.999"),
        (Set("beat.decay", float("nan")), "allowed"),
        (Set("beat.decay", "much"), "needs a number"),
        (Set("beat.motion", "jump"), "allowed: decay"),
        (Set("beat.high_hz", 20.0), None),
        (Set("beat.low_hz", 300.0), "must be at least 20 Hz above"),
        (ShowPreset("a-on"), "unknown preset 'a-on' (did you mean 'a-one'?)"),
        (Learn("beat.dekay"), "unknown target 'beat.dekay'"),
        (Reported("hudd", True), "unknown state 'hudd'"),
    ],
)
def test_what_cannot_be_is_answered_in_one_line_and_changes_nothing(change, answer):
    done = after(change, state=START)
    if answer is not None:
        assert answer in done.answer and "\n" not in done.answer
        assert replace(done, answer="", requests=()) == replace(START, answer="", requests=())


def test_presets_by_step_number_and_name():
    for change, preset, answer in (
        (Act("next_preset"), PRESETS[1], "2  b-two …"),
        (Act("previous_preset"), PRESETS[2], "3  c-three …"),
        (Act("preset_3"), PRESETS[2], "3  c-three …"),
        (ShowPreset("c-three"), PRESETS[2], "3  c-three …"),
        (ShowPreset(PRESETS[2]), PRESETS[2], "3  c-three …"),
        (ShowPreset("a-one"), "a-one", "1  a-one …"),
    ):
        done = after(change, state=START)
        assert (done.preset, done.answer, done.n_openings) == (preset, answer, START.n_openings + 1)
    assert after(Act("preset_4"), state=START).answer == "there is no preset 4; there are 3"
    gone = replace(START, preset="gone")
    assert after(Act("next_preset"), state=gone).preset == PRESETS[0]
    assert after(Act("previous_preset"), state=gone).preset == PRESETS[-1]
    assert after(Act("next_preset")).answer == "there are no presets"


def test_a_preset_that_fails_is_stepped_over_and_the_dream_is_as_in_the_one_shown():
    opened = after(shown(dream=(("dream.colour", 0.5),)))
    done = after(PresetsListed(PRESETS), Act("next_preset"), Set("dream.colour", 0.9), PresetFailed(), state=opened)
    assert done.dream_by_hand() == {"colour": 0.5}
    assert after(Act("next_preset"), state=done).preset == PRESETS[2]


def test_digits_with_and_without_shift_and_the_first_name_that_has_an_action():
    assert action("&", START, "1") == action("shift+&", START, "shift+1") == "preset_1"
    assert action("shift+f", START) == "next_monitor", "Shift still means something with letters"
    assert action("q", START) is None


def test_locked_keys_do_nothing_but_unlock_and_end():
    locked = after(Act("lock"), state=START)
    assert locked.lock and locked.answer == "locked; L unlocks"
    for key in "fbnxt":
        with pytest.raises(BadInput, match="^the keys are locked; L unlocks them$"):
            action(key, locked)
    assert (action("ctrl+q", locked), action("l", locked)) == ("quit", "lock")
    assert after(Act("lock"), state=locked).answer == "unlocked"
    assert after(Act("blackout"), state=locked).blackout, "the panel and controllers still work"
    other = replace(CONTEXT, keymap=Keymap({"lock": ("k",)}))
    with pytest.raises(BadInput, match="K unlocks them"):
        action_of_key(PressKey("l", "l"), locked, other)


def test_leave_fullscreen_leaves_it_and_twice_ends():
    escape = Act("leave_fullscreen")
    full = after(Act("fullscreen"), state=START)
    left = after(escape, state=full)
    assert not left.fullscreen and not left.ended and not left.asks_to_end
    once = after(escape, state=left)
    assert once.asks_to_end and once.answer == "Esc again ends the show" and after(escape, state=once).ended
    assert not after(Reported("asks_to_end", False), escape, state=once).ended, "too late"
    assert not after(Act("blackout"), escape, state=once).ended, "something else was pressed in between"


def test_sensitivity_stays_in_range_and_comes_back_at_once_and_stays_with_the_next_preset():
    def sensitivity(state):
        return state.value("beat.sensitivity", CONTEXT)

    up = after(Act("sensitivity_up"), state=START)
    assert up.answer == "sensitivity 1.19" and sensitivity(up) == pytest.approx(2**0.25)
    for action, end in (("sensitivity_up", SENSITIVITY_RANGE[1]), ("sensitivity_down", SENSITIVITY_RANGE[0])):
        most = after(*[Act(action)] * 40, state=START)
        assert sensitivity(most) == end
        back = after(Act("sensitivity_down" if end > 1 else "sensitivity_up"), state=most)
        assert sensitivity(back) != end
    assert sensitivity(after(shown("b-two", sensitivity=2.0), state=up)) == pytest.approx(2 * 2**0.25)
    exact = after(Set("beat.sensitivity", 3.0), shown(sensitivity=2.0), state=START)
    assert sensitivity(exact) == pytest.approx(6.0)


def test_of_what_was_set_by_hand_another_preset_keeps_what_belongs_to_the_room():
    made = {"beat.decay": 0.5, "beat.lead_ms": 40.0, "beat.floor_db": -50.0, "look.zoom": 3.0}
    set_ = after(*(Set(name, value) for name, value in made.items()), state=START)
    assert set_.set_by_hand(CONTEXT) == made | {"output.volume_db": -6.0}
    assert after(shown(), state=set_).by_hand == made, "the same preset read again"
    assert after(shown("b-two"), state=set_).by_hand == {"beat.lead_ms": 40.0, "beat.floor_db": -50.0}


def test_a_preset_that_no_longer_goes_with_what_was_set_wins():
    done = after(Set("beat.high_hz", 60.0), shown(low_hz=100.0, high_hz=400.0), state=START)
    assert done.beat_settings().high_hz == 400.0 and not done.by_hand


def test_reset_puts_back_every_parameter_but_no_switch_and_nothing_of_the_source():
    done = after(
        *(Set(name, value) for name, value in {"beat.decay": 0.5, "dream.colour": 0.9, "look.zoom": 3.0}.items()),
        *(Act("sensitivity_up"), Set("blackout", 1.0), Set("output.volume_db", -20.0), Act("reset")),
        state=START,
    )
    assert done.values(CONTEXT) == {**START.values(CONTEXT), "blackout": 1.0, "output.volume_db": -20.0}
    assert done.answer == "every parameter is as in the preset"


def test_the_parameters_of_a_look_come_and_go_with_it():
    assert START.value("look.zoom", CONTEXT) == 2.0
    assert after(Set("look.zoom", 9.0), state=START).answer == "look.zoom 9 is out of range; allowed: 1 .. 4"
    other = after(Set("look.zoom", 3.0), shown("b-two", look=()), state=START)
    assert not other.by_hand and "unknown parameter" in after(Set("look.zoom", 3.0), state=other).answer
    fired = after(Set("look.flash", 1.0), Set("look.flash", 1.0), state=START)
    assert fired.n_requests == START.n_requests + 2 and fired.value("look.flash", CONTEXT) == 0.0


def test_what_moves_a_parameter_of_a_look_is_set_like_a_parameter():
    swings = replace(ZOOM, can_move=True)
    state = after(shown(look=(swings,)), state=START)
    moved = after(Set("look.zoom.source", "kick"), Set("look.zoom.amount", -0.25), state=state)
    assert moved.look_by_hand() == {"look.zoom.source": "kick", "look.zoom.amount": -0.25}
    assert moved.value("look.zoom.smoothing_s", CONTEXT) == 0.0 and moved.value("look.zoom", CONTEXT) == 2.0
    assert after(*changes_to(moved, CONTEXT)).look_by_hand() == moved.look_by_hand()
    assert "unknown value 'kik' (did you mean 'kick'?)" in after(Set("look.zoom.source", "kik"), state=moved).answer
    assert after(Act("reset"), state=moved).look_by_hand() == {}
    assert after(shown("b-two", look=()), state=moved).look_by_hand() == {}


def test_a_parameter_is_taken_back_to_the_preset_with_what_moves_it():
    swings = replace(ZOOM, can_move=True)
    state = after(shown(look=(swings,)), state=START)
    turned = {"look.zoom": 3.0, "look.zoom.source": "kick", "beat.decay": 0.5, "dream.colour": 0.9}
    turned |= {"beat.sensitivity": 2.0}
    done = after(*(Set(name, value) for name, value in turned.items()), state=state)
    without = after(*(Unset(name) for name in turned if name != "look.zoom.source"), state=done)
    assert without.values(CONTEXT) == state.values(CONTEXT) and without.n_bakings == done.n_bakings + 1
    assert "unknown parameter" in after(Unset("look.zoo"), state=state).answer
    edges = after(Set("beat.high_hz", 300.0), Set("beat.low_hz", 200.0), Unset("beat.high_hz"), state=START)
    assert edges.answer and edges.beat_settings().high_hz == 300.0


def test_a_hand_wins_over_an_expression_even_with_the_value_that_this_has_in_silence():
    moved = replace(ZOOM, expression="2 + kick")
    state = after(shown(look=(moved,)), state=START)
    assert after(Set("look.zoom", 2.0), state=state).look_by_hand() == {"look.zoom": 2.0}
    assert after(Set("look.zoom", 2.0), state=START).look_by_hand() == {}


def test_expressions_move_settings_of_the_beat_until_a_hand_does():
    moved = after(SettingsMoved((("beat.decay", 0.5),)), state=START)
    assert moved.value("beat.decay", CONTEXT) == moved.beat_settings().decay == 0.5
    assert moved.set_by_hand(CONTEXT) == START.set_by_hand(CONTEXT), "a restarted show moves them itself"
    by_hand = after(Set("beat.decay", 0.5), SettingsMoved((("beat.decay", 0.9),)), state=moved)
    assert by_hand.beat_settings().decay == 0.5
    assert after(shown("b-two"), state=moved).beat_settings().decay == START.beat_settings().decay
    for values in ((("dream.colour", 0.5),), (("beat.decay", 3.0),), (("beat.high_hz", 20.0), ("beat.low_hz", 10.0))):
        refused = after(SettingsMoved(values), state=START)
        assert refused.answer and not refused.moved


def test_a_setting_of_the_dream_bakes_again_only_if_it_is_another():
    colour = START.value("dream.colour", CONTEXT)
    done = after(Set("dream.colour", colour), Set("dream.colour", 0.9), Set("dream.colour", 0.9), state=START)
    assert done.n_bakings == START.n_bakings + 1 and done.dream_by_hand() == {"colour": 0.9}
    assert after(Act("next_preset"), state=done).dream_by_hand() == {}


def test_volume_and_mute():
    louder = after(Act("volume_up"), state=START)
    assert louder.answer == "volume -4 dB" and louder.source_values["output.volume_db"] == -4.0
    muted = after(Act("mute"), state=louder)
    assert muted.answer == "muted" and after(Act("volume_down"), state=muted).source_values["output.mute"] == 0.0
    assert after(Act("mute"), state=muted).answer == "volume -4 dB"
    assert after(*[Act("volume_up")] * 9, state=START).source_values["output.volume_db"] == 0.0
    assert after(Set("input.gain_db", 6.0), state=START).set_by_hand(CONTEXT) == {"output.volume_db": -6.0}


def test_actions_that_the_source_cannot_do_are_nothing():
    for one in find_actions().values():
        done = after(Act(one.name), state=START, context=NOTHING)
        assert (done == replace(START, answer="", requests=())) == (one.needs is not None), one.name
    assert after(Act("tap"), state=START).requests == (Request(START.n_requests + 1, "source", "tap"),)


def test_a_tempo_from_elsewhere_leads_until_it_ends():
    led = after(SetTempo(120.0, 5.0), state=START)
    assert led.tempo == SetTempo(120.0, 5.0) and after(SetTempo(0.0, 0.0), state=led).tempo is None


# -- replay -----------------------------------------------------------------------------------------------------------


def random_changes(seed, n):
    """Changes of every kind, most of them possible: what a long night might bring."""
    rng = random.Random(seed)
    parameters = [*base_parameters().values(), ZOOM]
    actions = [one.name for one in find_actions().values() if not one.ends_show]

    def value(one):
        return one.at(rng.uniform(-0.1, 1.1)) if rng.random() < 0.9 else rng.choice([math_nan, "word", -1e9])

    math_nan = float("nan")
    kinds = {
        "act": lambda: Act(rng.choice(actions)),
        "set": lambda: (lambda one: Set(one.name, value(one)))(rng.choice(parameters)),
        "unset": lambda: Unset(rng.choice(parameters).name),
        "show": lambda: ShowPreset(rng.choice([*PRESETS, "c-three", "none"])),
        "tempo": lambda: SetTempo(rng.choice([0.0, rng.uniform(60, 200)]), rng.random()),
        "learn": lambda: Learn(rng.choice(["", "tap", "look.zoom", "nothing"])),
        "shown": lambda: shown(rng.choice(PRESETS), decay=rng.uniform(0.2, 0.9), low_hz=rng.uniform(0, 90)),
        "failed": PresetFailed,
        "source": lambda: SourceReported((("output.volume_db", rng.uniform(-60, 0)),)),
        "moved": lambda: SettingsMoved((("beat.low_hz", rng.uniform(0, 99)), ("beat.high_hz", rng.uniform(99, 300)))),
        "reported": lambda: Reported(rng.choice(["fullscreen", "panel", "asks_to_end"]), rng.random() < 0.5),
        "listed": lambda: PresetsListed(PRESETS[: rng.randint(0, 3)]),
    }
    weights = [8, 8, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1]
    return [kinds[rng.choices(list(kinds), weights)[0]]() for _ in range(n)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_recorded_commands_replayed_onto_a_fresh_state_give_the_same_state(seed):
    live, recorded = ShowState(), []
    for index, change in enumerate(random_changes(seed, 3000)):
        command = Command(480 * index, change)
        live = apply(live, command, CONTEXT)
        recorded.append(json.dumps(command.to_data()))
    replayed = ShowState()
    for line in recorded:
        replayed = apply(replayed, Command.from_data(json.loads(line)), CONTEXT)
    assert replayed == live and live.n_requests > 100 and live.n_openings > 50 and live.n_shown > 50


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 200))
def test_a_fresh_state_becomes_one_in_which_the_same_is_shown(seed, n):
    state = after(*random_changes(seed, n), state=START)
    again = after(*changes_to(state, CONTEXT))
    values, expected = again.values(CONTEXT), state.values(CONTEXT)
    assert values == pytest.approx(expected, nan_ok=True) if not values.keys() ^ expected.keys() else False
    assert (again.shown, again.look, again.dream_by_hand()) == (state.shown, state.look, state.dream_by_hand())
    assert again.beat_settings().model_dump() == pytest.approx(state.beat_settings().model_dump())


def test_values_that_are_allowed_only_together_are_set_in_an_order_that_works():
    state = after(shown(low_hz=40.0, high_hz=120.0), Set("beat.high_hz", 300.0), Set("beat.low_hz", 200.0))
    state = replace(state, by_hand=dict(reversed(state.by_hand.items())))
    again = after(*changes_to(state, CONTEXT))
    assert (again.beat_settings().low_hz, again.beat_settings().high_hz) == (200.0, 300.0)


def test_recording_is_switched_and_the_show_may_say_that_it_has_ended():
    assert after(Act("record"), state=START).record
    assert not after(Act("record"), Act("record"), state=START).record
    assert not after(Act("record"), Reported("record", False), state=START).record


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_whatever_comes_the_state_stays_one_that_a_show_can_have(seed):
    state = ShowState()
    for change in random_changes(seed, 60):
        before = state
        state = after(change, state=state)
        assert before == replace(before), "applying changes no state"
        BeatSettings.model_validate(state.beat_settings().model_dump())
        for name, value in state.values(CONTEXT).items():
            assert state.parameters(CONTEXT)[name].checked(value) == value
        assert "\n" not in state.answer


def test_every_kind_of_change_is_in_the_random_night():
    kinds = {type(change) for change in random_changes(1, 3000)}
    assert kinds == set(commands.KINDS.values())


def test_of_two_presets_with_one_name_the_one_on_the_list_is_meant_and_the_other_reached_by_its_path():
    state = after(PresetsListed(("a-one", "b-two", "/x/b-two")), shown("/x/b-two"))
    assert after(ShowPreset("b-two"), state=state).preset == "b-two"
    assert after(ShowPreset("/x/b-two"), state=state).preset == "/x/b-two"
    assert after(ShowPreset("tiny"), state=after(PresetsListed(("/y/tiny",)))).preset == "/y/tiny"
    assert "unknown preset" in after(ShowPreset("/x"), state=state).answer
