"""The network that detects kick, snare and hat: one gated recurrent layer (GRU), numpy only, hop by hop."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .kick_inputs import N_INPUTS
from .spectrum import Floats

# What is detected, in the order of the outputs.
DRUMS = ("kick", "snare", "hat")
WEIGHTS_FILE = Path(__file__).with_name("kick.npz")


@dataclass(frozen=True)
class Weights:
    """The trained weights, float64. The three parts of the first axis are the gates: reset, update, candidate.

    inner: (3, inputs, units) and inner_bias: (3, units), from the inputs; again: (3, units, units) and again_bias: (3,
    units, 1), from the state before; out: (drums, units) and out_bias: (drums,), from the state to the log odds of each
    of DRUMS.
    """

    inner: Floats
    inner_bias: Floats
    again: Floats
    again_bias: Floats
    out: Floats
    out_bias: Floats


def as_weights(arrays: Mapping[str, NDArray[np.float32]]) -> Weights:
    """Arrays named as the fields of Weights, others ignored, as Weights. Raises ValueError for weights of other inputs."""
    parts = {part.name: np.asarray(arrays[part.name], np.float64) for part in fields(Weights) if part.name in arrays}
    wanted = (3, N_INPUTS, parts["out"].shape[-1])
    if parts["inner"].shape != wanted or parts["out"].shape[0] != len(DRUMS):
        raise ValueError(f"weights for inputs {parts['inner'].shape}, the program has {wanted}")
    return Weights(**parts)


@functools.cache
def shipped_weights() -> Weights:
    """The weights beside this file, read once."""
    with np.load(WEIGHTS_FILE, allow_pickle=False) as file:
        return as_weights(file)


class KickNetwork:
    """Runs the network over rows of inputs and remembers its state."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._state: Floats = np.zeros((weights.out.shape[1], 1))

    def push(self, inputs: NDArray[np.float64]) -> Floats:
        """(n, inputs) of successive hops -> (n, drums): the probability 0..1, for each hop, that each of DRUMS begins.

        Products are of one row or one column each: the result does not depend on n.
        """
        w = self._weights
        from_inputs = np.matmul(inputs[:, None, None, :], w.inner)[:, :, 0] + w.inner_bias
        state = self._state
        states = np.empty((len(inputs), len(state), 1))
        with np.errstate(over="ignore"):  # for a closed gate exp() may be infinite, and the gate is 0
            for hop, row in enumerate(from_inputs[:, :, :, None]):
                again = np.matmul(w.again, state)
                again += w.again_bias
                gates = 1.0 / (1.0 + np.exp(-(row[:2] + again[:2])))
                candidate = np.tanh(row[2] + gates[0] * again[2])
                state = candidate + gates[1] * (state - candidate)
                states[hop] = state
            self._state = state
            return 1.0 / (1.0 + np.exp(-np.matmul(w.out, states)[:, :, 0] - w.out_bias))
