"""The recorded sound, read again: a sound track in time with the pictures."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..audio.decode import Song
from ..errors import BadInput
from .events import CLOCK_HZ, AnalysisEvent, ClockEvent, Event, SongEvent, SoundEvent
from .reader import RecordedSession
from .sound_reader import SoundFile, SoundFrame

# Two places of one part whose distance in time differs by less than this from that in samples are one sound, from a
# device whose clock is not exact: it is stretched. What is further apart has a gap, or was cut.
STRETCH_S = 0.05
# The time of songs as it was recorded is that of an output, which is known to some milliseconds. Sound goes on evenly
# where it is off by less than the first figure, is stretched by that little where it gets off slowly, over no less than
# the second, and was late for a while where the third is not exceeded. Seconds.
LOOSE_S, GRADUAL_S, LATE_S = 0.05, 3.0, 0.5
# Windowed sinc (Hann): taps for each sample where nothing is slowed down, and places between two samples. Error of a
# tone of 10 kHz: below -70 dB.
_TAPS, _PHASES = 32, 1024
_FIRST = -(_TAPS // 2) + 1
# Samples read at once from a song, and samples before the ones read last that are kept.
_SONG_BLOCK, _KEPT_SAMPLES = 4096, 2048
# Sound so far ahead is not decoded up to, samples.
_FAR_SAMPLES = 96_000


class Piece(NamedTuple):
    """A stretch of a part of sound, or of a song.

    at, end: its first tick and the one after its last; end None: until the part ends. first: the sample at `at`; last:
    its last sample, None: unknown. Samples of a song are those at CLOCK_HZ.
    """

    sound: SoundEvent | SongEvent
    at: int
    end: int | None
    first: int
    last: int | None
    samples_per_tick: float


class SoundMap:
    """Finds out which sound was heard at each tick. `add` gets the events of a session, in order.

    Songs are analysed before they are heard: there the sound is that of the second of the source that `clock` events
    say.
    """

    def __init__(self, session: RecordedSession) -> None:
        self._is_live = session.info.kind == "live"
        self._sounds: list[SoundEvent] = []
        self._clocks: list[ClockEvent] = []
        self._runs: list[_Run] = []
        self.songs: list[SongEvent] = []
        self._end = 0
        self._source_s, self._next_sample, self._is_new = 0.0, 0, True

    def add(self, event: Event) -> None:
        """Take in the next event."""
        self._end = max(self._end, event.at)
        if isinstance(event, SoundEvent):
            before = self._sounds[-1] if self._sounds else None
            if before is None or (before.file, self._next_sample) != (event.file, event.first):
                self._is_new = True
            self._sounds.append(event)
            self._next_sample = event.first
        elif isinstance(event, ClockEvent):
            self._clocks.append(event)
        elif isinstance(event, SongEvent):
            self.songs.append(event)
        elif isinstance(event, AnalysisEvent) and not self._is_live:
            self._add_step(event)

    def pieces(self, songs: Mapping[str, Path]) -> list[Piece]:
        """The stretches of sound, in the order of time. songs: the files of those that are played from there, by hash;
        of others the sound is the mix that was analysed.
        """
        return _device_pieces(self._sounds) if self._is_live else self._song_pieces(songs)

    def _add_step(self, event: AnalysisEvent) -> None:
        if event.step == "start":
            self._source_s, self._is_new = event.start_s, True
        if not self._sounds:
            return
        sound, begin_s = self._sounds[-1], self._source_s
        self._source_s += event.n_samples / sound.rate_hz + event.seconds
        if event.step != "sound":
            self._is_new = self._is_new or self._source_s > begin_s
            return
        if self._is_new:
            self._runs.append(_Run(begin_s, begin_s, event.at, sound, self._next_sample))
        self._next_sample, self._is_new, self._runs[-1].end_s = (
            self._next_sample + event.n_samples,
            False,
            self._source_s,
        )

    def _song_pieces(self, songs: Mapping[str, Path]) -> list[Piece]:
        begins = sorted(self.songs, key=lambda one: one.start_s)
        pieces = []
        for stretch in _stretches(self._clocks, self._end):
            at, position_s = stretch.at, stretch.position_s
            while at < stretch.end:
                song = next((one for one in reversed(begins) if one.start_s <= position_s + _NEAR_S), None)
                until_s = next((one.start_s for one in begins if one.start_s > position_s + _NEAR_S), None)
                if song is not None and song.sha256 in songs:
                    sound: SoundEvent | SongEvent = song
                    first = round((position_s - song.start_s) * CLOCK_HZ)
                    samples_per_tick = stretch.rate
                else:
                    run = next((one for one in reversed(self._runs) if one.covers(position_s, stretch.end)), None)
                    if run is None:  # it was not analysed, or only later
                        break
                    sound = run.sound
                    first = run.first + round((position_s - run.begin_s) * sound.rate_hz)
                    samples_per_tick = stretch.rate * sound.rate_hz / CLOCK_HZ
                    until_s = run.end_s if until_s is None else min(until_s, run.end_s)
                until = stretch.end
                if until_s is not None:
                    until = min(until, at + max(1, round((until_s - position_s) / stretch.rate * CLOCK_HZ)))
                pieces.append(Piece(sound, at, until, max(first, 0), None, samples_per_tick))
                at, position_s = until, stretch.position_s + (until - stretch.at) / CLOCK_HZ * stretch.rate
        return pieces


class Soundtrack:
    """The sound of a session at the ticks of its clock, 48000 a second: silent where there is none.

    Parts of other sample rates are resampled, and the sound of a device whose clock is not exact is stretched by that
    little, so that sound and picture stay together however long it is.

    pieces: see `SoundMap`. songs: the files of songs, by hash. start: the first tick. say: called with one line about
    each file that cannot be read.

    tick: the next that `take` begins with.
    """

    def __init__(
        self,
        session: RecordedSession,
        pieces: Sequence[Piece],
        songs: Mapping[str, Path],
        start: int,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._session, self.pieces, self._songs, self._say = session, pieces, songs, say
        self._index = 0
        self._reader: _Reader | None = None
        self._opened = ""
        self._has_said: set[str] = set()
        self.tick = start

    def take(self, until: int) -> np.ndarray:
        """The sound from where the last call ended to a tick: (n, 2) float32."""
        blocks: list[np.ndarray] = []
        while self.tick < until:
            piece = self.pieces[self._index] if self._index < len(self.pieces) else None
            if piece is not None and piece.end is not None and self.tick >= piece.end:
                self._index += 1
                continue
            if piece is None or self.tick < piece.at:
                end = until if piece is None else min(until, piece.at)
                blocks.append(np.zeros((end - self.tick, 2), np.float32))
            else:
                end = until if piece.end is None else min(until, piece.end)
                blocks.append(self._read(piece, self.tick, end))
            self.tick = end
        return np.concatenate(blocks) if blocks else np.zeros((0, 2), np.float32)

    def go_to(self, tick: int) -> None:
        """Continue at another tick."""
        self._index, self.tick = 0, tick

    def close(self) -> None:
        """Close the file that is read."""
        if self._reader is not None:
            self._reader.close()
        self._reader, self._opened = None, ""

    def _read(self, piece: Piece, tick: int, end: int) -> np.ndarray:
        samples = np.zeros((end - tick, 2), np.float32)
        name = piece.sound.file if isinstance(piece.sound, SoundEvent) else piece.sound.sha256
        if name != self._opened:
            self.close()
            self._opened = name
            try:
                self._reader = self._open(piece.sound)
            except BadInput as fault:
                self._report(f"{fault}; it is silent there")
        places = piece.first + (np.arange(tick, end) - piece.at) * piece.samples_per_tick
        if piece.last is not None:  # what follows it in the file is of another time
            places = places[: np.searchsorted(places, piece.last)]
        if self._reader is not None and len(places):
            samples[: len(places)] = _at_places(self._reader, places, piece.samples_per_tick)
        return samples

    def _open(self, sound: SoundEvent | SongEvent) -> _Reader:
        if isinstance(sound, SoundEvent):
            return _PartReader(self._session.sound(sound), sound.full_scale, self._report)
        song = Song(self._songs[sound.sha256], sample_rate_hz=CLOCK_HZ, stream=sound.stream)
        return _SongReader(song, sound.gain)

    def _report(self, line: str) -> None:
        if line not in self._has_said:
            self._has_said.add(line)
            self._say(line)


class _Reader:
    """Reads the samples of one file from anywhere in it, quickly where each read continues the one before. What the
    file lacks is 0.
    """

    n_channels = 1

    def __init__(self) -> None:
        self._blocks: deque[tuple[int, np.ndarray]] = deque()  # decoded: first sample, and samples (n, channels)
        self._from = self._end = 0  # what is decoded
        self._is_over = False

    def read(self, first: int, n_samples: int) -> np.ndarray:
        """The samples from `first` on, (n_samples, channels) float32."""
        end = first + n_samples
        if not self._from <= first <= self._end + _FAR_SAMPLES:
            self._blocks.clear()
            self._seek(first)
            self._from = self._end = first
            self._is_over = False
        while self._end < end and not self._is_over:
            block = self._next()
            if block is None:
                self._is_over = True
            else:
                self._blocks.append(block)
                self._end = block[0] + len(block[1])
        while self._blocks and self._blocks[0][0] + len(self._blocks[0][1]) < first - _KEPT_SAMPLES:
            at, samples = self._blocks.popleft()
            self._from = max(self._from, at + len(samples))
        wanted = np.zeros((n_samples, self.n_channels), np.float32)
        for at, samples in self._blocks:
            begin, until = max(at, first), min(at + len(samples), end)
            if begin < until:
                wanted[begin - first : until - first] = samples[begin - at : until - at]
        return wanted

    def close(self) -> None:
        """Close the file."""
        raise NotImplementedError

    def _seek(self, first: int) -> None:
        """Make `_next` go on with the block that has a sample, or with one before it."""
        raise NotImplementedError

    def _next(self) -> tuple[int, np.ndarray] | None:
        """The next block: its first sample, and samples (n, channels) float32. None at the end."""
        raise NotImplementedError


class _PartReader(_Reader):
    """A part of a session's sound, as one channel. say: called with one line if it cannot be read further."""

    def __init__(self, file: SoundFile, full_scale: int, say: Callable[[str], None]) -> None:
        super().__init__()
        self._file, self._full_scale, self._say = file, np.float32(full_scale), say
        self._frames: Iterator[SoundFrame] = file.frames()

    def close(self) -> None:
        self._file.close()

    def _seek(self, first: int) -> None:
        self._frames = self._file.frames(first)

    def _next(self) -> tuple[int, np.ndarray] | None:
        try:
            frame = next(self._frames, None)
        except BadInput as fault:
            self._say(f"{fault}; it is silent from there on")
            return None
        if frame is None:
            return None
        return frame.first_sample, frame.samples.mean(axis=1, keepdims=True) * self._full_scale


