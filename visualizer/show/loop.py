"""The one loop behind live, play and export: sleep, hear, draw, show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from .clocks import Clock
from .sound import Sound


class Stage(Protocol):
    """What is drawn on: a window or a picture in memory."""

    @property
    def framebuffer_size(self) -> tuple[int, int]:
        """Width and height, px; (0, 0) while there is nothing to see."""

    def finish(self) -> None:
        """Wait until all is drawn."""

    def swap(self) -> None:
        """Show what was drawn."""


class Shown(NamedTuple):
    """A display frame about to be shown.

    time_s: seconds of sound. depth: the dream frame drawn, 0..n_depths. n_baked: finished dream frames so far, of all variants;
    all are n_variants * n_depths, since depth 0 is the image itself. variant: the variant drawn, 0..n_variants - 1. is_drawn: False where
    drawing failed, and what is on the screen stays there.
    """

    time_s: float
    depth: float
    n_baked: int
    variant: float = 0.0
    is_drawn: bool = True


class Drawing(Protocol):
    """What is drawn: a scene, or several with what lies over them."""

    def draw(self, time_s: float, sound: Sound, size: tuple[int, int]) -> Shown:
        """Draw the display frame of a time in seconds of sound. size: (width, height), px; (0, 0) for nothing to see."""


def display_frames(
    stage: Stage, drawing: Drawing, clock: Clock, sound: Sound, rest: Callable[[], None] | None = None
) -> Iterator[Shown]:
    """Draw one display frame after another; the caller draws over it, stops when it will, and asks for the next.

    The order within a frame is the latency: sleep first, then hear, so that what is drawn is the newest, then draw, and
    (when the caller asks for the next frame) show it. rest: called after that, before the sleep: the best moment for what
    must be done at times.
    """
    while True:
        clock.tick()
        # what a pump needs to know is the time asked for next; what has come in moves the live clock, so ask again after
        sound.pump(clock.now())
        time_s = clock.now()
        shown = drawing.draw(time_s, sound, stage.framebuffer_size)
        yield shown
        if shown.is_drawn:
            stage.finish()
            clock.drawn()
            stage.swap()
            clock.shown()
        if rest is not None:
            rest()
