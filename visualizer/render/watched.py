"""A window that reads back what it shows: for measuring when a picture was there to be seen."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .gl import read_rgb
from .window import Window

N_PX = 4


class Seen(NamedTuple):
    """A picture shown. brightness: of its middle, 0..1, NaN while nothing is to be seen; drawn_s: when it was drawn and could
    be read; shown_s: when the swap that shows it was done. Seconds of `time.monotonic`, or of the clock given.
    """

    brightness: float
    drawn_s: float
    shown_s: float


class WatchedWindow(Window):
    """A Window that notes every picture it shows in `seen`, in order.

    What is read are a few pixels of the very buffer that is swapped next, and the moment that counts is when the swap
    is done: OpenGL can tell no later one. What a compositor, the cable and the projector add comes on top.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """As `Window`."""
        self.seen: list[Seen] = []
        self._pixels = np.zeros((N_PX, N_PX, 3), np.uint8)
        super().__init__(*arguments, **named)

    def swap(self) -> None:
        """Show what was drawn, and note it."""
        width, height = self.framebuffer_size
        brightness = math.nan
        if width >= N_PX and height >= N_PX:
            read_rgb(self.ctx, self._pixels, ((width - N_PX) // 2, (height - N_PX) // 2))
            brightness = float(self._pixels.mean()) / 255
        drawn_s = self._now()
        super().swap()
        self.seen.append(Seen(brightness, drawn_s, self._now()))
