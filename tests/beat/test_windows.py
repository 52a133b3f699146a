"""Windows of a stream of sound, and the memory of what was found in them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visualizer.beat.windows import BATCH, SlidingWindows, Trail

SOUND = np.random.default_rng(0).normal(0, 0.1, 2000).astype(np.float32)


def windows_of(sound, cuts=(), **times):
    sliding = SlidingWindows(1000, **{"hop_s": 0.01, "window_s": 0.025} | times)
    found = [batch.copy() for block in np.split(sound, sorted(cuts)) for batch in sliding.push(block)]
    return np.concatenate([np.zeros((0, sliding.window_samples)), *found])


def test_each_window_ends_a_hop_after_the_one_before_and_the_first_begins_in_silence():
    windows = windows_of(SOUND)
    assert windows.shape == (200, 25)
    assert not windows[0, :15].any()
    for hop in (2, 77, 199):
        assert np.array_equal(windows[hop], SOUND[10 * hop - 15 : 10 * hop + 10].astype(np.float64))


def test_windows_without_overlap():
    assert np.array_equal(windows_of(SOUND, [3, 555], window_s=0.001), SOUND.reshape(-1, 10).astype(np.float64))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, len(SOUND)), max_size=40))
def test_any_split_gives_the_same_windows(cuts):
    assert np.array_equal(windows_of(SOUND, cuts), windows_of(SOUND))


def test_a_long_block_comes_in_batches_and_is_not_kept():
    sliding = SlidingWindows(1000, 0.01, 0.025)
    assert [len(batch) for batch in sliding.push(np.zeros(10 * BATCH + 14, np.float32))] == [BATCH, 1]
    assert sum(block.nbytes for block in sliding._blocks) < 500
    assert all(block.base is None for block in sliding._blocks)


def test_a_block_may_change_after_it_was_pushed():
    sliding, block = SlidingWindows(1000, 0.01, 0.025), np.ones(5)
    assert not list(sliding.push(block))
    block[:] = 2.0
    (windows,) = sliding.push(block)
    assert windows[0, -10:].tolist() == [1.0] * 5 + [2.0] * 5


def test_bad_samples_are_silence():
    sound = SOUND.copy()
    sound[[5, 500]] = np.nan, 1e30
    assert np.array_equal(windows_of(sound), windows_of(np.where(np.isin(np.arange(2000), [5, 500]), 0, SOUND)))


def test_a_trail_answers_with_the_newest_hop_before_a_time():
    trail = Trail(2, 0.1, trail_s=1.0)
    assert trail.at(5.0) == ([0.0, 0.0], 0.0)
    for hop in range(30):
        trail.add(hop, -hop)
    assert trail.at(2.5) == ([24.0, -24.0], pytest.approx(0.0))
    assert trail.at(2.57) == ([24.0, -24.0], pytest.approx(0.07))
    assert trail.at(3.5) == ([29.0, -29.0], pytest.approx(0.5))
    assert trail.at(0.1) == trail.at(2.1) == ([20.0, -20.0], 0.0), "the oldest remembered"
    assert trail.at(-1.0)[0] == [20.0, -20.0]


def test_a_trail_without_an_end_remembers_all():
    trail = Trail(1, 0.1, trail_s=None)
    for hop in range(3000):
        trail.add(hop)
    assert [trail.at(0.1 * hop)[0] for hop in (1, 1024, 1025, 3000)] == [[0.0], [1023.0], [1024.0], [2999.0]]
