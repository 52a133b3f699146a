"""Where pictures go: the base class of every output. An output is one file in this folder."""

from __future__ import annotations

import numpy as np

from ..beat.features import Features
from ..render.canvas import Canvas
from ..render.gl import Surface


class Output:
    """One place that the pictures of a show go to.

    name: for messages, another for each output. surface: what it shows at every swap, if it is a window: a show that
    has no other output draws there directly instead of having the picture copied. needs_sound: whether `present` uses
    the sound; a source that would have to keep it for that does so only if an output needs it.
    """

    name = "output"
    surface: Surface | None = None
    needs_sound = False

    def present(self, canvas: Canvas, sound: np.ndarray, features: Features) -> None:
        """Show, write or send one display frame.

        canvas: the picture; as `canvas.texture()` on the graphics card, as `canvas.pixels()`, which waits for it, or
        read back by a `PlaneReader`, which does not. sound: (n_samples, 2) float32,
        -1..1, what the source took in since the display frame before; empty unless needs_sound. features: what was
        heard at this instant.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Release everything; closing twice is allowed."""
