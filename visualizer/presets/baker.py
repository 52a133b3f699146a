"""The bake of one variant, kept as it goes: here, or in a process of its own so that a show neither stutters nor dies
with it.

Loading torch holds the interpreter's lock for half a second; a step under way cannot be stopped; a process killed for
its memory takes its threads along. In a process of its own none of that reaches the picture (docs/decisions/0003).

Every finished frame is kept at once, and with it what is needed to go on from there: a bake that was interrupted, by
whatever, goes on after its last finished depth (docs/decisions/0008).
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..clock import Stopwatch
from ..dream.baking import dream_on, misfit
from ..dream.checkpoint import Checkpoint
from ..errors import DreamError, VisualizerError
from ..files.paths import log_folder
from ..processes import Outlet, how_it_ended, log_here, log_through, lower_priority, redirect_streams, start_child
from .cache import FrameCache
from .loaded import Variant

log = logging.getLogger(__name__)

#: measured: the show keeps its frame time, and the bake gets the cores that drawing leaves
NICENESS = 10
#: until every depth has its preview the bake may push a little harder: those seconds decide how soon the show is whole
PREVIEW_NICENESS = 5
MOST_LAST_WORDS = 2000  # bytes
#: keeping checkpoints may take this share of a bake's time: those of very large images are hundreds of megabytes
CHECKPOINT_SHARE = 0.15
#: when these shares of the depths are finished, the previews of all others get what detail there is
SHARPENED_AT = (0.15, 0.35, 0.6)


@dataclass(frozen=True)
class BakeRequest:
    """A variant to be baked, and where it is kept: in the cache in `folder`, of at most `max_bytes`, under `key`."""

    image: np.ndarray
    variant: Variant
    key: str
    folder: Path
    max_bytes: int


class BakedFrame(NamedTuple):
    """A dream frame. finished: False for a preview; fault: a line for the user; unkept: the frame could not be kept."""

    depth_index: int
    frame: np.ndarray
    finished: bool
    fault: str | None = None
    unkept: bool = False


def bake_inline(
    order: BakeRequest, cache: FrameCache, *, preview: bool, beside_show: bool = False
) -> Generator[BakedFrame, None, None]:
    """The frames kept by an earlier bake, then the rest, each kept as it is done. Raises DreamError."""
    variant, key = order.variant, order.key
    n_depths = variant.settings.n_depths
    frames = cache.load_begun(key, n_depths, order.image.shape)
    checkpoint = _checkpoint(order, cache, len(frames) - 1)
    begun = 0 if checkpoint is None else checkpoint.depth_index
    if begun:  # depth 0 too: a dream that goes on does not yield it again
        for depth_index in range(begun + 1):
            yield BakedFrame(depth_index, frames[depth_index], True)
        log.info("going on after depth %d of %d", begun, n_depths)
    del frames
    previews: dict[int, np.ndarray] = {}
    watch, spent_s, kept = Stopwatch(), 0.0, True
    bake = dream_on(
        order.image,
        variant.settings,
        guide=variant.guide,
        weights=variant.weights,
        preview=preview,
        resume=checkpoint,
        checkpoints=True,
        beside_show=beside_show,
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
                kept, fault = False, cache.last_fault  # a full disk stays full: say it once, go on without
            last = depth_index == n_depths
            if kept and checkpoint is not None and not last and spent_s <= CHECKPOINT_SHARE * watch.elapsed_s():
                begin_s = watch.elapsed_s()
                cache.save_checkpoint(key, checkpoint.parts())
                spent_s += watch.elapsed_s() - begin_s
            checkpoint = None  # it holds memory that the next depth could use
            yield BakedFrame(depth_index, frame, True, fault, fault is not None)
            if previews and depth_index in {round(n_depths * share) for share in SHARPENED_AT}:
                for deeper, better in sharpened(previews, depth_index, frame):
                    yield BakedFrame(deeper, better, False)
            previews.pop(depth_index, None)
    cache.drop_checkpoint(key)
    cache.trim(key)


def sharpened(
    previews: dict[int, np.ndarray], depth_index: int, finished: np.ndarray
) -> Generator[tuple[int, np.ndarray], None, None]:
    """The previews deeper than a depth just finished, with the detail that its own preview lacked: (depth, frame), the
    deepest first, since that is where a kick lands.

    A dream grows out of the depth before, so what the finer octaves have drawn by now is largely there in all that
    follow.
    """
    detail = finished.astype(np.int16)
    detail -= previews[depth_index]
    for deeper in sorted((depth for depth in previews if depth > depth_index), reverse=True):
        better = detail + previews[deeper]
        yield deeper, np.clip(better, 0, 255, out=better).astype(np.uint8)


def _checkpoint(order: BakeRequest, cache: FrameCache, deepest: int) -> Checkpoint | None:
    """Where an interrupted bake can continue; None if nowhere. deepest: the last depth whose frame is kept.

    A checkpoint that cannot be used, like one of an earlier version with other octaves, is removed.
    """
    content = cache.load_checkpoint(order.key)
    if content is None:
        return None
    try:
        found = Checkpoint.from_bytes(content)
        fault = misfit(found, order.image, order.variant.settings)
    except ValueError as error:
        fault = str(error)
    if fault:
        log.warning("an interrupted bake cannot be continued and starts again: %s", fault)
        cache.drop_checkpoint(order.key)
        return None
    return found if found.depth_index <= deepest else None


class Stop:
    """Ends a bake in another process from any thread, even one that stands still in the middle of a message."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: BaseProcess | None = None
        self._is_set = False

    def is_set(self) -> bool:
        """Whether the end was asked for."""
        return self._is_set

    def set(self) -> None:
        """Kill the process, and every one that is `watched` later."""
        with self._lock:
            self._is_set = True
            if self._process is not None:
                self._process.kill()

    @contextmanager
    def watched(self, process: BaseProcess) -> Iterator[None]:
        """While inside `set` kills this process, started before; it is killed and reaped on leaving, too."""
        with self._lock:
            self._process = process
        if self._is_set:
            self.set()
        try:
            yield
        finally:
            with self._lock:  # once it is reaped its number may be another's
                self._process = None
            process.kill()
            process.join()


