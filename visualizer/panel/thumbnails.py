"""Thumbnails of the presets for the panel: a deep dream frame if it is in the cache, else the preset's image."""

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

#: depth of the dream frame, as a fraction of all depths: deep enough to show the dream, and the image is still
#: recognised
DEPTH = 0.7
WIDTH_PX = 400  # enough for the widest thumbnail of a panel on a large monitor


@dataclass(frozen=True)
class ThumbnailOptions:
    """How presets are opened for their thumbnails: size (width, height), px; overrides: the user's, for every
    preset.
    """

    size: tuple[int, int] = DEFAULT_SIZE
    overrides: Overrides = field(default_factory=Overrides)


@dataclass(frozen=True)
class Thumbnail:
    """Thumbnail of a preset. pixels: (height, width, 3) uint8 sRGB; is_dreamt: it shows a dream frame, not the
    image.
    """

    preset: str
    pixels: np.ndarray
    is_dreamt: bool


class Thumbnails:
    """Makes thumbnails in a thread, one after the other; `take` returns those that are ready."""

    def __init__(self, options: ThumbnailOptions) -> None:
        self._options = options
        self._changed = threading.Condition()
        self._wanted: list[str] = []
        self._made: list[Thumbnail] = []
        self._asked: set[str] = set()
        self._dreamt: set[str] = set()
        self._baked: set[str] = set()  # bakes that ended while the panel is open: made once more
        threading.Thread(target=self._work, name="thumbnails", daemon=True).start()

    def request(self, presets: Iterable[str], *, baked: str = "") -> None:
        """Request the thumbnails of these presets, each once, and that of `baked` again if it shows the image and the
        bake has ended.
        """
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
        """The thumbnails made since the last call."""
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
                made = thumbnail(name, self._options)
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


def thumbnail(name: str, options: ThumbnailOptions) -> Thumbnail:
    """Make the thumbnail of a preset. Raises BadInput or DreamError for one that cannot be opened."""
    from ..presets.dreams import cache_key, open_cache
    from ..presets.loaded import open_preset

    loaded = open_preset(name, size=options.size, overrides=options.overrides)
    variant, cache = loaded.variants[0], open_cache()
    depth_index = round(DEPTH * variant.settings.n_depths)
    dreamt = cache.glance(cache_key(loaded.image, variant, cache), depth_index, loaded.image.shape)
    return Thumbnail(name, _scaled_down(loaded.image if dreamt is None else dreamt), dreamt is not None)


def _scaled_down(pixels: np.ndarray) -> np.ndarray:
    """Scale (height, width, 3) uint8 pixels down by a whole factor, to about WIDTH_PX, by the mean of each block."""
    step = max(1, pixels.shape[1] // WIDTH_PX)
    height, width = pixels.shape[0] // step, pixels.shape[1] // step
    if step == 1 or height < 1:
        return pixels
    blocks = pixels[: height * step, : width * step].reshape(height, step, width, step, 3)
    return blocks.mean(axis=(1, 3)).round().astype(np.uint8)
