"""Sessions in a window: seek and pause, and that a moment gone to looks as it did."""

from __future__ import annotations

import shutil
import time
from contextlib import ExitStack, closing

import numpy as np
import pytest

from tests import sounds
from tests.fixtures.pulse import SINK_RATE_HZ
from tests.fixtures.shows import Clock
from tests.fixtures.watching import takes
from tests.session.making import write_events
from tests.show.nights import RATE_HZ, Night, Pixels, performed
from visualizer.audio.playback import SilentPlayback
from visualizer.control.commands import Act, PresetShown, Set
from visualizer.errors import GraphicsError
from visualizer.presets.dreams import open_cache
from visualizer.presets.loaded import open_preset
from visualizer.render.canvas import Canvas
from visualizer.render.offscreen import Offscreen
from visualizer.render.programs import Programs
from visualizer.session.events import PresetEvent, SceneEvent, decode, ticks_of
from visualizer.session.layout import SessionFolder
from visualizer.session.reader import RecordedSession
from visualizer.show.clocks import FrameClock
from visualizer.show.guard import Guard
from visualizer.show.performance import (
    PREROLL_S,
    Performance,
    PerformanceLoop,
    PerformedSource,
    contents_of,
    soundtrack_of,
)
from visualizer.show.replay import SessionSound, Transport, replay
from visualizer.show.session_files import SessionFiles
from visualizer.show.session_index import SessionIndex
from visualizer.show.song_output import OutputDelay
from visualizer.show.sources.session import SessionSource

SIZE, SECONDS = (64, 36), 16.0


@pytest.fixture(scope="module")
def root(tiny_preset, tmp_path_factory):
    """16 s with kicks, another preset at 5 s, a setting, and a blackout from 10 to 12 s."""
    loaded = open_preset(str(tiny_preset), size=SIZE)
    night = Night(tmp_path_factory.mktemp("sessions") / "night", loaded)
    night.heard = sounds.kicks(RATE_HZ, np.arange(0.5, SECONDS - 1, 0.5).tolist(), SECONDS)
    for scene, at_s, colour in ((0, 0.0, 60), (1, 5.0, 120)):
        night.preset(at_s, scene, loaded)
        for depth in range(1, 5):
            night.dream(at_s + 0.1 * depth, scene, depth, colour + 20 * depth, SIZE)
        if scene:
            night.event(SceneEvent(at=ticks_of(5.1), scene=1))
            night.do(5.12, PresetShown(loaded.reference))
    night.do(7.0, Set("beat.decay", 0.6))
    night.do(10.0, Act("blackout"))
    night.do(12.0, Act("blackout"))
    return night.end(SECONDS)


def seen_from(root, begin_s, frames):
    """The pictures and depths of display frames at 20 a second, with the session performed at once until begin_s."""
    session = RecordedSession(root)
    index = SessionIndex(session)
    contents = contents_of(session, index)
    before, rest = index.split(ticks_of(begin_s) if begin_s else -1, PREROLL_S)
    pixels, depths = Pixels(), []
    with Offscreen(SIZE) as surface:
        source, guard = SessionSource(session), Guard(raises=True)
        performance = Performance(
            SessionFiles(session),
            contents,
            rest,
            source,
            surface,
            Programs(surface.ctx),
            say=print,
            before=before,
        )
        clock = FrameClock(20)
        clock.frame_index = round(begin_s * 20) - 1
        loop = PerformanceLoop(
            clock, PerformedSource(source, guard), performance, Canvas(surface.ctx), [pixels], guard, lambda: SIZE
        )
        for shown in loop.frames():
            depths.append(shown.depth)
            if len(depths) == frames:
                break
        performance.release()
    return np.stack(pixels.pictures).astype(int), np.array(depths)


