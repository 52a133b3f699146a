"""Test pictures whose every pixel is known, and what a drawn one must look like."""

from __future__ import annotations

import numpy as np


def noise(size: tuple[int, int], seed: int) -> np.ndarray:
    """Random pixels: (H, W, 3) uint8."""
    return np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)


def smooth(size: tuple[int, int], seed: int = 0) -> np.ndarray:
    """Slow waves, different in each colour and direction: (H, W, 3) uint8. Survives being scaled."""
    width, height = size
    x, y = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
    waves = [np.sin(3 * x + seed), np.sin(4 * y + 1 + seed), np.sin(2 * x + 3 * y + 2 + seed)]
    return ((np.stack(waves, -1) + 1) * 127.5).astype(np.uint8)


def blend(frames: list[np.ndarray], depth: float) -> np.ndarray:
    """The crossfade by its definition, in floats: (H, W, 3)."""
    lower = min(int(depth), len(frames) - 1)
    upper = min(lower + 1, len(frames) - 1)
    mix = depth - lower
    return frames[lower] * (1 - mix) + frames[upper] * mix


def worst(a: np.ndarray, b: np.ndarray) -> float:
    """The largest difference of two pictures, levels of 255."""
    assert a.shape == b.shape
    return float(np.abs(a.astype(np.float64) - b.astype(np.float64)).max())
