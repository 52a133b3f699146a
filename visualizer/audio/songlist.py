"""Several songs read as one continuous sound, without gaps: the next song is opened in advance."""

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

# A song that is jumped to begins this long after everything that was read, or may be read before the jump is made.
_APART_S = 3600
# The lowest sample rates of a list: all songs are resampled to the rate of the first, which is raised to one of these.
_LEAST_RATES_HZ = (44_100, 48_000)


class Place(NamedTuple):
    """A position in a list. song: its index; seconds: position in the song; duration_s: its length, None if not
    known.
    """

    song: int
    seconds: float
    duration_s: float | None


class _Span(NamedTuple):
    """A song's place in the continuous sound. start: index of its first sample; song: index of the song."""

    start: int
    song: int


class SongList:
    """Songs one after another, with the methods of `Song` that a player uses.

    One thread reads and seeks; `jump`, `at` and `neighbour` may be called from another. All songs share one time line:
    the next song follows without a gap, and `jump` appends a song after everything else. Songs that cannot be played
    are skipped, with one line passed to `say`, on any thread.

    sample_rate_hz  that of the first song, but at least 44.1 kHz if there are several; other songs are resampled to it
    stream          the number of their sound stream, see `Song`
    """

    duration_s: float | None = None  # not known before the end is read

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

        first: the song to begin with; ignored if it is not one of paths. stream: see `Song`. gain_mode: which
        ReplayGain tags to use; None for none. Raises BadInput if there is one song and it cannot be played,
        VisualizerError if none of several can.
        """
        self.paths = tuple(paths)
        self.stream, self._gain_mode, self._say = stream, gain_mode, say
        self.sample_rate_hz = 0
        self.position = 0
        self._turn = threading.Lock()  # held while the songs are read
        self._spans_turn = threading.Lock()
        self._closed = False
        self._broken: set[int] = set()
        self._durations: dict[int, float | None] = {}
        self._gains: dict[int, float] = {}
        self._ahead: _Opening | None = None
        begin = self.paths.index(first) if first in self.paths else 0
        self._song: Song | None = None
        self._song, self._index = self._opened_first(begin)
        self._spans = [_Span(0, self._index)]
        self._open_ahead()

    @property
    def path(self) -> Path:
        """The path of the song that is read now."""
        return self.paths[self._index]

    @property
    def gain(self) -> float:
        """The playback factor of the samples that were read last."""
        return 1.0 if self._song is None else self._song.gain

    def gain_of(self, index: int) -> float:
        """The playback factor of a song; 1 for one that was not opened yet."""
        return self._gains.get(index, 1.0)

    def read(self, n_samples: int) -> np.ndarray:
        """The next samples, (n_samples, 2) float32; fewer at the end of each song, (0, 2) after the last one."""
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
        """Make sample_index the next sample that `read` returns; clamped to the song that contains it."""
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
        """The index of the first sample of the song that contains a sample."""
        return self._span_at(sample_index).start

    def at(self, seconds: float) -> Place:
        """The song and the position in it at a time of the continuous sound."""
        span = self._span_at(round(seconds * self.sample_rate_hz))
        into_s = max(0.0, seconds - span.start / self.sample_rate_hz)
        return Place(span.song, into_s, self._durations.get(span.song))

    def jump(self, index: int) -> float:
        """Append a song to the time line. Returns its start there, seconds: a player that seeks there plays the
        song.
        """
        with self._spans_turn:
            last = max(self.position, self._spans[-1].start)
            start_s = -(-last // self.sample_rate_hz) + _APART_S
            self._spans.append(_Span(start_s * self.sample_rate_hz, index))
        return float(start_s)

    def neighbour(self, index: int, step: int) -> int | None:
        """The index of the next (step 1) or previous (-1) song that is not known to be broken; None if there is
        none.
        """
        index += step
        while 0 <= index < len(self.paths):
            if index not in self._broken:
                return index
            index += step
        return None

    def close(self) -> None:
        """Close the files, see `Song.close`. Closing twice is fine; afterwards `read` returns nothing."""
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
                song = Song(self.paths[index], sample_rate_hz=rate_hz, stream=self.stream)
                self._set_gain(song, index)
            self.sample_rate_hz = rate_hz
            return song, index
        raise VisualizerError(f"none of the {n} songs can be played; the lines above say why")

    def _open(self, index: int) -> Song | None:
        """Open a song; None if it cannot be played, which is reported once. Raises BadInput if it is the only song."""
        path = self.paths[index]
        if index in self._broken:
            return None
        try:
            song = Song(path, sample_rate_hz=self.sample_rate_hz or None, stream=self.stream)
        except Exception as error:  # one damaged file must not end the list
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
        self._set_gain(song, index)
        if note := silence_note(path, self.stream):
            self._say(note)
        return song

    def _set_gain(self, song: Song, index: int) -> None:
        if self._gain_mode is not None:
            song.gain = replay_gain(song.tags, self._gain_mode)
            if song.gain != 1.0:
                log.info("%s: played at %+.1f dB (ReplayGain)", song.path.name, 20 * math.log10(song.gain))
        self._gains[index] = song.gain

    def _read_song(self, n_samples: int) -> np.ndarray:
        assert self._song is not None
        try:
            return self._song.read(n_samples)
        except Exception as error:
            log.warning("%s: cannot be read further: %s", self.path.name, error, exc_info=True)
            return np.empty((0, 2), np.float32)

    def _go_on(self) -> bool:
        """At the end of a song: continue with the next one that can be played. Returns False if there is none."""
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
        """Open the song of a span, or in its place the next one that can be played. Returns the span with that song."""
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
        """The first song from an index on that can be played, and its index; the one opened in advance if it is
        that.
        """
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead.index == index:
            return ahead.wait()
        if ahead is not None:
            ahead.drop()
        return self._open_from(index)

    def _open_from(self, index: int) -> tuple[Song | None, int]:
        """Open the first song from an index on that can be played. Returns it (None if there is none) and its index."""
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
        """Close the files if `close` was called. The reading thread calls it, too, for a file that it opened
        meanwhile.
        """
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
    """Opens the first song from an index on that can be played, on its own thread."""

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
        """Wait until it is open. Returns the song (None if none can be played) and its index."""
        self._thread.join()
        return self._song, self._index

    def drop(self) -> None:
        """Close the song, now or as soon as it is open: it is not needed."""
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
