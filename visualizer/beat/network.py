"""The network that detects kicks, snares, hats and bass notes: one gated recurrent layer (GRU), numpy only, hop by
hop.
"""

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
    """The trained weights, float32. The three parts of the columns are the gates: reset, update, candidate.

    project: (inputs, projected) and project_bias: (projected,), from the inputs to what the layer is given (ReLU).
    inner: (projected, 3 units) and inner_bias: (3 units,), from that; again: (units, 3 units) and again_bias: (3
    units,), from the state before; out: (events, units) and out_bias: (events,), from the state to the log odds of each
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
    """Arrays named as the fields of Weights, others ignored, as Weights. Raises ValueError for weights of other inputs.

    In the file the gates are apart: inner is (3, projected, units), again (3, units after, units before).
    """
    parts = {part.name: np.asarray(arrays[part.name], np.float32) for part in fields(Weights) if part.name in arrays}
    found, wanted = (len(parts["project"]), len(parts["out"])), (N_INPUTS, len(EVENTS))
    if found != wanted:
        raise ValueError(f"weights for {found} inputs and events, the program has {wanted}")
    for name, axes in (("inner", (1, 0, 2)), ("again", (2, 0, 1))):
        parts[name] = np.ascontiguousarray(parts[name].transpose(axes)).reshape(parts[name].shape[axes[0]], -1)
        parts[f"{name}_bias"] = parts[f"{name}_bias"].ravel()
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
        self._state: Floats32 = np.zeros(len(weights.again), np.float32)

    def push(self, inputs: NDArray[np.floating]) -> Floats32:
        """(n, inputs) of successive hops -> (n, events), the log odds that each of EVENTS begins at each hop.

        Products are of one row each: the result does not depend on n.
        """
        w = self._weights
        projected = np.matmul(inputs.astype(np.float32)[:, None, :], w.project) + w.project_bias
        from_inputs = np.matmul(np.maximum(projected, 0), w.inner)[:, 0] + w.inner_bias
        states = gru(from_inputs, w.again, w.again_bias, self._state)
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
    for step, row in enumerate(from_inputs):
        added = state @ again + again_bias
        # the logistic function as a tanh, which cannot overflow
        gates = 0.5 + 0.5 * np.tanh(0.5 * (row[: 2 * units] + added[: 2 * units]))
        candidate = np.tanh(row[2 * units :] + gates[:units] * added[2 * units :])
        state = states[step] = candidate + gates[units:] * (state - candidate)
    return states
