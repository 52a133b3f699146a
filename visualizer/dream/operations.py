"""The operations that networks are built of: each computes forward, keeps what its gradient needs, and goes back to the
image.

forward(x, kept) appends to the list `kept` what backward(gradient, kept) pops again, so operations that follow each
other go back in reverse order. Tensors are (1, channels, h, w), in memory order channels last. backward may overwrite
the gradient it is given; what it returns belongs to the caller.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from .conv import Conv, same_padding
from .device import Compute

if TYPE_CHECKING:
    from torch import Tensor

Kept = list[Any]
Colours = tuple[float, float, float]

#: mean and standard deviation of ImageNet's colours, RGB in 0..1: torchvision's networks were trained on pictures
#: normalised by them
IMAGENET_MEAN: Colours = (0.485, 0.456, 0.406)
IMAGENET_STD: Colours = (0.229, 0.224, 0.225)


class Operation(Protocol):
    """One differentiable operation of a network."""

    @property
    def stride(self) -> int:
        """Pixels at the input per pixel at the output."""

    def forward(self, x: Tensor, kept: Kept) -> Tensor:
        """(1, n_in, h, w) -> (1, n_out, ..); x is not changed."""

    def backward(self, gradient: Tensor, kept: Kept) -> Tensor:
        """Gradient at the output -> gradient at the input."""


@dataclass(frozen=True)
class Node:
    """An operation in its place in a network.

    layer: the name of the layer that its output is, "" if it is none. branch: the operation only computes a layer; the
    next node takes the same input as this one.
    """

    operation: Operation
    layer: str = ""
    branch: bool = False


@dataclass(frozen=True)
class Preparation:
    """How RGB in 0..1 is normalised before the first node: scale * RGB + offset (one for all, or one for each
    colour).
    """

    scale: float
    offset: tuple[float, ...]

    def __call__(self, image: Tensor, compute: Compute) -> Tensor:
        """(1, 3, h, w) float32 RGB in 0..1 -> the same, normalised, of the device's dtype and channels last."""
        import torch

        x = torch.add(image.new_tensor(self.offset).view(-1, 1, 1), image, alpha=self.scale)
        return x.to(compute.dtype).contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True)
class ConvReLU:
    """A convolution and a ReLU, capped at `cap`."""

    conv: Conv
    cap: float = math.inf

    @property
    def stride(self) -> int:
        return self.conv.stride

    def forward(self, x: Tensor, kept: Kept) -> Tensor:
        y = self.conv.forward(x, cap=self.cap)
        kept.append((size_of(x), y))
        return y

    def backward(self, gradient: Tensor, kept: Kept) -> Tensor:
        size, y = kept.pop()
        return self.conv.backward(relu_backward(gradient, y, self.cap), size)


@dataclass(frozen=True)
class MaxPool:
    """The largest of kernel x kernel, channel by channel.

    padding: px on each side, which never win; None for TensorFlow's "same". ceil: windows that reach beyond the end
    count.
    """

    kernel: int
    stride: int
    padding: int | None = 0
    ceil: bool = False

    def forward(self, x: Tensor, kept: Kept) -> Tensor:
        import torch

        y, indices = torch.ops.aten.max_pool2d_with_indices(x, *self._arguments(*size_of(x)))
        kept.append((x, indices))
        return y

    def backward(self, gradient: Tensor, kept: Kept) -> Tensor:
        import torch

        x, indices = kept.pop()
        arguments = self._arguments(*size_of(x))
        return torch.ops.aten.max_pool2d_with_indices_backward(gradient, x, *arguments, indices)

    def _arguments(self, *size: int) -> tuple[list[int], list[int], list[int], list[int], bool]:
        """Kernel, stride, padding, dilation and ceil mode, as torch takes them."""
        if self.padding is None:
            # uneven padding has its extra pixel after the end, where ceil mode lets a window reach beyond
            padding = [same_padding(n, self.kernel, self.stride)[0] for n in size]
        else:
            padding = [max(self.padding, n == 1) for n in size]  # a single pixel would be less than a window
        return [self.kernel] * 2, [self.stride] * 2, padding, [1, 1], self.ceil or self.padding is None


