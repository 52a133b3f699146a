"""Picking kicks from the evidence of them."""

from __future__ import annotations

import math

# A kick has at least this share of the evidence of the clearest of late; what is below it are the drums and notes beside it.
SHARE = 0.35
# Long enough for a bar without a kick, short enough for the next part of a song.
FORGET_S = 3.0


class KickPicker:
    """Fires when the evidence reaches the threshold and SHARE of the most of late, once for each kick.

    After firing it waits until the evidence has fallen to half of that, and for the hold.
    """

    def __init__(self, threshold: float, hold_hops: int, hop_s: float) -> None:
        """threshold: > 0, least evidence that counts. hold_hops: after firing, no further onset for so many hops (>= 1)."""
        self.threshold = threshold
        self._hold_hops = hold_hops
        self._keep = math.exp(-hop_s / FORGET_S)
        self._most = 0.0
        self._armed = True
        self._held = 0

    def step(self, evidence: float) -> bool:
        """Take the evidence (0 or more) of the next hop; True if a kick is told now."""
        least = max(self.threshold, SHARE * self._most)
        self._most = max(evidence, self._most * self._keep)
        self._held = max(0, self._held - 1)
        if self._armed and not self._held and evidence >= least:
            self._armed = False
            self._held = self._hold_hops
            return True
        if evidence < least / 2:
            self._armed = True
        return False
