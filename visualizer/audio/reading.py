"""Reads a song in advance on its own thread, for playback and for analysis."""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .decode import resampled
from .mono import MonoMix
from .ring import SampleRing

log = logging.getLogger(__name__)

LEAD_S = 2.0
_READ_S = 0.05
_ENOUGH_TO_BEGIN_S = 0.25
_MOST_WAITING_S = 15.0


class Playable(Protocol):
    """Sound that can be played: a `Song`, a `SongList`, a sound track; for their meaning see there."""

    @property
    def path(self) -> Path: ...

    @property
    def sample_rate_hz(self) -> int: ...

    @property
    def duration_s(self) -> float | None: ...

    @property
    def position(self) -> int: ...

    @property
    def gain(self) -> float: ...

    def read(self, n_samples: int) -> np.ndarray: ...

    def seek(self, sample_index: int) -> None: ...

    def song_start(self, sample_index: int) -> int: ...


class Segment:
    """The sound from a start or a seek on. Sample 0 of `ring` is at start_s of the song.

    is_filled: whether enough was read to begin; n_total: its length in samples, None until its end was read.
    """

    def __init__(self, number: int, start_s: float, rate_hz: int) -> None:
        self.number = number
        self.start_s = start_s
        self.rate_hz = rate_hz
        self.ring = SampleRing(round((LEAD_S + 2 * _READ_S) * rate_hz) + 512, 2)
        self.is_filled = False
        self.n_total: int | None = None

    @property
    def end_s(self) -> float:
        """The end of the song, seconds; infinite while it is not known."""
        return math.inf if self.n_total is None else self.start_s + self.n_total / self.rate_hz


