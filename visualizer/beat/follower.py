"""The causal kick follower: reports a kick as soon as it is heard."""

from __future__ import annotations

import numpy as np

from ..settings import BeatSettings
from .kick_inputs import N_VIEWS, RISE_LAGS
from .kick_picker import KickPicker
from .network import DRUMS, KickNetwork, shipped_weights
from .onset_follower import Hit, Onset, OnsetFollower
from .spectrum import Floats

# Evidence is novelty x probability to this power: the network, trained on synthesised music, may reject a rise, but not
# report a kick without one. Alone it does worse on real drums than the rise alone; the square root keeps drums unlike
# those it was trained on.
NETWORK_EXPONENT = 0.5
# How late a kick is reported, median over full mixes (docs/kick.md), see `OnsetFollower.latency_s`.
REPORTED_AFTER_S = 0.008
# With a probability below this a rise is no kick: noise, hum, and notes that begin in silence.
LEAST_PROBABILITY = 0.13
# The inputs that differ from drum to drum: how far each band rose within 53 ms.
SHAPE = slice(N_VIEWS * (1 + RISE_LAGS.index(8)), N_VIEWS * (2 + RISE_LAGS.index(8)))
# Snares and hats are reported by the network alone, from this probability on.
OTHERS_PROBABILITY = 0.5


class KickFollower(OnsetFollower):
    """Follows the kick drum in a stream of mono sound.

    150 times a second it measures how far the bands of a kick rise above what just sounded (novelty), and asks a small
    network over 22 bands for the probability of a kick. Where their product stands out, an onset is reported. There the
    level jumps to the kick's strength; then it falls to `decay` of itself every 1/30 s, or moves as `motion` says.
    docs/kick.md: how the network was trained, and what each part contributes.

    Times are seconds of sound pushed since the start. Any split of a sound into blocks gives bit-identical results.
    """

    latency_s = needs_ahead_s = REPORTED_AFTER_S

    def __init__(self, sample_rate_hz: int, settings: BeatSettings, *, trail_s: float | None = 30.0) -> None:
        """As `OnsetFollower`."""
        super().__init__(sample_rate_hz, settings, trail_s=trail_s)
        self._network = KickNetwork(shipped_weights())
        self._picker = KickPicker(settings.threshold, self._hold_hops, self._hop_s)
        self._others = {drum: KickPicker(OTHERS_PROBABILITY, self._hold_hops, self._hop_s) for drum in DRUMS[1:]}

    def set_beat(self, settings: BeatSettings) -> None:
        super().set_beat(settings)
        self._picker.threshold = settings.threshold

    def _detect(self, windows: Floats, inputs: Floats, novelty: Floats, onsets: list[Onset]) -> None:
        probability = self._network.push(inputs)
        kicks = probability[:, 0]
        evidence = (novelty * kicks**NETWORK_EXPONENT * (kicks > LEAST_PROBABILITY)).tolist()
        rises = np.maximum(inputs[:, SHAPE], 0.0)
        hops = zip(windows, evidence, kicks.tolist(), rises, probability[:, 1:].tolist(), strict=True)
        for window, novel, kick, rise, others in hops:
            strength = self._strength(window) if self._picker.step(novel, kick, rise) else 0.0
            self._step(strength, onsets)
            for drum, other in zip(DRUMS[1:], others, strict=True):
                if self._others[drum].step(other):
                    self.hits.append(Hit(drum, self.time_s, other))
