"""A grid of equally spaced beats: the phase of a time and the next beat. A grid is (seconds a beat, time of any
beat).
"""

from __future__ import annotations

import math


def phase(time_s: float, period_s: float, beat_s: float) -> float:
    """How far into a beat a time lies, 0 <= phase < 1."""
    return ((time_s - beat_s) / period_s) % 1.0 % 1.0


def next_beat_s(after_s: float, period_s: float, beat_s: float) -> float:
    """The first beat later than after_s, seconds."""
    beats = math.floor((after_s - beat_s) / period_s + 1e-9) + 1
    return beat_s + beats * period_s


def off_beats(time_s: float, period_s: float, beat_s: float) -> float:
    """How far a time lies from the nearest beat, in beats: 0..0.5."""
    place = phase(time_s, period_s, beat_s)
    return min(place, 1.0 - place)


def folded(
    period_s: float, beat_s: float, shortest_s: float, longest_s: float, before: tuple[float, float] | None
) -> tuple[float, float]:
    """A grid with beats within shortest_s..longest_s: every second beat of a faster one, and so on, or beats in
    between.

    before: the grid until now, whose beats are kept where there is a choice.
    """
    given_s = period_s
    while period_s < shortest_s:
        period_s *= 2
    while period_s > longest_s:
        period_s /= 2
    n_skipped = round(period_s / given_s)
    if before is not None and n_skipped > 1:
        beat_s = min(
            (beat_s + index * given_s for index in range(n_skipped)), key=lambda time_s: off_beats(time_s, *before)
        )
    return period_s, beat_s
