"""What an analyzer is given, step by step, for whoever wants to give it the same again."""

from __future__ import annotations

import numpy as np


class AnalysisSteps:
    """Is called with every step of a source's analysis, in order, on the thread that analyses. The base does nothing.

    Times are seconds of the source.
    """

    def sound(self, block: np.ndarray, start_s: float, rate_hz: int) -> np.ndarray:
        """The next sound is analysed: (n,) float32, mono. Returns what the analyzer gets in its place.

        start_s: the time of its first sample. rate_hz: its sample rate.
        """
        return block

    def silence(self, n_samples: int, start_s: float) -> None:
        """Zeros are analysed, the first of them at `start_s`."""

    def skip(self, seconds: float, start_s: float) -> None:
        """From `start_s` on, time goes on without samples."""

    def began(self, rate_hz: int, start_s: float, *, is_known: bool, is_restart: bool) -> None:
        """A new analyzer is used, which has got no sample yet.

        start_s: the time of its first sample. is_known: see `beat.Analyzer`. is_restart: it was asked for, see
        `Source.renew_analysis`.
        """

    def tempo(self, bpm: float, phase: float, confidence: float, time_s: float) -> None:
        """The new analyzer was given a tempo, see `TempoSource.begin_tempo`."""

    def finished(self, time_s: float) -> None:
        """The sound has ended."""


#: for a source that nobody observes
NO_STEPS = AnalysisSteps()
