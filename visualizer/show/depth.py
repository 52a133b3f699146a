"""From the level that is heard to the depth that is shown."""

from __future__ import annotations

from ..settings import BeatSettings


def depth_of(level: float, n_depths: int, beat: BeatSettings) -> float:
    """The depth 1..n_depths for a level 0..1: 1 + (n_depths - 1) x level; whole depths only with the motion "steps"."""
    depth = 1.0 + (n_depths - 1) * level
    return float(round(depth)) if beat.motion == "steps" else depth
