"""Mids and highs: any blocks the same levels, each band hears its own, loudness does not matter, silence is 0."""

import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sounds import kicks
from visualizer.beat import BandFollower
from visualizer.beat.bands import HIGH_HZ, MID_HZ, blackman
from visualizer.errors import BadInput


def follow(sound, rate_hz=44100, *, cuts=()):
    """The levels of every hop: (n, 2), mids and highs."""
    follower = BandFollower(rate_hz)
    levels = [level for block in np.split(sound, sorted(cuts)) for level in follower.push(block)]
    assert len(levels) == follower.n_hops
    return np.array(levels).reshape(-1, 2)


def sine(hz, seconds=2.0, rate_hz=44100, amplitude=0.5):
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz)).astype(np.float32)


def white(seconds, rms, seed=0, rate_hz=44100):
    return np.random.default_rng(seed).normal(0, rms, round(seconds * rate_hz)).astype(np.float32)


def music(seconds=4.0, rate_hz=44100):
    """Kicks, a chord that comes and goes, and hi-hats of noise between the kicks."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    chord = sum(np.sin(2 * np.pi * hz * t) for hz in (523, 659, 784)) * 0.05 * (1 + np.sin(2 * np.pi * 0.7 * t))
    hats = white(seconds, 0.1, 3, rate_hz) * np.exp(-((t - 0.25) % 0.5) / 0.03)
    return (kicks(rate_hz, np.arange(0.0, seconds - 0.3, 0.5), seconds, 0.5) + chord + hats).astype(np.float32)


MUSIC = music()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, len(MUSIC)), max_size=40))
def test_any_split_into_blocks_gives_bit_identical_levels(cuts):
    assert np.array_equal(follow(MUSIC, cuts=cuts), follow(MUSIC))


@pytest.mark.parametrize("n_block", [1, 7, 440, 441, 442, 4096])
def test_regular_blocks_give_bit_identical_levels(n_block):
    short = MUSIC[: 44100 if n_block > 1 else 6000]
    assert np.array_equal(follow(short, cuts=range(n_block, len(short), n_block)), follow(short))


@given(st.integers(1, len(MUSIC)))
@settings(max_examples=10, deadline=None)
def test_what_comes_later_changes_nothing(n_samples):
    before = follow(MUSIC[:n_samples])
    other = np.concatenate([MUSIC[:n_samples], white(0.3, 0.3)])
    assert np.array_equal(follow(other)[: len(before)], before)


@pytest.mark.parametrize(("gain_db", "within"), [(-12, 0.005), (-30, 0.1)])
def test_the_loudness_of_the_sound_does_not_matter(gain_db, within):
    # from the first loud moment on: before it the faintest sound is the loudest so far
    loud, soft = (follow(MUSIC * np.float32(10 ** (db / 20)))[60:] for db in (0, gain_db))
    assert np.abs(loud - soft).max() < within
    assert loud.max() > 0.5


NOTES = {40: (0, 0), 100: (0, 0), 200: (0, 0), 9000: (0, 0), 14000: (0, 0)}
NOTES |= dict.fromkeys((600, 1000, 2600), (1, 0)) | dict.fromkeys((3400, 5000, 6600), (0, 1))


@pytest.mark.parametrize("rate_hz", [8000, 11025, 22050, 44100, 48000, 96000, 192000])
def test_a_note_is_heard_in_its_own_band_at_every_rate(rate_hz):
    for hz, expected in NOTES.items():
        if hz < 0.45 * rate_hz:
            # a note that begins is a click, which is heard in every band for a moment
            steady = follow(sine(hz, 2.0, rate_hz), rate_hz)[150:]
            assert np.abs(steady - expected).max() < 0.01, hz


@pytest.mark.parametrize(
    "sound",
    [np.zeros(88200), np.full(88200, 0.2), sine(50, amplitude=0.9), sine(50, amplitude=1e-3)],
    ids=["silence", "an offset", "a bass note", "hum"],
)
def test_what_is_in_neither_band_is_nothing(sound):
    assert follow(sound.astype(np.float32))[190:].max() < 1e-3


def test_digital_silence_is_zero_exactly():
    assert not follow(np.zeros(44100, np.float32)).any()


def test_hiss_is_silence_and_noise_fills_both_bands():
    assert follow(white(2.0, 10 ** (-70 / 20)))[50:].mean() < 0.1
    loud = follow(white(4.0, 0.1))[100:]
    assert np.all(loud.mean(axis=0) > 0.5)
    assert np.all(loud <= 1)


def test_bass_drums_alone_leave_the_bands_low():
    """Between the kicks' own clicks nothing is there to hear."""
    levels = follow(kicks(44100, [0.5, 1.0, 1.5], 2.0))
    assert np.median(levels) < 0.05


