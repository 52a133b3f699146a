"""Parts of a show that may fail without ending it: a failure is logged and reported, and the part is tried again after
a while.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

from ..clock import monotonic

log = logging.getLogger(__name__)

#: how long a part is suspended after its first, second, ... failure in a row, seconds: the first may be due to a single
#: block of sound or a single display frame
WAITS_S = (0.0, 0.1, 0.5, 1.0, 2.0, 5.0)
#: after so long without a failure a part counts as recovered
RECOVERY_S = 2.0
#: a part that keeps failing is logged at most this often
LOG_S = 10.0
#: lines kept until `report_to` is called
MAX_UNREPORTED = 5


class Part:
    """One part of a show, used as a context manager: an exception inside is noted and not raised further.

    name: for messages, "analysis". consequence: what happens while it fails, for people. n_faults: failures so far;
    n_in_a_row: since it last recovered; fault: the newest in one line, "" while there is none.
    """

    def __init__(self, name: str, consequence: str, guard: Guard) -> None:
        self.name, self.consequence = name, consequence
        self.n_faults = self.n_in_a_row = 0
        self.fault = ""
        self._guard = guard
        self._failed_s = self._suspended_until_s = self._logged_s = float("-inf")

    @property
    def is_suspended(self) -> bool:
        """Whether it failed and should not be tried yet."""
        return self.n_in_a_row > 0 and self._guard.now() < self._suspended_until_s

    def reset(self) -> None:
        """Forget the failures: what failed was replaced."""
        self.n_in_a_row, self.fault = 0, ""

    def __enter__(self) -> Part:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None:
            if self.n_in_a_row and self._guard.now() - self._failed_s >= RECOVERY_S:
                self.reset()
                self._guard.report(f"the {self.name} works again")
            return False
        if not isinstance(error, Exception) or self._guard.raises:  # KeyboardInterrupt and the like end the show
            return False
        self._note(error)
        return True

    def _note(self, error: Exception) -> None:
        now_s = self._guard.now()
        is_first = self.n_in_a_row == 0
        self.fault = " ".join(f"{type(error).__name__}: {error}".split())[:160]
        self.n_faults += 1
        self.n_in_a_row += 1
        self._failed_s = now_s
        self._suspended_until_s = now_s + WAITS_S[min(self.n_in_a_row, len(WAITS_S)) - 1]
        if is_first or now_s - self._logged_s >= LOG_S:
            self._logged_s = now_s
            log.error("the %s failed, %d times so far", self.name, self.n_faults, exc_info=error)
        if is_first:
            self._guard.report(f"the {self.name} failed ({self.fault}); {self.consequence}")


class Guard:
    """The parts of a show.

    report: called with a line for the screen. now: seconds, rising. raises: raise exceptions instead of noting them,
    for an export.
    """

    def __init__(
        self,
        report: Callable[[str], object] | None = None,
        *,
        now: Callable[[], float] = monotonic,
        raises: bool = False,
    ) -> None:
        self.now, self.raises = now, raises
        self._report = report
        self._parts: dict[str, Part] = {}
        self._unreported: list[str] = []

    def part(self, name: str, consequence: str) -> Part:
        """The part of that name, created by the first call."""
        if name not in self._parts:
            self._parts[name] = Part(name, consequence, self)
        return self._parts[name]

    def faults(self) -> tuple[str, ...]:
        """The parts that are failing, as "analysis: ValueError: ..."."""
        return tuple(f"{part.name}: {part.fault}" for part in self._parts.values() if part.n_in_a_row)

    def report(self, line: str) -> None:
        """Report a line, or keep it until `report_to` is called. An error of the receiver is ignored: the log has the
        failure.
        """
        if self._report is None:
            self._unreported.append(line)
            del self._unreported[:-MAX_UNREPORTED]
        else:
            with suppress(Exception):
                self._report(line)

    def report_to(self, report: Callable[[str], object]) -> None:
        """From now on report lines here, beginning with those that were kept."""
        self._report = report
        unreported, self._unreported = self._unreported, []
        for line in unreported:
            self.report(line)
