"""The system's clocks. Only this module and `show/clocks.py` read them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime


def monotonic() -> float:
    """Seconds on a clock that never goes back. Blocks of sound are stamped with it."""
    return time.monotonic()


def day_and_time() -> str:
    """Local date and time for file names: "20260131-235959"."""
    return time.strftime("%Y%m%d-%H%M%S")


def iso_date_and_time(at_s: float | None = None) -> str:
    """Local date and time with the offset from UTC, ISO 8601: "2026-01-31T23:59:59+01:00". at_s: seconds since 1970,
    None for now.
    """
    moment = datetime.now() if at_s is None else datetime.fromtimestamp(at_s)
    return moment.astimezone().isoformat(timespec="seconds")


def local_time() -> datetime:
    """Local date and time, without a time zone."""
    return datetime.now()


class Stopwatch:
    """Measures the seconds since it was created."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._start = now()

    def elapsed_s(self) -> float:
        return self._now() - self._start
