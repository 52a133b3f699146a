"""One more network is one more file: found in a folder that is named, known to the settings, and dreamt with."""

import itertools

import numpy as np
import pytest
import torch

from visualizer.dream.baking import dream_on
from visualizer.networks import DEFAULT_NETWORK, NETWORKS, find_networks
from visualizer.settings import DreamSettings

FOUND = find_networks("visualizer.dream.nets", "tests.dream.example_nets")


def test_it_is_found_beside_those_of_the_program():
    assert list(FOUND) == [DEFAULT_NETWORK, "edges", *list(NETWORKS)[1:]]  # the default first, then by year
    assert "edges" not in NETWORKS


def test_the_settings_know_it_and_its_layers():
    settings = {"network": "edges", "layer": "second", "channels": "0:16"}
    assert DreamSettings.model_validate(settings, context={"networks": FOUND}).layers == {"second": 1.0}
    with pytest.raises(ValueError, match=r"unknown layer 'third' of edges.*allowed: first, second"):
        DreamSettings.model_validate({**settings, "layer": "third"}, context={"networks": FOUND})
    with pytest.raises(ValueError, match="unknown network 'edges'"):
        DreamSettings.model_validate(settings)


def test_it_dreams(tmp_path):
    generator = torch.Generator().manual_seed(5)
    shapes = FOUND["edges"].tensor_shapes()
    torch.save({name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}, tmp_path / "own.pth")
    settings = DreamSettings.model_validate(
        {"network": "edges", "layer": "second", "n_depths": 2}, context={"networks": FOUND}
    )
    image = np.random.default_rng(5).integers(0, 256, (40, 56, 3), np.uint8)
    frames = [one.frame for one in dream_on(image, settings, weights=tmp_path / "own.pth", networks=FOUND)]
    assert len(frames) == 3 and np.array_equal(frames[0], image)
    changes = [np.abs(after.astype(int) - before).mean() for before, after in itertools.pairwise(frames)]
    assert all(change > 0.5 for change in changes), changes
