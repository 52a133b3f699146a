"""A show in a real window with controllers, with parts that fail, and one that goes on after a death."""

from __future__ import annotations

import json
import logging
import multiprocessing
import threading
from contextlib import closing

import numpy as np
import pytest

from tests.fixtures.watching import Quiet, Script, wait_for
from tests.outputs.test_new_output import Brightness
from visualizer.audio import portaudio
from visualizer.audio.playback import SilentPlayback
from visualizer.audio.songlist import SongList
from visualizer.control.addresses import OscMapping
from visualizer.control.bound_control import ShowInfo
from visualizer.control.commands import Act, Command, Learn, Set, SetTempo, ShowPreset
from visualizer.control.controller import Controller
from visualizer.control.controllers import open_controllers
from visualizer.control.parameters import base_parameters
from visualizer.control.state import ShowState, apply
from visualizer.errors import GraphicsError, VisualizerError
from visualizer.presets import loader
from visualizer.presets.dreams import open_cache
from visualizer.presets.loaded import Overrides, open_preset
from visualizer.render.hud import Hud
from visualizer.render.window import Window
from visualizer.show.onscreen import Staging, run
from visualizer.show.sources.song import SongSource
from visualizer.show.stage import Stage
from visualizer.show.window_show import WindowShow
from visualizer.supervision.resume import ResumeState

PLAIN = Staging(adapt=False)


class Hand(Controller):
    """A controller whose changes a test makes, and that keeps the snapshots."""

    name, can_learn = "hand", True

    def __init__(self):
        self.changes, self.snapshots, self.learned, self.closed = [], [], [], 0

    def poll(self):
        changes, self.changes = self.changes, []
        return changes

    def update(self, snapshot):
        self.snapshots.append(snapshot)

    def status(self):
        return ["hand\tfine"]

    def learn(self, target):
        self.learned.append(target)

    def close(self):
        self.closed += 1

    def osc(self, address, *values):
        """Step: what a message of OSC changes in the show."""

        def step():
            parameters = base_parameters().with_look(self.snapshots[-1].look)
            self.changes += OscMapping().changes(address, values, ShowInfo(parameters=parameters), 0.0)
            return True

        return step


class Line:
    """A lifeline that a test looks at."""

    def __init__(self, resume=None, why=""):
        self.resume, self.why = resume, why
        self.beats, self.states, self.n_ended, self.asked = [], [], 0, ""

    def beat(self, *counts):
        self.beats.append(counts)

    def keep(self, state):
        self.states.append(state)

    def ask_restart(self, reason):
        self.asked = reason
        return True

    def ended(self):
        self.n_ended += 1


@pytest.fixture
def show(screen, loaded):
    """show(*steps, **more) -> the act and the hand; see Script."""

    def of(*steps, act=None, **more):
        act, hand = act or Quiet(depth=3.0), Hand()
        given = {"controllers": [hand], "title": "company", "staging": PLAIN, "greeting": "", **more}
        script = Script(screen, *[step(hand) if getattr(step, "wants_hand", False) else step for step in steps])
        run(loaded, act, open_cache(), on_frame=script, **given)
        return act, hand

    screen.move_pointer(100, 90)
    return of


def changes(*made):
    """Step: make these changes."""

    def with_hand(hand):
        def step():
            hand.changes += made
            return True

        return step

    with_hand.wants_hand = True
    return with_hand


def snapshot(condition):
    """Step: wait for a snapshot that meets a condition."""

    def with_hand(hand):
        return lambda: bool(hand.snapshots) and condition(hand.snapshots[-1])

    with_hand.wants_hand = True
    return with_hand


def noticed(words):
    """Step: wait for a notice; where the machine is busy it may be over with the next display frame."""

    def with_hand(hand):
        return lambda: any(words in shot.notice for shot in hand.snapshots)

    with_hand.wants_hand = True
    return with_hand


@pytest.fixture
def dark(eye):
    """Asks whether the middle of the projection is black."""
    return lambda: max(eye.at(160, 90)) == 0


