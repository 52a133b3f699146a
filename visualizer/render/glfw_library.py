"""The glfw library: loaded in the right variant, its complaints kept, and what is asked of it before a window opens."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from typing import Any

from visualizer.errors import GraphicsError
from visualizer.processes import redirect_stderr

from .gl import needs_newer, offered_version
from .wayland import lacks_seat

log = logging.getLogger(__name__)

MOST_COMPLAINTS = 20  # of a show of many hours only the first ones are of use

_complaints: list[str] = []


class GlfwLoader:
    """Finds GL functions through glfw, which knows whether it made the context with GLX, EGL, WGL or NSGL."""

    def __init__(self, glfw: Any, handle: Any) -> None:
        self._glfw, self._handle = glfw, handle

    def load_opengl_function(self, name: str) -> int:
        return self._glfw.get_proc_address(name) or 0

    # moderngl's name for the same
    load = load_opengl_function

    def release(self) -> None:
        """The window owns the context; it goes with it."""

    def __enter__(self) -> None:
        self._glfw.make_context_current(self._handle)

    def __exit__(self, *exception: object) -> None:
        self._glfw.make_context_current(None)


@contextlib.contextmanager
def quiet_glfw() -> Iterator[Any]:
    """glfw with its complaints kept for our own messages, and written to the log instead of stderr."""
    try:
        glfw = _import_glfw()
    except ImportError as error:
        raise GraphicsError(
            f"glfw cannot be loaded ({error}); reinstall it with `pip install --force-reinstall glfw`"
        ) from None
    glfw.set_error_callback(_on_error)
    _complaints.clear()
    yield glfw


def start(glfw: Any) -> bool:
    """Initialise glfw; False if there is no display to open a window on, see `no_display`. What libraries print meanwhile (libdecor
    without its plug-ins) goes nowhere.
    """
    if not display_named():
        return False
    if b"Wayland" in glfw.get_version_string() and lacks_seat():
        _complaints.append("the Wayland compositor has no keyboard, mouse or touch; connect a keyboard or a mouse")
        return False
    with redirect_stderr():
        return bool(glfw.init())


def places_windows(glfw: Any) -> bool:
    """Whether a program may say where its windows are; under Wayland the desktop alone does, but for fullscreen ones. glfw: started."""
    return b"Wayland" not in glfw.get_version_string() or glfw.get_platform() != glfw.PLATFORM_WAYLAND


def _import_glfw() -> Any:
    """The glfw package, in the variant (X11 or Wayland) that fits the display there is.

    On Linux it chooses once, when imported, by XDG_SESSION_TYPE alone, which says nothing over ssh or in a container.
    """
    chosen, named = "PYGLFW_LIBRARY_VARIANT", os.environ
    if (
        sys.platform.startswith("linux")
        and chosen not in named
        and bool(named.get("DISPLAY")) != bool(named.get("WAYLAND_DISPLAY"))
    ):
        named[chosen] = "x11" if named.get("DISPLAY") else "wayland"
        try:
            import glfw
        finally:
            del named[chosen]
    else:
        import glfw
    return glfw


def _on_error(code: int, words: str | bytes) -> None:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    if len(_complaints) < MOST_COMPLAINTS:
        _complaints.append(text)
    # under Wayland much is refused by design (positions, icons); each is survived
    log.debug("glfw error %#x: %s", code, text)


def set_hints(glfw: Any, *, decorated: bool = True) -> None:
    """What every window of ours is like. decorated: with the desktop's frame around it."""
    glfw.default_window_hints()
    for name in (glfw.X11_CLASS_NAME, glfw.X11_INSTANCE_NAME, glfw.WAYLAND_APP_ID):
        glfw.window_hint_string(name, "visualizer")  # what the desktop files the window under
    glfw.window_hint(glfw.CONTEXT_VERSION_MAJOR, 3)
    glfw.window_hint(glfw.CONTEXT_VERSION_MINOR, 3)
    glfw.window_hint(glfw.OPENGL_PROFILE, glfw.OPENGL_CORE_PROFILE)
    glfw.window_hint(glfw.OPENGL_FORWARD_COMPAT, True)  # macOS gives 3.3 only so
    # the picture is one opaque triangle: buffers it does not use only cost time
    for unused in (glfw.DEPTH_BITS, glfw.STENCIL_BITS, glfw.SAMPLES, glfw.ALPHA_BITS):
        glfw.window_hint(unused, 0)
    glfw.window_hint(glfw.SRGB_CAPABLE, False)  # the frames are sRGB-coded already
    # after a reset of the card the context is lost, and says so, instead of drawing on into nothing
    glfw.window_hint(glfw.CONTEXT_ROBUSTNESS, glfw.LOSE_CONTEXT_ON_RESET)
    glfw.window_hint(glfw.DECORATED, decorated)
    glfw.window_hint(glfw.AUTO_ICONIFY, False)  # a projector must not go dark when another window is clicked


def fullscreen_hints(glfw: Any, mode: Any) -> None:
    """Ask for the monitor's own mode, so that glfw switches none."""
    glfw.window_hint(glfw.RED_BITS, mode.bits.red)
    glfw.window_hint(glfw.GREEN_BITS, mode.bits.green)
    glfw.window_hint(glfw.BLUE_BITS, mode.bits.blue)
    glfw.window_hint(glfw.REFRESH_RATE, mode.refresh_rate or glfw.DONT_CARE)


def display_named() -> bool:
    """False on a Unix without a display to ask for: glfw need not be troubled."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def no_display() -> str:
    """The message when there is no display."""
    reason = f" ({_complaints[0].rstrip('.')})" if _complaints else ""
    return f"no display to open a window on{reason}; use `visualizer export` to make a video instead"


def no_context(glfw: Any) -> str:
    """Why no window came: the driver is too old, or glfw's own words."""
    reason = _complaints[0] if _complaints else "no reason given"
    glfw.default_window_hints()
    glfw.window_hint(glfw.VISIBLE, False)
    if handle := glfw.create_window(16, 16, "", None, None):
        glfw.make_context_current(handle)
        offered = offered_version(GlfwLoader(glfw, handle))
        glfw.destroy_window(handle)
        return needs_newer(offered)
    return f"no window can be opened ({reason}); update the graphics driver, or install Mesa (libgl1-mesa-dri)"
