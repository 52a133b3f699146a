"""Draws a journey as the plain look shows it, in regions in which the same stations are seen."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from .dream_texture import MOST_STATIONS, DreamTexture, Fit, PlacedStation, taps
from .journey_regions import Matrix, on_screen, regions
from .programs import Compiled, Programs

if TYPE_CHECKING:
    import moderngl

#: a strip of eight triangles between two rectangles
_N_VERTICES = 10
#: the limits of a region, in shaders/base/stations.vert; GL_CLIP_DISTANCE0 is the first
_LIMITS = range(0x3000, 0x3004)
#: an edge that no place has
_NO_LIMIT = 1e6


class JourneyRenderer:
    """Draws the stations of a DreamTexture.

    ctx: the context of the Surface it will be drawn on. programs: compiled shaders shared with other pictures. Raises
    GraphicsError for a shader that does not compile.
    """

    def __init__(self, ctx: moderngl.Context, programs: Programs, dreams: DreamTexture) -> None:
        self._ctx, self._programs, self._dreams = ctx, programs, dreams
        self._n_prepared: Counter[int | None] = Counter()
        for n_seen in range(1, MOST_STATIONS + 1):
            self._compiled(n_seen, None)

    def draw(self, depth: float, fit: Fit, size: tuple[int, int]) -> None:
        """Draw over the whole framebuffer in use. depth: of `DreamTexture.values`. fit: how frames fit in it. size:
        (width, height) of the framebuffer, px.
        """
        placed, n_taps = self._dreams.seen_stations, taps(fit.shrink)
        ctx = self._ctx
        ctx.viewport = (0, 0, *size)
        if not placed:
            ctx.clear(0.0, 0.0, 0.0, 1.0)
            return
        stations = [on_screen(_matrix(one, fit), one.weight, one.feather, size) for one in placed]
        # matrices by columns, as GLSL has them
        matrices = np.array([tuple(zip(*one.matrix, strict=True)) for one in stations], np.float32)
        blends = np.array([self._blend(one, depth) for one in placed], np.float32)
        softness = np.array([1 / max(one.feather, 1e-3) for one in placed], np.float32)
        sizes = {"size": np.array(size, np.float32), "frame_size": np.array(self._dreams.frame_size, np.float32)}
        self._dreams.texture.use(0)
        ctx.clear_samplers(0, 1)
        for limit in _LIMITS:
            ctx.enable_direct(limit)
        try:
            self._prepare(n_taps)
            for region in regions(stations):
                stack, around = slice(region.stack[0], region.stack[-1] + 1), stations[region.around]
                is_limited = region.within is not None
                values = {
                    "corners": np.array(around.rectangle(region.end) + around.rectangle(region.start), np.float32),
                    "matrices": matrices[stack],
                    "within": matrices[region.within if region.within is not None else 0],
                    "limit": np.float32(region.limit if is_limited else _NO_LIMIT),
                    "blends": blends[stack],
                    "softness": softness[stack],
                    **sizes,
                }
                self._draw_region(self._compiled(len(region.stack), n_taps), values)
        finally:
            for limit in _LIMITS:
                ctx.disable_direct(limit)

    def _draw_region(self, compiled: Compiled, values: dict[str, Any]) -> None:
        for name, uniform in compiled.uniforms.items():
            data = values[name].tobytes()
            # a compiler may keep no more of an array than is read
            uniform.write(data[: uniform.array_length * uniform.dimension * 4])
        compiled.draw()

    def _prepare(self, n_taps: int | None) -> None:
        """Draw once, nowhere, with the next program that may be needed: drivers compile when they first draw with one,
        which takes longer than a display frame; all of them at once would take as long as several.
        """
        if self._n_prepared[n_taps] < MOST_STATIONS:
            self._n_prepared[n_taps] += 1
            compiled = self._compiled(self._n_prepared[n_taps], n_taps)
            compiled.uniforms["corners"].write(bytes(8 * 2 * 4))
            compiled.draw()

    def _blend(self, one: PlacedStation, depth: float) -> tuple[float, float, float, float]:
        """Two layers of the texture, the share of the second, and how much of the station is there."""
        deepest, first = self._dreams.deepest_of(one.slot), one.slot * (self._dreams.n_depths + 1)
        here = min(depth * one.depth, deepest)
        lower = math.floor(here)
        return first + lower, first + min(lower + 1, deepest), here - lower, one.weight

    def _compiled(self, n_seen: int, n_taps: int | None) -> Compiled:
        defines = {"N": n_seen} if n_taps is None else {"N": n_seen, "TAPS": n_taps}
        own = self._programs.own
        return own("stations.frag", defines, reads=("frames",), vertex="stations.vert", n_vertices=_N_VERTICES)


def _matrix(one: PlacedStation, fit: Fit) -> Matrix:
    """From places on the screen to places in the frames of a station."""
    (x, y), (width, height) = fit.origin, fit.extent
    across, down = ((a * width, b * height, a * x + b * y + c) for a, b, c in one.matrix)
    return across, down
