"""Judges candidates a second later, by what came after them: the network for known songs (`ahead_network.py`), run
live.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .ahead_network import CHUNK_HOPS, LATE_HOPS, AheadNetwork, AheadWeights
from .network import EVENTS
from .spectrum import Floats

# A candidate is what begins within so many hops before its first one and so many after it.
BEFORE_HOPS, AFTER_HOPS = 7, 2
# So many hops after the first hop of a candidate it is judged.
JUDGED_HOPS = LATE_HOPS + AFTER_HOPS
# Log odds beyond this are cut off.
MOST_LOG_ODDS = 8.0


class Hindsight:
    """Judges candidates JUDGED_HOPS after they began."""

    def __init__(self, weights: AheadWeights) -> None:
        self._network = AheadNetwork(weights)
        # of the last hops judged, enough for a candidate that began JUDGED_HOPS ago
        self._log_odds: Floats = np.full((JUDGED_HOPS + BEFORE_HOPS, len(EVENTS)), -MOST_LOG_ODDS)
        self._n_judged = 0

    def step(self, row: NDArray[np.floating]) -> None:
        """Take the next hop's inputs, (N_INPUTS,)."""
        found = self._network.step(row)
        if found is not None:
            clipped = np.clip(found, -MOST_LOG_ODDS, MOST_LOG_ODDS)
            self._log_odds = np.concatenate([self._log_odds[CHUNK_HOPS:], clipped])
            self._n_judged += CHUNK_HOPS

    def of(self, start: int) -> Floats:
        """(events,), the log odds that each of EVENTS began at a candidate. start: its first hop, JUDGED_HOPS ago."""
        first = start - self._n_judged + len(self._log_odds)
        most: Floats = self._log_odds[first - BEFORE_HOPS : first + AFTER_HOPS + 1].max(axis=0)
        return most
