"""A window of a show and what draws in it; and another one in its place when the graphics card was reset."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from ..render.canvas import Canvas
from ..render.gl import was_reset
from ..render.hud import Hud
from ..render.picture import Picture, PictureHistory
from ..render.programs import Programs
from ..render.window import Window
from .journey_state import ResumedJourney
from .stage import Scene, build_picture

log = logging.getLogger(__name__)


@dataclass
class Graphics:
    """A window and what draws in it. All of it goes with the window's context."""

    window: Window
    programs: Programs
    canvas: Canvas

    @classmethod
    def of(cls, window: Window) -> Self:
        """What draws in a window. Raises GraphicsError."""
        return cls(window, Programs(window.ctx), Canvas(window.ctx))

    @cached_property
    def hud(self) -> Hud:
        """The text over the picture, made when first asked for: the first picture need not wait for fonts."""
        return Hud(self.window.ctx)

    def show_image(self, picture: Picture, *, dark: bool, swap: bool = True) -> None:
        """Show a preset's image before its show begins; black if `dark`."""
        if (size := self.window.framebuffer_size) != (0, 0):
            self.canvas.begin(size, self.window)
            if dark:
                self.window.ctx.clear(0.0, 0.0, 0.0, 1.0)
            else:
                picture.draw(0.0, size)
                picture.clear_history()  # that of the show begins with its first display frame
            self.canvas.present_on(self.window.ctx.screen, size)
        self.window.finish()
        if swap:
            self.window.swap()

    def release(self) -> None:
        """Release the graphics memory, but not the window: all of it, should one part fail."""
        with ExitStack() as stack:
            for part in (self.programs, self.canvas):
                stack.callback(part.release)
            if "hud" in self.__dict__:
                stack.callback(self.hud.release)


def rebuilt(
    old: Window, scene: Scene, *, dark: bool, journey: ResumedJourney | None = None
) -> tuple[Graphics, Picture]:
    """Another window in the place of the old one, showing the image of the scene's preset (black if dark), and the
    image's picture.

    The old one still exists, without a context that works, and must be closed. journey: see `build_picture`. Raises
    GraphicsError, and what drivers raise.
    """
    history = _history_of(old, scene.picture)
    window = old.successor()
    try:
        graphics = Graphics.of(window)
        picture = build_picture(
            scene.loaded, window, graphics.programs, scene.picture, journey=journey, fewer_stations=True
        )
        # everything that takes time is done before it appears: until its first swap it shows what lies under it, the
        # old one
        graphics.show_image(picture, dark=dark, swap=False)
        window.appear()
        graphics.show_image(picture, dark=dark)
        if history is not None:
            picture.restore(history)
    except BaseException:
        window.close()
        old.make_current()
        raise
    return graphics, picture


def _history_of(window: Window, picture: Picture) -> PictureHistory | None:
    """What the looks of a picture keep, None where there is nothing, or the driver cannot give it any more."""
    if not picture.has_history or was_reset(window.ctx):
        return None
    try:
        history = picture.history()
    except Exception:
        log.exception("what the looks have kept cannot be read")
        return None
    return history if window.ctx.error == "GL_NO_ERROR" else None
