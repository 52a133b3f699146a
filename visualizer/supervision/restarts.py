"""Decide what to do when a show has ended, from how it ended alone; supervise.py carries it out."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Literal, NamedTuple

#: longest time between two display frames, seconds; a change to fullscreen may take two
HANG_S = 5.0
#: longest time from a start to the first display frame: at the first start the files may not be in the disk's cache yet
FIRST_START_S, START_S = 60.0, 30.0
#: longest time between two messages of a hot standby that is ready (it sends two a second), and to its answer when it
#: is activated
STANDBY_S = 3.0
#: longest time to end, after SIGTERM or after the show has reported its end: images and dream frames are written
#: completely
END_S = 10.0
#: seconds before another start, by the number of early crashes in a row; the last one for all further
WAITS_S = (0.0, 0.0, 0.5, 1.0, 2.0, 5.0)
#: a crash within this after the first display frame is early: the resumed state may be its cause
EARLY_S = 3.0
#: after this many early crashes in a row the resumed state is reduced by one step
CRASHES_PER_STEP = 3
#: starts in a row without a display frame before giving up
MAX_STARTS = 20


@dataclass(frozen=True)
class Exit:
    """How a show process ended.

    Parameters
    ----------
    status : exit status, or minus the signal's number; None if there was no display to start it on.
    shown_s : seconds from its first display frame to its end; None if it showed none.
    hung : it was killed because it showed no display frame for too long.
    ending : it had reported a normal end before.
    restart_reason : why it asked for a restart; "" if it did not.
    drew : it was drawing a picture at that moment.
    """

    status: int | None
    shown_s: float | None
    hung: bool = False
    ending: bool = False
    restart_reason: str = ""
    drew: bool = False

    @property
    def cause(self) -> str:
        """The cause for the user and the log: "killed by signal 11 (SIGSEGV)"."""
        if self.status is None:
            return "there is no display"
        if self.restart_reason:
            return self.restart_reason
        if self.hung:
            return "it hung" if self.shown_s is not None else "it did not start"
        if self.status >= 0:
            return f"exit status {self.status}"
        try:
            name = f" ({signal.Signals(-self.status).name})"
        except ValueError:
            name = ""
        return f"killed by signal {-self.status}{name}"

    @property
    def exit_status(self) -> int:
        """The status as a shell reports it, 0..255: 128 + n for signal n, 1 where there is none."""
        if self.status is None or self.hung:
            return 1
        return self.status if self.status >= 0 else 128 - self.status


class Decision(NamedTuple):
    """What to do next: end with `status`, or start again after `wait_s` with the state reduced by `step`."""

    what: Literal["end", "start"]
    status: int = 0
    wait_s: float = 0.0
    step: int = 0


class Restarts:
    """Decides about each crash of a show.

    A show with exit status 0, or that has reported its end, is not started again. One that ends before any display
    frame was ever shown was started wrongly or on a machine that cannot run it: its status is passed on. All others are
    started again; crashes that follow each other quickly make the wait longer and the resumed state smaller.
    """

    def __init__(self) -> None:
        self.was_shown = False  # there was a display frame in one of the starts
        self._n_short = self._n_early = self._n_without_frame = 0  # in a row

    def after(self, end: Exit) -> Decision:
        """Decide what to do after one more end."""
        self.was_shown = self.was_shown or end.shown_s is not None
        if end.status == 0 and not end.hung:
            return Decision("end", 0)
        if end.ending:  # the show was over: a driver that crashes while everything is closed does no harm
            return Decision("end", max(0, end.status or 0) if not end.hung else 0)
        if not self.was_shown and not end.hung:
            return Decision("end", end.exit_status)
        self._n_without_frame = 0 if end.shown_s is not None else self._n_without_frame + 1
        if end.shown_s is not None and end.shown_s >= EARLY_S:
            self._n_short = self._n_early = 0
        else:
            self._n_short += 1
            self._n_early += end.status is not None  # a missing display is not caused by the resumed state
        if self._n_without_frame >= MAX_STARTS:
            return Decision("end", end.exit_status)
        wait_s = WAITS_S[min(max(self._n_short - 1, 0), len(WAITS_S) - 1)]
        return Decision("start", wait_s=wait_s, step=self._n_early // CRASHES_PER_STEP)


class Timeout:
    """A timeout that counts only the time in which this process waited, not the time in which the machine was
    suspended.

    limit_s: seconds until it expires; None: it never does.
    """

    MAX_ADDED_S = 0.5  # one wait takes at most half of this; anything longer was a suspended machine

    def __init__(self, limit_s: float | None) -> None:
        self.reset(limit_s)

    def reset(self, limit_s: float | None) -> None:
        """Start again with a new limit."""
        self._left_s = limit_s

    def has_expired(self, waited_s: float) -> bool:
        """Add the seconds since the last call; True once the limit is reached."""
        if self._left_s is None:
            return False
        self._left_s -= min(max(waited_s, 0.0), self.MAX_ADDED_S)
        return self._left_s <= 0
