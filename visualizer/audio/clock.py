"""Which second of a song is being heard. No device and no time source in here: both are handed in."""

from __future__ import annotations


class SteadyClock:
    """A position that advances with time: stopped at first, never backwards except through `restart`. Seconds."""

    def __init__(self, position_s: float = 0.0) -> None:
        self._position_s = position_s
        self._since_s: float | None = None

    def restart(self, position_s: float, now_s: float) -> None:
        """Jump; go on from there if it was going."""
        self._position_s = position_s
        if self._since_s is not None:
            self._since_s = now_s

    def hold(self, now_s: float) -> None:
        """Stop here."""
        self._position_s = self.position(now_s)
        self._since_s = None

    def release(self, now_s: float) -> None:
        """Go on."""
        if self._since_s is None:
            self._since_s = now_s

    def position(self, now_s: float) -> float:
        """Where it stands at now_s."""
        return self._position_s + (0.0 if self._since_s is None else max(0.0, now_s - self._since_s))


class AudibleClock:
    """A position told by what a device has been handed: sound handed over now is heard `latency_s` later.

    `handed` may be called from the device's thread, everything else from one other. While held, the position stands still
    to the last digit; after `release` it waits for the device and then takes up where it stood.
    """

    def __init__(self, latency_s: float) -> None:
        self.latency_s = latency_s
        self._stretch = 1
        self._reached_s = 0.0
        self._held = True
        self._ignored: object = None
        self._report: tuple[int, float, float] | None = None

    def handed(self, stretch: int, place_s: float, now_s: float) -> None:
        """At now_s the device took a block that begins at place_s of the song and belongs to this stretch."""
        self._report = (stretch, place_s, now_s)

    def restart(self, stretch: int, position_s: float) -> None:
        """Stand at position_s until the device takes sound of the stretch of this number."""
        self._stretch = stretch
        self._reached_s = position_s

    def hold(self, now_s: float) -> None:
        """Stop here."""
        self._reached_s = self.position(now_s)
        self._held = True

    def release(self) -> None:
        """Go on as soon as the device takes sound again."""
        if self._held:
            self._held = False
            self._ignored = self._report

    def position(self, now_s: float) -> float:
        """The second of the song that is heard at now_s; never less than before, except after `restart`."""
        report = self._report
        if not self._held and report is not None and report is not self._ignored and report[0] == self._stretch:
            _, place_s, since_s = report
            self._reached_s = max(self._reached_s, place_s + (now_s - since_s) - self.latency_s)
        return self._reached_s
