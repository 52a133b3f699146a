"""Trains the networks that detect kicks: `python tools/train_kick.py [OUT.npz]`.

Makes songs of synthesised and recorded sounds (tools/kick_songs.py, tools/kick_samples.py), analyses them as the
program does, mixes them differently in every pass (tools/kick_lessons.py), trains a GRU with torch on one thread, then
the decision network, half of it on songs of recorded sounds that the first was not trained on (tools/kick_decisions.py;
it needs the network for known songs, so run tools/train_ahead.py first where that is to be trained, too), and writes
the weights of both, by default to visualizer/beat/kick.npz. The same seed, torch build and kind of processor give the
same file bit for bit; on another processor rounding errors grow during the training. So the file also holds values that
can be checked anywhere: the losses of tiny trainings, and the losses of the weights on held-out songs, both of
synthesised sounds only (tests/beat/test_training.py).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.kick_decisions import DecisionPlan, train_decision, walked, walks
from tools.kick_lessons import N_HOPS, SECONDS, Lesson, Mixer, inputs, lesson, lessons, load, save, targets
from tools.kick_samples import fetch
from visualizer.beat.ahead_network import shipped_ahead_weights
from visualizer.beat.kick_decision import KickDecision, as_decision_weights
from visualizer.beat.kick_inputs import N_INPUTS
from visualizer.beat.network import EVENTS, WEIGHTS_FILE, KickNetwork, as_weights

Arrays = dict[str, np.ndarray]
Batch = tuple[np.ndarray, np.ndarray, np.ndarray]
WantedOf = Callable[[dict[str, np.ndarray], dict[str, np.ndarray]], tuple[np.ndarray, np.ndarray]]
Tensors = tuple[Any, Any, Any]  # the same, of torch

SEED = 6
OTHERS_SEED, DECISION_SEED = 8, 3
# The decision is trained on mixes of the same lessons and of others, half and half.
MIXED_SEEDS = 12, 11
HELD_OUT_SEED = 5
# Lessons made, of all recorded sounds but those held out, and of these; and of the tiny trainings that the tests
# repeat.
N_LESSONS, N_DECISION_LESSONS, N_TINY_LESSONS = 2400, 400, 16
N_HELD_OUT = 12
# The weight of each drum's errors. Training on snares and hats, too, keeps the network from taking them for kicks.
MATTERS = {"kick": 1.0, "snare": 0.3, "hat": 0.2, "bass": 0.3}


@dataclass(frozen=True)
class Phase:
    """A part of a training. seed; n_epochs: passes over the lessons; rate: the highest learning rate; noise on the
    inputs, in standard deviations.
    """

    seed: int
    n_epochs: int
    rate: float
    noise: float


@dataclass(frozen=True)
class Plan:
    """How much is trained: numbers that the inputs are projected to, units of the network, hops to a piece, songs to a
    step, phases one after another.
    """

    n_projected: int = 112
    n_units: int = 208
    n_hops: int = 300
    n_together: int = 48
    phases: tuple[Phase, ...] = (Phase(SEED, 12, 4e-3, 0.15),)


TINY = Plan(n_projected=12, n_units=12, n_together=8, phases=(Phase(SEED, 2, 4e-3, 0.15),))
TINY_DECISION = DecisionPlan(n_epochs=2, n_together=4)


def batch(mixer: Mixer, rng: np.random.Generator, songs: np.ndarray, wanted_of: WantedOf = targets) -> Batch:
    """Songs mixed: features, targets and weights (songs, N_HOPS, ...). wanted_of: makes targets and weights of the
    hits.
    """
    mixed, wanted, weight = [], [], []
    for index in songs.tolist():
        power, hits_s, buried = mixer.mix(rng, index)
        mixed.append(inputs(power)[0])
        for part, made in zip((wanted, weight), wanted_of(hits_s, buried), strict=True):
            part.append(made)
    return np.stack(mixed), np.stack(wanted), np.stack(weight)


@contextmanager
def repeatable() -> Iterator[None]:
    """Within it torch gives the same results each time: the order of a sum, and with it the last bits, depends on how
    the work is shared among threads.
    """
    import torch

    was = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(SEED)
    try:
        yield
    finally:
        torch.set_num_threads(was[0])
        torch.use_deterministic_algorithms(was[1])


def train(plan: Plan, taught: list[Lesson], kept: np.ndarray | None = None) -> tuple[Arrays, list[float]]:
    """Train on lessons; the arrays of visualizer.beat.network.Weights, float32, and the loss of every pass.

    kept: (N_INPUTS,) bool, the features that are used at all; None: all.
    """
    with repeatable():
        return _trained(plan, taught, kept)


def _trained(plan: Plan, taught: list[Lesson], kept: np.ndarray | None) -> tuple[Arrays, list[float]]:
    import torch

    mixer = Mixer(taught)
    some = batch(mixer, np.random.default_rng(SEED), np.arange(0, len(taught), max(1, len(taught) // 96)))[0]
    mean, deviation = some.mean(axis=(0, 1)), some.std(axis=(0, 1)) + 1e-3
    if kept is not None:
        deviation[~kept] = 1e9  # what is divided by that is nothing
    project = torch.nn.Linear(N_INPUTS, plan.n_projected)
    gru = torch.nn.GRU(plan.n_projected, plan.n_units, batch_first=True)
    head = torch.nn.Linear(plan.n_units, len(EVENTS))
    parameters = [*project.parameters(), *gru.parameters(), *head.parameters()]
    scale = torch.from_numpy(mean), torch.from_numpy(deviation)

    def drawn(rng: np.random.Generator, songs: np.ndarray, noise: float) -> Tensors:
        given, wanted, weight = (torch.from_numpy(part) for part in batch(mixer, rng, songs))
        return (given - scale[0]) / scale[1], wanted, weight

    def predicted(given: Any, hops: slice, noise: float, state: Any) -> tuple[Any, Any]:
        # real drums differ from the synthesised ones: noise keeps the network from relying on exact levels
        blurred = given[:, hops] + noise * torch.randn(given[:, hops].shape)
        states, state = gru(torch.relu(project(blurred)), state)
        return head(states), state

    passes = fit(parameters, plan.phases, len(taught), plan.n_together, N_HOPS, plan.n_hops, MATTERS, drawn, predicted)
    return arrays(project, gru, head, mean, deviation), passes


def fit(
    parameters: list[Any],
    phases: Sequence[Phase],
    n_lessons: int,
    n_together: int,
    n_hops: int,
    n_piece: int,
    matters: Mapping[str, float],
    drawn: Callable[[np.random.Generator, np.ndarray, float], Tensors],
    predicted: Callable[[Any, slice, float, Any], tuple[Any, Any]],
) -> list[float]:
    """Train parameters of torch in phases; the kick's mean loss of every pass.

    n_together: songs to a step; n_hops: hops of a song that are trained, in pieces of n_piece. matters: the weight of
    each of EVENTS. drawn: from lessons (indices) and the noise to inputs, targets and weights. predicted: from inputs,
    the hops of a piece, the noise and the state before to log odds of these hops and the state after.
    """
    import torch

    each_matters = torch.tensor([matters[event] for event in EVENTS])
    n_batches, n_pieces = n_lessons // n_together, n_hops // n_piece
    passes = []
    start = time.perf_counter()
    for phase in phases:
        torch.manual_seed(phase.seed)
        rng = np.random.default_rng(phase.seed)
        optimiser = torch.optim.AdamW(parameters, lr=phase.rate, weight_decay=1e-2)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, phase.rate, total_steps=phase.n_epochs * n_batches * n_pieces, pct_start=0.15
        )
        for epoch in range(phase.n_epochs):
            order = rng.permutation(n_lessons)[: n_batches * n_together]
            losses = []
            for songs in order.reshape(n_batches, -1):
                given, wanted, weight = drawn(rng, songs, phase.noise)
                state = None  # carried from piece to piece of a song, its gradient is not
                for piece in range(n_pieces):
                    hops = slice(piece * n_piece, (piece + 1) * n_piece)
                    odds, state = predicted(given, hops, phase.noise, state)
                    state = state.detach()
                    each = torch.nn.functional.binary_cross_entropy_with_logits(
                        odds, wanted[:, hops], weight[:, hops], reduction="none"
                    ).mean(dim=(0, 1))
                    optimiser.zero_grad()
                    (each * each_matters).sum().backward()
                    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
                    optimiser.step()
                    schedule.step()
                    losses.append(float(each[0].detach()))
            passes.append(float(np.mean(losses)))
            line = f"epoch {epoch + 1}/{phase.n_epochs}: loss {passes[-1]:.4f}, {time.perf_counter() - start:.0f} s"
            print(line, file=sys.stderr, flush=True)
    return passes


def arrays(project: Any, gru: Any, head: Any, mean: np.ndarray, deviation: np.ndarray) -> Arrays:
    """torch's parameters with the scaling of the features folded in, as arrays for visualizer.beat.network.Weights."""
    n_units = gru.hidden_size
    scaled = project.weight.detach().numpy().astype(np.float64) / deviation
    found = {
        "project": scaled.T,
        "project_bias": project.bias.detach().numpy() - scaled @ mean.astype(np.float64),
        "inner": gru.weight_ih_l0.detach().numpy().reshape(3, n_units, -1).transpose(0, 2, 1),
        "inner_bias": gru.bias_ih_l0.detach().numpy().reshape(3, n_units),
        "again": gru.weight_hh_l0.detach().numpy().reshape(3, n_units, n_units),
        "again_bias": gru.bias_hh_l0.detach().numpy().reshape(3, n_units, 1),
        "out": head.weight.detach().numpy(),
        "out_bias": head.bias.detach().numpy(),
    }
    return {name: np.ascontiguousarray(array, np.float32) for name, array in found.items()}


