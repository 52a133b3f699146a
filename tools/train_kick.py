"""Trains the network that detects kicks: `python tools/train_kick.py [--tiny] [OUT.npz]`.

Synthesises music (tools/kick_songs.py), analyses it as the program does, mixes it differently in every pass (tools/kick_lessons.py),
trains a GRU with torch on one thread, and writes its weights, by default to visualizer/beat/kick.npz. The same seed, torch build and
kind of processor give the same file bit for bit; on another processor rounding errors grow during the training. So the file
also holds values that can be checked anywhere: the losses of a tiny run, and the loss of the weights on held-out songs
(tests/beat/test_training.py). --tiny does the tiny run only.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.kick_lessons import N_HOPS, Lesson, Mixer, lesson, lessons, targets
from tools.kick_songs import DRUMS
from visualizer.beat.kick_inputs import HOPS_PER_S, N_INPUTS, KickInputs
from visualizer.beat.network import WEIGHTS_FILE, KickNetwork, as_weights
from visualizer.settings import BeatSettings

Arrays = dict[str, np.ndarray]
Batch = tuple[np.ndarray, np.ndarray, np.ndarray]

SEED = 6
HELD_OUT_SEED = 5
N_HELD_OUT = 12
# The weight of each drum's errors. Training on snares and hats, too, keeps the network from taking them for kicks.
MATTERS = {"kick": 1.0, "snare": 0.3, "hat": 0.3}


@dataclass(frozen=True)
class Plan:
    """How much is trained: tapes made, units of the network, passes over the tapes, hops to a piece and songs to a step,
    the highest learning rate, noise on the features in standard deviations."""

    n_songs: int = 3000
    n_units: int = 112
    n_epochs: int = 22
    n_hops: int = 150
    n_together: int = 32
    rate: float = 4e-3
    noise: float = 0.15


TINY = Plan(n_songs=16, n_units=12, n_epochs=2, n_together=8)


def features(power: np.ndarray) -> np.ndarray:
    """(songs, N_HOPS, bands) -> (songs, N_HOPS, N_INPUTS) float32, as the follower hears them."""
    return np.stack([KickInputs(44_100, BeatSettings().floor_db).compute_from_power(song)[0] for song in power]).astype(
        np.float32
    )


def batch(mixer: Mixer, rng: np.random.Generator, songs: np.ndarray) -> Batch:
    """Songs mixed: features, targets and weights (songs, N_HOPS, ...)."""
    mixed, wanted, weight = [], [], []
    for index in songs.tolist():
        power, hits_s, buried, soft = mixer.mix(rng, index)
        mixed.append(power)
        for part, made in zip((wanted, weight), targets(hits_s, buried, soft), strict=True):
            part.append(made)
    return features(np.stack(mixed)), np.stack(wanted), np.stack(weight)


def train(plan: Plan, taught: list[Lesson], kept: np.ndarray | None = None) -> tuple[Arrays, list[float]]:
    """Train on lessons; the arrays of visualizer.beat.network.Weights, float32, and the loss of every pass, told on the way.

    kept: (N_INPUTS,) bool, the features that are heard at all; None: all.
    """
    import torch

    was = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)  # a sum's order, and with it the last bits, depends on how it is shared out
    torch.use_deterministic_algorithms(True)
    try:
        return _trained(plan, taught, kept)
    finally:
        torch.set_num_threads(was[0])
        torch.use_deterministic_algorithms(was[1])


def _trained(plan: Plan, taught: list[Lesson], kept: np.ndarray | None) -> tuple[Arrays, list[float]]:
    import torch

    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    mixer = Mixer(taught)
    some = batch(mixer, rng, np.arange(0, len(taught), max(1, len(taught) // 96)))[0]
    mean, deviation = some.mean(axis=(0, 1)), some.std(axis=(0, 1)) + 1e-3
    if kept is not None:
        deviation[~kept] = 1e9  # what is divided by that is nothing
    gru = torch.nn.GRU(N_INPUTS, plan.n_units, batch_first=True)
    head = torch.nn.Linear(plan.n_units, len(DRUMS))
    parameters = [*gru.parameters(), *head.parameters()]
    n_batches, n_pieces = len(taught) // plan.n_together, N_HOPS // plan.n_hops
    optimiser = torch.optim.AdamW(parameters, lr=plan.rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, plan.rate, total_steps=plan.n_epochs * n_batches * n_pieces, pct_start=0.15
    )
    matters = torch.tensor([MATTERS[drum] for drum in DRUMS])
    passes = []
    start = time.perf_counter()
    for epoch in range(plan.n_epochs):
        order = rng.permutation(len(taught))[: n_batches * plan.n_together]
        losses = []
        for songs in order.reshape(n_batches, -1):
            given, wanted, weight = (torch.from_numpy(part) for part in batch(mixer, rng, songs))
            given = (given - torch.from_numpy(mean)) / torch.from_numpy(deviation)
            state = None  # carried from piece to piece of a song, its gradient is not
            for piece in range(n_pieces):
                hops = slice(piece * plan.n_hops, (piece + 1) * plan.n_hops)
                # real drums differ from the synthesised ones: noise keeps the network from relying on exact levels
                blurred = given[:, hops] + plan.noise * torch.randn(given[:, hops].shape)
                said, state = gru(blurred, state)
                state = state.detach()
                each = torch.nn.functional.binary_cross_entropy_with_logits(
                    head(said), wanted[:, hops], weight[:, hops], reduction="none"
                ).mean(dim=(0, 1))
                optimiser.zero_grad()
                (each * matters).sum().backward()
                torch.nn.utils.clip_grad_norm_(parameters, 1.0)
                optimiser.step()
                schedule.step()
                losses.append(float(each[0].detach()))
        passes.append(float(np.mean(losses)))
        told = f"epoch {epoch + 1}/{plan.n_epochs}: loss {passes[-1]:.4f}, {time.perf_counter() - start:.0f} s"
        print(told, file=sys.stderr, flush=True)
    return arrays(gru, head, mean, deviation), passes


def arrays(gru: Any, head: Any, mean: np.ndarray, deviation: np.ndarray) -> Arrays:
    """torch's parameters with the scaling of the features folded in, as arrays for visualizer.beat.network.Weights."""
    n_units = gru.hidden_size
    inner = gru.weight_ih_l0.detach().numpy().astype(np.float64).reshape(3, n_units, N_INPUTS) / deviation
    bias = gru.bias_ih_l0.detach().numpy().astype(np.float64).reshape(3, n_units) - inner @ mean.astype(np.float64)
    found = {
        "inner": inner.transpose(0, 2, 1),
        "inner_bias": bias,
        "again": gru.weight_hh_l0.detach().numpy().reshape(3, n_units, n_units),
        "again_bias": gru.bias_hh_l0.detach().numpy().reshape(3, n_units, 1),
        "out": head.weight.detach().numpy(),
        "out_bias": head.bias.detach().numpy(),
    }
    return {name: np.ascontiguousarray(array, np.float32) for name, array in found.items()}


