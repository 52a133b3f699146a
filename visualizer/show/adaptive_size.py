"""Drawing smaller where the machine cannot keep the pace, and larger again where it can."""

from __future__ import annotations

import math

import numpy as np

STEPS = (1.0, 0.75, 0.5)  # of width and height: 1, about half and a quarter of the pixels
MAX_FRAMES = 512  # display frames kept for one decision
DOWN_S = 2.0  # measured for so long before a step down
TRIAL_S = 0.5  # a step up is tried for so long before it is reversed: those display frames are late
LATE = 1.25  # a display frame is late if it takes more periods than this
HOLD_S = 8.0  # a step up is tried after so long without late display frames ..
LONGEST_HOLD_S = 256.0  # .. doubled with every step up that was reversed, up to this
PROVEN_S = 60.0  # a step up that lasted so long was right
PAUSE_S = 60.0  # nothing is tried for so long after drawing smaller did not help
HELPS = 0.9  # drawing smallest helps if a display frame takes at most this fraction of its time at full size


class AdaptiveSize:
    """The size that pictures are drawn in, as a fraction of the window's width and height.

    It steps down when more than 5 % of the display frames of two seconds are late, and steps up on trial after a while
    without late ones. Whether there is time for more pixels cannot be known otherwise: a swap that waits for the screen
    takes a whole period, however little was drawn. A step up that is reversed doubles the wait for the next one, so
    that the size does not oscillate. Where even the smallest size is no faster, something else is slow: then all is
    drawn at full size.
    """

    def __init__(self, period_s: float) -> None:
        """period_s: how long a display frame may take."""
        self.reset(period_s)

    @property
    def scale(self) -> float:
        """1, 0.75 or 0.5."""
        return STEPS[self._index]

    @property
    def can_be_smaller(self) -> bool:
        """Whether it draws smaller if that takes too long: it is not smallest yet, and has not found that this does not
        help.
        """
        return self._index + 1 < len(STEPS) and self._pause_s <= 0

    def reset(self, period_s: float) -> None:
        """Another pace or another size of window: forget what was measured."""
        self.period_s = period_s
        self._index = 0
        self._hold_s = HOLD_S
        self._full_size_s = 0.0  # what a display frame took when the first step down was made
        self._work_s = np.zeros(MAX_FRAMES)
        self._good_s = self._pause_s = 0.0
        self._since_up_s = math.inf  # since the last step up that was not reversed
        self._is_trial = False
        self._begin()

    def note(self, work_s: float) -> bool:
        """A display frame took work_s to draw and show. Returns whether the size has changed."""
        if self._n < len(self._work_s):
            self._work_s[self._n] = work_s
            self._n += 1
        self._measured_s += max(work_s, self.period_s)
        if self._measured_s < (TRIAL_S if self._is_trial else DOWN_S):
            return False
        before = self._index
        # a trial is decided by the median: waiting for the few that are late would make more of them
        typical_s, late_s = np.percentile(self._work_s[: self._n], (50, 50 if self._is_trial else 95)).tolist()
        self._good_s += self._measured_s
        self._since_up_s += self._measured_s
        self._pause_s -= self._measured_s
        self._is_trial = False
        self._begin()
        if late_s > LATE * self.period_s:
            self._good_s = 0.0
            if self._pause_s <= 0:
                self._smaller(typical_s)
        elif self._index > 0 and self._good_s >= self._hold_s:
            self._larger()
        return self._index != before

    def _begin(self) -> None:
        self._n, self._measured_s = 0, 0.0

    def _smaller(self, typical_s: float) -> None:
        if self._since_up_s < PROVEN_S:
            self._hold_s = min(2 * self._hold_s, LONGEST_HOLD_S)
        elif self._since_up_s < math.inf:
            self._hold_s = HOLD_S
        self._since_up_s = math.inf
        if self._index == 0:
            self._full_size_s = typical_s
        if self._index + 1 < len(STEPS):
            self._index += 1
        elif typical_s > HELPS * self._full_size_s:
            self._index, self._pause_s = 0, PAUSE_S

    def _larger(self) -> None:
        self._index -= 1
        self._good_s = self._since_up_s = 0.0
        self._is_trial = True
