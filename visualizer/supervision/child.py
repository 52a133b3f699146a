"""A show process as its supervisor sees it: start it, read its messages, end it."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import re
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
from .lifeline import CRASH_LOG, LINE, RESUME, STANDBY
from .resume import ResumeState

log = logging.getLogger(__name__)

MAX_UNREAD_BYTES = 1_000_000  # without an end of line: not a message of a show
MAX_REASON_LENGTH = 200  # characters
MAX_TRACE_LENGTH = 20_000  # characters of a traceback
TRACE_S = 0.3  # time for a hanging process to write its traceback
# A line of a traceback of faulthandler with a file of this program: its room, and its name
_OWN_LINE = re.compile(r'File "[^"]*[/\\]visualizer[/\\](?:(\w+)[/\\])?(\w+)\.py", line \d+ in ')
# Outermost function of every thread that Python has started, so not of the main thread
_THREAD_LINE = re.compile(r'threading\.py", line \d+ in _bootstrap\b')
# Files of render/ that call OpenGL; the others wait for the screen, for key presses or for another process
_DRAWING = {"canvas", "chain", "dream_texture", "gl", "hud", "layer", "look_renderer", "look_textures", "offscreen"}
_DRAWING |= {"journey_renderer", "picture", "planes", "programs", "targets"}


class Child:
    """A process that runs the show, or a hot standby that waits to.

    It has its own process group, so that Ctrl-C in a terminal reaches only the supervisor, and so that the processes it
    started itself (a bake, a panel) can be ended with it.

    Parameters
    ----------
    command : the program and its arguments.
    environment : its environment variables, without those of the lifeline.
    state, why : see `Lifeline`.
    standby : start a hot standby, which waits for `activate`.
    quiet : discard its stderr, because the start before has written the same.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        state: ResumeState | None = None,
        why: str = "",
        standby: bool = False,
        quiet: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self.state = state
        self.is_ending = False  # it has reported a normal end
        self.restart_reason = ""  # why it asks for a restart, "" if it does not
        self.is_disconnected = False  # it has closed the socket
        self.is_ready = False  # a hot standby that has loaded everything and waits for `activate`
        self.n_beats = 0
        self.frame_counts = (0, 0, 0.0)  # display frames, dropped ones, longest time between two in ms
        self._first_beat_s: float | None = None
        self._unread = b""
        self._line, theirs = socket.socketpair()
        self._line.setblocking(False)
        variables = {**environment, LINE: str(theirs.fileno())}
        if standby:
            variables[STANDBY] = "1"
        else:
            variables[RESUME] = _start_message(state, why)
        try:
            self._process = subprocess.Popen(
                list(command),
                env=variables,
                # it is not in the foreground process group: reading the terminal would stop it
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL if quiet else None,
                **_inheritance(theirs),
            )
        except BaseException:
            self._line.close()
            raise
        finally:
            theirs.close()

    def fileno(self) -> int:
        """File descriptor of the socket, for `select`."""
        return self._line.fileno()

    @property
    def pid(self) -> int:
        """Process number."""
        return self._process.pid

    @property
    def shown_s(self) -> float | None:
        """Seconds since its first display frame; None if there was none."""
        return None if self._first_beat_s is None else self._now() - self._first_beat_s

    def activate(self, state: ResumeState | None, why: str) -> bool:
        """Make a hot standby start the show; False if it cannot be reached. `is_ready` stays as it is until the standby
        answers.
        """
        self.state = state
        try:
            # far smaller than a socket's buffer, so it is sent whole
            self._line.sendall(_start_message(state, why).encode() + b"\n")
        except OSError:
            return False
        return True

    def receive(self) -> bool:
        """Read the messages that have arrived; False when there were none."""
        received = False
        while not self.is_disconnected:
            try:
                block = self._line.recv(65_536)
            except BlockingIOError:
                break
            except OSError:
                block = b""
            self.is_disconnected = not block
            received = received or bool(block)
            *lines, self._unread = (self._unread + block).split(b"\n")
            for line in lines:
                self._handle(line)
            if len(self._unread) > MAX_UNREAD_BYTES:
                self._unread = b""
        return received

    def has_exited(self) -> bool:
        """True once the process has ended. The numbers of the process and its group are not reused before `reap`."""
        if sys.platform != "win32" and hasattr(os, "waitid"):
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
        return self._process.poll() is not None

    def terminate(self) -> None:
        """Ask it to end with SIGTERM."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it, after asking for the tracebacks of its threads in crash.log, where signals allow that."""
        if sys.platform != "win32":
            self._signal(signal.SIGUSR2)
            threading.Event().wait(TRACE_S)
            self._signal(signal.SIGKILL)
        else:
            self._process.kill()

    def reap(self) -> int:
        """Wait until it has ended, kill the processes it has left running, and return its exit status: negative for a
        signal.
        """
        if sys.platform != "win32" and hasattr(os, "waitid"):
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            with suppress(OSError):
                os.killpg(self.pid, signal.SIGKILL)
        # macOS before Python 3.13 has no waitid: processes left running there end when their pipe to the show is closed
        status = self._process.wait()
        self.receive()  # messages sent just before the end
        self._line.close()
        return status

    def drop(self) -> None:
        """Kill a hot standby: it holds nothing that has to be closed in order."""
        with suppress(OSError):
            self._process.kill()
        self.reap()

    def _signal(self, number: int) -> None:
        """Send a signal. `Popen.send_signal` is not used because it reaps a process that has ended, which frees its
        group's number.
        """
        if self._process.returncode is None:
            with suppress(OSError):
                os.kill(self.pid, number)

    def _handle(self, line: bytes) -> None:
        """Handle one message; damaged ones are ignored."""
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(message, dict):
            return
        if isinstance(beat := message.get("beat"), list) and len(beat) == 3:
            self.n_beats += 1
            self.frame_counts = (beat[0], beat[1], beat[2])
            if self._first_beat_s is None:
                self._first_beat_s = self._now()
        if isinstance(state := message.get("state"), str):
            self.state = ResumeState.from_json(state)
            without_folder = dataclasses.replace(self.state, song=Path(self.state.song).name)
            log.debug("state of the show: %s", without_folder.to_json())
        if (standby := message.get("standby")) is not None:
            self.is_ready = standby == "ready"
        if isinstance(reason := message.get("restart"), str):
            self.restart_reason = " ".join(reason[:MAX_REASON_LENGTH].split())
        if message.get("ended") is True:
            self.is_ending = True


