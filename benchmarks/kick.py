"""How well kicks are detected:
`python -m benchmarks.kick [--quick] [--ahead] [--per-track] [--bass MIXES DRUMS] [FOLDER ...]`.

First folders of annotated sound: NAME.flac or NAME.wav beside NAME.kicks.txt, one kick a line, its time in seconds
first; an empty file: no kicks. Then music of tools/kick_masters.py with other seeds than in training, also its snares,
hats and bass notes; sound that is not music, other levels and sample rates, and the cost. The time of an onset is when
it is reported.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.annotated import annotated
from benchmarks.kick_score import FPS, Score, Track, f_measure, late, score, without_inaudible
from tools.kick_masters import SHARES, Song, song
from tools.kick_songs import EVENTS, WITHOUT_KICKS
from tools.kick_sounds import RATE_HZ
from visualizer.beat import BandFollower, Hit, KickFollower
from visualizer.beat.onset_follower import OnsetFollower
from visualizer.settings import BeatSettings

SEED = 1_000_001  # training has its own; see tools/train_kick.py
SECONDS = 12.0  # of a generated song: the follower needs some to know its kick
RECOVERED_S = 1.5  # after a drop of the level, kicks may be missed for this long
BASS_DB, BASS_HZ, BASS_ORDER = 8.0, 150.0, 4  # of the row "bass +8 dB"

Rows = Iterator[tuple[str, str]]
Begin = Callable[[int], OnsetFollower]


def live(rate_hz: int) -> OnsetFollower:
    """The follower of a live show."""
    return KickFollower(rate_hz, BeatSettings(), trail_s=None)


class Reports(NamedTuple):
    """What a follower reports of a sound. onsets_s: (n,); level: 0..1 at i / FPS, as `analyze` prints the depth;
    hits.
    """

    onsets_s: np.ndarray
    level: np.ndarray
    hits: list[Hit]

    def times_s(self, event: str) -> np.ndarray:
        """When one of EVENTS was reported, seconds."""
        return self.onsets_s if event == "kick" else np.array([hit.time_s for hit in self.hits if hit.drum == event])


def follow(sound: np.ndarray, rate_hz: int = RATE_HZ, begin: Begin = live) -> Reports:
    """Analyse mono sound, (n,)."""
    follower = begin(rate_hz)
    onsets, hits = follower.push(sound), follower.hits
    onsets, hits = onsets + follower.finish(), hits + follower.hits
    length_s = len(sound) / rate_hz
    times_s = np.arange(int(np.ceil(length_s * FPS))) / FPS + follower.latency_s
    return Reports(
        np.array([onset.time_s for onset in onsets if onset.time_s <= length_s]),
        np.array([follower.level_at(time_s) for time_s in times_s.tolist()]),
        [hit for hit in hits if hit.time_s <= length_s],
    )


# --- annotated sound -------------------------------------------------------------------------------------------------


def of_folder(folder: Path, begin: Begin = live) -> dict[str, Track]:
    """The annotated songs of a folder by name."""
    tracks = {}
    for name, sound, rate_hz, kicks_s in annotated(folder, "kicks"):
        onsets_s, level, _ = follow(sound, rate_hz, begin)
        tracks[name] = Track(kicks_s, onsets_s, level, len(sound) / rate_hz)
    return tracks


def folder_rows(folder: Path, per_track: bool, begin: Begin = live) -> Rows:
    """A row of a folder, and of each of its songs."""
    tracks = of_folder(folder, begin)
    yield from _rows_of(folder.name, tracks, per_track)


def _rows_of(what: str, tracks: dict[str, Track], per_track: bool) -> Rows:
    if per_track:
        for name, track in tracks.items():
            counts = f"{len(track.kicks_s)} kicks, {len(track.onsets_s)} onsets"
            yield f"{what}/{name}, {counts}", str(score([track]))
    if tracks:
        pooled = score(list(tracks.values()))
        yield f"{what}, {pooled.n_songs} songs, {pooled.n_kicks} kicks", str(pooled)
    else:
        yield f"{what}, kicks", "none annotated"


def bass_rows(mixes: Path, drums: Path, per_track: bool, begin: Begin = live) -> Rows:
    """The songs that are in both folders with everything but the drums raised to 8 dB above them below 150 Hz.

    drums: the drums of the mixes alone, under the same names.
    """
    alone = {name: sound for name, sound, _, _ in annotated(drums, "kicks")}
    tracks = {}
    for name, mix, rate_hz, kicks_s in annotated(mixes, "kicks"):
        if name in alone:
            sound = bass_raised(mix, alone[name], rate_hz)
            onsets_s, level, _ = follow(sound, rate_hz, begin)
            tracks[name] = Track(kicks_s, onsets_s, level, len(sound) / rate_hz)
    yield from _rows_of(f"{mixes.name}, bass +{BASS_DB:g} dB", tracks, per_track)


def bass_raised(mix: np.ndarray, drums: np.ndarray, rate_hz: int) -> np.ndarray:
    """A mix with all but its drums at BASS_DB above the drums below BASS_HZ: (n,), its peak .9.

    mix, drums: mono, (n,) each; what is not drums is the mix less its projection on the drums.
    """
    n = min(len(mix), len(drums))
    mix, drums = mix[:n].astype(np.float64), drums[:n].astype(np.float64)
    drums = drums * (mix @ drums) / (drums @ drums)
    rest = mix - drums
    # Parseval: the power below BASS_HZ, through the response of a Butterworth filter
    passed = 1 / (1 + (np.fft.rfftfreq(n, 1 / rate_hz) / BASS_HZ) ** (2 * BASS_ORDER))
    of_drums, of_rest = (float((np.abs(np.fft.rfft(part)) ** 2 * passed).sum()) for part in (drums, rest))
    raised = drums + rest * (10 ** (BASS_DB / 10) * of_drums / of_rest) ** 0.5
    return 0.9 * raised / np.abs(raised).max()


# --- generated music -------------------------------------------------------------------------------------------------


def generated_rows(n_with: int, n_without: int, begin: Begin = live) -> Rows:
    """Every kind of generated song, so many of each with and without kicks; and the other events of those with kicks.

    A kick that nobody can hear under the rest is neither asked for nor held against the follower.
    """
    found: dict[str, list[np.ndarray]] = {event: [] for event in EVENTS[1:]}
    for place, kind in enumerate(SHARES):
        n = n_without if kind in WITHOUT_KICKS else n_with
        tracks = []
        for index in range(n):
            made = song(SEED + place, index, SECONDS, kind)
            reports = follow(made.sound, begin=begin)
            onsets_s = without_inaudible(reports.onsets_s, made.kicks_s, made.inaudible["kick"])
            tracks.append(Track(made.kicks_s[~made.inaudible["kick"]], onsets_s, reports.level, SECONDS))
            if kind not in WITHOUT_KICKS:
                for event, counts in found.items():
                    counts.append(np.array([event_counts(made, event, reports, audible) for audible in (False, True)]))
        yield f"{n} generated songs, {kind}", _figures(score(tracks), kind)
    for event, counts in found.items():
        every, audible = np.sum(counts, axis=0).tolist()
        yield (
            f"{event}, {len(counts)} generated songs with kicks: F50 of all / of those that the rest does not hide",
            f"{f_measure(*every):.3f} / {f_measure(*audible):.3f}",
        )


def _figures(of_kind: Score, kind: str) -> str:
    return f"false {of_kind.false_a_minute:.1f} a minute" if kind in WITHOUT_KICKS else str(of_kind)


def event_counts(made: Song, event: str, reports: Reports, audible_only: bool) -> tuple[int, int, int]:
    """Of an event in a song: found within 50 ms, played, reported."""
    times_s, reported_s = made.hits_s[event], reports.times_s(event)
    if audible_only:
        reported_s = without_inaudible(reported_s, times_s, made.inaudible[event])
        times_s = times_s[~made.inaudible[event]]
    return len(late(times_s, reported_s, 0.05)), len(times_s), len(reported_s)


def not_music(seconds: float = 10.0) -> dict[str, np.ndarray]:
    """Sounds without a kick."""
    n, rng = round(seconds * RATE_HZ), np.random.default_rng(0)
    t = np.arange(n) / RATE_HZ
    brown = np.cumsum(rng.standard_normal(n))
    brown -= np.convolve(brown, np.ones(4410) / 4410, "same")
    return {
        "silence": np.zeros(n),
        "white noise -70 dBFS": 10 ** (-70 / 20) * rng.standard_normal(n),
        "brown noise -50 dBFS": 10 ** (-50 / 20) * brown / brown.std(),
        "50 Hz hum -50 dBFS": 10 ** (-50 / 20) * 1.414 * np.sin(2 * np.pi * 50 * t),
        "steady 55 Hz note -12 dBFS": 0.25 * np.sin(2 * np.pi * 55 * t),
    }


def not_music_rows(begin: Begin = live) -> Rows:
    for name, sound in not_music().items():
        onsets_s, level, _ = follow(sound, begin=begin)
        yield f"10 s of {name}: onsets, mean depth of 20", f"{len(onsets_s)}, {1 + 19 * level.mean():.2f}"


def level_rows(songs: list[Song]) -> Rows:
    """What becomes of songs made softer, and of kicks after a drop of 24 dB."""
    n_loud, same, softer = 0, {-12: 0, -30: 0}, {-12: 0, -30: 0}
    n_early = n_later = n_found = 0
    for made in songs:
        sound = made.sound / np.abs(made.sound).max()
        loud = follow(sound).onsets_s
        n_loud += len(loud)
        for gain_db in same:
            onsets_s = follow(sound * 10 ** (gain_db / 20)).onsets_s
            same[gain_db] += len(late(loud, onsets_s, 0.002))
            softer[gain_db] += len(onsets_s)
        half = len(sound) // 2
        after = follow(np.concatenate([sound[:half], sound[half:] * 10 ** (-24 / 20)])).onsets_s
        kicks_s = made.kicks_s[made.kicks_s > half / RATE_HZ]
        # only of kicks that are detected in the loud song: what masks the others has nothing to do with the level
        found = [kick_s for kick_s in kicks_s if late(np.array([kick_s]), loud, 0.05)]
        lost = [kick_s - half / RATE_HZ for kick_s in found if not late(np.array([kick_s]), after, 0.05)]
        n_early += sum(time_s < RECOVERED_S for time_s in lost)
        n_later += sum(time_s >= RECOVERED_S for time_s in lost)
        n_found += len(found)
    for gain_db, n_same in same.items():
        yield (
            f"same song at {gain_db} dB: onsets within 2 ms of those at 0 dB",
            f"{n_same} of {n_loud}, {softer[gain_db]} reported",
        )
    yield (
        f"after a drop of 24 dB: kicks missed within {RECOVERED_S:g} s / later, of those reported without it",
        f"{n_early} / {n_later} of {n_found}",
    )


def rate_rows(songs: list[Song]) -> Rows:
    """Onsets of the same songs at 48 and 96 kHz against those at 44.1 kHz."""
    for rate_hz in (48_000, 96_000):
        n_all = n_same = 0
        for made in songs:
            reference = follow(made.sound).onsets_s
            n = len(made.sound)
            n_new = n * rate_hz // RATE_HZ
            other = follow(np.fft.irfft(np.fft.rfft(made.sound), n_new) * (n_new / n), rate_hz).onsets_s
            n_all += max(len(reference), len(other))
            n_same += len(late(reference, other, 0.002))
        yield f"{rate_hz / 1000:g} kHz: onsets within 2 ms of those at 44.1 kHz", f"{n_same} of {n_all}"


# --- cost ------------------------------------------------------------------------------------------------------------


def cost(
    begin: Callable[[int], OnsetFollower | BandFollower],
    seconds: float,
    rate_hz: int = 48_000,
    block_samples: int = 256,
) -> tuple[float, float]:
    """Share of one core, 0..1, that a follower takes of a song whose sound comes in blocks as from a device; and when
    it is pushed whole.
    """
    made = song(SEED, 0, SECONDS, "club").sound
    sound = np.tile(made, int(np.ceil(seconds * rate_hz / len(made))))[: round(seconds * rate_hz)]
    shares = []
    for n_block in (block_samples, len(sound)):
        follower = begin(rate_hz)
        start_s = time.process_time()
        for first in range(0, len(sound), n_block):
            follower.push(sound[first : first + n_block])
        shares.append((time.process_time() - start_s) / seconds)
    return shares[0], shares[1]


def cost_rows(seconds: float, followers: dict[str, Callable[[int], OnsetFollower | BandFollower]]) -> Rows:
    for what, begin in followers.items():
        blocks, whole = cost(begin, seconds)
        yield (
            f"{what}: share of one core at 48 kHz, in blocks of 256 / a whole song at once",
            f"{blocks:.2%} / {whole:.2%}",
        )


def run(
    quick: bool,
    folders: Sequence[Path] = (),
    *,
    with_ahead: bool = False,
    per_track: bool = False,
    bass: tuple[Path, Path] | None = None,
) -> Rows:
    """Rows of (what, figure). quick: few songs, only to see that it runs; with_ahead: also the follower for known
    songs.
    """
    followers: dict[str, Begin] = {"live": live}
    if with_ahead:
        from visualizer.beat.ahead import AheadFollower

        followers["song known"] = lambda rate_hz: AheadFollower(rate_hz, BeatSettings(), trail_s=None)
    for name, begin in followers.items():
        tables = [folder_rows(folder, per_track, begin) for folder in folders]
        if bass is not None:
            tables.append(bass_rows(*bass, per_track, begin))
        tables.append(generated_rows(*((1, 1) if quick else (24, 8)), begin))
        tables.append(not_music_rows(begin))
        for table in tables:
            yield from ((f"{name}: {what}", figure) for what, figure in table)
    few = [song(SEED, index, SECONDS, "mix") for index in range(1 if quick else 20)]
    for table in (level_rows(few), rate_rows(few)):
        yield from ((f"live: {what}", figure) for what, figure in table)
    yield from cost_rows(10 if quick else 60, {**followers, "bass, mids and highs": BandFollower})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="annotated sound")
    parser.add_argument("--quick", action="store_true", help="few generated songs, only to see that it runs")
    parser.add_argument("--ahead", action="store_true", help="also the follower of play and export, which looks ahead")
    parser.add_argument("--per-track", action="store_true", help="also a row for each annotated song")
    parser.add_argument(
        "--bass", nargs=2, type=Path, metavar=("MIXES", "DRUMS"), help="folders: also with bass +8 dB over the drums"
    )
    arguments = parser.parse_args()
    for folder in (*arguments.folders, *(arguments.bass or ())):
        if not folder.is_dir():
            parser.error(f"{folder} is no folder; give folders of annotated sound")
    print("| what | figure |\n|---|---|")
    for what, figure in run(
        arguments.quick,
        arguments.folders,
        with_ahead=arguments.ahead,
        per_track=arguments.per_track,
        bass=arguments.bass,
    ):
        print(f"| {what} | {figure} |", flush=True)


if __name__ == "__main__":
    main()
