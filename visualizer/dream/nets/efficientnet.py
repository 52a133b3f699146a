"""EfficientNet-Lite0.

The network is described by Tan and Le (2019), https://arxiv.org/abs/1905.11946, in its "lite" form: no squeeze and
excitation, ReLU6. Its layers are the blocks' expansions, through a ReLU without the cap at 6.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..conv import Conv
from ..device import Compute
from .parts import ConvReLU, Kept, Preparation, Published, Stage, norm_shapes, size_of

if TYPE_CHECKING:
    from torch import Tensor

NORM_EPSILON = 1e-3
#: (RGB of 255 - 127) / 128, padded as TensorFlow does, "same": what the weights were trained with
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
    """One inverted bottleneck: 1x1 expansion (unless 1), depthwise convolution, 1x1 projection, skip where it fits."""

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
class Block:
    """The folded convolutions of one block."""

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
        # 1x1: as wide and high behind as before
        gradient = self.project.backward(gradient, size_of(gradient))
        gradient = self.depthwise.backward(gradient, kept)
        if self.expand is not None:
            gradient = self.expand.backward(gradient, kept)
        return gradient.add_(skipped) if self.shape.skips else gradient


@dataclass(frozen=True)
class Expansion:
    """A layer: a block's expansion through a ReLU without the cap at 6. Where it is 0, so must its gradient be."""

    conv: Conv
    stride: int = 1

    def forward(self, x: Tensor, kept: Kept) -> Tensor:
        return self.conv.forward(x, cap=math.inf)

    def backward(self, gradient: Tensor, kept: Kept) -> Tensor:
        return self.conv.backward(gradient, size_of(gradient))


def grow(weights: dict[str, Tensor], compute: Compute) -> Iterator[Stage]:
    """The network, stage by stage from the image upwards; what is not asked for is not built."""
    published = Published(weights, compute, NORM_EPSILON)
    yield Stage(ConvReLU(published.folded(("_conv_stem", "_bn0"), stride=2), cap=6))
    for index, shape in enumerate(block_shapes()):
        name, expand = f"_blocks.{index}", None
        if shape.expansion > 1:
            expand = published.folded((f"{name}._expand_conv", f"{name}._bn0"))
            yield Stage(Expansion(expand), f"block{index}.expand", aside=True)
        yield Stage(
            Block(
                shape=shape,
                expand=None if expand is None else ConvReLU(expand, cap=6),
                depthwise=ConvReLU(
                    published.folded((f"{name}._depthwise_conv", f"{name}._bn1"), stride=shape.stride), cap=6
                ),
                project=published.folded((f"{name}._project_conv", f"{name}._bn2")),
            )
        )


def names_and_shapes() -> dict[str, tuple[int, ...]]:
    """The tensors of the published file, but for batch norm's counters."""
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
