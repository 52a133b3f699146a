"""The rhythms that the metre judge is trained on: two dozen styles, played with the instruments of tools/kick_songs.py.

`tempo_song(seed, index)` returns twelve seconds of one with the times of its beats. The same two numbers give the same
song.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.kick_masters import master
from tools.kick_songs import Meter, Tape, lift_bass, play_around, play_bass
from tools.kick_sounds import RATE_HZ, Rng, Sound, brown, kick, log_uniform, metal, normal, snare

SECONDS = 12.0
FOUR, EIGHTHS, SIXTEENTHS, OFFBEATS = "x...x...x...x...", "x.x.x.x.x.x.x.x.", "xxxxxxxxxxxxxxxx", "..x...x...x...x."
BACK, HALF, NONE = "....x.......x...", "........x.......", "................"
# For each style its range of tempo, BPM, and bars of sixteenths for bass drum, snare and hats, of which one each is
# chosen.
STYLES = {
    "house": (118, 130, (FOUR,), (BACK,), (OFFBEATS, EIGHTHS)),
    "disco": (105, 128, (FOUR,), (BACK,), ("x.xxx.xxx.xxx.xx", OFFBEATS)),
    "techno": (124, 150, (FOUR,), (NONE, BACK), (OFFBEATS, SIXTEENTHS, NONE)),
    "hardcore": (150, 190, (FOUR,), (NONE, BACK), (OFFBEATS,)),
    "trance": (130, 142, (FOUR,), (BACK,), (OFFBEATS,)),
    "electro": (112, 132, ("x..x....x.x.....", "x.....x...x....."), (BACK,), (EIGHTHS, SIXTEENTHS)),
    "break": (120, 145, ("x.x.......xx....", "x..x......x....."), ("....x..x.x..x..x", BACK), (EIGHTHS,)),
    "drum and bass": (
        160,
        180,
        ("x.........x.....", "x....x..x..x....", "x.....x...x....."),
        (BACK,),
        (EIGHTHS, OFFBEATS),
    ),
    "jungle": (155, 180, ("x....x..x..x....", "x..x..x...x....."), (BACK, HALF, NONE), (EIGHTHS, OFFBEATS)),
    "dubstep": (135, 145, ("x.....x.........", "x..x......x....."), (HALF,), (EIGHTHS,)),
    "hip hop": (78, 100, ("x......x..x.....", "x.x....x..x.....", "x....x..x..x...."), (BACK,), (EIGHTHS, SIXTEENTHS)),
    "slow four": (78, 105, (FOUR,), (BACK, NONE), (OFFBEATS, EIGHTHS)),
    "rock": (90, 165, ("x.......x.......", "x.......x.x.....", "x..x....x......."), (BACK,), (EIGHTHS, FOUR)),
    "punk": (150, 195, ("x.x...x.x.x...x.", "x.......x.x....."), (BACK,), (EIGHTHS,)),
    "double kick": (85, 165, (EIGHTHS,), (BACK, HALF), (FOUR, OFFBEATS)),
    "funk": (88, 115, ("x..x..x...x..x..", "x.x...x...x....."), ("....x..x.x..x...", BACK), (SIXTEENTHS,)),
    "one drop": (70, 130, (HALF,), (HALF, NONE), (EIGHTHS, OFFBEATS)),
    "steppers": (70, 130, (FOUR,), (HALF,), (OFFBEATS, EIGHTHS)),
    "dembow": (85, 105, (FOUR, "x.......x......."), ("...x..x....x..x.",), (EIGHTHS, NONE)),
    "tresillo": (95, 130, ("x..x..x.x..x..x.", "x..x..x.....x..."), (BACK,), (OFFBEATS, EIGHTHS)),
    "two step": (126, 136, ("x.........x.....", "x.....x...x....."), (BACK,), (OFFBEATS, "x.xx..x.x.xx..x.")),
    "ballad": (62, 85, ("x.......x.......", "x......xx......."), (BACK,), (EIGHTHS, SIXTEENTHS)),
    "pop": (95, 128, ("x.......x.......", "x.....x.x.....x."), (BACK,), (EIGHTHS, SIXTEENTHS, OFFBEATS)),
    "shuffle": (90, 140, ("x.......x.......", "x..xx..xx..xx..x"), (BACK,), ("x..xx..xx..xx..x",)),
}
# Moving an odd sixteenth by this much, in sixteenths, puts it on a third of the beat.
THIRDS = -1 / 3


@dataclass(frozen=True)
class Wandering(Meter):
    """A meter whose tempo wanders: bends_s (n,) seconds that each sixteenth is late, the first of them at place 0."""

    bends_s: Sound

    def at(self, rng: Rng, place: float) -> float:
        return super().at(rng, place) + float(np.interp(place, np.arange(len(self.bends_s)), self.bends_s))


def tempo_song(seed: int, index: int, seconds: float = SECONDS) -> tuple[str, Sound, Sound]:
    """(style, sound (n,) float32 at RATE_HZ, beat times in seconds)."""
    rng = np.random.default_rng([seed, index, 77])
    style = list(STYLES)[index % len(STYLES)]
    tape = Tape(round(seconds * RATE_HZ))
    beat = wandering(rng, style, seconds)
    play_style(rng, tape, beat, style)
    if rng.random() < 0.95:
        play_bass(rng, tape, beat, log_uniform(rng, 0.2, 1.0))
        if rng.random() < 0.5 and "kick" in tape.buses and "bass" in tape.buses:
            lift_bass(tape, rng.uniform(0, 8))
    if rng.random() < 0.6:
        play_around(rng, tape, beat)
    if rng.random() < 0.25:
        tape.add("music", normal(brown(rng, tape.n, rng.choice([0.5, 1.0]))), log_uniform(rng, 0.03, 0.3))
    still = Wandering(beat.sixteenth_s, beat.first_s, 0.0, 0.0, beat.n_sixteenths, beat.bends_s)
    beats_s = np.array([still.at(rng, place) for place in range(0, len(beat.bends_s), 4)])
    return style, master(rng, tape).astype(np.float32), beats_s[(beats_s >= 0) & (beats_s < seconds)]


def wandering(rng: Rng, style: str, seconds: float) -> Wandering:
    """The meter of a style. The music starts after a moment, or has already begun."""
    low, high = STYLES[style][:2]
    sixteenth_s = 15 / log_uniform(rng, low, high)
    begins = rng.choice(3, p=[0.5, 0.3, 0.2])
    first_s = (0.35, rng.uniform(0.02, 0.6), -rng.uniform(0, 16) * sixteenth_s)[begins]
    swing = 0.0 if rng.random() < 0.7 else rng.uniform(0.1, 0.5)
    human_s = 0.0 if rng.random() < 0.6 else rng.uniform(0.002, 0.012)
    n_sixteenths = int((seconds - first_s - 0.1) / sixteenth_s)
    bends_s = np.zeros(n_sixteenths + 8)
    if rng.random() < 0.3:
        # the length of a beat drifts by up to some per cent
        wander = np.cumsum(rng.standard_normal(len(bends_s) // 4 + 2)) * rng.uniform(0.003, 0.012)
        bends_s = np.cumsum(np.repeat(wander - wander.mean(), 4)[: len(bends_s)]) * sixteenth_s
    return Wandering(sixteenth_s, first_s, THIRDS if style == "shuffle" else swing, human_s, n_sixteenths, bends_s)


def play_style(rng: Rng, tape: Tape, beat: Meter, style: str) -> None:
    """Bass drum, snare and hats of a style; a few hits are left out or added."""
    bars = [str(rng.choice(bars)) for bars in STYLES[style][2:]]
    drum, snares = kick(rng), snare(rng)
    hat = metal(rng, log_uniform(rng, 0.08, 0.3) if bars[2] == OFFBEATS else log_uniform(rng, 0.01, 0.08))
    snare_gain, hat_gain = log_uniform(rng, 0.2, 1.0), log_uniform(rng, 0.08, 0.6)
    softer, accent, ghosts = rng.uniform(0, 0.4), rng.uniform(0.4, 1), rng.choice([0.0, 0.0, 0.05])
    for place in range(beat.n_sixteenths):
        kicks, snared, hats = (bar[place % 16] == "x" and rng.random() < 0.97 for bar in bars)
        if kicks or rng.random() < 0.005:
            tape.strike("kick", "kick", drum, beat.at(rng, place), 1 - softer * rng.random())
        if snared or rng.random() < ghosts:
            tape.place("drums", snares, beat.at(rng, place), snare_gain * rng.uniform(0.7, 1) * (1 if snared else 0.3))
        if hats:
            loud = place % 4 == 0 or bars[2] == OFFBEATS
            tape.place("drums", hat, beat.at(rng, place), hat_gain * rng.uniform(0.7, 1) * (1 if loud else accent))
