"""A lock-free ring buffer of samples between one writing and one reading thread."""

from __future__ import annotations

import numpy as np


class SampleRing:
    """A first-in, first-out buffer of float32 samples: one thread may write while one other reads.

    It needs no lock: each counter is changed by one side only, and only after the samples that it counts have been
    copied. `n_written` and `n_taken` count from the start and never wrap.
    """

    def __init__(self, n_samples: int, n_channels: int) -> None:
        """n_samples: capacity, at least 1; n_channels: at least 1. Raises ValueError."""
        if n_samples < 1 or n_channels < 1:
            raise ValueError(f"a ring buffer of {n_samples} samples and {n_channels} channels; both must be at least 1")
        self._samples = np.zeros((n_samples, n_channels), np.float32)
        self.n_written = 0
        self.n_taken = 0

    @property
    def n_room(self) -> int:
        """The number of samples that can be written now."""
        return len(self._samples) - (self.n_written - self.n_taken)

    @property
    def n_ready(self) -> int:
        """The number of samples that can be read now."""
        return self.n_written - self.n_taken

    def write(self, block: np.ndarray) -> int:
        """Append as much of a block, (n, channels), as there is room for. Returns the number of samples written."""
        n = min(len(block), self.n_room)
        start = self.n_written % len(self._samples)
        n_first = min(n, len(self._samples) - start)
        self._samples[start : start + n_first] = block[:n_first]
        self._samples[: n - n_first] = block[n_first:n]
        self.n_written += n
        return n

    def read_into(self, out: np.ndarray) -> int:
        """Move up to n samples into out, (n, channels); the rest of out is unchanged. Returns the number of samples
        moved.
        """
        n = min(len(out), self.n_ready)
        start = self.n_taken % len(self._samples)
        n_first = min(n, len(self._samples) - start)
        out[:n_first] = self._samples[start : start + n_first]
        out[n_first:n] = self._samples[: n - n_first]
        self.n_taken += n
        return n

    def discard(self, n_samples: int) -> int:
        """Drop up to n_samples of the oldest samples. Returns how many. For the reading side."""
        n = max(0, min(n_samples, self.n_ready))
        self.n_taken += n
        return n
