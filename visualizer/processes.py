"""Processes beside this one, and this process's descriptors: starting, logging through a pipe, redirecting stderr."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, TextIO

#: a record of the log on its way through a pipe: level, logger's name, message
Line = tuple[int, str, str]

# Descriptor 2 belongs to the whole process. Reentrant, since a process is started while it is redirected and the lock held.
_changing_stderr = threading.RLock()
_targets: list[int] = []  # open descriptors of the files that stderr was redirected to; it goes to the last of them
_own_stderr = -1  # where it went before the first of them


@contextmanager
def redirect_stderr(path: str | os.PathLike[str] = os.devnull) -> Iterator[None]:
    """Redirect descriptor 2 of this process to a file, emptied before, while inside.

    Any number of threads may be inside, and leave in any order: stderr goes to the file of the last to enter that is still
    inside, and back to where it was when all have left. Nothing is redirected where there is no stderr, the file cannot be
    opened, or no descriptor is left. What Python itself writes may go past it: see `past_redirects`.
    """
    target = _enter(path)
    try:
        yield
    finally:
        if target is not None:
            _leave(target)


def _enter(path: str | os.PathLike[str]) -> int | None:
    global _own_stderr
    with _changing_stderr, suppress(OSError), ExitStack() as undo:
        own = _own_stderr
        if not _targets:  # first of all: without a stderr the file would get its number
            own = os.dup(2)
            undo.callback(os.close, own)
        target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        undo.callback(os.close, target)
        os.dup2(target, 2)
        undo.pop_all()
        _own_stderr = own
        _targets.append(target)
        return target
    return None


def _leave(target: int) -> None:
    with _changing_stderr, ExitStack() as at_last:
        _targets.remove(target)
        at_last.callback(os.close, target)
        if not _targets:
            at_last.callback(os.close, _own_stderr)
        os.dup2(_targets[-1] if _targets else _own_stderr, 2)


def reserve_environment(*, chooses_output: bool = False) -> None:
    """Set the environment variables of the sound libraries that the user has not set. Call it before there are threads.

    chooses_output: whether a sound output may be chosen by its name. Otherwise PULSE_SINK stays unset, for what is played
    follows a change of the default output only then.

    C code on any thread reads the environment without a lock. A variable that is added or removed moves the others about
    meanwhile; the value of one that exists is replaced by one store.
    """
    if sys.platform.startswith("linux"):
        os.environ.setdefault("JACK_NO_START_SERVER", "1")
        # both are replaced while a stream is opened (audio/devices.py)
        os.environ.setdefault("PULSE_SOURCE", "@DEFAULT_SOURCE@")
        if chooses_output:
            os.environ.setdefault("PULSE_SINK", "@DEFAULT_SINK@")


def past_redirects() -> TextIO | None:
    """A stream to where stderr goes now, whatever it is redirected to later: for the program's own lines. None without stderr."""
    encoding = sys.stderr.encoding if sys.stderr is not None else None
    with suppress(OSError):
        return os.fdopen(os.dup(2), "w", buffering=1, encoding=encoding, errors="backslashreplace")
    return None


def send_streams(path: str | os.PathLike[str], *descriptors: int) -> None:
    """Redirect descriptors of this process, 0..2, to a file for good; those that cannot be redirected stay."""
    with suppress(OSError):
        target = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        for descriptor in descriptors:
            with suppress(OSError):
                os.dup2(target, descriptor)
        if target not in descriptors:
            os.close(target)


class Outlet:
    """The writing end of a pipe, for several threads: every message goes out whole."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._lock = pipe, threading.Lock()

    def send(self, word: str, value: Any = None, content: memoryview | None = None) -> None:
        """Send a message. word: its kind; value: anything that can be pickled; content: sent after them as bytes.

        Raises OSError when the other end is closed.
        """
        with self._lock:
            self._pipe.send((word, value))
            if content is not None:
                self._pipe.send_bytes(content)


class _Forwarder(logging.Handler):
    """Sends records on to the show's log: one file, one writer."""

    def __init__(self, send: Callable[[Line], None]) -> None:
        super().__init__()
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):  # the show has ended; the next thing sent finds that out
            self._send((record.levelno, record.name, self.format(record)))


@contextmanager
def _ctrl_c_later() -> Iterator[None]:
    """A process started inside never gets Ctrl-C, not even while it loads; this one gets it afterwards."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # started by the first process anyway, and it would let Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def start_beside(process: BaseProcess, stderr: str | os.PathLike[str]) -> None:
    """Start a process beside the show. It never gets Ctrl-C while it loads, and what it writes to stderr goes to the file `stderr`,
    emptied before, from its first moment on: the terminal is the show's.

    On Windows a process does not inherit descriptors, and redirects its own: `send_streams`.
    """
    # with the lock held: no other thread may redirect stderr just as the process inherits it
    with ExitStack() as stack:
        if sys.platform != "win32":
            stack.enter_context(_changing_stderr)
            stack.enter_context(redirect_stderr(stderr))
        stack.enter_context(_ctrl_c_later())
        process.start()


def lower_priority(niceness: int) -> None:
    """In the process: leave Ctrl-C, which goes to the whole group, to the show, and be at least this nice, 0..19."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        os.nice(max(0, niceness - os.nice(0)))


def log_through(send: Callable[[Line], None]) -> logging.Logger:
    """In the process: log through the pipe and nowhere else. The logger of all of it."""
    logger = logging.getLogger("visualizer")
    logger.addHandler(_Forwarder(send))
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    return logger


def log_here(line: Line) -> None:
    """In the show: log what has come through the pipe."""
    level, name, message = line
    logging.getLogger(name).log(level, "%s", message)


def how_it_ended(exitcode: int | None) -> str:
    """How a process ended, for messages: "signal 11", "status 1". exitcode: as multiprocessing reports it."""
    return f"signal {-exitcode}" if exitcode is not None and exitcode < 0 else f"status {exitcode}"
