"""Tempo and beats: any blocks the same, clicks at every tempo, breaks bridged, changes followed, noise not believed."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sounds import kicks
from visualizer.beat.tempo import LEAST_AHEAD_S, TempoFollower
from visualizer.errors import BadInput


def follow(sound, rate_hz=44100, *, cuts=()):
    follower = TempoFollower(rate_hz)
    for block in np.split(sound, sorted(cuts)):
        follower.push(block)
    return follower


def clicks(times_s, seconds, rate_hz=44100, amplitude=0.5):
    """(n,) float32: bursts of 1 kHz, 20 ms long."""
    sound = np.zeros(round(seconds * rate_hz), np.float32)
    t = np.arange(round(0.05 * rate_hz)) / rate_hz
    one = (amplitude * np.sin(2 * np.pi * 1000 * t) * np.exp(-t / 0.01)).astype(np.float32)
    for time_s in times_s:
        at = round(time_s * rate_hz)
        sound[at : at + len(one)] += one[: len(sound) - at]
    return sound


def band(bpm, seconds, rate_hz=44100, *, start_s=0.5, seed=0):
    """Bass drum on one, snare on two, hats on every half beat: (n,) float32."""
    rng = np.random.default_rng(seed)
    beats_s = np.arange(start_s, seconds - 0.3, 60 / bpm)
    sound = kicks(rate_hz, beats_s[::2], seconds, 0.6)
    t = np.arange(round(0.15 * rate_hz)) / rate_hz
    for times_s, decay_s, gain in (
        (beats_s[1::2], 0.05, 0.2),
        (np.arange(start_s, seconds - 0.3, 30 / bpm), 0.015, 0.05),
    ):
        for time_s in times_s:
            at = round(time_s * rate_hz)
            sound[at : at + len(t)] += (gain * rng.standard_normal(len(t)) * np.exp(-t / decay_s)).astype(np.float32)
    return sound


def beats(follower, from_s=0.0, to_s=math.inf):
    return np.array([beat_s for beat_s, _ in follower.predicted if from_s <= beat_s < to_s])


def off_s(found_s, beats_s):
    """How far each beat lies from the one told for it, seconds."""
    return np.array([found_s[np.abs(found_s - beat_s).argmin()] - beat_s for beat_s in beats_s])


MUSIC = band(120, 6.0)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, len(MUSIC)), max_size=40))
@pytest.mark.slow
def test_any_split_into_blocks_gives_bit_identical_results(cuts):
    whole, split = follow(MUSIC), follow(MUSIC, cuts=cuts)
    assert split.predicted == whole.predicted and len(whole.predicted) > 5
    assert (split.tempo_bpm, split.confidence, split.phase_at(6.0)) == (
        whole.tempo_bpm,
        whole.confidence,
        whole.phase_at(6.0),
    )
    assert np.array_equal(split._pointer.state, whole._pointer.state)


@pytest.mark.parametrize("n_block", [1, 7, 440, 441, 442, 4096])
def test_regular_blocks_give_bit_identical_results(n_block):
    short = MUSIC[: 3 * 44100 if n_block > 1 else 44100]
    split = follow(short, cuts=range(n_block, len(short), n_block))
    assert np.array_equal(split._pointer.state, follow(short)._pointer.state)


def test_push_returns_what_is_told_in_it():
    follower = TempoFollower(44100)
    told = [beat for block in np.split(MUSIC, 30) for beat in follower.push(block)]
    assert told == list(follower.predicted)


@given(st.integers(1, len(MUSIC)))
@settings(max_examples=8, deadline=None)
def test_what_comes_later_changes_nothing_told(n_samples):
    before = list(follow(MUSIC[:n_samples]).predicted)
    noise = np.random.default_rng(1).normal(0, 0.3, 22050).astype(np.float32)
    assert list(follow(np.concatenate([MUSIC[:n_samples], noise])).predicted)[: len(before)] == before


@pytest.mark.parametrize("bpm", [60, 75, 90, 100, 110, 120, 128, 140, 160, 174, 190, 200])
def test_a_band_is_followed_at_every_tempo(bpm):
    """At 174 and above half is what many listeners tap too."""
    follower = follow(band(bpm, 16.0))
    beat_s = 60 / follower.tempo_bpm
    assert min(abs(beat_s * bpm / 60 / whole - 1) for whole in ((1, 2) if bpm > 165 else (1,))) < 0.01
    assert follower.confidence > 0.5
    played_s = np.arange(0.5, 15.6, 60 / bpm)
    assert np.abs(off_s(played_s, beats(follower, 8.0, 15.6))).max() < 0.04
    assert np.diff(beats(follower, 8.0)).max() < 1.2 * beat_s


@pytest.mark.parametrize("bpm", [60, 80, 100, 120, 140, 160, 180, 200])
def test_bare_clicks_are_followed_at_their_tempo_its_half_or_double(bpm):
    follower = follow(clicks(np.arange(0.5, 16.0, 60 / bpm), 16.0))
    ratio = follower.tempo_bpm / bpm
    assert min(abs(ratio / whole - 1) for whole in (0.5, 1, 2)) < 0.015
    found_s = beats(follower, 8.0, 15.5)
    assert len(found_s) > 5
    # whatever it takes for the beat, every click or every other is one
    grid_s = 60 / bpm if ratio < 1.5 else 30 / bpm
    beats_off = (found_s - 0.5) / grid_s
    assert np.abs(beats_off - np.round(beats_off)).max() * grid_s < 0.06
    if 90 < bpm < 150:
        assert ratio == pytest.approx(1, rel=0.015)


def test_beats_are_told_at_least_50_ms_ahead_and_once():
    told = np.array(follow(band(126, 20.0)).predicted)
    ahead_s = told[:, 0] - told[:, 1]
    assert ahead_s.min() >= LEAST_AHEAD_S - 1e-9 and ahead_s.max() < 0.07
    assert np.diff(told[:, 0]).min() > 0.2


def test_it_locks_within_four_beats_of_the_first():
    follower = follow(band(120, 8.0))
    assert np.abs(off_s(beats(follower), np.arange(2.5, 7.5, 0.5))).max() < 0.05


@pytest.mark.parametrize("pads", [False, True], ids=["silence", "pads"])
@pytest.mark.parametrize("bpm", [100, 128, 150])
@pytest.mark.slow
def test_a_break_of_8_bars_is_bridged(bpm, pads):
    beat_s = 60 / bpm
    until_s = 0.5 + 32 * beat_s
    on_s = until_s + 32 * beat_s
    sound = band(bpm, on_s + 8.0)
    start, stop = round((until_s - 0.02) * 44100), round((on_s - 0.02) * 44100)
    sound[start:stop] *= np.linspace(1, 0, stop - start) ** 200
    if pads:
        t = np.arange(stop - start) / 44100
        swell = np.minimum(1, t / 3) * np.minimum(1, (t[-1] - t) / 0.5)
        chord = sum(np.sin(2 * np.pi * hz * t + 0.3 * np.sin(2 * np.pi * 0.7 * t)) for hz in (220, 277, 330))
        sound[start:stop] += (0.05 * swell * chord).astype(np.float32)
    follower = TempoFollower(44100)
    follower.push(sound[:stop])
    assert follower.tempo_bpm == pytest.approx(bpm, rel=0.01)
    assert 0.2 < follower.confidence < 1
    follower.push(sound[stop:])
    every_s = until_s + beat_s * np.arange(0, round(38 / beat_s * beat_s))
    assert np.abs(off_s(beats(follower), every_s[every_s < on_s + 4])).max() < 0.07


def test_a_new_tempo_is_followed_within_eight_seconds():
    sound = np.concatenate([band(100, 12.0), band(136, 16.0, start_s=0.1)])
    follower = follow(sound)
    assert follower.tempo_bpm == pytest.approx(136, rel=0.01)
    every_s = 12.1 + np.arange(0, 15.5, 60 / 136)
    assert np.abs(off_s(beats(follower), every_s[every_s > 20])).max() < 0.05


def house(bpm, seconds, start_s, *, bass_places, hat_places, bass=0.3, hat=0.15):
    """Bass drum on every beat; bass notes and hats at these sixteenths of the beat: (n,) float32."""
    rng = np.random.default_rng(2)
    every_s = np.arange(start_s, seconds - 0.3, 15 / bpm)
    sound = kicks(44100, every_s[::4], seconds, 0.6)
    t = np.arange(round(0.2 * 44100)) / 44100
    note = bass * np.sin(2 * np.pi * 55 * t) * np.minimum(1, t / 0.005) * np.exp(-t / 0.12)
    for index, time_s in enumerate(every_s):
        at = round(time_s * 44100)
        if index % 4 in bass_places:
            sound[at : at + len(t)] += note.astype(np.float32)
        if index % 4 in hat_places:
            sound[at : at + len(t)] += (hat * rng.standard_normal(len(t)) * np.exp(-t / 0.02)).astype(np.float32)
    return sound


@pytest.mark.parametrize("bpm", [125, 145])
def test_sounds_on_every_sixteenth_are_a_rhythm(bpm):
    """Where every rhythm had fewer sounds they were taken for chance: after some seconds no beat was predicted."""
    follower = follow(house(bpm, 16.0, 0.5, bass_places=(1, 2, 3), hat_places=(0, 1, 2, 3)))
    assert follower.confidence > 0.4
    every_s = np.arange(0.5, 15.5, 60 / bpm)
    assert np.abs(off_s(beats(follower), every_s[every_s > 5])).max() < 0.03


def test_a_record_cut_in_between_two_beats_is_followed_on_the_beat():
    """The first sound after a silence need not be a beat: here it is a hat and a bass note half a beat early."""
    sound = house(125, 16.0, 0.02, bass_places=(2,), hat_places=(2,))
    sound[: round(0.7 * 44100)] = 0
    beats_s = 0.02 + np.arange(16, 32) * 60 / 125
    assert np.abs(off_s(beats(follow(sound)), beats_s)).max() < 0.03


def test_a_tempo_that_drifts_is_followed():
    """From 110 to 130 in 24 s."""
    beats_s, at_s = [], 0.5
    while at_s < 23.5:
        beats_s.append(at_s)
        at_s += 60 / (110 + 20 * at_s / 24)
    sound = kicks(44100, beats_s[::2], 24.0) + clicks(beats_s[1::2], 24.0)
    follower = follow(sound)
    assert np.abs(off_s(beats(follower), beats_s[10:-1])).max() < 0.06
    assert follower.tempo_bpm == pytest.approx(129.5, rel=0.03)


RNG = np.random.default_rng(3)
BEATLESS = {
    "silence": np.zeros(15 * 44100),
    "white noise": RNG.normal(0, 0.1, 15 * 44100),
    "white noise at -70 dBFS": RNG.normal(0, 10 ** (-70 / 20), 15 * 44100),
    "hum": 0.01 * np.sin(2 * np.pi * 50 * np.arange(15 * 44100) / 44100),
    "a note": 0.3 * np.sin(2 * np.pi * 220 * np.arange(15 * 44100) / 44100),
    "nothing but bad samples": np.full(15 * 44100, np.nan),
}


@pytest.mark.parametrize("name", BEATLESS)
def test_without_a_beat_it_is_not_confident(name):
    follower = TempoFollower(44100)
    confidences = []
    for block in np.split(BEATLESS[name].astype(np.float32), 150):
        follower.push(block)
        confidences.append(follower.confidence)
    assert max(confidences) < 0.5
    assert max(confidences[80:]) < 0.12
    assert 60 <= follower.tempo_bpm <= 200


def test_silence_says_nothing():
    follower = follow(np.zeros(44100, np.float32))
    assert (follower.confidence, follower.tempo_bpm, list(follower.predicted)) == (0.0, 120.0, [])


@pytest.mark.parametrize("rate_hz", [16000, 48000, 96000])
def test_the_rate_of_the_sound_does_not_matter(rate_hz):
    here, there = follow(band(124, 10.0)), follow(band(124, 10.0, rate_hz), rate_hz)
    assert there.tempo_bpm == pytest.approx(here.tempo_bpm, rel=0.005)
    assert np.abs(off_s(beats(there), beats(here, 4.0))).max() < 0.012


@pytest.mark.parametrize("rate_hz", [8000, 11025, 192000])
def test_every_rate_is_followed(rate_hz):
    follower = follow(kicks(rate_hz, np.arange(0.5, 9.5, 0.5), 10.0), rate_hz)
    assert follower.tempo_bpm == pytest.approx(120, rel=0.01)
    assert follower.time_s == pytest.approx(10.0, abs=0.02)


@pytest.mark.parametrize("gain_db", [-12, -30])
def test_the_level_of_the_sound_does_not_matter(gain_db):
    loud, soft = follow(band(124, 10.0)), follow(band(124, 10.0) * np.float32(10 ** (gain_db / 20)))
    assert soft.tempo_bpm == pytest.approx(loud.tempo_bpm, rel=0.005)
    assert np.abs(off_s(beats(soft), beats(loud, 4.0))).max() < 0.012


def test_phase_and_next_beat_agree():
    follower = follow(MUSIC)
    for time_s in np.arange(0.0, 12.0, 0.173):
        beat_s = follower.next_beat_s(time_s)
        assert 0 < beat_s - time_s <= 60 / follower.tempo_bpm + 1e-6
        assert 0 <= follower.phase_at(time_s) < 1
        assert min(follower.phase_at(beat_s), 1 - follower.phase_at(beat_s)) < 1e-6
        assert follower.next_beat_s(beat_s) > beat_s + 0.2


def test_taps_set_tempo_and_phase_in_silence():
    follower = follow(np.zeros(44100, np.float32))
    for time_s in (1.0, 1.48, 1.96, 2.44):
        follower.push(np.zeros(round(0.48 * 44100), np.float32))
        follower.tap(time_s)
    assert follower.tempo_bpm == pytest.approx(125, rel=0.001)
    assert follower.next_beat_s(2.5) == pytest.approx(2.92, abs=0.002)
    assert follower.confidence > 0.7
    follower.push(np.zeros(4 * 44100, np.float32))
    assert np.abs(off_s(beats(follower, 3.0), 2.44 + 0.48 * np.arange(2, 8))).max() < 0.005


def test_one_tap_moves_the_phase_and_keeps_the_tempo():
    follower = follow(MUSIC)
    bpm = follower.tempo_bpm
    follower.tap(6.1)
    assert follower.tempo_bpm == bpm
    assert follower.phase_at(6.1) == 0


def test_taps_choose_double_time_and_the_music_goes_on_with_it():
    sound = band(86, 24.0)
    follower = follow(sound[: 8 * 44100])
    assert follower.tempo_bpm == pytest.approx(86, rel=0.01)
    first_s = follower.next_beat_s(6.0)
    for n in range(5):
        follower.tap(first_s + n * 30 / 86)
    assert follower.tempo_bpm == pytest.approx(172, rel=0.02)
    follower.push(sound[8 * 44100 : 10 * 44100])
    assert follower.tempo_bpm == pytest.approx(172, rel=0.02)


@pytest.mark.parametrize("time_s", [math.nan, math.inf])
def test_a_tap_at_no_time_is_refused(time_s):
    with pytest.raises(BadInput, match="a tap needs a time"):
        TempoFollower(44100).tap(time_s)


def test_bad_samples_count_as_silence():
    clean = MUSIC.copy()
    clean[30000:30010] = 0
    dirty = clean.copy()
    dirty[30000:30010] = [np.nan, np.inf, -np.inf, 1e30, -1e30, np.nan, 17, -17, 3e38, np.nan]
    assert follow(dirty, cuts=[30005]).predicted == follow(clean).predicted


@pytest.mark.parametrize(
    "block", [np.zeros((10, 2), np.float32), np.zeros(10, np.int16), np.array(1.0), np.zeros(4, complex)]
)
def test_anything_but_mono_floats_is_refused_with_one_line(block):
    with pytest.raises(BadInput, match="one-dimensional block of floats") as error:
        TempoFollower(44100).push(block)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("rate_hz", [0, -1, 7999, 192001])
def test_rates_it_cannot_follow_are_refused(rate_hz):
    with pytest.raises(BadInput, match=r"8000 \.\. 192000"):
        TempoFollower(rate_hz)


@pytest.mark.parametrize(("bpm", "factor"), [(86, 2.0), (140, 0.5)])
def test_the_tempo_is_doubled_or_halved_and_the_music_goes_on_with_it(bpm, factor):
    sound = band(bpm, 24.0)
    follower = follow(sound[: 10 * 44100])
    assert follower.tempo_bpm == pytest.approx(bpm, rel=0.01)
    assert follower.scale(factor)
    assert follower.tempo_bpm == pytest.approx(bpm * factor, rel=0.01)
    follower.push(sound[10 * 44100 : 22 * 44100])
    assert follower.tempo_bpm == pytest.approx(bpm * factor, rel=0.02)
    told_s = beats(follower, 13.0, 21.5)
    assert np.median(np.diff(told_s)) == pytest.approx(60 / bpm / factor, rel=0.02)


@pytest.mark.parametrize(("bpm", "factor"), [(120, 2.0), (100, 0.5)])
def test_a_tempo_is_not_scaled_beyond_60_or_200(bpm, factor):
    follower = follow(band(bpm, 8.0))
    before = (follower.tempo_bpm, follower.next_beat_s(8.0))
    assert not follower.scale(factor)
    assert (follower.tempo_bpm, follower.next_beat_s(8.0)) == before


@pytest.mark.parametrize("factor", [0.0, 1.0, -2.0, 3.0, math.nan, math.inf])
def test_a_tempo_is_scaled_by_half_or_two_only(factor):
    with pytest.raises(BadInput, match=r"factor of 0\.5 or 2"):
        TempoFollower(44100).scale(factor)
