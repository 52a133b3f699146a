"""Fold-downs keep their level and never clip."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.audio.mixing import stereo_shares, to_mono, to_stereo

NAMES = ["FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR", "BC", "FLC", "TFL", "NONE", "?"]


@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=24))
def test_no_side_exceeds_full_scale(names: list[str]) -> None:
    shares = stereo_shares(names)
    assert shares.shape == (len(names), 2)
    assert shares.min() >= 0
    assert shares.sum(axis=0).max() <= 1 + 1e-6


def test_left_stays_left() -> None:
    planes = np.zeros((6, 4), np.float32)
    planes[0] = 1.0
    sides = to_stereo(planes, ["FL", "FR", "FC", "LFE", "BL", "BR"])
    assert (sides[:, 0] > 0.25).all()
    assert not sides[:, 1].any()


def test_surround_without_channel_names_is_taken_in_the_usual_order() -> None:
    planes = np.random.default_rng(0).normal(size=(6, 100)).astype(np.float32)
    named = to_stereo(planes, ["FL", "FR", "FC", "LFE", "BL", "BR"])
    assert np.array_equal(to_stereo(planes, ["NONE"] * 6), named)


@pytest.mark.parametrize("n_channels", [1, 2, 3, 5, 9, 64])
def test_equal_channels_give_that_level(n_channels: int) -> None:
    planes = np.full((n_channels, 7), 0.5, np.float32)
    sides = to_stereo(planes, ["NONE"] * n_channels)
    assert sides.shape == (7, 2)
    assert np.allclose(sides[:, 0], sides[:, 1])
    assert sides.max() <= 0.5 + 1e-6
    assert sides.min() > 0.4


@pytest.mark.parametrize("shape", [(5,), (5, 1), (5, 2), (5, 7), (0, 2)])
def test_mono_is_the_mean_of_all_channels(shape: tuple[int, ...]) -> None:
    block = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    mono = to_mono(block)
    assert mono.dtype == np.float32
    assert np.allclose(mono, block.reshape(shape[0], int(np.prod(shape[1:]))).mean(axis=1) if block.size else [])
    mono[:] = 9
    assert not (block == 9).any()
