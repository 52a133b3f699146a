"""The training examples of the kick network: the tracks (buses) of many songs, analysed once and mixed differently in
every pass.

KickInputs is linear up to the power of a band: waves add in the low bands, powers (nearly) in the high ones. So each
bus is analysed once, alone, and a mix with any levels, equalisers and buses of other songs is only a sum: no pass has
the same music twice. A third of the songs is mastered as a whole (tools/kick_masters.py), because compressors and
clipping are not linear, and stays as it is.
"""

from __future__ import annotations

import functools
import json
import multiprocessing
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tools.kick_masters import drawn_kind, master, under_the_rest
from tools.kick_rooms import compress, convolve, room
from tools.kick_samples import SampledSounds
from tools.kick_songs import BUSES, EVENTS, recorded, side_chain
from tools.kick_sounds import RATE_HZ, Rng, Sound, log_uniform, normal, through
from visualizer.beat.kick_inputs import BANDS_HZ, HOPS_PER_S, LOW_HZ, BandFilters, KickInputs
from visualizer.settings import BeatSettings

# Long enough to learn the kick and the bass of a song, and to use that.
SECONDS = 12.0
N_HOPS = round(SECONDS * HOPS_PER_S)
N_LOW = len(LOW_HZ)
# A hit is to be reported within REPORT_S; until EITHER_S the output does not count, so that the network does not learn
# to flicker.
REPORT_S = 0.045
EITHER_S = 0.085
# In the first moment there is hardly any sound yet: being late costs little there, a false report as much as ever.
MOMENT_S = 0.004
MOMENT_WEIGHT = 0.3
KICK, STRUCK, BASS, MUSIC, NOISE = range(len(BUSES))
# The bus of each event, and the bands in which it is heard: up to 260 Hz, from 90 Hz, from 1 kHz, up to 260 Hz.
PLAYED_ON = {"kick": KICK, "snare": STRUCK, "hat": STRUCK, "bass": BASS}
HEARD_IN = {
    "kick": slice(0, N_LOW + 1),
    "snare": slice(5, None),
    "hat": slice(N_LOW + 4, None),
    "bass": slice(0, N_LOW + 1),
}


@dataclass(frozen=True)
class Lesson:
    """An analysed song. parts: (buses, N_HOPS, filter outputs) float32; a mastered song has everything on the first
    bus.

    hits_s: for each of EVENTS, when they begin. buried: for each of EVENTS, which of them are inaudible; used for a
    mastered song only.
    """

    parts: np.ndarray
    hits_s: dict[str, np.ndarray]
    buried: dict[str, np.ndarray]
    mastered: bool
    kind: str


def heard_parts(sound: Sound) -> np.ndarray:
    """Filter outputs, (N_HOPS, parts) float32, of mono sound, (n,) at RATE_HZ: see
    visualizer.beat.kick_inputs.BandFilters.
    """
    inputs = KickInputs(RATE_HZ, BeatSettings().floor_db)
    before = np.zeros(inputs.window_samples - inputs.hop_samples)
    windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([before, sound]), inputs.window_samples)
    windows = windows[:: inputs.hop_samples]
    parts = [inputs.filters.parts(windows[start : start + 256]) for start in range(0, len(windows), 256)]
    return np.concatenate(parts)[:N_HOPS].astype(np.float32)


