"""A show's parts, each kept from taking the others along: what fails is told, logged, left alone for a while, and tried again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

from ..clock import monotonic

log = logging.getLogger(__name__)

#: how long a part is left alone after its first, second, … failure in a row, seconds: the first may have been the fault of
#: one block of sound or one display frame
WAITS_S = (0.0, 0.1, 0.5, 1.0, 2.0, 5.0)
#: as long without a failure, and a part counts as well again
WELL_S = 2.0
#: the log is told of a part that goes on failing at most so often
LOG_S = 10.0


class Part:
    """One part of a show. Used as a context: an exception inside ends there, and is noted.

    name: "analysis". remains: what is left while it fails, for reading. n_faults: all so far; in_a_row: since it was well.
    """

    def __init__(self, name: str, remains: str, guard: Guard) -> None:
        self.name, self.remains = name, remains
        self.n_faults = self.in_a_row = 0
        self.fault = ""
        self._guard = guard
        self._failed_s = self._rests_until_s = self._logged_s = float("-inf")

    @property
    def rests(self) -> bool:
        """Whether it is to be left alone for now."""
        return self.in_a_row > 0 and self._guard.now() < self._rests_until_s

    @property
    def is_well(self) -> bool:
        """Whether it has not failed of late."""
        return self.in_a_row == 0

    def renew(self) -> None:
        """What failed is no more; another has taken its place."""
        self.in_a_row, self.fault = 0, ""

    def __enter__(self) -> Part:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None:
            if self.in_a_row and self._guard.now() - self._failed_s >= WELL_S:
                self.in_a_row, self.fault = 0, ""
                self._guard.say(f"the {self.name} is back")
            return False
        if not isinstance(error, Exception) or self._guard.raises:  # Ctrl-C, or the end
            return False
        self._note(error)
        return True

    def _note(self, error: Exception) -> None:
        now_s = self._guard.now()
        first = self.in_a_row == 0
        self.fault = " ".join(f"{type(error).__name__}: {error}".split())[:160]
        self.n_faults += 1
        self.in_a_row += 1
        self._failed_s = now_s
        self._rests_until_s = now_s + WAITS_S[min(self.in_a_row, len(WAITS_S)) - 1]
        if first or now_s - self._logged_s >= LOG_S:
            self._logged_s = now_s
            log.error("the %s failed, %d times so far", self.name, self.n_faults, exc_info=error)
        if first:
            self._guard.say(f"the {self.name} failed ({self.fault}); {self.remains}")


class Guard:
    """The parts of a show. say: takes a line for the screen. now: seconds, rising. raises: let exceptions through, for an export."""

    def __init__(
        self,
        say: Callable[[str], None] | None = None,
        *,
        now: Callable[[], float] = monotonic,
        raises: bool = False,
    ) -> None:
        self.now, self.raises = now, raises
        self.tell = say
        self._parts: dict[str, Part] = {}
        self._waiting: list[str] = []

    def part(self, name: str, remains: str) -> Part:
        """The part of that name, made at the first call."""
        if name not in self._parts:
            self._parts[name] = Part(name, remains, self)
        return self._parts[name]

    def faults(self) -> tuple[str, ...]:
        """The parts that are failing: "analysis: ValueError: ..."."""
        return tuple(f"{part.name}: {part.fault}" for part in self._parts.values() if not part.is_well)

    def say(self, line: str) -> None:
        """Tell a line, or keep it until there is somebody to tell; what cannot be told is in the log all the same."""
        if self.tell is None:
            self._waiting.append(line)
            del self._waiting[:-5]
        else:
            with suppress(Exception):
                self.tell(line)

    def listen(self, say: Callable[[str], None]) -> None:
        """From now on lines go here, those that waited first."""
        self.tell = say
        waiting, self._waiting = self._waiting, []
        for line in waiting:
            self.say(line)
