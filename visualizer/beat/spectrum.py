"""From sound to the energy of a band: pure functions over windows of samples."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def asymmetric(n_samples: int, fall: float) -> Floats:
    """A window that rises slowly and falls within its last fraction `fall`, 0..1: (n_samples,), 0..1.

    sin^2 up, cos^2 down: new samples count at once, and old ones leave without a step.
    """
    n_fall = max(1, round(fall * n_samples))
    n_rise = n_samples - n_fall
    up = np.sin(np.pi / 2 * (np.arange(n_rise) + 0.5) / n_rise) ** 2
    down = np.cos(np.pi / 2 * (np.arange(n_fall) + 0.5) / n_fall) ** 2
    return np.concatenate([up, down])


def fft_length(n_samples: int) -> int:
    """The power of two that is at least twice `n_samples`.

    A power of two is fast to transform. Zero padding to twice the window puts a bin every 6-11 Hz, so that the edges of
    a band 120 Hz wide lie at about the same frequency at every sample rate.
    """
    return 1 << (2 * n_samples - 1).bit_length()


def band_weights(freqs_hz: Floats, low_hz: float, high_hz: float) -> Floats:
    """How much of each bin lies inside low_hz..high_hz: (bins,) -> (bins,), 0..1.

    A bin is as wide as the distance to its neighbours. Counting the bins at the edges partly keeps the band's width the
    same at every sample rate.
    """
    half = (freqs_hz[1] - freqs_hz[0]) / 2
    overlap = np.minimum(freqs_hz + half, high_hz) - np.maximum(freqs_hz - half, low_hz)
    return np.clip(overlap / (2 * half), 0.0, 1.0)


def band_energy(windows: Floats, shape: Floats, weights: Floats, n_fft: int) -> Floats:
    """Energy of a band in each window, relative to a full-scale sine.

    windows: (n, n_samples), samples in -1..1; shape: (n_samples,), the analysis window; weights: (bins,) of
    `band_weights`, bins <= n_fft // 2 + 1 -> (n,), 1.0 for a sine of amplitude 1 inside the band.

    The weighted mean is subtracted first: the DC offset of a sound card would leak into the lowest bins and look like a
    kick that never ends.
    """
    mean = (windows * shape).sum(axis=1, keepdims=True) / shape.sum()
    spectrum = np.fft.rfft((windows - mean) * shape, n_fft, axis=1)[:, : len(weights)]
    power = spectrum.real**2 + spectrum.imag**2
    # Parseval: a sine of amplitude 1 leaves n_fft * sum(shape^2) / 4 in its positive-frequency bins
    return (power * weights).sum(axis=1) * (4.0 / (n_fft * (shape**2).sum()))


def blackman(n_samples: int) -> Floats:
    """The periodic Blackman window: (n_samples,), 0..1.

    A loud bass note leaks 30 dB less into the bins far above it than with a Hann window.
    """
    turn = 2 * np.pi * np.arange(n_samples) / n_samples
    return 0.42 - 0.5 * np.cos(turn) + 0.08 * np.cos(2 * turn)


_blackman = cache(blackman)  # asked for at every display frame


def amplitudes(samples: NDArray[np.float32], n_bins: int) -> Floats:
    """The first n_bins bins of the spectrum of (n,) samples: (n_bins,), |X| / n with a Blackman window."""
    return np.abs(np.fft.rfft(samples * _blackman(len(samples)))[:n_bins]) / len(samples)


def in_decibels(size: Floats) -> Floats:
    """Amplitudes as -100..-30 dB on a scale of 0..1."""
    return np.clip((20 * np.log10(np.maximum(size, 1e-9)) + 100) / 70, 0.0, 1.0)


def magnitudes(samples: NDArray[np.float32], n_bins: int) -> NDArray[np.float32]:
    """The first n_bins bins of the spectrum of (n,) samples: (n_bins,), -100..-30 dB as 0..1.

    As browsers compute it for their analyser (Web Audio: Blackman window, |X| / n), without its smoothing over time.
    """
    return in_decibels(amplitudes(samples, n_bins)).astype(np.float32)


#: the bands of `spectrum_db` begin and end here, Hz
SHOWN_HZ = (30.0, 16_000.0)


def spectrum_db(samples: NDArray[np.float32], sample_rate_hz: int, n_bands: int) -> NDArray[np.float32]:
    """A spectrum for display: the loudest bin in each of n_bands bands of equal ratio from 30 Hz to 16 kHz (what lies
    above half the rate is silent). samples: (n,) -> (n_bands,), dB of a full-scale sine, -120 at least. Where a band is
    narrower than a bin, it is the nearest bin's.
    """
    n_samples = len(samples)
    window = np.hanning(n_samples + 1)[:-1]
    amplitude = np.abs(np.fft.rfft(samples * window)) * (2 / window.sum())
    edges_hz = np.geomspace(*SHOWN_HZ, n_bands + 1)
    at = edges_hz * n_samples / sample_rate_hz
    first = np.floor(at[:-1] + 0.5).astype(int)
    end = np.maximum(np.ceil(at[1:] - 0.5).astype(int), first + 1)
    bands = np.zeros(n_bands)
    for band, (low, high) in enumerate(zip(first, end, strict=True)):
        bands[band] = amplitude[low:high].max(initial=0.0)
    return (20 * np.log10(np.maximum(bands, 1e-6))).astype(np.float32)
