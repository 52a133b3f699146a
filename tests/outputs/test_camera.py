"""Screenshots while the disk is slow."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from tests.fixtures.watching import wait_for
from visualizer.outputs.camera import MOST_AT_ONCE, Camera


class Picture:
    """Stands for the window: counts how often it is read."""

    n_read = 0

    def read(self):
        self.n_read += 1
        return np.zeros((2, 2, 3), np.uint8)


def test_a_disk_that_hangs_does_not_collect_screenshots_without_end():
    window, disk = Picture(), threading.Event()

    def save(_pixels, stamp):
        assert disk.wait(20)
        return Path(f"{stamp}.png")

    camera = Camera(save)
    try:
        for _ in range(50):
            camera.take(window)
        assert window.n_read == MOST_AT_ONCE
        assert "still being written" in camera.answer()
    finally:
        disk.set()
    wait_for(lambda: not any(thread.name == "screenshot" for thread in threading.enumerate()), "the disk")
    camera.take(window)
    assert window.n_read == MOST_AT_ONCE + 1, "it goes on"
    wait_for(lambda: (camera.answer() or "").startswith("screenshot: "), "the answer")
