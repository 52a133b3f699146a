"""What the show's own processes beside it, the bake and the panel, have in common: how they stand back, log and end."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

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
def ctrl_c_later() -> Iterator[None]:
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
