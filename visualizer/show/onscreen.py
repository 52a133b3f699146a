"""A show in a window: what live and play have in common (window, HUD, notices, keys)."""

from __future__ import annotations

import logging
import sys
from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

from ..render.hud import Hud
from ..render.picture import Picture
from ..render.window import Window
from ..store.cache import FrameCache
from . import dreams as dreams_room
from .clocks import RateMeter, ScreenClock, Stopwatch, pace_hz
from .look import Look
from .loop import FrameSource, Shown, display_frames
from .sound import Sound

log = logging.getLogger(__name__)

NOTICE_S = 6.0  # long enough to be read in the dark, short enough to be gone when the audience looks up
DEPTH_BAR = 30  # strokes of the HUD's depth bar
HUD_REFRESH_S = 0.15  # numbers that change at every refresh cannot be read, and cost a new texture each
COMMON_KEYS = ("F\tfullscreen", "H\tthis panel", "Esc, Q\tquit")


class Act(Protocol):
    """What live and play put on the screen's stage."""

    @property
    def sound(self) -> Sound:
        """What is heard."""

    def start(self) -> None:
        """Begin: the window is there."""

    def position_s(self) -> float:
        """Seconds of sound heard at this instant."""

    def key(self, name: str) -> None:
        """A key was pressed that the window itself has no use for."""

    def status(self) -> list[str]:
        """Lines for the HUD."""

    def keys(self) -> tuple[str, ...]:
        """Lines for the HUD: the keys of this act."""

    def news(self) -> str | None:
        """A line to be said once on the screen, if there is one."""

    def over(self) -> bool:
        """True when the show has come to its end."""


@dataclass(frozen=True)
class Report:
    """What was shown. first_picture_s: from the call to the first picture on the screen."""

    n_frames: int
    seconds: float
    first_picture_s: float

    @property
    def rate_hz(self) -> float:
        """Display frames a second, mean."""
        return self.n_frames / self.seconds if self.seconds else 0.0


class Notices:
    """Lines shown one after another at the bottom of the screen, each for NOTICE_S."""

    def __init__(self) -> None:
        self._waiting: deque[str] = deque()
        self._said: set[str] = set()
        self._since_s = 0.0
        self._current: str | None = None

    def say(self, line: str) -> None:
        """Queue a line; the same line is said once in a show."""
        if line not in self._said:
            self._said.add(line)
            self._waiting.append(line)
            log.info("notice: %s", line)

    def current(self, time_s: float) -> str | None:
        """The line to show at a time in seconds (rising)."""
        if self._current is None or time_s - self._since_s > NOTICE_S:
            self._current = self._waiting.popleft() if self._waiting else None
            self._since_s = time_s
        return self._current


def run(
    look: Look,
    act: Act,
    cache: FrameCache,
    *,
    title: str,
    fullscreen: bool = False,
    greeting: str | None = "H  help",
    rate_hz: float | None = None,
    on_frame: Callable[[int, Shown], bool] | None = None,
) -> Report:
    """Show `act` in a window until it is over or the user ends it.

    rate_hz: display frames a second, the screen's own if None. on_frame: called with the count so far and each display
    frame before it is shown; returning True ends the show. Raises GraphicsError when no window can be opened.
    """
    watch = Stopwatch()
    # a sound callback waiting behind busy Python gets its turn within half a millisecond instead of five
    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    try:
        with Window(look.size, title, fullscreen=fullscreen) as window:
            picture = Picture(window.ctx, look.size, look.n_depths, look.settings.render.shader, len(look.rows))
            picture.put(0, look.image)
            picture.draw(0.0, window.framebuffer_size)
            window.swap()
            first_picture_s = watch.elapsed_s()
            log.info("first picture after %.2f s", first_picture_s)
            if rate_hz is None:
                rate_hz = _measured_pace_hz(window, picture)
            hud = Hud(window.ctx)
            notices = Notices()
            for line in (*look.news, greeting):
                if line is not None:
                    notices.say(line)
            with closing(dreams_room.start(look, cache)) as frames:
                clock = ScreenClock(act.position_s, rate_hz)
                act.start()
                watch = Stopwatch()
                n_frames = _show(window, picture, hud, notices, act, frames, clock, look, on_frame)
                seconds = watch.elapsed_s()
            hud.release()
            picture.release()
        report = Report(n_frames, seconds, first_picture_s)
        log.info("shown: %d display frames in %.1f s, %.1f a second", n_frames, seconds, report.rate_hz)
        return report
    finally:
        sys.setswitchinterval(interval)


def _measured_pace_hz(window: Window, picture: Picture) -> float:
    """The pace for this window, see `pace_hz`; shows the image a few times to find out."""
    n_swaps = 3
    watch = Stopwatch()
    for _ in range(n_swaps):
        picture.draw(0.0, window.framebuffer_size)
        window.swap()
    return pace_hz(window.refresh_hz, watch.elapsed_s() / n_swaps)


def _show(
    window: Window,
    picture: Picture,
    hud: Hud,
    notices: Notices,
    act: Act,
    frames: FrameSource,
    clock: ScreenClock,
    look: Look,
    on_frame: Callable[[int, Shown], bool] | None,
) -> int:
    watch, meter = Stopwatch(), RateMeter()
    hud_shown, hud_lines, hud_since_s = False, [""], -HUD_REFRESH_S
    n_frames = 0
    for shown in display_frames(window, picture, clock, act.sound, frames, look.n_depths):
        n_frames += 1
        for name in window.events():
            if name in ("escape", "q", "ctrl+q"):
                return n_frames
            elif name in ("f", "f11"):
                window.toggle_fullscreen()
            elif name in ("h", "f1"):
                hud_shown, hud_since_s = not hud_shown, -HUD_REFRESH_S
            else:
                act.key(name)
        for line in (act.news(), frames.fault):
            if line:
                notices.say(line)
        elapsed_s, rate_hz = watch.elapsed_s(), meter.count()
        if hud_shown and elapsed_s - hud_since_s >= HUD_REFRESH_S:
            hud_since_s = elapsed_s
            hud_lines = _hud_lines(look, act, shown, rate_hz)
        size = window.framebuffer_size
        if size != (0, 0):
            hud.draw(hud_lines if hud_shown else [], size, notices.current(elapsed_s))
        if window.should_close or act.over() or (on_frame is not None and on_frame(n_frames, shown)):
            return n_frames
    return n_frames


def _hud_lines(look: Look, act: Act, shown: Shown, rate_hz: float) -> list[str]:
    n_depths, n_rows = look.n_depths, len(look.rows)
    total = n_rows * n_depths
    baking = "" if shown.n_baked >= total else f"   dreaming {shown.n_baked} / {total}"
    row = f"   row {shown.row + 1:.1f} / {n_rows}" if n_rows > 1 else ""
    bar = round(DEPTH_BAR * shown.depth / n_depths)
    return [
        look.settings.title,
        f"depth\t{shown.depth:.1f} / {n_depths}  {'|' * bar}{'·' * (DEPTH_BAR - bar)}{row}",
        f"screen\t{rate_hz:.0f} fps{baking}",
        *act.status(),
        "",
        *act.keys(),
        *COMMON_KEYS,
    ]
