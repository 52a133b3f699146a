"""Timing of the recovery of a lost sound device, the same for inputs and outputs."""

from __future__ import annotations

# How often an open device is checked.
POLL_S = 0.1
# Without sound for this long a device is reported lost, but kept open: a sound server on a busy machine may resume by
# itself.
STALLED_S = 0.5
# Without sound for this long it is closed and opened again.
GONE_S = 3.0
# The first and the longest wait between two attempts to open it.
RETRY_S, LONGEST_RETRY_S = 0.1, 0.8


def retry_wait_s(before_s: float, *, was_open: bool) -> float:
    """How long to wait before the next attempt to open a device, seconds.

    before_s: the wait before the last attempt, 0 if there was none. was_open: whether that attempt had opened the
    device; the next one then follows after RETRY_S.
    """
    return RETRY_S if was_open else min(LONGEST_RETRY_S, max(RETRY_S, 2 * before_s))
