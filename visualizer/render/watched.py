"""A window that reads back what it shows, to measure when a picture was visible."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .gl import read_rgb
from .window import Window

N_PX = 4


class ShownPicture(NamedTuple):
    """A picture that was shown.

    brightness: mean of its centre, 0..1, NaN while minimised; drawn_s: when it was drawn; shown_s: when its swap had
    finished; both in seconds of the window's clock.
    """

    brightness: float
    drawn_s: float
    shown_s: float


class WatchedWindow(Window):
    """A Window that records every picture it shows in `seen`, in order.

    It reads a few pixels of the buffer that is swapped next, and records when the swap has finished, which is the last
    moment that OpenGL reports. The delays of a compositor, the cable and the projector are not included.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Arguments: see `Window`."""
        self.seen: list[ShownPicture] = []
        self._pixels = np.zeros((N_PX, N_PX, 3), np.uint8)
        super().__init__(*arguments, **named)

    def swap(self) -> None:
        """Show what was drawn, and record it."""
        width, height = self.framebuffer_size
        brightness = math.nan
        if width >= N_PX and height >= N_PX:
            read_rgb(self.ctx, self._pixels, ((width - N_PX) // 2, (height - N_PX) // 2))
            brightness = float(self._pixels.mean()) / 255
        drawn_s = self._now()
        super().swap()
        self.seen.append(ShownPicture(brightness, drawn_s, self._now()))
