"""Kicks shown ahead: on time where the beat predicts them, taken back where they do not come, and no bit changed
without a lead.
"""

import functools
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sounds import kicks
from visualizer.beat import BeatFollower, KickFollower
from visualizer.beat.beat_follower import KEPT, MISSED_S, SAME_S, KickPattern
from visualizer.errors import BadInput
from visualizer.settings import BeatSettings

RATE_HZ = 44100
LEAD = BeatSettings(lead_ms=60)


def beaten(bpm, seconds, start_s=0.5):
    """Four to the floor: the kicks' times."""
    return np.arange(start_s, seconds - 0.2, 60 / bpm)


def groove(bpm, seconds, rate_hz=RATE_HZ):
    """Four to the floor with a hat between the kicks, so that nobody doubts the tempo: the sound, and the kicks'
    times.
    """
    times_s = beaten(bpm, seconds)
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    noise = np.diff(np.random.default_rng(4).normal(0, 1, len(t)), append=0)
    hats = 0.1 * noise * np.exp(-((t - 0.5 - 30 / bpm) % (60 / bpm)) / 0.01) * (t > 0.5)
    return kicks(rate_hz, times_s, seconds) + hats.astype(np.float32), times_s


def follow(sound, beat=LEAD, *, cuts=(), rate_hz=RATE_HZ):
    follower = BeatFollower(rate_hz, beat, trail_s=None)
    onsets = []
    for block in np.split(sound, sorted(cuts)):
        onsets += follower.push(block)
    return follower, onsets


def levels(follower):
    """The level after each hop."""
    return follower._trail._rows[: follower._trail.n_hops, 0]


def lifts_s(follower):
    """When the level jumped up, seconds."""
    told = levels(follower)
    return (np.flatnonzero(np.diff(told, prepend=0.0) > 0.02) + 1) * follower._hop_s


STEADY_S = beaten(125, 12.0)
STEADY = kicks(RATE_HZ, STEADY_S, 12.0)
# four kicks and a syncopated one: what a block boundary could change is in it
SONG_S = np.sort(np.concatenate([beaten(120, 9.0), [3.75, 5.75, 7.75]]))
SONG = kicks(RATE_HZ, SONG_S, 9.0) + np.random.default_rng(1).normal(0, 0.01, 9 * RATE_HZ).astype(np.float32)


@functools.cache
def song_whole():
    """The song followed in one piece."""
    return follow(SONG)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, len(SONG)), max_size=40))
@pytest.mark.slow
def test_any_split_into_blocks_gives_bit_identical_results(cuts):
    whole, whole_onsets = song_whole()
    split, split_onsets = follow(SONG, cuts=cuts)
    assert whole.n_early > 5, "there is something to compare"
    assert (split_onsets, split.n_early, split.n_missed) == (whole_onsets, whole.n_early, whole.n_missed)
    assert np.array_equal(levels(split), levels(whole))
    assert split.tempo.predicted == whole.tempo.predicted


@pytest.mark.parametrize("n_block", [64, 255, 441, 1024])
def test_regular_blocks_give_bit_identical_results(n_block):
    split, onsets = follow(SONG, cuts=range(n_block, len(SONG), n_block))
    assert onsets == song_whole()[1] and np.array_equal(levels(split), levels(song_whole()[0]))


@pytest.mark.parametrize("motion", ["decay", "breathe", "pump", "steps"])
def test_without_a_lead_every_bit_is_a_kick_followers(motion):
    beat = BeatSettings(motion=motion)
    plain = KickFollower(RATE_HZ, beat, trail_s=None)
    onsets = plain.push(SONG)
    follower, told = follow(SONG, beat, cuts=[1000, 30000, 200001])
    assert told == onsets and np.array_equal(levels(follower), levels(plain))
    assert [follower.level_at(t) for t in (1.234, 4.0, 9.5)] == [plain.level_at(t) for t in (1.234, 4.0, 9.5)]
    assert (follower.n_early, follower.latency_s, follower.time_s) == (0, plain.latency_s, plain.time_s)


def test_the_kicks_told_are_the_heard_ones_whatever_the_lead():
    heard = KickFollower(RATE_HZ, BeatSettings()).push(SONG)
    assert follow(SONG, BeatSettings(lead_ms=150))[1] == heard


