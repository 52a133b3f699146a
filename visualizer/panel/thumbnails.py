"""Pictures of the presets for the performer's panel: what they have dreamt deep down, where that rests in the cache, else their image."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from ..errors import VisualizerError
from ..presets.loaded import Overrides
from ..settings import DEFAULT_SIZE

log = logging.getLogger(__name__)

#: how deep the picture is taken from, of all depths: dreamt enough to be told, and still the image
DEEP = 0.7
WIDTH_PX = 400  # of a thumbnail, enough for the widest cell of a panel on a large screen


@dataclass(frozen=True)
class Pictured:
    """Which pictures are meant: of presets opened in `size` (width, height), px, with what the user wished for in each."""

    size: tuple[int, int] = DEFAULT_SIZE
    overrides: Overrides = field(default_factory=Overrides)


@dataclass(frozen=True)
class Thumbnail:
    """A preset's picture: (height, width, 3) uint8 sRGB; is_dreamt: a frame of its dream, not its image alone."""

    preset: str
    pixels: np.ndarray
    is_dreamt: bool


class Thumbnails:
    """Makes thumbnails in a thread, one after the other; `take` hands out what has come."""

    def __init__(self, pictured: Pictured) -> None:
        self._pictured = pictured
        self._changed = threading.Condition()
        self._wanted: list[str] = []
        self._made: list[Thumbnail] = []
        self._asked: set[str] = set()
        self._dreamt: set[str] = set()
        self._baked: set[str] = set()  # finished before our eyes: looked at once more
        threading.Thread(target=self._work, name="thumbnails", daemon=True).start()

    def want(self, presets: Iterable[str], *, baked: str = "") -> None:
        """Want these, each once; and `baked` once more, when its dream has been finished since its image was taken."""
        again = baked and baked in self._asked - self._dreamt - self._baked
        new = [name for name in presets if name not in self._asked]
        if not new and not again:
            return
        with self._changed:
            self._asked |= set(new)
            if again:
                self._baked.add(baked)
                new.append(baked)
            self._wanted += new
            self._changed.notify()

    def take(self) -> list[Thumbnail]:
        """What has been made since the last call."""
        if not self._made:
            return []
        with self._changed:
            made, self._made = self._made, []
        return made

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted)
                name = self._wanted.pop(0)
            try:
                made = thumbnail(name, self._pictured)
            except VisualizerError as fault:
                log.info("no thumbnail of preset %s: %s", name, fault)
                continue
            except Exception:
                log.exception("no thumbnail of preset %s", name)
                continue
            with self._changed:
                if made.is_dreamt:
                    self._dreamt.add(name)
                self._made.append(made)


def thumbnail(name: str, pictured: Pictured) -> Thumbnail:
    """The picture of a preset. Raises BadInput or DreamError for one that cannot be opened."""
    from ..presets.dreams import cache_key, open_cache
    from ..presets.loaded import open_preset

    loaded = open_preset(name, size=pictured.size, overrides=pictured.overrides)
    variant, cache = loaded.variants[0], open_cache()
    depth_index = round(DEEP * variant.settings.n_depths)
    dreamt = cache.glance(cache_key(loaded.image, variant, cache), depth_index, loaded.image.shape)
    return Thumbnail(name, _smaller(loaded.image if dreamt is None else dreamt), dreamt is not None)


def _smaller(pixels: np.ndarray) -> np.ndarray:
    """A picture WIDTH_PX wide at most, each pixel the mean of those it stands for; (height, width, 3) uint8."""
    step = max(1, pixels.shape[1] // WIDTH_PX)
    height, width = pixels.shape[0] // step, pixels.shape[1] // step
    if step == 1 or height < 1:
        return pixels
    blocks = pixels[: height * step, : width * step].reshape(height, step, width, step, 3)
    return blocks.mean(axis=(1, 3)).round().astype(np.uint8)
