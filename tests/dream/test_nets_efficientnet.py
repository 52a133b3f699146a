"""EfficientNet-Lite0 is the network as published, and the way back through it is its true gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor

from tests.dream.independent import Answers, assert_same_activations, assert_same_gradient, noise
from visualizer.dream.device import Compute, one_thread
from visualizer.dream.nets.efficientnet import NORM_EPSILON, Expansion, block_shapes, build
from visualizer.dream.network import Network
from visualizer.dream.operations import Node, PublishedWeights
from visualizer.networks import NETWORKS
from visualizer.settings import DreamSettings

TOLERANCE = 1e-4
LAYERS = NETWORKS["efficientnet-lite0"].layer_names


@pytest.fixture(scope="module")
def published(weights: dict[str, Tensor]) -> EfficientNet:
    """The test-only package's network, unfolded, with padding that follows the image's size."""
    network = EfficientNet.from_name("efficientnet-lite0", image_size=None)
    network.load_state_dict(weights)
    return network.requires_grad_(False).eval().double()


def answers_of(published: EfficientNet, top: str = "block15.expand") -> Answers:
    """Of every layer up to `top`."""

    def answer(image: Tensor) -> dict[str, Tensor]:
        inside = published._blocks[0](stem_of(published, (255 * image - 127) / 128))
        found: dict[str, Tensor] = {}
        for name, block in zip(LAYERS, published._blocks[1:], strict=True):
            found[name] = torch.relu(block._bn0(block._expand_conv(inside)))
            if name == top:
                break
            inside = block(inside)
        return found

    return answer


def stem_of(published: EfficientNet, x: Tensor) -> Tensor:
    return published._swish(published._bn0(published._conv_stem(x)))


def test_tensor_shapes_are_the_published_ones(weights: dict[str, Tensor]) -> None:
    counted = {name: tuple(tensor.shape) for name, tensor in weights.items() if "num_batches" not in name}
    assert NETWORKS["efficientnet-lite0"].tensor_shapes() == counted


@pytest.mark.parametrize("size", [(128, 128), (97, 50), (33, 64)])
@one_thread()
def test_every_block_and_the_logits_equal_the_published_network(
    size: tuple[int, int], weights: dict[str, Tensor], published: EfficientNet, cpu: Compute
) -> None:
    x = noise(*size, seed=5) * 2 - 1
    stem, *blocks = (node.operation for node in build(weights, cpu) if not node.branch)
    assert len(blocks) == len(published._blocks) == 16
    with torch.no_grad():
        expected = stem_of(published, x.double())
        found = stem.forward(x, [])
        for index, (block, reference) in enumerate(zip(blocks, published._blocks, strict=True)):
            expected = reference(expected)
            found = block.forward(found, [])
            assert (found - expected).abs().max() < TOLERANCE, f"block {index}"
        head = PublishedWeights(weights, cpu, NORM_EPSILON).folded(("_conv_head", "_bn1")).forward(found, cap=6)
        logits = torch.nn.functional.linear(head.mean((2, 3)), weights["_fc.weight"], weights["_fc.bias"])
        reference_logits = published(x.double())
        assert (logits - reference_logits).abs().max() < TOLERANCE
        assert reference_logits.std() > 0.1  # a network that answers at all


def test_every_layer_answers_alike(weights: dict[str, Tensor], published: EfficientNet) -> None:
    assert_same_activations("efficientnet-lite0", weights, answers_of(published), noise(51, 37))


@pytest.mark.parametrize(
    ("layer", "size"),
    [("block1.expand", (1, 1)), ("block1.expand", (33, 50)), ("block6.expand", (33, 50)), ("block12.expand", (64, 49))],
)
def test_gradient_is_autograds(
    layer: str, size: tuple[int, int], weights: dict[str, Tensor], published: EfficientNet
) -> None:
    assert_same_gradient(DreamSettings(layer=layer), weights, answers_of(published, layer), noise(*size))


@pytest.mark.parametrize("guided", [False, True])
def test_several_layers_channels_and_a_guide(guided: bool, weights: dict[str, Tensor], published: EfficientNet) -> None:
    layers = {"block9.expand": 2.0, "block1.expand": 0.5, "block5.expand": 1.0}
    settings = DreamSettings(layer=layers, channels="3:40, 60")
    guide = noise(33, 50, seed=3) if guided else None
    assert_same_gradient(settings, weights, answers_of(published, "block9.expand"), noise(64, 96), guide)


def test_chosen_layer_is_not_capped_at_6(weights: dict[str, Tensor], cpu: Compute) -> None:
    network = Network(weights, "block1.expand", cpu)
    with torch.no_grad():
        image = noise(96, 96, seed=3)
        kept: list[tuple[tuple[int, int], Tensor]] = []
        x = network.info.prepare(image, cpu)
        for node in network.nodes:
            x = node.operation.forward(x, kept)
        assert torch.equal(x, network.features(image, "block1.expand"))
    assert x.max() > 6
    assert x.min() == 0
    assert kept
    assert all(y.min() >= 0 and y.max() <= 6 for _, y in kept)


def test_nothing_above_the_layer_is_built(weights: dict[str, Tensor], cpu: Compute) -> None:
    network = Network(weights, "block6.expand", cpu)
    stem, *blocks, top = network.nodes
    assert len(blocks) == 6
    assert isinstance(top, Node)
    assert isinstance(top.operation, Expansion)
    assert top.operation.conv.weight.shape[:2] == (480, 80)
    assert stem.operation.stride == 2
    assert network.stride == 16


def test_channels_match_from_block_to_block() -> None:
    shapes = block_shapes()
    assert [a.n_out for a in shapes[:-1]] == [b.n_in for b in shapes[1:]]
    assert sum(shape.skips for shape in shapes) == 9


def test_weights_want_colours_less_127_over_128(weights: dict[str, Tensor]) -> None:
    """The stem's batch norm remembers the mean colour it was trained on, as the network saw it.

    Where a picture is flat, a stem channel answers (sum of its kernel) x colour, so the running means give the mean
    colour back by least squares. ImageNet's mean is RGB 124, 116, 104: below 0 and falling from red to blue if prepared
    as (x - 127) / 128; it would be 0 if ImageNet's mean were taken off, and near 0.45 for a range of 0..1.
    """
    kernel_sums = weights["_conv_stem.weight"].sum((2, 3))
    remembered = weights["_bn0.running_mean"][:, None]
    colour = torch.linalg.lstsq(kernel_sums, remembered).solution.ravel()
    assert (kernel_sums @ colour - remembered.ravel()).abs().max() < 0.01  # the story fits every channel
    expected = (torch.tensor([124.0, 116.0, 104.0]) - 127) / 128
    assert (colour - expected).abs().max() < 0.08
    assert colour[0] > colour[1] > colour[2]
    assert colour.mean() < -0.05


def test_image_is_prepared_as_the_weights_want(weights: dict[str, Tensor], cpu: Compute) -> None:
    network = Network(weights, "block1.expand", cpu)
    levels = torch.tensor([0.0, 127.0, 255.0]) / 255
    prepared = network.info.prepare(levels.view(1, 1, 1, 3).expand(1, 3, 1, 3), cpu)
    np.testing.assert_allclose(prepared[0, 0, 0].numpy(), [-127 / 128, 0, 1], atol=1e-6)
