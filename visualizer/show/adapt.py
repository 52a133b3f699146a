"""Drawing smaller where the machine cannot hold the pace, and large again where it can."""

from __future__ import annotations

import math

import numpy as np

STEPS = (1.0, 0.75, 0.5)  # of width and height: 1, about half and a quarter of the pixels
MOST_FRAMES = 512  # looked at before a step
LOOK_S = 2.0  # how long is looked before a step down
TRIAL_S = 0.5  # how long a step up is tried before it is taken back: those frames are late ones
LATE = 1.25  # periods that a display frame may take before it counts as late
HOLD_S = 8.0  # how long all must go well before a step up is tried ..
LONGEST_HOLD_S = 256.0  # .. doubled with every one that had to be taken back, up to this
PROVEN_S = 60.0  # a step up that held for so long was right
REST_S = 60.0  # how long nothing is tried after drawing smaller was of no use
OF_USE = 0.9  # drawing smallest is of use when frames take at most this share of what they took at full size


class RenderScale:
    """The size that pictures are drawn in, as a share of the window's width and height.

    It goes a step down when more than 5 % of the display frames of two seconds come late, and a step up on trial after it
    went well for a while. Whether there is room for more cannot be known otherwise: a swap that waits for the screen takes a
    whole period, however little was drawn. A step up that is taken back makes the next one wait twice as long, so nothing
    flaps. Where even the smallest size is no quicker, something else is slow: then all is drawn at full size.
    """

    def __init__(self, period_s: float) -> None:
        """period_s: how long a display frame may take."""
        self.reset(period_s)

    @property
    def scale(self) -> float:
        """1, 0.75 or 0.5."""
        return STEPS[self._index]

    def reset(self, period_s: float) -> None:
        """Another pace, or another size of window: what was seen so far does not count."""
        self.period_s = period_s
        self._index = 0
        self._hold_s = HOLD_S
        self._full_size_s = 0.0  # what a display frame took when the first step down was made
        self._work_s = np.zeros(MOST_FRAMES)
        self._good_s = self._rest_s = 0.0
        self._since_up_s = math.inf  # since the last step up that was not taken back
        self._trial = False
        self._begin()

    def note(self, work_s: float) -> bool:
        """A display frame took so long to draw and show. True if the size is another now."""
        if self._n < len(self._work_s):
            self._work_s[self._n] = work_s
            self._n += 1
        self._seen_s += max(work_s, self.period_s)
        if self._seen_s < (TRIAL_S if self._trial else LOOK_S):
            return False
        before = self._index
        # half of the frames tell enough of a trial: waiting for the few that are late would make more of them
        typical_s, late_s = np.percentile(self._work_s[: self._n], (50, 50 if self._trial else 95)).tolist()
        self._good_s += self._seen_s
        self._since_up_s += self._seen_s
        self._rest_s -= self._seen_s
        self._trial = False
        self._begin()
        if late_s > LATE * self.period_s:
            self._good_s = 0.0
            if self._rest_s <= 0:
                self._smaller(typical_s)
        elif self._index > 0 and self._good_s >= self._hold_s:
            self._larger()
        return self._index != before

    def _begin(self) -> None:
        self._n, self._seen_s = 0, 0.0

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
        elif typical_s > OF_USE * self._full_size_s:
            self._index, self._rest_s = 0, REST_S

    def _larger(self) -> None:
        self._index -= 1
        self._good_s = self._since_up_s = 0.0
        self._trial = True