@pytest.mark.parametrize("lead_ms", [10, 60, 200])
@pytest.mark.parametrize("bpm", [90, 125, 150])
def test_on_a_steady_beat_the_level_is_up_as_much_before_the_kick_as_was_asked_for(lead_ms, bpm):
    sound, times_s = groove(bpm, 14.0)
    follower, onsets = follow(sound, BeatSettings(lead_ms=lead_ms))
    late_s = np.median([onset.time_s - time_s for onset, time_s in zip(onsets, times_s, strict=True)])
    up_s = lifts_s(follower)
    # one more may be shown that would have come after the end
    assert len(times_s) <= len(up_s) <= len(times_s) + 1, "a kick lifts once"
    off_s = up_s[: len(times_s)] - times_s - late_s
    # ahead or as heard while the tempo settles, then all ahead
    assert off_s.max() < 0.03 and off_s.min() > -lead_ms / 1000 - 0.03
    settled_s = off_s[times_s > 7] + lead_ms / 1000
    assert np.abs(settled_s).max() < 0.0135 and np.abs(np.median(settled_s)) < 0.0105
    assert follower.n_missed <= 1


def test_with_a_lead_of_60_ms_the_level_is_up_60_ms_before_the_kick_itself():
    follower, _ = follow(STEADY)
    off_s = (lifts_s(follower)[: len(STEADY_S)] + 0.06 - STEADY_S)[STEADY_S > 6]
    assert len(off_s) > 10 and np.abs(off_s).max() <= 0.0105


def test_a_led_kick_goes_as_deep_as_the_heard_ones_and_falls_as_they_do():
    follower, onsets = follow(STEADY)
    at = round(lifts_s(follower)[-3] / follower._hop_s) - 1
    assert levels(follower)[at] == pytest.approx(onsets[-1].strength, abs=0.05)
    assert levels(follower)[at + 30] == pytest.approx(levels(follower)[at] * 0.93**6, rel=1e-6)


@pytest.mark.parametrize("motion", ["decay", "punch", "breathe", "pump", "steps"])
@pytest.mark.parametrize("lead_ms", [40, 200])
@pytest.mark.slow
def test_when_the_kicks_stop_the_level_is_let_go_at_once_and_smoothly(motion, lead_ms):
    played_s = STEADY_S[STEADY_S < 8]
    sound, _ = groove(125, 14.0)
    sound += kicks(RATE_HZ, played_s, 14.0) - kicks(RATE_HZ, beaten(125, 14.0), 14.0)  # the hats go on
    beat = BeatSettings(motion=motion, lead_ms=lead_ms)
    follower, onsets = follow(sound, beat)
    assert len(onsets) == len(played_s) and follower.tempo.confidence > 0.3
    assert follower.n_missed == 1, "fooled once"
    plain = KickFollower(RATE_HZ, beat, trail_s=None)
    plain.push(sound)
    due_s = played_s[-1] + 0.48
    gone = round((due_s + 0.03 + SAME_S + MISSED_S) / follower._hop_s)
    assert np.abs(levels(follower) - levels(plain))[gone:].max() < 0.3
    at = round((due_s - lead_ms / 1000 - 0.05) / follower._hop_s)
    if motion != "pump":
        assert (levels(follower)[gone:] <= levels(follower)[at] + 1e-9).all(), "as if nothing had been lifted"
        assert np.diff(levels(follower)[at:]).min() > -0.13, "and without a jump down"


def test_half_the_kicks_missing_lead_to_few_that_are_let_go():
    rng = np.random.default_rng(8)
    times_s = beaten(124, 40.0)
    times_s = times_s[(times_s < 3) | (rng.random(len(times_s)) < 0.5)]
    sound = kicks(RATE_HZ, times_s, 40.0)
    follower, onsets = follow(sound)
    assert len(onsets) == len(times_s)
    assert follower.n_missed <= 0.2 * len(times_s)
    # every kick is shown, ahead or when it is heard, and then held
    for onset in onsets:
        assert follower.level_at(onset.time_s + 0.001) > 0.7 * onset.strength


