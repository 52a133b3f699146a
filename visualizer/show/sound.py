"""The three sources of sound, each with the followers that hear it.

`pump` takes in the sound that has come, `depth_at` and `row_at` answer for a time in seconds of that sound. Where the
sound is known before it is heard (playing a file, exporting), the follower is asked ahead by its own latency, so that the
picture moves on the kick; live, its newest word is the earliest there is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from ..audio.capture import Capture
from ..audio.decode import Song
from ..audio.playback import Playback, SilentPlayback
from ..beat import KickFollower, RowFollower
from ..settings import BeatSettings


class Sound(Protocol):
    """What the loop asks of a source of sound."""

    def pump(self, time_s: float) -> None:
        """Take in the sound there is, or as much as is needed to know the depth at time_s."""

    def depth_at(self, time_s: float) -> float:
        """The depth 1..n_depths at a time in seconds of sound."""

    def row_at(self, time_s: float) -> float:
        """The place along the rows at a time in seconds of sound, 0 the first .. 1 the last; 0 where there is one row."""


class _Ear:
    """The kick follower and, where there are rows to move along, the row follower: both hear the same blocks."""

    def __init__(self, sample_rate_hz: int, beat: BeatSettings, n_depths: int, n_rows: int) -> None:
        self.kicks = KickFollower(sample_rate_hz, beat, n_depths)
        self._rows = RowFollower(sample_rate_hz, beat) if n_rows > 1 else None

    def push(self, block: np.ndarray) -> None:
        self.kicks.push(block)
        if self._rows is not None:
            self._rows.push(block)

    def row_at(self, time_s: float) -> float:
        return 0.0 if self._rows is None else self._rows.row_at(time_s)


class LiveSound:
    """Sound as it is caught. Its time is that of the newest sample; `position_s` counts on between blocks."""

    def __init__(
        self, capture: Capture, beat: BeatSettings, n_depths: int, *, now: Callable[[], float], n_rows: int = 1
    ) -> None:
        self._ear = _Ear(capture.sample_rate_hz, beat, n_depths, n_rows)
        self.follower = self._ear.kicks
        self._capture = capture
        self._now = now
        self._newest_stamp_s: float | None = None
        self._peak = 0.0

    def pump(self, time_s: float) -> None:
        blocks, stamp_s = self._capture.drain()
        for block in blocks:
            self._ear.push(block)
            self._peak = max(self._peak, float(np.max(np.abs(block), initial=0.0)))
        if blocks:
            self._newest_stamp_s = stamp_s

    def position_s(self) -> float:
        """Seconds of sound caught, counting on from the newest block; a device that stalls lets the level fall."""
        if self._newest_stamp_s is None:
            return self.follower.time_s
        return self.follower.time_s + max(0.0, self._now() - self._newest_stamp_s)

    def depth_at(self, time_s: float) -> float:
        return self.follower.depth_at(time_s)

    def row_at(self, time_s: float) -> float:
        return self._ear.row_at(time_s)

    def take_peak(self) -> float:
        """The largest sample since the last call, full scale = 1."""
        peak, self._peak = self._peak, 0.0
        return peak


class PlayedSound:
    """A song being played. Its time is the position in the song; a seek begins a new follower there."""

    def __init__(
        self, playback: Playback | SilentPlayback, rate_hz: int, beat: BeatSettings, n_depths: int, *, n_rows: int = 1
    ) -> None:
        self._playback = playback
        self._rate_hz = rate_hz
        self._beat = beat
        self._n_depths = n_depths
        self._n_rows = n_rows
        self._next_sample = 0
        self._begin(0)

    def _begin(self, start_sample: int) -> None:
        self._ear = _Ear(self._rate_hz, self._beat, self._n_depths, self._n_rows)
        self._start_s = start_sample / self._rate_hz
        self._next_sample = start_sample

    def pump(self, time_s: float) -> None:
        for start_sample, block in self._playback.drain():
            if start_sample != self._next_sample:
                self._begin(start_sample)
            self._ear.push(block)
            self._next_sample += len(block)

    def depth_at(self, time_s: float) -> float:
        return self._ear.kicks.depth_at(self._heard_s(time_s))

    def row_at(self, time_s: float) -> float:
        return self._ear.row_at(self._heard_s(time_s))

    def _heard_s(self, time_s: float) -> float:
        return time_s - self._start_s + self._ear.kicks.latency_s


class ExportedSound:
    """A song read just as far as the next display frame needs, handed on to `on_block` for the file's own sound track."""

    BLOCK_SAMPLES = 4096

    def __init__(
        self,
        song: Song,
        beat: BeatSettings,
        n_depths: int,
        on_block: Callable[[np.ndarray], None] | None = None,
        *,
        n_rows: int = 1,
    ) -> None:
        self._song = song
        self._on_block = on_block
        self._n_samples = 0
        self.ended = False
        self._ear = _Ear(song.sample_rate_hz, beat, n_depths, n_rows)
        self.follower = self._ear.kicks

    @property
    def read_s(self) -> float:
        """Seconds of the song read so far: all of it once `ended`."""
        return self._n_samples / self._song.sample_rate_hz

    def pump(self, time_s: float) -> None:
        while not self.ended and self.read_s < time_s + self.follower.latency_s:
            block = self._song.read(self.BLOCK_SAMPLES)
            if not len(block):
                self.ended = True
                break
            self._n_samples += len(block)
            self._ear.push(block.mean(axis=1))
            if self._on_block is not None:
                self._on_block(block)

    def depth_at(self, time_s: float) -> float:
        return self.follower.depth_at(time_s + self.follower.latency_s)

    def row_at(self, time_s: float) -> float:
        return self._ear.row_at(time_s + self.follower.latency_s)
