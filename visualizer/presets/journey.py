"""The stations of a preset's journey: each is an ordinary dream of an image that is a crop of the dream before.

A station is kept in the cache as any other dream. Its key follows from the image of the journey and its settings, so a
journey that was baked once is found again, station by station.

Out of the picture there are stations before the first, with numbers below 0: each is a picture with the image of the
station after it in its middle. A station that the cache has lost is made in the same way.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path

import numpy as np

from ..errors import BadInput, VisualizerError
from ..journey.geometry import Transform
from ..journey.stations import (
    Light,
    dreamt_crop,
    fixed_crop,
    light_of,
    next_image,
    wandering_crop,
    with_picture_inside,
)
from ..settings import JourneySettings
from .baker import BakeProcess, Stop
from .cache import FrameCache
from .dreams import DreamFrame, VariantDreams
from .image import load_image
from .loaded import LoadedPreset, Variant
from .station_plan import KnownStation, NewStation, begins_at, index_in

log = logging.getLogger(__name__)

#: images of so many stations are kept; those of others are read from the cache again
_KEPT_IMAGES = 8
#: so many stations are known at most: those of hours, which the cache has no longer, are forgotten
_MOST_KNOWN = 500
#: so many stations are baked beforehand of a journey that never comes back
N_STATIONS = 12
#: how long after a bake that has failed it is tried again, seconds
RETRY_S, MOST_RETRY_S = 5.0, 120.0
#: so many dream frames wait at most
MOST_READY = 2


class Stations:
    """The stations of a preset with a journey, baked one after the other.

    stop, process: bake during a show, see `VariantDreams`. begun: stations from which a journey goes on that another
    process has begun, with consecutive numbers, see `known`.

    on_renewed: called with a station that is dreamt anew; whoever reads the stations in another thread hands it to
    `renew` there. has_stopped: no stations are baked at present, since one has failed.
    """

    is_recorded = False

    def __init__(
        self,
        loaded: LoadedPreset,
        cache: FrameCache,
        stop: Stop | None = None,
        process: BakeProcess | None = None,
        begun: Sequence[KnownStation] = (),
    ) -> None:
        assert loaded.journey is not None
        self.settings: JourneySettings = loaded.journey
        self.n_depths = loaded.n_depths
        self.fault: str | None = None
        self.kept = True  # False once a frame could not be kept for next time
        self._loaded, self._cache, self._stop, self._process = loaded, cache, stop, process
        self._keys = {one.number: one.key for one in begun if one.key}
        self._has_first = not self._keys or 0 in self._keys or self.settings.loop > 0  # whether 0 is the image's
        self._images: dict[int, np.ndarray] = {0: loaded.image} if self._has_first else {}
        self._crops = {one.number: one.crop for one in begun if one.crop is not None}
        self._skipped: defaultdict[int, int] = defaultdict(int)  # how many dreams are left out before a station
        for one in sorted(begun, key=lambda one: one.number):
            self._skipped[one.number] = one.n_skipped - self._n_skipped(one.number)
        self.on_renewed: Callable[[NewStation], None] = self.renew
        self.has_stopped = False
        self._with_picture: set[int] = set()  # stations that begin with a picture

    @cached_property
    def _light(self) -> Light:
        return light_of(self._loaded.image)

    def nearest(self, station: int) -> int:
        """The station that must be read next so that another one gets its frames: the other one, where it has an image
        or gets one from the station after it; else the nearest on the way to it.
        """
        first = 0 if self.settings.loop else min(self._images.keys() | self._keys.keys())
        if station < first:
            return first - 1
        while station > first and not self._has_image(station):
            if station in self._keys and not self.settings.loop and self._has_image(station + 1):
                return station  # the cache has lost it
            station -= 1
        return station

    def _has_image(self, station: int) -> bool:
        begin = min(self.settings.depth, self.n_depths)
        return self._has_begun(station) or (station - 1 in self._crops and self._is_kept(station - 1, begin))

    def _has_begun(self, station: int) -> bool:
        return station in self._images or (station == 0 and self._has_first) or self._is_kept(station, 0)

    def _is_kept(self, station: int, depth_index: int) -> bool:
        return station in self._keys and self._cache.has(self._keys[station], depth_index)

    def known(self, stations: Iterable[int]) -> list[KnownStation]:
        """What is needed to go on with these stations in another process, as far as they have begun."""
        return [
            KnownStation(one, key, self._crops.get(one), self._n_skipped(one) % self.n_dreams)
            for one in stations
            if (key := self._keys.get(one, "")) or self._skipped.get(one)  # the other thread adds to them
        ]

    @property
    def is_complete(self) -> bool:
        """Whether every station of a loop was baked."""
        return 0 < self.settings.loop == len(self._crops)

    @property
    def begins_at(self) -> float:
        """The depth of a station's frame that the next one begins in, as a fraction of the deepest, 0..1."""
        return begins_at(self.settings, self.n_depths)

    def crop(self, station: int) -> Transform:
        """Where in a station the next one lies; of one that is not baked yet, where it may lie."""
        station = self.index(station)
        return self._crops.get(station) or self._crop(station, None, None)

    def index(self, station: int) -> int:
        """The station of a loop that stands in the place of any other."""
        return index_in(self.settings, station)

    @property
    def refusal(self) -> str:
        """Why its stations cannot be others, one line for the user; "" where they can."""
        if self.settings.loop:
            return "a journey that comes back to its image always has the same stations"
        return "the next station cannot be dreamt at present" if self.has_stopped else ""

    @property
    def n_dreams(self) -> int:
        """How many dreams its stations have in turn."""
        return len(self._loaded.stations)

    def begin(self, station: int, image: np.ndarray) -> None:
        """Begin a station with an image (height, width, 3) uint8, see `StationPlan`."""
        self.on_renewed(NewStation(station, image))

    def next_layer(self, station: int) -> str:
        """Dream a station with the dream after the one that it would have, see `StationPlan`."""
        self._skipped[station] += 1
        self.on_renewed(NewStation(station, None))
        return " + ".join(self._dream(station).settings.layers)

    def renew(self, new: NewStation) -> None:
        """Forget all that is known of a station and those after it, so that they are read anew. What is in the cache
        stays there.
        """
        for known in (self._keys, self._crops):
            for station in [one for one in known if one >= new.number]:
                del known[station]
        self._images = {one: image for one, image in self._images.items() if one <= new.number}
        self._with_picture = {one for one in self._with_picture if one < new.number}
        self._has_first = self._has_first and new.number > 0
        if new.image is not None:
            # the one before may not be finished: then the new one lies where it may lie
            self._crops.setdefault(new.number - 1, self.crop(new.number - 1))
            self._keep(new.number, new.image)
            self._with_picture.add(new.number)

    def dreams(self, station: int) -> VariantDreams:
        """The dream frames of a station. Raises DreamError."""
        is_live = self._process is not None
        return VariantDreams(
            self._preset(station),
            0,
            self._cache,
            self._stop,
            self._process,
            is_passing=is_live and not self.settings.loop and abs(station) >= N_STATIONS,
            # the first one, and a picture, are waited for
            one_core_less=station != 0 and station not in self._with_picture,
        )

    def frames(self, station: int, *, preview: bool = False) -> Generator[DreamFrame, None, None]:
        """Every dream frame of a station; its number in the place of the variant. Raises DreamError.

        The next station has an image once it has been read to its end.
        """
        dreams = self.dreams(station)
        self._keys[station] = dreams.key
        begin = deepest = None
        with closing(dreams.frames(preview)) as frames:
            for placed in frames:
                self.fault, self.kept = dreams.fault or self.fault, self.kept and dreams.kept
                if placed.finished and placed.depth_index == min(self.settings.depth, self.n_depths):
                    begin = placed.frame
                if placed.finished and placed.depth_index == self.n_depths:
                    deepest = placed.frame
                yield placed._replace(variant=station)
        if begin is None or deepest is None:  # it was stopped
            return
        if station not in self._crops:
            if station + 1 == self.settings.loop:  # the first picture lies there already, in the station's image
                self._crops[station] = self.crop(station)
            else:
                self._crops[station] = self._crop(station, self.image(station), deepest)
        following = station + 1  # where it was begun already, it may have another image
        if following != self.settings.loop and not self._has_begun(following):
            self._keep(following, self._next_image(station, begin))
        if not self.settings.loop and len(self._keys) > _MOST_KNOWN:
            gone = max(self._keys, key=lambda other: abs(other - station))
            del self._keys[gone]
            self._crops.pop(gone, None)

    def _read(self, picture: Path) -> np.ndarray | None:
        """The picture of a file as an image; None where it cannot be read, which `fault` says."""
        try:
            return load_image(picture, self._loaded.size)
        except BadInput as fault:
            self.fault = f"{fault}; the journey goes on without it"
            return None

    def _crop(self, station: int, image: np.ndarray | None, deepest: np.ndarray | None) -> Transform:
        width, height = self._loaded.size
        aspect, turn = width / height, math.radians(self.settings.rotation)
        if self.settings.centre == "wander":
            return wandering_crop(turn, aspect, station, self._loaded.settings.dream.seed)
        if self.settings.centre == "dreamt" and image is not None and deepest is not None:
            return dreamt_crop(turn, aspect, image, deepest)
        return fixed_crop(turn, aspect)

    def _picture(self, name: str | None) -> np.ndarray | None:
        """A picture in the preset's folder as an image; None where there is none, or it cannot be read."""
        return self._read(self._loaded.folder / name) if name and self._loaded.folder is not None else None

    def _next_image(self, station: int, begin: np.ndarray) -> np.ndarray:
        image = self._picture(self.settings.picture_at(station + 1))
        if image is None:
            image = next_image(begin, self._crops[station], self._light, self.settings.way_back)
        if self.settings.loop and station + 2 == self.settings.loop:  # the last one leads back to the first
            return with_picture_inside(image, self._loaded.image, self.crop(station + 1))
        return image

    def _keep(self, station: int, image: np.ndarray) -> None:
        self._images[station] = image
        while len(self._images) > _KEPT_IMAGES:
            del self._images[min(self._images, key=lambda other: -abs(other - station))]

    def image(self, station: int) -> np.ndarray:
        """The image of a station. Where it is in the cache no more, or the station comes before the first, another one
        with that of the station after it inside.
        """
        if (image := self._found_image(station)) is None:
            if station in self._keys:
                self.fault = f"station {station} of the journey is in the cache no more: another is dreamt in its place"
            image = self._picture(self.settings.picture_around(station))
            image = self._loaded.image if image is None else image
            if (inside := self._found_image(station + 1)) is not None:
                self._crops.setdefault(station, self.crop(station))
                image = with_picture_inside(image, inside, self._crops[station])
            self._keep(station, image)
        return image

    def _found_image(self, station: int) -> np.ndarray | None:
        """The image of a station that has begun, None where it is in the cache no more."""
        image = self._images.get(station)
        if image is None and station == 0 and self._has_first:
            image = self._loaded.image
        if image is None and station in self._keys:  # depth 0 is the image
            image = self._cache.glance(self._keys[station], 0, self._loaded.image.shape)
        if image is None and station - 1 in self._crops and station - 1 in self._keys:
            depth_index = min(self.settings.depth, self.n_depths)
            begin = self._cache.glance(self._keys[station - 1], depth_index, self._loaded.image.shape)
            image = self._next_image(station - 1, begin) if begin is not None else None
        return image

    def _dream(self, station: int) -> Variant:
        return self._loaded.stations[(station + self._n_skipped(station)) % self.n_dreams]

    def _n_skipped(self, station: int) -> int:
        return sum(number for first, number in list(self._skipped.items()) if first <= station)

    def _preset(self, station: int) -> LoadedPreset:
        """The station as a preset without a journey."""
        own = self._dream(station)
        seed = (own.settings.seed + station) % 2**32
        variant = Variant(own.settings.model_copy(update={"seed": seed}), own.guide, own.weights)
        settings = self._loaded.settings.model_copy(update={"dream": variant.settings, "journey": None})
        return dataclasses.replace(
            self._loaded, settings=settings, image=self.image(station), variants=(variant,), stations=()
        )


