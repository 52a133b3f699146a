"""A bake without a show, so that a later show starts at once."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from ..clock import Stopwatch
from ..dream.device import describe_device
from ..errors import VisualizerError
from ..oneline import size_text
from .cache import FrameCache
from .dreams import Dreams, complete
from .journey import N_STATIONS, Stations
from .loaded import LoadedPreset


@dataclass(frozen=True)
class BakeProgress:
    """One more depth is done.

    done, total: dream frames, of all variants; seconds: since the start; folder: where the frames of the first variant
    are kept; device: what computes, for people; fault: one line for the user, None if there is none; n_stations: of a
    journey, how many are baked.
    """

    done: int
    total: int
    seconds: float
    folder: Path
    from_cache: bool
    device: str
    fault: str | None
    n_stations: int | None = None


def bake(loaded: LoadedPreset, cache: FrameCache) -> Generator[BakeProgress, None, None]:
    """Bake every depth of a preset into the cache, yielding after each. Raises DreamError, and VisualizerError as soon
    as a depth cannot be kept: such a bake is useless.
    """
    if loaded.journey is not None:
        yield from _bake_stations(loaded, loaded.journey.loop or N_STATIONS, cache)
        return
    watch = Stopwatch()
    dreams = Dreams(loaded, cache)
    folder = cache.entry_folder(dreams.variants[0].key)
    device = "cache" if dreams.from_cache else describe_device()
    for placed in complete(dreams):
        if not dreams.kept:
            raise VisualizerError(f"{dreams.fault}; VISUALIZER_CACHE_DIR can name another folder")
        yield BakeProgress(
            placed.variant * dreams.n_depths + placed.depth_index,
            len(dreams.variants) * dreams.n_depths,
            watch.elapsed_s(),
            folder,
            dreams.from_cache,
            device,
            dreams.fault,
        )
    if not all(
        cache.glance(variant.key, dreams.n_depths, loaded.image.shape) is not None for variant in dreams.variants
    ):
        raise VisualizerError(
            f"the preset's dreams do not fit into the cache together ({size_text(cache.max_bytes)}): "
            "raise cache.max_gb in settings.yaml"
        )


def _bake_stations(loaded: LoadedPreset, n_stations: int, cache: FrameCache) -> Generator[BakeProgress, None, None]:
    """Bake the first stations of a journey, see `bake`."""
    watch = Stopwatch()
    stations = Stations(loaded, cache)
    is_cached, device = True, ""
    keys = []
    journey = stations.settings
    way = -1 if journey.direction == "out" and not journey.loop else 1
    for n_done in range(n_stations):
        station = way * n_done
        dreams = stations.dreams(station)
        keys.append(dreams.key)
        if is_cached and not dreams.from_cache:
            is_cached, device = False, describe_device()
        for placed in stations.frames(station):
            if not stations.kept:
                raise VisualizerError(f"{stations.fault}; VISUALIZER_CACHE_DIR can name another folder")
            yield BakeProgress(
                n_done * loaded.n_depths + placed.depth_index,
                n_stations * loaded.n_depths,
                watch.elapsed_s(),
                cache.folder,  # each station has a folder of its own in it
                is_cached,
                device or "cache",
                stations.fault,
                n_stations,
            )
    if not all(cache.glance(key, loaded.n_depths, loaded.image.shape) is not None for key in keys):
        raise VisualizerError(
            f"the stations of the journey do not fit into the cache together ({size_text(cache.max_bytes)}): "
            "raise cache.max_gb in settings.yaml"
        )
