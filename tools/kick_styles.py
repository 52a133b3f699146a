"""Electronic music for training the kick network: clubs, trackers, sound chips, breakbeats, half-time with 808s.

Each style also comes without kicks: the same arrangement, side chain and all, with the kick muted.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tools.kick_arrangement import (
    Channel,
    Stage,
    balance,
    bars_of,
    filtered_section,
    note_writer,
    percussion,
    play_bass_line,
    play_melody,
    plays,
    pump,
    riser,
    strike_drum,
    strike_kicks,
)
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
from tools.kick_sounds import RATE_HZ, Rng, Sound, log_uniform, span
from tools.kick_tape import Meter, Tape

STYLES = ("club", "tracker", "chip", "breakbeat", "half-time")

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
