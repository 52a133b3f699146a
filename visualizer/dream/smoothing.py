"""The gradient's blur: it takes the speckle out of a dream."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .octaves import mirrored

if TYPE_CHECKING:
    from torch import Tensor


def gaussian(sigma_px: float) -> np.ndarray:
    """A normalised gaussian, (2 * radius + 1,) float64, out to 3 sigma. [1.0] for a sigma too small to blur."""
    radius = math.ceil(3 * sigma_px) if sigma_px > 0.05 else 0
    if radius == 0:
        return np.ones(1)
    steps = np.arange(-radius, radius + 1) / sigma_px
    kernel = np.exp(-0.5 * steps**2)
    return kernel / kernel.sum()


def smoothed(gradient: Tensor, sigma_px: float) -> Tensor:
    """Three gaussian blurs of a gradient (1, 3, h, w), of sigma / 2, sigma and 2 sigma px, summed: the seed's recipe.

    The gradient is continued by its mirror image at the borders. Float32, channels last.
    """
    import torch
    from torch.nn.functional import conv2d

    n_channels, height, width = gradient.shape[1:]
    kernels = [gaussian(sigma_px * factor) for factor in (2.0, 1.0, 0.5)]
    margin = len(kernels[0]) // 2
    rows, columns = (torch.from_numpy(mirrored(n, margin, margin)).to(gradient.device) for n in (height, width))
    wide = gradient.index_select(2, rows).index_select(3, columns)
    total = None
    for kernel in kernels:
        radius = len(kernel) // 2
        line = torch.from_numpy(kernel.astype(np.float32)).to(gradient.device)
        cut = margin - radius
        blurred = wide[:, :, cut : height + 2 * margin - cut, cut : width + 2 * margin - cut]
        # one colour channel, one blur: as a depthwise convolution of the interleaved picture it is fastest
        blurred = blurred.contiguous(memory_format=torch.channels_last)
        blurred = conv2d(blurred, line.expand(n_channels, 1, 1, -1), groups=n_channels)
        blurred = conv2d(blurred, line[:, None].expand(n_channels, 1, -1, 1), groups=n_channels)
        total = blurred if total is None else total.add_(blurred)
    assert total is not None
    return total
