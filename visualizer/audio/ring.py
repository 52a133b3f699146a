"""A ring of preallocated samples between one writing and one reading thread."""

from __future__ import annotations

import numpy as np


class SampleRing:
    """First in, first out, for float32 samples; one thread may write while one other reads.

    No lock is needed: each counter is changed by one side only, and after the samples it speaks of have been copied.
    `n_written` and `n_taken` count since the beginning and never wrap.
    """

    def __init__(self, n_samples: int, n_channels: int) -> None:
        """Room for n_samples (>= 1) of n_channels (>= 1) each."""
        if n_samples < 1 or n_channels < 1:
            raise ValueError(f"a ring needs room: {n_samples} samples of {n_channels} channels")
        self._samples = np.zeros((n_samples, n_channels), np.float32)
        self.n_written = 0
        self.n_taken = 0

    @property
    def n_room(self) -> int:
        """How many samples can be written now."""
        return len(self._samples) - (self.n_written - self.n_taken)

    @property
    def n_ready(self) -> int:
        """How many samples can be read now."""
        return self.n_written - self.n_taken

    def write(self, block: np.ndarray) -> int:
        """Append as much of block (n, channels) as there is room for -> how many samples were taken."""
        n = min(len(block), self.n_room)
        start = self.n_written % len(self._samples)
        n_first = min(n, len(self._samples) - start)
        self._samples[start : start + n_first] = block[:n_first]
        self._samples[: n - n_first] = block[n_first:n]
        self.n_written += n
        return n

    def read_into(self, out: np.ndarray) -> int:
        """Move samples into out (n, channels), as many as are ready -> how many; the rest of out is left as it is."""
        n = min(len(out), self.n_ready)
        start = self.n_taken % len(self._samples)
        n_first = min(n, len(self._samples) - start)
        out[:n_first] = self._samples[start : start + n_first]
        out[n_first:n] = self._samples[: n - n_first]
        self.n_taken += n
        return n

    def discard(self, n_samples: int) -> int:
        """Forget the oldest n_samples, or as many as are ready -> how many. Belongs to the reading side."""
        n = max(0, min(n_samples, self.n_ready))
        self.n_taken += n
        return n
