"""Electronic music for training the kick network: clubs, trackers, sound chips, breakbeats, half-time with 808s.

Each style also comes without kicks: the same arrangement, side chain and all, with the kick muted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from tools.kick_instruments import (
    Instruments,
    Voice,
    attacked,
    chip_drum,
    chip_kick,
    chip_voice,
    fm_voice,
    played,
    reshaped,
    sampled_voice,
)
from tools.kick_samples import Player, old_sampler
from tools.kick_sounds import RATE_HZ, Rng, Sound, brown, ends, glide, log_uniform, normal, span, through
from tools.kick_tape import Meter, Tape, side_chain

STYLES = ("club", "tracker", "chip", "breakbeat", "half-time")
CLOSEST_KICKS_S = 0.075

# one bar of sixteenths; x a hit, o a soft one
FOUR = "x...x...x...x..."
CLUB_KICKS = (
    FOUR,
    FOUR,
    FOUR,
    FOUR,
    "x...x...x...x.x.",
    "x...x...x..xx...",
    "x..xx...x...x...",
    "x...x..ox...x..o",
    "x.x.x.x.x.x.x.x.",
)
OTHER_KICKS = (
    FOUR,
    "x.......x.......",
    "x.....x.x.......",
    "x..x..x...x.....",
    "x.........x.....",
    "x......xx.......",
    "x.x.....x.x.....",
    "x...x...x.x.x...",
    "xx......x.......",
    "x..x....x..x..x.",
    "x.x.x.x.x.x.x.x.",
    "x.....x...x...x.",
)
BREAK_KICKS = (
    "x.x.......xx....",
    "x..x......x.....",
    "x.........x.....",
    "x.x..o....x..o..",
    "x......x..x.....",
    "x..o..x...xo....",
)
BREAK_SNARES = ("....x..o.o..x..o", "....x..x.o..x..x", "....x.......x...", "....x..o.x.o..x.", "..o.x..o.o..x.o.")
SLOW_KICKS = (
    "x.........x.....",
    "x.....x...x.....",
    "x..x......x....x",
    "x......x........",
    "x.............x.",
    "x...x...x...x...",
    "........x.......",
)
SNARES = (
    "....x.......x...",
    "....x.......x...",
    "....x.......x..o",
    "....x..o....x...",
    "........x.......",
    "....x...x...x...",
)
SLOW_SNARES = ("........x.......", "........x.......", "........x.....o.")
HATS = (
    "..x...x...x...x.",
    "x.x.x.x.x.x.x.x.",
    "xoxoxoxoxoxoxoxo",
    "x.o.x.o.x.o.x.o.",
    "x...x...x...x...",
    "..x...x...x..xx.",
)
NOTHING = "." * 16


@dataclass
class Stage:
    """A song in the making. parts: which parts play in each bar, {name: (bars,) bool}; root_hz: the lowest root;
    kicks_s: also muted ones.
    """

    rng: Rng
    tape: Tape
    beat: Meter
    instruments: Instruments
    roots: list[float]  # one a bar, as ratios to root_hz
    root_hz: float
    kicks_s: list[float]

    @property
    def n_bars(self) -> int:
        return self.beat.n_sixteenths // 16 + 1

    def at(self, place: float) -> float:
        return self.beat.at(self.rng, place)

    def places(self, bars: list[str], plays: np.ndarray) -> list[tuple[int, bool]]:
        """Where a part of bars has hits: (sixteenth, whether it is a soft one)."""
        return [
            (16 * bar + place, cell == "o")
            for bar, cells in enumerate(bars)
            if plays[bar]
            for place, cell in enumerate(cells)
            if cell != "." and 16 * bar + place < self.beat.n_sixteenths
        ]


class Channel:
    """A channel that plays one sound at a time: the next one cuts it, at once or within `ramp_s`."""

    def __init__(self, gain: float, ramp_s: float) -> None:
        self.gain = gain
        self.ramp_s = ramp_s
        self.notes: list[tuple[float, int, Sound, float, Callable[[Sound, float, float], None]]] = []

    def play(
        self, at_s: float, sound: Sound, gain: float, write: Callable[[Sound, float, float], None], rank: int = 0
    ) -> None:
        """write: puts a sound on the tape, at a time, with a gain. Of two notes at once the higher rank is heard."""
        self.notes.append((at_s, rank, sound, gain, write))

    def record(self) -> None:
        """Write all notes, each until the next."""
        self.notes.sort(key=lambda note: (note[0], note[1]))
        for index, (at_s, _, sound, gain, write) in enumerate(self.notes):
            if index + 1 < len(self.notes):
                until = round((self.notes[index + 1][0] - at_s) * RATE_HZ)
                if until < 0.01 * RATE_HZ:
                    continue
                if until < len(sound):
                    sound = ends(sound[:until], 0, self.ramp_s)
            write(sound, at_s, gain * self.gain)


def drum_writer(tape: Tape, event: str | None, bus: str) -> Callable[[Sound, float, float], None]:
    if event is None:
        return lambda sound, at_s, gain: tape.place(bus, sound, at_s, gain)
    return lambda sound, at_s, gain: tape.strike(event, bus, sound, at_s, gain)


def note_writer(tape: Tape, hz: float) -> Callable[[Sound, float, float], None]:
    return lambda sound, at_s, gain: tape.note(hz, sound, at_s, gain)


def electronic(rng: Rng, tape: Tape, kind: str, instruments: Instruments) -> None:
    """Record a song of a kind on an empty tape: one of STYLES, or such a one "without kicks"."""
    style = kind.removesuffix(" without kicks")
    bpm = {
        "club": log_uniform(rng, 115, 150) if rng.random() < 0.7 else log_uniform(rng, 150, 200),
        "tracker": log_uniform(rng, 85, 180),
        "chip": log_uniform(rng, 90, 185),
        "breakbeat": log_uniform(rng, 80, 178),
        "half-time": log_uniform(rng, 120, 172),
    }[style]
    swing = rng.uniform(0.05, 0.4) if rng.random() < (0.5 if style == "breakbeat" else 0.12) else 0.0
    human_s = rng.uniform(0, 0.006) if style in ("breakbeat", "half-time") and rng.random() < 0.4 else 0.0
    first_s = rng.uniform(0.0, 0.4)
    n = int((tape.n / RATE_HZ - first_s - 0.05) / (15 / bpm))
    beat = Meter(15 / bpm, first_s, swing, human_s, n)
    steps = rng.choice([[0, 0, 0, 0], [0, 0, 3, -2], [0, -4, 3, -2], [0, 5, 7, 5], [0, 0, 5, 7], [0, 3, 5, -2]])
    per_bar = int(rng.choice([1, 1, 2]))
    roots = [2 ** (steps[bar // per_bar % 4] / 12) for bar in range(n // 16 + 1)]
    stage = Stage(rng, tape, beat, instruments, roots, log_uniform(rng, 36, 78), [])
    {"club": club, "tracker": tracker, "chip": tracker, "breakbeat": breakbeat, "half-time": half_time}[style](
        stage, style
    )
    if kind != style:
        tape.mute_kicks()
    if not tape.buses:  # hardly anybody plays: another song
        electronic(rng, tape, kind, instruments)


# --- arrangement -----------------------------------------------------------------------------------------------------


def plays(stage: Stage, share: float) -> np.ndarray:
    """In which bars a part plays, (bars,) bool: it comes and goes every two or four bars."""
    rng, step = stage.rng, int(stage.rng.choice([2, 4, 4, 8]))
    blocks = rng.random(stage.n_bars // step + 1) < share
    return np.repeat(blocks, step)[: stage.n_bars]


def kicks_play(stage: Stage) -> np.ndarray:
    """In which bars the kick plays: often all, often after an intro, often with a break of 2 to 8 seconds."""
    rng, bar_s = stage.rng, 16 * stage.beat.sixteenth_s
    playing = np.ones(stage.n_bars, bool)
    if rng.random() < 0.3:
        playing[: min(int(rng.choice([1, 2, 4])), stage.n_bars - 2)] = False
    if rng.random() < 0.35 and stage.n_bars > 4:
        n_break = max(1, min(round(rng.uniform(2, 8) / bar_s), stage.n_bars - 3))
        start = int(rng.integers(1, max(2, stage.n_bars - n_break)))
        playing[start : start + n_break] = False
    return playing


def bars_of(stage: Stage, choices: tuple[str, ...], often: float = 0.5) -> list[str]:
    """A bar for every bar of a song: it repeats, the fourth is sometimes varied, and from the fifth on there may be
    another.
    """
    rng = stage.rng
    one = str(rng.choice(choices))
    other = str(rng.choice(choices)) if rng.random() < 0.3 else one
    made = []
    for bar in range(stage.n_bars):
        cells = list(other if bar // 4 % 2 else one)
        if bar % 4 == 3 and rng.random() < often:
            for place in rng.integers(4, 16, int(rng.integers(1, 4))):
                cells[place] = str(rng.choice(["x", "o", "."])) if cells[place] == "." else "."
        made.append("".join(cells))
    return made


def strike_kicks(stage: Stage, bars: list[str], make: Callable[[], Sound], channel: Channel, rank: int = 2) -> None:
    """Kicks of one or two drums, with velocities, rolls before every fourth or eighth bar, in the bars where they
    play.
    """
    rng = stage.rng
    drum = make()
    drums = [drum, make() if rng.random() < 0.15 else drum]
    softs = [through(one, ("low", log_uniform(rng, 300, 4000), 0.7)) for one in drums]
    change_at = int(rng.integers(1, max(2, stage.n_bars)))
    loose, ghost = rng.choice([0.0, 0.15, 0.5]), rng.uniform(0.15, 0.6)
    playing = kicks_play(stage)
    if rng.random() < 0.25:  # a roll
        every, cells = int(rng.choice([4, 4, 8, 2])), int(rng.choice([4, 4, 8]))
        bars = [
            bar[: 16 - cells] + "x" * cells if index % every == every - 1 else bar for index, bar in enumerate(bars)
        ]
    before_s = -1.0
    for place, is_soft in stage.places(bars, playing):
        at_s = stage.at(place)
        if at_s - before_s < CLOSEST_KICKS_S:
            continue
        before_s = at_s
        gain = (1 - loose * rng.random()) * (ghost if is_soft else 1.0)
        later = place // 16 >= change_at
        sound = (softs if gain < 0.6 else drums)[later]
        channel.play(at_s, sound, gain, drum_writer(stage.tape, "kick", "kick"), rank)
        stage.kicks_s.append(at_s)


def strike_drum(
    stage: Stage,
    event: str | None,
    sounds: list[Sound],
    bars: list[str],
    gain: float,
    share: float,
    channel: Channel | None = None,
) -> None:
    """A drum (or several in turn, at random) through the bars where it plays; on a channel of its own where there is
    none.
    """
    rng = stage.rng
    write = drum_writer(stage.tape, event, "drums")
    soft, loose = rng.uniform(0.15, 0.6), rng.uniform(0, 0.4)
    for place, is_soft in stage.places(bars, plays(stage, share)):
        level = gain * (1 - loose * rng.random()) * (soft if is_soft else 1.0)
        sound = sounds[int(rng.integers(len(sounds)))]
        if channel is None:
            write(sound, stage.at(place), level)
        else:
            channel.play(stage.at(place), sound, level, write, rank=1)


def percussion(stage: Stage, make: Callable[[], Sound], channel: Channel | None = None) -> None:
    """Toms and hand drums in a random bar that repeats."""
    rng = stage.rng
    sounds = [make() for _ in range(int(rng.integers(1, 4)))]
    share = rng.uniform(0.1, 0.45)
    bar = "".join("x" if rng.random() < share else "." for _ in range(16))
    strike_drum(stage, None, sounds, [bar] * stage.n_bars, log_uniform(rng, 0.15, 0.9), 0.7, channel)


BassNote = tuple[int, int, int]  # sixteenth in the bar, length in sixteenths, semitones above the root


def bass_bar(rng: Rng) -> list[BassNote]:
    """One bar of a bass line."""
    kind = rng.choice(
        ["off", "rolling", "eighths", "sixteenths", "with the kick", "gallop", "syncopated", "long", "acid", "triplets"]
    )
    if kind == "long":
        return [(0, 16, 0)] if rng.random() < 0.5 else [(0, 8, 0), (8, 8, 0)]
    if kind == "syncopated" or kind == "acid":
        hit = rng.random(16) < (rng.uniform(0.3, 0.6) if kind == "syncopated" else 0.75)
        hit[0] |= rng.random() < 0.6
        places = np.flatnonzero(hit).tolist()
        others = [0, 0, 0, 12, 3, 7, 10, -2] if kind == "acid" else [0, 0, 0, 0, 12, 7]
        until = [*places[1:], 16]
        return [
            (place, min(end - place, 1 if kind == "acid" else 6), int(rng.choice(others)))
            for place, end in zip(places, until, strict=True)
        ]
    places = {
        "off": [2, 6, 10, 14],
        "rolling": [place for place in range(16) if place % 4],
        "eighths": list(range(0, 16, 2)),
        "sixteenths": list(range(16)),
        "with the kick": [0, 4, 8, 12],
        "gallop": [place for place in range(16) if place % 4 != 1],
        "triplets": [0, 3, 6, 9, 12, 14],
    }[str(kind)]
    steps = {"off": 2, "eighths": 2, "with the kick": int(rng.choice([1, 2, 3, 4])), "triplets": 2}.get(str(kind), 1)
    leap = rng.choice([0, 0, 12])
    return [(place, steps, int(leap) if place // 2 % 2 else 0) for place in places]


def play_bass_line(
    stage: Stage, player: Player, channel: Channel, share: float = 0.9, height: int = 0, level: float = 1.0
) -> None:
    """A bass line of one or two bars after the roots, `height` semitones up; rank 0 on its channel."""
    rng = stage.rng
    bars = [bass_bar(rng)]
    bars.append(bass_bar(rng) if rng.random() < 0.3 else bars[0])
    playing, long = plays(stage, share), log_uniform(rng, 0.35, 1.0)
    loose = rng.uniform(0, 0.35)
    notes: dict[tuple[int, int], Sound] = {}
    for bar in np.flatnonzero(playing).tolist():
        for place, steps, semitones in bars[bar // 2 % 2]:
            if 16 * bar + place >= stage.beat.n_sixteenths:
                continue
            hz = stage.root_hz * stage.roots[bar] * 2 ** ((semitones + height) / 12)
            key = (round(hz * 10), steps)
            if key not in notes:
                notes[key] = player(hz, max(0.03, steps * stage.beat.sixteenth_s * long))
            channel.play(
                stage.at(16 * bar + place), notes[key], level * (1 - loose * rng.random()), note_writer(stage.tape, hz)
            )


def play_melody(stage: Stage, player: Player, channel: Channel, lowest_hz: float, busy: float, level: float) -> None:
    """A melody of two bars that repeats over the roots: a random walk in a minor scale."""
    rng = stage.rng
    scale = np.array([0, 2, 3, 5, 7, 8, 10])
    octave = round(np.log2(lowest_hz / stage.root_hz))
    degree, cells = int(rng.integers(0, 7)), []
    for _ in range(32):
        degree = int(np.clip(degree + rng.integers(-2, 3), -3, 10))
        cells.append(degree if rng.random() < busy else None)
    steps, notes = int(rng.choice([1, 1, 2, 2, 4])), {}
    for bar in np.flatnonzero(plays(stage, 0.7)).tolist():
        for place in range(0, 16, steps):
            cell = cells[(16 * bar + place) // steps % 32]
            if cell is None or 16 * bar + place >= stage.beat.n_sixteenths:
                continue
            hz = stage.root_hz * 2 ** (octave + cell // 7 + scale[cell % 7] / 12)
            if hz not in notes:
                notes[hz] = player(hz, steps * stage.beat.sixteenth_s * 1.02)
            channel.play(stage.at(16 * bar + place), notes[hz], level, note_writer(stage.tape, hz))


# --- treatment -------------------------------------------------------------------------------------------------------


def low_level(sound: Sound) -> float:
    """How loud the loud moments are below about 150 Hz."""
    step = 147
    blocks = sound[: len(sound) // step * step].reshape(-1, step).mean(axis=1) ** 2
    smooth = np.convolve(blocks, np.ones(15) / 15, "same")
    return float(np.sqrt(np.percentile(smooth, 95)))


def balance(stage: Stage, low_db: float, high_db: float) -> None:
    """Set the level of the bass over the kick, in dB below 150 Hz."""
    tape = stage.tape
    if "bass" in tape.buses and "kick" in tape.buses:
        kick, bass = low_level(tape.buses["kick"]), low_level(tape.buses["bass"])
        if kick > 1e-6 and bass > 1e-6:
            gain = kick / bass * 10 ** (stage.rng.uniform(low_db, high_db) / 20)
            tape.change("bass", lambda sound: gain * sound)


def pump(stage: Stage, share: float) -> None:
    """Bass and music duck under the kick; rarely the kick under the bass."""
    rng, tape = stage.rng, stage.tape
    if stage.kicks_s and rng.random() < share:
        duck = side_chain(rng, np.array(stage.kicks_s), tape.n, RATE_HZ)
        for bus in ("bass", "music"):
            tape.change(bus, lambda sound: sound * duck)
    if tape.hits_s["bass"] and rng.random() < 0.12:
        less = 1 - rng.uniform(0.3, 0.7) * (1 - side_chain(rng, np.array(tape.hits_s["bass"]), tape.n, RATE_HZ))
        tape.change("kick", lambda sound: sound * less)


def filtered_section(stage: Stage) -> None:
    """A few bars with the lows or the highs cut, of everything."""
    rng, tape, bar_s = stage.rng, stage.tape, 16 * stage.beat.sixteenth_s
    start = round((stage.beat.first_s + bar_s * rng.integers(0, stage.n_bars)) * RATE_HZ)
    end = min(tape.n, start + round(bar_s * rng.choice([1, 2, 4]) * RATE_HZ))
    if end - start < RATE_HZ // 2:
        return
    section = (
        ("low", log_uniform(rng, 150, 1500), 0.9) if rng.random() < 0.55 else ("high", log_uniform(rng, 90, 350), 0.9)
    )

    def cut(sound: Sound) -> Sound:
        sound = sound.copy()
        sound[start:end] = through(sound[start:end], section)
        return sound

    for bus in tuple(tape.buses):
        tape.change(bus, cut)


def riser(stage: Stage) -> None:
    """Noise or a tone that rises for some seconds up to a bar line, and the crash or the falling boom there."""
    rng, tape = stage.rng, stage.tape
    end_s = stage.beat.first_s + 16 * stage.beat.sixteenth_s * rng.integers(1, stage.n_bars + 1)
    long_s = min(end_s, rng.uniform(1, 6))
    if long_s < 0.5:
        return
    t = span(long_s)
    if rng.random() < 0.6:
        noise = brown(rng, len(t), 0.3)
        bands = [normal(through(noise, ("band", hz, 1.0))) for hz in (500, 1500, 5000)]
        way = 2 * t / long_s
        made = sum(band * np.clip(1 - np.abs(way - index), 0, 1) for index, band in enumerate(bands))
    else:
        hz = log_uniform(rng, 60, 300)
        made = np.sin(2 * np.pi * np.cumsum(hz * 2 ** (rng.uniform(1, 3) * t / long_s)) / RATE_HZ)
    tape.place("music", ends(normal(made) * (t / long_s), 0, 0.01), end_s - long_s, log_uniform(rng, 0.05, 0.5))
    if rng.random() < 0.6:
        crash = stage.instruments.hat(rng, log_uniform(rng, 0.3, 1.0))
        tape.strike("hat", "drums", crash, end_s, log_uniform(rng, 0.1, 0.6))
    if rng.random() < 0.3:
        t, hz = span(rng.uniform(0.6, 1.5)), log_uniform(rng, 30, 60)
        boom = np.sin(glide(hz * rng.uniform(1, 3), hz * 0.7, rng.uniform(0.1, 0.5), t)) * np.exp(-t / 0.4)
        tape.strike("bass", "bass", ends(boom, 0.004, 0.05), end_s, log_uniform(rng, 0.3, 1.0))


# --- styles ----------------------------------------------------------------------------------------------------------


def club(stage: Stage, _: str) -> None:
    """Four to the floor, mostly: kick, claps, hats, a bass that leaves room for the kick or does not, stabs, pads,
    leads.
    """
    rng, instruments, tape = stage.rng, stage.instruments, stage.tape
    tape.mastering = "club"
    choke = Channel(1.0, 0.003)
    strike_kicks(stage, bars_of(stage, CLUB_KICKS, 0.35), lambda: instruments.club_kick(rng), choke)
    choke.record()
    if rng.random() < 0.85:
        strike_drum(
            stage, "snare", [instruments.drum(rng, "snare")], bars_of(stage, SNARES), log_uniform(rng, 0.2, 1), 0.8
        )
    for _ in range(int(rng.integers(1, 4))):
        hat = instruments.hat(rng, log_uniform(rng, 0.015, 0.25))
        strike_drum(stage, "hat", [hat], bars_of(stage, HATS), log_uniform(rng, 0.05, 0.7), 0.75)
    if rng.random() < 0.5:
        percussion(stage, lambda: instruments.drum(rng, str(rng.choice(["tom", "hand", "hand"]))))
    if rng.random() < 0.93:
        stage.root_hz = log_uniform(rng, 34, 70)
        lines = 1 if rng.random() < 0.8 else 2
        for _ in range(lines):
            bass = Channel(1.0, 0.002 if rng.random() < 0.7 else 0.0)
            play_bass_line(stage, attacked(rng, instruments.player(rng, "bass")), bass)
            bass.record()
        balance(stage, -12, 7)
    surround(stage, pumped=0.65, rising=0.35, filtered=0.22)


def surround(stage: Stage, pumped: float, rising: float, filtered: float) -> None:
    """Music around drums and bass, and with these probabilities a side chain, a riser and a filtered section."""
    music(stage)
    pump(stage, pumped)
    if stage.rng.random() < rising:
        riser(stage)
    if stage.rng.random() < filtered:
        filtered_section(stage)


def music(stage: Stage) -> None:
    """Stabs, pads, arpeggios and leads around the drums."""
    rng, instruments = stage.rng, stage.instruments
    for _ in range(int(rng.integers(0, 3))):
        level = log_uniform(rng, 0.08, 0.8)
        lead = instruments.player(rng, "lead")
        channel = Channel(1.0, 0.004)
        play_melody(stage, lead, channel, log_uniform(rng, 90, 800), rng.uniform(0.3, 0.95), level)
        channel.record()
    for _ in range(int(rng.integers(0, 3))):
        chord, level = instruments.player(rng, "chord"), log_uniform(rng, 0.08, 0.7)
        octave = 2.0 ** int(rng.integers(1, 4))
        bar = str(rng.choice(["x...............", "..x..x....x..x..", "x..x..x...x.....", "..x...x...x...x."]))
        steps, notes = 16 if bar[1:] == NOTHING[1:] else 2, {}
        for place, _soft in stage.places([bar] * stage.n_bars, plays(stage, 0.7)):
            hz = stage.root_hz * octave * stage.roots[place // 16]
            if hz not in notes:
                notes[hz] = chord(hz, steps * stage.beat.sixteenth_s)
            stage.tape.note(hz, notes[hz], stage.at(place), level)


def half_time(stage: Stage, _: str) -> None:
    """Trap, dubstep, dub: snares on the half bar, an 808 that follows the kick or is its tail, rolling hats, echoes."""
    rng, instruments, tape = stage.rng, stage.instruments, stage.tape
    tape.mastering = "club"
    choke = Channel(1.0, 0.003)
    bars = bars_of(stage, SLOW_KICKS)
    strike_kicks(stage, bars, lambda: instruments.club_kick(rng), choke)
    choke.record()
    snare, gain = instruments.drum(rng, "snare"), log_uniform(rng, 0.3, 1)
    strike_drum(stage, "snare", [snare], bars_of(stage, SLOW_SNARES), gain, 0.9)
    if rng.random() < 0.3:  # echoes of it
        for hit_s in tape.hits_s["snare"].copy():
            for echo in (1, 2, 3):
                tape.place("drums", snare, hit_s + 3 * echo * stage.beat.sixteenth_s, gain * 0.45**echo)
    hat, level = instruments.hat(rng, log_uniform(rng, 0.01, 0.06)), log_uniform(rng, 0.08, 0.5)
    strike_drum(stage, "hat", [hat], bars_of(stage, HATS), level, 0.85)
    for bar in range(stage.n_bars):  # rolls of the hat
        if rng.random() < 0.5:
            place, n, each = 4 * int(rng.integers(4)), int(rng.choice([3, 4, 6])), rng.choice([0.5, 2 / 3, 1 / 3])
            for index in range(n):
                at_s = stage.at(16 * bar + place) + index * each * stage.beat.sixteenth_s
                tape.strike("hat", "drums", hat, at_s, level * rng.uniform(0.4, 1))
    if rng.random() < 0.3:
        percussion(stage, lambda: instruments.drum(rng, str(rng.choice(["tom", "hand"]))))
    bass = Channel(1.0, 0.003)
    stage.root_hz = log_uniform(rng, 32, 62)
    player = instruments.player(rng, "bass")
    if rng.random() < 0.65:
        follow_kicks(stage, attacked(rng, player) if rng.random() < 0.4 else player, bass)
    else:
        play_bass_line(stage, attacked(rng, player), bass)
    bass.record()
    balance(stage, -8, 8)
    surround(stage, pumped=0.3, rising=0.3, filtered=0.15)


def follow_kicks(stage: Stage, player: Player, channel: Channel) -> None:
    """A long bass note from every kick on, or from shortly after it, at the end of its fall; some between the kicks."""
    rng = stage.rng
    late_s = rng.choice([0.0, 0.0, rng.uniform(0.02, 0.12)])
    starts_s = [at_s + late_s for at_s in stage.kicks_s if rng.random() < 0.85]
    extra = rng.uniform(0, 0.12)
    starts_s += [stage.at(place) for place in range(stage.beat.n_sixteenths) if rng.random() < extra]
    long_s, notes = rng.uniform(0.25, 1.2), {}
    for at_s in sorted(starts_s):
        bar = min(stage.n_bars - 1, int((at_s - stage.beat.first_s) / (16 * stage.beat.sixteenth_s)))
        hz = stage.root_hz * stage.roots[bar] * 2 ** (int(rng.choice([0, 0, 0, 0, 0, 3, 12])) / 12)
        if hz not in notes:
            notes[hz] = player(hz, long_s)
        channel.play(at_s, notes[hz], 1.0, note_writer(stage.tape, hz))


def breakbeat(stage: Stage, _: str) -> None:
    """A loop of a drummer, pitched as a whole, often cut into slices and put together in another order; under it a
    deep bass.
    """
    rng, instruments, tape = stage.rng, stage.instruments, stage.tape
    tape.mastering = "club" if rng.random() < 0.7 else "tracker"
    pitch = 2 ** (rng.uniform(-5, 7) / 12)
    dirty = rng.random() < 0.4

    def taken(sound: Sound) -> Sound:
        places = np.arange(int(len(sound) / pitch)) * pitch
        made = np.interp(places, np.arange(len(sound)), sound)
        return old_sampler(rng, made) if dirty else made

    order = np.arange(8)
    if rng.random() < 0.6:
        order = np.where(rng.random(8) < 0.35, rng.integers(0, 8, 8), order)

    def chopped(bars: list[str]) -> list[str]:
        if rng.random() < 0.7:
            return [
                "".join(bar[2 * part : 2 * part + 2] for part in order) if index % 2 else bar
                for index, bar in enumerate(bars)
            ]
        return bars

    loop = Channel(1.0, rng.choice([0.0, 0.002])) if rng.random() < 0.4 else None
    kicks = loop or Channel(1.0, 0.003)
    strike_kicks(stage, chopped(bars_of(stage, BREAK_KICKS)), lambda: taken(instruments.drum(rng, "kick")), kicks)
    snare = taken(instruments.drum(rng, "snare"))
    strike_drum(stage, "snare", [snare], chopped(bars_of(stage, BREAK_SNARES)), log_uniform(rng, 0.4, 1.2), 0.95, loop)
    hat = taken(instruments.hat(rng, log_uniform(rng, 0.02, 0.15)))
    strike_drum(stage, "hat", [hat], bars_of(stage, HATS), log_uniform(rng, 0.08, 0.5), 0.9)
    kicks.record()
    if rng.random() < 0.4:
        percussion(stage, lambda: taken(instruments.drum(rng, str(rng.choice(["tom", "hand"])))))
    if rng.random() < 0.9:
        bass = Channel(1.0, 0.003)
        play_bass_line(stage, attacked(rng, instruments.player(rng, "bass")), bass)
        bass.record()
        balance(stage, -10, 8)
    music(stage)
    pump(stage, 0.2)
    if rng.random() < 0.2:
        filtered_section(stage)


# --- trackers and sound chips ----------------------------------------------------------------------------------------


def tracker(stage: Stage, style: str) -> None:
    """4 to 16 channels of one voice each: samples at all pitches, or the waves of a sound chip, and a tracker's
    effects.
    """
    rng, instruments, tape = stage.rng, stage.instruments, stage.tape
    tape.mastering = "tracker"
    is_chip = style == "chip"
    ramp_s = float(rng.choice([0.0, 0.0, 0.001, 0.004]))
    # a listener on one side hears the channels panned away from it 6 dB softer
    channels = [Channel(rng.choice([0.5, 1.0]) if rng.random() < 0.4 else 1.0, ramp_s) for _ in range(6)]
    rhythm, bass, lead, extra = channels[0], channels[1], channels[2], channels[3]
    small = rng.random() < 0.5  # four channels: the drums share one
    snare_channel, hat_channel = (rhythm, rhythm) if small else (channels[4], channels[5])
    kick_channel = bass if rng.random() < 0.25 else rhythm

    def kick() -> Sound:
        if is_chip and rng.random() < 0.8:
            return chip_kick(rng)
        made = instruments.drum(rng, "kick") if rng.random() < 0.6 else instruments.club_kick(rng)
        return reshaped(rng, old_sampler(rng, made))

    def drum(kind: str) -> Sound:
        if is_chip and rng.random() < 0.8:
            return chip_drum(rng, log_uniform(rng, 0.06, 0.25), rng.uniform(0, 1.5) if kind != "hand" else 0.0)
        return reshaped(rng, old_sampler(rng, instruments.drum(rng, kind)))

    def voice(kind: str, hz: float) -> Voice:
        if is_chip:
            return (
                fm_voice(rng) if rng.random() < 0.3 else chip_voice(rng, str(rng.choice(["square", "triangle", "saw"])))
            )
        return sampled_voice(rng, instruments.player(rng, kind), hz)

    strike_kicks(stage, bars_of(stage, OTHER_KICKS), kick, kick_channel)
    if rng.random() < 0.85:
        strike_drum(
            stage, "snare", [drum("snare")], bars_of(stage, SNARES), log_uniform(rng, 0.3, 1.2), 0.85, snare_channel
        )
    if rng.random() < 0.8:
        decay_s, level = log_uniform(rng, 0.015, 0.15), log_uniform(rng, 0.08, 0.8)
        hat = chip_drum(rng, decay_s, 0.0) if is_chip else old_sampler(rng, instruments.hat(rng, decay_s))
        strike_drum(stage, "hat", [hat], bars_of(stage, HATS), level, 0.85, hat_channel)
    if rng.random() < 0.45:
        percussion(stage, lambda: drum(str(rng.choice(["tom", "tom", "hand"]))), None if small else channels[4])
    if rng.random() < 0.95:
        low = voice("bass", log_uniform(rng, 45, 130))
        player = effects(rng, low, is_chip) if rng.random() < 0.4 else played(low, ramp_s, decay(rng))
        play_bass_line(
            stage, attacked(rng, player), bass, height=int(rng.choice([0, 0, 0, 12])), level=log_uniform(rng, 0.4, 1.6)
        )
    for channel in (lead, extra):
        if rng.random() < 0.75:
            own = voice(str(rng.choice(["lead", "chord", "bass"])), log_uniform(rng, 100, 500))
            player = effects(rng, own, is_chip) if rng.random() < 0.6 else played(own, ramp_s, decay(rng))
            level, busy = log_uniform(rng, 0.15, 1.3), rng.uniform(0.3, 0.95)
            lowest_hz = log_uniform(rng, 70, 180) if rng.random() < 0.35 else log_uniform(rng, 150, 900)
            play_melody(stage, player, channel, lowest_hz, busy, level)
            if rng.random() < 0.25 and channel is lead:  # the same on another channel, later and softer
                late_s, softer = stage.beat.sixteenth_s * int(rng.choice([2, 3, 4])), rng.uniform(0.2, 0.6)
                echo = Channel(softer, ramp_s)
                echo.notes = [(note[0] + late_s, *note[1:]) for note in channel.notes]
                channels.append(echo)
    for channel in channels:
        channel.record()
    if rng.random() < 0.6:
        balance(stage, -9, 7)
    if rng.random() < 0.35:
        pads = replace(stage)
        music(pads)


def decay(rng: Rng) -> float | None:
    return log_uniform(rng, 0.05, 0.8) if rng.random() < 0.5 else None


def effects(rng: Rng, voice: Voice, is_chip: bool) -> Player:
    """A tracker's effects: arpeggios at the frame rate, slides, vibrato, retriggers, volume slides, a fall at the
    note's start.
    """
    kind = rng.choice(["arpeggio", "slide", "vibrato", "retrigger", "fall", "none"], p=[0.3, 0.15, 0.2, 0.1, 0.15, 0.1])
    tick_s = 1 / rng.choice([50, 60, 50, 25])
    chord = np.array([[0, 4, 7], [0, 3, 7], [0, 12, 24], [0, 7, 12]][int(rng.integers(4))])
    amount, rate_hz = log_uniform(rng, 0.1, 0.6), rng.uniform(4, 9)
    falls_s = log_uniform(rng, 0.05, 0.8)
    steps = 15 if is_chip else 64

    def play(hz: float, seconds: float) -> Sound:
        t = span(seconds)
        ticks = np.floor(t / tick_s)
        semitones = {
            "arpeggio": lambda: chord[ticks.astype(int) % 3],
            "slide": lambda: -12 * amount * np.exp(-t / 0.08),
            "vibrato": lambda: amount * np.sin(2 * np.pi * rate_hz * t),
            "fall": lambda: 24 * amount * np.exp(-ticks * tick_s / 0.03),
        }.get(str(kind), lambda: 0.0)()
        freq = hz * 2.0 ** (semitones / 12) * np.ones(len(t))
        if kind == "retrigger":
            n = max(1, round(3 * tick_s * RATE_HZ))
            sound = np.resize(voice(freq[:n]), len(t))
        else:
            sound = voice(freq)
        volume = np.ceil(steps * np.clip(1 - ticks * tick_s / falls_s, 0, 1)) / steps
        return sound * volume

    return play