def held_out_loss(weights: Arrays) -> float:
    """The kick loss of the weights on held-out lessons, computed with the program's own network code."""
    mixer = Mixer([lesson((HELD_OUT_SEED, index)) for index in range(N_HELD_OUT)])
    heard, wanted, weight = batch(mixer, np.random.default_rng(HELD_OUT_SEED), np.arange(N_HELD_OUT))
    total = 0.0
    for song in range(N_HELD_OUT):
        said = np.clip(KickNetwork(as_weights(weights)).push(heard[song].astype(np.float64))[:, 0], 1e-9, 1 - 1e-9)
        right = np.where(wanted[song, :, 0] > 0, np.log(said), np.log1p(-said))
        total -= float((weight[song, :, 0] * right).sum())
    return total / float(weight[..., 0].sum())


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
    print(
        f"{plan.n_songs} tapes, {plan.n_songs * N_HOPS / HOPS_PER_S / 60:.0f} min of music, {time.perf_counter() - start:.0f} s",
        flush=True,
    )
    _, tiny_losses = train(TINY, taught[: TINY.n_songs])
    found, _ = train(plan, taught)
    loss = held_out_loss(found)
    np.savez(arguments.out, **found, tiny_losses=np.float32(tiny_losses), held_out_loss=np.float32(loss))
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes, loss on songs held out {loss:.4f}")


if __name__ == "__main__":
    main()
