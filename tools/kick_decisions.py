"""Trains the decision network (visualizer/beat/kick_decision.py) on the candidates that the first network finds in lessons."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

import numpy as np

from tools.kick_lessons import Mixer, inputs
from visualizer.beat.kick_decision import (
    INTERVAL_S,
    MEMORY,
    N_INTERVALS,
    N_SCALARS,
    CandidateTracker,
    n_after,
    n_given,
)
from visualizer.beat.kick_inputs import HOPS_PER_S
from visualizer.beat.network import KickNetwork, Weights

# A kick is to be reported within REPORT_S; a report until EITHER_S does not count.
REPORT_S, EITHER_S = 0.05, 0.07
# The sum over the hops of a song is divided by this: about so many hops have candidates.
LOSS_SCALE = 400
# A candidate is a kick if one began so long before its first hop, or so soon after.
BEFORE_S, AFTER_S = 0.05, 0.02


@dataclass(frozen=True)
class DecisionPlan:
    """How much is trained: songs, passes, songs to a step, sizes of the embedding, the values and the hidden layer, the highest
    learning rate, the share of inputs that are dropped."""

    n_songs: int = 2000
    n_epochs: int = 10
    n_together: int = 16
    n_embedding: int = 32
    n_values: int = 8
    n_hidden: int = 32
    rate: float = 3e-3
    dropout: float = 0.1
    with_intervals: bool = True  # False: to measure what they contribute


@dataclass(frozen=True)
class Walk:
    """The candidates of a song. given: (n, n_given) float32, every hop of every candidate; starts: (n,), its first hop;
    known: (n,), how many were remembered by then; wanted, weight: (n,). after: (m, n_after) float32, the remembered;
    after_starts: (m,); was_kick, after_weight: (m,)."""

    given: np.ndarray
    starts: np.ndarray
    known: np.ndarray
    wanted: np.ndarray
    weight: np.ndarray
    after: np.ndarray
    after_starts: np.ndarray
    was_kick: np.ndarray
    after_weight: np.ndarray


def walked(
    logits: np.ndarray,
    states: np.ndarray,
    rows: np.ndarray,
    novelty: np.ndarray,
    kicks_s: np.ndarray,
    buried: np.ndarray,
) -> Walk:
    """The candidates of a song of which the first network's results are given, hop by hop."""
    n_units = states.shape[1]
    tracker = CandidateTracker(n_units)
    given, starts, known, hops, after, after_starts = [], [], [], [], [], []
    for hop in range(len(logits)):
        newest = tracker.starts[-1] if len(tracker.starts) else -1
        found = tracker.step(logits[hop], states[hop], rows[hop], float(novelty[hop]))
        if len(tracker.starts) and tracker.starts[-1] != newest:
            after.append(tracker.after[-1].astype(np.float32))
            after_starts.append(tracker.starts[-1])
        if found is not None and tracker.candidate is not None:
            given.append(found.astype(np.float32))
            starts.append(tracker.candidate.start)
            known.append(len(after))
            hops.append(hop)
    end_s = (np.array(hops, int) + 1) / HOPS_PER_S
    wanted, weight = np.zeros(len(hops), np.float32), np.ones(len(hops), np.float32)
    start_s = (np.array(after_starts, int) + 1) / HOPS_PER_S
    was_kick, after_weight = np.zeros(len(start_s), np.float32), np.ones(len(start_s), np.float32)
    for kick_s, is_buried in zip(kicks_s, buried, strict=True):
        since_s = end_s - kick_s
        weight[(since_s > 0) & (since_s <= EITHER_S) & (wanted == 0)] = 0
        near = (start_s - kick_s > -AFTER_S) & (start_s - kick_s <= BEFORE_S)
        if is_buried:
            after_weight[near] = 0
        else:
            is_wanted = (since_s > 0) & (since_s <= REPORT_S)
            wanted[is_wanted], weight[is_wanted] = 1, 1
            was_kick[near] = 1
    return Walk(
        np.array(given, np.float32).reshape(-1, n_given(n_units)),
        np.array(starts, int),
        np.array(known, int),
        wanted,
        weight,
        np.array(after, np.float32).reshape(-1, n_after(n_units)),
        np.array(after_starts, int),
        was_kick,
        after_weight,
    )


