"""VGG-16 as torchvision publishes it: Simonyan and Zisserman (2014), https://arxiv.org/abs/1409.1556, configuration
D.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...networks import NetworkInfo, parse_layers
from ..device import Compute
from ..operations import IMAGENET_MEAN, IMAGENET_STD, ConvReLU, MaxPool, Node, Preparation, PublishedWeights

if TYPE_CHECKING:
    from torch import Tensor

PREPARATION = Preparation(1.0, (-IMAGENET_MEAN[0], -IMAGENET_MEAN[1], -IMAGENET_MEAN[2]))

# channels of each convolution, group by group, with a pool between two groups
_GROUPS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


def _convolutions() -> Iterator[tuple[str, str, int, int]]:
    """(layer, published name, channels in, channels out), from the image upwards."""
    n_in, index = 3, 0
    for group, channels in enumerate(_GROUPS, start=1):
        for position, n_out in enumerate(channels, start=1):
            yield f"conv{group}_{position}", f"features.{index}", n_in, n_out
            n_in, index = n_out, index + 2  # a ReLU has a number too
        index += 1  # and so has a pool


def build(weights: dict[str, Tensor], compute: Compute) -> Iterator[Node]:
    """The network, node by node from the image upwards."""
    published = PublishedWeights(weights, compute)
    for layer, name, _, _ in _convolutions():
        first = layer == "conv1_1"
        if layer.endswith("_1") and not first:
            yield Node(MaxPool(2, 2))
        red, green, blue = IMAGENET_STD
        colours = (1 / red, 1 / green, 1 / blue) if first else (1, 1, 1)
        yield Node(ConvReLU(published.conv(name, padding=1, colours=colours)), layer)


def tensor_shapes() -> dict[str, tuple[int, ...]]:
    """The tensors of the published file."""
    found: dict[str, tuple[int, ...]] = {}
    for _, name, n_in, n_out in _convolutions():
        found |= {f"{name}.weight": (n_out, n_in, 3, 3), f"{name}.bias": (n_out,)}
    for index, n_in, n_out in ((0, 512 * 7 * 7, 4096), (3, 4096, 4096), (6, 4096, 1000)):
        found |= {f"classifier.{index}.weight": (n_out, n_in), f"classifier.{index}.bias": (n_out,)}
    return found


NETWORKS = (
    NetworkInfo(
        name="vgg16",
        title="VGG-16",
        year=2014,
        licence="BSD-3-Clause",
        origin="torchvision",
        n_bytes=553_433_881,
        url="https://download.pytorch.org/models/vgg16-397923af.pth",
        file_name="vgg16-397923af.pth",
        sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
        layers=parse_layers("""
            conv1_1 64 1 edges
            conv1_2 64 1 edges, colour
            conv2_1 128 2 fine lines
            conv2_2 128 3 hatching
            conv3_1 256 4 weave
            conv3_2 256 5 scales
            conv3_3 256 6 curls
            conv4_1 512 7 braids
            conv4_2 512 8 eyes, tiles
            conv4_3 512 9 eyes, arches
            conv5_1 512 10 faces, feathers
            conv5_2 512 11 animals
            conv5_3 512 12 animals, towers
        """),
        values_per_px=450,
        prepare=PREPARATION,
        build=build,
        tensor_shapes=tensor_shapes,
    ),
)
