"""How well the kick is detected: `python -m benchmarks.kick [--quick]`.

Scores the kick follower on music of tools/kick_masters.py with other seeds than in training. The time of an onset is when it is
reported. Then sound that is not music, other levels and sample rates, and the cost.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tools.kick_masters import Song, song
from tools.kick_songs import DRUMS, WITHOUT_KICKS
from tools.kick_sounds import RATE_HZ
from visualizer.beat import BandFollower, Hit, KickFollower
from visualizer.beat.kick_inputs import HOPS_PER_S
from visualizer.beat.onset_follower import HOLD_S
from visualizer.settings import BeatSettings

SEED = 1_000_001  # training has its own; see tools/train_kick.py
FPS = 60
HOLD_HOPS = round(HOLD_S * HOPS_PER_S)
RECOVERED_S = 1.5  # after a drop of the level, kicks may be missed for this long


@dataclass(frozen=True)
class Score:
    """Of a set of songs: F within 50 and 30 ms, emission latency median and p95 (ms), depth's correlation, false onsets, and F
    within 50 ms of snares and of hats.

    A kick that nobody can hear under the rest is neither asked for nor held against the follower.
    """

    f50: float
    f30: float
    median_ms: float
    p95_ms: float
    correlation: float
    false_a_minute: float
    others: dict[str, float]

    def __str__(self) -> str:
        return (
            f"F50 {self.f50:.3f}, F30 {self.f30:.3f}, latency {self.median_ms:.1f} / {self.p95_ms:.1f} ms, "
            f"correlation {self.correlation:.3f}, false {self.false_a_minute:.1f} a minute"
        )


def follow(
    sound: np.ndarray, rate_hz: int = RATE_HZ, settings: BeatSettings | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Onset times in seconds, and the level 0..1 at every 1/60 s."""
    onsets_s, level, _ = all_of(sound, rate_hz, settings)
    return onsets_s, level


def all_of(
    sound: np.ndarray, rate_hz: int = RATE_HZ, settings: BeatSettings | None = None
) -> tuple[np.ndarray, np.ndarray, list[Hit]]:
    """As `follow`, and the snares and hats."""
    follower = KickFollower(rate_hz, settings or BeatSettings(), trail_s=None)
    onsets = np.array([onset.time_s for onset in follower.push(sound)])
    level = np.array([follower.level_at(i / FPS) for i in range(int(len(sound) / rate_hz * FPS))])
    return onsets, level, follower.hits


def late(kicks_s: np.ndarray, onsets_s: np.ndarray, window_s: float) -> list[float]:
    """Onset minus kick, seconds, of the most pairs within +-window_s that use no kick and no onset twice.

    Both sorted. All windows are equally wide, so taking the earliest possible partner each time loses none.
    """
    pairs, index = [], 0
    for kick_s in kicks_s:
        while index < len(onsets_s) and onsets_s[index] < kick_s - window_s:
            index += 1
        if index < len(onsets_s) and onsets_s[index] <= kick_s + window_s:
            pairs.append(float(onsets_s[index] - kick_s))
            index += 1
    return pairs


def ideal_level(kicks_s: np.ndarray, n: int) -> np.ndarray:
    """1 at every kick, x .93 each 1/30 s after: (n,) at 1/60 s."""
    starts = {int(np.ceil(kick_s * FPS - 1e-9)) for kick_s in kicks_s}
    level, value = np.zeros(n), 0.0
    for index in range(n):
        value = 1.0 if index in starts else value * 0.93 ** (30 / FPS)
        level[index] = value
    return level


def score(songs: list[Song], settings: BeatSettings | None = None) -> Score:
    """The pooled score of songs."""
    hits = {0.05: 0, 0.03: 0}
    n_kicks = n_onsets = 0
    seconds = 0.0
    latencies: list[float] = []
    correlations: list[float] = []
    others = {drum: np.zeros(3) for drum in DRUMS[1:]}  # found, played, reported
    for made in songs:
        onsets_s, level, reported = all_of(made.sound, settings=settings)
        onsets_s = without_buried(onsets_s, made)
        kicks_s = made.kicks_s[~made.buried]
        for window_s in hits:
            hits[window_s] += len(late(kicks_s, onsets_s, window_s))
        latencies += late(kicks_s, onsets_s, 0.1)
        n_kicks, n_onsets = n_kicks + len(kicks_s), n_onsets + len(onsets_s)
        seconds += len(made.sound) / RATE_HZ
        if len(kicks_s) and level.std() > 0:
            correlations.append(float(np.corrcoef(level, ideal_level(kicks_s, len(level)))[0, 1]))
        for drum, counts in others.items():
            drum_s = np.array([one.time_s for one in reported if one.drum == drum])
            counts += (len(late(made.hits_s[drum], drum_s, 0.05)), len(made.hits_s[drum]), len(drum_s))
    latencies_ms = 1e3 * np.array(latencies or [np.nan])
    f50, f30 = (2 * n / max(1, n_kicks + n_onsets) for n in hits.values())
    return Score(
        f50,
        f30,
        float(np.median(latencies_ms)),
        float(np.percentile(latencies_ms, 95)),
        float(np.mean(correlations)) if correlations else float("nan"),
        60 * (n_onsets - hits[0.05]) / seconds,
        {drum: float(2 * hit / max(1.0, played + found)) for drum, (hit, played, found) in others.items()},
    )


