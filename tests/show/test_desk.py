"""The desk: keys to what they do. The real keyboard and window are in test_onscreen_keys.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

from visualizer.control.commands import Act, PressKey, Set, SetTempo, ShowPreset
from visualizer.control.keys import Keymap
from visualizer.control.parameters import base_parameters
from visualizer.presets.loaded import open_preset
from visualizer.render.keyboard import Press
from visualizer.show.desk import AGAIN_S, SENSITIVITY_RANGE, Desk
from visualizer.show.onscreen import LIVE_TAKES
from visualizer.show.play import TAKES
from visualizer.show.words import ANSWER_S, Notices


class Recorder:
    """Stands for the window, the projection, the presets and the act: notes what it is asked to do."""

    def __init__(self):
        self.done = []
        self.is_fullscreen = self.is_dark = self.is_frozen = False
        self.other_monitor = None
        self.loaded = None
        self.scene, self.beat = self, None
        self.turned, self.own, self.led = {}, {"input.gain_db": 0.0}, None

    def toggle_fullscreen(self):
        self.is_fullscreen = not self.is_fullscreen

    def next_monitor(self):
        return self.other_monitor

    def freeze(self, frozen):
        self.is_frozen = frozen

    def step(self, by):
        return f"step {by}"

    def number(self, number):
        return f"number {number}"

    def named(self, name):
        return f"named {name}"

    def turn(self, key, value):
        self.turned[key] = value

    def reset(self):
        self.turned = {}

    def parameters(self):
        return self.own

    def set_parameter(self, name, value):
        self.own[name] = value

    def lead_tempo(self, bpm, beat_s):
        self.led = bpm, beat_s

    def do(self, action):
        self.done.append(action)
        return f"did {action}"

    def set_preset(self, loaded):
        self.loaded = loaded


@pytest.fixture
def show(tiny_preset):
    """A desk with `.press(*names)` and the recorder behind it; `.answer()` is what the screen says."""

    class Rig:
        now_s = 0.0
        behind = Recorder()

        def make(self, keymap=None, takes=LIVE_TAKES):
            self.notices = Notices(lambda: self.now_s)
            self.desk = Desk(
                keymap or Keymap(),
                window=self.behind,
                projection=self.behind,
                act=self.behind,
                changes=self.behind,
                notices=self.notices,
                loaded=open_preset(str(tiny_preset), size=(64, 36)),
                takes=takes,
                now=lambda: self.now_s,
            )
            return self

        def press(self, *names):
            self.desk.press([Press(*name) if isinstance(name, tuple) else Press(name, name) for name in names])

        def answer(self):
            self.now_s += 2 * ANSWER_S
            answer, now_s = self.notices.current(), self.now_s
            self.now_s += 2 * ANSWER_S
            self.notices.current()  # it has been read by then
            self.now_s = now_s
            return answer

    return Rig().make()


def test_fullscreen_help_and_freeze_go_on_and_off(show):
    for key, state in (
        ("f", lambda: show.behind.is_fullscreen),
        ("f11", lambda: show.behind.is_fullscreen),
        ("h", lambda: show.desk.hud_shown),
        ("f1", lambda: show.desk.hud_shown),
        ("space", lambda: show.behind.is_frozen),
        ("b", lambda: show.behind.is_dark),
    ):
        assert not state()
        show.press(key)
        assert state(), key
        show.press(key)
        assert not state(), key


def test_presets_by_step_and_number(show):
    for key, answer in (("n", "step 1"), ("p", "step -1"), ("1", "number 1"), ("9", "number 9")):
        show.press(key)
        assert show.answer() == answer


def test_digits_on_a_french_keyboard_with_and_without_shift(show):
    for press in (("&", "1"), ("shift+&", "shift+1")):
        show.press(press)
        assert show.answer() == "number 1"
    show.press(("shift+f", "shift+f"))
    assert show.answer() == "there is no other monitor", "Shift still means something with letters"


def test_the_rest_is_the_acts(show):
    show.press("t", "[", "]", "i")
    assert show.behind.done == ["tap", "tempo_half", "tempo_double", "next_input"]
    assert show.answer() == "did next_input"


def test_in_play_space_pauses_and_arrows_seek(show):
    show.make(takes=TAKES)
    show.press("space", "left", "right", "t", "i")
    assert show.behind.done == ["pause", "seek_back", "seek_forward"]
    assert not show.behind.is_frozen


def test_what_an_act_has_no_use_for_is_nothing(show):
    show.press("left", "right")
    assert show.behind.done == [] and show.answer() is None


def test_q_and_other_keys_alone_do_nothing(show):
    show.press("q", "r", "x", "ctrl+s", "shift+h", "enter")
    assert not show.desk.ended and not show.desk.hud_shown and show.answer() is None


def test_ctrl_q_ends(show):
    show.press("ctrl+q")
    assert show.desk.ended


# --- Esc


def test_esc_leaves_fullscreen_and_ends_nothing(show):
    show.press("f", "escape")
    assert not show.behind.is_fullscreen and not show.desk.ended
    show.press("escape")
    assert not show.desk.ended, "the first one of a window"
    assert show.answer() == "Esc again ends the show"


def test_esc_twice_within_two_seconds_ends(show):
    show.press("escape")
    show.now_s += AGAIN_S - 0.1
    show.press("escape")
    assert show.desk.ended


def test_esc_twice_with_a_pause_does_not(show):
    for _ in range(5):
        show.press("escape")
        show.now_s += AGAIN_S + 0.1
    assert not show.desk.ended


# --- the lock


def test_locked_all_keys_but_the_lock_and_the_end_are_ignored_and_it_is_said(show):
    show.press("l")
    assert show.answer() == "locked; L unlocks" and show.desk.states() == "locked"
    show.press("f", "b", "n", "escape", "escape", "t")
    assert not (show.behind.is_fullscreen or show.behind.is_dark or show.desk.ended or show.behind.done)
    assert show.answer() == "the keys are locked; L unlocks them"
    show.press("x")
    assert show.answer() == "the keys are locked; L unlocks them"
    show.press("l")
    assert show.answer() == "unlocked"
    show.press("b")
    assert show.behind.is_dark


def test_locked_ctrl_q_still_ends(show):
    show.press("l", "ctrl+q")
    assert show.desk.ended


def test_a_lock_on_another_key_says_so(show):
    show.make(Keymap({"lock": ("k",)}))
    show.press("k", "l")
    assert show.answer() == "the keys are locked; K unlocks them"


# --- sensitivity


def test_sensitivity_goes_up_and_down_and_the_act_is_told(show):
    show.press("up")
    assert show.answer() == "sensitivity 1.19"
    assert show.behind.loaded.settings.beat.sensitivity == pytest.approx(2**0.25)
    show.press("down", "down")
    assert show.answer() == "sensitivity 0.84"


def test_it_stays_in_range_and_comes_back_at_once(show):
    show.press(*["up"] * 40)
    assert show.desk.loaded.settings.beat.sensitivity == SENSITIVITY_RANGE[1]
    show.press("down")
    assert show.desk.loaded.settings.beat.sensitivity < SENSITIVITY_RANGE[1]
    show.press(*["down"] * 60)
    assert show.desk.loaded.settings.beat.sensitivity == SENSITIVITY_RANGE[0]
    show.press("up")
    assert show.desk.loaded.settings.beat.sensitivity > SENSITIVITY_RANGE[0]


def test_what_was_set_by_hand_stays_when_the_preset_changes(show, tiny_preset):
    loaded = open_preset(str(tiny_preset), size=(64, 36))
    beat = loaded.settings.beat.model_copy(update={"sensitivity": 2.0})
    other = replace(loaded, settings=loaded.settings.model_copy(update={"beat": beat}))
    show.press("up")
    show.desk.set_preset(other)
    assert show.behind.loaded.settings.beat.sensitivity == pytest.approx(2 * 2**0.25)
    show.press("down")
    assert show.behind.loaded.settings.beat.sensitivity == pytest.approx(2.0)


# --- the rest


def test_a_monitor_that_is_there_is_named(show):
    show.behind.other_monitor = "HDMI-1"
    show.press("shift+f")
    assert show.answer() == "HDMI-1"


def test_a_screenshot_is_asked_for(show):
    show.press("s")
    assert show.desk.screenshot_wanted


def test_states_are_told_together(show):
    show.press("space", "b", "l")
    assert show.desk.states() == "frozen   blackout   locked"


# --- wishes of the panel and of controllers


def beat_of(show):
    return show.behind.loaded.settings.beat


def test_a_setting_of_the_beat_is_turned_and_the_act_is_told(show):
    for name, value in (
        ("beat.decay", 0.8),
        ("beat.smoothing_ms", 120.0),
        ("beat.motion", "pump"),
        ("beat.high_hz", 90.0),
    ):
        show.desk.grant(Set(name, value))
        assert getattr(beat_of(show), name.partition(".")[2]) == value
        assert show.desk.values()[name] == value
    assert show.desk.by_hand() == {
        "beat.decay": 0.8,
        "beat.smoothing_ms": 120.0,
        "beat.motion": "pump",
        "beat.high_hz": 90.0,
    }


def test_the_sensitivity_turned_and_the_keys_are_one(show):
    show.desk.grant(Set("beat.sensitivity", 2.0))
    assert beat_of(show).sensitivity == pytest.approx(2.0)
    show.press("up")
    assert beat_of(show).sensitivity == pytest.approx(2.0 * 2**0.25)
    assert show.desk.by_hand()["beat.sensitivity"] == pytest.approx(2.0 * 2**0.25)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("beat.decay", 2.0, "allowed: 0.1 .. 0.999"),
        ("beat.decay", float("nan"), "allowed"),
        ("beat.decay", "much", "needs a number"),
        ("beat.motion", "jump", "allowed: decay"),
        ("beat.decey", 0.5, "did you mean 'beat.decay'"),
        ("beat.high_hz", 20.0, None),
    ],
)
def test_what_cannot_be_is_refused_in_words_and_changes_nothing(show, name, value, told):
    show.desk.grant(Set("beat.low_hz", 60.0))
    before = beat_of(show)
    show.desk.grant(Set(name, value))
    assert beat_of(show) == before
    assert (told or "must be at least 20 Hz above") in show.desk.said


def test_what_a_preset_says_of_the_beat_comes_back_with_the_next_preset_but_not_the_rooms(show, tiny_preset):
    for name, value in (("beat.decay", 0.5), ("beat.lead_ms", 40.0), ("beat.floor_db", -50.0)):
        show.desk.grant(Set(name, value))
    loaded = open_preset(str(tiny_preset), size=(64, 36))
    show.desk.set_preset(loaded)
    assert beat_of(show).decay == 0.5, "the same preset read again"
    show.desk.set_preset(replace(loaded, name="another", reference="another"))
    assert (beat_of(show).decay, beat_of(show).lead_ms, beat_of(show).floor_db) == (
        loaded.settings.beat.decay,
        40.0,
        -50.0,
    )


def test_a_preset_that_no_longer_goes_with_what_was_turned_wins(show, tiny_preset):
    show.desk.grant(Set("beat.high_hz", 60.0))
    loaded = open_preset(str(tiny_preset), size=(64, 36))
    beat = loaded.settings.beat.model_copy(update={"low_hz": 100.0, "high_hz": 400.0})
    show.desk.set_preset(replace(loaded, settings=loaded.settings.model_copy(update={"beat": beat})))
    assert beat_of(show).high_hz == 400.0


def test_the_dream_and_the_input_are_turned_where_they_are(show):
    show.desk.grant(Set("dream.colour", 0.7))
    show.desk.grant(Set("input.gain_db", 6.0))
    assert show.behind.turned == {"colour": 0.7} and show.behind.own == {"input.gain_db": 6.0}
    values = show.desk.values()
    assert values["dream.colour"] == 0.7 and values["input.gain_db"] == 6.0 and set(values) == set(base_parameters())
    assert show.desk.by_hand() == {"dream.colour": 0.7, "input.gain_db": 6.0}


@pytest.mark.parametrize("way", ["key", "overrides"])
def test_reset_puts_every_parameter_back_to_the_presets_values(show, way):
    before = show.desk.values()
    numbers = [
        one for one in base_parameters().values() if one.kind in ("number", "whole") and one.name.startswith("beat.")
    ]
    for one in numbers:
        show.desk.grant(Set(one.name, one.at(one.share_of(before[one.name]) * 0.9 + 0.03)))
    show.press("up")
    for overrides in (
        Set("beat.motion", "steps"),
        Set("dream.colour", 0.7),
        Set("blackout", 1.0),
        Set("input.gain_db", 6.0),
    ):
        show.desk.grant(overrides)
    turned = {name for name, value in show.desk.values().items() if value != before[name]}
    assert turned >= {"beat.sensitivity", "beat.decay", "beat.lead_ms", "beat.motion", "dream.colour"}
    show.press("backspace") if way == "key" else show.desk.grant(Act("reset"))
    assert show.desk.values() == {**before, "blackout": 1.0, "input.gain_db": 6.0}, (
        "switches and the input are no parameters"
    )
    assert show.behind.loaded.settings == show.desk.loaded.settings and show.behind.turned == {}
    assert (show.answer() if way == "key" else show.desk.said) == "every parameter is as in the preset"
    assert show.desk.by_hand() == {"blackout": 1.0, "input.gain_db": 6.0}


def test_switches_stand_as_they_are_told_and_not_the_other_way_round(show):
    for _ in range(2):
        show.desk.grant(Set("blackout", 1.0))
        show.desk.grant(Set("freeze", 1.0))
        show.desk.grant(Set("lock", 1.0))
        assert show.behind.is_dark and show.behind.is_frozen and show.desk.locked
    assert show.desk.by_hand() == {"blackout": 1.0, "freeze": 1.0, "lock": 1.0}
    show.desk.grant(Set("blackout", 0.0))
    assert not show.behind.is_dark and show.behind.is_frozen


def test_where_freezing_is_a_pause_the_switch_pauses_once(show):
    show.make(takes=TAKES)
    show.behind.is_paused = False
    show.desk.grant(Set("freeze", 1.0))
    show.behind.is_paused = True
    show.desk.grant(Set("freeze", 1.0))
    assert show.behind.done == ["pause"]


def test_wishes_are_answered_to_those_who_wish_and_not_on_the_screen(show):
    show.desk.grant(ShowPreset("club"))
    assert show.desk.said == "named club"
    show.desk.grant(Act("tap"))
    assert show.desk.said == "did tap" and show.behind.done == ["tap"]
    show.desk.grant(Act("no such thing"))
    show.desk.grant(SetTempo(120.0, 5.0))
    assert show.behind.led == (120.0, 5.0)
    assert show.answer() is None


def test_the_lock_holds_keys_wherever_they_are_pressed_and_not_the_panel(show):
    show.desk.grant(Set("lock", 1.0))
    show.desk.grant(PressKey("b", "b"))
    assert not show.behind.is_dark
    show.desk.grant(Act("blackout"))
    assert show.behind.is_dark


def test_the_panel_is_asked_for(show):
    show.press("o")
    assert show.desk.panel_wanted
