"""The music that the kick network is trained on: patterns, mixes, rooms and microphones around tools/kick_sounds.py.

`song(seed, index)` is a dozen seconds of it and the times of its kicks. The same two numbers give the same song.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tools.kick_rooms import compress, convolve, crowd, room
from tools.kick_sounds import (
    RATE_HZ,
    Rng,
    Sound,
    bass_kind,
    brown,
    chord_kind,
    hand,
    kick,
    log_uniform,
    metal,
    normal,
    snare,
    through,
    tom,
    voice,
)

SECONDS = 6.0
# one bar of sixteenths; x a kick
KICK_BARS = (
    "x...x...x...x...",
    "x...x...x...x...",
    "x.......x.......",
    "x.....x.x.......",
    "x.x.......x.....",
    "x..x..x...x.....",
    "x.........x.....",
    "x......xx.......",
    "x...x...x...x.x.",
    "x.......x.x.....",
    "x..x....x..x....",
    "xx......x.x...x.",
    "x.x.x.x.x.x.x.x.",
    "..x...x...x...x.",
)
WITH_KICKS = ("mix", "loud bass")
WITHOUT_KICKS = ("toms", "bass", "band", "voice", "strings", "crowd", "noise", "tones", "percussion")


@dataclass(frozen=True)
class Song:
    """sound: (n,) float32 in -1..1 at RATE_HZ; kicks_s: when each kick begins; kind: what was made.

    buried: for each kick, whether nobody could hear it under the rest.
    """

    sound: np.ndarray
    kicks_s: np.ndarray
    kind: str
    buried: np.ndarray


@dataclass
class Tape:
    """What a song is recorded on. Buses are (n,) float64; place() adds a sound at a time."""

    n: int
    buses: dict[str, Sound] = field(default_factory=dict)

    def place(self, bus: str, sound: Sound, at_s: float, gain: float = 1.0) -> None:
        tape = self.buses.setdefault(bus, np.zeros(self.n))
        start = round(at_s * RATE_HZ)
        if 0 <= start < self.n:
            tape[start : start + len(sound)] += gain * sound[: self.n - start]

    def add(self, bus: str, sound: Sound, gain: float = 1.0) -> None:
        self.place(bus, sound, 0.0, gain)


@dataclass(frozen=True)
class Meter:
    """Where a song's sixteenths stand: evenly, swung, and as evenly as its players."""

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


def song(seed: int, index: int, seconds: float = SECONDS, kind: str | None = None) -> Song:
    """A song of the given kind: one of WITH_KICKS or WITHOUT_KICKS; None draws one."""
    rng = np.random.default_rng([seed, index])
    if kind is None:
        kinds = [*WITH_KICKS, *WITHOUT_KICKS, "noise"]  # noise twice
        kind = str(rng.choice(kinds, p=[0.55, 0.23, *[0.22 / (len(kinds) - 2)] * (len(kinds) - 2)]))
    tape = Tape(round(seconds * RATE_HZ))
    beat = meter(rng, seconds)
    kicks_s: list[float] = []
    if kind in WITH_KICKS:
        kicks_s = play_kicks(rng, tape, beat)
        if rng.random() < 0.9:
            play_drums(rng, tape, beat, busy=rng.random() < 0.4)
        if kind == "loud bass" or rng.random() < 0.85:
            play_bass(rng, tape, beat, log_uniform(rng, 0.12, 1.0))
        if kind == "loud bass":
            lift_bass(tape, rng.uniform(2, 10))
        play_around(rng, tape, beat, kicks_s)
    elif kind == "toms":
        play_toms(rng, tape, beat, 0.4)
        if rng.random() < 0.5:
            play_drums(rng, tape, beat, busy=False)
    elif kind == "bass":
        play_bass(rng, tape, beat, 1.0)
        if rng.random() < 0.5:
            play_drums(rng, tape, beat, busy=False)
    elif kind == "band":
        play_bass(rng, tape, beat, log_uniform(rng, 0.2, 1.0))
        play_drums(rng, tape, beat, busy=rng.random() < 0.5)
        play_around(rng, tape, beat, [])
    elif kind == "percussion":
        play_drums(rng, tape, beat, busy=True)
    elif kind == "voice":
        tape.add("voice", voice(rng, seconds, singing=rng.random() < 0.3))
    elif kind == "strings":
        for _ in range(3):
            play_chords(rng, tape, beat, 1.0, long=True)
    elif kind == "crowd":
        tape.add("crowd", crowd(rng, seconds))
    elif kind == "tones":
        play_tones(rng, tape)
    times_s = np.array(sorted(kicks_s))
    buried = under_the_rest(tape, times_s)
    return Song(master(rng, tape, kind).astype(np.float32), times_s, kind, buried)


def under_the_rest(tape: Tape, kicks_s: Sound) -> np.ndarray:
    """Which kicks are more than 9 dB softer than all else in their first 50 ms, below 150 Hz and above: (kicks,) bool."""
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


