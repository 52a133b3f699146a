"""The window: a stage on the screen, with its keys, its monitor, its fullscreen and its end."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from visualizer.errors import BadInput, GraphicsError

from .gl import gl_finish, leave, read_rgb, take_over, was_reset, wrap_context
from .glfw_library import (
    GlfwLoader,
    display_named,
    fullscreen_hints,
    no_context,
    no_display,
    places_windows,
    quiet_glfw,
    set_hints,
    start,
)
from .keyboard import Press, pressed
from .monitors import Area, Home, Monitor, Whereabouts, centred, connected, following, meant, primary, seen, under

if TYPE_CHECKING:
    import moderngl

log = logging.getLogger(__name__)

CURSOR_IDLE_S = 2.0
SIZE_LOOK_S = 0.25  # how often a window is asked how large it is, beside being told
PLACE_LOOK_S = 1.0  # how often a window is asked where it is

# Windows that are open: glfw is one for the whole process, and is let go with the last of them.
_open_windows: set[int] = set()


def display_available() -> bool:
    """True if there is a display to open a window on. Whether it can do OpenGL 3.3 only `Window` finds out."""
    if _open_windows:
        return True
    if not display_named():
        return False
    with quiet_glfw() as glfw:
        found = start(glfw)
        glfw.terminate()
    return found


class Window:
    """A window to draw on; its context is current on the calling thread, which must be the main one.

    size: (width, height) of the window, in the screen's units; made smaller if the screen is. title: its name. fullscreen:
    begin over the whole monitor. monitor: the index or name of the one to open on, the primary one if None. borderless: no
    frame around the window, and fullscreen is a window as large as the monitor, which others can lie over; under Wayland
    fullscreen is always the desktop's own. place: where it is
    while it does not cover a monitor, if that can still be seen; the monitor is then no must. shown: False for one that
    is first seen at `appear`. now: a clock in seconds. GraphicsError if there is no display or no OpenGL 3.3, BadInput for a
    monitor that is not there.
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
        self._handle: Any = None
        self._cursor_shown = True
        self._cursor_moved_s = self._place_looked_s = now()
        self._size, self._title, self._borderless = size, title, borderless
        self._appears_fullscreen = False  # once it appears
        self._covers: Monitor | None = None  # the monitor covered, where glfw does not know of it: borderless
        self._windowed_place: Area = (0, 0, *size)
        self._monitors: list[Monitor] = []
        self._monitors_changed = False
        self._home = Home()
        self._framebuffer: tuple[int, int] | None = None  # None: to be asked for
        self._framebuffer_asked_s = now()
        self._news: deque[str] = deque()
        with quiet_glfw() as glfw:
            self._glfw = glfw
            if not start(glfw):
                raise GraphicsError(no_display())
            self._is_placed = places_windows(glfw)
            take_over(self._let_go)
            try:
                self._open(place, fullscreen, monitor, shown)
            except BaseException:
                self.close()
                raise

    def set_title(self, title: str) -> None:
        """Give the window another name."""
        self._title = title
        self._glfw.set_window_title(self._handle, _writable(title))

    def _open(self, place: Area | None, fullscreen: bool, wanted: str | int | None, shown: bool) -> None:
        glfw = self._glfw
        title = _writable(self._title)
        self._monitors = connected(glfw)
        target = self._target(wanted, must=place is None)
        set_hints(glfw, decorated=not self._borderless)
        if target is not None:
            self._windowed_place = centred(self._size, target.work_area)
        if place is not None and seen(self._monitors, place):
            self._windowed_place = place
        size = self._windowed_place[2:]
        placed = (wanted is not None and target is not None) or place is not None
        if target is not None and fullscreen and shown and not self._borderless:
            fullscreen_hints(glfw, glfw.get_video_mode(target.handle))
            self._handle = glfw.create_window(*target.area[2:], title, target.handle, None)
        else:
            # hidden until it is there: it must not flash up in another place first
            glfw.window_hint(glfw.VISIBLE, shown and not placed)
            self._handle = glfw.create_window(*size, title, None, None)
        if not self._handle:
            raise GraphicsError(no_context(glfw))
        _open_windows.add(id(self))
        self._appears_fullscreen = fullscreen and not shown
        if not self._is_glfw_fullscreen:
            if wanted is not None and not fullscreen and not self._is_placed:
                self._news.append(
                    "the desktop chooses where a window opens; fullscreen it opens on the monitor asked for"
                )
            if placed and self._is_placed:
                glfw.set_window_pos(self._handle, *self._windowed_place[:2])
            if placed and shown:
                glfw.show_window(self._handle)
            if fullscreen and shown and target is not None:
                self._cover(target)
        self._home.is_at(target, self._windowed_place, fullscreen=fullscreen)
        self._home.look(self._monitors)
        glfw.make_context_current(self._handle)
        self.ctx: moderngl.Context = wrap_context(GlfwLoader(glfw, self._handle), standalone=False)
        # one display frame a refresh: no tearing. A driver that does not obey is caught by the loop's own pace
        glfw.swap_interval(1)
        glfw.set_key_callback(self._handle, self._on_key)
        glfw.set_framebuffer_size_callback(self._handle, self._on_size)
        glfw.set_cursor_pos_callback(self._handle, self._on_cursor)
        glfw.set_monitor_callback(self._on_monitor)
        self._show_cursor(not (self.is_fullscreen or self._appears_fullscreen))
        self.ctx.screen.use()
        # black, not what lay in memory; and without a first picture Mesa never learns that the window was resized
        self.ctx.clear(0.0, 0.0, 0.0, 1.0)
        if shown:  # under Wayland a swap waits for a window to be seen
            self.swap()

    def _target(self, wanted: str | int | None, *, must: bool) -> Monitor | None:
        """The monitor to open on. must: it is an error if that is not there."""
        if wanted is not None:
            try:
                return meant(self._monitors, wanted)
            except BadInput as fault:
                if must:
                    raise
                log.warning("%s; the main monitor is taken", fault)
        return primary(self._monitors)

    @property
    def framebuffer_size(self) -> tuple[int, int]:
        """Width and height to draw, px (on a Retina screen more than the window's); (0, 0) while minimised."""
        if self._framebuffer is None:
            # X11 answers this at its leisure, so it is not asked for every display frame
            width, height = self._glfw.get_framebuffer_size(self._handle)
            self._framebuffer = (width, height) if width > 0 and height > 0 else (0, 0)
        return self._framebuffer

    @property
    def refresh_hz(self) -> float:
        """Refreshes a second of the monitor the window is on; 60.0 if the driver does not say."""
        monitor = self.monitor
        return monitor.refresh_hz if monitor is not None and monitor.refresh_hz > 0 else 60.0

    @property
    def should_close(self) -> bool:
        """True once the user has closed the window."""
        return bool(self._glfw.window_should_close(self._handle))

    @property
    def is_lost(self) -> bool:
        """Whether the graphics card was reset: nothing can be drawn here any more, see `successor`."""
        return was_reset(self.ctx)

    @property
    def whereabouts(self) -> Whereabouts:
        """Where it is, to open another there."""
        monitor = self.monitor
        place = self._windowed_place if self.is_fullscreen else self._place()
        return Whereabouts(place, self.is_fullscreen, None if monitor is None else monitor.name)

    def successor(self) -> Self:
        """A window in the place of this one, with a context of its own, not yet to be seen; both are there until this one is closed."""
        place, fullscreen, monitor = self.whereabouts
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
        """Be seen, for a window that was opened with shown=False. Draw first and swap at once after: until then it shows what was there."""
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
        """The monitor with the most of the window on it; None if there is none."""
        if self._covers is not None:
            return self._covers
        if own := self._glfw.get_window_monitor(self._handle):
            position = tuple(self._glfw.get_monitor_pos(own))
            for monitor in self._monitors:
                if monitor.area[:2] == position:
                    return monitor
        if not self._is_placed and (home := self._home.monitor) is not None:
            return next((monitor for monitor in self._monitors if monitor.key == home.key), primary(self._monitors))
        return under(self._monitors, self._place())

    def events(self) -> list[Press]:
        """Let the system speak, and return the keys pressed since the last call, oldest first. A key held counts once."""
        self._glfw.poll_events()
        if self._now() - self._framebuffer_asked_s > SIZE_LOOK_S:  # not every system tells of every change
            self._framebuffer_asked_s, self._framebuffer = self._now(), None
        if not self.is_fullscreen:
            self._show_cursor(self._now() - self._cursor_moved_s < CURSOR_IDLE_S)
        if self._monitors_changed:
            self._monitors_changed = False
            self._settle()
        elif self._now() - self._place_looked_s > PLACE_LOOK_S:
            self._place_looked_s = self._now()
            self._note_place()
        pressed_keys, self._keys = self._keys, []
        return pressed_keys

    def news(self) -> str | None:
        """A line to be said once, if there is one: the monitor was unplugged, or is back."""
        return self._news.popleft() if self._news else None

    def toggle_fullscreen(self) -> None:
        """Cover the monitor that most of the window is on, or go back to exactly where the window was."""
        if self.is_fullscreen:
            self._uncover(self._windowed_place)
        else:
            self._monitors = connected(self._glfw)  # a resolution may have been changed since
            monitor = self.monitor
            if monitor is None:
                log.warning("fullscreen: no monitor is connected")
                return
            self._windowed_place = self._place()
            self._cover(monitor)
        self._note_place(chosen=True)

    def next_monitor(self) -> str | None:
        """Go to the next monitor, in fullscreen or not as before; where the desktop places windows, in fullscreen. Its name; None if
        there is no other.
        """
        self._monitors = connected(self._glfw)
        target = following(self._monitors, self.monitor)
        if target is None:
            return None
        size = self._windowed_place[2:] if self.is_fullscreen else self._place()[2:]
        self._windowed_place = centred(size, target.work_area)
        if self.is_fullscreen or not self._is_placed:
            self._cover(target)
        else:
            self._put(self._windowed_place)
        self._home.is_at(target, self._windowed_place, fullscreen=self.is_fullscreen, chosen=True)
        return target.name

    def make_current(self) -> None:
        """Make this the stage that is drawn on, when another was used on this thread since."""
        take_over(self._let_go)
        self._glfw.make_context_current(self._handle)
        self.ctx.screen.use()

    def finish(self) -> None:
        """Wait until all is drawn: what a swap takes after that, the screen takes."""
        gl_finish(self.ctx)

    def swap(self) -> None:
        """Show what was drawn, and wait until it is: the driver must not queue pictures, they would come late."""
        self._glfw.swap_buffers(self._handle)
        gl_finish(self.ctx)

    def read(self) -> np.ndarray | None:
        """What has been drawn and not swapped yet: (H, W, 3) uint8, top row first; None while there is nothing to see."""
        width, height = self.framebuffer_size
        if not width:
            return None
        pixels = np.empty((height, width, 3), np.uint8)
        read_rgb(self.ctx, pixels)
        return pixels[::-1].copy()  # OpenGL's first row is the bottom one

    def close(self) -> None:
        """Give everything back; may be called twice."""
        glfw = self._glfw
        leave(self._let_go)
        if self._handle:
            if self.__dict__.get("ctx") is not None:
                self.ctx.release()  # what Python holds of it; textures and programs go with the context
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
        if action == self._glfw.PRESS and (press := pressed(self._glfw, key, scancode, modifiers)):
            self._keys.append(press)

    def _on_size(self, _window: Any, _width: int, _height: int) -> None:
        self._framebuffer = None

    def _on_cursor(self, _window: Any, _x: float, _y: float) -> None:
        self._cursor_moved_s = self._now()

    def _on_monitor(self, _monitor: Any, _event: int) -> None:
        self._monitors_changed = True  # looked at once glfw has done its part

    def _show_cursor(self, shown: bool) -> None:
        if shown != self._cursor_shown:
            self._cursor_shown = shown
            mode = self._glfw.CURSOR_NORMAL if shown else self._glfw.CURSOR_HIDDEN
            self._glfw.set_input_mode(self._handle, self._glfw.CURSOR, mode)

    @property
    def _is_glfw_fullscreen(self) -> bool:
        return bool(self._glfw.get_window_monitor(self._handle))

    def _place(self) -> Area:
        """Where the window is on the desktop; at (0, 0) under Wayland, which does not tell."""
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
            # the monitor's own mode: nothing flickers, and other windows keep their places
            rate = round(monitor.refresh_hz) or glfw.DONT_CARE
            glfw.set_window_monitor(self._handle, monitor.handle, 0, 0, *monitor.area[2:], rate)
            glfw.swap_interval(1)  # some drivers forget it with the change
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

    def _note_place(self, *, chosen: bool = False) -> None:
        """Remember where the window is, to find back to it."""
        place = self._windowed_place if self.is_fullscreen else self._place()
        self._home.is_at(self.monitor, place, fullscreen=self.is_fullscreen, chosen=chosen)

    def _settle(self) -> None:
        """Monitors came or went: leave one that is gone, go back to the one the window belongs on."""
        self._monitors = connected(self._glfw)
        home = self._home
        what = home.look(self._monitors)
        if what == "lost":
            self._news.append(f"monitor {home.name} is gone; the window goes back to it when it returns")
            refuge = primary(self._monitors)
            if home.fullscreen and refuge is not None:
                self._uncover(centred(self._windowed_place[2:], refuge.work_area))
        elif what == "back" and home.monitor is not None:
            self._news.append(f"monitor {home.name} is back")
            if home.fullscreen:
                self._windowed_place = home.place
                self._cover(home.monitor)
            else:
                self._put(home.place)


def _writable(title: str) -> str:
    """A title that the window system takes."""
    return title.encode("utf-8", "replace").decode().replace("\0", " ")
