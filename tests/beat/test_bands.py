"""Bass, mids, highs and loudness: any blocks the same levels, each band hears its own, loudness does not matter,
silence is 0.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sounds import kicks
from visualizer.beat import BandFollower
from visualizer.beat.bands import blackman
from visualizer.errors import BadInput
from visualizer.settings import BeatSettings

BASS, MID, HIGH, LOUDNESS, SILENT = range(5)


def follow(sound, rate_hz=44100, *, cuts=(), **settings):
    """What is heard at every hop: (n, 5); bass, mids, highs, loudness, and 1 in silence."""
    follower = BandFollower(rate_hz, BeatSettings(**settings))
    heard = [bands for block in np.split(sound, sorted(cuts)) for bands in follower.push(block)]
    assert len(heard) == follower.n_hops
    return np.array(heard, dtype=float).reshape(-1, 5)


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
@pytest.mark.slow
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
    assert np.all(loud.max(axis=0)[:SILENT] > 0.5)


NOTES = dict.fromkeys((40, 60, 9000, 14000), (0, 0, 0)) | dict.fromkeys((150, 200, 300), (1, 0, 0))
NOTES |= dict.fromkeys((650, 1000, 2600), (0, 1, 0)) | dict.fromkeys((3400, 5000, 6600), (0, 0, 1))


@pytest.mark.parametrize("rate_hz", [8000, 11025, 22050, 44100, 48000, 96000, 192000])
def test_a_note_is_heard_in_its_own_band_at_every_rate(rate_hz):
    for hz, expected in NOTES.items():
        if hz < 0.45 * rate_hz:
            # a note that begins is a click, which is heard in every band for a moment
            steady = follow(sine(hz, 2.0, rate_hz), rate_hz)[150:]
            assert np.abs(steady - (*expected, 1, 0)).max() < 0.02, hz


def test_the_settings_say_where_the_bands_lie():
    sound = sine(300)
    assert np.abs(follow(sound)[150:, :3] - (1, 0, 0)).max() < 0.01
    assert np.abs(follow(sound, bass_low_hz=50, mid_low_hz=200)[150:, :3] - (0, 1, 0)).max() < 0.01
    assert np.abs(follow(sound, bass_low_hz=400, mid_low_hz=800)[150:, :3]).max() < 0.01


def test_a_band_above_half_the_rate_is_quiet():
    assert not follow(white(1.0, 0.1, rate_hz=8000), 8000, high_low_hz=5000)[:, HIGH].any()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"mid_low_hz": 110}, r"mid_low_hz \(110\) must be at least 20 Hz above bass_low_hz \(120\)"),
        ({"mid_low_hz": 3500}, r"high_low_hz \(2940\) must be at least 20 Hz above mid_low_hz"),
        ({"high_low_hz": 8000}, r"high_high_hz \(7020\) must be at least 20 Hz above high_low_hz"),
        ({"bass_low_hz": 500}, "above bass_low_hz"),
        ({"band_attack_s": 0}, "band_attack_s"),
    ],
)
def test_bands_that_do_not_go_up_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        BeatSettings(**settings)


@pytest.mark.parametrize(
    "sound",
    [np.zeros(88200), np.full(88200, 0.2), sine(50, amplitude=0.9), sine(50, amplitude=1e-3)],
    ids=["silence", "an offset", "a bass note", "hum"],
)
def test_what_is_in_no_band_is_nothing(sound):
    assert follow(sound.astype(np.float32))[190:, :LOUDNESS].max() < 2e-3


def test_digital_silence_is_zero_exactly():
    heard = follow(np.zeros(44100, np.float32))
    assert not heard[:, :SILENT].any() and heard[:, SILENT].all()


def test_hiss_is_silence_and_noise_fills_all_bands():
    hiss = follow(white(2.0, 10 ** (-70 / 20)))
    assert hiss[50:, :SILENT].mean() < 0.1 and hiss[:, SILENT].all()
    loud = follow(white(4.0, 0.1))[100:]
    assert np.all(loud.mean(axis=0)[:SILENT] > 0.5) and not loud[:, SILENT].any()
    assert np.all(loud <= 1)


def test_bass_drums_alone_leave_the_bands_low():
    """Between the kicks' own clicks nothing is there to hear."""
    levels = follow(kicks(44100, [0.5, 1.0, 1.5], 2.0))
    assert np.median(levels[:, MID : HIGH + 1]) < 0.05