@pytest.mark.parametrize(
    ("begin_s", "least", "most"), [(0.0, 80, 140), (4.0, 80, 140), (8.0, 140, 200), (11.0, 0, 0), (13.0, 140, 200)]
)
def test_a_moment_that_is_gone_to_has_the_preset_the_frames_and_the_switches_of_then(root, begin_s, least, most):
    pictures, depths = seen_from(root, begin_s, 20)
    brightness = pictures[10:].mean(axis=(1, 2, 3))  # the first depths and the blackout are eased in
    assert least - 1 <= brightness.min() and brightness.max() <= most + 1
    assert depths[10:].max() > 1.5 or begin_s == 0.0, "it follows the kicks"


def opened(root, stack, **options):
    """A transport on a player of the session's sound without a device."""
    session = RecordedSession(root)
    contents = contents_of(session)
    track = stack.enter_context(closing(soundtrack_of(session, contents, print)))
    sound = SessionSound(track, root, contents.duration_s)
    return Transport(
        stack.enter_context(SilentPlayback(sound, preroll_s=None, **options)), contents.duration_s, OutputDelay()
    )


def test_the_transport_goes_on_by_itself_is_paused_and_moved(root):
    clock = Clock()
    with ExitStack() as stack:
        transport = opened(root, stack, now=clock)
        transport.start()
        clock.now_s = 3.0
        assert transport.position_s() == 3.0
        transport.do("pause")
        clock.now_s = 5.0
        assert transport.position_s() == 3.0 and transport.is_paused
        assert transport.do("seek_forward") == "0:08 / 0:16" and transport.position_s() == 8.0
        transport.go_on()
        clock.now_s = 7.0
        assert transport.position_s() == 8.0, "it stays paused"
        transport.do("pause")
        clock.now_s = 8.0
        assert transport.position_s() == 9.0
        assert transport.do("seek_forward") == "0:14 / 0:16"
        clock.now_s = 9.0
        assert transport.position_s() == 14.0, "it waits until the picture is there"
        transport.go_on()
        clock.now_s = 10.0
        assert transport.position_s() == 15.0
        transport.do("seek_forward")
        assert transport.position_s() == 16.0, "not beyond the end"
        for _ in range(4):
            transport.do("seek_back")
        assert transport.position_s() == 0.0
        transport.set_parameter("output.mute", 1.0)
        assert transport.parameters() == {"output.volume_db": 0.0, "output.mute": 1.0}
        assert transport.status() == ["session\t0:00 / 0:16", "sound\tmuted"]


def test_a_replay_in_a_window_is_moved_by_keys_and_shows_what_was_there(root, screen):
    seen = []

    def on_frame(shown, frame):
        transport, press = shown._transport, shown._dispatcher.dispatch
        if shown.n_frames == 5:
            for _ in range(2):
                press(Act("seek_forward"))
        elif shown.n_frames == 15:
            seen.append((time.monotonic(), transport.position_s(), shown.performance.stage.scene.n_baked))
            press(Act("seek_back"))
            press(Act("seek_back"))
        elif shown.n_frames == 25:
            seen.append((time.monotonic(), transport.position_s(), 0))
            press(Act("freeze"))
        elif shown.n_frames == 30:
            seen.append(("paused", transport.position_s(), transport.is_paused))
            press(Act("quit"))
        return shown.n_frames > 60

    assert replay(root, open_cache(), on_frame=on_frame) < 40
    (at_s, after_s, n_baked), (later_s, before_s, _), (_, _, is_paused) = seen
    assert after_s >= 10.0 and n_baked == 4 and before_s < after_s - 5 + later_s - at_s and is_paused