class _SongReader(_Reader):
    """A song, in stereo, as loud as it was played."""

    n_channels = 2

    def __init__(self, song: Song, gain: float) -> None:
        super().__init__()
        self._song, self._gain = song, np.float32(gain)

    def close(self) -> None:
        self._song.close()

    def _seek(self, first: int) -> None:
        self._song.seek(first)

    def _next(self) -> tuple[int, np.ndarray] | None:
        at = self._song.position
        block = self._song.read(_SONG_BLOCK)
        return (at, np.clip(block * self._gain, -1.0, 1.0)) if len(block) else None


def _device_pieces(sounds: Sequence[SoundEvent]) -> list[Piece]:
    """The pieces of the sound of a device, whose time is that of the session."""
    return [_device_piece(one, following) for one, following in zip(sounds, [*sounds[1:], None], strict=bool(sounds))]


def _device_piece(one: SoundEvent, following: SoundEvent | None) -> Piece:
    ratio, last, end = one.rate_hz / CLOCK_HZ, None, None
    if following is not None:
        end = following.at
        if following.file == one.file:
            last, ticks = following.first, following.at - one.at
            off_s = ticks / CLOCK_HZ - (last - one.first) / one.rate_hz
            stretched = (last - one.first) / max(ticks, 1)
            if ticks > 0 and abs(off_s) < STRETCH_S and ratio / 2 < stretched < 2 * ratio:
                ratio = stretched
    return Piece(one, one.at, end, one.first, last, ratio)


