"""Checks of the sound that followers are given."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from .spectrum import Floats

# A sample beyond +24 dBFS is an error, not music; one of 1e30 would keep the gain reference too high for hours.
LIMIT = 16.0


def check_rate(sample_rate_hz: int) -> None:
    """Raises BadInput for a sample rate outside 8000..192000."""
    if not 8000 <= sample_rate_hz <= 192000:
        raise BadInput(f"a sample rate of {sample_rate_hz} Hz cannot be analysed; allowed: 8000 .. 192000 Hz")


def sound_block(samples: NDArray[np.floating]) -> tuple[Floats, int]:
    """A copy of a block of mono sound, (n,) float, as float64, and how many of its samples were replaced by 0: NaN,
    infinite and those beyond LIMIT.

    Raises BadInput for anything but a one-dimensional array of floats.
    """
    block = np.asarray(samples)
    if block.ndim != 1 or block.dtype.kind != "f":
        raise BadInput(
            f"sound must be a one-dimensional block of floats, got {block.dtype} of shape {block.shape}; "
            "mix to mono and scale to -1..1 first"
        )
    good = np.abs(block) <= LIMIT  # False for NaN as well
    n_bad = block.size - int(np.count_nonzero(good))
    return (np.where(good, block, 0) if n_bad else block).astype(np.float64), n_bad
