"""From sound to hops, and from kicks to a level: what followers of the kick share, however they find the kicks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..settings import BeatSettings
from .blocks import check_rate
from .decay import release
from .kick_inputs import LONG_FALL, KickInputs
from .motion import Change, Motion, motion_for, moves_alike
from .spectrum import Floats, asymmetric, band_energy, band_weights, fft_length
from .windows import SlidingWindows, Trail

# The shortest time between two kicks: no drummer plays faster.
HOLD_S = 0.07
# Of `beat.threshold`: each follower has a probability that it needs there.
DEFAULT_THRESHOLD: float = BeatSettings().threshold
# Strength of the softest kick, relative to the loudest. The range is small on purpose: every kick should be visible,
# and when a kick is reported only its first milliseconds are known, too little to measure it.
SOFTEST = 0.85
# A change of motion is crossfaded over this time.
TURN_S = 0.25


class Hit(NamedTuple):
    """An onset of another instrument. drum: "snare" (or clap), "hat" (or cymbal) or "bass", a bass note; time_s: when
    it was reported, as of an Onset; probability: 0..1.
    """

    drum: str
    time_s: float
    probability: float


@dataclass(frozen=True)
class Onset:
    """A kick. time_s: when it is reported, a few milliseconds after it sounds, or, of an `AheadFollower`, when it
    begins; strength: what it raises the level to, 0..1.
    """

    time_s: float
    strength: float


class OnsetFollower(ABC):
    """Base of the followers of the kick: analyses a stream of mono sound in hops, and makes a level of its kicks.

    A subclass finds the kicks, in `_detect`, and calls `_step` once for each hop in order. At a kick the level jumps to
    its strength; then it falls to `decay` of itself every 1/30 s, or moves as `motion` says.

    latency_s: how late a kick is reported, seconds, median over full mixes. Where the sound is known beforehand,
    features are taken from this much later, so that the picture moves on the kick and not after it.
    needs_ahead_s: seconds of sound after a time that must have been pushed before kicks and level up to `latency_s`
    after that time are complete.
    """

    latency_s: float
    needs_ahead_s: float

    def __init__(self, sample_rate_hz: int, settings: BeatSettings, *, trail_s: float | None = 30.0) -> None:
        """sample_rate_hz: 8000..192000. trail_s: how many seconds of the level are remembered for `level_at`; None:
        all.

        Raises BadInput for a sample rate outside that range.
        """
        check_rate(sample_rate_hz)
        self.sample_rate_hz = sample_rate_hz
        self.settings = settings
        self.n_early = 0  # kicks shown before they came, see `BeatFollower`
        self._inputs = KickInputs(sample_rate_hz, settings.floor_db)
        self._hop_samples, self._window_samples = self._inputs.hop_samples, self._inputs.window_samples
        self._hop_s = self._inputs.hop_s
        self._windows = SlidingWindows(sample_rate_hz, self._hop_s, self._window_samples / sample_rate_hz)
        self._hold_hops = max(1, round(HOLD_S / self._hop_s))
        self.hits: list[Hit] = []  # of other instruments, reported in the last push, in order
        # the strength of a kick is its energy in the band, the newest sound weighted most
        self._shape = asymmetric(self._window_samples, LONG_FALL)
        self._n_fft = fft_length(self._window_samples)
        self._weights = self._weights_of(settings)
        self._loudest = 0.0
        self._loudest_hop = 0
        self._motion: Motion = motion_for(settings, self._hop_s)
        self._trail = Trail(1, self._hop_s, trail_s)  # the level

    @property
    def time_s(self) -> float:
        """Seconds of sound analysed so far."""
        return self._trail.n_hops * self._hop_s

    @property
    def n_bad_samples(self) -> int:
        """Samples that were NaN, infinite or absurdly large, and were replaced by silence."""
        return self._windows.n_bad_samples

    def set_beat(self, settings: BeatSettings) -> None:
        """Take other settings over while it runs, from the next hop on; the level does not jump."""
        before, self.settings = self.settings, settings
        self._inputs.set_floor(settings.floor_db)
        if (before.low_hz, before.high_hz) != (settings.low_hz, settings.high_hz):
            self._weights = self._weights_of(settings)
            self._loudest = 0.0  # measured by another band
        if not moves_alike(before, settings):
            self._motion = self._faded(self._motion)

    def _faded(self, motion: Motion) -> Motion:
        """`motion`, fading to the one that is now set."""
        new = motion_for(self.settings, self._hop_s)
        new.level = motion.level
        return Change(motion, new, TURN_S, self._hop_s)

    def _weights_of(self, settings: BeatSettings) -> Floats:
        """The weight of each bin in the energy of a kick: (bins,)."""
        freqs_hz = np.fft.rfftfreq(self._n_fft, 1 / self.sample_rate_hz).astype(np.float64)
        # bins wholly above the band are left out
        top = int(np.searchsorted(freqs_hz, settings.high_hz)) + 2
        return band_weights(freqs_hz[:top], settings.low_hz, settings.high_hz)

    def push(self, samples: NDArray[np.floating]) -> list[Onset]:
        """Take the next block of mono sound, (n,) float in -1..1, any n; return the kicks reported in it, in order.

        NaN, infinite and absurdly large samples count as silence (see `n_bad_samples`). Raises BadInput for anything
        but a one-dimensional array of floats.
        """
        onsets: list[Onset] = []
        self.hits = []
        for windows in self._windows.push(samples):
            inputs, novelty = self._inputs.compute(windows)
            self._detect(windows, inputs, novelty, onsets)
        return onsets

    def finish(self) -> list[Onset]:
        """The sound has ended: the kicks not yet reported, in order. Call it once, after the last `push`."""
        self.hits = []
        return []

    @abstractmethod
    def _detect(self, windows: Floats, inputs: Floats, novelty: Floats, onsets: list[Onset]) -> None:
        """Analyse the next hops: their windows of sound, (n, window_samples), and the inputs of the network and the
        novelty as of `KickInputs.compute`. Adds the kicks reported to `onsets`, and other drums to `hits`.
        """

    def _step(self, strength: float, onsets: list[Onset]) -> None:
        """Go one hop on. strength: of the kick reported now, 0 without one."""
        self._trail.add(self._move(strength))
        if strength > 0:
            onsets.append(Onset(self.time_s, strength))

    def _move(self, strength: float) -> float:
        """The level one hop later. strength: of the kick reported now, 0 without one."""
        return self._motion.step(strength)

    def _strength(self, window: Floats) -> float:
        """The level 0..1 that a kick in (window_samples,) raises to, relative to the loudest recent kick."""
        energy = float(band_energy(window[None], self._shape, self._weights, self._n_fft)[0])
        since_s = (self._trail.n_hops - self._loudest_hop) * self._hop_s
        self._loudest = max(energy, release(self._loudest, since_s, self.settings.gain_release_s))
        self._loudest_hop = self._trail.n_hops
        # the root of an energy is an amplitude
        share = (energy / self._loudest) ** 0.5 if self._loudest > 0 else 1.0
        return min(1.0, self.settings.sensitivity * (SOFTEST + (1 - SOFTEST) * share))

    def level_at(self, time_s: float) -> float:
        """The level 0..1 at a time in seconds of sound.

        After the newest hop it continues as if no kick came; before the first hop it is 0; before what is remembered,
        the oldest value remembered.
        """
        (level,), since_s = self._trail.at(time_s)
        return self._motion.ahead(level, since_s)
