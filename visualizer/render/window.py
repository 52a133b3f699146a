"""The window of a show: keys, monitors, fullscreen and closing."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..errors import BadInput, GraphicsError
from .gl import gl_finish, leave, read_rgb, take_over, was_reset, wrap_context
from .glfw_library import (
    GlfwLoader,
    can_place_windows,
    display_named,
    no_context_message,
    no_display_message,
    quiet_glfw,
    set_fullscreen_hints,
    set_window_hints,
    start,
)
from .keyboard import Press, key_press
from .monitors import (
    Area,
    HomeMonitor,
    Monitor,
    WindowPlace,
    centred,
    connected_monitors,
    find_monitor,
    is_visible,
    monitor_after,
    monitor_under,
    primary_monitor,
)

if TYPE_CHECKING:
    import moderngl

log = logging.getLogger(__name__)

CURSOR_IDLE_S = 2.0
SIZE_POLL_S = 0.25  # how often the size is polled, besides the events that report it
PLACE_POLL_S = 1.0  # how often the place is polled

# Ids of the open windows: glfw is initialised once per process, and terminated with the last of them.
_open_windows: set[int] = set()


def display_available() -> bool:
    """True if there is a display to open a window on. Whether it offers OpenGL 3.3 is known only after opening a
    `Window`.
    """
    if _open_windows:
        return True
    if not display_named():
        return False
    with quiet_glfw() as glfw:
        found = start(glfw)
        glfw.terminate()
    return found


class Window:
    """A window to draw in; its OpenGL context is current on the calling thread, which must be the main one.

    Parameters
    ----------
    size : (width, height) in the desktop's coordinates; reduced to fit the monitor.
    title : in its title bar.
    fullscreen : open it fullscreen.
    monitor : index or name of the monitor to open on; None: the primary one.
    borderless : no frame around the window; fullscreen is then a window of the monitor's size, which other windows can
    cover. Under
        Wayland fullscreen is always the desktop's own.
    place : left, top, width, height while it is not fullscreen; ignored where it would not be visible. With a place, a
    missing
        monitor is no error.
    shown : False for a window that is shown first by `appear`.
    now : clock, seconds.

    Raises GraphicsError without a display or OpenGL 3.3, BadInput for an unknown monitor.
    """

    def __init__(
        self,
        size: tuple[int, int],
        title: str,
        *,
        fullscreen: bool = False,
        monitor: str | int | None = None,
        borderless: bool = False,
        place: Area | None = None,
        shown: bool = True,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        if min(size) < 1:
            raise BadInput(f"a window of {size[0]}x{size[1]} cannot be opened; both must be at least 1")
        self._now = now
        self._keys: list[Press] = []
        self._dropped: list[Path] = []
        self._handle: Any = None
        self._cursor_shown = True
        self._cursor_moved_s = self._place_polled_s = now()
        self._size, self._title, self._borderless = size, title, borderless
        self._appears_fullscreen = False  # when `appear` is called
        self._covers: Monitor | None = (
            None  # the monitor covered by a borderless window, which glfw does not count as fullscreen
        )
        self._windowed_place: Area = (0, 0, *size)
        self._monitors: list[Monitor] = []
        self._monitors_changed = False
        self._home = HomeMonitor()
        self._framebuffer: tuple[int, int] | None = None  # None: unknown, to be polled
        self._size_polled_s = now()
        self._news: deque[str] = deque()
        with quiet_glfw() as glfw:
            self._glfw = glfw
            if not start(glfw):
                raise GraphicsError(no_display_message())
            self._is_placed = can_place_windows(glfw)
            take_over(self._detach_context)
            try:
                self._open(place, fullscreen, monitor, shown)
            except BaseException:
                self.close()
                raise

    def set_title(self, title: str) -> None:
        """Change the title."""
        self._title = title
        self._glfw.set_window_title(self._handle, _valid_title(title))

    def _open(self, place: Area | None, fullscreen: bool, wanted: str | int | None, shown: bool) -> None:
        glfw = self._glfw
        title = _valid_title(self._title)
        self._monitors = connected_monitors(glfw)
        target = self._target(wanted, must=place is None)
        set_window_hints(glfw, decorated=not self._borderless)
        if target is not None:
            self._windowed_place = centred(self._size, target.work_area)
        if place is not None and is_visible(self._monitors, place):
            self._windowed_place = place
        size = self._windowed_place[2:]
        placed = (wanted is not None and target is not None) or place is not None
        if target is not None and fullscreen and shown and not self._borderless:
            set_fullscreen_hints(glfw, glfw.get_video_mode(target.handle))
            self._handle = glfw.create_window(*target.area[2:], title, target.handle, None)
        else:
            # hidden until it is moved, so that it does not appear in another place first
            glfw.window_hint(glfw.VISIBLE, shown and not placed)
            self._handle = glfw.create_window(*size, title, None, None)
        if not self._handle:
            raise GraphicsError(no_context_message(glfw))
        _open_windows.add(id(self))
        self._appears_fullscreen = fullscreen and not shown
        if not self._is_glfw_fullscreen:
            if wanted is not None and not fullscreen and not self._is_placed:
                self._news.append(
                    "the desktop chooses where a window opens; a fullscreen window opens on the monitor named"
                )
            if placed and self._is_placed:
                glfw.set_window_pos(self._handle, *self._windowed_place[:2])
            if placed and shown:
                glfw.show_window(self._handle)
            if fullscreen and shown and target is not None:
                self._cover(target)
        self._home.record(target, self._windowed_place, fullscreen=fullscreen)
        self._home.update(self._monitors)
        glfw.make_context_current(self._handle)
        self.ctx: moderngl.Context = wrap_context(GlfwLoader(glfw, self._handle), standalone=False)
        # one display frame per refresh, without tearing; the show paces itself where a driver ignores this
        glfw.swap_interval(1)
        glfw.set_key_callback(self._handle, self._on_key)
        glfw.set_drop_callback(self._handle, self._on_drop)
        glfw.set_framebuffer_size_callback(self._handle, self._on_size)
        glfw.set_cursor_pos_callback(self._handle, self._on_cursor)
        glfw.set_monitor_callback(self._on_monitor)
        self._show_cursor(not (self.is_fullscreen or self._appears_fullscreen))
        self.ctx.screen.use()
        # black instead of random memory; and without a first frame Mesa never notices that the window was resized
        self.ctx.clear(0.0, 0.0, 0.0, 1.0)
        if shown:  # under Wayland a swap blocks until the window is visible
            self.swap()

    def _target(self, wanted: str | int | None, *, must: bool) -> Monitor | None:
        """The monitor to open on. must: raise BadInput if it does not exist, instead of taking the primary one."""
        if wanted is not None:
            try:
                return find_monitor(self._monitors, wanted)
            except BadInput as fault:
                if must:
                    raise
                log.warning("%s; the primary monitor is used", fault)
        return primary_monitor(self._monitors)

    @property
    def framebuffer_size(self) -> tuple[int, int]:
        """Width and height to draw, px (larger than the window on a Retina display); (0, 0) while minimised."""
        if self._framebuffer is None:
            # a round trip to the X server, which may be slow: not in every display frame
            width, height = self._glfw.get_framebuffer_size(self._handle)
            self._framebuffer = (width, height) if width > 0 and height > 0 else (0, 0)
        return self._framebuffer

    @property
    def refresh_hz(self) -> float:
        """Refresh rate of the monitor the window is on, Hz; 60.0 if the driver does not report it."""
        monitor = self.monitor
        return monitor.refresh_hz if monitor is not None and monitor.refresh_hz > 0 else 60.0

    @property
    def should_close(self) -> bool:
        """True once the user has closed the window."""
        return bool(self._glfw.window_should_close(self._handle))

    @property
    def is_lost(self) -> bool:
        """Whether the graphics card was reset, so that nothing can be drawn in this window any more, see
        `successor`.
        """
        return was_reset(self.ctx)

    @property
    def window_place(self) -> WindowPlace:
        """Where it is, so that another window can be opened there."""
        monitor = self.monitor
        place = self._windowed_place if self.is_fullscreen else self._place()
        return WindowPlace(place, self.is_fullscreen, None if monitor is None else monitor.name)

    def successor(self) -> Self:
        """Open a window in the same place with its own context, not shown yet; both exist until this one is closed."""
        place, fullscreen, monitor = self.window_place
        return type(self)(
            self._size,
            self._title,
            fullscreen=fullscreen,
            monitor=monitor,
            borderless=self._borderless,
            place=place,
            shown=False,
            now=self._now,
        )

    def appear(self) -> None:
        """Show a window that was opened with shown=False. Draw before and swap right after: until then its content is
        undefined.
        """
        self._glfw.show_window(self._handle)
        if self._appears_fullscreen and (monitor := self.monitor) is not None:
            self._cover(monitor)
        self._appears_fullscreen = False

    @property
    def is_fullscreen(self) -> bool:
        """True while the window covers a whole monitor."""
        return self._covers is not None or self._is_glfw_fullscreen

    @property
    def monitor(self) -> Monitor | None:
        """The monitor with the largest part of the window on it; None without a monitor."""
        if self._covers is not None:
            return self._covers
        if own := self._glfw.get_window_monitor(self._handle):
            position = tuple(self._glfw.get_monitor_pos(own))
            for monitor in self._monitors:
                if monitor.area[:2] == position:
                    return monitor
        if not self._is_placed and (home := self._home.monitor) is not None:
            return next(
                (monitor for monitor in self._monitors if monitor.key == home.key), primary_monitor(self._monitors)
            )
        return monitor_under(self._monitors, self._place())

    def events(self) -> list[Press]:
        """Process events; returns the keys pressed since the last call, oldest first. A key held down counts once."""
        try:
            self._glfw.poll_events()
        except UnicodeDecodeError:  # the binding decodes the names; other files of the same drop are lost with it
            self._news.append("the name of a dropped file is not UTF-8; rename the file")
        if self._now() - self._size_polled_s > SIZE_POLL_S:  # not every system reports every change
            self._size_polled_s, self._framebuffer = self._now(), None
        if not self.is_fullscreen:
            self._show_cursor(self._now() - self._cursor_moved_s < CURSOR_IDLE_S)
        if self._monitors_changed:
            self._monitors_changed = False
            self._follow_monitors()
        elif self._now() - self._place_polled_s > PLACE_POLL_S:
            self._place_polled_s = self._now()
            self._record_place()
        pressed_keys, self._keys = self._keys, []
        return pressed_keys

    def dropped(self) -> list[Path]:
        """The files dropped on the window since the last call."""
        dropped, self._dropped = self._dropped, []
        return dropped

    def news(self) -> str | None:
        """A message for the user, if there is one: the monitor was unplugged, or is back; a dropped file has a name
        that cannot be read.
        """
        return self._news.popleft() if self._news else None

    def toggle_fullscreen(self) -> None:
        """Cover the monitor that most of the window is on, or return the window to exactly where it was."""
        if self.is_fullscreen:
            self._uncover(self._windowed_place)
        else:
            self._monitors = connected_monitors(self._glfw)  # its resolution may have changed
            monitor = self.monitor
            if monitor is None:
                log.warning("fullscreen: no monitor is connected")
                return
            self._windowed_place = self._place()
            self._cover(monitor)
        self._record_place(chosen=True)

    def next_monitor(self) -> str | None:
        """Move to the next monitor, fullscreen or not as before; fullscreen where only the desktop places windows.

        Returns its name; None if there is no other monitor.
        """
        self._monitors = connected_monitors(self._glfw)
        target = monitor_after(self._monitors, self.monitor)
        if target is None:
            return None
        size = self._windowed_place[2:] if self.is_fullscreen else self._place()[2:]
        self._windowed_place = centred(size, target.work_area)
        if self.is_fullscreen or not self._is_placed:
            self._cover(target)
        else:
            self._put(self._windowed_place)
        self._home.record(target, self._windowed_place, fullscreen=self.is_fullscreen, chosen=True)
        return target.name

    def make_current(self) -> None:
        """Make this window's context current, after another one was used on this thread."""
        take_over(self._detach_context)
        self._glfw.make_context_current(self._handle)
        self.ctx.screen.use()

    def finish(self) -> None:
        """Wait until everything is drawn, so that the time of the swap that follows is the display's alone."""
        gl_finish(self.ctx)

    def swap(self) -> None:
        """Show what was drawn, and wait until it is shown: pictures queued in the driver would be late."""
        self._glfw.swap_buffers(self._handle)
        gl_finish(self.ctx)

    def read(self) -> np.ndarray | None:
        """Read what was drawn and not swapped yet: (H, W, 3) uint8, top row first; None while minimised."""
        width, height = self.framebuffer_size
        if not width:
            return None
        pixels = np.empty((height, width, 3), np.uint8)
        read_rgb(self.ctx, pixels)
        return pixels[::-1].copy()  # OpenGL's first row is the bottom one

    def close(self) -> None:
        """Release everything. May be called twice."""
        glfw = self._glfw
        leave(self._detach_context)
        if self._handle:
            if self.__dict__.get("ctx") is not None:
                self.ctx.release()  # the Python object; textures and programs are deleted with the context
            glfw.destroy_window(self._handle)
            self._handle = None
        _open_windows.discard(id(self))
        if not _open_windows:
            glfw.terminate()

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _detach_context(self) -> None:
        if self._handle:
            self._glfw.make_context_current(None)

    def _on_drop(self, window: Any, paths: list[str]) -> None:
        self._dropped += [Path(path) for path in paths]

    def _on_key(self, _window: Any, key: int, scancode: int, action: int, modifiers: int) -> None:
        if action == self._glfw.PRESS and (press := key_press(self._glfw, key, scancode, modifiers)):
            self._keys.append(press)

    def _on_size(self, _window: Any, _width: int, _height: int) -> None:
        self._framebuffer = None

    def _on_cursor(self, _window: Any, _x: float, _y: float) -> None:
        self._cursor_moved_s = self._now()

    def _on_monitor(self, _monitor: Any, _event: int) -> None:
        self._monitors_changed = True  # handled after glfw has finished its own update

    def _show_cursor(self, shown: bool) -> None:
        if shown != self._cursor_shown:
            self._cursor_shown = shown
            mode = self._glfw.CURSOR_NORMAL if shown else self._glfw.CURSOR_HIDDEN
            self._glfw.set_input_mode(self._handle, self._glfw.CURSOR, mode)

    @property
    def _is_glfw_fullscreen(self) -> bool:
        return bool(self._glfw.get_window_monitor(self._handle))

    def _place(self) -> Area:
        """Left, top, width, height on the desktop; left and top are 0 under Wayland, which does not report them."""
        x, y = self._glfw.get_window_pos(self._handle) if self._is_placed else (0, 0)
        width, height = self._glfw.get_window_size(self._handle)
        return x, y, width, height

    def _put(self, place: Area) -> None:
        self._framebuffer = None
        if self._is_placed:
            self._glfw.set_window_pos(self._handle, *place[:2])
        self._glfw.set_window_size(self._handle, *place[2:])

    def _cover(self, monitor: Monitor) -> None:
        glfw = self._glfw
        self._framebuffer = None
        if self._borderless and self._is_placed:
            self._covers = monitor
            self._put(monitor.area)
        else:
            # the monitor's current mode: no flicker, and other windows keep their places
            rate = round(monitor.refresh_hz) or glfw.DONT_CARE
            glfw.set_window_monitor(self._handle, monitor.handle, 0, 0, *monitor.area[2:], rate)
            glfw.swap_interval(1)  # some drivers reset it with the change
        self._show_cursor(False)

    def _uncover(self, place: Area) -> None:
        self._framebuffer = None
        if self._is_glfw_fullscreen:
            self._glfw.set_window_monitor(self._handle, None, *place, 0)
            self._glfw.swap_interval(1)
        else:
            self._put(place)
        self._covers = None
        self._cursor_moved_s = self._now()
        self._show_cursor(True)

    def _record_place(self, *, chosen: bool = False) -> None:
        """Remember where the window is, to return to it."""
        place = self._windowed_place if self.is_fullscreen else self._place()
        self._home.record(self.monitor, place, fullscreen=self.is_fullscreen, chosen=chosen)

    def _follow_monitors(self) -> None:
        """Monitors were connected or disconnected: leave one that is gone, return to the one the window belongs on."""
        self._monitors = connected_monitors(self._glfw)
        home = self._home
        what = home.update(self._monitors)
        if what == "lost":
            self._news.append(
                f"monitor {home.name} was disconnected; the window returns to it when it is connected again"
            )
            other = primary_monitor(self._monitors)
            if home.fullscreen and other is not None:
                self._uncover(centred(self._windowed_place[2:], other.work_area))
        elif what == "back" and home.monitor is not None:
            self._news.append(f"monitor {home.name} is connected again")
            if home.fullscreen:
                self._windowed_place = home.place
                self._cover(home.monitor)
            else:
                self._put(home.place)


def _valid_title(title: str) -> str:
    """A title without characters that the window system refuses."""
    return title.encode("utf-8", "replace").decode().replace("\0", " ")
