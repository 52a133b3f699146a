"""From the level that is heard to the depth that is shown, of those that exist."""

from __future__ import annotations

from ..settings import BeatSettings


def depth_of(level: float, n_depths: int, beat: BeatSettings) -> float:
    """The depth 1..n_depths for a level 0..1: 1 + (n_depths - 1) x level; whole depths only with the motion "steps"."""
    depth = 1.0 + (n_depths - 1) * level
    return float(round(depth)) if beat.motion == "steps" else depth


class DepthLimiter:
    """Limits depths to the dream frames that exist, easing when more are baked. Limits variants in the same way.

    With 5 of 20 depths baked a strong kick shows depth 5. The limit follows the number of baked depths smoothly,
    otherwise the picture would jump whenever a depth arrives. n_depths: the deepest there will be.
    """

    EASE_S = 0.4

    def __init__(self, n_depths: int) -> None:
        self._n_depths = n_depths
        self._available = 0
        self._limit: float | None = None  # None: before the first `advance`

    def advance(self, available: int, dt_s: float) -> None:
        """Go on by dt_s seconds. available: the deepest depth that exists now; at first and after a loss it counts at
        once.
        """
        self._available = available
        if self._limit is None or available < self._limit:
            self._limit = float(available)
        self._limit += (available - self._limit) * (1 - 0.5 ** (dt_s / (self.EASE_S / 4)))
        if available - self._limit < 1e-3:
            self._limit = float(available)

    def limited(self, depth: float) -> float:
        """`depth` 0..n_depths scaled to the depths that exist."""
        return min(depth * (self._limit or 0.0) / self._n_depths, float(self._available))
