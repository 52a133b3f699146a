"""Trains the decision network (visualizer/beat/kick_decision.py) on the candidates that the first network finds in
lessons.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from tools.kick_lessons import Mixer, inputs
from visualizer.beat.ahead_network import AheadWeights
from visualizer.beat.hindsight import Hindsight
from visualizer.beat.kick_decision import (
    N_FIGURES,
    OPEN_HOPS,
    Candidate,
    CandidateTracker,
    figures_of,
    n_given,
    values_of,
)
from visualizer.beat.kick_inputs import HOPS_PER_S, N_INPUTS
from visualizer.beat.network import EVENTS, KickNetwork, Weights
from visualizer.beat.repeats import N_REPEATS, repeats

# A kick is to be reported within REPORT_S; a report until EITHER_S does not count.
REPORT_S, EITHER_S = 0.05, 0.07
# The sum over the hops of a song is divided by this: about so many hops have candidates.
LOSS_SCALE = 400


@dataclass(frozen=True)
class DecisionPlan:
    """How much is trained: songs, passes, songs to a step, the size of a sound, heads, units of the hidden layers, the
    highest learning rate, and the noise on the inputs and on the scalars, in standard deviations.
    """

    n_songs: int = 3000
    n_epochs: int = 6
    n_together: int = 16
    n_sound: int = 32
    n_heads: int = 2
    n_hidden: int = 32
    rate: float = 3e-3
    noise: float = 0.3
    scalar_noise: float = 0.3


@dataclass(frozen=True)
class Walk:
    """The candidates of a song. Of each candidate: starts: (m,), its first hop; rows: (m, OPEN_HOPS, N_INPUTS) float16,
    the inputs of its hops; log_odds: (m, events), by hindsight; known: (m, 2), the first and the last (excluded) that
    were judged when it began; repeats: (m, N_REPEATS). Of each hop of each candidate: candidate: (n,), its index; age:
    (n,), hops since it began; scalars: (n, N_SCALARS); wanted, weight: (n,).
    """

    starts: np.ndarray
    rows: np.ndarray
    log_odds: np.ndarray
    known: np.ndarray
    repeats: np.ndarray
    candidate: np.ndarray
    age: np.ndarray
    scalars: np.ndarray
    wanted: np.ndarray
    weight: np.ndarray


def walked(
    log_odds: np.ndarray,
    rows: np.ndarray,
    novelty: np.ndarray,
    ahead: AheadWeights,
    kicks_s: np.ndarray,
    buried: np.ndarray,
) -> Walk:
    """The candidates of a song of which the first network's results are given, hop by hop."""
    tracker = CandidateTracker(lambda row: row, Hindsight(ahead))
    found: list[Candidate] = []
    known, repeated, hops, candidate, age, scalars = [], [], [], [], [], []
    for hop in range(len(log_odds)):
        given = tracker.step(log_odds[hop], rows[hop], float(novelty[hop]))
        one = tracker.candidate
        if given is None or one is None:
            continue
        if one.start == hop:
            n_known = len(tracker.judged)
            last = found.index(tracker.judged[-1]) + 1 if n_known else 0
            known.append((last - n_known, last))
            values = values_of(np.array([other.log_odds for other in tracker.judged]).reshape(-1, len(EVENTS)))
            starts = np.array([other.start for other in tracker.judged], np.int64)
            repeated.append(repeats(hop, starts, values[:, 0]))
            found.append(one)
        hops.append(hop)
        candidate.append(len(found) - 1)
        age.append(hop - one.start)
        scalars.append(given)
    judged = np.array([np.zeros(len(EVENTS)) if one.log_odds is None else one.log_odds for one in found])
    sounds = np.zeros((len(found), OPEN_HOPS, N_INPUTS), np.float16)  # the last may have fewer
    for index, one in enumerate(found):
        sounds[index, : len(one.sounds)] = np.array(one.sounds)
    wanted, weight = targets((np.array(hops) + 1) / HOPS_PER_S, kicks_s, buried)
    return Walk(
        np.array([one.start for one in found], int),
        sounds,
        judged.astype(np.float32).reshape(-1, len(EVENTS)),
        np.array(known, int).reshape(-1, 2),
        np.array(repeated, np.float32).reshape(-1, N_REPEATS),
        np.array(candidate, int),
        np.array(age, int),
        np.array(scalars, np.float32),
        wanted,
        weight,
    )


