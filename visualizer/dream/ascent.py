"""One ascent: every octave keeps its state, and each depth takes it a little further.

At each depth the coarsest octave takes its steps; what changed is enlarged and added to the next finer one, which takes
its own, and so on up to the image's size. So depth k + 1 costs as much as depth 1, and grows out of depth k.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..settings import DreamSettings
from .network import Network
from .octaves import enlarged, margins, mirrored
from .smoothing import smoothed

if TYPE_CHECKING:
    from torch import Tensor

#: within this distance of black or white a step towards it is shortened in proportion, so that nothing clips flat
HEADROOM = 0.2


def deepened(states: list[Tensor], depth_index: int, network: Network, settings: DreamSettings) -> list[Tensor]:
    """The octaves' states one depth further; the given ones, (1, 3, h, w) float32 in 0..1, are left as they are.

    Random rolls depend on settings.seed and depth_index alone, so a depth may be tried again on another device.
    """
    rng = np.random.default_rng([settings.seed, depth_index])
    sigma_px = settings.smoothing_px + settings.smoothing_growth_px * depth_index / settings.n_depths
    reached: list[Tensor] = []
    change: Tensor | None = None
    for before in states:
        state = before
        if change is not None:
            state = (state + enlarged(change, (state.shape[2], state.shape[3]))).clamp_(0, 1)
        for _ in range(settings.steps_per_depth):
            down, right = rng.integers(-settings.jitter_px, settings.jitter_px, size=2, endpoint=True).tolist()
            state = ascended(state, network, settings, sigma_px, (down, right))
        change = state - before
        reached.append(state)
    return reached


def ascended(
    state: Tensor, network: Network, settings: DreamSettings, sigma_px: float, shift: tuple[int, int]
) -> Tensor:
    """state (1, 3, h, w) in 0..1 after one ascent step of mean length settings.step_size, seen shifted (down, right)."""
    gradient = smoothed(_seen_shifted(state, network, shift), sigma_px)
    if settings.colour < 1:
        grey = gradient.mean(dim=1, keepdim=True)
        gradient = gradient.mul_(settings.colour).add_(grey, alpha=1 - settings.colour)
    # a picture the layer does not answer to (a flat one, or a tiny one) has no direction: it stays as it is
    length = max(_mean_abs(gradient), 1e-30)
    towards_white = gradient > 0
    room = state.where(~towards_white, 1 - state).div_(HEADROOM).clamp_(max=1)
    return gradient.mul_(room).mul_(settings.step_size / length).add_(state).clamp_(0, 1)


def _seen_shifted(state: Tensor, network: Network, shift: tuple[int, int]) -> Tensor:
    """The gradient at the state, (1, 3, h, w), with the state laid `shift` px (down, right) off the network's grid.

    Seed and textbooks roll the picture, which joins its opposite edges into a seam the network then dreams about.
    Here mirrored margins move it instead: the network sees the picture go on, and borders stay natural.
    """
    import torch

    height, width = state.shape[2:]
    top, bottom = margins(height, network.stride, shift[0])
    left, right = margins(width, network.stride, shift[1])
    rows = torch.from_numpy(mirrored(height, top, bottom)).to(state.device)
    columns = torch.from_numpy(mirrored(width, left, right)).to(state.device)
    seen = state.index_select(2, rows).index_select(3, columns)
    return network.gradient(seen)[:, :, top : top + height, left : left + width]


def _mean_abs(gradient: Tensor) -> float:
    """Mean absolute value, summed row by row: the same to the last bit for any number of threads."""
    return float(gradient.abs().sum(dim=3).cpu().double().sum()) / gradient.numel()
