"""What surrounds the music that the kick network is trained on: rooms, compressors, crowds."""

from __future__ import annotations

import numpy as np

from tools.kick_sounds import RATE_HZ, Rng, Sound, brown, log_uniform, normal, through


def convolve(sound: Sound, response: Sound) -> Sound:
    n_fft = 1 << (len(sound) + len(response)).bit_length()
    return np.fft.irfft(np.fft.rfft(sound, n_fft) * np.fft.rfft(response, n_fft), n_fft)[: len(sound)]


def room(rng: Rng, long_s: float) -> Sound:
    """A room's impulse response without the direct sound: noise that decays and becomes darker, after a first gap."""
    n = round(long_s * RATE_HZ)
    t = np.arange(n) / RATE_HZ
    answer = through(rng.standard_normal(n), ("low", log_uniform(rng, 800, 8000), 0.7))
    answer *= np.exp(-t * 6.9 / long_s) * (t > rng.uniform(0.002, 0.03))
    return answer / np.sqrt((answer**2).sum())


def compress(rng: Rng, sound: Sound) -> Sound:
    """A compressor or an automatic gain control: reduces the gain with the envelope, within milliseconds or seconds."""
    step = 147
    blocks = np.abs(sound[: len(sound) // step * step]).reshape(-1, step).max(axis=1)
    hop_s = step / RATE_HZ
    up = 1 - np.exp(-hop_s / log_uniform(rng, 0.002, 0.1))
    down = 1 - np.exp(-hop_s / log_uniform(rng, 0.05, 2.0))
    envelope, gains = float(blocks.mean()), np.empty(len(blocks))
    for index, level in enumerate(blocks.tolist()):
        envelope += (level - envelope) * (up if level > envelope else down)
        gains[index] = envelope
    amount = rng.uniform(0.2, 0.9)
    gains = (gains / gains.max() + 0.03) ** -amount
    return sound * np.interp(np.arange(len(sound)), (np.arange(len(blocks)) + 1) * step, gains)


def crowd(rng: Rng, duration_s: float) -> Sound:
    """A room full of people: noise in the voice's range that swells, and claps."""
    n = round(duration_s * RATE_HZ)
    t = np.arange(n) / RATE_HZ
    swell = 1 + 0.6 * np.sin(2 * np.pi * rng.uniform(0.1, 0.6) * t + rng.uniform(0, 6))
    made = through(brown(rng, n, 0.5), ("band", log_uniform(rng, 400, 1200), 0.5)) * swell
    for at in rng.integers(0, n, int(rng.integers(0, 120))):
        clap = rng.standard_normal(600) * np.exp(-np.arange(600) / 120)
        made[at : at + 600] += rng.uniform(0.1, 0.6) * clap[: n - at]
    return normal(made)
