"""VGG-16 as torchvision publishes it: Simonyan and Zisserman (2014), https://arxiv.org/abs/1409.1556, configuration D."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..device import Compute
from .parts import IMAGENET_MEAN, IMAGENET_SPREAD, ConvReLU, MaxPool, Preparation, Published, Stage

if TYPE_CHECKING:
    from torch import Tensor

PREPARATION = Preparation(1.0, (-IMAGENET_MEAN[0], -IMAGENET_MEAN[1], -IMAGENET_MEAN[2]))

# channels of each convolution, group by group; a pool stands between two groups
_GROUPS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


def _convolutions() -> Iterator[tuple[str, str, int, int]]:
    """(layer, published name, channels in, channels out), from the image upwards."""
    n_in, index = 3, 0
    for group, channels in enumerate(_GROUPS, start=1):
        for position, n_out in enumerate(channels, start=1):
            yield f"conv{group}_{position}", f"features.{index}", n_in, n_out
            n_in, index = n_out, index + 2  # a ReLU takes a number too
        index += 1  # and so does a pool


def grow(weights: dict[str, Tensor], compute: Compute) -> Iterator[Stage]:
    """The network, stage by stage from the image upwards; what is not asked for is not built."""
    published = Published(weights, compute)
    for layer, name, _, _ in _convolutions():
        first = layer == "conv1_1"
        if layer.endswith("_1") and not first:
            yield Stage(MaxPool(2, 2))
        red, green, blue = IMAGENET_SPREAD
        colours = (1 / red, 1 / green, 1 / blue) if first else (1, 1, 1)
        yield Stage(ConvReLU(published.conv(name, padding=1, colours=colours)), layer)


def names_and_shapes() -> dict[str, tuple[int, ...]]:
    """The tensors of the published file."""
    found: dict[str, tuple[int, ...]] = {}
    for _, name, n_in, n_out in _convolutions():
        found |= {f"{name}.weight": (n_out, n_in, 3, 3), f"{name}.bias": (n_out,)}
    for index, n_in, n_out in ((0, 512 * 7 * 7, 4096), (3, 4096, 4096), (6, 4096, 1000)):
        found |= {f"classifier.{index}.weight": (n_out, n_in), f"classifier.{index}.bias": (n_out,)}
    return found
