"""The base of every source that analyses sound: its analyzer, which features it computes, and the figures for panel and
HUD.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from ...beat import Analyzer
from ...beat.spectrum import spectrum_db
from ...control.snapshot import Meters
from ...presets.loaded import LoadedPreset
from ...settings import BeatSettings
from ..source import Source

#: samples that the panel's spectrum is of, and its number of bands
N_RECENT, N_BANDS = 4096, 48


class AnalyzedSource(Source):
    """A source with an `Analyzer`. A subclass hands every block to `analyze`, and overrides `features_at`.

    analyzer: the one in use; set by the subclass, which may replace it by `new_analyzer`. beat: the settings in use.
    """

    analyzer: Analyzer
    is_live = is_known = False  # see `Analyzer`

    def __init__(self, beat: BeatSettings, needs: Collection[str] = ()) -> None:
        """needs: names of features, see `Source.needs`."""
        self.beat = beat
        self.levels = Levels()
        self._needs = frozenset(needs)

    def new_analyzer(self, sample_rate_hz: int, start_s: float = 0.0) -> Analyzer:
        """Another analyzer with the settings in use. start_s: the time of its first sample, seconds of the source."""
        kind = {"is_live": self.is_live, "is_known": self.is_known}
        return Analyzer(sample_rate_hz, self.beat, self._needs, **kind, start_s=start_s)

    def analyze(self, block: np.ndarray) -> int:
        """Take in a block of mono sound, (n,) float32; how many kicks were reported in it."""
        self.levels.note(block)
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
