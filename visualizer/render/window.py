"""The window: a stage on the screen, with its keys, its fullscreen and its end."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from visualizer.errors import BadInput, GraphicsError

from .gl import gl_finish, leave, needs_newer, offered_version, take_over, wrap_context

if TYPE_CHECKING:
    import moderngl

log = logging.getLogger(__name__)

CURSOR_IDLE_S = 2.0

# Windows that are open: glfw is one for the whole process, and is let go with the last of them.
_open_windows: set[int] = set()
_complaints: list[str] = []


def display_available() -> bool:
    """True if there is a display to open a window on. Whether it can do OpenGL 3.3 only `Window` finds out."""
    if _open_windows:
        return True
    if not _display_named():
        return False
    with _quiet_glfw() as glfw:
        found = bool(glfw.init())
        glfw.terminate()
    return found


class Window:
    """A window to draw on; its context is current on the calling thread, which must be the main one.

    size: (width, height) of the window, in the screen's units; made smaller if the screen is. title: its name. fullscreen:
    begin over the whole (primary) monitor. now: a clock in seconds. GraphicsError if there is no display or no OpenGL 3.3.
    """

    def __init__(
        self,
        size: tuple[int, int],
        title: str,
        *,
        fullscreen: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        if min(size) < 1:
            raise BadInput(f"a window of {size[0]}x{size[1]} cannot be opened; both must be at least 1")
        self._now = now
        self._keys: list[str] = []
        self._handle: Any = None
        self._cursor_shown = True
        self._cursor_moved_s = now()
        self._windowed_place: tuple[int, int, int, int] | None = None
        with _quiet_glfw() as glfw:
            self._glfw = glfw
            if not _display_named() or not glfw.init():
                raise GraphicsError(_no_display())
            take_over(self._let_go)
            try:
                self._open(size, title.encode("utf-8", "replace").decode().replace("\0", " "), fullscreen)
            except BaseException:
                self.close()
                raise

    def _open(self, size: tuple[int, int], title: str, fullscreen: bool) -> None:
        glfw = self._glfw
        monitor = glfw.get_primary_monitor()
        size = _fitted(size, glfw.get_monitor_workarea(monitor)[2:] if monitor else (0, 0))
        _set_hints(glfw)
        if fullscreen and monitor:
            mode = glfw.get_video_mode(monitor)
            self._windowed_place = (*_centred(size, glfw.get_monitor_workarea(monitor)), *size)
            _fullscreen_hints(glfw, mode)
            self._handle = glfw.create_window(mode.size.width, mode.size.height, title, monitor, None)
        else:
            self._handle = glfw.create_window(*size, title, None, None)
        if not self._handle:
            raise GraphicsError(_no_context(glfw))
        _open_windows.add(id(self))
        glfw.make_context_current(self._handle)
        self.ctx: moderngl.Context = wrap_context(_GlfwLoader(glfw, self._handle), standalone=False)
        # one display frame a refresh: no tearing. A driver that does not obey is caught by the loop's own pace
        glfw.swap_interval(1)
        glfw.set_key_callback(self._handle, self._on_key)
        glfw.set_cursor_pos_callback(self._handle, self._on_cursor)
        self._show_cursor(not self.is_fullscreen)
        self.ctx.screen.use()
        # black, not what lay in memory; and without a first picture Mesa never learns that the window was resized
        self.ctx.clear(0.0, 0.0, 0.0, 1.0)
        self.swap()

    @property
    def framebuffer_size(self) -> tuple[int, int]:
        """Width and height to draw, px (on a Retina screen more than the window's); (0, 0) while minimised."""
        width, height = self._glfw.get_framebuffer_size(self._handle)
        return (width, height) if width > 0 and height > 0 else (0, 0)

    @property
    def refresh_hz(self) -> float:
        """Refreshes a second of the monitor the window is on; 60.0 if the driver does not say."""
        monitor = self._monitor()
        mode = self._glfw.get_video_mode(monitor) if monitor else None
        return float(mode.refresh_rate) if mode and mode.refresh_rate > 0 else 60.0

    @property
    def should_close(self) -> bool:
        """True once the user has closed the window."""
        return bool(self._glfw.window_should_close(self._handle))

    @property
    def is_fullscreen(self) -> bool:
        """True while the window covers a whole monitor."""
        return bool(self._glfw.get_window_monitor(self._handle))

    def events(self) -> list[str]:
        """Let the system speak, and return the names of the keys pressed since the last call, oldest first.

        A name is what the key writes, in small letters ("q", "1", "ä"), or "space", "left", "escape", "f11" and so on;
        modifiers held come before it, in this order: "ctrl+alt+shift+super+q". A key held down counts once.
        """
        self._glfw.poll_events()
        if not self.is_fullscreen:
            self._show_cursor(self._now() - self._cursor_moved_s < CURSOR_IDLE_S)
        pressed, self._keys = self._keys, []
        return pressed

    def toggle_fullscreen(self) -> None:
        """Cover the monitor that most of the window is on, or go back to exactly where the window was."""
        glfw = self._glfw
        if self.is_fullscreen:
            x, y, width, height = self._windowed_place or (0, 0, 1280, 720)
            glfw.set_window_monitor(self._handle, None, x, y, width, height, 0)
            self._cursor_moved_s = self._now()
        else:
            monitor = self._monitor()
            if not monitor:
                log.warning("fullscreen: no monitor is connected")
                return
            self._windowed_place = (*self._position(), *glfw.get_window_size(self._handle))
            mode = glfw.get_video_mode(monitor)
            # the monitor's own mode: nothing flickers, and other windows keep their places
            glfw.set_window_monitor(
                self._handle, monitor, 0, 0, mode.size.width, mode.size.height, mode.refresh_rate or glfw.DONT_CARE
            )
        self._show_cursor(not self.is_fullscreen)
        glfw.swap_interval(1)  # some drivers forget it with the change

    def make_current(self) -> None:
        """Make this the stage that is drawn on, when another was used on this thread since."""
        take_over(self._let_go)
        self._glfw.make_context_current(self._handle)
        self.ctx.screen.use()

    def swap(self) -> None:
        """Show what was drawn, and wait until it is: the driver must not queue pictures, they would come late."""
        self._glfw.swap_buffers(self._handle)
        gl_finish(self.ctx)

    def close(self) -> None:
        """Give everything back; may be called twice."""
        glfw = self._glfw
        leave(self._let_go)
        if self._handle:
            # the textures and programs go with their context
            glfw.destroy_window(self._handle)
            self._handle = None
        _open_windows.discard(id(self))
        if not _open_windows:
            glfw.terminate()

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _let_go(self) -> None:
        if self._handle:
            self._glfw.make_context_current(None)

    def _on_key(self, _window: Any, key: int, scancode: int, action: int, modifiers: int) -> None:
        if action == self._glfw.PRESS and (name := key_name(self._glfw, key, scancode)):
            self._keys.append(_with_modifiers(self._glfw, name, modifiers))

    def _on_cursor(self, _window: Any, _x: float, _y: float) -> None:
        self._cursor_moved_s = self._now()

    def _show_cursor(self, shown: bool) -> None:
        if shown != self._cursor_shown:
            self._cursor_shown = shown
            mode = self._glfw.CURSOR_NORMAL if shown else self._glfw.CURSOR_HIDDEN
            self._glfw.set_input_mode(self._handle, self._glfw.CURSOR, mode)

    def _position(self) -> tuple[int, int]:
        """The window's corner on the desktop; (0, 0) under Wayland, which does not tell."""
        x, y = self._glfw.get_window_pos(self._handle)
        return x, y

    def _monitor(self) -> Any:
        """The monitor with the most of the window on it; None if there is none."""
        glfw = self._glfw
        if own := glfw.get_window_monitor(self._handle):
            return own
        x, y = self._position()
        width, height = glfw.get_window_size(self._handle)
        best, best_px = glfw.get_primary_monitor(), 0
        for monitor in glfw.get_monitors():
            left, top = glfw.get_monitor_pos(monitor)
            mode = glfw.get_video_mode(monitor)
            across = min(x + width, left + mode.size.width) - max(x, left)
            down = min(y + height, top + mode.size.height) - max(y, top)
            if across > 0 and down > 0 and across * down > best_px:
                best, best_px = monitor, across * down
        return best


class _GlfwLoader:
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
def _quiet_glfw() -> Iterator[Any]:
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
    _complaints.append(text)
    # under Wayland much is refused by design (positions, icons); each is survived
    log.debug("glfw error %#x: %s", code, text)


def _set_hints(glfw: Any) -> None:
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
    glfw.window_hint(glfw.AUTO_ICONIFY, False)  # a projector must not go dark when another window is clicked


def _fullscreen_hints(glfw: Any, mode: Any) -> None:
    """Ask for the monitor's own mode, so that glfw switches none."""
    glfw.window_hint(glfw.RED_BITS, mode.bits.red)
    glfw.window_hint(glfw.GREEN_BITS, mode.bits.green)
    glfw.window_hint(glfw.BLUE_BITS, mode.bits.blue)
    glfw.window_hint(glfw.REFRESH_RATE, mode.refresh_rate or glfw.DONT_CARE)


def _display_named() -> bool:
    """False on a Unix without a display to ask for: glfw need not be troubled."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _no_display() -> str:
    reason = f" ({_complaints[0].rstrip('.')})" if _complaints else ""
    return f"no display to open a window on{reason}; use `visualizer export` to make a video instead"


def _no_context(glfw: Any) -> str:
    """Why no window came: the driver is too old, or glfw's own words."""
    reason = _complaints[0] if _complaints else "no reason given"
    glfw.default_window_hints()
    glfw.window_hint(glfw.VISIBLE, False)
    if handle := glfw.create_window(16, 16, "", None, None):
        glfw.make_context_current(handle)
        offered = offered_version(_GlfwLoader(glfw, handle))
        glfw.destroy_window(handle)
        return needs_newer(offered)
    return f"no window can be opened ({reason}); update the graphics driver, or install Mesa (libgl1-mesa-dri)"


def _fitted(size: tuple[int, int], room: tuple[int, int]) -> tuple[int, int]:
    """A window's size made to fit the room there is, its shape kept. room: (0, 0) if not known."""
    if min(room) < 1:
        return size
    factor = min(1.0, room[0] / size[0], room[1] / size[1])
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def _centred(size: tuple[int, int], area: tuple[int, int, int, int]) -> tuple[int, int]:
    return area[0] + (area[2] - size[0]) // 2, area[1] + (area[3] - size[1]) // 2


def key_name(glfw: Any, key: int, scancode: int) -> str:
    """What a key is called: what it writes on this keyboard, or the name of its place; "" for modifiers and unknown ones."""
    if key == glfw.KEY_SPACE:
        return "space"
    written = glfw.get_key_name(key, scancode)
    if isinstance(written, bytes):
        written = written.decode("utf-8", "replace")
    if written and (written.isascii() or key == glfw.KEY_UNKNOWN):
        return written.lower()
    # a Cyrillic or Greek keyboard writes no "q": then the place of the key counts
    return _places(glfw).get(key, (written or "").lower())


def _places(glfw: Any) -> dict[int, str]:
    """Key codes to the names of keys on an American keyboard, without the modifiers."""
    silent = ("SHIFT", "CONTROL", "ALT", "SUPER", "UNKNOWN", "LAST", "LOCK")
    names = {}
    for constant in dir(glfw):
        if constant.startswith("KEY_") and not any(word in constant for word in silent):
            names[getattr(glfw, constant)] = constant.removeprefix("KEY_").lower().replace("_", "")
    return names


def _with_modifiers(glfw: Any, name: str, modifiers: int) -> str:
    held = (("ctrl", glfw.MOD_CONTROL), ("alt", glfw.MOD_ALT), ("shift", glfw.MOD_SHIFT), ("super", glfw.MOD_SUPER))
    return "+".join([word for word, bit in held if modifiers & bit] + [name])
