"""How well the beat is predicted, and what that costs: `python -m benchmarks.tempo [--quick] [FOLDER ...]`.

F-measure (mir_eval's, +-70 ms) of beats predicted at least 50 ms ahead, on rhythms made here from a seed, and on
folders of annotated sound: NAME.wav (or .flac) beside NAME.beats.txt, one beat a line, its time in seconds first.
Twice: over the whole, and as mir_eval trims it, without the first 5 s. Beside it, without the first 5 s: F if twice or
half as many beats are right too ("any level"), F on the off-beats (half-way between the beats), and how many tracks are
at another tempo or on the off-beats. Needs mir_eval.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.annotated import annotated
from visualizer.beat.tempo import TempoFollower

SAMPLE_RATE_HZ = 44100
BLOCK = 1024
TRIM_S = 5.0
# Predicted to annotated tempo, and how near it must be (fraction).
RATIOS = {"1": 1.0, "2": 2.0, "1/2": 0.5, "3/2": 1.5, "2/3": 2 / 3, "4/3": 4 / 3, "3/4": 0.75}
SAME_TEMPO = 0.06
# One bar of 16ths: bass drum, snare, closed hat, bass note; and a tempo range that the style is played in.
STYLES = {
    "house": ("x...x...x...x...", "....x.......x...", "..x...x...x...x.", "..x...x...x...x.", (115, 132)),
    "techno": ("x...x...x...x...", "................", "xxxxxxxxxxxxxxxx", ".xxx.xxx.xxx.xxx", (125, 150)),
    "rock": ("x.......x.x.....", "....x.......x...", "x.x.x.x.x.x.x.x.", "x.x.x.x.x.x.x.x.", (95, 160)),
    "funk": ("x..x..x...x..x..", "....x..x.x..x...", "xxxxxxxxxxxxxxxx", "x..x..x...x..x..", (85, 115)),
    "drum and bass": ("x.........x.....", "....x.......x...", "x.x.x.x.x.x.x.x.", "x.....x...x...x.", (165, 180)),
    "hip hop": ("x......x..x.....", "....x.......x...", "x.x.x.x.x.x.x.x.", "x......x..x.....", (78, 98)),
    "half time": ("x.....x.....x...", "........x.......", "x.x.x.x.x.x.x.x.", "x.....x.........", (130, 150)),
    "one drop": ("........x.......", "........x.......", "..x...x...x...x.", "x..x..x.x.....x.", (105, 125)),
}


def rhythm(style: str, bpm: float, seconds: float, rng: np.random.Generator) -> tuple[NDArray[np.float32], np.ndarray]:
    """A style played at bpm with hands that scatter 6 ms: (sound (n,) float32 at SAMPLE_RATE_HZ, beat times in
    seconds).
    """
    rate = SAMPLE_RATE_HZ
    t = np.arange(round(0.4 * rate)) / rate
    kick = np.sin(2 * np.pi * (50 * t + 3 * (1 - np.exp(-t / 0.03)))) * np.exp(-t / 0.1)
    snare = (0.5 * np.sin(2 * np.pi * 190 * t) + 0.6 * rng.standard_normal(len(t))) * np.exp(-t / 0.06)
    hat = np.diff(rng.standard_normal(len(t) + 1)) * np.exp(-t / 0.02)
    sixteenth_s = 15 / bpm
    sound = np.zeros(round(seconds * rate))
    start_s = rng.uniform(0.05, 0.6)
    root_hz = rng.uniform(40, 65)
    for index in range(int((seconds - start_s) / sixteenth_s)):
        notes = (kick, snare, hat, None)
        for row, note, gain in zip(STYLES[style][:4], notes, (0.6, 0.4, 0.1, 0.3), strict=True):
            if row[index % 16] == ".":
                continue
            if note is None:
                hz = root_hz * 2 ** (rng.choice([0, 0, 3, 7, 12]) / 12)
                note = np.tanh(2 * np.sin(2 * np.pi * hz * t)) * np.minimum(1, t / 0.005) * np.exp(-t / 0.15)
            at = max(0, round((start_s + index * sixteenth_s + rng.normal(0, 0.006)) * rate))
            part = note[: len(sound) - at]
            sound[at : at + len(part)] += gain * rng.uniform(0.7, 1.0) * part
    beats_s = np.arange(start_s, seconds, 4 * sixteenth_s)
    return (0.7 * sound / np.abs(sound).max()).astype(np.float32), beats_s


def predicted(sound: NDArray[np.float32], rate_hz: int) -> np.ndarray:
    """The beats predicted for a sound, seconds, without those after its end."""
    follower = TempoFollower(rate_hz)
    for start in range(0, len(sound), BLOCK):
        follower.push(sound[start : start + BLOCK])
    return np.array([beat_s for beat_s, _ in follower.predicted if beat_s < len(sound) / rate_hz])


class BeatScore(NamedTuple):
    """How well one track was predicted. whole, trimmed: F over all, and without the first 5 s; the next two the same as
    `trimmed`, but against half or twice as many beats if that is better, and against the off-beats.

    bpm: of the annotation; ratio: predicted to annotated tempo, a key of RATIOS or "other".
    """

    bpm: float
    whole: float
    trimmed: float
    any_level: float
    off_beat: float
    ratio: str

    @property
    def error(self) -> str:
        """What is wrong, or "none"."""
        if self.ratio != "1":
            return {"2": "double", "1/2": "half"}.get(self.ratio, "other tempo")
        return "off-beat" if self.off_beat > self.trimmed else "none"


def f_measure(beats_s: np.ndarray, predicted_s: np.ndarray, from_s: float = 0.0) -> float:
    """mir_eval's, +-70 ms, from a time on; 0 without beats."""
    import mir_eval

    beats_s, predicted_s = beats_s[beats_s >= from_s], predicted_s[predicted_s >= from_s]
    return float(mir_eval.beat.f_measure(beats_s, predicted_s)) if len(beats_s) and len(predicted_s) else 0.0


