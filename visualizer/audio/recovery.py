"""How soon a lost sound device is noticed and opened again: the same for inputs and outputs."""

from __future__ import annotations

# How often an open device is looked at.
POLL_S = 0.1
# A device without sound for so long counts as lost, but may go on by itself: a sound server on a busy machine may pause for longer.
STALLED_S = 0.5
# After so long it is closed and opened again.
GONE_S = 3.0
RETRY_S, LONGEST_RETRY_S = 0.1, 0.8


def retry_wait_s(before_s: float, *, was_open: bool) -> float:
    """How long to wait before opening a device again, seconds.

    before_s: the wait before the last attempt, 0 for the first. was_open: whether that attempt had opened the device; then it is
    tried again at once.
    """
    return RETRY_S if was_open else min(LONGEST_RETRY_S, max(RETRY_S, 2 * before_s))
