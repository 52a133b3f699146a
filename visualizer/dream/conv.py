"""One convolution with constant weights, and the gradient at its input, by the fastest kernels of the device.

As the weights never change, the gradient needs only them. It is written by hand, which saves autograd's copies and lets
every device use the kernels that are fast forward (torch's own gradient of a depthwise convolution of stride 2 takes
ten times as long).
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from .device import Compute

if TYPE_CHECKING:
    from torch import Tensor

#: up to this many pixels a 1x1 convolution is computed as a matrix product: a call costs a third less, which matters
#: while the pixels are few; with many, the convolution is a little faster
MATRIX_PRODUCT_PX = 30_000
#: how many packed forms of its weights a convolution caches: one for each direction and size of picture, so six sizes
N_LAYOUTS = 12

T = TypeVar("T")


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after `size` so that the output has ceil(size / stride): TensorFlow's "same". Uneven for even
    sizes at stride 2."""
    n_out = -(-size // stride)
    total = max((n_out - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class Conv:
    """One convolution, its batch norm folded in, and its gradient.

    For one thread at a time: it caches buffers for the sizes it has seen. A deep copy shares the weights and nothing
    else.
    """

    def __init__(
        self, weight: Tensor, bias: Tensor | None, stride: int, compute: Compute, padding: int | None = None
    ) -> None:
        """weight: (out, in / groups, k, k), bias: (out,), both float32. Depthwise if in / groups is 1.

        padding: zeros on each side; None for TensorFlow's "same", which follows the size.
        """
        import torch

        def placed(tensor: Tensor) -> Tensor:
            tensor = tensor.to(compute.device, compute.dtype)
            return tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor

        self.kernel, self.stride, self.padding = weight.shape[2], stride, padding
        self.groups = weight.shape[0] if weight.shape[1] == 1 else 1
        self.n_in = weight.shape[1] * self.groups
        self.weight, self.bias = placed(weight), None if bias is None else placed(bias)
        # the gradient is a convolution with the kernel rotated by 180 degrees, inputs and outputs exchanged
        rotated = weight.flip(2, 3)
        self.back_weight = placed(rotated if self.groups > 1 else rotated.transpose(0, 1))
        if stride > 1 and self.groups == 1:
            self.back_weight = placed(_phases(weight, stride))
        self._fused = _fused_convolution(compute)
        # in bfloat16 the transposed convolution takes ten times as long as one among zeros; on other devices than the
        # CPU it was not measured
        self._transposes = self._fused is not None and compute.dtype == torch.float32
        self._multiply = _fused_multiplication(compute) if self.kernel == 1 and self.groups == 1 else None
        self._clear_caches()

    def _clear_caches(self) -> None:
        self._zeros: OrderedDict[tuple[int, ...], Tensor] = OrderedDict()
        self._packed: OrderedDict[tuple[object, ...], Tensor] = OrderedDict()

    def __deepcopy__(self, memo: dict[int, Any]) -> Conv:
        twin = Conv.__new__(Conv)
        twin.__dict__.update(self.__dict__)
        twin._clear_caches()
        return twin

    def forward(self, x: Tensor, cap: float | None = None) -> Tensor:
        """(1, in, h, w) -> (1, out, ..), ceil(h / stride) high where padding is "same". With a cap: followed by a ReLU
        capped at it, which may be infinite."""
        from torch.nn.functional import pad

        (top, bottom), (left, right) = self._margins(x.shape[2]), self._margins(x.shape[3])
        if top != bottom or left != right:
            x = pad(x, (left, right, top, bottom))
            top = left = 0
        return self._convolved(x, self.weight, self.bias, self.stride, (top, left), cap)

    def backward(self, gradient: Tensor, size: tuple[int, int]) -> Tensor:
        """Gradient at the output, (1, out, ..), -> gradient at the input, (1, in, h, w) with (h, w) = size: a new
        tensor.
        """
        from torch.nn.functional import conv_transpose2d

        if self.stride == 1:
            margin = self.kernel - 1 - self._margins(size[0])[0]
            return self._convolved(gradient, self.back_weight, None, 1, (margin, margin))
        (top, _), (left, _) = (self._margins(n) for n in size)
        if self.groups > 1:
            if not self._transposes:
                return self._convolved(self._stuffed(gradient, size), self.back_weight, None, 1, (0, 0))
            # what the kernels reach of the input may end before it, or behind it where "same" padding is uneven
            rest = [
                n + 2 * before - (n_out - 1) * self.stride - self.kernel
                for n, before, n_out in zip(size, (top, left), gradient.shape[2:], strict=True)
            ]
            more = [max(n, 0) for n in rest]
            whole = conv_transpose2d(gradient, self.weight, None, self.stride, (top, left), more, self.groups)
            return whole if min(rest) >= 0 else whole[:, :, : size[0], : size[1]]
        reach = self.back_weight.shape[2] - 1
        phases = self._convolved(gradient, self.back_weight, None, 1, (reach, reach))
        whole = _interleaved(phases, self.n_in, self.stride)
        return whole[:, :, top : top + size[0], left : left + size[1]]

    def _margins(self, size: int) -> tuple[int, int]:
        """Zeros before and after `size`."""
        if self.padding is not None:
            return self.padding, self.padding
        return same_padding(size, self.kernel, self.stride)

    def _convolved(
        self,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: int,
        padding: tuple[int, int],
        cap: float | None = None,
    ) -> Tensor:
        """A convolution, followed by a ReLU capped at `cap` if given, in one pass over memory where torch supports
        that.
        """
        from torch.nn.functional import conv2d

        if self._fused is None:
            if x.is_cuda and self.groups > 1:
                y = _depthwise_on_cuda(x, weight, bias, stride, padding)
            else:
                y = conv2d(x, weight, bias, stride, padding, 1, self.groups)
            return y if cap is None else y.relu_() if cap == math.inf else y.clamp_(0, cap)
        through = ("none", [], "") if cap is None else ("hardtanh", [0.0, cap], "")
        if self._multiply is not None and x.shape[2] * x.shape[3] <= MATRIX_PRODUCT_PX:
            multiply, pack = self._multiply
            packed = _cached(
                self._packed,
                (weight is self.weight, *x.shape),
                lambda: pack(weight.flatten(1), x.shape[2] * x.shape[3]),
                N_LAYOUTS,
            )
            return multiply(x.permute(0, 2, 3, 1), packed, bias, *through).permute(0, 3, 1, 2)
        convolve, pack_weight = self._fused
        strides, dilation = [stride, stride], [1, 1]
        # weights packed for this size, once: oneDNN would do it at every call, and in the small octaves that costs as
        # much as the convolution itself
        packed = _cached(
            self._packed,
            (weight is self.weight, padding, *x.shape),
            lambda: pack_weight(weight, list(padding), strides, dilation, self.groups, list(x.shape)),
            N_LAYOUTS,
        )
        return convolve(x, packed, bias, list(padding), strides, dilation, self.groups, *through)

    def _stuffed(self, gradient: Tensor, size: tuple[int, int]) -> Tensor:
        """The gradient spread to every `stride`-th position among zeros, with the margins that its convolution needs.

        The buffer is kept between steps: always the same positions are written.
        """
        import torch

        height, width = (n + self.kernel - 1 for n in size)
        stuffed = _cached(
            self._zeros,
            (*gradient.shape, *size),
            lambda: torch.zeros(
                (1, gradient.shape[1], height, width), dtype=gradient.dtype, device=gradient.device
            ).contiguous(memory_format=torch.channels_last),
            1,  # it is as large as the picture
        )
        top, left = (self.kernel - 1 - self._margins(n)[0] for n in size)
        stuffed[:, :, top : top + size[0] : self.stride, left : left + size[1] : self.stride].copy_(gradient)
        return stuffed


def _depthwise_on_cuda(x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: tuple[int, int]) -> Tensor:
    """A depthwise convolution by torch's own kernel: x (1, n, h, w) -> (1, n, ..), both channels last.

    cuDNN prepares a new kernel for every shape of picture: a bake of 20 depths at 1280x720 took 15 to 20 s on an NVIDIA
    H200, and 1.8 s with torch's kernel, which needs channels first (docs/decisions/0017).
    """
    import torch
    from torch.nn.functional import conv2d

    with torch.backends.cudnn.flags(enabled=False):
        y = conv2d(x.contiguous(), weight.contiguous(), bias, stride, padding, 1, weight.shape[0])
    return y.contiguous(memory_format=torch.channels_last)


def _cached(cache: OrderedDict[Any, T], key: object, make: Callable[[], T], n_max: int) -> T:
    """The value for that key, made once; of the others the n_max - 1 used last stay in the cache."""
    found = cache.get(key)
    if found is None:
        while len(cache) >= n_max:  # before making another, where memory is short
            cache.popitem(last=False)
        found = cache[key] = make()
    cache.move_to_end(key)
    return found


def _fused_convolution(compute: Compute) -> tuple[Callable[..., Tensor], Callable[..., Tensor]] | None:
    """Convolution with capped ReLU and the function that packs its weights, where torch has them (oneDNN on the CPU);
    else None.
    """
    import torch

    if compute.device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return None
    if compute.dtype not in (torch.float32, torch.bfloat16):
        return None  # oneDNN has no float64, which tests compare in
    if compute.dtype == torch.bfloat16:
        supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
        if supported is None or not supported():
            return None  # torch's own convolution emulates it
    convolve = getattr(torch.ops.mkldnn, "_convolution_pointwise", None)
    pack = getattr(torch.ops.mkldnn, "_reorder_convolution_weight", None)
    return (convolve, pack) if convolve is not None and pack is not None else None


def _fused_multiplication(compute: Compute) -> tuple[Callable[..., Tensor], Callable[..., Tensor]] | None:
    """The same for 1x1 convolutions, as a matrix product."""
    import torch

    if _fused_convolution(compute) is None:
        return None
    multiply = getattr(torch.ops.mkldnn, "_linear_pointwise", None)
    pack = getattr(torch.ops.mkldnn, "_reorder_linear_weight", None)
    return (multiply, pack) if multiply is not None and pack is not None else None


#: the output channels of a convolution are computed in groups of this many: a part of a group takes longer than a whole
LANES = 16


def _phases(weight: Tensor, stride: int) -> Tensor:
    """The kernel for the gradient of a dense convolution with a stride, as a dense convolution without one.

    In the gradient, each of stride x stride neighbouring pixels ("phases") uses every `stride`-th element of the
    kernel. (out, in, k, k) -> (in * stride * stride, out, n, n) with n = ceil(k / stride), as `_interleaved` wants it,
    and zeros for further outputs up to a multiple of LANES.
    """
    from torch.nn.functional import pad

    n_out, n_in, kernel, _ = weight.shape
    n = -(-kernel // stride)
    weight = pad(weight, (0, n * stride - kernel) * 2).view(n_out, n_in, n, stride, n, stride)
    weight = weight.permute(1, 3, 5, 0, 2, 4).reshape(n_in * stride**2, n_out, n, n).flip(2, 3)
    return pad(weight, (0, 0, 0, 0, 0, 0, 0, -len(weight) % LANES))


def _interleaved(phases: Tensor, n_channels: int, stride: int) -> Tensor:
    """torch's pixel_shuffle of the first n_channels * stride * stride channels, channels last, (1, n, h, w) ->
    (1, n_channels, stride * h, stride * w).

    The gradient at an image gets a plane for each channel in memory: a third of pixel_shuffle's time, and what follows
    is quicker so.
    """
    from torch.nn.functional import pixel_shuffle

    parts = phases[:, : n_channels * stride**2]
    if n_channels > 3:
        return pixel_shuffle(parts, stride)
    height, width = phases.shape[2:]
    result = phases.new_empty((1, n_channels, height, stride, width, stride))
    parts = parts.view(1, n_channels, stride, stride, height, width).permute(0, 1, 4, 2, 5, 3)
    return result.copy_(parts).view(1, n_channels, height * stride, width * stride)
