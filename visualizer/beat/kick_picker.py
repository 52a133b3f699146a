"""Decides when a kick is reported: peaks of the evidence."""

from __future__ import annotations

import math

import numpy as np

from .spectrum import Floats

# The evidence of a kick is at least this fraction of its recent maximum; that of other drums and notes is below.
SHARE = 0.35
# The maximum decays with this time constant: long enough for a bar without a kick, short enough for a softer part of a
# song.
FORGET_S = 3.0
# Under a loud bass a kick gives little evidence: it is then reported by the network's probability alone, from this
# value on ...
CERTAIN_ALONE = 0.95
# ... or from a lower one, down to this, when its rises resemble those of recent kicks: in proportion, over the cosine
# similarities SIMILAR.
CERTAIN_SIMILAR = 0.5
SIMILAR = (0.85, 0.95)
# The similarity while no kicks are known.
UNKNOWN_SIMILARITY = 0.8
# How fast recent kicks are learned: each keeps this fraction of those before it.
KEPT = 0.85
# The probability must have fallen to this before another kick is reported.
CALM = 0.3


class KickPicker:
    """Decides at every hop whether a kick is reported.

    That is when the evidence reaches the threshold and SHARE of its recent maximum, or the network's probability alone
    suffices (CERTAIN_ALONE). The next kick is reported at the earliest `hold_hops` later, and only after the evidence
    has fallen to half of the value needed and the probability to CALM.
    """

    def __init__(self, threshold: float, hold_hops: int, hop_s: float) -> None:
        """threshold: > 0, least evidence that counts. hold_hops: no further kick for so many hops (>= 1)."""
        self.threshold = threshold
        self._hold_hops = hold_hops
        self._keep = math.exp(-hop_s / FORGET_S)
        self._most = 0.0
        self._armed = True
        self._held = 0
        self._known: Floats | None = None  # rises of recent kicks
        self._fresh = 0.0  # probability of the kick reported one hop ago, 0 if there was none

    def step(self, evidence: float, probability: float = 0.0, rises: Floats | None = None) -> bool:
        """Take the next hop; True if a kick is reported now.

        evidence: 0 or more. probability: of the network, 0..1. rises: (n,), how far each band rose, 0 or more; needed
        where `probability` is above CERTAIN_SIMILAR.
        """
        if self._fresh and rises is not None:
            self._learn(rises, max(self._fresh, probability))
        self._fresh = 0.0
        least = max(self.threshold, SHARE * self._most)
        self._most = max(evidence, self._most * self._keep)
        self._held = max(0, self._held - 1)
        if self._armed and not self._held and (evidence >= least or self._by_network(probability, rises)):
            self._armed = False
            self._held = self._hold_hops
            self._fresh = probability
            return True
        if evidence < least / 2 and probability < CALM:
            self._armed = True
        return False

    def _by_network(self, probability: float, rises: Floats | None) -> bool:
        if probability < CERTAIN_SIMILAR or rises is None:
            return False
        least, most = SIMILAR
        share = min(1.0, max(0.0, (self.similarity(rises) - least) / (most - least)))
        return probability >= CERTAIN_ALONE + share * (CERTAIN_SIMILAR - CERTAIN_ALONE)

    def similarity(self, rises: Floats) -> float:
        """Similarity of these rises to those of recent kicks, 0..1."""
        if self._known is None:
            return UNKNOWN_SIMILARITY
        lengths = float(np.linalg.norm(rises) * np.linalg.norm(self._known))
        return float(rises @ self._known) / lengths if lengths > 0 else 0.0

    def _learn(self, rises: Floats, probability: float) -> None:
        """Learn the rises of a kick; called one hop after it was reported, when they are larger. Its probability is the
        weight.
        """
        length = float(np.linalg.norm(rises))
        if length > 0:
            new = rises / length * probability**3
            self._known = new if self._known is None else KEPT * self._known + new
