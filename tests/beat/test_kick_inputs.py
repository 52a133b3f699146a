"""What the network is given: bands where they should be, level taken out, rises, the same at every rate and split."""

import itertools

import numpy as np
import pytest

from visualizer.beat.kick_inputs import (
    GAIN_MEMORY_S,
    HIGH_HZ,
    LOW_HZ,
    N_BANDS,
    N_INPUTS,
    N_VIEWS,
    RISE_LAGS,
    BandFilters,
    Gain,
    KickInputs,
    smooth_length,
)


def windows_of(sound, inputs):
    return np.lib.stride_tricks.sliding_window_view(sound, inputs.window_samples)[:: inputs.hop_samples]


def sine(freq_hz, rate_hz, seconds=1.0, amplitude=1.0):
    return amplitude * np.sin(2 * np.pi * freq_hz * np.arange(round(seconds * rate_hz)) / rate_hz)


def powers(freq_hz, rate_hz, **kwargs):
    inputs = KickInputs(rate_hz, -66.0)
    return BandFilters.power(inputs.filters.parts(windows_of(sine(freq_hz, rate_hz, **kwargs), inputs)))


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
    inputs = KickInputs(44100, -66.0)
    assert BandFilters.power(inputs.filters.parts(np.full((3, inputs.window_samples), 0.9))).max() < 1e-12


def test_the_parts_of_two_sounds_add_up():
    inputs, rng = KickInputs(44100, -66.0), np.random.default_rng(8)
    one, other = (windows_of(rng.normal(0, 0.1, 44100), inputs) for _ in range(2))
    both, apart = inputs.filters.parts(one + other), inputs.filters.parts(one) + inputs.filters.parts(other)
    low = 2 * len(LOW_HZ)
    assert np.allclose(both[:, :low], apart[:, :low], atol=1e-9), "waves add exactly"
    assert both[:, low:].mean() == pytest.approx(apart[:, low:].mean(), rel=0.05), "powers do on average"


@pytest.mark.parametrize("rate_hz", [48000, 96000])
def test_the_rates_of_sound_cards_hear_alike(rate_hz):
    for freq_hz in (50.0, 70.0, 130.0, 400.0, 2000.0):
        reference, other = powers(freq_hz, 44100), powers(freq_hz, rate_hz)
        n = min(len(reference), len(other))
        assert (
            np.abs(np.sqrt(reference[:n]) - np.sqrt(other[:n])).max() < 0.08
        )  # the short windows differ by half a sample


def test_the_hops_of_sound_cards_stand_at_the_same_instants():
    assert {KickInputs(rate, -66.0).hop_s for rate in (44100, 48000, 88200, 96000, 192000)} == {1 / 150}


def test_features_do_not_depend_on_the_level():
    noise = np.random.default_rng(5).normal(0, 0.2, 44100)
    settled = slice(30, None)  # until then the level's reference climbs from the floor
    rows = []
    for gain in (1.0, 0.01):
        inputs = KickInputs(44100, -120.0)
        rows.append(inputs.rows(windows_of(gain * noise, inputs))[settled])
    assert rows[0].shape[1] == N_INPUTS
    assert np.abs(rows[0] - rows[1]).max() < 1e-3


def test_silence_and_what_lies_under_the_floor_is_nothing():
    inputs = KickInputs(44100, -40.0)
    assert not inputs.rows(np.zeros((5, inputs.window_samples))).any()
    assert np.abs(inputs.rows(windows_of(sine(60, 44100, amplitude=1e-4), inputs))).max() < 0.05


def test_rises_are_differences_over_their_hops():
    inputs = KickInputs(44100, -66.0)
    rows = inputs.rows(windows_of(np.random.default_rng(6).normal(0, 0.1, 22050), inputs))
    now = rows[:, :N_VIEWS]
    for place, lag in enumerate(RISE_LAGS, start=1):
        rises = rows[lag:, place * N_VIEWS : (place + 1) * N_VIEWS]
        assert np.allclose(rises, now[lag:] - now[:-lag])


def test_the_low_bands_are_seen_once_more_without_what_is_above_them():
    hiss = 0.2 * np.diff(np.random.default_rng(6).normal(0, 1, 44102), 2)
    rows = []
    for treble in (0.0, 1.0):
        inputs = KickInputs(44100, -66.0)
        rows.append(inputs.rows(windows_of(sine(62, 44100, amplitude=0.1) + treble * hiss, inputs))[-50:].mean(axis=0))
    drowned, seen = LOW_HZ.index(62.0), N_BANDS + LOW_HZ.index(62.0)
    assert rows[1][drowned] < 0.8 * rows[0][drowned]
    assert rows[1][seen] == pytest.approx(rows[0][seen], rel=0.1)


def levels(gain, amplitudes):
    return gain.push(np.array(amplitudes, float)[:, None] ** 2)[:, 0]


def test_the_gain_follows_a_drop_soon_and_a_rest_between_beats_not_at_all():
    gain = Gain(1e-4, 1 / 150)
    before = levels(gain, np.ones(300))[-1]
    rest = levels(gain, np.full(round(0.6 * 150), 0.01))
    assert rest[-1] > 0.7 * before
    after = levels(gain, np.full(round((GAIN_MEMORY_S - 0.6 + 0.5) * 150), 0.06))
    assert after[-1] < 0.2 * before, "1.4 s after a drop of 24 dB"


def test_the_floor_can_be_raised_while_it_hears():
    inputs = KickInputs(44100, -120.0)
    windows = windows_of(sine(62, 44100, amplitude=0.001), inputs)
    assert inputs.rows(windows)[-1].max() > 0.5
    inputs.set_floor(-20.0)
    assert inputs.rows(windows)[-1].max() < 0.1


@pytest.mark.parametrize("rate_hz", [8000, 44100, 48000])
def test_a_row_at_a_time_is_bit_identical_to_all_at_once(rate_hz):
    sound = np.random.default_rng(7).normal(0, 0.1, rate_hz)
    whole, split = KickInputs(rate_hz, -66.0), KickInputs(rate_hz, -66.0)
    windows = windows_of(sound, whole)
    cuts = [0, 1, 2, 5, 38, len(windows)]
    rows = [split.rows(windows[a:b]) for a, b in itertools.pairwise(cuts)]
    assert np.array_equal(np.concatenate(rows), whole.rows(windows))


def test_a_smooth_length_is_near_and_has_small_factors():
    assert [smooth_length(n) for n in (1, 93, 512, 557, 1114)] == [1, 96, 512, 560, 1120]
    for n in range(1, 3000, 7):
        found = rest = smooth_length(n)
        for prime in (2, 3, 5, 7):
            while rest % prime == 0:
                rest //= prime
        assert rest == 1 and n <= found <= 1.1 * n + 1