def test_changes_are_made_and_snapshots_report_them(show, dark, tiny_preset):
    act, hand = show(
        snapshot(
            lambda shot: shot.preset == str(tiny_preset) and shot.depth > 2.5 and shot.n_baked == shot.n_dreams == 4
        ),
        changes(Set("beat.decay", 0.7), Set("beat.sensitivity", 3.0), Set("beat.decay", 99.0)),
        snapshot(lambda shot: shot.values["beat.decay"] == 0.7 and shot.values["beat.sensitivity"] == 3.0),
        noticed("out of range"),
        changes(Set("blackout", 1.0)),
        dark,
        snapshot(lambda shot: shot.values["blackout"] == 1.0),
        changes(Act("blackout"), Act("tap")),
        lambda: not dark(),
        changes(ShowPreset("no such preset")),
        noticed("unknown preset"),
        changes(Learn("beat.decay")),
        snapshot(lambda shot: True),
    )
    assert act.looks[-1].settings.beat.decay == 0.7 and act.done == ["tap"] and hand.learned == ["beat.decay"]
    shot = hand.snapshots[-1]
    assert set(shot.values) == set(base_parameters()) and "clouds" in shot.presets
    gaps_s = np.diff([one.time_s for one in hand.snapshots])
    assert gaps_s.min() > 1 / 40, "thirty times a second at most"
    assert hand.closed == 1


def test_the_commands_of_a_show_replayed_onto_a_fresh_state_give_its_state(show, monkeypatch):
    """Recorded as JSON from keys and a controller; the state is that of the show at its end."""
    recorded, shows = [], []
    monkeypatch.setattr(WindowShow, "close", lambda one, close=WindowShow.close: shows.append(one) or close(one))
    show(
        "b",
        changes(
            Set("beat.decay", 0.7), Act("sensitivity_up"), SetTempo(120.0, 1.0), ShowPreset("tiny"), Set("lock", 1.0)
        ),
        lambda: sum('"preset_shown"' in line for line in recorded) == 2,
        "n",
        changes(Act("reset"), Act("tap"), Learn("tap"), Set("nothing", 1.0)),
        noticed("unknown parameter"),
        on_command=lambda command: recorded.append(json.dumps(command.to_data())),
    )
    dispatcher, state = shows[0].dispatcher, ShowState()
    for line in recorded:
        state = apply(state, Command.from_data(json.loads(line)), dispatcher.context)
    assert state == dispatcher.state and state.blackout and state.lock and state.n_shown == 2
    stamps = [json.loads(line)["at_samples"] for line in recorded]
    assert stamps == sorted(stamps) and stamps[-1] > 4800, "in samples of the source"


def test_a_controller_that_fails_stops_no_other(show, caplog):
    class Broken(Hand):
        name = "broken"

        def poll(self):
            raise OSError("unplugged")

    hand = Hand()
    with caplog.at_level(logging.ERROR):
        show(
            lambda: any("broken: OSError" in fault for shot in hand.snapshots for fault in shot.faults),
            controllers=[Broken(), hand],
        )
    assert any(record.exc_info and "unplugged" in str(record.exc_info[1]) for record in caplog.records)


def test_further_outputs_get_the_pictures_without_the_text_and_are_closed(show, monkeypatch):
    class Closing(Brightness):
        n_closed = 0

        def close(self):
            self.n_closed += 1

    lights, broken = Closing(), Closing()
    broken.name = "broken lights"
    monkeypatch.setattr(broken, "present", lambda *_: 1 / 0)
    show(
        snapshot(
            lambda shot: shot.depth > 2.5 and any("broken lights: ZeroDivisionError" in one for one in shot.faults)
        ),
        changes(Set("blackout", 1.0)),
        lambda: lights.seen[-1] == 0.0,
        outputs=[broken, lights],
        greeting="text over the picture",
    )
    assert max(lights.seen) > 40 and lights.n_closed == broken.n_closed == 1


def test_controllers_that_cannot_be_opened_are_reported_before_a_window_opens(loaded, screen):
    def opens():
        raise VisualizerError("OSC port 9000 is taken; choose another")

    def no_window(*_, **__):
        pytest.fail("a window was opened")

    class Closing(Brightness):
        closed = False

        def close(self):
            self.closed = True

    output = Closing()
    with pytest.raises(VisualizerError, match="taken"):
        run(loaded, Quiet(), open_cache(), title="company", controllers=opens, opens=no_window, outputs=[output])
    assert output.closed