def play_kicks(rng: Rng, tape: Tape, beat: Meter) -> list[float]:
    """Kicks of one drum after a bar that repeats with changes; their times."""
    drum = kick(rng)
    soft = through(drum, ("low", log_uniform(rng, 200, 3000), 0.7))
    bar = np.array([c == "x" for c in KICK_BARS[rng.integers(len(KICK_BARS))]])
    if rng.random() < 0.2:
        bar = rng.random(16) < rng.uniform(0.1, 0.4)
    changes = rng.choice([0.0, 0.03, 0.08])
    velocities = rng.uniform(0, 0.5) if rng.random() < 0.5 else 0.0
    pause = (rng.integers(16, 64), rng.integers(16, 48)) if rng.random() < 0.3 else (0, 0)
    kicks_s: list[float] = []
    for place in range(beat.n_sixteenths):
        if pause[0] <= place < pause[0] + pause[1]:
            continue
        if bool(bar[place % 16]) ^ (rng.random() < changes):
            at_s = beat.at(rng, place)
            if kicks_s and at_s - kicks_s[-1] < 0.085:
                continue
            gain = 1 - velocities * rng.random()
            tape.place("kick", drum if gain > rng.uniform(0.5, 0.9) else soft, at_s, gain)
            kicks_s.append(at_s)
    return [t for t in kicks_s if 0 <= t < tape.n / RATE_HZ]


def play_drums(rng: Rng, tape: Tape, beat: Meter, busy: bool) -> None:
    """Snare, hats, cymbals, and, where busy, toms and hand drums."""
    if rng.random() < 0.85:
        drum, gain = snare(rng), log_uniform(rng, 0.2, 1.2)
        places = [(4, 12), (8,), (4, 12, 15), (4, 7, 9, 12)][rng.integers(4)]
        for place in range(beat.n_sixteenths):
            if place % 16 in places or rng.random() < 0.02:
                tape.place("drums", drum, beat.at(rng, place), gain * rng.uniform(0.6, 1))
    if rng.random() < 0.85:
        closed, open_ = metal(rng, log_uniform(rng, 0.01, 0.06)), metal(rng, log_uniform(rng, 0.1, 0.9))
        gain, step = log_uniform(rng, 0.05, 0.6), int(rng.choice([1, 2, 2, 4]))
        for place in range(0, beat.n_sixteenths, step):
            hat = open_ if rng.random() < 0.1 else closed
            tape.place("drums", hat, beat.at(rng, place), gain * rng.uniform(0.4, 1))
        if rng.random() < 0.4:
            for place in range(0, beat.n_sixteenths, 32):
                tape.place("drums", metal(rng, log_uniform(rng, 0.4, 1.2)), beat.at(rng, place), gain)
    if busy:
        if rng.random() < 0.7:
            play_toms(rng, tape, beat, rng.uniform(0.03, 0.15))
        if rng.random() < 0.6:
            drums, gain = [hand(rng) for _ in range(3)], log_uniform(rng, 0.1, 0.8)
            bar = rng.integers(-3, 3, 16)
            for place in range(beat.n_sixteenths):
                if bar[place % 16] >= 0:
                    tape.place("drums", drums[bar[place % 16]], beat.at(rng, place), gain * rng.uniform(0.5, 1))


def play_toms(rng: Rng, tape: Tape, beat: Meter, often: float) -> None:
    base_hz = log_uniform(rng, 75, 130)
    toms = [tom(rng, base_hz * ratio) for ratio in (1.0, 1.35, 1.8)]
    gain = log_uniform(rng, 0.3, 1.0)
    fill = rng.integers(0, 3, 16)
    for place in range(beat.n_sixteenths):
        in_fill = often < 0.2 and place % 64 >= 64 - 64 * often
        if (rng.random() < often) if often >= 0.2 else in_fill:
            tape.place("drums", toms[fill[place % 16]], beat.at(rng, place), gain * rng.uniform(0.5, 1))


