"""The performer's window: one of glfw's with imgui on it, and pictures that can be shown in it.

imgui's own OpenGL backend draws it; it needs no other package. What the mouse does is handed to imgui, what the keyboard
does is not: every key is the show's.
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

from visualizer.errors import GraphicsError, VisualizerError

from ..render.gl import wrap_context
from ..render.glfw_library import GlfwLoader, no_context, no_display, places_windows, quiet_glfw, set_hints, start
from ..render.keyboard import Press, pressed
from ..render.monitors import Area, Monitor, centred, connected, under
from .style import BACKGROUND, Fonts, load_fonts

#: at which it opens, in units of text; the least it can be made
SIZE, LEAST_SIZE = (640, 980), (360, 420)
MISSING = "the performer's panel needs imgui-bundle, which is not here; install it: pip install 'kickdream[panel]'"
_FAR_AWAY = -3.0e38  # where imgui looks for a mouse that is not there
_WHEEL = 1.4  # imgui's wheel steps are short


class PanelWindow:
    """A window with imgui; its context is current on the calling thread, the main one of its process.

    place: left, top, width and height on the desktop; None: the middle of a monitor other than the one `avoid` lies on, if
    there is one, else beside it, or where the system puts it. GraphicsError if there is no display or no OpenGL 3.3, VisualizerError
    without imgui-bundle.
    """

    def __init__(self, title: str, *, place: Area | None = None, avoid: Area | None = None) -> None:
        self._keys: list[Press] = []
        self._handle: Any = None
        self._context: Any = None
        self._draws = False
        self._pictures: dict[str, Any] = {}
        if sys.platform == "darwin":
            import_imgui()  # it brings a glfw of its own; two in one process clash there, so that one is taken
        _load_imguis_glfw()
        with quiet_glfw() as glfw:
            self._glfw = glfw
            if not start(glfw):
                raise GraphicsError(no_display())
            try:
                self.imgui: Any = import_imgui()
                self._open(title, place, avoid)
            except BaseException:
                self.close()
                raise

    def _open(self, title: str, place: Area | None, avoid: Area | None) -> None:
        glfw, imgui = self._glfw, self.imgui
        set_hints(glfw)
        glfw.window_hint(glfw.VISIBLE, False)
        glfw.window_hint(glfw.SCALE_TO_MONITOR, True)
        place = chosen_place(connected(glfw), place, avoid)
        size = place[2:] if place is not None else SIZE
        self._handle = glfw.create_window(*size, title, None, None)
        if not self._handle:
            raise GraphicsError(no_context(glfw))
        if place is not None:
            if places_windows(glfw):
                glfw.set_window_pos(self._handle, *place[:2])
            glfw.set_window_size(self._handle, *place[2:])  # as it was: not scaled once more
        glfw.set_window_size_limits(self._handle, *LEAST_SIZE, glfw.DONT_CARE, glfw.DONT_CARE)
        glfw.show_window(self._handle)
        glfw.make_context_current(self._handle)
        self._ctx = wrap_context(GlfwLoader(glfw, self._handle), standalone=False)
        glfw.swap_interval(
            0
        )  # it is paced by its own clock, and must not wait for a screen that is not the projection's
        self._context = imgui.create_context()
        self._io = imgui.get_io()
        self._io.set_ini_filename(None)  # it would keep a file in whatever folder the show was begun in
        if not imgui.backends.opengl3_init("#version 330"):
            raise GraphicsError("the panel cannot be drawn: imgui found no OpenGL 3.3; update the graphics driver")
        self._draws = True
        self.fonts: Fonts = load_fonts(imgui)
        self._listen()

    def _listen(self) -> None:
        glfw, io, handle = self._glfw, self._io, self._handle
        glfw.set_cursor_pos_callback(handle, lambda _, x, y: io.add_mouse_pos_event(x, y))
        glfw.set_cursor_enter_callback(handle, lambda _, there: there or io.add_mouse_pos_event(_FAR_AWAY, _FAR_AWAY))
        glfw.set_scroll_callback(handle, lambda _, x, y: io.add_mouse_wheel_event(_WHEEL * x, _WHEEL * y))
        glfw.set_mouse_button_callback(handle, self._on_button)
        glfw.set_key_callback(handle, self._on_key)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, in the desktop's units."""
        width, height = self._glfw.get_window_size(self._handle)
        return max(width, 1), max(height, 1)

    @property
    def place(self) -> Area:
        """Where it is on the desktop; at (0, 0) under Wayland, which does not tell."""
        return (*self._glfw.get_window_pos(self._handle), *self.size)

    @property
    def scale(self) -> float:
        """How much larger than usual letters must be, in the desktop's units: 1 where those are scaled already (macOS)."""
        framebuffer = self._glfw.get_framebuffer_size(self._handle)[0] / self.size[0]
        content = self._glfw.get_window_content_scale(self._handle)[0]
        return float(max(content / framebuffer if framebuffer > 0 else 1.0, 0.5))

    @property
    def is_hidden(self) -> bool:
        """True while it is minimised: nobody sees what is drawn."""
        glfw = self._glfw
        return bool(glfw.get_window_attrib(self._handle, glfw.ICONIFIED)) or 0 in glfw.get_framebuffer_size(
            self._handle
        )

    @property
    def should_close(self) -> bool:
        """True once the user has closed it."""
        return bool(self._glfw.window_should_close(self._handle))

    def events(self, wait_s: float = 0.0) -> list[Press]:
        """Let the system speak, waiting for it at most `wait_s`; the keys pressed since the last call, oldest first."""
        if wait_s > 0:
            self._glfw.wait_events_timeout(wait_s)
        else:
            self._glfw.poll_events()
        keys, self._keys = self._keys, []
        return keys

    def begin(self, elapsed_s: float) -> None:
        """Begin a picture; what is asked of `imgui` until `end` is drawn. elapsed_s: since the one before."""
        imgui, io = self.imgui, self._io
        width, height = self.size
        pixels = self._glfw.get_framebuffer_size(self._handle)
        io.display_size = imgui.ImVec2(width, height)
        io.display_framebuffer_scale = imgui.ImVec2(pixels[0] / width, pixels[1] / height)
        io.delta_time = max(elapsed_s, 1e-4)
        imgui.backends.opengl3_new_frame()
        imgui.new_frame()

    def end(self) -> None:
        """Draw it and show it."""
        imgui = self.imgui
        imgui.render()
        ctx = self._ctx
        ctx.screen.use()
        ctx.viewport = (0, 0, *self._glfw.get_framebuffer_size(self._handle))
        red, green, blue, _ = BACKGROUND
        ctx.clear(red / 255, green / 255, blue / 255, 1.0)
        imgui.backends.opengl3_render_draw_data(imgui.get_draw_data())
        self._glfw.swap_buffers(self._handle)
        ctx.finish()  # what it takes is known then, and nothing queues up

    def put_picture(self, name: str, pixels: np.ndarray) -> None:
        """Keep a picture to be shown, in place of the one of that name. pixels: (height, width, 3) uint8 sRGB, top row first."""
        self.drop_picture(name)
        height, width = pixels.shape[:2]
        texture = self._ctx.texture((width, height), 3, np.ascontiguousarray(pixels).tobytes(), alignment=1)
        texture.build_mipmaps()
        texture.filter = (self._ctx.LINEAR_MIPMAP_NEAREST, self._ctx.LINEAR)
        self._pictures[name] = texture

    def drop_picture(self, name: str) -> None:
        """Let a picture go, if there is one of that name."""
        if (texture := self._pictures.pop(name, None)) is not None:
            texture.release()

    def picture(self, name: str) -> tuple[Any, tuple[int, int]] | None:
        """A picture for imgui and its size in px; None if there is none of that name."""
        texture = self._pictures.get(name)
        return None if texture is None else (self.imgui.ImTextureRef(texture.glo), texture.size)

    def close(self) -> None:
        """Give everything back; may be called twice."""
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
        if key in (self._glfw.KEY_LEFT_SHIFT, self._glfw.KEY_RIGHT_SHIFT):  # held, it turns a slider finely
            self._io.add_key_event(self.imgui.Key.mod_shift, action != self._glfw.RELEASE)
        elif action == self._glfw.PRESS and (press := pressed(self._glfw, key, scancode, modifiers)):
            self._keys.append(press)


