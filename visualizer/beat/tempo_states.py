"""A forward filter over tempo, place within two beats, and kind of rhythm.

The state space is the bar pointer of Whiteley, Cemgil and Godsill (2006) in the form of Krebs, Boeck and Widmer (2015):
a beat is a row of as many states as it has hops, the pointer moves one state a hop, and the tempo changes at beats
only. Onsets are modelled as a Poisson process, whose rate at every place is given below for a few kinds of rhythm.
Nothing is learned.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .tempo_onsets import HOP_S, N_GROUPS, Floats

SLOWEST_BPM, FASTEST_BPM = 60.0, 200.0
N_BEATS = 2  # bass drum and snare alternate on two beats, which distinguishes a beat from half of it
# Every hop below 0.5 s, every other above: steps of 2 to 3 % in tempo, and finer by moving between them.
INTERVALS = (*range(round(60 / FASTEST_BPM / HOP_S), 51), *range(52, round(60 / SLOWEST_BPM / HOP_S) + 1, 2))
# How likely an onset is on the 8 (or 6) places of two beats, in tenths; rows: lows, body, snare, cymbals.
RHYTHMS = {
    "four to the floor": ("9131 9131", "5142 6142", "5131 7131", "4262 6262"),
    "back beat": ("8131 2131", "5131 6131", "4131 9131", "6151 7151"),
    "plain": ("7121 7121", "7131 7131", "7131 7131", "7141 7141"),
    "shuffle": ("711 311", "512 612", "412 813", "614 714"),
    "one drop": ("2121 8131", "3171 4171", "3151 8151", "4151 5151"),
    "sixteenths": ("9999 9999", "5555 5555", "7777 7777", "9999 9999"),
}
# Players and the onset detector together deviate this much from a place, seconds.
SCATTER_S = 0.025
# Onsets that belong to no place, a second and group.
STRAY_HZ = 0.35
# Weights of the groups: bass drums most; chords and voices come at any place, cymbals at every place.
GROUP_WEIGHTS = (1.3, 0.8, 1.0, 0.7)
# Onsets count a little more than in a Poisson process, and missing ones less.
ONSET_WEIGHT = 1.1
ABSENCE_WEIGHT = 0.65 * ONSET_WEIGHT
# exp(-50 |ratio - 1|): a beat 2 % longer than the last is 2.7 times less likely.
TEMPO_STIFFNESS = 50.0
# At a beat, with these probabilities, the tempo is any, and the kind of rhythm another.
ANY_TEMPO = 1e-3
OTHER_RHYTHM = 0.1
# What tempo most people tap to most music: log-normal. It decides between half and double when nothing else does.
PRIOR_BPM, PRIOR_OCTAVES = 125.0, 0.42
# The exponent of that prior at every second of sound. Without it rhythms with few onsets would end at half the tempo,
# where fewer expected onsets are missing.
PRIOR_PULL = 0.4
# Music that begins after silence begins on a beat, this many times more likely than elsewhere, and twice as likely on
# the first of two. No more than that: a record may also be cut in between its beats.
START_WEIGHT = 4.0
START_FIRST = 2.0
# What counts as near a tempo and place: fractions of the tempo and of a beat.
NEAR_TEMPO = 0.08
NEAR_BEATS = 0.2
# No state is ever impossible.
LEAST = np.float32(1e-12)


class BarPointer:
    """The probability of every tempo, place and kind of rhythm, advanced hop by hop.

    `state`: (n_rhythms, N_BEATS, n_places) float32, sum 1. Along the last axis lie the beats of each tempo one after
    the other: `first[k]` .. `last[k]` are the hops of a beat of `hops[k]` hops, `place` is how far into it each lies,
    0..1.
    """

    def __init__(self, hop_s: float) -> None:
        """hop_s: seconds a hop, about HOP_S."""
        self.hop_s = hop_s
        self.hops, self.first, self.interval, self.place = _places()
        self.last = self.first + self.hops - 1
        self._periods_s = self.hops * hop_s
        self.period_s = self._periods_s[self.interval]
        self._absence, self._presence = _likelihoods(hop_s)
        tempo_step = np.gradient(np.log(self.hops))
        favour = np.exp(-0.5 * (np.log2(60 / (self.hops * hop_s) / PRIOR_BPM) / PRIOR_OCTAVES) ** 2)
        prior = favour * tempo_step / (favour * tempo_step).sum()
        stiff = np.exp(-TEMPO_STIFFNESS * np.abs(self.hops[None, :] / self.hops[:, None] - 1))
        stiff *= tempo_step
        stiff /= stiff.sum(axis=1, keepdims=True)
        pull = favour ** (PRIOR_PULL * self.hops * hop_s)
        self._next_tempo = (pull * ((1 - ANY_TEMPO) * stiff + ANY_TEMPO * prior)).astype(np.float32)
        start = np.repeat(prior / self.hops, self.hops).astype(np.float32)
        self.state: NDArray[np.float32] = np.tile(start, (len(RHYTHMS), N_BEATS, 1))
        self.state /= self.state.sum()
        self._other = np.empty_like(self.state)

    def step(self, onsets: list[float]) -> float:
        """Advance one hop. onsets: N_GROUPS of 0..1.

        Returns the log likelihood of the onsets (with the weights above).
        """
        old, new = self.state, self._other
        ends = old[:, :, self.last] @ self._next_tempo
        ends = (1 - OTHER_RHYTHM) * ends + OTHER_RHYTHM * ends.mean(axis=0, keepdims=True)
        np.multiply(old[:, :, :-1], self._absence[:, :, 1:], out=new[:, :, 1:])
        new[:, :, self.first] = ends[:, ::-1] * self._absence[:, :, self.first]
        highest = 0.0
        sounding = [group for group in range(N_GROUPS) if onsets[group]]
        if sounding:
            evidence = np.float32(onsets[sounding[0]]) * self._presence[sounding[0]]
            for group in sounding[1:]:
                evidence += np.float32(onsets[group]) * self._presence[group]
            highest = float(evidence.max())
            evidence -= np.float32(highest)
            new *= np.exp(evidence, out=evidence)
        total = float(new.sum())
        new /= np.float32(total)
        new += LEAST
        self.state, self._other = new, old
        return math.log(total) + highest

    def expected(self, onsets: list[float], rates_hz: list[float]) -> float:
        """What `step` would return if onsets came at these rates at random, without a rhythm."""
        found = 0.0
        for onset, rate_hz, weight in zip(onsets, rates_hz, GROUP_WEIGHTS, strict=True):
            found += weight * ONSET_WEIGHT * onset * math.log(rate_hz)
            found -= weight * ABSENCE_WEIGHT * rate_hz * self.hop_s
        return found

    def read(self, near: tuple[float, float] | None = None) -> tuple[float, float, float, float]:
        """The likeliest tempo and place: (seconds a beat, place in it 0..1, its fraction 0..1 of the probability looked
        at, and that probability).

        near: look only at those about so many seconds a beat and this place; the last number is their probability.
        """
        mass = self.state.sum(axis=(0, 1), dtype=np.float64)
        if near is not None:
            places, is_near = self._about(*near)
            about = mass[places] * is_near
            mass = np.zeros_like(mass)
            mass[places] = about
        whole = float(mass.sum()) + 1e-12
        by_tempo = np.add.reduceat(mass, self.first)
        # neighbouring tempos are one tempo
        best = int(np.convolve(by_tempo, np.ones(5), "same").argmax())
        low, high = max(0, best - 2), min(len(by_tempo) - 1, best + 2)
        some = by_tempo[low : high + 1]
        period_s = float((some * self.hops[low : high + 1]).sum() / some.sum()) * self.hop_s
        cut = slice(int(self.first[low]), int(self.last[high]) + 1)
        n_bins = 48
        bins = (self.place[cut] * n_bins).astype(np.int64)
        around = np.bincount(bins, weights=mass[cut], minlength=n_bins)
        peaks = np.convolve(np.concatenate([around[-3:], around, around[:3]]), NEAR, "valid")
        top = int(peaks.argmax())
        index = np.arange(top - 3, top + 4)
        centre = float((NEAR * around[index % n_bins] * (index + 0.5)).sum() / peaks[top]) / n_bins
        return period_s, centre % 1.0, min(1.0, float(peaks[top] / whole)), whole

    def near(self, beats: Sequence[tuple[float, float]]) -> list[float]:
        """The probability 0..1 of about each tempo and place, (seconds a beat, place in it 0..1)."""
        mass = self.state.sum(axis=(0, 1))
        found = []
        for period_s, place in beats:
            places, is_near = self._about(period_s, place)
            found.append(float(mass[places][is_near].sum()))
        return found

    def _about(self, period_s: float, place: float) -> tuple[slice, NDArray[np.bool_]]:
        """The places of about this tempo, and which of them are about this place."""
        near = np.flatnonzero(np.abs(self._periods_s / period_s - 1) < NEAR_TEMPO)
        if not len(near):
            return slice(0, 0), np.zeros(0, bool)
        places = slice(int(self.first[near[0]]), int(self.last[near[-1]]) + 1)
        beats_off = (self.place[places] - place + 0.5) % 1.0 - 0.5
        return places, np.abs(beats_off) < NEAR_BEATS

    def start(self, place_s: float) -> None:
        """Make it likely that the last beat, one with the bass drum, was place_s seconds ago."""
        seconds_off = ((self.place - place_s / self.period_s + 0.5) % 1.0 - 0.5) * self.period_s
        bell = START_WEIGHT * np.exp(-0.5 * (seconds_off / SCATTER_S) ** 2)
        self.state[:, 0] *= (1 + START_FIRST * bell).astype(np.float32)
        self.state[:, 1] *= (1 + bell).astype(np.float32)
        self.state /= self.state.sum()

    def align_to(self, period_s: float, place: float, *, weight: float) -> None:
        """Put the fraction `weight` 0..1 of all probability on a tempo and place; the probabilities of beat and rhythm
        stay.
        """
        beats_off = (self.place - place + 0.5) % 1.0 - 0.5
        near = np.exp(-0.5 * (np.log(self.period_s / period_s) / 0.02) ** 2 - 0.5 * (beats_off * period_s / 0.02) ** 2)
        near = (near / near.sum()).astype(np.float32)
        kind = self.state.sum(axis=2, keepdims=True)
        self.state *= np.float32(1 - weight)
        self.state += np.float32(weight) * kind * near


# The width of a peak: 7 of 48 places, its edges by half.
NEAR = np.array([0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5])


def _places() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], Floats]:
    """The last axis of the state: hops of each tempo, where its beat begins, and the tempo and place of every entry."""
    hops = np.array(INTERVALS)
    first = np.concatenate([[0], np.cumsum(hops)[:-1]])
    interval = np.repeat(np.arange(len(hops)), hops)
    return hops, first, interval, (np.arange(int(hops.sum())) - first[interval]) / hops[interval]


@functools.lru_cache(maxsize=4)
def _likelihoods(hop_s: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What a hop without onsets, and an onset of each group, multiply the probability of each state by (the second as
    log).

    Cached: they take 20 ms, more than a display frame, and depend on nothing else.
    """
    hops, _, interval, place = _places()
    period_s = (hops[interval] * hop_s).astype(np.float64)
    rates = np.stack([[_rate(row, place, period_s) for row in rows] for rows in RHYTHMS.values()], axis=1) + STRAY_HZ
    weights = np.array(GROUP_WEIGHTS)[:, None, None, None]
    absence = np.exp(-ABSENCE_WEIGHT * hop_s * (weights * rates).sum(axis=0)).astype(np.float32)
    presence = (ONSET_WEIGHT * weights * np.log(rates)).astype(np.float32)
    for table in (absence, presence):
        table.flags.writeable = False
    return absence, presence


def _rate(row: str, place: Floats, period_s: Floats) -> Floats:
    """A row of RHYTHMS -> onsets a second at each place of two beats: (N_BEATS, n_places)."""
    digits = row.replace(" ", "")
    rate = np.zeros((N_BEATS, len(place)))
    along = np.arange(N_BEATS)[:, None] + place
    for index, digit in enumerate(digits):
        beats_off = (along - index * N_BEATS / len(digits) + N_BEATS / 2) % N_BEATS - N_BEATS / 2
        bell = np.exp(-0.5 * (beats_off * period_s / SCATTER_S) ** 2) / (SCATTER_S * math.sqrt(2 * math.pi))
        rate += int(digit) / 10 * bell
    return rate
