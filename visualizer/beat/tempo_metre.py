"""Chooses between related beats (half, double, off by half) by the places in the bar at which onsets lie.

The filter of tempo_states.py follows a beat well, but knows few rhythms. Here the onsets of the last seconds are laid
out over a bar for every related tempo and phase, and a network of a few units scores which of them a listener would tap
to. It was trained by tools/train_tempo.py on synthesised rhythms.
"""

from __future__ import annotations

import functools
import math
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .tempo_onsets import N_GROUPS, Floats

Weights = tuple[Floats, Floats, Floats]
WEIGHTS_FILE = Path(__file__).with_name("tempo.npz")
# The weight of onsets falls with this time constant; below a tenth they are dropped.
FORGET_S = 6.0
KEPT_S = 14.0
# What the first onset says about the beat counts less and less, with this time constant: music may also be cut in
# between its beats.
FIRST_S = 2.0
# How near to a place an onset counts for it, seconds.
SCATTER_S = 0.025
# An onset of the lows with an onset of another group this near is a drum, not a bass note:
TOGETHER_S = 0.025
# entirely from this strength of the other on, below it in proportion; cymbals count less.
WITH_STRENGTH = 0.5
WITH_GROUPS = ((1, 1.0), (2, 1.0), (3, 0.7))
# The groups of onsets, with the lows in two parts: those with another onset, and those alone.
N_PARTS = N_GROUPS + 1
# A bar has 4 beats of 4 places, or of 3.
N_BEATS, N_PLACES, N_THIRDS = 4, 4, 3
# From this number of beats on the change of tempo is known.
LEAST_PASSED = 4
SLOWEST_S, FASTEST_S = 1.0, 0.3
TEMPO_MIDDLE_BPM = 120.0
# Related beats: length, and place of the first one, in beats of the given one.
RELATED = (
    *((1.0, k / 4) for k in range(4)),
    *((2.0, k / 2) for k in range(4)),
    *((0.5, k / 4) for k in range(2)),
    *((1.5, k / 2) for k in range(3)),
    *((2 / 3, k / 3) for k in range(2)),
    *((4 / 3, k / 3) for k in range(4)),
    *((0.75, k / 4) for k in range(3)),
)


