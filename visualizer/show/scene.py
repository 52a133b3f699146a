"""A look on the stage: its picture, its dream frames as they come, and how far the beat may act on them."""

from __future__ import annotations

from collections import deque

from ..presets.dreams import FrameSource, Placed
from ..presets.loaded import LoadedPreset
from ..render.picture import Picture
from ..settings import BeatSettings
from .depth import depth_of
from .loop import Shown
from .reach import Reach
from .sound import Sound


class Scene:
    """A picture and its dream frames. n_depths: the deepest frame's index.

    at_most: how many dream frames are put into the picture for one display frame, all that have come if None. Each takes
    milliseconds, so a show that goes on takes one at a time. loaded: what it shows, for those who want to know. beat: its beat
    settings, as they were set by hand.
    """

    def __init__(
        self,
        picture: Picture,
        dreams: FrameSource,
        n_depths: int,
        *,
        at_most: int | None = None,
        loaded: LoadedPreset | None = None,
    ) -> None:
        self.picture = picture
        self.loaded = loaded
        self.beat = loaded.settings.beat if loaded is not None else BeatSettings()
        self.dreams = dreams
        self.n_depths = n_depths
        self.at_most = at_most
        self.n_put = 0  # for the last display frame
        self._waiting: deque[Placed] = deque()
        self._finished: set[tuple[int, int]] = set()
        self._reach, self._variant_reach = Reach(n_depths), Reach(max(picture.n_variants - 1, 1))
        self._last_variant = 0

    @property
    def n_baked(self) -> int:
        """Finished dream frames so far, of all variants."""
        return len(self._finished)

    @property
    def has_depth(self) -> bool:
        """Whether there is more to see than the image alone."""
        return self.picture.deepest > 0

    def take(self) -> None:
        """Put the dream frames that have come in their places."""
        self._waiting.extend(self.dreams.poll())
        self.n_put = 0
        while self._waiting and (self.at_most is None or self.n_put < self.at_most):
            placed = self._waiting.popleft()
            self.picture.put(placed.depth_index, placed.frame, placed.variant)
            self.n_put += 1
            if placed.finished and placed.depth_index > 0:
                self._finished.add((placed.variant, placed.depth_index))
        picture = self.picture
        # a variant is crossed to once it goes as deep as the first: a picture that crosses to it must not lose its depth
        while self._last_variant + 1 < picture.n_variants and picture.deepest_of(self._last_variant + 1) >= max(
            picture.deepest, 1
        ):
            self._last_variant += 1

    def where(self, level: float, variant_at: float, time_s: float) -> tuple[float, float]:
        """The depth and variant to draw, of what there is. level, variant_at: 0..1; time_s: rising, seconds."""
        depth = depth_of(level, self.n_depths, self.beat)
        variant = self._variant_reach.scale(variant_at * (self.picture.n_variants - 1), self._last_variant, time_s)
        return self._reach.scale(depth, max(self.picture.deepest, 0), time_s), variant

    def draw(self, time_s: float, sound: Sound, size: tuple[int, int]) -> Shown:
        """Take what has come and draw what the sound says."""
        self.take()
        depth, variant = self.where(sound.level_at(time_s), sound.variant_at(time_s), time_s)
        if size != (0, 0) and self.picture.deepest >= 0:
            self.picture.draw(depth, size, time_s, variant)
        return Shown(time_s, depth, self.n_baked, variant)
