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
# The backward layer begins anew, in silence, for each chunk of so many hops. Fewer cost more, more need more sound
# ahead.
CHUNK_HOPS = 60


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


class AheadNetwork:
    """Runs the network over rows of inputs, chunk by chunk."""

    def __init__(self, weights: AheadWeights) -> None:
        self._weights = weights
        self._state: Floats32 = np.zeros(len(weights.again), np.float32)
        self._waiting: Floats32 = np.zeros((0, N_INPUTS), np.float32)

    def push(self, inputs: NDArray[np.floating]) -> Iterator[Floats32]:
        """Take (n, inputs) of the next hops; yield, for each chunk that is now known with what comes after it,
        (CHUNK_HOPS, events): the probability 0..1 that each of EVENTS begins at the end of the hop.

        Chunks begin at multiples of CHUNK_HOPS: their results do not depend on n.
        """
        self._waiting = np.concatenate([self._waiting, inputs.astype(np.float32)])
        while len(self._waiting) >= CHUNK_HOPS + AHEAD_HOPS:
            chunk = np.ascontiguousarray(self._waiting[: CHUNK_HOPS + AHEAD_HOPS])
            self._waiting = self._waiting[CHUNK_HOPS:]
            yield self._chunk(chunk)

    def _chunk(self, inputs: Floats32) -> Floats32:
        """(CHUNK_HOPS + AHEAD_HOPS, inputs) -> (CHUNK_HOPS, events)."""
        w = self._weights
        nothing = np.zeros(len(w.back_again), np.float32)
        projected = np.maximum(inputs @ w.project + w.project_bias, 0)
        back = gru(projected[::-1] @ w.back_inner + w.back_bias, w.back_again, w.back_again_bias, nothing)
        both = np.concatenate([projected[:CHUNK_HOPS], back[: -CHUNK_HOPS - 1 : -1]], axis=1)
        states = gru(both @ w.inner + w.bias, w.again, w.again_bias, self._state)
        self._state = states[-1]
        with np.errstate(over="ignore"):  # exp() may be infinite, and the probability is 0
            return 1 / (1 + np.exp(-(states @ w.out + w.out_bias)))
