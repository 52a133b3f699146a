"""What looks read of the sound, against the formulas and known signals."""

import numpy as np
import pytest

from visualizer.beat.sound import (
    N_BINS,
    N_NATIVE,
    SoundBlock,
    audio,
    audio_fft,
    block_samples,
    shadertoy_sound,
    silence,
    sound_rows,
    spectrum,
    waveform,
)

RATES_HZ = [44_100, 48_000, 96_000]


def tone(hz, rate_hz=48_000, amplitude=0.5):
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(block_samples(rate_hz)) / rate_hz)).astype(np.float32)


def block(left, right=None, rate_hz=48_000):
    return SoundBlock(np.stack([left, left if right is None else right]), rate_hz)


def test_the_spectrum_is_the_browsers_without_smoothing():
    sound = block(tone(3000), tone(1000))
    mono = (tone(3000) + tone(1000))[-2048:].astype(float) / 2
    turn = 2 * np.pi * np.arange(2048) / 2048
    windowed = mono * (0.42 - 0.5 * np.cos(turn) + 0.08 * np.cos(2 * turn))
    db = 20 * np.log10(np.abs(np.fft.rfft(windowed)[:N_BINS]) / 2048)
    assert spectrum(sound) == pytest.approx(np.clip((db + 100) / 70, 0, 1), abs=1e-5)
    assert waveform(sound) == pytest.approx(mono[-N_BINS:], abs=1e-6)


def test_isf_audio_is_both_channels_around_a_half():
    sound = block(tone(440), -tone(1000))
    rows = audio(sound)
    assert rows.shape == (2, N_NATIVE) and rows.dtype == np.float32
    assert rows[1] == pytest.approx(0.5 + 0.5 * sound.samples[1, -N_NATIVE:])
    for columns in (1, 7, 256, N_NATIVE, 10**9):
        few = audio(sound, columns)
        assert few.shape == (2, min(columns, N_NATIVE)) and few.min() >= 0 and few.max() <= 1
        assert few.max(axis=1) == pytest.approx(rows.max(axis=1), abs=0.01), "no peak is lost"
    assert audio(sound, 1)[:, 0] == pytest.approx(0.75, abs=0.01), "the volume"


def test_isf_fft_has_the_tone_of_each_channel_in_its_column():
    sound = block(tone(6000, amplitude=0.1), tone(12_000, amplitude=0.01))
    for columns in (64, 256, N_NATIVE):
        rows = audio_fft(sound, columns)
        assert rows.shape == (2, columns) and rows.min() >= 0 and rows.max() <= 1
        assert rows.argmax(axis=1).tolist() == [columns // 4, columns // 2]
    assert audio_fft(sound).shape == (2, N_NATIVE)
    volume = audio_fft(sound, 1)
    assert volume.shape == (2, 1) and 0 < volume[1, 0] < volume[0, 0]


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_shadertoys_sound_is_that_of_its_analyser_at_60_frames_a_second(rate_hz):
    """Against the analyser itself: smoothing 0.8 for each frame."""
    sound = tone(2000, rate_hz) * np.linspace(0, 1, block_samples(rate_hz), dtype=np.float32)
    turn = 2 * np.pi * np.arange(2048) / 2048
    window = 0.42 - 0.5 * np.cos(turn) + 0.08 * np.cos(2 * turn)
    smooth = None
    for frame in range(16, -1, -1):
        end = len(sound) - round(frame * rate_hz / 60)
        size = np.abs(np.fft.rfft(sound[end - 2048 : end] * window)[:N_BINS]) / 2048
        smooth = size if smooth is None else 0.8 * smooth + 0.2 * size
    db = 20 * np.log10(np.maximum(smooth, 1e-9))
    rows = shadertoy_sound(block(sound, rate_hz=rate_hz))
    assert rows.shape == (2, N_BINS)
    wanted = np.clip((db + 100) / 70, 0, 1)
    peak = wanted > 0.3
    assert rows[0][peak] == pytest.approx(wanted[peak], abs=0.03)
    assert rows[1] == pytest.approx(np.floor(128 * (1 + sound[-N_BINS:])) / 255, abs=1 / 255)
    assert rows == pytest.approx(np.rint(rows * 255) / 255, abs=1e-6), "whole bytes"


def test_silence_is_black_a_half_and_128_255ths():
    assert not spectrum(silence()).any() and not waveform(silence()).any() and not audio_fft(silence()).any()
    assert (audio(silence(), 5) == 0.5).all() and shadertoy_sound(silence())[1] == pytest.approx(128 / 255)
    for source, n_rows in (("spectrum", 1), ("waveform", 1), ("audio", 2), ("audioFFT", 2), ("shadertoy_sound", 2)):
        rows = sound_rows(source, None, 16)
        assert rows.shape == (n_rows, 16 if source.startswith("audio") else N_BINS) and rows.dtype == np.float32
        assert np.array_equal(rows, sound_rows(source, silence(), 16))
