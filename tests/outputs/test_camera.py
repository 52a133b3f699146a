"""Screenshots while the disk is slow."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from tests.fixtures.watching import wait_for
from visualizer.outputs.camera import MOST_AT_ONCE, Camera


class Picture:
    """Stands for the canvas: counts how often it is read."""

    n_read = 0

    def pixels(self):
        self.n_read += 1
        return np.zeros((2, 2, 3), np.uint8)


def test_a_disk_that_hangs_does_not_collect_screenshots_without_end():
    canvas, disk = Picture(), threading.Event()

    def save(_pixels, stamp):
        assert disk.wait(60)
        return Path(f"{stamp}.png")

    camera = Camera(save)
    try:
        for _ in range(50):
            camera.take(canvas, (2, 2))
        assert canvas.n_read == MOST_AT_ONCE
        assert "still being written" in camera.answer()
    finally:
        disk.set()
    wait_for(lambda: not any(thread.name == "screenshot" for thread in threading.enumerate()), "the disk")
    camera.take(canvas, (2, 2))
    assert canvas.n_read == MOST_AT_ONCE + 1, "it goes on"
    wait_for(lambda: (camera.answer() or "").startswith("screenshot: "), "the answer")


def test_a_picture_that_was_drawn_smaller_is_kept_in_the_size_it_is_seen_in():
    kept = []
    camera = Camera(lambda pixels, stamp: kept.append(pixels.shape) or Path("one.png"))
    camera.take(Picture(), (4, 6))
    camera.take(Picture(), (0, 0))
    wait_for(lambda: bool(kept), "the screenshot")
    assert kept == [(6, 4, 3)]
