"""What was asked for and is not yet done: bounded, and of several values for one setting only the last."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterable

from .commands import Change, Set, SetTempo

#: presses that wait; a show that does not take them within a display frame is not to be buried in them
MOST = 256


class Backlog:
    """Filled by the threads that hear controls, emptied by the drawing thread. n_dropped: commands that found no room."""

    def __init__(self) -> None:
        self.n_dropped = 0
        self._lock = threading.Lock()
        self._commands: dict[Hashable, Change] = {}
        self._count = 0

    def put(self, commands: Iterable[Change]) -> None:
        """Add commands, in order."""
        with self._lock:
            for command in commands:
                key: Hashable
                if isinstance(command, Set):
                    key = (Set, command.name)
                elif isinstance(command, SetTempo):
                    key = SetTempo
                else:
                    key = self._count = self._count + 1
                if self._commands.pop(key, None) is None and len(self._commands) >= MOST:
                    self.n_dropped += 1
                else:
                    self._commands[key] = command

    def take(self) -> list[Change]:
        """All of them, in order; they are gone from here."""
        if not self._commands:  # nothing to wait for
            return []
        with self._lock:
            commands, self._commands = self._commands, {}
        return list(commands.values())
