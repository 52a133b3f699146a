"""Watches one pixel of an X display in a separate process, and prints when it changes.

python -m benchmarks.screen_reader DISPLAY X Y    prints lines "SECONDS BRIGHTNESS": time.monotonic() and 0..255
"""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
import time

EVERY_S = 0.0008  # polling without a pause would take a core from what is measured
Z_PIXMAP, ALL_PLANES = 2, 0xFFFFFFFF


def main() -> None:
    """Watch until the process is killed."""
    x11 = ctypes.CDLL(ctypes.util.find_library("X11"))
    pointer, integer, unsigned = ctypes.c_void_p, ctypes.c_int, ctypes.c_uint
    x11.XOpenDisplay.restype = x11.XGetImage.restype = pointer
    x11.XDefaultRootWindow.argtypes, x11.XDefaultRootWindow.restype = [pointer], ctypes.c_ulong
    x11.XGetImage.argtypes = [pointer, ctypes.c_ulong, integer, integer, unsigned, unsigned, ctypes.c_ulong, integer]
    x11.XGetPixel.argtypes, x11.XGetPixel.restype = [pointer, integer, integer], ctypes.c_ulong
    x11.XDestroyImage.argtypes = [pointer]
    display = x11.XOpenDisplay(sys.argv[1].encode())
    root, (x, y) = x11.XDefaultRootWindow(display), map(int, sys.argv[2:4])
    before = -1
    while True:
        image = x11.XGetImage(display, root, x, y, 1, 1, ALL_PLANES, Z_PIXMAP)
        now_s = time.monotonic()
        green = x11.XGetPixel(image, 0, 0) >> 8 & 255
        x11.XDestroyImage(image)
        if green != before:
            print(f"{now_s:.6f} {green}", flush=True)
            before = green
        time.sleep(EVERY_S)


if __name__ == "__main__":
    main()
