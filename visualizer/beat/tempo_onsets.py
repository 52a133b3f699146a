"""From sound to onsets in four groups of bands, for the tempo: lows, body, snare and cymbals."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# A hundred analyses a second: a beat at 200 BPM is 30 of them.
HOP_S = 0.01
# 2048 samples at 44.1 kHz: separates a bass drum at 50 Hz from a bass note near it as well as such a window can.
WINDOW_S = 2048 / 44100
# An onset is reported at the hop after its steepest rise, when the middle of the window has just passed its start: this
# much later than annotators of drums place it (median over annotated songs).
DELAY_S = 0.035
# Three to an octave below, two above: edges of the bands, Hz.
EDGES_HZ = (30, 60, 95, 150, 215, 300, 420, 600, 850, 1200, 1700, 2400, 3400, 4800, 6800, 9600, 14000)
# Which bands are analysed as one instrument: bass drum and bass; drum bodies, chords; snare, clap, voice; hats,
# cymbals.
GROUPS = ((0, 3), (3, 9), (9, 13), (13, 16))
N_GROUPS = len(GROUPS)
# Each band is relative to its own recent maximum, so that hats 40 dB below the bass count as onsets, too.
BAND_RELEASE_S = 8.0
# Below these limits, 50 dB under the loudest band and -66 dBFS, a band is hiss and has no onsets.
BELOW_LOUDEST = 10 ** (-50 / 20)
FLOOR = 10 ** (-66 / 20)
# ln(1 + 3 x) of a band's level x: an onset from silence and one half as loud differ, but not by half.
COMPRESSION = 3.0
# The rise is taken over the highest of 20 and 30 ms ago, so that tremolo is no series of onsets.
LAG_HOPS = 2
# The onsets of a group are relative to its strongest recent one. A shorter time would make onsets of the notes of a
# quiet passage; a longer one would miss a soft verse after a loud chorus.
ONSET_RELEASE_S = 15.0
# No onset is smaller than this rise (in ln units): noise rises that much in every group all the time.
LEAST_RISE = 0.12
# Onsets weaker than this fraction of the strongest are ignored.
LEAST_STRENGTH = 0.1


class OnsetDetector:
    """Windows of sound in, onsets of four groups of bands out; one instance a stream."""

    def __init__(self, sample_rate_hz: int) -> None:
        """sample_rate_hz: 8000..192000. Bands above half of it are silent."""
        self.hop_samples = round(HOP_S * sample_rate_hz)
        self.window_samples = round(WINDOW_S * sample_rate_hz)
        self.hop_s = self.hop_samples / sample_rate_hz
        self._n_fft = _fast_length(self.window_samples)
        turn = 2 * np.pi * np.arange(self.window_samples) / self.window_samples
        # float32 sound, window and spectrum: half the time, and 140 dB are enough for onsets
        self._shape = (0.5 - 0.5 * np.cos(turn)).astype(np.float32)
        edges = [hz for hz in EDGES_HZ if hz < 0.5 * sample_rate_hz]
        self._n_bands = len(edges) - 1
        bin_hz = sample_rate_hz / self._n_fft
        self._cuts = np.ceil(np.array(edges) / bin_hz).astype(np.int64)
        self._n_bins = int(self._cuts[-1])
        self._groups = [(low, min(high, self._n_bands)) for low, high in GROUPS]
        self._scale = 2.0 / float(self._shape.sum())
        self._forget_band = math.exp(-self.hop_s / BAND_RELEASE_S)
        self._forget_stroke = math.exp(-self.hop_s / ONSET_RELEASE_S)
        self._loudest: Floats = np.zeros(self._n_bands)
        self._earlier: Floats = np.zeros((LAG_HOPS + 1, self._n_bands))
        self._strongest = [LEAST_RISE] * N_GROUPS
        self._rises = [[0.0, 0.0] for _ in range(N_GROUPS)]  # of the last two hops

    def push(self, windows: NDArray[np.float32]) -> list[list[float]]:
        """The next windows, (n, window_samples) float32 in -1..1 -> for each the onset of each group, 0 (none) or
        0.1..1.
        """
        spectrum = np.fft.rfft(windows * self._shape, self._n_fft, axis=1)[:, : self._n_bins]
        power = spectrum.real**2 + spectrum.imag**2
        levels = np.sqrt(np.add.reduceat(power, self._cuts[:-1], axis=1)).astype(np.float64) * self._scale
        loudest = np.empty_like(levels)
        for hop, level in enumerate(levels):
            self._loudest = np.maximum(level, self._loudest * self._forget_band, out=loudest[hop])
        self._loudest = self._loudest.copy()
        hiss = np.maximum(FLOOR, BELOW_LOUDEST * loudest.max(axis=1, keepdims=True))
        compressed = np.concatenate([self._earlier, np.log1p(COMPRESSION * levels / np.maximum(loudest, hiss))])
        self._earlier = compressed[-LAG_HOPS - 1 :]
        rises = np.maximum(
            compressed[LAG_HOPS + 1 :] - np.maximum(compressed[: -LAG_HOPS - 1], compressed[1:-LAG_HOPS]), 0.0
        )
        means = [
            rises[:, low:high].sum(axis=1) / (high - low) if high > low else np.zeros(len(rises))
            for low, high in self._groups
        ]
        return [[self._pick(group, rise) for group, rise in enumerate(hop)] for hop in np.stack(means, axis=1).tolist()]

    def _pick(self, group: int, now: float) -> float:
        """An onset is a rise higher than the one before and the one after it."""
        before, last = self._rises[group]
        self._rises[group] = [last, now]
        self._strongest[group] = max(now, self._strongest[group] * self._forget_stroke, LEAST_RISE)
        strength = last / self._strongest[group]
        return min(1.0, strength) if last > before and last >= now and strength > LEAST_STRENGTH else 0.0


def _fast_length(n_samples: int) -> int:
    """The least length from n_samples on that a fast transform takes: a product of 2, 3 and 5."""
    while True:
        rest = n_samples
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return n_samples
        n_samples += 1
