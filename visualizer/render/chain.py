"""A chain of looks: each one's picture is what the next one reads as `inputImage`; the first one reads the dream."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, cast, get_args

from ..looks.declaration import Value
from ..looks.look import Look
from ..settings import Blend
from .dream_texture import DreamTexture
from .look_renderer import LookRenderer
from .programs import Compiled, Programs
from .targets import Target, TargetPool

if TYPE_CHECKING:
    import moderngl
    import numpy as np

#: in the order of the numbers in shaders/base/blend.frag
BLENDS: tuple[Blend, ...] = get_args(Blend)


@dataclass(eq=False)
class Link:
    """A look in a chain, and how it is drawn; all but the look may be changed at will between draws.

    parameters: the look's inputs by name, as the shader takes them (`LookInput.checked`); its defaults where none is
    given. An event is set to 1, and is 0 again once it was drawn. mix: 0..1; 0 leaves the picture as it was before the
    look. blend: how it is blended with that. is_left_out: as if it were not there; its shaders are not even compiled if
    it is so from the beginning.
    """

    look: Look
    parameters: dict[str, Value] = field(default_factory=dict)
    mix: float = 1.0
    blend: Blend = "normal"
    is_left_out: bool = False

    def __post_init__(self) -> None:
        self.parameters = {one.name: one.default for one in self.look.declaration.controls} | self.parameters


class Attempt(AbstractContextManager[Any], Protocol):
    """Something that may fail: an exception inside it is noted and not raised further, and it is suspended for a while."""

    @property
    def is_suspended(self) -> bool: ...


#: gives the attempt at something by its name and what follows if it fails, for people
Attempts = Callable[[str, str], Attempt]


class Chain:
    """Draws looks one after another; each picture is composited over black before the next look reads it.

    ctx: the context of the Surface it will be drawn on. programs: compiled looks shared with others. dreams: what is
    dreamt. plain: draws the dream where a look reads it, and where there is no look to draw. Raises what `LookRenderer`
    raises.

    is_measured: whether the looks of the next display frame are measured, see `times_s`.
    """

    def __init__(
        self,
        ctx: moderngl.Context,
        links: Sequence[Link],
        programs: Programs,
        dreams: DreamTexture,
        plain: LookRenderer,
    ) -> None:
        self.links = tuple(links)
        self._ctx, self._programs, self._plain = ctx, programs, plain
        self._pool = TargetPool(ctx)
        self._renderers: list[LookRenderer] = []
        self.is_measured = False
        self._timers: dict[int, moderngl.Query] = {}
        self._measured: list[int] = []  # the links of the last display frame that were measured
        try:
            for link in self.links:
                look = plain.look if link.is_left_out else link.look
                self._renderers.append(LookRenderer(ctx, look, programs, dreams))
                if len(self.links) > 1 or not link.look.is_plain:  # compiled now, and not between two display frames
                    self._blending(link.blend), self._copying()
        except BaseException:
            self.release()
            raise

    @property
    def needs(self) -> frozenset[str]:
        """What its looks use of the music, see `LookRenderer`."""
        return frozenset().union(*(one.needs for one in self._renderers))

    @property
    def has_history(self) -> bool:
        """Whether a look keeps anything from one display frame to the next."""
        return any(one.has_history for one in self._renderers)

    def draw(
        self, values: Mapping[str, Any], size: tuple[int, int], *, advances: bool, attempts: Attempts | None = None
    ) -> None:
        """Draw over the whole framebuffer in use.

        values, size, advances: see `LookRenderer.draw`. attempts: a look that fails is left out, and the others are
        drawn; None: its exception is raised.
        """
        shown = self._ctx.fbo
        drawing = _Drawing(values, size, advances, shown)
        self._measured = []
        # a look that is not seen is drawn for what it keeps, and then reads the same picture as if it were seen
        drawn = [
            (index, link)
            for index, link in enumerate(self.links)
            if not link.is_left_out and (link.mix > 0 or self._renderers[index].has_history)
        ]
        try:
            for index, link in drawn:
                attempt = attempts(f"look {link.look.name}", "it is left out") if attempts is not None else None
                if attempt is not None and attempt.is_suspended:
                    continue
                is_last = index == drawn[-1][0]
                with attempt or nullcontext(), self._timer(index):
                    self._draw_link(drawing, link, self._renderers[index], is_last=is_last)
            if not drawing.is_shown:
                shown.use()
                if drawing.before is None:
                    self._plain.draw(values, size, {}, {}, self._pool)
                else:
                    self._copy(drawing.before, size)
        finally:
            shown.use()
            for target in {drawing.before, drawing.dream} - {None}:
                assert target is not None
                self._pool.give(target)
            self._pool.end()
            self.pass_events()

    def times_s(self) -> list[float]:
        """How long the graphics card took for each look of the last display frame, seconds; 0 for one that was not
        drawn. Empty where they were not measured. Waits until the display frame is drawn.
        """
        if not self._measured:
            return []
        times_s = {index: self._timers[index].elapsed / 1e9 for index in self._measured}
        return [times_s.get(index, 0.0) for index in range(len(self.links))]

    def pass_events(self) -> None:
        """Set the looks' events to 0, as once they were drawn: for a display frame that is not drawn."""
        for link in self.links:
            for one in link.look.declaration.inputs:
                if one.kind == "event":
                    link.parameters[one.name] = 0

    def clear_history(self) -> None:
        """Begin black again."""
        for one in self._renderers:
            one.clear_history()

    def history(self) -> list[dict[str, np.ndarray]]:
        """What the looks keep, read back from the graphics card, see `LookRenderer.history`."""
        return [one.history() for one in self._renderers]

    def restore(self, kept: Sequence[Mapping[str, np.ndarray]]) -> None:
        """Go on from the `history` of another chain of the same looks."""
        for renderer, one in zip(self._renderers, kept, strict=False):
            renderer.restore(one)

    def take_history(self, before: Chain) -> None:
        """Go on from what another chain of this context keeps, where the looks in a place are of the same file."""
        for own, other in zip(self._renderers, before._renderers, strict=False):
            if own.look.path == other.look.path:
                own.take_history(other)

    def release(self) -> None:
        """Release the graphics memory. The context must still exist; may be called twice."""
        with ExitStack() as stack:
            stack.callback(self._pool.release)
            for one in self._renderers:
                stack.callback(one.release)

    def _timer(self, index: int) -> AbstractContextManager[object]:
        if not self.is_measured:
            return nullcontext()
        if index not in self._timers:
            self._timers[index] = self._ctx.query(time=True)
        self._measured.append(index)
        return cast(AbstractContextManager[object], self._timers[index])

    def _draw_link(self, drawing: _Drawing, link: Link, renderer: LookRenderer, *, is_last: bool) -> None:
        """Draw a look: on the framebuffer that is shown where it is the last one and nothing must follow, and else into
        a target, which is then the picture before the next one.
        """
        size, scale = drawing.size, link.look.declaration.scale
        images = {name: self._before(drawing, name).texture for name in renderer.image_inputs}
        parts = drawing.values, link.parameters, images, self._pool
        replaces = link.mix >= 1 and link.blend == "normal"
        if is_last and replaces and scale >= 1:
            drawing.shown.use()
            renderer.draw(parts[0], size, *parts[1:], advances=drawing.advances)
            drawing.is_shown = True
            return
        with ExitStack() as stack:
            own_size = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale))) if scale < 1 else size
            own = self._pool.take(own_size)
            stack.callback(self._pool.give, own)
            own.framebuffer.use()
            renderer.draw(parts[0], own_size, *parts[1:], advances=drawing.advances)
            if link.mix <= 0:  # only for what it keeps
                return
            if replaces and is_last:
                drawing.shown.use()
                self._copy(own, size)
                drawing.is_shown = True
            elif replaces:
                stack.pop_all()
                self._replace(drawing, own)
            elif is_last:
                drawing.shown.use()
                self._blend(link, self._before(drawing, "inputImage"), own, size)
                drawing.is_shown = True
            else:
                blended = self._pool.take(size)
                try:
                    blended.framebuffer.use()
                    self._blend(link, self._before(drawing, "inputImage"), own, size)
                except BaseException:
                    self._pool.give(blended)
                    raise
                self._replace(drawing, blended)

    def _before(self, drawing: _Drawing, image_input: str) -> Target:
        """What an image input reads: the picture before the look, or the dream."""
        if image_input == "inputImage" and drawing.before is not None:
            return drawing.before
        if drawing.dream is None:
            target = self._pool.take(drawing.size)
            try:
                target.framebuffer.use()
                self._plain.draw(drawing.values, drawing.size, {}, {}, self._pool)
            except BaseException:
                self._pool.give(target)
                raise
            drawing.dream = target
        return drawing.dream

    def _replace(self, drawing: _Drawing, target: Target) -> None:
        if drawing.before is not None:
            self._pool.give(drawing.before)
        drawing.before = target

    def _blend(self, link: Link, below: Target, above: Target, size: tuple[int, int]) -> None:
        """Blend two pictures over the framebuffer in use."""
        import moderngl

        for unit, target in enumerate((below, above)):
            target.texture.filter = (moderngl.LINEAR, moderngl.LINEAR)
            target.texture.use(unit)
        self._ctx.clear_samplers(0, 2)
        self._ctx.viewport = (0, 0, *size)
        self._blending(link.blend).draw({"amount": min(link.mix, 1.0)})

    def _copy(self, target: Target, size: tuple[int, int]) -> None:
        """Draw a picture over the framebuffer in use; at its own size every pixel as it is, at another smoothly."""
        import moderngl

        kind = moderngl.NEAREST if target.size == size else moderngl.LINEAR
        target.texture.filter = (kind, kind)
        target.texture.use(0)
        self._ctx.clear_samplers(0, 1)
        self._ctx.viewport = (0, 0, *size)
        self._copying().draw()

    def _copying(self) -> Compiled:
        return self._programs.own("canvas.frag", reads=("picture",))

    def _blending(self, blend: Blend) -> Compiled:
        return self._programs.own("blend.frag", {"MODE": BLENDS.index(blend)}, reads=("below", "above"))


@dataclass(eq=False)
class _Drawing:
    """A display frame that is being drawn. before: the picture so far, None: no look has made one. dream: the dream,
    once something read it. is_shown: whether the framebuffer that is shown has the picture.
    """

    values: Mapping[str, Any]
    size: tuple[int, int]
    advances: bool
    shown: moderngl.Framebuffer
    before: Target | None = None
    dream: Target | None = None
    is_shown: bool = False
