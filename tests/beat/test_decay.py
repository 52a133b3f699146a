"""Levels fall in seconds, whatever the step."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.beat.decay import keep_for, release


def test_ninety_three_per_cent_stay_after_a_thirtieth_of_a_second():
    assert keep_for(0.93, 1 / 30) == pytest.approx(0.93)


@given(st.floats(0.1, 0.999), st.integers(1, 500))
def test_many_small_steps_fall_as_far_as_one_large_one(decay, n_steps):
    level = 1.0
    for _ in range(n_steps):
        level *= keep_for(decay, 1.0 / n_steps)
    assert level == pytest.approx(keep_for(decay, 1.0), rel=1e-6)


def test_release_is_a_time_constant():
    assert release(1.0, 4.0, 4.0) == pytest.approx(0.36788, rel=1e-4)
