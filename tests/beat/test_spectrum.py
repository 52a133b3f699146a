"""Band energy: scale, edges, DC, and the same answer at every sample rate."""

import numpy as np
import pytest

from visualizer.beat.spectrum import SHOWN_HZ, band_energy, band_weights, fft_length, spectrum_db


def hann(n_samples):
    """The periodic Hann window: (n_samples,), 0..1. Periodic, so that neighbouring windows overlap evenly."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_samples) / n_samples)


def energy_of(freq_hz, rate_hz, *, amplitude=1.0, offset=0.0, low_hz=0.0, high_hz=120.0):
    n = round(0.0464 * rate_hz)
    n_fft = fft_length(n)
    wave = amplitude * np.sin(2 * np.pi * freq_hz * np.arange(n) / rate_hz) + offset
    weights = band_weights(np.fft.rfftfreq(n_fft, 1 / rate_hz), low_hz, high_hz)
    return float(band_energy(wave[None], hann(n), weights, n_fft)[0])


@pytest.mark.parametrize("rate_hz", [8000, 22050, 44100, 48000, 96000, 192000])
def test_a_full_scale_sine_inside_the_band_has_energy_one(rate_hz):
    assert energy_of(70, rate_hz) == pytest.approx(1.0, rel=0.03)


@pytest.mark.parametrize("rate_hz", [8000, 44100, 192000])
def test_energy_goes_with_the_square_of_the_amplitude(rate_hz):
    assert energy_of(70, rate_hz, amplitude=0.1) == pytest.approx(0.01 * energy_of(70, rate_hz), rel=1e-9)


@pytest.mark.parametrize("freq_hz", [300, 1000, 3000])
def test_what_lies_above_the_band_hardly_counts(freq_hz):
    assert energy_of(freq_hz, 44100) < 1e-3


def test_a_dc_offset_is_not_a_kick():
    assert energy_of(70, 44100, amplitude=0, offset=0.9) < 1e-20


def test_the_edge_of_the_band_lies_at_the_same_frequency_whatever_the_rate():
    at_edge = [energy_of(120, rate) for rate in (8000, 11025, 44100, 48000, 88200, 192000)]
    assert max(at_edge) - min(at_edge) < 0.06


def test_weights_sum_to_the_width_of_the_band():
    freqs = np.fft.rfftfreq(4096, 1 / 48000)
    for low, high in [(30.0, 120.0), (33.3, 77.7), (100.0, 500.0)]:
        assert band_weights(freqs, low, high).sum() * freqs[1] == pytest.approx(high - low)


def test_fft_length_is_a_power_of_two_of_at_least_twice_the_window():
    for n in (1, 371, 2048, 2229, 8916):
        length = fft_length(n)
        assert length >= 2 * n and length & (length - 1) == 0


# --- the spectrum to look at


@pytest.mark.parametrize("rate_hz", [22050, 44100, 96000])
@pytest.mark.parametrize("freq_hz", [60.0, 440.0, 5000.0])
def test_a_sine_stands_in_its_band_with_its_level(rate_hz, freq_hz):
    wave = (0.5 * np.sin(2 * np.pi * freq_hz * np.arange(4096) / rate_hz)).astype(np.float32)
    told = spectrum_db(wave, rate_hz, 48)
    edges_hz = np.geomspace(*SHOWN_HZ, 49)
    band = int(np.searchsorted(edges_hz, freq_hz)) - 1
    assert told.shape == (48,) and told.dtype == np.float32
    assert abs(int(np.argmax(told)) - band) <= (3 if freq_hz < 100 else 1)
    assert told.max() == pytest.approx(-6.0, abs=1.6)


def test_silence_is_at_the_bottom_and_nothing_is_above_half_the_rate():
    assert np.all(spectrum_db(np.zeros(4096, np.float32), 48000, 48) == -120)
    noise = np.random.default_rng(1).normal(0, 0.1, 4096).astype(np.float32)
    told = spectrum_db(noise, 8000, 48)
    edges_hz = np.geomspace(*SHOWN_HZ, 49)
    assert np.all(told[edges_hz[:-1] > 4100] == -120) and np.all(told[edges_hz[1:] < 3900] > -120)
