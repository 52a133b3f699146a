"""The image pyramid: sizes, scaling, and the mirrored margins that shift a picture."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import numpy as np

from ..settings import DreamSettings

if TYPE_CHECKING:
    from torch import Tensor

#: an octave whose shorter side would be smaller is mostly margin to the network, and is left out
MIN_SIDE_PX = 32
#: pictures up to this size are blurred and changed in one piece, larger ones in bands of rows of about this many px
BAND_PX = 4_500_000
#: on a CPU, many short operations are done on bands of about this many px, whose values stay in its cache meanwhile
CACHE_PX = 32_000
#: the shorter side of a picture for which the lengths in the settings are px
REFERENCE_PX = 720


def for_picture(settings: DreamSettings, height: int, width: int) -> DreamSettings:
    """The settings for a picture of that size, so that it is dreamt in alike at every size: smoothing and jitter in
    its px, and for a picture larger than REFERENCE_PX more octaves, so that the coarsest is as small as it is there.
    """
    scale = min(height, width) / REFERENCE_PX
    n_more = max(0, round(math.log(scale, settings.octave_scale)))
    return settings.model_copy(
        update={
            "smoothing_px": settings.smoothing_px * scale,
            "smoothing_growth_px": settings.smoothing_growth_px * scale,
            "jitter_px": round(settings.jitter_px * scale),
            "n_octaves": settings.n_octaves + n_more,
        }
    )


def octave_sizes(height: int, width: int, n_octaves: int, octave_scale: float) -> list[tuple[int, int]]:
    """(height, width) of every octave, coarsest first; the last is the image itself and always included."""
    sizes = [(height, width)]
    for index in range(1, n_octaves):
        size = (round(height / octave_scale**index), round(width / octave_scale**index))
        if min(size) < MIN_SIDE_PX:
            break
        sizes.append(size)
    return sizes[::-1]


def pyramid(image: Tensor, sizes: list[tuple[int, int]]) -> list[Tensor]:
    """image (1, 3, h, w) float32 -> one per size, each scaled from the image itself without aliasing."""
    from torch.nn.functional import interpolate

    return [
        image.clone() if size == tuple(image.shape[2:]) else interpolate(image, size, mode="bilinear", antialias=True)
        for size in sizes
    ]


def enlarged(change: Tensor, size: tuple[int, int]) -> Tensor:
    """A change of one octave enlarged to the next finer one: (1, 3, h, w) -> (1, 3, *size)."""
    from torch.nn.functional import interpolate

    # when enlarging, "antialias" only changes how it is computed: rows, then columns, in half the time
    return interpolate(change, size, mode="bicubic", antialias=True)


def halved(x: Tensor) -> Tensor:
    """x (1, n, h, w) averaged over 2 x 2 px: (1, n, ceil(h / 2), ceil(w / 2)); mirrored at an odd border."""
    height, width = x.shape[2:]
    if height % 2 or width % 2:
        x = continued(x, 0, width % 2, 0, height % 2)
    rows = x[:, :, ::2] + x[:, :, 1::2]
    return (rows[..., ::2] + rows[..., 1::2]).mul_(0.25)


def doubled(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Values of 2 x 2 px, as of `halved`, enlarged to the px by linear interpolation: (1, n, .., ..) -> (1, n, *size),
    a view of a larger tensor if that is odd.
    """
    import torch
    from torch.nn.functional import pad

    n_channels, height, width = x.shape[1:]
    wide = pad(x, (1, 1, 1, 1), mode="replicate")
    # a px lies a quarter of the way from its own value to the next one
    rows = x.new_empty((1, n_channels, height, 2, width + 2))
    torch.lerp(wide[:, :, 1:-1], wide[:, :, :-2], 0.25, out=rows[:, :, :, 0])
    torch.lerp(wide[:, :, 1:-1], wide[:, :, 2:], 0.25, out=rows[:, :, :, 1])
    rows = rows.view(1, n_channels, 2 * height, width + 2)
    both = x.new_empty((1, n_channels, 2 * height, width, 2))
    torch.lerp(rows[..., 1:-1], rows[..., :-2], 0.25, out=both[..., 0])
    torch.lerp(rows[..., 1:-1], rows[..., 2:], 0.25, out=both[..., 1])
    return both.view(1, n_channels, 2 * height, 2 * width)[:, :, : size[0], : size[1]]


def corners(x: Tensor) -> Tensor:
    """The upper left px of each 2 x 2 of `doubled`, (1, n, h, w) -> the same: as long as the others, on average."""
    import torch
    from torch.nn.functional import pad

    wide = pad(x, (1, 0, 1, 0), mode="replicate")
    rows = torch.lerp(wide[:, :, 1:], wide[:, :, :-1], 0.25)
    return torch.lerp(rows[..., 1:], rows[..., :-1], 0.25)


@functools.lru_cache(maxsize=1024)
def mirrored(n: int, before: int, after: int) -> np.ndarray:
    """Indices into a row of n px that continue it by its mirror image: (before + n + after,) int64, not to be changed.

    The mirror image repeats as often as the margins need, so any n >= 1 works.
    """
    return np.pad(np.arange(n, dtype=np.int64), (before, after), mode="reflect")


def continued(x: Tensor, left: int, right: int, top: int = 0, bottom: int = 0) -> Tensor:
    """x (1, n, h, w) continued by its mirror image, by margins in px of any size: (1, n, top + h + bottom, ..)."""
    import torch
    from torch.nn.functional import pad

    height, width = x.shape[2:]
    if max(left, right) < width and max(top, bottom) < height:
        return pad(x, (left, right, top, bottom), mode="reflect")  # twice as fast as by indices
    rows, columns = mirrored(height, top, bottom), mirrored(width, left, right)
    return x.index_select(2, torch.from_numpy(rows).to(x.device)).index_select(
        3, torch.from_numpy(columns).to(x.device)
    )


def margins(n: int, stride: int, shift: int) -> tuple[int, int]:
    """Margins before and after n px that move the image `shift` px to the right on the network's grid.

    before + n + after is 1 more than a multiple of the stride: then every "same" padding of the network is symmetric
    and needs no copy. Both margins are below 2 * stride.
    """
    total = stride + (1 - n) % stride
    before = shift % stride
    return before, total - before


def row_bands(height: int, width: int, most_px: int | None = None) -> list[slice]:
    """The rows of a picture in bands of about most_px, None for BAND_PX: one band up to that size."""
    n_bands = -(-height * width // (most_px or BAND_PX))
    rows = -(-height // n_bands)
    return [slice(first, min(first + rows, height)) for first in range(0, height, rows)]


def cache_bands(x: Tensor) -> list[slice]:
    """The rows of x (1, n, h, w) in bands that fit into a CPU's cache; all of them on other devices."""
    height, width = x.shape[2:]
    return row_bands(height, width, CACHE_PX) if x.device.type == "cpu" else [slice(0, height)]
