"""A journey drawn by its definition, in floats, for comparison with what the graphics card draws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from visualizer.journey.edge import soft_edge
from visualizer.journey.geometry import Placement


def drawn(frames: dict[int, Sequence[np.ndarray]], found: Sequence[Placement], depth: float) -> np.ndarray:
    """The picture (height, width, 3), levels of 255. frames: of each station, by its number; found: the innermost first."""
    height, width = frames[found[0].station][0].shape[:2]
    v, u = np.mgrid[0:height, 0:width]
    u, v = (u + 0.5) / width, (v + 0.5) / height
    total, left = np.zeros((height, width, 3)), np.ones((height, width, 1))
    for one in found:
        row, other = one.matrix(width / height)
        x, y = row[0] * u + row[1] * v + row[2], other[0] * u + other[1] * v + other[2]
        share = left * (one.weight * soft_edge(x, y, one.feather))[..., None]
        total += share * sampled(frames[one.station], depth * one.depth, x, y)
        left = left - share
    return total


def sampled(frames: Sequence[np.ndarray], depth: float, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The crossfade of two dream frames at places 0..1, linear between pixels, clamped to the edge."""
    lower = min(int(depth), len(frames) - 1)
    upper = min(lower + 1, len(frames) - 1)
    share = depth - lower
    return linear(frames[lower], x, y) * (1 - share) + linear(frames[upper], x, y) * share


def linear(frame: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A frame at places 0..1, linear between pixels, clamped to the edge."""
    height, width = frame.shape[:2]
    x = np.clip(x * width - 0.5, 0, width - 1)
    y = np.clip(y * height - 0.5, 0, height - 1)
    left, top = np.minimum(x.astype(int), width - 2), np.minimum(y.astype(int), height - 2)
    across, down = (x - left)[..., None], (y - top)[..., None]
    upper = frame[top, left] * (1 - across) + frame[top, left + 1] * across
    lower = frame[top + 1, left] * (1 - across) + frame[top + 1, left + 1] * across
    return upper * (1 - down) + lower * down
