"""Clicks to measure latency with: short kicks at irregular times, and a capture that records when each block
arrived.
"""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import VisualizerError
from ..oneline import reason_of
from .capture import Capture

RATE_HZ = 48_000
# Silence before the first click (an idle sound server takes over two seconds to deliver its first block) and after the
# last.
FIRST_S, REST_S = 2.5, 0.8
# Time between clicks: irregular, so that none can be predicted and each falls on another moment of the display's
# refresh.
LEAST_GAP_S, MOST_GAP_S = 0.6, 0.95
# A click is searched this long before and after its time: a monitor source may be early, a wireless loudspeaker is
# late.
EARLIEST_S, LATEST_S = 0.15, 0.5
# A click begins where the sound reaches this fraction of its peak; the RMS of the QUIET_S before must be STANDS_OUT
# times smaller.
BEGIN_SHARE, QUIET_S, STANDS_OUT = 0.25, 0.06, 12.0
LEAST_PEAK = 1e-3


def click_times(n_clicks: int, seed: int = 0) -> np.ndarray:
    """The times of clicks, (n_clicks,) seconds, ascending; the same seed gives the same times."""
    gaps_s = np.random.default_rng(seed).uniform(LEAST_GAP_S, MOST_GAP_S, n_clicks)
    return FIRST_S + np.cumsum(gaps_s) - gaps_s[0]


def click_track(times_s: np.ndarray, rate_hz: int = RATE_HZ) -> np.ndarray:
    """(n,) float32, -1..1: a kick of an eighth of a second at each time, and silence after the last."""
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
    """Write the click track as a WAV file, mono, 16 bit. Returns path. Raises VisualizerError if it cannot be
    written.
    """
    try:
        with wave.open(str(path), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(RATE_HZ)
            out.writeframes((np.clip(click_track(times_s), -1, 1) * 32767).astype("<i2").tobytes())
    except OSError as fault:
        raise VisualizerError(
            f"the clicks cannot be written to {path.parent}: {reason_of(fault)}; set TMPDIR to another folder"
        ) from fault
    return path


class StampedBlock(NamedTuple):
    """A block from a device. stamp_s: when it arrived, `time.monotonic`; samples: (n,) float32, mono."""

    stamp_s: float
    samples: np.ndarray


class RecordingCapture(Capture):
    """A Capture that also keeps every block with its time of arrival: for measurements of a minute, not for a show."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """As `Capture`."""
        self.blocks: list[StampedBlock] = []
        super().__init__(*arguments, **named)

    def _take(self, mono: np.ndarray) -> None:
        self.blocks.append(StampedBlock(self._stamp_s, mono))


def arrival(blocks: list[StampedBlock], time_s: float, rate_hz: int) -> int | None:
    """The index of the block with the beginning of the click that was played at time_s; None if it was not received."""
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
