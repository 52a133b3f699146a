"""The image pyramid: its sizes, and the mirrored margins."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from visualizer.dream.octaves import (
    BAND_PX,
    MIN_SIDE_PX,
    continued,
    corners,
    doubled,
    enlarged,
    for_picture,
    halved,
    margins,
    mirrored,
    octave_sizes,
    pyramid,
    row_bands,
)
from visualizer.settings import DreamSettings

SIDES = st.integers(1, 3000)


@given(height=SIDES, width=SIDES, n_octaves=st.integers(1, 10), scale=st.floats(1.1, 2.5))
def test_sizes_grow_up_to_the_image_itself(height: int, width: int, n_octaves: int, scale: float) -> None:
    sizes = octave_sizes(height, width, n_octaves, scale)
    assert sizes[-1] == (height, width)
    assert 1 <= len(sizes) <= n_octaves
    assert sizes == sorted(sizes)
    assert all(min(size) >= MIN_SIDE_PX for size in sizes[:-1])


def test_sizes_of_the_default_at_720p() -> None:
    sizes = octave_sizes(720, 1280, 5, 1.4)
    assert sizes == [(187, 333), (262, 466), (367, 653), (514, 914), (720, 1280)]


def test_lengths_in_the_settings_are_px_of_a_picture_720_px_high() -> None:
    dream = DreamSettings(smoothing_px=1.0, smoothing_growth_px=2.0, jitter_px=32, n_octaves=7)
    assert for_picture(dream, 720, 1280) == dream == for_picture(dream, 1280, 720)
    large = for_picture(dream, 1440, 2560)
    assert (large.smoothing_px, large.smoothing_growth_px, large.jitter_px) == (2.0, 4.0, 64)
    small = for_picture(dream, 180, 320)
    assert (small.smoothing_px, small.smoothing_growth_px, small.jitter_px) == (0.25, 0.5, 8)


@given(side=st.integers(720, 4320))
def test_the_coarsest_octave_of_a_large_picture_is_as_small_as_at_720(side: int) -> None:
    dream = for_picture(DreamSettings(n_octaves=4), side, side)
    coarsest, at_720 = (octave_sizes(n, n, m, 1.4)[0][0] for n, m in ((side, dream.n_octaves), (720, 4)))
    assert at_720 / 1.4**0.51 < coarsest < at_720 * 1.4**0.51


def test_pyramid_keeps_the_mean_colour_and_does_not_alias() -> None:
    stripes = torch.zeros(1, 3, 128, 128)
    stripes[:, :, ::2] = 1
    coarse, fine = pyramid(stripes, [(48, 48), (128, 128)])
    assert torch.equal(fine, stripes)
    assert fine is not stripes
    assert (coarse[:, :, 2:-2] - 0.5).abs().max() < 0.1


def test_enlarged_keeps_a_flat_change_flat() -> None:
    change = enlarged(torch.full((1, 3, 10, 13), 0.25), (14, 19))
    assert change.shape == (1, 3, 14, 19)
    assert (change - 0.25).abs().max() < 1e-6


def test_mirror_does_not_repeat_the_edge() -> None:
    assert mirrored(4, 2, 3).tolist() == [2, 1, 0, 1, 2, 3, 2, 1, 0]
    assert mirrored(1, 2, 2).tolist() == [0] * 5
    assert mirrored(2, 3, 2).tolist() == [1, 0, 1, 0, 1, 0, 1]


@given(n=SIDES, before=st.integers(0, 64), after=st.integers(0, 64))
@settings(max_examples=50)
def test_mirror_stays_inside_and_moves_by_single_pixels(n: int, before: int, after: int) -> None:
    indices = mirrored(n, before, after)
    assert len(indices) == n + before + after
    assert indices.min() >= 0
    assert indices.max() < n
    assert np.array_equal(indices[before : before + n], np.arange(n))
    assert np.abs(np.diff(indices)).max(initial=0) <= 1


@given(sides=st.tuples(*[st.integers(1, 12)] * 2), around=st.tuples(*[st.integers(0, 20)] * 4))
@settings(max_examples=50)
def test_continued_is_the_mirror_of_both_sides(sides: tuple[int, int], around: tuple[int, int, int, int]) -> None:
    left, right, top, bottom = around
    x = torch.rand(1, 3, *sides, generator=torch.Generator().manual_seed(4))
    expected = np.pad(x.numpy(), ((0, 0), (0, 0), (top, bottom), (left, right)), mode="reflect")
    assert np.array_equal(continued(x, left, right, top, bottom).numpy(), expected)


@given(n=SIDES, stride=st.sampled_from([2, 4, 8, 16, 32]), shift=st.integers(-256, 256))
def test_margins_shift_the_image_on_the_networks_grid(n: int, stride: int, shift: int) -> None:
    before, after = margins(n, stride, shift)
    assert 0 <= before < stride
    assert 0 < after < 2 * stride
    assert (before - shift) % stride == 0
    assert (before + n + after) % stride == 1


@given(height=st.integers(1, 40_000), width=st.integers(1, 40_000))
def test_bands_cover_all_rows_once_and_are_no_larger_than_needed(height: int, width: int) -> None:
    bands = row_bands(height, width)
    assert [band.start for band in bands] == [0, *(band.stop for band in bands[:-1])]
    assert bands[-1].stop == height
    assert all(0 < (band.stop - band.start) * width <= max(BAND_PX + width, width) for band in bands)
    assert (len(bands) == 1) == (height * width <= BAND_PX or height == 1)


@given(sides=st.tuples(*[st.integers(1, 40)] * 2))
@settings(max_examples=50)
def test_halved_is_the_mean_of_four_px(sides: tuple[int, int]) -> None:
    x = torch.rand(1, 2, *sides, generator=torch.Generator().manual_seed(4))
    whole = continued(x, 0, sides[1] % 2, 0, sides[0] % 2)
    torch.testing.assert_close(halved(x), torch.nn.functional.avg_pool2d(whole, 2))


@given(sides=st.tuples(*[st.integers(1, 40)] * 2))
@settings(max_examples=50)
def test_doubled_is_linear_interpolation(sides: tuple[int, int]) -> None:
    x = torch.rand(1, 2, -(-sides[0] // 2), -(-sides[1] // 2), generator=torch.Generator().manual_seed(4))
    wide = torch.nn.functional.interpolate(x, scale_factor=2, mode="bilinear")
    torch.testing.assert_close(doubled(x, sides), wide[:, :, : sides[0], : sides[1]])
    torch.testing.assert_close(corners(x), wide[:, :, ::2, ::2])
