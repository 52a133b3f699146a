"""What keeps an image's light and colour while it is dreamt in.

A step as long upwards as downwards is not even: next to black there is room upwards only, so a dark picture turns to grey
fog, and a saturated one fades. Three rules against it: no step into a wall, small steps out of the dark, and what a step adds
over a wide neighbourhood is taken off again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

#: within this distance of black or white a step towards it is shortened in proportion, so that nothing clips flat
HEADROOM = 0.2
#: within this distance of black (white) a step away from it is shortened too, down to a share of DARK_SHARE (WHITE_SHARE)
WALL = 0.25
DARK_SHARE = 0.3
WHITE_SHARE = 0.7
#: side of the neighbourhood over which light and colour are held, px of the octave
DRIFT_PX = 16
#: how strong a colour is beside grey where `colour` is 1: as strong as three blurs make it, though only the widest is taken
COLOUR_GAIN = 5.0


def headroom(step: Tensor, state: Tensor) -> Tensor:
    """0..1 of each step that its direction has room for; any shapes alike."""
    return (step > 0).to(state.dtype).sub_(state).abs_().div_(HEADROOM).clamp_(max=1)


def room(step: Tensor, state: Tensor) -> Tensor:
    """0..1 of each step that is taken: headroom, and less than all out of the dark or the white."""
    dark = state.div(WALL).clamp_(max=1).mul_(1 - DARK_SHARE).add_(DARK_SHARE)
    white = state.neg().add_(1).div_(WALL).clamp_(max=1).mul_(1 - WHITE_SHARE).add_(WHITE_SHARE)
    return headroom(step, state).minimum(dark).minimum(white)


def local_means(x: Tensor) -> Tensor:
    """x (1, 3, h, w) averaged over neighbourhoods of about DRIFT_PX: (1, 3, n, m)."""
    from torch.nn.functional import interpolate

    n, m = (max(1, round(side / DRIFT_PX)) for side in x.shape[2:])
    return interpolate(x, (n, m), mode="area")


def enlarged_rows(means: Tensor, height: int, width: int, rows: slice) -> Tensor:
    """Some rows of local_means brought back to (height, width), linearly in between: (1, 3, rows, width)."""
    import torch

    down = _between(height, means.shape[2])[rows].to(means.device)
    across = _between(width, means.shape[3]).to(means.device)
    return torch.matmul(torch.matmul(down, means), across.t())


def _between(n: int, n_coarse: int) -> Tensor:
    """Linear interpolation from the middles of n_coarse cells to n px, held at the ends: (n, n_coarse) float32."""
    import torch

    at = ((torch.arange(n) + 0.5) * n_coarse / n - 0.5).clamp_(0, n_coarse - 1)
    return (1 - (at[:, None] - torch.arange(n_coarse)).abs()).clamp_(min=0)
