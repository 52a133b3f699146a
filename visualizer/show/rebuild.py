"""The graphics built anew after the card or its driver was reset: a window in the place of the old one, before that goes."""

from __future__ import annotations

from ..presets.loaded import LoadedPreset
from ..render.gl import Stage
from ..render.hud import Hud
from ..render.picture import Picture
from ..render.programs import Programs
from ..render.window import Window
from .look import open_look


def picture_of(loaded: LoadedPreset, stage: Stage, programs: Programs) -> Picture:
    """A picture of the look with its image in its place. Raises BadInput or GraphicsError for one this driver cannot show."""
    look = open_look(loaded)
    picture = Picture(stage.ctx, loaded.size, loaded.n_depths, look, len(loaded.variants), programs)
    try:
        picture.put(0, loaded.image)
    except BaseException:
        picture.release()
        raise
    return picture


def built_anew(old: Window, loaded: LoadedPreset, *, dark: bool) -> tuple[Window, Programs, Picture, Hud]:
    """Another window in the place of the old one, showing the look's image (black if dark), and what draws in it.

    The old one is still there, without a context that is any good, to be closed. Raises GraphicsError, and what drivers raise.
    """
    window = old.successor()
    try:
        programs = Programs(window.ctx)
        picture = picture_of(loaded, window, programs)
        hud = Hud(window.ctx)
        # everything that takes time is done before it is seen: until its first swap it shows what lies under it, the old one
        _draw(window, picture, dark)
        window.finish()
        window.appear()
        _draw(window, picture, dark)
        window.finish()
        window.swap()
    except BaseException:
        window.close()
        old.make_current()
        raise
    return window, programs, picture, hud


def _draw(window: Window, picture: Picture, dark: bool) -> None:
    if dark:
        window.ctx.clear(0.0, 0.0, 0.0, 1.0)
    else:
        picture.draw(0.0, window.framebuffer_size)