def held_out_losses(weights: Arrays) -> tuple[float, float]:
    """The kick loss of the network, and the loss of the decision, on held-out lessons of synthesised sounds, computed
    with the program's own code.
    """
    mixer = Mixer([lesson((HELD_OUT_SEED, index)) for index in range(N_HELD_OUT)])
    rng = np.random.default_rng(HELD_OUT_SEED)
    network_weights = as_weights(weights)
    totals = np.zeros((2, 2))
    for song in range(N_HELD_OUT):
        power, hits_s, buried = mixer.mix(rng, song)
        rows, novelty = inputs(power)
        wanted, weight = (part[:, 0] for part in targets(hits_s, buried))
        logits = KickNetwork(network_weights).push(rows)
        totals[0] += _loss(logits[:, 0], wanted, weight), weight.sum()
        walk = walked(logits, rows, novelty, shipped_ahead_weights(), hits_s["kick"], buried["kick"])
        decision = KickDecision(as_decision_weights(weights), shipped_ahead_weights())
        found = [decision.step(logits[hop], rows[hop], float(novelty[hop])) for hop in range(N_HOPS)]
        likely = np.clip([one for one in found if one > 0], 1e-9, 1 - 1e-9)
        totals[1] += _loss(np.log(likely / (1 - likely)), walk.wanted, walk.weight), walk.weight.sum()
    return float(totals[0, 0] / totals[0, 1]), float(totals[1, 0] / totals[1, 1])


