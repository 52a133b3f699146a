"""Where sound and time come from: the base class of every source.

A source is one file in `show/sources/`. It overrides what it can do and declares the rest in `capabilities`; everything
here has a default that does nothing, so that a show never has to ask whether a method exists.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..beat.features import Features
from ..control.capabilities import Capability
from ..control.snapshot import Meters
from ..presets.loaded import LoadedPreset
from ..supervision.resume import ResumeState
from .analysis_steps import AnalysisSteps

__all__ = ["NO_SOUND", "Capability", "InputState", "SongPlace", "Source"]

NO_SOUND = np.zeros((0, 2), np.float32)


class InputState(NamedTuple):
    """How a source gets its sound. state: "ok", or why not, see `audio.input.LiveInput`; label: the input, for people;
    reason: why the state is not "ok", in one line. n_xruns, n_dropped: overruns, and samples dropped, since the start.
    """

    state: str = "ok"
    label: str = ""
    reason: str = ""
    n_xruns: int = 0
    n_dropped: int = 0


class SongPlace(NamedTuple):
    """A song that is heard. path: its file; start_s: where it begins, seconds of the source. gain: the factor that it
    is played with. stream: number of its sound stream, None for FFmpeg's choice.
    """

    path: Path
    start_s: float
    gain: float = 1.0
    stream: int | None = None


class Source:
    """A source of sound and time. Its time is float seconds from 0 on, and rises except after a seek.

    capabilities: what it can do besides delivering sound. sample_rate_hz: of the sound that is analysed.
    """

    capabilities: frozenset[Capability] = frozenset()
    sample_rate_hz: int = 48000

    @property
    def title(self) -> str:
        """Title of the window, may change during a show."""
        return "visualizer"

    @property
    def ended(self) -> bool:
        """Whether it has come to its end, and with it the show."""
        return False

    @property
    def is_paused(self) -> bool:
        """Whether it is paused, see Capability.PAUSE."""
        return False

    @property
    def is_lost(self) -> bool:
        """Whether there is no sound now although there should be: the fallback metronome then moves the picture."""
        return False

    def start(self) -> None:
        """Begin: the window is open. Called once, before anything else but `set_preset` and `needs`."""

    def close(self) -> None:
        """Release devices and files; closing twice is allowed."""

    # -- time and sound -----------------------------------------------------------------------------------------------

    def position_s(self) -> float:
        """Seconds of the source heard at this instant."""
        raise NotImplementedError

    def take_in(self, time_s: float) -> None:
        """Analyse the sound that has arrived, or as much as the features of `time_s` need."""

    def features_at(self, time_s: float) -> Features:
        """The features at a time in seconds of the source, of what was taken in. Asked once a display frame, in
        order.
        """
        return Features(time_s)

    def listen(self, now: Callable[[], float]) -> Features:
        """Take in what has arrived, then the features of the present.

        now: the time at which the next display frame is seen, seconds of the source. It is asked twice, since taking in
        sound may move the clock of a live source.
        """
        self.take_in(now())
        return self.features_at(now())

    def wait_for_kick(self, timeout_s: float) -> bool:
        """Wait at most timeout_s, taking in sound as it arrives; True as soon as a kick was heard. Only with
        Capability.WAKES.
        """
        return False

    def take_sound(self) -> np.ndarray:
        """The sound taken in since the last call, for outputs that write or send it: (n_samples, 2) float32. Empty
        where none is kept.
        """
        return NO_SOUND

    def samples_at(self, time_s: float) -> int:
        """A time in seconds of the source as a number of samples: the time stamp of a command."""
        return round(time_s * self.sample_rate_hz)

    # -- what the show sets -------------------------------------------------------------------------------------------

    def set_preset(self, loaded: LoadedPreset) -> None:
        """Take over the beat settings of a preset; called again when a setting is changed."""

    def needs(self, names: Collection[str]) -> None:
        """Which fields of `Features` the picture uses; called for every display frame. Those that take analysis of
        their own are computed only if named.
        """

    def do(self, action: str, at_s: float | None = None) -> str | None:
        """Carry out an action, by its name; returns what to answer. One that the source has no use for is ignored.

        at_s: when it was asked for, seconds of the source; now if None.
        """
        return None

    def parameters(self) -> Mapping[str, float]:
        """The parameters that are the source's own (`input.gain_db`, `output.volume_db` ...), and their values."""
        return {}

    def set_parameter(self, name: str, value: float) -> None:
        """Set one of `parameters`; any other name is ignored."""

    def lead_tempo(self, bpm: float, beat_s: float) -> None:
        """Take over a tempo from elsewhere: beats a minute, and when one of its beats is, seconds of this source.
        bpm 0: the source's own tempo again. Only with Capability.TEMPO."""

    def restart_analysis(self) -> None:
        """Replace an analysis that fails by a new one, keeping a certain tempo."""

    def renew_analysis(self) -> None:
        """Replace an analysis that works by a new one, keeping a certain tempo, as when a recording begins."""
        self.restart_analysis()

    def observe_analysis(self, steps: AnalysisSteps) -> None:
        """Report every step of the analysis from here on, `NO_STEPS` to nobody. Does nothing without an analysis."""

    # -- what the show displays ---------------------------------------------------------------------------------------

    def meters(self) -> Meters:
        """Levels, tempo and names for the panel and the HUD; asked some 30 times a second, not for every display
        frame.
        """
        return Meters()

    def status(self) -> list[str]:
        """Lines for the HUD, "name<tab>value"."""
        return []

    def news(self) -> str | None:
        """A line for the user that was not returned yet, if there is one."""
        return None

    def input_state(self) -> InputState:
        """How it gets its sound. Cheap enough for every block of sound."""
        return InputState()

    def song(self) -> SongPlace | None:
        """The song that is heard, None where there is none."""
        return None

    # -- restarting a show --------------------------------------------------------------------------------------------

    def resume_values(self) -> dict[str, Any]:
        """What a restarted show needs to continue: fields of `ResumeState` by name (bpm, beat_s, input, song,
        position_s, paused).
        """
        return {}

    def resume_from(self, state: ResumeState) -> None:
        """Continue from the state of the show that crashed."""
