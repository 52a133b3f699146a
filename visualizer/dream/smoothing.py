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
#: a gradient is blurred by these multiples of sigma, as in the original notebook
FACTORS = (2.0, 1.0, 0.5)
#: linear interpolation between values of 2 x 2 px is a blur of this variance, px squared: so much less is blurred
#: before
DOUBLED_VARIANCE_PX = 0.75


def gaussian(sigma_px: float, offset_px: float = 0.0) -> np.ndarray:
    """A normalised gaussian out to 3 sigma, (2 * radius + 1,) float64; with an offset of half a px its middle lies
    between two px, and there is one more. [1.0] for a sigma too small to blur.
    """
    radius = math.ceil(3 * sigma_px) if sigma_px > 0.05 else 0
    if radius == 0:
        return np.ones(1)
    steps = np.arange(-radius, radius + 1 + math.ceil(offset_px)) - offset_px
    kernel = np.exp(-0.5 * (steps / sigma_px) ** 2)
    return kernel / kernel.sum()


@functools.lru_cache(maxsize=64)
def _band(sigma_px: float, every: int) -> np.ndarray:
    """The blur of BLOCK_PX px as a matrix, (BLOCK_PX / every, BLOCK_PX + 2 * radius) float32, not to be changed.

    Row i is the gaussian shifted i * every px to the right. every: 2 for one value of every two px, between them.
    """
    kernel = gaussian(sigma_px, (every - 1) / 2)
    radius = (len(kernel) - 1) // 2
    band = np.zeros((BLOCK_PX // every, BLOCK_PX + 2 * radius), np.float32)
    for i, row in enumerate(band):
        row[i * every : i * every + len(kernel)] = kernel
    return band


def smoothed(
    gradient: Tensor, sigma_px: float, factors: tuple[float, ...] = FACTORS, *, is_halved: bool = False
) -> Tensor:
    """The sum of several gaussian blurs of a gradient (1, n, h, w).

    factors: multiples of sigma, the largest first. is_halved: return a value for each 2 x 2 px, (1, n,
    ceil(h / 2), ceil(w / 2)), so that `octaves.doubled` gives the same blur but for rounding: sigma is at least 1 px
    then.

    The gradient is continued by its mirror image at the borders. Float32.
    Blurs are matrix products, block by block: a convolution of one channel leaves most of a CPU's vector units idle,
    a matrix product does not, though half of what it multiplies is 0. Large pictures are blurred in bands of rows,
    which bounds the memory used on the way.
    """
    import torch

    n_channels, height, width = gradient.shape[1:]
    every = 2 if is_halved else 1
    sigmas = [sigma_px * factor for factor in factors]
    if is_halved:
        sigmas = [math.sqrt(max(sigma**2 - DOUBLED_VARIANCE_PX, 0.25)) for sigma in sigmas]
    bands = [torch.from_numpy(_band(sigma, every)).to(gradient.device) for sigma in sigmas]
    margin = (bands[0].shape[1] - BLOCK_PX) // 2
    n_across = -(-width // BLOCK_PX)
    # mirrored up to whole blocks
    rows = torch.from_numpy(mirrored(height, margin, margin + BLOCK_PX)).to(gradient.device)
    size = bands[0].shape[0]  # of what becomes of a block
    result = gradient.new_empty((n_channels, -(-height // every), n_across, size))
    for part in row_bands(result.shape[1], width * every):
        n_down = -(-(part.stop - part.start) // size)
        seen = rows[part.start * every :][: n_down * BLOCK_PX + 2 * margin]
        # channels between rows and columns: then one product blurs the columns of all channels, and another the rows
        wide = continued(gradient.transpose(1, 2).index_select(1, seen), margin, margin + -width % BLOCK_PX)[0]
        total: Tensor | None = None
        for band in bands:
            window = band.shape[1]
            cut = margin - (window - BLOCK_PX) // 2
            blocks = wide[cut:].flatten(1).unfold(0, window, BLOCK_PX)[:n_down].transpose(1, 2)
            down = torch.bmm(band.expand(n_down, -1, -1), blocks).view(n_down * size * n_channels, -1)
            blocks = down[:, cut:].unfold(1, window, BLOCK_PX)[:, :n_across].transpose(0, 1)
            across = band.t().expand(n_across, -1, -1)
            total = torch.bmm(blocks, across) if total is None else total.baddbmm_(blocks, across)
        assert total is not None
        total = total.view(n_across, n_down * size, n_channels, size)[:, : part.stop - part.start]
        result[:, part] = total.permute(2, 1, 0, 3)
    return result.flatten(2)[None, :, :, : -(-width // every)]
