"""A picture seen in tiles gives what it gives seen whole, without a seam; out of memory, tiles get smaller."""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from visualizer.dream.device import Compute, is_out_of_memory
from visualizer.dream.network import Network
from visualizer.dream.tiles import Cut, TileLimit, _context_cells, _spans, best_cut, default_limit_px, shifted_gradient
from visualizer.networks import NETWORKS
from visualizer.resources import shipped

REACH_PX = 9


class Local:
    """Stands in for a network: each px answers to its neighbours, to where it lies on the grid, and to zeros at the
    border.
    """

    def __init__(self, stride: int, fails: Callable[[int], bool] = lambda n_px: False) -> None:
        self.stride = stride
        self.fails = fails
        self.seen: list[tuple[int, int]] = []

    def gradient(self, image: Tensor) -> Tensor:
        height, width = image.shape[2:]
        self.seen.append((height, width))
        if self.fails(height * width):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        assert height % self.stride == width % self.stride == 1 % self.stride
        grid = torch.arange(height)[:, None] % self.stride * 0.1 + torch.arange(width) % self.stride * 0.01
        return avg_pool2d(pad(image, (REACH_PX,) * 4), 2 * REACH_PX + 1, 1) * (1 + grid)


def noise(height: int, width: int) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(height * 1000 + width))


@pytest.fixture(scope="module")
def view() -> Tensor:
    """The default preset's image, (1, 3, 360, 640)."""
    with Image.open(shipped("presets") / "clouds" / "image.jpg") as image:
        pixels = np.asarray(image.convert("RGB").resize((640, 360), Image.Resampling.LANCZOS))
    return torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None].float() / 255


@given(
    height=st.integers(1, 500),
    width=st.integers(1, 500),
    stride=st.sampled_from([1, 2, 4, 8]),
    limit_px=st.integers(1, 260_000),
    shift=st.tuples(st.integers(-40, 40), st.integers(-40, 40)),
    seed=st.integers(0, 9),
)
@settings(max_examples=20, deadline=None)
@pytest.mark.slow
def test_tiles_give_what_the_whole_gives(
    height: int, width: int, stride: int, limit_px: int, shift: tuple[int, int], seed: int
) -> None:
    state = noise(height, width)
    whole, tiled = Local(stride), Local(stride)
    expected = shifted_gradient(state, whole, shift)  # type: ignore[arg-type]
    found = shifted_gradient(state, tiled, shift, TileLimit(limit_px), (seed,))  # type: ignore[arg-type]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    assert len(set(tiled.seen)) == 1  # one size: laid out once
    tile = tiled.seen[0]
    if tile[0] * tile[1] > limit_px:  # then no smaller one can be cut
        least = best_cut(whole.seen[0], stride, 1)
        assert tile == (least.height, least.width)


@given(n_cells=st.integers(1, 400), stride=st.sampled_from([1, 4, 16, 32]), limit_px=st.integers(1, 10**7))
@settings(max_examples=60, deadline=None)
def test_every_px_is_kept_once_and_seen_with_its_context(n_cells: int, stride: int, limit_px: int) -> None:
    n = n_cells * stride + 1
    cut = best_cut((n, n), stride, limit_px)
    context = _context_cells(stride) * stride
    cuts = set()
    for seed in range(3):
        spans = _spans(n, cut.n_down, cut.height, stride, np.random.default_rng(seed))
        assert [first for first, _, _ in spans] == [0, *(end for _, end, _ in spans[:-1])]
        assert spans[-1][1] == n
        cuts.update(end for _, end, _ in spans[:-1])
        for first, end, seen in spans:
            assert first < end and seen % stride == 0
            assert 0 <= seen <= max(first - context, 0)
            assert min(end + context, n) <= seen + cut.height <= n
    if cut.n_down > 1 and stride < 32:
        assert len(cuts) > cut.n_down - 1  # they wander


