"""The level that is shown: that of the kick, without kicks that of the music, or that of the energy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..settings import BeatSettings
from .energy import EnergyFollower
from .onset_follower import TURN_S
from .without_kicks import BreathFollower, breath_weight

# A follower that is turned off is kept for this long: features of earlier sound may still be asked for.
KEPT_S = 5.0


class LevelFollower(Protocol):
    """A follower whose result is a level."""

    def push(self, samples: NDArray[np.floating]) -> None:
        """Take the next block of mono sound, (n,) float in -1..1, any n."""

    def set_beat(self, settings: BeatSettings) -> None:
        """Take other settings over, from the next hop on."""

    def level_at(self, time_s: float) -> float:
        """The level 0..1 at a time, seconds of sound pushed."""


@dataclass
class _Part:
    """A follower, and how much of its level is shown: faded within TURN_S when it is turned on or off.

    from_s: where it began to follow. before: how much was shown at turned_s, when it was turned on or off.
    """

    follower: LevelFollower
    from_s: float
    is_on: bool
    before: float
    turned_s: float

    def turn(self, is_on: bool, time_s: float) -> None:
        if is_on != self.is_on:
            self.before, self.is_on, self.turned_s = self.share_at(time_s), is_on, time_s

    def share_at(self, time_s: float) -> float:
        moved = min(1.0, max(0.0, (time_s - self.turned_s) / TURN_S))
        return self.before + (self.is_on - self.before) * moved

    def level_at(self, time_s: float) -> float:
        return self.follower.level_at(time_s - self.from_s)


class ShownLevel:
    """Makes the level that is shown of the kick's level, by `beat.motion` and `beat.without_kicks`.

    It holds the followers of the energy and of the music without kicks, each only while it is needed. Times are seconds
    of sound pushed.
    """

    def __init__(self, sample_rate_hz: int, settings: BeatSettings) -> None:
        """sample_rate_hz: 8000..192000."""
        self._sample_rate_hz, self._settings = sample_rate_hz, settings
        self._n_samples = 0
        self._parts: dict[str, _Part] = {}
        self._needs_energy = False
        self._turn()

    def set_beat(self, settings: BeatSettings) -> None:
        """Take over other settings; the level does not jump."""
        self._settings = settings
        for part in self._parts.values():
            part.follower.set_beat(settings)
        self._turn()

    def need_energy(self, is_needed: bool) -> None:
        """Whether `energy_at` will be asked for."""
        self._needs_energy = is_needed
        self._turn()

    def push(self, samples: NDArray[np.floating]) -> None:
        """Take the next block of mono sound, (n,) float in -1..1, any n."""
        self._n_samples += len(samples)
        for part in self._parts.values():
            part.follower.push(samples)
        dropped_s = self._n_samples / self._sample_rate_hz - KEPT_S
        for name, part in list(self._parts.items()):
            if not part.is_on and part.turned_s < dropped_s and not (name == "energy" and self._needs_energy):
                del self._parts[name]

    def energy_at(self, time_s: float) -> float:
        """The level of the energy, 0..1; 0 while it is not followed."""
        return self._parts["energy"].level_at(time_s) if "energy" in self._parts else 0.0

    def level_at(self, time_s: float, kick_level: float, kicks_s: Sequence[float]) -> float:
        """The level 0..1 at a time. kick_level: that of the kick; kicks_s: see `breath_weight`."""
        level = kick_level
        breath, energy = self._parts.get("breath"), self._parts.get("energy")
        if breath is not None:
            weight = breath.share_at(time_s) * breath_weight(time_s, kicks_s)
            # the larger of both, not the sum: a kick moves the picture as far as ever, and nothing jumps down at it
            level = max(level, weight * breath.level_at(time_s)) if weight > 0 else level
        if energy is not None and (share := energy.share_at(time_s)) > 0:
            level += (energy.level_at(time_s) - level) * share
        return level

    def _turn(self) -> None:
        """Turn the followers on and off that the settings ask for."""
        is_energy = self._settings.motion == "energy"
        self._turn_part("energy", is_energy, self._needs_energy)
        self._turn_part("breath", self._settings.without_kicks == "breathe" and not is_energy, False)

    def _turn_part(self, name: str, is_on: bool, is_needed: bool) -> None:
        """Turn a follower on or off. is_needed: it follows although its level is not shown."""
        now_s = self._n_samples / self._sample_rate_hz
        if name in self._parts:
            self._parts[name].turn(is_on, now_s)
        elif is_on or is_needed:
            make = EnergyFollower if name == "energy" else BreathFollower
            turned_s = now_s if self._n_samples else -math.inf  # at the begin there is nothing to fade from
            follower = make(self._sample_rate_hz, self._settings)
            self._parts[name] = _Part(follower, now_s, is_on, before=0.0, turned_s=turned_s)
