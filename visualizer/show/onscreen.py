"""A show in a window: what live and play have in common."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass

from ..render.awake import kept_awake
from ..render.picture import Picture
from ..render.programs import Programs
from ..render.window import Window
from ..store.cache import FrameCache
from ..store.keys import load_keys
from .clocks import ScreenClock, Stopwatch, pace_hz
from .frametimes import NO_TIMES, Percentiles
from .look import Look
from .loop import Shown
from .performance import Act, Performance, picture_of

log = logging.getLogger(__name__)

LIVE_TAKES = frozenset({"tap", "tempo_half", "tempo_double", "next_input"})


@dataclass(frozen=True)
class Staging:
    """How a show is put on the screen. monitor: index or name, the primary one if None; adapt: draw smaller where the machine
    cannot hold the pace; rate_hz: display frames a second, the screen's own if None.
    """

    fullscreen: bool = False
    monitor: str | int | None = None
    borderless: bool = False
    adapt: bool = True
    rate_hz: float | None = None


@dataclass(frozen=True)
class Report:
    """What was shown. first_picture_s: from the call to the first picture on the screen. times: from one display frame to the
    next; n_dropped, n_repeated: see FrameTimes.
    """

    n_frames: int
    seconds: float
    first_picture_s: float
    times: Percentiles = NO_TIMES
    n_dropped: int = 0
    n_repeated: int = 0

    @property
    def rate_hz(self) -> float:
        """Display frames a second, mean."""
        return self.n_frames / self.seconds if self.seconds else 0.0


def run(
    look: Look,
    act: Act,
    cache: FrameCache,
    *,
    title: str,
    staging: Staging | None = None,
    greeting: str | None = None,
    takes: Collection[str] = LIVE_TAKES,
    on_frame: Callable[[int, Shown], bool] | None = None,
    opens: Callable[..., Window] = Window,
) -> Report:
    """Show `act` in a window until it is over or the user ends it.

    greeting: said first, how to get help if None, nothing if empty. takes: the actions of panel.OF_ACTS that the act has a use for. on_frame:
    called with the count so far and each display frame before it is shown; returning True ends the show. opens: what
    makes the window, in place of `Window`. Raises BadInput for keys.yaml or a monitor that is not there, GraphicsError when no window can be opened.
    """
    watch = Stopwatch()
    keymap, staging = load_keys(), staging or Staging()
    # a sound callback waiting behind busy Python gets its turn within half a millisecond instead of five
    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    try:
        with opens(
            look.size,
            title,
            fullscreen=staging.fullscreen,
            monitor=staging.monitor,
            borderless=staging.borderless,
        ) as window:
            programs = Programs(window.ctx)
            picture = picture_of(look, window, programs)
            picture.draw(0.0, window.framebuffer_size)
            window.swap()
            first_picture_s = watch.elapsed_s()
            log.info("first picture after %.2f s", first_picture_s)
            rate_hz = staging.rate_hz or _measured_pace_hz(window, picture)
            # only live knows of a kick when it comes; where the sound is known beforehand nothing is gained
            clock = ScreenClock(
                act.position_s,
                rate_hz,
                listen=getattr(act, "listen", None),
                swap_waits=staging.rate_hz is None and rate_hz > window.refresh_hz,
            )
            performance = Performance(
                window,
                act,
                look,
                cache,
                picture,
                programs,
                clock,
                keymap,
                takes=takes,
                adapt=staging.adapt,
                follow_monitor=staging.rate_hz is None,
            )
            with closing(performance), kept_awake():
                performance.say(*look.news, f"{keymap.shown('help')}  help" if greeting is None else greeting)
                watch = Stopwatch()
                n_frames = performance.run(on_frame)
                seconds = watch.elapsed_s()
    finally:
        sys.setswitchinterval(interval)
    times = clock.times
    report = Report(n_frames, seconds, first_picture_s, times.overall(), times.n_dropped, times.n_repeated)
    log.info(
        "shown: %d display frames in %.1f s, %.1f a second; from one to the next p50 %.1f, p95 %.1f, p99 %.1f ms; "
        "%d dropped, %d repeated",
        *(n_frames, seconds, report.rate_hz, *report.times, report.n_dropped, report.n_repeated),
    )
    return report


def _measured_pace_hz(window: Window, picture: Picture) -> float:
    """The pace for this window, see `pace_hz`; shows the image a few times to find out."""
    n_swaps = 3
    watch = Stopwatch()
    for _ in range(n_swaps):
        picture.draw(0.0, window.framebuffer_size)
        window.swap()
    return pace_hz(window.refresh_hz, watch.elapsed_s() / n_swaps)
