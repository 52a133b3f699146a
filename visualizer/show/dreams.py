"""Dream frames as they come: from the cache at once, or from a bake that goes on behind the show."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Generator, Iterator
from contextlib import closing

import numpy as np

from .. import dream
from ..errors import DreamError, VisualizerError
from ..store.cache import FrameCache
from ..store.paths import cache_folder, load_user_settings
from .baker import bake_apart
from .look import Look

log = logging.getLogger(__name__)

DreamFrame = tuple[int, np.ndarray]


def open_cache() -> FrameCache:
    """The cache of this user and machine, as large as settings.yaml allows."""
    return FrameCache(cache_folder(), int(load_user_settings().cache.max_gb * 1e9))


def cache_key(look: Look, cache: FrameCache) -> str:
    """The name under which the dream frames of `look` are kept."""
    return cache.key(look.image, look.settings.dream, dream.identity(look.settings.dream))


class Dreams:
    """The dream frames of a look: (depth index, (height, width, 3) uint8) for depths 0 .. n_depths."""

    def __init__(self, look: Look, cache: FrameCache, *, behind: threading.Event | None = None) -> None:
        """behind: bake behind a show, in a process of low priority that ends when this is set; None: bake here."""
        self._behind = behind
        self.n_depths = look.settings.dream.n_depths
        self._look = look
        self._cache = cache
        self.key = cache_key(look, cache)
        self._cached = cache.load(self.key, self.n_depths, look.image.shape)
        self.from_cache = self._cached is not None
        self.fault = cache.last_fault  # what was wrong with the cache, to be said once
        self.kept = True  # False once a frame could not be kept for next time

    def __iter__(self) -> Generator[DreamFrame, None, None]:
        """All frames in order of depth, baked and kept if they were not cached. Raises DreamError."""
        if self._cached is not None:
            yield from enumerate(self._cached)
            return
        image, settings = self._look.image, self._look.settings.dream
        bake = dream.bake(image, settings) if self._behind is None else bake_apart(image, settings, self._behind)
        with closing(bake) as frames:
            for depth_index, frame in frames:
                if self.kept and not self._cache.save(self.key, depth_index, frame):
                    self.kept = False  # a full disk stays full: say it once, go on without
                    self.fault = self._cache.last_fault
                yield depth_index, frame
        self._cache.trim(self.key)


class ReadyDreams:
    """All frames at hand before the show begins (export, or a warm start): handed out at the first poll."""

    fault: str | None = None

    def __init__(self, frames: list[DreamFrame]) -> None:
        self._frames = frames

    def poll(self) -> list[DreamFrame]:
        """The frames not handed out yet."""
        frames, self._frames = self._frames, []
        return frames

    def close(self) -> None:
        """Nothing runs."""


class BackgroundDreams:
    """Takes frames from a bake in another process, and keeps them, in a thread; `poll` hands out what has come since.

    A bake that fails leaves the depths that are there, and its one-line reason in `fault`.
    """

    def __init__(self, dreams: Dreams, stop: threading.Event) -> None:
        """stop: the event that `dreams` was given to end its bake."""
        self.fault: str | None = None
        self._dreams = dreams
        self._stop = stop
        # two frames wait at most: the bake must not run ahead of a show that is slow to take them
        self._ready: queue.Queue[DreamFrame] = queue.Queue(maxsize=2)
        self._thread = threading.Thread(target=self._bake, name="bake", daemon=True)
        self._thread.start()

    def _bake(self) -> None:
        try:
            with closing(iter(self._dreams)) as frames:
                for frame in frames:
                    while not self._stop.is_set():
                        try:
                            self._ready.put(frame, timeout=0.1)
                            break
                        except queue.Full:
                            continue
                    if self._stop.is_set():
                        return
        except VisualizerError as error:
            log.exception("the bake stopped")
            self.fault = str(error)
        except Exception as error:
            log.exception("the bake stopped")
            self.fault = f"the dream stopped: {type(error).__name__}: {error} (the log tells more)".splitlines()[0]

    def poll(self) -> list[DreamFrame]:
        """What has been baked since the last call: one frame at most, so that no display frame waits for many uploads."""
        if self.fault is None:
            self.fault = self._dreams.fault
        try:
            return [self._ready.get_nowait()]
        except queue.Empty:
            return []

    def close(self) -> None:
        """Stop the bake, whatever it is at; what is baked so far stays in the cache."""
        self._stop.set()
        self._thread.join()


def start(look: Look, cache: FrameCache) -> ReadyDreams | BackgroundDreams:
    """The frames of `look` for a show that begins now."""
    stop = threading.Event()
    dreams = Dreams(look, cache, behind=stop)
    if not dreams.from_cache:
        return BackgroundDreams(dreams, stop)
    ready = ReadyDreams(list(dreams))
    ready.fault = dreams.fault
    return ready


class Reach:
    """How far down the depths go that are there, easing towards it as more are baked.

    The beat acts on what there is: with 5 of 20 baked a kick goes down to 5. Following the count at once would make the
    picture jump whenever a depth lands.
    """

    EASE_S = 0.4

    def __init__(self, n_depths: int) -> None:
        self.n_depths = n_depths
        self.deepest = 0.0
        self._last_s: float | None = None

    def scale(self, depth: float, deepest: int, time_s: float) -> float:
        """`depth` 0..n_depths scaled to the frames 0..deepest that are there, at a display time in seconds."""
        dt_s = 0.0 if self._last_s is None else max(0.0, time_s - self._last_s)
        if self._last_s is None or deepest < self.deepest:
            self.deepest = float(deepest)
        self._last_s = time_s
        self.deepest += (deepest - self.deepest) * (1 - 0.5 ** (dt_s / (self.EASE_S / 4)))
        if deepest - self.deepest < 1e-3:
            self.deepest = float(deepest)
        return min(depth * self.deepest / self.n_depths, float(deepest))


def complete(dreams: Dreams) -> Iterator[DreamFrame]:
    """Every frame of a look, in order; raises DreamError if fewer came than the preset asks for."""
    last = -1
    for last, frame in dreams:
        yield last, frame
    if last != dreams.n_depths:
        raise DreamError(f"the dream ended at depth {last} of {dreams.n_depths}; run the command again")