class LocalResponseNorm:
    """Each activation divided by sqrt(1 + rate * mean square of the 2 * reach + 1 channels around it).

    Krizhevsky et al. (2012), section 3.3, with the exponent 1/2, k = 1. The sums over channels are a 1x1 convolution.
    """

    stride = 1

    def __init__(self, n_channels: int, reach: int, rate: float, compute: Compute) -> None:
        import torch

        distances = torch.arange(n_channels)[:, None] - torch.arange(n_channels)
        band = (distances.abs() <= reach).float() * (rate / (2 * reach + 1))
        self.sums = Conv(band[:, :, None, None], torch.ones(n_channels), 1, compute)

    def forward(self, x: Tensor, kept: Kept) -> Tensor:
        factor = self.sums.forward(x.square()).rsqrt_()
        kept.append((x, factor))
        return x * factor

    def backward(self, gradient: Tensor, kept: Kept) -> Tensor:
        x, factor = kept.pop()
        # y_j = x_j f_j with f = s^-1/2 and s_j = 1 + r sum x_i^2, so dy_j / dx_i = f_j (if i is j) - r x_i x_j f_j^3
        direct = gradient * factor
        around = self.sums.backward((factor * factor).mul_(direct).mul_(x), size_of(x))
        return direct.sub_(around.mul_(x))


def relu_backward(gradient: Tensor, activation: Tensor, cap: float = math.inf) -> Tensor:
    """The gradient before a ReLU capped at `cap`, in place: 0 where the activation is 0 or the cap. The activation may
    be overwritten too: nothing needs it afterwards.
    """
    import torch

    if activation.dtype != torch.bfloat16 or activation.device.type != "cpu":
        return torch.ops.aten.hardtanh_backward.grad_input(gradient, activation, 0.0, cap, grad_input=gradient)
    # torch converts each bfloat16 to float32 and back. Bits of positive numbers have the order of the numbers, and
    # arithmetic with 16-bit integers takes a third of the time. -0x8000 - 0 is the lowest integer, and what follows 0
    # the highest: one comparison finds 0 and the cap
    bits = (activation.clone() if activation is gradient else activation).view(torch.int16)
    torch.sub(torch.tensor(-0x8000, dtype=torch.int16), bits, out=bits)
    passed = gradient.view(torch.int16)
    torch.ops.aten.threshold_backward.grad_input(passed, bits, 0x8000 - _bfloat16_bits(cap), grad_input=passed)
    return gradient


@functools.cache
def _bfloat16_bits(value: float) -> int:
    import torch

    return int(torch.tensor(value, dtype=torch.bfloat16).view(torch.int16))


def size_of(x: Tensor) -> tuple[int, int]:
    """Height and width."""
    return x.shape[2], x.shape[3]


@dataclass(frozen=True)
class PublishedWeights:
    """The published tensors by name, and the convolutions made of them."""

    weights: dict[str, Tensor]
    compute: Compute
    norm_epsilon: float = 0.0

    def conv(self, *names: str, stride: int = 1, padding: int | None = None, colours: Colours = (1, 1, 1)) -> Conv:
        """The convolution of that name, with its bias; several 1x1 ones that have the same input become one.

        padding: px on each side, None for TensorFlow's "same"; colours: see `scale_colours`.
        """
        import torch

        weight = torch.cat([self.weights[f"{name}.weight"] for name in names])
        bias = torch.cat([self.weights[f"{name}.bias"] for name in names])
        return Conv(scale_colours(weight, colours), bias, stride, self.compute, padding)

    def folded(
        self,
        *names: tuple[str, str],
        stride: int = 1,
        padding: int | None = None,
        colours: Colours = (1, 1, 1),
    ) -> Conv:
        """The convolution with the batch norm that follows it folded in: (convolution's name, norm's). Else as
        `conv`.
        """
        import torch

        weights, biases = zip(*(self._folded(*pair) for pair in names), strict=True)
        return Conv(scale_colours(torch.cat(weights), colours), torch.cat(biases), stride, self.compute, padding)

    def _folded(self, conv: str, norm: str) -> tuple[Tensor, Tensor]:
        weights = self.weights
        variance, mean = weights[f"{norm}.running_var"], weights[f"{norm}.running_mean"]
        scale = weights[f"{norm}.weight"] / (variance + self.norm_epsilon).sqrt()
        return weights[f"{conv}.weight"] * scale[:, None, None, None], weights[f"{norm}.bias"] - mean * scale


def scale_colours(weight: Tensor, colours: Colours) -> Tensor:
    """The first convolution's kernels (out, 3, k, k) multiplied by `colours`, so that the image need not be."""
    return weight if colours == (1, 1, 1) else weight * weight.new_tensor(colours)[:, None, None]


def norm_shapes(name: str, n_channels: int) -> dict[str, tuple[int, ...]]:
    """The tensors of a batch norm as torch publishes it, by name, and their shapes."""
    return {f"{name}.{tensor}": (n_channels,) for tensor in ("weight", "bias", "running_mean", "running_var")}
