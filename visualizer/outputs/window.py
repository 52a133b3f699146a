"""A window as an output: the picture over the whole of it, then whatever is written over it, then the swap."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..beat.features import Features
from ..render.canvas import Canvas
from ..render.window import Window
from .output import Output


class WindowOutput(Output):
    """Presents pictures in a window. draw_over: draws text over the picture, which the canvas does not get.
    on_drawn: called when everything is drawn, before the swap; on_shown: after it.
    """

    name = "window"

    def __init__(
        self,
        window: Window,
        draw_over: Callable[[], None] = lambda: None,
        on_drawn: Callable[[], None] = lambda: None,
        on_shown: Callable[[], None] = lambda: None,
    ) -> None:
        self.window = self.surface = window
        self._draw_over, self._on_drawn, self._on_shown = draw_over, on_drawn, on_shown

    def present(self, canvas: Canvas, sound: np.ndarray, features: Features) -> None:
        window = self.window
        size = window.framebuffer_size
        if size != (0, 0):  # (0, 0): minimised
            canvas.present_on(window.ctx.screen, size)
            self._draw_over()
        window.finish()
        self._on_drawn()
        window.swap()
        self._on_shown()

    def close(self) -> None:
        self.window.close()
