"""Bass, mids and highs relative to their own mean, as the presets of MilkDrop expect them."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .bands import BandMeter
from .blocks import check_rate
from .windows import SlidingWindows, Trail

# A hundred analyses a second, over a window that holds a cycle of the lowest notes.
HOP_S, WINDOW_S = 0.01, 0.04
#: edges of the three bands, Hz: about three octaves each
EDGES_HZ = (20.0, 250.0, 2_000.0, 12_000.0)
# MilkDrop 2 keeps this much of a value for each of 30 display frames a second: of the smoothed one while it rises and
# while it falls, and of the mean.
KEPT_RISING, KEPT_FALLING, KEPT_OF_MEAN = 0.2, 0.5, 0.992
# It averages faster at the start. Here the mean is that of all sound so far, until that is longer, and again after so
# long a silence, seconds; in silence the mean is forgotten faster.
SILENT_S, KEPT_IN_SILENCE = 1.0, 0.9
# An amplitude, full scale = 1, that does not count: in silence the result goes to 1, not to 0 / 0.
FLOOR = 1e-3
#: no result is larger: the mean follows what is louder
MOST = 8.0


class RelativeBands(NamedTuple):
    """Amplitudes relative to their own mean: 1 on average and in silence, 0..MOST. `..._att`: the same, smoothed."""

    bass: float
    mid: float
    treb: float
    bass_att: float
    mid_att: float
    treb_att: float


#: in silence
RESTING = RelativeBands(*[1.0] * 6)


class RelativeBandFollower:
    """Follows three bands of a stream of mono sound, each relative to its mean of the last seconds.

    Times are seconds of sound pushed since the start. Any split of a sound into blocks gives bit-identical results.
    """

    def __init__(self, sample_rate_hz: int, *, trail_s: float = 30.0) -> None:
        """sample_rate_hz: 8000..192000, else BadInput. trail_s: how many seconds are remembered for `at`."""
        check_rate(sample_rate_hz)
        self._windows = SlidingWindows(sample_rate_hz, HOP_S, WINDOW_S)
        self._meter = BandMeter(WINDOW_S, sample_rate_hz, list(pairwise(EDGES_HZ)))
        hop_s = self._windows.hop_s
        self._rise, self._fall, self._slow, self._forget = (
            1 - kept ** (hop_s * 30) for kept in (KEPT_RISING, KEPT_FALLING, KEPT_OF_MEAN, KEPT_IN_SILENCE)
        )
        self._most_silent = round(SILENT_S / hop_s)
        self._n_heard, self._n_silent = 0, 0
        self._means, self._smooth = [0.0] * 3, [0.0] * 3
        # what a value is above 1: a trail has zeros for the time before it began
        self._trail = Trail(6, hop_s, trail_s)

    def push(self, samples: NDArray[np.floating]) -> None:
        """Take the next block of mono sound, (n,) float in -1..1, any n. Bad samples count as silence."""
        for windows in self._windows.push(samples):
            for row in np.sqrt(self._meter.energies(windows)[:, 1:]).tolist():
                self._step(row)

    def at(self, time_s: float) -> RelativeBands:
        """The bands at a time in seconds of sound: after the newest hop they stand still."""
        row, _ = self._trail.at(time_s)
        return RelativeBands(*(1.0 + above for above in row))

    def _step(self, amplitudes: list[float]) -> None:
        """Take the amplitudes of the bands at the next hop."""
        if max(amplitudes) > FLOOR:
            self._n_heard, self._n_silent = self._n_heard + 1, 0
        else:
            self._n_silent += 1
        share = max(self._slow, 1 / (self._n_heard + 1))
        if self._n_silent >= self._most_silent:
            self._n_heard, share = 0, self._forget
        now, smooth = [0.0] * 3, [0.0] * 3
        for band, amplitude in enumerate(amplitudes):
            mean = self._means[band] + (amplitude - self._means[band]) * share
            self._means[band] = mean = max(mean, amplitude / MOST)
            way = amplitude - self._smooth[band]
            self._smooth[band] += way * (self._rise if way > 0 else self._fall)
            now[band] = (amplitude + FLOOR) / (mean + FLOOR)
            smooth[band] = min((self._smooth[band] + FLOOR) / (mean + FLOOR), MOST)
        self._trail.add(*(value - 1.0 for value in (*now, *smooth)))
