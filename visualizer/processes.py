"""Child processes: starting them, sending their log records through a pipe, redirecting stderr."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NoReturn, TextIO

#: a log record as sent through a pipe: level, logger's name, message
LogLine = tuple[int, str, str]

# Guards descriptor 2, which the whole process shares. Reentrant: a child process is started while the lock is held.
_changing_stderr = threading.RLock()
_targets: list[int] = []  # descriptors of the files that stderr is redirected to; it goes to the last one
_own_stderr = -1  # a copy of the original descriptor 2

log = logging.getLogger(__name__)

_unkillable: list[BaseProcess] = []  # children that `kill_child` could not end


@contextmanager
def redirect_stderr(path: str | os.PathLike[str] = os.devnull) -> Iterator[None]:
    """Redirect descriptor 2 of this process to a file, which is emptied first, while inside.

    Several threads may be inside and leave in any order: stderr goes to the file of the newest one still inside, and
    back to the original when all have left. Nothing is redirected where there is no stderr, the file cannot be opened,
    or no descriptor is free. `past_redirects` gives a stream that is not redirected.
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
        if not _targets:  # before the file is opened: if stderr is closed, the file would get descriptor 2
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
    """Set the sound libraries' environment variables that the user has not set. Call it before any thread is started.

    chooses_output: whether an output is going to be chosen by name. If not, PULSE_SINK stays unset: only then does the
    sound server move this program's stream when the default output changes.

    C code reads the environment on any thread, without a lock. Adding a variable later could move the others while they
    are read; changing the value of an existing one is safe.
    """
    if sys.platform.startswith("linux"):
        os.environ.setdefault("JACK_NO_START_SERVER", "1")
        # audio/devices.py changes both values while it opens a stream
        os.environ.setdefault("PULSE_SOURCE", "@DEFAULT_SOURCE@")
        if chooses_output:
            os.environ.setdefault("PULSE_SINK", "@DEFAULT_SINK@")


def past_redirects() -> TextIO | None:
    """A text stream to the present stderr that later redirections do not affect. None without stderr."""
    encoding = sys.stderr.encoding if sys.stderr is not None else None
    with suppress(OSError):
        return os.fdopen(os.dup(2), "w", buffering=1, encoding=encoding, errors="backslashreplace")
    return None


def redirect_streams(path: str | os.PathLike[str], *descriptors: int) -> None:
    """Redirect descriptors of this process, 0..2, to a file permanently; any that cannot be redirected stay as they
    are.
    """
    with suppress(OSError):
        target = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        for descriptor in descriptors:
            with suppress(OSError):
                os.dup2(target, descriptor)
        if target not in descriptors:
            os.close(target)


class Outlet:
    """The writing end of a pipe that several threads may use: messages never mix."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._lock = pipe, threading.Lock()

    def send(self, word: str, value: Any = None, content: memoryview | None = None) -> None:
        """Send a message. word: its kind; value: anything that can be pickled; content: bytes to send after them.

        Raises OSError when the other end is closed.
        """
        with self._lock:
            self._pipe.send((word, value))
            if content is not None:
                self._pipe.send_bytes(content)


class _Forwarder(logging.Handler):
    """Sends log records to the show's process, so that only one process writes the log file."""

    def __init__(self, send: Callable[[LogLine], None]) -> None:
        super().__init__()
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):  # the show has ended; the next message sent reports that
            self._send((record.levelno, record.name, self.format(record)))


@contextmanager
def _ctrl_c_blocked() -> Iterator[None]:
    """Block Ctrl-C while inside: a process started here never receives it, and this process receives it afterwards."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # the first process would start it, and that unblocks Ctrl-C
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def start_child(process: BaseProcess, stderr: str | os.PathLike[str]) -> None:
    """Start a child process of the show. It does not receive Ctrl-C while it loads.

    stderr: the file that the child's stderr goes to from the start, emptied first. On Windows descriptors are not
    inherited, and the child redirects its own with `redirect_streams`.
    """
    # the lock keeps other threads from redirecting stderr while the child inherits it
    with ExitStack() as stack:
        if sys.platform != "win32":
            stack.enter_context(_changing_stderr)
            stack.enter_context(redirect_stderr(stderr))
        stack.enter_context(_ctrl_c_blocked())
        process.start()


def kill_child(process: BaseProcess, wait_s: float) -> None:
    """Kill a child process and wait for its end, at most `wait_s` seconds: inside a driver that hangs the system cannot
    end it. `exit_program` leaves such a child behind.
    """
    process.kill()
    process.join(wait_s)
    if process.is_alive():
        log.warning("the process %s (%s) cannot be ended; is a driver hung?", process.name, process.pid)
        _unkillable.append(process)


def exit_program(status: int) -> NoReturn:
    """End this process with an exit status. The interpreter would wait for every child, also for one that `kill_child`
    could not end: then it is left without the interpreter's own end.
    """
    if any(one.is_alive() for one in _unkillable):
        log.warning("a process that cannot be ended is left behind")
        logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)
    sys.exit(status)


def lower_priority(niceness: int) -> None:
    """In the child: ignore Ctrl-C, which only the show handles, and raise the niceness of all threads to at least this,
    0..19.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "win32":
        import ctypes

        # of this process, to "below normal"
        ctypes.windll.kernel32.SetPriorityClass(ctypes.c_void_p(-1), 0x4000)
    else:
        raise_niceness(niceness)


def raise_niceness(niceness: int, spared: Collection[int] = ()) -> None:
    """Raise the niceness of this process's threads to at least this, 0..19; without privileges it never falls again.

    spared: native ids of threads that keep theirs. A thread begins with the niceness of the one that starts it. On
    macOS the whole process has one niceness, and no thread is spared; on Windows nothing changes.
    """
    if sys.platform == "linux":
        for number in {int(thread.name) for thread in Path("/proc/self/task").iterdir()}.difference(spared):
            with suppress(ProcessLookupError):  # it has ended
                before = os.getpriority(os.PRIO_PROCESS, number)
                os.setpriority(os.PRIO_PROCESS, number, max(niceness, before))
    elif sys.platform != "win32":
        os.nice(max(0, niceness - os.nice(0)))


def log_through(send: Callable[[LogLine], None]) -> logging.Logger:
    """In the child: send log records through the pipe and nowhere else. Returns the program's logger."""
    logger = logging.getLogger("visualizer")
    logger.addHandler(_Forwarder(send))
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    return logger


def log_here(line: LogLine) -> None:
    """In the show: log a record that arrived through the pipe."""
    level, name, message = line
    logging.getLogger(name).log(level, "%s", message)


def how_it_ended(exitcode: int | None) -> str:
    """How a process ended, for messages: "signal 11" or "status 1". exitcode: as multiprocessing reports it."""
    return f"signal {-exitcode}" if exitcode is not None and exitcode < 0 else f"status {exitcode}"
