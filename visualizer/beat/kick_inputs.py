"""From sound to the inputs of the kick network: 22 bands, compressed, relative to the level of the sound; and their
rises.

The network was trained with these numbers: after a change of any of them, run `tools/train_kick.py`.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from .spectrum import Floats, asymmetric

# 294 samples at 44.1 kHz, 320 at 48 kHz, 640 at 96 kHz: whole samples at all three, so that they are analysed at the
# same instants. A kick is late by half a hop on average, 3.3 ms.
HOPS_PER_S = 150
# Long enough to separate the body of a kick from a bass note a third above it; the newest 18 % (8 ms) have full weight.
LONG_S = 0.046
LONG_FALL = 0.18
# Short enough to separate the click of the beater; the newest 3.5 ms have full weight.
SHORT_S = 0.0116
SHORT_FALL = 0.3
# Centres of the low bands, Hz: closer than the long window resolves (about 40 Hz), since drums differ by less.
LOW_HZ = (32.0, 42.0, 52.0, 62.0, 74.0, 88.0, 104.0, 124.0, 148.0, 178.0, 214.0)
# Edges and centres of the high bands, Hz: triangles from the one before to the one after.
HIGH_HZ = (180.0, 260.0, 360.0, 500.0, 700.0, 1000.0, 1450.0, 2100.0, 3000.0, 4300.0, 6200.0, 9000.0, 13000.0)
BANDS_HZ = (*LOW_HZ, *HIGH_HZ[1:-1])
N_BANDS = len(BANDS_HZ)
# The low bands need no more than this many samples a second; means of that many samples have their zeros exactly at the
# frequencies that would alias onto them (the new rate and its multiples).
LOW_RATE_HZ = 6000
# The level that bands are relative to rises within a kick and falls between phrases.
GAIN_RISE_S = 0.02
GAIN_FALL_S = 2.0
# If for this time, longer than a beat, nothing was half as loud (GAIN_ABOVE), the sound was turned down: the level then
# falls with the time constant GAIN_DROP_S.
GAIN_MEMORY_S = 0.9
GAIN_ABOVE = 2.0
GAIN_DROP_S = 0.12
# ln(1 + 4 x): sounds 12 dB below the level still count, hiss 40 dB below it does not.
COMPRESSION = 4.0
# Every band is relative to the whole sound, and the low ones a second time relative to the low ones alone: a soft kick
# under bright cymbals. N_VIEWS such numbers a hop.
N_VIEWS = N_BANDS + len(LOW_HZ)
# Rises are measured over these numbers of hops: 7 ms for the click, 27 ms for the body, 53 and 107 ms for the note
# before it.
RISE_LAGS = (1, 2, 4, 8, 16)
N_INPUTS = N_VIEWS * (1 + len(RISE_LAGS))
# What a kick adds: the mean, over the bands from 42 to 104 Hz, of the rise above the maximum of 3 to 9 hops (20 to 60
# ms) ago. The maximum, not the mean: a bass with tremolo does not rise above its own recent maximum.
NOVEL_BANDS = slice(1, 7)
NOVEL_LAGS = (3, 9)
_RISE_LAGS, _NOVEL_LAGS = np.array(RISE_LAGS), np.arange(NOVEL_LAGS[0], NOVEL_LAGS[1] + 1)


class BandFilters:
    """Turns windows of sound into the power of bands, by way of `parts`, which add up when sounds are mixed.

    Parts: the waves of each low band (cosine, then sine), then the power of each high one.
    """

    n_parts = 2 * len(LOW_HZ) + N_BANDS - len(LOW_HZ)

    def __init__(self, sample_rate_hz: int) -> None:
        """sample_rate_hz: 8000..192000."""
        self._n_mean = max(1, round(sample_rate_hz / LOW_RATE_HZ))
        n_low = round(LONG_S * sample_rate_hz / self._n_mean)
        self.window_samples = n_low * self._n_mean  # each window holds so many samples
        self._mean: Floats = np.full(self._n_mean, 1 / self._n_mean)
        self._filters = low_filters(n_low, sample_rate_hz / self._n_mean)
        short = round(SHORT_S * sample_rate_hz)
        self._short = short + 1  # one more for the difference
        self._shape = asymmetric(short, SHORT_FALL)
        self._n_fft = smooth_length(short)
        self._weights, self._bins = high_weights(self._n_fft, self._shape, sample_rate_hz)

    def parts(self, windows: Floats) -> Floats:
        """(n, window_samples) in -1..1 -> (n, n_parts), a row for each window.

        Products are stacks of one-row products: numpy then computes each row alike, however many there are.
        """
        means = np.matmul(windows.reshape(len(windows), -1, self._n_mean), self._mean)
        low = np.matmul(means[:, None, :], self._filters)[:, 0]
        # the difference is quiet where music is loud: a bass note does not leak into the bands far above it
        fresh = windows[:, -self._short :]
        spectrum = np.fft.rfft((fresh[:, 1:] - fresh[:, :-1]) * self._shape, self._n_fft, axis=1)[:, : self._bins]
        power = spectrum.real**2 + spectrum.imag**2
        return np.concatenate([low, np.matmul(power[:, None, :], self._weights)[:, 0]], axis=1)

    @staticmethod
    def power(parts: Floats) -> Floats:
        """(n, n_parts) -> (n, N_BANDS): power of each band, full-scale sine about 1."""
        half = len(LOW_HZ)
        waves = parts[:, : 2 * half] ** 2
        return np.concatenate([waves[:, :half] + waves[:, half:], parts[:, 2 * half :]], axis=1)


class Gain:
    """The level that bands are relative to: rises within a kick, falls between phrases, never below a floor.

    After a drop of any size it is down little later than GAIN_MEMORY_S.
    """

    def __init__(self, floor: float, hop_s: float) -> None:
        """floor: > 0, amplitude."""
        self.floor = self._level = floor
        times_s = (GAIN_RISE_S, GAIN_FALL_S, GAIN_DROP_S)
        self._rise, self._fall, self._drop = (1 - math.exp(-hop_s / time_s) for time_s in times_s)
        self._memory_hops = round(GAIN_MEMORY_S / hop_s)
        self._n_hops = 0
        # the loudest of the memory first, after each the loudest later than it: (hop, level)
        self._loudest: deque[tuple[int, float]] = deque()

    def push(self, power: Floats) -> Floats:
        """(n, bands) of successive hops -> (n, 1) amplitudes."""
        gains = []
        gain, loudest = self._level, self._loudest
        for total in power.sum(axis=1).tolist():
            level = math.sqrt(total)
            while loudest and loudest[-1][1] <= level:
                loudest.pop()
            loudest.append((self._n_hops, level))
            if loudest[0][0] <= self._n_hops - self._memory_hops:
                loudest.popleft()
            self._n_hops += 1
            gain += (level - gain) * (self._rise if level > gain else self._fall)
            most = GAIN_ABOVE * loudest[0][1]
            if gain > most:
                gain += (most - gain) * self._drop
            gain = max(self.floor, gain)
            gains.append(gain)
        self._level = gain
        return np.array(gains)[:, None]


class KickInputs:
    """Turns windows of mono sound into rows of inputs; remembers the level and the newest rows, nothing else."""

    def __init__(self, sample_rate_hz: int, floor_db: float) -> None:
        """sample_rate_hz: 8000..192000. floor_db: level that counts as silence, dB of a full-scale sine."""
        self.hop_samples = round(sample_rate_hz / HOPS_PER_S)
        self.hop_s = self.hop_samples / sample_rate_hz
        self.filters = BandFilters(sample_rate_hz)
        self.window_samples = self.filters.window_samples
        self._gain, self._low_gain = (Gain(10 ** (floor_db / 20), self.hop_s) for _ in range(2))
        self._newest: Floats = np.zeros((max(*RISE_LAGS, *NOVEL_LAGS), N_VIEWS))

    def set_floor(self, floor_db: float) -> None:
        """Take another level for silence, dB of a full-scale sine, from the next hop on."""
        self._gain.floor = self._low_gain.floor = 10 ** (floor_db / 20)

    def rows(self, windows: Floats) -> Floats:
        """(n, window_samples) of successive hops -> (n, N_INPUTS): views of the bands, then their rises over each of
        RISE_LAGS.
        """
        return self.compute(windows)[0]

    def compute(self, windows: Floats) -> tuple[Floats, Floats]:
        """The `rows` of (n, window_samples) of successive hops, and how novel the low bands are: (n,), 0 or more."""
        return self.compute_from_power(self.filters.power(self.filters.parts(windows)))

    def compute_from_power(self, power: Floats) -> tuple[Floats, Floats]:
        """As `compute`, for the power of the bands in successive hops, (n, N_BANDS)."""
        amplitude = np.sqrt(power)
        low = amplitude[:, : len(LOW_HZ)]
        views = np.concatenate(
            [amplitude / self._gain.push(power), low / self._low_gain.push(power[:, : len(LOW_HZ)])], axis=1
        )
        levels = np.concatenate([self._newest, np.log1p(COMPRESSION * views)])
        longest = len(self._newest)
        self._newest = levels[-longest:]
        now = levels[longest:]
        hops = np.arange(longest, len(levels))[:, None]
        rises = now[:, None] - levels[hops - _RISE_LAGS]
        before = levels[hops - _NOVEL_LAGS, NOVEL_BANDS].max(axis=1)
        rows = np.concatenate([now, rises.reshape(len(now), -1)], axis=1)
        return rows, np.maximum((now[:, NOVEL_BANDS] - before).sum(axis=1) / before.shape[1], 0.0)


def smooth_length(n: int) -> int:
    """The least length >= n with no prime factor above 7: as fast as a power of two, and close to n, so that bins are
    nearly as wide at every sample rate."""
    while True:
        rest = n
        for prime in (2, 3, 5, 7):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return n
        n += 1


def low_filters(n_samples: int, rate_hz: float) -> Floats:
    """Windowed cosines and sines at LOW_HZ: (n_samples, 2 x len(LOW_HZ)), a full-scale sine at a centre gives power 1.

    Their response to a constant is subtracted: otherwise the DC offset of a sound card would look like a kick that
    never ends.
    """
    shape = asymmetric(n_samples, LONG_FALL)
    turns = 2 * np.pi * np.arange(n_samples)[:, None] / rate_hz * np.array(LOW_HZ)
    waves = np.concatenate([np.cos(turns), np.sin(turns)], axis=1)
    waves -= (shape[:, None] * waves).sum(axis=0) / shape.sum()
    return np.ascontiguousarray(shape[:, None] * waves * (2 / shape.sum()))


def high_weights(n_fft: int, shape: Floats, sample_rate_hz: int) -> tuple[Floats, int]:
    """Triangles over HIGH_HZ for the power of the difference's spectrum: (bins, bands), and the number of bins."""
    freqs_hz = np.fft.rfftfreq(n_fft, 1 / sample_rate_hz)
    edges = np.array(HIGH_HZ)
    up = (freqs_hz[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - freqs_hz[:, None]) / (edges[2:] - edges[1:-1])
    weights = np.clip(np.minimum(up, down), 0.0, 1.0)
    # a difference multiplies a wave by 2 sin(pi f / rate); this takes it back. Parseval as in spectrum.band_energy.
    slope = np.maximum(2 * np.sin(np.pi * freqs_hz / sample_rate_hz), 1e-6)
    weights *= (4.0 / (n_fft * (shape**2).sum()) / slope**2)[:, None]
    bins = int(np.flatnonzero(weights.sum(axis=1))[-1]) + 1
    return np.ascontiguousarray(weights[:bins]), bins
