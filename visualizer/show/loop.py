"""The one loop behind live, play and export: sleep, hear, draw, show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from ..render.picture import Picture
from .clocks import Clock
from .reach import Reach
from .sound import Sound


class Placed(NamedTuple):
    """A dream frame and its place. frame: (height, width, 3) uint8; finished: False for a preview of it."""

    row: int
    depth_index: int
    frame: np.ndarray
    finished: bool


class FrameSource(Protocol):
    """Where dream frames come from, see show/dreams.py."""

    fault: str | None

    def poll(self) -> list[Placed]:
        """The dream frames that came since the last call; one that has come before replaces the earlier."""

    def close(self) -> None:
        """Stop baking."""


class Stage(Protocol):
    """What is drawn on: a window or a picture in memory."""

    @property
    def framebuffer_size(self) -> tuple[int, int]:
        """Width and height, px; (0, 0) while there is nothing to see."""

    def swap(self) -> None:
        """Show, or finish, what was drawn."""


@dataclass(frozen=True)
class Shown:
    """A display frame about to be shown.

    time_s: seconds of sound. depth: the dream frame drawn, 0..n_depths. n_baked: finished dream frames so far, of all rows;
    all are n_rows * n_depths, since depth 0 is the image itself. row: the row drawn, 0..n_rows - 1.
    """

    time_s: float
    depth: float
    n_baked: int
    row: float = 0.0


def display_frames(
    stage: Stage, picture: Picture, clock: Clock, sound: Sound, dreams: FrameSource, n_depths: int
) -> Iterator[Shown]:
    """Draw one display frame after another; the caller draws over it, stops when it will, and asks for the next.

    A row is crossed to once it goes as deep as the first one: a picture that crosses to it must not lose its depth.

    The order within a frame is the latency: sleep first, then hear, so that what is drawn is the newest, then draw, and
    (when the caller asks for the next frame) show it.
    """
    reach, row_reach = Reach(n_depths), Reach(max(picture.n_rows - 1, 1))
    last_row = 0
    finished: set[tuple[int, int]] = set()
    while True:
        clock.tick()
        # what a pump needs to know is the time asked for next; what has come in moves the live clock, so ask again after
        sound.pump(clock.now())
        time_s = clock.now()
        for placed in dreams.poll():
            picture.put(placed.depth_index, placed.frame, placed.row)
            if placed.finished and placed.depth_index > 0:
                finished.add((placed.row, placed.depth_index))
        while last_row + 1 < picture.n_rows and picture.deepest_of(last_row + 1) >= max(picture.deepest, 1):
            last_row += 1
        row = row_reach.scale(sound.row_at(time_s) * (picture.n_rows - 1), last_row, time_s)
        depth = reach.scale(sound.depth_at(time_s), max(picture.deepest, 0), time_s)
        size = stage.framebuffer_size
        if size != (0, 0) and picture.deepest >= 0:
            picture.draw(depth, size, time_s, row)
        yield Shown(time_s, depth, len(finished), row)
        stage.swap()