def test_the_cut_is_the_cheapest_that_fits() -> None:
    assert best_cut((721, 1281), 16, 10**6) == Cut(1, 1, 721, 1281)
    cut = best_cut((4337, 7697), 16, 4_000_000)
    assert cut.height * cut.width <= 4_000_000
    assert cut.n_down * cut.n_across * cut.height * cut.width < 1.45 * 4337 * 7697
    long = best_cut((33, 16 * 2000 + 1), 16, 200_000)
    assert long.n_down == 1 and long.height == 33
    # when nothing fits, the smallest there is
    least = best_cut((721, 1281), 16, 1)
    assert least.n_down * least.n_across > 1
    assert least.height * least.width < 721 * 1281 / 2


@pytest.mark.parametrize(("layer", "tolerance"), [("block2.expand", 1e-4), ("block10.expand", 0.02)])
@torch.inference_mode()
@pytest.mark.slow
def test_a_real_network_hardly_notices(
    layer: str, tolerance: float, view: Tensor, weights: dict[str, Tensor], cpu: Compute
) -> None:
    network = Network(weights, layer, cpu)
    whole = shifted_gradient(view, network, (5, -9))
    for seed in range(2):
        tiled = shifted_gradient(view, network, (5, -9), TileLimit(1), (seed,))
        assert (tiled - whole).abs().mean() < tolerance * whole.abs().mean()
        assert not torch.equal(tiled, whole) or layer != "block10.expand"  # it was cut


@pytest.mark.slow
def test_out_of_memory_halves_the_tiles_and_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    state = noise(600, 700)
    network = Local(4, fails=lambda n_px: n_px > 100_000)
    room = TileLimit(10**9)
    with caplog.at_level(logging.WARNING):
        found = shifted_gradient(state, network, (3, 8), room, (1,))  # type: ignore[arg-type]
        tried = len(network.seen)
        again = shifted_gradient(state, network, (3, 8), room, (1,))  # type: ignore[arg-type]
    torch.testing.assert_close(found, shifted_gradient(state, Local(4), (3, 8)), rtol=0, atol=1e-5)  # type: ignore[arg-type]
    assert torch.equal(found, again)
    sizes = [height * width for height, width in network.seen]
    assert sizes[0] > 4 * 100_000
    failed = [n_px for n_px in sizes if n_px > 100_000]
    assert all(smaller <= larger // 2 for larger, smaller in itertools.pairwise(failed))
    assert all(n_px <= 100_000 for n_px in sizes[tried:])  # what was learnt is kept
    said = [record for record in caplog.records if "not enough memory" in record.message]
    assert len(said) == 1
    assert "going on in tiles" in said[0].message


@pytest.mark.parametrize("size", [(1, 1), (300, 1), (40, 50), (900, 900)])
def test_the_smallest_tile_failing_is_the_end(size: tuple[int, int]) -> None:
    network = Local(4, fails=lambda n_px: True)
    with pytest.raises(torch.OutOfMemoryError):
        shifted_gradient(noise(*size), network, (0, 0), TileLimit(10**9))  # type: ignore[arg-type]
    assert len(network.seen) < 8


def test_other_failures_are_not_taken_for_it() -> None:
    class Broken(Local):
        def gradient(self, image: Tensor) -> Tensor:
            self.seen.append((0, 0))
            raise RuntimeError("device-side assert triggered")

    network = Broken(4)
    with pytest.raises(RuntimeError, match="assert"):
        shifted_gradient(noise(600, 600), network, (0, 0), TileLimit(10**9))  # type: ignore[arg-type]
    assert len(network.seen) == 1
    assert not is_out_of_memory(RuntimeError("device-side assert triggered"))


def test_the_default_tile_fits_every_network_and_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    eight_gib = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 2**21}
    monkeypatch.setattr(os, "sysconf", eight_gib.__getitem__, raising=False)
    for network in NETWORKS.values():
        half = default_limit_px(Compute(torch.device("cpu"), torch.bfloat16), network.values_per_px)
        full = default_limit_px(Compute(torch.device("cpu"), torch.float32), network.values_per_px)
        assert 300_000 < full <= half < 5_000_000
