"""Any network, opened for dreaming: what is built of it, what it raises, and what it keeps."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from tests.dream.independent import CPU, noise, random_weights
from visualizer.dream.device import Compute, one_thread
from visualizer.dream.network import MAX_GUIDE_PX, Network, open_network
from visualizer.networks import NETWORKS
from visualizer.settings import DreamSettings

#: a layer of each network that is cheap to reach, and the beginnings of what lies above it
MIDDLE = {
    "efficientnet-lite0": ("block5.expand", ("_blocks.5._depth", "_blocks.6", "_blocks.9", "_conv_head", "_fc")),
    "inception5h": ("mixed3b", ("mixed4", "mixed5", "softmax2")),
    "googlenet": ("inception3b", ("inception4", "inception5", "fc")),
    "vgg16": (
        "conv3_2",
        ("features.14", "features.17", "features.19", *(f"features.2{n}" for n in "1468"), "classifier"),
    ),
    "resnet50": ("layer2.1", ("layer2.2", "layer3", "layer4", "fc")),
}
SEVERAL = {
    "efficientnet-lite0": {"block1.expand": 1.0, "block3.expand": 3.0},
    "inception5h": {"conv2d2": 1.0, "mixed3a": 3.0},
    "googlenet": {"conv2": 1.0, "inception3a": 3.0},
    "vgg16": {"conv1_2": 1.0, "conv2_2": 3.0},
    "resnet50": {"conv1": 1.0, "layer1.1": 3.0},
}


@pytest.fixture(scope="module")
def lower_weights() -> dict[str, dict[str, Tensor]]:
    """Of each network, what lies beneath and in its middle layer: nothing else can be asked for."""
    return {name: random_weights(name, 3, above) for name, (_, above) in MIDDLE.items()}


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    with one_thread():
        yield


def cosine(a: Tensor, b: Tensor) -> float:
    return float(torch.nn.functional.cosine_similarity(a.ravel(), b.ravel(), dim=0))


@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_above_the_layer_is_built(name: str, lower_weights: dict[str, dict[str, Tensor]]) -> None:
    layer, _ = MIDDLE[name]
    assert Network(lower_weights[name], layer, CPU, NETWORKS[name]).nodes[-1].layer == layer
    with pytest.raises(KeyError):
        Network(lower_weights[name], NETWORKS[name].layer_names[-1], CPU, NETWORKS[name])


def test_an_unknown_layer_is_told_with_those_there_are(weights: dict[str, Tensor]) -> None:
    with pytest.raises(ValueError, match=r"has no layer mixed4d; it has: block1.expand, .*block15.expand"):
        Network(weights, ["mixed4d", "block1.expand"], CPU)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_stride_is_what_a_layer_shrinks_by(name: str, lower_weights: dict[str, dict[str, Tensor]]) -> None:
    layer, _ = MIDDLE[name]
    wanted = list(NETWORKS[name].layer_names[: NETWORKS[name].layer_names.index(layer) + 1])
    network = Network(lower_weights[name], wanted, CPU, NETWORKS[name])
    assert network.stride == network.strides[layer]
    with torch.no_grad():
        found = network.activations(noise(64, 96))
    assert list(found) == wanted
    for known, activation in found.items():
        assert 64 / activation.shape[2] == 96 / activation.shape[3] == network.strides[known], known


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 40), (33, 47)])
@pytest.mark.parametrize("name", NETWORKS)
def test_pictures_of_any_size_have_a_gradient(
    name: str, size: tuple[int, int], lower_weights: dict[str, dict[str, Tensor]]
) -> None:
    image = noise(*size)
    with torch.no_grad():
        found = Network(lower_weights[name], MIDDLE[name][0], CPU, NETWORKS[name]).gradient(image)
    assert found.shape == image.shape
    assert found.isfinite().all()


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_step_along_the_gradient_raises_the_objective(
    name: str, several: bool, lower_weights: dict[str, dict[str, Tensor]]
) -> None:
    image, guide = noise(49, 65), noise(30, 40, seed=2)
    layer: str | dict[str, float] = SEVERAL[name] if several else MIDDLE[name][0]
    settings = DreamSettings(network=name, layer=layer, channels="0:48")
    for guiding in (None, guide):
        network = open_network(settings, lower_weights[name], CPU, picture=noise(32, 48, seed=5), guide=guiding)
        with torch.no_grad():
            gradient = network.gradient(image)
            before = network.objective(image)
            after = network.objective(image + gradient * (0.02 / gradient.abs().mean()))
        assert after > 1.05 * before


@pytest.mark.parametrize("size", [(33, 65), (30, 47)])
@pytest.mark.parametrize("name", NETWORKS)
def test_bfloat16_points_the_same_way(
    name: str, size: tuple[int, int], lower_weights: dict[str, dict[str, Tensor]]
) -> None:
    image, guide = noise(*size), noise(40, 30, seed=2)
    rough = Compute(torch.device("cpu"), torch.bfloat16)
    for layer in (MIDDLE[name][0], SEVERAL[name]):
        for guiding in (None, guide):
            settings = DreamSettings(network=name, layer=layer, channels="0:60")
            found = []
            for compute in (CPU, rough):
                network = open_network(settings, lower_weights[name], compute, picture=guide, guide=guiding)
                with torch.no_grad():
                    found.append(network.gradient(image))
            assert found[1].dtype == torch.float32
            assert found[1].shape == image.shape
            assert cosine(*found) > 0.8, (layer, guiding is None)


def test_one_layer_is_not_touched_by_weights_or_pictures(weights: dict[str, Tensor]) -> None:
    """Its length means nothing: the fastest way is the only one."""
    image = noise(40, 56)
    with torch.no_grad():
        expected = Network(weights, "block5.expand", CPU).gradient(image)
        for layer in ("block5.expand", {"block5.expand": 3.0}):
            network = open_network(DreamSettings(layer=layer), weights, CPU, picture=noise(20, 20))
            assert torch.equal(network.gradient(image), expected)


@pytest.mark.parametrize("guided", [False, True])
def test_tiles_of_one_image_agree_on_the_gradients_length(guided: bool, weights: dict[str, Tensor]) -> None:
    """Behind several layers too, the middle of a tile is what the whole image has there."""
    image, guide = noise(225, 257), noise(30, 40, seed=2) if guided else None
    settings = DreamSettings(layer={"block1.expand": 1.0, "block3.expand": 1.0})
    network = open_network(settings, weights, CPU, picture=noise(48, 48), guide=guide)
    with torch.no_grad():
        whole = network.gradient(image)
        tile = network.gradient(image[:, :, 64:, 64:])
    middle = whole[:, :, 144:-40, 144:-40]
    assert (tile[:, :, 80:-40, 80:-40] - middle).abs().max() < 1e-3 * middle.abs().max()


def test_weights_of_layers_compare(weights: dict[str, Tensor]) -> None:
    """On the picture itself every layer counts as much as its weight says, however strongly it answers."""
    image = noise(64, 64)
    layers = {"block1.expand": 1.0, "block8.expand": 3.0}
    with torch.no_grad():
        network = open_network(DreamSettings(layer=layers), weights, CPU, picture=image)
        assert network.objective(image) == pytest.approx(4.0, rel=1e-3)
        dark = open_network(DreamSettings(layer=layers), weights, CPU)
        strengths = [float(activation.square().mean()) for activation in dark.activations(image).values()]
        assert dark.objective(image) == pytest.approx(strengths[0] + 3 * strengths[1], rel=1e-3)


def test_a_twin_shares_the_weights_and_may_work_beside(weights: dict[str, Tensor]) -> None:
    settings = DreamSettings(layer="block5.expand", channels="0:50")
    network = open_network(settings, weights, CPU, guide=noise(30, 30))
    image = noise(33, 49)
    with torch.no_grad():
        expected = network.gradient(image)
        twin = network.twin()
        assert torch.equal(twin.gradient(image), expected)
        twin.gradient(noise(65, 33))
    mine, its = network.nodes[0].operation.conv, twin.nodes[0].operation.conv
    assert its.weight is mine.weight
    assert its._packed is not mine._packed
    assert twin.goals["block5.expand"].features is network.goals["block5.expand"].features


def test_features_are_the_layers_activation(weights: dict[str, Tensor]) -> None:
    network = Network(weights, ["block2.expand", "block4.expand"], CPU)
    with torch.no_grad():
        assert network.features(noise(32, 48), "block2.expand").shape == (1, 144, 8, 12)
        with pytest.raises(KeyError):
            network.features(noise(32, 48), "block3.expand")


def test_a_large_guide_is_made_smaller_first(weights: dict[str, Tensor]) -> None:
    small = noise(40, 60)
    large = torch.nn.functional.interpolate(small, (1000, 1500), mode="bilinear")
    assert large.shape[2] * large.shape[3] > MAX_GUIDE_PX
    network = open_network(DreamSettings(layer="block1.expand"), weights, CPU, guide=large)
    assert network.goals["block1.expand"].features.shape[0] <= 1024


def test_a_picture_no_layer_answers_to_does_no_harm(weights: dict[str, Tensor]) -> None:
    settings = DreamSettings(layer={"block1.expand": 1.0, "block2.expand": 1.0}, channels="0:2")
    network = open_network(settings, weights, CPU, picture=torch.zeros(1, 3, 8, 8), guide=torch.zeros(1, 3, 1, 1))
    with torch.no_grad():
        assert network.gradient(noise(33, 33)).isfinite().all()
