"""The show's end of the line to its supervisor: here it tells that it lives and where it stands, in lines of JSON.

Nothing here waits, and nothing depends on the supervisor: where it has gone, the show goes on alone.
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

#: environment variables: the number of the inherited socket; what to begin with, as JSON; set for a spare that waits to be called
LINE, RESUME, SPARE = "VISUALIZER_LIFELINE", "VISUALIZER_RESUME", "VISUALIZER_SPARE"

BEAT_S = 0.1  # no more often than this is anything said
MOST_UNSENT = 200_000  # bytes; more than any state
CRASH_LOG, CRASH_LOG_BYTES = "crash.log", 1_000_000

STANDBY_BEAT_S = 0.5  # how often a hot standby shows that it runs
# A spare takes this long over each of its modules, so that the show beside it notices nothing.
_PAUSE_S = 0.1


class Lifeline:
    """A line to the supervisor. resume: what to begin with, None for a first start; why: a line to be said about it, or ""."""

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
        self._state = self._told = ResumeState()
        self._beaten_s = self._told_s = -BEAT_S
        self._crashes: IO[str] | None = None

    @staticmethod
    def is_offered() -> bool:
        """True if a supervisor has started this process and its line has not been taken yet."""
        return LINE in os.environ

    @classmethod
    def inherited(cls) -> Lifeline | None:
        """The line of the supervisor that started this process; None if none did. Taken once: what is started from here has none."""
        number, told = os.environ.pop(LINE, None), os.environ.pop(RESUME, "")
        os.environ.pop(SPARE, None)
        if number is None:
            return None
        try:
            connection = socket.socket(fileno=int(number))
            os.set_inheritable(connection.fileno(), False)
        except (OSError, ValueError) as fault:
            log.warning("the supervisor's line %r cannot be taken: %s", number, fault)
            return None
        state, why = read_start(told)
        lifeline = cls(connection, state, why)
        lifeline._settle_in()
        return lifeline

    def beat(self, n_frames: int, n_dropped: int, longest_gap_ms: float) -> None:
        """A display frame was shown: so many in all, so many dropped, the longest time from one to the next so far."""
        if self._connection is None:
            return
        now_s = self._now()
        if now_s - self._beaten_s >= BEAT_S:
            self._beaten_s = now_s
            self._say({"beat": [n_frames, n_dropped, round(longest_gap_ms, 1)]})
            self._tell_state(now_s)

    def keep(self, state: ResumeState) -> None:
        """Where the show stands: told if it has changed."""
        self._state = state
        if self._connection is not None:
            self._tell_state(self._now())

    def ask_restart(self, reason: str) -> bool:
        """Ask that another process goes on with the show, for a fault that stays as long as this one lives; once. reason: a few words, for
        reading. False where there is no supervisor.
        """
        if self._connection is not None and not self._has_asked:
            self._has_asked = self._say({"restart": reason})
        return self._connection is not None

    def ended(self) -> None:
        """The show ends as it should; what comes now is only taking down."""
        self._say({"ended": True})

    def close(self) -> None:
        """Let go of the line."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _tell_state(self, now_s: float) -> None:
        if now_s - self._told_s < BEAT_S or self._state == self._told:
            return
        state = self._state
        if self._say({"state": state.to_json()}):
            self._told, self._told_s = state, now_s

    def _say(self, message: dict[str, Any]) -> bool:
        """Send a line, if there is room for it; a supervisor that does not listen at present misses it."""
        if self._connection is None or (self._unsent and not self._send()):
            return False
        self._unsent = json.dumps(message).encode() + b"\n"
        if len(self._unsent) > MOST_UNSENT:
            self._unsent = b""
            return False
        self._send()
        return True

    def _send(self) -> bool:
        """What is left to be sent, as far as it goes; True if all of it has."""
        assert self._connection is not None
        try:
            self._unsent = self._unsent[self._connection.send(self._unsent) :]
        except BlockingIOError:
            return False
        except OSError as fault:
            log.warning("the supervisor has gone (%s); the show goes on without", fault)
            self.close()
            self._unsent = b""
            return False
        return not self._unsent

    def _settle_in(self) -> None:
        """Leave a trace when this process crashes, be quick about dying, and never be stopped for a word on the terminal."""
        from ..files.paths import log_folder

        with suppress(OSError):
            path = log_folder() / CRASH_LOG
            path.parent.mkdir(parents=True, exist_ok=True)
            big = path.exists() and path.stat().st_size > CRASH_LOG_BYTES
            self._crashes = path.open("w" if big else "a", encoding="utf-8")
            faulthandler.enable(self._crashes)
        if sys.platform != "win32":
            if self._crashes is not None:
                faulthandler.register(
                    signal.SIGUSR2, self._crashes
                )  # asked for by the supervisor before it ends a hang
            import resource

            with suppress(OSError, ValueError):
                # some hundred megabytes of core dump would take longer than the restart; 1 also stops dumps through a pipe
                resource.setrlimit(resource.RLIMIT_CORE, (1, resource.getrlimit(resource.RLIMIT_CORE)[1]))
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # this process is not the terminal's foreground one


def read_start(told: str) -> tuple[ResumeState | None, str]:
    """What a supervisor says at a start: the state to go on with (None: as asked for), and why; ("", damaged: None, "")."""
    try:
        data = json.loads(told)
    except (ValueError, RecursionError):
        return None, ""
    if not isinstance(data, dict):
        return None, ""
    state, why = data.get("state"), data.get("why")
    return (ResumeState.from_data(state) if isinstance(state, dict) else None), (why if isinstance(why, str) else "")


def wait_as_spare(preparations: Callable[[], Iterable[Callable[[], object]]]) -> None:
    """Load all that a show needs, a little at a time, and wait until the supervisor calls; returns then.

    preparations: gives what is done before it waits, in steps; one that fails is left out. What it says to begin with is left in the environment for `Lifeline.inherited`. Ends the process when there is nobody to wait for.
    """
    connection = socket.socket(fileno=int(os.environ[LINE]))
    share_one_heap()
    try:
        connection.setblocking(True)
        for prepare in preparations():
            if select.select([connection], [], [], _PAUSE_S)[0]:
                break
            with suppress(Exception):  # what cannot be loaded is told by the show itself, and may be mended by then
                prepare()
            connection.sendall(b'{"standby": "loads"}\n')
        while not select.select([connection], [], [], STANDBY_BEAT_S)[0]:
            connection.sendall(b'{"standby": "ready"}\n')
        told = b""
        while not told.endswith(b"\n"):
            block = connection.recv(65_536)
            if not block:
                sys.exit(0)
            told += block
        connection.sendall(b'{"standby": "begins"}\n')
    except (
        OSError,
        KeyboardInterrupt,
    ):  # Ctrl-C is not for it, but somebody may interrupt all that is called visualizer
        sys.exit(0)
    os.environ[RESUME] = told.decode("utf-8", "replace").strip()
    del os.environ[SPARE]
    connection.detach()  # the number stays open for `inherited`
