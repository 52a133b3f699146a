"""Trains the metre judge: `python tools/train_tempo.py [OUT.npz]`.

Plays songs of several styles (tools/tempo_songs.py), detects their onsets as the program does
(visualizer/beat/tempo_onsets.py), folds them into the true beat and into those that it can be mistaken for (half,
double, off by half and so on), and trains with torch the small network of visualizer/beat/tempo_metre.py that chooses
the true one. It is written to visualizer/beat/tempo.npz by default. The same seed, torch build and kind of processor
give the same file. It also holds how often the network is right on held-out songs.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.kick_sounds import RATE_HZ
from tools.tempo_songs import SECONDS, STYLES, tempo_song
from visualizer.beat.tempo import LEAST_ONSET, SILENCE_S
from visualizer.beat.tempo_metre import FASTEST_S, RELATED, SLOWEST_S, WEIGHTS_FILE, MetreJudge
from visualizer.beat.tempo_onsets import DELAY_S, OnsetDetector

Arrays = dict[str, np.ndarray]

SEEDS, HELD_OUT_SEED = range(12, 17), 11
N_SONGS = 7 * len(STYLES)  # a seed
# Moments that each song is judged at; nothing is judged before the first.
N_MOMENTS = 15
FIRST_S = 1.2
# The beat that the program follows is never exact: random errors of its length (fraction) and its place.
LENGTH_OFF, BEAT_OFF_S = 0.002, 0.006
N_UNITS = 16
N_EPOCHS = 30
N_BATCH = 256
NOISE = 0.3
RATE, DECAY = 6e-3, 0.5


def strokes(sound: np.ndarray, rate_hz: int) -> tuple[np.ndarray, float]:
    """The onsets of a sound, (n_hops, N_GROUPS), and the length of a hop in seconds."""
    finder = OnsetDetector(rate_hz)
    sound = np.concatenate([np.zeros(finder.window_samples - finder.hop_samples, np.float32), sound])
    windows = np.lib.stride_tricks.sliding_window_view(sound, finder.window_samples)[:: finder.hop_samples]
    return np.array(finder.push(windows)), finder.hop_s


def lesson(place: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """For moments of a song, the features of each related beat, (n, len(RELATED), n_features), and which are in
    range: bool.
    """
    _, sound, beats_s = tempo_song(*place)
    return moments(*strokes(sound, RATE_HZ), beats_s, np.random.default_rng([1, *place]))


def moments(
    rows: np.ndarray, hop_s: float, beats_s: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    judge = MetreJudge()
    asked_s = sorted(rng.uniform(FIRST_S, SECONDS - 0.1, N_MOMENTS))
    shown, allowed = [], []
    set_in = False
    for hop, row in enumerate(rows.tolist()):
        now_s = (hop + 1) * hop_s
        while asked_s and now_s > asked_s[0]:
            asked_s.pop(0)
            last = max(3, int(np.searchsorted(beats_s, now_s)) - 1)
            period_s = float(np.median(np.diff(beats_s[max(0, last - 8) : last + 1]))) * (1 + rng.normal(0, LENGTH_OFF))
            beat_s = float(beats_s[last]) + rng.normal(0, BEAT_OFF_S)
            beats = [(period_s * times, beat_s + period_s * along) for times, along in RELATED]
            shown.append(judge.inputs(beats, now_s))
            allowed.append([FASTEST_S <= length_s <= SLOWEST_S for length_s, _ in beats])
        if any(row):
            judge.add(now_s - DELAY_S, row)
        if sum(row) >= LEAST_ONSET and not set_in:
            set_in = True
            if now_s > SILENCE_S:
                judge.start(now_s - DELAY_S)
    return np.array(shown, np.float32), np.array(allowed)


def lessons(*seeds: int) -> tuple[np.ndarray, np.ndarray]:
    """Those of all songs of the seeds whose true beat is in range."""
    with multiprocessing.get_context("spawn").Pool() as pool:
        heard = pool.map(lesson, [(seed, index) for seed in seeds for index in range(N_SONGS)], chunksize=4)
    shown, allowed = (np.concatenate(part) for part in zip(*heard, strict=True))
    return shown[allowed[:, 0]], allowed[allowed[:, 0]]


def train(shown: np.ndarray, allowed: np.ndarray) -> Arrays:
    """Train the network to prefer the true beat."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    draw = torch.Generator().manual_seed(1)
    mean, deviation = shown[allowed].mean(axis=0), shown[allowed].std(axis=0) + 1e-3
    x, ok = torch.tensor((shown - mean) / deviation), torch.tensor(allowed)
    inner, outer = torch.nn.Linear(x.shape[2], N_UNITS), torch.nn.Linear(N_UNITS, 1)
    learner = torch.optim.AdamW([*inner.parameters(), *outer.parameters()], RATE, weight_decay=DECAY)
    n_steps = N_EPOCHS * (len(x) // N_BATCH + 1)
    pace = torch.optim.lr_scheduler.OneCycleLR(learner, RATE, total_steps=n_steps)
    for _ in range(N_EPOCHS):
        for batch in torch.randperm(len(x), generator=draw).split(N_BATCH):
            seen = x[batch] + NOISE * torch.randn(x[batch].shape, generator=draw)
            score = outer(torch.relu(inner(seen)))[..., 0].masked_fill(~ok[batch], -1e9)
            loss = torch.nn.functional.cross_entropy(score, torch.zeros(len(batch), dtype=torch.long))
            learner.zero_grad()
            loss.backward()
            learner.step()
            pace.step()
    weight, bias = inner.weight.detach().numpy(), inner.bias.detach().numpy()
    found = {
        "inner": (weight / deviation).T,
        "bias": bias - weight @ (mean / deviation),
        "outer": outer.weight.detach().numpy()[0],
    }
    return {name: np.ascontiguousarray(array, np.float32) for name, array in found.items()}


def share_right(weights: Arrays, shown: np.ndarray, allowed: np.ndarray) -> float:
    """How often the network prefers the true beat, 0..1."""
    inner, bias, outer = (weights[name].astype(np.float64) for name in ("inner", "bias", "outer"))
    score = np.where(allowed, np.maximum(shown @ inner + bias, 0.0) @ outer, -np.inf)
    return float((score.argmax(axis=1) == 0).mean())


def main() -> None:
    """Synthesise, analyse, train, and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", nargs="?", type=Path, default=WEIGHTS_FILE, metavar="OUT.npz")
    arguments = parser.parse_args()
    start = time.perf_counter()
    shown, allowed = lessons(*SEEDS)
    print(f"{len(SEEDS) * N_SONGS} songs, {len(shown)} moments, {time.perf_counter() - start:.0f} s", flush=True)
    weights = train(shown, allowed)
    right = share_right(weights, *lessons(HELD_OUT_SEED))
    np.savez(arguments.out, **weights, held_out_right=np.float32(right))
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes, right on {right:.3f} of the moments held out")


if __name__ == "__main__":
    main()
