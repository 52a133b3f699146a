"""The supervisor: runs the show as a child process, and after a crash starts it again from its last state.

It holds no part of the show, loads no driver and draws nothing, so that it survives whatever crashes the show. The show
does not need it either: when the supervisor is killed, the show goes on.
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
from ..settings import PLAIN_PRESET
from .child import Child, take_trace, was_drawing
from .display import is_display_reachable, pauses_hidden_windows
from .restarts import END_S, FIRST_START_S, HANG_S, STANDBY_S, START_S, Decision, Exit, Restarts, Timeout
from .resume import ResumeState

log = logging.getLogger(__name__)

POLL_S = 0.25  # how often the show is checked while it sends nothing
#: a hot standby is started this long after the first display frame; another one no sooner than this after the last
STANDBY_AFTER_S, STANDBY_AGAIN_S = 3.0, 60.0
#: the same for a show that was restarted: one crash is often followed by another
STANDBY_AFTER_CRASH_S = 1.0
#: a second Ctrl-C within this is one key held too long; later it means: end at once
AT_ONCE_S = 1.0
_END_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGBREAK")
_RESUMED = (  # by the step of `ResumeState.reduced`
    "its whole state",
    "its state without the panel and the values set by hand",
    f"the preset {PLAIN_PRESET}",
    f"nothing but the preset {PLAIN_PRESET}",
)


@dataclass(frozen=True)
class Limits:
    """Longest times, seconds.

    Parameters
    ----------
    first_start_s : from the first start to its first display frame.
    start_s : the same for later starts.
    hang_s : between two display frames; None for no limit.
    end_s : from the request to end to the end.
    standby_s : between two messages of a hot standby that is ready.
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
    standby_after_s: float | None = STANDBY_AFTER_S,
    limits: Limits | None = None,
) -> int:
    """Run this program as a child process, and again after each crash, until it ends by itself or the user ends it.

    Must be called on the main thread.

    Parameters
    ----------
    arguments : of the command line, with the options that stand before the command's name.
    command : started instead of this program, for tests.
    say : called with each line for the terminal.
    standby_after_s : seconds from the first display frame to the start of a hot standby; None for none.
    limits : longest times; None for the usual ones.

    Returns the exit status: the show's own, or 128 + n if signal n killed it before it showed a display frame.
    """
    if limits is None:
        limits = Limits(hang_s=None if pauses_hidden_windows(os.environ) else HANG_S)
    with _end_requests() as requests:
        share_log()
        words = command_of(arguments) if command is None else [*command, *arguments]
        supervisor = _Supervisor(words, dict(os.environ), requests, limits, say or (lambda line: None), standby_after_s)
        return supervisor.run()


def command_of(arguments: Sequence[str]) -> list[str]:
    """The command that runs this program with these arguments and without a supervisor."""
    package = Path(__file__).resolve().parent.parent
    # `-m` searches the current folder for modules first; -P prevents that unless the program lies in it
    safe = [] if package.parent == Path.cwd() else ["-P"]
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return [sys.executable, *safe, "-m", package.name, *arguments[:at], "--no-supervise", *arguments[at:]]


class _EndRequests:
    """Counts signals that ask the show to end. wake: a socket that becomes readable when one arrives."""

    def __init__(self, wake: socket.socket) -> None:
        self.wake, self._n_requests, self._first_s = wake, 0, 0.0

    def add(self, now_s: float) -> None:
        """Count a signal."""
        self._first_s = self._first_s if self._n_requests else now_s
        # a Ctrl-C held too long is repeated by the terminal
        self._n_requests = 2 if self._n_requests and now_s - self._first_s > AT_ONCE_S else 1

    @property
    def is_requested(self) -> bool:
        """The user has asked for the end."""
        return self._n_requests > 0

    @property
    def is_urgent(self) -> bool:
        """The user has asked again: end at once."""
        return self._n_requests > 1

    def clear_wake(self) -> None:
        """Empty the socket."""
        with suppress(OSError):
            while self.wake.recv(100):
                pass


