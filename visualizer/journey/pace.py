"""How fast a journey goes: at its own speed or the tempo's, and never beyond the stations that are there."""

from __future__ import annotations

import cmath
import math
from typing import NamedTuple

from ..easing import limited_step
from .geometry import Transform

BEATS_PER_BAR = 4
#: time constant with which the speed follows the one that is wanted, seconds
SPEED_S = 1.0
#: a journey that hurries to a station goes at least so fast, stations a second; the last way to it takes LANDS_S, and
#: from this zoom of the station on, as a power of ZOOM, it does not hurry any more
HURRY_PER_S, LANDS_S, LANDED = 1.5, 0.6, -0.02
#: time constant with which the speed follows then, seconds
HURRY_S = 0.3
#: the way to the end of what is there is not done in less than this, so it is reached ever more slowly, seconds
ARRIVES_S = 0.8
MOST_ARRIVES_S = 60.0
#: time constant with which the slow motion of a journey that lingers begins and ends, seconds
LINGER_S = 3.0
#: how much larger the picture is then, so that it can be moved; how far it is turned, radians, and moved, of its height
LINGER_ZOOM, LINGER_TURN, LINGER_SHIFT = 0.07, 0.02, 0.008
#: periods of that motion, seconds
TURN_PERIOD_S, SHIFT_PERIOD_S = 23.0, 17.0
#: time constant with which a station that arrives late appears, seconds
PRESENCE_S = 0.5


class Speed(NamedTuple):
    """How fast a journey goes, in stations. per_bar: where the tempo is known; per_s: where it is not. Below 0: back."""

    per_bar: float
    per_s: float


class Pace:
    """The position along a journey.

    position: stations from the first. speed: stations a second. linger, linger_s: how far it has slowed down for want
    of stations, 0..1, and the time of its slow motion then, seconds.

    It depends on nothing but what is handed in.
    """

    def __init__(self, position: float = 0.0) -> None:
        self.position = position
        self.linger = 0.0
        self.speed = self.linger_s = 0.0

    def advance(
        self,
        dt_s: float,
        speed: Speed,
        ends: tuple[float, float],
        *,
        bpm: float,
        n_beats: float,
        arrives_s: float = ARRIVES_S,
        hurry: float = 0.0,
    ) -> None:
        """Go on by dt_s seconds.

        ends: the first and the last position that can be shown. arrives_s: the time constant with which they are
        reached, see `Supply`. bpm: beats a minute, 0 where they are not known; n_beats: beats since the time before, as
        far as they were counted. hurry: the least speed, stations a second, see `hurry_to`; 0: none.
        """
        dt_s = limited_step(dt_s)
        if dt_s == 0.0:
            return
        self.linger_s += dt_s
        wanted = speed.per_s
        if bpm > 0:
            beats_per_s = bpm / 60
            # what is counted says more than the tempo, which is a mean; but for jumps, as of a song
            if 0.25 * beats_per_s < n_beats / dt_s < 4 * beats_per_s:
                beats_per_s = n_beats / dt_s
            wanted = speed.per_bar * beats_per_s / BEATS_PER_BAR
        wanted = max(wanted, hurry) if hurry else wanted
        self.speed += (wanted - self.speed) * _eased(dt_s, HURRY_S if hurry else SPEED_S)
        low, high = ends
        room = (high - self.position) if self.speed > 0 else (self.position - low)
        way = abs(self.speed) * dt_s
        step = math.copysign(min(way, max(room, 0.0) * _eased(dt_s, arrives_s)), self.speed)
        if hurry:  # where it had to wait it does not go on at once at the speed of before
            self.speed = step / dt_s
        self.position = min(max(self.position + step, low), max(high, low))
        slowed = 1 - abs(step) / way if way > 0 else 0.0
        self.linger += (slowed - self.linger) * _eased(dt_s, LINGER_S)

    @property
    def moved(self) -> Transform:
        """The slow motion of the screen while it lingers."""
        turn = math.sin(2 * math.pi * self.linger_s / TURN_PERIOD_S)
        place = cmath.exp(2j * math.pi * self.linger_s / SHIFT_PERIOD_S)
        return Transform(
            (1 - LINGER_ZOOM * self.linger) * cmath.exp(1j * LINGER_TURN * turn * self.linger),
            LINGER_SHIFT * self.linger * place,
        )


def hurry_to(station: int, position: float) -> float:
    """The least speed of a journey that hurries to a station, stations a second; 0 once it is there."""
    way = station - position
    return min(HURRY_PER_S, way / LANDS_S) if way > -LANDED else 0.0


class Supply:
    """How long it takes until another station is there, as far as it is waited for.

    arrives_s: the time constant with which the end of what is there is approached, seconds. It is the time that a
    station takes: so a journey goes on evenly at the speed at which stations come, and does not rush and wait in turns.
    """

    def __init__(self) -> None:
        self.arrives_s = ARRIVES_S
        self._since_s, self._last = 0.0, -math.inf

    def advance(self, dt_s: float, last: float, *, is_waiting: bool) -> None:
        """Go on by dt_s seconds. last: the last position that can be shown; is_waiting: whether that slows it down."""
        self._since_s += limited_step(dt_s)
        if last <= self._last:
            if is_waiting:
                self.arrives_s = min(max(self.arrives_s, self._since_s), MOST_ARRIVES_S)
            return
        if is_waiting and self._last > -math.inf:
            took_s = self._since_s / (last - self._last)
            self.arrives_s = min(max((self.arrives_s + took_s) / 2, ARRIVES_S), MOST_ARRIVES_S)
        else:
            self.arrives_s = ARRIVES_S
        self._since_s, self._last = 0.0, last


class Presence:
    """How much of each station is there, 0..1: one that arrives late appears smoothly."""

    def __init__(self) -> None:
        self._amounts: dict[int, float] = {}

    def advance(self, dt_s: float, there: set[int]) -> None:
        """Go on by dt_s seconds. there: the stations that can be shown. The first one is there at once."""
        first = not self._amounts
        step = _eased(limited_step(dt_s), PRESENCE_S)
        for station in there:
            before = self._amounts.get(station, 1.0 if first else 0.0)
            self._amounts[station] = 1.0 if before > 0.999 else before + (1 - before) * step
        for station in self._amounts.keys() - there:
            del self._amounts[station]

    def of(self, station: int) -> float:
        """How much of a station is there, 0..1."""
        return self._amounts.get(station, 0.0)


def _eased(dt_s: float, constant_s: float) -> float:
    """How much of the way to a value is done in dt_s seconds with that time constant."""
    return 1 - math.exp(-dt_s / constant_s)
