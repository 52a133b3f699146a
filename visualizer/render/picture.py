"""The dream as a picture: dream frames on the graphics card, crossfaded to any depth and variant, fitted to any
size.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from visualizer.errors import BadInput, GraphicsError, VisualizerError
from visualizer.looks.declaration import Value
from visualizer.looks.look import Look, plain_look
from visualizer.looks.uniforms import MUSIC, SILENCE

from ..oneline import size_text
from .gl import gl_finish, new_bgra_texture, read_rgb
from .programs import UNITS, Compiled, Programs

if TYPE_CHECKING:
    import moderngl

_MAX_TAPS = 8
_MUSIC = frozenset(one.name for one in MUSIC)
#: uniforms that are pictures of one row
_ROWS = tuple(one.name for one in MUSIC if one.kind == "sampler2D")

log = logging.getLogger(__name__)


class Fit(NamedTuple):
    """How a dream frame is fitted to a picture: the part that is seen, and how many frame pixels a pixel covers."""

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


class _CompiledLook:
    """A look compiled for each way that it is drawn, once each. n_variants: of the picture."""

    def __init__(self, look: Look, programs: Programs, n_variants: int) -> None:
        self._look, self._programs, self._n_variants = look, programs, n_variants
        self._compiled: dict[tuple[str, int] | None, Compiled] = {}
        self.needs: frozenset[str] = frozenset()  # names of MUSIC that its programs so far use

    def get(self, shrink: float) -> Compiled:
        """The program for a picture `shrink` times smaller than the frames. Raises VisualizerError where there is none
        yet.
        """
        if shrink == 1:
            kind: tuple[str, int] | None = ("EXACT", 1)
        elif shrink > 2:
            # one linear sample averages 2 x 2 texels; beyond that texels would be skipped, and details would flicker
            kind = ("TAPS", min(math.ceil(shrink / 2), _MAX_TAPS))
        else:
            kind = None
        if kind not in self._compiled:
            defines = dict([kind]) if kind else {}
            if self._n_variants > 1:
                defines["VARIANTS"] = defines["ROWS"] = self._n_variants  # ROWS: its former name
            try:
                self._compiled[kind] = compiled = self._programs.get(self._look, defines)
                self.needs |= _MUSIC & compiled.uniforms.keys()
            except VisualizerError as fault:
                if not self._compiled:  # reported when the picture is made
                    raise
                # another of its programs draws the same, a little less sharp or smooth
                log.error("%s; it is drawn by another of its programs", fault)
                other = next(iter(self._compiled.values()))
                other.n_users += 1
                self._compiled[kind] = other
        return self._compiled[kind]

    def release(self) -> None:
        """Release all its programs; may be called twice."""
        while self._compiled:
            self._programs.give_back(self._compiled.popitem()[1])


class Picture:
    """Variants of dream frames 0..n_depths in one texture array, drawn at any depth and variant through a look.

    ctx: the context of the Surface it will be drawn on. frame_size: (width, height) of every dream frame, px. n_depths:
    the deepest frame's index. look: the plain one if None. n_variants: how many dreams of the image there are, each a
    variant of n_depths + 1 frames. programs: compiled looks shared with other pictures, its own if None. Raises
    BadInput for a size or count that cannot be; GraphicsError for a shader that does not compile, for more frames than
    the driver holds, or too little graphics memory.

    Frames may be put in any order and between draws; each variant goes as deep as its frames are there without a gap.
    look: the one it is drawn through. parameters: its inputs by name, as the shader takes them (`LookInput.checked`);
    change them at will between draws. An event is set to 1, and is 0 again once it was drawn.
    """

    def __init__(
        self,
        ctx: moderngl.Context,
        frame_size: tuple[int, int],
        n_depths: int,
        look: Look | None = None,
        n_variants: int = 1,
        programs: Programs | None = None,
    ) -> None:
        import moderngl

        self.frame_size = (int(frame_size[0]), int(frame_size[1]))
        self.n_depths = n_depths
        self.n_variants = n_variants
        self._ctx = ctx
        self._programs = programs or Programs(ctx)
        self._owns_programs = programs is None
        self.look = look or plain_look()
        self.parameters: dict[str, Value] = {one.name: one.default for one in self.look.declaration.controls}
        self._events = [one.name for one in self.look.declaration.inputs if one.kind == "event"]
        self._own = self._plain = _CompiledLook(self.look, self._programs, n_variants)
        _check_limits(ctx, self.frame_size, n_depths, n_variants)
        self._is_put = np.zeros((n_variants, n_depths + 1), bool)
        self._deepest = [-1] * n_variants
        self._places = np.zeros((n_variants, 2), np.float32)
        width, height = self.frame_size
        try:
            self._frames = ctx.texture_array((width, height, n_variants * (n_depths + 1)), 3)
        except moderngl.Error as error:
            raise GraphicsError(_no_memory(self.frame_size, n_depths, n_variants)) from error
        if ctx.error == "GL_OUT_OF_MEMORY":
            self._frames.release()
            raise GraphicsError(_no_memory(self.frame_size, n_depths, n_variants))
        self._frames.repeat_x = self._frames.repeat_y = False
        self._smooth = ctx.sampler(False, False, filter=(moderngl.LINEAR, moderngl.LINEAR))
        self._sharp = ctx.sampler(False, False, filter=(moderngl.NEAREST, moderngl.NEAREST))
        self._rows: dict[str, moderngl.Texture] = {}
        try:
            self._own.get(1.0)  # a fault in the look is reported at once, not when the window is first resized
            self._own.get(0.5)
            if not self.look.is_plain:
                self._plain = self._compiled_plain()
        except BaseException:
            self.release()
            raise

    @property
    def deepest(self) -> int:
        """The deepest dream frame of the first variant that exists with all before it; -1 before its frame 0 is put."""
        return self._deepest[0]

    def deepest_of(self, variant: int) -> int:
        """The same of any variant, 0 .. n_variants - 1."""
        return self._deepest[variant]

    def put(self, depth_index: int, frame: np.ndarray, variant: int = 0) -> None:
        """Put in the dream frame of a depth, in place of the one there before.

        frame: (H, W, 3) uint8, top row first. BadInput if it does not fit.
        """
        width, height = self.frame_size
        if not 0 <= depth_index <= self.n_depths:
            raise BadInput(f"dream frame {depth_index} is outside 0..{self.n_depths}")
        if not 0 <= variant < self.n_variants:
            raise BadInput(f"variant {variant} is outside 0..{self.n_variants - 1}")
        if frame.dtype != np.uint8 or frame.shape != (height, width, 3):
            raise BadInput(
                f"dream frame {depth_index} must be {(height, width, 3)} uint8 (height, width, RGB), "
                f"not {frame.shape} {frame.dtype}"
            )
        # a software driver would first draw everything that is pending, with Python's lock held
        gl_finish(self._ctx)
        layer = variant * (self.n_depths + 1) + depth_index
        self._frames.write(np.ascontiguousarray(frame), (0, 0, layer, width, height, 1))
        if self._ctx.error == "GL_OUT_OF_MEMORY":
            raise GraphicsError(_no_memory(self.frame_size, self.n_depths, self.n_variants))
        self._is_put[variant, depth_index] = True
        while self._deepest[variant] < self.n_depths and self._is_put[variant, self._deepest[variant] + 1]:
            self._deepest[variant] += 1
        self._places = _places(self._deepest, self.n_depths)

    @property
    def needs(self) -> frozenset[str]:
        """What its look uses of the music: names of `looks.uniforms.MUSIC`."""
        return self._own.needs

    def draw(
        self,
        depth: float,
        size: tuple[int, int],
        time_s: float = 0.0,
        variant: float = 0.0,
        uniforms: Mapping[str, Any] = SILENCE,
    ) -> None:
        """Draw the dream over the whole framebuffer in use.

        depth: 0 .. n_depths; in each variant clamped to the frames that are there. size: (width, height) of the
        framebuffer, px; nothing is drawn if one of them is 0. time_s: for looks that move by themselves, seconds.
        variant: 0 .. n_variants - 1, clamped; between two whole numbers the picture is between two variants. In the
        place of a variant without frames stands the nearest before it that has some, or else the nearest after it. A
        depth or variant of NaN is 0. uniforms: values of `looks.uniforms.MUSIC` by name, those of silence where one is
        missing; spectrum and waveform: (512,) float32.
        """
        if size[0] <= 0 or size[1] <= 0:
            return
        self._ctx.viewport = (0, 0, *size)
        deepest = max(self._deepest)
        if deepest < 0:
            self._ctx.clear(0.0, 0.0, 0.0, 1.0)
            return
        fit = cover(self.frame_size, size)
        compiled = self._own.get(fit.shrink)
        place = self._variant(variant)
        values = {
            **SILENCE,
            **uniforms,
            "cover_origin": fit.origin,
            "cover_extent": fit.extent,
            "depth": _clamped(depth, deepest),
            "deepest": float(self._places[0, 1]),
            "frame_size": self.frame_size,
            "size": size,
            "time_s": time_s,
            "variant": place,
            "row": place,
            **self.parameters,
        }
        for name, uniform in compiled.uniforms.items():
            if name in ("variants", "rows"):
                # a compiler may keep no more of the array than the look reads
                uniform.write(self._places[: uniform.array_length].tobytes())
            elif name in _ROWS:
                self._use_row(name, values.get(name))
            elif name in values:
                uniform.value = values[name]
        for unit, sampler in enumerate((self._smooth, self._sharp)):
            self._frames.use(unit)
            sampler.use(unit)
        compiled.triangle.render(vertices=3)
        self.pass_events()

    def pass_events(self) -> None:
        """Set the look's events to 0, as once they were drawn: for a display frame that is not drawn."""
        for name in self._events:
            self.parameters[name] = 0

    def draw_plainly(self, depth: float, size: tuple[int, int]) -> None:
        """Draw the dream of the first variant through the plain look, over the framebuffer in use: for when another
        look fails.
        """
        import moderngl

        self._ctx.enable_only(moderngl.NOTHING)
        own, self._own = self._own, self._plain
        try:
            self.draw(depth, size)
        finally:
            self._own = own

    def frame(self, depth_index: int, variant: int = 0) -> np.ndarray:
        """A dream frame that was put in, read back from the graphics card: (H, W, 3) uint8, top row first.

        It takes milliseconds, and leaves another framebuffer in use.
        """
        kept = self._own, self.parameters, self._deepest, self._places
        texture = new_bgra_texture(self._ctx, self.frame_size)
        framebuffer = self._ctx.framebuffer([texture])
        try:
            framebuffer.use()
            # drawn plainly in its own size, every pixel is the frame's; frames behind a gap are drawn, too
            self._own, self.parameters = self._plain, dict(self.parameters)
            self._deepest = [self.n_depths] * self.n_variants
            self._places = _places(self._deepest, self.n_depths)
            self.draw(depth_index, self.frame_size, variant=variant)
            frame = np.empty((*self.frame_size[::-1], 3), np.uint8)
            gl_finish(self._ctx)
            read_rgb(self._ctx, frame)
        finally:
            self._own, self.parameters, self._deepest, self._places = kept
            framebuffer.release()
            texture.release()
        return frame[::-1].copy()

    def _use_row(self, name: str, values: np.ndarray | None) -> None:
        """Make the texture of a spectrum or waveform the one that the look reads. values: float32, black if None."""
        import moderngl

        length = 512 if values is None else len(values)
        texture = self._rows.get(name)
        if texture is None or texture.size != (length, 1):
            if texture is not None:
                texture.release()
            texture = self._rows[name] = self._ctx.texture((length, 1), 1, bytes(4 * length), dtype="f4")
            texture.filter = (moderngl.LINEAR, moderngl.LINEAR)
            texture.repeat_x = texture.repeat_y = False
        if values is not None:
            texture.write(np.ascontiguousarray(values, np.float32))
        texture.use(UNITS[name])
        self._ctx.clear_samplers(UNITS[name], UNITS[name] + 1)

    def _variant(self, variant: float) -> float:
        """`variant` clamped; a whole number where the variants on both sides show the same, which halves the work of
        drawing.
        """
        variant = _clamped(variant, self.n_variants - 1)
        lower = int(variant)
        if variant > lower and np.array_equal(self._places[lower], self._places[lower + 1]):
            return float(lower)
        return variant

    def release(self) -> None:
        """Release the graphics memory. The context must still exist; may be called twice."""
        self._own.release()
        self._plain.release()
        if self._owns_programs:
            self._programs.release()
        for texture in self._rows.values():
            texture.release()
        self._rows.clear()
        self._smooth.release()
        self._sharp.release()
        self._frames.release()

    def _compiled_plain(self) -> _CompiledLook:
        """The plain look, compiled beforehand: when it is needed, its file may be gone. The picture's own look where
        that fails.
        """
        plain = None
        try:
            plain = _CompiledLook(plain_look(), self._programs, self.n_variants)
            plain.get(1.0)
            plain.get(0.5)
        except VisualizerError as fault:
            log.error("%s; there is no plain look to fall back on", fault)
            if plain is not None:
                plain.release()
            return self._own
        return plain


