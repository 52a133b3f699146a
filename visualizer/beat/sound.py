"""The newest sound, and what looks read of it: spectra and waveforms. Pure functions of one block of samples, so that
the same moment gives the same values at any frame rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .spectrum import amplitudes, in_decibels, magnitudes

Rows = NDArray[np.float32]
#: what a look may read as a picture: see `sound_rows`
SoundSource = Literal["spectrum", "waveform", "audio", "audioFFT", "shadertoy_sound"]

#: columns of a spectrum and of a waveform, also of those of Shadertoy
N_BINS = 512
#: columns of ISF's audio and audioFFT where the look asks for no number of its own
N_NATIVE = 1024
#: samples that a spectrum is of
N_SPECTRUM = 2048
# Shadertoy's spectrum keeps 0.8 of itself for every display frame of a browser, which makes 60 a second. Here it is the
# same in time: the weighted mean of spectra STEP_S apart, the oldest N_STEPS - 1 steps ago with a weight of 3 %.
STEP_S, KEPT_A_STEP, N_STEPS = 1 / 30, 0.8**2, 9


@dataclass(frozen=True, slots=True, eq=False)
class SoundBlock:
    """The sound up to one moment. samples: (2, n) float32, -1..1, left and right, the newest last; a mono source has
    the same twice. n is that of `block_samples`. rate_hz: sample rate.
    """

    samples: Rows
    rate_hz: int

    @property
    def mono(self) -> Rows:
        """The mean of both channels, (n,) float32."""
        return (self.samples[0] + self.samples[1]) * np.float32(0.5)


def block_samples(rate_hz: int) -> int:
    """How many samples a `SoundBlock` has: as many as the slowest of the functions below reads."""
    return N_SPECTRUM + (N_STEPS - 1) * round(STEP_S * rate_hz)


def silence(rate_hz: int = 48_000) -> SoundBlock:
    """A block without sound."""
    return SoundBlock(np.zeros((2, block_samples(rate_hz)), np.float32), rate_hz)


def sound_rows(source: SoundSource, sound: SoundBlock | None, columns: int = 0) -> Rows:
    """What a look reads of the sound as a picture: (rows, columns) float32, the first row at the bottom.

    source: "spectrum" and "waveform", "audio" and "audioFFT" of ISF, "shadertoy_sound", see the functions of these
    names. sound: None: silence. columns: wanted by an audio or audioFFT input, 0: no number.
    """
    sound = sound or silence()
    match source:
        case "spectrum":
            return spectrum(sound)[None]
        case "waveform":
            return waveform(sound)[None]
        case "audio":
            return audio(sound, columns)
        case "audioFFT":
            return audio_fft(sound, columns)
        case "shadertoy_sound":
            return shadertoy_sound(sound)


def spectrum(sound: SoundBlock) -> Rows:
    """The first bins of the spectrum of both channels' mean, 0 Hz to a quarter of the sample rate: (N_BINS,), -100..-30
    dB as 0..1. Not smoothed.
    """
    return magnitudes(sound.mono[-N_SPECTRUM:], N_BINS)


def waveform(sound: SoundBlock) -> Rows:
    """The newest samples of both channels' mean: (N_BINS,), -1..1."""
    return sound.mono[-N_BINS:]


def audio(sound: SoundBlock, columns: int = 0) -> Rows:
    """ISF's audio: the newest N_NATIVE samples of each channel, (2, columns), 0..1, silence is 0.5.

    columns: how many are wanted, each then the largest of several samples; 0 or too many: N_NATIVE. One alone is the
    volume, 0.5 .. 1.
    """
    newest = sound.samples[:, -N_NATIVE:]
    edges = _edges(columns)
    if len(edges) == 1:
        newest = np.abs(newest)
    high, low = np.maximum.reduceat(newest, edges, axis=1), np.minimum.reduceat(newest, edges, axis=1)
    return np.float32(0.5) + np.float32(0.5) * np.where(high >= -low, high, low)


def audio_fft(sound: SoundBlock, columns: int = 0) -> Rows:
    """ISF's audioFFT: the spectrum of each channel up to half the sample rate, (2, columns), -100..-30 dB as 0..1.

    columns: how many are wanted, each then the mean of several bins; 0 or too many: N_NATIVE. One alone is the volume.
    """
    bins = np.stack([magnitudes(channel, N_NATIVE) for channel in sound.samples[:, -N_SPECTRUM:]])
    edges = _edges(columns)
    means = np.add.reduceat(bins, edges, axis=1) / np.diff(edges, append=N_NATIVE)
    return means.astype(np.float32)


def shadertoy_sound(sound: SoundBlock) -> Rows:
    """Shadertoy's sound texture: (2, N_BINS), in steps of 1/255. Row 0 is the spectrum, smoothed over about 0.1 s, row
    1 the newest samples, silence at 128/255.

    As a browser's analyser gives them (Web Audio: Blackman window, |X| / n, smoothing 0.8, -100..-30 dB).
    """
    step, mono = round(STEP_S * sound.rate_hz), sound.mono
    ends = [len(mono) - index * step for index in range(N_STEPS)]
    weights = KEPT_A_STEP ** np.arange(N_STEPS)
    size = np.zeros(N_BINS)
    for end, weight in zip(ends, weights / weights.sum(), strict=True):
        size += weight * amplitudes(mono[end - N_SPECTRUM : end], N_BINS)
    wave = np.clip(128 * (1 + mono[-N_BINS:]), 0, 255)
    return (np.floor(np.stack([in_decibels(size) * 255, wave])) / 255).astype(np.float32)


def _edges(columns: int) -> NDArray[np.intp]:
    """Where each of as many columns begins among N_NATIVE."""
    n_columns = columns if 0 < columns < N_NATIVE else N_NATIVE
    return np.arange(n_columns) * N_NATIVE // n_columns
