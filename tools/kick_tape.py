"""What a song of the training music is written on: the tracks of its players with the times of the hits, and its
sixteenths.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from tools.kick_sounds import RATE_HZ, Rng, Sound, log_uniform
from visualizer.beat.network import EVENTS

# What is noted: the drums of the network, and every note whose fundamental lies below LOW_NOTE_HZ.
BUSES = ("kick", "drums", "bass", "music", "noise")
BUS_OF = {"kick": "kick", "snare": "drums", "hat": "drums", "bass": "bass"}
LOW_NOTE_HZ = 160.0


@dataclass
class Tape:
    """The tracks of a song. buses: (kick, drums, bass, music, noise), (n,) float64 each; place() adds a sound at a
    time.

    hits_s: for each of EVENTS, the times of its hits. alone: snares and hats once more, each without the rest of its
    bus. mastering: band, club or tracker, how kick_masters.master treats it.
    """

    n: int
    buses: dict[str, Sound] = field(default_factory=dict)
    hits_s: dict[str, list[float]] = field(default_factory=lambda: {event: [] for event in EVENTS})
    alone: dict[str, Sound] = field(default_factory=dict)
    mastering: str = "band"

    def strike(self, event: str, bus: str, sound: Sound, at_s: float, gain: float = 1.0) -> None:
        """Place a hit, and note its time if it lies within the song."""
        self.place(bus, sound, at_s, gain)
        if bus == "drums":
            self._add(self.alone, event, sound, at_s, gain)
        if 0 <= at_s < self.n / RATE_HZ:
            self.hits_s[event].append(at_s)

    def note(self, hz: float, sound: Sound, at_s: float, gain: float = 1.0) -> None:
        """Place a note: on the bass track, and noted, if it is low and begins at once."""
        if hz < LOW_NOTE_HZ and begins_at_once(sound):
            self.strike("bass", "bass", sound, at_s, gain)
        else:
            self.place("bass" if hz < LOW_NOTE_HZ else "music", sound, at_s, gain)

    def place(self, bus: str, sound: Sound, at_s: float, gain: float = 1.0) -> None:
        self._add(self.buses, bus, sound, at_s, gain)

    def add(self, bus: str, sound: Sound, gain: float = 1.0) -> None:
        self.place(bus, sound, 0.0, gain)

    def change(self, bus: str, treat: Callable[[Sound], Sound]) -> None:
        """Apply a linear treatment to a track, where there is one."""
        if bus in self.buses:
            self.buses[bus] = treat(self.buses[bus])
        if bus == "drums":
            self.alone = {event: treat(sound) for event, sound in self.alone.items()}

    def sound_of(self, event: str) -> Sound:
        """The track of an event alone, (n,)."""
        bus = BUS_OF[event]
        return self.alone[event] if bus == "drums" else self.buses[bus]

    def mute_kicks(self) -> None:
        """Leave the kicks out; whatever they did to other tracks stays."""
        self.buses.pop("kick", None)
        self.hits_s["kick"] = []

    def _add(self, tracks: dict[str, Sound], name: str, sound: Sound, at_s: float, gain: float) -> None:
        track = tracks.setdefault(name, np.zeros(self.n))
        start = round(at_s * RATE_HZ)
        if 0 <= start < self.n:
            track[start : start + len(sound)] += gain * sound[: self.n - start]


def begins_at_once(sound: Sound) -> bool:
    """Whether a note is loud within 40 ms: a quarter of its loudest 40 ms or more."""
    step = round(0.04 * RATE_HZ)
    n_steps = max(1, len(sound) // step)
    energy = (sound[: n_steps * step] ** 2).reshape(n_steps, -1).mean(axis=1)
    return bool(energy[0] >= energy.max() / 16)


@dataclass(frozen=True)
class Meter:
    """The times of a song's sixteenths: even or swung, and as exact as its players."""

    sixteenth_s: float
    first_s: float
    swing: float
    human_s: float
    n_sixteenths: int

    def at(self, rng: Rng, place: float) -> float:
        swung = self.swing * self.sixteenth_s if int(place) % 2 else 0.0
        return self.first_s + place * self.sixteenth_s + swung + float(rng.normal(0, self.human_s))


def meter(rng: Rng, seconds: float) -> Meter:
    sixteenth_s = 15.0 / log_uniform(rng, 65, 182)
    first_s = rng.uniform(0.02, 0.6)
    return Meter(
        sixteenth_s,
        first_s,
        rng.uniform(0, 0.3) if rng.random() < 0.3 else 0.0,
        rng.uniform(0, 0.01) if rng.random() < 0.6 else 0.0,
        int((seconds - first_s - 0.1) / sixteenth_s),
    )


def side_chain(rng: Rng, kicks_s: Sound, n: int, rate_hz: float) -> Sound:
    """(n,) factors 0..1 at rate_hz: down at every kick, back within a fraction of a second."""
    recover_s, deep = log_uniform(rng, 0.06, 0.35), rng.uniform(0.4, 1)
    duck = np.ones(n)
    for at_s in kicks_s:
        start = round(at_s * rate_hz)
        way = deep * np.exp(-np.arange(round(4 * recover_s * rate_hz)) / (recover_s * rate_hz))
        part = duck[start : start + len(way)]
        np.minimum(part, 1 - way[: len(part)], out=part)
    width = max(1, round(0.004 * rate_hz))  # a compressor takes its time, and no step may click
    return np.convolve(duck, np.ones(width) / width)[:n]
