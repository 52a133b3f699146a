"""What was heard a second ago: the network for known songs, hop by hop, a bounded time late."""

import numpy as np
import pytest

from visualizer.beat.ahead_network import CHUNK_HOPS, LATE_HOPS, AheadNetwork, shipped_ahead_weights
from visualizer.beat.hindsight import AFTER_HOPS, BEFORE_HOPS, JUDGED_HOPS, MOST_LOG_ODDS, Hindsight
from visualizer.beat.kick_inputs import N_INPUTS

N_HOPS = 8 * CHUNK_HOPS


@pytest.fixture(scope="module")
def rows():
    """Inputs with a rise every half second or so."""
    rng = np.random.default_rng(4)
    rows = rng.normal(0, 0.1, (N_HOPS, N_INPUTS))
    for start in range(40, N_HOPS - 9, 73):
        rows[start : start + 9] += rng.uniform(0, 2, N_INPUTS) * 0.7 ** np.arange(9)[:, None]
    return rows


@pytest.fixture(scope="module")
def whole(rows):
    """The log odds of each hop that is known, of the whole song at once."""
    probabilities = np.concatenate(list(AheadNetwork(shipped_ahead_weights()).push(rows))).astype(np.float64)
    return np.log(probabilities / (1 - probabilities))


def test_hop_by_hop_the_network_computes_what_it_computes_of_a_whole_song(rows, whole):
    network = AheadNetwork(shipped_ahead_weights())
    found, late = [], []
    for hop, row in enumerate(rows):
        part = network.step(row)
        if part is not None:
            late.append(hop - len(found) * CHUNK_HOPS)
            found.append(part)
    assert len(found) >= 5
    same = whole[: len(found) * CHUNK_HOPS]
    assert np.allclose(np.concatenate(found), same, atol=1e-3)
    assert max(late) < LATE_HOPS


@pytest.mark.parametrize("start", [0, 3, CHUNK_HOPS - AFTER_HOPS, CHUNK_HOPS, 2 * CHUNK_HOPS - 1, 200])
def test_a_candidate_is_judged_by_the_hops_around_its_begin(rows, whole, start):
    hindsight = Hindsight(shipped_ahead_weights())
    for row in rows[: start + JUDGED_HOPS + 1]:
        hindsight.step(row)
    around = whole[max(0, start - BEFORE_HOPS) : start + AFTER_HOPS + 1]
    wanted = np.clip(around, -MOST_LOG_ODDS, MOST_LOG_ODDS).max(axis=0)
    assert np.allclose(hindsight.of(start), wanted, atol=1e-3)
