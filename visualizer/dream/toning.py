"""Rules that keep an image's brightness and colour while it is dreamt in.

Steps of equal length up and down are not neutral: next to black there is only room upwards, so a dark picture would
turn into grey fog, and a saturated one would fade. Three rules prevent it: steps shorten next to black and white, steps
out of the dark are short, and what a step adds to the mean of a wide neighbourhood is subtracted again.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

from .device import by_threads, one_thread
from .octaves import cache_bands, corners

if TYPE_CHECKING:
    from torch import Tensor

#: within this distance of black or white a step towards it is shortened in proportion, so that nothing clips
HEADROOM = 0.2
#: within this distance of black (white) a step away from it is shortened too, down to DARK_FRACTION (WHITE_FRACTION)
WALL = 0.25
DARK_FRACTION = 0.3
WHITE_FRACTION = 0.7
#: side of the neighbourhood whose mean brightness and colour are held, px of the octave
DRIFT_PX = 16
#: strength of colour relative to grey where `colour` is 1: as three blurs would make it, though only the widest is
#: computed
COLOUR_GAIN = 5.0


def tone(step: Tensor, grey: Tensor, state: Tensor, colour: float, length: float, is_halved: bool) -> None:
    """Make a step of a blurred gradient, in place.

    Parameters
    ----------
    step: (1, 3, h, w), the widest blur; grey: (1, 1, h, w), see `weigh_colours`.
    state: the picture, (1, 3, h, w) in 0..1; colour: 0..1, see `weigh_colours`.
    length: mean length of the step, before it is shortened next to black and white.
    is_halved: all of them have a value for each 2 x 2 px, and the step is enlarged by `doubled` afterwards.
    """
    height, width = step.shape[2:]
    bands = cache_bands(step)

    def weigh(rows: slice) -> float:
        part = step[:, :, rows]
        weigh_colours(part, grey[:, :, rows], colour)
        total = float((corners(part) if is_halved else part).abs().sum(dim=3).cpu().double().sum())
        part.mul_(damping(part, state[:, :, rows]))
        return total

    total = sum(by_threads(weigh, bands))
    # a picture on which the layer is all 0 (a flat one, or a tiny one) has no direction: it is not changed
    factor = length / max(total / step.numel(), 1e-30)
    with one_thread():
        means = local_means(step, DRIFT_PX // 2 if is_halved else DRIFT_PX)
        drift = columns_enlarged(means.mul_(factor * (colour - 1)), width)

    def hold(rows: slice) -> None:
        back = rows_enlarged(drift, height, rows)
        step[:, :, rows].mul_(factor).add_(back.mul_(headroom(back, state[:, :, rows])))

    by_threads(hold, bands)


def weigh_colours(wide: Tensor, grey: Tensor, colour: float) -> None:
    """Weigh the colours of a blurred gradient against its grey, in place: `colour` 0 keeps grey only, 1 all of the
    colour.

    wide: (1, 3, h, w), the widest blur of the gradient; grey: (1, 1, h, w), the two others of its grey. Colours get the
    widest only: fine grain in them is speckle, and no figure needs it.
    """
    strength = colour * COLOUR_GAIN
    own = wide.mean(dim=1, keepdim=True).mul_(1 - strength).add_(grey)
    wide.mul_(strength).add_(own)


def headroom(step: Tensor, state: Tensor) -> Tensor:
    """The fraction 0..1 of each step that fits between the state and black or white. Both of any one shape."""
    return _headroom(step, state - 0.5)


def _headroom(step: Tensor, around_grey: Tensor) -> Tensor:
    # 0.5 more or less, by the direction of the step, is left up to white or down to black
    return step.sign().mul_(around_grey).mul_(-1 / HEADROOM).add_(0.5 / HEADROOM).clamp_(max=1)


def damping(step: Tensor, state: Tensor) -> Tensor:
    """The fraction 0..1 of each step that is taken: headroom, and less than 1 out of black or white."""
    import torch

    around_grey = state - 0.5
    fraction = _headroom(step, around_grey)
    # lines from the fraction at black (white) to 1 at the distance WALL
    for slope, at_wall in (((1 - DARK_FRACTION) / WALL, DARK_FRACTION), ((WHITE_FRACTION - 1) / WALL, WHITE_FRACTION)):
        torch.minimum(fraction, around_grey.mul(slope).add_(at_wall + 0.5 * abs(slope)), out=fraction)
    return fraction


def local_means(x: Tensor, side_px: int) -> Tensor:
    """x (1, 3, h, w) averaged over neighbourhoods of about side_px: (1, 3, n, m)."""
    from torch.nn.functional import interpolate

    n, m = (max(1, round(side / side_px)) for side in x.shape[2:])
    return interpolate(x, (n, m), mode="area")


def columns_enlarged(means: Tensor, width: int) -> Tensor:
    """The columns of local_means enlarged: (1, 3, n, m) -> (1, 3, n, width) by linear interpolation."""
    import torch

    _, across = _between(width, means.shape[3], 0, width)
    return torch.matmul(means, across.t().to(means.device))


def rows_enlarged(means: Tensor, height: int, rows: slice) -> Tensor:
    """Then some of the rows: (1, 3, n, w) enlarged to (1, 3, height, w) by linear interpolation: (1, 3, rows, w)."""
    import torch

    cells, down = _between(height, means.shape[2], rows.start, rows.stop)
    return torch.matmul(down.to(means.device), means[:, :, cells])


@functools.lru_cache(maxsize=1024)  # it takes longer than the enlarging
def _between(n: int, n_coarse: int, first: int, end: int) -> tuple[slice, Tensor]:
    """Linear interpolation from the centres of n_coarse cells to px first .. end - 1 of n, constant beyond the outer
    ones: the cells that those need, and their weights, (px, cells) float32, not to be changed.
    """
    import torch

    at = ((torch.arange(first, end) + 0.5) * n_coarse / n - 0.5).clamp_(0, n_coarse - 1)
    cells = slice(math.floor(at[0]), math.ceil(at[-1]) + 1)
    return cells, (1 - (at[:, None] - torch.arange(cells.start, cells.stop)).abs()).clamp_(min=0)