def take_trace() -> str:
    """Read and delete the tracebacks that the last crashed process wrote; "" if it wrote none (kill -9)."""
    try:
        path = log_folder() / CRASH_LOG
        with path.open(encoding="utf-8", errors="replace") as file:
            trace = file.read(MAX_TRACE_LENGTH)
        path.unlink()
    except (OSError, BadInput):
        return ""
    return trace.strip()


def was_drawing(trace: str) -> bool:
    """Whether the tracebacks of all threads of a process say that its main thread was drawing a picture, and not
    waiting for the screen or for events of the window.
    """
    for thread in trace.split("\n\n"):
        # the newest call comes first
        newest = _OWN_LINE.search(thread)
        if newest is not None and newest[1] == "render" and newest[2] in _DRAWING and not _THREAD_LINE.search(thread):
            return True
    return False


def _start_message(state: ResumeState | None, why: str) -> str:
    """The message that starts a show, one line of JSON, read by `lifeline.read_start`."""
    return json.dumps({"state": None if state is None else json.loads(state.to_json()), "why": why})


def _inheritance(line: socket.socket) -> dict[str, Any]:
    """Arguments of `Popen` that pass a socket to a child and give it its own process group, on this system."""
    if sys.platform != "win32":
        return {"pass_fds": (line.fileno(),), "process_group": 0}
    os.set_handle_inheritable(line.fileno(), True)
    startup = subprocess.STARTUPINFO(lpAttributeList={"handle_list": [line.fileno()]})
    return {"startupinfo": startup, "creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
