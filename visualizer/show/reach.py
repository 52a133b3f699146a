"""How far the beat may act while dream frames are still being made."""

from __future__ import annotations


class Reach:
    """How far down the depths go that are there, easing towards it as more are baked; the same for variants.

    The beat acts on what there is: with 5 of 20 baked a kick goes down to 5. Following the count at once would make the
    picture jump whenever a depth lands.
    """

    EASE_S = 0.4

    def __init__(self, n_depths: int) -> None:
        self.n_depths = n_depths
        self.deepest = 0.0
        self._last_s: float | None = None

    def scale(self, depth: float, deepest: int, time_s: float) -> float:
        """`depth` 0..n_depths scaled to the frames 0..deepest that are there, at a display time in seconds."""
        dt_s = 0.0 if self._last_s is None else max(0.0, time_s - self._last_s)
        if self._last_s is None or deepest < self.deepest:
            self.deepest = float(deepest)
        self._last_s = time_s
        self.deepest += (deepest - self.deepest) * (1 - 0.5 ** (dt_s / (self.EASE_S / 4)))
        if deepest - self.deepest < 1e-3:
            self.deepest = float(deepest)
        return min(depth * self.deepest / self.n_depths, float(deepest))
