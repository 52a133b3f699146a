"""Sound as the frame loop gets it, kept going whatever fails underneath."""

from __future__ import annotations

import threading
from typing import Protocol

from .guard import Guard
from .pulse import InternalClock
from .sound import Sound

#: failures in a row after which followers are made anew: what they keep may be what fails
ANEW_AFTER = 2


class Source(Protocol):
    """Where the sound and its time come from: an act."""

    @property
    def sound(self) -> Sound:
        """What is heard."""

    def position_s(self) -> float:
        """Seconds of sound heard at this instant."""


class SafeSound:
    """An act's sound. While hearing it fails the internal clock moves the picture, as when the sound is lost, and hearing is tried
    again, with new followers where the old ones go on failing.
    """

    def __init__(self, act: Source, guard: Guard) -> None:
        self._act, self._now = act, guard.now
        self._part = guard.part("analysis", "the picture moves by itself")
        self._level = guard.part("level", "the picture moves by itself")
        self._time = guard.part("sound's clock", "time goes on by itself")
        self._clock = InternalClock()
        self._position_s, self._asked_s = 0.0, guard.now()
        self._deaf = False  # the last try failed
        self._n_answered = 0  # faults for which new followers were made
        self._nothing = threading.Event()

    @property
    def moves_by_itself(self) -> bool:
        """Whether the internal clock moves the picture since hearing fails."""
        return self._clock.is_seen

    def pump(self, time_s: float) -> None:
        part = self._part
        if not part.rests:
            begin_anew = getattr(self._act.sound, "begin_anew", None)
            # once for each failure: it counts as one in a row until all has been well for a while
            if part.in_a_row >= ANEW_AFTER and part.n_faults > self._n_answered and begin_anew is not None:
                self._n_answered = part.n_faults
                with part:
                    begin_anew()
            self._deaf = True
            with part:
                self._act.sound.pump(time_s)
                self._deaf = False
        if self._deaf or self._clock.is_seen:
            self._clock.step(self._now(), lost=self._deaf, tempo_bpm=0.0, confidence=0.0, phase=0.0)

    def listen(self, timeout_s: float) -> bool:
        """As the act's own, see `LiveSound.listen`; False while hearing fails."""
        if not self._part.rests:
            with self._part:
                return bool(self._act.listen(timeout_s))  # type: ignore[attr-defined]  # only where `can_listen`
        self._nothing.wait(timeout_s)  # who listens counts on time passing
        return False

    @property
    def can_listen(self) -> bool:
        """Whether the act is told of sound as it comes in."""
        return hasattr(self._act, "listen")

    def position_s(self) -> float:
        """Seconds of sound heard at this instant; counted on where the act cannot say."""
        now_s = self._now()
        position_s = self._position_s + now_s - self._asked_s
        with self._time:
            position_s = self._act.position_s()
        self._position_s, self._asked_s = position_s, now_s
        return position_s

    def level_at(self, time_s: float) -> float:
        level = 0.0
        if not self._level.rests:
            with self._level:
                level = self._act.sound.level_at(time_s)
        pulse = self._clock.level_at(self._now())
        return level if pulse == 0.0 else max(level, pulse)

    def variant_at(self, time_s: float) -> float:
        if not self._level.rests:
            with self._level:
                return self._act.sound.variant_at(time_s)
        return 0.0
