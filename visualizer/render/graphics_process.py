"""A process with an OpenGL context of its own, for drawing that may crash the driver or never end."""

from __future__ import annotations

import faulthandler
import logging
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar

from ..clock import Stopwatch
from ..errors import GraphicsError, VisualizerError
from ..processes import how_it_ended, kill_child, lower_priority, redirect_streams, start_child
from .gl import Surface, was_reset
from .offscreen import Offscreen
from .window import Window

log = logging.getLogger(__name__)

#: longest time from the start of the process until it can draw, seconds
START_S = 60.0
#: so long after its deadline a call ends the process by itself, seconds
LATE_S = 5.0
#: longest time that a killed process is waited for, seconds: a driver may keep it from ending
END_S = 5.0
#: how often it is asked whether the result of a call is still wanted, seconds
POLL_S = 0.05
_SIZE = (16, 16)  # of the surface: what is drawn has framebuffers of its own

Result = TypeVar("Result")


class HangError(GraphicsError):
    """Drawing did not end in time; the process that drew was killed."""


class Superseded(GraphicsError):
    """The result is not wanted any more; a process that was drawing was killed."""


class CrashError(GraphicsError):
    """The process that drew has crashed."""


class GraphicsProcess:
    """Calls functions in a process that has an OpenGL context without a window.

    niceness: of the process, 0..19. n_threads: how many threads a software renderer may draw with, None: no limit.
    has_window: draw in a hidden window, where there is a display: a driver compiles for that as for the window of a
    show, and keeps what it has compiled on the disk. The process is started by `start` or by the first call, and again
    by the call after one that ended it. One thread calls; `close` may come from another.
    """

    def __init__(self, *, niceness: int = 0, n_threads: int | None = None, has_window: bool = False) -> None:
        self._options = niceness, n_threads, has_window
        self._lock = threading.Lock()
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._is_ready = self._is_closed = False

    def start(self) -> None:
        """Start the process, without waiting for it. Nothing happens where it runs already, or after `close`."""
        with self._lock:
            if self._process is not None or self._is_closed:
                return
            context = multiprocessing.get_context("spawn")  # a driver does not survive a fork
            self._pipe, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, *self._options), name="graphics", daemon=True)
            start_child(process, os.devnull)
            theirs.close()  # then the process has the only other end: when it dies, reading ends
            self._process, self._is_ready = process, False

    def call(
        self,
        function: Callable[..., Result],
        *arguments: Any,
        deadline_s: float,
        is_superseded: Callable[[], bool] = lambda: False,
    ) -> Result:
        """What `function(surface, *arguments)` returns in the process. function: of a module; it, the arguments and the
        result are pickled. surface: an `Offscreen`, or a `Window`, whose context is current there, and its framebuffer
        in use. is_superseded: whether the result is not needed any more; called some twenty times a second.

        Raises what the function raises, of other errors than VisualizerError a GraphicsError; HangError if it takes
        longer than deadline_s, Superseded, CrashError if the process dies, GraphicsError if there is no OpenGL, or
        after `close`.
        """
        self.start()
        pipe = self._pipe
        if pipe is None:
            raise GraphicsError("the process for drawing was closed")
        if not self._is_ready:
            self._receive(pipe, START_S, lambda: False)
            self._is_ready = True
        if is_superseded():  # while it started
            raise Superseded("another result is wanted")
        try:
            pipe.send((function, arguments, deadline_s))
        except (OSError, TypeError):  # it died after the call before; TypeError: `close` closed it here meanwhile
            raise self._crashed() from None
        return self._receive(pipe, deadline_s, is_superseded)

    def close(self) -> None:
        """End the process. A call that another thread waits for ends with an error."""
        with self._lock:
            self._is_closed = True
            if self._process is not None:
                self._process.kill()
        if self._process is not None:
            self._end()

    def __enter__(self) -> GraphicsProcess:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _receive(self, pipe: Connection, deadline_s: float, is_superseded: Callable[[], bool]) -> Any:
        watch = Stopwatch()
        try:
            while not pipe.poll(min(POLL_S, deadline_s)):
                if watch.elapsed_s() >= deadline_s:
                    self._end()
                    raise HangError(f"it did not end within {deadline_s:g} s")
                if is_superseded():
                    self._end()
                    raise Superseded("another result is wanted")
            result = pipe.recv()
        except (EOFError, OSError, TypeError):  # TypeError: `close` closed it here in the middle of reading
            raise self._crashed() from None
        if isinstance(result, HangError):  # its context is lost
            self._end()
        if isinstance(result, VisualizerError):
            raise result
        return result

    def _crashed(self) -> CrashError:
        with self._lock:
            process = self._process
        if process is None:
            return CrashError("the process that draws was ended")
        wait([process.sentinel], timeout=START_S)  # killed on its way out it would end with another status
        how = how_it_ended(process.exitcode)
        self._end()
        return CrashError(f"it crashed the graphics driver ({how})")

    def _end(self) -> None:
        """Kill the process and wait for its end."""
        with self._lock:
            process, pipe, self._process, self._pipe = self._process, self._pipe, None, None
        if process is not None and pipe is not None:
            kill_child(process, END_S)
            pipe.close()


def _serve(pipe: Connection, niceness: int, n_threads: int | None, has_window: bool) -> None:
    """The process: carry out one call after another, until the other end is closed."""
    if sys.platform == "win32":  # elsewhere it was started with it
        redirect_streams(os.devnull, 2)
    redirect_streams(os.devnull, 0, 1)  # drivers print to it, and the terminal is the program's
    lower_priority(niceness)
    if sys.platform == "linux":
        with suppress(OSError):  # where memory runs out, this process is the one to be killed
            Path("/proc/self/oom_score_adj").write_text("1000")
    if n_threads is not None:
        os.environ.setdefault("LP_NUM_THREADS", str(n_threads))
    with suppress(EOFError, OSError), Path(os.devnull).open("w") as nowhere:
        try:
            surface = _opened(has_window)
        except VisualizerError as fault:
            pipe.send(fault)
            return
        with closing(surface):
            pipe.send(None)
            while True:
                function, arguments, deadline_s = pipe.recv()
                # where the other process has ended, nobody else ends a call that hangs
                faulthandler.dump_traceback_later(deadline_s + LATE_S, exit=True, file=nowhere)
                try:
                    result = function(surface, *arguments)
                    if was_reset(surface.ctx):
                        result = HangError("the graphics card hung, and was reset")
                except VisualizerError as fault:
                    result = fault
                except Exception as fault:
                    log.exception("a call failed")
                    result = GraphicsError(f"internal error: {type(fault).__name__}: {' '.join(str(fault).split())}")
                faulthandler.cancel_dump_traceback_later()
                pipe.send(result)


def _opened(has_window: bool) -> Surface:
    if has_window:
        try:
            return Window(_SIZE, "visualizer", shown=False)
        except VisualizerError as fault:
            log.info("%s", fault)
    return Offscreen(_SIZE)
