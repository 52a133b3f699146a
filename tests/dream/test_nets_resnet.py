"""ResNet-50 is the network that torchvision publishes, proven against resnet_pytorch, whose names are torchvision's."""

from __future__ import annotations

import pytest
import torch
from resnet_pytorch import ResNet
from resnet_pytorch.utils import Bottleneck, resnet
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

LAYERS = NETWORKS["resnet50"].layer_names


def published() -> ResNet:
    """The package's own table calls the 50 layers "resnet54"; ResNet-50 is (3, 4, 6, 3) bottlenecks."""
    layers, params = resnet("resnet54", Bottleneck)
    assert layers == (3, 4, 6, 3)
    return ResNet(layers, params)


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    return random_weights("resnet50", seed=50)


@pytest.fixture(scope="module")
def answers(weights: dict[str, Tensor]) -> Answers:
    with torch.device("meta"):  # spares it weights that are thrown away
        network = published()
    network.to_empty(device="cpu").load_state_dict(weights, strict=True)
    network.requires_grad_(False).eval().double()
    layers = {"conv1": network.relu, **{name: network.get_submodule(name) for name in LAYERS if name != "conv1"}}

    def answer(image: Tensor) -> dict[str, Tensor]:
        with listening(layers) as heard:
            network((image - IMAGENET_MEAN) / IMAGENET_SPREAD)
        return heard

    return answer


def test_tensor_shapes_are_the_published_ones() -> None:
    with torch.device("meta"):
        found = published().state_dict()
    counted = {name: tuple(tensor.shape) for name, tensor in found.items() if "num_batches" not in name}
    assert NETWORKS["resnet50"].tensor_shapes() == counted


@pytest.mark.parametrize("size", [(64, 96), (51, 37)])
def test_every_layer_answers_alike(size: tuple[int, int], weights: dict[str, Tensor], answers: Answers) -> None:
    assert_same_activations("resnet50", weights, answers, noise(*size))


@pytest.mark.parametrize(
    ("layer", "size"), [("conv1", (20, 31)), ("layer2.0", (48, 32)), ("layer3.1", (35, 49)), ("layer4.0", (64, 32))]
)
def test_gradient_is_autograds(layer: str, size: tuple[int, int], weights: dict[str, Tensor], answers: Answers) -> None:
    assert_same_gradient(DreamSettings(network="resnet50", layer=layer), weights, answers, noise(*size))


@pytest.mark.parametrize("guided", [False, True])
def test_several_layers_channels_and_a_guide(guided: bool, weights: dict[str, Tensor], answers: Answers) -> None:
    settings = DreamSettings(
        network="resnet50", layer={"layer1.2": 0.5, "layer3.1": 2.0, "conv1": 1.0}, channels="3:40, 60"
    )
    assert_same_gradient(settings, weights, answers, noise(64, 96), noise(33, 50, seed=3) if guided else None)
