"""One kick, one onset."""

import pytest

from visualizer.beat.kick_picker import KickPicker


def reported(probabilities, threshold=0.5, hold_hops=1):
    picker = KickPicker(threshold, hold_hops)
    return [index for index, value in enumerate(probabilities) if picker.step(value)]


def test_an_onset_is_reported_at_the_threshold_and_once():
    assert reported([0, 0.1, 0.49, 0.5, 0.9, 1.0, 0.9, 0.6]) == [3]


def test_less_than_the_threshold_is_nothing():
    assert reported([0, 0.4, 0.1, 0.49, 0.3]) == []


def test_the_next_is_reported_only_after_a_fall_to_half_of_the_threshold():
    assert reported([0.9, 0.3, 0.9, 0.2, 0.9]) == [0, 4]


def test_within_the_hold_it_is_the_same_onset():
    flicker = [0.9, 0.0, 0.9, 0.0, 0.0, 0.9]
    assert reported(flicker) == [0, 2, 5]
    assert reported(flicker, hold_hops=3) == [0, 5]


def test_what_lasts_past_the_hold_is_reported_when_that_is_over():
    assert reported([0.9, 0.0, 0.9, 0.9, 0.9], hold_hops=3) == [0, 3]


@pytest.mark.parametrize("threshold", [0.1, 0.9])
def test_the_threshold_can_be_set(threshold):
    assert reported([0, 0.3, 0.95], threshold) == [1 if threshold < 0.3 else 2]