def test_bass_drums_do_not_play_the_bass():
    """Beside a bass note they are hardly there; a window of 20 ms would put them at half of it."""
    drums = kicks(44100, np.arange(1.0, 4.0, 0.5), 4.0)
    note = sine(220, 4.0, amplitude=0.3)
    assert np.abs(follow(note + drums)[80:, BASS] - 1).max() < 0.3


@pytest.mark.parametrize(("hz", "band"), [(300, BASS), (1000, MID), (5000, HIGH), (60, LOUDNESS)])
@pytest.mark.parametrize(("attack_s", "release_s"), [(0.01, 0.25), (0.2, 0.5)])
def test_a_level_rises_and_falls_in_its_time(hz, band, attack_s, release_s):
    sound = np.concatenate([np.zeros(22050, np.float32), sine(hz, 1.5), np.zeros(66150, np.float32)])
    level = follow(sound, band_attack_s=attack_s, band_release_s=release_s)[:, band]
    seconds = (np.arange(len(level)) + 1) * 0.01

    def at(time_s):
        return level[np.searchsorted(seconds, time_s - 1e-6)]

    assert level[seconds < 0.499].max() == 0
    assert 1 - at(0.6 + attack_s) == pytest.approx((1 - at(0.6)) * np.exp(-1), rel=0.1, abs=1e-3)
    assert at(0.56 + 2 * attack_s) > 0.85
    assert at(2.2 + release_s) == pytest.approx(at(2.2) * np.exp(-1), rel=0.02)


def test_silence_comes_after_half_a_second_and_ends_at_once():
    tone, rest = sine(1000, 1.0), np.zeros(22050, np.float32)
    sound = np.concatenate([rest, tone, rest[: 22050 // 2], tone, rest, rest, tone])
    silent = follow(sound)[:, SILENT]
    changes = (np.flatnonzero(np.diff(silent)) + 2) * 0.01
    # a rest of a quarter of a second is none, and the window must empty before one begins
    assert changes == pytest.approx([0.51, 2.75 + 0.55, 3.76], abs=0.03)


def test_what_counts_as_silence_is_set():
    soft = sine(1000, amplitude=10 ** (-60 / 20))
    assert not follow(soft)[50:, SILENT].any()
    assert follow(soft, floor_db=-50)[:, SILENT].all()


def test_noise_at_the_floor_does_not_flicker():
    for rms_db in np.arange(-72, -66, 0.5):
        silent = follow(white(4.0, 10 ** (rms_db / 20)))[:, SILENT]
        assert np.count_nonzero(np.diff(silent)) <= 1, rms_db


def test_soft_mids_after_loud_ones_come_back_as_the_gain_recovers():
    sound = np.concatenate([sine(1000, 0.5), sine(1000, 40.0, amplitude=0.05)])
    mid = follow(sound)[:, MID]
    assert mid[300] < 0.2
    assert mid[-1] > 0.9


def test_bad_samples_count_as_silence():
    clean = MUSIC.copy()
    clean[30000:30010] = 0
    dirty = clean.copy()
    dirty[30000:30010] = [np.nan, np.inf, -np.inf, 1e30, -1e30, np.nan, 17, -17, 3e38, np.nan]
    assert np.array_equal(follow(dirty, cuts=[30005]), follow(clean))
    assert not follow(np.full(44100, np.nan, np.float32))[:, :SILENT].any()


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


def test_the_window_is_what_it_says():
    window = blackman(882)
    assert window.min() > -1e-12 and window.max() == pytest.approx(1.0)
    assert np.array_equal(np.round(window[1:], 12), np.round(window[1:][::-1], 12))
