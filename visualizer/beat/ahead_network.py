"""The network that detects drums and bass notes in a song that is known beforehand: two recurrent layers, numpy only.

The inputs are first projected to fewer numbers. The first layer (GRU) runs backwards over AHEAD_HOPS of what comes; the
second runs forwards through the song, over the projected inputs and the state of the first. So the second knows at each
hop what came and what comes.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .kick_inputs import N_INPUTS
from .network import EVENTS, Floats32, gru

WEIGHTS_FILE = Path(__file__).with_name("ahead.npz")
# Every hop is judged with at least so many hops after it: half a second.
AHEAD_HOPS = 75
# The backward layer starts from a state of zeros for each chunk of so many hops. Fewer cost more, more need more sound
# ahead.
CHUNK_HOPS = 60
# Hop by hop, so many steps of a layer are a part of the work, and there are so many parts to a chunk.
STEPS = 8
N_PARTS = -(-(CHUNK_HOPS + AHEAD_HOPS) // STEPS) + -(-CHUNK_HOPS // STEPS)
# So many hops after a hop its result is known, at most.
LATE_HOPS = CHUNK_HOPS + AHEAD_HOPS + N_PARTS


@dataclass(frozen=True)
class AheadWeights:
    """The trained weights, float32. Names with `back` are of the backward layer, of B units; the others of the forward
    layer, of F units. The three parts of the columns are the gates: reset, update, candidate.

    project: (inputs, P) and project_bias: (P,), to the projected inputs; back_inner: (P, 3 B), back_bias: (3 B,),
    back_again: (B, 3 B), back_again_bias: (3 B,); inner: (P + B, 3 F), bias: (3 F,), again: (F, 3 F), again_bias: (3
    F,); out: (F, events) and out_bias: (events,), to the log odds of each of EVENTS.
    """

    project: Floats32
    project_bias: Floats32
    back_inner: Floats32
    back_bias: Floats32
    back_again: Floats32
    back_again_bias: Floats32
    inner: Floats32
    bias: Floats32
    again: Floats32
    again_bias: Floats32
    out: Floats32
    out_bias: Floats32


def as_ahead_weights(arrays: Mapping[str, NDArray[np.floating]]) -> AheadWeights:
    """Arrays named as the fields of AheadWeights, others ignored. Raises ValueError for weights of other inputs."""
    parts = {part.name: np.ascontiguousarray(arrays[part.name], np.float32) for part in fields(AheadWeights)}
    if len(parts["project"]) != N_INPUTS or parts["out"].shape[1] != len(EVENTS):
        raise ValueError(f"weights for {len(parts['project'])} inputs, the program has {N_INPUTS}")
    return AheadWeights(**parts)


@functools.cache
def shipped_ahead_weights() -> AheadWeights:
    """The weights beside this file, read once."""
    with np.load(WEIGHTS_FILE, allow_pickle=False) as file:
        return as_ahead_weights(file)


def probabilities(log_odds: Floats32) -> Floats32:
    """Log odds -> probabilities 0..1."""
    with np.errstate(over="ignore"):  # exp() may be infinite, and the probability is 0
        found: Floats32 = np.reciprocal(1 + np.exp(-log_odds))
    return found


class AheadNetwork:
    """Runs the network over rows of inputs, chunk by chunk: a whole song with `push`, or hop by hop with `step`."""

    def __init__(self, weights: AheadWeights) -> None:
        self._weights = weights
        self._state: Floats32 = np.zeros(len(weights.again), np.float32)
        self._waiting: Floats32 = np.zeros((CHUNK_HOPS + AHEAD_HOPS, N_INPUTS), np.float32)
        self._n_waiting = 0
        self._work: Iterator[Floats32 | None] = iter(())  # what is left to do of a chunk

    def push(self, inputs: NDArray[np.floating]) -> Iterator[Floats32]:
        """Take (n, inputs) of the next hops; yield, for each chunk that is now known with what comes after it,
        (CHUNK_HOPS, events): the probability 0..1 that each of EVENTS begins at the end of the hop.

        Chunks begin at multiples of CHUNK_HOPS: their results do not depend on n.
        """
        while len(inputs):
            n_taken = min(len(inputs), len(self._waiting) - self._n_waiting)
            chunk = self._take(inputs[:n_taken])
            inputs = inputs[n_taken:]
            if chunk is not None:
                *_, log_odds = self._judged(chunk)
                assert log_odds is not None, "the last of them is the result"
                yield probabilities(log_odds)

    def step(self, row: NDArray[np.floating]) -> Floats32 | None:
        """Take the next hop, (inputs,), and do a part of the work: no hop costs much more than another.

        Returns (CHUNK_HOPS, events), the log odds of the next chunk, once they are computed: at most LATE_HOPS after
        its first hop.
        """
        chunk = self._take(row[None])
        if chunk is not None:
            self._work = self._judged(chunk)
        return next(self._work, None)

    def _take(self, inputs: NDArray[np.floating]) -> Floats32 | None:
        """Keep (n, inputs), no more than are missing; the chunk with what comes after it, once it is complete."""
        end = self._n_waiting + len(inputs)
        self._waiting[self._n_waiting : end] = inputs
        self._n_waiting = end
        if end < len(self._waiting):
            return None
        chunk = self._waiting.copy()
        self._waiting[:AHEAD_HOPS] = chunk[CHUNK_HOPS:]
        self._n_waiting = AHEAD_HOPS
        return chunk

    def _judged(self, inputs: Floats32) -> Iterator[Floats32 | None]:
        """(CHUNK_HOPS + AHEAD_HOPS, inputs) -> None for each part of the work, N_PARTS - 1 times, and then (CHUNK_HOPS,
        events), the log odds.
        """
        w = self._weights
        projected = np.maximum(inputs @ w.project + w.project_bias, 0)
        given = projected[::-1] @ w.back_inner + w.back_bias
        back: Floats32 = np.zeros((1, len(w.back_again)), np.float32)
        states = [back]
        for first in range(0, len(given), STEPS):
            back = gru(given[first : first + STEPS], w.back_again, w.back_again_bias, back[-1])
            states.append(back)
            yield None
        backward = np.concatenate(states)[: -CHUNK_HOPS - 1 : -1]
        given = np.concatenate([projected[:CHUNK_HOPS], backward], axis=1) @ w.inner + w.bias
        states = []
        for first in range(0, CHUNK_HOPS, STEPS):
            states.append(gru(given[first : first + STEPS], w.again, w.again_bias, self._state))
            self._state = states[-1][-1]
            if first + STEPS < CHUNK_HOPS:
                yield None
        yield np.concatenate(states) @ w.out + w.out_bias
