"""The show's end of the socket to its supervisor: reports display frames and the state of the show as lines of JSON.

Nothing here blocks, and the show does not need the supervisor: when that has ended, the show goes on.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import IO, Any

from ..memory import share_one_heap
from .resume import ResumeState

log = logging.getLogger(__name__)

#: environment variables: descriptor of the inherited socket; the start message, JSON; set for a hot standby
LINE, RESUME, STANDBY = "VISUALIZER_LIFELINE", "VISUALIZER_RESUME", "VISUALIZER_STANDBY"

BEAT_S = 0.1  # shortest time between two reports
MAX_UNSENT_BYTES = 200_000  # more than any state takes
CRASH_LOG, CRASH_LOG_BYTES = "crash.log", 1_000_000

STANDBY_BEAT_S = 0.5  # how often a hot standby reports that it runs
# A hot standby pauses this long between its modules, so that loading them does not disturb the running show.
_PAUSE_S = 0.1


class Lifeline:
    """The connection to the supervisor.

    resume: the state to continue from, None for a first start; why: the reason of the restart as a line for the user,
    or "".
    """

    def __init__(
        self,
        connection: socket.socket,
        resume: ResumeState | None = None,
        why: str = "",
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.resume, self.why = resume, why
        self._connection: socket.socket | None = connection
        connection.setblocking(False)
        self._now = now
        self._unsent = b""
        self._has_asked = False
        self._state = self._reported = ResumeState()
        self._beat_s = self._reported_s = -BEAT_S
        self._crash_log: IO[str] | None = None

    @classmethod
    def inherited(cls) -> Lifeline | None:
        """The connection to the supervisor that started this process; None without one. Only the first call returns
        it.
        """
        number, start = os.environ.pop(LINE, None), os.environ.pop(RESUME, "")
        os.environ.pop(STANDBY, None)
        if number is None:
            return None
        try:
            connection = socket.socket(fileno=int(number))
            os.set_inheritable(connection.fileno(), False)
        except (OSError, ValueError) as fault:
            log.warning("the supervisor's socket %r cannot be used: %s", number, fault)
            return None
        state, why = read_start(start)
        lifeline = cls(connection, state, why)
        lifeline._prepare_for_crashes()
        return lifeline

    def beat(self, n_frames: int, n_dropped: int, longest_gap_ms: float) -> None:
        """Report that a display frame was shown: the frames so far, those dropped, and the longest time between two of
        them.
        """
        if self._connection is None:
            return
        now_s = self._now()
        if now_s - self._beat_s >= BEAT_S:
            self._beat_s = now_s
            self._send({"beat": [n_frames, n_dropped, round(longest_gap_ms, 1)]})
            self._report_state(now_s)

    def keep(self, state: ResumeState, *, at_once: bool = False) -> None:
        """Keep the state of the show, and report it if it has changed. at_once: and not at the next beat, since what
        comes now may end the process.
        """
        self._state = state
        if at_once:
            self._reported_s = -BEAT_S
        if self._connection is not None:
            self._report_state(self._now())

    def ask_restart(self, reason: str) -> bool:
        """Ask the supervisor to continue the show in a new process, because of a fault that cannot be repaired in this
        one.

        Only the first call asks. reason: a few words for the user. Returns False without a supervisor.
        """
        if self._connection is not None and not self._has_asked:
            self._has_asked = self._send({"restart": reason})
        return self._connection is not None

    def ended(self) -> None:
        """Report a normal end: from here on the show only closes what it has opened."""
        self._send({"ended": True})

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _report_state(self, now_s: float) -> None:
        if now_s - self._reported_s < BEAT_S or self._state == self._reported:
            return
        state = self._state
        if self._send({"state": state.to_json()}):
            self._reported, self._reported_s = state, now_s

    def _send(self, message: dict[str, Any]) -> bool:
        """Send a message; drop it, and return False, while an earlier one is still unsent."""
        if self._connection is None or (self._unsent and not self._flush()):
            return False
        self._unsent = json.dumps(message).encode() + b"\n"
        if len(self._unsent) > MAX_UNSENT_BYTES:
            self._unsent = b""
            return False
        self._flush()
        return True

    def _flush(self) -> bool:
        """Send what is unsent, as far as the socket accepts it; True if nothing is left."""
        assert self._connection is not None
        try:
            self._unsent = self._unsent[self._connection.send(self._unsent) :]
        except BlockingIOError:
            return False
        except OSError as fault:
            log.warning("the supervisor has ended (%s); the show continues without it", fault)
            self.close()
            self._unsent = b""
            return False
        return not self._unsent

    def _prepare_for_crashes(self) -> None:
        """Write tracebacks to crash.log on a crash, without a core dump; and do not stop when a line is written to the
        terminal.
        """
        from ..files.paths import log_folder

        with suppress(OSError):
            path = log_folder() / CRASH_LOG
            path.parent.mkdir(parents=True, exist_ok=True)
            big = path.exists() and path.stat().st_size > CRASH_LOG_BYTES
            self._crash_log = path.open("w" if big else "a", encoding="utf-8")
            faulthandler.enable(self._crash_log)
        if sys.platform != "win32":
            if self._crash_log is not None:
                # the supervisor sends it before it kills a process that hangs
                faulthandler.register(signal.SIGUSR2, self._crash_log)
            import resource

            with suppress(OSError, ValueError):
                # writing a core dump takes longer than the restart; the limit 1, unlike 0, also stops dumps through a
                # pipe
                resource.setrlimit(resource.RLIMIT_CORE, (1, resource.getrlimit(resource.RLIMIT_CORE)[1]))
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # this process is not in the terminal's foreground group


def read_start(message: str) -> tuple[ResumeState | None, str]:
    """Parse the start message -> (state to continue from, reason of the restart); (None, "") for an empty or damaged
    one.
    """
    try:
        data = json.loads(message)
    except (ValueError, RecursionError):
        return None, ""
    if not isinstance(data, dict):
        return None, ""
    state, why = data.get("state"), data.get("why")
    return (ResumeState.from_data(state) if isinstance(state, dict) else None), (why if isinstance(why, str) else "")


def wait_as_standby(preparations: Callable[[], Iterable[Callable[[], object]]]) -> None:
    """Load everything a show needs, step by step, then wait until the supervisor activates this process.

    preparations: returns the steps to run before waiting; one that fails is skipped. On return the start message is in
    the environment for `Lifeline.inherited`. Exits the process when the supervisor has ended.
    """
    connection = socket.socket(fileno=int(os.environ[LINE]))
    share_one_heap()
    try:
        connection.setblocking(True)
        for prepare in preparations():
            if select.select([connection], [], [], _PAUSE_S)[0]:
                break
            with suppress(Exception):  # the show reports what cannot be loaded; it may work by then
                prepare()
            connection.sendall(b'{"standby": "loads"}\n')
        while not select.select([connection], [], [], STANDBY_BEAT_S)[0]:
            connection.sendall(b'{"standby": "ready"}\n')
        message = b""
        while not message.endswith(b"\n"):
            block = connection.recv(65_536)
            if not block:
                sys.exit(0)
            message += block
        connection.sendall(b'{"standby": "begins"}\n')
    except (OSError, KeyboardInterrupt):  # a terminal's Ctrl-C does not reach it; "killall -INT" does
        sys.exit(0)
    os.environ[RESUME] = message.decode("utf-8", "replace").strip()
    del os.environ[STANDBY]
    connection.detach()  # the descriptor stays open for `inherited`
