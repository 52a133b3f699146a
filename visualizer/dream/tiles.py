"""A picture larger than memory allows is shown to the network in tiles.

Every tile is seen with real neighbours around it, of which only the middle is kept. What the cut changes fades within
that context; and the cuts lie elsewhere at every step, so that nothing adds up along them.
All tiles of an octave have one size: what the network lays out for it is laid out once.
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

from .device import ONE_LANE_PX, is_out_of_memory
from .octaves import continued, margins, mirrored

if TYPE_CHECKING:
    from torch import Tensor

    from .device import Compute
    from .network import Network

log = logging.getLogger(__name__)

#: real neighbours around what is kept of a tile: px, and cells of the network's grid, at least. Measured: with less, what
#: the cut changes reaches the part that is kept
CONTEXT_PX, CONTEXT_CELLS = 64, 8


class Cut(NamedTuple):
    """How many tiles down and across, and the size in px of each."""

    n_down: int
    n_across: int
    height: int
    width: int


class Room:
    """How large a picture the network may be given at once, in px: shared by all octaves of a bake."""

    def __init__(self, limit_px: int) -> None:
        self.limit_px = limit_px
        self._lock = threading.Lock()
        self._said = False

    def shrink(self, failed: Cut) -> None:
        """A tile of that size did not fit into memory: half of it from now on. Says so once."""
        failed_px = failed.height * failed.width
        with self._lock:
            self.limit_px = min(self.limit_px, failed_px // 2)
            level = logging.INFO if self._said else logging.WARNING
            self._said = True
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
    """The default size of a tile, px: as memory allows, the same every time on one machine (its size changes a few bits).

    values_per_px: the network's, see `NetworkInfo`; image_px: size of the image.
    """
    return min(_MOST_PX, _budget_bytes(compute, image_px) // (values_per_px * compute.dtype.itemsize))


_MOST_PX = 32_000_000  # above, VGG's first activations have more elements than 32 bits count, and cuDNN counts so


def _budget_bytes(compute: Compute, image_px: int) -> int:
    """Bytes a step of the network may take: less for a very large image, whose octaves take the rest."""
    import torch

    if compute.device.type == "cuda":
        return int(torch.cuda.get_device_properties(compute.device).total_memory * 0.4)
    try:
        physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows does not tell this way
        physical = 8 * 2**30
    return min(physical // 6, 2**30 if image_px <= ONE_LANE_PX else 2**29 + 2**27)


def seen_shifted(
    state: Tensor, network: Network, shift: tuple[int, int], room: Room | None = None, seed: tuple[int, ...] = (0,)
) -> Tensor:
    """The gradient at the state, (1, 3, h, w), with the state laid `shift` px (down, right) off the network's grid.

    Seed and textbooks roll the picture, which joins its opposite edges into a seam the network then dreams about.
    Here mirrored margins move it instead: the network sees the picture go on, and borders stay natural.
    room: how much may be seen at once, None for all; seed: of where the cuts lie. Out of memory, tiles get smaller until
    they cannot; then what torch raised is raised.
    """
    height, width = state.shape[2:]
    top, bottom = margins(height, network.stride, shift[0])
    left, right = margins(width, network.stride, shift[1])
    whole = Cut(1, 1, top + height + bottom, left + width + right)
    cut = whole if room is None else best_cut((whole.height, whole.width), network.stride, room.limit_px)
    while True:
        try:
            if cut.n_down * cut.n_across == 1:
                seen = continued(state, left, right, top, bottom)
                return network.gradient(seen)[:, :, top : top + height, left : left + width]
            return _in_tiles(state, network, cut, (top, bottom, left, right), seed)
        except (RuntimeError, MemoryError) as error:
            if room is None or not is_out_of_memory(error):
                raise
            smaller = best_cut((whole.height, whole.width), network.stride, cut.height * cut.width // 2)
            if smaller.height * smaller.width >= cut.height * cut.width:
                raise
        # outside of the except clause: what the failed try held is free again
        _release(state)
        room.shrink(cut)
        cut = best_cut((whole.height, whole.width), network.stride, room.limit_px)


def _in_tiles(
    state: Tensor, network: Network, cut: Cut, around: tuple[int, int, int, int], seed: tuple[int, ...]
) -> Tensor:
    """The same, tile by tile. around: the margins top, bottom, left, right."""
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
            # what is kept of the tile, without the margins: in the picture, and in the tile
            y0, y1 = max(first, top), min(end, top + height)
            x0, x1 = max(first_x, left), min(end_x, left + width)
            gradient[:, :, y0 - top : y1 - top, x0 - left : x1 - left] = part[
                :, :, y0 - from_row : y1 - from_row, x0 - from_column : x1 - from_column
            ]
    return gradient


def _spans(n: int, n_tiles: int, tile: int, stride: int, rng: np.random.Generator) -> list[tuple[int, int, int]]:
    """(first px kept, end, first px seen) of every tile along n px; cuts lie somewhere else each time."""
    cells, tile_cells = (n - 1) // stride, (tile - 1) // stride
    context = _context_cells(stride)
    # a first tile that grows by the context still fits: it needs context on one side only
    wander = int(rng.integers(-context, context, endpoint=True)) if n_tiles > 1 else 0
    cuts = [0, *(index * cells // n_tiles + wander for index in range(1, n_tiles)), cells]
    spans = []
    for first, end in itertools.pairwise(cuts):
        seen = min(max(first - context, 0), cells - tile_cells)
        spans.append((first * stride, end * stride if end < cells else n, seen * stride))
    return spans


def _context_cells(stride: int) -> int:
    return max(CONTEXT_CELLS, -(-CONTEXT_PX // stride))


@functools.lru_cache(maxsize=256)
def best_cut(size: tuple[int, int], stride: int, limit_px: int) -> Cut:
    """The cut of (height, width) px that shows the network the fewest px altogether, in tiles of at most limit_px.

    Height and width are 1 more than a multiple of the stride, and so are the tiles'. When no tile is small enough, the
    smallest there is.
    """
    context = _context_cells(stride)

    def sides(n: int) -> list[tuple[int, int]]:
        """(number of tiles, px of each); what is kept of a tile is at least as wide as its context."""
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
    """These rows and columns of the state, (1, 3, rows, columns); nothing larger is copied on the way."""
    import torch

    first = int(columns.min())
    near = state[:, :, :, first : int(columns.max()) + 1]
    taken = near.index_select(2, torch.from_numpy(rows).to(state.device))
    return taken.index_select(3, torch.from_numpy(columns - first).to(state.device))


def _release(state: Tensor) -> None:
    """Hand back what the allocator keeps: it may lie in pieces of the wrong size."""
    import torch

    if state.device.type == "cuda":
        torch.cuda.empty_cache()
    elif state.device.type == "mps":
        torch.mps.empty_cache()
