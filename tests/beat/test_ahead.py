"""The follower of songs that are known beforehand: the same whatever the blocks, kicks where they begin, nothing
lost.
"""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sounds import kicks
from visualizer.beat import AheadFollower, KickFollower
from visualizer.beat.ahead_network import AheadWeights, as_ahead_weights, shipped_ahead_weights
from visualizer.errors import BadInput
from visualizer.settings import BeatSettings

DEFAULT = BeatSettings()
KICKS_S = np.array([0.4, 0.9, 1.4, 1.65, 2.0, 2.6])
SECONDS = 3.0
SONG = kicks(44100, KICKS_S, SECONDS) + np.random.default_rng(2).normal(0, 0.002, 3 * 44100).astype(np.float32)


def follow(sound, rate_hz=44100, *, cuts=(), beat=DEFAULT):
    """The follower after all of a sound, its kicks, and its other hits."""
    follower = AheadFollower(rate_hz, beat, trail_s=None)
    onsets, hits = [], []
    for block in np.split(sound, sorted(cuts)):
        onsets += follower.push(block)
        hits += follower.hits
    onsets += follower.finish()
    return follower, onsets, hits + follower.hits


WHOLE = follow(SONG)


def assert_same(one, other):
    assert one[1:] == other[1:]
    assert np.array_equal(levels(one[0]), levels(other[0]))


def levels(follower):
    """The level after each hop."""
    return follower._trail._rows[: follower._trail.n_hops, 0]


@given(st.lists(st.integers(0, len(SONG)), max_size=40))
@settings(max_examples=10, deadline=None)
def test_any_split_into_blocks_gives_bit_identical_results(cuts):
    assert_same(follow(SONG, cuts=cuts), WHOLE)


@pytest.mark.parametrize("n_block", [255, 4096, 44100])
def test_regular_blocks_give_bit_identical_results(n_block):
    assert_same(follow(SONG, cuts=range(n_block, len(SONG), n_block)), WHOLE)


@pytest.mark.parametrize("rate_hz", [8000, 11025, 22050, 44100, 48000, 96000, 192000])
def test_every_kick_is_detected_once_where_it_begins_at_every_rate(rate_hz):
    _, onsets, _ = follow(kicks(rate_hz, KICKS_S, SECONDS), rate_hz)
    assert [onset.time_s for onset in onsets] == pytest.approx(KICKS_S, abs=0.010)
    assert all(0 < onset.strength <= 1 for onset in onsets)


def test_what_is_right_after_a_time_is_known_once_as_much_sound_was_pushed_as_it_says():
    whole, _, _ = WHOLE
    follower = AheadFollower(44100, DEFAULT)
    known_s = 0.0
    for start in range(0, len(SONG), 512):
        follower.push(SONG[start : start + 512])
        known_s = max(0.0, (start + 512) / 44100 - follower.needs_ahead_s)
        assert follower.time_s + follower._hop_s > known_s
        assert follower.level_at(known_s) == whole.level_at(known_s)
    assert follower.needs_ahead_s < 1.0, "a player has two seconds"


def test_the_end_of_a_song_is_not_lost():
    sound = kicks(44100, [0.5, 1.0, 1.9], 2.0)
    follower, onsets, _ = follow(sound)
    assert [onset.time_s for onset in onsets] == pytest.approx([0.5, 1.0, 1.9], abs=0.010)
    assert follower.time_s >= 2.0 and follower.level_at(1.92) > 0.8


@pytest.mark.parametrize("n_samples", [0, 1, 300, 44100 // 4])
def test_a_sound_shorter_than_it_looks_ahead_is_followed_too(n_samples):
    follower, onsets, hits = follow(SONG[:n_samples])
    assert (onsets, hits) == ([], [])
    assert follower.time_s >= n_samples / 44100


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("silence", np.zeros(5 * 44100)),
        ("white noise at -70 dBFS", np.random.default_rng(2).normal(0, 10 ** (-70 / 20), 5 * 44100)),
        ("hum at -50 dBFS", 10 ** (-50 / 20) * 1.414 * np.sin(2 * np.pi * 50 * np.arange(5 * 44100) / 44100)),
        ("a steady bass note", 0.25 * np.sin(2 * np.pi * 55 * np.arange(5 * 44100) / 44100)),
    ],
)
def test_what_is_not_a_kick_drum_gives_no_kick(name, sound):
    assert follow(sound.astype(np.float32))[1] == []


def test_a_dc_offset_gives_no_kick_but_where_it_jumps():
    onsets_s = np.array([onset.time_s for onset in follow(np.full(5 * 44100, 0.2))[1]])
    assert np.all((onsets_s < 0.1) | (onsets_s > 4.9))


@pytest.mark.parametrize("gain_db", [-12, -30])
def test_the_level_of_the_sound_does_not_matter(gain_db):
    soft = follow(SONG * np.float32(10 ** (gain_db / 20)))[1]
    assert [onset.time_s for onset in soft] == pytest.approx([onset.time_s for onset in WHOLE[1]], abs=0.010)


def test_bad_samples_count_as_silence():
    clean = SONG.copy()
    clean[30000:30010] = 0
    dirty = clean.copy()
    dirty[30000:30010] = [np.nan, np.inf, -np.inf, 1e30, -1e30, np.nan, 17, -17, 3e38, np.nan]
    one = follow(dirty, cuts=[30005])
    assert one[0].n_bad_samples == 10
    assert_same(one, follow(clean))
    with pytest.raises(BadInput, match="one-dimensional block of floats"):
        one[0].push(np.zeros((10, 2), np.float32))


def test_a_higher_threshold_never_detects_more():
    counts = [len(follow(SONG, beat=BeatSettings(threshold=threshold))[1]) for threshold in (0.001, 0.13, 0.5, 1.0)]
    assert counts == sorted(counts, reverse=True) and counts[1] == len(KICKS_S)


def test_another_motion_acts_on_what_was_not_yet_decided():
    """A player pushes two seconds ahead of the picture: a change must not wait for more than a causal follower does."""
    follower, causal = AheadFollower(44100, DEFAULT), KickFollower(44100, DEFAULT)
    for one in (follower, causal):
        one.push(SONG[: 2 * 44100])
        one.set_beat(BeatSettings(motion="punch"))
        one.push(SONG[2 * 44100 :])
        one.finish()
    changed_s = [
        next(time_s for time_s in np.arange(0, 3, 0.01) if one.level_at(time_s) < plain.level_at(time_s) - 1e-6)
        for one, plain in ((follower, WHOLE[0]), (causal, followed_causally()))
    ]
    assert changed_s[0] <= changed_s[1]


def followed_causally():
    follower = KickFollower(44100, DEFAULT)
    follower.push(SONG)
    return follower


def test_memory_stays_flat():
    follower = AheadFollower(8000, DEFAULT, trail_s=2.0)
    sizes = []
    for _ in range(40):
        follower.push(kicks(8000, [0.2], 0.5))
        sizes.append(follower._sound.nbytes + follower._trail._rows.nbytes + follower._network._waiting.nbytes)
    assert max(sizes) < 400_000


def test_weights_of_other_inputs_are_refused():
    arrays = {one.name: getattr(shipped_ahead_weights(), one.name) for one in fields(AheadWeights)}
    with pytest.raises(ValueError, match="the program has 198"):
        as_ahead_weights({**arrays, "project": np.zeros((3, 2))})
