"""The dream as a picture: dream frames on the graphics card, drawn at any depth and variant, and in any size, through a
chain of looks.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..easing import limited_step
from ..errors import VisualizerError
from ..looks.look import plain_look
from ..looks.uniforms import SILENCE
from .chain import Attempts, Chain, Link
from .dream_texture import DreamTexture
from .gl import gl_finish, new_bgra_texture, read_rgb
from .look_renderer import NO_DATE, Date, LookRenderer, clock_values
from .programs import Programs
from .targets import TargetPool

if TYPE_CHECKING:
    import moderngl

log = logging.getLogger(__name__)


class PictureHistory(NamedTuple):
    """What the looks of a picture keep from one display frame to the next. kept: see `Chain.history`; time_s, n_drawn:
    of the display frame drawn last, and how many were drawn before it.
    """

    kept: Sequence[Mapping[str, np.ndarray]]
    time_s: float | None
    n_drawn: int


class Picture:
    """Variants of dream frames 0..n_depths, drawn at any depth and variant through a chain of looks.

    ctx: the context of the Surface it will be drawn on. frame_size: (width, height) of every dream frame, px. n_depths:
    the deepest frame's index. links: the looks, the plain one if there is none. n_variants: how many dreams of the
    image there are, each a variant of n_depths + 1 frames. programs: compiled looks shared with other pictures, its own
    if None. transition: a look that leads from another picture to this one. is_journey: what is drawn are stations, see
    `DreamTexture`. Raises BadInput for a size or count that cannot be, and a look's picture that cannot be read;
    GraphicsError for a shader that does not compile, for more frames than the driver holds, or too little graphics
    memory.

    Frames may be put in any order and between draws; each variant goes as deep as its frames are there without a gap.
    links, transition: change their values at will between draws. dreams: the dream frames.

    What a look keeps from one display frame to the next begins black with the first draw. It goes on with every draw at
    another time than the one before; drawn again at the same time, such as while the show is frozen, the same picture
    comes again.
    """

    def __init__(
        self,
        ctx: moderngl.Context,
        frame_size: tuple[int, int],
        n_depths: int,
        links: Sequence[Link] = (),
        n_variants: int = 1,
        programs: Programs | None = None,
        transition: Link | None = None,
        *,
        is_journey: bool = False,
    ) -> None:
        self._ctx = ctx
        self._programs = programs or Programs(ctx)
        self._owns_programs = programs is None
        self._time_s: float | None = None  # of the display frame drawn last
        self._step_s, self._index = 0.0, -1
        self._values: dict[str, Any] = {}  # what it was drawn from last
        self._advances = True
        self.transition = transition
        links = tuple(links) or (Link(plain_look()),)
        with ExitStack() as stack:
            if self._owns_programs:
                stack.callback(self._programs.release)
            self.dreams = DreamTexture(ctx, frame_size, n_depths, n_variants, is_journey=is_journey)
            stack.callback(self.dreams.release)
            self._pool = TargetPool(ctx)
            stack.callback(self._pool.release)
            self._plain = self._compiled_plain(links[0])
            stack.callback(self._plain.release)
            self._crossing: LookRenderer | None = None
            stack.callback(self._release_crossing)
            if transition is not None:
                self._crossing = LookRenderer(ctx, transition.look, self._programs, self.dreams)
            self._chain = Chain(ctx, links, self._programs, self.dreams, self._plain)
            self._parts = stack.pop_all()

    @property
    def frame_size(self) -> tuple[int, int]:
        """Width and height of every dream frame, px."""
        return self.dreams.frame_size

    @property
    def n_depths(self) -> int:
        """The deepest dream frame's index."""
        return self.dreams.n_depths

    @property
    def n_variants(self) -> int:
        """How many dreams of the image there are."""
        return self.dreams.n_variants

    @property
    def deepest(self) -> int:
        """The deepest dream frame of the first variant that exists with all before it; -1 before its frame 0 is put."""
        return self.dreams.deepest

    def deepest_of(self, variant: int) -> int:
        """The same of any variant, 0 .. n_variants - 1."""
        return self.dreams.deepest_of(variant)

    def put(self, depth_index: int, frame: np.ndarray, variant: int = 0) -> None:
        """Put in a dream frame, see `DreamTexture.put`."""
        self.dreams.put(depth_index, frame, variant)

    @property
    def links(self) -> tuple[Link, ...]:
        """The looks it is drawn through, in order."""
        return self._chain.links

    @property
    def needs(self) -> frozenset[str]:
        """What its looks use of the music: names of `looks.uniforms.MUSIC`, and of sound, see
        `look_textures.sound_name`.
        """
        return self._chain.needs | (self._crossing.needs if self._crossing is not None else frozenset())

    @property
    def has_history(self) -> bool:
        """Whether a look keeps anything from one display frame to the next: then every display frame must be drawn,
        also one that is not seen.
        """
        return self._chain.has_history

    @property
    def transition_has_history(self) -> bool:
        """The same of the look that leads to it, as long as it does."""
        return self._crossing is not None and self._crossing.has_history

    def draw(
        self,
        depth: float,
        size: tuple[int, int],
        time_s: float = 0.0,
        variant: float = 0.0,
        uniforms: Mapping[str, Any] = SILENCE,
        *,
        date: Date = NO_DATE,
        began_s: float = 0.0,
        attempts: Attempts | None = None,
    ) -> None:
        """Draw the dream over the whole framebuffer in use.

        depth: 0 .. n_depths; in each variant clamped to the frames that are there. size: (width, height) of the
        framebuffer, px; nothing is drawn if one of them is 0. time_s: for looks that move by themselves, seconds.
        variant: 0 .. n_variants - 1, clamped; between two whole numbers the picture is between two variants. In the
        place of a variant without frames stands the nearest before it that has some, or else the nearest after it. A
        depth or variant of NaN is 0. uniforms: values of `looks.uniforms.MUSIC` by name, those of silence where one is
        missing; of sound by `look_textures.sound_name`. date: of this display frame. began_s: `TIME` counts from this
        time_s. attempts: a look that fails is left out, see `Chain.draw`.
        """
        if min(size) <= 0:
            return
        if self.dreams.is_empty:
            self._ctx.viewport = (0, 0, *size)
            self._ctx.clear(0.0, 0.0, 0.0, 1.0)
            return
        self._advances = time_s != self._time_s
        if self._advances:
            step_s = 0.0 if self._time_s is None else time_s - self._time_s
            self._time_s, self._step_s = time_s, limited_step(step_s)
            self._index += 1
        self._values = {
            **SILENCE,
            **clock_values(time_s, self._step_s, self._index, date, began_s),
            **uniforms,
            **self.dreams.values(depth, variant),
        }
        self._chain.draw(self._values, size, advances=self._advances, attempts=attempts)

    def draw_transition(
        self, start: moderngl.Texture, end: moderngl.Texture, progress: float, size: tuple[int, int]
    ) -> None:
        """Draw the look `transition` over the whole framebuffer in use.

        start: the picture before this one; end: this one, as it was drawn last. progress: 0 .. 1. size: (width, height)
        of the framebuffer, px, at least 1.
        """
        assert self.transition is not None and self._crossing is not None
        parameters = {**self.transition.parameters, "progress": progress}
        images = {name: start if name == "startImage" else end for name in self._crossing.image_inputs}
        self._crossing.draw(self._values, size, parameters, images, self._pool, advances=self._advances)
        self._pool.end()

    def measure(self, is_measured: bool) -> None:
        """Measure how long each look takes, from the next draw on, or no longer."""
        self._chain.is_measured = is_measured

    def look_times_s(self) -> list[float]:
        """How long the looks of the last draw took, see `Chain.times_s`."""
        return self._chain.times_s()

    def pass_events(self) -> None:
        """Set the looks' events to 0, as once they were drawn: for a display frame that is not drawn."""
        self._chain.pass_events()

    def draw_plainly(self, depth: float, size: tuple[int, int]) -> None:
        """Draw the dream of the first variant through the plain look, over the framebuffer in use: for when the looks
        fail.
        """
        import moderngl

        self._ctx.enable_only(moderngl.NOTHING)
        self._draw_dream(depth, 0, size)

    def frame(self, depth_index: int, variant: int = 0) -> np.ndarray:
        """A dream frame that was put in, read back from the graphics card: (H, W, 3) uint8, top row first.

        It takes milliseconds, and leaves another framebuffer in use.
        """
        texture = new_bgra_texture(self._ctx, self.frame_size)
        framebuffer = self._ctx.framebuffer([texture])
        try:
            framebuffer.use()
            with self.dreams.all_there():
                self.dreams.place_alone(variant)
                # drawn plainly in its own size, every pixel is the frame's
                self._draw_dream(depth_index, variant, self.frame_size)
            frame = np.empty((*self.frame_size[::-1], 3), np.uint8)
            gl_finish(self._ctx)
            read_rgb(self._ctx, frame)
        finally:
            framebuffer.release()
            texture.release()
        return frame[::-1].copy()

    def set_links(self, links: Sequence[Link], transition: Link | None = None) -> None:
        """Draw through other looks from now on, and lead to this picture with another transition. Where the look in a
        place is of the same file as before, it goes on with what it has kept. Raises GraphicsError or BadInput for
        looks that cannot be drawn, and changes nothing then.
        """
        chain = Chain(self._ctx, links, self._programs, self.dreams, self._plain)
        crossing: LookRenderer | None = None
        if transition is not None:
            try:
                crossing = LookRenderer(self._ctx, transition.look, self._programs, self.dreams)
            except BaseException:
                chain.release()
                raise
            if self._crossing is not None and self._crossing.look.path == transition.look.path:
                crossing.take_history(self._crossing)
        before, self._chain = self._chain, chain
        chain.take_history(before)
        before.release()
        self._release_crossing()
        self.transition, self._crossing = transition, crossing

    def clear_history(self) -> None:
        """Begin black again, with the display frame of index 0."""
        self._chain.clear_history()
        if self._crossing is not None:
            self._crossing.clear_history()
        self._time_s, self._step_s, self._index = None, 0.0, -1

    def history(self) -> PictureHistory:
        """What the looks keep, read back from the graphics card; takes milliseconds for each."""
        return PictureHistory(self._chain.history(), self._time_s, self._index)

    def restore(self, history: PictureHistory) -> None:
        """Go on from the `history` of another picture with the same looks."""
        self._chain.restore(history.kept)
        self._time_s, self._index = history.time_s, history.n_drawn

    def release(self) -> None:
        """Release the graphics memory. The context must still exist; may be called twice."""
        self._chain.release()
        self._parts.close()

    def _release_crossing(self) -> None:
        if self._crossing is not None:
            self._crossing.release()

    def _draw_dream(self, depth: float, variant: float, size: tuple[int, int]) -> None:
        """Draw the dream through the plain look over the framebuffer in use; black where there is none yet."""
        self._ctx.viewport = (0, 0, *size)
        if self.dreams.is_empty:
            self._ctx.clear(0.0, 0.0, 0.0, 1.0)
            return
        values = {**SILENCE, **self.dreams.values(depth, variant)}
        self._plain.draw(values, size, {}, {}, self._pool)

    def _compiled_plain(self, first: Link) -> LookRenderer:
        """The plain look, compiled beforehand: when it is needed, its file may be gone. The picture's own first look
        where that fails.
        """
        try:
            return LookRenderer(self._ctx, plain_look(), self._programs, self.dreams)
        except VisualizerError as fault:
            log.error("%s; there is no plain look to fall back on", fault)
            return LookRenderer(self._ctx, first.look, self._programs, self.dreams)
