"""The regions of a picture that is drawn from the stations of a journey: in each the same stations are seen.

A software driver computes both sides of every `if`, and reading textures is most of what a pixel costs. So every pixel
is drawn by a program that reads no more stations than are seen there.

Pure. Places on the screen are 0..1 from its top left corner. The edge of a station at a place is 0 in its middle and 1
on its border: places of the same edge are a rectangle.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

Matrix = tuple[tuple[float, float, float], tuple[float, float, float]]
Place = tuple[float, float]

_CORNERS: tuple[Place, ...] = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


class StationOnScreen(NamedTuple):
    """Where a station is on the screen.

    matrix: from places on the screen to places in its frames, two rows for (x, y, 1). core: the edge up to which it
    hides what is around it; 0: nowhere. reach: the largest edge on the screen. pixel: how much the edge changes from
    one pixel to the next.
    """

    matrix: Matrix
    core: float
    reach: float
    pixel: float

    def rectangle(self, edge: float) -> list[Place]:
        """The corners, in turn, of the places of this edge."""
        (a, b, c), (d, e, f) = self.matrix
        whole = a * e - b * d
        found = []
        for u, v in _CORNERS:
            x, y = 0.5 + edge * (u - 0.5) - c, 0.5 + edge * (v - 0.5) - f
            found.append(((e * x - b * y) / whole, (a * y - d * x) / whole))
        return found


class Region(NamedTuple):
    """A region that is drawn at once.

    stack: the stations that are seen there, the innermost first. around: the region lies between two rectangles of this
    station, those of the edges start and end. within, limit: and inside the rectangle of this edge of another station;
    None: it has no such limit. Stations are given by their index.
    """

    stack: tuple[int, ...]
    around: int
    start: float
    end: float
    within: int | None = None
    limit: float = 0.0


def on_screen(matrix: Matrix, weight: float, feather: float, size: tuple[int, int]) -> StationOnScreen:
    """Where a station is on a screen of `size` px. matrix: see `StationOnScreen`; the others: see `PlacedStation`."""
    reach = max(abs(2 * (a * x + b * y + c) - 1) for a, b, c in matrix for x, y in _CORNERS)
    pixel = 2 * max(abs(a) / size[0] + abs(b) / size[1] for a, b, _ in matrix)
    return StationOnScreen(matrix, 1 - feather if weight >= 1 else 0.0, reach, pixel)


def regions(stations: Sequence[StationOnScreen]) -> Iterator[Region]:
    """The regions that make the picture, to be drawn in this order.

    stations: the innermost first; the last one fills what is left. Together the regions cover the screen. Where they
    overlap the one that is drawn last is right; at a border they overlap by a pixel, in which both show the same.
    """
    for region in _regions(stations):
        if region.start < stations[region.around].reach:  # else it is outside the screen
            yield region._replace(start=max(region.start, 0.0))


def _regions(stations: Sequence[StationOnScreen]) -> Iterator[Region]:
    covering = (index for index, one in enumerate(stations) if one.core >= one.reach)
    last = next(covering, len(stations) - 1)
    for index in range(last, -1, -1):
        own = stations[index]
        if index == 0:
            whole = Region((0,), 0, 0.0, own.reach)
        else:  # but for the rectangle of the next station inside, which is drawn after it
            inner = stations[index - 1]
            whole = Region((index,), index - 1, 1 - inner.pixel, inner.reach)
        if index == last:
            yield whole
        elif own.core > 0:
            yield from _mixed(stations, last, Region((index,), index, own.core - own.pixel, 1.0))
            yield whole._replace(within=index, limit=own.core)
        elif index == 0:
            yield from _mixed(stations, last, Region((0,), 0, 0.0, 1.0))
        else:
            yield whole._replace(stack=tuple(range(index, last + 1)), within=index, limit=1.0)


def _mixed(stations: Sequence[StationOnScreen], last: int, region: Region) -> Iterator[Region]:
    """A region without a limit in which a station is seen through: with the next one around it, and where that does not
    hide them, with all.
    """
    index = region.stack[0]
    stack, around = tuple(range(index, last + 1)), stations[index + 1]
    if len(stack) == 2 or around.core == 0:
        yield region._replace(stack=stack)
    else:
        yield Region(stack, index + 1, around.core - around.pixel, around.reach, index, 1.0)
        yield region._replace(stack=stack[:2], within=index + 1, limit=around.core)
