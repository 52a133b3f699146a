"""Exponential decays in seconds, whatever the rate at which they are computed."""

from __future__ import annotations

import math


def release(value: float, dt_s: float, time_constant_s: float) -> float:
    """`value` after falling for dt_s seconds towards 0 with a time constant in seconds."""
    return value * math.exp(-dt_s / time_constant_s)


def keep_for(decay: float, dt_s: float) -> float:
    """The fraction of a level kept over dt_s seconds when `decay` of it is kept every 1/30 s.

    The original notebook kept 93 % per picture at 30 pictures a second. In seconds, the look is the same at any frame
    rate.
    """
    return float(decay ** (dt_s * 30.0))
