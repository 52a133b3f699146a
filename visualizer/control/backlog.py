"""What was wished for and is not yet done: bounded, and of several values for one setting only the last."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterable

from .actions import Set, Tempo, Wish

#: presses that wait; a show that does not take them within a display frame is not to be buried in them
MOST = 256


class Backlog:
    """Filled by the threads that hear controls, emptied by the drawing thread. n_dropped: wishes that found no room."""

    def __init__(self) -> None:
        self.n_dropped = 0
        self._lock = threading.Lock()
        self._wishes: dict[Hashable, Wish] = {}
        self._count = 0

    def put(self, wishes: Iterable[Wish]) -> None:
        """Add wishes, in order."""
        with self._lock:
            for wish in wishes:
                key: Hashable
                if isinstance(wish, Set):
                    key = (Set, wish.name)
                elif isinstance(wish, Tempo):
                    key = Tempo
                else:
                    key = self._count = self._count + 1
                if self._wishes.pop(key, None) is None and len(self._wishes) >= MOST:
                    self.n_dropped += 1
                else:
                    self._wishes[key] = wish

    def take(self) -> list[Wish]:
        """All of them, in order; they are gone from here."""
        if not self._wishes:  # nothing to wait for
            return []
        with self._lock:
            wishes, self._wishes = self._wishes, {}
        return list(wishes.values())
