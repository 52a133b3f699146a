"""List monitors, find one by name, and follow a window's monitor when it is disconnected and connected again."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..errors import BadInput, GraphicsError, nearest
from .glfw_library import no_display_message, quiet_glfw, start

Area = tuple[int, int, int, int]  # left, top, width, height in the desktop's coordinates


class WindowPlace(NamedTuple):
    """Where a window is. place: while it is not fullscreen; monitor: name of the one it is on, None without one."""

    place: Area
    fullscreen: bool
    monitor: str | None


@dataclass(frozen=True)
class Monitor:
    """A monitor or projector.

    Parameters
    ----------
    index : its number in the list of monitors.
    area, work_area : left, top, width, height in the desktop's coordinates; work_area is without panels and docks.
    refresh_hz : 0 if the driver does not report it.
    scale : factor by which the desktop enlarges its content.
    handle : glfw's, valid until the monitor is disconnected; key : the handle as a number, to compare.
    """

    index: int
    name: str
    area: Area
    work_area: Area
    refresh_hz: float
    scale: float
    is_primary: bool
    handle: Any = field(default=None, repr=False, compare=False)
    key: int = field(default=0, repr=False, compare=False)


def list_monitors() -> list[Monitor]:
    """List the monitors in the system's order. Raises GraphicsError without a display. Not to be called while a window
    is open.
    """
    with quiet_glfw() as glfw:
        if not start(glfw):
            raise GraphicsError(no_display_message())
        try:
            return connected_monitors(glfw)
        finally:
            glfw.terminate()


def connected_monitors(glfw: Any) -> list[Monitor]:
    """List the monitors. glfw: the initialised library."""
    found: list[Monitor] = []
    for handle in glfw.get_monitors():  # the primary one comes first
        mode = glfw.get_video_mode(handle)
        if not mode:  # disconnected at this moment
            continue
        name = glfw.get_monitor_name(handle) or "unnamed"
        area = (*glfw.get_monitor_pos(handle), mode.size.width, mode.size.height)
        work_area = tuple(glfw.get_monitor_workarea(handle))
        found.append(
            Monitor(
                len(found),
                name.decode("utf-8", "replace") if isinstance(name, bytes) else name,
                area,
                work_area if min(work_area[2:]) > 0 else area,
                float(max(mode.refresh_rate, 0)),
                float(glfw.get_monitor_content_scale(handle)[0]),
                not found,
                handle,
                ctypes.cast(handle, ctypes.c_void_p).value or 0,
            )
        )
    return found


def find_monitor(monitors: Sequence[Monitor], wanted: str | int) -> Monitor:
    """Find a monitor by its index, its name, or a part of its name that no other has; upper and lower case are the
    same.

    Raises BadInput, which lists the monitors.
    """
    available = ", ".join(f"{monitor.index} {monitor.name}" for monitor in monitors) or "none"
    if isinstance(wanted, int):
        for monitor in monitors:
            if monitor.index == wanted:
                return monitor
        raise BadInput(f"there is no monitor {wanted}; there are: {available}")
    word = wanted.strip().lower()
    exact = [monitor for monitor in monitors if monitor.name.lower() == word]
    found = exact or [monitor for monitor in monitors if word and word in monitor.name.lower()]
    if len(found) == 1:
        return found[0]
    if found:
        which = ", ".join(f"{monitor.index} {monitor.name}" for monitor in found)
        raise BadInput(f"{wanted!r} fits {len(found)} monitors: {which}; give the number")
    raise BadInput(
        f"no monitor is called {wanted!r}{nearest(wanted, [monitor.name for monitor in monitors])}; there are: {available}"
    )


def primary_monitor(monitors: Sequence[Monitor]) -> Monitor | None:
    """The primary monitor; None without a monitor."""
    return next((monitor for monitor in monitors if monitor.is_primary), monitors[0] if monitors else None)


def monitor_under(monitors: Sequence[Monitor], window: Area) -> Monitor | None:
    """The monitor with the largest part of a window on it, the primary one if it lies on none; None without a
    monitor.
    """
    best, best_px = primary_monitor(monitors), 0
    for monitor in monitors:
        across, down = _intersection(monitor.area, window)
        if across > 0 and down > 0 and across * down > best_px:
            best, best_px = monitor, across * down
    return best


def is_visible(monitors: Sequence[Monitor], window: Area) -> bool:
    """Whether a window would be visible: a corner of 32 units or more lies on a monitor."""
    visible = min(32, *window[2:])
    return visible > 0 and any(min(_intersection(monitor.area, window)) >= visible for monitor in monitors)


def _intersection(one: Area, other: Area) -> tuple[int, int]:
    """Width and height of the intersection of two areas; 0 or less if they do not intersect."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return across, down


def monitor_after(monitors: Sequence[Monitor], now: Monitor | None) -> Monitor | None:
    """The monitor after `now` in the list, the first one after the last; None if there is no other."""
    if now is None or len(monitors) < 2:
        return None
    return monitors[(now.index + 1) % len(monitors)]


def centred(size: tuple[int, int], area: Area) -> Area:
    """Place a window in the middle of an area, reduced to fit with its aspect ratio kept."""
    width, height = fitted(size, area[2:])
    return area[0] + (area[2] - width) // 2, area[1] + (area[3] - height) // 2, width, height


def fitted(size: tuple[int, int], room: tuple[int, int]) -> tuple[int, int]:
    """Reduce a window's size to fit into `room` with its aspect ratio kept. room: (0, 0) if unknown."""
    if min(room) < 1:
        return size
    factor = min(1.0, room[0] / size[0], room[1] / size[1])
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


class HomeMonitor:
    """Remembers the monitor that a window belongs on, and finds it again after it was disconnected.

    The place of the window is recorded from time to time; where the system moves it while its monitor is disconnected
    is not.

    monitor: where it belongs; None before any is known. fullscreen, place: of the window on it. is_away: the monitor is
    disconnected.
    """

    def __init__(self) -> None:
        self.monitor: Monitor | None = None
        self.fullscreen = False
        self.place: Area = (0, 0, 0, 0)
        self.is_away = False
        self._known: set[int] = set()  # keys of the monitors of the last update

    @property
    def name(self) -> str:
        """Name of the monitor it belongs on; "" before any is known."""
        return "" if self.monitor is None else self.monitor.name

    def record(self, monitor: Monitor | None, place: Area, *, fullscreen: bool, chosen: bool = False) -> None:
        """Record where the window is. chosen: the user moved it there, which counts even while its own monitor is
        disconnected.
        """
        if monitor is not None and (chosen or not self.is_away):
            self.monitor, self.place, self.fullscreen, self.is_away = monitor, place, fullscreen, False

    def update(self, monitors: Sequence[Monitor]) -> str | None:
        """Take in the monitors that are connected now; returns what happened to the window's own: "lost", "back" or
        None.
        """
        home, keys = self.monitor, {monitor.key for monitor in monitors}
        if home is None:
            return None
        known, self._known = self._known, keys
        if not self.is_away:
            there = next((monitor for monitor in monitors if monitor.key == home.key), None)
            if there is not None:
                self.monitor = there  # its place or index may have changed
                return None
        # two projectors of one model have the same name: the window's is the one that was not connected before
        came = [monitor for monitor in monitors if monitor.name == home.name and monitor.key not in known]
        if came:
            self.monitor, self.is_away = came[0], False
            return "back"
        news = None if self.is_away else "lost"
        self.is_away = True
        return news
