"""The gradient's blur is three gaussians, and kind to borders."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import visualizer.dream.octaves as octaves
from visualizer.dream.octaves import doubled
from visualizer.dream.smoothing import gaussian, smoothed


@pytest.mark.parametrize("sigma_px", [0.3, 1.0, 4.0])
def test_gaussian_has_unit_sum_and_its_sigma(sigma_px: float) -> None:
    kernel = gaussian(sigma_px)
    places = np.arange(len(kernel)) - len(kernel) // 2
    assert math.isclose(kernel.sum(), 1)
    assert np.array_equal(kernel, kernel[::-1])
    if sigma_px >= 1:
        assert math.isclose((kernel * places**2).sum(), sigma_px**2, rel_tol=0.05)


def test_sigma_zero_only_sums() -> None:
    gradient = torch.rand(1, 3, 5, 7, generator=torch.Generator().manual_seed(1))
    assert torch.equal(smoothed(gradient, 0.0), gradient + gradient + gradient)


def test_one_bright_pixel_becomes_three_gaussians() -> None:
    gradient = torch.zeros(1, 3, 41, 41)
    gradient[0, 1, 20, 20] = 1
    found = smoothed(gradient, 1.5)[0].numpy()
    expected = np.zeros((41, 41))
    for sigma in (0.75, 1.5, 3.0):
        kernel = gaussian(sigma)
        radius = len(kernel) // 2
        expected[20 - radius : 21 + radius, 20 - radius : 21 + radius] += np.outer(kernel, kernel)
    np.testing.assert_allclose(found[1], expected, atol=1e-6)
    assert not found[[0, 2]].any()


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (5, 2), (30, 40)])
def test_a_flat_gradient_stays_flat_up_to_its_borders(size: tuple[int, int]) -> None:
    found = smoothed(torch.full((1, 3, *size), 0.5), 8.0)
    assert found.shape == (1, 3, *size)
    assert (found - 1.5).abs().max() < 1e-5


@pytest.mark.parametrize("size", [(3, 5), (16, 33), (47, 64)])
@pytest.mark.parametrize("sigma_px", [0.3, 1.7])
def test_blocks_leave_no_trace(size: tuple[int, int], sigma_px: float) -> None:
    """Every pixel is what plain convolutions of the mirrored gradient give, wherever it lies in its block."""
    gradient = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(6)) - 0.5
    expected = np.zeros((3, *size))
    for factor in (0.5, 1.0, 2.0):
        kernel = gaussian(sigma_px * factor)
        radius = len(kernel) // 2
        blurred = np.pad(gradient[0].double().numpy(), ((0, 0), (radius, radius), (radius, radius)), mode="reflect")
        for axis in (1, 2):
            blurred = np.apply_along_axis(np.convolve, axis, blurred, kernel, mode="valid")
        expected += blurred
    np.testing.assert_allclose(smoothed(gradient, sigma_px)[0].numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("size", [(1, 7), (3, 5), (16, 33), (90, 20)])
@pytest.mark.parametrize(("sigma_px", "is_halved"), [(0.0, False), (1.7, False), (8.0, False), (3.0, True)])
def test_bands_of_rows_leave_no_trace(
    size: tuple[int, int], sigma_px: float, is_halved: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    gradient = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(6)) - 0.5
    whole = smoothed(gradient, sigma_px, is_halved=is_halved)
    monkeypatch.setattr(octaves, "BAND_PX", 2 * size[1])
    torch.testing.assert_close(smoothed(gradient, sigma_px, is_halved=is_halved), whole, rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", [(64, 96), (45, 71)])
def test_a_blur_at_half_the_size_is_the_same_once_it_is_enlarged(size: tuple[int, int]) -> None:
    gradient = torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(6))  # finer than any picture
    whole = smoothed(gradient, 4.0)
    half = smoothed(gradient, 4.0, is_halved=True)
    assert half.shape == (1, 3, -(-size[0] // 2), -(-size[1] // 2))
    assert (doubled(half, size) - whole).norm() < 0.05 * whole.norm()
