"""The time of the system: what every room may ask."""

from __future__ import annotations

import time
from collections.abc import Callable


def monotonic() -> float:
    """Seconds on a clock that never goes back: the one that sound is stamped with."""
    return time.monotonic()


def day_and_time() -> str:
    """This moment by the clock on the wall, for names of files: "20260131-235959"."""
    return time.strftime("%Y%m%d-%H%M%S")


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._start = now()

    def elapsed_s(self) -> float:
        return self._now() - self._start
