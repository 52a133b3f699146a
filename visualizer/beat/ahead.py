"""The kick follower for songs that are known beforehand: it judges each moment by what comes after it, too."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..settings import BeatSettings
from .ahead_network import AHEAD_HOPS, CHUNK_HOPS, AheadNetwork, shipped_ahead_weights
from .network import EVENTS
from .onset_follower import DEFAULT_THRESHOLD, Hit, Onset, OnsetFollower
from .spectrum import Floats

# At the default of the setting `threshold`, a kick is detected from this probability on. The setting scales the odds.
KICK_PROBABILITY = 0.47
# Snares, hats and bass notes are detected from this probability on.
HIT_PROBABILITY = 0.25
# Where the novelty (see `KickInputs.compute`) is greater than NOVELTY, the odds of a kick are multiplied by how many
# times greater it is (novelty above NOVELTY_MOST counts as that), to the power of RISE_POWER: real drums differ from
# those of the training, but they rise. Its maximum is taken from a hop before to NOVEL_HOPS after.
NOVELTY, NOVELTY_MOST, NOVEL_HOPS, RISE_POWER = 0.103, 1.38, 5, 1.32
# With a probability below this a rise is no kick: noise, hum, and notes that begin in silence.
LEAST_PROBABILITY = 0.02
# The strength of a kick is measured so many hops after its begin, about when its energy is greatest.
STRENGTH_HOPS = 4


class AheadFollower(OnsetFollower):
    """Follows the kick drum in a song that is known beforehand: for `play`, `export` and `analyze --ahead`.

    A network that is given half a second ahead estimates for every hop the probability that a kick begins there; a rise
    of the low bands makes it greater. A kick is where it is greatest, and at least the threshold. The time of an onset
    is when the kick begins, to within a hop.

    Times are seconds of sound pushed since the start, but `time_s` is about `needs_ahead_s` behind what was pushed. Any
    split of a sound into blocks gives bit-identical results.
    """

    latency_s = 0.0

    def __init__(self, sample_rate_hz: int, settings: BeatSettings, *, trail_s: float | None = 30.0) -> None:
        """As `OnsetFollower`."""
        super().__init__(sample_rate_hz, settings, trail_s=trail_s)
        self.needs_ahead_s = (CHUNK_HOPS + AHEAD_HOPS + self._hold_hops + 1) * self._hop_s
        self._network = AheadNetwork(shipped_ahead_weights())
        # probabilities of the last hops decided, which count as hold-off, and of those not yet decided
        self._probability: NDArray[np.float32] = np.zeros((self._hold_hops + 1, len(EVENTS)), np.float32)
        # the novelty of these hops and of all later ones
        self._novelty: Floats = np.zeros(self._hold_hops + 1)
        # the sound from the first window on that the strength of a kick may be measured in
        self._sound: Floats = np.zeros(self._window_samples - (1 + STRENGTH_HOPS) * self._hop_samples)

    def finish(self) -> list[Onset]:
        return self.push(np.zeros(round(self.needs_ahead_s * self.sample_rate_hz) + self._hop_samples))

    def _detect(self, windows: Floats, inputs: Floats, novelty: Floats, onsets: list[Onset]) -> None:
        self._sound = np.concatenate([self._sound, windows[:, -self._hop_samples :].ravel()])
        self._novelty = np.concatenate([self._novelty, novelty])
        for probability in self._network.push(inputs):
            self._probability = np.concatenate([self._probability, probability])
            peaks = self._peaks()
            self._probability, self._novelty = self._probability[len(peaks) :], self._novelty[len(peaks) :]
            for hop, (kick, *others) in enumerate(peaks.tolist()):
                window = self._sound[hop * self._hop_samples :][: self._window_samples]
                self._step(self._strength(window) if kick >= self._least() else 0.0, onsets)
                for event, other in zip(EVENTS[1:], others, strict=True):
                    if other >= HIT_PROBABILITY:
                        self.hits.append(Hit(event, self.time_s, other))
            self._sound = self._sound[len(peaks) * self._hop_samples :]

    def _least(self) -> float:
        """The least probability of a kick."""
        odds = self.settings.threshold / DEFAULT_THRESHOLD * KICK_PROBABILITY / (1 - KICK_PROBABILITY)
        return odds / (1 + odds)

    def _peaks(self) -> NDArray[np.float32]:
        """For each hop that can be decided, (n, events): the probability where it is the greatest within the shortest
        time between two kicks on either side, the first of equal ones; 0 elsewhere.
        """
        hold = self._hold_hops
        raw = self._probability
        # an event is wanted at three hops: the middle one is the peak
        p = np.float32(0.25) * (raw[:-2] + 2 * raw[1:-1] + raw[2:])
        novelty = np.lib.stride_tricks.sliding_window_view(self._novelty, NOVEL_HOPS + 2)[: len(p)].max(axis=1)
        more = np.where(p[:, 0] < LEAST_PROBABILITY, 1.0, np.clip(novelty / NOVELTY, 1.0, NOVELTY_MOST / NOVELTY))
        odds = more**RISE_POWER
        p[:, 0] = p[:, 0] * odds / (1 + p[:, 0] * (odds - 1))
        around = np.lib.stride_tricks.sliding_window_view(p, 2 * hold + 1, axis=0)
        now = p[hold : len(p) - hold]
        is_peak = (now > around[:, :, :hold].max(axis=2)) & (now >= around[:, :, hold + 1 :].max(axis=2))
        return np.where(is_peak, now, np.float32(0))