class SongReader:
    """Reads a song about two seconds in advance. Only its thread touches the song; all methods return at once.

    The sound has two consumers: playback gets stereo at speaker_rate_hz, with the song's gain, from the current
    segment's ring; the analysis gets stereo at the song's rate, without the gain, from `drain`, see
    `MonoMix.push_stereo`.

    preroll_s   what `drain` returns of the sound before a start; None: the sound is not analysed
    rate_hz     speaker_rate_hz of future segments
    skip_heard  called before each read, to drop from a segment's ring what no device takes
    mix_note    a message for the user if the channels of the song cancel each other, see `MonoMix`; "" otherwise
    """

    def __init__(self, song: Playable, speaker_rate_hz: int, preroll_s: float | None) -> None:
        self._song = song
        self.rate_hz = speaker_rate_hz
        self._preroll_s = preroll_s
        self._turn = threading.Condition()
        self._wanted_s: float | None = None
        self._stopping = False
        self._waiting: deque[tuple[int, np.ndarray]] = deque()
        self._n_waiting = 0
        self._resampler: Any = None
        self._mix, self._mixed_song = MonoMix(song.sample_rate_hz), 0
        self.mix_note = ""
        self.number = 0
        self.segment: Segment | None = None
        self.n_dropped = 0
        self.skip_heard: Callable[[Segment], None] = lambda segment: None
        self._thread = threading.Thread(target=self._run, name="audio-read", daemon=True)
        self.seek(0.0)

    def start(self) -> None:
        """Start the thread. Call it once."""
        self._thread.start()

    def seek(self, start_s: float) -> int:
        """Drop what was read and go on from start_s. Returns the number of the segment that begins there."""
        with self._turn:
            self.number += 1
            self.segment = None
            self._wanted_s = start_s
            self._forget_waiting()
            self._turn.notify()
            return self.number

    def drain(self) -> list[tuple[int, np.ndarray]]:
        """The blocks read since the last call, in order: (index of the first sample in the song, (n, 2) float32)."""
        with self._turn:
            blocks = list(self._waiting)
            self._forget_waiting()
        return blocks

    @property
    def is_drained(self) -> bool:
        """Whether the end of the song was read, and `drain` has returned everything before it."""
        with self._turn:
            return not self._waiting and self.segment is not None and self.segment.n_total is not None

    def stop(self, timeout_s: float = 1.0) -> None:
        """Stop the thread; the song may be closed afterwards."""
        with self._turn:
            self._stopping = True
            self._turn.notify()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    # -- on the reading thread -------------------------------------------------------------------------------------

    def _run(self) -> None:
        segment = None
        while True:
            with self._turn:
                if self._stopping:
                    return
                start_s, self._wanted_s = self._wanted_s, None
                number = self.number
            try:
                if start_s is not None:
                    segment = self._begin(number, start_s)
                elif segment is None or not self._read_ahead(segment):
                    with self._turn:
                        if self._wanted_s is None and not self._stopping:
                            self._turn.wait(_READ_S / 2)
            except Exception as error:
                log.warning("%s: cannot be read further: %s", self._song.path, error, exc_info=True)
                if segment is None or segment.number != number:
                    segment = Segment(number, start_s or 0.0, self.rate_hz)
                    self._publish(segment)
                self._end(segment)

    def _begin(self, number: int, start_s: float) -> Segment:
        """Read the preroll, which only the analysis gets, and make the new segment the current one."""
        rate_hz = self._song.sample_rate_hz
        start = round(start_s * rate_hz)
        self._resampler = self._new_resampler()
        self._mix.skip()
        n_before = 0 if self._preroll_s is None else round(self._preroll_s * rate_hz)
        self._song.seek(max(self._song.song_start(start), start - n_before))
        while self._song.position < start and self.number == number:
            if not len(self._read_block(number, start - self._song.position)):
                break
        if self._song.position < start:  # the song is shorter than its header says
            start_s = self._song.position / rate_hz
        segment = Segment(number, start_s, self.rate_hz)
        self._publish(segment)
        return segment

    def _read_ahead(self, segment: Segment) -> bool:
        """Read one block if there is room for it. Returns whether to try again at once."""
        if segment.n_total is not None:
            return False
        self.skip_heard(segment)
        if segment.ring.n_ready >= LEAD_S * segment.rate_hz:
            return False
        block = self._read_block(segment.number, round(_READ_S * self._song.sample_rate_hz))
        if not len(block):
            segment.ring.write(self._at_speaker_rate(None))
            self._end(segment)
            return False
        gain = self._song.gain
        segment.ring.write(self._at_speaker_rate(block if gain == 1.0 else block * np.float32(gain)))
        segment.is_filled = segment.ring.n_written >= _ENOUGH_TO_BEGIN_S * segment.rate_hz
        return True

    def _read_block(self, number: int, n_samples: int) -> np.ndarray:
        """Read up to n_samples, at most 0.05 s, and queue them for `drain`. Returns (n, 2) float32."""
        start = self._song.position
        block = self._song.read(min(n_samples, round(_READ_S * self._song.sample_rate_hz)))
        if len(block) and self._preroll_s is not None:
            mixed = self._mixed(block, self._song.song_start(start))
            with self._turn:
                if self.number == number:  # otherwise another seek was made meanwhile
                    self._waiting.append((start, mixed))
                    self._n_waiting += len(mixed)
                    while self._n_waiting > _MOST_WAITING_S * self._song.sample_rate_hz:
                        n_oldest = len(self._waiting.popleft()[1])
                        self._n_waiting -= n_oldest
                        self.n_dropped += n_oldest
        return block

    def _mixed(self, block: np.ndarray, song_start: int) -> np.ndarray:
        """What the analysis gets of a block. song_start: index of the first sample of its song."""
        if song_start != self._mixed_song:
            self._mix, self._mixed_song = MonoMix(self._song.sample_rate_hz), song_start
            self.mix_note = ""
        mixed = self._mix.push_stereo(block)
        if self._mix.note and not self.mix_note:
            self.mix_note = f"{self._song.path.name}: {self._mix.note}"
        return mixed

    def _publish(self, segment: Segment) -> None:
        with self._turn:
            if self.number == segment.number:
                self.segment = segment

    def _end(self, segment: Segment) -> None:
        segment.n_total = segment.ring.n_written
        segment.is_filled = True

    def _forget_waiting(self) -> None:
        self._waiting.clear()
        self._n_waiting = 0

    def _new_resampler(self) -> Any:
        if self.rate_hz == self._song.sample_rate_hz:
            return None
        import av

        return av.AudioResampler(format="fltp", layout="stereo", rate=self.rate_hz)

    def _at_speaker_rate(self, block: np.ndarray | None) -> np.ndarray:
        """Resample a block, (n, 2), to the playback rate; None flushes the resampler. Returns (m, 2)."""
        if self._resampler is None:
            return np.empty((0, 2), np.float32) if block is None else block
        return resampled(self._resampler, block, self._song.sample_rate_hz)
