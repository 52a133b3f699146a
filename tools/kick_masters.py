"""Songs as they come from a loudspeaker or a microphone, for training and for evaluation.

`song(seed, index)` returns one with the times of its drums. The same two numbers give the same song.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.kick_rooms import compress, convolve, room
from tools.kick_samples import SampledSounds
from tools.kick_songs import EVENTS, NEVER_KICKS, Tape, recorded
from tools.kick_sounds import RATE_HZ, Rng, Sound, brown, ends, log_uniform, normal, through
from tools.kick_styles import STYLES

SECONDS = 6.0


@dataclass(frozen=True)
class Song:
    """sound: (n,) float32 in -1..1 at RATE_HZ; kicks_s: when each kick begins; kind: what was made.

    hits_s: for each of EVENTS, when its hits begin. inaudible: for each of EVENTS, which of them the rest hides,
    (hits,) bool.
    """

    sound: np.ndarray
    kicks_s: np.ndarray
    kind: str
    hits_s: dict[str, np.ndarray]
    inaudible: dict[str, np.ndarray]

    @property
    def buried(self) -> np.ndarray:
        """For each kick, whether the rest makes it inaudible."""
        return self.inaudible["kick"]


# How often each kind of song is drawn: with kicks, then electronic music with its kick muted, then what never has
# kicks.
SHARES = {
    "mix": 0.22,
    "loud bass": 0.10,
    "club": 0.10,
    "tracker": 0.08,
    "breakbeat": 0.05,
    "half-time": 0.03,
    "chip": 0.03,
    **{f"{style} without kicks": share for style, share in zip(STYLES, (0.05, 0.07, 0.03, 0.03, 0.02), strict=True)},
    # noise and tones are least similar to a kick, and were still taken for one
    **{kind: 0.19 * (2 if kind in ("noise", "tones") else 1) / 11 for kind in NEVER_KICKS},
}


def drawn_kind(rng: Rng) -> str:
    """A random kind of song, with the probabilities of the training."""
    return str(rng.choice(list(SHARES), p=list(SHARES.values())))


def song(
    seed: int, index: int, seconds: float = SECONDS, kind: str | None = None, samples: SampledSounds | None = None
) -> Song:
    """A song of a kind: one of WITH_KICKS or WITHOUT_KICKS; a random one for None. samples: see kick_songs.recorded."""
    rng = np.random.default_rng([seed, index])
    kind = drawn_kind(rng) if kind is None else kind
    tape = recorded(rng, kind, seconds, samples)
    hits_s = {event: np.array(sorted(tape.hits_s[event])) for event in EVENTS}
    inaudible = {event: under_the_rest(tape, hits_s[event], event) for event in EVENTS}
    return Song(master(rng, tape).astype(np.float32), hits_s["kick"], kind, hits_s, inaudible)


# The bands in which a hit may stand out, Hz.
EDGES_HZ = {"kick": (0, 150, RATE_HZ), "snare": (150, 2000, RATE_HZ), "hat": (3000, RATE_HZ), "bass": (0, 150, 500)}
UNDER_DB = 9.0


def under_the_rest(tape: Tape, hits_s: Sound, event: str = "kick") -> np.ndarray:
    """Which hits of an event are more than 9 dB softer than the rest in their first 50 ms, in each band of theirs:
    (hits,) bool.
    """
    if not len(hits_s):
        return np.zeros(0, bool)
    n = RATE_HZ // 20
    # a window that rises within 4 ms, and does not leak a bass into the bands above it
    window = ends(np.ones(n), 0.004, 0.03)
    freqs_hz = np.fft.rfftfreq(n, 1 / RATE_HZ)
    edges = np.searchsorted(freqs_hz, EDGES_HZ[event])
    own = tape.sound_of(event)
    mix = sum(tape.buses.values(), np.zeros(tape.n))
    starts = np.minimum(np.round(hits_s * RATE_HZ).astype(int), tape.n - 1)
    places = starts[:, None] + np.arange(n)
    energies = []
    for sound in (own, mix - own):
        parts = np.abs(np.fft.rfft(np.append(sound, np.zeros(n))[places] * window, axis=1)) ** 2
        energies.append(np.add.reduceat(parts, edges[:-1], axis=1)[:, : len(edges) - 1])
    return (energies[0] / (energies[1] + 1e-9)).max(axis=1) < 10 ** (-UNDER_DB / 10)


def master(rng: Rng, tape: Tape) -> Sound:
    """Apply room, equaliser, dynamics, microphone, level and jumps of the level to a tape."""
    if tape.mastering != "band":
        return at_some_level(rng, (club_master if tape.mastering == "club" else tracker_master)(rng, tape))
    if "noise" in tape.buses:
        return 10 ** (rng.uniform(-75, -15) / 20) * tape.buses["noise"]
    if rng.random() < 0.45:
        answer, wet = room(rng, log_uniform(rng, 0.15, 1.5)), log_uniform(rng, 0.03, 0.5)
        for bus in ("kick", "drums"):
            if bus in tape.buses:
                tape.buses[bus] = tape.buses[bus] + wet * convolve(tape.buses[bus], answer)
    mix = np.zeros(tape.n)
    for bus in tape.buses.values():
        mix += bus
    mix = normal(mix)
    if rng.random() < 0.6:
        peaks = [
            ("peak", log_uniform(rng, low, high), rng.uniform(-8, 8))
            for low, high in ((40, 150), (200, 900), (1500, 8000))
        ]
        mix = normal(through(mix, *peaks))
    if rng.random() < 0.4:
        mix = normal(compress(rng, mix))
    if rng.random() < 0.3:  # a limiter, or a clipped one
        mix = (
            np.clip(mix * log_uniform(rng, 1, 4), -1, 1)
            if rng.random() < 0.4
            else np.tanh(log_uniform(rng, 1, 4) * mix)
        )
    if rng.random() < 0.25:  # a club or a living room, heard by a telephone
        mix = mix + log_uniform(rng, 0.1, 1.0) * convolve(mix, room(rng, log_uniform(rng, 0.2, 1.5)))
        mix = through(mix, ("high", log_uniform(rng, 30, 90), 0.7), ("low", log_uniform(rng, 3000, 15000), 0.7))
        mix = normal(compress(rng, normal(mix)))
    if rng.random() < 0.2:  # an old recording, a small codec
        mix = through(mix, ("low", log_uniform(rng, 3000, 14000), 0.7))
    if rng.random() < 0.3:
        mix = mix + log_uniform(rng, 0.0005, 0.03) * brown(rng, tape.n, rng.choice([0.0, 0.5, 1.0]))
    if rng.random() < 0.1:
        mix = mix + log_uniform(rng, 0.001, 0.03) * np.sin(2 * np.pi * 50 * np.arange(tape.n) / RATE_HZ)
    return at_some_level(rng, mix)


def at_some_level(rng: Rng, mix: Sound) -> Sound:
    """A song at a random level, sometimes with a jump on the way."""
    mix = 0.9 * normal(mix) * 10 ** (rng.uniform(-32, 0) / 20 if rng.random() < 0.5 else rng.uniform(-6, 0) / 20)
    if rng.random() < 0.3:  # somebody moves the fader
        at = int(rng.integers(len(mix) // 5, 4 * len(mix) // 5))
        jump = 10 ** (-rng.uniform(6, 28) / 20)
        mix[slice(at, None) if rng.random() < 0.7 else slice(0, at)] *= jump
    return mix


def club_master(rng: Rng, tape: Tape) -> Sound:
    """Compressed and limited hard, with little room; sometimes from tape or heard by a telephone."""
    if rng.random() < 0.3:
        answer, wet = room(rng, log_uniform(rng, 0.15, 2)), log_uniform(rng, 0.02, 0.3)
        for bus in ("drums", "music"):
            tape.change(bus, lambda sound: sound + wet * convolve(sound, answer))
    mix = normal(sum(tape.buses.values(), np.zeros(tape.n)))
    if rng.random() < 0.5:
        places = ((40, 150), (200, 900), (1500, 8000))
        mix = normal(through(mix, *[("peak", log_uniform(rng, *place), rng.uniform(-6, 6)) for place in places]))
    if rng.random() < 0.6:
        mix = normal(compress(rng, mix))
    if rng.random() < 0.8:
        mix = limited(log_uniform(rng, 1, 6) * mix) if rng.random() < 0.6 else np.tanh(log_uniform(rng, 1, 5) * mix)
    if rng.random() < 0.08:  # tape
        mix = through(np.tanh(rng.uniform(1, 3) * normal(mix)), ("low", log_uniform(rng, 5000, 14000), 0.7))
        mix = mix + log_uniform(rng, 0.0005, 0.01) * brown(rng, tape.n, 0.5)
    if rng.random() < 0.1:  # a dance floor, heard by a telephone
        mix = mix + log_uniform(rng, 0.1, 1.0) * convolve(mix, room(rng, log_uniform(rng, 0.3, 1.5)))
        mix = through(mix, ("high", log_uniform(rng, 30, 90), 0.7), ("low", log_uniform(rng, 3000, 15000), 0.7))
        mix = normal(compress(rng, normal(mix)))
    return mix


def limited(mix: Sound) -> Sound:
    """A limiter that looks 3 ms ahead and lets go within 60 ms: peak 1."""
    step = 64
    blocks = np.maximum(1.0, np.abs(np.append(mix, np.zeros(-len(mix) % step))).reshape(-1, step).max(axis=1))
    level, held = 1.0, np.empty(len(blocks))
    keep = np.exp(-step / RATE_HZ / 0.06)
    for index, peak in enumerate(np.maximum(blocks, np.append(blocks[1:], 1.0)).tolist()):
        level = max(peak, 1 + keep * (level - 1))
        held[index] = level
    places = np.arange(len(mix))
    return np.clip(mix / np.interp(places, (np.arange(len(held)) + 0.5) * step, held), -1, 1)


def tracker_master(rng: Rng, tape: Tape) -> Sound:
    """As a computer's sound output: no mastering, sometimes few bits, a low rate with its images, a low-pass, one
    that clips.
    """
    mix = normal(sum(tape.buses.values(), np.zeros(tape.n)))
    if rng.random() < 0.15:  # more than the channels' sum may be
        mix = np.clip(log_uniform(rng, 1.2, 3) * mix, -1, 1)
    if rng.random() < 0.25:
        step = RATE_HZ / log_uniform(rng, 11000, 22050)
        mix = mix[np.minimum((np.floor(np.arange(tape.n) / step) * step).astype(int), tape.n - 1)]
    if rng.random() < 0.3:
        mix = np.round(127 * mix) / 127
    if rng.random() < 0.4:  # an output's filter
        mix = through(mix, ("low", log_uniform(rng, 2500, 12000), 0.7))
    if rng.random() < 0.12:
        mix = normal(compress(rng, normal(mix)))
    return mix
