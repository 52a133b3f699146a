"""Trains the network that detects kicks in songs that are known beforehand:
`python tools/train_ahead.py --lessons FOLDER`.

Uses the lessons of tools/train_kick.py (`tools/train_kick.py --lessons FOLDER --lessons-only` writes them), mixed
differently in every pass, trains two recurrent layers with torch on one thread, and writes the weights, by default to
visualizer/beat/ahead.npz. The same seed, lessons, torch build and kind of processor give the same file bit for bit. As
kick.npz it also holds values that can be checked anywhere: the losses of a tiny run, and the loss of the weights on
held-out songs (tests/beat/test_training_ahead.py). --tiny does the tiny run only.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.kick_lessons import N_HOPS, Lesson, Mixer, lesson, load
from tools.train_kick import Phase, Tensors, batch, fit, repeatable
from visualizer.beat.ahead_network import (
    AHEAD_HOPS,
    CHUNK_HOPS,
    WEIGHTS_FILE,
    AheadNetwork,
    as_ahead_weights,
)
from visualizer.beat.kick_inputs import HOPS_PER_S, N_INPUTS
from visualizer.beat.network import EVENTS

Arrays = dict[str, np.ndarray]

SEED = 7
HELD_OUT_SEED = 5
N_HELD_OUT = 12
# The weight of each event's errors. Training on the others, too, keeps the network from taking them for kicks.
MATTERS = {"kick": 1.0, "snare": 0.3, "hat": 0.3, "bass": 0.3}
# An event is wanted at the hop whose end is nearest to its begin and at so many on either side; at one more on either
# side the output does not count.
WIDE_HOPS = 1


@dataclass(frozen=True)
class Plan:
    """How much is trained: numbers that the inputs are projected to, units of the backward and of the forward layer,
    chunks to a piece and songs to a step, phases one after another. The weights are the means of those after the last
    N_AVERAGED phases.
    """

    n_projected: int = 96
    n_back: int = 64
    n_units: int = 144
    n_chunks: int = 4
    n_together: int = 32
    phases: tuple[Phase, ...] = (
        Phase(SEED, 6, 4e-3, 0.15),
        Phase(17, 5, 3e-3, 0.2),
        Phase(27, 8, 3e-3, 0.25),
        Phase(37, 7, 3e-3, 0.2),
    )


# The mean of two sets of weights is better than either: F50 of electronic pieces .939, of the sets .934 and .938.
N_AVERAGED = 2
TINY = Plan(n_projected=12, n_back=8, n_units=12, n_together=8, phases=(Phase(SEED, 2, 4e-3, 0.15),))
N_TINY_LESSONS = 16


def begins(hits_s: dict[str, np.ndarray], buried: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The wanted output at each hop, (N_HOPS, events) 0 or 1, and its weight, of the same shape; float32.

    What is inaudible may be reported or not.
    """
    wanted = np.zeros((N_HOPS, len(EVENTS)), np.float32)
    weight = np.ones_like(wanted)
    for index, event in enumerate(EVENTS):
        centres = np.round(hits_s[event] * HOPS_PER_S).astype(int) - 1
        audible = ~buried[event]
        for centre in centres:
            weight[max(0, centre - WIDE_HOPS - 1) : centre + WIDE_HOPS + 2, index] = 0
        for centre in centres[audible]:
            hops = slice(max(0, centre - WIDE_HOPS), centre + WIDE_HOPS + 1)
            wanted[hops, index] = weight[hops, index] = 1
    return wanted, weight


