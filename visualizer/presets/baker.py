"""The bake of one variant, saved as it goes: in this process, or in a child process so that it can neither slow down a
show nor end it.


Loading torch holds the interpreter's lock for half a second, a step cannot be interrupted, and a process killed for its
memory ends with all its threads. In a child process none of that affects the picture (docs/decisions/0003).

Every finished frame is saved at once, together with a checkpoint: an interrupted bake continues after its last finished
depth (docs/decisions/0008).
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import queue
import sys
import threading
from collections.abc import Callable, Collection, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..clock import Stopwatch
from ..dream.baking import Cancelled, dream_on, misfit
from ..dream.checkpoint import Checkpoint
from ..dream.device import load_torch, one_core_less
from ..errors import DreamError, VisualizerError
from ..files.paths import log_folder
from ..processes import (
    Outlet,
    how_it_ended,
    log_here,
    log_through,
    lower_priority,
    raise_niceness,
    redirect_streams,
    start_child,
)
from .cache import FrameCache
from .loaded import Variant

log = logging.getLogger(__name__)

#: measured: the show keeps its frame time, and the bake gets the cores that are free
NICENESS = 10
#: of a bake that is waited for, until every depth has its preview
PREVIEW_NICENESS = 5
MAX_ERROR_BYTES = 2000  # of a dead child's standard error that are logged
#: saving checkpoints may take this fraction of a bake's time: those of very large images are hundreds of megabytes
CHECKPOINT_FRACTION = 0.15
#: when these fractions of the depths are finished, the previews of all others get the detail drawn so far
SHARPENED_AT = (0.15, 0.35, 0.6)


@dataclass(frozen=True)
class BakeRequest:
    """A variant to be baked, and where it is saved: under `key` in the cache in `folder`, of at most `max_bytes`.
    one_core_less: beside a show it is computed by a core less, and at low priority from its beginning: it is not waited
    for.
    """

    image: np.ndarray
    variant: Variant
    key: str
    folder: Path
    max_bytes: int
    one_core_less: bool = False


class BakedFrame(NamedTuple):
    """A dream frame. finished: False for a preview; fault: a line for the user; unkept: the frame could not be
    saved.
    """

    depth_index: int
    frame: np.ndarray
    finished: bool
    fault: str | None = None
    unkept: bool = False


class BakeOrder(NamedTuple):
    """What a `BakeProcess` asks its child for: nothing that was ordered before counts any more.

    number: rising. request: None: only be ready for the next one. preview: see `bake_inline`.
    """

    number: int
    request: BakeRequest | None
    preview: bool = False


def bake_inline(
    request: BakeRequest,
    cache: FrameCache,
    *,
    preview: bool,
    beside_show: bool = False,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Generator[BakedFrame, None, None]:
    """Yield the frames saved by an earlier bake, then the rest, each saved when it is done. Raises DreamError.

    preview: yield a coarse frame of every depth first; beside_show: leave cores to a show; is_cancelled: ends it with
    Cancelled, see `dream_on`.
    """
    variant, key = request.variant, request.key
    n_depths = variant.settings.n_depths
    frames = cache.load_begun(key, n_depths, request.image.shape)
    checkpoint = _checkpoint(request, cache, len(frames) - 1)
    begun = 0 if checkpoint is None else checkpoint.depth_index
    if begun:  # depth 0 too: a continued dream does not yield it again
        for depth_index in range(begun + 1):
            yield BakedFrame(depth_index, frames[depth_index], True)
        log.info("continuing after depth %d of %d", begun, n_depths)
    del frames
    previews: dict[int, np.ndarray] = {}
    watch, spent_s, kept = Stopwatch(), 0.0, True
    bake = dream_on(
        request.image,
        variant.settings,
        guide=variant.guide,
        weights=variant.weights,
        preview=preview,
        resume=checkpoint,
        checkpoints=True,
        beside_show=beside_show,
        is_cancelled=is_cancelled,
    )
    del checkpoint
    with closing(bake) as dreamt:
        for depth_index, frame, finished, checkpoint in dreamt:
            if not finished:
                previews[depth_index] = frame
                yield BakedFrame(depth_index, frame, False)
                continue
            fault = None
            if kept and not cache.save(key, depth_index, frame):
                kept, fault = False, cache.last_fault  # a full disk stays full: report it once, continue without saving
            last = depth_index == n_depths
            if kept and checkpoint is not None and not last and spent_s <= CHECKPOINT_FRACTION * watch.elapsed_s():
                begin_s = watch.elapsed_s()
                cache.save_checkpoint(key, checkpoint.parts())
                spent_s += watch.elapsed_s() - begin_s
            checkpoint = None  # its memory is reused for the next depth
            yield BakedFrame(depth_index, frame, True, fault, fault is not None)
            if previews and depth_index in {round(n_depths * fraction) for fraction in SHARPENED_AT}:
                for deeper, better in sharpened(previews, depth_index, frame):
                    yield BakedFrame(deeper, better, False)
            previews.pop(depth_index, None)
    cache.drop_checkpoint(key)
    cache.trim(key)


def sharpened(
    previews: dict[int, np.ndarray], depth_index: int, finished: np.ndarray
) -> Generator[tuple[int, np.ndarray], None, None]:
    """Yield (depth, frame) for the previews deeper than a finished depth, with the detail that its own preview lacked.

    The deepest come first, since a kick shows those. Each depth continues the one before, so most of what the finer
    octaves have drawn so far is in all deeper ones as well.
    """
    detail = finished.astype(np.int16)
    detail -= previews[depth_index]
    for deeper in sorted((depth for depth in previews if depth > depth_index), reverse=True):
        better = detail + previews[deeper]
        yield deeper, np.clip(better, 0, 255, out=better).astype(np.uint8)


def _checkpoint(request: BakeRequest, cache: FrameCache, deepest: int) -> Checkpoint | None:
    """Where an interrupted bake can continue; None if nowhere. deepest: the last depth whose frame is kept.

    A checkpoint that cannot be used, like one of an earlier version with other octaves, is removed.
    """
    content = cache.load_checkpoint(request.key)
    if content is None:
        return None
    try:
        found = Checkpoint.from_bytes(content)
        fault = misfit(found, request.image, request.variant.settings)
    except ValueError as error:
        fault = str(error)
    if fault:
        log.warning("an interrupted bake cannot be continued and starts again: %s", fault)
        cache.drop_checkpoint(request.key)
        return None
    return found if found.depth_index <= deepest else None


class Stop:
    """Ends a bake in another process, from any thread, even if that process hangs in the middle of a message."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: BaseProcess | None = None
        self._is_set = False

    def is_set(self) -> bool:
        """Whether `set` was called."""
        return self._is_set

    def set(self) -> None:
        """Kill the process, and any that is `watched` later."""
        with self._lock:
            self._is_set = True
            if self._process is not None:
                self._process.kill()

    @contextmanager
    def watched(self, process: BaseProcess) -> Iterator[None]:
        """While inside, `set` kills this process, which has been started; on leaving it is killed and reaped in any
        case.
        """
        with self._lock:
            self._process = process
        if self._is_set:
            self.set()
        try:
            yield
        finally:
            with self._lock:  # after reaping, its process id may belong to another
                self._process = None
            process.kill()
            process.join()


