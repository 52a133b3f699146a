"""What hears: a kick follower and, where there are variants, the variant follower; and what is shown of the sound."""

from __future__ import annotations

from typing import Generic, TypeVar

import numpy as np

from ..beat import KickFollower, VariantFollower
from ..beat.spectrum import spectrum_db
from ..settings import BeatSettings

Kicks = TypeVar("Kicks", bound=KickFollower)

# What the variant follower is made of: with others it begins anew.
BAND_KEYS = ("bass_low_hz", "mid_low_hz", "high_low_hz", "high_high_hz", "band_attack_s", "band_release_s")
#: samples that the spectrum is of, and into how many bands it goes
N_RECENT, N_BANDS = 4096, 48


class Ear(Generic[Kicks]):
    """A kick follower and, where there are variants to move along, the variant follower: both hear the same blocks."""

    def __init__(self, kicks: Kicks, n_variants: int) -> None:
        self.kicks = kicks
        self._variants: VariantFollower | None = None
        self._variants_from_s = 0.0  # where the variant follower began to hear
        self._n_samples = 0
        self.n_kicks = 0  # told so far
        self._recent = np.zeros(N_RECENT, np.float32)
        self._peaks = {"": 0.0, "heard": 0.0}  # for each that asks
        self.set_beat(kicks.settings, n_variants)

    def set_beat(self, beat: BeatSettings, n_variants: int | None = None) -> None:
        """Take other settings over while it hears; n_variants: as before unless given. Variants with other bands begin anew."""
        before = self.kicks.settings
        if beat is not before:
            self.kicks.set_beat(beat)
        if n_variants is None:
            n_variants = 1 if self._variants is None else 2
        if n_variants == 1:
            self._variants = None
        elif self._variants is None or any(getattr(before, key) != getattr(beat, key) for key in BAND_KEYS):
            self._variants = VariantFollower(self.kicks.sample_rate_hz, beat)
            self._variants_from_s = self._n_samples / self.kicks.sample_rate_hz

    def push(self, block: np.ndarray) -> bool:
        """Hear a block; whether a kick was told in it."""
        self._note(block)
        onsets = self.kicks.push(block)
        self.n_kicks += len(onsets)
        self._n_samples += len(block)
        if self._variants is not None:
            self._variants.push(block)
        return bool(onsets)

    def variant_at(self, time_s: float) -> float:
        return 0.0 if self._variants is None else self._variants.variant_at(time_s - self._variants_from_s)

    def take_peak(self, reader: str = "") -> float:
        """The largest sample since the last call by the same reader, full scale = 1."""
        peak = self._peaks.get(reader, 0.0)
        self._peaks[reader] = 0.0
        return peak

    def spectrum_db(self) -> np.ndarray:
        """What was heard last, see `beat.spectrum.spectrum_db`: (N_BANDS,) float32."""
        return spectrum_db(self._recent, self.kicks.sample_rate_hz, N_BANDS)

    def _note(self, block: np.ndarray) -> None:
        """Keep what is shown of the sound."""
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
