"""A guard around any source: the picture continues to move while there is no sound, or while its analysis fails."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...beat.features import Features
from ...control.snapshot import Meters
from ...presets.loaded import LoadedPreset
from ...supervision.resume import ResumeState
from ..analysis_steps import NO_STEPS, AnalysisSteps
from ..guard import Guard
from ..metronome import FallbackMetronome
from ..source import InputState, SongPlace, Source

#: failures in a row after which the analysis is replaced by a new one: what it remembers may be what fails
RESTART_AFTER = 2


class GuardedSource(Source):
    """Another source, and the fallback metronome for when it has no sound or its analysis fails.

    Whatever the other source raises while it is listened to is reported to the guard, and tried again later; after
    several failures in a row with a new analysis. Everything else is handed to it as it is.
    """

    def __init__(self, source: Source, guard: Guard) -> None:
        self.source, self._now = source, guard.now
        self.capabilities = source.capabilities
        self._analysis = guard.part("analysis", "the picture moves by itself")
        self._time = guard.part("sound's clock", "time goes on by itself")
        self._metronome = FallbackMetronome()
        self._position_s, self._asked_s = 0.0, guard.now()
        self._steps = NO_STEPS
        self._fails = False  # the last try failed
        self._n_restarted_for = 0  # failures for which the analysis was restarted
        self._nothing = threading.Event()

    @property
    def is_fallback(self) -> bool:
        """Whether the fallback metronome moves the picture now."""
        return self._metronome.is_active

    def position_s(self) -> float:
        """As the source says; counted on from there while it fails."""
        now_s = self._now()
        position_s = self._position_s + now_s - self._asked_s
        with self._time:
            position_s = self.source.position_s()
        self._position_s, self._asked_s = position_s, now_s
        return position_s

    def take_in(self, time_s: float) -> None:
        part = self._analysis
        if part.is_suspended:
            return
        # only once for each failure: the count of failures in a row stays up until the part has recovered
        if part.n_in_a_row >= RESTART_AFTER and part.n_faults > self._n_restarted_for:
            self._n_restarted_for = part.n_faults
            with part:
                self.source.restart_analysis()
        self._fails = True
        with part:
            self.source.take_in(time_s)
            self._fails = False
        if self._fails:
            self._steps.failed()

    def features_at(self, time_s: float) -> Features:
        features = Features(time_s)
        if not self._fails:
            self._fails = True
            with self._analysis:
                features = self.source.features_at(time_s)
                self._fails = False
            if self._fails:
                self._steps.failed()
        metronome, is_lost = self._metronome, self._fails or self.source.is_lost
        if is_lost or metronome.is_active:
            # while the analysis fails these are 0: the tempo is unknown then
            tempo = {"tempo_bpm": features.bpm, "confidence": features.confidence, "phase": features.beat_phase}
            metronome.step(time_s, lost=is_lost, **tempo)
            if metronome.is_active:
                features = replace(features, level=max(features.level, metronome.level_at(time_s)), is_fallback=True)
        return features

    def wait_for_kick(self, timeout_s: float) -> bool:
        if not self._analysis.is_suspended:
            with self._analysis:
                return self.source.wait_for_kick(timeout_s)
            self._steps.failed()
        self._nothing.wait(timeout_s)  # the caller waits in a loop, and would otherwise take a whole core
        return False

    # -- handed on as it is -------------------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        return self.source.title

    @property
    def ended(self) -> bool:
        return self.source.ended

    @property
    def is_paused(self) -> bool:
        return self.source.is_paused

    @property
    def is_lost(self) -> bool:
        return self.source.is_lost

    @property
    def sample_rate_hz(self) -> int:  # type: ignore[override]  # another device may have another
        return self.source.sample_rate_hz

    def start(self) -> None:
        self.source.start()

    def close(self) -> None:
        self.source.close()

    def take_sound(self) -> np.ndarray:
        return self.source.take_sound()

    def samples_at(self, time_s: float) -> int:
        return self.source.samples_at(time_s)

    def set_preset(self, loaded: LoadedPreset) -> None:
        self.source.set_preset(loaded)

    def needs(self, names: Collection[str]) -> None:
        self.source.needs(names)

    def do(self, action: str, at_s: float | None = None) -> str | None:
        return self.source.do(action, at_s)

    def parameters(self) -> Mapping[str, float]:
        return self.source.parameters()

    def set_parameter(self, name: str, value: float) -> None:
        self.source.set_parameter(name, value)

    def lead_tempo(self, bpm: float, beat_s: float) -> None:
        self.source.lead_tempo(bpm, beat_s)

    def restart_analysis(self) -> None:
        self.source.restart_analysis()

    def renew_analysis(self) -> None:
        self.source.renew_analysis()

    def observe_analysis(self, steps: AnalysisSteps) -> None:
        self._steps = steps
        self.source.observe_analysis(steps)

    def input_state(self) -> InputState:
        return self.source.input_state()

    def meters(self) -> Meters:
        return self.source.meters()._replace(is_fallback=self.is_fallback)

    def status(self) -> list[str]:
        lines = self.source.status()
        return [*lines, "beat\tfallback metronome"] if self.is_fallback else lines

    def news(self) -> str | None:
        return self.source.news()

    def song(self) -> SongPlace | None:
        return self.source.song()

    def resume_values(self) -> dict[str, Any]:
        return self.source.resume_values()

    def resume_from(self, state: ResumeState) -> None:
        self.source.resume_from(state)
