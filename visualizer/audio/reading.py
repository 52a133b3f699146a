"""A song read ahead on a thread of its own: once for the speaker, once for whoever follows the beat."""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .decode import resampled
from .mono import MonoMix
from .ring import SampleRing

if TYPE_CHECKING:
    from .decode import Song
    from .songlist import SongList

log = logging.getLogger(__name__)

LEAD_S = 2.0
_READ_S = 0.05
_ENOUGH_TO_BEGIN_S = 0.25
_MOST_WAITING_S = 15.0


class Stretch:
    """The sound from one start or seek on; sample 0 of `ring` is at start_s of the song.

    is_filled turns true when there is enough to begin; n_total is its length in samples once its end has been read.
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
        """Where the song ends, in seconds; infinite while that is not known."""
        return math.inf if self.n_total is None else self.start_s + self.n_total / self.rate_hz


class SongReader:
    """Reads a song about two seconds ahead. It has the one thread that touches the song; all methods return at once.

    Sound goes two ways: stereo at speaker_rate_hz and with the song's gain into the current stretch's ring, and mono at the song's
    rate, as it is in the file, to `drain`.
    rate_hz: speaker_rate_hz, of the stretches to come. skip_heard: called before reading on, to discard from a stretch's ring what no
    device takes. mix_note: a line for the user where the channels of the song being read cancel each other, see `MonoMix`; "" elsewhere.
    """

    def __init__(self, song: Song | SongList, speaker_rate_hz: int, preroll_s: float) -> None:
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
        self.stretch: Stretch | None = None
        self.n_dropped = 0
        self.skip_heard: Callable[[Stretch], None] = lambda stretch: None
        self._thread = threading.Thread(target=self._run, name="audio-read", daemon=True)
        self.seek(0.0)

    def start(self) -> None:
        """Begin to read. Once only."""
        self._thread.start()

    def seek(self, start_s: float) -> int:
        """Throw away what was read and go on from start_s -> the number the coming stretch will have."""
        with self._turn:
            self.number += 1
            self.stretch = None
            self._wanted_s = start_s
            self._forget_waiting()
            self._turn.notify()
            return self.number

    def drain(self) -> list[tuple[int, np.ndarray]]:
        """The mono sound read since the last call: (index of its first sample in the song, (n,) float32), in order."""
        with self._turn:
            blocks = list(self._waiting)
            self._forget_waiting()
        return blocks

    def stop(self, timeout_s: float = 1.0) -> None:
        """End the thread; the song may be closed afterwards."""
        with self._turn:
            self._stopping = True
            self._turn.notify()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    # -- on the reading thread -------------------------------------------------------------------------------------

    def _run(self) -> None:
        stretch = None
        while True:
            with self._turn:
                if self._stopping:
                    return
                start_s, self._wanted_s = self._wanted_s, None
                number = self.number
            try:
                if start_s is not None:
                    stretch = self._begin(number, start_s)
                elif stretch is None or not self._read_ahead(stretch):
                    with self._turn:
                        if self._wanted_s is None and not self._stopping:
                            self._turn.wait(_READ_S / 2)
            except Exception as error:
                log.warning("%s: reading stops here: %s", self._song.path, error, exc_info=True)
                if stretch is None or stretch.number != number:
                    stretch = Stretch(number, start_s or 0.0, self.rate_hz)
                    self._publish(stretch)
                self._end(stretch)

    def _begin(self, number: int, start_s: float) -> Stretch:
        """Read the preroll, which only the follower gets, and make the new stretch the current one."""
        rate_hz = self._song.sample_rate_hz
        start = round(start_s * rate_hz)
        self._resampler = self._new_resampler()
        self._mix.skip()
        self._song.seek(max(self._song.song_start(start), start - round(self._preroll_s * rate_hz)))
        while self._song.position < start and self.number == number:
            if not len(self._read_block(number, start - self._song.position)):
                break
        if self._song.position < start:  # the song is shorter than it was thought to be
            start_s = self._song.position / rate_hz
        stretch = Stretch(number, start_s, self.rate_hz)
        self._publish(stretch)
        return stretch

    def _read_ahead(self, stretch: Stretch) -> bool:
        """Read one block if there is room for it -> whether to try again at once."""
        if stretch.n_total is not None:
            return False
        self.skip_heard(stretch)
        if stretch.ring.n_ready >= LEAD_S * stretch.rate_hz:
            return False
        block = self._read_block(stretch.number, round(_READ_S * self._song.sample_rate_hz))
        if not len(block):
            stretch.ring.write(self._at_speaker_rate(None))
            self._end(stretch)
            return False
        gain = self._song.gain
        stretch.ring.write(self._at_speaker_rate(block if gain == 1.0 else block * np.float32(gain)))
        stretch.is_filled = stretch.ring.n_written >= _ENOUGH_TO_BEGIN_S * stretch.rate_hz
        return True

    def _read_block(self, number: int, n_samples: int) -> np.ndarray:
        """Read up to n_samples, at most 0.05 s, and put their mono mix where `drain` finds it -> (n, 2)."""
        start = self._song.position
        block = self._song.read(min(n_samples, round(_READ_S * self._song.sample_rate_hz)))
        if len(block):
            mono = self._mixed(block, self._song.song_start(start))
            with self._turn:
                if self.number == number:  # else somebody has sought elsewhere meanwhile
                    self._waiting.append((start, mono))
                    self._n_waiting += len(mono)
                    while self._n_waiting > _MOST_WAITING_S * self._song.sample_rate_hz:
                        n_oldest = len(self._waiting.popleft()[1])
                        self._n_waiting -= n_oldest
                        self.n_dropped += n_oldest
        return block

    def _mixed(self, block: np.ndarray, song_start: int) -> np.ndarray:
        """The mono mix of a block that lies in the song that begins at a sample."""
        if song_start != self._mixed_song:
            self._mix, self._mixed_song = MonoMix(self._song.sample_rate_hz), song_start
            self.mix_note = ""
        mono = self._mix.push(block)
        if self._mix.note and not self.mix_note:
            self.mix_note = f"{self._song.path.name}: {self._mix.note}"
        return mono

    def _publish(self, stretch: Stretch) -> None:
        with self._turn:
            if self.number == stretch.number:
                self.stretch = stretch

    def _end(self, stretch: Stretch) -> None:
        stretch.n_total = stretch.ring.n_written
        stretch.is_filled = True

    def _forget_waiting(self) -> None:
        self._waiting.clear()
        self._n_waiting = 0

    def _new_resampler(self) -> Any:
        if self.rate_hz == self._song.sample_rate_hz:
            return None
        import av

        return av.AudioResampler(format="fltp", layout="stereo", rate=self.rate_hz)

    def _at_speaker_rate(self, block: np.ndarray | None) -> np.ndarray:
        """block (n, 2), or None for what the resampler still holds -> (m, 2) at the speaker's rate."""
        if self._resampler is None:
            return np.empty((0, 2), np.float32) if block is None else block
        return resampled(self._resampler, block, self._song.sample_rate_hz)
