"""The one loop behind live, play and export: sleep, hear, draw, show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..render.picture import Picture
from .clocks import Clock
from .dreams import Reach
from .sound import Sound


class FrameSource(Protocol):
    """Where dream frames come from, see show/dreams.py."""

    fault: str | None

    def poll(self) -> list[tuple[int, np.ndarray]]:
        """The dream frames that came since the last call."""

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
    """A display frame about to be shown. time_s: seconds of sound; depth: the dream frame drawn, 0..n_depths."""

    time_s: float
    depth: float
    n_baked: int


def display_frames(
    stage: Stage, picture: Picture, clock: Clock, sound: Sound, dreams: FrameSource, n_depths: int
) -> Iterator[Shown]:
    """Draw one display frame after another; the caller draws over it, stops when it will, and asks for the next.

    The order within a frame is the latency: sleep first, then hear, so that what is drawn is the newest, then draw, and
    (when the caller asks for the next frame) show it.
    """
    reach = Reach(n_depths)
    while True:
        clock.tick()
        # what a pump needs to know is the time asked for next; what has come in moves the live clock, so ask again after
        sound.pump(clock.now())
        time_s = clock.now()
        for depth_index, frame in dreams.poll():
            picture.put(depth_index, frame)
        depth = reach.scale(sound.depth_at(time_s), max(picture.deepest, 0), time_s)
        size = stage.framebuffer_size
        if size != (0, 0) and picture.deepest >= 0:
            picture.draw(depth, size, time_s)
        yield Shown(time_s, depth, picture.deepest)
        stage.swap()
