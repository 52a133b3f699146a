"""Load glfw in the right variant (X11 or Wayland), collect its error messages, and set the hints of a window."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from typing import Any

from ..errors import GraphicsError
from ..processes import redirect_stderr
from .gl import needs_newer, offered_version
from .wayland import lacks_seat

log = logging.getLogger(__name__)

MAX_ERRORS = 20  # of many hours only the first ones are useful

_errors: list[str] = []


class GlfwLoader:
    """Finds OpenGL functions through glfw, which knows whether the context was made with GLX, EGL, WGL or NSGL."""

    def __init__(self, glfw: Any, handle: Any) -> None:
        self._glfw, self._handle = glfw, handle

    def load_opengl_function(self, name: str) -> int:
        return self._glfw.get_proc_address(name) or 0

    # the name that moderngl uses
    load = load_opengl_function

    def release(self) -> None:
        """Nothing to release: the window owns the context."""

    def __enter__(self) -> None:
        self._glfw.make_context_current(self._handle)

    def __exit__(self, *exception: object) -> None:
        self._glfw.make_context_current(None)


@contextlib.contextmanager
def quiet_glfw() -> Iterator[Any]:
    """Import glfw; its errors are collected for our own messages and written to the log instead of stderr."""
    try:
        glfw = _import_glfw()
    except ImportError as error:
        raise GraphicsError(
            f"glfw cannot be loaded ({error}); reinstall it with `pip install --force-reinstall glfw`"
        ) from None
    glfw.set_error_callback(_on_error)
    _errors.clear()
    yield glfw


def start(glfw: Any) -> bool:
    """Initialise glfw; False without a display to open a window on, see `no_display_message`.

    What libraries print meanwhile (libdecor without its plug-ins) is discarded.
    """
    if not display_named():
        return False
    if b"Wayland" in glfw.get_version_string() and lacks_seat():
        _errors.append("the Wayland compositor has no keyboard, mouse or touch; connect a keyboard or a mouse")
        return False
    with redirect_stderr():
        return bool(glfw.init())


def can_place_windows(glfw: Any) -> bool:
    """Whether a program can place its windows; under Wayland only fullscreen ones. glfw: initialised."""
    return b"Wayland" not in glfw.get_version_string() or glfw.get_platform() != glfw.PLATFORM_WAYLAND


def _import_glfw() -> Any:
    """Import glfw in the variant (X11 or Wayland) of the display.

    On Linux glfw chooses when it is imported, by XDG_SESSION_TYPE alone, which is not set over ssh or in a container.
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


def _on_error(code: int, message: str | bytes) -> None:
    text = message.decode("utf-8", "replace") if isinstance(message, bytes) else message
    if len(_errors) < MAX_ERRORS:
        _errors.append(text)
    # debug only: Wayland refuses much by design (positions, icons)
    log.debug("glfw error %#x: %s", code, text)


def set_window_hints(glfw: Any, *, decorated: bool = True) -> None:
    """Set the hints for every window. decorated: with the desktop's frame around it."""
    glfw.default_window_hints()
    for name in (glfw.X11_CLASS_NAME, glfw.X11_INSTANCE_NAME, glfw.WAYLAND_APP_ID):
        glfw.window_hint_string(name, "visualizer")  # by which the desktop groups windows
    glfw.window_hint(glfw.CONTEXT_VERSION_MAJOR, 3)
    glfw.window_hint(glfw.CONTEXT_VERSION_MINOR, 3)
    glfw.window_hint(glfw.OPENGL_PROFILE, glfw.OPENGL_CORE_PROFILE)
    glfw.window_hint(glfw.OPENGL_FORWARD_COMPAT, True)  # macOS offers 3.3 only with it
    # the picture is one opaque triangle: unused buffers only cost time
    for unused in (glfw.DEPTH_BITS, glfw.STENCIL_BITS, glfw.SAMPLES, glfw.ALPHA_BITS):
        glfw.window_hint(unused, 0)
    glfw.window_hint(glfw.SRGB_CAPABLE, False)  # the frames are sRGB-encoded already
    # after a reset of the graphics card the context reports that it is lost, instead of ignoring draws
    glfw.window_hint(glfw.CONTEXT_ROBUSTNESS, glfw.LOSE_CONTEXT_ON_RESET)
    glfw.window_hint(glfw.DECORATED, decorated)
    glfw.window_hint(glfw.AUTO_ICONIFY, False)  # a fullscreen window must not minimise when another window is clicked


def set_fullscreen_hints(glfw: Any, mode: Any) -> None:
    """Ask for the monitor's current video mode, so that glfw does not switch it."""
    glfw.window_hint(glfw.RED_BITS, mode.bits.red)
    glfw.window_hint(glfw.GREEN_BITS, mode.bits.green)
    glfw.window_hint(glfw.BLUE_BITS, mode.bits.blue)
    glfw.window_hint(glfw.REFRESH_RATE, mode.refresh_rate or glfw.DONT_CARE)


def display_named() -> bool:
    """False on a Unix where no display is named in the environment: glfw is not tried then."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def no_display_message() -> str:
    """The error message without a display."""
    reason = f" ({_errors[0].rstrip('.')})" if _errors else ""
    return f"no display to open a window on{reason}; use `visualizer export` to make a video instead"


def no_context_message(glfw: Any) -> str:
    """The error message when no window can be opened: the driver is too old, or glfw's reason."""
    reason = _errors[0] if _errors else "no reason given"
    glfw.default_window_hints()
    glfw.window_hint(glfw.VISIBLE, False)
    if handle := glfw.create_window(16, 16, "", None, None):
        glfw.make_context_current(handle)
        offered = offered_version(GlfwLoader(glfw, handle))
        glfw.destroy_window(handle)
        return needs_newer(offered)
    return f"no window can be opened ({reason}); update the graphics driver, or install Mesa (libgl1-mesa-dri)"
