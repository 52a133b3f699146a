"""The monitors there are, the one that is meant, and where a window goes when its own is unplugged and comes back."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from visualizer.errors import BadInput, GraphicsError, nearest

from .glfw_library import no_display, quiet_glfw, start

Area = tuple[int, int, int, int]  # left, top, width, height, in the desktop's units


class Whereabouts(NamedTuple):
    """Where a window is. place: while it does not cover a monitor; fullscreen: whether it does; monitor: its name, if it is on one."""

    place: Area
    fullscreen: bool
    monitor: str | None


@dataclass(frozen=True)
class Monitor:
    """A monitor or projector.

    index: its number in this list. area: left, top, width and height on the desktop, in its units. work_area: the same
    without bars and docks. refresh_hz: 0 if the driver does not say. scale: how much larger the desktop draws on it. handle:
    glfw's, good until the monitor is unplugged; key: the same, to be compared.
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
    """Every monitor, as the system counts them. GraphicsError if there is no display. Not while a window is open."""
    with quiet_glfw() as glfw:
        if not start(glfw):
            raise GraphicsError(no_display())
        try:
            return connected(glfw)
        finally:
            glfw.terminate()


def connected(glfw: Any) -> list[Monitor]:
    """Every monitor. glfw: initialised."""
    found: list[Monitor] = []
    for handle in glfw.get_monitors():  # the primary one comes first
        mode = glfw.get_video_mode(handle)
        if not mode:  # unplugged at this very moment
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


def meant(monitors: Sequence[Monitor], wanted: str | int) -> Monitor:
    """The monitor of that index, or of that name: exactly, or as the part of one name only (in any case).

    Raises BadInput, naming the monitors there are.
    """
    told = ", ".join(f"{monitor.index} {monitor.name}" for monitor in monitors) or "none"
    if isinstance(wanted, int):
        for monitor in monitors:
            if monitor.index == wanted:
                return monitor
        raise BadInput(f"there is no monitor {wanted}; there are: {told}")
    word = wanted.strip().lower()
    exact = [monitor for monitor in monitors if monitor.name.lower() == word]
    found = exact or [monitor for monitor in monitors if word and word in monitor.name.lower()]
    if len(found) == 1:
        return found[0]
    if found:
        which = ", ".join(f"{monitor.index} {monitor.name}" for monitor in found)
        raise BadInput(f"{wanted!r} fits {len(found)} monitors: {which}; give the number")
    raise BadInput(
        f"no monitor is called {wanted!r}{nearest(wanted, [monitor.name for monitor in monitors])}; there are: {told}"
    )


def primary(monitors: Sequence[Monitor]) -> Monitor | None:
    """The main one; None if there is none."""
    return next((monitor for monitor in monitors if monitor.is_primary), monitors[0] if monitors else None)


def under(monitors: Sequence[Monitor], window: Area) -> Monitor | None:
    """The monitor with the most of a window on it, the primary one if it lies on none; None if there is none."""
    best, best_px = primary(monitors), 0
    for monitor in monitors:
        across, down = _shared(monitor.area, window)
        if across > 0 and down > 0 and across * down > best_px:
            best, best_px = monitor, across * down
    return best


def seen(monitors: Sequence[Monitor], window: Area) -> bool:
    """Whether enough of a window would lie on a monitor to be found: a corner of 32 units."""
    least = min(32, *window[2:])
    return least > 0 and any(min(_shared(monitor.area, window)) >= least for monitor in monitors)


def _shared(one: Area, other: Area) -> tuple[int, int]:
    """Width and height of what two areas share; not above 0 where they share nothing."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return across, down


def following(monitors: Sequence[Monitor], now: Monitor | None) -> Monitor | None:
    """The next monitor after `now`, in turn; None if there is no other."""
    if now is None or len(monitors) < 2:
        return None
    return monitors[(now.index + 1) % len(monitors)]


def centred(size: tuple[int, int], area: Area) -> Area:
    """Where a window of that size lies in the middle of an area, made to fit with its shape kept."""
    width, height = fitted(size, area[2:])
    return area[0] + (area[2] - width) // 2, area[1] + (area[3] - height) // 2, width, height


def fitted(size: tuple[int, int], room: tuple[int, int]) -> tuple[int, int]:
    """A window's size made to fit the room there is, its shape kept. room: (0, 0) if not known."""
    if min(room) < 1:
        return size
    factor = min(1.0, room[0] / size[0], room[1] / size[1])
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


class Home:
    """Remembers on which monitor a window belongs, and finds it again when it was unplugged.

    It is told from time to time where the window is; what happens to the window while its monitor is gone does not count.

    monitor: where it belongs, as last seen; None before any is known. fullscreen: whether it covers that. place: where the
    window is when it does not. is_away: the monitor is gone.
    """

    def __init__(self) -> None:
        self.monitor: Monitor | None = None
        self.fullscreen = False
        self.place: Area = (0, 0, 0, 0)
        self.is_away = False
        self._known: set[int] = set()  # those that were there at the last look, without ours once it is gone

    @property
    def name(self) -> str:
        """The monitor it belongs on; "" before any is known."""
        return "" if self.monitor is None else self.monitor.name

    def is_at(self, monitor: Monitor | None, place: Area, *, fullscreen: bool, chosen: bool = False) -> None:
        """The window is on that monitor. chosen: the user put it there, which counts even while the home is away."""
        if monitor is not None and (chosen or not self.is_away):
            self.monitor, self.place, self.fullscreen, self.is_away = monitor, place, fullscreen, False

    def look(self, monitors: Sequence[Monitor]) -> str | None:
        """What became of the home, now that these are there: "lost", "back", or None for nothing new."""
        home, keys = self.monitor, {monitor.key for monitor in monitors}
        if home is None:
            return None
        known, self._known = self._known, keys
        if not self.is_away:
            there = next((monitor for monitor in monitors if monitor.key == home.key), None)
            if there is not None:
                self.monitor = there  # its place or number may be another now
                return None
        # two projectors of a kind have one name: ours is the one that was not there before
        came = [monitor for monitor in monitors if monitor.name == home.name and monitor.key not in known]
        if came:
            self.monitor, self.is_away = came[0], False
            return "back"
        news = None if self.is_away else "lost"
        self.is_away = True
        return news
