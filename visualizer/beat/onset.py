"""Picking kicks from the evidence of them."""

from __future__ import annotations

import math

import numpy as np

from .spectrum import Floats

# A kick has at least this share of the evidence of the clearest of late; what is below it are the drums and notes beside it.
SHARE = 0.35
# Long enough for a bar without a kick, short enough for the next part of a song.
FORGET_S = 3.0
# A kick that hardly rises out of a loud bass is told by ear: at once if the network is as sure as this, ...
SURE_ALONE = 0.95
# ... and at less, down to this, the more it rises as this song's kicks do (cosine of the rises, from .85 to .95 and above).
SURE_ALIKE = 0.5
ALIKE = (0.85, 0.95)
# Before a song's kicks are known, any is as much alike as this.
UNKNOWN = 0.8
# How fast a song's kicks are learned anew: each leaves this share of those before it.
KEPT = 0.85
# The network must have come down to this before another is told.
CALM = 0.3


class KickPicker:
    """Fires when the evidence reaches the threshold and SHARE of the most of late, once for each kick; or by ear, see above.

    After firing it waits until the evidence has fallen to half of that, the network is calm, and for the hold.
    """

    def __init__(self, threshold: float, hold_hops: int, hop_s: float) -> None:
        """threshold: > 0, least evidence that counts. hold_hops: after firing, no further onset for so many hops (>= 1)."""
        self.threshold = threshold
        self._hold_hops = hold_hops
        self._keep = math.exp(-hop_s / FORGET_S)
        self._most = 0.0
        self._armed = True
        self._held = 0
        self._like: Floats | None = None  # how the kicks of late rose
        self._fresh = 0.0  # how sure the one was that was told a hop ago, 0 if none was

    def step(self, evidence: float, sure: float = 0.0, rises: Floats | None = None) -> bool:
        """Take the next hop; True if a kick is told now.

        evidence: 0 or more. sure: what the network says, 0..1. rises: (n,), how far each band rose, 0 or more; needed where
        `sure` is above SURE_ALIKE.
        """
        if self._fresh and rises is not None:
            self._learn(rises, max(self._fresh, sure))
        self._fresh = 0.0
        least = max(self.threshold, SHARE * self._most)
        self._most = max(evidence, self._most * self._keep)
        self._held = max(0, self._held - 1)
        if self._armed and not self._held and (evidence >= least or self._by_ear(sure, rises)):
            self._armed = False
            self._held = self._hold_hops
            self._fresh = sure
            return True
        if evidence < least / 2 and sure < CALM:
            self._armed = True
        return False

    def _by_ear(self, sure: float, rises: Floats | None) -> bool:
        if sure < SURE_ALIKE or rises is None:
            return False
        least, most = ALIKE
        share = min(1.0, max(0.0, (self.likeness(rises) - least) / (most - least)))
        return sure >= SURE_ALONE + share * (SURE_ALIKE - SURE_ALONE)

    def likeness(self, rises: Floats) -> float:
        """How much these rises are those of the kicks of late, 0..1."""
        if self._like is None:
            return UNKNOWN
        lengths = float(np.linalg.norm(rises) * np.linalg.norm(self._like))
        return float(rises @ self._like) / lengths if lengths > 0 else 0.0

    def _learn(self, rises: Floats, sure: float) -> None:
        """A kick's rises a hop after it was told, when there is more of them; the surer it was, the more it counts."""
        length = float(np.linalg.norm(rises))
        if length > 0:
            new = rises / length * sure**3
            self._like = new if self._like is None else KEPT * self._like + new
