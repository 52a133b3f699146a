"""One convolution, forward and back, is torch's own, by whichever kernel it goes."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import conv2d, pad

import visualizer.dream.conv as conv_file
from visualizer.dream.conv import N_LAYOUTS, Conv, same_padding
from visualizer.dream.device import Compute

CPU = Compute(torch.device("cpu"), torch.float32)
#: oneDNN has no float64: torch's own convolutions, as on other devices
EXACT = Compute(torch.device("cpu"), torch.float64)


def tensors(seed: int, *shapes: tuple[int, ...]) -> list[torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=rng) for shape in shapes]


@pytest.mark.parametrize("compute", [CPU, EXACT], ids=["onednn", "torch"])
@pytest.mark.parametrize("size", [(1, 1), (16, 24), (17, 25), (2, 9)])
@pytest.mark.parametrize(
    ("kernel", "stride", "depthwise", "padding"),
    [
        (1, 1, False, None),
        (1, 1, False, 0),
        (3, 1, False, None),
        (5, 1, False, 2),
        (3, 1, True, None),
        (5, 2, True, None),
        (3, 2, True, 1),
        (3, 2, False, None),
        (7, 2, False, None),
        (3, 2, False, 1),
        (7, 2, False, 3),
    ],
)
def test_both_ways_are_autograds(
    kernel: int,
    stride: int,
    depthwise: bool,
    padding: int | None,
    size: tuple[int, int],
    compute: Compute,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if padding == 0:  # as where there are too many pixels for a multiplication of matrices
        monkeypatch.setattr(conv_file, "MATRIX_PRODUCT_PX", 0)
    n_in, n_out = (12, 12) if depthwise else (3 if kernel == 7 else 6, 10)  # 7x7: of an image
    shapes = (n_out, 1 if depthwise else n_in, kernel, kernel), (n_out,), (1, n_in, *size)
    weight, bias, x = (tensor.to(compute.dtype) for tensor in tensors(kernel, *shapes))
    sides = [(padding, padding) if padding is not None else same_padding(n, kernel, stride) for n in size]
    seen = x.clone().requires_grad_()
    padded = pad(seen, (*sides[1], *sides[0]))
    expected = conv2d(padded, weight, bias, stride, groups=n_in if depthwise else 1)
    gradient = tensors(8, tuple(expected.shape))[0].to(compute.dtype)
    (expected_back,) = torch.autograd.grad(expected, seen, gradient)

    conv = Conv(weight, bias, stride, compute, padding)
    x, gradient = (tensor.contiguous(memory_format=torch.channels_last) for tensor in (x, gradient))
    with torch.no_grad():
        for _ in range(2):  # the second time with what was laid out the first time
            assert torch.allclose(conv.forward(x), expected, atol=1e-5)
            assert torch.allclose(conv.forward(x, cap=math.inf), expected.relu(), atol=1e-5)
            assert torch.allclose(conv.forward(x, cap=0.5), expected.clamp(0, 0.5), atol=1e-5)
            assert torch.allclose(conv.backward(gradient, size), expected_back, atol=1e-5)


def test_pictures_of_many_sizes_leave_few_layouts_behind() -> None:
    weight, bias = tensors(1, (8, 1, 3, 3), (8,))
    wide_weight, wide_bias = tensors(2, (8, 8, 3, 3), (8,))
    thin, wide = Conv(weight, bias, 2, EXACT), Conv(wide_weight, wide_bias, 1, CPU)
    with torch.no_grad():
        for n in range(10, 40):
            x = torch.ones(1, 8, n, n)
            thin.backward(thin.forward(x.double()), (n, n))
            wide.backward(wide.forward(x), (n, n))
            assert len(wide._packed) <= N_LAYOUTS
            assert len(thin._zeros) <= 1
        again = wide.forward(torch.ones(1, 8, 12, 12))
        assert torch.equal(again, Conv(wide_weight, wide_bias, 1, CPU).forward(torch.ones(1, 8, 12, 12)))


def test_a_deep_copy_shares_the_weights_and_nothing_else() -> None:
    weight, bias, x = tensors(1, (8, 8, 3, 3), (8,), (1, 8, 9, 9))
    conv = Conv(weight, bias, 2, CPU)
    with torch.no_grad():
        expected = conv.forward(x)
        twin = copy.deepcopy(conv)
        assert twin.weight is conv.weight
        assert twin.back_weight is conv.back_weight
        assert twin._packed is not conv._packed
        assert not twin._packed
        assert torch.equal(twin.forward(x), expected)


@given(size=st.integers(1, 500), kernel=st.sampled_from([1, 3, 5, 7]), stride=st.sampled_from([1, 2]))
@settings(max_examples=100, deadline=None)
def test_same_padding_gives_the_size_it_promises(size: int, kernel: int, stride: int) -> None:
    before, after = same_padding(size, kernel, stride)
    assert 0 <= before <= after <= before + 1
    assert (size + before + after - kernel) // stride + 1 >= -(-size // stride)
    if size >= kernel:
        assert (size + before + after - kernel) // stride + 1 == -(-size // stride)


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 2)])
def test_the_depthwise_way_of_cuda_computes_the_same(kernel: int, stride: int) -> None:
    """Its layouts and arguments, on the CPU; tests/dream/test_bake.py compares whole bakes where there is a GPU."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn((1, 6, 17, 22), generator=generator).contiguous(memory_format=torch.channels_last)
    weight, bias = torch.randn((6, 1, kernel, kernel), generator=generator), torch.randn(6, generator=generator)
    found = conv_file._depthwise_on_cuda(x, weight, bias, stride, (1, 2))
    expected = conv2d(x, weight, bias, stride, (1, 2), 1, 6)
    torch.testing.assert_close(found, expected)
    assert found.is_contiguous(memory_format=torch.channels_last)
