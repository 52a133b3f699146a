"""Watches a piece of the screen from outside, in a process and with an X connection of its own, and tells how long it was dark.

The desktop is painted magenta first, so that it is told from a black picture. Use as a context:

    with NeverDark(screen.display, (0, 0, 320, 180)) as eye:
        ...
        seen = eye.report()  # since the last report
        assert seen.longest_s < 0.25, seen
"""

from __future__ import annotations

import ctypes
import ctypes.util
import json
import subprocess
import sys
import time
from dataclasses import dataclass

MAGENTA = 0xFF00FF
BLACK = 16  # a channel below this is black to the eye, and a dream has none so dark all over
LOOK_S = 0.004


@dataclass(frozen=True)
class Stretch:
    """A time in which there was no picture. kind: "black" or "desktop"; from_s, to_s: the first and last look at it, at most
    `margin_s` longer, since nobody looked just before and after; `time.monotonic`.
    """

    kind: str
    from_s: float
    to_s: float
    margin_s: float

    @property
    def seconds(self) -> float:
        """From the last look at a picture to the next one."""
        return self.to_s - self.from_s + self.margin_s


@dataclass(frozen=True)
class Seen:
    """What was seen since the last report. blind_s: the longest time between two looks."""

    n_looks: int
    blind_s: float
    stretches: tuple[Stretch, ...]

    @property
    def longest_s(self) -> float:
        """The longest time without a picture; 0.0 if there was always one."""
        return max((stretch.seconds for stretch in self.stretches), default=0.0)


class NeverDark:
    """area: x, y, width, height on the screen, px."""

    def __init__(self, display: str, area: tuple[int, int, int, int]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, display, *map(str, area)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def report(self) -> Seen:
        """What was seen since the last report, or the beginning."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write("report\n")
        self._process.stdin.flush()
        found = json.loads(self._process.stdout.readline())
        stretches = tuple(Stretch(*stretch) for stretch in found["stretches"])
        return Seen(found["n_looks"], found["blind_s"], stretches)

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def __enter__(self) -> NeverDark:
        self.report()  # it looks from now on
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _XImage(ctypes.Structure):
    """The head of an XImage."""

    _fields_ = [
        ("width", ctypes.c_int),
        ("height", ctypes.c_int),
        ("xoffset", ctypes.c_int),
        ("format", ctypes.c_int),
        ("data", ctypes.POINTER(ctypes.c_uint32)),
    ]


class _Looker:
    def __init__(self, display: str, area: tuple[int, int, int, int]) -> None:
        x11 = self._x11 = ctypes.CDLL(ctypes.util.find_library("X11"))
        pointer, number, whole = ctypes.c_void_p, ctypes.c_ulong, ctypes.c_int
        x11.XOpenDisplay.restype = pointer
        x11.XDefaultRootWindow.argtypes, x11.XDefaultRootWindow.restype = [pointer], number
        x11.XSetWindowBackground.argtypes = [pointer, number, number]
        x11.XClearWindow.argtypes = [pointer, number]
        x11.XSync.argtypes = [pointer, whole]
        x11.XGetImage.argtypes = [pointer, number, whole, whole, ctypes.c_uint, ctypes.c_uint, number, whole]
        x11.XGetImage.restype = ctypes.POINTER(_XImage)
        x11.XDestroyImage.argtypes = [ctypes.POINTER(_XImage)]
        self._display = x11.XOpenDisplay(display.encode())
        self._root = x11.XDefaultRootWindow(self._display)
        self.paint(MAGENTA)
        self._x, self._y, self._width, self._height = area

    def paint(self, colour: int) -> None:
        """Paint the desktop."""
        self._x11.XSetWindowBackground(self._display, self._root, colour)
        self._x11.XClearWindow(self._display, self._root)
        self._x11.XSync(self._display, 0)

    def look(self) -> str:
        """ "picture", "black" or "desktop": of three lines across the area."""
        found = set()
        for part in (1, 2, 3):
            image = self._x11.XGetImage(
                self._display, self._root, self._x, self._y + self._height * part // 4, self._width, 1, 0xFFFFFFFF, 2
            )
            found |= {value & 0xFFFFFF for value in image.contents.data[: self._width]}
            self._x11.XDestroyImage(image)
        if MAGENTA in found:
            return "desktop"
        if all(max(value >> 16, value >> 8 & 255, value & 255) < BLACK for value in found):
            return "black"
        return "picture"


def _watch(display: str, area: tuple[int, int, int, int]) -> None:
    import threading

    asked, ended = threading.Event(), threading.Event()

    def listen() -> None:
        for _ in sys.stdin:
            asked.set()
        ended.set()

    looker = _Looker(display, area)
    threading.Thread(target=listen, daemon=True).start()
    stretches: list[list[float | str]] = []
    n_looks, blind_s = 0, 0.0
    before, before_s = "picture", time.monotonic()
    while not ended.wait(LOOK_S):
        what = looker.look()
        now_s = time.monotonic()
        n_looks += 1
        blind_s = max(blind_s, now_s - before_s)
        if what != "picture":
            if before == what and stretches:
                stretches[-1][2] = now_s
            else:
                stretches.append([what, now_s, now_s, now_s - before_s])
        elif before != "picture" and stretches:
            stretches[-1][3] = float(stretches[-1][3]) + now_s - before_s
        before, before_s = what, now_s
        if asked.is_set():
            asked.clear()
            sys.stdout.write(json.dumps({"n_looks": n_looks, "blind_s": blind_s, "stretches": stretches}) + "\n")
            sys.stdout.flush()
            n_looks, blind_s, stretches = 0, 0.0, []
    looker.paint(0)  # as it was


if __name__ == "__main__":
    _watch(sys.argv[1], tuple(int(value) for value in sys.argv[2:6]))  # type: ignore[arg-type]