def test_what_comes_every_second_beat_is_foreseen_there_and_not_between():
    sound, times_s = groove(124, 24.0)
    sound += kicks(RATE_HZ, times_s[::2], 24.0) - kicks(RATE_HZ, times_s, 24.0)
    sound += kicks(RATE_HZ, times_s[1::2], 24.0, 0.02)  # too soft to be told
    follower, onsets = follow(sound)
    assert len(onsets) == len(times_s[::2]) and follower.n_early > 10 and follower.n_missed <= 1
    off_s = np.array([np.abs(times_s[::2] - up_s - 0.06).min() for up_s in lifts_s(follower)[-11:-1]])
    assert off_s.max() < 0.03


def test_another_tempo_is_led_again_and_meanwhile_the_kicks_are_shown():
    (first, first_s), (then, then_s) = groove(112, 10.0), groove(140, 14.0)
    then_s = then_s + 10
    times_s = np.concatenate([first_s, then_s])
    follower, onsets = follow(np.concatenate([first, then]))
    assert len(onsets) == len(times_s)
    assert follower.n_missed <= 3
    up_s = lifts_s(follower)
    late = then_s[then_s > 16]
    off_s = np.array([up_s[np.abs(up_s - time_s + 0.06).argmin()] - time_s + 0.06 for time_s in late])
    assert np.abs(off_s).max() < 0.02


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(8 * RATE_HZ),
        np.random.default_rng(2).normal(0, 0.1, 8 * RATE_HZ),
        0.3 * np.sin(2 * np.pi * 55 * np.arange(8 * RATE_HZ) / RATE_HZ),
        np.full(8 * RATE_HZ, np.nan),
    ],
    ids=["silence", "noise", "a low note", "bad samples"],
)
def test_where_there_is_no_kick_none_is_foreseen(sound):
    follower, onsets = follow(sound.astype(np.float32), BeatSettings(lead_ms=200))
    assert follower.n_early == 0
    assert max(levels(follower)[RATE_HZ // 100 :], default=0) < 1e-2 or onsets


def test_after_the_music_nothing_is_lifted():
    follower, _ = follow(np.concatenate([STEADY, np.zeros(20 * RATE_HZ, np.float32)]), BeatSettings(lead_ms=100))
    assert follower.n_missed <= 1
    assert levels(follower)[round(14 / follower._hop_s) :].max() < 0.02


def test_kicks_at_random_are_not_foreseen():
    times_s = np.cumsum(np.random.default_rng(6).uniform(0.25, 0.9, 50))
    follower, onsets = follow(kicks(RATE_HZ, times_s, 30.0))
    assert len(onsets) > 40 and follower.n_early <= 4


def test_without_a_sure_beat_nothing_is_led(monkeypatch):
    monkeypatch.setattr("visualizer.beat.beat_follower.LEAST_CONFIDENCE", 1.01)
    assert follow(STEADY)[0].n_early == 0


@pytest.mark.parametrize("rate_hz", [8000, 48000, 96000])
@pytest.mark.slow
def test_every_rate_is_led(rate_hz):
    sound, times_s = groove(120, 9.0, rate_hz)
    follower, _ = follow(sound, rate_hz=rate_hz, cuts=range(500, len(sound), 500))
    assert np.abs(lifts_s(follower)[10 : len(times_s)] + 0.06 - times_s[10:]).max() < 0.03


def test_settings_are_taken_over_without_a_jump_and_without_losing_the_beat():
    follower = BeatFollower(RATE_HZ, LEAD, trail_s=None)
    changes = [
        {"motion": "breathe"},
        {"sensitivity": 0.5},
        {"motion": "pump", "decay": 0.9},
        {"motion": "decay", "high_hz": 200.0},
        {"lead_ms": 0.0},
        {"lead_ms": 120.0, "threshold": 0.2},
        {"motion": "steps", "sensitivity": 1.0},
    ]
    heard = []
    for index, block in enumerate(np.array_split(STEADY, 60)):
        if index % 7 == 6:
            follower.set_beat(follower.settings.model_copy(update=changes[index // 7 % len(changes)]))
            heard.append(follower._trail.n_hops)
        follower.push(block)
    told = levels(follower)
    for hop in heard:
        away = np.abs(np.diff(told[hop - 1 : hop + 2]))
        kicked = np.abs(lifts_s(follower) / follower._hop_s - hop).min() < 4
        assert kicked or away.max() < 0.1
    assert told.min() >= 0 and told.max() <= 1
    assert follower.n_early > 8 and follower.tempo.tempo_bpm == pytest.approx(125, rel=0.01)


def test_the_threshold_is_taken_over():
    follower = KickFollower(RATE_HZ, BeatSettings())
    half = len(STEADY) // 2
    assert follower.push(STEADY[:half])
    follower.set_beat(BeatSettings(threshold=1.0, sensitivity=0.4))
    assert all(onset.strength <= 0.4 for onset in follower.push(STEADY[half:]))


def test_a_motion_taken_over_while_a_kick_is_expected_kick_is_let_go_all_the_same():
    sound = np.concatenate([kicks(RATE_HZ, STEADY_S[:16], 8.0), np.zeros(4 * RATE_HZ, np.float32)])
    follower = BeatFollower(RATE_HZ, BeatSettings(lead_ms=200), trail_s=None)
    due_s = STEADY_S[16]
    at = round((due_s - 0.1) * RATE_HZ)
    follower.push(sound[:at])
    assert follower._expected_kick is not None
    follower.set_beat(BeatSettings(lead_ms=200, decay=0.5))
    follower.push(sound[at:])
    assert follower.n_missed == 1
    assert follower.level_at(due_s + 0.5) < 0.01
    assert np.diff(levels(follower)[at // 294 :]).min() > -0.2


def test_taps_and_scaling_go_to_the_tempo():
    follower, _ = follow(np.zeros(4 * RATE_HZ, np.float32))
    for time_s in (1.0, 1.6, 2.2, 2.8):
        follower.tempo.tap(time_s)
    assert follower.tempo.tempo_bpm == pytest.approx(100) and follower.tempo.phase_at(2.8) == 0
    follower.tempo.scale(2.0)
    assert follower.tempo.tempo_bpm == pytest.approx(200)
    follower.tempo.scale(0.5)
    assert follower.tempo.tempo_bpm == pytest.approx(100)
    with pytest.raises(BadInput, match="a tap needs a time"):
        follower.tempo.tap(float("nan"))


@pytest.mark.parametrize("beat", [BeatSettings(), LEAD], ids=["lead 0", "lead 60"])
@pytest.mark.parametrize(
    "block", [np.zeros((10, 2), np.float32), np.zeros(10, np.int16), np.array(1.0), np.array(["a"])]
)
def test_anything_but_mono_floats_is_refused_before_any_of_it_is_heard(block, beat):
    follower = BeatFollower(RATE_HZ, beat)
    with pytest.raises(BadInput, match="one-dimensional block of floats"):
        follower.push(block)
    assert (follower.time_s, follower.tempo.time_s) == (0.0, 0.0)


@pytest.mark.parametrize("rate_hz", [0, 7999, 192001])
def test_rates_it_cannot_follow_are_refused(rate_hz):
    with pytest.raises(BadInput, match=r"8000 \.\. 192000"):
        BeatFollower(rate_hz, LEAD)


def test_bad_samples_and_empty_blocks_are_taken():
    dirty = STEADY.copy()
    dirty[30000:30010] = np.nan
    follower, onsets = follow(dirty, cuts=[0, 0, 500])
    assert follower.n_bad_samples == 10 and len(onsets) == len(STEADY_S)


def test_little_is_remembered_however_long_it_lasts():
    pattern = KickPattern()
    for beat in range(5000):
        pattern.add(beat * 0.5, 1.0)
        pattern.expected(beat * 0.5 + 0.06, beat * 0.5, 0.5, 1 / 150)
    assert len(pattern._times_s) == len(pattern._strengths) == KEPT


@given(
    st.lists(st.floats(0.01, 1.0), min_size=1, max_size=60),
    st.floats(0.3, 1.0),
    st.floats(0.0, 0.2),
)
@settings(max_examples=40, deadline=None)
def test_what_a_pattern_foresees_lies_near_what_was_asked_for(gaps_s, beat_s, lead_s):
    pattern = KickPattern()
    told_s = iter([*itertools.accumulate(gaps_s), np.inf])
    next_s, hop_s = next(told_s), 1 / 150
    for hop in range(1, 600):
        now_s = hop * hop_s
        while next_s <= now_s:
            pattern.add(next_s, 0.9)
            next_s = next(told_s)
        kick = pattern.expected(now_s + lead_s, now_s, beat_s, hop_s)
        if kick is not None:
            assert -2 * hop_s <= kick.time_s - now_s - lead_s <= hop_s / 2
            assert kick.strength == pytest.approx(0.9)
