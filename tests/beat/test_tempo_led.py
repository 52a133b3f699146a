"""A tempo led from elsewhere: nothing heard moves it, and given back it goes on."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.beat.test_tempo import band, clicks
from visualizer.beat import BeatFollower
from visualizer.beat.grid import folded, next_beat_s, off_beats, phase
from visualizer.beat.tempo import TempoFollower
from visualizer.errors import BadInput
from visualizer.settings import BeatSettings

RATE_HZ = 44100


def heard(sound):
    follower = TempoFollower(RATE_HZ)
    follower.push(sound)
    return follower


def test_what_is_heard_does_not_move_a_tempo_that_is_led():
    follower = TempoFollower(RATE_HZ)
    follower.lead(97.0, 0.25)
    told = follower.push(band(128, 12))
    assert follower.tempo_bpm == 97.0 and follower.confidence == 1.0
    assert follower.phase_at(0.25) == 0.0 and follower.next_beat_s(0.25) == pytest.approx(0.25 + 60 / 97)
    beats_s = np.array([beat_s for beat_s, _ in told])
    assert np.allclose(np.diff(beats_s), 60 / 97) and len(told) >= 18, "the beats told are those led"
    assert all(beat_s - told_s >= 0.05 for beat_s, told_s in told)


def test_in_silence_it_is_led_too():
    follower = heard(np.zeros(RATE_HZ, np.float32))
    assert follower.confidence == 0.0
    follower.lead(150.0, 1.0)
    assert len(follower.push(np.zeros(4 * RATE_HZ, np.float32))) in (9, 10, 11)


def test_taps_halving_and_doubling_do_nothing_while_led():
    follower = TempoFollower(RATE_HZ)
    follower.lead(120.0, 0.0)
    for time_s in (1.1, 1.8, 2.5):
        follower.tap(time_s)
    assert not follower.scale(0.5)
    assert follower.tempo_bpm == 120.0 and follower.phase_at(3.0) == 0.0


def test_given_back_it_goes_on_from_there_and_follows_what_is_heard():
    follower = TempoFollower(RATE_HZ)
    follower.lead(128.0, 0.5)
    sound = band(126, 16)
    follower.push(sound[: 4 * RATE_HZ])
    follower.lead(None)
    assert follower.tempo_bpm == pytest.approx(128.0) and follower.phase_at(0.5) == 0.0
    assert follower.confidence >= 0.5
    follower.push(sound[4 * RATE_HZ :])
    assert follower.tempo_bpm == pytest.approx(126, rel=0.01) and follower.confidence > 0.5


def test_giving_back_what_was_not_led_changes_nothing():
    sound = band(128, 8)
    one, other = heard(sound[: 4 * RATE_HZ]), heard(sound[: 4 * RATE_HZ])
    other.lead(None)
    assert one.push(sound[4 * RATE_HZ :]) == other.push(sound[4 * RATE_HZ :])
    assert one.tempo_bpm == other.tempo_bpm and one.confidence == other.confidence


@pytest.mark.parametrize(("bpm", "led_bpm"), [(240, 120), (500, 125), (50, 100), (20, 80), (60, 60), (200, 200)])
def test_a_tempo_beyond_60_to_200_is_halved_or_doubled(bpm, led_bpm):
    follower = TempoFollower(RATE_HZ)
    follower.lead(bpm, 7.0)
    assert follower.tempo_bpm == pytest.approx(led_bpm) and follower.phase_at(7.0) == 0.0


@given(st.integers(-50, 50), st.floats(-0.01, 0.01))
def test_told_again_the_same_beats_are_counted(n_beats, drift_s):
    grid = folded(0.25, 3.0, 0.3, 1.0, None)
    again = folded(0.25, 3.0 + n_beats * 0.25 + drift_s, 0.3, 1.0, grid)
    assert again[0] == 0.5 and off_beats(again[1], *grid) < 0.03


@pytest.mark.parametrize("bpm", [0, -5, 9, 1001, math.nan, math.inf])
def test_a_tempo_that_is_none_is_refused(bpm):
    with pytest.raises(BadInput, match="10 .. 1000 BPM"):
        TempoFollower(RATE_HZ).lead(bpm, 0.0)
    with pytest.raises(BadInput, match="the time of a beat"):
        TempoFollower(RATE_HZ).lead(120, math.nan)


def test_the_kick_follower_takes_the_beat_that_is_led():
    follower = BeatFollower(RATE_HZ, BeatSettings(lead_ms=40))
    follower.tempo.lead(120.0, 0.5)
    follower.push(clicks(np.arange(0.5, 3.0, 0.5), 3.0))
    assert follower.tempo.tempo_bpm == 120.0 and follower.tempo.confidence == 1.0
    follower.tempo.lead(None)
    assert follower.tempo.confidence < 1.0


@given(st.floats(0, 1e4), st.floats(0.3, 1.0), st.floats(-10, 10))
def test_phase_and_the_next_beat_agree(time_s, period_s, beat_s):
    next_s = next_beat_s(time_s, period_s, beat_s)
    assert -1e-6 < next_s - time_s <= period_s + 1e-6
    assert off_beats(next_s, period_s, beat_s) < 1e-6 and 0 <= phase(time_s, period_s, beat_s) < 1
