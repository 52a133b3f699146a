"""What a new output takes: one class in one file, and nothing else in the program is touched.

This one measures how bright the pictures are, and when there was a kick: as a box that turns a room's lights could.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import islice

from tests.show.ramp import SIZE, Frames, Steady, grey, preset
from visualizer.outputs.output import Output
from visualizer.presets.dreams import DreamFrame
from visualizer.render.canvas import Canvas
from visualizer.render.offscreen import Offscreen
from visualizer.render.picture import Picture
from visualizer.show.clocks import FrameClock
from visualizer.show.frame import FrameLoop
from visualizer.show.guard import Guard
from visualizer.show.stage import Scene, Stage


class Brightness(Output):
    """Measures the brightness of every picture. seen: 0..255; levels: of the kick, 0..1."""

    name = "brightness"

    def __init__(self):
        self.seen, self.levels = [], []

    def present(self, canvas, sound, features):
        self.seen.append(float(canvas.pixels().mean()))
        self.levels.append(features.level)


def test_a_new_output_is_one_file():
    lights = Brightness()
    with Offscreen(SIZE) as surface:
        picture = Picture(surface.ctx, SIZE, 4)
        frames = Frames([DreamFrame(0, depth, grey(10 * depth), True) for depth in range(5)])
        stage = Stage(surface, Scene(picture, frames, preset()))
        clock, canvas = FrameClock(Fraction(30)), Canvas(surface.ctx)
        loop = FrameLoop(clock, Steady(2.5), stage, canvas, [lights], Guard(raises=True), lambda: SIZE)
        assert len(list(islice(loop.frames(), 3))) == 3
    assert lights.seen == [25.0] * 3 and lights.levels == [0.5] * 3
