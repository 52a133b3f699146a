"""EfficientNet-Lite0, written down for dreaming: forward to one layer, and back to the image.

The network is described by Tan and Le (2019), https://arxiv.org/abs/1905.11946, in its "lite" form: no squeeze and
excitation, ReLU6. Batch norm is folded into the convolutions. Weights never change here, so going back needs
nothing but the activations: it is written out by hand, which spares autograd's copies and lets every device use the
kernels that are fast forward (going back through a depthwise convolution of stride 2 is ten times slower as shipped).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .device import Compute

if TYPE_CHECKING:
    from torch import Tensor

_BATCH_NORM_EPSILON = 1e-3
#: activations up to this many pixels go through 1x1 convolutions as multiplications of matrices: a call costs a third
#: less, which counts while the pixels are few; with many the convolution is a little faster
MULTIPLIED_PX = 30_000

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


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after `size` so that the output has ceil(size / stride): TensorFlow's "same", which these
    weights were trained with. Uneven for even sizes at stride 2."""
    n_out = -(-size // stride)
    total = max((n_out - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class Conv:
    """One convolution with its batch norm folded in, and the way back through it."""

    def __init__(self, weight: Tensor, bias: Tensor, stride: int, compute: Compute) -> None:
        """weight: (out, in / groups, k, k), bias: (out,), both folded, float32. Depthwise if in / groups is 1."""
        import torch

        def placed(tensor: Tensor) -> Tensor:
            tensor = tensor.to(compute.device, compute.dtype)
            return tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor

        self.kernel, self.stride = weight.shape[2], stride
        self.groups = weight.shape[0] if weight.shape[1] == 1 else 1
        self.weight, self.bias = placed(weight), placed(bias)
        # going back is a convolution with the kernel turned by half a turn, its ins and outs exchanged
        turned = weight.flip(2, 3)
        self.back_weight = placed(turned if self.groups > 1 else turned.transpose(0, 1))
        if stride > 1 and self.groups == 1:
            self.back_weight = placed(_phases(weight, stride))
        self._fused = _fused_convolution(compute)
        self._multiply = _fused_multiplication(compute) if self.kernel == 1 and self.groups == 1 else None
        self._zeros: dict[tuple[int, ...], Tensor] = {}
        self._packed: dict[tuple[object, ...], Tensor] = {}

    def forward(self, x: Tensor, cap: float | None = None) -> Tensor:
        """(1, in, h, w) -> (1, out, ceil(h / stride), ceil(w / stride)). With a cap: through a ReLU capped at it."""
        from torch.nn.functional import pad

        top, bottom = same_padding(x.shape[2], self.kernel, self.stride)
        left, right = same_padding(x.shape[3], self.kernel, self.stride)
        if top != bottom or left != right:
            x = pad(x, (left, right, top, bottom))
            top = left = 0
        return self._convolved(x, self.weight, self.bias, self.stride, (top, left), cap)

    def backward(self, gradient: Tensor, size: tuple[int, int]) -> Tensor:
        """Gradient at the output, (1, out, ..), -> gradient at the input, (1, in, h, w) with (h, w) = size."""
        from torch.nn.functional import pixel_shuffle

        if self.stride == 1:
            return self._convolved(gradient, self.back_weight, None, 1, (self.kernel // 2, self.kernel // 2))
        if self.groups > 1:
            return self._convolved(self._stuffed(gradient, size), self.back_weight, None, 1, (0, 0))
        reach = self.back_weight.shape[2] - 1
        phases = self._convolved(gradient, self.back_weight, None, 1, (reach, reach))
        (top, _), (left, _) = (same_padding(n, self.kernel, self.stride) for n in size)
        return pixel_shuffle(phases, self.stride)[:, :, top : top + size[0], left : left + size[1]]

    def _convolved(
        self,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: int,
        padding: tuple[int, int],
        cap: float | None = None,
    ) -> Tensor:
        """A convolution, through a ReLU capped at `cap` if that is given, in one pass over memory where torch has it."""
        from torch.nn.functional import conv2d

        if self._fused is None:
            y = conv2d(x, weight, bias, stride, padding, 1, self.groups)
            return y if cap is None else y.clamp_(0, cap)
        through = ("none", [], "") if cap is None else ("hardtanh", [0.0, cap], "")
        if self._multiply is not None and x.shape[2] * x.shape[3] <= MULTIPLIED_PX:
            multiply, pack = self._multiply
            key = (weight is self.weight, *x.shape)
            packed = self._packed.get(key)
            if packed is None:
                packed = pack(weight.flatten(1), x.shape[2] * x.shape[3])
                self._packed[key] = packed
            return multiply(x.permute(0, 2, 3, 1), packed, bias, *through).permute(0, 3, 1, 2)
        convolve, pack = self._fused
        strides, dilation = [stride, stride], [1, 1]
        key = (weight is self.weight, padding, *x.shape)
        packed = self._packed.get(key)
        if packed is None:
            # laid out as this size likes it, once: oneDNN would do it anew at every call, and in the small octaves that
            # costs as much as the convolution itself
            packed = pack(weight, list(padding), strides, dilation, self.groups, list(x.shape))
            self._packed[key] = packed
        return convolve(x, packed, bias, list(padding), strides, dilation, self.groups, *through)

    def _stuffed(self, gradient: Tensor, size: tuple[int, int]) -> Tensor:
        """The gradient spread to every `stride`-th place among zeros, with the margins that going back needs.

        The zeros are kept between steps: only the same places are ever written.
        """
        import torch

        key = (*gradient.shape, *size)
        stuffed = self._zeros.get(key)
        if stuffed is None:
            height, width = (n + self.kernel - 1 for n in size)
            stuffed = torch.zeros(
                (1, gradient.shape[1], height, width), dtype=gradient.dtype, device=gradient.device
            ).contiguous(memory_format=torch.channels_last)
            self._zeros[key] = stuffed
        top, left = (self.kernel - 1 - same_padding(n, self.kernel, self.stride)[0] for n in size)
        stuffed[:, :, top : top + size[0] : self.stride, left : left + size[1] : self.stride].copy_(gradient)
        return stuffed


@dataclass(frozen=True)
class Block:
    """The folded convolutions of one block."""

    shape: BlockShape
    expand: Conv | None
    depthwise: Conv
    project: Conv

    def forward(self, x: Tensor, kept: list[Tensor]) -> Tensor:
        """(1, n_in, h, w) -> (1, n_out, ..). Appends to `kept` the capped activations that going back needs."""
        inside = x
        if self.expand is not None:
            inside = self.expand.forward(inside, cap=6)
            kept.append(inside)
        inside = self.depthwise.forward(inside, cap=6)
        kept.append(inside)
        projected = self.project.forward(inside)
        return projected.add_(x) if self.shape.skips else projected

    def backward(self, gradient: Tensor, kept: list[Tensor]) -> Tensor:
        """Gradient at the output -> gradient at the input. Takes off `kept` what forward appended."""
        skipped, opened = gradient, kept.pop()
        gradient = _through_cap(self.project.backward(gradient, _size(opened)), opened)
        if self.expand is None:
            gradient = self.depthwise.backward(gradient, _size(kept[-1]))
        else:
            expanded = kept.pop()
            gradient = _through_cap(self.depthwise.backward(gradient, _size(expanded)), expanded)
            gradient = self.expand.backward(gradient, _size(expanded))
        return gradient.add_(skipped) if self.shape.skips else gradient


def folded(weights: dict[str, Tensor], conv: str, norm: str, stride: int, compute: Compute) -> Conv:
    """The convolution `conv` with the batch norm `norm` that follows it folded in."""
    variance, mean = weights[f"{norm}.running_var"], weights[f"{norm}.running_mean"]
    scale = weights[f"{norm}.weight"] / (variance + _BATCH_NORM_EPSILON).sqrt()
    weight = weights[f"{conv}.weight"] * scale[:, None, None, None]
    return Conv(weight, weights[f"{norm}.bias"] - mean * scale, stride, compute)


def build_block(weights: dict[str, Tensor], index: int, compute: Compute) -> Block:
    """Block `index`, 0..15, from the published weights."""
    name, shape = f"_blocks.{index}", block_shapes()[index]
    expand = folded(weights, f"{name}._expand_conv", f"{name}._bn0", 1, compute) if shape.expansion > 1 else None
    return Block(
        shape=shape,
        expand=expand,
        depthwise=folded(weights, f"{name}._depthwise_conv", f"{name}._bn1", shape.stride, compute),
        project=folded(weights, f"{name}._project_conv", f"{name}._bn2", 1, compute),
    )


class Network:
    """EfficientNet-Lite0 up to and including the layer "blockN.expand", N = 1..15; nothing above it is kept."""

    def __init__(self, weights: dict[str, Tensor], layer: str, compute: Compute) -> None:
        self.compute = compute
        top_index = int(layer.removeprefix("block").removesuffix(".expand"))
        self.stem = folded(weights, "_conv_stem", "_bn0", 2, compute)
        self.blocks = [build_block(weights, index, compute) for index in range(top_index)]
        self.top = folded(weights, f"_blocks.{top_index}._expand_conv", f"_blocks.{top_index}._bn0", 1, compute)
        #: pixels of the image per pixel of the layer: a shift by it moves the layer by one and changes nothing else
        self.stride = math.prod((self.stem.stride, *(block.shape.stride for block in self.blocks)))

    def prepared(self, image: Tensor) -> Tensor:
        """(1, 3, h, w) float32 RGB in 0..1 -> what the weights were trained on: (RGB of 255 - 127) / 128."""
        import torch

        x = torch.add(image.new_tensor(-127 / 128), image, alpha=255 / 128)
        return x.to(self.compute.dtype).contiguous(memory_format=torch.channels_last)

    def forward(self, x: Tensor, kept: list[Tensor]) -> Tensor:
        """A prepared x (1, 3, h, w) -> the layer's activation, ReLU without the cap at 6. Fills `kept`."""
        x = self.stem.forward(x, cap=6)
        kept.append(x)
        for block in self.blocks:
            x = block.forward(x, kept)
        return self.top.forward(x, cap=math.inf)

    def objective(self, image: Tensor) -> float:
        """Mean of the layer's squared activation for an image (1, 3, h, w) in 0..1: what dreaming raises."""
        return float(self.forward(self.prepared(image), []).float().square().mean())

    def gradient(self, image: Tensor) -> Tensor:
        """Direction in which the objective rises, for an image (1, 3, h, w) in 0..1: the same shape, float32.

        Its length means nothing (the ascent measures it against its own mean).
        """
        x = self.prepared(image)
        kept: list[Tensor] = []
        activation = self.forward(x, kept)
        # d mean(a^2) / da is a times a constant, and nothing where the ReLU is shut: there a is 0
        gradient = self.top.backward(activation, _size(activation))
        for block in reversed(self.blocks):
            gradient = block.backward(gradient, kept)
        return self.stem.backward(_through_cap(gradient, kept.pop()), _size(x)).float()


def _fused_convolution(compute: Compute) -> tuple[Callable[..., Tensor], Callable[..., Tensor]] | None:
    """Convolution with capped ReLU, and what lays its weights out, where torch has them (oneDNN on the CPU); else None."""
    import torch

    if compute.device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return None
    convolve = getattr(torch.ops.mkldnn, "_convolution_pointwise", None)
    pack = getattr(torch.ops.mkldnn, "_reorder_convolution_weight", None)
    return (convolve, pack) if convolve is not None and pack is not None else None


def _fused_multiplication(compute: Compute) -> tuple[Callable[..., Tensor], Callable[..., Tensor]] | None:
    """The same for convolutions of one pixel, as a multiplication of matrices: a call costs a third less there."""
    import torch

    if _fused_convolution(compute) is None:
        return None
    multiply = getattr(torch.ops.mkldnn, "_linear_pointwise", None)
    pack = getattr(torch.ops.mkldnn, "_reorder_linear_weight", None)
    return (multiply, pack) if multiply is not None and pack is not None else None


def _phases(weight: Tensor, stride: int) -> Tensor:
    """The kernel of the way back through a dense convolution with a stride, as one dense convolution without.

    Going back, each of stride x stride neighbouring pixels ("phases") meets its own every-`stride`-th part of the kernel.
    (out, in, k, k) -> (in * stride * stride, out, n, n) with n = ceil(k / stride), as pixel_shuffle wants it.
    """
    from torch.nn.functional import pad

    n_out, n_in, kernel, _ = weight.shape
    n = -(-kernel // stride)
    weight = pad(weight, (0, n * stride - kernel) * 2).view(n_out, n_in, n, stride, n, stride)
    return weight.permute(1, 3, 5, 0, 2, 4).reshape(n_in * stride**2, n_out, n, n).flip(2, 3)


def _through_cap(gradient: Tensor, activation: Tensor) -> Tensor:
    """The gradient before a ReLU capped at 6, in place: nothing passes where the activation is 0 or 6."""
    import torch

    return torch.ops.aten.hardtanh_backward.grad_input(gradient, activation, 0.0, 6.0, grad_input=gradient)


def _size(x: Tensor) -> tuple[int, int]:
    return x.shape[2], x.shape[3]