def walks(weights: Weights, mixer: Mixer, rng: np.random.Generator, n_songs: int) -> list[Walk]:
    """The candidates of so many songs, mixed from lessons at random."""
    found = []
    began_s = time.perf_counter()
    for count in range(n_songs):
        power, hits_s, buried = mixer.mix(rng, int(rng.integers(len(mixer.taught))))
        rows, novelty = inputs(power)
        network = KickNetwork(weights)
        logits, states = network.push(rows)
        found.append(walked(logits, states, rows, novelty, hits_s["kick"], buried["kick"]))
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
    songs = [song for song in songs if len(song.given)]
    some = [song.given for song in songs[:300]], [song.after for song in songs[:300]]
    scales = [(np.concatenate(part).mean(axis=0), np.concatenate(part).std(axis=0) + 1e-2) for part in some]
    n_inputs, n_remembered = len(scales[0][0]), len(scales[1][0])
    size, n_values = plan.n_embedding, plan.n_values
    given = torch.nn.Linear(n_inputs, size)
    key = torch.nn.Linear(n_remembered, size)
    kick, value = torch.nn.Linear(size, 1), torch.nn.Linear(size, n_values)
    attend = torch.nn.Parameter(torch.eye(size) * 0.5)
    nobody, forget = torch.nn.Parameter(torch.zeros(1)), torch.nn.Parameter(torch.tensor([-3.0]))
    hidden = torch.nn.Linear(size + N_SCALARS + 1 + n_values + 1 + N_INTERVALS, plan.n_hidden)
    out = torch.nn.Linear(plan.n_hidden, 1)
    layers = [given, key, kick, value, hidden, out]
    parameters = [p for layer in layers for p in layer.parameters()] + [attend, nobody, forget]
    optimiser = torch.optim.AdamW(parameters, lr=plan.rate, weight_decay=1e-2)
    n_steps = len(songs) // plan.n_together
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, plan.rate, total_steps=plan.n_epochs * n_steps, pct_start=0.15
    )
    mean_given, mean_after = (torch.from_numpy(mean.astype(np.float32)) for mean, _ in scales)
    deviation_given, deviation_after = (torch.from_numpy(deviation.astype(np.float32)) for _, deviation in scales)
    passes = []
    for epoch in range(plan.n_epochs):
        order = rng.permutation(len(songs))[: n_steps * plan.n_together].reshape(n_steps, -1)
        losses = []
        for group in order:
            total = torch.zeros(())
            for index in group:
                song = songs[index]
                raw = (torch.from_numpy(song.given) - mean_given) / deviation_given
                embedded = torch.tanh(given(functional.dropout(raw, plan.dropout)))
                keys = torch.tanh(
                    key(functional.dropout((torch.from_numpy(song.after) - mean_after) / deviation_after, plan.dropout))
                )
                kicks = kick(keys)[:, 0]
                ages_s = torch.from_numpy((song.starts[:, None] - song.after_starts[None]) / HOPS_PER_S).float()
                scores = embedded @ attend.T @ keys.T - functional.softplus(forget) * ages_s
                place = torch.arange(len(keys))[None]
                known = torch.from_numpy(song.known)[:, None]
                visible = (place < known) & (place >= known - MEMORY)
                scores = torch.cat([scores.masked_fill(~visible, -1e9), nobody.expand(len(scores), 1)], dim=1)
                shares = torch.softmax(scores, dim=1)
                likely = torch.sigmoid(kicks)
                values = torch.cat([likely[:, None], torch.tanh(value(keys))], dim=1)
                intervals = _expected(ages_s, visible, likely.detach())
                if not plan.with_intervals:
                    intervals = torch.zeros_like(intervals)
                parts = [embedded, raw[:, -N_SCALARS:], shares[:, :-1] @ values, shares[:, -1:], intervals]
                logit = out(torch.tanh(hidden(torch.cat(parts, dim=1))))[:, 0]
                wanted, weight = torch.from_numpy(song.wanted), torch.from_numpy(song.weight)
                loss = functional.binary_cross_entropy_with_logits(logit, wanted, weight, reduction="sum") / LOSS_SCALE
                if len(keys):
                    was, sure = torch.from_numpy(song.was_kick), torch.from_numpy(song.after_weight)
                    loss = (
                        loss + 0.3 * functional.binary_cross_entropy_with_logits(kicks, was, sure, reduction="sum") / 50
                    )
                total = total + loss
            optimiser.zero_grad()
            (total / len(group)).backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            schedule.step()
            losses.append(float(total.detach()) / len(group))
        passes.append(float(np.mean(losses)))
        print(f"decision, epoch {epoch + 1}/{plan.n_epochs}: loss {passes[-1]:.4f}", file=sys.stderr, flush=True)
    # the scaling of the inputs is folded in
    (given_mean, given_deviation), (after_mean, after_deviation) = scales
    given_weight, key_weight = (_array(layer.weight) for layer in (given, key))
    scalar = slice(size, size + N_SCALARS)
    hidden_weight = _array(hidden.weight)
    hidden_bias = _array(hidden.bias) - hidden_weight[:, scalar] @ (given_mean / given_deviation)[-N_SCALARS:]
    hidden_weight[:, scalar] /= given_deviation[-N_SCALARS:]
    found = {
        "given": given_weight / given_deviation,
        "given_bias": _array(given.bias) - given_weight @ (given_mean / given_deviation),
        "key": key_weight / after_deviation,
        "key_bias": _array(key.bias) - key_weight @ (after_mean / after_deviation),
        "kick": _array(kick.weight)[0],
        "kick_bias": _array(kick.bias)[0],
        "value": _array(value.weight),
        "value_bias": _array(value.bias),
        "attend": _array(attend),
        "nobody": _array(nobody)[0],
        "forget": _array(functional.softplus(forget))[0],
        "hidden": hidden_weight,
        "hidden_bias": hidden_bias,
        "out": _array(out.weight)[0],
        "out_bias": _array(out.bias)[0],
    }
    return {f"decision_{name}": np.asarray(array, np.float32) for name, array in found.items()}, passes


def _array(parameter) -> np.ndarray:
    return parameter.detach().numpy().astype(np.float64)


def _expected(ages_s, visible, kicks):
    """`kick_decision.expected` for many candidates at once: (n, N_INTERVALS)."""
    import torch

    found = torch.zeros(len(ages_s), N_INTERVALS)
    times_s = -ages_s
    # all hops of a candidate have the same times
    for row in range(len(ages_s)):
        if row and bool((ages_s[row] == ages_s[row - 1]).all()) and bool((visible[row] == visible[row - 1]).all()):
            found[row] = found[row - 1]
            continue
        some = times_s[row][visible[row]]
        if len(some) < 2:
            continue
        likely = kicks[visible[row]]
        misses_s = 2 * some[None, :] - some[:, None]
        pairs = torch.exp(-0.5 * (misses_s / INTERVAL_S) ** 2) * likely[:, None] * likely[None, :]
        total = pairs.triu(1).sum()  # the first of a pair before the second
        found[row, 0], found[row, 1] = torch.log1p(total), total / (0.5 + likely.sum())
    return found
