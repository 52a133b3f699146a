"""Clocks that give the second of a song that is heard now. They read no time themselves: every method takes it."""

from __future__ import annotations


class SteadyClock:
    """A position in seconds that advances with time. Stopped at first; only `restart` can move it back."""

    def __init__(self, position_s: float = 0.0) -> None:
        self._position_s = position_s
        self._since_s: float | None = None

    def restart(self, position_s: float, now_s: float) -> None:
        """Jump to a position; a running clock goes on from there."""
        self._position_s = position_s
        if self._since_s is not None:
            self._since_s = now_s

    def hold(self, now_s: float) -> None:
        """Stop at the position of now_s."""
        self._position_s = self.position(now_s)
        self._since_s = None

    def release(self, now_s: float) -> None:
        """Run on from the position where it stopped."""
        if self._since_s is None:
            self._since_s = now_s

    def position(self, now_s: float) -> float:
        """The position at now_s."""
        return self._position_s + (0.0 if self._since_s is None else max(0.0, now_s - self._since_s))


class AudibleClock:
    """A position derived from the blocks delivered to an output device: a block delivered now is heard `latency_s`
    later.

    `delivered` may be called from the device's thread, everything else from one other thread. While the clock is held,
    the position does not change; after `release` it stays until the device takes a block, and then goes on.
    """

    def __init__(self, latency_s: float) -> None:
        self.latency_s = latency_s
        self._segment = 1
        self._reached_s = 0.0
        self._held = True
        self._ignored: object = None
        self._report: tuple[int, float, float] | None = None

    def delivered(self, segment: int, place_s: float, now_s: float) -> None:
        """At now_s the device took a block that begins at place_s of the song. segment: the number of its segment."""
        self._report = (segment, place_s, now_s)

    def restart(self, segment: int, position_s: float) -> None:
        """Stay at position_s until the device takes sound of the segment with this number."""
        self._segment = segment
        self._reached_s = position_s

    def hold(self, now_s: float) -> None:
        """Stop at the position of now_s."""
        self._reached_s = self.position(now_s)
        self._held = True

    def release(self) -> None:
        """Run again as soon as the device takes a block."""
        if self._held:
            self._held = False
            self._ignored = self._report

    def position(self, now_s: float) -> float:
        """The second of the song that is heard at now_s; it never decreases, except after `restart`."""
        report = self._report
        if not self._held and report is not None and report is not self._ignored and report[0] == self._segment:
            _, place_s, since_s = report
            self._reached_s = max(self._reached_s, place_s + (now_s - since_s) - self.latency_s)
        return self._reached_s
