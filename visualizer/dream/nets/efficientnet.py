"""EfficientNet-Lite0.

The network is described by Tan and Le (2019), https://arxiv.org/abs/1905.11946, in its "lite" form: no squeeze and
excitation, ReLU6. Its layers are the blocks' expansions, through a ReLU without the cap at 6.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...networks import NetworkInfo, parse_layers
from ..conv import Conv
from ..device import Compute
from ..operations import ConvReLU, Kept, Node, Preparation, PublishedWeights, norm_shapes, size_of

if TYPE_CHECKING:
    from torch import Tensor

NORM_EPSILON = 1e-3
#: (RGB in 0..255 - 127) / 128 and TensorFlow's "same" padding, as the weights were trained
PREPARATION = Preparation(255 / 128, (-127 / 128,))

# (repeats, kernel, stride of the first, expansion, channels in, channels out), from the paper's table 1
_STAGES = (
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
)


@dataclass(frozen=True)
class BlockShape:
    """One inverted bottleneck: 1x1 expansion (unless 1), depthwise convolution, 1x1 projection, skip connection where
    sizes agree.
    """

    kernel: int
    stride: int
    expansion: int
    n_in: int
    n_out: int

    @property
    def skips(self) -> bool:
        return self.stride == 1 and self.n_in == self.n_out


def block_shapes() -> list[BlockShape]:
    """The 16 blocks, block0 first."""
    shapes = []
    for repeats, kernel, stride, expansion, n_in, n_out in _STAGES:
        shapes.append(BlockShape(kernel, stride, expansion, n_in, n_out))
        shapes += [BlockShape(kernel, 1, expansion, n_out, n_out)] * (repeats - 1)
    return shapes


@dataclass(frozen=True)
class InvertedBottleneck:
    """One block: its convolutions, batch norms folded in."""

    shape: BlockShape
    expand: ConvReLU | None
    depthwise: ConvReLU
    project: Conv

    @property
    def stride(self) -> int:
        return self.shape.stride

    def forward(self, x: Tensor, kept: Kept) -> Tensor:
        inside = x if self.expand is None else self.expand.forward(x, kept)
        inside = self.depthwise.forward(inside, kept)
        projected = self.project.forward(inside)
        return projected.add_(x) if self.shape.skips else projected

    def backward(self, gradient: Tensor, kept: Kept) -> Tensor:
        skipped = gradient
        # 1x1: input and output have one size
        gradient = self.project.backward(gradient, size_of(gradient))
        gradient = self.depthwise.backward(gradient, kept)
        if self.expand is not None:
            gradient = self.expand.backward(gradient, kept)
        return gradient.add_(skipped) if self.shape.skips else gradient


@dataclass(frozen=True)
class Expansion:
    """A layer: a block's expansion through a ReLU without the cap at 6. The gradient it is given is 0 wherever its
    output is 0.
    """

    conv: Conv
    stride: int = 1

    def forward(self, x: Tensor, kept: Kept) -> Tensor:
        return self.conv.forward(x, cap=math.inf)

    def backward(self, gradient: Tensor, kept: Kept) -> Tensor:
        return self.conv.backward(gradient, size_of(gradient))


def build(weights: dict[str, Tensor], compute: Compute) -> Iterator[Node]:
    """The network, node by node from the image upwards."""
    published = PublishedWeights(weights, compute, NORM_EPSILON)
    yield Node(ConvReLU(published.folded(("_conv_stem", "_bn0"), stride=2), cap=6))
    for index, shape in enumerate(block_shapes()):
        name, expand = f"_blocks.{index}", None
        if shape.expansion > 1:
            expand = published.folded((f"{name}._expand_conv", f"{name}._bn0"))
            yield Node(Expansion(expand), f"block{index}.expand", branch=True)
        yield Node(
            InvertedBottleneck(
                shape=shape,
                expand=None if expand is None else ConvReLU(expand, cap=6),
                depthwise=ConvReLU(
                    published.folded((f"{name}._depthwise_conv", f"{name}._bn1"), stride=shape.stride), cap=6
                ),
                project=published.folded((f"{name}._project_conv", f"{name}._bn2")),
            )
        )


def tensor_shapes() -> dict[str, tuple[int, ...]]:
    """The tensors of the published file, without batch norm's counters."""
    found: dict[str, tuple[int, ...]] = {"_conv_stem.weight": (32, 3, 3, 3), **norm_shapes("_bn0", 32)}
    for index, shape in enumerate(block_shapes()):
        name, n_inside = f"_blocks.{index}", shape.n_in * shape.expansion
        if shape.expansion > 1:
            found[f"{name}._expand_conv.weight"] = (n_inside, shape.n_in, 1, 1)
            found |= norm_shapes(f"{name}._bn0", n_inside)
        found[f"{name}._depthwise_conv.weight"] = (n_inside, 1, shape.kernel, shape.kernel)
        found |= norm_shapes(f"{name}._bn1", n_inside)
        found[f"{name}._project_conv.weight"] = (shape.n_out, n_inside, 1, 1)
        found |= norm_shapes(f"{name}._bn2", shape.n_out)
    found |= {"_conv_head.weight": (1280, 320, 1, 1), **norm_shapes("_bn1", 1280)}
    return found | {"_fc.weight": (1000, 1280), "_fc.bias": (1000,)}


NETWORKS = (
    NetworkInfo(
        name="efficientnet-lite0",
        title="EfficientNet-Lite0",
        year=2020,
        licence="Apache-2.0",
        origin="Google, comes with pip",
        n_bytes=18_826_032,
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        layers=parse_layers("""
            block1.expand 96 1 relief, hard edges
            block2.expand 144 2 folds
            block3.expand 144 3 lines, weave
            block4.expand 240 4 ripples and lattices
            block5.expand 240 5 curls, scales
            block6.expand 480 6 ribbons
            block7.expand 480 7 braids, arches
            block8.expand 480 8 cities, tiles
            block9.expand 672 9 towers, fur
            block10.expand 672 10 animals
            block11.expand 672 11 animals with eyes
            block12.expand 1152 12 faces and eyes
            block13.expand 1152 13 heads, grass
            block14.expand 1152 14 bodies, tangle
            block15.expand 1152 15 scenes, dense figures
        """),
        values_per_px=185,
        prepare=PREPARATION,
        build=build,
        tensor_shapes=tensor_shapes,
    ),
)
