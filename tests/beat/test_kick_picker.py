"""One kick, one onset."""

import numpy as np
import pytest

from visualizer.beat.kick_picker import CERTAIN_ALONE, CERTAIN_SIMILAR, KickPicker


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


KICK, SNARE = np.array([1.0, 0.8, 0.1, 0.3]), np.array([0.1, 0.2, 1.0, 0.9])


def by_ear(*hops, known=True):
    """Which of (sure, rises) are told where the evidence is nothing; a kick was heard before if `known`."""
    picker = KickPicker(0.5, 1, 1e-6)
    if known:
        assert picker.step(0.9, 0.95, KICK)
        picker.step(0.0, 0.9, KICK)
        picker.step(0.0, 0.0, KICK)
    told = []
    for index, (sure, rises) in enumerate(hops):
        if picker.step(0.0, sure, rises):
            told.append(index)
        picker.step(0.0, 0.0, rises)
    return told


def test_without_a_rise_a_kick_is_told_by_ear_if_it_is_like_those_before():
    middling = (CERTAIN_SIMILAR + CERTAIN_ALONE) / 2
    assert by_ear((middling, KICK), (middling, SNARE), (CERTAIN_SIMILAR - 0.01, KICK), (0.99, SNARE)) == [0, 3]


def test_before_a_kick_is_known_only_a_certain_one_is_told_by_ear():
    assert by_ear((0.9, KICK), (0.98, KICK), (0.7, KICK), known=False) == [1, 2]


def test_likeness_is_a_cosine_and_nothing_is_like_nothing():
    picker = KickPicker(0.5, 1, 1e-6)
    assert 0 < picker.similarity(KICK) < 1
    picker.step(0.9, 0.95, KICK)
    picker.step(0.0, 0.9, 3 * KICK)
    assert picker.similarity(7 * KICK) == pytest.approx(1.0)
    assert picker.similarity(SNARE) < 0.6
    assert picker.similarity(np.zeros(4)) == 0


def test_a_network_that_stays_sure_is_one_kick():
    picker = KickPicker(0.5, 1, 1e-6)
    assert [picker.step(0.0, sure, KICK) for sure in (0.99, 0.99, 0.5, 0.99, 0.2, 0.99)] == [True, *[False] * 4, True]
