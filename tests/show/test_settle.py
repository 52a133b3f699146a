"""The memory of a picture that has left the stage, in a real window on a software renderer."""

from __future__ import annotations

import numpy as np
import psutil
import pytest

from tests.show.greys import Frames, Steady
from visualizer.render.picture import Picture
from visualizer.render.window import Window
from visualizer.show.memory import give_large_blocks_back
from visualizer.show.projection import FADE_S, Projection
from visualizer.show.scene import Placed, Scene

SIZE, N_DEPTHS = (640, 360), 20  # some 19 MB a picture


def test_a_picture_that_was_crossed_from_leaves_no_memory_behind(screen):
    give_large_blocks_back()
    process, now_s = psutil.Process(), [0.0]
    with Window(SIZE, "settle") as window:
        if "llvmpipe" not in window.ctx.info["GL_RENDERER"]:
            pytest.skip("what is looked at is Mesa's software renderer")

        def scene():
            picture = Picture(window.ctx, SIZE, N_DEPTHS)
            frame = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
            polls = [[Placed(0, depth, frame, True) for depth in range(N_DEPTHS + 1)]]
            return Scene(picture, Frames(*polls), N_DEPTHS)

        def draw(n_frames):
            for _ in range(n_frames):
                now_s[0] += FADE_S / 10
                projection.draw(now_s[0], Steady(row=0.0), SIZE)
                window.finish()
                window.swap()

        projection = Projection(window, scene(), now=lambda: now_s[0])
        draw(5)
        alone = process.memory_info().rss
        for _ in range(3):
            projection.bring(scene())
            draw(20)
            gone = projection.take_gone()
            gone.picture.release()
            draw(3)
        assert process.memory_info().rss - alone < 12e6