def bake_in_child(request: BakeRequest, stop: Stop, *, preview: bool) -> Generator[BakedFrame, None, None]:
    """Like `bake_inline`, in a child process of low priority; depth 0 comes at once.

    Closing the generator, or setting `stop` from another thread, kills that process. Raises DreamError, also when the
    process dies.
    """
    with closing(BakeProcess(stop)) as process:
        yield from process.bake(request, preview=preview)


class BakeProcess:
    """A child process of low priority that bakes one variant after another. stop: kills it, from any thread.

    It is started with the first bake, or by `prepare`: loading torch takes seconds, which those after it save.
    """

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._opened = ExitStack()
        self._child: _Running | None = None
        self._number = 0  # of the newest order
        self._is_interrupted = False
        self._interrupted, self._interrupting = multiprocessing.Pipe(duplex=False)

    def prepare(self) -> None:
        """Start the process and load torch in it, so that the next bake begins at once."""
        if self._child is None:
            self._order(self._start(), None)

    def interrupt(self) -> None:
        """End the bake under way, and every later one, with no more frames until `allow`. Called from any thread, which
        does not wait; the process is soon ready for another bake.
        """
        if not self._is_interrupted:
            self._is_interrupted = True
            self._interrupting.send_bytes(b"1")

    def allow(self) -> None:
        """Bake again after an interruption. Never at the same time as `interrupt`."""
        if self._is_interrupted:
            self._interrupted.recv_bytes()
            self._is_interrupted = False

    def bake(self, request: BakeRequest, *, preview: bool) -> Generator[BakedFrame, None, None]:
        """Bake a variant, see `bake_inline`; depth 0 comes at once. Where it is interrupted, or not read to its end,
        the process is ready for another one. Raises DreamError, also when the process dies.
        """
        yield BakedFrame(0, request.image, True)
        child = self._child or self._start()
        number, is_over = self._order(child, request, preview), False
        try:
            while True:
                try:
                    if self._interrupted in wait([child.answers, self._interrupted]):
                        return
                    word, value = child.answers.recv()
                    pixels = child.answers.recv_bytes() if word == "frame" else b""
                except (EOFError, OSError):  # OSError when it died in the middle of a message
                    wait([child.process.sentinel])  # killed on its way out it would end with another status
                    is_over = True
                    break
                if word == "log":
                    log_here(value)
                elif word == "error":
                    is_over = True
                    raise DreamError(value)
                elif value[0] != number:  # of one before, which was interrupted
                    continue
                elif word == "frame":
                    _, index, shape, finished, fault, unkept = value
                    frame = np.frombuffer(pixels, np.uint8).reshape(shape)
                    yield BakedFrame(index, frame, finished, fault, unkept)
                else:
                    number = 0
                    return
        finally:
            if is_over or self._stop.is_set():
                self.close()
            elif number:
                self._order(child, None)
        if not self._stop.is_set():
            _log_errors()
            code = child.process.exitcode
            how = "killed by the system: out of memory?" if code == -9 else how_it_ended(code)
            raise DreamError(f"the dream's process died ({how}); a smaller --size needs less")

    def close(self) -> None:
        """End the process."""
        child, self._child = self._child, None
        if child is not None:
            child.orders.put(None)
        self._opened.close()
        if child is not None:
            child.sending.join()

    def _order(self, child: _Running, request: BakeRequest | None, preview: bool = False) -> int:
        self._number += 1
        child.orders.put(BakeOrder(self._number, request, preview))
        return self._number

    def _start(self) -> _Running:
        # fork would copy the locks of the window's and the sound's threads
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        to_read, to_write = context.Pipe(duplex=False)
        process = context.Process(target=_child, args=(theirs, to_read), name="bake", daemon=True)
        start_child(process, _error_file())
        theirs.close()  # then the child has the only open ends: when it dies, reading and writing end
        to_read.close()
        self._opened.enter_context(to_write)
        self._opened.enter_context(self._stop.watched(process))
        self._opened.enter_context(ours)
        # an image is more than a pipe holds: whoever sends it to a process that dies at once would wait for ever
        orders: queue.SimpleQueue[BakeOrder | None] = queue.SimpleQueue()
        sending = threading.Thread(target=_send_all, args=(to_write, orders), name="bake orders", daemon=True)
        sending.start()
        self._child = _Running(process, ours, orders, sending)
        return self._child


