"""The soft edge of a station, as base/dream.glsl draws it."""

from __future__ import annotations

import numpy as np

from ..easing import smoothed


def soft_edge(x: np.ndarray, y: np.ndarray, feather: float) -> np.ndarray:
    """How much of a station is seen at places in it, 0..1.

    x, y: 0..1 from its top left corner. feather: width of the edge, of half the station's size; 0: it has none. The
    edge is wavy, so that a picture that differs from what is around it is not seen as a rectangle.
    """
    if feather <= 0:
        return np.ones(np.broadcast_shapes(np.shape(x), np.shape(y)))
    return _side(x, y, feather, 3.0, 1.3) * _side(y, x, feather, 2.5, 1.7)


def _side(along: np.ndarray, across: np.ndarray, feather: float, waves: float, slant: float) -> np.ndarray:
    """The two edges that lie at 0 and 1 of `along`. waves: so often they go in and out; slant: how much earlier those at
    1 do, waves.
    """
    inside = np.clip((1 - np.abs(2 * along - 1)) / feather, 0, 1)
    wave = 2 * ((waves * across + slant * along) % 1) - 1
    return smoothed(inside + inside * (1 - inside) * 4 * wave * (1 - np.abs(wave)))
