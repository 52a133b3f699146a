"""A song of electronic music in the making, for training the kick network: its parts, who plays when, and treatment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tools.kick_instruments import Instruments
from tools.kick_samples import Player
from tools.kick_sounds import RATE_HZ, Rng, Sound, brown, ends, glide, log_uniform, normal, span, through
from tools.kick_tape import Meter, Tape, side_chain

CLOSEST_KICKS_S = 0.075


@dataclass
class Stage:
    """A song in the making. root_hz: the lowest root. kicks_s: also muted ones."""

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
