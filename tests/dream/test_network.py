"""The network is EfficientNet-Lite0 as published, and the way back through it is its true gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from visualizer.dream.device import Compute
from visualizer.dream.network import Network, block_shapes, build_block, folded, same_padding
from visualizer.settings import NETWORK_LAYERS

TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def published(weights: dict[str, Tensor]) -> EfficientNet:
    """The test-only package's network, unfolded, with padding that follows the image's size."""
    network = EfficientNet.from_name("efficientnet-lite0", image_size=None)
    network.load_state_dict(weights)
    return network.eval()


def stem_of(published: EfficientNet, x: Tensor) -> Tensor:
    return published._swish(published._bn0(published._conv_stem(x)))


@pytest.mark.parametrize("size", [(224, 224), (97, 130), (33, 64)])
def test_every_block_and_the_logits_equal_the_published_network(
    size: tuple[int, int], weights: dict[str, Tensor], published: EfficientNet, cpu: Compute
) -> None:
    x = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(5)) * 2 - 1
    network = Network(weights, "block15.expand", cpu)
    blocks = [*network.blocks, build_block(weights, 15, cpu)]
    assert len(blocks) == len(published._blocks) == 16
    with torch.no_grad():
        expected = stem_of(published, x)
        found = network.stem.forward(x).clamp(0, 6)
        for index, (block, reference) in enumerate(zip(blocks, published._blocks, strict=True)):
            expected = reference(expected)
            found = block.forward(found, [])
            assert (found - expected).abs().max() < TOLERANCE, f"block {index}"
        head = folded(weights, "_conv_head", "_bn1", 1, cpu).forward(found).clamp(0, 6)
        logits = torch.nn.functional.linear(head.mean((2, 3)), weights["_fc.weight"], weights["_fc.bias"])
        reference_logits = published(x)
        assert (logits - reference_logits).abs().max() < TOLERANCE
        assert reference_logits.std() > 0.1  # a network that answers at all


@pytest.mark.parametrize("layer", ["block1.expand", "block6.expand", "block12.expand"])
@pytest.mark.parametrize("size", [(1, 1), (33, 50), (64, 49)])
def test_gradient_equals_autograd_through_the_published_network(
    layer: str, size: tuple[int, int], weights: dict[str, Tensor], published: EfficientNet, cpu: Compute
) -> None:
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(7))
    with torch.no_grad():
        found = Network(weights, layer, cpu).gradient(image)

    x = image.clone().requires_grad_()
    index = int(layer.removeprefix("block").removesuffix(".expand"))
    inside = stem_of(published, (255 * x - 127) / 128)
    for block in published._blocks[:index]:
        inside = block(inside)
    top = published._blocks[index]
    torch.relu(top._bn0(top._expand_conv(inside))).square().mean().backward()
    assert found.shape == image.shape
    assert x.grad is not None
    # the way back leaves out the constant factor of the mean
    expected = x.grad / x.grad.norm()
    assert (found / found.norm() - expected).abs().max() < TOLERANCE


def test_chosen_layer_is_not_capped_at_6(weights: dict[str, Tensor], cpu: Compute) -> None:
    image = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(3))
    network = Network(weights, "block1.expand", cpu)
    with torch.no_grad():
        kept: list[Tensor] = []
        top = network.forward(network.prepared(image), kept)
    assert top.max() > 6
    assert top.min() == 0
    assert all(x.min() >= 0 and x.max() <= 6 for x in kept)


def test_nothing_above_the_layer_is_kept(weights: dict[str, Tensor], cpu: Compute) -> None:
    network = Network(weights, "block6.expand", cpu)
    assert len(network.blocks) == 6
    assert network.top.weight.shape[:2] == (480, 80)
    assert network.stride == 16


def test_every_layer_of_the_settings_can_be_built(weights: dict[str, Tensor], cpu: Compute) -> None:
    image = torch.full((1, 3, 20, 20), 0.25)
    for layer in NETWORK_LAYERS["efficientnet-lite0"]:
        with torch.no_grad():
            assert Network(weights, layer, cpu).gradient(image).isfinite().all(), layer


def test_channels_match_from_block_to_block() -> None:
    shapes = block_shapes()
    assert [a.n_out for a in shapes[:-1]] == [b.n_in for b in shapes[1:]]
    assert sum(shape.skips for shape in shapes) == 9


def test_weights_want_colours_less_127_over_128(weights: dict[str, Tensor]) -> None:
    """The stem's batch norm remembers the mean colour it was trained on, as the network saw it.

    Where a picture is flat, a stem channel answers (sum of its kernel) x colour, so the running means give the mean
    colour back by least squares. ImageNet's mean is RGB 124, 116, 104: below 0 and falling from red to blue if prepared as
    (x - 127) / 128; it would be 0 if ImageNet's mean were taken off, and near 0.45 for a range of 0..1.
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
    prepared = network.prepared(levels.view(1, 1, 1, 3).expand(1, 3, 1, 3))
    np.testing.assert_allclose(prepared[0, 0, 0].numpy(), [-127 / 128, 0, 1], atol=1e-6)


@given(size=st.integers(1, 500), kernel=st.sampled_from([1, 3, 5]), stride=st.sampled_from([1, 2]))
@settings(max_examples=100, deadline=None)
def test_same_padding_gives_the_size_it_promises(size: int, kernel: int, stride: int) -> None:
    before, after = same_padding(size, kernel, stride)
    assert 0 <= before <= after <= before + 1
    assert (size + before + after - kernel) // stride + 1 >= -(-size // stride)
    if size >= kernel:
        assert (size + before + after - kernel) // stride + 1 == -(-size // stride)
