"""The stages of the kick follower, each at every hop: for plots and measurements."""

from __future__ import annotations

import numpy as np

from visualizer.beat.ahead_network import shipped_ahead_weights
from visualizer.beat.follower import KICK_PROBABILITY, kick_probability
from visualizer.beat.kick_decision import DecisionWeights, KickDecision
from visualizer.beat.kick_inputs import HOPS_PER_S, KickInputs
from visualizer.beat.kick_picker import KickPicker
from visualizer.beat.network import KickNetwork, Weights
from visualizer.beat.onset_follower import HOLD_S
from visualizer.settings import BeatSettings

HOLD_HOPS = round(HOLD_S / (1 / HOPS_PER_S))  # as in OnsetFollower


def inputs_of(sound: np.ndarray, rate_hz: int) -> tuple[np.ndarray, np.ndarray]:
    """The network's inputs, (hops, N_INPUTS), and the novelty, (hops,), of mono sound, (n,)."""
    inputs = KickInputs(rate_hz, BeatSettings().floor_db)
    before = np.zeros(inputs.window_samples - inputs.hop_samples)
    windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([before, sound]), inputs.window_samples)
    windows = windows[:: inputs.hop_samples]
    parts = [inputs.compute(windows[start : start + 256]) for start in range(0, len(windows), 256)]
    rows, novelty = (np.concatenate(part) for part in zip(*parts, strict=True))
    return rows, novelty


def probabilities(
    weights: Weights, decision: DecisionWeights | None, rows: np.ndarray, novelty: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of a kick, 0..1, at every hop: the network's, (hops,), and that by which onsets are reported, (hops,), zeros
    without a decision.
    """
    logits = KickNetwork(weights).push(rows)
    network = 1 / (1 + np.exp(-logits[:, 0].astype(np.float64)))
    if decision is None:
        return network, np.zeros(len(rows))
    decide = KickDecision(decision, shipped_ahead_weights())
    hops = zip(logits, rows, novelty.tolist(), strict=True)
    return network, np.array([kick_probability(decide.step(*hop), float(hop[0][0]), hop[2]) for hop in hops])


def onsets_of(kick: np.ndarray, threshold: float = KICK_PROBABILITY) -> np.ndarray:
    """When onsets are reported, seconds, for the probability of a kick at every hop, (hops,)."""
    picker = KickPicker(threshold, HOLD_HOPS)
    return np.array([hop + 1 for hop, probability in enumerate(kick.tolist()) if picker.step(probability)]) / HOPS_PER_S
