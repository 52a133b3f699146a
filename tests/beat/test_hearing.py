"""What the network is given: bands where they should be, level taken out, rises, the same at every rate and split."""

import itertools

import numpy as np
import pytest

from visualizer.beat.hearing import HIGH_HZ, LOW_HZ, N_BANDS, N_FEATURES, Hearing


def windows_of(sound, hearing):
    return np.lib.stride_tricks.sliding_window_view(sound, hearing.window_samples)[:: hearing.hop_samples]


def sine(freq_hz, rate_hz, seconds=1.0, amplitude=1.0):
    return amplitude * np.sin(2 * np.pi * freq_hz * np.arange(round(seconds * rate_hz)) / rate_hz)


def powers(freq_hz, rate_hz, **kwargs):
    hearing = Hearing(rate_hz, -66.0)
    return hearing.bands(windows_of(sine(freq_hz, rate_hz, **kwargs), hearing))


@pytest.mark.parametrize("rate_hz", [8000, 11025, 22050, 44100, 48000, 96000, 192000])
@pytest.mark.parametrize("band", range(len(LOW_HZ)))
def test_a_full_scale_sine_at_a_low_centre_has_power_one_there(rate_hz, band):
    # the lowest see their own mirror at negative frequencies: they flutter by a few tenths
    assert powers(LOW_HZ[band], rate_hz)[:, band].mean() == pytest.approx(1.0, rel=0.2)


@pytest.mark.parametrize("freq_hz", HIGH_HZ[1:-1])
def test_a_sine_at_a_high_centre_is_loudest_in_its_band(freq_hz):
    mean = powers(freq_hz, 48000).mean(axis=0)
    assert np.argmax(mean[len(LOW_HZ) :]) == HIGH_HZ.index(freq_hz) - 1
    assert mean.max() == pytest.approx(1.0, rel=0.5)


def test_a_bass_note_does_not_leak_into_the_treble():
    mean = powers(55.0, 44100).mean(axis=0)
    assert np.all(mean[-6:] < 1e-7)


def test_a_constant_is_not_sound():
    hearing = Hearing(44100, -66.0)
    assert hearing.bands(np.full((3, hearing.window_samples), 0.9)).max() < 1e-12


@pytest.mark.parametrize("rate_hz", [48000, 96000])
def test_the_rates_of_sound_cards_hear_alike(rate_hz):
    for freq_hz in (50.0, 70.0, 130.0, 400.0, 2000.0):
        reference, other = powers(freq_hz, 44100), powers(freq_hz, rate_hz)
        n = min(len(reference), len(other))
        assert (
            np.abs(np.sqrt(reference[:n]) - np.sqrt(other[:n])).max() < 0.08
        )  # the short windows differ by half a sample


def test_the_hops_of_sound_cards_stand_at_the_same_instants():
    assert {Hearing(rate, -66.0).hop_s for rate in (44100, 48000, 88200, 96000, 192000)} == {1 / 150}


def test_features_do_not_depend_on_the_level():
    noise = np.random.default_rng(5).normal(0, 0.2, 44100)
    settled = slice(30, None)  # until then the level's reference climbs from the floor
    rows = []
    for gain in (1.0, 0.01):
        hearing = Hearing(44100, -120.0)
        rows.append(hearing.features(windows_of(gain * noise, hearing))[settled])
    assert rows[0].shape[1] == N_FEATURES
    assert np.abs(rows[0] - rows[1]).max() < 1e-3


def test_silence_and_what_lies_under_the_floor_is_nothing():
    hearing = Hearing(44100, -40.0)
    assert not hearing.features(np.zeros((5, hearing.window_samples))).any()
    assert np.abs(hearing.features(windows_of(sine(60, 44100, amplitude=1e-4), hearing))).max() < 0.05


def test_rises_are_differences_over_their_hops():
    hearing = Hearing(44100, -66.0)
    rows = hearing.features(windows_of(np.random.default_rng(6).normal(0, 0.1, 22050), hearing))
    now = rows[:, :N_BANDS]
    assert np.allclose(rows[1:, N_BANDS : 2 * N_BANDS], now[1:] - now[:-1])
    assert np.allclose(rows[4:, 2 * N_BANDS :], now[4:] - now[:-4])


@pytest.mark.parametrize("rate_hz", [8000, 44100, 48000])
def test_a_row_at_a_time_is_bit_identical_to_all_at_once(rate_hz):
    sound = np.random.default_rng(7).normal(0, 0.1, rate_hz)
    whole, split = Hearing(rate_hz, -66.0), Hearing(rate_hz, -66.0)
    windows = windows_of(sound, whole)
    cuts = [0, 1, 2, 5, 38, len(windows)]
    rows = [split.features(windows[a:b]) for a, b in itertools.pairwise(cuts)]
    assert np.array_equal(np.concatenate(rows), whole.features(windows))
