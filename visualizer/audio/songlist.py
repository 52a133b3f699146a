"""Several songs read as one continuous sound: the next one is opened ahead, so that nothing is missing between two of them."""

from __future__ import annotations

import bisect
import logging
import math
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import BadInput, VisualizerError
from .decode import Song
from .replaygain import Mode, replay_gain
from .streams import silence_note

log = logging.getLogger(__name__)

# A song that is jumped to begins so far behind all that was read, or may still be read before the jump is made.
_APART_S = 3600
# A list begins with no lower rate than these: songs of other rates are resampled to that of the first.
_LEAST_RATES_HZ = (44_100, 48_000)


class Place(NamedTuple):
    """A moment in a list: the song's index from 0, seconds into it, and its length in seconds (None while not known)."""

    song: int
    seconds: float
    duration_s: float | None


class _Span(NamedTuple):
    """A song in the continuous sound. start: index of its first sample there."""

    start: int
    song: int


class SongList:
    """Songs one after another, with the methods of `Song` that a player uses. One thread reads and seeks; `jump`, `at` and `neighbour` are for another one.

    The continuous sound has one time line: after a song the next one follows without a gap, and `jump` gives a song a place of its
    own behind all the others. What cannot be played is skipped, with one line to `say`, which may be called on any thread.

    sample_rate_hz  that of the first song, but at least 44.1 kHz where there are several; songs of other rates are resampled
    """

    duration_s: float | None = None  # the end is known when it is read

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        first: Path | None = None,
        stream: int | None = None,
        gain_mode: Mode | None = None,
        say: Callable[[str], None] = log.warning,
    ) -> None:
        """Open the first song that can be played.

        first: the one to begin with, if it is one of them. stream: see `Song`. gain_mode: which ReplayGain tags make up the gain of
        the songs; none if None.

        Raises BadInput for a single song that cannot be played, VisualizerError when none of several can.
        """
        self.paths = tuple(paths)
        self._stream, self._gain_mode, self._say = stream, gain_mode, say
        self.sample_rate_hz = 0
        self.position = 0
        self._turn = threading.Lock()  # whose holder reads the songs
        self._spans_turn = threading.Lock()
        self._closed = False
        self._broken: set[int] = set()
        self._durations: dict[int, float | None] = {}
        self._ahead: _Opening | None = None
        begin = self.paths.index(first) if first in self.paths else 0
        self._song: Song | None = None
        self._song, self._index = self._opened_first(begin)
        self._spans = [_Span(0, self._index)]
        self._open_ahead()

    @property
    def path(self) -> Path:
        """The song that is being read."""
        return self.paths[self._index]

    @property
    def gain(self) -> float:
        """What the sound read last is to be multiplied with for the loudspeaker."""
        return 1.0 if self._song is None else self._song.gain

    def read(self, n_samples: int) -> np.ndarray:
        """The next samples, (n <= n_samples, 2) float32; fewer at the end of each song, (0, 2) when the last one is over."""
        with self._turn:
            while self._song is not None and not self._closed:
                block = self._read_song(n_samples)
                if len(block):
                    self.position += len(block)
                    return block
                if not self._go_on():
                    break
        return np.empty((0, 2), np.float32)

    def seek(self, sample_index: int) -> None:
        """Make sample_index the next sample read; clamped to the song that it lies in."""
        with self._turn:
            if self._closed:
                return
            span = self._span_at(sample_index)
            if self._song is None or span.song != self._index:
                span = self._change_to(span)
            if self._song is None:
                self.position = span.start
                return
            self._song.seek(max(0, sample_index - span.start))
            self.position = span.start + self._song.position

    def song_start(self, sample_index: int) -> int:
        """The index of the first sample of the song that a sample lies in."""
        return self._span_at(sample_index).start

    def at(self, seconds: float) -> Place:
        """Which song is at a time of the continuous sound."""
        span = self._span_at(round(seconds * self.sample_rate_hz))
        into_s = max(0.0, seconds - span.start / self.sample_rate_hz)
        return Place(span.song, into_s, self._durations.get(span.song))

    def jump(self, index: int) -> float:
        """Give the song of an index a place behind all others -> its beginning there, seconds; a player that seeks to it plays it."""
        with self._spans_turn:
            last = max(self.position, self._spans[-1].start)
            start_s = -(-last // self.sample_rate_hz) + _APART_S
            self._spans.append(_Span(start_s * self.sample_rate_hz, index))
        return float(start_s)

    def neighbour(self, index: int, step: int) -> int | None:
        """The index of the next song (step 1) or the one before (-1) that is not known to be broken; None at the end."""
        index += step
        while 0 <= index < len(self.paths):
            if index not in self._broken:
                return index
            index += step
        return None

    def close(self) -> None:
        """Close the files, see `Song.close`. Closing twice is fine; reading afterwards yields nothing."""
        self._closed = True
        self._close_if_closed()

    def __enter__(self) -> SongList:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- inside ----------------------------------------------------------------------------------------------------

    def _opened_first(self, begin: int) -> tuple[Song, int]:
        n = len(self.paths)
        for index in [*range(begin, n), *range(begin)]:
            song = self._open(index)
            if song is None:
                continue
            rate_hz = song.sample_rate_hz
            if n > 1 and rate_hz < _LEAST_RATES_HZ[0]:
                rate_hz = next((least for least in _LEAST_RATES_HZ if least % rate_hz == 0), _LEAST_RATES_HZ[1])
                song.close()
                song = Song(self.paths[index], sample_rate_hz=rate_hz, stream=self._stream)
                self._set_gain(song)
            self.sample_rate_hz = rate_hz
            return song, index
        raise VisualizerError(f"none of the {n} songs can be played")

    def _open(self, index: int) -> Song | None:
        """A song; None for one that cannot be played, with a line said the first time. Raises BadInput for a single one."""
        path = self.paths[index]
        if index in self._broken:
            return None
        try:
            song = Song(path, sample_rate_hz=self.sample_rate_hz or None, stream=self._stream)
        except Exception as error:  # one faulty file must not end a list
            if len(self.paths) == 1:
                raise
            fault = str(error)
            if not isinstance(error, BadInput):
                log.exception("%s cannot be opened", path.name)
                fault = f"{path}: cannot be opened ({type(error).__name__}, see the log)"
            self._broken.add(index)
            self._say(f"{fault}; skipped")
            return None
        self._durations[index] = song.duration_s
        self._set_gain(song)
        if note := silence_note(path, self._stream):
            self._say(note)
        return song

    def _set_gain(self, song: Song) -> None:
        if self._gain_mode is not None:
            song.gain = replay_gain(song.tags, self._gain_mode)
            if song.gain != 1.0:
                log.info("%s: played at %+.1f dB (ReplayGain)", song.path.name, 20 * math.log10(song.gain))

    def _read_song(self, n_samples: int) -> np.ndarray:
        assert self._song is not None
        try:
            return self._song.read(n_samples)
        except Exception as error:
            log.warning("%s: reading ends here: %s", self.path.name, error, exc_info=True)
            return np.empty((0, 2), np.float32)

    def _go_on(self) -> bool:
        """At the end of a song: to the next one that can be played, at the next sample. False if there is none."""
        assert self._song is not None
        self._durations[self._index] = self._song.duration_s
        song, index = self._next_song(self._index + 1)
        if song is None:
            return False
        self._take(song, index)
        with self._spans_turn:
            span = _Span(self.position, index)
            if span not in self._spans:
                bisect.insort(self._spans, span)
        return True

    def _change_to(self, span: _Span) -> _Span:
        """Open the song of a span, or the next one that can be played in its place -> the span as it is then."""
        song, index = self._next_song(span.song)
        if song is None:
            if self._song is not None:
                self._song.close()
            self._song = None
            return span
        self._take(song, index)
        if index == span.song:
            return span
        with self._spans_turn:
            self._spans[self._spans.index(span)] = _Span(span.start, index)
        return _Span(span.start, index)

    def _next_song(self, index: int) -> tuple[Song | None, int]:
        """The first song from an index on that can be played, opened ahead if it was the next one, and its index."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead.index == index:
            return ahead.wait()
        if ahead is not None:
            ahead.drop()
        return self._open_from(index)

    def _open_from(self, index: int) -> tuple[Song | None, int]:
        """The first song from an index on that can be played, and its index; None where there is none."""
        while index < len(self.paths) and not self._closed:
            if (song := self._open(index)) is not None:
                return song, index
            index += 1
        return None, index

    def _take(self, song: Song, index: int) -> None:
        if self._song is not None:
            self._song.close()
        self._song, self._index = song, index
        self._open_ahead()
        self._close_if_closed()

    def _close_if_closed(self) -> None:
        """Close what is open, once `close` was called: by that, and by the reading thread for what it opened meanwhile."""
        song, ahead = self._song, self._ahead
        if self._closed and song is not None:
            song.close()
        if self._closed and ahead is not None:
            ahead.drop()

    def _open_ahead(self) -> None:
        if self._index + 1 < len(self.paths):
            self._ahead = _Opening(self._open_from, self._index + 1)

    def _span_at(self, sample_index: int) -> _Span:
        with self._spans_turn:
            place = bisect.bisect_right(self._spans, sample_index, key=lambda span: span.start)
            return self._spans[max(0, place - 1)]


class _Opening:
    """The first song from an index on that can be played, being opened on a thread of its own."""

    def __init__(self, open_from: Callable[[int], tuple[Song | None, int]], index: int) -> None:
        self.index = index
        self._open_from = open_from
        self._turn = threading.Lock()
        self._song: Song | None = None
        self._index = index
        self._dropped = False
        self._thread = threading.Thread(target=self._run, name="audio-open", daemon=True)
        self._thread.start()

    def wait(self) -> tuple[Song | None, int]:
        """The song, when it is open, and its index; None where none can be played."""
        self._thread.join()
        return self._song, self._index

    def drop(self) -> None:
        """It is not wanted: close it, at once or when it is open."""
        with self._turn:
            self._dropped = True
            if self._song is not None:
                self._song.close()

    def _run(self) -> None:
        try:
            song, index = self._open_from(self.index)
        except Exception:
            log.exception("song %d cannot be opened", self.index)
            return
        with self._turn:
            self._song, self._index = song, index
            if self._dropped and song is not None:
                song.close()
