"""Beginning a display frame as late before the screen's next refresh as the machine allows."""

from __future__ import annotations

LEAST_MARGIN_S = 0.0015
# What a display frame took is forgotten by half in so many display frames, a margin in so many, what proved too little in so many.
WORK_HALF_LIFE, MARGIN_HALF_LIFE, LEAST_HALF_LIFE = 150, 300, 20_000
# A refresh was missed when a picture took more of them than this.
MISSED = 1.5


class LateStart:
    """Where a swap waits for the screen, what was heard right after one waits a whole refresh to be seen. This tells how long
    to sleep first, so that it waits no longer than drawing takes.

    period_s: of the screen. It learns what hearing and drawing take, keeps a margin, and a larger one for a good while after
    every refresh that was missed: on a machine that is often late it does not sleep at all.
    """

    def __init__(self, period_s: float) -> None:
        self.begin_anew(period_s)

    def begin_anew(self, period_s: float) -> None:
        """Another screen."""
        self._period_s = period_s
        self._work_s = 0.0
        self._least_s = LEAST_MARGIN_S
        self._margin_s = period_s  # at first it only watches

    @property
    def sleep_s(self) -> float:
        """How long to sleep after a swap before hearing and drawing."""
        return max(0.0, self._period_s - self._work_s - self._margin_s)

    def note(self, work_s: float, interval_s: float) -> None:
        """A display frame took work_s to hear and draw, and came interval_s after the one before."""
        slept = self.sleep_s > 0.0
        self._work_s = max(work_s, self._work_s * 0.5 ** (1 / WORK_HALF_LIFE))
        if slept and interval_s > MISSED * self._period_s:
            self._least_s = min(self._period_s, 1.5 * self._least_s)
            self._margin_s = min(self._period_s, 2 * self._margin_s)
        else:
            self._margin_s *= 0.5 ** (1 / MARGIN_HALF_LIFE)
            self._least_s = max(LEAST_MARGIN_S, self._least_s * 0.5 ** (1 / LEAST_HALF_LIFE))
        self._margin_s = max(self._margin_s, self._least_s)
