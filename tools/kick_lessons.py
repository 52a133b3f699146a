"""The training examples of the kick network: the tracks (buses) of many songs, analysed once and mixed differently in every pass.

KickInputs is linear up to the power of a band: waves add in the low bands, powers (nearly) in the high ones. So each bus is
analysed once, alone, and a mix with any levels, equalisers and buses of other songs is only a sum: no pass has the same music
twice. A third of the songs is mastered as a whole (tools/kick_masters.py), because compressors and clipping are not linear, and
stays as it is.
"""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import dataclass

import numpy as np

from tools.kick_masters import drawn_kind, master, under_the_rest
from tools.kick_rooms import compress, convolve, room
from tools.kick_songs import BUSES, DRUMS, recorded, side_chain
from tools.kick_sounds import RATE_HZ, Rng, Sound, log_uniform, normal, through
from visualizer.beat.kick_inputs import BANDS_HZ, HOPS_PER_S, LOW_HZ, BandFilters, KickInputs
from visualizer.settings import BeatSettings

SECONDS = 6.0
N_HOPS = round(SECONDS * HOPS_PER_S)
N_LOW = len(LOW_HZ)
# A hit is to be reported within TELL_S; until EITHER_S the output does not count, so that the network does not learn to flicker.
TELL_S = 0.045
EITHER_S = 0.085
# In the first moment there is hardly any sound yet: being late costs little there, a false report as much as ever.
MOMENT_S = 0.004
MOMENT_WEIGHT = 0.3
KICK, STRUCK, BASS, MUSIC, NOISE = range(len(BUSES))


@dataclass(frozen=True)
class Lesson:
    """An analysed song. parts: (buses, N_HOPS, filter outputs) float32; a mastered song has everything on the first bus.

    hits_s: for each of DRUMS, when its hits begin. buried: which kicks of a mastered song are inaudible.
    """

    parts: np.ndarray
    hits_s: dict[str, np.ndarray]
    buried: np.ndarray
    mastered: bool
    kind: str


def heard_parts(sound: Sound) -> np.ndarray:
    """Filter outputs, (N_HOPS, parts) float32, of mono sound, (n,) at RATE_HZ: see visualizer.beat.kick_inputs.BandFilters."""
    inputs = KickInputs(RATE_HZ, BeatSettings().floor_db)
    before = np.zeros(inputs.window_samples - inputs.hop_samples)
    windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([before, sound]), inputs.window_samples)
    windows = windows[:: inputs.hop_samples]
    parts = [inputs.filters.parts(windows[start : start + 256]) for start in range(0, len(windows), 256)]
    return np.concatenate(parts)[:N_HOPS].astype(np.float32)


def treated(rng: Rng, bus: str, sound: Sound) -> Sound:
    """A bus through its own equaliser, room, compressor, drive and dullness; not all of them, and noise through fewer."""
    if bus != "noise" and rng.random() < 0.6:
        places = ((40, 150), (200, 900), (1500, 8000))
        sound = through(sound, *[("peak", log_uniform(rng, *place), rng.uniform(-8, 8)) for place in places])
    if bus in ("kick", "drums") and rng.random() < 0.5:
        sound = normal(sound)
        sound = sound + log_uniform(rng, 0.03, 0.6) * convolve(sound, room(rng, log_uniform(rng, 0.1, 1.5)))
    if rng.random() < 0.25:
        sound = compress(rng, normal(sound))
    if rng.random() < 0.2:
        sound = np.tanh(log_uniform(rng, 1, 6) * normal(sound))
    if rng.random() < 0.12:
        sound = through(sound, ("low", log_uniform(rng, 2000, 12000), 0.7))
    return sound


def lesson(place: tuple[int, int]) -> Lesson:
    """The lesson (seed, index); the same two numbers give the same."""
    rng = np.random.default_rng([*place, 9])
    kind = drawn_kind(rng)
    tape = recorded(rng, kind, SECONDS)
    hits_s = {drum: np.array(sorted(tape.hits_s[drum])) for drum in DRUMS}
    parts = np.zeros((len(BUSES), N_HOPS, BandFilters.n_parts), np.float32)
    mastered = kind != "noise" and rng.random() < 0.35
    buried = np.zeros(len(hits_s["kick"]), bool)
    if mastered:
        buried = under_the_rest(tape, hits_s["kick"])
        parts[0] = heard_parts(master(rng, tape))
    else:
        for bus, name in enumerate(BUSES):
            if name in tape.buses:
                parts[bus] = at_level(heard_parts(treated(rng, name, tape.buses[name])))
    return Lesson(parts, hits_s, buried, mastered, kind)