def test_a_level_rises_at_once_and_falls_in_its_time():
    sound = np.concatenate([np.zeros(22050, np.float32), sine(1000, 1.0), np.zeros(44100, np.float32)])
    mid = follow(sound)[:, 0]
    seconds = (np.arange(len(mid)) + 1) * 0.01
    assert mid[seconds < 0.499].max() == 0
    assert mid[np.searchsorted(seconds, 0.56)] > 0.9
    fallen = mid[np.searchsorted(seconds, 1.55)]
    assert mid[np.searchsorted(seconds, 1.80)] == pytest.approx(fallen * np.exp(-1), rel=0.05)


def test_soft_mids_after_loud_ones_come_back_as_the_gain_recovers():
    sound = np.concatenate([sine(1000, 0.5), sine(1000, 40.0, amplitude=0.05)])
    mid = follow(sound)[:, 0]
    assert mid[300] < 0.2
    assert mid[-1] > 0.9


def test_bad_samples_count_as_silence():
    clean = MUSIC.copy()
    clean[30000:30010] = 0
    dirty = clean.copy()
    dirty[30000:30010] = [np.nan, np.inf, -np.inf, 1e30, -1e30, np.nan, 17, -17, 3e38, np.nan]
    assert np.array_equal(follow(dirty, cuts=[30005]), follow(clean))
    assert not follow(np.full(44100, np.nan, np.float32)).any()


def test_empty_blocks_do_nothing():
    follower = BandFollower(44100)
    assert follower.push(np.zeros(0, np.float32)) == []
    assert follower.time_s == 0.0


@pytest.mark.parametrize(
    "block", [np.zeros((10, 2), np.float32), np.zeros(10, np.int16), np.array(1.0), np.zeros(4, complex)]
)
def test_anything_but_mono_floats_is_refused_with_one_line(block):
    with pytest.raises(BadInput, match="one-dimensional block of floats") as error:
        BandFollower(44100).push(block)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("rate_hz", [0, -1, 7999, 192001])
def test_rates_it_cannot_follow_are_refused(rate_hz):
    with pytest.raises(BadInput, match=r"8000 \.\. 192000"):
        BandFollower(rate_hz)


def test_a_whole_song_pushed_at_once_is_not_kept():
    follower = BandFollower(44100)
    follower.push(np.zeros(44100 * 60, np.float32))
    assert follower._pending.base is None and follower._pending.nbytes < 16_000
    assert follower.time_s == pytest.approx(60.0, abs=0.02)


def test_the_window_is_what_it_says():
    window = blackman(882)
    assert window.min() > -1e-12 and window.max() == pytest.approx(1.0)
    assert np.array_equal(np.round(window[1:], 12), np.round(window[1:][::-1], 12))
    assert MID_HZ[1] == HIGH_HZ[0]


def test_what_it_costs_is_printed():
    """Seen with `pytest -s`; the aim is less than a hundredth of a core at 48 kHz."""
    sound = white(10.0, 0.1, rate_hz=48000)
    for n_block in (256, 1024):
        follower = BandFollower(48000)
        began_s = time.process_time()
        for start in range(0, len(sound), n_block):
            follower.push(sound[start : start + n_block])
        share = (time.process_time() - began_s) / follower.time_s
        sys.stdout.write(f"mid and high bands, 48 kHz in blocks of {n_block}: {share:.2%} of a core\n")
