"""A bake without a show: dream now, so that the show starts warm."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from .. import dream
from ..clock import Stopwatch
from ..errors import VisualizerError
from .cache import FrameCache
from .dreams import Dreams, complete
from .loaded import Look


@dataclass(frozen=True)
class Baked:
    """One depth done. done, total: dream frames, of all rows; seconds: since the beginning; folder: where the frames of the
    first row lie; device: what computes; fault: a line for the user."""

    done: int
    total: int
    seconds: float
    folder: Path
    from_cache: bool
    device: str
    fault: str | None


def bake(look: Look, cache: FrameCache) -> Generator[Baked, None, None]:
    """Bake every depth of `look` into the cache, yielding as each is done. Raises DreamError, and VisualizerError at the first
    depth that cannot be kept: a bake is of no other use.
    """
    watch = Stopwatch()
    dreams = Dreams(look, cache)
    folder = cache.entry_folder(dreams.rows[0].key)
    device = "cache" if dreams.from_cache else dream.describe_device()
    for placed in complete(dreams):
        if not dreams.kept:
            raise VisualizerError(f"{dreams.fault}; VISUALIZER_CACHE_DIR can name another folder")
        yield Baked(
            placed.row * dreams.n_depths + placed.depth_index,
            len(dreams.rows) * dreams.n_depths,
            watch.elapsed_s(),
            folder,
            dreams.from_cache,
            device,
            dreams.fault,
        )
    if not all(cache.glance(row.key, dreams.n_depths, look.image.shape) is not None for row in dreams.rows):
        raise VisualizerError(
            f"the preset's dreams do not fit into the cache together ({cache.max_bytes / 1e6:.0f} MB): "
            "raise cache.max_gb in settings.yaml"
        )
