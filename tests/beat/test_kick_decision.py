"""Candidates, what is remembered of them, and the decision, of which torch's training must be the same computation."""

import numpy as np
import pytest

from tools.kick_decisions import LOSS_SCALE, DecisionPlan, Walk, train_decision, walked
from visualizer.beat.kick_decision import (
    AFTER_HOPS,
    MEMORY,
    OPEN_HOPS,
    CandidateTracker,
    KickDecision,
    as_decision_weights,
    expected,
    n_after,
    n_given,
    shipped_decision,
)
from visualizer.beat.kick_inputs import HOPS_PER_S, N_INPUTS
from visualizer.beat.network import EVENTS, shipped_weights

UNITS = 3


def tracked(kick_logits, units=UNITS):
    """What a tracker gives at each hop, and the tracker."""
    tracker = CandidateTracker(units)
    found = [
        tracker.step(np.array([logit, *[-8.0] * (len(EVENTS) - 1)]), np.full(units, hop), np.zeros(N_INPUTS), 0.0)
        for hop, logit in enumerate(kick_logits)
    ]
    return found, tracker


def pulses(starts, n, length=6):
    logits = np.full(n, -8.0)
    for start in starts:
        logits[start : start + length] = 3.0
    return logits


def test_a_candidate_is_given_for_some_hops_from_where_the_probability_rises():
    found, tracker = tracked(pulses([20], 60))
    hops = [hop for hop, given in enumerate(found) if given is not None]
    assert hops == list(range(20, 20 + OPEN_HOPS))
    assert all(len(found[hop]) == n_given(UNITS) for hop in hops)
    assert tracker.starts.tolist() == [20] and tracker.after.shape == (1, n_after(UNITS))
    assert tracker.after[0, 0] == 20 + AFTER_HOPS, "the state some hops after it began"


def test_two_kicks_75_ms_apart_are_two_candidates_both_remembered():
    _, tracker = tracked(pulses([20, 31], 80))
    assert tracker.starts.tolist() == [20, 31]


def test_a_probability_that_stays_high_is_one_candidate():
    _, tracker = tracked(pulses([20], 200, length=150))
    assert tracker.starts.tolist() == [20]


def test_only_the_last_candidates_are_remembered():
    starts = list(range(10, 10 + 20 * (MEMORY + 5), 20))
    _, tracker = tracked(pulses(starts, starts[-1] + 40))
    assert tracker.starts.tolist() == starts[-MEMORY:]


def test_a_kick_that_continues_an_interval_is_expected():
    starts, kicks = np.array([0, 75, 150]), np.ones(3)
    on, off = expected(225, starts, kicks), expected(225 + 30, starts, kicks)
    assert on[0] > 0.6 and on[1] > 0.2 and np.all(off < 0.01)
    assert np.all(expected(225, starts, np.array([1.0, 1.0, 0.0])) < on), "what was no kick counts less"
    assert np.array_equal(expected(5, np.zeros(0, int), np.zeros(0)), np.zeros(2))


def made_up_walk(seed, n_hops=600):
    """A song in which candidates at even beats are kicks; rows, states and log odds at random."""
    rng = np.random.default_rng(seed)
    starts = np.arange(20, n_hops - 30, 40)
    logits = np.concatenate([pulses(starts, n_hops)[:, None], rng.normal(0, 2, (n_hops, len(EVENTS) - 1))], axis=1)
    states, rows = rng.normal(0, 1, (n_hops, UNITS)), rng.normal(0, 1, (n_hops, N_INPUTS))
    states[starts[::2, None] + np.arange(8), 0] += 3
    novelty = rng.uniform(0, 0.3, n_hops)
    kicks_s = starts[::2] / HOPS_PER_S
    return (logits, states, rows, novelty), walked(logits, states, rows, novelty, kicks_s, np.zeros(len(kicks_s), bool))


def test_a_walk_has_the_labels_of_its_kicks():
    _, walk = made_up_walk(1)
    assert isinstance(walk, Walk) and set(walk.wanted.tolist()) == {0.0, 1.0}
    assert np.array_equal(walk.was_kick, np.arange(len(walk.was_kick)) % 2 == 0)
    assert np.all(np.diff(walk.known) >= 0) and walk.known[-1] >= len(walk.after) - 1


def test_the_program_computes_what_the_training_computed():
    songs = [made_up_walk(seed) for seed in range(6)]
    plan = DecisionPlan(n_epochs=25, n_together=2, n_embedding=6, n_values=2, n_hidden=6, rate=1e-2, dropout=0.0)
    arrays, losses = train_decision(plan, [walk for _, walk in songs], seed=1)
    again, _ = train_decision(plan, [walk for _, walk in songs], seed=1)
    assert all(np.array_equal(arrays[name], again[name]) for name in arrays), "it repeats"
    assert losses[-1] < losses[0] / 2
    weights = as_decision_weights(arrays)
    total = n_songs = 0.0
    for (logits, states, rows, novelty), walk in songs:
        decision = KickDecision(weights, UNITS)
        found = [decision.step(logits[hop], states[hop], rows[hop], float(novelty[hop])) for hop in range(len(logits))]
        decided = np.array([one for one in found if one > 0])
        assert len(decided) == len(walk.wanted)
        assert np.mean((decided > 0.5) == (walk.wanted > 0.5)) > 0.9, "it has learned the rule"
        right = np.where(walk.wanted > 0, decided, 1 - decided)
        total -= float((walk.weight * np.log(np.maximum(right, 1e-12))).sum())
        n_songs += 1
    # the loss of torch's last pass also holds the smaller one of the remembered candidates
    assert 0 < total / n_songs / LOSS_SCALE < losses[-1] * 1.05


def test_the_shipped_decision_fits_the_shipped_network():
    weights, units = shipped_decision(), shipped_weights().out.shape[1]
    assert weights.given.shape[1] == n_given(units) and weights.key.shape[1] == n_after(units)


@pytest.mark.parametrize("value", [np.inf, 1e9, -1e9])
def test_absurd_values_give_a_probability(value):
    units = shipped_weights().out.shape[1]
    decision = KickDecision(shipped_decision(), units)
    found = [decision.step(np.full(len(EVENTS), 5.0), np.ones(units), np.full(N_INPUTS, value), 1e9) for _ in range(40)]
    assert all(0 <= one <= 1 for one in found)