def _loss(logits: np.ndarray, wanted: np.ndarray, weight: np.ndarray) -> float:
    """The sum of the weighted cross entropies."""
    return float((weight * np.logaddexp(0, np.where(wanted > 0, -1, 1) * logits.astype(np.float64))).sum())


def made_lessons(folder: Path, seed: int, n_lessons: int, samples: Path | None, share: str) -> list[Lesson]:
    """Lessons, from a folder if they are there."""
    if not (folder / "lessons.json").exists():
        start = time.perf_counter()
        save(folder, n_lessons, lessons(seed, n_lessons, samples, share))
        line = f"{n_lessons} lessons, {n_lessons * SECONDS / 60:.0f} min of music, {time.perf_counter() - start:.0f} s"
        print(line, file=sys.stderr, flush=True)
    return load(folder)


def tiny_losses() -> np.ndarray:
    """The losses of two tiny trainings: of the network, then of the decision."""
    taught = [lesson((SEED, index)) for index in range(N_TINY_LESSONS)]
    found, losses = train(TINY, taught)
    rng = np.random.default_rng(SEED)
    with repeatable():
        heard = walks(as_weights(found), shipped_ahead_weights(), Mixer(taught), rng, N_TINY_LESSONS)
        _, more = train_decision(TINY_DECISION, heard, SEED)
    return np.float32([*losses, *more])


def main() -> None:
    """Make the lessons, train both networks, write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", nargs="?", type=Path, default=WEIGHTS_FILE, metavar="OUT.npz")
    parser.add_argument("--samples", type=Path, metavar="FOLDER", help="where recorded sounds are, or are unpacked to")
    parser.add_argument(
        "--lessons", type=Path, metavar="FOLDER", help="keep the lessons there, and use those found there"
    )
    parser.add_argument("--lessons-only", action="store_true", help="make the lessons, train nothing")
    parser.add_argument("--decision-only", action="store_true", help="keep the first network of OUT.npz")
    arguments = parser.parse_args()
    if arguments.lessons_only and arguments.lessons is None:
        parser.error("--lessons-only needs --lessons FOLDER")
    samples = fetch(arguments.samples)
    with TemporaryDirectory() as scratch:
        folder = arguments.lessons or Path(scratch)
        taught = made_lessons(folder / "training", SEED, N_LESSONS, samples, "training")
        others = made_lessons(folder / "held out", OTHERS_SEED, N_DECISION_LESSONS, samples, "held out")
        if arguments.lessons_only:
            return
        if arguments.decision_only:
            with np.load(arguments.out, allow_pickle=False) as file:
                found = dict(file)
        else:
            found, _ = train(Plan(), taught)
        heard = [
            walk
            for songs, seed in zip((taught, others), MIXED_SEEDS, strict=True)
            for walk in walks(
                as_weights(found),
                shipped_ahead_weights(),
                Mixer(songs),
                np.random.default_rng(seed),
                DecisionPlan.n_songs // 2,
            )
        ]
        with repeatable():
            decision, _ = train_decision(DecisionPlan(), heard, DECISION_SEED)
    found = {**found, **decision}
    checks = {"tiny_losses": tiny_losses(), "held_out_losses": np.float32(held_out_losses(found))}
    np.savez(arguments.out, **{**found, **checks})
    print(
        f"{arguments.out}: {arguments.out.stat().st_size} bytes, losses on songs held out {checks['held_out_losses']}"
    )


if __name__ == "__main__":
    main()