#: two seconds of a source that differ by less are the same
_NEAR_S = 0.5 / CLOCK_HZ


@dataclass
class _Run:
    """Sound of a source that was analysed in one piece. begin_s, end_s: seconds of the source. at: the tick at which
    the analysis of it began. sound, first: its part, and its first sample there.
    """

    begin_s: float
    end_s: float
    at: int
    sound: SoundEvent
    first: int

    def covers(self, position_s: float, before: int) -> bool:
        """Whether it has a second of the source, and its analysis began before a tick."""
        return self.at < before and self.begin_s - _NEAR_S <= position_s < self.end_s - _NEAR_S


@dataclass
class _Stretch:
    """From tick `at` to `end` a source goes on from `position_s`, `rate` seconds in a second. is_new: it does not
    follow the one before evenly. off: the ticks at which the recorded time was off, and by how much, seconds.
    """

    at: int
    end: int
    position_s: float
    is_new: bool
    off: list[tuple[int, float]] = field(default_factory=list)
    rate: float = 1.0

    def off_s(self, clock: ClockEvent) -> float:
        """How far the source is ahead of what this says, seconds."""
        return clock.position_s - self.position_s - (clock.at - self.at) / CLOCK_HZ


def _stretches(clocks: Sequence[ClockEvent], end: int) -> list[_Stretch]:
    """When a source was heard going on, and where in it: evenly, as sound does."""
    found: list[_Stretch] = []
    now: _Stretch | None = None  # the one that goes on
    for clock in clocks:
        is_new = True
        if now is not None:
            off_s = now.off_s(clock)
            if clock.is_running and abs(off_s) <= LOOSE_S:
                now.off.append((clock.at, off_s))
                continue
            now.end = clock.at
            before_s = now.off[-1][1] if now.off else 0.0
            if abs(off_s - before_s) <= LOOSE_S and clock.at - now.at >= GRADUAL_S * CLOCK_HZ:
                is_new = False
            elif -LATE_S <= off_s < -LOOSE_S:  # it stood still: at its beginning, if it had just begun, else at its end
                late = min(round(-off_s * CLOCK_HZ), now.end - now.at)
                if now.is_new and not now.off:
                    now.at += late
                else:
                    now.end -= late
        now = _Stretch(clock.at, end, clock.position_s, is_new) if clock.is_running else None
        if now is not None:
            found.append(now)
    for one in found:
        off_s = _usually(one)
        if one.is_new and off_s < 0:  # nothing of before its beginning was heard
            one.at = min(one.at + round(-off_s * CLOCK_HZ), one.end)
        else:
            one.position_s += off_s
    for one, following in pairwise(found):
        rate = (following.position_s - one.position_s) * CLOCK_HZ / max(1, following.at - one.at)
        if not following.is_new and 0.5 < rate < 2:
            one.rate = rate
    return found


