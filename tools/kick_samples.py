"""Recorded sounds for the music that the kick network is trained on, beside the formulas of tools/kick_sounds.py.

They come from two Debian packages, which are never part of this repository: `sonic-pi-samples` (one-shots, CC0) and
`fluid-soundfont-gm` (the sound font FluidR3, MIT). `fetch` gets them with apt; a sound font is rendered with the
package tinysoundfont (extra `train`). `python tools/kick_samples.py [--samples FOLDER]` fetches and lists them.

Every sound is mono, (n,) float64 at tools.kick_sounds.RATE_HZ with a peak of about 1, and is repeated exactly by a
generator with the same seed. Times are in seconds, frequencies in Hz.
"""

from __future__ import annotations

import argparse
import functools
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.kick_sounds import RATE_HZ, Rng, Sound, ends, kick, log_uniform, normal, through
from visualizer.audio.decode import Song
from visualizer.errors import BadInput, VisualizerError, nearest

Player = Callable[[float, float], Sound]  # (Hz, seconds) -> the note

FILES = Path("usr/share/sonic-pi/samples")
FONT = Path("usr/share/sounds/sf2/FluidR3_GM.sf2")
PACKAGES = {"sonic-pi-samples": FILES, "fluid-soundfont-gm": FONT}
SHARES = ("training", "held out")
SYSTEM = Path("/")  # what the packages are unpacked into where they are installed

# The longest that a one-shot of a kind is kept.
LONGEST_S = {"kick": 1.2, "snare": 0.8, "hat": 1.0, "tom": 1.0, "hand": 0.7}
# The files of each kind of drum, by what their names begin with. Left out: loops, rolls, and
# what begins softly, or with another noise than the hit (splashes, shakers, snapping fingers).
DRUM_FILES = {
    "kick": ("bd_", "drum_bass_", "drum_heavy_kick", "elec_hollow_kick", "elec_soft_kick"),
    "snare": ("sn_", "drum_snare_", "elec_snare", "elec_hi_snare", "elec_mid_snare", "elec_lo_snare"),
    "hat": (*(f"drum_cymbal_{name}" for name in ("closed", "hard", "open", "soft")), "elec_cymbal"),
    "tom": ("drum_tom_", "elec_fuzz_tom"),
    "hand": (
        *("tabla_", "drum_cowbell", "perc_bell2"),
        *(f"elec_{name}" for name in ("beep", "bell", "blip", "blup", "bong", "chime", "flip", "ping")),
        *(f"elec_{name}" for name in ("plip", "pop", "tick", "triangle", "twang", "twip", "wood")),
    ),
}
# Files whose hit follows a soft noise of some milliseconds: the level of the hit, in dB of the peak.
HIT_DB = {"bd_boom": -14.0, "bd_haus": -14.0, "bd_mehackit": -14.0}
# The keys of each kind of drum in a drum kit of General MIDI (bank 128); those together are one drum, tuned
# differently.
DRUM_KEYS = {
    "kick": ((35, 36),),
    "snare": ((38, 40), (39,)),
    "hat": ((42,), (44,), (46,), (49, 51), (52,), (53,), (54,), (55,)),
    "tom": ((41, 43, 45, 47, 48, 50),),
    "hand": ((33,), (37,), (56,), (60, 61), (62, 63, 64), (65, 66), (67, 68), (75,), (76, 77), (80, 81)),
}
KITS = 128  # the bank of the drum kits
ORCHESTRA = 48  # a kit all of whose cymbals are one recording
# Drums among the instruments: (bank, program), keys. Taiko and concert drum are bass drums of their own: left out.
DRUM_PROGRAMS = {
    "tom": (((0, 117), (0, 118), (8, 118)), (40, 45, 50, 55)),
    "hand": (((8, 115),), (55, 62, 69)),
}
# (bank, program) of the sound font: basses, and low notes of a tuba, a double bass, pianos and a synthesiser.
BASS_PROGRAMS = (
    *((0, program) for program in range(32, 40)),
    *((8, 38), (8, 39), (0, 58), (0, 43), (0, 0), (0, 1), (0, 87)),
)
# All others but timpani, drums and noises (sea shore, helicopter ...).
OTHER_PROGRAMS = (
    *((0, program) for program in (*range(32), *range(40, 47), *range(48, 112), 114)),
    *((8, program) for program in (4, 5, 6, 14, 16, 17, 19, 21, 24, 25, 26, 28, 40, 48, 50, 61, 62, 63, 80, 107)),
)
# Files that are played at another speed to get a note, and their own pitch in Hz.
BASS_FILES = {
    "bass_dnb_f": 43.65,
    "bass_drop_c": 65.4,
    "bass_hard_c": 32.7,
    "bass_hit_c": 32.7,
    "bass_thick_c": 65.4,
    "bass_trance_c": 65.4,
    "bass_voxy_c": 65.4,
    "bass_voxy_hit_c": 65.4,
    "bass_woodsy_c": 65.4,
    "glitch_bass_g": 49.0,
}
OTHER_FILES = {
    "ambi_choir": 213.6,
    "ambi_drone": 131.9,
    "ambi_glass_hum": 219.7,
    "ambi_piano": 87.3,
    "elec_bell": 260.9,
    "elec_ping": 294.3,
    "guit_e_fifths": 82.4,
    "guit_em9": 82.4,
    "guit_harmonics": 164.0,
    "perc_bell": 260.0,
}
CHORDS = ((0, 4, 7, 12), (0, 3, 7, 12), (0, 7, 12), (0, 7), (0, 3, 7, 10), (0, 5, 10), (0, 12))  # semitones


