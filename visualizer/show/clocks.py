"""The clocks of a show: when its next display frame is made, and which second of the sound it will be seen at.

Every clock answers `now()`, seconds of sound at which the display frame being made will be seen, and `tick()`, which waits
for the moment to make it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from typing import Protocol

from .frametimes import FrameTimes
from .latestart import LateStart

# A display frame called for early still leaves this share of a refresh to the one before.
LEAST_SHARE = 0.55


class Clock(Protocol):
    """What the loop asks of a clock."""

    def tick(self) -> None:
        """Wait until it is time to make the next display frame."""

    def now(self) -> float:
        """Presentation time of the display frame being made, seconds of sound."""

    def drawn(self) -> None:
        """The display frame is drawn, and about to be shown."""

    def shown(self) -> None:
        """The display frame was shown."""


class FrameClock:
    """An exact count of display frames: frame i is seen from i / fps to (i + 1) / fps, whatever the time on the wall."""

    def __init__(self, fps: Fraction) -> None:
        self.fps = fps
        self.frame_index = -1

    def tick(self) -> None:
        self.frame_index += 1

    def now(self) -> float:
        """The middle of the time the frame is on the screen, so that on average a kick is shown neither early nor late."""
        return float((self.frame_index + Fraction(1, 2)) / self.fps)

    def drawn(self) -> None:
        """How long it took is of no account."""

    def shown(self) -> None:
        """Nor is this."""


class Pacer:
    """Holds a steady rate where the driver's swap does not wait for the screen, and costs nothing where it does.

    A deadline lies one period after the one before; falling more than a period behind starts the count anew, since
    hurrying to catch up would only bunch display frames together.
    """

    def __init__(
        self,
        rate_hz: float,
        *,
        now: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.period_s = 1.0 / rate_hz
        self._now = now
        self._sleep = sleep
        self._deadline: float | None = None

    def wait(self, listen: Callable[[float], bool] | None = None) -> None:
        """Sleep until the next deadline.

        listen: sleeps instead, as many seconds as it is given or less; once it says yes the deadline is now, or as soon
        as LEAST_SHARE of a period has passed.
        """
        now = self._now()
        if self._deadline is None or now > self._deadline + self.period_s:
            self._deadline = now
        elif listen is None:
            if now < self._deadline:
                self._sleep(self._deadline - now)
        else:
            earliest = self._deadline - (1 - LEAST_SHARE) * self.period_s
            while now < self._deadline:
                called = listen(self._deadline - now)
                now = self._now()
                if called:
                    self._deadline = min(self._deadline, max(earliest, now))
                    self._sleep(max(0.0, self._deadline - now))
                    break
        self._deadline += self.period_s


def pace_hz(refresh_hz: float, swap_s: float) -> float:
    """The rate to pace a window at, when a display frame and its swap were seen to take swap_s seconds.

    Where the swap waits for the screen, the pace only has to stay out of its way: drivers tell 59.94 Hz as 59, and pacing
    at that would show one picture a second twice. Where it does not, the pace is all there is.
    """
    return refresh_hz * 1.05 if swap_s > 0.5 / refresh_hz else refresh_hz


class ScreenClock:
    """Paces a window, and tells when its next display frame will be seen in seconds of sound.

    position_s: the sound heard at this instant (playback) or just caught (live). A display frame made now reaches the eye
    after its own drawing and, on average, in the middle of a refresh. times: how long display frames took.

    listen: waits so many seconds or less for sound, and says whether a kick came: that begins a display frame at once, where
    the swap does not wait for the screen. swap_waits: whether it does; then a display frame is begun as late as it may be.
    """

    def __init__(
        self,
        position_s: Callable[[], float],
        rate_hz: float,
        *,
        listen: Callable[[float], bool] | None = None,
        swap_waits: bool = False,
        now: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._position_s = position_s
        self._listen = listen
        self._now, self._sleep = now, sleep
        self._late = LateStart(1.0 / rate_hz) if swap_waits else None
        self.times = FrameTimes(1.0 / rate_hz)
        self.set_rate(rate_hz)
        self._began_s = self._drawn_s = self._shown_s = now()

    def set_rate(self, rate_hz: float) -> None:
        """Another pace: the window is on another monitor."""
        self.rate_hz = rate_hz
        self._pacer = Pacer(rate_hz, now=self._now, sleep=self._sleep)
        if self._late is not None:
            self._late.begin_anew(1.0 / rate_hz)
        self._ahead_s = 0.5 / rate_hz
        self.times.period_s = 1.0 / rate_hz

    def tick(self) -> None:
        if self._late is None:
            self._pacer.wait(self._listen)
        else:
            self._pacer.wait()
            rest_s = self._shown_s + self._late.sleep_s - self._now()
            if rest_s > 0:
                self._sleep(rest_s)
        self._began_s = self._now()

    def now(self) -> float:
        return self._position_s() + self._ahead_s

    def drawn(self) -> None:
        self._drawn_s = self._now()

    def shown(self) -> None:
        shown_s = self._now()
        if self._late is not None:
            self._late.note(self._drawn_s - self._began_s, shown_s - self._shown_s)
        self.times.note(shown_s - self._shown_s, shown_s - self._began_s)
        self._shown_s = shown_s


class RateMeter:
    """Display frames a second over the last second or so, smoothed for reading."""

    def __init__(self, *, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._since = now()
        self._count = 0
        self.rate_hz = 0.0

    def count(self) -> float:
        """Count one display frame; the rate so far."""
        self._count += 1
        elapsed = self._now() - self._since
        if elapsed >= 0.5:
            self.rate_hz = self._count / elapsed
            self._since, self._count = self._now(), 0
        return self.rate_hz