def test_further_outputs_get_pictures_of_a_window_that_opens_minimised(show):
    class Minimised(Window):
        framebuffer_size = (0, 0)

    lights = Brightness()
    show(snapshot(lambda shot: shot.depth > 2.5), lambda: bool(lights.seen), outputs=[lights], opens=Minimised)
    assert max(lights.seen) > 40


def test_words_that_cannot_be_written_leave_the_picture(show, eye, monkeypatch, caplog):
    def write(self, *_, **__):
        raise RuntimeError("no letters")

    monkeypatch.setattr(Hud, "write", write)
    with caplog.at_level(logging.ERROR):
        show(
            snapshot(lambda shot: any("text" in fault for fault in shot.faults)),
            snapshot(lambda shot: shot.depth > 2.5),
            lambda: max(eye.at(160, 90)) > 40,
        )
    assert "no letters" in caplog.text


def test_a_drawing_that_fails_is_drawn_plainly_and_then_well_again(show, eye, monkeypatch):
    draw, failing = Stage.draw, [True]

    def may_fail(self, *given, **named):
        if failing[0] and self.scene.picture.deepest > 2:
            raise RuntimeError("no canvas")
        return draw(self, *given, **named)

    monkeypatch.setattr(Stage, "draw", may_fail)
    show(
        snapshot(lambda shot: any("drawing: RuntimeError" in fault for fault in shot.faults)),
        snapshot(lambda shot: shot.depth > 2.5),
        lambda: max(eye.at(160, 90)) > 40,
        lambda: failing.clear() or failing.append(False) or True,
        snapshot(lambda shot: shot.faults == ()),
    )


def test_graphics_that_are_lost_are_built_anew_dark_as_they_were(show, dark, monkeypatch):
    opened = []

    class Losing(Window):
        lost = False

        def __init__(self, *arguments, **named):
            opened.append(self)
            super().__init__(*arguments, **named)

        @property
        def is_lost(self):
            return self.lost

    def lose():
        opened[0].lost = True
        return True

    _, hand = show(
        snapshot(lambda shot: shot.depth > 2.5),
        changes(Set("blackout", 1.0)),
        dark,
        lose,
        lambda: len(opened) == 2 and dark(),
        snapshot(lambda shot: shot.wanted == ""),
        dark,
        changes(Set("blackout", 0.0)),
        lambda: not dark(),
        snapshot(lambda shot: shot.depth > 2.5 and shot.n_baked == 4),
        opens=Losing,
    )
    assert "built again" in " ".join(shot.notice for shot in hand.snapshots)


def test_a_window_that_can_show_no_picture_any_more_is_opened_again(show, monkeypatch):
    opened = []

    class Failing(Window):
        fails = False

        def __init__(self, *arguments, **named):
            opened.append(self)
            super().__init__(*arguments, **named)

        def swap(self):
            if self.fails:
                raise RuntimeError("no swap")
            super().swap()

    def fail():
        opened[0].fails = True
        return True

    _, hand = show(
        snapshot(lambda shot: shot.depth > 2.5),
        fail,
        lambda: len(opened) == 2,
        snapshot(lambda shot: shot.depth > 2.5 and shot.n_baked == 4 and shot.faults == ()),
        opens=Failing,
    )
    assert "built again" in " ".join(shot.notice for shot in hand.snapshots)


def test_a_show_that_goes_on_after_a_death_stands_as_it_stood(show, loaded, eye, screen):
    state = ResumeState(
        preset=loaded.reference,
        place=(400, 300, 320, 180),
        values={"blackout": 1.0, "beat.sensitivity": 2.0, "beat.decay": 0.8},
        bpm=120.0,
    )
    line = Line(state, "the show was restarted: killed")
    seen = []
    act, hand = show(
        lambda: seen.append(max(eye.at(560, 390))) or len(line.beats) > 40,
        snapshot(lambda shot: shot.values["blackout"] == 1.0),
        lifeline=line,
    )
    assert max(seen) == 0, "dark from the first picture on"
    assert any(shot.notice == line.why for shot in hand.snapshots)
    assert act.looks[-1].settings.beat.sensitivity == pytest.approx(2.0) and act.looks[-1].settings.beat.decay == 0.8
    kept = line.states[-1]
    assert (kept.preset, kept.place, kept.values) == (state.preset, state.place, state.values)
    assert line.n_ended == 1
    counts = np.array(line.beats)
    assert np.all(np.diff(counts[:, 0]) == 1), "a beat for every display frame"


