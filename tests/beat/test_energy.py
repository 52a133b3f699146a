"""The energy of the lows as a level: the notebook's rule."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sounds import kicks
from visualizer.beat.energy import EnergyFollower
from visualizer.settings import BeatSettings

RATE_HZ = 44100
KICKS = kicks(RATE_HZ, [0.5, 1.5, 2.5], 4.0)


def follow(sound, cuts=(), **beat):
    follower = EnergyFollower(RATE_HZ, BeatSettings(motion="energy", **beat))
    for block in np.split(sound.astype(np.float32), sorted(cuts)):
        follower.push(block)
    return follower


def sine(freq_hz, seconds=4.0, amplitude=0.5):
    return amplitude * np.sin(2 * np.pi * freq_hz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)


def test_a_kick_raises_it_and_then_it_falls_by_the_decay():
    follower = follow(KICKS)
    assert follower.level_at(0.49) == 0.0
    assert max(follower.level_at(t) for t in np.arange(0.5, 0.6, 0.005)) == pytest.approx(1.0, abs=0.01)
    assert follower.level_at(1.2 + 1 / 3) > follower.level_at(1.2)  # the next kick
    assert follower.level_at(1.4) == pytest.approx(0.93**6 * follower.level_at(1.2), rel=0.02)
    assert follower.level_at(60.0) < 1e-12


def test_every_low_sound_moves_it_and_others_do_not():
    steady, high = follow(sine(55)), follow(np.concatenate([KICKS, sine(880)]))
    assert min(steady.level_at(t) for t in np.arange(1.0, 3.9, 0.05)) > 0.9
    assert max(high.level_at(t) for t in np.arange(5.0, 7.9, 0.05)) < 0.02


def test_it_is_the_energy_and_relative_to_the_loudest_of_the_last_seconds():
    soft_after_loud = np.concatenate([sine(60, 1.0), sine(60, 9.0) / 2])
    slow, quick = follow(soft_after_loud, gain_release_s=100), follow(soft_after_loud, gain_release_s=1)
    assert slow.level_at(5.0) == pytest.approx(0.25, abs=0.03)
    assert quick.level_at(5.0) > 0.95
    soft = follow(KICKS * 0.03)
    assert [soft.level_at(t) for t in (0.6, 1.7, 3.0)] == pytest.approx(
        [follow(KICKS).level_at(t) for t in (0.6, 1.7, 3.0)], abs=0.02
    )


def test_the_settings_of_the_band_the_smoothing_and_the_sensitivity_apply():
    notes = np.concatenate([sine(55, 2.0), sine(250, 2.0)])
    assert follow(notes).level_at(1.5) > 0.9 and follow(notes).level_at(3.5) < 0.1
    above = follow(notes, low_hz=180, high_hz=350)
    assert above.level_at(1.5) < 0.3 and above.level_at(3.5) > 0.9
    smooth = follow(KICKS, smoothing_ms=200)
    times_s = np.arange(0.4, 3.9, 0.01)
    assert max(abs(np.diff([smooth.level_at(t) for t in times_s]))) < 0.06
    assert max(follow(KICKS, sensitivity=0.5).level_at(t) for t in times_s) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    "sound", [np.zeros(4 * RATE_HZ), np.random.default_rng(1).normal(0, 10 ** (-80 / 20), 4 * RATE_HZ)]
)
def test_silence_and_what_is_below_the_floor_are_0(sound):
    follower = follow(sound)
    assert max(follower.level_at(t) for t in np.arange(0, 4, 0.05)) < 0.01


def test_other_settings_do_not_make_it_jump():
    follower = follow(KICKS[: 3 * RATE_HZ])
    before = follower.level_at(3.0)
    follower.set_beat(BeatSettings(motion="energy", decay=0.8, high_hz=200))
    assert follower.level_at(3.0) == before
    follower.push(np.zeros(RATE_HZ, np.float32))
    assert 0 < follower.level_at(3.02) < before


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, len(KICKS)), max_size=30))
def test_any_split_into_blocks_gives_the_same_level(cuts):
    times_s = np.arange(0, 4, 0.03)
    whole, split = follow(KICKS), follow(KICKS, cuts)
    assert [split.level_at(t) for t in times_s] == [whole.level_at(t) for t in times_s]