@contextmanager
def _end_requests(now: Callable[[], float] = time.monotonic) -> Iterator[_EndRequests]:
    """Count signals that ask for the end instead of ending; signals that were ignored stay ignored (nohup)."""
    wake, alarm = socket.socketpair()
    wake.setblocking(False)
    alarm.setblocking(False)
    requests = _EndRequests(wake)

    def add(number: int, frame: FrameType | None) -> None:
        requests.add(now())

    numbers = [getattr(signal, name) for name in _END_SIGNALS if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        if before[number] != signal.SIG_IGN:
            signal.signal(number, add)
    if hasattr(signal, "SIGCHLD"):
        # a handler, even an empty one, makes the end of a child wake the supervisor
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda number, frame: None)
    woken_before = signal.set_wakeup_fd(alarm.fileno(), warn_on_full_buffer=False)
    try:
        yield requests
    finally:
        signal.set_wakeup_fd(woken_before)
        for number, handler in before.items():
            if handler is not None:  # None: it was not set from Python, and cannot be restored from it
                signal.signal(number, handler)
        wake.close()
        alarm.close()


class _Supervisor:
    """words: the command that starts the show; environment: its environment variables."""

    def __init__(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        requests: _EndRequests,
        limits: Limits,
        say: Callable[[str], None],
        standby_after_s: float | None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._words, self._environment, self._requests, self._limits = words, environment, requests, limits
        self._say, self._standby_after_s, self._now = say, standby_after_s, now
        self._restarts = Restarts()
        self._standby: Child | None = None
        self._standby_timeout = Timeout(None)
        self._standby_started_s: float | None = None

    def run(self) -> int:
        """Run the show until its end; returns the exit status."""
        state: ResumeState | None = None
        why, quiet, start_s = "", False, self._limits.first_start_s
        try:
            while True:
                child = self._start(state, why, quiet)
                end = self._watch(child, start_s)
                if self._requests.is_requested:
                    return max(0, end.status or 0)
                decision = self._restarts.after(end)
                self._report(child, end, decision)
                if self._standby_after_s is not None:
                    self._standby_after_s = min(self._standby_after_s, STANDBY_AFTER_CRASH_S)
                if decision.what == "start":
                    decision = self._wait(decision)
                if self._requests.is_requested or decision.what == "end":
                    return decision.status
                # a start that fails before its first display frame has written its error already
                state, why, quiet = child.state, f"the show was restarted: {end.cause}", end.shown_s is None
                if state is not None and end.drew:
                    state = state.without_looks()
                if state is not None or decision.step:
                    state = (state or ResumeState()).reduced(decision.step)
                start_s = self._limits.start_s
        finally:
            self._drop_standby()

    def _start(self, state: ResumeState | None, why: str, quiet: bool) -> Child:
        """Activate the hot standby if there is one, else start a new process."""
        standby, self._standby = self._standby, None
        if standby is not None:
            self._standby_started_s = None
            if standby.activate(state, why):
                return standby
            standby.drop()
        return Child(self._words, self._environment, state=state, why=why, quiet=quiet)

    def _watch(self, child: Child, start_s: float) -> Exit:
        """Read the show's messages until it has ended; end it when the user asks for that or it hangs."""
        timeout, polled_s = Timeout(self._limits.standby_s if child.is_ready else start_s), self._now()
        is_terminated = is_ending = hung = False
        while not child.has_exited():
            self._sleep(POLL_S, child)
            if self._requests.is_requested and not is_terminated:
                is_terminated = True
                child.terminate()
                timeout.reset(self._limits.end_s)
            if child.receive() and not (is_terminated or is_ending):
                # a hot standby that was activated must first answer that it starts
                first_s = self._limits.standby_s if child.is_ready else start_s
                timeout.reset(self._limits.hang_s if child.shown_s is not None else first_s)
            if child.is_disconnected and not is_terminated:
                timeout.reset(None)  # the show runs on without its supervisor: only its end can be noticed now
            if child.is_ending and not is_ending:
                is_ending = True
                timeout.reset(self._limits.end_s)
            before_s, polled_s = polled_s, self._now()
            waited_s = polled_s - before_s
            is_late = timeout.has_expired(waited_s) or self._requests.is_urgent
            if is_late or (child.restart_reason and not (is_terminated or is_ending)):
                hung = is_late
                child.kill()
                break
            self._maintain_standby(child, waited_s)
        shown_s = child.shown_s
        status = child.reap()
        shown_s = child.shown_s if shown_s is None else shown_s
        if trace := take_trace():
            log.error("traceback of the show:\n%s", trace)
        return Exit(
            status,
            shown_s,
            hung=hung,
            ending=child.is_ending,
            restart_reason=child.restart_reason,
            # a process that hangs cannot write its traceback on every system
            drew=was_drawing(trace) if trace else hung,
        )

    def _wait(self, decision: Decision) -> Decision:
        """Wait before the next start, and until a display is reachable; returns what to do then."""
        while True:
            end_s = self._now() + decision.wait_s
            while (left_s := end_s - self._now()) > 0 and not self._requests.is_requested:
                self._sleep(left_s)
            if self._requests.is_requested or is_display_reachable(self._environment):
                return decision
            end = Exit(None, None)
            decision = self._restarts.after(end)
            if decision.what == "end":
                self._log_and_say(f"the show cannot go on: {end.cause}")
                return decision

    def _sleep(self, seconds: float, child: Child | None = None) -> None:
        """Wait for a message, a signal or the end of a child, at most so long."""
        lines = [self._requests.wake.fileno()]
        if child is not None and not child.is_disconnected:
            lines.append(child.fileno())
        select.select(lines, [], [], seconds)
        self._requests.clear_wake()

    def _maintain_standby(self, child: Child, waited_s: float) -> None:
        """Start a hot standby once the show has run for a while, and end one that hangs. waited_s: since the last
        call.
        """
        if (standby := self._standby) is not None:
            was_ready = standby.is_ready
            if standby.receive():
                self._standby_timeout.reset(self._limits.standby_s if standby.is_ready else self._limits.start_s)
            if standby.is_ready and not was_ready:
                log.info("hot standby %d is ready", standby.pid)
            if standby.has_exited():
                log.warning("the hot standby ended with status %s", standby.reap())
                self._standby = None
            elif self._standby_timeout.has_expired(waited_s):
                log.warning("the hot standby hangs and is killed")
                self._drop_standby()
            return
        shown_s, now_s = child.shown_s, self._now()
        if self._standby_after_s is None or shown_s is None or shown_s < self._standby_after_s or child.is_ending:
            return
        is_too_soon = self._standby_started_s is not None and now_s - self._standby_started_s < STANDBY_AGAIN_S
        if self._requests.is_requested or is_too_soon:
            return
        self._standby_started_s = now_s
        try:
            self._standby = Child(self._words, self._environment, standby=True)
            self._standby_timeout.reset(self._limits.start_s)
        except OSError as fault:
            log.warning("no hot standby can be started: %s", fault)

    def _drop_standby(self) -> None:
        if self._standby is not None:
            self._standby.drop()
            self._standby = None

    def _report(self, child: Child, end: Exit, decision: Decision) -> None:
        """Write how the show ended to the log and, where the user must know, to the terminal."""
        if decision.what == "end" and decision.status == 0 == end.status:
            return
        if decision.what == "start":
            n_frames, n_dropped, gap_ms = child.frame_counts
            log.error(
                "the show stopped: %s; %s display frames shown, %s dropped, longest gap %s ms; restart in %g s with %s",
                *(end.cause, n_frames, n_dropped, gap_ms, decision.wait_s, _RESUMED[min(decision.step, 3)]),
            )
            if end.shown_s is not None or end.hung:
                self._say_safely(f"the show stopped ({end.cause}); restarting it")
        elif end.ending:
            log.warning("the show ended, and crashed while it was closing: %s", end.cause)
        elif end.hung or (end.status or 0) < 0 or self._restarts.was_shown:
            self._log_and_say(f"the show cannot go on: {end.cause}")

    def _log_and_say(self, line: str) -> None:
        log.error("%s", line)
        self._say_safely(line)

    def _say_safely(self, line: str) -> None:
        with suppress(OSError, ValueError):  # the terminal may have been closed
            self._say(line)
