"""A journey on the stage: which stations are on the graphics card, and where along the journey the show is."""

from __future__ import annotations

import math
from pathlib import Path

from ..beat.features import TEMPO, Features
from ..journey.geometry import COVERS, MOST_SEEN, Transform, placements, weight_at
from ..journey.pace import ARRIVES_S, Pace, Presence, Speed, Supply, hurry_to
from ..oneline import plain
from ..presets.dreams import FrameSource
from ..presets.picture_reader import PictureReader
from ..presets.station_plan import RecordedPlan, StationPlan
from ..render.dream_texture import DreamTexture, PlacedStation
from ..session.events import JourneyEvent
from ..supervision.resume import JourneyState
from .depth import DepthLimiter
from .journey_state import pace_of, state_of

#: so many stations are on the graphics card, if it has the memory: those that are seen, and the next one
N_SLOTS = MOST_SEEN + 1
#: so far it goes on beyond the newest station, while the next one is on its way: a quarter larger than it is
BEYOND = 0.3
#: a journey waits for stations from this `Pace.linger` on
WAITS_FROM = 0.05
#: a station with less weight than this is not seen: less than a level of 255
SEEN = 1 / 255
#: so much of a station must be there before it is gone back to: its soft edge is nearly as wide as it will be
WHOLE = 0.8
#: the tempo counts from this certainty on
SURE = 0.3
_TOO_LITTLE_MEMORY = "there is graphics memory for {}; a smaller --size needs less"


