"""The memory of a picture that has left the stage, in a real window on a software renderer."""

from __future__ import annotations

import numpy as np
import psutil
import pytest

from tests.show.ramp import Frames, Steady, preset
from visualizer.memory import give_large_blocks_back
from visualizer.presets.dreams import DreamFrame
from visualizer.render.canvas import Canvas
from visualizer.render.picture import Picture
from visualizer.render.window import Window
from visualizer.show.stage import FADE_S, Scene, Stage

SIZE, N_DEPTHS, N_CROSSINGS = (320, 180), 20, 4
PICTURE = (1280, 720)
PICTURE_BYTES = PICTURE[0] * PICTURE[1] * 3 * N_DEPTHS


@pytest.mark.alone
def test_a_picture_that_was_crossed_from_leaves_no_memory_behind(screen):
    give_large_blocks_back()
    process = psutil.Process()
    with Window(SIZE, "settle") as window:
        if "llvmpipe" not in window.ctx.info["GL_RENDERER"]:
            pytest.skip("what is looked at is Mesa's software renderer")

        def scene():
            frame = np.full((*PICTURE[::-1], 3), 90, np.uint8)
            placed = [DreamFrame(0, depth, frame, True) for depth in range(N_DEPTHS + 1)]
            return Scene(Picture(window.ctx, PICTURE, N_DEPTHS), Frames(placed), preset(N_DEPTHS, size=PICTURE))

        def draw(n_frames):
            for _ in range(n_frames):
                stage.advance(FADE_S / 10)
                canvas.begin(SIZE)
                stage.draw(Steady(variant=0.0).features_at(0.0), SIZE)
                canvas.present_on(window.ctx.screen, SIZE)
                window.swap()

        stage, canvas = Stage(window, scene()), Canvas(window.ctx)
        draw(5)
        alone, more = process.memory_info().rss, []
        for _ in range(N_CROSSINGS):
            stage.bring(scene())
            draw(20)
            stage.take_gone().picture.release()
            draw(3)
            more.append(process.memory_info().rss - alone)
    assert max(more) < PICTURE_BYTES / 2, more
