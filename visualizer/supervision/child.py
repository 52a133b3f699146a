"""One start of the show, as its supervisor sees it: started, listened to, ended."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import BadInput
from ..files.paths import log_folder
from .lifeline import CRASH_LOG, LINE, RESUME, SPARE
from .resume import ResumeState

log = logging.getLogger(__name__)

MOST_UNREAD = 1_000_000  # bytes without an end of line: that is no show
MOST_REASON = 200  # characters
MOST_TRACE = 20_000  # characters of a crash's traceback
TRACE_S = 0.3  # for a process that hangs to write down where


class Child:
    """A process that runs the show, or a spare that waits to.

    command: its words. environment: its own variables besides. state, why: see `Lifeline`. quiet: what it has to say on stderr has been
    said before. It stands in a process group of its own, so that a terminal's Ctrl-C reaches the supervisor alone, and so that what it
    started itself (a bake, a panel) can be ended with it.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        state: ResumeState | None = None,
        why: str = "",
        spare: bool = False,
        quiet: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self.state = state
        self.ending = False  # it has said that it ends
        self.asked = ""  # why it asks to be started again
        self.is_deaf = False  # it has let go of the line
        self.is_ready = False  # a hot standby that has loaded all, and waits to be called
        self.n_beats = 0
        self.figures = (0, 0, 0.0)  # display frames, dropped ones, longest time between two in ms
        self._first_beat_s: float | None = None
        self._unread = b""
        self._line, theirs = socket.socketpair()
        self._line.setblocking(False)
        variables = {**environment, LINE: str(theirs.fileno())}
        if spare:
            variables[SPARE] = "1"
        else:
            variables[RESUME] = _start(state, why)
        try:
            self._process = subprocess.Popen(
                list(command),
                env=variables,
                stdin=subprocess.DEVNULL,  # its group is not the terminal's: reading would stop it
                stderr=subprocess.DEVNULL if quiet else None,
                **_passing(theirs),
            )
        except BaseException:
            self._line.close()
            raise
        finally:
            theirs.close()

    def fileno(self) -> int:
        """Of the line, to wait for it."""
        return self._line.fileno()

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def shown_s(self) -> float | None:
        """How long ago the first picture was; None if there was none."""
        return None if self._first_beat_s is None else self._now() - self._first_beat_s

    def call(self, state: ResumeState | None, why: str) -> bool:
        """Have a spare begin; False if it cannot be reached. `is_ready` until it answers, if it was."""
        self.state = state
        try:
            # far less than a socket takes at once
            self._line.sendall(_start(state, why).encode() + b"\n")
        except OSError:
            return False
        return True

    def hear(self) -> bool:
        """Take in what it has said; False when there was nothing."""
        heard = False
        while not self.is_deaf:
            try:
                block = self._line.recv(65_536)
            except BlockingIOError:
                break
            except OSError:
                block = b""
            self.is_deaf = not block
            heard = heard or bool(block)
            *lines, self._unread = (self._unread + block).split(b"\n")
            for line in lines:
                self._take(line)
            if len(self._unread) > MOST_UNREAD:
                self._unread = b""
        return heard

    def is_over(self) -> bool:
        """True once the process has ended. Its number, and that of its group, stay its own until `reap`."""
        if sys.platform != "win32" and hasattr(os, "waitid"):
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
        return self._process.poll() is not None

    def tell_to_end(self) -> None:
        """Ask it to end, as a system does that is shut down."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it whatever it is at. Where it stood is left in crash.log, if it can still write."""
        if sys.platform != "win32":
            self._signal(signal.SIGUSR2)
            threading.Event().wait(TRACE_S)
            self._signal(signal.SIGKILL)
        else:
            self._process.kill()

    def reap(self) -> int:
        """Wait for the end of a process that ends, and end what it has left behind. The exit status, negative for a signal."""
        if sys.platform != "win32" and hasattr(os, "waitid"):
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            with suppress(OSError):
                os.killpg(self.pid, signal.SIGKILL)
        # macOS before Python 3.13 cannot wait so: what is left behind there ends when its pipe to the show is closed
        status = self._process.wait()
        self.hear()  # its last words
        self._line.close()
        return status

    def drop(self) -> None:
        """End a spare that is not needed: it holds nothing that would have to be put away."""
        with suppress(OSError):
            self._process.kill()
        self.reap()

    def _signal(self, number: int) -> None:
        """Send a signal, to a process that may have ended. `Popen` would reap it first, and its group's number with it."""
        if self._process.returncode is None:
            with suppress(OSError):
                os.kill(self.pid, number)

    def _take(self, line: bytes) -> None:
        """One line. What is damaged is passed over."""
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(message, dict):
            return
        if isinstance(beat := message.get("beat"), list) and len(beat) == 3:
            self.n_beats += 1
            self.figures = (beat[0], beat[1], beat[2])
            if self._first_beat_s is None:
                self._first_beat_s = self._now()
        if isinstance(state := message.get("state"), str):
            self.state = ResumeState.from_json(state)
            without_folder = dataclasses.replace(self.state, song=Path(self.state.song).name)
            log.debug("the show stands at %s", without_folder.to_json())
        if (standby := message.get("standby")) is not None:
            self.is_ready = standby == "ready"
        if isinstance(asked := message.get("restart"), str):
            self.asked = " ".join(asked[:MOST_REASON].split())
        if message.get("ended") is True:
            self.ending = True


def take_trace() -> str:
    """Where the process that died last stood when it did, as it wrote it down; "" if it could not (kill -9)."""
    try:
        path = log_folder() / CRASH_LOG
        with path.open(encoding="utf-8", errors="replace") as file:
            trace = file.read(MOST_TRACE)
        path.unlink()
    except (OSError, BadInput):
        return ""
    return trace.strip()


def _start(state: ResumeState | None, why: str) -> str:
    """What is said at a start, for `lifeline.read_start`; one line."""
    return json.dumps({"state": None if state is None else json.loads(state.to_json()), "why": why})


def _passing(line: socket.socket) -> dict[str, Any]:
    """How a child inherits a socket and gets a process group of its own, on this system."""
    if sys.platform != "win32":
        return {"pass_fds": (line.fileno(),), "process_group": 0}
    os.set_handle_inheritable(line.fileno(), True)
    startup = subprocess.STARTUPINFO(lpAttributeList={"handle_list": [line.fileno()]})
    return {"startupinfo": startup, "creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
