"""One kick, one onset."""

import pytest

from visualizer.beat.onset import KickPicker


def fired(evidence, threshold=0.5, hold_hops=1, hop_s=1e-6):
    picker = KickPicker(threshold, hold_hops, hop_s)
    return [index for index, value in enumerate(evidence) if picker.step(value)]


def test_it_fires_at_the_threshold_and_once():
    assert fired([0, 0.1, 0.49, 0.5, 0.9, 1.0, 0.9, 0.6]) == [3]


def test_less_than_the_threshold_is_nothing():
    assert fired([0, 0.4, 0.1, 0.49, 0.3]) == []


def test_it_fires_again_only_after_a_fall_to_half_of_it():
    assert fired([0.9, 0.3, 0.9, 0.2, 0.9]) == [0, 4]


def test_within_the_hold_it_is_the_same_kick():
    flicker = [0.9, 0.0, 0.9, 0.0, 0.0, 0.9]
    assert fired(flicker) == [0, 2, 5]
    assert fired(flicker, hold_hops=3) == [0, 5]


def test_a_kick_that_lasts_past_the_hold_fires_when_it_is_over():
    assert fired([0.9, 0.0, 0.9, 0.9, 0.9], hold_hops=3) == [0, 3]


@pytest.mark.parametrize("threshold", [0.1, 0.9])
def test_the_threshold_is_a_setting(threshold):
    assert fired([0, 0.3, 0.95], threshold) == [1 if threshold < 0.3 else 2]


def test_what_is_far_below_the_clearest_of_late_is_no_kick_until_that_is_forgotten():
    assert fired([1.0, 0, 0.3, 0, 0.4], 0.1) == [0, 4]
    assert fired([1.0, *[0] * 40, 0.3], 0.1, hop_s=0.1) == [0, 41]
