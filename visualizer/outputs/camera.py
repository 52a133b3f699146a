"""Screenshots of a show: the picture as it is drawn, kept by a thread."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..clock import day_and_time
from ..errors import VisualizerError
from ..render.window import Window
from .screenshots import save_screenshot

log = logging.getLogger(__name__)

#: screenshots being written at once: each is some megabytes, and a disk may hang
MOST_AT_ONCE = 4


class Camera:
    """Takes screenshots, and reports which were written. save: writes one, see `save_screenshot`."""

    def __init__(self, save: Callable[[np.ndarray, str], Path] = save_screenshot) -> None:
        self._save_to = save
        self._told: deque[str] = deque(maxlen=MOST_AT_ONCE)
        self._saving: list[threading.Thread] = []

    def take(self, window: Window) -> None:
        """Keep what has been drawn and not shown yet."""
        self._saving = [one for one in self._saving if one.is_alive()]
        if len(self._saving) >= MOST_AT_ONCE:
            self._told.append(f"{MOST_AT_ONCE} screenshots are still being written; try again in a moment")
            return
        pixels = window.read()
        if pixels is not None:
            thread = threading.Thread(target=self._save, args=(pixels, day_and_time()), name="screenshot")
            self._saving.append(thread)
            thread.start()

    def answer(self) -> str | None:
        """What became of one, once."""
        return self._told.popleft() if self._told else None

    def _save(self, pixels: np.ndarray, stamp: str) -> None:
        try:
            self._told.append(f"screenshot: {self._save_to(pixels, stamp)}")
        except VisualizerError as error:
            log.warning("%s", error)
            self._told.append(str(error))
        except Exception as error:
            log.exception("the screenshot was not kept")
            self._told.append(f"the screenshot was not kept ({type(error).__name__})")
