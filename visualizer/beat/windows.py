"""What followers with hops of their own share: windows of a stream of sound, and a memory of what was found in them."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

from .blocks import sound_block
from .spectrum import Floats

# Windows analysed together: bounds memory when a whole song is pushed at once.
BATCH = 256


class SlidingWindows:
    """Cuts a stream of sound into overlapping windows, one each hop; the first is filled up with silence before it.

    hop_samples, hop_s, window_samples: the distance and the length of the windows. n_bad_samples: how many samples were
    replaced by 0, see `sound_block`.
    """

    def __init__(self, sample_rate_hz: int, hop_s: float, window_s: float) -> None:
        """hop_s, window_s: seconds, rounded to whole samples; a window is at least as long as a hop."""
        self.hop_samples = round(hop_s * sample_rate_hz)
        self.hop_s = self.hop_samples / sample_rate_hz
        self.window_samples = max(self.hop_samples, round(window_s * sample_rate_hz))
        self.n_bad_samples = 0
        # the sound from the begin of the next window on, and how many samples it has
        self._blocks: list[Floats] = [np.zeros(self.window_samples - self.hop_samples)]
        self._n_samples = self.window_samples - self.hop_samples

    def push(self, samples: NDArray[np.floating]) -> Generator[Floats, None, None]:
        """Take the next block, (n,) float in -1..1; yields (m, window_samples) of the windows that it completes, in
        batches. Exhaust it. Raises BadInput for anything but a one-dimensional array of floats.
        """
        block, n_bad = sound_block(samples)
        self.n_bad_samples += n_bad
        self._blocks.append(block)
        self._n_samples += len(block)
        # a live block is often shorter than a hop: the blocks are joined only when a window is complete
        if self._n_samples < self.window_samples:
            return
        sound = np.concatenate(self._blocks)
        n_windows = (self._n_samples - self.window_samples) // self.hop_samples + 1
        # a copy, since a view would keep a whole pushed song alive
        rest = sound[n_windows * self.hop_samples :].copy()
        self._blocks, self._n_samples = [rest], len(rest)
        if n_windows == 1:  # as live: the general way costs as much as a small FFT
            yield sound[None, : self.window_samples]
            return
        windows = np.lib.stride_tricks.sliding_window_view(sound, self.window_samples)[:: self.hop_samples]
        for first in range(0, n_windows, BATCH):
            yield windows[first : min(first + BATCH, n_windows)]


class Trail:
    """Remembers the newest rows of numbers, one for each hop. n_hops: how many there were."""

    def __init__(self, n_columns: int, hop_s: float, trail_s: float | None) -> None:
        """hop_s: seconds a hop; trail_s: how many seconds are remembered; None: all."""
        self.n_hops = 0
        self._hop_s = hop_s
        self._keeps_all = trail_s is None
        self._rows: Floats = np.zeros((1024 if trail_s is None else max(2, round(trail_s / hop_s)), n_columns))

    def add(self, *row: float) -> None:
        """Remember the numbers of the next hop."""
        if self._keeps_all and self.n_hops == len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._rows[self.n_hops % len(self._rows)] = row
        self.n_hops += 1

    def at(self, time_s: float) -> tuple[list[float], float]:
        """The row of the newest hop that ended by a time, seconds of sound, and how many seconds before it that was.

        Zeros before the first hop; before what is remembered, the oldest row.
        """
        hop = int(time_s / self._hop_s + 1e-9) if time_s > 0 else 0  # number of hops ended by then
        hop = max(min(hop, self.n_hops), self.n_hops - len(self._rows) + 1)
        if hop <= 0:
            return [0.0] * self._rows.shape[1], 0.0
        return self._rows[(hop - 1) % len(self._rows)].tolist(), max(0.0, time_s - hop * self._hop_s)
