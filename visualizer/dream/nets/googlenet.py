"""GoogLeNet as torchvision publishes it: Szegedy et al. (2014), with batch norm, and 3x3 kernels where the paper has
5x5.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...networks import NetworkInfo, parse_layers
from ..device import Compute
from ..inception import Channels, Inception
from ..operations import ConvReLU, MaxPool, Node, Preparation, PublishedWeights, norm_shapes

if TYPE_CHECKING:
    from torch import Tensor

NORM_EPSILON = 1e-3
#: RGB from 0..1 to -1..1: torchvision normalises as for its other networks, and `transform_input` makes this of it
PREPARATION = Preparation(2.0, (-1.0,))

_MODULES = {
    "inception3a": Channels(192, 64, 96, 128, 16, 32, 32),
    "inception3b": Channels(256, 128, 128, 192, 32, 96, 64),
    "inception4a": Channels(480, 192, 96, 208, 16, 48, 64),
    "inception4b": Channels(512, 160, 112, 224, 24, 64, 64),
    "inception4c": Channels(512, 128, 128, 256, 24, 64, 64),
    "inception4d": Channels(512, 112, 144, 288, 32, 64, 64),
    "inception4e": Channels(528, 256, 160, 320, 32, 128, 128),
    "inception5a": Channels(832, 256, 160, 320, 32, 128, 128),
    "inception5b": Channels(832, 384, 192, 384, 48, 128, 128),
}
_POOL_BEFORE = {
    "inception3a": MaxPool(3, 2, ceil=True),
    "inception4a": MaxPool(3, 2, ceil=True),
    "inception5a": MaxPool(2, 2, ceil=True),
}


def _named(name: str) -> tuple[str, str]:
    """The names of a published convolution and its batch norm."""
    return f"{name}.conv", f"{name}.bn"


def build(weights: dict[str, Tensor], compute: Compute) -> Iterator[Node]:
    """The network, node by node from the image upwards."""
    published = PublishedWeights(weights, compute, NORM_EPSILON)
    yield Node(ConvReLU(published.folded(_named("conv1"), stride=2, padding=3)), "conv1")
    yield Node(MaxPool(3, 2, ceil=True))
    yield Node(ConvReLU(published.folded(_named("conv2"))), "conv2")
    yield Node(ConvReLU(published.folded(_named("conv3"), padding=1)), "conv3")
    for name, channels in _MODULES.items():
        if name in _POOL_BEFORE:
            yield Node(_POOL_BEFORE[name])
        first = (_named(f"{name}.branch1"), _named(f"{name}.branch2.0"), _named(f"{name}.branch3.0"))
        module = Inception(
            channels=channels,
            first=published.folded(*first),
            middle=published.folded(_named(f"{name}.branch2.1"), padding=1),
            wide=published.folded(_named(f"{name}.branch3.1"), padding=1),
            pool=MaxPool(3, 1, padding=1),
            after_pool=published.folded(_named(f"{name}.branch4.1")),
        )
        yield Node(module, name)


def tensor_shapes() -> dict[str, tuple[int, ...]]:
    """The tensors of the published file, without batch norm's counters and the two side exits used in training."""
    shapes = {"conv1": (64, 3, 7), "conv2": (64, 64, 1), "conv3": (192, 64, 3)}
    for name, n in _MODULES.items():
        shapes |= {
            f"{name}.branch1": (n.straight, n.n_in, 1),
            f"{name}.branch2.0": (n.reduced_middle, n.n_in, 1),
            f"{name}.branch2.1": (n.middle, n.reduced_middle, 3),
            f"{name}.branch3.0": (n.reduced_wide, n.n_in, 1),
            f"{name}.branch3.1": (n.wide, n.reduced_wide, 3),
            f"{name}.branch4.1": (n.pooled, n.n_in, 1),
        }
    found: dict[str, tuple[int, ...]] = {}
    for name, (n_out, n_in, kernel) in shapes.items():
        found |= {f"{name}.conv.weight": (n_out, n_in, kernel, kernel), **norm_shapes(f"{name}.bn", n_out)}
    return found | {"fc.weight": (1000, 1024), "fc.bias": (1000,)}


NETWORKS = (
    NetworkInfo(
        name="googlenet",
        title="GoogLeNet",
        year=2014,
        licence="BSD-3-Clause",
        origin="torchvision",
        n_bytes=52_100_000,
        url="https://download.pytorch.org/models/googlenet-1378be20.pth",
        file_name="googlenet-1378be20.pth",
        sha256="1378be20a8e875cf1568b8a71654e704449655e34711a959a38b04fb34905cef",
        layers=parse_layers("""
            conv1 64 1 edges
            conv2 64 2 fine lines
            conv3 192 3 grain, hatching
            inception3a 256 5 waves, scales
            inception3b 480 6 arches and curls
            inception4a 512 8 patterns, buildings
            inception4b 512 9 buildings, eyes
            inception4c 512 10 dogs, birds
            inception4d 528 10 animals
            inception4e 832 12 whole animals
            inception5a 832 13 dense creatures
            inception5b 1024 15 tangled scenes
        """),
        values_per_px=200,
        prepare=PREPARATION,
        build=build,
        tensor_shapes=tensor_shapes,
    ),
)
