"""A dream's palette: its colours change, its brightness does not."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from visualizer.dream.baking import bake
from visualizer.dream.palette import WEIGHTS, Palette, axis_of, colours_of, ramp
from visualizer.settings import DreamSettings

TWO = ["#2a1a6e", "#ff9a4a"]
DUOTONE = DreamSettings(
    layer="block6.expand", n_depths=3, n_octaves=3, tone="duotone", tone_colours=TWO, tone_strength=1.0
)
COMPLEMENTARY = DUOTONE.model_copy(update={"tone": "complementary"})


@pytest.fixture(scope="module")
def picture(cloudscape: np.ndarray) -> Tensor:
    return torch.from_numpy(cloudscape.transpose(2, 0, 1).copy())[None].float() / 255


def luma(picture: Tensor) -> np.ndarray:
    return np.asarray(picture[0].permute(1, 2, 0)) @ WEIGHTS


def test_a_ramp_has_each_colour_at_its_own_luma_and_none_at_black_and_white() -> None:
    found = ramp(TWO)
    assert found.shape == (256, 3)
    assert np.abs(found @ WEIGHTS).max() < 1e-6, "colours without luma"
    for colour in TWO:
        rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
        level = round(rgb @ WEIGHTS)
        assert found[level] * 255 + level == pytest.approx(rgb, abs=2)
    values = found + np.arange(256)[:, None] / 255
    assert values.min() >= -1e-6
    assert values.max() <= 1 + 1e-6


def test_the_deepest_frame_has_the_ramps_colours_and_its_own_brightness(picture: Tensor) -> None:
    palette = Palette(picture, DUOTONE)
    toned = palette.applied(picture, 3)
    levels = (luma(picture) * 255).round().astype(int)
    found = np.asarray(toned[0].permute(1, 2, 0)) - luma(picture)[..., None]
    assert np.abs(found - ramp(TWO)[levels]).max() < 1e-2
    assert np.abs(luma(toned) - luma(picture)).max() < 1e-2


def test_colours_come_in_even_steps(picture: Tensor) -> None:
    palette = Palette(picture, DUOTONE)
    depths = [palette.applied(picture, depth) for depth in range(4)]
    assert depths[0] is picture
    steps = [float((b - a).abs().mean()) for a, b in itertools.pairwise(depths)]
    assert min(steps) > 0.01
    assert max(steps) < 1.05 * min(steps)
    half = Palette(picture, DUOTONE.model_copy(update={"tone_strength": 0.5})).applied(picture, 3)
    torch.testing.assert_close(half, (picture + depths[3]) / 2, rtol=0, atol=1e-3)


def test_complementary_keeps_the_main_hue_and_its_opposite(picture: Tensor) -> None:
    toned = Palette(picture, COMPLEMENTARY).applied(picture, 3)
    axis = axis_of(np.asarray(picture[0].flatten(1).t()))
    assert axis @ WEIGHTS == pytest.approx(0, abs=1e-9)
    colour = np.asarray(toned[0].permute(1, 2, 0)) - luma(toned)[..., None]
    along = colour @ axis
    assert np.abs(colour - along[..., None] * axis).max() < 0.02
    assert along.max() > 0.05 > -0.05 > along.min(), "both hues"


@pytest.mark.parametrize("tone", ["complementary", "duotone"])
def test_grey_black_and_white_pictures_stay_in_range(tone: str) -> None:
    settings = DUOTONE.model_copy(update={"tone": tone})
    for level in (0.0, 0.5, 1.0):
        plain = torch.full((1, 3, 5, 7), level)
        toned = Palette(plain, settings).applied(plain, 3)
        assert toned.isfinite().all()
        assert np.abs(luma(toned) - level).max() < 1e-2


def test_the_colours_of_a_picture_go_from_dark_to_light(cloudscape: np.ndarray) -> None:
    colours = colours_of(cloudscape)
    assert 4 <= len(colours) <= 8
    lumas = [np.array([int(one[i : i + 2], 16) for i in (1, 3, 5)]) @ WEIGHTS for one in colours]
    assert lumas == sorted(lumas)
    assert DreamSettings(tone="duotone", tone_colours=colours).tone_colours == colours
    assert colours_of(np.full((1, 1, 3), 7, np.uint8)) == ["#070707"]


def test_a_bake_gets_its_palette_frame_by_frame(cloudscape: np.ndarray) -> None:
    plain = DUOTONE.model_copy(update={"tone": "image"})
    own, toned = ([frame for _, frame in bake(cloudscape, one, device="cpu")] for one in (plain, DUOTONE))
    assert np.array_equal(toned[0], cloudscape)
    for before, after in zip(own, toned, strict=True):
        assert np.abs((before - after.astype(float)) @ WEIGHTS).max() < 3, "the same dream"
    assert np.abs(own[-1].astype(int) - toned[-1]).mean() > 10
