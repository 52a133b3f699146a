"""The streaming kick follower: sound in, onsets and level out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..settings import BeatSettings
from .blocks import check_rate, sound_block
from .envelope import release
from .hearing import LONG_FALL, N_VIEWS, RISE_LAGS, Hearing
from .motion import Change, Motion, motion_for, moves_alike
from .network import DRUMS, KickNetwork, shipped_weights
from .onset import KickPicker
from .spectrum import Floats, asymmetric, band_energy, band_weights, fft_length

# No foot is faster than this.
HOLD_S = 0.07
# Evidence is novelty x probability to this power: a network taught on synthesised music may veto what rises, not invent what
# does not. Alone it does worse on real drums than the rise alone; a square root keeps a drum that it never heard the like of.
DOUBT = 0.5
# The softest kick goes this share of the way that the loudest goes: a picture that answers every kick is worth more than one
# that measures it, and at the moment of telling only the first milliseconds of it are known.
SOFTEST = 0.85
# How late a kick is told, median over full mixes (docs/kick.md): what a show that knows the sound beforehand takes back.
TOLD_AFTER_S = 0.008
# Another motion takes over within this time, a quick dissolve.
TURN_S = 0.25
# Hops heard together: bounds memory when a whole song is pushed at once.
BATCH_HOPS = 256


# Below this a rise is no kick, whatever it rises out of: noise, hum and notes that set in from silence.
LEAST_SURE = 0.13
# What tells one drum from another: how far each band rose within 53 ms.
SHAPE = slice(N_VIEWS * (1 + RISE_LAGS.index(8)), N_VIEWS * (2 + RISE_LAGS.index(8)))
# Snares and hats are told by the network alone.
OTHERS_SURE = 0.5


class Stroke(NamedTuple):
    """A snare (or clap) or a hat (or cymbal). time_s: its emission time, as of an Onset; sure: 0..1."""

    drum: str
    time_s: float
    sure: float


@dataclass(frozen=True)
class Onset:
    """A kick. time_s: when a causal follower could first tell (its emission time); strength: how far it lifts, 0..1."""

    time_s: float
    strength: float


class KickFollower:
    """Follows the kick drum in a stream of mono sound.

    150 times a second: how far do the bands of a kick rise above what just sounded, and how sure is a small network, over
    22 bands, that this is a kick? Where the product stands out it is an onset. There the level jumps to the kick's
    strength, then it falls to `decay` of itself every 1/30 s, or moves as `motion` says. docs/kick.md tells how it was
    trained and what each part earns.

    Times are seconds of sound pushed since the start. Any split of a sound into blocks gives bit-identical results.
    """

    def __init__(self, sample_rate_hz: int, settings: BeatSettings, *, trail_s: float | None = 30.0) -> None:
        """sample_rate_hz: 8000..192000. trail_s: how many seconds of the level are remembered for `level_at` (None: all).

        Raises BadInput for a sample rate outside that range.
        """
        check_rate(sample_rate_hz)
        self.sample_rate_hz = sample_rate_hz
        self.settings = settings
        self.n_bad_samples = 0  # NaN, infinite or absurdly large, replaced by silence
        self._hearing = Hearing(sample_rate_hz, settings.floor_db)
        self._network = KickNetwork(shipped_weights())
        self._hop_samples, self._window_samples = self._hearing.hop_samples, self._hearing.window_samples
        self._hop_s = self._hearing.hop_s
        hold_hops = max(1, round(HOLD_S / self._hop_s))
        self._picker = KickPicker(settings.threshold, hold_hops, self._hop_s)
        self._others = {drum: KickPicker(OTHERS_SURE, hold_hops, self._hop_s) for drum in DRUMS[1:]}
        self.strokes: list[Stroke] = []  # snares and hats told in the last push, in order
        # how strong a kick is: its energy in the band, weighing in what has just come
        self._shape = asymmetric(self._window_samples, LONG_FALL)
        self._n_fft = fft_length(self._window_samples)
        self._weights = self._weights_of(settings)
        self._loudest = 0.0
        self._loudest_hop = 0
        # music before the first sample was silence
        self._pending: Floats = np.zeros(self._window_samples - self._hop_samples)
        self._motion: Motion = motion_for(settings, self._hop_s)
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
        not after it: as much as a kick is told late, median over full mixes."""
        return TOLD_AFTER_S

    def set_beat(self, settings: BeatSettings) -> None:
        """Take other settings over while it runs, from the next hop on; the level does not jump."""
        before, self.settings = self.settings, settings
        self._picker.threshold = settings.threshold
        self._hearing.set_floor(settings.floor_db)
        if (before.low_hz, before.high_hz) != (settings.low_hz, settings.high_hz):
            self._weights = self._weights_of(settings)
            self._loudest = 0.0  # measured by another band
        if not moves_alike(before, settings):
            self._motion = self._turned(self._motion)

    def _turned(self, motion: Motion) -> Motion:
        """`motion`, going over into the one that is now set."""
        new = motion_for(self.settings, self._hop_s)
        new.level = motion.level
        return Change(motion, new, TURN_S, self._hop_s)

    def _weights_of(self, settings: BeatSettings) -> Floats:
        """What each bin counts for in a kick's energy: (bins,)."""
        freqs_hz = np.fft.rfftfreq(self._n_fft, 1 / self.sample_rate_hz).astype(np.float64)
        # a bin that lies wholly above the band is not worth a multiplication
        top = int(np.searchsorted(freqs_hz, settings.high_hz)) + 2
        return band_weights(freqs_hz[:top], settings.low_hz, settings.high_hz)

    def push(self, samples: NDArray[np.floating]) -> list[Onset]:
        """Take the next block of mono sound, (n,) float in -1..1, any n; return the kicks told in it, in order.

        NaN, infinite and absurdly large samples count as silence (see `n_bad_samples`). Raises BadInput for anything but
        a one-dimensional array of floats.
        """
        block, n_bad = sound_block(samples)
        self.n_bad_samples += n_bad
        self._pending = np.concatenate([self._pending, block])
        onsets: list[Onset] = []
        self.strokes = []
        while (n_ready := (len(self._pending) - self._window_samples) // self._hop_samples + 1) > 0:
            n_now = min(n_ready, BATCH_HOPS)
            windows = np.lib.stride_tricks.sliding_window_view(self._pending, self._window_samples)
            windows = windows[: n_now * self._hop_samples : self._hop_samples]
            features, novelty = self._hearing.hear(windows)
            sure = self._network.push(features)
            told = (novelty * sure[:, 0] ** DOUBT * (sure[:, 0] > LEAST_SURE)).tolist()
            self._pending = self._pending[n_now * self._hop_samples :]
            rises = np.maximum(features[:, SHAPE], 0.0)
            hops = zip(windows, told, sure[:, 0].tolist(), rises, sure[:, 1:].tolist(), strict=True)
            for window, evidence, kick, rise, others in hops:
                strength = self._strength(window) if self._picker.step(evidence, kick, rise) else 0.0
                self._step(strength, onsets)
                for drum, other in zip(DRUMS[1:], others, strict=True):
                    if self._others[drum].step(other):
                        self.strokes.append(Stroke(drum, self.time_s, other))
        # a copy, since a view would keep a whole pushed song alive
        self._pending = self._pending.copy()
        return onsets

    def _step(self, strength: float, onsets: list[Onset]) -> None:
        """One hop on. strength: of the kick told now, 0 without one."""
        self._remember(self._move(strength))
        if strength > 0:
            onsets.append(Onset(self.time_s, strength))

    def _move(self, strength: float) -> float:
        """The level one hop later. strength: of the kick told now, 0 without one."""
        return self._motion.step(strength)

    def _strength(self, window: Floats) -> float:
        """The level 0..1 that a kick heard in (window_samples,) lifts to, relative to the loudest kick of late."""
        energy = float(band_energy(window[None], self._shape, self._weights, self._n_fft)[0])
        since_s = (self._n_hops - self._loudest_hop) * self._hop_s
        self._loudest = max(energy, release(self._loudest, since_s, self.settings.gain_release_s))
        self._loudest_hop = self._n_hops
        # the root makes an amplitude of the energy
        share = (energy / self._loudest) ** 0.5 if self._loudest > 0 else 1.0
        return min(1.0, self.settings.sensitivity * (SOFTEST + (1 - SOFTEST) * share))

    def _remember(self, level: float) -> None:
        if self._trail_hops is not None and len(self._trail) < self._trail_hops:
            self._trail = np.zeros(self._trail_hops)
        elif self._trail_hops is None and self._n_hops == len(self._trail):
            self._trail = np.concatenate([self._trail, np.zeros_like(self._trail)])
        self._trail[self._n_hops % len(self._trail)] = level
        self._n_hops += 1

    def level_at(self, time_s: float) -> float:
        """The level 0..1 at a time in seconds of sound.

        Past the newest hop it goes on as without a further kick, before the first it is 0; earlier than the trail, the oldest remembered.
        """
        hop = int(time_s / self._hop_s + 1e-9) if time_s > 0 else 0  # number of hops finished by then
        hop = max(min(hop, self._n_hops), self._n_hops - len(self._trail) + 1)
        if hop <= 0:
            return 0.0
        level = float(self._trail[(hop - 1) % len(self._trail)])
        return self._motion.ahead(level, max(0.0, time_s - hop * self._hop_s))
