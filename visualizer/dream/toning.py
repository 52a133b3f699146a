"""Rules that keep an image's brightness and colour while it is dreamt in.

Steps of equal length up and down are not neutral: next to black there is only room upwards, so a dark picture would
turn into grey fog, and a saturated one would fade. Three rules prevent it: steps shorten next to black and white, steps
out of the dark are short, and what a step adds to the mean of a wide neighbourhood is subtracted again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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


def headroom(step: Tensor, state: Tensor) -> Tensor:
    """The fraction 0..1 of each step that fits between the state and black or white. Both of any one shape."""
    return (step > 0).to(state.dtype).sub_(state).abs_().div_(HEADROOM).clamp_(max=1)


def damping(step: Tensor, state: Tensor) -> Tensor:
    """The fraction 0..1 of each step that is taken: headroom, and less than 1 out of black or white."""
    dark = state.div(WALL).clamp_(max=1).mul_(1 - DARK_FRACTION).add_(DARK_FRACTION)
    white = state.neg().add_(1).div_(WALL).clamp_(max=1).mul_(1 - WHITE_FRACTION).add_(WHITE_FRACTION)
    return headroom(step, state).minimum(dark).minimum(white)


def local_means(x: Tensor) -> Tensor:
    """x (1, 3, h, w) averaged over neighbourhoods of about DRIFT_PX: (1, 3, n, m)."""
    from torch.nn.functional import interpolate

    n, m = (max(1, round(side / DRIFT_PX)) for side in x.shape[2:])
    return interpolate(x, (n, m), mode="area")


def enlarged_rows(means: Tensor, height: int, width: int, rows: slice) -> Tensor:
    """Some rows of local_means enlarged to (height, width) by linear interpolation: (1, 3, rows, width)."""
    import torch

    down = _between(height, means.shape[2])[rows].to(means.device)
    across = _between(width, means.shape[3]).to(means.device)
    return torch.matmul(torch.matmul(down, means), across.t())


def _between(n: int, n_coarse: int) -> Tensor:
    """Linear interpolation from the centres of n_coarse cells to n px, constant beyond the outer ones: (n, n_coarse)
    float32.
    """
    import torch

    at = ((torch.arange(n) + 0.5) * n_coarse / n - 0.5).clamp_(0, n_coarse - 1)
    return (1 - (at[:, None] - torch.arange(n_coarse)).abs()).clamp_(min=0)
