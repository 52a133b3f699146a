"""Changes that wait for the next display frame: bounded, and of several values for one parameter only the last."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterable

from .commands import Input, Set

#: changes that wait; more come only when a show hangs, and must not all be done when it goes on
MOST = 256


class Backlog:
    """Filled by the threads of controllers, emptied by the drawing thread. n_dropped: changes for which there was no
    room.
    """

    def __init__(self) -> None:
        self.n_dropped = 0
        self._lock = threading.Lock()
        self._changes: dict[Hashable, Input] = {}
        self._count = 0

    def put(self, changes: Iterable[Input]) -> None:
        """Add changes, in order."""
        with self._lock:
            for change in changes:
                key: Hashable
                if isinstance(change, Set):
                    key = (Set, change.name)
                else:
                    key = self._count = self._count + 1
                if self._changes.pop(key, None) is None and len(self._changes) >= MOST:
                    self.n_dropped += 1
                else:
                    self._changes[key] = change

    def take(self) -> list[Input]:
        """All of them, in order, and remove them."""
        if not self._changes:  # no lock needed
            return []
        with self._lock:
            changes, self._changes = self._changes, {}
        return list(changes.values())