def targets(end_s: np.ndarray, kicks_s: np.ndarray, buried: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The wanted probability at hops that end at end_s, and its weight, (n,) float32."""
    wanted, weight = np.zeros(len(end_s), np.float32), np.ones(len(end_s), np.float32)
    for kick_s, is_buried in zip(kicks_s, buried, strict=True):
        since_s = end_s - kick_s
        weight[(since_s > 0) & (since_s <= EITHER_S) & (wanted == 0)] = 0
        if not is_buried:
            is_wanted = (since_s > 0) & (since_s <= REPORT_S)
            wanted[is_wanted], weight[is_wanted] = 1, 1
    return wanted, weight


def walks(weights: Weights, ahead: AheadWeights, mixer: Mixer, rng: np.random.Generator, n_songs: int) -> list[Walk]:
    """The candidates of so many songs, mixed from lessons at random."""
    found = []
    began_s = time.perf_counter()
    for count in range(n_songs):
        power, hits_s, buried = mixer.mix(rng, int(rng.integers(len(mixer.taught))))
        rows, novelty = inputs(power)
        walk = walked(KickNetwork(weights).push(rows), rows, novelty, ahead, hits_s["kick"], buried["kick"])
        if len(walk.starts):
            found.append(walk)
        if count % 200 == 199:
            print(
                f"candidates of {count + 1} songs, {time.perf_counter() - began_s:.0f} s", file=sys.stderr, flush=True
            )
    return found


def train_decision(plan: DecisionPlan, songs: list[Walk], seed: int) -> tuple[dict[str, np.ndarray], list[float]]:
    """The arrays of visualizer.beat.kick_decision.DecisionWeights, float32, and the loss of every pass."""
    import torch

    functional = torch.nn.functional
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    mean, deviation = _spread(np.concatenate([song.rows[:, ::3].reshape(-1, N_INPUTS) for song in songs[:300]]))
    scalar_mean, scalar_deviation = _spread(np.concatenate([song.scalars for song in songs[:300]]))
    n_scalars = len(scalar_mean)
    sound = torch.nn.Linear(N_INPUTS, plan.n_sound)
    first = torch.nn.Linear(n_given(plan.n_heads), plan.n_hidden)
    second, out = torch.nn.Linear(plan.n_hidden, plan.n_hidden), torch.nn.Linear(plan.n_hidden, 1)
    sharpness = torch.nn.Parameter(torch.full((plan.n_heads,), 1.0))
    forget, nobody = (torch.nn.Parameter(torch.full((plan.n_heads,), -3.0)) for _ in range(2))
    layers = [sound, first, second, out]
    parameters = [p for layer in layers for p in layer.parameters()] + [sharpness, forget, nobody]
    optimiser = torch.optim.AdamW(parameters, lr=plan.rate, weight_decay=1e-2)
    n_steps = len(songs) // plan.n_together
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, plan.rate, total_steps=plan.n_epochs * n_steps, pct_start=0.15
    )

    def blurred(array: np.ndarray, mean: np.ndarray, deviation: np.ndarray, noise: float) -> Any:
        scaled = torch.from_numpy((array.astype(np.float32) - mean) / deviation)
        return scaled + noise * torch.randn(scaled.shape)

    def predicted(song: Walk) -> Any:
        """The log odds of a kick at each hop of each candidate, (n,)."""
        sounds = torch.tanh(sound(blurred(song.rows, mean, deviation, plan.noise)))
        heads = sounds.reshape(len(song.starts), OPEN_HOPS, plan.n_heads, -1).permute(1, 2, 0, 3)  # (ages, H, m, part)
        # every candidate with every other one at the same age: (ages, H, m, m)
        distances = torch.cdist(heads, heads, compute_mode="donot_use_mm_for_euclid_dist").square()
        ages_s = torch.from_numpy((song.starts[:, None] - song.starts[None]) / HOPS_PER_S).float()
        place = torch.arange(len(song.starts))[None]
        known = torch.from_numpy(song.known)
        is_known = (place >= known[:, :1]) & (place < known[:, 1:])
        scores = -functional.softplus(sharpness)[:, None, None] * distances
        scores = scores - functional.softplus(forget)[:, None, None] * ages_s
        scores = scores.masked_fill(~is_known, -1e9)
        none = nobody[:, None, None].expand(OPEN_HOPS, plan.n_heads, len(song.starts), 1)
        shares = torch.softmax(torch.cat([scores, none], dim=3), dim=3)
        values = torch.from_numpy(values_of(song.log_odds).astype(np.float32))
        means = torch.cat([shares[..., :-1] @ values, shares[..., -1:]], dim=3)
        means = means.permute(2, 0, 1, 3).flatten(2)[song.candidate, song.age]
        scalars = blurred(song.scalars, scalar_mean, scalar_deviation, plan.scalar_noise)
        ofsong = torch.from_numpy(np.concatenate([song.repeats, _figures(song)], axis=1))[song.candidate]
        given = torch.cat([scalars, ofsong[:, :N_REPEATS], means, ofsong[:, N_REPEATS:]], dim=1)
        return out(torch.tanh(second(torch.tanh(first(given)))))[:, 0]

    passes = []
    for epoch in range(plan.n_epochs):
        order = rng.permutation(len(songs))[: n_steps * plan.n_together].reshape(n_steps, -1)
        losses = []
        for group in order:
            total = torch.zeros(())
            for index in group:
                song = songs[index]
                wanted, weight = torch.from_numpy(song.wanted), torch.from_numpy(song.weight)
                loss = functional.binary_cross_entropy_with_logits(predicted(song), wanted, weight, reduction="sum")
                total = total + loss / LOSS_SCALE
            optimiser.zero_grad()
            (total / len(group)).backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            schedule.step()
            losses.append(float(total.detach()) / len(group))
        passes.append(float(np.mean(losses)))
        print(f"decision, epoch {epoch + 1}/{plan.n_epochs}: loss {passes[-1]:.4f}", file=sys.stderr, flush=True)
    # the scaling of the inputs is folded in
    sound_weight, first_weight = _array(sound.weight), _array(first.weight)
    first_bias = _array(first.bias) - first_weight[:, :n_scalars] @ (scalar_mean / scalar_deviation)
    first_weight[:, :n_scalars] /= scalar_deviation
    found = {
        "sound": sound_weight / deviation,
        "sound_bias": _array(sound.bias) - sound_weight @ (mean / deviation),
        "sharpness": _array(functional.softplus(sharpness)),
        "forget": _array(functional.softplus(forget)),
        "nobody": _array(nobody),
        "first": first_weight,
        "first_bias": first_bias,
        "second": _array(second.weight),
        "second_bias": _array(second.bias),
        "out": _array(out.weight)[0],
        "out_bias": _array(out.bias)[0],
    }
    return {f"decision_{name}": np.asarray(array, np.float32) for name, array in found.items()}, passes


def _spread(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean and the standard deviation of each column, float32."""
    wide = rows.astype(np.float64)
    return wide.mean(axis=0).astype(np.float32), (wide.std(axis=0) + 1e-2).astype(np.float32)


def _figures(song: Walk) -> np.ndarray:
    """`kick_decision.figures_of` for each candidate, (m, N_FIGURES) float32."""
    kicks = values_of(song.log_odds.astype(np.float64))[:, 0]
    return np.array([figures_of(kicks[first:last]) for first, last in song.known], np.float32).reshape(-1, N_FIGURES)


def _array(parameter: Any) -> np.ndarray:
    return parameter.detach().numpy().astype(np.float64)
