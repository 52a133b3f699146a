"""The network that detects kicks, snares, hats and bass notes: one gated recurrent layer (GRU), numpy only, hop by hop."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .kick_inputs import N_INPUTS

Floats32 = NDArray[np.float32]
# What is detected, in the order of the outputs: the begin of each.
EVENTS = ("kick", "snare", "hat", "bass")
WEIGHTS_FILE = Path(__file__).with_name("kick.npz")


@dataclass(frozen=True)
class Weights:
    """The trained weights, float32. The three parts of the first axis are the gates: reset, update, candidate.

    project: (inputs, projected) and project_bias: (projected,), from the inputs to what the layer is given (ReLU). inner:
    (3, projected, units) and inner_bias: (3, units), from that; again: (3, units, units) and again_bias: (3,
    units, 1), from the state before; out: (events, units) and out_bias: (events,), from the state to the log odds of each
    of EVENTS.
    """

    project: Floats32
    project_bias: Floats32
    inner: Floats32
    inner_bias: Floats32
    again: Floats32
    again_bias: Floats32
    out: Floats32
    out_bias: Floats32


def as_weights(arrays: Mapping[str, NDArray[np.float32]]) -> Weights:
    """Arrays named as the fields of Weights, others ignored, as Weights. Raises ValueError for weights of other inputs."""
    parts = {part.name: np.asarray(arrays[part.name], np.float32) for part in fields(Weights) if part.name in arrays}
    found, wanted = (len(parts["project"]), len(parts["out"])), (N_INPUTS, len(EVENTS))
    if found != wanted:
        raise ValueError(f"weights for {found} inputs and events, the program has {wanted}")
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
        _, n_projected, units = weights.inner.shape
        # the gates side by side, as `gru` takes them
        self._inner = np.ascontiguousarray(weights.inner.transpose(1, 0, 2).reshape(n_projected, 3 * units))
        self._again = np.ascontiguousarray(weights.again.transpose(2, 0, 1).reshape(units, 3 * units))
        self._inner_bias, self._again_bias = weights.inner_bias.ravel(), weights.again_bias.ravel()
        self._state: Floats32 = np.zeros(units, np.float32)

    def push(self, inputs: NDArray[np.floating]) -> Floats32:
        """(n, inputs) of successive hops -> (n, events), the log odds that each of EVENTS begins at each hop.

        Products are of one row each: the result does not depend on n.
        """
        w = self._weights
        projected = np.matmul(inputs.astype(np.float32)[:, None, :], w.project) + w.project_bias
        from_inputs = np.matmul(np.maximum(projected, 0), self._inner)[:, 0] + self._inner_bias
        states = gru(from_inputs, self._again, self._again_bias, self._state)
        if len(states):
            self._state = states[-1]
        return np.matmul(w.out, states[:, :, None])[:, :, 0] + w.out_bias


def gru(from_inputs: Floats32, again: Floats32, again_bias: Floats32, state: Floats32) -> Floats32:
    """A gated recurrent layer over successive steps, with the gates of torch.nn.GRU.

    Parameters
    ----------
    from_inputs : (n, 3 units), what the inputs add to the gates: reset, update, candidate.
    again, again_bias : (units, 3 units), (3 units,), what the state before adds to them.
    state : (units,), before the first step.

    Returns the state after each step, (n, units).
    """
    units = len(again)
    states = np.empty((len(from_inputs), units), np.float32)
    with np.errstate(over="ignore"):  # for a closed gate exp() may be infinite, and the gate is 0
        for step, row in enumerate(from_inputs):
            added = state @ again + again_bias
            gates = 1 / (1 + np.exp(-(row[: 2 * units] + added[: 2 * units])))
            candidate = np.tanh(row[2 * units :] + gates[:units] * added[2 * units :])
            state = candidate + gates[units:] * (state - candidate)
            states[step] = state
    return states
