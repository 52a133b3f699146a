"""Looks written by a test, and one look drawn by itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from visualizer.looks.look import Look, open_look_file
from visualizer.looks.uniforms import SILENCE
from visualizer.render.dream_texture import DreamTexture
from visualizer.render.look_renderer import LookRenderer, clock_values
from visualizer.render.offscreen import Offscreen
from visualizer.render.programs import Programs
from visualizer.render.targets import TargetPool


def image(name: str) -> dict:
    return {"NAME": name, "TYPE": "image"}


def number(name: str, default: float, low: float = 0.0, high: float = 1.0) -> dict:
    return {"NAME": name, "TYPE": "float", "DEFAULT": default, "MIN": low, "MAX": high}


def kept(target: str, **more) -> dict:
    """A pass that draws into a persistent target."""
    return {"TARGET": target, "PERSISTENT": True, **more}


def isf(folder: Path, body: str, *inputs: dict, name: str = "own", vertex: str = "", **header) -> Look:
    """An ISF look. body: what its main() does, or all of its code. header: further keys, in small letters."""
    keys = {"ISFVSN": "2", "INPUTS": list(inputs), **{key.upper(): value for key, value in header.items()}}
    code = body if "void main" in body else f"void main() {{\n{body}\n}}"
    file = folder / f"{name}.fs"
    file.write_text(f"/*{json.dumps(keys)}*/\n{code}\n")
    if vertex:
        file.with_suffix(".vs").write_text(vertex)
    return open_look_file(file)


class Alone:
    """Draws one look by itself, offscreen. dream: its only dream frame, (H, W, 3) uint8, top row first."""

    def __init__(self, look: Look, size: tuple[int, int], dream: np.ndarray | None = None) -> None:
        self.size = size
        self.stage = Offscreen(size)
        self.ctx = self.stage.ctx
        self.programs, self.pool = Programs(self.ctx), TargetPool(self.ctx)
        dream = np.zeros((size[1], size[0], 3), np.uint8) if dream is None else dream
        self.dreams = DreamTexture(self.ctx, (dream.shape[1], dream.shape[0]), 1, 1)
        for depth in range(2):
            self.dreams.put(depth, dream)
        self.renderer = LookRenderer(self.ctx, look, self.programs, self.dreams)
        self.parameters = {one.name: one.default for one in look.declaration.controls}
        self.n_drawn = 0

    def texture(self, picture: np.ndarray):
        """A picture for an image input: (H, W, 3) or (H, W, 4) uint8, top row first."""
        if picture.shape[2] == 3:
            picture = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
        texture = self.ctx.texture((picture.shape[1], picture.shape[0]), 4, picture[::-1].tobytes())
        texture.repeat_x = texture.repeat_y = False
        return texture

    def draw(self, size=None, *, time_s=None, step_s=1 / 60, images=None, date=None, again=False, **values):
        """The next display frame, or the one before once more: (H, W, 3) uint8, top row first. values: of uniforms;
        those of the look's inputs are its parameters from now on.
        """
        size = size or self.size
        self.parameters |= {name: value for name, value in values.items() if name in self.parameters}
        time_s = self.n_drawn / 60 if time_s is None else time_s
        self.n_drawn += not again
        index = self.n_drawn - 1
        clock = clock_values(time_s, step_s if index else 0.0, index, *([date] if date else []))
        given = {**SILENCE, **clock, **self.dreams.values(0.0, 0.0), **values}
        self.stage.make_current()
        self.ctx.clear(1.0, 0.0, 1.0)
        self.renderer.draw(given, size, self.parameters, images or {}, self.pool, advances=not again)
        self.pool.end()
        assert self.ctx.error == "GL_NO_ERROR"
        return self.stage.read()[self.size[1] - size[1] :, : size[0]].copy()

    def close(self) -> None:
        self.renderer.release()
        self.stage.close()
