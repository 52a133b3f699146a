"""How long display frames take, and how many came too late or too early for their refresh of the screen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

N_RECENT = 600  # display frames: ten seconds at 60 a second
BIN_S = 0.0001
N_BINS = 5000  # everything above half a second is in the last one


class Percentiles(NamedTuple):
    """Percentiles of the time from one display frame to the next, ms."""

    p50_ms: float
    p95_ms: float
    p99_ms: float


NO_TIMES = Percentiles(0.0, 0.0, 0.0)


class FrameTimes:
    """Statistics of display frames. period_s: how long each should be shown. `note` allocates nothing.

    n_repeated: refreshes that showed the display frame before again, since no new one was ready. n_dropped: display
    frames that were hardly seen, since the next one came within half a period. work_s: from waking up to having shown,
    of the last one. longest_s: the longest time from one to the next.
    """

    def __init__(self, period_s: float) -> None:
        self.period_s = period_s
        self.n_frames = self.n_repeated = self.n_dropped = 0
        self.work_s = self.longest_s = 0.0
        self._recent_s = np.zeros(N_RECENT)
        self._bins = np.zeros(N_BINS, np.int64)

    def note(self, interval_s: float, work_s: float) -> None:
        """Count a display frame. interval_s: since the one before; work_s: to draw and show it."""
        self._recent_s[self.n_frames % N_RECENT] = interval_s
        self._bins[min(int(interval_s / BIN_S), N_BINS - 1)] += 1
        self.n_frames += 1
        self.work_s = work_s
        if self.n_frames > 1:  # the first has none before it
            self.longest_s = max(self.longest_s, interval_s)
            periods = interval_s / self.period_s
            if periods > 1.5:
                self.n_repeated += round(periods) - 1
            elif periods < 0.5:
                self.n_dropped += 1

    def recent(self) -> Percentiles:
        """Of the last N_RECENT display frames; zeros before the first."""
        n = min(self.n_frames, N_RECENT)
        if n == 0:
            return NO_TIMES
        return Percentiles(*(np.percentile(self._recent_s[:n], (50, 95, 99)) * 1000).tolist())

    def overall(self) -> Percentiles:
        """Of all display frames so far, to 0.1 ms; zeros before the first."""
        if self.n_frames == 0:
            return NO_TIMES
        reached = np.cumsum(self._bins)
        at = [int(np.searchsorted(reached, share * self.n_frames)) for share in (0.5, 0.95, 0.99)]
        return Percentiles(*((index + 1) * BIN_S * 1000 for index in at))
