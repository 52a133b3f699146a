"""A new source is one file: this one drives a picture, in a frame loop and in a window, and nothing else knows of
it.
"""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.show.ramp import N_DEPTHS, SIZE, Frames, grey, preset
from visualizer.beat import Features
from visualizer.outputs.output import Output
from visualizer.presets.dreams import DreamFrame, open_cache
from visualizer.render.canvas import Canvas
from visualizer.render.offscreen import Offscreen
from visualizer.render.picture import Picture
from visualizer.show.clocks import FrameClock
from visualizer.show.frame import FrameLoop
from visualizer.show.guard import Guard
from visualizer.show.onscreen import run
from visualizer.show.source import Capability, Source
from visualizer.show.sources.guarded import GuardedSource
from visualizer.show.stage import Scene, Stage


class Ramp(Source):
    """The level rises evenly from 0 to 1 within `seconds`, and then it is over. It can be paused."""

    capabilities = frozenset({Capability.PAUSE})
    title = "ramp"
    is_paused = False

    def __init__(self, seconds):
        self.seconds, self._time_s, self._started_s, self._n_taken = seconds, 0.0, None, 0

    @property
    def ended(self):
        return self._time_s >= self.seconds

    def position_s(self):
        return self._time_s

    def take_in(self, time_s):
        self._time_s = time_s

    def features_at(self, time_s):
        return Features(time_s, level=min(1.0, time_s / self.seconds))

    def do(self, action, at_s=None):
        if action == "pause":
            self.is_paused = not self.is_paused


class Greys(Output):
    """The grey of every picture."""

    name = "greys"

    def __init__(self):
        self.greys = []

    def present(self, canvas, sound, features):
        self.greys.append(int(canvas.pixels()[0, 0, 0]))


@pytest.mark.parametrize("guarded", [False, True])
def test_a_new_source_drives_the_picture(guarded):
    source, greys = Ramp(2.0), Greys()
    with Offscreen(SIZE) as surface:
        frames = Frames([DreamFrame(0, depth, grey(10 * depth), True) for depth in range(N_DEPTHS + 1)])
        stage = Stage(surface, Scene(Picture(surface.ctx, SIZE, N_DEPTHS), frames, preset()))
        guard = Guard(raises=True)
        loop = FrameLoop(
            FrameClock(Fraction(10)),
            GuardedSource(source, guard) if guarded else source,
            stage,
            Canvas(surface.ctx),
            [greys],
            guard,
            lambda: SIZE,
        )
        shown = list(loop.frames())
    assert len(shown) == 20 and shown[-1].depth == pytest.approx(1 + (N_DEPTHS - 1) * 1.95 / 2.0)
    assert greys.greys == sorted(greys.greys) and greys.greys[0] < 12 and greys.greys[-1] > 38


def test_a_new_source_in_a_window(screen, loaded):
    """The pace is the window's, and the time the source's own."""

    class Counting(Ramp):
        def position_s(self):
            return self._time_s + 1 / 60

    depths = []

    def note(n_frames, shown):
        depths.append(shown.depth)
        return False

    report = run(loaded, Counting(1.0), open_cache(), on_frame=note, greeting="")
    assert report.n_frames == len(depths) > 10 and screen is not None
    assert depths[-1] > 0.9 * loaded.n_depths or max(depths) > 2