def test_a_show_that_goes_on_with_a_turned_dream_bakes_it_once(screen, tiny_preset, monkeypatch):
    opened = []
    monkeypatch.setattr(
        loader, "open_preset", lambda *words, **more: opened.append(words) or open_preset(*words, **more)
    )
    loaded = open_preset(str(tiny_preset), size=(320, 180), overrides=Overrides(dream=(("colour", 0.75),)))
    line, hand = Line(ResumeState(preset=loaded.reference, values={"dream.colour": 0.75, "beat.decay": 0.8})), Hand()
    n_beats = int(60 * (loader.STILL_S + 0.5))
    script = Script(screen, lambda: len(line.beats) > n_beats, lambda: hand.snapshots[-1].n_baked == 4)
    run(loaded, Quiet(depth=3.0), open_cache(), on_frame=script, title="company", controllers=[hand], lifeline=line)
    assert opened == [] and line.states[-1].values == line.resume.values
    assert hand.snapshots[-1].values["dream.colour"] == 0.75


@pytest.mark.parametrize("paused", [True, False])
def test_a_song_goes_on_where_it_was_or_stands_there(show, loaded, long_song, paused):
    line = Line(ResumeState(preset="tiny", position_s=3.0, paused=paused), "the show was restarted: killed")
    with SongList([long_song]) as song, closing(SilentPlayback(song)) as playback:
        show(lambda: len(line.states) > 3, act=SongSource(playback, song, loaded.settings.beat), lifeline=line)
    assert all(state.paused == paused for state in line.states)
    moved_s = np.array([state.position_s for state in line.states]) - 3.0
    assert np.all(moved_s == 0.0) if paused else 0.1 < moved_s[-1] < 100.0


@pytest.mark.parametrize(
    ("line", "said"), [(Line(), "another process continues"), (None, "the show continues without sound")]
)
def test_a_sound_system_that_hangs_for_good_is_said_and_another_process_asked_for(show, monkeypatch, line, said):
    stuck, thread = threading.Event(), portaudio._PortAudioThread()
    monkeypatch.setattr(portaudio, "HANG_S", 0.0)
    monkeypatch.setattr("visualizer.show.sound_watch.THREAD", thread)
    thread.make(lambda: stuck.wait(600))
    show(snapshot(lambda shot: shot.n_kicks >= 0), changes(Set("freeze", 1.0)), lifeline=line)
    assert line is None or not line.asked, "there was no sound before, and another process would hang as well"
    thread.was_open = True
    show(noticed(f"the sound system hangs; {said}"), lifeline=line)
    assert line is None or line.asked == "the sound system hangs"
    stuck.set()


def _fails(*_, **__):
    raise GraphicsError("no window")


@pytest.mark.parametrize("fails", ["window", "Hud", "PresetLoader", "close of PresetLoader"])
def test_what_was_opened_before_something_that_fails_is_closed(screen, tiny_preset, monkeypatch, fails):
    options = {"opens": _fails} if fails == "window" else {}
    if fails == "close of PresetLoader":
        monkeypatch.setattr(loader.PresetLoader, "close", _fails)
    elif fails != "window":
        room = "graphics" if fails == "Hud" else "window_show"
        monkeypatch.setattr(f"visualizer.show.{room}.{fails}", _fails)
    hand, opened = Hand(), []

    def controllers():
        opened.extend(open_controllers(None, "127.0.0.1:0", False))
        return [*opened, hand]

    loaded = open_preset(str(tiny_preset), size=(96, 64))  # not baked before: a process begins to
    with pytest.raises(GraphicsError, match="no window"):
        run(loaded, Quiet(), open_cache(), title="x", controllers=controllers, on_frame=lambda *_: True, **options)
    assert hand.closed == 1
    wait_for(lambda: multiprocessing.active_children() == [], "a process is left")
    with closing(open_controllers(None, opened[0].place, False)[0]):  # its port is free again
        pass
