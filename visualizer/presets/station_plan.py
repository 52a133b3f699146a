"""Where the stations of a journey lie: what the stage needs to know of them, and those of a recorded journey."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

import numpy as np

from ..journey.geometry import Transform, can_lead
from ..journey.stations import fixed_crop
from ..settings import JourneySettings


class KnownStation(NamedTuple):
    """A station that has begun. key: of its dream in the cache, "": it has none yet; crop: where in it the next one
    lies, None: it is not known yet; n_skipped: how many dreams were left out up to it, of those that come in turn.
    """

    number: int
    key: str
    crop: Transform | None
    n_skipped: int = 0


class NewStation(NamedTuple):
    """A station that is dreamt anew, with those after it. image: what it begins with, None: with what it would."""

    number: int
    image: np.ndarray | None


class StationPlan(Protocol):
    """Where the stations of a journey lie.

    settings: of the journey. is_recorded: its stations come as they came when it was recorded, and no others.
    """

    settings: JourneySettings
    is_recorded: bool

    @property
    def refusal(self) -> str:
        """Why its stations cannot be others, one line for the user; "" where they can."""

    @property
    def n_dreams(self) -> int:
        """How many dreams its stations have in turn."""

    @property
    def begins_at(self) -> float:
        """The depth of a station's frame that the next one begins in, as a fraction of the deepest, 0..1."""

    def crop(self, station: int) -> Transform:
        """Where in a station the next one lies."""

    def index(self, station: int) -> int:
        """The station of a loop that stands in the place of any other."""

    def known(self, stations: Iterable[int]) -> list[KnownStation]:
        """What is needed to go on with these stations in another process, as far as they have begun."""

    def begin(self, station: int, image: np.ndarray) -> None:
        """Begin a station with an image (height, width, 3) uint8, now: its former frames, and those of all after it,
        are wanted no more. Only where there is no `refusal`.
        """

    def next_layer(self, station: int) -> str:
        """Dream a station with the dream after the one that it would have, and those after it with those that follow.
        Its former frames, and those of all after it, are wanted no more. Returns the layers. Only where there is no
        `refusal`.
        """


class RecordedPlan:
    """Where the stations of a recorded journey lie."""

    is_recorded = True
    refusal = "a recorded journey goes on as it was recorded"
    n_dreams = 1

    def __init__(self, settings: JourneySettings, n_depths: int) -> None:
        self.settings = settings
        self.begins_at = begins_at(settings, n_depths)
        self._crops: dict[int, Transform] = {}

    def take(self, crops: Mapping[int, Transform]) -> None:
        """Take the crops that were recorded, by station, in place of those before; a damaged file may have others than
        `Stations` makes: those that no zoom can lead to are left out.
        """
        self._crops = {station: crop for station, crop in crops.items() if can_lead(crop)}

    def crop(self, station: int) -> Transform:
        """Where in a station the next one lies; in its middle where that was not recorded."""
        # earlier versions had no station before the first: there they took the first one's
        found = self._crops.get(self.index(station)) or self._crops.get(self.index(max(station, 0)))
        return found or fixed_crop(0.0, 1.0)

    def index(self, station: int) -> int:
        """The station of a loop that stands in the place of any other."""
        return index_in(self.settings, station)

    def known(self, stations: Iterable[int]) -> list[KnownStation]:
        """A recorded journey does not go on."""
        return []

    def begin(self, station: int, image: np.ndarray) -> None:
        """It has the pictures that it had when it was recorded."""

    def next_layer(self, station: int) -> str:
        """It dreams what it dreamt when it was recorded."""
        return ""


def begins_at(settings: JourneySettings, n_depths: int) -> float:
    """The depth of a station's frame that the next one begins in, as a fraction of the deepest, 0..1."""
    return min(settings.depth, n_depths) / n_depths


def index_in(settings: JourneySettings, station: int) -> int:
    """The station of a loop that stands in the place of any other."""
    return station % settings.loop if settings.loop else station
