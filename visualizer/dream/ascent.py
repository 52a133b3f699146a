"""One ascent: every octave keeps its state, and each depth takes it a little further.

At each depth the coarsest octave takes its steps; what changed is enlarged and added to the next finer one, which takes
its own, and so on up to the image's size. So depth k + 1 costs as much as depth 1, and grows out of depth k.
The order in which octaves and depths are worked on is that of lanes.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..settings import DreamSettings
from .network import Network
from .octaves import continued, enlarged, margins
from .smoothing import smoothed

if TYPE_CHECKING:
    from torch import Tensor

#: within this distance of black or white a step towards it is shortened in proportion, so that nothing clips flat
HEADROOM = 0.2


def deepened(
    before: Tensor,
    coarser_change: Tensor | None,
    depth_index: int,
    octave_index: int,
    n_octaves: int,
    network: Network,
    settings: DreamSettings,
) -> Tensor:
    """One octave one depth further: what changed in the next coarser one, enlarged and added, then its own steps.

    octave_index: of n_octaves, 0 the coarsest; before: (1, 3, h, w) float32 in 0..1, left as it is; coarser_change: (1, 3, smaller h, smaller w), None for the coarsest.
    Random shifts depend on settings.seed, depth and octave alone, so a depth may be tried again on another device.
    """
    rng = np.random.default_rng([settings.seed, depth_index, octave_index])
    sigma_px = settings.smoothing_px + settings.smoothing_growth_px * depth_index / settings.n_depths
    state = before
    if coarser_change is not None:
        state = (state + enlarged(coarser_change, (state.shape[2], state.shape[3]))).clamp_(0, 1)
    # the finest octaves are most of the work, and gain the least from a second look: what they show was laid out below
    n_steps = 1 if octave_index >= n_octaves - settings.n_single_octaves else settings.steps_per_depth
    step_size = settings.step_size * settings.steps_per_depth / n_steps
    for _ in range(n_steps):
        down, right = rng.integers(-settings.jitter_px, settings.jitter_px, size=2, endpoint=True).tolist()
        state = ascended(state, network, settings, sigma_px, (down, right), step_size)
    return state


def ascended(
    state: Tensor,
    network: Network,
    settings: DreamSettings,
    sigma_px: float,
    shift: tuple[int, int],
    step_size: float,
) -> Tensor:
    """state (1, 3, h, w) in 0..1 after one ascent step of mean length step_size, seen shifted (down, right)."""
    import torch

    gradient = smoothed(_seen_shifted(state, network, shift), sigma_px)
    if settings.colour < 1:
        grey = gradient.mean(dim=1, keepdim=True)
        gradient = torch.lerp(grey, gradient, settings.colour)
    # a picture the layer does not answer to (a flat one, or a tiny one) has no direction: it stays as it is
    length = max(_mean_abs(gradient), 1e-30)
    goal = (gradient > 0).to(state.dtype)  # white is 1, black is 0
    room = goal.sub_(state).abs_().div_(HEADROOM).clamp_(max=1)
    return gradient.mul_(room).mul_(step_size / length).add_(state).clamp_(0, 1)


def _seen_shifted(state: Tensor, network: Network, shift: tuple[int, int]) -> Tensor:
    """The gradient at the state, (1, 3, h, w), with the state laid `shift` px (down, right) off the network's grid.

    Seed and textbooks roll the picture, which joins its opposite edges into a seam the network then dreams about.
    Here mirrored margins move it instead: the network sees the picture go on, and borders stay natural.
    """
    height, width = state.shape[2:]
    top, bottom = margins(height, network.stride, shift[0])
    left, right = margins(width, network.stride, shift[1])
    seen = continued(state, left, right, top, bottom)
    return network.gradient(seen)[:, :, top : top + height, left : left + width]


def _mean_abs(gradient: Tensor) -> float:
    """Mean absolute value, summed row by row: the same to the last bit for any number of threads."""
    return float(gradient.abs().sum(dim=3).cpu().double().sum()) / gradient.numel()