def inputs(power: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N_HOPS, bands) -> (N_HOPS, N_INPUTS) float32 and the novelty, (N_HOPS,), as the follower computes them."""
    rows, novelty = KickInputs(RATE_HZ, BeatSettings().floor_db).compute_from_power(power)
    return rows.astype(np.float32), novelty


def treated(rng: Rng, bus: str, sound: Sound) -> Sound:
    """A bus through its own equaliser, room, compressor, drive and dullness; not all of them, and noise through
    fewer.
    """
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


def lesson(place: tuple[int, int], samples: SampledSounds | None = None) -> Lesson:
    """The lesson (seed, index); the same two numbers and sounds give the same. samples: recorded sounds to play with;
    None: synthesised sounds only.
    """
    rng = np.random.default_rng([*place, 9])
    kind = drawn_kind(rng)
    tape = recorded(rng, kind, SECONDS, samples)
    hits_s = {event: np.array(sorted(tape.hits_s[event])) for event in EVENTS}
    parts = np.zeros((len(BUSES), N_HOPS, BandFilters.n_parts), np.float32)
    mastered = kind != "noise" and rng.random() < 0.35
    buried = {event: np.zeros(len(times_s), bool) for event, times_s in hits_s.items()}
    if mastered:
        buried = {event: under_the_rest(tape, times_s, event) for event, times_s in hits_s.items()}
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


@functools.cache
def _opened(folder: Path | None, share: str) -> SampledSounds:
    return SampledSounds(folder, share)


def _sampled_lesson(place: tuple[int, int], folder: Path | None, share: str) -> Lesson:
    return lesson(place, _opened(folder, share))


def lessons(seed: int, n_lessons: int, samples: Path | None = None, share: str = "") -> Iterable[Lesson]:
    """n_lessons lessons, each with its own seed, made one after another by as many processes as there are cores.

    share: which recorded sounds are played, see `SampledSounds`; "": synthesised sounds only.
    """
    one = functools.partial(_sampled_lesson, folder=samples, share=share) if share else lesson
    with multiprocessing.get_context("spawn").Pool(max(1, min(os.cpu_count() or 1, 8, n_lessons // 8))) as pool:
        yield from pool.imap(one, [(seed, index) for index in range(n_lessons)], chunksize=4)


def save(folder: Path, n_lessons: int, made: Iterable[Lesson]) -> None:
    """Write lessons into a folder, from which several trainings can read them."""
    folder.mkdir(parents=True, exist_ok=True)
    shape = (n_lessons, len(BUSES), N_HOPS, BandFilters.n_parts)
    parts = np.lib.format.open_memmap(folder / "parts.npy", mode="w+", dtype=np.float32, shape=shape)
    notes = []
    for index, one in enumerate(made):
        parts[index] = one.parts
        hits = {event: times_s.tolist() for event, times_s in one.hits_s.items()}
        buried = {event: flags.tolist() for event, flags in one.buried.items()}
        notes.append({"hits_s": hits, "buried": buried, "mastered": one.mastered, "kind": one.kind})
    parts.flush()
    (folder / "lessons.json").write_text(json.dumps(notes))


def load(folder: Path) -> list[Lesson]:
    """The lessons that `save` wrote; their parts stay in the file until they are used."""
    parts = np.load(folder / "parts.npy", mmap_mode="r")
    found = []
    for part, note in zip(parts, json.loads((folder / "lessons.json").read_text()), strict=True):
        hits_s = {event: np.array(times_s) for event, times_s in note["hits_s"].items()}
        buried = {event: np.array(flags, bool) for event, flags in note["buried"].items()}
        found.append(Lesson(part, hits_s, buried, note["mastered"], note["kind"]))
    return found


class Mixer:
    """Mixes lessons: `mix` returns the power of the bands, and the hits."""

    def __init__(self, taught: list[Lesson]) -> None:
        self.taught = taught
        self._with = [
            [index for index, one in enumerate(taught) if not one.mastered and one.parts[bus].any()]
            for bus in range(len(BUSES))
        ]

    def mix(self, rng: Rng, index: int) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Lesson `index`, mixed: power (N_HOPS, bands), hits (as Lesson.hits_s), and which of them are inaudible."""
        one = self.taught[index]
        if one.mastered:
            power = BandFilters.power(one.parts[0].astype(np.float64))
            return power * (tone(rng) if rng.random() < 0.5 else 1.0), one.hits_s, one.buried
        buses, bass = self._buses(rng, index)
        nothing = np.zeros(0)
        kicks_s = one.hits_s["kick"] if KICK in buses else nothing
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
        struck = {drum: one.hits_s[drum] if STRUCK in buses else nothing for drum in ("snare", "hat")}
        hits_s = {"kick": kicks_s, **struck, "bass": bass}
        buried = {
            event: drowned(times_s, buses[PLAYED_ON[event]], mixed, HEARD_IN[event])
            if len(times_s)
            else np.zeros(0, bool)
            for event, times_s in hits_s.items()
        }
        return heard_from(rng, BandFilters.power(mixed) * tone(rng), noise=one.kind == "noise"), hits_s, buried

    def _buses(self, rng: Rng, index: int) -> tuple[dict[int, np.ndarray], np.ndarray]:
        """The buses of a lesson, some of them another lesson's, some left out; and when the notes of the bass begin."""
        one = self.taught[index]
        buses = {}
        bass_s = one.hits_s["bass"]
        for bus in range(len(BUSES)):
            source = index
            own = one.parts[bus].any()
            borrowed = (
                rng.random() < 0.35 and (own or rng.random() < 0.3)
                if bus in (BASS, MUSIC)
                else bus == NOISE and one.kind != "noise" and rng.random() < 0.25
            )
            if borrowed and self._with[bus]:
                source = int(rng.choice(self._with[bus]))
            if source != index:
                shift = int(rng.integers(N_HOPS))
                buses[bus] = np.roll(self.taught[source].parts[bus], shift, axis=0)
                if bus == BASS:
                    bass_s = np.sort((self.taught[source].hits_s["bass"] + shift / HOPS_PER_S) % SECONDS)
            elif own:
                buses[bus] = one.parts[bus]
        for bus, share in ((STRUCK, 0.08), (BASS, 0.12), (MUSIC, 0.25), (KICK, 0.15)):
            if bus in buses and len(buses) > 1 and rng.random() < share:
                del buses[bus]
        return buses, bass_s if BASS in buses else np.zeros(0)


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


