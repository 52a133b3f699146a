"""The music that the kick network is trained on: patterns, mixes, rooms and microphones around tools/kick_sounds.py.

A `Tape` holds the tracks of the players, and the times of the hits; tools/kick_masters.py makes songs of tapes.
"""

from __future__ import annotations

import numpy as np

from tools.kick_instruments import Instruments
from tools.kick_notes import voice
from tools.kick_rooms import convolve, crowd, room
from tools.kick_samples import SampledSounds
from tools.kick_sounds import RATE_HZ, Rng, Sound, brown, log_uniform, normal, through
from tools.kick_styles import STYLES, electronic
from tools.kick_tape import BUSES, EVENTS, Meter, Tape, begins_at_once, meter, side_chain

__all__ = ["BUSES", "EVENTS", "Meter", "Tape", "recorded", "side_chain"]

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
BANDS = ("mix", "loud bass")
WITH_KICKS = (*BANDS, *STYLES)
KICKS_MUTED = tuple(f"{style} without kicks" for style in STYLES)
CLOSEST_KICKS_S = 0.075
SYNTHESISED = Instruments()
NEVER_KICKS = ("toms", "bass", "band", "voice", "strings", "crowd", "noise", "tones", "percussion")
WITHOUT_KICKS = (*NEVER_KICKS, *KICKS_MUTED)


def recorded(rng: Rng, kind: str, seconds: float, samples: SampledSounds | None = None) -> Tape:
    """A tape of a kind: one of WITH_KICKS or WITHOUT_KICKS. samples: half of the drums and instruments are drawn
    from them.
    """
    tape = Tape(round(seconds * RATE_HZ))
    own = Instruments(samples)
    if kind not in (*BANDS, *NEVER_KICKS):
        electronic(rng, tape, kind, own)
        return tape
    beat = meter(rng, seconds)
    if kind in BANDS:
        play_kicks(rng, tape, beat, own=own)
        if rng.random() < 0.9:
            play_drums(rng, tape, beat, busy=rng.random() < 0.4, own=own)
        if kind == "loud bass" or rng.random() < 0.85:
            play_bass(rng, tape, beat, log_uniform(rng, 0.12, 1.0), own=own)
        if kind == "loud bass":
            lift_bass(tape, rng.uniform(2, 10))
        play_around(rng, tape, beat, own=own)
    elif kind == "toms":
        play_toms(rng, tape, beat, 0.4, own=own)
        if rng.random() < 0.5:
            play_drums(rng, tape, beat, busy=False, own=own)
    elif kind == "bass":
        play_bass(rng, tape, beat, 1.0, own=own)
        if rng.random() < 0.5:
            play_drums(rng, tape, beat, busy=False, own=own)
    elif kind == "band":
        play_bass(rng, tape, beat, log_uniform(rng, 0.2, 1.0), own=own)
        play_drums(rng, tape, beat, busy=rng.random() < 0.5, own=own)
        play_around(rng, tape, beat, own=own)
    elif kind == "percussion":
        play_drums(rng, tape, beat, busy=True, own=own)
    elif kind == "voice":
        tape.add("music", voice(rng, seconds, singing=rng.random() < 0.3))
    elif kind == "strings":
        for _ in range(3):
            play_chords(rng, tape, beat, 1.0, long=True, own=own)
    elif kind == "crowd":
        tape.add("music", crowd(rng, seconds))
    elif kind == "tones":
        play_tones(rng, tape)
    elif kind == "noise":
        tape.add("noise", hiss(rng, tape.n))
    return tape


def hiss(rng: Rng, n: int) -> Sound:
    """Noise of any colour, sometimes under mains hum; peak about 1."""
    made = brown(rng, n, rng.choice([0.0, 0.5, 1.0, 1.5, rng.uniform(0, 2)]))
    if rng.random() < 0.4:
        t = np.arange(n) / RATE_HZ
        mains = rng.choice([50.0, 60.0])
        hum = sum(rng.uniform(0, 1) * np.sin(2 * np.pi * mains * k * t + k) for k in (1, 2, 3, 5))
        made = rng.uniform(0, 0.3) * made + hum
    return normal(made)


def play_kicks(rng: Rng, tape: Tape, beat: Meter, own: Instruments = SYNTHESISED) -> None:
    """Kicks of one drum after a bar that repeats with changes."""
    drum = own.drum(rng, "kick")
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
            if kicks_s and at_s - kicks_s[-1] < CLOSEST_KICKS_S:
                continue
            gain = 1 - velocities * rng.random()
            tape.strike("kick", "kick", drum if gain > rng.uniform(0.5, 0.9) else soft, at_s, gain)
            kicks_s.append(at_s)


