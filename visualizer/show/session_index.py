"""An index of a recorded session: its events up to any moment, without all of them in memory."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from ..session.events import (
    CLOCK_HZ,
    AnalysisEvent,
    CommandEvent,
    Event,
    FeaturesEvent,
    GapEvent,
    JourneyEvent,
    SoundEvent,
)
from ..session.reader import ReadLine, RecordedSession

#: from one place that events are read from to the next, seconds
MARK_S = 10.0


class _Mark(NamedTuple):
    """A place in the events. n_kept: events kept before it; features: the newest of before it."""

    tick: int
    offset: int
    n_kept: int
    features: FeaturesEvent | None


class SessionIndex:
    """Finds the events up to a moment. `add` gets every line of the session, in order.

    The file is read again from the last mark before a moment on. Of what is before, only that is kept which has an
    effect later.
    """

    def __init__(self, session: RecordedSession) -> None:
        self._session = session
        self._marks = [_Mark(session.info.at, 0, 0, None)]
        self._kept: list[Event] = []
        self._since_mark: list[Event] = []
        self._features: FeaturesEvent | None = None

    def add(self, line: ReadLine) -> None:
        """Take in the next line."""
        event = line.event
        if event.at - self._marks[-1].tick >= MARK_S * CLOCK_HZ:
            self._kept += condensed(self._since_mark)
            self._since_mark.clear()
            self._marks.append(_Mark(event.at, line.offset, len(self._kept), self._features))
        if isinstance(event, FeaturesEvent):
            self._features = event
        else:
            self._since_mark.append(event)

    def split(self, tick: int, whole_s: float) -> tuple[list[Event], Iterator[Event]]:
        """The events up to a tick, and those after it. Of those more than `whole_s` seconds before it there are only
        such that have an effect at the tick. Raises BadInput if the file cannot be read.
        """
        index = bisect_right(self._marks, tick - whole_s * CLOCK_HZ, key=lambda mark: mark.tick)
        mark = self._marks[max(0, index - 1)]
        before = self._kept[: mark.n_kept]
        if mark.features is not None:
            before.append(mark.features)
        rest = self._session.events(mark.offset)
        for event in rest:
            if event.at > tick:
                return before, chain([event], rest)
            before.append(event)
        return before, rest


def condensed(events: Iterable[Event]) -> list[Event]:
    """Fewer events that have the same effect, once all of them have happened: steps of the analysis that follow each
    other are one, of settings in a row only the last of each counts, and of places of a journey with the same stations
    in a row the first and the last: dream frames that come after the first are those of its stations.
    """
    kept: dict[int, Event] = {}
    step: int | None = None  # where the newest step of the analysis is
    settings: dict[object, int] = {}  # where settings in a row are, by name
    journeys: dict[int, list[int]] = {}  # where the first and the last with the same stations in a row are, by scene
    slots: dict[int, list[list[int]]] = {}  # the stations of these
    for number, event in enumerate(events):
        match event:
            case AnalysisEvent():
                before = None if step is None else kept[step]
                if isinstance(before, AnalysisEvent) and before.step == event.step != "start" and step is not None:
                    sums = {
                        "n_samples": before.n_samples + event.n_samples,
                        "seconds": before.seconds + event.seconds,
                    }
                    kept[step] = before.model_copy(update=sums)
                    continue
                step = number
            case SoundEvent() | GapEvent():
                step = None
            case CommandEvent() if event.command.get("kind") == "set":
                name = event.command.get("name")
                if name in settings:
                    del kept[settings[name]]
                settings[name] = number
            case CommandEvent():
                settings.clear()
            case JourneyEvent():
                if slots.get(event.scene) != event.slots:
                    slots[event.scene], journeys[event.scene] = event.slots, []
                elif len(journeys[event.scene]) > 1:
                    del kept[journeys[event.scene].pop()]
                journeys[event.scene].append(number)
        kept[number] = event
    return list(kept.values())
