"""Songs as they come from a loudspeaker or a microphone, for training and for evaluation.

`song(seed, index)` returns one with the times of its drums. The same two numbers give the same song.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.kick_rooms import compress, convolve, room
from tools.kick_songs import DRUMS, WITH_KICKS, WITHOUT_KICKS, Tape, recorded
from tools.kick_sounds import RATE_HZ, Rng, Sound, brown, log_uniform, normal, through

SECONDS = 6.0


@dataclass(frozen=True)
class Song:
    """sound: (n,) float32 in -1..1 at RATE_HZ; kicks_s: when each kick begins; kind: what was made.

    hits_s: for each of DRUMS, when its hits begin. buried: for each kick, whether the rest makes it inaudible.
    """

    sound: np.ndarray
    kicks_s: np.ndarray
    kind: str
    buried: np.ndarray
    hits_s: dict[str, np.ndarray]


def drawn_kind(rng: Rng) -> str:
    """A random kind of song, with the probabilities of the training."""
    kinds = [
        *WITH_KICKS,
        *WITHOUT_KICKS,
        "noise",
        "tones",
    ]  # these two twice: they are least similar to a kick, and were still taken for one
    return str(rng.choice(kinds, p=[0.5, 0.23, *[0.27 / (len(kinds) - 2)] * (len(kinds) - 2)]))


def song(seed: int, index: int, seconds: float = SECONDS, kind: str | None = None) -> Song:
    """A song of a kind: one of WITH_KICKS or WITHOUT_KICKS; a random one for None."""
    rng = np.random.default_rng([seed, index])
    kind = drawn_kind(rng) if kind is None else kind
    tape = recorded(rng, kind, seconds)
    hits_s = {drum: np.array(sorted(tape.hits_s[drum])) for drum in DRUMS}
    buried = under_the_rest(tape, hits_s["kick"])
    return Song(master(rng, tape).astype(np.float32), hits_s["kick"], kind, buried, hits_s)


def under_the_rest(tape: Tape, kicks_s: Sound) -> np.ndarray:
    """Which kicks are more than 9 dB softer than the rest in their first 50 ms, both below and above 150 Hz: (kicks,) bool."""
    if not len(kicks_s):
        return np.zeros(0, bool)
    rest = sum((sound for bus, sound in tape.buses.items() if bus != "kick"), np.zeros(tape.n))
    loudest = np.zeros(len(kicks_s))
    for low_hz in (0, 150):
        energies = []
        for sound in (tape.buses["kick"], rest):
            part = through(sound, ("high", low_hz, 0.7)) if low_hz else through(sound, ("low", 150, 0.7))
            energy = np.concatenate([[0.0], np.cumsum(part**2)])
            start = np.round(kicks_s * RATE_HZ).astype(int)
            energies.append(energy[np.minimum(start + RATE_HZ // 20, tape.n)] - energy[start])
        loudest = np.maximum(loudest, energies[0] / (energies[1] + 1e-9))
    return loudest < 10**-0.9


def master(rng: Rng, tape: Tape) -> Sound:
    """Apply room, equaliser, dynamics, microphone, level and jumps of the level to a tape."""
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
    mix = 0.9 * normal(mix) * 10 ** (rng.uniform(-32, 0) / 20 if rng.random() < 0.5 else rng.uniform(-6, 0) / 20)
    if rng.random() < 0.3:  # somebody moves the fader
        at = int(rng.integers(tape.n // 5, 4 * tape.n // 5))
        jump = 10 ** (-rng.uniform(6, 28) / 20)
        mix[slice(at, None) if rng.random() < 0.7 else slice(0, at)] *= jump
    return mix