def play_drums(rng: Rng, tape: Tape, beat: Meter, busy: bool, own: Instruments = SYNTHESISED) -> None:
    """Snare, hats, cymbals, and, where busy, toms and hand drums."""
    if rng.random() < 0.85:
        drum, gain = own.drum(rng, "snare"), log_uniform(rng, 0.2, 1.2)
        places = [(4, 12), (8,), (4, 12, 15), (4, 7, 9, 12)][rng.integers(4)]
        for place in range(beat.n_sixteenths):
            if place % 16 in places or rng.random() < 0.02:
                tape.strike("snare", "drums", drum, beat.at(rng, place), gain * rng.uniform(0.6, 1))
    if rng.random() < 0.85:
        closed, open_ = own.hat(rng, log_uniform(rng, 0.01, 0.06)), own.hat(rng, log_uniform(rng, 0.1, 0.9))
        gain, step = log_uniform(rng, 0.05, 1.0), int(rng.choice([1, 2, 2, 4]))
        for place in range(0, beat.n_sixteenths, step):
            hat = open_ if rng.random() < 0.1 else closed
            tape.strike("hat", "drums", hat, beat.at(rng, place), gain * rng.uniform(0.4, 1))
        if rng.random() < 0.4:
            for place in range(0, beat.n_sixteenths, 32):
                tape.strike("hat", "drums", own.hat(rng, log_uniform(rng, 0.4, 1.2)), beat.at(rng, place), gain)
    if busy:
        if rng.random() < 0.7:
            play_toms(rng, tape, beat, rng.uniform(0.03, 0.15), own)
        if rng.random() < 0.6:
            drums, gain = [own.drum(rng, "hand") for _ in range(3)], log_uniform(rng, 0.1, 0.8)
            bar = rng.integers(-3, 3, 16)
            for place in range(beat.n_sixteenths):
                if bar[place % 16] >= 0:
                    tape.place("drums", drums[bar[place % 16]], beat.at(rng, place), gain * rng.uniform(0.5, 1))


def play_toms(rng: Rng, tape: Tape, beat: Meter, often: float, own: Instruments = SYNTHESISED) -> None:
    base_hz = log_uniform(rng, 75, 130)
    toms = [own.tom(rng, base_hz * ratio) for ratio in (1.0, 1.35, 1.8)]
    gain = log_uniform(rng, 0.3, 1.0)
    fill = rng.integers(0, 3, 16)
    for place in range(beat.n_sixteenths):
        in_fill = often < 0.2 and place % 64 >= 64 - 64 * often
        if (rng.random() < often) if often >= 0.2 else in_fill:
            tape.place("drums", toms[fill[place % 16]], beat.at(rng, place), gain * rng.uniform(0.5, 1))


def play_bass(rng: Rng, tape: Tape, beat: Meter, gain: float, own: Instruments = SYNTHESISED) -> None:
    """A bass line: long, on the eighths, off the beat, syncopated, walking or running; sliding through four roots."""
    play = own.player(rng, "bass")
    root_hz = log_uniform(rng, 32, 75)
    roots = [root_hz * 2 ** (k / 12) for k in rng.choice([-5, -4, -2, 0, 0, 0, 3, 5, 7], 4)]
    style = rng.integers(7)
    octaves = rng.random() < 0.3
    bar = rng.random(16) < rng.uniform(0.2, 0.7)
    long = log_uniform(rng, 0.3, 1.05)
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
            at_s, level = beat.at(rng, place), gain * rng.uniform(0.8, 1)
            if begins_at_once(notes[key]):
                tape.strike("bass", "bass", notes[key], at_s, level)
            else:
                tape.place("bass", notes[key], at_s, level)
        place += steps


def lift_bass(tape: Tape, over_db: float) -> None:
    """Make the bass louder than the drums by a number of dB, both measured below 150 Hz."""
    drums = sum(tape.buses.get(bus, 0.0) for bus in ("kick", "drums"))
    energies = [
        np.sum(through(sound, ("low", 150, 0.7), ("low", 150, 0.7)) ** 2) for sound in (drums, tape.buses["bass"])
    ]
    tape.buses["bass"] *= np.sqrt(energies[0] / max(energies[1], 1e-9)) * 10 ** (over_db / 20)


def play_chords(rng: Rng, tape: Tape, beat: Meter, gain: float, long: bool, own: Instruments = SYNTHESISED) -> None:
    play = own.player(rng, "chord")
    root_hz = log_uniform(rng, 75, 440)
    roots = [root_hz * 2 ** (k / 12) for k in rng.choice([-5, -2, 0, 0, 3, 5], 4)]
    steps = int(rng.choice([8, 16]) if long else rng.choice([2, 4, 8, 16]))
    notes: dict[float, Sound] = {}
    for place in range(int(rng.integers(0, 4)) * (not long), beat.n_sixteenths, steps):
        if long or rng.random() < 0.8:
            hz = roots[place // 16 % 4]
            if hz not in notes:
                notes[hz] = play(hz, steps * beat.sixteenth_s)
            tape.note(hz, notes[hz], beat.at(rng, place), gain * rng.uniform(0.6, 1))


def play_around(rng: Rng, tape: Tape, beat: Meter, own: Instruments = SYNTHESISED) -> None:
    """The other instruments of a band, a side chain, and the rumble of a kick in a cellar."""
    kicks_s = tape.hits_s["kick"]
    for _ in range(rng.integers(0, 4)):
        play_chords(rng, tape, beat, log_uniform(rng, 0.1, 1.0), rng.random() < 0.3, own)
    if rng.random() < 0.3:
        tape.add("music", voice(rng, tape.n / RATE_HZ, singing=rng.random() < 0.8), log_uniform(rng, 0.2, 1.0))
    if kicks_s and rng.random() < 0.12:
        wet = convolve(tape.buses["kick"], room(rng, 1.5))
        rumble = through(wet, ("low", log_uniform(rng, 70, 200), 0.7), ("high", 30, 0.7))
        tape.add("bass", normal(rumble), log_uniform(rng, 0.2, 0.8))
    if kicks_s and rng.random() < 0.4:
        duck = side_chain(rng, np.array(kicks_s), tape.n, RATE_HZ)
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
