"""The clocks of a show: when its next display frame is made, and at which second of the source it is seen.

A clock is waited on once a display frame (`wait`). It then says how long the display frame comes after the one before
(`dt_s`), and when it will be seen (`now`). Nothing that draws reads a clock of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction

from .frametimes import FrameTimes

#: a display frame that a kick begins early still leaves this fraction of a refresh to the one before
LEAST_SHARE = 0.55
#: the longest step of time handed to fades: after a pause they continue where they were
LONGEST_STEP_S = 0.1

LEAST_MARGIN_S = 0.0015
# Half-lives in display frames: of the time that a display frame took, of the margin, and of the least margin that was
# enough.
WORK_HALF_LIFE, MARGIN_HALF_LIFE, LEAST_HALF_LIFE = 150, 300, 20_000
#: a refresh was missed when a display frame took more refreshes than this
MISSED = 1.5


class Clock:
    """What a frame loop asks of a clock.

    dt_s: seconds from the display frame before to this one, 0 for the first; what fades are advanced by. time_s:
    seconds from the first display frame to this one, pauses of the program included.
    """

    dt_s = time_s = 0.0

    def wait(self) -> None:
        """Wait until it is time to make the next display frame."""
        raise NotImplementedError

    def now(self) -> float:
        """When the display frame being made is seen, seconds of the source."""
        raise NotImplementedError

    def drawn(self) -> None:
        """The display frame is drawn, and about to be shown."""

    def shown(self) -> None:
        """The display frame was shown."""


class FrameClock(Clock):
    """An exact count of display frames: frame i is seen from i / fps to (i + 1) / fps, whatever the time of day."""

    def __init__(self, fps: Fraction) -> None:
        self.fps = fps
        self.frame_index = -1

    def wait(self) -> None:
        self.frame_index += 1
        self.dt_s = float(1 / self.fps) if self.frame_index else 0.0
        self.time_s = float(self.frame_index / self.fps)

    def now(self) -> float:
        """The middle of the time the frame is on the screen, so that on average a kick is shown neither early nor
        late.
        """
        return float((self.frame_index + Fraction(1, 2)) / self.fps)


class Pacer:
    """Holds a steady rate where the driver's swap does not wait for the screen, and costs nothing where it does.

    A deadline lies one period after the one before; a display frame that is more than a period late sets a new
    deadline: making up for it would show several display frames too quickly.
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

    def wait(self, wait_for_kick: Callable[[float], bool] | None = None) -> None:
        """Sleep until the next deadline.

        wait_for_kick: sleeps instead, as many seconds as it is given or fewer; once it returns True the deadline is
        now, or as soon as LEAST_SHARE of a period has passed.
        """
        now = self._now()
        if self._deadline is None or now > self._deadline + self.period_s:
            self._deadline = now
        elif wait_for_kick is None:
            if now < self._deadline:
                self._sleep(self._deadline - now)
        else:
            earliest = self._deadline - (1 - LEAST_SHARE) * self.period_s
            while now < self._deadline:
                has_kick = wait_for_kick(self._deadline - now)
                now = self._now()
                if has_kick:
                    self._deadline = min(self._deadline, max(earliest, now))
                    self._sleep(max(0.0, self._deadline - now))
                    break
        self._deadline += self.period_s


def pace_hz(refresh_hz: float, swap_s: float) -> float:
    """The rate to pace a window at, when a display frame and its swap were measured to take swap_s seconds.

    Where the swap waits for the screen, the rate must be above the screen's: drivers report 59.94 Hz as 59, and pacing
    at that would show one picture a second twice. Where it does not wait, the rate is that of the screen.
    """
    return refresh_hz * 1.05 if swap_s > 0.5 / refresh_hz else refresh_hz


class LateStart:
    """How long to sleep after a swap that waits for the screen, so that a display frame is begun as late as the machine
    allows.

    Without it, sound analysed right after such a swap would be seen a whole refresh later. This measures how long
    listening and drawing take and keeps a margin, which grows with every refresh that was missed and shrinks slowly: on
    a machine that is often late the sleep becomes 0. period_s: one refresh of the screen.
    """

    def __init__(self, period_s: float) -> None:
        self.reset(period_s)

    def reset(self, period_s: float) -> None:
        """Another screen: measure again."""
        self._period_s = period_s
        self._work_s = 0.0
        self._least_s = LEAST_MARGIN_S
        self._margin_s = period_s  # at first it only measures

    @property
    def sleep_s(self) -> float:
        """How long to sleep after a swap before listening and drawing."""
        return max(0.0, self._period_s - self._work_s - self._margin_s)

    def note(self, work_s: float, interval_s: float) -> None:
        """A display frame took work_s to listen and draw, and came interval_s after the one before."""
        slept = self.sleep_s > 0.0
        self._work_s = max(work_s, self._work_s * 0.5 ** (1 / WORK_HALF_LIFE))
        if slept and interval_s > MISSED * self._period_s:
            self._least_s = min(self._period_s, 1.5 * self._least_s)
            self._margin_s = min(self._period_s, 2 * self._margin_s)
        else:
            self._margin_s *= 0.5 ** (1 / MARGIN_HALF_LIFE)
            self._least_s = max(LEAST_MARGIN_S, self._least_s * 0.5 ** (1 / LEAST_HALF_LIFE))
        self._margin_s = max(self._margin_s, self._least_s)


class ScreenClock(Clock):
    """Paces a window, and predicts when its next display frame is seen in seconds of the source.

    position_s: the sound heard at this instant (playback) or just captured (live). A display frame made now reaches the
    eye after its own drawing and, on average, in the middle of a refresh. times: how long display frames took.

    wait_for_kick: see `Source.wait_for_kick`; a kick begins a display frame at once, where the swap does not wait for
    the screen. swap_waits: whether it does; then a display frame is begun as late as possible, see `LateStart`.
    """

    def __init__(
        self,
        position_s: Callable[[], float],
        rate_hz: float,
        *,
        wait_for_kick: Callable[[float], bool] | None = None,
        swap_waits: bool = False,
        now: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._position_s = position_s
        self._wait_for_kick = wait_for_kick
        self._now, self._sleep = now, sleep
        self._late = LateStart(1.0 / rate_hz) if swap_waits else None
        self.times = FrameTimes(1.0 / rate_hz)
        self.set_rate(rate_hz)
        self._began_s = self._drawn_s = self._shown_s = now()
        self._is_first = True

    def set_rate(self, rate_hz: float) -> None:
        """Another pace: the window is on another monitor."""
        self.rate_hz = rate_hz
        self._pacer = Pacer(rate_hz, now=self._now, sleep=self._sleep)
        if self._late is not None:
            self._late.reset(1.0 / rate_hz)
        self._ahead_s = 0.5 / rate_hz
        self.times.period_s = 1.0 / rate_hz

    def wait(self) -> None:
        if self._late is None:
            self._pacer.wait(self._wait_for_kick)
        else:
            self._pacer.wait()
            rest_s = self._shown_s + self._late.sleep_s - self._now()
            if rest_s > 0:
                self._sleep(rest_s)
        began_s = self._now()
        step_s = 0.0 if self._is_first else began_s - self._began_s
        self.dt_s, self.time_s = min(step_s, LONGEST_STEP_S), self.time_s + step_s
        self._began_s, self._is_first = began_s, False

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
    """Display frames a second over the last half second or so, for reading."""

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