class Travel:
    """Where a show is along a journey. dreams: where the frames of its stations come from; texture: where they are put.
    speed: times that of the preset, below 0: back; settings: the preset's, of which speed and direction count; change
    both at will. state: where it goes on.

    All of it depends on nothing but the features, and on when stations arrive.
    """

    needs = TEMPO

    def __init__(
        self,
        dreams: FrameSource,
        stations: StationPlan,
        texture: DreamTexture,
        state: JourneyState | None = None,
    ) -> None:
        self._dreams, self._stations, self._texture = dreams, stations, texture
        self._n_depths, self._n_slots = texture.n_depths, texture.n_variants
        width, height = texture.frame_size
        self._aspect = width / height
        self.settings = settings = self._stations.settings
        self.speed = 1.0
        begins = 0.0 if settings.direction == "in" else float(settings.loop)  # a loop's second time round
        self.pace = Pace(begins) if state is None else pace_of(state)
        first = self._stations.index(math.floor(self.position))
        self._begins_in = first
        self._slots: dict[int, int] = {first: 0}  # of each station on the card; the image of the first is there
        self._depths: dict[int, DepthLimiter] = {first: DepthLimiter(self._n_depths)}
        self._presence, self._supply = Presence(), Supply()
        if state is None and not self._stations.is_recorded:
            self._presence.advance(0.0, {first})  # what is around it, or inside, appears later
        self._time_s: float | None = None
        self._beats = 0.0
        self._ends = self.position, self.position  # between which positions it can go
        self._reader = PictureReader(texture.frame_size)
        self._asked: Path | None = None  # the picture that is read, or was read last
        self._comes_to: Path | None = None  # the one whose station has begun, until it is seen
        self._hurries_to = 0  # that station
        # stations before this one are not asked for, unless it goes there
        begun = [one.number for one in state.stations] if state is not None else []
        self._lowest = 0 if settings.loop else min([first, *begun])
        self._is_out = False
        # where a journey goes on, the first station that a picture may take the place of
        self._first_free: int | None = None
        self._dropped: set[int] = set()  # stations without a slot until the next display frame
        if state is not None and state.picture and not self._refusal:
            self._asked, self._first_free = Path(state.picture), state.picture_at
            self._reader.read(self._asked)
        self._want()

    @property
    def position(self) -> float:
        """Where it is, in stations from the first."""
        return self.pace.position

    @property
    def _factor(self) -> float:
        """Times the speed of the preset, below 0: out of the picture."""
        return self.speed if self.settings.direction == "in" else -self.speed

    @property
    def news(self) -> tuple[str, ...]:
        """Lines for the user, when it begins."""
        if self._n_slots >= N_SLOTS:
            return ()
        what = f"{self._n_slots} stations" if self._n_slots > 1 else "one station: the journey stays there"
        return (_TOO_LITTLE_MEMORY.format(what),)

    @property
    def kept(self) -> JourneyState:
        """What a journey in another process or window goes on from."""
        if self._comes_to is not None:
            return state_of(self.pace, self._stations, self._comes_to, self._hurries_to)
        waiting = self._asked if self._reader.is_reading else None
        return state_of(self.pace, self._stations, waiting, self._first_unseen() if waiting is not None else 0)

    @property
    def fault(self) -> str | None:
        """Why the picture that it is led to cannot be read, in one line; None where it can."""
        fault = self._reader.fault
        return f"{fault}; the journey goes on without it" if fault is not None else None

    def lead_to(self, picture: Path) -> str:
        """Begin the first station that is not seen yet with the picture of a file, and hurry to it. Returns a line for
        the user.

        The picture is read in another thread. Where the journey is on its way to another one, that one is seen first:
        else none would ever be dreamt while others are asked for. Of several that wait the newest comes.
        """
        if reason := self._refusal:
            return f"{plain(picture.name)}: {reason}"
        order = ""
        if self._reader.is_reading and self._asked is not None:
            order = f", in the place of {plain(self._asked.name)}"
        elif self._comes_to is not None:
            order = f", after {plain(self._comes_to.name)}"
        self._asked = picture
        self._reader.read(picture)
        return f"the journey comes to {plain(picture.name)}{order}"

    def next_layer(self) -> str:
        """Dream the first station that is not seen yet with the journey's next dream. Returns a line for the user."""
        if reason := self._refusal:
            return reason
        if self._stations.n_dreams < 2:
            return "the journey has only one dream; journey.stations in the preset's file names others"
        station = self._first_unseen()
        if self._comes_to is not None:  # a picture is not begun again
            station = max(station, self._hurries_to + 1)
        self._drop(station)
        where = "the next station" if self._factor >= 0 else "the next station into the picture"
        return f"{where}: {self._stations.next_layer(station)}"

    @property
    def _refusal(self) -> str:
        """Why its stations cannot be others, one line for the user; "" where they can."""
        return self._stations.refusal or (_TOO_LITTLE_MEMORY.format("one station") if self._n_slots < 2 else "")

    @property
    def is_led(self) -> bool:
        """Whether it is on its way to a picture that is not seen yet."""
        return self._comes_to is not None or self._reader.is_reading

    def slot_of(self, station: int) -> int | None:
        """Where the frames of a station that has arrived are put; None where it is needed no more. Of a recorded
        journey frames come by slots.
        """
        return station if self._stations.is_recorded else self._slots.get(station)

    @property
    def slot(self) -> int | None:
        """Where the frames of the station are that it is in; None while that one has no slot."""
        return self._slots.get(self._stations.index(math.floor(self.position)))

    @property
    def slots(self) -> dict[int, int]:
        """The slot of each station that has one."""
        return dict(self._slots)

    @property
    def hurries_to(self) -> int:
        """The station that it hurries to, 0: none."""
        return self._hurries_to

    def event(self, at: int, scene: int) -> JourneyEvent:
        """Where it is, as a session keeps it, to go on from by `follow`. at, scene: see `JourneyEvent`."""
        pace, station = self.pace, math.floor(self.position)
        around = {self._stations.index(station + one) for one in range(-COVERS - 1, 2)}
        first, last = self._ends
        return JourneyEvent(
            at=at,
            scene=scene,
            time_s=self._time_s or 0.0,
            beats=self._beats,
            position=pace.position,
            speed=pace.speed,
            linger=pace.linger,
            linger_s=pace.linger_s,
            first=first,
            last=last,
            arrives_s=self._supply.arrives_s,
            slots=[[slot, station] for station, slot in self._slots.items()],
            crops=[[one, *self._stations.crop(one).numbers] for one in sorted(around)],
            hurries_to=self._hurries_to,
        )

    def follow(self, event: JourneyEvent, plan: RecordedPlan) -> list[int]:
        """Go on from where it was recorded. plan: that of this journey, which gets its crops. Returns the slots that
        have got another station: they are empty.
        """
        plan.take({int(station): Transform.of(*numbers) for station, *numbers in event.crops})
        self._time_s, self._beats = event.time_s, event.beats
        pace = self.pace
        pace.position, pace.speed, pace.linger, pace.linger_s = (
            event.position,
            event.speed,
            event.linger,
            event.linger_s,
        )
        self._ends, self._supply.arrives_s = (event.first, event.last), event.arrives_s
        self._hurries_to = event.hurries_to
        slots = {station: slot for slot, station in event.slots if 0 <= slot < self._n_slots}
        others = [slot for station, slot in slots.items() if self._slots.get(station) != slot]
        for slot in others:
            self._texture.clear(slot)
        self._slots = slots
        self._depths = {one: self._depths.get(one) or DepthLimiter(self._n_depths) for one in self._slots}
        return others

    def move(self, features: Features) -> None:
        """Go on to the instant of the features, and place the stations that are seen then."""
        dt_s = 0.0 if self._time_s is None else features.time_s - self._time_s
        self._time_s = features.time_s
        beats, before = features.beat_number + features.beat_phase, self._beats
        self._beats = beats
        is_sure = features.bpm > 0 and features.confidence >= SURE
        factor = self._factor
        if self._comes_to is None and (image := self._reader.take()) is not None:
            station = self._first_unseen()
            if self._first_free is not None:
                station, self._first_free = max(station, self._first_free), None
            self._hurries_to, self._comes_to = station or 1, self._asked  # 0 is none
            self._drop(self._hurries_to)
            self._stations.begin(self._hurries_to, image)
        hurry = self._hurry()
        if not self._stations.is_recorded:
            self._ends = self._found_ends()
            if (is_out := factor < 0 and not hurry) != self._is_out:
                self._is_out, self._supply = is_out, Supply()
            is_waiting = factor != 0 and not hurry and self.pace.linger > WAITS_FROM
            self._supply.advance(dt_s, -self._ends[0] if is_out else self._ends[1], is_waiting=is_waiting)
        self.pace.advance(
            dt_s,
            Speed(factor * self.settings.zoom_per_bar, factor * self.settings.zoom_per_s),
            self._ends,
            bpm=features.bpm if is_sure else 0.0,
            n_beats=beats - before,
            arrives_s=self._supply.arrives_s if factor and not hurry else ARRIVES_S,
            hurry=hurry,
        )
        self._come_round()
        self._want()
        self._ease(dt_s)
        self._place()

    def _ease(self, dt_s: float) -> None:
        dt_s = max(dt_s, 0.0)
        # the image of the one that it begins in is shown at once, others once something is dreamt in them
        there = {station for station in self._slots if station == self._begins_in or self._is_there(station)}
        for station, limiter in self._depths.items():
            limiter.advance(max(self._texture.deepest_of(self._slots[station]), 0), dt_s)
        self._presence.advance(dt_s, there)

    def _hurry(self) -> float:
        """The least speed, stations a second, while it hurries to a station; 0 else."""
        hurry = hurry_to(self._hurries_to, self.position) if self._hurries_to else 0.0
        if not hurry or self._is_seen(self._hurries_to):
            self._comes_to = None
        if self._hurries_to and not hurry:
            self._hurries_to, self._supply = 0, Supply()
        return hurry

    def _is_seen(self, station: int) -> bool:
        return weight_at(self.position - station) * self._presence.of(station) > SEEN

    def _first_unseen(self) -> int:
        """The first station, of those ahead in a journey that never comes back, that is not seen yet."""
        following = math.floor(self.position) + 1
        return following + self._is_seen(following)

    def _drop(self, first: int) -> None:
        """Take a station and those after it from the card: they are dreamt anew.

        They get their slots with the display frame after the next one: so a recording has that they were gone, and a
        performance clears their slots, too.
        """
        for station in [one for one in self._slots if one >= first]:
            self._texture.clear(self._slots.pop(station))
            del self._depths[station]
        self._dropped = set(range(first, first + N_SLOTS + 1))
        self._supply = Supply()

    def _found_ends(self) -> tuple[float, float]:
        """The first and the last position that can be shown with the stations that are on the card."""
        low = high = math.floor(self.position)
        if not self._is_there(low):
            return self.position, self.position
        for _ in range(COVERS):  # so many on each side are asked for
            high += self._is_there(high + 1)
            low -= self._is_there(low - 1) and self._present(low - 1) > WHOLE
        # where the next one will lie may only be known once this one is baked
        beyond = BEYOND if self._stations.settings.centre != "dreamt" else 0.0
        # where a journey goes on that was interrupted, not all of them are there again
        return min(float(low), self.position), max(high + beyond, self.position)

    def _is_there(self, station: int) -> bool:
        """Whether a station can be shown: the whole of its dream, or at least its preview, is on the card."""
        slot = self._slots.get(self._stations.index(station)) if self._exists(station) else None
        return slot is not None and self._texture.deepest_of(slot) >= min(self._n_depths, 1)

    def _exists(self, station: int) -> bool:
        """Whether there is such a station: a loop begins with its first one."""
        return station >= 0 or not self._stations.settings.loop

    def _present(self, station: int) -> float:
        """How much of a station is there, 0..1."""
        return self._presence.of(self._stations.index(station)) if self._exists(station) else 0.0

    def _come_round(self) -> None:
        """In a loop, positions are those of the second time round: there every station has one before it."""
        loop = self._stations.settings.loop
        if loop and self.position >= 2 * loop:
            self.pace.position -= loop
        elif loop and self._factor < 0 and self.position < loop:
            self.pace.position += loop

    def _want(self) -> None:
        """Ask for the stations around the position, and give those that are needed no more out of their slots."""
        if self._stations.is_recorded:
            return
        station = math.floor(self.position)
        is_inward = self._factor >= 0 or self._hurries_to
        ahead = [station + 1, station + 2] if is_inward else [station - 1, station - 2]
        if not self._stations.settings.loop:
            self._lowest = min(self._lowest, *ahead)
        first = [self._hurries_to] if self._hurries_to else []
        around = [station, ahead[0], *first, *(station + one for one in (-1, 1, -2, 2)), ahead[1]]
        numbers = dict.fromkeys(
            self._stations.index(one) for one in around if one >= self._lowest and one not in self._dropped
        )
        wanted = sorted(list(numbers)[: self._n_slots], key=lambda one: one not in first)
        self._dropped.clear()
        for gone in self._slots.keys() - set(wanted):
            self._texture.clear(self._slots.pop(gone))
            del self._depths[gone]
        free = [slot for slot in range(self._n_slots) if slot not in self._slots.values()]
        for one in wanted:
            if one not in self._slots:
                self._slots[one] = free.pop(0)
                self._depths[one] = DepthLimiter(self._n_depths)
        self._dreams.want(wanted)

    def _place(self) -> None:
        found = placements(
            self.position,
            self._stations.crop,
            self._aspect,
            begins_at=self._stations.begins_at,
            present=self._present,
            moved=self.pace.moved,
        )
        placed = []
        for one in found:
            station = self._stations.index(one.station)
            depth = one.depth * self._depths[station].limited(self._n_depths) / self._n_depths
            placed.append(PlacedStation(self._slots[station], one.matrix(self._aspect), one.weight, one.feather, depth))
        self._texture.stations = placed
