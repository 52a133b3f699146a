"""The network that tells a kick: one gated recurrent layer (GRU), numpy only, a hop at a time."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .hearing import N_FEATURES
from .spectrum import Floats

WEIGHTS_FILE = Path(__file__).with_name("kick.npz")


@dataclass(frozen=True)
class Weights:
    """What training found, float64. The three parts of the first axis are the gates: reset, update, candidate.

    inner: (3, features, units) and inner_bias: (3, units), what the features say; again: (3, units, units) and
    again_bias: (3, units, 1), what the state says; out: (units,) and out_bias, state -> log odds of a kick.
    """

    inner: Floats
    inner_bias: Floats
    again: Floats
    again_bias: Floats
    out: Floats
    out_bias: float


def as_weights(arrays: Mapping[str, NDArray[np.float32]]) -> Weights:
    """Arrays of the names of Weights' fields, others passed over, as Weights. Raises ValueError if they fit another ear."""
    parts = {part.name: np.asarray(arrays[part.name], np.float64) for part in fields(Weights) if part.name in arrays}
    wanted = (3, N_FEATURES, len(parts["out"]))
    if parts["inner"].shape != wanted:
        raise ValueError(f"weights for features {parts['inner'].shape}, the ear gives {wanted}")
    out_bias = float(parts.pop("out_bias").item())
    return Weights(**parts, out_bias=out_bias)


@functools.cache
def shipped_weights() -> Weights:
    """The weights beside this file, read once."""
    with np.load(WEIGHTS_FILE, allow_pickle=False) as file:
        return as_weights(file)


class KickNetwork:
    """Runs the network over rows of features and remembers its state."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._state: Floats = np.zeros((len(weights.out), 1))

    def push(self, features: NDArray[np.float64]) -> list[float]:
        """(n, features) of successive hops -> the probability 0..1, for each, that a kick has just begun.

        Products are of one row or one column each: the result does not depend on n.
        """
        w = self._weights
        # minus, for the two gates: 1 / (1 + exp(-x)) then needs no turn of its own in the loop
        given = np.matmul(features[:, None, None, :], w.inner)[:, :, 0] + w.inner_bias
        state = self._state
        told = []
        for row in given[:, :, :, None]:
            again = np.matmul(w.again, state)
            again += w.again_bias
            gates = 1.0 / (1.0 + np.exp(-(row[:2] + again[:2])))
            candidate = np.tanh(row[2] + gates[0] * again[2])
            state = candidate + gates[1] * (state - candidate)
            told.append(1.0 / (1.0 + math.exp(-float(np.dot(w.out, state)[0]) - w.out_bias)))
        self._state = state
        return told