def bake_in_child(order: BakeRequest, stop: Stop, *, preview: bool) -> Generator[BakedFrame, None, None]:
    """Like `bake_inline`, computed and kept by a child process of low priority; depth 0 comes at once.

    Closing the generator, or setting `stop` from another thread, ends that process at once, whatever it is at. Raises
    DreamError, also when the process dies.
    """
    yield BakedFrame(0, order.image, True)
    context = multiprocessing.get_context("spawn")  # fork would copy the window's and the sound's threads and locks
    ours, theirs = context.Pipe(duplex=False)
    to_read, to_tell = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(theirs, to_read, preview), name="bake", daemon=True)
    start_child(process, _last_words())
    theirs.close()  # only the child's ends are left: when it dies, reading and writing end
    to_read.close()
    # the image is more than a pipe holds: as an argument it would keep whoever starts a process that dies at once for
    # ever
    telling = threading.Thread(target=_tell, args=(to_tell, order), name="bake's order", daemon=True)
    telling.start()
    with ExitStack() as stack:
        stack.callback(telling.join)
        stack.enter_context(stop.watched(process))
        stack.enter_context(ours)
        while True:
            try:
                word, value = ours.recv()
                pixels = ours.recv_bytes() if word == "frame" else b""
            except (EOFError, OSError):  # OSError when it died in the middle of a message
                wait([process.sentinel])  # killed on its way out it would end with another status
                break
            if word == "frame":
                index, shape, finished, fault, unkept = value
                frame = np.frombuffer(pixels, np.uint8).reshape(shape)
                yield BakedFrame(index, frame, finished, fault, unkept)
            elif word == "log":
                log_here(value)
            elif word == "error":
                raise DreamError(value)
            else:
                return
    if not stop.is_set():
        _log_last_words()
        how = "killed by the system: out of memory?" if process.exitcode == -9 else how_it_ended(process.exitcode)
        raise DreamError(f"the dream's process died ({how}); a smaller --size needs less")


def _tell(pipe: Connection, order: BakeRequest) -> None:
    with suppress(OSError), pipe:  # it has died: that is found where it is read from
        pipe.send(order)


def _last_words() -> Path:
    """Where libraries say why they die; nowhere, if there is no folder for logs."""
    with suppress(OSError, VisualizerError):
        folder = log_folder()
        folder.mkdir(parents=True, exist_ok=True)
        return folder / "bake.err"
    return Path(os.devnull)


def _log_last_words() -> None:
    """What a bake that died had to say."""
    with suppress(OSError):
        words = _last_words().read_bytes()[-MOST_LAST_WORDS:].decode("utf-8", "replace").strip()
        if words:
            log.warning("the bake's last words: %s", words)


def _child(pipe: Connection, orders: Connection, preview: bool) -> None:
    """What the child does: bake, keep, and send each frame as it is done."""
    if sys.platform == "win32":  # elsewhere it was started so
        redirect_streams(_last_words(), 2)
    lower_priority(PREVIEW_NICENESS if preview else NICENESS)
    # torch's threads go to sleep sooner when they wait: the cores are the show's
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    outlet = Outlet(pipe)
    logger = log_through(lambda line: outlet.send("log", line))
    try:
        order: BakeRequest = orders.recv()
        cache = FrameCache(order.folder, order.max_bytes)
        for baked in bake_inline(order, cache, preview=preview, beside_show=True):
            if baked.finished:
                lower_priority(NICENESS)
            if baked.depth_index > 0:
                frame = np.ascontiguousarray(baked.frame)
                about = (baked.depth_index, frame.shape, baked.finished, baked.fault, baked.unkept)
                outlet.send("frame", about, frame.data.cast("B"))
        outlet.send("done")
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the show has ended
    except VisualizerError as error:
        outlet.send("error", str(error))
    except MemoryError:
        outlet.send("error", "out of memory while dreaming; a smaller --size needs less")
    except Exception as error:
        logger.exception("the bake stopped")
        outlet.send("error", f"the dream stopped: {type(error).__name__}: {' '.join(str(error).split())}")
