"""What a journey goes on from after a crash or rebuilt graphics: where it was, and its stations in the cache."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..journey.geometry import Placement, Transform, can_lead, view
from ..journey.pace import Pace
from ..presets.cache import FrameCache
from ..presets.journey import Stations
from ..presets.loaded import LoadedPreset
from ..presets.station_plan import KnownStation, StationPlan
from ..render.dream_texture import PlacedStation
from ..supervision.resume import JourneyState, StationState

#: so many stations behind it and before it are kept: so far it can go back then
_BEHIND = 12


class ResumedJourney(NamedTuple):
    """A journey that goes on.

    state: where it is. begun: its stations that have begun. image: of the station that it is in; placed: as that is
    seen, in slot 0, before any dream frame is there. news: a line for the user, "" if there is none.
    """

    state: JourneyState
    begun: tuple[KnownStation, ...]
    image: np.ndarray
    placed: PlacedStation
    news: str


def state_of(pace: Pace, plan: StationPlan, picture: Path | None, picture_at: int) -> JourneyState:
    """What another process or window needs to go on with a journey. picture, picture_at: see `JourneyState`."""
    station = math.floor(pace.position)
    around = dict.fromkeys(plan.index(one) for one in range(station - _BEHIND, station + _BEHIND + 1))
    stations = tuple(
        StationState(one.number, one.key, None if one.crop is None else one.crop.numbers, one.n_skipped)
        for one in plan.known(around)
    )
    path = "" if picture is None else str(picture)
    return JourneyState(pace.position, pace.speed, pace.linger, pace.linger_s, stations, path, picture_at)


def resumed(loaded: LoadedPreset, cache: FrameCache, state: JourneyState | None) -> ResumedJourney | None:
    """The journey of a preset, going on from a state; None where there is none. Where its station is in the cache no
    more, and none after it, it goes on from the last one before it that is there, or else begins again.
    """
    if state is None or loaded.journey is None:
        return None
    begun = tuple(KnownStation(one.number, one.key, _crop(one.crop), one.n_skipped) for one in state.stations)
    stations = Stations(loaded, cache, begun=begun)
    at = stations.index(math.floor(state.position))
    number, news = stations.nearest(at), ""
    image = stations.image(number)
    if number != at:
        begun = tuple(one for one in begun if one.number <= number)
        stations = Stations(loaded, cache, begun=begun)
        state = JourneyState(float(number), 0.0, 0.0, 0.0, picture=state.picture, picture_at=state.picture_at)
        where = f"goes on from station {number}" if number else "begins again"
        news = f"station {at} of the journey is in the cache no more: it {where}"
    pace = pace_of(state)
    here = view(pace.position, stations.crop)[1].after(pace.moved)
    width, height = loaded.size
    matrix = Placement(number, here, 1.0, 0.0, 1.0).matrix(width / height)
    return ResumedJourney(state, begun, image, PlacedStation(0, matrix, 1.0, 0.0, 1.0), news)


def pace_of(state: JourneyState) -> Pace:
    """The pace of a journey that goes on."""
    pace = Pace(state.position)
    pace.speed, pace.linger, pace.linger_s = state.speed, state.linger, state.linger_s
    return pace


def _crop(numbers: tuple[float, float, float, float] | None) -> Transform | None:
    if numbers is None:
        return None
    crop = Transform.of(*numbers)
    return crop if can_lead(crop) else None
