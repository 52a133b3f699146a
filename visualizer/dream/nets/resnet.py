"""ResNet-50 as torchvision publishes it: He et al. (2015), https://arxiv.org/abs/1512.03385, with the stride on the
3x3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...networks import NetworkInfo, parse_layers
from ..conv import Conv
from ..device import Compute
from ..operations import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    ConvReLU,
    Kept,
    MaxPool,
    Node,
    Preparation,
    PublishedWeights,
    norm_shapes,
    relu_backward,
    size_of,
)

if TYPE_CHECKING:
    from torch import Tensor

NORM_EPSILON = 1e-5
PREPARATION = Preparation(1.0, (-IMAGENET_MEAN[0], -IMAGENET_MEAN[1], -IMAGENET_MEAN[2]))

# (blocks, stride of the first, channels inside); four times as many come out
_GROUPS = ((3, 1, 64), (4, 2, 128), (6, 2, 256), (3, 2, 512))
_WIDENING = 4


@dataclass(frozen=True)
class Bottleneck:
    """1x1, 3x3 and 1x1 convolution, added to the input (or to a 1x1 convolution of it, `shortcut`), through a ReLU."""

    narrow: ConvReLU
    middle: ConvReLU
    widen: Conv
    shortcut: Conv | None

    @property
    def stride(self) -> int:
        return self.middle.stride

    def forward(self, x: Tensor, kept: Kept) -> Tensor:
        inside = self.middle.forward(self.narrow.forward(x, kept), kept)
        # subsampled before the 1x1 convolution, so that its gradient computes no zeros
        straight = x if self.shortcut is None else self.shortcut.forward(self._subsampled(x))
        y = self.widen.forward(inside).add_(straight).relu_()
        kept.append(y)
        return y

    def backward(self, gradient: Tensor, kept: Kept) -> Tensor:
        gradient = relu_backward(gradient, kept.pop())
        around = self.widen.backward(gradient, size_of(gradient))
        around = self.narrow.backward(self.middle.backward(around, kept), kept)
        if self.shortcut is None:
            return around.add_(gradient)
        self._subsampled(around).add_(self.shortcut.backward(gradient, size_of(gradient)))
        return around

    def _subsampled(self, x: Tensor) -> Tensor:
        return x[:, :, :: self.stride, :: self.stride]


def _blocks() -> Iterator[tuple[str, int, int, int]]:
    """(name, stride, channels in, channels inside), from the image upwards."""
    n_in = 64
    for group, (n_blocks, stride, n_inside) in enumerate(_GROUPS, start=1):
        for index in range(n_blocks):
            yield f"layer{group}.{index}", stride if index == 0 else 1, n_in, n_inside
            n_in = _WIDENING * n_inside


def build(weights: dict[str, Tensor], compute: Compute) -> Iterator[Node]:
    """The network, node by node from the image upwards."""
    published = PublishedWeights(weights, compute, NORM_EPSILON)
    red, green, blue = IMAGENET_STD
    colours = (1 / red, 1 / green, 1 / blue)
    yield Node(ConvReLU(published.folded(("conv1", "bn1"), stride=2, padding=3, colours=colours)), "conv1")
    yield Node(MaxPool(3, 2, padding=1))
    for name, stride, n_in, n_inside in _blocks():
        widens = n_in != _WIDENING * n_inside
        block = Bottleneck(
            narrow=ConvReLU(published.folded((f"{name}.conv1", f"{name}.bn1"))),
            middle=ConvReLU(published.folded((f"{name}.conv2", f"{name}.bn2"), stride=stride, padding=1)),
            widen=published.folded((f"{name}.conv3", f"{name}.bn3")),
            shortcut=published.folded((f"{name}.downsample.0", f"{name}.downsample.1")) if widens else None,
        )
        yield Node(block, name)


def tensor_shapes() -> dict[str, tuple[int, ...]]:
    """The tensors of the published file, without batch norm's counters."""
    found: dict[str, tuple[int, ...]] = {"conv1.weight": (64, 3, 7, 7), **norm_shapes("bn1", 64)}
    for name, _, n_in, n_inside in _blocks():
        n_out = _WIDENING * n_inside
        found |= {f"{name}.conv1.weight": (n_inside, n_in, 1, 1), **norm_shapes(f"{name}.bn1", n_inside)}
        found |= {f"{name}.conv2.weight": (n_inside, n_inside, 3, 3), **norm_shapes(f"{name}.bn2", n_inside)}
        found |= {f"{name}.conv3.weight": (n_out, n_inside, 1, 1), **norm_shapes(f"{name}.bn3", n_out)}
        if n_in != n_out:
            found[f"{name}.downsample.0.weight"] = (n_out, n_in, 1, 1)
            found |= norm_shapes(f"{name}.downsample.1", n_out)
    return found | {"fc.weight": (1000, 2048), "fc.bias": (1000,)}


NETWORKS = (
    NetworkInfo(
        name="resnet50",
        title="ResNet-50",
        year=2015,
        licence="BSD-3-Clause",
        origin="torchvision",
        n_bytes=102_530_333,
        url="https://download.pytorch.org/models/resnet50-0676ba61.pth",
        file_name="resnet50-0676ba61.pth",
        sha256="0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",
        layers=parse_layers("""
            conv1 64 1 edges
            layer1.0 256 2 fine lines
            layer1.1 256 3 hatching
            layer1.2 256 3 grain
            layer2.0 512 4 weave
            layer2.1 512 5 scales
            layer2.2 512 6 curls
            layer2.3 512 6 ribbons
            layer3.0 1024 7 braids
            layer3.1 1024 8 tiles
            layer3.2 1024 9 towers
            layer3.3 1024 10 eyes, fur
            layer3.4 1024 10 animals
            layer3.5 1024 11 animals
            layer4.0 2048 13 figures
            layer4.1 2048 14 scenes
            layer4.2 2048 15 dense scenes
        """),
        values_per_px=280,
        prepare=PREPARATION,
        build=build,
        tensor_shapes=tensor_shapes,
    ),
)
