"""The place along the variants: any blocks the same, mids to the middle, highs to the end, back to the first in
silence.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.beat.test_bands import MUSIC, music, sine
from visualizer.beat import VariantFollower
from visualizer.beat.variants import variant_position
from visualizer.errors import BadInput
from visualizer.settings import BeatSettings


def follow(sound, rate_hz=44100, *, cuts=(), trail_s=30.0):
    follower = VariantFollower(rate_hz, trail_s=trail_s)
    for block in np.split(sound, sorted(cuts)):
        follower.push(block)
    return follower


def variants(follower, end_s):
    return np.array([follower.variant_at(t) for t in np.arange(0, end_s, 0.01)])


LEVEL = st.floats(0, 1)


@given(LEVEL, LEVEL, LEVEL, LEVEL)
def test_more_of_a_band_never_leads_back(mid, high, more_mid, more_high):
    place = variant_position(mid, high)
    assert 0 <= place <= 1
    assert variant_position(max(mid, more_mid), max(high, more_high)) >= place


def test_mids_lift_to_the_middle_and_highs_to_the_end():
    assert (variant_position(0, 0), variant_position(1, 0), variant_position(0, 1), variant_position(1, 1)) == (
        0,
        0.5,
        1,
        1,
    )


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, len(MUSIC)), max_size=40))
def test_any_split_into_blocks_gives_bit_identical_variants(cuts):
    assert np.array_equal(variants(follow(MUSIC, cuts=cuts), 4.5), variants(follow(MUSIC), 4.5))


@pytest.mark.parametrize(("hz", "place"), [(60, 0.0), (1000, 0.5), (5000, 1.0)])
def test_a_steady_note_comes_to_rest_at_its_place(hz, place):
    assert follow(sine(hz, 3.0)).variant_at(3.0) == pytest.approx(place, abs=0.02)


def test_it_rises_within_a_beat_and_falls_over_several():
    sound = np.concatenate([sine(5000, 2.0), np.zeros(3 * 44100, np.float32)])
    follower = follow(sound)
    assert 0.5 < follower.variant_at(0.2) < 0.9
    assert follower.variant_at(0.6) > 0.9
    assert 0.3 < follower.variant_at(3.0) < 0.6
    assert follower.variant_at(5.0) < 0.1
    assert np.abs(np.diff(variants(follower, 5.0))).max() < 0.08, "it glides"


@pytest.mark.parametrize(("gain_db", "within"), [(-12, 0.005), (-30, 0.1)])
def test_the_loudness_of_the_sound_does_not_matter(gain_db, within):
    soft = follow(MUSIC * np.float32(10 ** (gain_db / 20)))
    assert np.abs(variants(follow(MUSIC), 4.0) - variants(soft, 4.0)).max() < within


@pytest.mark.parametrize("rate_hz", [16000, 48000, 96000])
def test_the_rate_of_the_sound_does_not_matter(rate_hz):
    """The hats are other noise at every rate; the way is the same."""
    here, there = variants(follow(music()), 4.0), variants(follow(music(rate_hz=rate_hz), rate_hz), 4.0)
    assert np.abs(here - there).mean() < 0.1


def test_silence_rests_on_the_first_variant():
    assert not variants(follow(np.zeros(88200, np.float32)), 3.0).any()


def test_it_goes_back_when_no_more_sound_comes():
    follower = follow(sine(5000, 1.0))
    end_s = follower.time_s
    assert follower.variant_at(end_s + 1.0) == pytest.approx(follower.variant_at(end_s) * np.exp(-1), rel=1e-6)
    assert follower.variant_at(end_s + 3600.0) < 1e-12


def test_time_before_the_first_sample_is_the_first_variant():
    assert follow(MUSIC).variant_at(-1.0) == 0.0
    assert VariantFollower(44100).variant_at(5.0) == 0.0


def test_memory_stays_flat_and_the_trail_answers_for_its_last_seconds():
    short, long = VariantFollower(8000, trail_s=2.0), VariantFollower(8000, trail_s=100.0)
    block = music(0.5, 8000)
    for _ in range(100):
        short.push(block)
        long.push(block)
    assert short._trail._rows.nbytes < 10_000
    for back_s in (0.0, 0.5, 1.0, 1.9):
        assert short.variant_at(short.time_s - back_s) == long.variant_at(long.time_s - back_s)
    assert 0 <= short.variant_at(0.0) <= 1  # long forgotten: the oldest remembered, no crash


def test_the_settings_say_where_the_bands_lie():
    follower = VariantFollower(44100, BeatSettings(high_low_hz=900))
    follower.push(sine(1000, 3.0))
    assert follower.variant_at(3.0) == pytest.approx(1.0, abs=0.02)


def test_rates_it_cannot_follow_are_refused():
    with pytest.raises(BadInput, match=r"8000 \.\. 192000"):
        VariantFollower(7999)
