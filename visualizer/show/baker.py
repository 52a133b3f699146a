"""The bake in a process of its own, so that a show neither stutters nor dies with it.

Loading torch holds the interpreter's lock for half a second; a step under way cannot be stopped; a process killed for its
memory takes its threads along. In a process of its own none of that reaches the picture (docs/decisions/0003).
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Generator
from contextlib import suppress
from multiprocessing.connection import Connection

import numpy as np

from .. import dream
from ..errors import DreamError, VisualizerError
from ..settings import DreamSettings

NICENESS = 10  # measured: the show keeps its frame time, and the bake gets the cores that drawing leaves


POLL_S = 0.1


def bake_apart(
    image: np.ndarray, settings: DreamSettings, stopped: threading.Event
) -> Generator[tuple[int, np.ndarray], None, None]:
    """Like `dream.bake`, computed by a child process of low priority.

    Closing the generator, or setting `stopped` from another thread, ends that process at once, whatever it is at. Raises
    DreamError, also when the process dies.
    """
    yield 0, image
    context = multiprocessing.get_context("spawn")  # fork would copy the window's and the sound's threads and locks
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(theirs, image, settings), name="bake", daemon=True)
    process.start()
    theirs.close()  # only the child's end is left: when it dies, reading ends
    try:
        while True:
            try:
                while not ours.poll(POLL_S):
                    if stopped.is_set():
                        return
                word, value = ours.recv()
            except EOFError:
                process.join()
                raise DreamError(
                    f"the dream's process died ({_why(process.exitcode)}); a smaller --size needs less"
                ) from None
            if word == "frame":
                index, shape = value
                yield index, np.frombuffer(ours.recv_bytes(), np.uint8).reshape(shape)
            elif word == "log":
                level, name, message = value
                logging.getLogger(name).log(level, "%s", message)
            elif word == "error":
                raise DreamError(value)
            else:
                return
    finally:
        ours.close()
        process.kill()
        process.join()


def _why(exitcode: int | None) -> str:
    if exitcode == -9:
        return "killed by the system: out of memory?"
    return f"signal {-exitcode}" if exitcode is not None and exitcode < 0 else f"status {exitcode}"


class _PipeHandler(logging.Handler):
    """Hands the child's log on to the parent's: one file, one writer."""

    def __init__(self, pipe: Connection) -> None:
        super().__init__()
        self._pipe = pipe

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):  # the show has ended; the next frame finds that out
            self._pipe.send(("log", (record.levelno, record.name, self.format(record))))


def _child(pipe: Connection, image: np.ndarray, settings: DreamSettings) -> None:
    """What the child does: bake, and send each frame as it is done."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent decides
    if sys.platform != "win32":
        os.nice(NICENESS)
    # torch's threads go to sleep sooner when they wait: the cores are the show's
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    logger = logging.getLogger("visualizer")
    logger.addHandler(_PipeHandler(pipe))
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    try:
        for index, frame in dream.bake(image, settings):
            if index > 0:
                pipe.send(("frame", (index, frame.shape)))
                pipe.send_bytes(frame.tobytes())
        pipe.send(("done", None))
    except (BrokenPipeError, ConnectionResetError):
        return  # the show has ended
    except VisualizerError as error:
        pipe.send(("error", str(error)))
    except MemoryError:
        pipe.send(("error", "out of memory while dreaming; a smaller --size needs less"))
    except Exception as error:
        logger.exception("the bake stopped")
        pipe.send(("error", f"the dream stopped: {type(error).__name__}: {' '.join(str(error).split())}"))
