"""What is done when a show has ended or died: decided here, from what is known of its end alone, and done in supervise.py."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Literal, NamedTuple

#: a display frame is shown some 60 times a second; a change to fullscreen may hold one up for two seconds
HANG_S = 5.0
#: from its start to the first display frame of a show: what is read from the disk then may not be in memory yet
FIRST_START_S, START_S = 60.0, 30.0
#: a hot standby that is ready says so twice a second, and answers at once when it is called
STANDBY_S = 3.0
#: from being told to end, or from saying that it does, to the end: pictures and dream frames are written whole
END_S = 10.0
#: seconds before another start, by how many deaths in a row came early; the last one for all further
WAITS_S = (0.0, 0.0, 0.5, 1.0, 2.0, 5.0)
#: a death within this after the first picture is early: what the show began with may be to blame
EARLY_S = 3.0
#: after every so many early deaths in a row there is less to begin with
DEATHS_A_STEP = 3
#: so many starts in a row that brought no picture are enough
MOST_STARTS = 20


@dataclass(frozen=True)
class Death:
    """How a show ended.

    status: the exit status, or the signal's number below zero; None if there was no display to start it on. shown_s: how long
    ago its first picture was, None if there was none. hung: it had to be killed because no picture came any more. ending: it
    had said that its end was coming. asked: why it asked to be started again, "" if it did not.
    """

    status: int | None
    shown_s: float | None
    hung: bool = False
    ending: bool = False
    asked: str = ""

    @property
    def cause(self) -> str:
        """ "killed by signal 11 (SIGSEGV)", for reading."""
        if self.status is None:
            return "there is no display"
        if self.asked:
            return self.asked
        if self.hung:
            return "it hung" if self.shown_s is not None else "it did not begin"
        if self.status >= 0:
            return f"exit status {self.status}"
        try:
            name = f" ({signal.Signals(-self.status).name})"
        except ValueError:
            name = ""
        return f"killed by signal {-self.status}{name}"

    @property
    def exit_status(self) -> int:
        """The status as a shell would tell it: never negative, and 1 where there is none."""
        if self.status is None or self.hung:
            return 1
        return self.status if self.status >= 0 else 128 - self.status


class Next(NamedTuple):
    """What is done now: end with `status`, or start again after `wait_s` with a state `with_less` by `step`."""

    what: Literal["end", "start"]
    status: int = 0
    wait_s: float = 0.0
    step: int = 0


class Restarts:
    """The deaths of a show so far, and what follows from the next.

    A show that ends by itself has ended. One that dies before it ever showed a picture was started wrongly or on a machine that cannot:
    its status is passed on. All else is started again, ever later the sooner it dies, and with ever less.
    """

    def __init__(self) -> None:
        self.was_shown = False  # there was a picture once, in any of the starts
        self.n_deaths = 0
        self._n_soon = self._n_early = self._n_dark = 0

    def after(self, death: Death) -> Next:
        """What is done after one more end or death."""
        self.was_shown = self.was_shown or death.shown_s is not None
        if death.status == 0 and not death.hung:
            return Next("end", 0)
        if death.ending:  # it was over: a driver that dies while all is taken down spoils nothing
            return Next("end", max(0, death.status or 0) if not death.hung else 0)
        if not self.was_shown and not death.hung:
            return Next("end", death.exit_status)
        self.n_deaths += 1
        self._n_dark = 0 if death.shown_s is not None else self._n_dark + 1
        if death.shown_s is not None and death.shown_s >= EARLY_S:
            self._n_soon = self._n_early = 0
        else:
            self._n_soon += 1
            self._n_early += (
                death.status is not None
            )  # what a show begins with is not to blame for a display that is not there
        if self._n_dark >= MOST_STARTS:
            return Next("end", death.exit_status)
        wait_s = WAITS_S[min(max(self._n_soon - 1, 0), len(WAITS_S) - 1)]
        return Next("start", wait_s=wait_s, step=self._n_early // DEATHS_A_STEP)


class Patience:
    """How long something may still take. Only time that passed while somebody waited counts: a machine that slept was not waited for.

    limit_s: how much there is in all, seconds; None for no end to it.
    """

    MOST_AT_ONCE_S = 0.5  # a wait is never longer than half of this; what is longer was sleep

    def __init__(self, limit_s: float | None) -> None:
        self.renew(limit_s)

    def renew(self, limit_s: float | None) -> None:
        """Begin anew, with so much."""
        self._left_s = limit_s

    def waited(self, seconds: float) -> bool:
        """So much time has passed since the last call; True once there is no patience left."""
        if self._left_s is None:
            return False
        self._left_s -= min(max(seconds, 0.0), self.MOST_AT_ONCE_S)
        return self._left_s <= 0
