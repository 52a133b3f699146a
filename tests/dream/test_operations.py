"""Each operation goes forward like torch's own layer, and back like autograd through it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import local_response_norm, max_pool2d, pad

from visualizer.dream.conv import same_padding
from visualizer.dream.device import Compute
from visualizer.dream.operations import LocalResponseNorm, MaxPool, Operation, Preparation, relu_backward

EXACT = Compute(torch.device("cpu"), torch.float64)
SIZES = [(8, 12), (9, 13), (2, 3), (1, 5)]


def noise(*shape: int, seed: int = 4) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def assert_both_ways(operation: Operation, x: Tensor, expected: Tensor, seen: Tensor) -> None:
    """operation(x) is `expected`, which was made from `seen`, and nothing is left on the pile afterwards."""
    gradient = noise(*expected.shape, seed=9)
    (back,) = torch.autograd.grad(expected, seen, gradient)
    kept: list[object] = ["beneath"]
    with torch.no_grad():
        assert torch.allclose(operation.forward(x, kept), expected)
        assert torch.allclose(operation.backward(gradient, kept), back)
    assert kept == ["beneath"]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("kernel", "stride", "padding", "ceil"), [(3, 2, 1, False), (3, 2, 0, True), (2, 2, 0, False)])
def test_max_pool(kernel: int, stride: int, padding: int, ceil: bool, size: tuple[int, int]) -> None:
    x = noise(1, 4, *size)
    operation = MaxPool(kernel, stride, padding, ceil)
    seen = x.clone().requires_grad_()
    if (
        padding == 0 and min(size) == 1
    ):  # torch refuses a window that is larger than the picture; here it sees what there is
        expected = max_pool2d(seen, kernel, stride, (1, 0), ceil_mode=ceil)
    else:
        expected = max_pool2d(seen, kernel, stride, padding, ceil_mode=ceil)
    assert_both_ways(operation, x, expected, seen)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("stride", [1, 2])
def test_max_pool_padded_as_tensorflow_does(stride: int, size: tuple[int, int]) -> None:
    x = noise(1, 4, *size)
    seen = x.clone().requires_grad_()
    (top, bottom), (left, right) = (same_padding(n, 3, stride) for n in size)
    expected = max_pool2d(pad(seen, (left, right, top, bottom), value=-torch.inf), 3, stride)
    assert expected.shape[2:] == tuple(-(-n // stride) for n in size)
    assert_both_ways(MaxPool(3, stride, padding=None), x, expected, seen)


def test_local_response_norm() -> None:
    x = noise(1, 20, 5, 6).abs() * 300
    seen = x.clone().requires_grad_()
    expected = local_response_norm(seen, size=9, alpha=1e-4, beta=0.5, k=1)
    assert (expected < 0.9 * x).any()  # it does something
    assert_both_ways(LocalResponseNorm(20, reach=4, rate=1e-4, compute=EXACT), x, expected, seen)


def test_nothing_passes_a_relu_that_is_shut_or_capped() -> None:
    gradient = torch.tensor([1.0, 2.0, 3.0, 4.0])
    activation = torch.tensor([0.0, 1.0, 6.0, 7.0])
    assert relu_backward(gradient.clone(), activation.clone(), 6).tolist() == [0, 2, 0, 0]
    assert relu_backward(gradient.clone(), activation).tolist() == [0, 2, 3, 4]


@pytest.mark.parametrize("cap", [6.0, 0.3, float("inf")])
def test_the_relus_way_back_is_the_same_in_bfloat16(cap: float) -> None:
    """It compares bits there: of every activation that there is."""
    activation = torch.arange(0x7F80).to(torch.int16).view(torch.bfloat16)  # 0 to the largest below infinity
    activation = activation[activation <= cap]
    assert activation[0] == 0
    gradient = noise(len(activation)).to(torch.bfloat16)
    gradient[3], gradient[4] = torch.inf, -0.0
    expected = torch.where((activation > 0) & (activation < cap), gradient, 0)
    assert torch.equal(relu_backward(gradient.clone(), activation.clone(), cap), expected)
    # a layer's direction may be its activation
    expected = torch.where((activation > 0) & (activation < cap), activation, 0)
    assert torch.equal(relu_backward(activation, activation, cap), expected)


def test_preparation_of_each_colour() -> None:
    image = torch.full((1, 3, 2, 2), 0.5)
    compute = Compute(torch.device("cpu"), torch.float32)
    prepared = Preparation(2.0, (-0.5, 0.0, 1.0))(image, compute)
    assert prepared[0, :, 0, 0].tolist() == [0.5, 1.0, 2.0]
    assert Preparation(1.0, (-0.5,))(image, compute).abs().max() == 0
