"""The window as an output: the picture as it is on the canvas, what is written over it, and what other outputs get
of that.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import islice

import numpy as np
import pytest

from tests.outputs.test_new_output import Brightness
from tests.show.ramp import SIZE, Frames, Steady, grey, preset
from visualizer.outputs.window import WindowOutput
from visualizer.presets.dreams import DreamFrame
from visualizer.render.canvas import Canvas
from visualizer.render.picture import Picture
from visualizer.render.window import Window
from visualizer.show.clocks import FrameClock
from visualizer.show.frame import FrameLoop
from visualizer.show.guard import Guard
from visualizer.show.stage import Scene, Stage


class Shown(Window):
    """Keeps what is swapped."""

    pictures = ()

    def swap(self):
        self.pictures = (*self.pictures, self.read())
        super().swap()


@pytest.fixture
def show(screen):
    """show(others, size) -> the window, the WindowOutput's calls, and the other outputs, after three display frames."""
    with Shown(SIZE, "output") as window:
        window.pictures = ()

        def run(others, size=SIZE):
            calls = []

            def text():
                calls.append("text")
                window.ctx.scissor = (0, 0, 2, 2)  # two pixels of white in the lower left corner
                window.ctx.clear(1.0, 1.0, 1.0)
                window.ctx.scissor = None

            output = WindowOutput(window, text, lambda: calls.append("drawn"), lambda: calls.append("shown"))
            picture = Picture(window.ctx, SIZE, 1)
            stage = Stage(window, Scene(picture, Frames([DreamFrame(0, n, grey(90), True) for n in (0, 1)]), preset(1)))
            clock, canvas = FrameClock(Fraction(60)), Canvas(window.ctx)
            loop = FrameLoop(clock, Steady(), stage, canvas, [output, *others], Guard(raises=True), lambda: size)
            assert len(list(islice(loop.frames(), 3))) == 3
            return window, calls, canvas

        yield run


def expected():
    picture = grey(90)
    picture[-2:, :2] = 255
    return picture


def test_alone_the_window_is_drawn_on_directly(show):
    window, calls, canvas = show([])
    assert calls == 3 * ["text", "drawn", "shown"] and canvas.is_lent
    assert all(np.array_equal(picture, expected()) for picture in window.pictures)


def test_another_output_gets_the_picture_without_what_is_written_over_it(show):
    other = Brightness()
    window, _, canvas = show([other])
    assert other.seen == [90.0] * 3 and not canvas.is_lent
    assert all(np.array_equal(picture, expected()) for picture in window.pictures)


def test_drawn_smaller_the_picture_is_scaled_to_the_window(show):
    window, _, canvas = show([], (SIZE[0] // 2, SIZE[1] // 2))
    assert not canvas.is_lent and all(np.array_equal(picture, expected()) for picture in window.pictures)