# --- where the sounds are --------------------------------------------------------------------------------------------


def default_folder() -> Path:
    """Where `fetch` unpacks the packages: in the user's cache folder. It need not exist yet."""
    return Path(platformdirs.user_cache_dir("visualizer-training", appauthor=False))


def find(part: Path, folder: Path) -> Path | None:
    """A file or folder of a package: below `folder`, or as the system installed it."""
    return next((path for root in (folder, SYSTEM) if (path := root / part).exists()), None)


def fetch(folder: Path | None = None) -> Path:
    """Download and unpack the packages that are not there yet; returns the folder. Raises VisualizerError."""
    folder = folder or default_folder()
    for package, part in PACKAGES.items():
        if find(part, folder) is not None:
            continue
        folder.mkdir(parents=True, exist_ok=True)
        run_tool(package, folder, "apt-get", "download", package)
        for archive in sorted(folder.glob(f"{package}_*.deb")):
            run_tool(package, folder, "dpkg-deb", "-x", archive.name, ".")
            archive.unlink()
        if find(part, folder) is None:
            raise VisualizerError(
                f"the Debian package {package} has no {part}; give a folder that has it with --samples"
            )
    return folder


def run_tool(package: str, folder: Path, *command: str) -> None:
    """Run a program in a folder. Raises VisualizerError if there is none of this name or it fails."""
    way_out = f"unpack the Debian package {package} into a folder and give it with --samples FOLDER"
    program = shutil.which(command[0])
    if program is None:
        raise VisualizerError(f"{command[0]} is not installed, so {package} cannot be fetched; {way_out}")
    done = subprocess.run([program, *command[1:]], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip() or f"status {done.returncode}").splitlines()[-1]
        raise VisualizerError(f"{' '.join(command)} failed ({reason}); {way_out}")


def is_of_share(name: str, share: str) -> bool:
    """Whether a sound belongs to a share: a quarter of all names, chosen by a hash, are held out from training."""
    return (zlib.crc32(name.encode()) % 4 == 0) == (share == "held out")


# --- one sound -------------------------------------------------------------------------------------------------------


