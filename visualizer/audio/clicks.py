"""Clicks for measuring: short kicks at irregular times, and an input that remembers when each block of sound came in."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import VisualizerError
from .capture import Capture

RATE_HZ = 48_000
# An idle sound server takes over two seconds until its first block comes in.
FIRST_S, REST_S = 2.5, 0.8
# From one click to the next: irregular, so that none can be foreseen and each meets another moment of a refresh.
LEAST_GAP_S, MOST_GAP_S = 0.6, 0.95
# Where a click is looked for: a monitor may hear it before the loudspeaker does, a radio loudspeaker is late.
EARLIEST_S, LATEST_S = 0.15, 0.5
# It begins where the sound is this share of its loudest; for so long before, it must have been this much quieter (RMS).
BEGIN_SHARE, QUIET_S, STANDS_OUT = 0.25, 0.06, 12.0
LEAST_PEAK = 1e-3


def click_times(n_clicks: int, seed: int = 0) -> np.ndarray:
    """(n_clicks,) seconds, rising; the same seed gives the same times."""
    gaps_s = np.random.default_rng(seed).uniform(LEAST_GAP_S, MOST_GAP_S, n_clicks)
    return FIRST_S + np.cumsum(gaps_s) - gaps_s[0]


def click_track(times_s: np.ndarray, rate_hz: int = RATE_HZ) -> np.ndarray:
    """(n,) float32 -1..1: a kick drum's stroke at each time, an eighth of a second long, and silence after the last."""
    t = np.arange(round(0.125 * rate_hz)) / rate_hz
    body = np.sin(2 * np.pi * (50 * t + 90 * 0.03 * (1 - np.exp(-t / 0.03)))) * np.exp(-t / 0.05)
    beater = 0.4 * np.sin(2 * np.pi * 2500 * t) * np.exp(-t / 0.002)
    one = (0.7 * (body + beater) * np.minimum(1, (t[-1] - t) / 0.01)).astype(np.float32)
    sound = np.zeros(round((times_s[-1] + REST_S) * rate_hz), np.float32)
    for time_s in times_s:
        start = round(time_s * rate_hz)
        sound[start : start + len(one)] += one
    return sound


def write_clicks(path: Path, times_s: np.ndarray) -> Path:
    """The click track as a WAV file, mono, 16 bit. Raises VisualizerError when it cannot be written."""
    try:
        with wave.open(str(path), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(RATE_HZ)
            out.writeframes((np.clip(click_track(times_s), -1, 1) * 32767).astype("<i2").tobytes())
    except OSError as fault:
        reason = fault.strerror or fault
        raise VisualizerError(
            f"the clicks cannot be written to {path.parent}: {reason}; TMPDIR can name another place"
        ) from fault
    return path


class Block(NamedTuple):
    """A block of sound as a device delivered it. stamp_s: when, `time.monotonic`; samples: (n,) float32, mono."""

    stamp_s: float
    samples: np.ndarray


class RememberingCapture(Capture):
    """A Capture that keeps every block besides, and when it came in: for a minute, not for a show."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """As `Capture`."""
        self.blocks: list[Block] = []
        super().__init__(*arguments, **named)

    def _take(self, mono: np.ndarray) -> None:
        self.blocks.append(Block(self._stamp_s, mono))


def arrival(blocks: list[Block], time_s: float, rate_hz: int) -> int | None:
    """The index of the block that brought the beginning of the click that sounded at time_s; None if it did not come."""
    near = [index for index, block in enumerate(blocks) if -EARLIEST_S <= block.stamp_s - time_s <= LATEST_S]
    if not near:
        return None
    sound = np.abs(np.concatenate([blocks[index].samples for index in near]))
    ends = np.cumsum([len(blocks[index].samples) for index in near])
    peak = float(sound.max(initial=0.0))
    begin = int(np.argmax(sound >= BEGIN_SHARE * peak))
    before = sound[max(0, begin - round(QUIET_S * rate_hz)) : max(0, begin - round(0.002 * rate_hz))]
    if peak < LEAST_PEAK or len(before) < QUIET_S / 2 * rate_hz:
        return None
    if float(np.sqrt(np.mean(before**2))) * STANDS_OUT > peak:
        return None
    return near[int(np.searchsorted(ends, begin, side="right"))]
