"""From band energy to a level and a depth: gain reference, attack and release, all in seconds."""

from __future__ import annotations

import math


def release(value: float, dt_s: float, time_constant_s: float) -> float:
    """`value` after falling for dt_s seconds towards 0 with a time constant in seconds."""
    return value * math.exp(-dt_s / time_constant_s)


def keep_for(decay: float, dt_s: float) -> float:
    """The share of a level kept over dt_s seconds when `decay` of it is kept every 1/30 s.

    The seed's 93 % is per picture at 30 pictures a second; said in seconds, the look is the same at any frame rate.
    """
    return float(decay ** (dt_s * 30.0))


def depth_of(level: float, n_depths: int) -> float:
    """The depth shown for a level 0..1: 1 + (n_depths - 1) x level, the seed's rule without its rounding."""
    return 1.0 + (n_depths - 1) * level
