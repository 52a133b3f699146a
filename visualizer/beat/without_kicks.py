"""How the picture moves while there are no kicks: with the loudness, and with the onsets of notes of any kind.

`BreathFollower` makes a level of the sound; `breath_weight` says how much of it is shown, by the kicks so far.
"""

from __future__ import annotations

import functools
import math
from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..easing import smoothstep
from ..settings import BeatSettings
from .kick_inputs import smooth_length
from .spectrum import Floats
from .windows import SlidingWindows, Trail

# Thirty analyses a second, each of 50 ms: bins 20 Hz apart separate the notes of a chord from 100 Hz on.
HOP_S = 1 / 30
WINDOW_S = 0.05
# Bands a third of an octave wide (Zwicker's critical bands are about that), of two bins at least.
LOWEST_HZ, HIGHEST_HZ, BAND_RATIO, LEAST_BAND_HZ = 40.0, 10_000.0, 2 ** (1 / 3), 40.0
# The power of a band is smoothed with this time constant: the bands of noise fluctuate less.
POWER_S = 0.1
# A total loudness of this counts as soft: what is barely above the floor, as the noise of a room, hardly moves
# anything.
SOFT = 12.0
# The range in which the loudness has a place: widened at once, it closes in on the loudness with these time constants.
# It is at least LEAST_RANGE wide, 10 being twice as loud, so that what fluctuates slightly does not move the picture.
HIGH_S, LOW_S = 10.0, 5.0
WIDEN_S = 0.3
LEAST_RANGE, MOST_RANGE = 5.0, 13.0
# After RESET_S of silence the range is reset: its lower end then closes in with a time constant that begins at
# NEW_LOW_S and grows by NEW_LOW_RATE of the time, so that a hum which was switched on moves nothing three seconds
# later.
RESET_S, NEW_LOW_S, NEW_LOW_RATE = 2.0, 0.3, 0.6
# A note is how far the bands rise above the maximum of 67 to 133 ms ago, relative to the loudness of the last seconds.
RISE_HOPS = (2, 4)
N_BEFORE = RISE_HOPS[1] - RISE_HOPS[0] + 1
LOUD_S = 2.0
# Only what rises by more than MEAN_FACTOR times the usual is an onset: noise rises in some band all the time.
MEAN_S, MEAN_FACTOR = 3.0, 1.3
# The strength of an onset is relative to the strongest recent one, and to LEAST_ONSET at least.
ONSET_RELEASE_S, LEAST_ONSET = 8.0, 0.1
NOTE_RELEASE_S = 0.35
# What loudness and notes contribute to the level.
LOUDNESS_PART, NOTE_PART = 0.4, 0.5
# Time constants with which the level rises and falls.
RISE_S, FALL_S = 0.22, 0.4
# After the newest hop the level holds for this long, then falls: no more sound came.
HELD_S = 0.1

# Kicks are over when for this long there was none: seconds, or times the longest of the last distances between kicks.
# Longer distances than LONGEST_S are breaks, not a rhythm.
ABSENT_S, ABSENT_FACTOR, N_DISTANCES, LONGEST_S = 3.0, 1.6, 4, 6.0
# The level without kicks fades in over this time, and out when a kick comes.
FADE_IN_S, FADE_OUT_S = 2.0, 0.1
#: how many of the newest kicks `breath_weight` looks at
N_KICKS = N_DISTANCES + 2


def breath_weight(time_s: float, kicks_s: Sequence[float]) -> float:
    """How much of the level without kicks is shown at a time, 0..1, given the times of the last N_KICKS kicks before.

    It rises over FADE_IN_S once kicks are absent, and is gone FADE_OUT_S after the next kick. Times in seconds of
    sound, which begins at 0.
    """
    if not kicks_s:
        return _fade_in(time_s - ABSENT_S)
    since_s = time_s - kicks_s[-1]
    if since_s < FADE_OUT_S:
        return breath_weight(kicks_s[-1], kicks_s[:-1]) * (1 - since_s / FADE_OUT_S)
    distances_s = np.diff(kicks_s)[-N_DISTANCES:].tolist()
    longest_s = max((one for one in distances_s if one <= LONGEST_S), default=0.0)
    return _fade_in(since_s - max(ABSENT_S, ABSENT_FACTOR * longest_s))


def _fade_in(since_s: float) -> float:
    """From 0 to 1 within FADE_IN_S seconds, without an edge."""
    return smoothstep(since_s / FADE_IN_S)