def score(predicted_s: np.ndarray, beats_s: np.ndarray) -> BeatScore:
    """predicted_s, beats_s: (n,) seconds, at least two beats."""
    gap_s = float(np.median(np.diff(beats_s)))
    between_s = (beats_s[:-1] + beats_s[1:]) / 2
    levels = (beats_s, np.sort(np.concatenate([beats_s, between_s])), beats_s[::2], beats_s[1::2])
    ratio = "other"
    if len(predicted_s) > 1:
        found = gap_s / float(np.median(np.diff(predicted_s)))
        nearest = min(RATIOS, key=lambda name: abs(found / RATIOS[name] - 1))
        ratio = nearest if abs(found / RATIOS[nearest] - 1) < SAME_TEMPO else "other"
    return BeatScore(
        bpm=60 / gap_s,
        whole=f_measure(beats_s, predicted_s),
        trimmed=f_measure(beats_s, predicted_s, TRIM_S),
        any_level=max(f_measure(level_s, predicted_s, TRIM_S) for level_s in levels),
        off_beat=f_measure(between_s, predicted_s, TRIM_S),
        ratio=ratio,
    )


def cost(seconds: float) -> float:
    """The share of one core that following a rhythm at 48 kHz takes."""
    sound, _ = rhythm("funk", 100, seconds, np.random.default_rng(1))
    follower = TempoFollower(48000)
    began_s = time.process_time()
    for start in range(0, len(sound), BLOCK):
        follower.push(sound[start : start + BLOCK])
    return (time.process_time() - began_s) / follower.time_s


def run(quick: bool, folders: tuple[Path, ...] = ()) -> list[tuple[str, str]]:
    """(what, figure) rows. quick: two styles, only to see that it runs."""
    rows = []
    rng = np.random.default_rng(20)
    every = []
    for style in list(STYLES)[: 2 if quick else None]:
        found = []
        for bpm in np.linspace(*STYLES[style][4], 2 if quick else 6):
            sound, beats_s = rhythm(style, float(bpm), 12.0 if quick else 20.0, rng)
            found.append(score(predicted(sound, SAMPLE_RATE_HZ), beats_s))
        every += found
        rows.append((f"predicted beats, {style}: F / without the first 5 s", figures(found)))
    rows.append(("predicted beats, all styles: F / without the first 5 s", figures(every)))
    for folder in folders:
        found = []
        for name, sound, rate_hz, beats_s in annotated(folder, "beats"):
            track = score(predicted(sound, rate_hz), beats_s)
            found.append(track)
            rows.append(
                (
                    f"predicted beats, {folder.name}/{name}, {track.bpm:.1f} BPM",
                    f"{track.whole:.3f} / {track.trimmed:.3f}, any level {track.any_level:.3f}, "
                    f"off-beats {track.off_beat:.3f}, tempo times {track.ratio}, error: {track.error}",
                )
            )
        rows.append((f"predicted beats, {folder.name}, {len(found)} tracks: F / without the first 5 s", figures(found)))
    rows.append(("tempo follower, one core at 48 kHz", f"{cost(5.0 if quick else 30.0):.1%}"))
    return rows


def figures(found: list[BeatScore]) -> str:
    """The means of the scores, and how many tracks have which error."""
    if not found:
        return "none"
    whole, trimmed, any_level = np.mean([(track.whole, track.trimmed, track.any_level) for track in found], axis=0)
    errors = Counter(track.error for track in found if track.error != "none")
    counted = "".join(f", {n} {error}" for error, n in sorted(errors.items()))
    return f"{whole:.3f} / {trimmed:.3f}, any level {any_level:.3f}{counted}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="annotated sound")
    parser.add_argument("--quick", action="store_true", help="short, only to see that it runs")
    arguments = parser.parse_args()
    for what, figure in run(arguments.quick, tuple(arguments.folders)):
        print(f"{what}: {figure}")


if __name__ == "__main__":
    main()