def at_level(parts: np.ndarray) -> np.ndarray:
    """Parts whose loud moments (95 of 100 are softer) have power 1."""
    return gained(parts, 1 / (np.percentile(BandFilters.power(parts).sum(axis=1), 95) + 1e-12))


def gained(parts: np.ndarray, power: float | np.ndarray) -> np.ndarray:
    """(hops, parts) times a power gain: a number, (hops, 1) or (bands,)."""
    gain = np.broadcast_to(power, (len(parts), len(BANDS_HZ)))
    low = np.sqrt(gain[:, :N_LOW])
    return parts * np.concatenate([low, low, gain[:, N_LOW:]], axis=1)


def lessons(seed: int, n_lessons: int) -> list[Lesson]:
    """n_lessons lessons, each with its own seed, made by as many processes as there are cores."""
    with multiprocessing.get_context("spawn").Pool(max(1, min(os.cpu_count() or 1, 8, n_lessons // 8))) as pool:
        return pool.map(lesson, [(seed, index) for index in range(n_lessons)], chunksize=4)


class Mixer:
    """Mixes lessons: `mix` returns the power of the bands, and the hits."""

    def __init__(self, taught: list[Lesson]) -> None:
        self.taught = taught
        self._with = [
            [index for index, one in enumerate(taught) if not one.mastered and one.parts[bus].any()]
            for bus in range(len(BUSES))
        ]

    def mix(self, rng: Rng, index: int) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray, bool]:
        """Lesson `index`, mixed: power (N_HOPS, bands), hits (as Lesson.hits_s), which kicks are inaudible, and whether
        the other drums are too soft to be required."""
        one = self.taught[index]
        if one.mastered:
            power = BandFilters.power(one.parts[0].astype(np.float64))
            return power * (tone(rng) if rng.random() < 0.5 else 1.0), one.hits_s, one.buried, False
        buses = self._buses(rng, index)
        kicks_s = one.hits_s["kick"] if KICK in buses else np.zeros(0)
        others = one.hits_s if STRUCK in buses else {drum: np.zeros(0) for drum in DRUMS}
        if len(kicks_s) and rng.random() < 0.35:
            duck = side_chain(rng, kicks_s, N_HOPS, HOPS_PER_S)[:, None] ** 2
            buses.update({bus: gained(buses[bus], duck) for bus in (BASS, MUSIC) if bus in buses})
        levels_db = drawn_levels_db(rng)
        if one.kind == "noise":
            levels_db[NOISE] = 0.0
        mixed = np.zeros((N_HOPS, BandFilters.n_parts)) + 1e-12
        for bus, parts in buses.items():
            toned = gained(parts, tone(rng)) if rng.random() < 0.6 else parts
            buses[bus] = gained(toned, 10 ** (levels_db[bus] / 10))
            mixed += buses[bus]
        buried = drowned(kicks_s, buses[KICK], mixed) if len(kicks_s) else np.zeros(0, bool)
        power = heard_from(rng, BandFilters.power(mixed) * tone(rng), noise=one.kind == "noise")
        return power, {**others, "kick": kicks_s}, buried, levels_db[STRUCK] < -9

    def _buses(self, rng: Rng, index: int) -> dict[int, np.ndarray]:
        """The buses of a lesson, some of them another lesson's, some left out."""
        one = self.taught[index]
        buses = {}
        for bus in range(len(BUSES)):
            source = index
            own = one.parts[bus].any()
            borrowed = (
                rng.random() < 0.5 and (own or rng.random() < 0.3)
                if bus in (BASS, MUSIC)
                else bus == NOISE and one.kind != "noise" and rng.random() < 0.25
            )
            if borrowed and self._with[bus]:
                source = int(rng.choice(self._with[bus]))
            if source != index:
                buses[bus] = np.roll(self.taught[source].parts[bus], int(rng.integers(N_HOPS)), axis=0)
            elif own:
                buses[bus] = one.parts[bus]
        for bus, share in ((STRUCK, 0.08), (BASS, 0.12), (MUSIC, 0.25), (KICK, 0.12)):
            if bus in buses and len(buses) > 1 and rng.random() < share:
                del buses[bus]
        return buses


def drawn_levels_db(rng: Rng) -> list[float]:
    """Random levels of the buses relative to the kick, dB: half of them as in real mixes, half over a wider range."""
    if rng.random() < 0.5:
        return [0.0, rng.uniform(-12, 4), rng.uniform(-15, 3), rng.uniform(-20, 4), rng.uniform(-60, -20)]
    return [0.0, rng.uniform(-18, 9), rng.uniform(-15, 12), rng.uniform(-22, 12), rng.uniform(-60, -20)]


def tone(rng: Rng) -> np.ndarray:
    """Random power gains, (bands,), of a smooth equaliser, as loudspeakers, rooms and engineers differ."""
    octaves = np.log2(np.array(BANDS_HZ) / 500)
    waves = [rng.uniform(-5, 5) * np.cos(rng.uniform(0.2, 1.2) * octaves + rng.uniform(0, 6.28)) for _ in range(3)]
    return 10 ** (np.sum(waves, axis=0) / 10)


def drowned(kicks_s: np.ndarray, kick: np.ndarray, mixed: np.ndarray) -> np.ndarray:
    """Which kicks are inaudible: for 50 ms the kick dominates no band up to 260 Hz, and has under a fifth of the lowest eight."""
    alone, rest = BandFilters.power(kick), BandFilters.power(mixed - kick)
    found = []
    for kick_s in kicks_s:
        hops = slice(int(kick_s * HOPS_PER_S) + 1, int(kick_s * HOPS_PER_S) + 9)
        its, others = alone[hops].sum(axis=0), np.maximum(rest[hops].sum(axis=0), 0.0) + 1e-12
        found.append((its / others)[: N_LOW + 1].max() < 1 and its[:8].sum() < others[:8].sum() / 4)
    return np.array(found)


def heard_from(rng: Rng, power: np.ndarray, *, noise: bool) -> np.ndarray:
    """The power, (N_HOPS, bands), at a random input level, sometimes with a fader moved on the way."""
    if noise:
        power = power / power.sum(axis=1).mean() * 10 ** (rng.uniform(-75, -15) / 10)
    else:
        level_db = rng.uniform(-32, 0) if rng.random() < 0.5 else rng.uniform(-6, 0)
        power = power / np.percentile(power.sum(axis=1), 99) * 10 ** ((level_db - 6) / 10)
    if rng.random() < 0.2:
        at = int(rng.integers(N_HOPS // 5, 4 * N_HOPS // 5))
        part = slice(at, None) if rng.random() < 0.7 else slice(0, at)
        power[part] *= 10 ** (-rng.uniform(6, 28) / 10)
    return power


def targets(hits_s: dict[str, np.ndarray], buried: np.ndarray, soft: bool) -> tuple[np.ndarray, np.ndarray]:
    """The wanted output at the end of each hop, (N_HOPS, drums) 0 or 1, and its weight, of the same shape; float32.

    An inaudible kick may be reported or not; so may the other drums if they are `soft`.
    """
    end_s = (np.arange(N_HOPS) + 1) / HOPS_PER_S
    wanted = np.zeros((N_HOPS, len(DRUMS)), np.float32)
    weight = np.ones_like(wanted)
    for drum, name in enumerate(DRUMS):
        either = buried if name == "kick" else np.full(len(hits_s[name]), soft)
        for hit_s in hits_s[name]:
            since_s = end_s - hit_s
            weight[(since_s > 0) & (since_s < EITHER_S), drum] = 0
        for hit_s in hits_s[name][~either]:
            since_s = end_s - hit_s
            tell = (since_s > 0) & (since_s <= TELL_S)
            wanted[tell, drum] = 1
            weight[tell, drum] = np.where(since_s[tell] < MOMENT_S, MOMENT_WEIGHT, 1)
    return wanted, weight
