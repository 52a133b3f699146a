"""Beats that are all equally far apart: how far one is along, and which come. A grid is (one beat in seconds, when any is)."""

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
    """A grid with beats within shortest_s..longest_s: every second beat of one that is faster, and so on, or beats in between.

    before: the grid until now; of the beats to choose from those are taken that it had.
    """
    told_s = period_s
    while period_s < shortest_s:
        period_s *= 2
    while period_s > longest_s:
        period_s /= 2
    n_told = round(period_s / told_s)
    if before is not None and n_told > 1:
        beat_s = min(
            (beat_s + index * told_s for index in range(n_told)), key=lambda time_s: off_beats(time_s, *before)
        )
    return period_s, beat_s
