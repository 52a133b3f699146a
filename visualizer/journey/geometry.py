"""Where the stations of a journey are seen in one display frame.

A station is a dream of its own. The image of the next one is a crop of this one: 1 / ZOOM of its size, turned, and not
always in the middle. So a place in the next one is a place in this one, by a similarity transform: w -> scale * w +
shift.

Points are complex numbers, x + iy in heights of the picture from its middle, y downwards. Positions along the journey
are counted in stations: at position 2.25 a quarter of the way from station 2 to station 3 is done.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from ..easing import smoothstep

#: how much larger than the one before a station is
ZOOM = 2.0
#: width of the soft edge of a station, of half its size, when it appears and from zoom WIDE_UNTIL on
WIDE_FEATHER, FEATHER = 0.75, 0.3
WIDE_UNTIL = 0.2
#: zoom of a station at which it begins to appear inside the one before, and at which it is wholly there, as powers of
#: ZOOM
APPEARS, IS_THERE = -1.0, -0.4
#: zoom from which a station dreams as deep as the show says; before, it begins at the depth that it was cropped at
FULL_DEPTH = 0.0
#: zoom at which the part of a station that is not soft covers the picture: the one around it is seen no more
COVERS = 2
#: how many stations are seen at once, at most: those whose zoom is above APPEARS and below COVERS + 1
MOST_SEEN = COVERS + 2
#: how much of the largest turn and shift is used
_MARGIN = 0.9


class Transform(NamedTuple):
    """Zooms, turns and shifts: w -> scale * w + shift."""

    scale: complex = 1.0
    shift: complex = 0.0

    def __call__(self, point: complex) -> complex:
        return self.scale * point + self.shift

    def after(self, first: Transform) -> Transform:
        """This one, done after another one."""
        return Transform(self.scale * first.scale, self(first.shift))

    @property
    def numbers(self) -> tuple[float, float, float, float]:
        """Real and imaginary part of scale, then of shift; `of` makes the same of them again."""
        return self.scale.real, self.scale.imag, self.shift.real, self.shift.imag

    @classmethod
    def of(cls, a: float, b: float, x: float, y: float) -> Transform:
        """The transform with these `numbers`."""
        return cls(complex(a, b), complex(x, y))

    @property
    def inverse(self) -> Transform:
        """What undoes it."""
        return Transform(1 / self.scale, -self.shift / self.scale)


class SpiralZoom(NamedTuple):
    """A steady zoom and turn (turn: its logarithm, for the whole of the way) with a drift; `until(1)` is all of it."""

    turn: complex
    drift: complex

    def until(self, amount: float) -> Transform:
        """As far as `amount` of it: the exponential of the affine map w -> turn * w + drift."""
        turn = self.turn * amount
        # (exp(turn) - 1) / turn, also where the turn is nearly 0
        grown = (cmath.exp(turn) - 1) / turn if abs(turn) > 1e-6 else 1 + turn / 2
        return Transform(cmath.exp(turn), self.drift * amount * grown)


#: no motion at all
STILL = Transform()
#: the crop of a station by its number, that is where the next one lies in it
Crops = Callable[[int], Transform]


def crop(turn: float, shift: complex) -> Transform:
    """A crop turned by `turn` radians, its middle at `shift`."""
    return Transform(cmath.exp(1j * turn) / ZOOM, shift)


def can_lead(crop: Transform) -> bool:
    """Whether a zoom can lead to a crop: it is smaller than its station, not a mere point, and lies near it."""
    return 0.01 < abs(crop.scale) < 0.99 and abs(crop.shift) < 100


def motion_of(crop: Transform) -> SpiralZoom:
    """The steady motion that leads from a station to the next one, whose crop it is."""
    turn = complex(-math.log(ZOOM), cmath.phase(crop.scale))
    return SpiralZoom(turn, crop.shift * turn / (crop.scale - 1))


def view(position: float, crops: Crops) -> tuple[int, Transform]:
    """The station that a position is in, and where a point of the screen lies in it.

    Size: 1 / ZOOM ** fraction. Turn and drift change smoothly: on the border of two stations both sides move as the
    crop before the border says. crops: of this station and of the one before.
    """
    station = math.floor(position)
    done = position - station
    own, before = motion_of(crops(station)), motion_of(crops(station - 1))
    # at 0 its velocity is that of the crop before, at 1 its own; it changes neither place
    bend = done * (1 - done) ** 2
    change = SpiralZoom(before.turn - own.turn, before.drift - own.drift)
    return station, own.until(done).after(change.until(bend))


@dataclass(frozen=True)
class Placement:
    """A station as it is drawn in one display frame.

    station: its number. at: where a point of the screen lies in it. weight: how much of it is there, 0..1. feather:
    width of its soft edge, of half its size; 0: none, it covers the picture. depth: what the depth of the show is
    multiplied with.
    """

    station: int
    at: Transform
    weight: float
    feather: float
    depth: float

    def matrix(self, aspect: float) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        """`at` for coordinates 0..1 of pictures of this aspect (width / height), from the top left: u = row 0 of it
        with (u, v, 1), v = row 1.
        """
        a, b, x, y = self.at.numbers
        return (
            (a, -b / aspect, 0.5 + x / aspect - (a - b / aspect) / 2),
            (b * aspect, a, 0.5 + y - (b * aspect + a) / 2),
        )


def weight_at(zoom: float) -> float:
    """How much of a station is there, 0..1. zoom: of the station, as a power of ZOOM."""
    return smoothstep((zoom - APPEARS) / (IS_THERE - APPEARS))


def feather_at(zoom: float) -> float:
    """Width of the soft edge of a station, of half its size. zoom: of the station, as a power of ZOOM.

    It is wide where the station appears: so it opens in the middle, whatever is around it.
    """
    return WIDE_FEATHER + (FEATHER - WIDE_FEATHER) * smoothstep((zoom - APPEARS) / (WIDE_UNTIL - APPEARS))


def depth_at(zoom: float, begins_at: float) -> float:
    """What the depth of the show is multiplied with for a station, so that a kick goes through all of them at once.

    zoom: of the station, as a power of ZOOM. begins_at: the depth at which it was cropped, of the deepest, 0..1: where
    it appears it is dreamt so much less deep, since so much of it is in its image already.
    """
    return 1 - begins_at * (1 - smoothstep((zoom - APPEARS) / (FULL_DEPTH - APPEARS)))


def placements(
    position: float,
    crops: Crops,
    aspect: float,
    *,
    begins_at: float,
    present: Callable[[int], float],
    moved: Transform = STILL,
) -> tuple[Placement, ...]:
    """The stations that are seen at a position, the innermost first; each has the next one of the tuple around it.

    crops: of the stations around the position. aspect: width / height of the picture. begins_at: see `depth_at`.
    present: how much of a station is there, 0..1: it may be on its way still. moved: a small motion of the screen, on
    top of the journey. The outermost covers the picture, whatever its weight. Empty where no station is there.

    A station has as much of its soft edge as is there of the one around it, so that this can arrive late, too.
    """
    station, here = view(position, crops)
    here = here.after(moved)
    found: list[Placement] = []
    for number in range(station + 1, station - COVERS - 1, -1):
        if number > station:
            at = crops(station).inverse.after(here)
        elif number == station:
            at = here
        else:
            at = crops(number).after(at)
        zoom = position - number
        share = present(number)
        weight = weight_at(zoom) * share
        if weight <= 0:
            continue
        feather = feather_at(zoom) * present(number - 1)
        found.append(Placement(number, at, weight, feather, depth_at(zoom, begins_at)))
        if weight >= 1 and is_covering(at, aspect, feather):
            break
    if found:
        last = found[-1]
        found[-1] = Placement(last.station, last.at, 1.0, 0.0, last.depth)
    return tuple(found)


def is_covering(at: Transform, aspect: float, feather: float) -> bool:
    """Whether the whole screen lies inside the part of a station that is not soft."""
    inside = 1 - feather + 1e-9
    corners = (at(complex(x * aspect, y)) for x in (-0.5, 0.5) for y in (-0.5, 0.5))
    return all(abs(one.real) <= inside * aspect / 2 and abs(one.imag) <= inside / 2 for one in corners)


def largest_turn(aspect: float) -> float:
    """How far a crop may be turned, radians: while the zoom goes from 0 to 1, the picture stays inside its station."""
    return _MARGIN * math.log(ZOOM) * min(aspect, 1 / aspect)


def largest_shift(turn: float, aspect: float) -> complex:
    """How far the middle of a crop may lie from that of its station, in x and in y, if crops are turned by `turn`
    radians.

    While the zoom of a station goes from 0 to 1 the picture stays inside it, so that nothing is missing where there is
    none around it; and from COVERS on it stays inside the part that is not soft.
    """
    half, turn = (aspect / 2, 0.5), abs(turn)
    rate = abs(motion_of(crop(turn, 1)).drift)
    found = []
    for axis in (0, 1):
        other = half[1 - axis] / half[axis]
        # where it begins: the edge comes inwards at log(ZOOM), the corner of the other side turns outwards
        begins = (math.log(ZOOM) - turn * other) / (rate * (1 + other * turn))
        # two crops one in the other: their middles, and the corners of the inner one
        corners = abs(math.cos(2 * turn)) + abs(math.sin(2 * turn)) * other
        middles = 1 + (abs(math.cos(turn)) + abs(math.sin(turn)) * other) / ZOOM
        found.append(min(begins, (1 - FEATHER - corners / ZOOM**COVERS) / middles))
    amount = max(0.0, _MARGIN * min(found))
    return complex(amount * half[0], amount * half[1])
