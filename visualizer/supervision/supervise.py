"""The supervisor: starts the show as a child process, and starts it again where it stood when it dies.

It holds nothing of the show, loads nothing heavy and draws nothing: what brings the show down does not reach it. And the show
does not need it: when the supervisor is killed, the show goes on.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from ..files.log import share_log
from .child import Child, take_trace
from .display import display_answers, hides_windows
from .restarts import END_S, FIRST_START_S, HANG_S, STANDBY_S, START_S, Death, Next, Patience, Restarts
from .resume import ResumeState

log = logging.getLogger(__name__)

LOOK_S = 0.25  # how often the show is looked at while it says nothing
#: a spare is started this long after the first picture, when the show has settled; one that died is not replaced at once
SPARE_AFTER_S, SPARE_AGAIN_S = 3.0, 60.0
#: for a show that was started again: what died once may soon die once more
SPARE_AFTER_DEATH_S = 1.0
#: a second Ctrl-C within this is the first one held too long; later it means: at once
AT_ONCE_S = 1.0
_ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGBREAK")
_WITH = (
    "all it had",
    "all but the panel and what was set by hand",
    "the default preset",
    "nothing but the default preset",
)


@dataclass(frozen=True)
class Limits:
    """The longest, in seconds: first_start_s from the first start to its first display frame, start_s from a later one; hang_s between
    two display frames, None for no end; end_s from being told to end to the end; standby_s between two signs of a hot standby that is ready.
    """

    first_start_s: float = FIRST_START_S
    start_s: float = START_S
    hang_s: float | None = HANG_S
    end_s: float = END_S
    standby_s: float = STANDBY_S


def supervise(
    arguments: Sequence[str],
    *,
    command: Sequence[str] | None = None,
    say: Callable[[str], None] | None = None,
    spare_after_s: float | None = SPARE_AFTER_S,
    limits: Limits | None = None,
) -> int:
    """Run this program with these arguments and start it again when it dies, until it ends by itself or the user ends it.

    arguments: as they came, with the options that stand before the command's name. command: what is started in place of this program.
    say: is told lines for the terminal. spare_after_s: how long after the first picture a second process is started, which loads all it needs
    and waits to take over; None for none.

    The exit status is the show's own, 128 + n where signal n killed it before it ever showed a picture; what Ctrl-C or SIGTERM makes
    of it otherwise. Must be called on the main thread.
    """
    if limits is None:
        limits = Limits(hang_s=None if hides_windows(os.environ) else HANG_S)
    with _endings() as endings:
        share_log()
        words = command_of(arguments) if command is None else [*command, *arguments]
        supervisor = _Supervisor(words, dict(os.environ), endings, limits, say or (lambda line: None), spare_after_s)
        return supervisor.run()


def command_of(arguments: Sequence[str]) -> list[str]:
    """The words that start this program with these arguments and without a supervisor of its own."""
    package = Path(__file__).resolve().parent.parent
    # `-m` looks for modules where the user happens to be first of all; that is needed only where the program lies there
    safe = [] if package.parent == Path.cwd() else ["-P"]
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return [sys.executable, *safe, "-m", package.name, *arguments[:at], "--no-supervise", *arguments[at:]]


class _Endings:
    """Signals that ask for the end. wake: becomes readable when one comes."""

    def __init__(self, wake: socket.socket) -> None:
        self.wake, self._n_told, self._first_s = wake, 0, 0.0

    def note(self, now_s: float) -> None:
        """One has come."""
        self._first_s = self._first_s if self._n_told else now_s
        # one that was held too long is told by the terminal as several
        self._n_told = 2 if self._n_told and now_s - self._first_s > AT_ONCE_S else 1

    @property
    def wanted(self) -> bool:
        """The end was asked for."""
        return self._n_told > 0

    @property
    def at_once(self) -> bool:
        """It was asked for again."""
        return self._n_told > 1

    def slept(self) -> None:
        """Forget what woke."""
        with suppress(OSError):
            while self.wake.recv(100):
                pass


@contextmanager
def _endings(now: Callable[[], float] = time.monotonic) -> Iterator[_Endings]:
    """Note signals that ask for the end instead of obeying them; those that were ignored stay so (nohup)."""
    wake, alarm = socket.socketpair()
    wake.setblocking(False)
    alarm.setblocking(False)
    endings = _Endings(wake)

    def note(number: int, frame: FrameType | None) -> None:
        endings.note(now())

    numbers = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        if before[number] != signal.SIG_IGN:
            signal.signal(number, note)
    if hasattr(signal, "SIGCHLD"):
        # ignored, no child's end would be noticed; so each wakes the supervisor
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda number, frame: None)
    woken_before = signal.set_wakeup_fd(alarm.fileno(), warn_on_full_buffer=False)
    try:
        yield endings
    finally:
        signal.set_wakeup_fd(woken_before)
        for number, handler in before.items():
            if handler is not None:  # None: not set from Python, and not to be set back from it
                signal.signal(number, handler)
        wake.close()
        alarm.close()


class _Supervisor:
    """words: what starts the show. environment: its variables."""

    def __init__(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        endings: _Endings,
        limits: Limits,
        say: Callable[[str], None],
        spare_after_s: float | None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._words, self._environment, self._endings, self._limits = words, environment, endings, limits
        self._say, self._spare_after_s, self._now = say, spare_after_s, now
        self._restarts = Restarts()
        self._spare: Child | None = None
        self._spare_patience = Patience(None)
        self._spare_since_s: float | None = None

    def run(self) -> int:
        """Until the end -> exit status."""
        state: ResumeState | None = None
        why, quiet, start_s = "", False, self._limits.first_start_s
        try:
            while True:
                child = self._begin(state, why, quiet)
                death = self._attend(child, start_s)
                if self._endings.wanted:
                    return max(0, death.status or 0)
                verdict = self._restarts.after(death)
                self._record(child, death, verdict)
                if self._spare_after_s is not None:
                    self._spare_after_s = min(self._spare_after_s, SPARE_AFTER_DEATH_S)
                if verdict.what == "start":
                    verdict = self._wait(verdict)
                if self._endings.wanted or verdict.what == "end":
                    return verdict.status
                # what a start without a picture had to say was said once
                state, why, quiet = child.state, f"the show was started again: {death.cause}", death.shown_s is None
                if state is not None or verdict.step:
                    state = (state or ResumeState()).with_less(verdict.step)
                start_s = self._limits.start_s
        finally:
            self._dismiss_spare()

    def _begin(self, state: ResumeState | None, why: str, quiet: bool) -> Child:
        """The spare if there is one, else a new process."""
        spare, self._spare = self._spare, None
        if spare is not None:
            self._spare_since_s = None
            if spare.call(state, why):
                return spare
            spare.drop()
        return Child(self._words, self._environment, state=state, why=why, quiet=quiet)

    def _attend(self, child: Child, start_s: float) -> Death:
        """Listen to the show until it has ended, and end it when it is told to or hangs."""
        patience, looked_s = Patience(self._limits.standby_s if child.is_ready else start_s), self._now()
        telling = ending = hung = False
        while not child.is_over():
            self._sleep(LOOK_S, child)
            if self._endings.wanted and not telling:
                telling = True
                child.tell_to_end()
                patience.renew(self._limits.end_s)
            if child.hear() and not (telling or ending):
                # one that was a hot standby until now shows first that it runs
                begins_s = self._limits.standby_s if child.is_ready else start_s
                patience.renew(self._limits.hang_s if child.shown_s is not None else begins_s)
            if child.is_deaf and not telling:
                patience.renew(None)  # it goes on without us, so it lives; only its end can be told now
            if child.ending and not ending:
                ending = True
                patience.renew(self._limits.end_s)
            before_s, looked_s = looked_s, self._now()
            waited_s = looked_s - before_s
            if (is_late := patience.waited(waited_s) or self._endings.at_once) or (
                child.asked and not (telling or ending)
            ):
                hung = is_late
                child.kill()
                break
            self._look_after_spare(child, waited_s)
        shown_s = child.shown_s
        status = child.reap()
        return Death(
            status, child.shown_s if shown_s is None else shown_s, hung=hung, ending=child.ending, asked=child.asked
        )

    def _wait(self, verdict: Next) -> Next:
        """Until the next start, and until there is a display for it; what is done then."""
        while True:
            end_s = self._now() + verdict.wait_s
            while (left_s := end_s - self._now()) > 0 and not self._endings.wanted:
                self._sleep(left_s)
            if self._endings.wanted or display_answers(self._environment):
                return verdict
            death = Death(None, None)
            verdict = self._restarts.after(death)
            if verdict.what == "end":
                self._tell(f"the show cannot go on: {death.cause}")
                return verdict

    def _sleep(self, seconds: float, child: Child | None = None) -> None:
        """Until something is said, or so long."""
        lines = [self._endings.wake.fileno()]
        if child is not None and not child.is_deaf:
            lines.append(child.fileno())
        select.select(lines, [], [], seconds)
        self._endings.slept()

    def _look_after_spare(self, child: Child, waited_s: float) -> None:
        """Have one, once the show has settled, and end it if it hangs. waited_s: since the last call."""
        if (spare := self._spare) is not None:
            was_ready = spare.is_ready
            if spare.hear():
                self._spare_patience.renew(self._limits.standby_s if spare.is_ready else self._limits.start_s)
            if spare.is_ready and not was_ready:
                log.info("hot standby %d is ready", spare.pid)
            if spare.is_over():
                log.warning("the hot standby ended with status %s", spare.reap())
                self._spare = None
            elif self._spare_patience.waited(waited_s):
                log.warning("the hot standby hangs; it is ended")
                self._dismiss_spare()
            return
        shown_s, now_s = child.shown_s, self._now()
        if self._spare_after_s is None or shown_s is None or shown_s < self._spare_after_s or child.ending:
            return
        if self._endings.wanted or (self._spare_since_s is not None and now_s - self._spare_since_s < SPARE_AGAIN_S):
            return
        self._spare_since_s = now_s
        try:
            self._spare = Child(self._words, self._environment, spare=True)
            self._spare_patience.renew(self._limits.start_s)
        except OSError as fault:
            log.warning("no hot standby can be started: %s", fault)

    def _dismiss_spare(self) -> None:
        if self._spare is not None:
            self._spare.drop()
            self._spare = None

    def _record(self, child: Child, death: Death, verdict: Next) -> None:
        """Tell the log and the terminal of a death."""
        if trace := take_trace():
            log.error("where the show stood:\n%s", trace)
        if verdict.what == "end" and verdict.status == 0 == death.status:
            return
        if verdict.what == "start":
            n_frames, n_dropped, gap_ms = child.figures
            log.error(
                "the show died: %s; %s display frames shown, %s dropped, longest gap %s ms; again in %g s with %s",
                *(death.cause, n_frames, n_dropped, gap_ms, verdict.wait_s, _WITH[min(verdict.step, 3)]),
            )
            if death.shown_s is not None or death.hung:
                self._say_safely(f"the show stopped ({death.cause}); it is started again")
        elif death.ending:
            log.warning("the show ended, and died while it was taken down: %s", death.cause)
        elif death.hung or (death.status or 0) < 0 or self._restarts.was_shown:
            self._tell(f"the show cannot go on: {death.cause}")

    def _tell(self, line: str) -> None:
        """To the log and the terminal."""
        log.error("%s", line)
        self._say_safely(line)

    def _say_safely(self, line: str) -> None:
        with suppress(OSError, ValueError):  # the terminal may be gone
            self._say(line)