class _Running(NamedTuple):
    """The running process of a `BakeProcess`. orders: what the thread `sending` sends to it, None: nothing more."""

    process: BaseProcess
    answers: Connection
    orders: queue.SimpleQueue[BakeOrder | None]
    sending: threading.Thread


def _send_all(pipe: Connection, orders: queue.SimpleQueue[BakeOrder | None]) -> None:
    while (order := orders.get()) is not None:
        _send(pipe, order)


def _send(pipe: Connection, order: BakeOrder) -> None:
    # the child has died, which is detected where its messages are read; TypeError: closed here in the middle of sending
    with suppress(OSError, TypeError):
        pipe.send(order)


def _error_file() -> Path:
    """The file for the child's standard error, where libraries write why they abort; the null device without a log
    folder.
    """
    with suppress(OSError, VisualizerError):
        folder = log_folder()
        folder.mkdir(parents=True, exist_ok=True)
        return folder / "bake.err"
    return Path(os.devnull)


def _log_errors() -> None:
    """Log the end of the standard error of a bake that died."""
    with suppress(OSError):
        words = _error_file().read_bytes()[-MAX_ERROR_BYTES:].decode("utf-8", "replace").strip()
        if words:
            log.warning("standard error of the bake that died: %s", words)


class _Orders:
    """The orders that come to the child process, of which only the newest counts. pipe: where a thread reads them."""

    def __init__(self, pipe: Connection) -> None:
        self._changed = threading.Condition()
        self._newest: BakeOrder | None = None
        self._has_ended = False
        self._taken = 0
        threading.Thread(target=self._read, args=(pipe,), name="bake orders", daemon=True).start()

    def next(self) -> BakeOrder | None:
        """The newest order that was not returned yet; waits for it. None once the show has ended."""
        with self._changed:
            while not self._has_ended:
                if self._newest is not None and self._newest.number > self._taken:
                    self._taken = self._newest.number
                    return self._newest
                self._changed.wait()
        return None

    def is_over(self) -> bool:
        """Whether the order returned last does not count any more."""
        newest = self._newest
        return self._has_ended or (newest is not None and newest.number > self._taken)

    def _read(self, pipe: Connection) -> None:
        try:
            while True:
                order: BakeOrder = pipe.recv()
                with self._changed:
                    self._newest = order
                    self._changed.notify_all()
        except (EOFError, OSError):
            pass  # the show has ended
        finally:  # an order that cannot be read ends the process too: the show would wait for its frames for ever
            with self._changed:
                self._has_ended = True
                self._changed.notify_all()


