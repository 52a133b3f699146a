"""Sounds that tests are fed with."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np

KICKS_S = [0.5 * n for n in range(1, 11)]


def kicks(rate_hz: int, times_s: Sequence[float], seconds: float, amplitude: float = 0.7) -> np.ndarray:
    """(n,) float32: sine kicks falling from 120 to 50 Hz, each a fifth of a second long."""
    sound = np.zeros(round(rate_hz * seconds), np.float32)
    t = np.arange(round(0.25 * rate_hz)) / rate_hz
    one = amplitude * np.sin(2 * np.pi * (50 * t + 70 * 0.03 * (1 - np.exp(-t / 0.03)))) * np.exp(-t / 0.08)
    for start_s in times_s:
        start = round(start_s * rate_hz)
        part = one[: len(sound) - start]
        sound[start : start + len(part)] += part.astype(np.float32)
    return sound


def write_wav(path: Path, sound: np.ndarray, rate_hz: int) -> None:
    """Write (n,) or (n, channels) float -1..1 with 16 bits."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1 if sound.ndim == 1 else sound.shape[1])
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
