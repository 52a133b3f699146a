"""Decides when an onset is reported: where a probability reaches a threshold."""

from __future__ import annotations

# An onset is reported again only after the probability fell to this fraction of the threshold.
CALM = 0.5


class KickPicker:
    """Decides at every hop whether an onset is reported: when the probability reaches the threshold.

    The next one is reported at the earliest `hold_hops` later, and only after the probability has fallen to half of the
    threshold.
    """

    def __init__(self, threshold: float, hold_hops: int) -> None:
        """threshold: > 0, least probability that counts. hold_hops: no further onset for so many hops (>= 1)."""
        self.threshold = threshold
        self._hold_hops = hold_hops
        self._armed = True
        self._held = 0

    def step(self, probability: float) -> bool:
        """Take the next hop's probability, 0..1; True if an onset is reported now."""
        self._held = max(0, self._held - 1)
        if self._armed and not self._held and probability >= self.threshold:
            self._armed, self._held = False, self._hold_hops
            return True
        if probability < CALM * self.threshold:
            self._armed = True
        return False
