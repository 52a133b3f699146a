"""The memory of a picture that has left the stage, in a real window on a software renderer."""

from __future__ import annotations

import numpy as np
import psutil
import pytest

from tests.show.greys import Frames, Steady
from visualizer.memory import give_large_blocks_back
from visualizer.presets.dreams import Placed
from visualizer.render.picture import Picture
from visualizer.render.window import Window
from visualizer.show.projection import FADE_S, Projection
from visualizer.show.scene import Scene

SIZE, N_DEPTHS, N_CROSSINGS = (320, 180), 20, 4
PICTURE = (1280, 720)
PICTURE_BYTES = PICTURE[0] * PICTURE[1] * 3 * N_DEPTHS


@pytest.mark.alone
def test_a_picture_that_was_crossed_from_leaves_no_memory_behind(screen):
    give_large_blocks_back()
    process, now_s = psutil.Process(), [0.0]
    with Window(SIZE, "settle") as window:
        if "llvmpipe" not in window.ctx.info["GL_RENDERER"]:
            pytest.skip("what is looked at is Mesa's software renderer")

        def scene():
            frame = np.full((*PICTURE[::-1], 3), 90, np.uint8)
            placed = [Placed(0, depth, frame, True) for depth in range(N_DEPTHS + 1)]
            return Scene(Picture(window.ctx, PICTURE, N_DEPTHS), Frames(placed), N_DEPTHS)

        def draw(n_frames):
            for _ in range(n_frames):
                now_s[0] += FADE_S / 10
                projection.draw(now_s[0], Steady(variant=0.0), SIZE)
                window.swap()

        projection = Projection(window, scene(), now=lambda: now_s[0])
        draw(5)
        alone, more = process.memory_info().rss, []
        for _ in range(N_CROSSINGS):
            projection.bring(scene())
            draw(20)
            projection.take_gone().picture.release()
            draw(3)
            more.append(process.memory_info().rss - alone)
    assert max(more) < PICTURE_BYTES / 2, more
