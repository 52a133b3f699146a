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
from .octaves import enlarged, row_bands
from .smoothing import toned
from .tiles import Room, seen_shifted
from .toning import enlarged_rows, headroom, local_means
from .toning import room as taken

if TYPE_CHECKING:
    from torch import Tensor

#: the finest octave goes this much further in a depth than the others: what is seen closest needs most
FINEST = 1.5
#: the first depths change a picture more than later ones do, which work on what is already a dream: this share less, halved at
#: every depth; and the last ones this share more. So that neighbouring depths differ evenly
FIRST_LESS, LAST_MORE = 0.15, 0.04


def steps_of(settings: DreamSettings, octave_index: int, n_octaves: int) -> tuple[float, float]:
    """How many steps octave `octave_index` of n_octaves (0 is the coarsest) takes at a depth, and how long each is.

    The finest takes settings.steps_per_depth, each coarser one half as many, but a step every second depth (0.5) at least:
    figures are few and large down there, and move by the same way in fewer, longer steps (docs/decisions/0006).
    """
    coarser = n_octaves - 1 - octave_index
    n_steps = max(settings.steps_per_depth / 2**coarser, 0.5)
    n_steps = float(round(n_steps)) if n_steps >= 1 else 0.5
    way = settings.step_size * (FINEST if coarser == 0 else 1.0)
    return n_steps, way / n_steps


def picture_of(state: Tensor) -> Tensor:
    """The picture of an octave's state (1, 3 or 6, h, w): what comes after it is the half of a step not yet taken."""
    return state[:, :3]


def deepened(
    before: Tensor,
    coarser_change: Tensor | None,
    depth_index: int,
    octave_index: int,
    n_octaves: int,
    network: Network,
    settings: DreamSettings,
    room: Room | None = None,
) -> Tensor:
    """One octave one depth further: what changed in the next coarser one, enlarged and added, then its own steps.

    octave_index: of n_octaves, 0 the coarsest; before: (1, 3 or 6, h, w) float32, left as it is: the picture in 0..1 and,
    for an octave that takes a step every second depth, half of that step, which is held back for the next depth.
    coarser_change: (1, 3, smaller h, smaller w), None for the coarsest.
    room: how much the network may see at once, None for all.
    Random shifts depend on settings.seed, depth and octave alone, so a depth may be tried again on another device.
    """
    import torch

    rng = np.random.default_rng([settings.seed, depth_index, octave_index])
    sigma_px = settings.smoothing_px + settings.smoothing_growth_px * depth_index / settings.n_depths
    state = picture_of(before)
    if coarser_change is not None:
        state = added(state, coarser_change, 1 - settings.blend)
    if before.shape[1] > 3:
        return (state + before[:, 3:]).clamp_(0, 1)
    n_steps, step_size = steps_of(settings, octave_index, n_octaves)
    step_size *= pace(depth_index, settings.n_depths)
    start = state
    for step_index in range(max(1, int(n_steps))):
        down, right = rng.integers(-settings.jitter_px, settings.jitter_px, size=2, endpoint=True).tolist()
        # cuts have random places of their own: a picture of one piece draws the same shifts as one in tiles
        cut_seed = (settings.seed, depth_index, octave_index, step_index)
        state = ascended(state, network, settings, sigma_px, (down, right), step_size, room, cut_seed)
    if n_steps >= 1:
        return state
    half = (state - start).mul_(0.5)
    return torch.cat((start + half, half), dim=1)


def pace(depth_index: int, n_depths: int) -> float:
    """How far a depth goes, relative to the mean: depths 1..n_depths -> about 0.85 .. 1.04."""
    return (1 - FIRST_LESS * 0.5 ** (depth_index - 1)) * (1 + LAST_MORE * (depth_index - 1) / max(n_depths - 1, 1))


def added(state: Tensor, coarser_change: Tensor, share: float) -> Tensor:
    """state (1, 3, h, w) and `share` of what changed in a coarser octave, enlarged; within 0..1."""
    change = enlarged(coarser_change, (state.shape[2], state.shape[3]))
    if share < 1:
        change.mul_(share)
    return change.add_(state).clamp_(0, 1)


def ascended(
    state: Tensor,
    network: Network,
    settings: DreamSettings,
    sigma_px: float,
    shift: tuple[int, int],
    step_size: float,
    room: Room | None = None,
    cut_seed: tuple[int, ...] = (0,),
) -> Tensor:
    """state (1, 3, h, w) in 0..1 after one ascent step of mean length step_size, seen shifted (down, right)."""

    gradient = toned(seen_shifted(state, network, shift, room, cut_seed), sigma_px, settings.colour)
    height, width = state.shape[2:]
    bands = row_bands(height, width)
    # a picture the layer does not answer to (a flat one, or a tiny one) has no direction: it stays as it is
    length = max(_mean_abs(gradient, bands), 1e-30)
    for rows in bands:
        gradient[:, :, rows].mul_(taken(gradient[:, :, rows], state[:, :, rows]))
    drift = local_means(gradient)
    for rows in bands:
        part = gradient[:, :, rows]
        back = enlarged_rows(drift, height, width, rows).mul_(settings.colour - 1)
        part.add_(back.mul_(headroom(back, state[:, :, rows])))
        part.mul_(step_size / length).add_(state[:, :, rows]).clamp_(0, 1)
    return gradient


def _mean_abs(gradient: Tensor, bands: list[slice]) -> float:
    """Mean absolute value, summed row by row: the same to the last bit for any number of threads."""
    return sum(float(gradient[:, :, rows].abs().sum(dim=3).cpu().double().sum()) for rows in bands) / gradient.numel()
