"""What the show's own processes beside it, the bake and the panel, have in common: how they stand back, log and end."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess

#: stderr is one for all threads
_starting = threading.Lock()
#: a line of the log on its way through a pipe: level, logger's name, message
Line = tuple[int, str, str]


class _Forwarder(logging.Handler):
    """Hands the log on to the show's: one file, one writer."""

    def __init__(self, send: Callable[[Line], None]) -> None:
        super().__init__()
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):  # the show has ended; the next thing sent finds that out
            self._send((record.levelno, record.name, self.format(record)))


@contextmanager
def _ctrl_c_later() -> Iterator[None]:
    """A process started inside never hears of Ctrl-C, not even while it loads; this one hears of it afterwards."""
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


def start_beside(process: BaseProcess, words: str | os.PathLike[str]) -> None:
    """Start a process beside the show. It never hears of Ctrl-C while it loads, and what it writes to stderr goes to the file `words`,
    emptied before, from its first moment on: the terminal is the show's. What the show itself writes there just then does as well.
    """
    with _starting, _ctrl_c_later():
        # on Windows a process gets handles of its own
        kept = None if sys.platform == "win32" else turned_aside(words)
        try:
            process.start()
        finally:
            if kept is not None:
                os.dup2(kept, 2)
                os.close(kept)


def turned_aside(path: str | os.PathLike[str]) -> int | None:
    """Have stderr go to a file -> where it went before; None where that cannot be, and all is as it was."""
    try:
        aside = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError:
        return None
    try:
        kept = os.dup(2)
        os.dup2(aside, 2)
    except OSError:  # there is no stderr
        return None
    finally:
        os.close(aside)
    return kept


def stand_back(niceness: int) -> None:
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
    """What multiprocessing says of a process that has ended, for messages: "signal 11", "status 1"."""
    return f"signal {-exitcode}" if exitcode is not None and exitcode < 0 else f"status {exitcode}"
