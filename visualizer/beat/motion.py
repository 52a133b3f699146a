"""From kicks to a level: how the picture moves when a kick comes, and how it comes back. All in seconds.

The level 0..1 is what the depth is computed from. A motion gets, at every hop, the strength of a kick, and returns the
level.
"""

from __future__ import annotations

import math
from typing import Protocol

from ..settings import BeatSettings
from .decay import keep_for

#: `punch` falls this many times as fast as `decay`: it has ended before the next kick
PUNCH = 2.5
#: time constants with which `breathe` follows the motion `decay` upwards and downwards
BREATHE_IN_S, BREATHE_OUT_S = 0.14, 0.35
#: `pump` rises only while there are kicks: it holds for this long after the last, then falls with this time constant
PUMP_HOLD_S, PUMP_RELEASE_S = 1.2, 1.0


class Motion(Protocol):
    """How the level moves. level: 0..1, the newest."""

    level: float

    def step(self, strength: float) -> float:
        """One hop later: the level. strength: 0 without a kick, else what it raises the level to, 0..1."""

    def ahead(self, level: float, dt_s: float) -> float:
        """Where `level` will be dt_s seconds after its hop if no kick comes."""


class Fall:
    """The motions `decay` and `punch`: a kick raises the level at once, then `decay` of it is kept every 1/30 s.

    decay: 0..1. speed: how many times as fast it falls.
    """

    def __init__(self, decay: float, hop_s: float, speed: float = 1.0) -> None:
        self.level = 0.0
        self._decay = decay**speed
        self._keep = keep_for(self._decay, hop_s)

    def step(self, strength: float) -> float:
        self.level = max(self.level * self._keep, strength)
        return self.level

    def ahead(self, level: float, dt_s: float) -> float:
        return level * keep_for(self._decay, dt_s)


class Breathe:
    """The motion `decay`, followed slowly: the level rises after a kick and falls back, without a jump."""

    def __init__(self, decay: float, hop_s: float) -> None:
        self.level = 0.0
        self._under = Fall(decay, hop_s)
        self._rise, self._sink = (1 - math.exp(-hop_s / time_s) for time_s in (BREATHE_IN_S, BREATHE_OUT_S))

    def step(self, strength: float) -> float:
        way = self._under.step(strength) - self.level
        self.level += way * (self._rise if way > 0 else self._sink)
        return self.level

    def ahead(self, level: float, dt_s: float) -> float:
        return level  # it hardly changes within the few milliseconds asked for


class Pump:
    """Ducked by each kick, like a side-chain compressor: the level drops to 0 at a kick and rises again between
    kicks.
    """

    def __init__(self, decay: float, hop_s: float) -> None:
        self.level = 0.0
        self._under = Fall(decay, hop_s)
        self._hop_s = hop_s
        self._fade = math.exp(-hop_s / PUMP_RELEASE_S)
        self._swell = 0.0  # the level between kicks: the strength of recent kicks, 0 without kicks
        self._rested_s = math.inf

    def step(self, strength: float) -> float:
        if strength > 0:
            self._swell, self._rested_s = max(self._swell, strength), 0.0
        else:
            self._rested_s += self._hop_s
            if self._rested_s > PUMP_HOLD_S:
                self._swell *= self._fade
        self.level = self._swell * (1 - min(1.0, self._under.step(strength)))
        return self.level

    def ahead(self, level: float, dt_s: float) -> float:
        return level


class Change:
    """From one motion to another within some time, without a jump: both move on, and the level fades from one to the
    other.
    """

    def __init__(self, old: Motion, new: Motion, change_s: float, hop_s: float) -> None:
        self.level = old.level
        self.new = new
        self._old: Motion | None = old
        self._share, self._step = 0.0, hop_s / change_s

    @property
    def over(self) -> bool:
        """Whether the new motion is alone."""
        return self._old is None

    def step(self, strength: float) -> float:
        self.level = self.new.step(strength)
        if self._old is not None:
            self._share += self._step
            self.level += (self._old.step(strength) - self.level) * max(0.0, 1 - self._share)
            if self._share >= 1:
                self._old = None
        return self.level

    def ahead(self, level: float, dt_s: float) -> float:
        return self.new.ahead(level, dt_s)


class Smooth:
    """Another motion through a low-pass filter: without jumps, and later by about its time constant."""

    def __init__(self, under: Motion, smoothing_s: float, hop_s: float) -> None:
        self._under, self._share = under, 1 - math.exp(-hop_s / smoothing_s)
        self._level = 0.0

    @property
    def level(self) -> float:
        """0..1, the newest."""
        return self._level

    @level.setter
    def level(self, level: float) -> None:
        self._level = self._under.level = level

    def step(self, strength: float) -> float:
        self._level += (self._under.step(strength) - self._level) * self._share
        return self._level

    def ahead(self, level: float, dt_s: float) -> float:
        return level


def motion_of(name: str, decay: float, hop_s: float, smoothing_s: float = 0.0) -> Motion:
    """The motion of that name: decay, punch, breathe, pump, steps (which moves like decay; only its depths are whole)
    or energy (like decay too, but `EnergyFollower` moves it and not the kick).

    smoothing_s: time constant of a low-pass filter on the level; 0: none.
    """
    if smoothing_s > 0:
        return Smooth(motion_of(name, decay, hop_s), smoothing_s, hop_s)
    if name == "punch":
        return Fall(decay, hop_s, PUNCH)
    if name == "breathe":
        return Breathe(decay, hop_s)
    if name == "pump":
        return Pump(decay, hop_s)
    return Fall(decay, hop_s)


def moves_alike(one: BeatSettings, other: BeatSettings) -> bool:
    """Whether both settings mean the same motion."""
    return (one.motion, one.decay, one.smoothing_ms) == (other.motion, other.decay, other.smoothing_ms)


def motion_for(settings: BeatSettings, hop_s: float) -> Motion:
    """The motion that the settings ask for."""
    return motion_of(settings.motion, settings.decay, hop_s, settings.smoothing_ms / 1000)
