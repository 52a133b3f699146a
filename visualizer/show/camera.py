"""Screenshots of a show: the picture as it is drawn, kept by a thread."""

from __future__ import annotations

import logging
import threading
from collections import deque

import numpy as np

from ..errors import VisualizerError
from ..render.window import Window
from ..store.screenshots import save_screenshot
from .clocks import day_and_time

log = logging.getLogger(__name__)


class Camera:
    """Takes screenshots, and tells what became of them."""

    def __init__(self) -> None:
        self._told: deque[str] = deque()

    def take(self, window: Window) -> None:
        """Keep what has been drawn and not shown yet."""
        pixels = window.read()
        if pixels is not None:
            threading.Thread(target=self._save, args=(pixels, day_and_time()), name="screenshot").start()

    def answer(self) -> str | None:
        """What became of one, once."""
        return self._told.popleft() if self._told else None

    def _save(self, pixels: np.ndarray, stamp: str) -> None:
        try:
            self._told.append(f"screenshot: {save_screenshot(pixels, stamp)}")
        except VisualizerError as error:
            log.warning("%s", error)
            self._told.append(str(error))
        except Exception as error:
            log.exception("the screenshot was not kept")
            self._told.append(f"the screenshot was not kept ({type(error).__name__})")
