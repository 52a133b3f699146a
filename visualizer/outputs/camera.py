"""Screenshots of a show: the picture of a display frame, written by a thread."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..clock import day_and_time
from ..errors import VisualizerError
from ..render.canvas import Canvas
from .screenshots import save_screenshot

log = logging.getLogger(__name__)

#: screenshots being written at once: each is some megabytes, and a disk may hang
MOST_AT_ONCE = 4


class Camera:
    """Takes screenshots, and reports which were written. save: writes one, see `save_screenshot`. is_wanted: whether
    one was asked for and is not taken yet.
    """

    def __init__(self, save: Callable[[np.ndarray, str], Path] = save_screenshot) -> None:
        self._save_to = save
        self.is_wanted = False
        self._answers: deque[str] = deque(maxlen=MOST_AT_ONCE)
        self._saving: list[threading.Thread] = []

    def want(self, _: str = "") -> None:
        """Ask for a screenshot, of the next display frame that can be taken."""
        self.is_wanted = True

    def take(self, canvas: Canvas, size: tuple[int, int]) -> None:
        """Keep the picture on the canvas, scaled to `size` (width, height), px, if it was drawn in another; (0, 0)
        keeps nothing.
        """
        self._saving = [one for one in self._saving if one.is_alive()]
        if len(self._saving) >= MOST_AT_ONCE:
            self._answers.append(f"{MOST_AT_ONCE} screenshots are still being written; try again in a moment")
        elif min(size) > 0:
            pixels = canvas.pixels().copy()
            thread = threading.Thread(target=self._save, args=(pixels, size, day_and_time()), name="screenshot")
            self._saving.append(thread)
            thread.start()

    def answer(self) -> str | None:
        """Whether a screenshot was written, and where: once."""
        return self._answers.popleft() if self._answers else None

    def _save(self, pixels: np.ndarray, size: tuple[int, int], stamp: str) -> None:
        try:
            pixels = _scaled(pixels, size)
            self._answers.append(f"screenshot: {self._save_to(pixels, stamp)}")
        except VisualizerError as error:
            log.warning("%s", error)
            self._answers.append(str(error))
        except Exception as error:
            log.exception("the screenshot was not written")
            self._answers.append(f"the screenshot was not written ({type(error).__name__})")


def _scaled(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A picture that was drawn smaller than its window, as it is seen there."""
    from PIL import Image

    if pixels.shape[1::-1] == size:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))
