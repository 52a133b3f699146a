"""Inception 5h, the network of the first DeepDream: Szegedy et al. (2014) as Google published it, converted from
TensorFlow.

The file is ProGamerGov's, and so are the tensors' names and the parameters of local response norm.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...networks import NetworkInfo, parse_layers
from ..device import Compute
from ..inception import Channels, Inception
from ..operations import ConvReLU, LocalResponseNorm, MaxPool, Node, Preparation, PublishedWeights

if TYPE_CHECKING:
    from torch import Tensor

#: the weights expect RGB in 0..255, minus 117; the first convolution multiplies by 255. Padding is TensorFlow's "same"
PREPARATION = Preparation(1.0, (-117 / 255,))

_NORM_REACH, _NORM_RATE = 4, 9.99999974738e-05
_POOL = MaxPool(3, 2, padding=None)

_MODULES = {
    "mixed3a": Channels(192, 64, 96, 128, 16, 32, 32),
    "mixed3b": Channels(256, 128, 128, 192, 32, 96, 64),
    "mixed4a": Channels(480, 192, 96, 204, 16, 48, 64),
    "mixed4b": Channels(508, 160, 112, 224, 24, 64, 64),
    "mixed4c": Channels(512, 128, 128, 256, 24, 64, 64),
    "mixed4d": Channels(512, 112, 144, 288, 32, 64, 64),
    "mixed4e": Channels(528, 256, 160, 320, 32, 128, 128),
    "mixed5a": Channels(832, 256, 160, 320, 48, 128, 128),
    "mixed5b": Channels(832, 384, 192, 384, 48, 128, 128),
}


def build(weights: dict[str, Tensor], compute: Compute) -> Iterator[Node]:
    """The network, node by node from the image upwards."""
    published = PublishedWeights(weights, compute)
    colours = (255.0, 255.0, 255.0)
    yield Node(ConvReLU(published.conv("conv2d0_pre_relu_conv", stride=2, colours=colours)), "conv2d0")
    yield Node(_POOL)
    yield Node(LocalResponseNorm(64, _NORM_REACH, _NORM_RATE, compute))
    yield Node(ConvReLU(published.conv("conv2d1_pre_relu_conv")), "conv2d1")
    yield Node(ConvReLU(published.conv("conv2d2_pre_relu_conv")), "conv2d2")
    yield Node(LocalResponseNorm(192, _NORM_REACH, _NORM_RATE, compute))
    for name, channels in _MODULES.items():
        if name in ("mixed3a", "mixed4a", "mixed5a"):
            yield Node(_POOL)
        first = [f"{name}_{part}_pre_relu_conv" for part in ("1x1", "3x3_bottleneck", "5x5_bottleneck")]
        module = Inception(
            channels=channels,
            first=published.conv(*first),
            middle=published.conv(f"{name}_3x3_pre_relu_conv"),
            wide=published.conv(f"{name}_5x5_pre_relu_conv"),
            pool=MaxPool(3, 1, padding=1),
            after_pool=published.conv(f"{name}_pool_reduce_pre_relu_conv"),
        )
        yield Node(module, name)


def tensor_shapes() -> dict[str, tuple[int, ...]]:
    """The tensors of the published file."""
    shapes = {"conv2d0": (64, 3, 7), "conv2d1": (64, 64, 1), "conv2d2": (192, 64, 3)}
    for name, n in _MODULES.items():
        shapes |= {
            f"{name}_1x1": (n.straight, n.n_in, 1),
            f"{name}_3x3_bottleneck": (n.reduced_middle, n.n_in, 1),
            f"{name}_3x3": (n.middle, n.reduced_middle, 3),
            f"{name}_5x5_bottleneck": (n.reduced_wide, n.n_in, 1),
            f"{name}_5x5": (n.wide, n.reduced_wide, 5),
            f"{name}_pool_reduce": (n.pooled, n.n_in, 1),
        }
    found: dict[str, tuple[int, ...]] = {}
    for name, (n_out, n_in, kernel) in shapes.items():
        found[f"{name}_pre_relu_conv.weight"] = (n_out, n_in, kernel, kernel)
        found[f"{name}_pre_relu_conv.bias"] = (n_out,)
    last = "softmax2_pre_activation_matmul"
    return found | {f"{last}.weight": (1008, 1024), f"{last}.bias": (1008,)}


NETWORKS = (
    NetworkInfo(
        name="inception5h",
        title="Inception 5h (the first DeepDream)",
        year=2014,
        licence="Apache-2.0",
        origin="Google, via ProGamerGov",
        n_bytes=28_300_000,
        url="https://github.com/ProGamerGov/pytorch-old-tensorflow-models/raw/master/inception5h.pth",
        file_name="inception5h.pth",
        git_blob="119f77db85c8352960933e025312b507d9a96ed7",
        layers=parse_layers("""
            conv2d0 64 1 edges
            conv2d1 64 2 fine lines
            conv2d2 192 3 grain, hatching
            mixed3a 256 5 waves, scales
            mixed3b 480 6 arches and curls
            mixed4a 508 8 patterns, buildings
            mixed4b 512 9 buildings, wheels
            mixed4c 512 10 dogs, birds, cars
            mixed4d 528 10 dogs and pagodas
            mixed4e 832 12 whole animals
            mixed5a 832 13 dense creatures
            mixed5b 1024 15 tangled scenes
        """),
        values_per_px=240,
        prepare=PREPARATION,
        build=build,
        tensor_shapes=tensor_shapes,
    ),
)
