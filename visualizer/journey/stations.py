"""The image that the next station of a journey begins with, and where in a station it begins."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .edge import soft_edge
from .geometry import Transform, crop, largest_shift, largest_turn

#: how far from station to station the direction in which the journey wanders turns, radians, and how far by chance
_WANDER, _BY_CHANCE = 1.1, 0.6
#: light is compared in a copy of so many rows, blurred by this fraction of the height
_LIGHT_ROWS, _LIGHT_BLUR = 32, 0.12
#: width of the soft edge of a picture inside another, of half its size
_INSIDE = 0.5
#: a picture is looked through for what is most dreamt in a copy of so many rows
_ROWS = 72


class Light(NamedTuple):
    """Light and colour of a picture: mean and standard deviation of red, green and blue, levels of 255; and where it is
    lighter or of another colour than on average, a blurred copy (height, width, 3) float32 around 0.
    """

    mean: np.ndarray
    deviation: np.ndarray
    places: np.ndarray


def light_of(image: np.ndarray) -> Light:
    """Light and colour of a picture (height, width, 3) uint8."""
    levels = image.reshape(-1, 3).astype(np.float64)
    return Light(levels.mean(0), levels.std(0), _places_of(image))


def _places_of(image: np.ndarray) -> np.ndarray:
    """See `Light.places`."""
    from PIL import Image, ImageFilter

    height, width = image.shape[:2]
    rows = _LIGHT_ROWS, max(1, round(_LIGHT_ROWS * width / height))
    small = Image.fromarray(image).resize(rows[::-1], Image.Resampling.BOX)
    small = small.filter(ImageFilter.GaussianBlur(_LIGHT_BLUR * _LIGHT_ROWS))
    blurred = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC), np.float32)
    return blurred - blurred.mean((0, 1))


def next_image(frame: np.ndarray, crop: Transform, light: Light, way_back: float) -> np.ndarray:
    """The image of the next station: a crop of a dream frame (height, width, 3) uint8, enlarged to its size.

    light, way_back: of the first picture, and how far the crop is led back to it, 0..1: every dream brings contrast and
    colour, and what is not led back becomes grey and flat. So it is with the places: where nothing leads the sky
    back to the top, all becomes of one colour.
    """
    seen = _seen_through(frame, crop)
    change, found = light.places - _places_of(seen), np.empty_like(seen)
    for channel in range(3):  # one after another, in float32: a show draws beside this
        levels = seen[..., channel] + np.float32(way_back) * change[..., channel]
        mean, deviation = levels.mean(), levels.std()
        wanted = mean + way_back * (light.mean[channel] - mean)
        factor = 1 + way_back * (light.deviation[channel] - deviation) / max(deviation, 1e-3)
        levels = (levels - mean) * np.float32(factor) + np.float32(wanted)
        found[..., channel] = np.clip(np.rint(levels, out=levels), 0, 255, out=levels)
    return found


def with_picture_inside(image: np.ndarray, first: np.ndarray, crop: Transform) -> np.ndarray:
    """An image with another of the same size laid into its crop, with a soft edge: so a journey comes back to its first
    picture, or goes out of it. Both (height, width, 3) uint8.
    """
    from PIL import Image

    height, width = image.shape[:2]
    half = (max(1, width // 2), max(1, height // 2))  # what is drawn smaller is made smaller first: no sparkle
    smaller = np.asarray(Image.fromarray(first).resize(half, Image.Resampling.LANCZOS).resize((width, height)))
    inside = _seen_through(smaller, crop.inverse).astype(np.float64)
    x, y = np.meshgrid((np.arange(width) + 0.5) / width - 0.5, (np.arange(height) + 0.5) / height - 0.5)
    places = crop.inverse.scale * (x * width / height + 1j * y) + crop.inverse.shift
    share = soft_edge(places.real * height / width + 0.5, places.imag + 0.5, _INSIDE)[..., None]
    return np.clip(np.rint(image * (1 - share) + inside * share), 0, 255).astype(np.uint8)


def fixed_crop(turn: float, aspect: float) -> Transform:
    """The crop in the middle. turn: radians, limited to what the shape of the picture (width / height) allows."""
    return crop(_limited(turn, aspect), 0)


def wandering_crop(turn: float, aspect: float, station: int, seed: int) -> Transform:
    """A crop beside the middle, in a direction that goes round slowly from station to station, with some chance."""
    turn = _limited(turn, aspect)
    most = largest_shift(turn, aspect)
    chance = np.random.default_rng((seed, station % 2**32))
    direction = _WANDER * station + _BY_CHANCE * chance.uniform(-1, 1)
    amount = chance.uniform(0.6, 1.0)
    return crop(turn, complex(most.real * amount * math.cos(direction), most.imag * amount * math.sin(direction)))


def dreamt_crop(turn: float, aspect: float, image: np.ndarray, deepest: np.ndarray) -> Transform:
    """The crop, of those that are allowed, in which the deepest dream frame differs most from the image."""
    from PIL import Image, ImageFilter

    turn = _limited(turn, aspect)
    most = largest_shift(turn, aspect)
    rows, columns = _ROWS, max(1, round(_ROWS * aspect))
    change = np.abs(deepest.astype(np.int16) - image).mean(2).astype(np.uint8)
    small = Image.fromarray(change).resize((columns, rows), Image.Resampling.BOX)
    x, y = np.meshgrid(((np.arange(columns) + 0.5) / columns - 0.5) * aspect, (np.arange(rows) + 0.5) / rows - 0.5)
    # of places that are equal the one next to the middle
    found = np.asarray(small.filter(ImageFilter.GaussianBlur(rows / 10)), np.float64) + 1 - np.hypot(x, y) / 10
    found[(np.abs(x) > most.real) | (np.abs(y) > most.imag)] = -1
    place = np.unravel_index(int(np.argmax(found)), found.shape)
    if found[place] < 0:  # the shape allows no other place than the middle
        return crop(turn, 0)
    return crop(turn, complex(x[place], y[place]))


def _limited(turn: float, aspect: float) -> float:
    most = largest_turn(aspect)
    return min(max(turn, -most), most)


def _seen_through(image: np.ndarray, at: Transform) -> np.ndarray:
    """A picture whose point w is the point at(w) of another one of the same size, black outside; both uint8."""
    from PIL import Image

    height, width = image.shape[:2]
    a, b, x, y = at.numbers
    middle = (width / 2, height / 2)
    data = (
        *(a, -b, middle[0] + x * height - a * middle[0] + b * middle[1]),
        *(b, a, middle[1] + y * height - b * middle[0] - a * middle[1]),
    )
    seen = Image.fromarray(image).transform(
        (width, height), Image.Transform.AFFINE, data, resample=Image.Resampling.BICUBIC
    )
    return np.asarray(seen)