def play_bass(rng: Rng, tape: Tape, beat: Meter, gain: float) -> None:
    """A bass line: long, on the eighths, off the beat, syncopated, walking or running; sliding through four roots."""
    play = bass_kind(rng)
    root_hz = log_uniform(rng, 32, 75)
    roots = [root_hz * 2 ** (k / 12) for k in rng.choice([-5, -4, -2, 0, 0, 0, 3, 5, 7], 4)]
    style = rng.integers(7)
    octaves = rng.random() < 0.3
    bar = rng.random(16) < rng.uniform(0.2, 0.7)
    long = log_uniform(rng, 0.5, 1.05)
    notes: dict[tuple[int, int], Sound] = {}
    place = 0
    while place < beat.n_sixteenths:
        steps = [16, 2, 4, 1, 4, 1, 2][style]
        rests = (style == 4 and place % 4 != 2) or (style == 5 and not bar[place % 16])
        if style == 4:  # off the beat
            steps = 2
        if style == 5:  # syncopated: until the next note
            steps = 1
            while not bar[(place + steps) % 16] and steps < 8:
                steps += 1
        if style == 6:
            steps = int(rng.choice([1, 2, 3, 4, 6]))
        if not rests:
            hz = roots[place // 16 % 4]
            if style == 2:
                hz *= 2 ** (int(rng.choice([0, 4, 7, 9, 12])) / 12)
            if octaves and place % 4 == 2:
                hz *= 2
            key = (round(hz * 10), steps)
            if key not in notes:
                notes[key] = play(hz, steps * beat.sixteenth_s * long)
            tape.place("bass", notes[key], beat.at(rng, place), gain * rng.uniform(0.8, 1))
        place += steps


def lift_bass(tape: Tape, over_db: float) -> None:
    """Make the bass so many dB louder than the drums, both below 150 Hz."""
    drums = sum(tape.buses.get(bus, 0.0) for bus in ("kick", "drums"))
    energies = [
        np.sum(through(sound, ("low", 150, 0.7), ("low", 150, 0.7)) ** 2) for sound in (drums, tape.buses["bass"])
    ]
    tape.buses["bass"] *= np.sqrt(energies[0] / max(energies[1], 1e-9)) * 10 ** (over_db / 20)


def play_chords(rng: Rng, tape: Tape, beat: Meter, gain: float, long: bool) -> None:
    play = chord_kind(rng)
    root_hz = log_uniform(rng, 75, 440)
    roots = [root_hz * 2 ** (k / 12) for k in rng.choice([-5, -2, 0, 0, 3, 5], 4)]
    steps = int(rng.choice([8, 16]) if long else rng.choice([2, 4, 8, 16]))
    notes: dict[float, Sound] = {}
    for place in range(int(rng.integers(0, 4)) * (not long), beat.n_sixteenths, steps):
        if long or rng.random() < 0.8:
            hz = roots[place // 16 % 4]
            if hz not in notes:
                notes[hz] = play(hz, steps * beat.sixteenth_s)
            tape.place("music", notes[hz], beat.at(rng, place), gain * rng.uniform(0.6, 1))


def play_around(rng: Rng, tape: Tape, beat: Meter, kicks_s: list[float]) -> None:
    """What else a band plays, the side chain, and the rumble of a kick in a cellar."""
    for _ in range(rng.integers(0, 4)):
        play_chords(rng, tape, beat, log_uniform(rng, 0.1, 1.0), long=rng.random() < 0.3)
    if rng.random() < 0.3:
        tape.add("music", voice(rng, tape.n / RATE_HZ, singing=rng.random() < 0.8), log_uniform(rng, 0.2, 1.0))
    if kicks_s and rng.random() < 0.12:
        wet = convolve(tape.buses["kick"], room(rng, 1.5))
        rumble = through(wet, ("low", log_uniform(rng, 70, 200), 0.7), ("high", 30, 0.7))
        tape.add("bass", normal(rumble), log_uniform(rng, 0.2, 0.8))
    if kicks_s and rng.random() < 0.4:
        recover_s, deep = log_uniform(rng, 0.06, 0.35), rng.uniform(0.4, 1)
        duck = np.ones(tape.n)
        for at_s in kicks_s:
            start = round(at_s * RATE_HZ)
            way = deep * np.exp(-np.arange(round(4 * recover_s * RATE_HZ)) / (recover_s * RATE_HZ))
            part = duck[start : start + len(way)]
            np.minimum(part, 1 - way[: len(part)], out=part)
        width = round(0.004 * RATE_HZ)  # a compressor takes its time, and no step may click
        duck = np.convolve(duck, np.ones(width) / width)[: tape.n]
        for bus in ("bass", "music"):
            if bus in tape.buses:
                tape.buses[bus] *= duck


def play_tones(rng: Rng, tape: Tape) -> None:
    """Steady tones that come and go, softly or not: organs, feedback, test tones."""
    at_s = 0.0
    hz = log_uniform(rng, 30, 400)
    while at_s < tape.n / RATE_HZ:
        long_s = log_uniform(rng, 0.15, 6)
        t = np.arange(round(long_s * RATE_HZ)) / RATE_HZ
        tone = np.sin(2 * np.pi * hz * t) + rng.uniform(0, 0.5) * np.sin(4 * np.pi * hz * t)
        edge_s = log_uniform(rng, 0.001, 0.2)
        tone *= np.clip(np.minimum(t, long_s - t) / edge_s, 0, 1)
        tape.place("music", tone, at_s, rng.uniform(0.3, 1))
        at_s += long_s + rng.exponential(0.3) * rng.integers(0, 2)
        if rng.random() < 0.6:
            hz = log_uniform(rng, 30, 400)


def master(rng: Rng, tape: Tape, kind: str) -> Sound:
    """Rooms, tone, dynamics, the microphone, the level and its jumps: what is heard of a tape."""
    if kind == "noise":
        level = 10 ** (rng.uniform(-75, -15) / 20)
        mix = brown(rng, tape.n, rng.choice([0.0, 0.5, 1.0, 1.5]))
        if rng.random() < 0.4:
            t = np.arange(tape.n) / RATE_HZ
            mains = rng.choice([50.0, 60.0])
            hum = sum(rng.uniform(0, 1) * np.sin(2 * np.pi * mains * k * t + k) for k in (1, 2, 3, 5))
            mix = rng.uniform(0, 0.3) * mix + hum
        return level * mix
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
