"""One step and one depth of the ascent."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

import visualizer.dream.ascent as ascent
import visualizer.dream.octaves as octaves
from visualizer.dream.ascent import HALVED_PX, ascended, deepened, pace, picture_of
from visualizer.dream.device import Compute
from visualizer.dream.network import Network
from visualizer.dream.octaves import octave_sizes, pyramid
from visualizer.dream.toning import HEADROOM
from visualizer.settings import DreamSettings

SETTINGS = DreamSettings(layer="block6.expand", n_octaves=3)


@pytest.fixture(scope="module")
def network(weights: dict[str, Tensor], cpu: Compute) -> Network:
    return Network(weights, SETTINGS.layer, cpu)


@pytest.fixture(scope="module")
def picture(cloudscape: np.ndarray) -> Tensor:
    return torch.from_numpy(cloudscape.transpose(2, 0, 1).copy())[None].float() / 255


@torch.no_grad()
@pytest.mark.slow
def test_a_step_has_the_length_asked_for_and_raises_the_objective(network: Network, picture: Tensor) -> None:
    stepped = ascended(picture, network, SETTINGS, 1.0, (3, -5), SETTINGS.step_size)
    assert network.objective(stepped) > network.objective(picture) * 1.02
    moved = (stepped - picture).abs().mean()
    assert 0.4 * SETTINGS.step_size < moved <= SETTINGS.step_size * 1.001
    longer = ascended(picture, network, SETTINGS, 1.0, (3, -5), 2 * SETTINGS.step_size)
    assert (longer - picture).abs().mean() == pytest.approx(2 * float(moved), rel=0.05)


@torch.no_grad()
def test_colour_0_moves_all_colours_alike(network: Network) -> None:
    middle = (
        torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(2)) * 0.2 + 0.4
    )  # far from black and white
    grey = (
        ascended(middle, network, SETTINGS.model_copy(update={"colour": 0.0}), 1.0, (0, 0), SETTINGS.step_size) - middle
    )
    free = (
        ascended(middle, network, SETTINGS.model_copy(update={"colour": 1.0}), 1.0, (0, 0), SETTINGS.step_size) - middle
    )
    assert (grey - grey.mean(1, keepdim=True)).abs().max() < 1e-6
    assert (free - free.mean(1, keepdim=True)).abs().mean() > SETTINGS.step_size / 10


@torch.no_grad()
def test_steps_shorten_towards_black_and_white(network: Network, picture: Tensor) -> None:
    bold = SETTINGS.model_copy(update={"step_size": 0.1})
    for level in (0.0, 1.0):
        start = (picture * 0.2 + 0.8 * level).contiguous()
        stepped = ascended(start, network, bold, 1.0, (0, 0), bold.step_size)
        outward = (stepped - start) * (1 if level else -1)
        room = (1 - start) if level else start
        assert stepped.min() >= 0 and stepped.max() <= 1
        assert room.max() <= HEADROOM + 1e-6
        # nothing that was off the limit by a little landed on it, unless its step was longer than the headroom
        assert ((outward >= room) & (room > 0)).float().mean() < 0.25
        assert outward.min() < 0  # and the way back is open


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (7, 3)])
@torch.no_grad()
@pytest.mark.slow
def test_flat_and_tiny_pictures_stay_in_range(size: tuple[int, int], network: Network) -> None:
    for level in (0.0, 0.5, 1.0):
        stepped = ascended(torch.full((1, 3, *size), level), network, SETTINGS, 1.0, (9, 200), SETTINGS.step_size)
        assert stepped.isfinite().all()
        assert stepped.min() >= 0 and stepped.max() <= 1


@torch.no_grad()
def test_a_picture_without_direction_stays_as_it_is(
    network: Network, picture: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "gradient", torch.zeros_like)
    assert torch.equal(ascended(picture, network, SETTINGS, 1.0, (0, 0), SETTINGS.step_size), picture)


@torch.no_grad()
@pytest.mark.slow
def test_a_depth_leaves_its_state_alone_and_can_be_repeated(network: Network, picture: Tensor) -> None:
    before = picture.clone()
    change = torch.full((1, 3, 64, 114), 0.01)
    first = deepened(picture, change, 4, 1, 2, network, SETTINGS)
    assert first.shape == picture.shape
    assert torch.equal(picture, before) and torch.equal(change, torch.full((1, 3, 64, 114), 0.01))
    assert torch.equal(first, deepened(picture, change, 4, 1, 2, network, SETTINGS))
    for other in ((4, 2, SETTINGS), (5, 1, SETTINGS), (4, 1, SETTINGS.model_copy(update={"seed": 1}))):
        assert not torch.equal(first, deepened(picture, change, other[0], other[1], 4, network, other[2]))


@torch.no_grad()
def test_coarse_changes_are_handed_up(network: Network, picture: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a network that pushes only the coarsest octave, its change still reaches the finest."""
    states = pyramid(picture * 0.4 + 0.3, octave_sizes(90, 160, 3, 1.4))
    coarsest = states[0].shape[2]

    def pushing(seen: Tensor) -> Tensor:
        """A pattern: what is added evenly over a neighbourhood is taken off again."""
        if seen.shape[2] >= coarsest + 2 * network.stride - 1:
            return torch.zeros_like(seen)
        rows = torch.arange(seen.shape[2])[:, None] // 4 % 2 * 2.0 - 1
        return rows.expand(seen.shape[2:]).expand_as(seen).contiguous()

    monkeypatch.setattr(network, "gradient", pushing)
    reached: list[Tensor] = []
    for index, state in enumerate(states):
        change = reached[-1] - states[index - 1] if reached else None
        reached.append(picture_of(deepened(state, change, 1, index, len(states), network, SETTINGS)))
    pushed = [(after - before).abs().mean() for before, after in zip(states, reached, strict=True)]
    assert pushed[0] > 0.5 * SETTINGS.step_size
    for coarser, finer in itertools.pairwise(pushed):
        assert finer == pytest.approx(float(coarser) * (1 - SETTINGS.blend), rel=0.15)


