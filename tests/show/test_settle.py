"""The memory of a picture that has left the stage, in a real window on a software renderer.

It is measured in a process of its own: in one that has run thousands of tests, what their threads take and give back is as much.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

N_CROSSINGS, PICTURE_BYTES = 4, 1280 * 720 * 3 * 20

CROSS = f"""
import numpy as np, psutil
from tests.show.greys import Frames, Steady
from visualizer.render.picture import Picture
from visualizer.render.window import Window
from visualizer.show.memory import give_large_blocks_back
from visualizer.show.projection import FADE_S, Projection
from visualizer.show.scene import Placed, Scene

give_large_blocks_back()
process, now_s, size, n_depths = psutil.Process(), [0.0], (320, 180), 20
with Window(size, "settle") as window:
    if "llvmpipe" not in window.ctx.info["GL_RENDERER"]:
        raise SystemExit("another renderer: " + window.ctx.info["GL_RENDERER"])

    def scene():
        frame = np.full((720, 1280, 3), 90, np.uint8)
        placed = [Placed(0, depth, frame, True) for depth in range(n_depths + 1)]
        return Scene(Picture(window.ctx, (1280, 720), n_depths), Frames(placed), n_depths)

    def draw(n_frames):
        for _ in range(n_frames):
            now_s[0] += FADE_S / 10
            projection.draw(now_s[0], Steady(row=0.0), size)
            window.swap()

    projection = Projection(window, scene(), now=lambda: now_s[0])
    draw(5)
    alone = process.memory_info().rss
    for _ in range({N_CROSSINGS}):
        projection.bring(scene())
        draw(20)
        projection.take_gone().picture.release()
        draw(3)
        print(process.memory_info().rss - alone)
"""


def test_a_picture_that_was_crossed_from_leaves_no_memory_behind(screen):
    done = subprocess.run([sys.executable, "-c", CROSS], capture_output=True, text=True, timeout=60)
    if done.stderr.startswith("another renderer"):
        pytest.skip(f"what is looked at is Mesa's software renderer: {done.stderr}")
    assert done.returncode == 0, done.stderr
    more = [int(line) for line in done.stdout.split()]
    assert len(more) == N_CROSSINGS
    assert max(more) < PICTURE_BYTES / 2
