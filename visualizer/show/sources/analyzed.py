"""The base of every source that analyses sound: its analyzer, which features it computes, and the figures for panel and
HUD.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from ...audio.mixing import to_mono
from ...beat import Analyzer
from ...beat.features import SOUND, Features
from ...beat.spectrum import spectrum_db
from ...beat.tempo import TempoFollower
from ...control.snapshot import Meters
from ...presets.loaded import LoadedPreset
from ...settings import BeatSettings
from ..analysis_steps import NO_STEPS, AnalysisSteps
from ..metronome import LEAST_CONFIDENCE
from ..source import Source

#: samples that the panel's spectrum is of, and its number of bands
N_RECENT, N_BANDS = 4096, 48


class AnalyzedSource(Source):
    """A source with an `Analyzer`. A subclass hands every block to `analyze`, and overrides `features_at`.

    analyzer: the one in use; set by the subclass, which may replace it by `new_analyzer`. beat: the settings in use.
    """

    is_live = is_known = False  # see `Analyzer`

    def __init__(self, beat: BeatSettings, needs: Collection[str] = ()) -> None:
        """needs: names of features, see `Source.needs`."""
        self.beat = beat
        self.levels = Levels()
        self.steps = NO_STEPS
        self._needs = frozenset(needs)

    @property
    def analyzer(self) -> Analyzer:
        """The analyzer in use."""
        return self._analyzer

    @analyzer.setter
    def analyzer(self, analyzer: Analyzer) -> None:
        self._analyzer, self._n_analyzed = analyzer, 0

    @property
    def analyzed_s(self) -> float:
        """The time up to which sound was handed to the analyzer, seconds of the source."""
        return self.analyzer.start_s + self._n_analyzed / self.analyzer.sample_rate_hz

    def new_analyzer(self, sample_rate_hz: int, start_s: float = 0.0) -> Analyzer:
        """Another analyzer with the settings in use. start_s: the time of its first sample, seconds of the source."""
        kind = {"is_live": self.is_live, "is_known": self.is_known}
        return Analyzer(sample_rate_hz, self.beat, self._needs, **kind, start_s=start_s)

    def analyze(self, block: np.ndarray) -> int:
        """Take in a block of sound, (n,) float32 or (n, 2); how many kicks were reported in it."""
        block = self.needed_of(block)
        block = self.steps.sound(block, self.analyzed_s, self.analyzer.sample_rate_hz)
        return self._push(block)

    def needed_of(self, block: np.ndarray) -> np.ndarray:
        """What is analysed of a block of sound: stereo only where a look reads the sound itself."""
        return block if SOUND in self._needs else to_mono(block)

    def analyze_silence(self, n_samples: int) -> None:
        """Take in zeros, in place of sound that did not come."""
        self.steps.silence(n_samples, self.analyzed_s)
        self._push(np.zeros(n_samples, np.float32))

    def observe_analysis(self, steps: AnalysisSteps) -> None:
        self.steps = steps

    def _push(self, block: np.ndarray) -> int:
        self._n_analyzed += len(block)
        self.levels.note(to_mono(block))
        return self.analyzer.push(block)

    def set_preset(self, loaded: LoadedPreset) -> None:
        self.beat = loaded.settings.beat
        self.analyzer.set_beat(self.beat)

    def needs(self, names: Collection[str]) -> None:
        if self._needs != names:
            self._needs = frozenset(names)
            self.analyzer.set_needs(self._needs)

    def meters(self) -> Meters:
        return Meters(
            peak=self.levels.take_peak("meters"),
            spectrum_db=self.levels.spectrum_db(self.analyzer.sample_rate_hz),
            n_kicks=self.analyzer.n_kicks,
        )


class TempoSource(AnalyzedSource):
    """A source of sound that is not known beforehand: its tempo is always followed, and can be tapped, scaled and led
    from elsewhere. Its analyzer may be replaced by another, and its time may go on without sound.
    """

    is_live = True

    def __init__(self, beat: BeatSettings, needs: Collection[str] = ()) -> None:
        super().__init__(beat, needs)
        self.led: tuple[float, float] | None = None  # tempo and a beat of whatever leads it

    @property
    def tempo(self) -> TempoFollower:
        """The tempo follower in use; another one after the device came back with another sample rate."""
        assert self.analyzer.tempo is not None, "a live analyzer has one"
        return self.analyzer.tempo

    def features_at(self, time_s: float) -> Features:
        return self.analyzer.features_at(time_s)

    def do(self, action: str, at_s: float | None = None) -> str | None:
        if action == "tap":
            self.tap(self.position_s() if at_s is None else at_s)
        elif action in ("tempo_half", "tempo_double"):
            self.tempo.scale(0.5 if action == "tempo_half" else 2.0)
        else:
            return None
        return f"{self.tempo.tempo_bpm:.0f} BPM"

    def tap(self, time_s: float) -> None:
        """A beat tapped by hand at a time of this source, seconds."""
        self.tempo.tap(time_s - self.analyzer.start_s)

    def lead_tempo(self, bpm: float, beat_s: float) -> None:
        self.led = (bpm, beat_s) if bpm > 0 else None
        self._lead()

    def skip(self, seconds: float) -> None:
        """Let the time go on without sound."""
        self.steps.skip(seconds, self.analyzed_s)
        self.analyzer.start_s += seconds
        if self.led is not None:
            self._lead()  # its beats are in the time of the source, and that has moved against the analyzer's

    def replace_analyzer(self, analyzer: Analyzer, start_s: float, *, is_restart: bool = False) -> None:
        """Use another analyzer, as for another sample rate, that begins with the tempo of the one before.

        start_s: the time of its first sample, seconds of the source. is_restart: see `AnalysisSteps.began`.
        """
        known = self.tempo
        phase = known.phase_at(start_s - self.analyzer.start_s)
        tempo = (known.tempo_bpm, phase) if known.confidence >= LEAST_CONFIDENCE else None
        counts = self.analyzer.counts()
        self.steps.began(
            analyzer.sample_rate_hz, start_s, is_known=False, is_restart=is_restart, counts=counts, tempo=tempo
        )
        self.use_analyzer(analyzer, start_s, counts, tempo)
        self.steps.in_use()

    def use_analyzer(
        self, analyzer: Analyzer, start_s: float, counts: Mapping[str, int], tempo: tuple[float, float] | None
    ) -> None:
        """Use another analyzer; see `AnalysisSteps.began` for what it begins with."""
        analyzer.start_s = start_s
        analyzer.count_from(counts)
        analyzer.set_beat(self.beat)  # settings may have been changed since it was built
        analyzer.set_needs(self.analyzer.needs)
        self.analyzer, self.sample_rate_hz = analyzer, analyzer.sample_rate_hz
        if tempo is not None:
            self.begin_tempo(*tempo, start_s)
        if self.led is not None:
            self._lead()

    def begin_tempo(self, bpm: float, phase: float, time_s: float) -> None:
        """Give a new analyzer a tempo that was known before. phase: the place in the beat at a time of the source,
        0..1.
        """
        for back in (1, 0):
            self.tap(time_s - (phase + back) * 60.0 / bpm)

    def _lead(self) -> None:
        if self.led is None:
            self.tempo.lead(None)
        else:
            bpm, beat_s = self.led
            self.tempo.lead(bpm, beat_s - self.analyzer.start_s)


class Levels:
    """The peak of the sound, for each reader since that reader last took it; and the newest sound, for the panel's
    spectrum.
    """

    def __init__(self) -> None:
        self._recent = np.zeros(N_RECENT, np.float32)
        self._peaks = {"meters": 0.0, "status": 0.0}

    def note(self, block: np.ndarray) -> None:
        """Take a block of mono sound, (n,) float."""
        if not len(block):
            return
        peak = max(float(block.max()), -float(block.min()))
        for reader, before in self._peaks.items():
            self._peaks[reader] = max(before, peak)
        if len(block) >= N_RECENT:
            self._recent[:] = block[-N_RECENT:]
        else:
            self._recent[: -len(block)] = self._recent[len(block) :]
            self._recent[-len(block) :] = block

    def take_peak(self, reader: str) -> float:
        """The largest sample since the last call by the same reader ("meters", "status"), full scale = 1."""
        peak, self._peaks[reader] = self._peaks[reader], 0.0
        return peak

    def spectrum_db(self, sample_rate_hz: int) -> np.ndarray:
        """The spectrum of the newest sound, see `beat.spectrum.spectrum_db`: (N_BANDS,) float32."""
        return spectrum_db(self._recent, sample_rate_hz, N_BANDS)
