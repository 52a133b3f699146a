"""Trains the network that tells a kick: `python tools/train_kick.py [--tiny] [OUT.npz]`.

Synthesises music (tools/kick_songs.py), hears it as the program does (visualizer/beat/hearing.py), trains a GRU with torch
on one thread, and writes its weights, by default to visualizer/beat/kick.npz. The same seed, torch build and kind of
processor give the same file, bit for bit; another kind rounds otherwise, and training carries that on. So the file also holds
what can be checked anywhere: the losses of a tiny run, and the loss of the weights on songs held out
(tests/beat/test_training.py). --tiny makes the tiny run only.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.kick_songs import song
from tools.kick_sounds import RATE_HZ
from visualizer.beat.hearing import N_FEATURES, Hearing
from visualizer.beat.network import WEIGHTS_FILE, KickNetwork, as_weights
from visualizer.settings import BeatSettings

Arrays = dict[str, np.ndarray]

SEED = 4
HELD_OUT_SEED = 5
N_HELD_OUT = 12
# A kick is to be told within so long; for a little longer it does not matter what is said, so that nobody learns to flicker.
TELL_S = 0.045
EITHER_S = 0.085
# Within the first moment there is hardly anything to hear: being late there costs little, guessing costs as ever.
MOMENT_S = 0.004
MOMENT_WEIGHT = 0.3


@dataclass(frozen=True)
class Plan:
    """How much is trained: songs heard, units of the network, passes over the songs, hops to a piece and pieces to a step,
    the highest learning rate, noise on the features in standard deviations."""

    n_songs: int = 1200
    n_units: int = 64
    n_epochs: int = 14
    n_hops: int = 150
    n_pieces: int = 32
    rate: float = 4e-3
    noise: float = 0.1


TINY = Plan(n_songs=16, n_units=12, n_epochs=2, n_hops=150, n_pieces=8)


def heard(sound: np.ndarray, rate_hz: int = RATE_HZ) -> np.ndarray:
    """(n,) mono -> (hops, N_FEATURES) float32, what the follower's network is given for this sound."""
    hearing = Hearing(rate_hz, BeatSettings().floor_db)
    before = np.zeros(hearing.window_samples - hearing.hop_samples)
    windows = np.lib.stride_tricks.sliding_window_view(
        np.concatenate([before, sound.astype(np.float64)]), hearing.window_samples
    )[:: hearing.hop_samples]
    rows = [hearing.features(windows[start : start + 256]) for start in range(0, len(windows), 256)]
    return np.concatenate(rows).astype(np.float32)


def targets(kicks_s: np.ndarray, buried: np.ndarray, n_hops: int, hop_s: float) -> tuple[np.ndarray, np.ndarray]:
    """What is to be said at the end of each hop, (n_hops,) 0 or 1, and how much it matters, (n_hops,) >= 0; float32.

    A buried kick may be told or not.
    """
    end_s = (np.arange(n_hops) + 1) * hop_s
    wanted, weight = np.zeros(n_hops, np.float32), np.ones(n_hops, np.float32)
    for kick_s in kicks_s:
        since_s = end_s - kick_s
        weight[(since_s > 0) & (since_s < EITHER_S)] = 0
    for kick_s in kicks_s[~buried]:
        since_s = end_s - kick_s
        tell = (since_s > 0) & (since_s <= TELL_S)
        wanted[tell] = 1
        weight[tell] = np.where(since_s[tell] < MOMENT_S, MOMENT_WEIGHT, 1)
    return wanted, weight


