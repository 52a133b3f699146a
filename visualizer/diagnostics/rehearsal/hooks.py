"""Faults that only the show's own process can provoke, put around the program's parts from outside; and how its pictures follow
one another.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ...clock import monotonic
from ...render.window import Window


class Gaps:
    """The times between the ends of two swaps. `shown` is called by the drawing thread, the rest by others."""

    def __init__(self, *, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._shown_s: float | None = None
        self._longest = (0.0, 0.0)
        self.n_frames = 0
        self.first_s = 0.0  # when the first picture was shown

    def shown(self) -> None:
        """A display frame is on the screen."""
        now_s = self._now()
        with self._lock:
            self.n_frames += 1
            if self._shown_s is not None:
                self._longest = max(self._longest, (now_s - self._shown_s, now_s))
            else:
                self.first_s = now_s
            self._shown_s = now_s

    def take(self) -> tuple[float, float, float]:
        """The longest since the last call, when it ended, and how old the newest picture is; seconds."""
        with self._lock:
            longest, self._longest = self._longest, (0.0, 0.0)
            since_s = 0.0 if self._shown_s is None else self._now() - self._shown_s
        return *longest, since_s


class Switches:
    """Which faults hold at present, by name; each for so many seconds, or until it is taken."""

    def __init__(self, *, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._until_s: dict[str, float] = {}

    def turn_on(self, name: str, seconds: float) -> None:
        """From now on, for so long."""
        self._until_s[name] = self._now() + seconds

    def is_on(self, name: str) -> bool:
        """Whether it holds."""
        return self._now() < self._until_s.get(name, 0.0)

    def take(self, name: str) -> bool:
        """Whether it holds; from now on it does not."""
        return self._now() < self._until_s.pop(name, 0.0)


class Rehearsed(RuntimeError):
    """What a rehearsed part raises."""


def install(switches: Switches) -> None:
    """Put the faults around the parts, for the rest of this process."""
    from ...beat import BeatFollower
    from ...render.picture import Picture
    from ...show.stage import Stage

    _failing(BeatFollower, "push", "analysis", switches)
    _failing(Stage, "draw", "drawing", switches)
    for method in ("draw", "draw_plainly"):
        _unable(Picture, method, switches)


def _failing(kind: type[Any], method: str, name: str, switches: Switches) -> None:
    """Let a method raise while the switch of that name is on."""
    whole = getattr(kind, method)

    def rehearsed(*arguments: Any, **named: Any) -> Any:
        if switches.is_on(name):
            raise Rehearsed(f"rehearsed fault of the {name}")
        return whole(*arguments, **named)

    setattr(kind, method, rehearsed)


def _unable(kind: type[Any], method: str, switches: Switches) -> None:
    """Let nothing be drawn in the window there is once the switch was on; in another it can be."""
    whole = getattr(kind, method)
    lost: set[int] = set()

    def rehearsed(self: Any, *arguments: Any, **named: Any) -> Any:
        if switches.take("pictures"):
            lost.add(id(self._ctx))
        if lost and id(self._ctx) in lost:
            raise Rehearsed("rehearsed fault of all drawing")
        return whole(self, *arguments, **named)

    setattr(kind, method, rehearsed)


class Opened:
    """n_windows: opened so far; graphics: what draws in the newest."""

    n_windows = 0
    graphics = ""


def watched(gaps: Gaps, switches: Switches, opened: Opened) -> type[Window]:
    """What makes the windows of a rehearsed show, in place of `Window`."""

    class Watched(Window):
        """A window whose pictures are timed, and whose graphics card may be reset."""

        _is_open = _is_reset = False

        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            self._is_open = True
            opened.n_windows += 1
            info = self.ctx.info
            opened.graphics = f"{info.get('GL_RENDERER', '')}, OpenGL {info.get('GL_VERSION', '')}"

        @property
        def is_lost(self) -> bool:
            """Once reset, for good: a context that is lost does not come back."""
            self._is_reset = self._is_reset or switches.take("graphics")
            return self._is_reset or bool(super().is_lost)

        def swap(self) -> None:
            if self._is_reset:  # nothing that is drawn with a lost context is seen
                return
            super().swap()
            if self._is_open:  # the black that a window opens with is no picture
                gaps.shown()

    return Watched
