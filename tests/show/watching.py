"""Watching a program from outside: its window and its end."""

from __future__ import annotations

import ctypes
import ctypes.util
import time

from visualizer.clock import Stopwatch
from visualizer.show.snapshot import Heard


def wait_for(condition, what, deadline_s=30.0):
    """The first answer of `condition` that is neither None nor False."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        value = condition()
        if value is not None and value is not False:
            return value
        time.sleep(0.02)  # a poll, bounded by the deadline
    raise AssertionError(f"{what}: not within {deadline_s:g} s")


def window_shown(screen):
    """Whether there is a picture in the corner where windows open."""
    return screen.screenshot()[:180, :320].std() > 5


def finished(process, deadline_s=30.0):
    """Exit status, stdout and stderr."""
    out, err = process.communicate(timeout=deadline_s)
    return process.returncode, out, err


class Eye:
    """Looks at single pixels of the screen through a connection of its own, quickly enough to do so at every display frame."""

    def __init__(self, display):
        x11 = self._x11 = ctypes.CDLL(ctypes.util.find_library("X11"))
        x11.XOpenDisplay.restype = ctypes.c_void_p
        x11.XDefaultRootWindow.argtypes, x11.XDefaultRootWindow.restype = [ctypes.c_void_p], ctypes.c_ulong
        x11.XGetImage.argtypes = [ctypes.c_void_p, ctypes.c_ulong] + 2 * [ctypes.c_int] + 2 * [ctypes.c_uint] + [
            ctypes.c_ulong, ctypes.c_int,
        ]  # fmt: skip
        x11.XGetImage.restype = ctypes.c_void_p
        x11.XGetPixel.argtypes, x11.XGetPixel.restype = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int], ctypes.c_ulong
        x11.XDestroyImage.argtypes = x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
        self._display = x11.XOpenDisplay(display.encode())
        self._root = x11.XDefaultRootWindow(self._display)

    def at(self, x, y):
        """(red, green, blue) of a pixel, 0..255."""
        image = self._x11.XGetImage(self._display, self._root, x, y, 1, 1, 0xFFFFFFFF, 2)
        value = self._x11.XGetPixel(image, 0, 0)
        self._x11.XDestroyImage(image)
        return value >> 16 & 255, value >> 8 & 255, value & 255

    def close(self):
        self._x11.XCloseDisplay(self._display)


class Quiet:
    """An act that makes no sound: it holds one depth, and notes what it is told."""

    def __init__(self, depth=2.0):
        self.sound, self.depth, self.looks, self.done = self, depth, [], []
        self._watch = Stopwatch()

    def start(self):
        pass

    def position_s(self):
        return self._watch.elapsed_s()

    def pump(self, time_s):
        pass

    def depth_at(self, time_s):
        return self.depth

    def row_at(self, time_s):
        return 0.0

    def do(self, action):
        self.done.append(action)
        return None

    def set_look(self, look):
        self.looks.append(look)

    def values(self):
        return {}

    def set_value(self, name, value):
        pass

    def status(self):
        return ["sound\tnone"]

    def heard(self):
        return Heard()

    def news(self):
        return None

    def over(self):
        return False


class Script:
    """What a user does in a show, step by step: `on_frame` for `run`.

    Each step is a function that is asked at every display frame until it says yes; or text, a key to be pressed.
    """

    def __init__(self, screen, *steps, deadline_s=30.0):
        self._screen, self._steps, self._deadline_s = screen, list(steps), deadline_s
        self._end = None

    def __call__(self, n_frames, shown):
        now = time.monotonic()
        self._end = self._end or now + self._deadline_s
        if self._steps:
            step = self._steps[0]
            if isinstance(step, str):
                self._screen.key(step)
            elif not step():
                assert now < self._end, f"step {step} never came true, {len(self._steps) - 1} steps before the end"
                return False
            self._end = time.monotonic() + self._deadline_s
            self._steps.pop(0)
        return not self._steps