@torch.no_grad()
@pytest.mark.slow
def test_a_coarse_octave_takes_half_of_a_step_and_then_the_other_half(network: Network, picture: Tensor) -> None:
    first = deepened(picture, None, 1, 0, 3, network, SETTINGS)
    assert first.shape[1] == 6 and picture_of(first).shape == picture.shape
    second = deepened(first, None, 2, 0, 3, network, SETTINGS)
    assert second.shape == picture.shape
    assert (picture_of(first) - picture).abs().sum() > 0
    torch.testing.assert_close(second - picture_of(first), picture_of(first) - picture, rtol=0, atol=1e-6)
    third = deepened(second, None, 3, 0, 3, network, SETTINGS)
    assert third.shape[1] == 6, "and so on"


@torch.no_grad()
def test_what_was_held_back_comes_on_top_of_what_the_coarser_octave_hands_up(network: Network, picture: Tensor) -> None:
    start = picture * 0.4 + 0.3
    first = deepened(start, None, 1, 0, 3, network, SETTINGS)
    change = torch.full((1, 3, 64, 114), 0.01)
    second = deepened(first, change, 2, 0, 3, network, SETTINGS)
    expected = picture_of(first) + first[:, 3:] + 0.01 * (1 - SETTINGS.blend)
    torch.testing.assert_close(second, expected, rtol=0, atol=1e-5)


def test_depths_go_nearly_the_same_way_the_first_less() -> None:
    paces = [pace(depth, 20) for depth in range(1, 21)]
    assert paces == sorted(paces)
    assert 0.8 < paces[0] < 0.9 < paces[2] and paces[-1] < 1.05
    assert pace(1, 1) > 0


@torch.no_grad()
@pytest.mark.slow
def test_a_step_at_half_the_size_is_nearly_the_same(
    network: Network, picture: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = ascended(picture, network, SETTINGS, HALVED_PX, (3, -5), SETTINGS.step_size) - picture
    monkeypatch.setattr(ascent, "HALVED_PX", 2 * HALVED_PX)
    whole = ascended(picture, network, SETTINGS, HALVED_PX, (3, -5), SETTINGS.step_size) - picture
    assert half.abs().mean() == pytest.approx(float(whole.abs().mean()), rel=0.02)
    assert torch.cosine_similarity(half.flatten(), whole.flatten(), dim=0) > 0.99


@pytest.mark.parametrize(
    ("sigma_px", "tolerance"),
    [(1.0, 1e-5), (4.0, 5e-4)],  # at half the size, the mean length is measured band by band
)
@torch.no_grad()
@pytest.mark.slow
def test_a_step_in_bands_of_rows_is_the_same(
    sigma_px: float, tolerance: float, network: Network, picture: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ascended(picture, network, SETTINGS, sigma_px, (3, -5), SETTINGS.step_size)
    monkeypatch.setattr(octaves, "BAND_PX", 20 * picture.shape[3])  # of the blur
    monkeypatch.setattr(octaves, "CACHE_PX", 13 * picture.shape[3])
    banded = ascended(picture, network, SETTINGS, sigma_px, (3, -5), SETTINGS.step_size)
    torch.testing.assert_close(banded, whole, rtol=0, atol=tolerance)
