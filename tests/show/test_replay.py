"""Sessions in a window: seek and pause, and that a moment gone to looks as it did."""

from __future__ import annotations

import numpy as np
import pytest

from tests import sounds
from tests.fixtures.shows import Clock
from tests.show.nights import RATE_HZ, Night, Pixels
from visualizer.control.commands import Act, PresetShown, Set
from visualizer.presets.dreams import open_cache
from visualizer.presets.loaded import open_preset
from visualizer.render.canvas import Canvas
from visualizer.render.offscreen import Offscreen
from visualizer.render.programs import Programs
from visualizer.session.events import SceneEvent, ticks_of
from visualizer.session.reader import RecordedSession
from visualizer.show.clocks import FrameClock
from visualizer.show.guard import Guard
from visualizer.show.performance import Performance, PerformanceLoop, PerformedSource, contents_of
from visualizer.show.replay import Transport, replay
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
    contents, events = contents_of(session), list(session.events())
    index = next((n for n, one in enumerate(events) if one.at > ticks_of(begin_s)), len(events)) if begin_s else 0
    pixels, depths = Pixels(), []
    with Offscreen(SIZE) as surface:
        source, guard = SessionSource(session), Guard(raises=True)
        performance = Performance(
            session, contents, events[index:], source, surface, Programs(surface.ctx), say=print, before=events[:index]
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


def test_the_transport_goes_on_by_itself_is_paused_and_moved():
    clock = Clock()
    transport = Transport(12.0, now=clock)
    clock.now_s = 3.0
    assert transport.position_s() == 3.0
    transport.do("pause")
    clock.now_s = 5.0
    assert transport.position_s() == 3.0 and transport.is_paused
    assert transport.do("seek_forward") == "0:08 / 0:12" and transport.position_s() == 8.0
    transport.do("pause")
    clock.now_s = 6.0
    assert transport.position_s() == 9.0
    transport.do("seek_forward")
    assert transport.position_s() == 12.0, "not beyond the end"
    transport.do("seek_back")
    transport.do("seek_back")
    transport.do("seek_back")
    assert transport.position_s() == 0.0


def test_a_replay_in_a_window_is_moved_by_keys_and_shows_what_was_there(root, screen):
    seen = []

    def on_frame(shown, frame):
        transport, press = shown._transport, shown._dispatcher.dispatch
        if shown.n_frames == 5:
            for _ in range(2):
                press(Act("seek_forward"))
        elif shown.n_frames == 15:
            seen.append(("after", transport.position_s(), shown.performance.stage.scene.n_baked))
            press(Act("seek_back"))
            press(Act("seek_back"))
        elif shown.n_frames == 25:
            seen.append(("before", transport.position_s(), 0))
            press(Act("freeze"))
        elif shown.n_frames == 30:
            seen.append(("paused", transport.position_s(), transport.is_paused))
            press(Act("quit"))
        return shown.n_frames > 60

    assert replay(root, open_cache(), on_frame=on_frame) < 40
    (_, after_s, n_baked), (_, before_s, _), (_, _, is_paused) = seen
    assert after_s >= 10.0 and n_baked == 4 and before_s < after_s - 5 and is_paused
