"""What a layer's goal is worth, and the way it points."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import visualizer.dream.objective as objective
from visualizer.dream.objective import MAX_GUIDE_POSITIONS, Similarity, Strength, chosen, guide_features

CHANNELS = [None, (0, 2, 7), (5,)]


def activation(*size: int, seed: int = 1) -> Tensor:
    """(1, 8, *size), half of it shut, as behind a ReLU."""
    return torch.randn(1, 8, *size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).relu_()


@pytest.mark.parametrize("channels", CHANNELS)
def test_strength_points_the_way_its_value_rises(channels: tuple[int, ...] | None) -> None:
    a = activation(5, 7).requires_grad_()
    goal = Strength(channels)
    picked = a if channels is None else a[:, list(channels)]
    picked.square().sum().backward()
    assert goal.value(a.detach()) == pytest.approx(float(picked.detach().square().mean()))
    assert torch.allclose(goal.slope * goal.direction(a.detach()), a.grad)


def test_strength_of_all_channels_costs_nothing() -> None:
    a = activation(3, 3)
    assert Strength().direction(a) is a


@pytest.mark.parametrize("channels", CHANNELS)
def test_likeness_points_to_the_nearest_of_the_guides_features(
    channels: tuple[int, ...] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = guide_features(activation(4, 3, seed=2), channels)
    a = activation(5, 7).requires_grad_()
    goal = Similarity(features, channels)
    rows = (a if channels is None else a[:, list(channels)]).flatten(2)[0].T
    best = (rows @ features.T).max(dim=1).values
    best.sum().backward()
    assert goal.value(a.detach()) == pytest.approx(float(best.detach().mean()) / features.shape[1])
    expected = a.grad * (a.detach() > 0)  # through the layer's own ReLU
    assert torch.allclose(goal.direction(a.detach()), expected)
    monkeypatch.setattr(objective, "POSITIONS_AT_ONCE", 4)
    assert torch.allclose(goal.direction(a.detach()), expected)


def test_likeness_leaves_the_activation_as_it_is() -> None:
    a = activation(5, 7)
    before = a.clone()
    Similarity(guide_features(a, None)).direction(a)
    assert torch.equal(a, before)


@pytest.mark.parametrize("size", [(1, 1), (32, 32), (33, 32), (300, 2), (500, 700)])
def test_a_guide_is_thinned_evenly(size: tuple[int, int]) -> None:
    rows = torch.arange(size[0]).view(1, 1, -1, 1).expand(1, 1, *size)
    columns = torch.arange(size[1]).view(1, 1, 1, -1).expand(1, 1, *size)
    features = guide_features(torch.cat((rows, columns), dim=1), None)
    assert 1 <= len(features) <= MAX_GUIDE_POSITIONS
    if size[0] * size[1] <= MAX_GUIDE_POSITIONS:
        assert len(features) == size[0] * size[1]
    for column, n in enumerate(size):
        steps = features[:, column].unique().diff()
        assert len(steps.unique()) <= 1
        assert features[:, column].max() >= n - 1 - (steps[0] if len(steps) else 0)


def test_chosen_channels_keep_their_order() -> None:
    a = activation(2, 2)
    assert torch.equal(chosen(a, (2, 5)), a[:, [2, 5]])
    assert chosen(a, None) is a
