"""The panel's window: a glfw window that imgui draws in, and the textures shown in it.

imgui's own OpenGL backend draws, so that no other package is needed. Mouse events go to imgui; key events do not: every
key belongs to the show.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import GraphicsError, VisualizerError
from ..render.gl import wrap_context
from ..render.glfw_library import (
    GlfwLoader,
    can_place_windows,
    no_context_message,
    no_display_message,
    quiet_glfw,
    set_window_hints,
    start,
)
from ..render.keyboard import Press, key_press
from ..render.monitors import Area, Monitor, centred, connected_monitors, monitor_under
from .style import BACKGROUND, Fonts, load_fonts

#: size at which it opens at a monitor scale of 1; smallest size
SIZE, MIN_SIZE = (640, 980), (360, 420)
MISSING = "the performer's panel needs imgui-bundle, which is not installed; install it: pip install 'kickdream[panel]'"
_NO_MOUSE = -3.0e38  # position by which imgui knows that the mouse has left the window
_WHEEL_STEPS = 1.4  # imgui's own are short


class PanelWindow:
    """A window with imgui; its OpenGL context is current on the calling thread, the main one of its process.

    place: left, top, width and height on the desktop; None: the middle of a monitor other than that of `avoid` if there
    is one, else beside `avoid`, or where the system puts it. Raises GraphicsError without a display or OpenGL 3.3,
    VisualizerError without imgui-bundle.
    """

    def __init__(self, title: str, *, place: Area | None = None, avoid: Area | None = None) -> None:
        self._keys: list[Press] = []
        self._handle: Any = None
        self._context: Any = None
        self._draws = False
        self._textures: dict[str, Any] = {}
        if sys.platform == "darwin":
            import_imgui()  # it contains a glfw; two copies in one process clash on macOS, so that one is used
        _preload_imgui_glfw()
        with quiet_glfw() as glfw:
            self._glfw = glfw
            if not start(glfw):
                raise GraphicsError(no_display_message())
            try:
                self.imgui: Any = import_imgui()
                self._open(title, place, avoid)
            except BaseException:
                self.close()
                raise

    def _open(self, title: str, place: Area | None, avoid: Area | None) -> None:
        glfw, imgui = self._glfw, self.imgui
        set_window_hints(glfw)
        glfw.window_hint(glfw.VISIBLE, False)
        glfw.window_hint(glfw.SCALE_TO_MONITOR, True)
        place = choose_place(connected_monitors(glfw), place, avoid)
        size = place[2:] if place is not None else SIZE
        self._handle = glfw.create_window(*size, title, None, None)
        if not self._handle:
            raise GraphicsError(no_context_message(glfw))
        if place is not None:
            if can_place_windows(glfw):
                glfw.set_window_pos(self._handle, *place[:2])
            glfw.set_window_size(self._handle, *place[2:])  # SCALE_TO_MONITOR must not scale a given size
        glfw.set_window_size_limits(self._handle, *MIN_SIZE, glfw.DONT_CARE, glfw.DONT_CARE)
        glfw.show_window(self._handle)
        glfw.make_context_current(self._handle)
        self._ctx = wrap_context(GlfwLoader(glfw, self._handle), standalone=False)
        glfw.swap_interval(0)  # it is paced by its own clock, and must not wait for the refresh of a monitor
        self._context = imgui.create_context()
        self._io = imgui.get_io()
        self._io.set_ini_filename(None)  # else it writes a file to the current folder
        if not imgui.backends.opengl3_init("#version 330"):
            raise GraphicsError("the panel cannot be drawn: imgui found no OpenGL 3.3; update the graphics driver")
        self._draws = True
        self.fonts: Fonts = load_fonts(imgui)
        self._register_callbacks()

    def _register_callbacks(self) -> None:
        glfw, io, handle = self._glfw, self._io, self._handle
        glfw.set_cursor_pos_callback(handle, lambda _, x, y: io.add_mouse_pos_event(x, y))
        glfw.set_cursor_enter_callback(handle, lambda _, there: there or io.add_mouse_pos_event(_NO_MOUSE, _NO_MOUSE))
        glfw.set_scroll_callback(handle, lambda _, x, y: io.add_mouse_wheel_event(_WHEEL_STEPS * x, _WHEEL_STEPS * y))
        glfw.set_mouse_button_callback(handle, self._on_button)
        glfw.set_key_callback(handle, self._on_key)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in the desktop's coordinates."""
        width, height = self._glfw.get_window_size(self._handle)
        return max(width, 1), max(height, 1)

    @property
    def place(self) -> Area:
        """Left, top, width and height on the desktop; left and top are 0 under Wayland, which does not report them."""
        return (*self._glfw.get_window_pos(self._handle), *self.size)

    @property
    def scale(self) -> float:
        """Factor for font sizes in the desktop's coordinates: the monitor's scale, or 1 where those are scaled already
        (macOS).
        """
        framebuffer = self._glfw.get_framebuffer_size(self._handle)[0] / self.size[0]
        content = self._glfw.get_window_content_scale(self._handle)[0]
        return float(max(content / framebuffer if framebuffer > 0 else 1.0, 0.5))

    @property
    def is_hidden(self) -> bool:
        """True while it is minimised, so that drawing it is useless."""
        glfw = self._glfw
        return bool(glfw.get_window_attrib(self._handle, glfw.ICONIFIED)) or 0 in glfw.get_framebuffer_size(
            self._handle
        )

    @property
    def should_close(self) -> bool:
        """True once the user has closed it."""
        return bool(self._glfw.window_should_close(self._handle))

    def events(self, wait_s: float = 0.0) -> list[Press]:
        """Process events, waiting at most `wait_s` for one; returns the keys pressed since the last call, oldest
        first.
        """
        if wait_s > 0:
            self._glfw.wait_events_timeout(wait_s)
        else:
            self._glfw.poll_events()
        keys, self._keys = self._keys, []
        return keys

    def begin(self, elapsed_s: float) -> None:
        """Begin a frame: calls to `imgui` until `end` draw in it. elapsed_s: since the frame before."""
        imgui, io = self.imgui, self._io
        width, height = self.size
        pixels = self._glfw.get_framebuffer_size(self._handle)
        io.display_size = imgui.ImVec2(width, height)
        io.display_framebuffer_scale = imgui.ImVec2(pixels[0] / width, pixels[1] / height)
        io.delta_time = max(elapsed_s, 1e-4)
        imgui.backends.opengl3_new_frame()
        imgui.new_frame()

    def end(self) -> None:
        """Draw the frame and show it."""
        imgui = self.imgui
        imgui.render()
        ctx = self._ctx
        ctx.screen.use()
        ctx.viewport = (0, 0, *self._glfw.get_framebuffer_size(self._handle))
        red, green, blue, _ = BACKGROUND
        ctx.clear(red / 255, green / 255, blue / 255, 1.0)
        imgui.backends.opengl3_render_draw_data(imgui.get_draw_data())
        self._glfw.swap_buffers(self._handle)
        ctx.finish()  # so that its time can be measured, and frames do not queue up in the driver

    def put_texture(self, name: str, pixels: np.ndarray) -> None:
        """Upload a texture, in place of the one with this name. pixels: (height, width, 3) uint8 sRGB, top row
        first.
        """
        self.drop_texture(name)
        height, width = pixels.shape[:2]
        texture = self._ctx.texture((width, height), 3, np.ascontiguousarray(pixels).tobytes(), alignment=1)
        texture.build_mipmaps()
        texture.filter = (self._ctx.LINEAR_MIPMAP_NEAREST, self._ctx.LINEAR)
        self._textures[name] = texture

    def drop_texture(self, name: str) -> None:
        """Release a texture, if there is one with this name."""
        if (texture := self._textures.pop(name, None)) is not None:
            texture.release()

    def texture(self, name: str) -> tuple[Any, tuple[int, int]] | None:
        """Return a texture for imgui and its size in px; None if there is none with this name."""
        texture = self._textures.get(name)
        return None if texture is None else (self.imgui.ImTextureRef(texture.glo), texture.size)

    def close(self) -> None:
        """Release everything. May be called twice."""
        if self._context is not None:
            if self._draws:
                self.imgui.backends.opengl3_shutdown()
            self.imgui.destroy_context(self._context)
            self._context = None
        if self._handle:
            self._glfw.destroy_window(self._handle)
            self._handle = None
        self._glfw.terminate()

    def __enter__(self) -> PanelWindow:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _on_button(self, _window: Any, button: int, action: int, _modifiers: int) -> None:
        if 0 <= button < 5:
            self._io.add_mouse_button_event(button, action == self._glfw.PRESS)

    def _on_key(self, _window: Any, key: int, scancode: int, action: int, modifiers: int) -> None:
        if key in (self._glfw.KEY_LEFT_SHIFT, self._glfw.KEY_RIGHT_SHIFT):  # Shift makes sliders move finely
            self._io.add_key_event(self.imgui.Key.mod_shift, action != self._glfw.RELEASE)
        elif action == self._glfw.PRESS and (press := key_press(self._glfw, key, scancode, modifiers)):
            self._keys.append(press)


