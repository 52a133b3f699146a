"""One display frame, top to bottom: wait, advance, listen, draw, present; then everything that can be late without an
effect on the picture: `show/window_show.py`.

`live`, `play` and `export` are this one loop. They differ in the source, the clock and the outputs handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from ..beat.features import Features
from ..outputs.camera import Camera
from ..outputs.output import Output
from ..render.canvas import Canvas
from ..render.gl import Surface
from .clocks import Clock
from .guard import Guard
from .source import NO_SOUND, Source
from .stage import DisplayFrame, Stage

LOST_AFTER = 2  # display frames in a row that cannot be drawn at all, until the graphics count as lost


class FrameLoop:
    """Makes display frames: draws the stage into the canvas and presents it on every output.

    clock: when the display frames are made. outputs: the window first, if there is one. guard: a part that fails is
    noted there and tried again later; with a guard that raises (an export) the loop ends instead. size: returns the
    (width, height) to draw, px; (0, 0) draws nothing. keeps_picture: whether `canvas.pixels` is needed once the picture
    is shown.
    """

    def __init__(
        self,
        clock: Clock,
        source: Source,
        stage: Stage,
        canvas: Canvas,
        outputs: Sequence[Output],
        guard: Guard,
        size: Callable[[], tuple[int, int]],
    ) -> None:
        self.clock, self.source, self.stage, self.canvas = clock, source, stage, canvas
        self.outputs, self.guard, self.size = list(outputs), guard, size
        self.ended = self.keeps_picture = False
        self.n_frames = 0
        self._n_undrawn = 0  # display frames in a row that could not be drawn at all
        self._shown = DisplayFrame(0.0, 0.0, 0)

    def frames(self) -> Iterator[DisplayFrame]:
        """Make one display frame after another, until the source or the show ends."""
        while not self.ended:
            self.clock.wait()  # the pace; a kick may begin a display frame early
            self.before()
            with self.guard.part("dream frames", "the picture goes on without them"):
                self.stage.advance(self.clock.dt_s)  # may upload a dream frame, so it comes before listening
            with self.guard.part("choice of features", "the look goes on without those that are missing"):
                self.source.needs(self.stage.needs)
            features = self.source.listen(self.clock.now)
            if self.source.ended:
                return
            self._shown = self.draw(features)
            if self._shown.is_drawn:
                self.present(features)
            self.n_frames += 1
            self.after(self._shown)
            yield self._shown

    def draw(self, features: Features) -> DisplayFrame:
        """Draw the stage into the canvas: plainly where that fails, and not at all where that fails, too."""
        size, drawing = self.size(), self.guard.part("drawing", "the picture is drawn plainly")
        for part, draw in (
            (drawing, partial(self.stage.draw, attempts=self.guard.part)),
            (self.guard.part("plain drawing", "the last picture stays"), self.stage.draw_plainly),
        ):
            if part is drawing and part.is_suspended:
                continue
            with part:
                if size != (0, 0):
                    self.canvas.begin(size, self._lender(size))
                shown = draw(features, size)
                self._n_undrawn = 0
                return shown
        self._n_undrawn += 1
        return self._shown._replace(time_s=features.time_s, is_drawn=False)

    def _lender(self, size: tuple[int, int]) -> Surface | None:
        """The surface of the only output, where the picture can be drawn there directly."""
        surface = self.outputs[0].surface if len(self.outputs) == 1 and not self.keeps_picture else None
        return surface if surface is not None and surface.framebuffer_size == size else None

    def present(self, features: Features) -> None:
        """Hand the picture to every output, the window first."""
        sound = self.source.take_sound() if any(output.needs_sound for output in self.outputs) else NO_SOUND
        for output in self.outputs:
            part = self.guard.part(output.name, "the show goes on without it")
            if not part.is_suspended:
                with part:
                    output.present(self.canvas, sound, features)

    def take_screenshot(self, camera: Camera, size: tuple[int, int]) -> None:
        """Take the screenshot that is wanted: of the display frame just shown, or of the next one where this one was
        not kept. size: (width, height) of the canvas, px.
        """
        if self.keeps_picture or not self.canvas.is_lent:
            camera.is_wanted = self.keeps_picture = False
            camera.take(self.canvas, size)
        else:
            self.keeps_picture = True

    @property
    def is_undrawable(self) -> bool:
        """Whether the last display frames could not be drawn at all, not even plainly: then the cause is not the look's
        shader.
        """
        return self._n_undrawn >= LOST_AFTER

    def before(self) -> None:
        """What is done before a display frame is made: what was recorded is performed up to its time."""

    def after(self, shown: DisplayFrame) -> None:
        """What is done once the picture is shown. An export does nothing here."""
