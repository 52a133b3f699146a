"""Pictures that come during a show, read in a thread of their own: decoding one can take seconds."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import numpy as np

from ..errors import BadInput
from ..oneline import plain, reason_of
from .image import load_image

log = logging.getLogger(__name__)


class PictureReader:
    """Reads pictures as images of a size; of several the newest.

    size: (width, height), px. fault: why the picture asked for last cannot be read, in one line; None: it can, or it is
    not known yet.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.fault: str | None = None
        self._size = size
        self._lock = threading.Lock()
        self._asked: Path | None = None
        self._found: np.ndarray | None = None
        self._is_running = False

    def read(self, picture: Path) -> None:
        """Begin to read the picture of a file; one that was asked for before and not taken is given up."""
        with self._lock:
            self._asked, self._found, self.fault = picture, None, None
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="picture", daemon=True).start()

    @property
    def is_reading(self) -> bool:
        """Whether a picture was asked for that was not taken yet, and may still come."""
        return self._is_running or self._found is not None

    def take(self) -> np.ndarray | None:
        """The image (height, width, 3) uint8 of the picture asked for, once, when it is there."""
        if self._found is None:  # without the lock: this is called every display frame
            return None
        with self._lock:
            found, self._found = self._found, None
        return found

    def _run(self) -> None:
        while True:
            with self._lock:
                picture, self._asked = self._asked, None
                if picture is None:
                    self._is_running = False
                    return
            image, fault = None, None
            try:
                image = load_image(picture, self._size)
            except BadInput as wrong:
                fault = str(wrong)
            except Exception as wrong:  # such as a lack of memory: the next one may be read
                log.exception("%s cannot be read", picture)
                fault = f"{plain(picture)}: cannot be read: {reason_of(wrong)}"
            if fault is not None:
                log.warning("%s", fault)
            with self._lock:
                if self._asked is None:  # else another one is wanted meanwhile
                    self._found, self.fault = image, fault
