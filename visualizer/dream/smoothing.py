"""The gradient's blur: it removes speckle from a dream."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import numpy as np

from .octaves import continued, mirrored, row_bands

if TYPE_CHECKING:
    from torch import Tensor

#: side of the blocks that are blurred at once, px: larger ones multiply more zeros, smaller ones make more calls
BLOCK_PX = 16


def gaussian(sigma_px: float) -> np.ndarray:
    """A normalised gaussian, (2 * radius + 1,) float64, out to 3 sigma. [1.0] for a sigma too small to blur."""
    radius = math.ceil(3 * sigma_px) if sigma_px > 0.05 else 0
    if radius == 0:
        return np.ones(1)
    steps = np.arange(-radius, radius + 1) / sigma_px
    kernel = np.exp(-0.5 * steps**2)
    return kernel / kernel.sum()


@functools.lru_cache(maxsize=64)
def _band(sigma_px: float) -> np.ndarray:
    """The blur of BLOCK_PX px as a matrix, (BLOCK_PX, BLOCK_PX + 2 * radius) float32, not to be changed.

    Row i is the gaussian shifted i px to the right.
    """
    kernel = gaussian(sigma_px)
    band = np.zeros((BLOCK_PX, BLOCK_PX + len(kernel) - 1), np.float32)
    for i in range(BLOCK_PX):
        band[i, i : i + len(kernel)] = kernel
    return band


def smoothed(gradient: Tensor, sigma_px: float, factors: tuple[float, ...] = (2.0, 1.0, 0.5)) -> Tensor:
    """Three gaussian blurs of a gradient (1, n, h, w), of sigma / 2, sigma and 2 sigma px, summed, as in the original
    notebook.

    factors: multiples of sigma instead of these; the largest first.

    The gradient is continued by its mirror image at the borders. Float32. Large ones are blurred in bands of rows,
    which bounds the memory used on the way.
    """
    import torch

    height, width = gradient.shape[2:]
    bands = row_bands(height, width)
    if len(bands) == 1:
        return _smoothed(gradient, sigma_px, factors)
    margin = len(gaussian(factors[0] * sigma_px)) // 2
    rows = torch.from_numpy(mirrored(height, margin, margin)).to(gradient.device)
    total = torch.empty_like(gradient)
    for band in bands:
        part = gradient.index_select(2, rows[band.start : band.stop + 2 * margin])
        total[:, :, band] = _smoothed(part, sigma_px, factors)[:, :, margin:][:, :, : band.stop - band.start]
    return total


def _smoothed(gradient: Tensor, sigma_px: float, factors: tuple[float, ...]) -> Tensor:
    """The same, in one piece.

    Blurs are matrix products, block by block: a convolution of one channel leaves most of a CPU's vector units idle,
    a matrix product does not, though half of what it multiplies is 0.
    """
    import torch

    n_channels, height, width = gradient.shape[1:]
    bands = [torch.from_numpy(_band(sigma_px * factor)).to(gradient.device) for factor in factors]
    margin = (bands[0].shape[1] - BLOCK_PX) // 2
    # mirrored up to whole blocks
    right, bottom = (margin + -n % BLOCK_PX for n in (width, height))
    # channels between rows and columns: then one product blurs the columns of all channels, and another the rows of all
    rows = torch.from_numpy(mirrored(height, margin, bottom)).to(gradient.device)
    wide = continued(gradient.transpose(1, 2), margin, right)[0].index_select(0, rows)
    n_down, n_across = (-(-n // BLOCK_PX) for n in (height, width))
    total: Tensor | None = None
    for band in bands:
        window = band.shape[1]
        cut = margin - (window - BLOCK_PX) // 2
        blocks = wide[cut:].flatten(1).unfold(0, window, BLOCK_PX)[:n_down].transpose(1, 2)
        down = torch.bmm(band.expand(n_down, -1, -1), blocks).view(n_down * BLOCK_PX * n_channels, -1)
        blocks = down[:, cut:].unfold(1, window, BLOCK_PX)[:, :n_across].transpose(0, 1)
        across = band.t().expand(n_across, -1, -1)
        total = torch.bmm(blocks, across) if total is None else total.baddbmm_(blocks, across)
    assert total is not None
    total = total.view(n_across, n_down * BLOCK_PX, n_channels, BLOCK_PX)[:, :height]
    return total.permute(2, 1, 0, 3).flatten(2)[None, :, :, :width]