def _preload_imgui_glfw() -> None:
    """Load the glfw that imgui-bundle is linked with, on Linux.

    It is an X11 build and must be loaded before the one our windows use: otherwise the linker takes that one for it,
    and a Wayland build lacks half of the functions.
    """
    spec = find_spec("imgui_bundle") if sys.platform.startswith("linux") else None
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        with suppress(OSError):  # another build of imgui-bundle does not need it
            ctypes.CDLL(str(Path(folder) / "libglfw.so.3"))


def import_imgui() -> Any:
    """Import imgui from imgui-bundle. Raises VisualizerError if it is not installed or cannot be loaded."""
    try:
        from imgui_bundle import imgui
    except ModuleNotFoundError:
        raise VisualizerError(MISSING) from None
    except (ImportError, OSError) as error:
        raise VisualizerError(f"the performer's panel: imgui-bundle cannot be loaded ({error}); reinstall it") from None
    return imgui


def has_imgui() -> bool:
    """Whether imgui-bundle is installed; does not load it."""
    return find_spec("imgui_bundle") is not None


def choose_place(monitors: Sequence[Monitor], place: Area | None, avoid: Area | None) -> Area | None:
    """Choose where the panel opens.

    Returns `place` if its title bar is visible there, else the middle of a monitor that `avoid` does not lie on, else a
    place beside `avoid`; None if there is no room, so that the system chooses.
    """
    if place is not None:
        left, top, width, height = place
        width, height = max(width, MIN_SIZE[0]), max(height, MIN_SIZE[1])
        for monitor in monitors:
            x, y, wide, high = monitor.area
            # enough of its title bar to drag it
            if min(left + width, x + wide) - max(left, x) >= 80 and y - 40 <= top <= y + high - 40:
                return left, top, width, height
    taken = monitor_under(monitors, avoid) if avoid is not None else None
    for monitor in monitors:
        if taken is not None and monitor != taken:
            return centred(_preferred_size(monitor), monitor.work_area)
    return _beside(taken, avoid) if taken is not None and avoid is not None else None


def _preferred_size(monitor: Monitor) -> tuple[int, int]:
    """Size of a new panel on a monitor, scaled as that is."""
    return round(SIZE[0] * monitor.scale), round(SIZE[1] * monitor.scale)


def _beside(monitor: Monitor, avoid: Area) -> Area | None:
    """A place on the wider side of `avoid` on the same monitor; None if the panel would be too small to use."""
    left, top, wide, high = monitor.work_area
    rooms = ((avoid[0] + avoid[2], left + wide), (left, avoid[0]))
    begin, end = max(rooms, key=lambda room: room[1] - room[0])
    preferred_width, preferred_height = _preferred_size(monitor)
    width, height = min(preferred_width, end - begin), min(preferred_height, high)
    if width < MIN_SIZE[0] or height < MIN_SIZE[1]:
        return None
    return begin, min(max(avoid[1], top), top + high - height), width, height