class BreathFollower:
    """Follows loudness and notes of a stream of mono sound, as a level that moves gently.

    The level is 0 in silence, in steady sound and in steady noise. Louder than a moment ago is higher; so is the begin
    of a note. Volume does not matter: loudness has its place in its own range of the last ten seconds.

    Times are seconds of sound pushed since the start. Any split of a sound into blocks gives bit-identical results.
    """

    def __init__(self, sample_rate_hz: int, settings: BeatSettings, *, trail_s: float = 30.0) -> None:
        """sample_rate_hz: 8000..192000. trail_s: how many seconds are remembered for `level_at`."""
        self._windows = SlidingWindows(sample_rate_hz, HOP_S, WINDOW_S)
        n_samples, hop_s = self._windows.window_samples, self._windows.hop_s
        self._n_fft = smooth_length(n_samples)
        self._shape = np.hanning(n_samples + 1)[:-1]
        # Parseval, see spectrum.band_energy
        self._scale = 4.0 / (self._n_fft * float((self._shape**2).sum()))
        self._starts, self._end = _bands(self._n_fft, sample_rate_hz)
        self.set_beat(settings)
        self._power: Floats = np.zeros(len(self._starts))
        self._recent: deque[Floats] = deque([np.zeros(len(self._starts))] * RISE_HOPS[1], RISE_HOPS[1])
        self._silent_s, self._heard_s = RESET_S, 0.0
        self._high = self._low = self._loud = self._mean = self._strongest = self._note = self._level = self._target = (
            0.0
        )
        times_s = (POWER_S, HIGH_S, WIDEN_S, LOUD_S, MEAN_S, RISE_S, FALL_S)
        shares = [1 - math.exp(-hop_s / time_s) for time_s in times_s]
        self._smooth, self._sink, self._widen, self._follow, self._average, self._rise, self._fall = shares
        self._forget, self._fade = (math.exp(-hop_s / time_s) for time_s in (ONSET_RELEASE_S, NOTE_RELEASE_S))
        self._trail = Trail(2, hop_s, trail_s)  # the level at the end of a hop, and where it goes

    def set_beat(self, settings: BeatSettings) -> None:
        """Take other settings over, from the next hop on: the level that counts as silence."""
        self._silence = 10 ** (settings.floor_db / 10)

    def push(self, samples: NDArray[np.floating]) -> None:
        """Take the next block of mono sound, (n,) float in -1..1, any n. Bad samples count as silence."""
        for windows in self._windows.push(samples):
            spectrum = np.fft.rfft(windows * self._shape, self._n_fft, axis=1)[:, : self._end]
            power = np.add.reduceat(spectrum.real**2 + spectrum.imag**2, self._starts, axis=1) * self._scale
            for row in power:
                self._step(row)

    def _step(self, power: Floats) -> None:
        """Go one hop on. power: (bands,), full-scale sine 1."""
        self._power = self._power + (power - self._power) * self._smooth
        # specific loudness grows with about the fourth root of the power of a band (Stevens' power law, Zwicker's
        # loudness): a soft melody over a loud bass counts, and the bands of noise hardly fluctuate
        loudness = np.maximum(np.sqrt(np.sqrt(self._power / self._silence)) - 1, 0.0)
        total = float(loudness.sum())
        target = LOUDNESS_PART * self._place(10 * math.log2(1 + total / SOFT)) + NOTE_PART * self._notes(
            loudness, total
        )
        # up to now towards the target before: the level is continuous
        self._level += (self._target - self._level) * (self._rise if self._target > self._level else self._fall)
        self._target = target
        self._trail.add(self._level, target)

    def _place(self, loudness: float) -> float:
        """The place of the loudness in its range, 0..1. loudness: 0 in silence, 10 more is twice as loud."""
        self._silent_s = 0.0 if loudness > 0 else self._silent_s + self._windows.hop_s
        self._heard_s = 0.0 if self._silent_s > RESET_S else self._heard_s + self._windows.hop_s
        climb_s = min(LOW_S, NEW_LOW_S + NEW_LOW_RATE * self._heard_s)
        climb = self._windows.hop_s / climb_s
        self._high += (loudness - self._high) * (self._widen if loudness > self._high else self._sink)
        self._low += (loudness - self._low) * (self._widen if loudness < self._low else climb)
        self._low = max(self._low, self._high - MOST_RANGE)
        return min(1.0, max(0.0, (loudness - self._low) / max(LEAST_RANGE, self._high - self._low)))

    def _notes(self, loudness: Floats, total: float) -> float:
        """1 at the beginning of a note as strong as the strongest recent one, then falling. loudness: (bands,)."""
        self._loud += (total - self._loud) * (self._rise if total > self._loud else self._follow)
        before = functools.reduce(np.maximum, list(self._recent)[:N_BEFORE])
        self._recent.append(loudness)
        flux = float(np.maximum(loudness - before, 0.0).sum()) / (self._loud + SOFT)
        onset = max(0.0, flux - MEAN_FACTOR * self._mean)
        self._mean += (flux - self._mean) * self._average
        self._strongest = max(onset, LEAST_ONSET, self._strongest * self._forget)
        self._note = max(self._note * self._fade, onset / self._strongest)
        return self._note

    def level_at(self, time_s: float) -> float:
        """The level 0..1 at a time in seconds of sound: between hops it goes on towards where it goes; before the first
        it is 0; before what is remembered, the oldest value.
        """
        (level, target), since_s = self._trail.at(time_s)
        known_s = min(since_s, HELD_S)
        level = target + (level - target) * math.exp(-known_s / (RISE_S if target > level else FALL_S))
        return level * math.exp(-(since_s - known_s) / FALL_S)


def _bands(n_fft: int, sample_rate_hz: int) -> tuple[NDArray[np.intp], int]:
    """The first bin of each band, and the bin after the last band."""
    edges_hz = [LOWEST_HZ]
    while (edge_hz := max(edges_hz[-1] * BAND_RATIO, edges_hz[-1] + LEAST_BAND_HZ)) <= min(
        HIGHEST_HZ, 0.45 * sample_rate_hz
    ):
        edges_hz.append(edge_hz)
    bins = np.round(np.array(edges_hz) * n_fft / sample_rate_hz).astype(np.intp)
    return bins[:-1], int(bins[-1])
