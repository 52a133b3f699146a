"""Looks that take too long: one that takes longer than its budget for a second is turned off."""

from __future__ import annotations

from collections.abc import Sequence

#: a look is turned off once it has taken longer than its budget for so long, seconds
PATIENCE_S = 1.0
#: looks are measured one by one once display frames have taken longer than the budget for so long, seconds
MEASURED_AFTER_S = 0.3
#: a display frame that takes longer than this is too long in any size: the picture seems to stand still
STANDING_S = 0.25


class LookBudget:
    """Finds the look that must be turned off. Looks are measured only while display frames take longer than the budget.

    budget_s: longest time that a look may take for a display frame, seconds.
    """

    def __init__(self, budget_s: float) -> None:
        self.budget_s = budget_s
        self._slow_s = self._over_s = 0.0

    @property
    def is_measuring(self) -> bool:
        """Whether each look must be measured for the next display frame."""
        return self._slow_s >= MEASURED_AFTER_S

    def note(self, work_s: float, look_times_s: Sequence[float], *, can_be_smaller: bool) -> int | None:
        """Note a display frame, and return the index of the look to turn off, None for none.

        work_s: how long the display frame took. look_times_s: how long each look took of it, empty where they were not
        measured. can_be_smaller: whether a smaller picture will be tried, which may help.
        """
        limit_s = max(self.budget_s, STANDING_S) if can_be_smaller else self.budget_s
        if work_s <= limit_s:
            self._slow_s = self._over_s = 0.0
            return None
        self._slow_s += work_s
        slowest_s = max(look_times_s, default=0.0)
        if slowest_s <= limit_s:  # something else is slow
            self._over_s = 0.0
            return None
        self._over_s += work_s
        if self._over_s < PATIENCE_S:
            return None
        self._slow_s = self._over_s = 0.0
        return look_times_s.index(slowest_s)
