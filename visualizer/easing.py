"""Numbers that move smoothly, and the step of time that moves them."""

from __future__ import annotations

from typing import Any

#: the longest step of time, seconds: the time of a song jumps
MAX_STEP_S = 1.0


def limited_step(dt_s: float) -> float:
    """A step of time, seconds, limited to 0 .. MAX_STEP_S."""
    return min(max(dt_s, 0.0), MAX_STEP_S)


def smoothstep(x: float) -> float:
    """0 below 0, 1 above 1, smooth between: GLSL's function of that name, with the edges 0 and 1."""
    return smoothed(min(max(x, 0.0), 1.0))


def smoothed(share: Any) -> Any:
    """3 share² - 2 share³ of a number or an array 0..1: the same ends, without an edge there."""
    return share * share * (3.0 - 2.0 * share)