def from_onset(sound: Sound, hit_db: float = -30.0) -> Sound:
    """Without what comes before the hit.

    The hit is where the sound first reaches hit_db of its peak; up to 1 ms before it is kept, from 20 dB below on.
    """
    level = np.abs(sound)
    peak = level.max(initial=0.0)
    if peak == 0:
        return sound
    hit = int(np.argmax(level >= 10 ** (hit_db / 20) * peak))
    earliest = max(0, hit - RATE_HZ // 1000)
    before = level[earliest:hit] >= 10 ** ((hit_db - 20) / 20) * peak
    return sound[earliest + int(np.argmax(before)) if before.any() else hit :]


def resampled(sound: Sound, ratio: float) -> Sound:
    """Played `ratio` times as fast: higher and shorter for ratios above 1; what lies above half the rate is removed."""
    n_fft = 1 << (len(sound) + 512).bit_length()
    n_out = 128 * round(n_fft / ratio / 128)  # a length whose transform is quick; wrong by 2 cents at most
    made = np.fft.irfft(np.fft.rfft(sound, n_fft)[: n_out // 2 + 1], n_out) * (n_out / n_fft)
    return made[: max(1, round(len(sound) / ratio))]


def body_hz(sound: Sound) -> float:
    """The strongest frequency between 25 and 200 Hz of a drum's body, from 20 ms after the hit."""
    part = sound[RATE_HZ // 50 : RATE_HZ // 4]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 1 << 15))
    first, last = (round(hz * (1 << 15) / RATE_HZ) for hz in (25, 200))
    return (first + int(np.argmax(spectrum[first:last]))) * RATE_HZ / (1 << 15)


@functools.lru_cache(maxsize=256)
def decoded(path: Path, longest_s: float = 2.5) -> np.ndarray:
    """(n,) float32: a file from its hit on, peak 1, at most `longest_s` of it."""
    song = Song(path, sample_rate_hz=RATE_HZ)
    try:
        sound = song.read(round((longest_s + 1) * RATE_HZ)).mean(axis=1)
    finally:
        song.close()
    return normal(from_onset(sound, HIT_DB.get(path.stem, -30.0)))[: round(longest_s * RATE_HZ)].astype(np.float32)


class SoundFont:
    """A sound font in memory. Only one note or chord sounds at a time."""

    def __init__(self, path: Path) -> None:
        """Raises VisualizerError if tinysoundfont is not installed."""
        try:
            import tinysoundfont
        except ModuleNotFoundError as error:
            raise VisualizerError(
                "training needs the package tinysoundfont; install it with: pip install 'kickdream[train]'"
            ) from error
        self._synth = tinysoundfont.Synth(gain=-12, samplerate=RATE_HZ)
        self._font = self._synth.sfload(str(path))

    def names(self, bank: int) -> dict[int, str]:
        """The names of a bank's programs, by their numbers."""
        named = {program: self._synth.sfpreset_name(self._font, bank, program) for program in range(128)}
        return {program: name for program, name in named.items() if name}

    def render(
        self, bank: int, program: int, keys: tuple[float, ...], velocity: int, n: int, n_held: int | None = None
    ) -> Sound:
        """(n,) float64: notes that begin together, released after n_held samples (None: held to the end).

        keys: MIDI notes; the first may be fractional, and the others are whole semitones from it.
        """
        synth, channel = self._synth, 9 if bank == KITS else 0
        synth.program_select(channel, self._font, bank, program, bank == KITS)
        synth.set_tuning(channel, keys[0] - round(keys[0]))
        whole = [int(np.clip(round(key), 0, 127)) for key in keys]
        for key in whole:
            synth.noteon(channel, key, velocity)
        n_held = n if n_held is None else min(n, n_held)
        parts = [np.frombuffer(synth.generate_simple(n_held), np.float32)]
        for key in whole:
            synth.noteoff(channel, key)
        if n > n_held:
            parts.append(np.frombuffer(synth.generate_simple(n - n_held), np.float32))
        synth.sounds_off()
        synth.generate_simple(2048)  # voices are faded out within this time; none may sound in the next note
        return np.concatenate(parts).reshape(-1, 2).mean(axis=1).astype(np.float64)


@functools.lru_cache(maxsize=2)
def sound_font(path: Path) -> SoundFont:
    """The sound font of a file, loaded once in a process."""
    return SoundFont(path)


# --- which sounds there are ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RecordedDrum:
    """A drum as it was recorded. name: what the share is chosen by, the same for sounds made of one recording.

    file: of a file; or bank, program and key of the sound font.
    """

    name: str
    file: Path | None = None
    bank: int = 0
    program: int = 0
    key: int = 0


@functools.lru_cache(maxsize=2)
def drums(files: Path, font: Path) -> dict[str, tuple[RecordedDrum, ...]]:
    """All recorded drums of each kind; a recording that several kits use once."""
    found: dict[str, list[RecordedDrum]] = {}
    paths = sorted(files.glob("*.flac"))
    opened = sound_font(font)
    for kind, begins in DRUM_FILES.items():
        found[kind] = [RecordedDrum(path.stem, path) for path in paths if path.stem.startswith(begins)]
        programs, keys = DRUM_PROGRAMS.get(kind, ((), ()))
        candidates = [
            RecordedDrum(
                f"{name} {(DRUM_KEYS[kind][0] if program == ORCHESTRA else keys)[0]}", None, KITS, program, key
            )
            for program, name in opened.names(KITS).items()
            for keys in DRUM_KEYS[kind]
            for key in keys
        ] + [
            RecordedDrum(name, None, bank, program, key)
            for bank, program in programs
            if (name := opened.names(bank).get(program))
            for key in keys
        ]
        kept: list[np.ndarray] = []  # the spectra of those before
        for drum in candidates:
            start = opened.render(drum.bank, drum.program, (drum.key,), 100, RATE_HZ // 8)
            size = np.linalg.norm(start)
            spectrum = np.fft.rfft(start / max(size, 1e-9), 1 << 14)
            # a copy is the same but for its delay and level
            if size > 1e-3 and all(np.abs(np.fft.irfft(spectrum * other.conj())).max() < 0.93 for other in kept):
                kept.append(spectrum)
                found[kind].append(drum)
    return {kind: tuple(some) for kind, some in found.items()}


@functools.lru_cache(maxsize=64)
def instruments(
    files: Path, font: Path, kind: str, share: str
) -> tuple[tuple[str, tuple[int, int] | Path, float], ...]:
    """A share's instruments for "bass", "chord" or "lead": name, (bank, program) or file, the file's pitch in Hz."""
    opened = sound_font(font)
    names = {bank: opened.names(bank) for bank in (0, 8)}
    programs = BASS_PROGRAMS if kind == "bass" else OTHER_PROGRAMS
    pitched = BASS_FILES if kind == "bass" else OTHER_FILES
    every = [(names[bank][program], (bank, program), 0.0) for bank, program in programs if program in names[bank]] + [
        (name, path, hz) for name, hz in pitched.items() if (path := files / f"{name}.flac").exists()
    ]
    return tuple(each for each in every if is_of_share(each[0], share))


class SampledSounds:
    """Recorded drums and instruments, varied as a producer varies them. May be pickled: it holds paths only."""

    def __init__(self, folder: Path | None = None, share: str = "training") -> None:
        """folder: as `fetch` fills it, None for the default; share: "training", or "held out" for the sounds not in it.

        Raises BadInput for another share and VisualizerError if sounds are missing.
        """
        if share not in SHARES:
            raise BadInput(f"share {share!r} is unknown{nearest(share, SHARES)}; use one of: {', '.join(SHARES)}")
        folder = folder or default_folder()
        places = {package: find(part, folder) for package, part in PACKAGES.items()}
        for package, place in places.items():
            if place is None:
                raise VisualizerError(
                    f"the sounds of the Debian package {package} are not in {str(folder)!r}; "
                    "fetch them with: python tools/kick_samples.py [--samples FOLDER]"
                )
        self.share = share
        self._files, self._font = (places[package] for package in PACKAGES)

    def names(self, kind: str) -> list[str]:
        """The names of the sounds of this share: drums, or instruments, of a kind."""
        if kind in DRUM_FILES:
            return [drum.name for drum in self._drums(kind)]
        return [name for name, _, _ in instruments(self._files, self._font, kind, self.share)]

    def one_shot(self, rng: Rng, kind: str) -> Sound:
        """A "kick", "snare" (or clap), "hat" (or cymbal), "tom" or "hand" drum; the first sample is the hit."""
        sound = self._varied(rng, kind)
        if rng.random() < 0.25:
            other = kick(rng) if kind == "kick" and rng.random() < 0.5 else self._varied(rng, kind)
            n = max(len(sound), len(other))
            sound = np.pad(sound, (0, n - len(sound))) + rng.uniform(0.2, 1) * np.pad(other, (0, n - len(other)))
        sound = normal(sound[: round(LONGEST_S[kind] * RATE_HZ)])
        if rng.random() < 0.25:
            sound = normal(np.tanh(log_uniform(rng, 1.2, 10) * sound))
        return ends(from_onset(sound), 0.0, min(0.03, len(sound) / RATE_HZ / 4))

    def player(self, rng: Rng, kind: str) -> Player:
        """An instrument for "bass", "chord" or "lead": (Hz, seconds) -> the note, or the chord above it."""
        _, source, own_hz = (every := instruments(self._files, self._font, kind, self.share))[rng.integers(len(every))]
        chord = CHORDS[rng.integers(len(CHORDS))] if kind == "chord" else (0,)
        velocity = int(rng.integers(40, 128))
        held = rng.uniform(0.5, 1) if rng.random() < 0.4 else 1.0
        drive = log_uniform(rng, 1.5, 12) if rng.random() < 0.25 else 0.0
        sections = []
        if rng.random() < 0.35:
            sections.append(("low", log_uniform(rng, 200, 5000) * (1 if kind == "bass" else 3), rng.uniform(0.6, 2.5)))
        if rng.random() < 0.3:
            sections.append(("peak", log_uniform(rng, 50, 3000), rng.uniform(-8, 8)))
        if kind != "bass" and rng.random() < 0.4:
            sections.append(("high", log_uniform(rng, 60, 400), 0.7))
        font = self._font

        def play(freq_hz: float, duration_s: float) -> Sound:
            n = max(1, round(duration_s * RATE_HZ))
            if isinstance(source, Path):
                ratio = freq_hz / own_hz
                stored = decoded(source)[: int(n * ratio) + 64]
                sound = resampled(stored, ratio)[:n]
                sound = np.pad(ends(sound, 0.0, 0.01), (0, n - len(sound)))
            else:
                sound = font_note(font, source, freq_hz, chord, velocity, n, held)
            if sections:
                sound = through(sound, *sections)
            sound = normal(sound)
            if drive:
                sound = normal(np.tanh(drive * sound))
            return ends(sound, 0.0, min(0.01, duration_s / 4))

        return play

    def _drums(self, kind: str) -> list[RecordedDrum]:
        return [drum for drum in drums(self._files, self._font)[kind] if is_of_share(drum.name, self.share)]

    def _varied(self, rng: Rng, kind: str) -> Sound:
        """One recording at another pitch, of another length, through an equaliser."""
        drum = (every := self._drums(kind))[rng.integers(len(every))]
        longest = round(LONGEST_S[kind] * RATE_HZ)
        if drum.file is None:
            velocity = int(rng.integers(40, 128))
            sound = from_onset(
                sound_font(self._font).render(drum.bank, drum.program, (drum.key,), velocity, longest + 2048)
            )
        else:
            sound = decoded(drum.file)[: 2 * longest].astype(np.float64)
        ratio = 2 ** (rng.uniform(-7, 5) / 12) if rng.random() < 0.7 else 1.0
        if kind == "kick":
            own_hz = body_hz(sound)
            ratio = float(np.clip(own_hz * ratio, 35, 110)) / own_hz
        sound = ends(sound[: round(longest * ratio)], 0.0, 0.02)  # a filter would make a cut end the loudest moment
        if ratio != 1:
            sound = resampled(sound, ratio)
        sound = sound[:longest]
        length = rng.random()
        if length < 0.25:  # a gate
            sound = sound[: round(log_uniform(rng, 0.12 if kind == "kick" else 0.04, LONGEST_S[kind]) * RATE_HZ)]
            sound = ends(sound, 0.0, log_uniform(rng, 0.002, 0.04))
        elif length < 0.5:  # an envelope
            tau_s = log_uniform(rng, 0.08 if kind == "kick" else 0.03, 0.6)
            sound = sound * np.exp(-np.arange(len(sound)) / (tau_s * RATE_HZ))
        sections = []
        if rng.random() < 0.4:
            sections.append(
                (
                    "peak",
                    log_uniform(rng, 50, 150) if kind == "kick" else log_uniform(rng, 150, 8000),
                    rng.uniform(-8, 8),
                )
            )
        if rng.random() < 0.2:
            sections.append(("low", log_uniform(rng, *((150, 4000) if kind == "kick" else (1500, 12000))), 0.7))
        if rng.random() < 0.2:
            sections.append(("high", log_uniform(rng, 20, 45) if kind == "kick" else log_uniform(rng, 80, 400), 0.7))
        return normal(through(sound, *sections) if sections else sound)


def font_note(
    font: Path, program: tuple[int, int], freq_hz: float, chord: tuple[int, ...], velocity: int, n: int, held: float
) -> Sound:
    """(n,) a note of an instrument, or a chord above it, held for a fraction of its length.

    It is octaves lower if the instrument cannot play as high. Some recordings begin with almost silence: up to 30 ms
    before the onset are removed.
    """
    key = 69 + 12 * float(np.log2(freq_hz / 440))
    most = round(0.03 * RATE_HZ)
    for octave in range(5):
        keys = tuple(key - 12 * octave + step for step in chord)
        sound = sound_font(font).render(*program, keys, velocity, n + most, round(held * n))
        if np.abs(sound).max() > 1e-4:
            break
    return sound[min(most, len(sound) - len(from_onset(sound))) :][:n]


# --- trackers --------------------------------------------------------------------------------------------------------


def stored(rng: Rng, sound: Sound) -> tuple[Sound, float]:
    """A sound in the memory of a tracker: at 6 to 22 kHz and 8 bits, not always loud; and its rate."""
    rate_hz = log_uniform(rng, 6_000, 22_050)
    if rng.random() < 0.6:  # the others were sampled without a filter, and alias
        sound = through(sound, ("low", 0.45 * rate_hz, 0.7), ("low", 0.45 * rate_hz, 0.7))
    at = np.arange(0, len(sound), RATE_HZ / rate_hz)
    level = 127 * rng.uniform(0.3, 1)
    return np.round(level * normal(sound[at.astype(int)])) / 127, rate_hz


def played(sound: Sound, step: float, n: int, is_linear: bool) -> Sound:
    """(n,) samples, at most to the end of a stored sound, `step` stored samples to each: the nearest or between two."""
    at = np.arange(min(n, int((len(sound) - 1) / step) + 1)) * step
    return np.interp(at, np.arange(len(sound)), sound) if is_linear else sound[at.astype(int)]


def old_sampler(rng: Rng, sound: Sound) -> Sound:
    """A sound as an Amiga or an early PC plays it: 8 bits, a low rate with its images, sometimes cut with a click."""
    sample, rate_hz = stored(rng, sound)
    if rng.random() < 0.3:
        sample = sample[: max(2, round(len(sample) * rng.uniform(0.3, 1)))]
    made = played(sample, rate_hz / RATE_HZ, len(sound), is_linear=rng.random() < 0.4)
    if rng.random() < 0.4:  # an Amiga's output filter
        made = through(made, ("low", log_uniform(rng, 3_200, 7_000), 0.7))
    return normal(made)


def main() -> None:
    parser = argparse.ArgumentParser(description="Fetch the recorded sounds of the training and count them.")
    parser.add_argument("--samples", type=Path, metavar="FOLDER", help="where they are, or are unpacked")
    folder = fetch(parser.parse_args().samples)
    for share in SHARES:
        sounds = SampledSounds(folder, share)
        for kind in (*DRUM_FILES, "bass", "chord", "lead"):
            names = sounds.names(kind)
            print(f"{share}: {len(names)} of kind {kind}: {', '.join(dict.fromkeys(names))}")


if __name__ == "__main__":
    try:
        main()
    except VisualizerError as error:
        sys.exit(f"kick_samples: {error}")
