"""The streaming kick follower: sound in, onsets and depth out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..settings import BeatSettings
from .envelope import depth_of, keep_for, release
from .onset import RisePicker
from .spectrum import Floats, band_energy, band_weights, fft_length, hann

# 256 samples at 44.1 kHz, 172 analyses a second: finer than the screen's 16.7 ms, and cheap.
HOP_S = 256 / 44100
# 2048 samples at 44.1 kHz: two periods of the lowest kick (43 Hz). Shorter blurs the band into the bass above it, longer
# tells later.
WINDOW_S = 2048 / 44100
# Beyond +24 dBFS a sample is damage, not music; one of 1e30 would hold the gain reference up for the rest of the night.
LIMIT = 16.0
# The gain reference never falls below this many times the floor's energy (6 dB): what only just clears the floor stays shallow.
QUIETEST_KICK = 4.0
# The attack of one kick is not always one rise: its click and its body may come 40 ms apart. No foot is faster than this.
HOLD_S = 0.09
# Windows transformed together: bounds memory when a whole song is pushed at once.
BATCH_HOPS = 256


@dataclass(frozen=True)
class Onset:
    """A kick. time_s: when a causal follower could first tell (its emission time); strength: level reached, 0..1."""

    time_s: float
    strength: float


class KickFollower:
    """Follows the kick drum in a stream of mono sound.

    The seed's rule, streaming and in seconds: energy in low_hz..high_hz of a Hann window, relative to its running maximum;
    the level rises at once and falls to `decay` of itself every 1/30 s; depth = 1 + (n_depths - 1) x level.

    Times are seconds of sound pushed since the start. Any split of a sound into blocks gives bit-identical results.
    """

    def __init__(
        self, sample_rate_hz: int, settings: BeatSettings, n_depths: int = 20, *, trail_s: float | None = 30.0
    ) -> None:
        """sample_rate_hz: 8000..192000. trail_s: how many seconds of the level are remembered for `depth_at` (None: all).

        Raises BadInput for a sample rate outside that range.
        """
        if not 8000 <= sample_rate_hz <= 192000:
            raise BadInput(f"a sample rate of {sample_rate_hz} Hz cannot be followed; allowed: 8000 .. 192000 Hz")
        self.sample_rate_hz = sample_rate_hz
        self.settings = settings
        self.n_depths = n_depths
        self.n_bad_samples = 0  # NaN, infinite or absurdly large, replaced by silence
        self._hop_samples = round(HOP_S * sample_rate_hz)
        self._window_samples = round(WINDOW_S * sample_rate_hz)
        self._n_fft = fft_length(self._window_samples)
        self._hop_s = self._hop_samples / sample_rate_hz
        self._shape = hann(self._window_samples)
        freqs_hz = np.fft.rfftfreq(self._n_fft, 1 / sample_rate_hz).astype(np.float64)
        # a bin that lies wholly above the band is not worth a multiplication
        top = int(np.searchsorted(freqs_hz, settings.high_hz)) + 2
        self._weights = band_weights(freqs_hz[:top], settings.low_hz, settings.high_hz)
        # music before the first sample was silence
        self._pending: Floats = np.zeros(self._window_samples - self._hop_samples)
        self._floor = 10 ** (settings.floor_db / 10)
        self._reference = QUIETEST_KICK * self._floor
        self._level = 0.0
        self._picker = RisePicker(settings.onset_rise, max(1, round(HOLD_S / self._hop_s)))
        self._n_hops = 0
        self._trail_hops = None if trail_s is None else max(2, round(trail_s / self._hop_s))
        self._trail = np.zeros(1024)

    @property
    def time_s(self) -> float:
        """Seconds of sound analysed so far."""
        return self._n_hops * self._hop_s

    @property
    def latency_s(self) -> float:
        """How far a show that knows the sound beforehand looks ahead, seconds, so that the picture moves on the kick and
        not after it: half a window, so that what is shown is the sound around the moment instead of before it. Onsets are
        told 17 ms (median, full mixes) to 40 ms (a kick that starts high) after a kick's start."""
        return WINDOW_S / 2

    def push(self, samples: NDArray[np.floating]) -> list[Onset]:
        """Take the next block of mono sound, (n,) float in -1..1, any n; return the kicks told in it, in order.

        NaN, infinite and absurdly large samples count as silence (see `n_bad_samples`). Raises BadInput for anything but
        a one-dimensional array of floats.
        """
        block = np.asarray(samples)
        if block.ndim != 1 or not np.issubdtype(block.dtype, np.floating):
            raise BadInput(
                f"sound must be a one-dimensional block of floats, got {block.dtype} of shape {block.shape}; "
                "mix to mono and scale to -1..1 first"
            )
        good = np.abs(block) <= LIMIT  # False for NaN as well
        if not good.all():
            self.n_bad_samples += int(block.size - np.count_nonzero(good))
            block = np.where(good, block, 0)
        self._pending = np.concatenate([self._pending, block.astype(np.float64)])
        onsets: list[Onset] = []
        while (n_ready := (len(self._pending) - self._window_samples) // self._hop_samples + 1) > 0:
            n_now = min(n_ready, BATCH_HOPS)
            windows = np.lib.stride_tricks.sliding_window_view(self._pending, self._window_samples)
            energies = band_energy(
                windows[: n_now * self._hop_samples : self._hop_samples], self._shape, self._weights, self._n_fft
            )
            self._pending = self._pending[n_now * self._hop_samples :]
            for energy in energies.tolist():
                self._step(energy, onsets)
        # a copy, since a view would keep a whole pushed song alive
        self._pending = self._pending.copy()
        return onsets

    def _step(self, energy: float, onsets: list[Onset]) -> None:
        """One hop: energy of the band, full-scale sine = 1."""
        # what lies under the floor is taken off, so that hum and hiss are silence and not a small level
        energy = max(0.0, energy - self._floor)
        fallen = release(self._reference, self._hop_s, self.settings.gain_release_s)
        self._reference = max(energy, fallen, QUIETEST_KICK * self._floor)
        # the root makes an amplitude of the energy: a kick of half the amplitude goes half as deep
        heard = min(1.0, self.settings.sensitivity * (energy / self._reference) ** 0.5)
        self._level = max(heard, self._level * keep_for(self.settings.decay, self._hop_s))
        self._remember(self._level)
        if self._picker.step(self._level):
            onsets.append(Onset(self.time_s, self._level))

    def _remember(self, level: float) -> None:
        if self._trail_hops is not None and len(self._trail) < self._trail_hops:
            self._trail = np.zeros(self._trail_hops)
        elif self._trail_hops is None and self._n_hops == len(self._trail):
            self._trail = np.concatenate([self._trail, np.zeros_like(self._trail)])
        self._trail[self._n_hops % len(self._trail)] = level
        self._n_hops += 1

    def level_at(self, time_s: float) -> float:
        """The level 0..1 at a time in seconds of sound.

        Past the newest hop it goes on falling, before the first it is 0; earlier than the trail, the oldest remembered.
        """
        hop = int(time_s / self._hop_s + 1e-9) if time_s > 0 else 0  # number of hops finished by then
        hop = max(min(hop, self._n_hops), self._n_hops - len(self._trail) + 1)
        if hop <= 0:
            return 0.0
        level = float(self._trail[(hop - 1) % len(self._trail)])
        return level * keep_for(self.settings.decay, max(0.0, time_s - hop * self._hop_s))

    def depth_at(self, time_s: float) -> float:
        """The depth 1..n_depths at a time in seconds of sound, see `level_at`."""
        return depth_of(self.level_at(time_s), self.n_depths)
