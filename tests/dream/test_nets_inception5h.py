"""Inception 5h is the network that the published file belongs to, proven against lucent's, which loads that very
file.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch
from torch import Tensor

from tests.dream.independent import (
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
def lucent() -> ModuleType:
    """lucent's file of this network. Its package also takes in torchvision's networks, which is no dependency here."""
    if importlib.util.find_spec("lucent") is None:
        pytest.skip("torch-lucent is not installed: `make setup` tries to")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("torchvision", "torchvision.models"):
            patch.setitem(sys.modules, name, ModuleType(name))
        return importlib.import_module("lucent.modelzoo.inceptionv1.InceptionV1")


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    return random_weights("inception5h", seed=5)


@pytest.fixture(scope="module")
def answers(lucent: ModuleType, weights: dict[str, Tensor]) -> Answers:
    """lucent's network, taking images of any size.

    It was converted for 224x224: its padding is TensorFlow's "same" there and wherever sizes stay even, and the pool
    behind the last layer asks for 7x7. What follows the size in TensorFlow follows it here.
    """
    network = lucent.InceptionV1(redirected_ReLU=False)
    network.load_state_dict(weights, strict=True)
    network.requires_grad_(False).eval().double()
    layers = {name: network.get_submodule(name) for name in NETWORKS["inception5h"].layer_names}
    own = torch.nn.functional

    def pad(x: Tensor, padding: tuple[int, ...], value: float = 0) -> Tensor:
        one_less = {(2, 3, 2, 3): (2, 3), (0, 1, 0, 1): (0, 1)}.get(padding)
        if one_less is not None:  # stride 2: an odd size needs one more before
            before, after = one_less
            padding = (before + x.shape[3] % 2, after, before + x.shape[2] % 2, after)
        return own.pad(x, padding, value=value)

    def answer(image: Tensor) -> dict[str, Tensor]:
        with listening(layers) as heard, pytest.MonkeyPatch.context() as patch:
            functions = SimpleNamespace(
                pad=pad,
                local_response_norm=own.local_response_norm,
                avg_pool2d=lambda x, **_: x.mean((2, 3), keepdim=True),
            )
            patch.setattr(lucent, "F", functions)
            network(image * 255 - 117)
        return heard

    return answer


def test_tensor_shapes_are_the_published_ones(lucent: ModuleType) -> None:
    with torch.device("meta"):
        found = lucent.InceptionV1().state_dict()
    assert NETWORKS["inception5h"].tensor_shapes() == {name: tuple(tensor.shape) for name, tensor in found.items()}


def test_lucents_own_size_answers_like_lucent_untouched(lucent: ModuleType, weights: dict[str, Tensor]) -> None:
    network = lucent.InceptionV1(redirected_ReLU=False)
    network.load_state_dict(weights)
    network.double()
    layers = {name: network.get_submodule(name) for name in NETWORKS["inception5h"].layer_names}

    def answer(image: Tensor) -> dict[str, Tensor]:
        with listening(layers) as heard:
            network(image * 255 - 117)
        return heard

    assert_same_activations("inception5h", weights, answer, noise(224, 224))


@pytest.mark.parametrize("size", [(64, 96), (51, 37), (65, 33), (1, 2)])
def test_every_layer_answers_alike(size: tuple[int, int], weights: dict[str, Tensor], answers: Answers) -> None:
    assert_same_activations("inception5h", weights, answers, noise(*size))


@pytest.mark.parametrize(
    ("layer", "size"), [("conv2d0", (20, 31)), ("conv2d2", (48, 32)), ("mixed4a", (35, 49)), ("mixed5a", (64, 97))]
)
def test_gradient_is_autograds(layer: str, size: tuple[int, int], weights: dict[str, Tensor], answers: Answers) -> None:
    assert_same_gradient(DreamSettings(network="inception5h", layer=layer), weights, answers, noise(*size))


@pytest.mark.parametrize("guided", [False, True])
def test_several_layers_channels_and_a_guide(guided: bool, weights: dict[str, Tensor], answers: Answers) -> None:
    layers = {"conv2d1": 0.5, "mixed4d": 2.0, "mixed3a": 1.0}
    settings = DreamSettings(network="inception5h", layer=layers, channels="3:40, 60")
    assert_same_gradient(settings, weights, answers, noise(64, 96), noise(33, 50, seed=3) if guided else None)


def test_the_seeds_own_channels(weights: dict[str, Tensor], answers: Answers) -> None:
    settings = DreamSettings(network="inception5h", layer="mixed4d", channels="0:3")
    assert_same_gradient(settings, weights, answers, noise(48, 64))
