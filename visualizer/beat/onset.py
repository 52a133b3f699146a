"""Picking kicks from the level's rises."""

from __future__ import annotations


class RisePicker:
    """Fires once for each rise of the level by at least `rise` above its lowest since the last kick.

    The level jumps up with a kick and falls slowly, so a kick is a rise and everything else is a fall. After firing the
    picker waits for the level to fall again before it counts the next rise: one kick fires once however long its attack.
    """

    def __init__(self, rise: float, hold_hops: int) -> None:
        """rise: 0..1, least rise that counts. hold_hops: after firing, no further onset for so many hops (>= 1)."""
        self.rise = rise
        self._hold_hops = hold_hops
        self._valley = 0.0
        self._fired = False
        self._held = 0

    def step(self, level: float) -> bool:
        """Take the level (0..1) of the next hop; True if a kick is told now."""
        self._held = max(0, self._held - 1)
        if level <= self._valley:
            self._valley = level
            self._fired = False
        elif self._fired or self._held:
            # still the same kick: carry the valley up with it, so that its further way up cannot fire again
            self._valley = level
        elif level - self._valley >= self.rise:
            self._valley = level
            self._fired = True
            self._held = self._hold_hops
            return True
        return False
