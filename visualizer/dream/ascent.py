"""One ascent: every octave keeps its state, and each depth takes it a little further.

At each depth the coarsest octave takes its steps; its change is enlarged and added to the next finer octave, which
takes its own steps, and so on up to the image's size. So depth k + 1 costs as much as depth 1, and continues from depth
k. wavefront.py decides in which order octaves and depths are computed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ..settings import DreamSettings
from .bounds import Bounds
from .network import Network
from .octaves import doubled, enlarged, halved
from .smoothing import FACTORS, smoothed
from .tiles import TileLimit, shifted_gradient
from .toning import tone

if TYPE_CHECKING:
    from torch import Tensor

#: how much further the finest octave goes in a depth than the others: the smallest figures need most
FINEST = 1.5
#: where the gradient is blurred by this sigma or more, px, steps are made at half the size: what is lost cannot be seen
HALVED_PX = 3.0
#: the first depths change a picture more than later ones, which start from a dream. So that neighbouring depths differ
#: evenly, depth 1 goes this fraction less, halved at every depth, and the last one goes this fraction more
FIRST_LESS, LAST_MORE = 0.15, 0.04


def steps_of(settings: DreamSettings, octave_index: int, n_octaves: int) -> tuple[float, float]:
    """How many steps octave `octave_index` of n_octaves (0 is the coarsest) takes at a depth, and how long each is.

    The finest takes settings.steps_per_depth, each coarser one half as many, but at least one every second depth (0.5):
    figures in the coarse octaves are few and large, and fewer, longer steps move them as far (docs/decisions/0006).
    """
    coarser = n_octaves - 1 - octave_index
    n_steps = max(settings.steps_per_depth / 2**coarser, 0.5)
    n_steps = float(round(n_steps)) if n_steps >= 1 else 0.5
    way = settings.step_size * (FINEST if coarser == 0 else 1.0)
    return n_steps, way / n_steps


def picture_of(state: Tensor) -> Tensor:
    """The picture in an octave's state (1, 3 or 6, h, w): channels 3 to 6 are the half step that is still to be
    added.
    """
    return state[:, :3]


def deepened(
    before: Tensor,
    coarser_change: Tensor | None,
    depth_index: int,
    octave_index: int,
    n_octaves: int,
    network: Network,
    settings: DreamSettings,
    limit: TileLimit | None = None,
    bounds: Bounds | None = None,
    before_step: Callable[[], None] = lambda: None,
) -> Tensor:
    """One octave at the next depth: the change of the next coarser one, enlarged and added, then its own steps.

    Parameters
    ----------
    before: (1, 3 or 6, h, w) float32, not changed: the picture in 0..1 and, for an octave that takes a step every
        second depth, half of that step, which is kept for the next depth.
    coarser_change: (1, 3, smaller h, smaller w), None for the coarsest.
    octave_index: of n_octaves, 0 the coarsest.
    limit: how many px the network may be given at once, None for no limit.
    bounds: of this octave, None for none.
    before_step: called before each step; what it raises ends the work.

    Random shifts depend on settings.seed, depth and octave alone, so a depth can be computed again on another device.
    """
    import torch

    rng = np.random.default_rng([settings.seed, depth_index, octave_index])
    sigma_px = settings.smoothing_px + settings.smoothing_growth_px * depth_index / settings.n_depths
    state = picture_of(before)
    if coarser_change is not None:
        state = added(state, coarser_change, 1 - settings.blend)
    if before.shape[1] > 3:
        state = (state + before[:, 3:]).clamp_(0, 1)
        return state if bounds is None else bounds.kept(state)
    n_steps, step_size = steps_of(settings, octave_index, n_octaves)
    step_size *= pace(depth_index, settings.n_depths)
    start = state
    for step_index in range(max(1, int(n_steps))):
        before_step()
        down, right = rng.integers(-settings.jitter_px, settings.jitter_px, size=2, endpoint=True).tolist()
        # cuts between tiles have a random generator of their own, so the shifts are the same with and without tiles
        cut_seed = (settings.seed, depth_index, octave_index, step_index)
        state = ascended(state, network, settings, sigma_px, (down, right), step_size, limit, cut_seed)
    if n_steps >= 1:
        return state if bounds is None else bounds.kept(state)
    half = (state - start).mul_(0.5)
    return torch.cat((start + half, half), dim=1)


def pace(depth_index: int, n_depths: int) -> float:
    """How far a depth goes, relative to the mean: depths 1..n_depths -> about 0.85 .. 1.04."""
    return (1 - FIRST_LESS * 0.5 ** (depth_index - 1)) * (1 + LAST_MORE * (depth_index - 1) / max(n_depths - 1, 1))


def added(state: Tensor, coarser_change: Tensor, fraction: float) -> Tensor:
    """state (1, 3, h, w) plus this fraction of a coarser octave's change, enlarged; within 0..1."""
    change = enlarged(coarser_change, (state.shape[2], state.shape[3]))
    if fraction < 1:
        change.mul_(fraction)
    return change.add_(state).clamp_(0, 1)


def ascended(
    state: Tensor,
    network: Network,
    settings: DreamSettings,
    sigma_px: float,
    shift: tuple[int, int],
    step_size: float,
    limit: TileLimit | None = None,
    cut_seed: tuple[int, ...] = (0,),
) -> Tensor:
    """state (1, 3, h, w) in 0..1 after one ascent step of mean length step_size. shift: px (down, right), see
    `shifted_gradient`.
    """
    gradient = shifted_gradient(state, network, shift, limit, cut_seed)
    is_halved = sigma_px >= HALVED_PX
    grey = smoothed(gradient.mean(dim=1, keepdim=True), sigma_px, FACTORS[1:], is_halved=is_halved)
    step = smoothed(gradient, sigma_px, FACTORS[:1], is_halved=is_halved)
    del gradient  # it may be large
    tone(step, grey, halved(state) if is_halved else state, settings.colour, step_size, is_halved)
    if is_halved:
        step = doubled(step, (state.shape[2], state.shape[3]))
    return step.add_(state).clamp_(0, 1)
