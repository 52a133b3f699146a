"""A bake without a show: dream now, so that the show starts warm."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from ..clock import Stopwatch
from ..dream.device import describe_device
from ..errors import VisualizerError
from .cache import FrameCache
from .dreams import Dreams, complete
from .loaded import LoadedPreset


@dataclass(frozen=True)
class BakeProgress:
    """One depth done. done, total: dream frames, of all variants; seconds: since the beginning; folder: where the
    frames of the first variant lie; device: what computes; fault: a line for the user."""

    done: int
    total: int
    seconds: float
    folder: Path
    from_cache: bool
    device: str
    fault: str | None


def bake(loaded: LoadedPreset, cache: FrameCache) -> Generator[BakeProgress, None, None]:
    """Bake every depth of `look` into the cache, yielding as each is done. Raises DreamError, and VisualizerError at
    the first depth that cannot be kept: a bake is of no other use.
    """
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
            f"the preset's dreams do not fit into the cache together ({cache.max_bytes / 1e6:.0f} MB): "
            "raise cache.max_gb in settings.yaml"
        )