def drowned(times_s: np.ndarray, own: np.ndarray, mixed: np.ndarray, bands: slice) -> np.ndarray:
    """Which events of a bus are inaudible: for 50 ms the bus dominates none of the bands, and has under a fifth of
    their power. own, mixed: (N_HOPS, parts) of the bus and of everything.
    """
    alone, rest = BandFilters.power(own)[:, bands], BandFilters.power(mixed - own)[:, bands]
    found = []
    for time_s in times_s:
        hops = slice(int(time_s * HOPS_PER_S) + 1, int(time_s * HOPS_PER_S) + 9)
        its, others = alone[hops].sum(axis=0), np.maximum(rest[hops].sum(axis=0), 0.0) + 1e-12
        found.append((its / others).max() < 1 and its.sum() < others.sum() / 4)
    return np.array(found, bool)


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


def targets(hits_s: dict[str, np.ndarray], buried: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The wanted output at the end of each hop, (N_HOPS, events) 0 or 1, and its weight, of the same shape; float32.

    What is inaudible may be reported or not.
    """
    end_s = (np.arange(N_HOPS) + 1) / HOPS_PER_S
    wanted = np.zeros((N_HOPS, len(EVENTS)), np.float32)
    weight = np.ones_like(wanted)
    for index, event in enumerate(EVENTS):
        for hit_s in hits_s[event]:
            weight[(end_s > hit_s) & (end_s < hit_s + EITHER_S), index] = 0
        for hit_s in hits_s[event][~buried[event]]:
            since_s = end_s - hit_s
            is_wanted = (since_s > 0) & (since_s <= REPORT_S)
            wanted[is_wanted, index] = 1
            weight[is_wanted, index] = np.where(since_s[is_wanted] < MOMENT_S, MOMENT_WEIGHT, 1)
    return wanted, weight
