"""A recorded session as a source: what the analyzer got when it was recorded, in the same order, analysed again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from ...audio.input import ZEROS
from ...audio.mixing import to_mono
from ...beat.analyzer import LOOK_AHEAD_S
from ...beat.features import Features
from ...session.events import (
    CLOCK_HZ,
    AnalysisEvent,
    ClockEvent,
    DeviceEvent,
    Event,
    FeaturesEvent,
    GapEvent,
    SoundEvent,
    TempoEvent,
)
from ...session.reader import RecordedSession, SoundTape
from ...session.soundtrack import Soundtrack
from ...settings import BeatSettings
from ..metronome import LEAST_CONFIDENCE
from ..source import NO_SOUND, Capability
from .analyzed import TempoSource
from .input import InputSource

#: what the sources could do that are recorded, by the kind of session
CAPABILITIES: Mapping[str, frozenset[Capability]] = {
    "live": InputSource.capabilities,
    "play": frozenset({Capability.SEEK, Capability.PAUSE, Capability.VOLUME, Capability.SONGS}),
}
# Sound is analysed in blocks of at most so many samples.
_MOST_SAMPLES = 1 << 16
#: the fields of `Features` that a `FeaturesEvent` has, and type and default of each: the numbers, without the time
NUMBERS: dict[str, type] = {}
DEFAULTS: dict[str, float] = {}
for _field in fields(Features):
    if _field.name != "time_s" and isinstance(_field.default, bool | int | float):
        NUMBERS[_field.name], DEFAULTS[_field.name] = type(_field.default), float(_field.default)


class SessionSource(TempoSource):
    """The sound of a session, silences, skips and new analyzers included, for whoever hands in its events in order.

    It reads no clock and no device: `tick` is its time, set by whoever hands in the events. analyzes_from: a tick
    before which sound is left out, so that a later moment is reached quickly: the analysis starts there. soundtrack:
    what outputs get, None where none needs it. is_late: sound is analysed when it came, later than its own time.
    """

    def __init__(self, session: RecordedSession, *, soundtrack: Soundtrack | None = None, is_late: bool = True) -> None:
        super().__init__(BeatSettings())  # until a preset is on the stage
        kind = session.info.kind
        self.capabilities = CAPABILITIES[kind]
        self.is_live, self.is_known = kind == "live", kind == "play"
        self.tick = session.info.at
        self.analyzes_from = 0
        self.has_ended = False
        self.soundtrack = soundtrack
        self._is_late = is_late
        self._tape = SoundTape(session)
        self._n_faults = 0
        self.analyzer = self.new_analyzer(self.sample_rate_hz, self.tick / CLOCK_HZ)
        self._has_analyzer = False  # whether the session has begun one
        self._next_s: float | None = None  # the second of the source that the next step is of
        self._step: AnalysisEvent | None = None  # the one being taken
        self._n_taken = 0  # samples of it taken so far
        self._rate_hz = self.sample_rate_hz  # of the newest part of sound
        self._lost_from: int | None = None  # the tick from which on there is no sound
        self._is_zeros = False
        self._clock: ClockEvent | None = None
        self._given: FeaturesEvent | None = None
        self._takes_tempo = False  # the newest analyzer begins with the tempo of the next event
        self._tempo: TempoEvent | None = None  # of before the first analyzer

    @property
    def ended(self) -> bool:
        return self.has_ended

    @property
    def is_lost(self) -> bool:
        return self._is_zeros or (self._lost_from is not None and self.tick >= self._lost_from)

    def position_s(self) -> float:
        return self.position_at(self.tick)

    def position_at(self, tick: int) -> float:
        """The second of the source at a tick of the session."""
        clock = self._clock
        if clock is None:
            return tick / CLOCK_HZ
        return clock.position_s + (tick - clock.at) / CLOCK_HZ * clock.is_running

    def take_event(self, event: Event, until: int) -> bool:
        """Take in an event about sound, as far as it is before the tick `until`; whether all of it was taken."""
        match event:
            case AnalysisEvent():
                return self._take_step(event, until)
            case SoundEvent():
                self._rate_hz = event.rate_hz
                self._tape.begin(event)
            case GapEvent() if event.what == "sound":
                return self._take_samples(AnalysisEvent(at=event.at, step="silence", n_samples=event.count), until)
            case DeviceEvent():
                self._is_zeros = event.state == ZEROS
            case ClockEvent():
                self._clock = event
            case TempoEvent() if self.is_live:
                self._take_tempo(event)
            case FeaturesEvent():
                self._given = event if event.values else None
        return True

    def features_at(self, time_s: float) -> Features:
        if self.is_known:
            return self.analyzer.features_at(time_s, LOOK_AHEAD_S)
        return super().features_at(time_s)

    def given(self, found: Features) -> Features:
        """The features that were recorded where they do not follow from the sound; else those that were found."""
        if self._given is None:
            return found
        values: dict[str, Any] = {
            name: NUMBERS[name](value) for name, value in self._given.values.items() if name in NUMBERS
        }
        return Features(found.time_s, **values, sound=found.sound)

    def take_sound(self) -> np.ndarray:
        return NO_SOUND if self.soundtrack is None else self.soundtrack.take(self.tick)

    def news(self) -> str | None:
        faults = self._tape.faults
        if self._n_faults == len(faults):
            return None
        self._n_faults += 1
        return f"{faults[self._n_faults - 1]}; it is silent there"

    def close(self) -> None:
        self._tape.close()
        if self.soundtrack is not None:
            self.soundtrack.close()

    def _take_step(self, event: AnalysisEvent, until: int) -> bool:
        if event.at < self.analyzes_from:
            self._leave_out(event)
            return True
        if self._is_late and event.n_come(until) < 0:
            return False
        match event.step:
            case "start":
                self._begin_analysis(event)
            case "skip":
                self.skip(event.seconds)
            case "finish":
                self.analyzer.finish()
            case _:
                return self._take_samples(event, until)
        return True

    def _leave_out(self, event: AnalysisEvent) -> None:
        if event.step == "start":
            self._rate_hz, self._next_s = event.rate_hz or self._rate_hz, event.start_s
            self.is_known, self.is_live = event.is_known, not event.is_known
        elif event.step == "sound":
            self._tape.skip(event.n_samples)
        if self._next_s is not None:
            self._next_s += event.n_samples / self._rate_hz + event.seconds

    def _begin_analysis(self, start: AnalysisEvent) -> None:
        """Use another analyzer, which the step `start` begins."""
        self.is_known, self.is_live = start.is_known, not start.is_known
        analyzer = self.new_analyzer(start.rate_hz or self._rate_hz, start.start_s)
        if self.is_known:
            analyzer.count_from(start.counts or self.analyzer.counts())
            self.analyzer, self.sample_rate_hz = analyzer, analyzer.sample_rate_hz
        elif self._has_analyzer and not start.came:  # what it began with was that of the one before
            self.replace_analyzer(analyzer, start.start_s)
        else:
            tempo = (start.bpm, start.phase) if start.bpm else None
            if tempo is None and self._tempo is not None and self._tempo.confidence >= LEAST_CONFIDENCE:
                bpm = self._tempo.bpm
                tempo = bpm, (self._tempo.phase + (start.start_s - self._tempo.at / CLOCK_HZ) * bpm / 60) % 1.0
            self.use_analyzer(analyzer, start.start_s, start.counts, tempo)
        self._has_analyzer, self._takes_tempo, self._tempo = True, not start.came, None

    def _take_tempo(self, event: TempoEvent) -> None:
        """A tempo that was set: the analyzer has it by the command, unless that was left out."""
        if not self._has_analyzer:
            self._tempo = event
        elif self._takes_tempo:
            self._takes_tempo = False
            self.begin_tempo(event.bpm, event.phase, event.at / CLOCK_HZ)

    def _take_samples(self, event: AnalysisEvent, until: int) -> bool:
        """Analyse as much of a step as is before a tick; sound that is known beforehand at once."""
        if self._step != event:
            self._step, self._n_taken = event, 0
            if not self._has_analyzer:
                start_s = event.at / CLOCK_HZ if self._next_s is None else self._next_s
                self._begin_analysis(AnalysisEvent(at=event.at, step="start", start_s=start_s, is_known=self.is_known))
        n_samples = event.n_samples
        if self._is_late and event.came:
            n_samples = event.n_come(until)
        elif not self.is_known:
            n_samples = min(n_samples, max(0, (until - event.at) * self.sample_rate_hz // CLOCK_HZ))
        if n_samples > self._n_taken:
            is_silence = event.step == "silence"
            if not is_silence:
                self._lost_from = None
            elif self._lost_from is None:
                # where it is not known when silence came: only after this was it certain that no sound would come
                waited_s = 0.0 if self._is_late and event.came else InputSource.REST_S
                self._lost_from = event.at + round(waited_s * CLOCK_HZ)
            for block in self._silence(n_samples) if is_silence else self._tape.read(n_samples - self._n_taken):
                self.analyze(block if block.shape[1] == 2 else to_mono(block))
            self._n_taken = n_samples
        if self._n_taken < event.n_samples:
            return False
        self._step = None
        return True

    def _silence(self, n_samples: int) -> Iterator[np.ndarray]:
        for first in range(self._n_taken, n_samples, _MOST_SAMPLES):
            yield np.zeros((min(n_samples - first, _MOST_SAMPLES), 1), np.float32)