def _usually(stretch: _Stretch) -> float:
    """How far the recorded time was off for most of a stretch, seconds: the median."""
    offs = [(stretch.at, 0.0), *stretch.off]
    ends = [*(at for at, _ in stretch.off), stretch.end]
    by_size = sorted((off_s, end - at) for (at, off_s), end in zip(offs, ends, strict=True))
    half, n_ticks = (stretch.end - stretch.at) / 2, 0
    for off_s, ticks in by_size:
        n_ticks += ticks
        if n_ticks >= half:
            return off_s
    return 0.0


def _at_places(reader: _Reader, places: np.ndarray, step: float) -> np.ndarray:
    """The sound at places between samples, (n, channels). step: samples from one place to the next."""
    slower = max(1, int(np.ceil(step - 1e-3)))
    n_taps = _TAPS * slower
    whole = np.floor(places).astype(np.int64)
    phases = np.rint((places - whole) * _PHASES).astype(np.int64)
    lowest, highest = int(whole[0]) + _FIRST * slower, int(whole[-1]) + n_taps + _FIRST * slower
    begin = max(lowest, 0)
    window = np.zeros((highest - lowest + 1, reader.n_channels), np.float32)
    window[begin - lowest :] = reader.read(begin, highest - begin + 1)
    starts = whole + _FIRST * slower - lowest
    if not phases.any() and slower == 1:
        return window[starts - _FIRST]
    taps: np.ndarray = window[starts[:, np.newaxis] + np.arange(n_taps)]
    return np.einsum("ijk,ij->ik", taps, _kernel(slower)[phases]).astype(np.float32)


@cache
def _kernel(slower: int) -> np.ndarray:
    """The filter for each place between two samples: (_PHASES + 1, taps). slower: the lowpass is at 1 / slower of half
    the sample rate.
    """
    offsets = np.arange(_TAPS * slower) + _FIRST * slower
    distance = (offsets[np.newaxis, :] - np.arange(_PHASES + 1)[:, np.newaxis] / _PHASES) / slower
    window = np.where(np.abs(distance) < _TAPS / 2, 0.5 + 0.5 * np.cos(2 * np.pi * distance / _TAPS), 0.0)
    taps = np.sinc(distance) * window
    return (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)