class MetreJudge:
    """Remembers the onsets of the last seconds, and scores how well a beat explains them."""

    def __init__(self, weights: Weights | None = None) -> None:
        """weights: inner (n_inputs, n_units), bias (n_units,) and outer (n_units,); those of the package by default."""
        self._weights = load_weights() if weights is None else weights
        self._onsets: deque[tuple[float, int, float]] = deque()
        self.since_s = math.inf
        self._first_s = math.nan

    def add(self, time_s: float, onsets: list[float]) -> None:
        """Remember the onsets at time_s, seconds: N_GROUPS of 0..1."""
        self.since_s = min(self.since_s, time_s)
        for group, onset in enumerate(onsets):
            if onset:
                self._onsets.append((time_s, group, onset))
        while self._onsets and self._onsets[0][0] < time_s - KEPT_S:
            self._onsets.popleft()

    def start(self, time_s: float) -> None:
        """Music begins with this onset."""
        self._first_s = time_s

    def forget(self) -> None:
        """Forget every onset."""
        self._onsets.clear()
        self.since_s = math.inf
        self._first_s = math.nan

    def fit(self, period_s: float, beat_s: float, now_s: float) -> tuple[float, float]:
        """The same beat, (period_s, beat_s) in seconds, moved to the onsets near its sixteenths."""
        known = np.array(self._onsets)
        if len(known) < 6:
            return period_s, beat_s
        times_s = known[:, 0] - now_s
        weight = known[:, 2] * np.exp(times_s / FORGET_S)
        phase_s, period = beat_s - now_s, period_s
        for width_s in (0.04, 0.03):
            along = np.round((times_s - phase_s) / period * 4) / 4
            off_s = times_s - phase_s - along * period
            near = weight * np.exp(-0.5 * (off_s / width_s) ** 2)
            total = near.sum() + 0.5
            middle = (near * along).sum() / total
            slope = (near * (along - middle) * off_s).sum() / ((near * (along - middle) ** 2).sum() + 1.0)
            slope = min(0.03 * period, max(-0.03 * period, slope))
            phase_s += (near * off_s).sum() / total - slope * middle
            period += slope
        return float(period), float(phase_s + now_s)

    def judge(self, beats: list[tuple[float, float]], now_s: float, passed_s: Sequence[float] = ()) -> Floats:
        """How well each beat (period_s, beat_s) explains the onsets: (n,), larger is better, differences are log odds.

        passed_s: the last beats of a related beat, if its tempo was not steady.
        """
        inner, inner_bias, outer = self._weights
        return np.maximum(self.inputs(beats, now_s, passed_s) @ inner + inner_bias, 0.0) @ outer

    def inputs(self, beats: list[tuple[float, float]], now_s: float, passed_s: Sequence[float] = ()) -> Floats:
        """The inputs of the network: (n, n_inputs)."""
        period_s = np.array([beat[0] for beat in beats])
        beat_s = np.array([beat[1] for beat in beats]) - now_s
        times_s, parts, amount = self._parts(now_s)
        if len(passed_s) >= LEAST_PASSED:
            times_s = _straight(times_s, np.array(passed_s) - now_s)
        exposed_s = FORGET_S * (1 - math.exp(min(0.0, (self.since_s - now_s) / FORGET_S))) + 1e-3
        n_beats = (exposed_s / period_s)[:, None, None]
        rows = np.arange(len(beats))[:, None] * N_PARTS + parts
        along = (times_s - beat_s[:, None]) / period_s[:, None]
        nearness, laid = [], []
        for n_places, n_kept in ((N_PLACES, N_PLACES * N_BEATS), (N_THIRDS, N_THIRDS)):
            place = np.round(along * n_places)
            off_s = (along * n_places - place) * period_s[:, None] / n_places
            near = np.exp(-0.5 * (off_s / SCATTER_S) ** 2)
            index = rows * n_kept + place.astype(np.int64) % n_kept
            count = np.bincount(index.ravel(), (amount * near).ravel(), len(beats) * N_PARTS * n_kept)
            laid.append(count.reshape(len(beats), N_PARTS, n_kept) / n_beats)
            nearness.append(near)
        stray = np.bincount(rows.ravel(), (amount * (1 - np.maximum(*nearness))).ravel(), len(beats) * N_PARTS)
        # over the beats of a bar: the mean, and its variation with periods of four and of two beats, independent of
        # where the bar begins
        by_beat = np.fft.rfft(laid[0].reshape(len(beats), N_PARTS, N_BEATS, N_PLACES), axis=2)
        twos = by_beat[:, :, 2].real
        lows, body, snare, cymbals = twos[:, 0], twos[:, 1, 0], twos[:, 2, 0], twos[:, 3, 0]
        low = lows[:, 0]
        pairs = [
            low * body,
            low * snare,
            low * cymbals,
            body * snare,
            snare * cymbals,
            low * lows[:, 2],
            lows[:, 2] * snare,
        ]
        weight = math.sqrt(exposed_s / FORGET_S)
        pattern = np.concatenate(
            [
                by_beat[:, :, 0].real.reshape(len(beats), -1),
                np.abs(by_beat[:, :, 1]).reshape(len(beats), -1),
                np.abs(twos).reshape(len(beats), -1),
                2 * np.stack(pairs, axis=1),
                laid[1][:, :, 1:].reshape(len(beats), -1),
                stray.reshape(len(beats), N_PARTS) / n_beats[:, 0],
            ],
            axis=1,
        )
        first = np.zeros((len(beats), 3))
        if math.isfinite(self._first_s):
            along_first = (self._first_s - now_s - beat_s) / period_s % 1.0
            for k, place in enumerate((0.0, 0.25, 0.5)):
                off_s = ((along_first - place + 0.5) % 1.0 - 0.5) * period_s
                first[:, k] = np.exp(-0.5 * (off_s / SCATTER_S) ** 2)
                if k == 1:
                    off_s = ((along_first + place + 0.5) % 1.0 - 0.5) * period_s
                    first[:, k] += np.exp(-0.5 * (off_s / SCATTER_S) ** 2)
            first *= math.exp(min(0.0, (self._first_s - now_s) / FIRST_S))
        octaves = np.log2(60 / period_s / TEMPO_MIDDLE_BPM)
        return np.concatenate([weight * pattern, first, octaves[:, None], octaves[:, None] ** 2], axis=1)

    def _parts(self, now_s: float) -> tuple[Floats, NDArray[np.int64], Floats]:
        """The onsets as (times before now, N_PARTS parts, weight by strength and age)."""
        known = np.array(self._onsets).reshape(-1, 3)
        times_s, groups = known[:, 0] - now_s, known[:, 1].astype(np.int64)
        low = groups == 0
        together = np.zeros(int(low.sum()))
        for group, weight in WITH_GROUPS:
            other = groups == group
            near = np.abs(times_s[low][:, None] - times_s[other]) < TOGETHER_S
            together = np.maximum(together, weight * (near * known[other, 2]).max(axis=1, initial=0.0))
        share = np.minimum(1.0, together / WITH_STRENGTH)
        amount = known[:, 2].copy()
        amount[low] *= share
        times_s = np.concatenate([times_s, times_s[low]])
        parts = np.concatenate([groups, np.full(len(share), N_GROUPS)])
        amount = np.concatenate([amount, known[low, 2] * (1 - share)])
        return times_s, parts, amount * np.exp(times_s / FORGET_S)


def _straight(times_s: Floats, passed_s: Floats) -> Floats:
    """Times as if the beats at passed_s had kept the tempo of the last four."""
    n_last = LEAST_PASSED - 1
    period_s = (passed_s[-1] - passed_s[-1 - n_last]) / n_last
    beats = np.arange(len(passed_s)) - (len(passed_s) - 1.0)
    straight_s = passed_s[-1] + np.interp(times_s, passed_s, beats) * period_s
    before = times_s < passed_s[0]
    straight_s[before] = passed_s[-1] + beats[0] * period_s + (times_s[before] - passed_s[0])
    after = times_s > passed_s[-1]
    straight_s[after] = times_s[after]
    return straight_s


@functools.cache
def load_weights() -> Weights:
    """The trained weights of the package."""
    with np.load(WEIGHTS_FILE, allow_pickle=False) as file:
        return file["inner"].astype(np.float64), file["bias"].astype(np.float64), file["outer"].astype(np.float64)


def related(period_s: float, beat_s: float) -> list[tuple[float, float]]:
    """The beats related to a beat, those of 60..200 BPM; itself first if it is one of them."""
    beats = [(period_s * times, beat_s + period_s * along) for times, along in RELATED]
    return [beat for beat in beats if FASTEST_S - 1e-3 <= beat[0] <= SLOWEST_S + 1e-3]
