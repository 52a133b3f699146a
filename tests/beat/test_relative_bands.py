"""MilkDrop's bands: 1 on average, whatever the volume."""

import numpy as np
import pytest

from tests.sounds import kicks
from visualizer.beat.relative_bands import MOST, RESTING, RelativeBandFollower
from visualizer.errors import BadInput

RATE_HZ = 44_100
KICKS = kicks(RATE_HZ, np.arange(0.5, 12.0, 0.5), 12.0)
NOISE = np.random.default_rng(5).normal(0, 0.1, 12 * RATE_HZ).astype(np.float32)


def followed(sound, n_block=1000):
    follower = RelativeBandFollower(RATE_HZ)
    for first in range(0, len(sound), n_block):
        follower.push(sound[first : first + n_block])
    return follower


def over(follower, first_s, end_s):
    return np.array([follower.at(time_s) for time_s in np.arange(first_s, end_s, 0.01)])


@pytest.mark.parametrize("gain", [1.0, 0.03])
def test_a_steady_sound_rests_at_1_at_any_volume(gain):
    found = over(followed(gain * NOISE), 6.0, 12.0)
    assert found.mean(axis=0) == pytest.approx(np.ones(6), abs=0.1)
    assert found.std(axis=0)[3:].max() < 0.2


def test_kicks_move_the_bass_above_its_mean_and_not_the_mean():
    found = followed(KICKS + 0.3 * NOISE)
    at = np.array([found.at(time_s + 0.04) for time_s in np.arange(6.0, 12.0, 0.5)])
    between = np.array([found.at(time_s - 0.05) for time_s in np.arange(6.5, 12.0, 0.5)])
    assert at[:, 0].min() > 1.8 and between[:, 0].max() < 0.7
    assert over(found, 6.0, 12.0)[:, 0].mean() == pytest.approx(1.0, abs=0.1)
    assert over(found, 6.0, 12.0)[:, 2].mean() == pytest.approx(1.0, abs=0.1)


def test_the_smoothed_ones_move_less_and_rise_faster_than_they_fall():
    found = over(followed(KICKS), 6.0, 12.0)
    now, smooth = found[:, 0], found[:, 3]
    assert np.abs(np.diff(smooth)).max() < np.abs(np.diff(now)).max()
    assert np.diff(smooth).max() > -np.diff(smooth).min()


def test_silence_is_1_and_a_beginning_is_bounded():
    assert followed(np.zeros(RATE_HZ, np.float32)).at(0.9) == pytest.approx(RESTING)
    pause = np.zeros(6 * RATE_HZ, np.float32)
    found = followed(np.concatenate([KICKS, pause, KICKS]))
    assert found.at(17.9) == pytest.approx(RESTING, abs=0.02), "after six seconds of silence"
    assert np.abs(np.diff(over(found, 13.0, 18.0), axis=0)).max() < 0.1, "without a step"
    assert over(found, 0.0, 30.0).max() <= MOST and over(found, 0.0, 30.0).min() >= 0.0
    assert over(found, 18.0, 30.0)[:, 0].max() < 6.0


def test_before_the_sound_they_rest_and_after_it_they_stand_still():
    found = followed(NOISE)
    assert found.at(-1.0) == RESTING and found.at(13.0) == found.at(100.0)


def test_any_split_gives_the_same():
    whole, parts = followed(KICKS, len(KICKS)), followed(KICKS, 377)
    assert np.array_equal(over(whole, 0.0, 12.0), over(parts, 0.0, 12.0))


def test_a_rate_that_cannot_be_is_refused():
    with pytest.raises(BadInput):
        RelativeBandFollower(100)