def _load_imguis_glfw() -> None:
    """On Linux imgui-bundle is linked with an X11 glfw of its own, which must be loaded before the one that our windows are opened with:
    else the linker takes that for it, and one for Wayland lacks half of what is looked for.
    """
    spec = find_spec("imgui_bundle") if sys.platform.startswith("linux") else None
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        with suppress(OSError):  # another build of it needs none
            ctypes.CDLL(str(Path(folder) / "libglfw.so.3"))


def import_imgui() -> Any:
    """The imgui of imgui-bundle. Raises VisualizerError if it is not installed, or cannot be loaded."""
    try:
        from imgui_bundle import imgui
    except ModuleNotFoundError:
        raise VisualizerError(MISSING) from None
    except (ImportError, OSError) as error:
        raise VisualizerError(f"the performer's panel: imgui-bundle cannot be loaded ({error}); reinstall it") from None
    return imgui


def has_imgui() -> bool:
    """Whether imgui-bundle is installed, without loading it."""
    return find_spec("imgui_bundle") is not None


def chosen_place(monitors: Sequence[Monitor], place: Area | None, avoid: Area | None) -> Area | None:
    """Where the panel goes: `place` if some of it can be seen there, else the middle of a monitor that `avoid` does not lie on, else
    beside that. None: there is no room, the system chooses.
    """
    if place is not None:
        left, top, width, height = place
        width, height = max(width, LEAST_SIZE[0]), max(height, LEAST_SIZE[1])
        for monitor in monitors:
            x, y, wide, high = monitor.area
            # enough of its upper edge to take hold of
            if min(left + width, x + wide) - max(left, x) >= 80 and y - 40 <= top <= y + high - 40:
                return left, top, width, height
    taken = under(monitors, avoid) if avoid is not None else None
    for monitor in monitors:
        if taken is not None and monitor != taken:
            return centred(_wished_size(monitor), monitor.work_area)
    return _beside(taken, avoid) if taken is not None and avoid is not None else None


def _wished_size(monitor: Monitor) -> tuple[int, int]:
    """As large as it likes to be on a monitor."""
    return round(SIZE[0] * monitor.scale), round(SIZE[1] * monitor.scale)


def _beside(monitor: Monitor, avoid: Area) -> Area | None:
    """A place on the wider side of `avoid` on the same monitor; None where the panel would be too small to be used."""
    left, top, wide, high = monitor.work_area
    rooms = ((avoid[0] + avoid[2], left + wide), (left, avoid[0]))
    begin, end = max(rooms, key=lambda room: room[1] - room[0])
    wished_width, wished_height = _wished_size(monitor)
    width, height = min(wished_width, end - begin), min(wished_height, high)
    if width < LEAST_SIZE[0] or height < LEAST_SIZE[1]:
        return None
    return begin, min(max(avoid[1], top), top + high - height), width, height
