"""VGG-16 is the network that torchvision publishes, proven against vgg_pytorch, whose names are torchvision's."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from vgg_pytorch import VGG
from vgg_pytorch.model import configures, make_layers

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


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    return random_weights("vgg16", seed=16, but="classifier")


@pytest.fixture(scope="module")
def answers(weights: dict[str, Tensor]) -> Answers:
    features = make_layers(configures["D"], batch_norm=False).requires_grad_(False).eval().double()
    features.load_state_dict({name.removeprefix("features."): tensor for name, tensor in weights.items()})
    # the ReLUs, named as in the paper: a group ends at a pool
    relus, group, position = {}, 1, 0
    for module in features:
        if isinstance(module, torch.nn.MaxPool2d):
            group, position = group + 1, 0
        elif isinstance(module, torch.nn.ReLU):
            position += 1
            relus[f"conv{group}_{position}"] = module

    def answer(image: Tensor) -> dict[str, Tensor]:
        with listening(relus) as heard:
            features((image - IMAGENET_MEAN) / IMAGENET_SPREAD)
        return heard

    return answer


def test_tensor_shapes_are_the_published_ones() -> None:
    with torch.device("meta"):
        published = VGG.from_name("vgg16").state_dict()
    assert NETWORKS["vgg16"].tensor_shapes() == {name: tuple(tensor.shape) for name, tensor in published.items()}


@pytest.mark.parametrize("size", [(64, 96), (51, 37)])
def test_every_layer_answers_alike(size: tuple[int, int], weights: dict[str, Tensor], answers: Answers) -> None:
    assert_same_activations("vgg16", weights, answers, noise(*size))


@pytest.mark.parametrize(("layer", "size"), [("conv1_1", (33, 40)), ("conv3_3", (48, 32)), ("conv5_3", (35, 49))])
def test_gradient_is_autograds(layer: str, size: tuple[int, int], weights: dict[str, Tensor], answers: Answers) -> None:
    assert_same_gradient(DreamSettings(network="vgg16", layer=layer), weights, answers, noise(*size))


@pytest.mark.parametrize("guided", [False, True])
def test_several_layers_channels_and_a_guide(guided: bool, weights: dict[str, Tensor], answers: Answers) -> None:
    settings = DreamSettings(
        network="vgg16", layer={"conv2_1": 0.5, "conv4_2": 2.0, "conv3_1": 1.0}, channels="3:40, 60"
    )
    assert_same_gradient(settings, weights, answers, noise(48, 64), noise(33, 50, seed=3) if guided else None)