@takes()
def test_what_is_heard_is_what_is_shown_after_a_pause_and_a_seek_too(root, screen, pulse):
    places = []  # time.monotonic, second of the session, whether it is heard
    # when a key is pressed: at a second of the session, or so many seconds after the one before
    steps = [(3.0, 0, "freeze"), (0, 1.0, "freeze"), (5.0, 0, "seek_forward"), (13.0, 0, "mute"), (14.5, 0, "quit")]
    pressed_s = 0.0

    def on_frame(shown, frame):
        nonlocal pressed_s
        transport, now = shown._transport, time.monotonic()
        is_heard = not transport.is_paused and not transport.playback.volume.is_muted
        places.append((now, transport.position_s(), is_heard))
        position_s, after_s, action = steps[0]
        if transport.position_s() >= position_s and now - pressed_s > after_s:
            pressed_s = now
            shown._dispatcher.dispatch(Act(action))
            steps.pop(0)
        return not steps

    with pulse.record() as recording:
        replay(root, open_cache(), on_frame=on_frame)
        blocks = recording.blocks
    ends = np.cumsum([len(block) for _, block in blocks])
    heard = np.concatenate([block for _, block in blocks])
    loud = np.flatnonzero(np.abs(heard) > 0.2)
    kicks = loud[np.insert(np.diff(loud) > SINK_RATE_HZ // 5, 0, True)]
    which = np.searchsorted(ends, kicks, side="right")
    kicks_s = np.array([blocks[one][0] for one in which]) - (ends[which] - kicks) / SINK_RATE_HZ
    times_s, positions_s, is_heard = (np.array(one) for one in zip(*places, strict=True))
    off_s = (np.interp(kicks_s, times_s, positions_s) + 0.25) % 0.5 - 0.25
    assert len(kicks) >= 8
    assert (np.abs(off_s) < 0.06).mean() > 0.8, off_s.round(3)
    # what was handed to the output before is heard up to half a second later
    begins, ends = np.searchsorted(times_s, kicks_s - 0.7) - 1, np.searchsorted(times_s, kicks_s) + 1
    near = np.array([is_heard[max(begin, 0) : end].any() for begin, end in zip(begins, ends, strict=True)])
    assert near.all(), "a pause and what is muted are silent"
    assert positions_s[-1] > 11, "it was moved"


def test_without_an_output_it_is_shown_silently_with_one_line(root, screen, mortal_pulse):
    mortal_pulse.stop()
    lines = []

    def on_frame(shown, frame):
        lines.append(shown._notices.line)
        return shown._transport.position_s() > 1.0 and any(lines)

    replay(root, open_cache(), on_frame=on_frame)
    assert len({line for line in lines if line}) == 1 and "silently" in lines[-1]


def test_a_moment_that_cannot_be_shown_leaves_the_picture_and_the_replay_goes_on(root, screen, monkeypatch, caplog):
    caplog.set_level("INFO", "visualizer")

    n_after = 0

    def on_frame(shown, frame):
        nonlocal n_after
        if shown.n_frames == 5:
            monkeypatch.setattr(shown, "_performs", no_performance)
            for action in ("freeze", "seek_forward", "seek_forward", "seek_forward"):
                shown._dispatcher.dispatch(Act(action))
        n_after += "the graphics card is full; the picture stays as it was" in caplog.text
        return n_after > 5

    def no_performance(before, rest):
        raise GraphicsError("the graphics card is full")

    replay(root, open_cache(), on_frame=on_frame)
    assert n_after == 6


def test_a_first_preset_that_cannot_be_shown_is_black_and_one_line(root, tmp_path):
    broken, said = tmp_path / "broken", []
    shutil.copytree(root, broken)
    lines = (broken / "events.jsonl").read_bytes().splitlines()
    events = [decode(line).event for line in lines]
    first = next(one for one in events if isinstance(one, PresetEvent))
    events[events.index(first)] = first.model_copy(update={"width": 60_000, "height": 60_000})
    write_events(SessionFolder(broken), events)
    _, pictures = performed(broken, SIZE, 10, said)
    assert len(said) == 2 and "too large" in said[0] and "black until the next preset" in said[1]
    assert not pictures[20].any() and pictures[80].any(), "the second one can be shown"