def _child(pipe: Connection, orders_pipe: Connection) -> None:
    """The child process: bake, save, and send each frame when it is done, for one order after another.

    Each order has a thread of its own, since a thread that has lowered its priority can never raise it again. Those
    that dream in it are started by it, torch's too, so they have its priority, and end with it.
    """
    if sys.platform == "win32":  # elsewhere it was started with it
        redirect_streams(_error_file(), 2)
    lower_priority(PREVIEW_NICENESS)
    # torch's threads sleep sooner when they wait, so that the show gets the cores
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    outlet = Outlet(pipe)
    logger = log_through(lambda line: outlet.send("log", line))
    orders = _Orders(orders_pipe)
    waiting = {thread.native_id for thread in threading.enumerate() if thread.native_id is not None}
    cache: FrameCache | None = None  # all orders have the same
    try:
        while (order := orders.next()) is not None:
            if order.request is None:
                load_torch()
                continue
            cache = cache or FrameCache(order.request.folder, order.request.max_bytes)
            with suppress(Cancelled), ThreadPoolExecutor(1, "bake") as once:
                once.submit(_bake_and_send, order, order.request, cache, outlet, orders.is_over, waiting).result()
    except (BrokenPipeError, ConnectionResetError):
        return  # the show has ended
    except VisualizerError as error:
        outlet.send("error", str(error))
    except MemoryError:
        outlet.send("error", "out of memory while dreaming; a smaller --size needs less")
    except Exception as error:
        logger.exception("the bake stopped")
        outlet.send("error", f"the dream stopped: {type(error).__name__}: {' '.join(str(error).split())}")


def _bake_and_send(
    order: BakeOrder,
    request: BakeRequest,
    cache: FrameCache,
    outlet: Outlet,
    is_cancelled: Callable[[], bool],
    waiting: Collection[int],
) -> None:
    """Bake and save what was ordered, and send each frame with the number of the order. Raises Cancelled.

    waiting: native ids of the threads that wait for orders, which keep their priority.
    """
    is_waited_for = order.preview and not request.one_core_less
    raise_niceness(PREVIEW_NICENESS if is_waited_for else NICENESS, waiting)
    cache.try_again()
    bake = bake_inline(request, cache, preview=order.preview, beside_show=True, is_cancelled=is_cancelled)
    fault: str | None = None
    with one_core_less() if request.one_core_less else nullcontext(), closing(bake) as done:
        for baked in done:
            if is_cancelled():
                raise Cancelled
            fault = baked.fault or fault
            if baked.depth_index > 0:  # depth 0 is not sent: what it could not do is said with the next one
                if baked.finished or baked.depth_index == request.variant.settings.n_depths:
                    raise_niceness(NICENESS, waiting)
                frame = np.ascontiguousarray(baked.frame)
                about = (order.number, baked.depth_index, frame.shape, baked.finished, fault, fault is not None)
                outlet.send("frame", about, frame.data.cast("B"))
                fault = None
    outlet.send("done", (order.number,))
