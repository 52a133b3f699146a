"""Faults that are provoked inside the show's process, by wrapping methods of the program; and the gaps between display
frames.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ...clock import monotonic
from ...render.window import Window


class FrameGaps:
    """The longest time between the ends of two swaps. `shown` is called by the drawing thread, the rest by others."""

    def __init__(self, *, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._shown_s: float | None = None
        self._longest = (0.0, 0.0)
        self.n_frames = 0
        self.first_s = 0.0  # when the first display frame was shown

    def shown(self) -> None:
        """A display frame was shown."""
        now_s = self._now()
        with self._lock:
            self.n_frames += 1
            if self._shown_s is not None:
                self._longest = max(self._longest, (now_s - self._shown_s, now_s))
            else:
                self.first_s = now_s
            self._shown_s = now_s

    def take(self) -> tuple[float, float, float]:
        """The longest gap since the last call, when it ended, and the age of the newest display frame; seconds."""
        with self._lock:
            longest, self._longest = self._longest, (0.0, 0.0)
            since_s = 0.0 if self._shown_s is None else self._now() - self._shown_s
        return *longest, since_s


class FaultSwitches:
    """The faults that are on at present, by name, each for a time or until it is taken."""

    def __init__(self, *, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._until_s: dict[str, float] = {}

    def turn_on(self, name: str, seconds: float) -> None:
        """Turn a fault on for some seconds."""
        self._until_s[name] = self._now() + seconds

    def is_on(self, name: str) -> bool:
        """Whether a fault is on."""
        return self._now() < self._until_s.get(name, 0.0)

    def take(self, name: str) -> bool:
        """Turn a fault off; returns whether it was on."""
        return self._now() < self._until_s.pop(name, 0.0)


class RehearsedFault(RuntimeError):
    """Raised by a part that is made to fail."""


def install(switches: FaultSwitches) -> None:
    """Wrap the parts that can be made to fail, for the rest of this process."""
    from ...beat import BeatFollower
    from ...render.picture import Picture
    from ...show.stage import Stage

    _failing(BeatFollower, "push", "analysis", switches)
    _failing(Stage, "draw", "drawing", switches)
    lost: set[int] = set()
    for method in ("draw", "draw_plainly"):
        _failing_in_one_window(Picture, method, switches, lost)


def _failing(kind: type[Any], method: str, name: str, switches: FaultSwitches) -> None:
    """Make a method raise while the fault with that name is on."""
    original = getattr(kind, method)

    def rehearsed(*arguments: Any, **named: Any) -> Any:
        if switches.is_on(name):
            raise RehearsedFault(f"rehearsed fault of the {name}")
        return original(*arguments, **named)

    setattr(kind, method, rehearsed)


def _failing_in_one_window(kind: type[Any], method: str, switches: FaultSwitches, lost: set[int]) -> None:
    """Make a method of drawing raise in the current window, once the fault "pictures" was on; drawing in another window
    works.

    lost: the contexts in which it raises, shared by all such methods.
    """
    original = getattr(kind, method)

    def rehearsed(self: Any, *arguments: Any, **named: Any) -> Any:
        if switches.take("pictures"):
            lost.add(id(self._ctx))
        if lost and id(self._ctx) in lost:
            raise RehearsedFault("rehearsed fault of all drawing")
        return original(self, *arguments, **named)

    setattr(kind, method, rehearsed)


class OpenedWindows:
    """n_windows: opened so far; graphics: name of the driver in the newest one."""

    n_windows = 0
    graphics = ""


def watched_window(gaps: FrameGaps, switches: FaultSwitches, opened: OpenedWindows) -> type[Window]:
    """The class of the windows of a rehearsed show, instead of `Window`."""

    class Watched(Window):
        """A window that records its swaps, and whose graphics card can be reset."""

        _is_open = _is_reset = False

        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            self._is_open = True
            opened.n_windows += 1
            info = self.ctx.info
            opened.graphics = f"{info.get('GL_RENDERER', '')}, OpenGL {info.get('GL_VERSION', '')}"

        @property
        def is_lost(self) -> bool:
            """True for good after a reset: a lost context does not recover."""
            self._is_reset = self._is_reset or switches.take("graphics")
            return self._is_reset or bool(super().is_lost)

        def swap(self) -> None:
            if self._is_reset:  # what is drawn with a lost context is not shown
                return
            super().swap()
            if self._is_open:  # the black frame of a new window does not count
                gaps.shown()

    return Watched
