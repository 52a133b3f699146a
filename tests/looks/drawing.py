"""Looks drawn without a window, with the dream and what is heard given by a test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from visualizer.looks.look import Look
from visualizer.render.chain import Link
from visualizer.render.look_renderer import Date
from visualizer.render.offscreen import Offscreen
from visualizer.render.picture import Picture


class Drawn:
    """A look on a stage. picture: its parameters are set in `picture.links[0]`."""

    def __init__(self, stage: Offscreen, picture: Picture) -> None:
        self.stage, self.picture = stage, picture

    def at(
        self, time_s: float = 0.0, depth: float = 0.0, date: Date = (2000.0, 1.0, 1.0, 0.0), **heard: Any
    ) -> np.ndarray:
        """The picture, (H, W, 3) uint8, top row first."""
        self.picture.draw(depth, self.stage.framebuffer_size, time_s, uniforms=heard, date=date)
        assert self.stage.ctx.error == "GL_NO_ERROR"
        return self.stage.read()


@contextmanager
def drawing(look: Look, size: tuple[int, int], frames: Mapping[int, np.ndarray] | None = None) -> Iterator[Drawn]:
    """A look of a size (width, height), px. frames: the dream by depth, grey if None."""
    frames = frames or {0: np.full((size[1], size[0], 3), 128, np.uint8)}
    with Offscreen(size) as stage:
        picture = Picture(stage.ctx, size, max(1, *frames), [Link(look)])
        for depth, frame in frames.items():
            picture.put(depth, frame)
        yield Drawn(stage, picture)
        picture.release()
