"""Mixes any number of channels down to two or to one. Pure functions on float32 samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Share of a named channel in (left, right), after the down-mix of ITU-R BS.775. The low-frequency channel, which BS.775
# drops, is kept: in surround mixes the kick may be in no other.
_HALF_POWER = 0.5**0.5
_SHARES: dict[str, tuple[float, float]] = {
    "FL": (1.0, 0.0),
    "FR": (0.0, 1.0),
    "FC": (_HALF_POWER, _HALF_POWER),
    "LFE": (0.5, 0.5),
    "BL": (_HALF_POWER, 0.0),
    "BR": (0.0, _HALF_POWER),
    "SL": (_HALF_POWER, 0.0),
    "SR": (0.0, _HALF_POWER),
    "FLC": (_HALF_POWER, 0.5),
    "FRC": (0.5, _HALF_POWER),
    "TFL": (_HALF_POWER, 0.0),
    "TFR": (0.0, _HALF_POWER),
    "TBL": (_HALF_POWER, 0.0),
    "TBR": (0.0, _HALF_POWER),
}

# The channel order of files without a channel mask, by number of channels (as in WAV, and the default of the codecs).
_UNNAMED_ORDER: dict[int, tuple[str, ...]] = {
    3: ("FL", "FR", "FC"),
    4: ("FL", "FR", "BL", "BR"),
    5: ("FL", "FR", "FC", "BL", "BR"),
    6: ("FL", "FR", "FC", "LFE", "BL", "BR"),
    7: ("FL", "FR", "FC", "LFE", "BC", "SL", "SR"),
    8: ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}


def stereo_shares(channel_names: Sequence[str]) -> np.ndarray:
    """The down-mix matrix of named channels ("FL", "FC", ...), (channels, 2) float32.

    If the larger column sum exceeds 1, the matrix is divided by it, so that the output stays within full scale. A
    channel of unknown name goes to both sides in equal parts; a single channel goes to both sides with share 1.
    """
    if len(channel_names) == 1:
        return np.ones((1, 2), np.float32)
    shares = np.array([_SHARES.get(name, (0.5, 0.5)) for name in channel_names], np.float32).reshape(-1, 2)
    loudest = float(shares.sum(axis=0).max(initial=0.0))
    return shares / loudest if loudest > 1.0 else shares


def to_stereo(planes: np.ndarray, channel_names: Sequence[str]) -> np.ndarray:
    """Mix planes, (channels, n) float32, to stereo, (n, 2) float32. One channel goes to both sides; two are left and
    right.
    """
    n_channels, n_samples = planes.shape
    out = np.empty((n_samples, 2), np.float32)
    if n_channels <= 2:
        out[:, 0] = planes[0]
        out[:, 1] = planes[-1]
        return out
    named = len(channel_names) == n_channels and any(name in _SHARES for name in channel_names)
    names = channel_names if named else _UNNAMED_ORDER.get(n_channels, ("",) * n_channels)
    np.matmul(planes.T, stereo_shares(names), out=out)
    return out


def to_mono(block: np.ndarray) -> np.ndarray:
    """The mean of all channels of a block, (n, channels) or (n,) float32, as (n,) float32; always a copy."""
    if block.ndim == 1:
        return block.astype(np.float32)
    if block.shape[1] == 2:  # the most common case; four times as fast as mean()
        return (block[:, 0] + block[:, 1]) * np.float32(0.5)
    return block.mean(axis=1, dtype=np.float32)
