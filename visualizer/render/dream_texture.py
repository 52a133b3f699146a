"""The dream frames of a preset on the graphics card, and how they are fitted to a picture."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import BadInput, GraphicsError
from ..oneline import size_text
from .gl import gl_finish

if TYPE_CHECKING:
    import moderngl


class Fit(NamedTuple):
    """How a dream frame is fitted to a picture: the part that is seen, and how many frame pixels a pixel covers."""

    origin: tuple[float, float]  # top left corner of the part seen, 0..1
    extent: tuple[float, float]  # width and height of the part seen, 0..1
    shrink: float  # frame pixels per picture pixel: 1 is pixel for pixel, 4 a picture far smaller than the frame


class PlacedStation(NamedTuple):
    """A station of a journey as it is drawn in one display frame.

    slot: the variant that holds its dream frames. matrix: from places in the picture 0..1 to places in the frames, two
    rows for (u, v, 1). weight: how much of it is there, 0..1. feather: width of its soft edge, of half its size; 0:
    none. depth: what the depth is multiplied with, 0..1.
    """

    slot: int
    matrix: tuple[tuple[float, float, float], tuple[float, float, float]]
    weight: float
    feather: float
    depth: float


def cover(frame_size: tuple[int, int], size: tuple[int, int]) -> Fit:
    """Fit a frame over a picture so that it fills it, is not stretched, and is cut evenly. Sizes (w, h) in px, >= 1."""
    shrink = min(frame_size[0] / size[0], frame_size[1] / size[1])
    seen = (size[0] * shrink, size[1] * shrink)
    origin = [(whole - part) / 2 for whole, part in zip(frame_size, seen, strict=True)]
    if shrink == 1:
        # an odd number of pixels to cut would put every pixel half beside its texel
        origin = [float(math.floor(px)) for px in origin]
    return Fit(
        (origin[0] / frame_size[0], origin[1] / frame_size[1]),
        (seen[0] / frame_size[0], seen[1] / frame_size[1]),
        shrink,
    )


class TooLittleMemory(GraphicsError):
    """There is too little graphics memory for all dream frames."""


_MAX_TAPS = 8


def taps(shrink: float) -> int | None:
    """How many samples a pixel of the picture takes in each direction, None: one, see shaders/base/dream.glsl."""
    # one linear sample averages 2 x 2 texels; beyond that texels would be skipped, and details would flicker
    return min(math.ceil(shrink / 2), _MAX_TAPS) if shrink > 2 else None


#: so many stations of a journey are drawn at once, at most
MOST_STATIONS = 4


class DreamTexture:
    """Variants of dream frames 0..n_depths in one texture array.

    ctx: the context of the Surface it will be drawn on. frame_size: (width, height) of every dream frame, px. n_depths:
    the deepest frame's index. n_variants: how many dreams of the image there are, each a variant of n_depths + 1
    frames. is_journey: what is drawn is not one variant, or two next to each other, but the `stations`, each the frames
    of one variant. Raises BadInput for a size or count that cannot be; TooLittleMemory for more frames than the driver
    or the graphics memory holds.

    Frames may be put in any order and between draws; each variant goes as deep as its frames are there without a gap.
    texture: layer variant * (n_depths + 1) + depth is a dream frame. stations: of a journey, the innermost first;
    change them at will between draws.
    """

    def __init__(
        self,
        ctx: moderngl.Context,
        frame_size: tuple[int, int],
        n_depths: int,
        n_variants: int,
        *,
        is_journey: bool = False,
    ) -> None:
        import moderngl

        self.frame_size = (int(frame_size[0]), int(frame_size[1]))
        self.n_depths, self.n_variants, self.is_journey = n_depths, n_variants, is_journey
        self.stations: Sequence[PlacedStation] = ()
        self._ctx = ctx
        _check_limits(ctx, self.frame_size, n_depths, n_variants)
        self._is_put = np.zeros((n_variants, n_depths + 1), bool)
        self._deepest = [-1] * n_variants
        self._places = np.zeros((n_variants, 2), np.float32)
        width, height = self.frame_size
        try:
            self.texture = ctx.texture_array((width, height, n_variants * (n_depths + 1)), 3)
        except moderngl.Error as error:
            raise TooLittleMemory(_no_memory(self.frame_size, n_depths, n_variants)) from error
        if ctx.error == "GL_OUT_OF_MEMORY":
            self.texture.release()
            raise TooLittleMemory(_no_memory(self.frame_size, n_depths, n_variants))
        self.texture.repeat_x = self.texture.repeat_y = False

    @property
    def deepest(self) -> int:
        """The deepest dream frame of the first variant that exists with all before it; -1 before its frame 0 is put. Of
        a journey the deepest of all.
        """
        return max(self._deepest) if self.is_journey else self._deepest[0]

    @property
    def is_empty(self) -> bool:
        """Whether there is no frame to draw yet."""
        return max(self._deepest) < 0

    def deepest_of(self, variant: int) -> int:
        """The deepest of any variant, 0 .. n_variants - 1."""
        return self._deepest[variant]

    def put(self, depth_index: int, frame: np.ndarray, variant: int = 0) -> None:
        """Put in the dream frame of a depth, in place of the one there before.

        frame: (H, W, 3) uint8, top row first. BadInput if it does not fit.
        """
        width, height = self.frame_size
        if not 0 <= depth_index <= self.n_depths:
            raise BadInput(f"dream frame {depth_index} is outside 0..{self.n_depths}")
        if not 0 <= variant < self.n_variants:
            raise BadInput(f"variant {variant} is outside 0..{self.n_variants - 1}")
        if frame.dtype != np.uint8 or frame.shape != (height, width, 3):
            raise BadInput(
                f"dream frame {depth_index} must be {(height, width, 3)} uint8 (height, width, RGB), "
                f"not {frame.shape} {frame.dtype}"
            )
        # a software driver would first draw everything that is pending, with Python's lock held
        gl_finish(self._ctx)
        layer = variant * (self.n_depths + 1) + depth_index
        self.texture.write(np.ascontiguousarray(frame), (0, 0, layer, width, height, 1))
        if self._ctx.error == "GL_OUT_OF_MEMORY":
            raise TooLittleMemory(_no_memory(self.frame_size, self.n_depths, self.n_variants))
        self._is_put[variant, depth_index] = True
        while self._deepest[variant] < self.n_depths and self._is_put[variant, self._deepest[variant] + 1]:
            self._deepest[variant] += 1
        self._places = _places(self._deepest, self.n_depths)

    def clear(self, variant: int) -> None:
        """Forget the frames of a variant, so that others can be put in their place."""
        self._is_put[variant], self._deepest[variant] = False, -1
        self._places = _places(self._deepest, self.n_depths)

    def values(self, depth: float, variant: float) -> dict[str, Any]:
        """The uniforms of `dream` in shaders/base/dream.glsl, but for those that depend on the picture's size.

        depth, variant: clamped to what is there; NaN is 0. In the place of a variant without frames stands the nearest
        before it that has some, or else the nearest after it.
        """
        place = self._variant(variant)
        places = self._places
        return {
            "depth": _clamped(depth, max(self._deepest)),
            "deepest": float(places[0, 1]),
            "frame_size": self.frame_size,
            "variant": place,
            "row": place,
            "variants": places,
            "rows": places,
            **(self._station_values() if self.is_journey else {}),
        }

    @contextmanager
    def all_there(self) -> Iterator[None]:
        """While inside, frames behind a gap are drawn, too."""
        kept = self._deepest, self._places, self.stations
        self._deepest = [self.n_depths] * self.n_variants
        self._places = _places(self._deepest, self.n_depths)
        try:
            yield
        finally:
            self._deepest, self._places, self.stations = kept

    def place_alone(self, variant: int) -> None:
        """Of a journey, draw the frames of one variant as they are."""
        self.stations = (PlacedStation(variant, ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)), 1.0, 0.0, 1.0),)

    def release(self) -> None:
        """Release the graphics memory. The context must still exist; may be called twice."""
        self.texture.release()

    @property
    def seen_stations(self) -> list[PlacedStation]:
        """Of a journey, the stations that are drawn: those that have frames."""
        return [one for one in self.stations[:MOST_STATIONS] if self._deepest[one.slot] >= 0]

    def _station_values(self) -> dict[str, Any]:
        """The uniforms of a journey: of each station the rows of its matrix, and where its frames are."""
        rows = np.zeros((3 * MOST_STATIONS, 4), np.float32)
        for index, one in enumerate(self.seen_stations):
            across, down = one.matrix
            first, deepest = one.slot * (self.n_depths + 1), self._deepest[one.slot]
            rows[3 * index : 3 * index + 3] = (
                (*across, one.weight),
                (*down, one.feather),
                (first, deepest, one.depth, 0.0),
            )
        return {"stations": rows}

    def _variant(self, variant: float) -> float:
        """`variant` clamped; a whole number where the variants on both sides show the same, which halves the work of
        drawing.
        """
        variant = _clamped(variant, self.n_variants - 1)
        lower = int(variant)
        if variant > lower and np.array_equal(self._places[lower], self._places[lower + 1]):
            return float(lower)
        return variant


def _clamped(value: float, most: int) -> float:
    """`value` clamped to 0..most; NaN is 0."""
    return 0.0 if math.isnan(value) else min(max(float(value), 0.0), float(most))


def _places(deepest: list[int], n_depths: int) -> np.ndarray:
    """Where in the texture array each variant is found: (n_variants, 2) float32, its first layer and its deepest frame.

    deepest: of each variant, -1 where it has no frames. A variant without frames gets the entry of another.
    """
    there = [variant for variant, its_deepest in enumerate(deepest) if its_deepest >= 0] or [0]
    shown = [max((other for other in there if other <= variant), default=there[0]) for variant in range(len(deepest))]
    return np.array([(variant * (n_depths + 1), deepest[variant]) for variant in shown], np.float32)


def _check_limits(ctx: moderngl.Context, frame_size: tuple[int, int], n_depths: int, n_variants: int) -> None:
    if min(frame_size) < 1 or n_depths < 1 or n_variants < 1:
        raise BadInput(
            f"a picture of {frame_size[0]}x{frame_size[1]} px, {n_depths} depths and {n_variants} variants cannot be made; "
            "each must be at least 1"
        )
    largest, most = ctx.info["GL_MAX_TEXTURE_SIZE"], ctx.info["GL_MAX_ARRAY_TEXTURE_LAYERS"]
    if max(frame_size) > largest:
        raise BadInput(
            f"this graphics driver cannot hold pictures of {frame_size[0]}x{frame_size[1]}; "
            f"--size may be up to {largest}x{largest} here"
        )
    if n_variants * (n_depths + 1) > most:
        ways = "name fewer variants or lower n_depths" if n_variants > 1 else "lower n_depths"
        raise TooLittleMemory(
            f"this graphics driver holds {most} dream frames, {_count(n_depths, n_variants)} are needed; {ways}"
        )


def _count(n_depths: int, n_variants: int) -> str:
    """How many dream frames, for messages: "21", "63 (3 variants of 21)"."""
    of_variants = f" ({n_variants} variants of {n_depths + 1})" if n_variants > 1 else ""
    return f"{n_variants * (n_depths + 1)}{of_variants}"


def _no_memory(frame_size: tuple[int, int], n_depths: int, n_variants: int) -> str:
    n_bytes = frame_size[0] * frame_size[1] * 4 * n_variants * (n_depths + 1)
    ways = "choose a smaller --size or fewer variants" if n_variants > 1 else "choose a smaller --size"
    frames = f"{n_variants * (n_depths + 1)} dream frames of {frame_size[0]}x{frame_size[1]}"
    if n_variants > 1:
        frames += f" in {n_variants} variants"
    return f"too little graphics memory: {frames} take {size_text(n_bytes)}; {ways}"
