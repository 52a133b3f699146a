"""What an analyzer is given, step by step, for whoever wants to give it the same again."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


class AnalysisSteps:
    """Is called with every step of a source's analysis, in order, on the thread that analyses. The base does nothing.

    Times are seconds of the source.
    """

    def sound(self, block: np.ndarray, start_s: float, rate_hz: int) -> np.ndarray:
        """The next sound is analysed: (n,) float32, or (n, 2). Returns what the analyzer gets in its place, of the same
        shape.

        start_s: the time of its first sample. rate_hz: its sample rate.
        """
        return block

    def silence(self, n_samples: int, start_s: float) -> None:
        """Zeros are analysed, the first of them at `start_s`."""

    def skip(self, seconds: float, start_s: float) -> None:
        """From `start_s` on, time goes on without samples."""

    def began(
        self,
        rate_hz: int,
        start_s: float,
        *,
        is_known: bool,
        is_restart: bool,
        counts: Mapping[str, int],
        tempo: tuple[float, float] | None = None,
    ) -> None:
        """There is a new analyzer, which has got no sample yet.

        start_s: the time of its first sample. is_known: see `beat.Analyzer`. is_restart: it was asked for, see
        `Source.renew_analysis`. counts: that it counts on from, see `Analyzer.count_from`. tempo: that it begins with,
        see `TempoSource.begin_tempo`: beats a minute, and the place in the beat at `start_s`.
        """

    def in_use(self) -> None:
        """From here on the features are those of the newest analyzer."""

    def failed(self) -> None:
        """The analyzer in use has failed: what it gives until the next is in use does not follow from the steps."""

    def finished(self, time_s: float) -> None:
        """The sound has ended."""


#: for a source that nobody observes
NO_STEPS = AnalysisSteps()
