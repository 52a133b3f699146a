"""How well reported kicks agree with annotated ones: what `benchmarks.kick` prints of a set of songs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FPS = 60  # of the level
NEAR_S = 0.1  # latency is measured on pairs within this


@dataclass(frozen=True)
class Track:
    """What is in a song, and what was reported. kicks_s, onsets_s: seconds, sorted; level: (n,) 0..1 at i / FPS;
    length_s.
    """

    kicks_s: np.ndarray
    onsets_s: np.ndarray
    level: np.ndarray
    length_s: float


@dataclass(frozen=True)
class Score:
    """Of a set of songs: F within 50 and 30 ms, pooled; latency, median and 95th percentile, ms (NaN without pairs).

    correlation: of the level with the ideal one, mean over the songs with kicks (NaN without); false_a_minute: onsets
    at no kick, mean over the songs.
    """

    n_songs: int
    n_kicks: int
    f50: float
    f30: float
    median_ms: float
    p95_ms: float
    correlation: float
    false_a_minute: float

    def __str__(self) -> str:
        false = f"false {self.false_a_minute:.1f} a minute"
        if not self.n_kicks:
            return false
        return (
            f"F50 {self.f50:.3f}, F30 {self.f30:.3f}, latency {self.median_ms:.1f} / {self.p95_ms:.1f} ms, "
            f"correlation {self.correlation:.3f}, {false}"
        )


def score(tracks: Sequence[Track]) -> Score:
    """The score of at least one song."""
    n_kicks = sum(len(track.kicks_s) for track in tracks)
    n_onsets = sum(len(track.onsets_s) for track in tracks)
    hits = {
        window_s: np.array([len(late(track.kicks_s, track.onsets_s, window_s)) for track in tracks])
        for window_s in (0.05, 0.03)
    }
    late_ms = 1e3 * np.array([late_s for track in tracks for late_s in late(track.kicks_s, track.onsets_s, NEAR_S)])
    correlations = [correlation(track.level, track.kicks_s) for track in tracks if len(track.kicks_s)]
    false = [
        60 * (len(track.onsets_s) - n) / track.length_s for track, n in zip(tracks, hits[0.05].tolist(), strict=True)
    ]
    return Score(
        len(tracks),
        n_kicks,
        *(f_measure(int(found.sum()), n_kicks, n_onsets) for found in hits.values()),
        *(np.percentile(late_ms, (50, 95)).tolist() if len(late_ms) else (np.nan, np.nan)),
        float(np.mean(correlations)) if correlations else np.nan,
        float(np.mean(false)),
    )


def f_measure(n_pairs: int, n_played: int, n_reported: int) -> float:
    """2 x pairs / (played + reported); 1 where there is nothing and nothing was reported."""
    return 2 * n_pairs / (n_played + n_reported) if n_played + n_reported else 1.0


def matched(kicks_s: np.ndarray, onsets_s: np.ndarray, window_s: float) -> list[tuple[int, int]]:
    """Indices of kick and onset of the most pairs within +-window_s that use no kick and no onset twice.

    Both sorted. All windows are equally wide, so taking the earliest possible partner each time loses none.
    """
    pairs, index = [], 0
    for kick_index, kick_s in enumerate(kicks_s.tolist()):
        while index < len(onsets_s) and onsets_s[index] < kick_s - window_s:
            index += 1
        if index < len(onsets_s) and onsets_s[index] <= kick_s + window_s:
            pairs.append((kick_index, index))
            index += 1
    return pairs


def late(kicks_s: np.ndarray, onsets_s: np.ndarray, window_s: float) -> list[float]:
    """Onset minus kick, seconds, of the pairs of `matched`."""
    return [float(onsets_s[onset] - kicks_s[kick]) for kick, onset in matched(kicks_s, onsets_s, window_s)]


def ideal_level(kicks_s: np.ndarray, n: int) -> np.ndarray:
    """1 at every kick, x .93 each 1/30 s after: (n,) at i / FPS."""
    starts = {int(np.ceil(kick_s * FPS - 1e-9)) for kick_s in kicks_s.tolist()}
    level, value = np.zeros(n), 0.0
    for index in range(n):
        value = 1.0 if index in starts else value * 0.93 ** (30 / FPS)
        level[index] = value
    return level


def correlation(level: np.ndarray, kicks_s: np.ndarray) -> float:
    """Of a level, (n,) at i / FPS, with the ideal one; 0 if one of them is constant."""
    ideal = ideal_level(kicks_s, len(level))
    return float(np.corrcoef(level, ideal)[0, 1]) if min(level.std(), ideal.std()) > 1e-9 else 0.0


def without_inaudible(reported_s: np.ndarray, times_s: np.ndarray, inaudible: np.ndarray) -> np.ndarray:
    """The reports, without those that are within 50 ms of an inaudible event and of no audible one.

    times_s: (n,) of the events, inaudible: (n,) bool.
    """
    if not len(times_s):
        return reported_s
    near = np.abs(reported_s[:, None] - times_s) < 0.05
    return reported_s[near[:, ~inaudible].any(axis=1) | ~near[:, inaudible].any(axis=1)]
