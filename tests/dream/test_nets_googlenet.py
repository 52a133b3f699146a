"""GoogLeNet is the network that torchvision publishes, proven against googlenet_pytorch, whose names are
torchvision's.
"""

from __future__ import annotations

import pytest
import torch
from googlenet_pytorch import GoogLeNet
from torch import Tensor

from tests.dream.independent import (
    IMAGENET_MEAN,
    IMAGENET_SPREAD,
    Answers,
    assert_same_activations,
    assert_same_gradient,
    listening,
    noise,
    random_weights,
)
from visualizer.networks import NETWORKS
from visualizer.settings import DreamSettings


def published() -> GoogLeNet:
    """Without the side exits, which the published file has and dreaming does not look at."""
    with torch.device("meta"):
        return GoogLeNet.from_name("googlenet", {"aux_logits": False})


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    return random_weights("googlenet", seed=22)


@pytest.fixture(scope="module")
def answers(weights: dict[str, Tensor]) -> Answers:
    network = published()
    network.to_empty(device="cpu").load_state_dict(weights, strict=True)
    network.requires_grad_(False).eval().double()
    assert network.transform_input
    layers = {name: network.get_submodule(name) for name in NETWORKS["googlenet"].layer_names}

    def answer(image: Tensor) -> dict[str, Tensor]:
        with listening(layers) as heard:
            network((image - IMAGENET_MEAN) / IMAGENET_SPREAD)
        return heard

    return answer


def test_tensor_shapes_are_the_published_ones() -> None:
    found = published().state_dict()
    counted = {name: tuple(tensor.shape) for name, tensor in found.items() if "num_batches" not in name}
    assert NETWORKS["googlenet"].tensor_shapes() == counted


@pytest.mark.parametrize("size", [(64, 96), (51, 37)])
def test_every_layer_answers_alike(size: tuple[int, int], weights: dict[str, Tensor], answers: Answers) -> None:
    assert_same_activations("googlenet", weights, answers, noise(*size))


@pytest.mark.parametrize(
    ("layer", "size"), [("conv1", (20, 31)), ("conv3", (48, 32)), ("inception4a", (35, 49)), ("inception5a", (64, 96))]
)
def test_gradient_is_autograds(layer: str, size: tuple[int, int], weights: dict[str, Tensor], answers: Answers) -> None:
    assert_same_gradient(DreamSettings(network="googlenet", layer=layer), weights, answers, noise(*size))


@pytest.mark.parametrize("guided", [False, True])
def test_several_layers_channels_and_a_guide(guided: bool, weights: dict[str, Tensor], answers: Answers) -> None:
    layers = {"conv2": 0.5, "inception4d": 2.0, "inception3a": 1.0}
    settings = DreamSettings(network="googlenet", layer=layers, channels="3:40, 60")
    assert_same_gradient(settings, weights, answers, noise(64, 96), noise(33, 50, seed=3) if guided else None)
