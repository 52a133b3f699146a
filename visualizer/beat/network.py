"""The network that tells a kick, a snare and a hat: one gated recurrent layer (GRU), numpy only, a hop at a time."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .hearing import N_FEATURES
from .spectrum import Floats

# What is told, in this order.
DRUMS = ("kick", "snare", "hat")
WEIGHTS_FILE = Path(__file__).with_name("kick.npz")


@dataclass(frozen=True)
class Weights:
    """What training found, float64. The three parts of the first axis are the gates: reset, update, candidate.

    inner: (3, features, units) and inner_bias: (3, units), what the features say; again: (3, units, units) and
    again_bias: (3, units, 1), what the state says; out: (drums, units) and out_bias: (drums,), state -> log odds of each of DRUMS.
    """

    inner: Floats
    inner_bias: Floats
    again: Floats
    again_bias: Floats
    out: Floats
    out_bias: Floats


def as_weights(arrays: Mapping[str, NDArray[np.float32]]) -> Weights:
    """Arrays of the names of Weights' fields, others passed over, as Weights. Raises ValueError if they fit another ear."""
    parts = {part.name: np.asarray(arrays[part.name], np.float64) for part in fields(Weights) if part.name in arrays}
    wanted = (3, N_FEATURES, parts["out"].shape[-1])
    if parts["inner"].shape != wanted or parts["out"].shape[0] != len(DRUMS):
        raise ValueError(f"weights for features {parts['inner'].shape}, the ear gives {wanted}")
    return Weights(**parts)


@functools.cache
def shipped_weights() -> Weights:
    """The weights beside this file, read once."""
    with np.load(WEIGHTS_FILE, allow_pickle=False) as file:
        return as_weights(file)


class KickNetwork:
    """Runs the network over rows of features and remembers its state."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._state: Floats = np.zeros((weights.out.shape[1], 1))

    def push(self, features: NDArray[np.float64]) -> Floats:
        """(n, features) of successive hops -> (n, drums): the probability 0..1, for each hop, that each of DRUMS has just begun.

        Products are of one row or one column each: the result does not depend on n.
        """
        w = self._weights
        given = np.matmul(features[:, None, None, :], w.inner)[:, :, 0] + w.inner_bias
        state = self._state
        states = np.empty((len(features), len(state), 1))
        with np.errstate(over="ignore"):  # a gate that is shut as can be: exp() is infinite, and the gate 0
            for hop, row in enumerate(given[:, :, :, None]):
                again = np.matmul(w.again, state)
                again += w.again_bias
                gates = 1.0 / (1.0 + np.exp(-(row[:2] + again[:2])))
                candidate = np.tanh(row[2] + gates[0] * again[2])
                state = candidate + gates[1] * (state - candidate)
                states[hop] = state
            self._state = state
            return 1.0 / (1.0 + np.exp(-np.matmul(w.out, states)[:, :, 0] - w.out_bias))
