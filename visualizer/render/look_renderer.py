"""Draws a look: all its passes, into the framebuffer in use.

Everything a pass is drawn from is handed in, besides what the look itself keeps from one display frame to the next. So
the same calls give the same pixels, whoever makes them: a show, an export, a replay.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import GraphicsError, VisualizerError
from ..looks.declaration import Pass, Value
from ..looks.look import Look
from ..looks.program import TextureRef
from ..looks.uniforms import MUSIC
from ..oneline import plain
from .dream_texture import MOST_STATIONS, DreamTexture, cover, taps
from .journey_renderer import JourneyRenderer
from .look_textures import LookTextures, make_mipmaps, sound_name
from .programs import Compiled, Programs
from .targets import MAX_BYTES, History, Target, TargetPool, limited

if TYPE_CHECKING:
    import moderngl

_MUSIC_NAMES = frozenset(one.name for one in MUSIC if one.kind == "float") | {"iSampleRate"}

log = logging.getLogger(__name__)


#: year, month, day, seconds since midnight
Date = tuple[float, float, float, float]
NO_DATE: Date = (2000.0, 1.0, 1.0, 0.0)


def clock_values(
    time_s: float, step_s: float, index: int, date: Date = NO_DATE, began_s: float = 0.0
) -> dict[str, Any]:
    """The uniforms of time, by name, those of `looks.uniforms.ISF` and of `SHADERTOY`.

    time_s: of this display frame, step_s: since the one before, seconds. index: display frames drawn before this one.
    began_s: the time_s at which the looks began; many set themselves up while `TIME` is close to 0.
    """
    year, month, day, seconds = date
    own_s = max(time_s - began_s, 0.0)
    return {
        "time_s": time_s,
        "TIME": own_s,
        "TIMEDELTA": step_s,
        "FRAMEINDEX": index,
        "DATE": date,
        "iTime": own_s,
        "iTimeDelta": step_s,
        "iFrame": index,
        "iFrameRate": 1.0 / step_s if step_s > 0 else 60.0,
        "iDate": (year, month - 1, day, seconds),
        "iMouse": (0.0, 0.0, 0.0, 0.0),
        "iSampleRate": 44_100.0,  # where there is no sound
        "iChannelTime": np.full((4, 1), own_s, np.float32),
    }


class LookRenderer:
    """Draws one look.

    ctx: the context of the Surface it will be drawn on. programs: compiled looks shared with other pictures. dreams:
    what `dream()` reads. Raises GraphicsError for a shader that does not compile and for targets that are too large
    together, BadInput for a picture that cannot be read.

    needs: what it uses of the music: names of `looks.uniforms.MUSIC`, of `sound_name`, and "iSampleRate". image_inputs:
    the image inputs that its shaders read and that must be handed in.
    """

    def __init__(
        self,
        ctx: moderngl.Context,
        look: Look,
        programs: Programs,
        dreams: DreamTexture,
    ) -> None:
        self.look = look
        self.needs: frozenset[str] = frozenset()
        self.image_inputs: frozenset[str] = frozenset()
        self._ctx, self._programs, self._dreams = ctx, programs, dreams
        self._passes = look.declaration.passes
        self._compiled: dict[tuple[int, tuple[str, int] | None], Compiled] = {}
        writes = Counter(one.target for one in self._passes if one.target)
        floats = {one.target for one in self._passes if one.is_float}
        kept = dict.fromkeys(one.target for one in self._passes if one.target and one.is_persistent)
        self._kept = {name: History(ctx, programs, writes[name], name in floats) for name in kept}
        self._floats = floats
        self._sounds: frozenset[TextureRef] = frozenset()
        self._filters: dict[tuple[str, str], moderngl.Sampler] = {}
        self._textures = LookTextures(ctx, look)
        self._largest_px: int = ctx.info["GL_MAX_TEXTURE_SIZE"]
        self._writes, self._checked = writes, [(0, 0)]
        scale = look.declaration.scale
        width, height = dreams.frame_size
        whole = max(1, round(width * scale)), max(1, round(height * scale))
        defaults = {one.name: one.default for one in look.declaration.controls}
        self._check_memory([self._size(one, whole, defaults) for one in self._passes])
        self._journey: JourneyRenderer | None = None  # what draws it in place of its shader
        if dreams.is_journey and look.is_plain:
            self._journey = JourneyRenderer(ctx, programs, dreams)
            return
        try:
            for index in range(len(self._passes)):
                self._get(index, 1.0)  # a fault is reported at once, not when the window is first resized
                self._get(index, 0.5)
            if self._passes[-1].target:
                self._showing()
        except BaseException:
            self.release()
            raise

    @property
    def has_history(self) -> bool:
        """Whether it keeps anything from one display frame to the next."""
        return bool(self._kept)

    def draw(
        self,
        values: Mapping[str, Any],
        size: tuple[int, int],
        parameters: Mapping[str, Value],
        images: Mapping[str, moderngl.Texture],
        pool: TargetPool,
        *,
        advances: bool = True,
    ) -> None:
        """Draw the look over the whole framebuffer in use, composited over black.

        values: of the uniforms that do not depend on the pass, by name; those of sound by `sound_name`. size: (width,
        height) of the framebuffer, px, at least 1. parameters: the look's inputs by name, as the shader takes them.
        images: the pictures that `image_inputs` read. pool: where its temporary targets come from. advances: whether
        this is another display frame than the one drawn before; otherwise it is drawn again from what was kept then.
        """
        if self._journey is not None:
            self._journey.draw(values["depth"], cover(self._dreams.frame_size, size), size)
            return
        shown = self._ctx.fbo
        temporary: dict[str, Target] = {}
        values = {**values, **parameters}
        sizes = [self._size(one, size, parameters) for one in self._passes]
        if sizes != self._checked:
            self._check_memory(sizes)
        for one, pass_size in reversed(list(zip(self._passes, sizes, strict=True))):
            if one.target in self._kept:  # where several passes draw into it, the first decides
                self._kept[one.target].begin(pass_size, advances=advances)
        self._textures.update_sounds(self._sounds, values)
        last = len(self._passes) - 1
        try:
            for index, (one, pass_size) in enumerate(zip(self._passes, sizes, strict=True)):
                if one.target in self._kept:
                    history = self._kept[one.target]
                    target = history.next(pass_size)
                    self._draw_pass(index, values, parameters, pass_size, images, temporary, target)
                    history.drawn()
                elif one.target:
                    target = pool.take(pass_size, one.target in self._floats)
                    try:
                        self._draw_pass(index, values, parameters, pass_size, images, temporary, target)
                    except BaseException:
                        pool.give(target)
                        raise
                    if one.target in temporary:
                        pool.give(temporary[one.target])
                    temporary[one.target] = target
                elif index == last:  # of earlier ones nothing would be seen
                    shown.use()
                    self._draw_pass(index, values, parameters, size, images, temporary, None)
            if name := self._passes[last].target:
                shown.use()
                self._show(self._target(name, temporary), size)
        finally:
            shown.use()
            for target in temporary.values():
                pool.give(target)

    def clear_history(self) -> None:
        """Begin black again."""
        for history in self._kept.values():
            history.clear()

    def history(self) -> dict[str, np.ndarray]:
        """What is kept, read back from the graphics card, by the name of its target; see `restore`."""
        found = {name: one.pixels() for name, one in self._kept.items()}
        return {name: pixels for name, pixels in found.items() if pixels is not None}

    def restore(self, kept: Mapping[str, np.ndarray]) -> None:
        """Go on from the `history` of another one of the same look."""
        for name, pixels in kept.items():
            if name in self._kept and (pixels.dtype == np.float32) == self._kept[name].is_float:
                self._kept[name].restore(pixels)

    def take_history(self, before: LookRenderer) -> None:
        """Go on from what another one of this context keeps, which begins black then: targets of the same name and
        kind.
        """
        for name, history in before._kept.items():
            if name in self._kept and self._kept[name].is_like(history):
                self._kept[name], before._kept[name] = history, self._kept[name]

    def release(self) -> None:
        """Release the graphics memory. The context must still exist; may be called twice."""
        while self._compiled:
            self._programs.give_back(self._compiled.popitem()[1])
        for history in self._kept.values():
            history.clear()
        for sampler in self._filters.values():
            sampler.release()
        self._filters.clear()
        self._textures.release()

    def _draw_pass(
        self,
        index: int,
        values: Mapping[str, Any],
        parameters: Mapping[str, Value],
        size: tuple[int, int],
        images: Mapping[str, moderngl.Texture],
        temporary: Mapping[str, Target],
        target: Target | None,
    ) -> None:
        """target: what is drawn into; None: the framebuffer in use, which shows it."""
        import moderngl

        ctx = self._ctx
        fit = cover(self._dreams.frame_size, size)
        compiled = self._get(index, fit.shrink)
        own: dict[str, Any] = {
            "size": size,
            "cover_origin": fit.origin,
            "cover_extent": fit.extent,
            "PASSINDEX": index,
            "RENDERSIZE": size,
            "iResolution": (float(size[0]), float(size[1]), 1.0),
        }
        for unit, ref in enumerate(compiled.samplers):
            texture = self._texture(ref, images, temporary)
            if ref.filter == "mipmap" and ref.source in ("target", "input"):
                make_mipmaps(texture)
            texture.use(unit)
            self._filters[ref.wrap, ref.filter].use(unit)
        for name, uniform in compiled.uniforms.items():
            if name in own and name not in parameters:  # an input may have the name of a uniform of the program's own
                uniform.value = own[name]
            elif name in values:
                value = values[name]
                if isinstance(value, np.ndarray):
                    # a compiler may keep no more of an array than the look reads
                    uniform.write(value[: uniform.array_length].tobytes())
                else:
                    uniform.value = value
            elif name == "iChannelResolution":
                uniform.write(self._channel_sizes(index, images, temporary)[: uniform.array_length].tobytes())
        is_opaque = self.look.format == "frag"
        if target is not None:
            target.framebuffer.use()
        ctx.viewport = (0, 0, *size)
        if not is_opaque:  # a shader may leave pixels out, or move the corners
            ctx.clear(0.0, 0.0, 0.0, 1.0 if target is None else 0.0)
        try:
            if target is None and not is_opaque:
                ctx.enable_only(moderngl.BLEND)
                factors = moderngl.SRC_ALPHA, moderngl.ZERO, moderngl.ZERO, moderngl.ONE  # of colours, and of alpha
                ctx.blend_func = factors  # type: ignore[assignment]  # its stubs know two only
            compiled.draw()
        finally:
            ctx.enable_only(moderngl.NOTHING)
            ctx.clear_samplers(0, len(compiled.samplers))

    def _channel_sizes(
        self, index: int, images: Mapping[str, moderngl.Texture], temporary: Mapping[str, Target]
    ) -> np.ndarray:
        """The uniform iChannelResolution of a pass: (4, 3) float32, 0 for a channel that it does not have."""
        textures = self.look.programs[self._passes[index].program].textures
        found = np.zeros((4, 3), np.float32)
        for channel in range(4):
            if (ref := textures.get(f"iChannel{channel}")) is not None:
                found[channel] = (*self._texture(ref, images, temporary).size[:2], 1.0)
        return found

    def _show(self, texture: moderngl.Texture, size: tuple[int, int]) -> None:
        """Draw a target over the framebuffer in use, stretched smoothly and composited over black."""
        texture.use(0)
        self._ctx.clear_samplers(0, 1)
        self._ctx.viewport = (0, 0, *size)
        self._showing().draw()

    def _showing(self) -> Compiled:
        return self._programs.own("shown.frag", reads=("picture",))

    def _texture(
        self, ref: TextureRef, images: Mapping[str, moderngl.Texture], temporary: Mapping[str, Target]
    ) -> moderngl.Texture | moderngl.TextureArray | moderngl.TextureCube:
        if ref.source in ("frames", "texels"):
            return self._dreams.texture
        if ref.source == "target":
            return self._target(ref.name, temporary)
        if ref.source == "input" and ref.name in images:
            return images[ref.name]
        return self._textures.get(ref)

    def _target(self, name: str, temporary: Mapping[str, Target]) -> moderngl.Texture:
        """What was drawn last into a target, transparent black before that."""
        if name in self._kept:
            return self._kept[name].texture or self._textures.black
        return temporary[name].texture if name in temporary else self._textures.black

    def _size(self, one: Pass, size: tuple[int, int], parameters: Mapping[str, Value]) -> tuple[int, int]:
        """What a pass draws into, px; that of the look's picture for a pass without a target."""
        if not one.target or (one.width is None and one.height is None):
            return size
        numbers = {name: float(value) for name, value in parameters.items() if not isinstance(value, tuple)}
        numbers |= {"WIDTH": float(size[0]), "HEIGHT": float(size[1])}
        width, height = (
            float(whole) if given is None else given.evaluate(numbers)
            for given, whole in zip((one.width, one.height), size, strict=True)
        )
        return limited(width, height, self._largest_px)

    def _check_memory(self, sizes: list[tuple[int, int]]) -> None:
        """Raise GraphicsError where its targets together take more than MAX_BYTES. sizes: what its passes draw into,
        px.
        """
        n_bytes: dict[str, int] = {}
        for one, (columns, rows) in zip(self._passes, sizes, strict=True):
            if one.target:
                n_writes = self._writes[one.target]
                n_textures = n_writes + 1 if one.target in self._kept else min(n_writes, 2)
                size = columns * rows * (16 if one.target in self._floats else 4) * n_textures
                n_bytes[one.target] = max(n_bytes.get(one.target, 0), size)
        if (total := sum(n_bytes.values())) > MAX_BYTES:
            raise GraphicsError(
                f"look {plain(self.look.name)}: its targets take {total / 1e9:.1f} GB of graphics memory; allowed: up to "
                f"{MAX_BYTES // 10**9}; make them smaller with WIDTH and HEIGHT of its passes"
            )
        self._checked = sizes

    def _get(self, index: int, shrink: float) -> Compiled:
        """A program for a pass `shrink` times smaller than the frames. Raises VisualizerError where there is none yet."""
        if shrink == 1 and not self._dreams.is_journey:
            kind: tuple[str, int] | None = ("EXACT", 1)
        else:
            n_taps = taps(shrink)
            kind = ("TAPS", n_taps) if n_taps is not None else None
        if (index, kind) not in self._compiled:
            defines = dict([kind]) if kind else {}
            if self._dreams.is_journey:
                defines["JOURNEY"] = MOST_STATIONS
            elif self._dreams.n_variants > 1:
                defines["VARIANTS"] = defines["ROWS"] = self._dreams.n_variants  # ROWS: its former name
            try:
                self._compiled[index, kind] = compiled = self._programs.get(self.look, defines, index)
                self._note(compiled, self.look.programs[self._passes[index].program].textures)
            except VisualizerError as fault:
                others = [one for (its_index, _), one in self._compiled.items() if its_index == index]
                if not others:  # reported when the picture is made
                    raise
                # another of its programs draws the same, a little less sharp or smooth
                log.error("%s; it is drawn by another of its programs", fault)
                others[0].n_users += 1
                self._compiled[index, kind] = others[0]
        return self._compiled[index, kind]

    def _note(self, compiled: Compiled, textures: Mapping[str, TextureRef]) -> None:
        """Note what a program reads. textures: all that it might."""
        import moderngl

        for wrap, kind in {(ref.wrap, ref.filter) for ref in compiled.samplers} - self._filters.keys():
            enlarging = moderngl.NEAREST if kind == "nearest" else moderngl.LINEAR
            reducing = moderngl.LINEAR_MIPMAP_LINEAR if kind == "mipmap" else enlarging
            repeats = wrap == "repeat"
            self._filters[wrap, kind] = self._ctx.sampler(repeats, repeats, filter=(reducing, enlarging))
        own = {one.name for one in self.look.declaration.inputs}  # an input may be called like what is heard
        self.needs |= _MUSIC_NAMES & compiled.uniforms.keys() - own
        read = list(compiled.samplers)
        if "iChannelResolution" in compiled.uniforms:  # the size is asked for, also of what is not read
            read += [ref for name, ref in textures.items() if name.startswith("iChannel")]
        self._sounds |= {ref for ref in read if sound_name(ref)}
        self.needs |= {sound_name(ref) for ref in self._sounds}
        files = self.look.declaration.imported.keys()  # an image input may be a file
        self.image_inputs |= {ref.name for ref in compiled.samplers if ref.source == "input"} - files