def _clamped(value: float, most: int) -> float:
    """`value` clamped to 0..most; NaN is 0."""
    return 0.0 if math.isnan(value) else min(max(float(value), 0.0), float(most))


def _places(deepest: list[int], n_depths: int) -> np.ndarray:
    """Where in the texture array each variant is found: (n_variants, 2) float32, its first layer and its deepest frame.

    deepest: of each variant, -1 where it has no frames. A variant without frames gets the entry of another.
    """
    there = [variant for variant, its_deepest in enumerate(deepest) if its_deepest >= 0] or [0]
    shown = [max((other for other in there if other <= variant), default=there[0]) for variant in range(len(deepest))]
    return np.array([(variant * (n_depths + 1), deepest[variant]) for variant in shown], np.float32)


def _check_limits(ctx: moderngl.Context, frame_size: tuple[int, int], n_depths: int, n_variants: int) -> None:
    if min(frame_size) < 1 or n_depths < 1 or n_variants < 1:
        raise BadInput(
            f"a picture of {frame_size[0]}x{frame_size[1]} px, {n_depths} depths and {n_variants} variants cannot be made; "
            "each must be at least 1"
        )
    largest, most = ctx.info["GL_MAX_TEXTURE_SIZE"], ctx.info["GL_MAX_ARRAY_TEXTURE_LAYERS"]
    if max(frame_size) > largest:
        raise BadInput(
            f"this graphics driver cannot hold pictures of {frame_size[0]}x{frame_size[1]}; "
            f"--size may be up to {largest}x{largest} here"
        )
    if n_variants * (n_depths + 1) > most:
        ways = "name fewer variants or lower n_depths" if n_variants > 1 else "lower n_depths"
        raise GraphicsError(
            f"this graphics driver holds {most} dream frames, {_count(n_depths, n_variants)} are needed; {ways}"
        )


def _count(n_depths: int, n_variants: int) -> str:
    """How many dream frames, for messages: "21", "63 (3 variants of 21)"."""
    of_variants = f" ({n_variants} variants of {n_depths + 1})" if n_variants > 1 else ""
    return f"{n_variants * (n_depths + 1)}{of_variants}"


def _no_memory(frame_size: tuple[int, int], n_depths: int, n_variants: int) -> str:
    n_bytes = frame_size[0] * frame_size[1] * 4 * n_variants * (n_depths + 1)
    ways = "choose a smaller --size or fewer variants" if n_variants > 1 else "choose a smaller --size"
    frames = f"{n_variants * (n_depths + 1)} dream frames of {frame_size[0]}x{frame_size[1]}"
    if n_variants > 1:
        frames += f" in {n_variants} variants"
    return f"too little graphics memory: {frames} take {size_text(n_bytes)}; {ways}"
