"""Numbers that move smoothly."""

import math

import numpy as np
import pytest

from visualizer.easing import MAX_STEP_S, limited_step, smoothed, smoothstep


def test_smoothstep_is_flat_at_its_ends_and_steepest_in_the_middle():
    assert [smoothstep(x) for x in (-1.0, 0.0, 0.5, 1.0, 2.0)] == [0.0, 0.0, 0.5, 1.0, 1.0]
    steps = np.diff([smoothstep(x) for x in np.linspace(0, 1, 101)])
    assert steps.min() >= 0 and steps[0] < 0.001 and steps[-1] < 0.001 and steps.max() == pytest.approx(0.015, rel=0.01)


def test_a_number_and_an_array_are_smoothed_the_same():
    shares = np.linspace(0, 1, 33)
    assert np.array_equal(smoothed(shares), [smoothstep(float(share)) for share in shares])


def test_a_step_of_time_goes_never_back_and_never_far():
    assert [limited_step(dt_s) for dt_s in (-3.0, 0.02, 500.0, math.inf)] == [0.0, 0.02, MAX_STEP_S, MAX_STEP_S]
