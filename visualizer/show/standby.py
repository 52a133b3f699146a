"""What a hot standby loads before it waits, so that a show that takes over begins at once."""

from __future__ import annotations

from collections.abc import Callable

# What a show imports until its first picture: of its own, and of other packages what its own modules do not import at
# their top.
_OWN = ("cli.commands", "show.live", "show.play")
_FOREIGN = (
    "PIL.Image",
    "PIL.JpegImagePlugin",
    "PIL.PngImagePlugin",
    "PIL.ImageFont",
    "yaml",
    "pyaudio",
    "wakepy",
    "ssl",
)


def preparations() -> list[Callable[[], object]]:
    """The steps to call, in order: importing modules, and loading the window library."""
    from importlib import import_module

    from ..render.glfw_library import quiet_glfw

    def window() -> None:
        import_module("moderngl")
        with quiet_glfw():  # loads the library for X11 or Wayland; no display is opened
            pass

    package = __name__.partition(".")[0]
    names = ["numpy", *_FOREIGN, *(f"{package}.{name}" for name in _OWN)]
    return [*(lambda name=name: import_module(name) for name in names), window]
