"""The follower: any blocks the same curve, kicks found, noise ignored, bad samples survived."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sounds import kicks
from visualizer.beat import KickFollower
from visualizer.errors import BadInput
from visualizer.settings import BeatSettings

DEFAULT = BeatSettings()


def follow(sound, rate_hz, *, beat=DEFAULT, cuts=()):
    follower = KickFollower(rate_hz, beat, trail_s=None)
    onsets = []
    for block in np.split(sound, sorted(cuts)):
        onsets += follower.push(block)
    return follower, onsets


SONG_TIMES = [0.5, 1.0, 1.5, 2.0, 2.5]
SONG = kicks(44100, SONG_TIMES, 3.0) + np.random.default_rng(1).normal(0, 0.01, 3 * 44100).astype(np.float32)


@pytest.fixture(scope="module")
def song_whole():
    return follow(SONG, 44100)


@settings(max_examples=12, deadline=None)
@given(cuts=st.lists(st.integers(0, len(SONG)), max_size=40))
@pytest.mark.slow
def test_any_split_into_blocks_gives_bit_identical_results(song_whole, cuts):
    whole, whole_onsets = song_whole
    split, split_onsets = follow(SONG, 44100, cuts=cuts)
    assert split_onsets == whole_onsets
    times = np.arange(0, 3.2, 0.01)
    assert [split.level_at(t) for t in times] == [whole.level_at(t) for t in times]


def levels(follower):
    """The level after each hop."""
    return follower._trail._rows[: follower._trail.n_hops, 0]


@pytest.mark.parametrize("n_block", [1, 7, 255, 256, 257, 4096])
def test_regular_blocks_give_bit_identical_results(n_block):
    short = SONG[: 44100 if n_block > 1 else 6000]
    whole, whole_onsets = follow(short, 44100)
    split, split_onsets = follow(short, 44100, cuts=range(n_block, len(short), n_block))
    assert split_onsets == whole_onsets
    assert np.array_equal(levels(split), levels(whole))


@pytest.mark.parametrize("rate_hz", [8000, 11025, 22050, 44100, 48000, 96000, 192000])
def test_every_kick_is_told_once_and_soon_at_every_rate(rate_hz):
    follower, onsets = follow(kicks(rate_hz, SONG_TIMES, 3.0), rate_hz)
    assert len(onsets) == len(SONG_TIMES)
    late = np.array([onset.time_s for onset in onsets]) - SONG_TIMES
    assert np.all(late > 0) and np.all(late < 0.03)
    assert all(0 < onset.strength <= 1 for onset in onsets)
    assert abs(follower.time_s - 3.0) < 0.01


def test_its_typical_latency_is_what_it_says():
    follower, onsets = follow(kicks(44100, SONG_TIMES, 3.0), 44100)
    late = np.median(np.array([onset.time_s for onset in onsets]) - SONG_TIMES)
    assert follower.latency_s == pytest.approx(late, abs=0.010)


def test_the_level_rises_at_the_kick_and_falls_at_93_per_cent():
    follower, _ = follow(kicks(44100, [0.5], 3.0), 44100)
    assert follower.level_at(0.49) == 0.0
    assert max(follower.level_at(t) for t in np.arange(0.5, 0.62, 0.005)) == pytest.approx(1.0, abs=0.03)
    level = follower.level_at(1.5)
    assert follower.level_at(1.5 + 1 / 30) == pytest.approx(0.93 * level, rel=1e-3)
    assert follower.level_at(2.5) == pytest.approx(0.93**30 * level, rel=1e-3)


def test_the_level_goes_on_falling_when_no_more_sound_comes():
    follower, _ = follow(kicks(44100, [0.1], 0.3), 44100)
    end = follower.time_s
    assert follower.level_at(end + 1.0) == pytest.approx(0.93**30 * follower.level_at(end), rel=1e-6)
    assert follower.level_at(end + 3600.0) < 1e-12


def test_time_before_the_first_sample_is_silence():
    follower, _ = follow(SONG, 44100)
    assert follower.level_at(-1.0) == 0.0
    assert KickFollower(44100, DEFAULT).level_at(5.0) == 0.0


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("silence", np.zeros(3 * 44100)),
        ("white noise at -70 dBFS", np.random.default_rng(2).normal(0, 10 ** (-70 / 20), 3 * 44100)),
        ("hum at -50 dBFS", 10 ** (-50 / 20) * 1.414 * np.sin(2 * np.pi * 50 * np.arange(3 * 44100) / 44100)),
        ("a DC offset", np.full(3 * 44100, 0.2)),
        ("a high note", 0.9 * np.sin(2 * np.pi * 880 * np.arange(3 * 44100) / 44100)),
    ],
)
def test_what_is_not_a_kick_drum_keeps_the_level_low(name, sound):
    follower, onsets = follow(sound.astype(np.float32), 44100)
    # sound that jumps out of nothing is a rise; it may be told, but only at its first instant
    assert max(follower.level_at(t) for t in np.arange(2.0, 3.0, 0.01)) < 0.025
    assert all(onset.time_s < 0.1 for onset in onsets)


@pytest.mark.parametrize("gain_db", [-12, -30])
def test_the_level_of_the_sound_does_not_matter(gain_db):
    _, loud = follow(SONG, 44100)
    _, soft = follow(SONG * np.float32(10 ** (gain_db / 20)), 44100)
    assert len(loud) == len(soft)
    assert np.allclose([o.time_s for o in loud], [o.time_s for o in soft], atol=0.01)


def test_after_a_drop_of_24_db_kicks_are_told_again_within_a_second_and_a_half():
    times = np.arange(0.5, 7.5, 0.5)
    sound = kicks(44100, times, 8.0) + np.random.default_rng(3).normal(0, 0.005, 8 * 44100).astype(np.float32)
    sound[4 * 44100 - 2000 :] *= np.float32(10 ** (-24 / 20))
    told = np.array([onset.time_s for onset in follow(sound, 44100)[1]])
    for time_s in times[(times < 3.9) | (times > 5.4)]:
        assert np.any((told > time_s) & (told < time_s + 0.03)), f"the kick at {time_s} s was not told"


@pytest.mark.parametrize("rate_hz", [48000, 96000])
def test_sound_cards_at_other_rates_tell_at_the_same_instants(rate_hz):
    _, reference = follow(kicks(44100, SONG_TIMES, 3.0), 44100)
    _, other = follow(kicks(rate_hz, SONG_TIMES, 3.0), rate_hz)
    assert [o.time_s for o in other] == pytest.approx([o.time_s for o in reference], abs=0.002)


@given(st.floats(0.2, 5), st.floats(0.2, 5))
@settings(max_examples=10, deadline=None)
def test_more_sensitivity_is_never_shallower(one, other):
    low, high = sorted((one, other))
    shallow, _ = follow(SONG[:44100], 44100, beat=BeatSettings(sensitivity=low))
    deep, _ = follow(SONG[:44100], 44100, beat=BeatSettings(sensitivity=high))
    assert all(deep.level_at(t) >= shallow.level_at(t) for t in np.arange(0, 1, 0.02))


def test_bad_samples_count_as_silence():
    clean = SONG.copy()
    clean[30000:30010] = 0
    dirty = clean.copy()
    dirty[30000:30010] = [np.nan, np.inf, -np.inf, 1e30, -1e30, np.nan, 17, -17, 3e38, np.nan]
    follower, onsets = follow(dirty, 44100, cuts=[30005])
    reference, expected = follow(clean, 44100)
    assert follower.n_bad_samples == 10
    assert onsets == expected
    assert follower.level_at(2.9) == reference.level_at(2.9)


def test_nothing_but_bad_samples_is_silence():
    follower, onsets = follow(np.full(44100, np.nan, np.float32), 44100)
    assert (onsets, follower.level_at(0.9), follower.n_bad_samples) == ([], 0.0, 44100)


def test_empty_blocks_do_nothing():
    follower = KickFollower(44100, DEFAULT)
    assert follower.push(np.zeros(0, np.float32)) == []
    assert follower.time_s == 0.0


@pytest.mark.parametrize(
    "block",
    [np.zeros((10, 2), np.float32), np.zeros(10, np.int16), np.array(1.0), np.array(["a"]), np.zeros(4, complex)],
)
def test_anything_but_mono_floats_is_refused_with_one_line(block):
    with pytest.raises(BadInput, match="one-dimensional block of floats") as error:
        KickFollower(44100, DEFAULT).push(block)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("rate_hz", [0, -1, 7999, 192001])
def test_rates_it_cannot_follow_are_refused(rate_hz):
    with pytest.raises(BadInput, match=r"8000 \.\. 192000"):
        KickFollower(rate_hz, DEFAULT)


@pytest.mark.slow
def test_memory_stays_flat_and_the_trail_answers_for_its_last_seconds():
    follower = KickFollower(8000, DEFAULT, trail_s=2.0)
    endless = KickFollower(8000, DEFAULT, trail_s=None)
    block = kicks(8000, [0.2], 0.5)
    size = 0
    for _ in range(80):  # 40 s: more than any of its parts looks back
        follower.push(block)
        endless.push(block)
        size = max(size, follower._trail._rows.nbytes + sum(kept.nbytes for kept in follower._windows._blocks))
    assert size < 20_000
    for back_s in (0.0, 0.5, 1.0, 1.9):
        t = follower.time_s - back_s
        assert follower.level_at(t) == endless.level_at(t)
    assert follower.level_at(0.0) >= 0.0  # long forgotten: the oldest remembered, no crash


@pytest.mark.parametrize("motion", ["punch", "breathe", "pump"])
def test_a_motion_moves_the_level_and_tells_the_same_kicks(motion):
    rate_hz = 44100
    beaten = kicks(rate_hz, [0.5 * beat for beat in range(1, 9)], 5.0)
    plain, moved = (KickFollower(rate_hz, BeatSettings(motion=name)) for name in ("decay", motion))
    assert plain.push(beaten) == moved.push(beaten)
    times = np.arange(1.0, 4.5, 0.01)
    levels = np.array([moved.level_at(time_s) for time_s in times])
    assert levels.min() >= 0 and levels.max() <= 1 and np.ptp(levels) > 0.2
    assert not np.allclose(levels, [plain.level_at(time_s) for time_s in times])


@pytest.mark.slow
def test_snares_and_hats_are_told_beside_the_kicks():
    from tools.kick_masters import song

    hits = {"snare": [0, 0, 0], "hat": [0, 0, 0]}  # told rightly, struck, told
    for index in range(8):
        made = song(77, index, kind="mix")
        follower = KickFollower(44100, DEFAULT)
        strokes = []
        for block in np.array_split(made.sound, 40):
            follower.push(block)
            strokes += follower.hits
        assert [stroke.time_s for stroke in strokes] == sorted(stroke.time_s for stroke in strokes)
        for drum, counts in hits.items():
            told = np.array([stroke.time_s for stroke in strokes if stroke.drum == drum])
            counts[0] += sum(np.any((told > at_s - 0.02) & (told < at_s + 0.05)) for at_s in made.hits_s[drum])
            counts[1] += len(made.hits_s[drum])
            counts[2] += len(told)
    for drum, (right, struck, told) in hits.items():
        assert 2 * right / (struck + told) > 0.5, drum


def test_a_kick_under_a_loud_steady_bass_is_told():
    t = np.arange(6 * 44100) / 44100
    times = np.arange(0.5, 5.8, 0.5)
    sound = kicks(44100, times, 6.0, 0.5) + (0.6 * np.sin(2 * np.pi * 40 * t)).astype(np.float32)
    told = np.array([onset.time_s for onset in follow(sound, 44100)[1]])
    assert sum(np.any((told > at_s) & (told < at_s + 0.05)) for at_s in times[1:]) >= len(times) - 2
    assert len(told) <= len(times) + 2


def test_the_floor_may_be_raised_in_the_middle_of_a_show():
    follower = KickFollower(44100, DEFAULT)
    soft = SONG * np.float32(0.001)
    assert follower.push(soft)
    follower.set_beat(BeatSettings(floor_db=-30))
    assert not follower.push(soft)