def network(plan: Plan) -> Any:
    """The network as a module of torch: (songs, hops, inputs) and the state before -> log odds and the state after."""
    import torch

    class Ahead(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.project = torch.nn.Linear(N_INPUTS, plan.n_projected)
            self.back = torch.nn.GRU(plan.n_projected, plan.n_back, batch_first=True)
            self.forth = torch.nn.GRU(plan.n_projected + plan.n_back, plan.n_units, batch_first=True)
            self.head = torch.nn.Linear(plan.n_units, len(EVENTS))

        def forward(self, given: Any, state: Any) -> tuple[Any, Any]:
            """given: (songs, n CHUNK_HOPS + AHEAD_HOPS, inputs) -> log odds, (songs, n CHUNK_HOPS, events)."""
            songs = len(given)
            n_chunks = (given.shape[1] - AHEAD_HOPS) // CHUNK_HOPS
            given = torch.relu(self.project(given))
            # every chunk with what comes after it, newest first: (songs, n, P, hops) -> (songs n, hops, P)
            chunks = given.unfold(1, CHUNK_HOPS + AHEAD_HOPS, CHUNK_HOPS).flip(3).transpose(2, 3).flatten(0, 1)
            back = self.back(chunks)[0][:, AHEAD_HOPS:].flip(1).reshape(songs, n_chunks * CHUNK_HOPS, -1)
            states, state = self.forth(torch.cat([given[:, : n_chunks * CHUNK_HOPS], back], dim=2), state)
            return self.head(states), state

    return Ahead()


def train(plan: Plan, taught: list[Lesson]) -> tuple[Arrays, list[float]]:
    """Train on lessons; the arrays of visualizer.beat.ahead_network.AheadWeights, and the loss of every pass."""
    with repeatable():
        return _trained(plan, taught)


def _trained(plan: Plan, taught: list[Lesson]) -> tuple[Arrays, list[float]]:
    import torch

    mixer = Mixer(taught)
    some = batch(mixer, np.random.default_rng(SEED), np.arange(0, len(taught), max(1, len(taught) // 96)), begins)[0]
    mean, deviation = some.mean(axis=(0, 1)), some.std(axis=(0, 1)) + 1e-3
    net = network(plan)
    scale = torch.from_numpy(mean), torch.from_numpy(deviation)

    def drawn(rng: np.random.Generator, songs: np.ndarray, noise: float) -> Tensors:
        given, wanted, weight = (torch.from_numpy(part) for part in batch(mixer, rng, songs, begins))
        given = (given - scale[0]) / scale[1]
        # real drums differ from the synthesised ones: noise keeps the network from relying on exact levels
        return given + noise * torch.randn(given.shape), wanted, weight

    def predicted(given: Any, hops: slice, noise: float, state: Any) -> tuple[Any, Any]:
        odds, state = net(given[:, hops.start : hops.stop + AHEAD_HOPS], state)
        return odds, state

    n_hops, n_piece = N_HOPS - AHEAD_HOPS, plan.n_chunks * CHUNK_HOPS
    parameters = list(net.parameters())
    passes, after = [], []
    for phase in plan.phases:
        passes += fit(parameters, (phase,), len(taught), plan.n_together, n_hops, n_piece, MATTERS, drawn, predicted)
        after.append(arrays(net, mean, deviation))
    last = after[-N_AVERAGED:]
    return {name: np.mean([one[name] for one in last], axis=0, dtype=np.float32) for name in last[0]}, passes


def arrays(net: Any, mean: np.ndarray, deviation: np.ndarray) -> Arrays:
    """torch's parameters with the scaling of the features folded in, as arrays for AheadWeights."""
    project = net.project.weight.detach().numpy().astype(np.float64) / deviation
    found = {"project": project.T, "project_bias": net.project.bias.detach().numpy() - project @ mean}
    for prefix, layer in (("back_", net.back), ("", net.forth)):
        found[f"{prefix}inner"] = layer.weight_ih_l0.detach().numpy().T
        found[f"{prefix}bias"] = layer.bias_ih_l0.detach().numpy()
        found[f"{prefix}again"] = layer.weight_hh_l0.detach().numpy().T
        found[f"{prefix}again_bias"] = layer.bias_hh_l0.detach().numpy()
    found["out"], found["out_bias"] = net.head.weight.detach().numpy().T, net.head.bias.detach().numpy()
    return {name: np.ascontiguousarray(array, np.float32) for name, array in found.items()}


def held_out_loss(weights: Arrays) -> float:
    """The kick loss of the weights on held-out lessons, computed with the program's own network code."""
    mixer = Mixer([lesson((HELD_OUT_SEED, index)) for index in range(N_HELD_OUT)])
    given, wanted, weight = batch(mixer, np.random.default_rng(HELD_OUT_SEED), np.arange(N_HELD_OUT), begins)
    total = count = 0.0
    for song in range(N_HELD_OUT):
        found = np.concatenate(list(AheadNetwork(as_ahead_weights(weights)).push(given[song])))
        kick = np.clip(found[:, 0].astype(np.float64), 1e-9, 1 - 1e-9)
        right = np.where(wanted[song, : len(kick), 0] > 0, np.log(kick), np.log1p(-kick))
        total -= float((weight[song, : len(kick), 0] * right).sum())
        count += float(weight[song, : len(kick), 0].sum())
    return total / count


def main() -> None:
    """Train on the lessons of a folder, and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", nargs="?", type=Path, default=WEIGHTS_FILE, metavar="OUT.npz")
    parser.add_argument("--lessons", type=Path, metavar="FOLDER", help="as tools/train_kick.py wrote them")
    parser.add_argument("--tiny", action="store_true", help="a small run of a few seconds")
    arguments = parser.parse_args()
    if arguments.tiny and arguments.out == WEIGHTS_FILE:
        parser.error("--tiny would overwrite the weights; name another file")
    if not arguments.tiny and arguments.lessons is None:
        parser.error("--lessons FOLDER is needed; `tools/train_kick.py --lessons FOLDER` writes one")
    tiny = [lesson((SEED, index)) for index in range(N_TINY_LESSONS)]
    if arguments.tiny:
        found, tiny_losses = train(TINY, tiny)
    else:
        found, _ = train(Plan(), load(arguments.lessons / "training"))
        _, tiny_losses = train(TINY, tiny)
    loss = held_out_loss(found)
    np.savez(arguments.out, **found, tiny_losses=np.float32(tiny_losses), held_out_loss=np.float32(loss))
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes, loss on songs held out {loss:.4f}")


if __name__ == "__main__":
    main()