def lesson(place: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, targets and weights of the song (seed, index)."""
    made = song(*place)
    features = heard(made.sound)
    hop_s = Hearing(RATE_HZ, 0.0).hop_s
    return features, *targets(made.kicks_s, made.buried, len(features), hop_s)


def lessons(seed: int, n_songs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """n_songs lessons stacked: (songs, hops, N_FEATURES), (songs, hops), (songs, hops). Each song has its own seed."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(max(1, min(os.cpu_count() or 1, 8, n_songs // 8))) as pool:
        made = pool.map(lesson, [(seed, index) for index in range(n_songs)], chunksize=4)
    features, wanted, weight = (np.stack(part) for part in zip(*made, strict=True))
    return features, wanted, weight


def train(plan: Plan, features: np.ndarray, wanted: np.ndarray, weight: np.ndarray) -> tuple[Arrays, list[float]]:
    """Train on lessons; the arrays of visualizer.beat.network.Weights, float32, and the loss of every epoch, told on the way."""
    import torch

    torch.manual_seed(SEED)
    torch.set_num_threads(1)  # a sum's order, and with it the last bits, depends on how it is shared out
    torch.use_deterministic_algorithms(True)
    mean, deviation = features.mean(axis=(0, 1)), features.std(axis=(0, 1)) + 1e-3
    gru = torch.nn.GRU(N_FEATURES, plan.n_units, batch_first=True)
    head = torch.nn.Linear(plan.n_units, 1)
    parameters = [*gru.parameters(), *head.parameters()]
    n_parts = features.shape[1] // plan.n_hops
    n_steps = plan.n_epochs * -(-len(features) // plan.n_pieces) * n_parts
    optimiser = torch.optim.AdamW(parameters, lr=plan.rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, plan.rate, total_steps=n_steps, pct_start=0.15)
    rng = np.random.default_rng(SEED)
    epoch_losses = []
    start = time.perf_counter()
    for epoch in range(plan.n_epochs):
        order = rng.permutation(len(features))
        losses = []
        for first in range(0, len(order), plan.n_pieces):
            songs = order[first : first + plan.n_pieces]
            state = None  # carried from piece to piece of a song, its gradient is not
            for part in range(n_parts):
                hops = slice(part * plan.n_hops, (part + 1) * plan.n_hops)
                given = torch.from_numpy((features[songs, hops] - mean) / deviation)
                # real drums are none of the synthesised: no band is trusted to the last tenth
                given += plan.noise * torch.randn(given.shape)
                said, state = gru(given, state)
                state = state.detach()
                loss = torch.nn.functional.binary_cross_entropy_with_logits(
                    head(said)[..., 0], torch.from_numpy(wanted[songs, hops]), torch.from_numpy(weight[songs, hops])
                )
                optimiser.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(parameters, 1.0)
                optimiser.step()
                schedule.step()
                losses.append(float(loss.detach()))
        epoch_losses.append(float(np.mean(losses)))
        print(
            f"epoch {epoch + 1}/{plan.n_epochs}: loss {epoch_losses[-1]:.4f}, {time.perf_counter() - start:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    return arrays(gru, head, mean, deviation), epoch_losses


def arrays(gru: Any, head: Any, mean: np.ndarray, deviation: np.ndarray) -> Arrays:
    """torch's parameters, the scaling of the features folded in, laid out as visualizer.beat.network.Weights wants them."""
    n_units = gru.hidden_size
    inner = gru.weight_ih_l0.detach().numpy().astype(np.float64).reshape(3, n_units, N_FEATURES) / deviation
    bias = gru.bias_ih_l0.detach().numpy().astype(np.float64).reshape(3, n_units) - inner @ mean.astype(np.float64)
    found = {
        "inner": inner.transpose(0, 2, 1),
        "inner_bias": bias,
        "again": gru.weight_hh_l0.detach().numpy().reshape(3, n_units, n_units),
        "again_bias": gru.bias_hh_l0.detach().numpy().reshape(3, n_units, 1),
        "out": head.weight.detach().numpy()[0],
        "out_bias": head.bias.detach().numpy()[0],
    }
    return {name: np.ascontiguousarray(array, np.float32) for name, array in found.items()}


def held_out_loss(weights: Arrays) -> float:
    """The loss of the weights on songs that nothing was trained on, as the program itself runs them."""
    total = matter = 0.0
    for index in range(N_HELD_OUT):
        features, wanted, weight = lesson((HELD_OUT_SEED, index))
        told = KickNetwork(as_weights(weights)).push(features.astype(np.float64))
        said = np.clip(told, 1e-9, 1 - 1e-9)
        total -= float((weight * np.where(wanted > 0, np.log(said), np.log1p(-said))).sum())
        matter += float(weight.sum())
    return total / matter


def main() -> None:
    """Make the songs, train, write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", nargs="?", type=Path, default=WEIGHTS_FILE, metavar="OUT.npz")
    parser.add_argument("--tiny", action="store_true", help="a small run of a few seconds")
    arguments = parser.parse_args()
    if arguments.tiny and arguments.out == WEIGHTS_FILE:
        parser.error("--tiny would overwrite the weights; name another file")
    plan = TINY if arguments.tiny else Plan()
    start = time.perf_counter()
    taught = lessons(SEED, plan.n_songs)
    print(f"{plan.n_songs} songs, {taught[1].size} hops, {time.perf_counter() - start:.0f} s", flush=True)
    _, tiny_losses = train(TINY, *(part[: TINY.n_songs] for part in taught))
    found, _ = train(plan, *taught)
    loss = held_out_loss(found)
    np.savez(arguments.out, **found, tiny_losses=np.float32(tiny_losses), held_out_loss=np.float32(loss))
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes, loss on songs held out {loss:.4f}")


if __name__ == "__main__":
    main()
