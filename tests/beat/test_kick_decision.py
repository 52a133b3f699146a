"""Candidates, what is remembered of them, and the decision, of which torch's training must be the same computation."""

import functools

import numpy as np
import pytest

from tools.kick_decisions import LOSS_SCALE, DecisionPlan, Walk, train_decision, walked
from visualizer.beat.ahead_network import shipped_ahead_weights
from visualizer.beat.hindsight import JUDGED_HOPS, Hindsight
from visualizer.beat.kick_decision import (
    N_SCALARS,
    OPEN_HOPS,
    CandidateTracker,
    KickDecision,
    as_decision_weights,
    n_given,
    shipped_decision,
)
from visualizer.beat.kick_inputs import HOPS_PER_S, N_INPUTS
from visualizer.beat.network import EVENTS
from visualizer.beat.repeats import SONG_HOPS


def tracked(kick_log_odds):
    """What a tracker gives at each hop, and the tracker. The inputs are the number of the hop."""
    tracker = CandidateTracker(lambda row: row[:1], Hindsight(shipped_ahead_weights()))
    found = [
        tracker.step(np.array([log_odds, *[-8.0] * (len(EVENTS) - 1)]), np.full(N_INPUTS, hop), 0.0)
        for hop, log_odds in enumerate(kick_log_odds)
    ]
    return found, tracker


def pulses(starts, n, length=6):
    log_odds = np.full(n, -8.0)
    for start in starts:
        log_odds[start : start + length] = 3.0
    return log_odds


def test_a_candidate_is_given_for_some_hops_from_where_the_probability_rises():
    found, tracker = tracked(pulses([20], 60))
    hops = [hop for hop, given in enumerate(found) if given is not None]
    assert hops == list(range(20, 20 + OPEN_HOPS)) and tracker.candidate is None
    assert all(len(found[hop]) == N_SCALARS for hop in hops)


def test_a_candidate_is_judged_a_second_later_with_its_sound_at_every_age():
    for n, is_judged in ((20 + JUDGED_HOPS, False), (21 + JUDGED_HOPS, True)):
        _, tracker = tracked(pulses([20], n))
        assert [one.start for one in tracker.judged] == [20] * is_judged
    assert np.array(tracker.judged[0].sounds)[:, 0].tolist() == list(range(20, 20 + OPEN_HOPS))
    assert tracker.judged[0].log_odds.shape == (len(EVENTS),)


def test_two_kicks_75_ms_apart_are_two_candidates():
    _, tracker = tracked(pulses([20, 31], 80 + JUDGED_HOPS))
    assert [one.start for one in tracker.judged] == [20, 31]


def test_a_candidate_that_is_soon_followed_by_another_has_its_sound_at_every_age():
    log_odds = pulses([20], 60 + JUDGED_HOPS, length=2)
    log_odds[24:30] = 3.0
    found, tracker = tracked(log_odds)
    assert [one.start for one in tracker.judged] == [20, 24]
    assert all(len(one.sounds) == OPEN_HOPS for one in tracker.judged)
    assert sum(given is not None for given in found) == 4 + OPEN_HOPS, "one is decided at a time"


def test_a_probability_that_stays_high_is_one_candidate():
    _, tracker = tracked(pulses([20], 200 + JUDGED_HOPS, length=150))
    assert [one.start for one in tracker.judged] == [20]


def test_what_was_longer_ago_is_forgotten():
    starts = np.arange(10, 10 + SONG_HOPS + 700, 50)
    _, tracker = tracked(pulses(starts, starts[-1] + 40))
    last = starts[-1] + 39
    assert [one.start for one in tracker.judged] == [
        start for start in starts if last - SONG_HOPS < start <= last - JUDGED_HOPS
    ]


def made_up_song(seed, n_hops=900):
    """Log odds, inputs and novelty of a song in which every other candidate sounds alike, and these are its kicks."""
    rng = np.random.default_rng(seed)
    starts = np.arange(20, n_hops - 30, 40)
    log_odds = np.concatenate([pulses(starts, n_hops)[:, None], rng.normal(0, 2, (n_hops, len(EVENTS) - 1))], axis=1)
    rows = rng.normal(0, 0.3, (n_hops, N_INPUTS))
    kicks = starts[::2]
    rows[kicks[:, None] + np.arange(OPEN_HOPS)] += np.sin(np.arange(N_INPUTS))
    return (log_odds, rows, rng.uniform(0, 0.3, n_hops)), kicks / HOPS_PER_S


@functools.cache
def made_up_walk(seed):
    """A song, and its walk, with what each candidate was in place of what the network says of inputs at random."""
    song, kicks_s = made_up_song(seed)
    return song, walked(*song, shipped_ahead_weights(), kicks_s, np.zeros(len(kicks_s), bool))


def test_a_walk_has_the_candidates_and_the_targets_of_a_song():
    _, walk = made_up_walk(1)
    assert isinstance(walk, Walk) and set(walk.wanted.tolist()) == {0.0, 1.0}
    assert len(walk.starts) == len(walk.rows) == len(walk.log_odds) == len(walk.known) == len(walk.repeats)
    first, last = walk.known.T
    for index, start in enumerate(walk.starts):
        known = walk.starts[first[index] : last[index]]
        assert np.all((known > start - SONG_HOPS) & (known <= start - JUDGED_HOPS))
    assert last[-1] > 10 and np.all(walk.wanted[walk.age == 3] == (walk.candidate[walk.age == 3] % 2 == 0))


def test_the_program_computes_what_the_training_computed():
    songs = [made_up_walk(seed) for seed in range(2)]
    plan = DecisionPlan(n_epochs=1, n_together=1, n_sound=6, n_hidden=6, rate=1e-9, noise=0.0, scalar_noise=0.0)
    arrays, losses = train_decision(plan, [walk for _, walk in songs], seed=1)
    total = 0.0
    for (log_odds, rows, novelty), walk in songs:
        decision = KickDecision(as_decision_weights(arrays), shipped_ahead_weights())
        found = [decision.step(log_odds[hop], rows[hop], float(novelty[hop])) for hop in range(len(rows))]
        decided = np.array([one for one in found if one > 0])
        right = np.where(walk.wanted > 0, decided, 1 - decided)
        total -= float((walk.weight * np.log(np.maximum(right, 1e-12))).sum())
    assert total / len(songs) / LOSS_SCALE == pytest.approx(losses[0], rel=1e-3)


def test_the_training_learns_and_repeats():
    songs = [made_up_walk(seed)[1] for seed in range(4)]
    plan = DecisionPlan(n_epochs=40, n_together=2, n_sound=6, n_hidden=6, rate=2e-2, noise=0.1, scalar_noise=0.1)
    arrays, losses = train_decision(plan, songs, seed=1)
    again, _ = train_decision(plan, songs, seed=1)
    assert all(np.array_equal(arrays[name], again[name]) for name in arrays)
    assert losses[-1] < losses[0] / 2


def test_the_shipped_decision_fits():
    weights = shipped_decision()
    assert weights.sound.shape[1] == N_INPUTS and weights.first.shape[1] == n_given(len(weights.sharpness))


@pytest.mark.parametrize("value", [np.inf, 1e9, -1e9])
def test_absurd_values_give_a_probability(value):
    decision = KickDecision(shipped_decision(), shipped_ahead_weights())
    with np.errstate(all="ignore"):
        found = [decision.step(np.full(len(EVENTS), 5.0), np.full(N_INPUTS, value), 1e9) for _ in range(300)]
    assert all(0 <= one <= 1 for one in found)
