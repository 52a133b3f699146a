"""The dispatcher: what commands do to window, stage, source and loader. What they do to the state is in
control/test_state.py.
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from visualizer.control.actions import find_actions
from visualizer.control.capabilities import Capability
from visualizer.control.commands import Act, Command, Learn, PressKey, Set, SetTempo, ShowPreset
from visualizer.control.keys import Keymap
from visualizer.control.parameters import Parameter, base_parameters
from visualizer.control.state import Context, ShowState, apply
from visualizer.presets.loaded import open_preset
from visualizer.render.keyboard import Press
from visualizer.show.dispatcher import Dispatcher
from visualizer.show.effects import AGAIN_S, LoaderEffects, StageEffects, WindowEffects
from visualizer.show.guard import Guard
from visualizer.show.hud_text import ANSWER_S, Notices
from visualizer.show.source import Source

LIVE = frozenset({Capability.TEMPO, Capability.DEVICES})
PLAY = frozenset({Capability.PAUSE, Capability.SEEK, Capability.VOLUME})
ZOOM = Parameter("look.zoom", "", "number", 1.0, 4.0, default=2.0)


class Recorder(Source):
    """A source, and in place of window, stage, loader and panel: notes what it is asked to do."""

    def __init__(self, capabilities):
        self.capabilities = capabilities
        self.done, self.asked, self.look, self.led = [], [], {}, None
        self.is_fullscreen = self.is_dark = self.is_frozen = self.is_open = self.paused = False
        self.own = {"input.gain_db": 0.0} if capabilities == LIVE else {"output.volume_db": 0.0, "output.mute": 0.0}
        self.loaded = self.wanted = self.failure = None
        self.moved = {}
        self.names, self.on_disk, self.dream = [], [], {}
        self.breaks = False
        self.time_s = 0.0

    # -- source
    def position_s(self):
        return self.time_s

    @property
    def is_paused(self):
        return self.paused

    def do(self, action, at_s=None):
        self.done.append(action)
        self.paused ^= action == "pause"
        return f"did {action}"

    def set_preset(self, loaded):
        self.loaded = loaded

    def parameters(self):
        return dict(self.own)

    def set_parameter(self, name, value):
        self.own[name] = value

    def lead_tempo(self, bpm, beat_s):
        self.led = bpm, beat_s

    # -- window and stage
    def toggle_fullscreen(self):
        if self.breaks:
            raise OSError("no screen")
        self.is_fullscreen = not self.is_fullscreen

    def set_beat(self, beat):
        self.beat = beat

    def freeze(self, frozen):
        self.is_frozen = frozen

    def set_by_hand(self, by_hand):
        self.look = by_hand

    def moved_beat(self, known):
        return self.moved

    # -- loader
    def want(self, reference):
        self.wanted = reference

    def set_dream(self, values):
        self.dream = dict(values)

    def list_again(self):
        self.names = list(self.on_disk)

    def fault(self):
        fault, self.failure = self.failure, None
        return fault

    # -- panel
    def switch(self, is_open):
        if self.breaks:
            return "this show has no panel"
        self.is_open = is_open
        return None


@pytest.fixture
def show(tiny_preset):
    """A dispatcher with `.press(*names)` and the recorder behind it; `.answer()` is what the screen says."""

    class Rig:
        now_s = 0.0

        def make(self, keymap=None, capabilities=LIVE):
            self.behind, self.commands, self.faults = Recorder(capabilities), [], []
            self.notices = Notices(lambda: self.now_s)
            behind, loaded = self.behind, open_preset(str(tiny_preset), size=(64, 36))
            behind.names, behind.on_disk = [loaded.reference, "b-two"], [loaded.reference, "b-two"]
            guard = Guard(self.faults.append, now=lambda: self.now_s)
            context = Context(find_actions(), base_parameters(), keymap or Keymap(), capabilities)
            self.stage = StageEffects(context, loaded, behind, behind, guard)
            self.window = WindowEffects(behind, behind, guard, lambda: self.now_s)
            self.dispatcher = Dispatcher(
                context,
                behind,
                [self.window, self.stage, LoaderEffects(behind, guard, self.notices.answer)],
                notices=self.notices,
                guard=guard,
                requests={
                    "screenshot": lambda _: behind.asked.append("screenshot"),
                    "next_monitor": lambda _: "there is no other monitor",
                    "learn": lambda target: behind.asked.append(f"learn {target}"),
                    "look": self.stage.fire,
                },
                on_command=self.commands.append,
            )
            self.shown(loaded, [ZOOM])
            self.dispatcher.report()
            return self

        def shown(self, loaded, look):
            self.dispatcher.dispatch(self.stage.shown(loaded, look))

        def press(self, *names):
            self.dispatcher.press([Press(name, name) for name in names])

        def do(self, *changes):
            for change in changes:
                self.dispatcher.dispatch(change)

        def answer(self):
            self.now_s += 2 * ANSWER_S
            answer, now_s = self.notices.current(), self.now_s
            self.now_s += 2 * ANSWER_S
            self.notices.current()  # it has been read by then
            self.now_s = now_s
            return answer

    return Rig().make()


def beat_of(show):
    return show.behind.loaded.settings.beat


def test_keys_switch_window_stage_and_panel_on_and_off(show):
    for key, is_on in (
        ("f", lambda: show.behind.is_fullscreen),
        ("f11", lambda: show.behind.is_fullscreen),
        ("h", lambda: show.dispatcher.state.hud),
        ("space", lambda: show.behind.is_frozen),
        ("b", lambda: show.behind.is_dark),
        ("o", lambda: show.behind.is_open),
    ):
        assert not is_on()
        show.press(key)
        assert is_on(), key
        show.press(key)
        assert not is_on(), key


def test_what_the_source_can_do_is_done_by_it(show):
    show.press("t", "[", "]", "i", "left", "m")
    assert show.behind.done == ["tap", "tempo_half", "tempo_double", "next_input"]
    assert show.answer() == "did next_input"
    show.make(capabilities=PLAY).press("left", "right", "t", "i")
    assert show.behind.done == ["seek_back", "seek_forward"]


def test_where_the_source_can_pause_freezing_pauses_it_once(show):
    show.make(capabilities=PLAY).press("space")
    assert show.behind.paused and not show.behind.is_frozen and show.dispatcher.state_words() == ""
    show.do(Set("freeze", 1.0))
    assert show.behind.done == ["pause"]
    show.behind.paused = False  # it went on by itself, as one that is restarted may
    show.dispatcher.report()
    assert not show.dispatcher.state.freeze
    show.press("space")
    assert show.behind.paused


def test_answers_to_keys_are_shown_and_those_to_controllers_are_not(show):
    show.press("up")
    assert show.answer() == "sensitivity 1.19" and show.dispatcher.said == ""
    show.do(Act("tap"))
    assert show.answer() is None and show.dispatcher.said == "did tap"
    assert show.notices.line == "did tap", "the panel shows it until there is a newer line"
    show.notices.say("sound lost")
    assert show.notices.line == "sound lost"
    show.do(PressKey("l", "l"))
    assert show.answer() == "locked; L unlocks", "a key pressed in the panel"
    show.do(Set("beat.decay", 7.0), Act("no such thing"))
    assert show.dispatcher.said == "unknown action 'no such thing'"
    show.do(Act("screenshot"))
    assert show.dispatcher.said == "unknown action 'no such thing'" and show.behind.asked == ["screenshot"]


def test_presets_are_wanted_from_the_loader_which_looks_again_for_one_it_does_not_know(show):
    show.press("n")
    assert show.behind.wanted == "b-two" and show.answer() == "2  b-two …"
    show.behind.on_disk.append("c-new")
    show.do(ShowPreset("c-new"))
    assert show.behind.wanted == "c-new" and show.dispatcher.state.presets[1:] == ("b-two", "c-new")
    show.do(ShowPreset("c-nwe"))
    assert show.dispatcher.said == "unknown preset 'c-nwe' (did you mean 'c-new'?)"
    show.behind.failure = "c-new: no image; the picture stays as it was"
    show.dispatcher.report()
    assert show.answer() == "c-new: no image; the picture stays as it was"


def test_settings_of_the_beat_go_to_the_source_with_the_preset(show, tiny_preset):
    show.do(Set("beat.decay", 0.8), Set("beat.motion", "pump"), Act("sensitivity_up"))
    assert (beat_of(show).decay, beat_of(show).motion) == (0.8, "pump")
    assert beat_of(show).sensitivity == pytest.approx(2**0.25)
    assert show.behind.beat == beat_of(show), "the stage draws whole depths for one of the motions"
    other = open_preset(str(tiny_preset), size=(64, 36))
    show.shown(replace(other, name="another", reference="another"), [])
    assert show.behind.loaded.reference == "another" and beat_of(show).decay == other.settings.beat.decay
    assert beat_of(show).sensitivity == pytest.approx(2**0.25), "the sensitivity stays"
    assert show.stage.loaded is show.behind.loaded
    show.do(Act("reset"))
    assert beat_of(show) == other.settings.beat


def test_dream_source_and_look_are_set_where_they_are(show):
    show.do(Set("dream.colour", 0.7), Set("dream.blend", 0.2), Set("input.gain_db", 6.0), Set("look.zoom", 3.0))
    assert show.behind.dream == {"colour": 0.7, "blend": 0.2}
    assert show.behind.own == {"input.gain_db": 6.0} and show.behind.look == {"look.zoom": 3.0}
    values = show.dispatcher.values()
    assert set(values) == {*base_parameters(), "look.zoom"} and values["dream.colour"] == 0.7
    show.do(Act("reset"))
    assert show.behind.dream == {} and show.behind.look == {} and show.behind.own == {"input.gain_db": 6.0}
    show.behind.own["input.gain_db"] = 1.0  # as when another input is chosen
    show.dispatcher.report()
    assert show.dispatcher.values()["input.gain_db"] == 1.0 and show.dispatcher.set_by_hand() == {"input.gain_db": 1.0}
    show.do(Set("output.volume_db", -9.0))
    assert "output.volume_db" not in show.behind.own, "this source has no volume"


def test_a_look_that_comes_again_gets_what_was_set_by_hand(show):
    show.do(Set("look.zoom", 3.0))
    show.behind.look.clear()
    show.shown(show.stage.loaded, [ZOOM])
    assert show.behind.look == {"look.zoom": 3.0}
    show.behind.look.clear()
    show.shown(replace(show.stage.loaded, reference="another"), [ZOOM])
    assert show.behind.look == {}


def test_a_tempo_from_elsewhere_goes_to_a_source_that_has_one(show):
    show.behind.time_s = 6.0
    show.do(SetTempo(120.0, 0.25))
    assert show.behind.led == (120.0, 5.75), "in the source's own time"
    show.do(SetTempo(0.0, 0.0))
    assert show.behind.led[0] == 0.0
    show.make(capabilities=PLAY).do(SetTempo(120.0, 5.0))
    assert show.behind.led is None


def test_learning_is_asked_of_the_controllers(show):
    show.do(Learn("tap"), Learn("nothing"), Learn(""))
    assert show.behind.asked == ["learn tap", "learn "]


def test_a_second_escape_that_comes_too_late_does_not_end_the_show(show):
    for _ in range(4):
        show.press("escape")
        show.now_s += AGAIN_S + 0.1
        show.dispatcher.report()
    assert not show.dispatcher.state.ended
    show.press("escape")
    show.now_s += AGAIN_S - 0.1
    show.dispatcher.report()
    show.press("escape")
    assert show.dispatcher.state.ended


def test_what_cannot_be_carried_out_is_reported_and_the_rest_is_done(show):
    show.behind.breaks = True
    show.press("f", "b")
    assert show.behind.is_dark and len(show.faults) == 1 and "no screen" in show.faults[0]
    show.dispatcher.report()
    assert not show.dispatcher.state.fullscreen, "the state says how it is"
    show.press("o")
    show.dispatcher.report()
    assert show.answer() == "this show has no panel" and not show.dispatcher.state.panel


def test_a_request_that_nobody_carries_out_is_an_error_and_not_something_else(show):
    broken = replace(find_actions()["screenshot"], apply=lambda state, context: state.requesting("no such kind"))
    show.dispatcher.context = replace(show.dispatcher.context, actions={"screenshot": broken})
    show.do(Act("screenshot"))
    assert "no such kind" in show.faults[0] and not show.behind.is_frozen


def test_an_action_that_fails_changes_nothing(show):
    broken = replace(find_actions()["blackout"], apply=lambda state, context: 1 / 0)
    show.dispatcher.context = replace(show.dispatcher.context, actions={**find_actions(), "blackout": broken})
    before = show.dispatcher.state
    show.do(Act("blackout"))
    assert show.dispatcher.state is before and "ZeroDivisionError" in show.faults[0]
    show.press("space")
    assert show.behind.is_frozen


def test_a_command_that_cannot_be_recorded_or_a_list_that_cannot_be_read_costs_no_command(show):
    def full(command):
        raise OSError("disk full")

    def unreadable():
        raise OSError("no folder")

    show.dispatcher._on_command, show.behind.list_again = full, unreadable
    show.press("b")
    assert show.behind.is_dark and show.dispatcher.state.blackout and "disk full" in show.faults[0]
    show.do(ShowPreset("c-new"))
    assert any("no folder" in fault for fault in show.faults) and "unknown preset" in show.dispatcher.said


def test_every_command_is_stamped_with_the_time_of_the_source_and_a_replay_gives_the_same_state(show):
    show.behind.time_s = 2.0
    show.press("b", "up", "n")
    show.behind.time_s = 2.5
    show.do(Set("beat.decay", 0.5), Set("dream.colour", 0.9), Act("help"), SetTempo(100.0, 1.0))
    show.shown(show.stage.loaded, [])
    assert [one.at_samples for one in show.commands if one.change == Act("blackout")] == [96_000]
    assert show.commands[-1].at_samples == 120_000
    state = ShowState()
    for line in [json.dumps(command.to_data()) for command in show.commands]:
        state = apply(state, Command.from_data(json.loads(line)), show.dispatcher.context)
    assert state == show.dispatcher.state
    assert PressKey not in {type(one.change) for one in show.commands}, "no command depends on this user's keys"


def test_a_show_that_opens_in_fullscreen_is_left_by_one_key(show):
    show.behind.is_fullscreen = True
    show.dispatcher.report()
    show.press("escape")
    assert not show.behind.is_fullscreen and not show.dispatcher.state.asks_to_end


def test_another_window_and_stage_take_the_place_of_those_before(show):
    other = Recorder(LIVE)
    show.press("b")
    show.window.window = other
    show.stage.replace(other, show.dispatcher.state)
    show.press("b", "f")
    assert not other.is_dark and other.is_fullscreen and show.behind.is_dark


def test_a_show_without_window_loader_and_panel_applies_the_commands_of_one_that_has_them(show):
    show.press("b", "up", "n", "f", "o")
    show.do(Set("beat.decay", 0.5), Set("look.zoom", 3.0), SetTempo(100.0, 1.0))
    alone, loaded = Recorder(LIVE), show.stage.loaded
    guard = Guard(raises=True)
    context = show.dispatcher.context
    dispatcher = Dispatcher(
        context,
        alone,
        [StageEffects(context, loaded, alone, alone, guard)],
        notices=Notices(lambda: 0.0),
        guard=guard,
        requests={},
    )
    for command in show.commands:
        dispatcher.apply(command)
    assert dispatcher.state == show.dispatcher.state
    assert (alone.is_dark, alone.look, alone.beat, alone.led) == (True, {"look.zoom": 3.0}, show.behind.beat, (100, -1))