def without_buried(onsets_s: np.ndarray, made: Song) -> np.ndarray:
    """The onsets, without those that report a masked kick and no other."""
    audible, buried = made.kicks_s[~made.buried], made.kicks_s[made.buried]
    near = [
        np.abs(onset_s - kicks_s).min(initial=np.inf) < 0.05 for onset_s in onsets_s for kicks_s in (audible, buried)
    ]
    pairs = np.array(near, bool).reshape(-1, 2)
    return onsets_s[pairs[:, 0] | ~pairs[:, 1]]


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


def levels_and_drops(songs: list[Song]) -> list[tuple[str, str]]:
    """What becomes of songs made softer, and of kicks after a drop of 24 dB."""
    n_loud, same, softer = 0, {-12: 0, -30: 0}, {-12: 0, -30: 0}
    n_early = n_later = n_found = 0
    for made in songs:
        sound = made.sound / np.abs(made.sound).max()
        loud, _ = follow(sound)
        n_loud += len(loud)
        for gain_db in same:
            onsets, _ = follow(sound * 10 ** (gain_db / 20))
            same[gain_db] += len(late(loud, onsets, 0.002))
            softer[gain_db] += len(onsets)
        half = len(sound) // 2
        after, _ = follow(np.concatenate([sound[:half], sound[half:] * 10 ** (-24 / 20)]))
        kicks_s = made.kicks_s[made.kicks_s > half / RATE_HZ]
        # only of kicks that are detected in the loud song: what masks the others has nothing to do with the level
        found = [kick_s for kick_s in kicks_s if late(np.array([kick_s]), loud, 0.05)]
        lost = [kick_s - half / RATE_HZ for kick_s in found if not late(np.array([kick_s]), after, 0.05)]
        n_early += sum(time_s < RECOVERED_S for time_s in lost)
        n_later += sum(time_s >= RECOVERED_S for time_s in lost)
        n_found += len(found)
    rows = [
        (
            f"same song at {gain_db} dB: onsets within 2 ms of those at 0 dB",
            f"{same[gain_db]} of {n_loud}, {softer[gain_db]} reported",
        )
        for gain_db in same
    ]
    rows.append(
        (
            f"after a drop of 24 dB: kicks missed within {RECOVERED_S:g} s / later, of those reported without it",
            f"{n_early} / {n_later} of {n_found}",
        )
    )
    return rows


def rates(songs: list[Song]) -> list[tuple[str, str]]:
    """Onsets of the same songs at 48 and 96 kHz against those at 44.1 kHz."""
    rows = []
    for rate_hz in (48_000, 96_000):
        n_all = n_same = 0
        for made in songs:
            reference, _ = follow(made.sound)
            n = len(made.sound)
            n_new = n * rate_hz // RATE_HZ
            sound = np.fft.irfft(np.fft.rfft(made.sound), n_new) * (n_new / n) if n_new > n else made.sound
            other, _ = follow(sound, rate_hz)
            n_all += max(len(reference), len(other))
            n_same += len(late(reference, other, 0.002))
        rows.append((f"{rate_hz / 1000:g} kHz: onsets within 2 ms of those at 44.1 kHz", f"{n_same} of {n_all}"))
    return rows


def cost(
    begun: Callable[[int], KickFollower | BandFollower], seconds: float, rate_hz: int = 48_000, block_samples: int = 256
) -> tuple[float, float]:
    """Share of one core, 0..1, that a follower takes when sound comes in blocks as from a device; and when a song is pushed whole."""
    sound = np.random.default_rng(0).normal(0, 0.1, round(seconds * rate_hz)).astype(np.float32)
    shares = []
    for n_block in (block_samples, len(sound)):
        follower = begun(rate_hz)
        start = time.process_time()
        for first in range(0, len(sound), n_block):
            follower.push(sound[first : first + n_block])
        shares.append((time.process_time() - start) / seconds)
    return shares[0], shares[1]


def run(quick: bool) -> list[tuple[str, str]]:
    """Rows of (what, figure). quick: fewer songs."""
    n = 8 if quick else 60
    rows = []
    mixes = [song(SEED, index, kind="mix") for index in range(n)]
    of_mixes = score(mixes)
    rows.append((f"kick, {n} generated mixes", str(of_mixes)))
    rows += [(f"{drum}, {n} generated mixes: F50", f"{found:.3f}") for drum, found in of_mixes.others.items()]
    hard = [song(SEED + 1, index, kind="loud bass") for index in range(n)]
    rows.append((f"kick, {n} generated mixes, bass 4-10 dB over the drums below 150 Hz", str(score(hard))))
    for kind in WITHOUT_KICKS:
        others = [song(SEED + 2, index, kind=kind) for index in range(max(2, n // 10))]
        rows.append(
            (f"kick, {len(others)} without kicks, {kind}: false onsets a minute", f"{score(others).false_a_minute:.1f}")
        )
    for name, sound in not_music().items():
        onsets_s, level = follow(sound)
        rows.append(
            (f"kick, 10 s of {name}: onsets, mean depth of 20", f"{len(onsets_s)}, {1 + 19 * level.mean():.2f}")
        )
    few = mixes[: 4 if quick else 20]
    rows += [(f"kick, {what}", figure) for what, figure in levels_and_drops(few) + rates(few)]
    for what, begun in (
        ("kick", lambda rate_hz: KickFollower(rate_hz, BeatSettings())),
        ("bass, mids and highs", BandFollower),
    ):
        live, whole = cost(begun, 10 if quick else 60)
        rows.append(
            (
                f"{what}, share of one core at 48 kHz: live in blocks of 256 / a whole song at once",
                f"{live:.2%} / {whole:.2%}",
            )
        )
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer songs")
    print("| what | figure |\n|---|---|")
    for what, figure in run(parser.parse_args().quick):
        print(f"| {what} | {figure} |", flush=True)
