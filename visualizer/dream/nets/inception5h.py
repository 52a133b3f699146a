"""Inception 5h, the network of the first DeepDream: Szegedy et al. (2014) as Google published it, converted from TensorFlow.

The file is ProGamerGov's: its names, and its local response norm, are those the converted weights were published with.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..device import Compute
from .inception import Channels, Inception
from .parts import ConvReLU, LocalResponseNorm, MaxPool, Preparation, Published, Stage

if TYPE_CHECKING:
    from torch import Tensor

#: the weights want RGB of 255, less 117; the first convolution multiplies by 255. Padded as TensorFlow does, "same"
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


def grow(weights: dict[str, Tensor], compute: Compute) -> Iterator[Stage]:
    """The network, stage by stage from the image upwards; what is not asked for is not built."""
    published = Published(weights, compute)
    colours = (255.0, 255.0, 255.0)
    yield Stage(ConvReLU(published.conv("conv2d0_pre_relu_conv", stride=2, colours=colours)), "conv2d0")
    yield Stage(_POOL)
    yield Stage(LocalResponseNorm(64, _NORM_REACH, _NORM_RATE, compute))
    yield Stage(ConvReLU(published.conv("conv2d1_pre_relu_conv")), "conv2d1")
    yield Stage(ConvReLU(published.conv("conv2d2_pre_relu_conv")), "conv2d2")
    yield Stage(LocalResponseNorm(192, _NORM_REACH, _NORM_RATE, compute))
    for name, channels in _MODULES.items():
        if name in ("mixed3a", "mixed4a", "mixed5a"):
            yield Stage(_POOL)
        first = [f"{name}_{part}_pre_relu_conv" for part in ("1x1", "3x3_bottleneck", "5x5_bottleneck")]
        module = Inception(
            channels=channels,
            first=published.conv(*first),
            middle=published.conv(f"{name}_3x3_pre_relu_conv"),
            wide=published.conv(f"{name}_5x5_pre_relu_conv"),
            pool=MaxPool(3, 1, padding=1),
            after_pool=published.conv(f"{name}_pool_reduce_pre_relu_conv"),
        )
        yield Stage(module, name)


def names_and_shapes() -> dict[str, tuple[int, ...]]:
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
