"""Dream frames as they come: from the cache at once, or from a bake that runs during the show."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from ..dream.identity import RECIPE, identity
from ..errors import DreamError, VisualizerError
from ..files.paths import cache_folder, load_user_settings
from .baker import BakeProcess, BakeRequest, Stop, bake_in_child, bake_inline
from .cache import FrameCache, Note
from .loaded import LoadedPreset, Variant

if TYPE_CHECKING:
    from .station_plan import KnownStation, StationPlan

log = logging.getLogger(__name__)

OLDER_DREAMS = "dreams baked by an older version are baked again"


class DreamFrame(NamedTuple):
    """A dream frame, its variant and its depth. frame: (height, width, 3) uint8 sRGB; finished: False for a preview."""

    variant: int
    depth_index: int
    frame: np.ndarray
    finished: bool


class FrameSource(Protocol):
    """Where a show gets its dream frames from: `ReadyDreams` or `BackgroundDreams`, of a journey `ReadyStations` or
    `BackgroundStations`.

    fault: one line for the user, such as why a bake ended or that its frames are not kept; None while there is none.
    stations: of a journey, whose frames come station by station; None for the dreams of one image.
    """

    @property
    def fault(self) -> str | None: ...

    @property
    def stations(self) -> StationPlan | None: ...

    def poll(self) -> list[DreamFrame]:
        """The dream frames that came since the last call; a later one of the same variant and depth replaces the
        earlier.
        """

    def want(self, numbers: list[int]) -> None:
        """Of a journey, which stations are needed, the most urgent first."""

    def close(self) -> None:
        """Stop baking."""


def open_cache() -> FrameCache:
    """The cache of this user and machine, as large as settings.yaml allows."""
    return FrameCache(cache_folder(), int(load_user_settings().cache.max_gb * 1e9))


def cache_key(image: np.ndarray, variant: Variant, cache: FrameCache) -> str:
    """The key of one variant of an image in the cache. Raises DreamError if its weights cannot be read."""
    return cache.key(image, variant.settings, identity(variant.settings, variant.guide, variant.weights))


class VariantDreams:
    """The dream frames of one variant of a preset."""

    def __init__(
        self,
        loaded: LoadedPreset,
        variant_index: int,
        cache: FrameCache,
        stop: Stop | None,
        process: BakeProcess | None = None,
        *,
        is_passing: bool = False,
        one_core_less: bool = False,
    ) -> None:
        """stop: see `Dreams`. process: that bakes it, in place of one of its own. is_passing: see `Note`;
        one_core_less: see `BakeRequest`.
        """
        image, variant = loaded.image, loaded.variants[variant_index]
        self.n_depths = variant.settings.n_depths
        self.key = cache_key(image, variant, cache)
        self._request = BakeRequest(image, variant, self.key, cache.folder, cache.max_bytes, one_core_less)
        self._variant_index = variant_index
        self._cache = cache
        self._stop, self._process = stop, process
        self._cached = cache.load(self.key, self.n_depths, image.shape)
        self.from_cache = self._cached is not None
        self.fault = cache.last_fault  # one line for the user: about the cache, or a frame that could not be kept
        own = loaded.overrides.image.name if loaded.overrides.image is not None else ""
        self._note = Note(
            preset=loaded.name,
            image=own,
            layer=" + ".join(variant.settings.layers),
            width=image.shape[1],
            height=image.shape[0],
            n_depths=self.n_depths,
            recipe=RECIPE,
            is_passing=is_passing,
        )
        if not self.from_cache and self.fault is None and cache.has_older(self._note):
            self.fault = OLDER_DREAMS
            log.info("%s: %s", loaded.name, OLDER_DREAMS)
        self.kept = True  # False once a frame could not be kept for next time

    def frames(self, preview: bool) -> Generator[DreamFrame, None, None]:
        """All frames: those that are kept; with `preview`, a coarse one of every other depth; then the rest, in
        order.
        """
        if self._cached is not None:
            self._cache.describe(self.key, self._note)
            for depth_index, frame in enumerate(self._cached):
                yield DreamFrame(self._variant_index, depth_index, frame, True)
            return
        if self._process is not None:
            bake = self._process.bake(self._request, preview=preview)
        elif self._stop is None:
            bake = bake_inline(self._request, self._cache, preview=preview)
        else:
            bake = bake_in_child(self._request, self._stop, preview=preview)
        with closing(bake) as done:
            for baked in done:
                if baked.fault is not None:
                    self.fault, self.kept = baked.fault, self.kept and not baked.unkept
                if baked.finished and self.kept and baked.depth_index == 1:  # depth 0 may come before it is kept
                    self._cache.describe(self.key, self._note)
                yield DreamFrame(self._variant_index, baked.depth_index, baked.frame, baked.finished)


class Dreams:
    """The dream frames of a preset, variant by variant: each variant's previews if asked for, then its finished frames
    in order.
    """

    def __init__(self, loaded: LoadedPreset, cache: FrameCache, *, stop: Stop | None = None) -> None:
        """stop: bake during a show, in a process of low priority that ends when this is set; None: in this process."""
        self.n_depths = loaded.n_depths
        self.variants = [VariantDreams(loaded, index, cache, stop) for index in range(len(loaded.variants))]

    @property
    def from_cache(self) -> bool:
        """Whether nothing needs to be baked."""
        return all(variant.from_cache for variant in self.variants)

    @property
    def kept(self) -> bool:
        """False once a frame could not be kept for next time."""
        return all(variant.kept for variant in self.variants)

    @property
    def fault(self) -> str | None:
        """One line for the user, None if there is none."""
        return next((variant.fault for variant in self.variants if variant.fault), None)

    def frames(self, *, preview: bool = False) -> Generator[DreamFrame, None, None]:
        """Every frame, baked and kept if it was not cached. Raises DreamError."""
        for variant in self.variants:
            yield from variant.frames(preview)


class ReadyDreams:
    """Frames that are all there before the show begins (export, or a start from the cache): returned by the first
    poll.
    """

    fault: str | None = None
    stations: None = None

    def __init__(self, frames: list[DreamFrame]) -> None:
        self._frames = frames

    def poll(self) -> list[DreamFrame]:
        """The frames not returned yet."""
        frames, self._frames = self._frames, []
        return frames

    def want(self, numbers: list[int]) -> None:
        """There are no stations."""

    def close(self) -> None:
        """Release the frames."""
        self._frames = []


class BackgroundDreams:
    """Receives frames from a bake in another process, in a thread; `poll` returns what has come since.

    If the bake fails, the depths that are done stay, and `fault` has the reason in one line.
    """

    stations: None = None

    def __init__(self, dreams: Dreams, stop: Stop) -> None:
        """stop: the one that `dreams` was given."""
        self.fault: str | None = None
        self._dreams = dreams
        self._stop = stop
        # at most two frames wait: the bake must not run ahead of a show that is slow to take them
        self._ready: queue.Queue[DreamFrame] = queue.Queue(maxsize=2)
        self._thread = threading.Thread(target=self._bake, name="bake", daemon=True)
        self._thread.start()

    def _bake(self) -> None:
        try:
            with closing(self._dreams.frames(preview=True)) as frames:
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
            self.fault = f"the dream stopped: {type(error).__name__}: {error} (details are in the log)".splitlines()[0]

    def poll(self) -> list[DreamFrame]:
        """At most one frame that has been baked since the last call, so that no display frame waits for many
        uploads.
        """
        # only ever from None to a line: the other thread may set it at the same time
        fault = self._dreams.fault
        if fault is not None and self.fault is None:
            self.fault = fault
        try:
            return [self._ready.get_nowait()]
        except queue.Empty:
            return []

    def want(self, numbers: list[int]) -> None:
        """There are no stations."""

    def close(self) -> None:
        """Stop the bake at once. What is baked so far stays in the cache, and the next bake continues from there."""
        self._stop.set()
        self._thread.join()


def start(loaded: LoadedPreset, cache: FrameCache, begun: Sequence[KnownStation] = ()) -> FrameSource:
    """The frames of a preset for a show: all of them if they are cached, else a bake is started that runs during the
    show; the stations of a journey as they are needed. begun: of these a journey goes on, see `Stations`.
    """
    if loaded.journey is not None:
        from .journey import BackgroundStations  # which is built on this file

        return BackgroundStations(loaded, cache, begun)
    stop = Stop()
    dreams = Dreams(loaded, cache, stop=stop)
    if not dreams.from_cache:
        return BackgroundDreams(dreams, stop)
    ready = ReadyDreams(list(dreams.frames()))
    ready.fault = dreams.fault
    return ready


def complete(dreams: Dreams) -> Iterator[DreamFrame]:
    """Every frame of a preset, in order. Raises DreamError if fewer come than the preset asks for."""
    deepest = [-1] * len(dreams.variants)
    for placed in dreams.frames():
        deepest[placed.variant] = placed.depth_index
        yield placed
    for last in deepest:
        if last != dreams.n_depths:
            raise DreamError(f"the dream ended at depth {last} of {dreams.n_depths}; run the command again")
