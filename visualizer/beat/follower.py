"""The causal kick follower: reports a kick as soon as it is heard."""

from __future__ import annotations

import math

from ..settings import BeatSettings
from .ahead_network import shipped_ahead_weights
from .kick_decision import KickDecision, shipped_decision
from .kick_picker import KickPicker
from .network import EVENTS, KickNetwork, shipped_weights
from .onset_follower import DEFAULT_THRESHOLD, Hit, Onset, OnsetFollower
from .spectrum import Floats

# A kick is reported from this probability on, at the default of `beat.threshold`.
KICK_PROBABILITY = 0.5
# Its log odds are the greater of two: those of the decision network - BY_DECISION, and, since the networks were trained
# on synthesised music and are less sure on real drums, BY_RISE[0] times these + BY_RISE[1] r - BY_RISE[2], where r =
# ln((novelty + NOVELTY_ADDED) / NOVELTY) is how far the low bands rise.
BY_DECISION = 0.6
BY_RISE = (0.85, 1.83, 0.94)
NOVELTY, NOVELTY_ADDED = 0.15, 0.02
# With a probability of the first network below this there is no kick: noise, hum, and notes that begin in silence.
LEAST_PROBABILITY = 0.12
LEAST_LOG_ODDS = math.log(LEAST_PROBABILITY / (1 - LEAST_PROBABILITY))
# Log odds beyond this are cut off.
MOST_LOG_ODDS = 6.9
# How late a kick is reported, median over full mixes (docs/kick.md), see `OnsetFollower.latency_s`.
REPORTED_AFTER_S = 0.008
# The others are reported by the first network alone, from these probabilities on: the best F on songs held out.
OTHERS_PROBABILITY = {"snare": 0.35, "hat": 0.45, "bass": 0.5}


class KickFollower(OnsetFollower):
    """Follows the kick drum in a stream of mono sound.

    150 times a second a small network is given 22 bands and their rises. Where it says that a kick may begin, a second
    one decides, by what the song has played so far. Then an onset is reported. There the level jumps to the kick's
    strength; then it falls to `decay` of itself every 1/30 s, or moves as `motion` says. docs/kick.md: how the networks
    were trained, and what each part contributes.

    Times are seconds of sound pushed since the start. Any split of a sound into blocks gives bit-identical results.
    """

    latency_s = needs_ahead_s = REPORTED_AFTER_S

    def __init__(self, sample_rate_hz: int, settings: BeatSettings, *, trail_s: float | None = 30.0) -> None:
        """As `OnsetFollower`."""
        super().__init__(sample_rate_hz, settings, trail_s=trail_s)
        self._network = KickNetwork(shipped_weights())
        self._decision = KickDecision(shipped_decision(), shipped_ahead_weights())
        self._picker = KickPicker(needed_probability(settings.threshold), self._hold_hops)
        self._others = {event: KickPicker(OTHERS_PROBABILITY[event], self._hold_hops) for event in EVENTS[1:]}

    def set_beat(self, settings: BeatSettings) -> None:
        super().set_beat(settings)
        self._picker.threshold = needed_probability(settings.threshold)

    def _detect(self, windows: Floats, inputs: Floats, novelty: Floats, onsets: list[Onset]) -> None:
        logits = self._network.push(inputs)
        for window, log_odds, row, rise in zip(windows, logits, inputs, novelty.tolist(), strict=True):
            decision = self._decision.step(log_odds, row, rise)
            kick_log_odds, *others = log_odds.tolist()
            kick = kick_probability(decision, kick_log_odds, rise)
            self._step(self._strength(window) if self._picker.step(kick) else 0.0, onsets)
            for event, other in zip(EVENTS[1:], others, strict=True):
                probability = 1 / (1 + math.exp(-other))
                if self._others[event].step(probability):
                    self.hits.append(Hit(event, self.time_s, probability))


def kick_probability(decision: float, log_odds: float, novelty: float) -> float:
    """The probability 0..1 that a kick has begun.

    decision: probability by the decision network, 0..1. log_odds: of the first network. novelty: see KickInputs.
    """
    if decision <= 0 or log_odds < LEAST_LOG_ODDS:
        return 0.0
    rise = math.log((novelty + NOVELTY_ADDED) / NOVELTY)
    least = 1 / (1 + math.exp(MOST_LOG_ODDS))
    decision = min(1 - least, max(least, decision))
    decided = math.log(decision / (1 - decision))
    found = max(decided - BY_DECISION, BY_RISE[0] * decided + BY_RISE[1] * rise - BY_RISE[2])
    return 1 / (1 + math.exp(-found))


def needed_probability(threshold: float) -> float:
    """The probability from which a kick is reported, 0..1: KICK_PROBABILITY for the default of `beat.threshold`, higher
    and lower with it.
    """
    return float(KICK_PROBABILITY ** (math.log(threshold) / math.log(DEFAULT_THRESHOLD)))