class ReadyStations:
    """Stations that are baked when they are needed, in this process: an export waits for them."""

    def __init__(self, stations: Stations) -> None:
        self.stations = stations
        self._wanted: list[int] = []
        self._given: set[int] = set()

    @property
    def fault(self) -> str | None:
        """One line for the user, None if there is none."""
        return self.stations.fault

    def want(self, numbers: list[int]) -> None:
        """Which stations are needed, the most urgent first; those that are needed no more can be asked for again."""
        self._wanted = numbers
        self._given &= set(numbers)

    def poll(self) -> list[DreamFrame]:
        """Every frame of the stations that are needed and were not returned yet. Raises DreamError."""
        found = []
        for number in self._wanted:
            if number in self._given:
                continue
            while (nearest := self.stations.nearest(number)) != number:
                for _ in self.stations.frames(nearest):
                    pass
            found += list(self.stations.frames(number))
            self._given.add(number)
        return found

    def close(self) -> None:
        """Nothing is left to end."""


def _text_of(error: Exception) -> str:
    """One line for the user about what has happened to a bake."""
    if isinstance(error, VisualizerError):
        return str(error)
    return f"the dream stopped: {type(error).__name__}: {error} (details are in the log)".splitlines()[0]


class BackgroundStations:
    """Bakes the stations of a journey in another process, in a thread, during a show.

    Those that are kept in the cache come at once. While a bake fails, the journey stays where it is, and `fault` has
    the reason in one line; it is tried again after RETRY_S, then ever later, at most MOST_RETRY_S.
    """

    def __init__(self, loaded: LoadedPreset, cache: FrameCache, begun: Sequence[KnownStation] = ()) -> None:
        """begun: see `Stations`."""
        self._stop = stop = Stop()
        self._process = BakeProcess(stop)
        self.stations = Stations(loaded, cache, stop, self._process, begun)
        self.stations.on_renewed = self._renew
        self.fault: str | None = None
        self._changed = threading.Condition()
        self._wanted = [] if begun else [0]  # where it goes on, only the show knows
        self._given: set[int] = set()
        self._renewed: list[NewStation] = []  # what the thread has not taken over yet
        self._n_interruptions = 0
        self._begun = 0  # the station that began with a picture last
        self._n_awaited = 0  # so many calls of `want` at most until one names the station of a picture
        self._deepest: dict[int, int] = {}  # the deepest frame that was given of each station that is wanted
        self._baking = 0  # the station under way
        self._is_prepared = loaded.journey is not None and loaded.journey.loop > 0  # no picture can come to a loop
        self._ready: deque[DreamFrame] = deque()
        self._thread = threading.Thread(target=self._work, name="bake", daemon=True)
        self._thread.start()

    def want(self, numbers: list[int]) -> None:
        """Which stations are needed, the most urgent first; those that are needed no more can be asked for again."""
        if numbers == self._wanted and not self._n_awaited:  # without the lock: this is called every display frame
            return
        with self._changed:
            is_named = any(number >= self._begun for number in numbers)
            self._n_awaited = 0 if is_named else max(self._n_awaited - 1, 0)
            self._wanted = numbers
            self._given &= set(numbers)
            self._deepest = {number: deepest for number, deepest in self._deepest.items() if number in numbers}
            self._changed.notify_all()

    def poll(self) -> list[DreamFrame]:
        """At most one frame that has come since the last call, so that no display frame waits for many uploads."""
        fault = self.stations.fault
        if fault is not None and not self.stations.has_stopped:
            self.fault = fault
        if not self._ready:
            return []
        with self._changed:
            self._changed.notify_all()
            return [self._ready.popleft()]

    def close(self) -> None:
        """Stop the bake at once. What is baked so far stays in the cache, and the next bake continues from there."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join()

    def _renew(self, new: NewStation) -> None:
        """Forget a station and those after it. The bake under way is interrupted where it is one of them, and for an
        image: what it makes is the most urgent.
        """
        with self._changed:
            self._renewed.append(new)
            self._wanted = [number for number in self._wanted if number < new.number]
            self._given = {number for number in self._given if number < new.number}
            self._deepest = {number: deepest for number, deepest in self._deepest.items() if number < new.number}
            self._ready = deque(frame for frame in self._ready if frame.variant < new.number)
            if new.image is not None:
                # it has a slot with the display frame after the next one: nothing older is begun until then
                self._begun, self._n_awaited = new.number, 2
            if new.image is not None or self._baking >= new.number:
                self._n_interruptions += 1
                self._process.interrupt()
            self._changed.notify_all()

    def _next(self) -> tuple[int, int] | None:
        """The station to fetch next, and how many interruptions there were before; waits until one is needed. None at
        the end.
        """
        while True:
            with self._changed:
                self._process.allow()
                for new in self._renewed:
                    self.stations.renew(new)
                self._renewed.clear()
                self._baking = 0
                if self._stop.is_set():
                    return None
                if self._n_awaited:
                    self._changed.wait()
                    continue
                for number in self._wanted:
                    if number not in self._given:
                        self._baking = number
                        return number, self._n_interruptions
                if self._is_prepared or not self._wanted:
                    self._changed.wait()
                    continue
            self._process.prepare()  # a picture may come at any moment
            self._is_prepared = True

    def _work(self) -> None:
        retry_s = RETRY_S
        nearest = 0
        try:
            while True:
                try:
                    if (found := self._next()) is None:
                        return
                    number, n_interruptions = found
                    # one that has no image yet needs those before it
                    nearest = self.stations.nearest(number)
                    self._give(nearest, n_interruptions)
                    if self.stations.is_complete:  # a station that the cache loses later starts it again
                        self._process.close()
                    if self.stations.has_stopped:
                        self.stations.has_stopped, self.fault, retry_s = False, None, RETRY_S
                except Exception as error:  # whatever it is, it may be over in a minute: memory, a disk
                    log.exception("a station cannot be baked; tried again in %g s", retry_s)
                    self.stations.has_stopped, self.fault = True, f"{_text_of(error)}; the journey stays where it is"
                    with self._changed:
                        self._changed.wait_for(self._stop.is_set, retry_s)
                        self._given.discard(nearest)
                    retry_s = min(2 * retry_s, MOST_RETRY_S)
        finally:
            self._process.close()

    def _give(self, number: int, n_interruptions: int) -> None:
        """Let the frames of a station be polled, unless there is another interruption meanwhile."""
        with self._changed:
            is_wanted = number in self._wanted
            if is_wanted:  # one that is only baked for those after it may be wanted, and given, later
                self._given.add(number)
            self._baking, deepest = number, self._deepest.get(number, -1)
        with closing(self.stations.frames(number, preview=is_wanted)) as frames:
            for frame in frames:
                is_image = frame.depth_index == 0
                if (is_image or not frame.finished) and frame.depth_index <= deepest:
                    continue  # it was interrupted: that is there, or better; and an image is taken for another station
                if not self._put(frame if is_wanted else None, n_interruptions):
                    break
        with self._changed:
            if self._n_interruptions > n_interruptions:  # it comes again
                self._given.discard(number)
            self._given &= set(self._wanted)

    def _put(self, frame: DreamFrame | None, n_interruptions: int) -> bool:
        """Let a frame be polled, once there is room: the bake must not run ahead of a show that is slow to take them.
        False once it is wanted no more.
        """

        def is_over() -> bool:
            return self._stop.is_set() or self._n_interruptions > n_interruptions

        with self._changed:
            self._changed.wait_for(lambda: frame is None or is_over() or len(self._ready) < MOST_READY)
            if is_over():
                return False
            if frame is not None:
                self._ready.append(frame)
                if frame.variant in self._wanted:
                    self._deepest[frame.variant] = max(self._deepest.get(frame.variant, -1), frame.depth_index)
            return True
