"""Tiles: a picture larger than memory allows goes through the network in parts.

Every tile has a context of real neighbours around the part of it that is kept. The effect of a cut fades within that
context, and the cuts move at random at every step, so that errors do not add up along them.
All tiles of an octave have one size, so that the network packs its weights for one size only.
"""

from __future__ import annotations

import functools
import itertools
import logging
import math
import os
import threading
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .device import ONE_WORKER_PX, is_out_of_memory
from .octaves import continued, margins, mirrored

if TYPE_CHECKING:
    from torch import Tensor

    from .device import Compute
    from .network import Network

log = logging.getLogger(__name__)

#: context around the part of a tile that is kept: px, and cells of the network's grid, at least. Measured: with less,
#: the effect of the cut reaches the part that is kept
CONTEXT_PX, CONTEXT_CELLS = 64, 8


class Cut(NamedTuple):
    """How many tiles down and across, and the size in px of each."""

    n_down: int
    n_across: int
    height: int
    width: int


class TileLimit:
    """How many px the network may be given at once: shared by all octaves of a bake."""

    def __init__(self, limit_px: int) -> None:
        self.limit_px = limit_px
        self._lock = threading.Lock()
        self._is_logged = False

    def shrink(self, failed: Cut) -> None:
        """A tile of that size did not fit into memory: allow half of it from now on. Warns once."""
        failed_px = failed.height * failed.width
        with self._lock:
            self.limit_px = min(self.limit_px, failed_px // 2)
            level = logging.INFO if self._is_logged else logging.WARNING
            self._is_logged = True
            side = math.isqrt(self.limit_px)
        log.log(
            level,
            "not enough memory for %dx%d px at once; going on in tiles of about %dx%d",
            failed.width,
            failed.height,
            side,
            side,
        )


def default_limit_px(compute: Compute, values_per_px: int, image_px: int = 0) -> int:
    """The default size of a tile, px: as memory allows, the same every time on one machine (its size changes a few
    bits).

    values_per_px: the network's, see `NetworkInfo`; image_px: size of the image.
    """
    return min(_MOST_PX, _budget_bytes(compute, image_px) // (values_per_px * compute.dtype.itemsize))


_MOST_PX = 32_000_000  # above it, VGG's first activations have more elements than 32 bits count, and cuDNN counts so


def _budget_bytes(compute: Compute, image_px: int) -> int:
    """Bytes a step of the network may take: less for a very large image, whose octaves take the rest."""
    import torch

    if compute.device.type == "cuda":
        return int(torch.cuda.get_device_properties(compute.device).total_memory * 0.4)
    try:
        physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not available on Windows
        physical = 8 * 2**30
    return min(physical // 6, 2**30 if image_px <= ONE_WORKER_PX else 2**29 + 2**27)


def shifted_gradient(
    state: Tensor,
    network: Network,
    shift: tuple[int, int],
    limit: TileLimit | None = None,
    seed: tuple[int, ...] = (0,),
) -> Tensor:
    """The gradient at the state, (1, 3, h, w), with the state placed `shift` px (down, right) off the network's grid.

    Most implementations roll the picture, which joins its opposite edges into a seam that the network then dreams
    about.
    Here mirrored margins shift it: the picture continues beyond its borders, and they stay natural.
    limit: None for no tiles; seed: of the random places of the cuts between tiles. When memory runs out, tiles get
    smaller until they cannot; then torch's error is raised.
    """
    height, width = state.shape[2:]
    top, bottom = margins(height, network.stride, shift[0])
    left, right = margins(width, network.stride, shift[1])
    whole = Cut(1, 1, top + height + bottom, left + width + right)
    cut = whole if limit is None else best_cut((whole.height, whole.width), network.stride, limit.limit_px)
    while True:
        try:
            if cut.n_down * cut.n_across == 1:
                mirrored_state = continued(state, left, right, top, bottom)
                return network.gradient(mirrored_state)[:, :, top : top + height, left : left + width]
            return _in_tiles(state, network, cut, (top, bottom, left, right), seed)
        except (RuntimeError, MemoryError) as error:
            if limit is None or not is_out_of_memory(error):
                raise
            smaller = best_cut((whole.height, whole.width), network.stride, cut.height * cut.width // 2)
            if smaller.height * smaller.width >= cut.height * cut.width:
                raise
        # outside of the except clause: there the error still holds the memory of the failed attempt
        _release(state)
        limit.shrink(cut)
        cut = best_cut((whole.height, whole.width), network.stride, limit.limit_px)


def _in_tiles(
    state: Tensor, network: Network, cut: Cut, around: tuple[int, int, int, int], seed: tuple[int, ...]
) -> Tensor:
    """The same, tile by tile. around: the margins at the top, bottom, left and right, px."""
    import torch

    height, width = state.shape[2:]
    top, bottom, left, right = around
    rng = np.random.default_rng(seed)
    rows, columns = mirrored(height, top, bottom), mirrored(width, left, right)
    gradient = torch.empty_like(state)
    stride = network.stride
    for first, end, from_row in _spans(len(rows), cut.n_down, cut.height, stride, rng):
        for first_x, end_x, from_column in _spans(len(columns), cut.n_across, cut.width, stride, rng):
            tile_rows, tile_columns = rows[from_row:][: cut.height], columns[from_column:][: cut.width]
            part = network.gradient(_taken(state, tile_rows, tile_columns))
            # the part that is kept, without the margins: its place in the picture, and in the tile
            y0, y1 = max(first, top), min(end, top + height)
            x0, x1 = max(first_x, left), min(end_x, left + width)
            gradient[:, :, y0 - top : y1 - top, x0 - left : x1 - left] = part[
                :, :, y0 - from_row : y1 - from_row, x0 - from_column : x1 - from_column
            ]
    return gradient


def _spans(n: int, n_tiles: int, tile: int, stride: int, rng: np.random.Generator) -> list[tuple[int, int, int]]:
    """(first px kept, end, first px of the tile) of every tile along n px; the cuts are moved at random each time."""
    cells, tile_cells = (n - 1) // stride, (tile - 1) // stride
    context = _context_cells(stride)
    # a first tile that grows by the context still fits: it needs context on one side only
    offset = int(rng.integers(-context, context, endpoint=True)) if n_tiles > 1 else 0
    cuts = [0, *(index * cells // n_tiles + offset for index in range(1, n_tiles)), cells]
    spans = []
    for first, end in itertools.pairwise(cuts):
        seen = min(max(first - context, 0), cells - tile_cells)
        spans.append((first * stride, end * stride if end < cells else n, seen * stride))
    return spans


def _context_cells(stride: int) -> int:
    return max(CONTEXT_CELLS, -(-CONTEXT_PX // stride))


@functools.lru_cache(maxsize=256)
def best_cut(size: tuple[int, int], stride: int, limit_px: int) -> Cut:
    """The cut of (height, width) px into tiles of at most limit_px that have the fewest px in total.

    Height and width are 1 more than a multiple of the stride, and so are the tiles'. If no tile is small enough, the
    smallest possible ones.
    """
    context = _context_cells(stride)

    def sides(n: int) -> list[tuple[int, int]]:
        """(number of tiles, px of each); the part that is kept is at least as wide as its context."""
        cells = (n - 1) // stride
        numbers = range(2, cells // (2 * context) + 1)
        tiles = [(n_tiles, (-(-cells // n_tiles) + 2 * context) * stride + 1) for n_tiles in numbers]
        return [(1, n), *((n_tiles, tile) for n_tiles, tile in tiles if tile < n)]

    cuts = [Cut(down, across, h, w) for down, h in sides(size[0]) for across, w in sides(size[1])]
    fitting = [cut for cut in cuts if cut.height * cut.width <= limit_px]
    if not fitting:
        return min(cuts, key=lambda cut: cut.height * cut.width)
    return min(fitting, key=lambda cut: (cut.n_down * cut.n_across * cut.height * cut.width, cut))


def _taken(state: Tensor, rows: np.ndarray, columns: np.ndarray) -> Tensor:
    """These rows and columns of the state, (1, 3, rows, columns); no larger copy is made on the way."""
    import torch

    first = int(columns.min())
    near = state[:, :, :, first : int(columns.max()) + 1]
    taken = near.index_select(2, torch.from_numpy(rows).to(state.device))
    return taken.index_select(3, torch.from_numpy(columns - first).to(state.device))


def _release(state: Tensor) -> None:
    """Free what the GPU's allocator caches: its blocks may have the wrong sizes."""
    import torch

    if state.device.type == "cuda":
        torch.cuda.empty_cache()
    elif state.device.type == "mps":
        torch.mps.empty_cache()
