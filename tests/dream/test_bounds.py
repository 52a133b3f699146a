"""How loud a picture is, and that a dream stays in bounds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from visualizer.dream.baking import bake
from visualizer.dream.bounds import Bounds, Loudness, are_bounded, loudness
from visualizer.settings import BOUNDS, DreamSettings

#: bounds that a dream without them leaves
BOUNDED = DreamSettings(
    layer="block4.expand",
    n_depths=8,
    n_octaves=3,
    step_size=0.02,
    smoothing_px=4.0,
    smoothing_growth_px=0.0,
    colour=0.6,
    contrast_growth=0.05,
    saturation_growth=0.04,
    fine_growth=0.02,
    clipped_growth=0.01,
)
FREE = BOUNDED.model_copy(update=dict.fromkeys(BOUNDS, 1.0))


def as_picture(frame: np.ndarray) -> Tensor:
    return torch.from_numpy(frame.transpose(2, 0, 1).copy())[None].float() / 255


def grown(frame: np.ndarray, image: np.ndarray) -> Loudness:
    return Loudness(*np.subtract(loudness(as_picture(frame)), loudness(as_picture(image))))


def test_loudness_of_plain_pictures() -> None:
    grey = loudness(torch.full((1, 3, 90, 160), 0.5))
    assert grey == pytest.approx((0, 0, 0, 0), abs=1e-6)
    white = loudness(torch.ones(1, 3, 90, 160))
    assert white.clipped == 1
    red = torch.full((1, 3, 90, 160), 0.25)
    red[:, 0] = 0.75
    assert loudness(red).saturation == pytest.approx((2 / 9) ** 0.5 * 0.5, rel=1e-3)
    assert loudness(red).contrast == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize(("period_px", "is_fine"), [(2, True), (8, False)])
def test_fine_detail_is_what_repeats_within_three_px(period_px: int, is_fine: bool) -> None:
    wave = 0.5 + 0.2 * torch.cos(torch.arange(160) * (2 * np.pi / period_px))
    found = loudness(wave.expand(1, 3, 96, 160))
    rms = 0.2 if period_px == 2 else 0.2 / 2**0.5
    assert found.fine == pytest.approx(rms if is_fine else 0, abs=0.02)
    assert found.contrast == pytest.approx(rms, rel=0.1)


def test_a_picture_within_its_bounds_stays_as_it_is(cloudscape: np.ndarray) -> None:
    picture = as_picture(cloudscape)
    kept = Bounds(picture, BOUNDED).kept(picture.clone())
    torch.testing.assert_close(kept, picture, rtol=0, atol=1e-5)


def test_a_loud_picture_is_brought_within(cloudscape: np.ndarray) -> None:
    image = as_picture(cloudscape)
    noise = torch.rand(image.shape, generator=torch.Generator().manual_seed(1)) - 0.5
    loud = (image + noise).clamp(0, 1)
    before, after, own = loudness(loud), loudness(Bounds(image, BOUNDED).kept(loud.clone())), loudness(image)
    assert before.contrast > own.contrast + 1.5 * BOUNDED.contrast_growth
    assert after.contrast < own.contrast + 1.1 * BOUNDED.contrast_growth
    assert after.saturation < own.saturation + 1.1 * BOUNDED.saturation_growth
    assert after.fine < own.fine + 1.5 * BOUNDED.fine_growth
    assert after.clipped < own.clipped + BOUNDED.clipped_growth < before.clipped


def test_the_smallest_pictures_have_bounds() -> None:
    for size in ((1, 1), (1, 40), (7, 3)):
        for level in (0.0, 0.5, 1.0):
            picture = torch.full((1, 3, *size), level)
            assert Bounds(picture, BOUNDED).kept(picture.clone()).isfinite().all()
            assert np.isfinite(loudness(picture)).all()


def test_no_bound_is_none() -> None:
    assert are_bounded(BOUNDED)
    assert not are_bounded(FREE)


def test_every_depth_of_a_dream_is_in_bounds(cloudscape: np.ndarray) -> None:
    frames = [frame for _, frame in bake(cloudscape, BOUNDED, device="cpu")]
    free = [frame for _, frame in bake(cloudscape, FREE, device="cpu")][-1]
    limits = np.array([getattr(BOUNDED, name) for name in BOUNDS])
    for depth, frame in enumerate(frames):
        assert (np.array(grown(frame, cloudscape)) <= 1.15 * limits).all(), depth
    assert (np.array(grown(free, cloudscape))[:3] > limits[:3]).all(), "without bounds it is louder"
    assert np.abs(frames[-1].astype(int) - cloudscape).mean() > 8, "and it is dreamt in"
