"""Light and colour are kept while a picture is dreamt in."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from visualizer.dream.baking import bake
from visualizer.dream.toning import (
    DARK_FRACTION,
    DRIFT_PX,
    HEADROOM,
    WHITE_FRACTION,
    columns_enlarged,
    damping,
    headroom,
    local_means,
    rows_enlarged,
)
from visualizer.settings import DreamSettings

DREAM = DreamSettings(layer="block6.expand", n_depths=8, n_octaves=3)


def test_a_step_into_a_wall_is_not_taken() -> None:
    state = torch.tensor([0.0, HEADROOM / 2, HEADROOM, 0.5, 1.0])
    assert headroom(-torch.ones(5), state).tolist() == pytest.approx([0, 0.5, 1, 1, 1])
    assert headroom(torch.ones(5), 1 - state).tolist() == pytest.approx([0, 0.5, 1, 1, 1])


def test_a_step_out_of_the_dark_or_the_white_is_shortened() -> None:
    up, down = torch.ones(3), -torch.ones(3)
    state = torch.tensor([0.0, 0.5, 1.0])
    assert damping(up, state).tolist() == pytest.approx([DARK_FRACTION, 1, 0])
    assert damping(down, state).tolist() == pytest.approx([0, 1, WHITE_FRACTION])


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (5, 7), (16, 16), (33, 90)])
def test_local_means_come_back_to_the_pictures_size(size: tuple[int, int]) -> None:
    x = torch.full((1, 3, *size), 0.25)
    means = local_means(x, DRIFT_PX)
    assert means.shape[2:] == tuple(max(1, round(side / DRIFT_PX)) for side in size)
    wide = columns_enlarged(means, size[1])
    back = rows_enlarged(wide, size[0], slice(0, size[0]))
    torch.testing.assert_close(back, x)
    half = slice(size[0] // 2, size[0])
    torch.testing.assert_close(rows_enlarged(wide, size[0], half), x[:, :, half])


def _club() -> np.ndarray:
    """A dark room: a few coloured beams, and the noise of a sensor. (90, 160, 3) uint8."""
    rng = np.random.default_rng(5)
    rows, columns = np.mgrid[0:90, 0:160]
    picture = rng.normal(14, 5, (90, 160, 3))
    for place, colour in ((30, (200, 30, 160)), (90, (30, 60, 220)), (130, (220, 120, 20))):
        beam = np.exp(-(((columns - place - rows * 0.3) / 7.0) ** 2))[..., None]
        picture += beam * np.array(colour)
    return picture.clip(0, 255).astype(np.uint8)


@pytest.mark.slow
def test_a_dark_picture_stays_dark_and_a_bright_one_bright(cloudscape: np.ndarray) -> None:
    for picture in (_club(), 255 - _club(), cloudscape):
        deep = [frame for _, frame in bake(picture, DREAM, device="cpu")][-1]
        assert abs(deep.mean() - picture.mean()) < 12
        assert np.abs(deep.astype(int) - picture).mean() > 6, "though it is dreamt in"


def test_strong_colours_stay_strong(cloudscape: np.ndarray) -> None:
    for picture in (_club(), cloudscape):
        deep = [frame for _, frame in bake(picture, DREAM, device="cpu")][-1]
        # by neighbourhoods: what colours do pixel by pixel is the dream's own
        seen, own = (np.ptp(one.reshape(9, 10, 16, 10, 3).mean((1, 3)), axis=2).mean() for one in (deep, picture))
        assert seen > 0.8 * own
