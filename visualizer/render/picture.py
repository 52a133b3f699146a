"""The dream as a picture: dream frames on the graphics card, crossfaded to any depth, fitted to any size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from visualizer.errors import BadInput, GraphicsError
from visualizer.resources import shipped

from .gl import compile_program, gl_finish, look_path, set_uniforms

if TYPE_CHECKING:
    import moderngl

_MAX_TAPS = 8


class Fit(NamedTuple):
    """How a frame lies in a picture: the part of it that is seen, and how many frame pixels a pixel covers."""

    origin: tuple[float, float]  # top left corner of the part seen, 0..1
    extent: tuple[float, float]  # width and height of the part seen, 0..1
    shrink: float  # frame pixels per picture pixel: 1 is pixel for pixel, 4 a picture far smaller than the frame


def cover(frame_size: tuple[int, int], size: tuple[int, int]) -> Fit:
    """Fit a frame over a picture so that it fills it, is not stretched, and is cut evenly. Sizes (w, h) in px, >= 1."""
    shrink = min(frame_size[0] / size[0], frame_size[1] / size[1])
    seen = (size[0] * shrink, size[1] * shrink)
    origin = [(whole - part) / 2 for whole, part in zip(frame_size, seen, strict=True)]
    if shrink == 1:
        # an odd number of pixels to cut would put every pixel half beside its texel
        origin = [float(math.floor(px)) for px in origin]
    return Fit(
        (origin[0] / frame_size[0], origin[1] / frame_size[1]),
        (seen[0] / frame_size[0], seen[1] / frame_size[1]),
        shrink,
    )


class Picture:
    """Dream frames 0..n_depths in a texture array, drawn at any depth through a look from shaders/.

    ctx: the context of the Stage it will be drawn on. frame_size: (width, height) of every dream frame, px. n_depths: the
    deepest frame's index. shader: the look's name. BadInput for a size, a count or a name that cannot be; GraphicsError for
    a shader that does not compile or too little graphics memory.

    Frames may be put in any order and between draws; the picture goes as deep as frames are there without a gap.
    """

    def __init__(
        self, ctx: moderngl.Context, frame_size: tuple[int, int], n_depths: int, shader: str = "crossfade"
    ) -> None:
        import moderngl

        self.frame_size = (int(frame_size[0]), int(frame_size[1]))
        self.n_depths = n_depths
        self._ctx = ctx
        self._look = look_path(shader)
        self._is_put = [False] * (n_depths + 1)
        self._deepest = -1
        self._programs: dict[tuple[str, int] | None, tuple[moderngl.Program, moderngl.VertexArray]] = {}
        _check_limits(ctx, self.frame_size, n_depths)
        width, height = self.frame_size
        try:
            self._frames = ctx.texture_array((width, height, n_depths + 1), 3)
        except moderngl.Error as error:
            raise GraphicsError(_no_memory(self.frame_size, n_depths)) from error
        if ctx.error == "GL_OUT_OF_MEMORY":
            self._frames.release()
            raise GraphicsError(_no_memory(self.frame_size, n_depths))
        self._frames.repeat_x = self._frames.repeat_y = False
        self._smooth = ctx.sampler(False, False, filter=(moderngl.LINEAR, moderngl.LINEAR))
        self._sharp = ctx.sampler(False, False, filter=(moderngl.NEAREST, moderngl.NEAREST))
        try:
            self._variant(1.0)  # a fault in the look is told at once, not when the window is first resized
            self._variant(0.5)
        except BaseException:
            self.release()
            raise

    @property
    def deepest(self) -> int:
        """The deepest dream frame that is there with all before it; -1 before frame 0 is put."""
        return self._deepest

    def put(self, depth_index: int, frame: np.ndarray) -> None:
        """Place the dream frame of a depth. frame: (H, W, 3) uint8, top row first. BadInput if it does not fit."""
        width, height = self.frame_size
        if not 0 <= depth_index <= self.n_depths:
            raise BadInput(f"dream frame {depth_index} is outside 0..{self.n_depths}")
        if frame.dtype != np.uint8 or frame.shape != (height, width, 3):
            raise BadInput(
                f"dream frame {depth_index} must be {(height, width, 3)} uint8 (height, width, RGB), "
                f"not {frame.shape} {frame.dtype}"
            )
        # a software driver would first draw all it still owes, with Python's lock held
        gl_finish(self._ctx)
        self._frames.write(np.ascontiguousarray(frame), (0, 0, depth_index, width, height, 1))
        if self._ctx.error == "GL_OUT_OF_MEMORY":
            raise GraphicsError(_no_memory(self.frame_size, self.n_depths))
        self._is_put[depth_index] = True
        while self._deepest < self.n_depths and self._is_put[self._deepest + 1]:
            self._deepest += 1

    def draw(self, depth: float, size: tuple[int, int], time_s: float = 0.0) -> None:
        """Draw the dream over the whole framebuffer in use.

        depth: 0 .. n_depths; clamped to the frames that are there, NaN is 0. size: (width, height) of the framebuffer, px;
        nothing is drawn if one of them is 0. time_s: for looks that move by themselves, seconds.
        """
        if size[0] <= 0 or size[1] <= 0:
            return
        self._ctx.viewport = (0, 0, *size)
        if self._deepest < 0:
            self._ctx.clear(0.0, 0.0, 0.0, 1.0)
            return
        fit = cover(self.frame_size, size)
        program, triangle = self._variant(fit.shrink)
        set_uniforms(
            program,
            {
                "cover_origin": fit.origin,
                "cover_extent": fit.extent,
                "depth": 0.0 if math.isnan(depth) else min(max(float(depth), 0.0), float(self._deepest)),
                "deepest": float(self._deepest),
                "frame_size": self.frame_size,
                "size": size,
                "time_s": time_s,
            },
        )
        for unit, sampler in enumerate((self._smooth, self._sharp)):
            self._frames.use(unit)
            sampler.use(unit)
        triangle.render(vertices=3)

    def release(self) -> None:
        """Give the graphics memory back. The context must still be there; may be called twice."""
        for program, triangle in self._programs.values():
            triangle.release()
            program.release()
        self._programs.clear()
        self._smooth.release()
        self._sharp.release()
        self._frames.release()

    def _variant(self, shrink: float) -> tuple[moderngl.Program, moderngl.VertexArray]:
        """The look compiled for how much smaller than the frames the picture is; compiled once each."""
        if shrink == 1:
            kind: tuple[str, int] | None = ("EXACT", 1)
        elif shrink > 2:
            # one linear sample averages 2 x 2 texels; beyond that, texels would be skipped and the picture would sparkle
            kind = ("TAPS", min(math.ceil(shrink / 2), _MAX_TAPS))
        else:
            kind = None
        if kind not in self._programs:
            program = compile_program(
                self._ctx, shipped("shaders") / "base" / "cover.vert", self._look, dict([kind]) if kind else None
            )
            set_uniforms(program, {"frames": 0, "texels": 1})
            self._programs[kind] = (program, self._ctx.vertex_array(program, []))
        return self._programs[kind]


def _check_limits(ctx: moderngl.Context, frame_size: tuple[int, int], n_depths: int) -> None:
    if min(frame_size) < 1 or n_depths < 1:
        raise BadInput(
            f"a picture of {frame_size[0]}x{frame_size[1]} px and {n_depths} depths cannot be; 1 is the least"
        )
    largest, most = ctx.info["GL_MAX_TEXTURE_SIZE"], ctx.info["GL_MAX_ARRAY_TEXTURE_LAYERS"]
    if max(frame_size) > largest:
        raise BadInput(
            f"this graphics driver cannot hold pictures of {frame_size[0]}x{frame_size[1]}; "
            f"--size may be up to {largest}x{largest} here"
        )
    if n_depths + 1 > most:
        raise GraphicsError(
            f"this graphics driver holds {most} dream frames, {n_depths + 1} are asked for; lower n_depths"
        )


def _no_memory(frame_size: tuple[int, int], n_depths: int) -> str:
    megabytes = frame_size[0] * frame_size[1] * 4 * (n_depths + 1) / 1e6
    return (
        f"too little graphics memory: {n_depths + 1} dream frames of {frame_size[0]}x{frame_size[1]} take "
        f"{megabytes:.0f} MB; choose a smaller --size"
    )
