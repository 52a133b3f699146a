"""The recorded sound, read again: the samples that the analyzer got, and a sound track in time with the pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from ..errors import BadInput
from .events import CLOCK_HZ, AnalysisEvent, ClockEvent, Event, SoundEvent
from .reader import RecordedSession
from .sound_reader import SoundFile, SoundFrame

# Two places of one part whose distance in time differs by less than this from that in samples are one sound, from a
# device whose clock is not exact: it is stretched. What is further apart has a gap, or was cut.
STRETCH_S = 0.05
# Windowed sinc (Hann): taps for each sample where nothing is slowed down, and places between two samples. Error of a
# tone of 10 kHz: below -70 dB.
_TAPS, _PHASES = 32, 1024
_FIRST = -(_TAPS // 2) + 1


class PartReader:
    """Reads the parts of a session's sound forwards, as one channel. What is missing or damaged is 0.

    say: called with one line about a part that cannot be read.
    """

    def __init__(self, session: RecordedSession, say: Callable[[str], None] = lambda line: None) -> None:
        self._session, self._say = session, say
        self._file: SoundFile | None = None
        self._frames: Iterator[SoundFrame] = iter(())
        self._full_scale = 1
        self._kept = np.zeros(0, np.float32)  # decoded, from sample `_from` of the part on
        self._from = 0

    def open(self, event: SoundEvent) -> None:
        """Read the part of an event from its beginning."""
        self.close()
        self._full_scale, self._kept, self._from = event.full_scale, np.zeros(0, np.float32), 0
        try:
            self._file = self._session.sound(event)
            self._frames = self._file.frames()
        except BadInput as fault:
            self._say(f"{fault}; it is silent there")

    def read(self, first: int, n_samples: int) -> np.ndarray:
        """The samples from `first` on, (n_samples,) float32. No sample before `first` can be read after it."""
        end = first + n_samples
        blocks = [self._kept[max(0, first - self._from) :]]
        at = max(first, self._from) + len(blocks[0]) if len(blocks[0]) else first
        start = at - len(blocks[0])
        while at < end and (frame := self._next()) is not None:
            if frame.first_sample > at:
                blocks.append(np.zeros(frame.first_sample - at, np.float32))
                at = frame.first_sample
            samples = frame.samples[max(0, at - frame.first_sample) :].mean(axis=1) * np.float32(self._full_scale)
            blocks.append(samples)
            at += len(samples)
        kept = np.concatenate(blocks)
        self._kept, self._from = kept, start
        wanted = np.zeros(n_samples, np.float32)
        if start < end:
            samples = kept[: end - start]
            wanted[start - first : start - first + len(samples)] = samples
        return wanted

    def close(self) -> None:
        """Close the file; closing twice is allowed."""
        if self._file is not None:
            self._file.close()
        self._file, self._frames = None, iter(())

    def _next(self) -> SoundFrame | None:
        try:
            return next(self._frames, None)
        except BadInput as fault:
            self._say(f"{fault}; it is silent from there on")
            self.close()
            return None


class Soundtrack:
    """The sound of a session at the ticks of its clock, 48000 a second: silent where there is none.

    Parts of other sample rates are resampled, and the sound of a device whose clock is not exact is stretched by that
    little, so that sound and picture stay together however long it is. events: of the session, in order; only those of
    sound are used. start: the first tick. Songs are analysed before they are heard: there the sound is that of the second
    of the source that `clock` events say.
    """

    def __init__(
        self, session: RecordedSession, events: Iterable[Event], start: int, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self._reader = PartReader(session, say)
        self._pieces = _pieces(events) if session.info.kind == "live" else iter(_heard_pieces(events))
        self._piece = next(self._pieces, None)
        self._opened = ""
        self.tick = start

    def take(self, until: int) -> np.ndarray:
        """The sound from where the last call ended to a tick: (n, 2) float32, both channels the same."""
        blocks: list[np.ndarray] = []
        while self.tick < until:
            piece = self._piece
            if piece is None or self.tick < piece.sound.at:
                end = until if piece is None else min(until, piece.sound.at)
                blocks.append(np.zeros(end - self.tick, np.float32))
            elif piece.end is not None and self.tick >= piece.end:
                self._piece, end = next(self._pieces, None), self.tick
            else:
                end = until if piece.end is None else min(until, piece.end)
                blocks.append(self._read(piece, self.tick, end))
            self.tick = end
        sound = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
        return np.repeat(sound[:, np.newaxis], 2, axis=1)

    def close(self) -> None:
        """Close the file that is read."""
        self._reader.close()

    def _read(self, piece: _Piece, tick: int, end: int) -> np.ndarray:
        if piece.sound.file != self._opened:
            self._opened = piece.sound.file
            self._reader.open(piece.sound)
        places = piece.sound.first + (np.arange(tick, end) - piece.sound.at) * piece.samples_per_tick
        if piece.last is not None:  # what follows it in the file is of another time
            places = places[: np.searchsorted(places, piece.last)]
        samples = np.zeros(end - tick, np.float32)
        if len(places):
            samples[: len(places)] = _at_places(self._reader, places, piece.samples_per_tick)
        return samples


class _Piece(NamedTuple):
    """A stretch of a part of sound, from the place that an event gives. end: its last tick, None: until the part
    ends. last: its last sample, None: unknown.
    """

    sound: SoundEvent
    end: int | None
    last: int | None
    samples_per_tick: float


def _pieces(events: Iterable[Event]) -> Iterator[_Piece]:
    before: SoundEvent | None = None
    for event in events:
        if isinstance(event, SoundEvent):
            if before is not None:
                yield _piece(before, event)
            before = event
    if before is not None:
        yield _piece(before, None)


def _piece(one: SoundEvent, following: SoundEvent | None) -> _Piece:
    ratio, last, end = one.rate_hz / CLOCK_HZ, None, None
    if following is not None:
        end = following.at
        if following.file == one.file:
            last, ticks = following.first, following.at - one.at
            off_s = ticks / CLOCK_HZ - (last - one.first) / one.rate_hz
            if ticks > 0 and last > one.first and abs(off_s) < STRETCH_S:
                ratio = (last - one.first) / ticks
    return _Piece(one, end, last, ratio)


@dataclass
class _Run:
    """Sound of a source that was analysed in one piece. begin_s, end_s: seconds of the source. at: the tick at which the
    analysis of it began. sound, first: its part, and its first sample there.
    """

    begin_s: float
    end_s: float
    at: int
    sound: SoundEvent
    first: int


def _heard_pieces(events: Iterable[Event]) -> list[_Piece]:
    """The pieces of sound in the order in which they were heard, where the source has a time of its own."""
    runs: list[_Run] = []
    clocks: list[ClockEvent] = []
    sound: SoundEvent | None = None
    source_s, next_sample, end, is_new = 0.0, 0, 0, True
    for event in events:
        end = max(end, event.at)
        if isinstance(event, ClockEvent):
            clocks.append(event)
        elif isinstance(event, SoundEvent):
            is_new = is_new or sound is None or (sound.file, next_sample) != (event.file, event.first)
            sound, next_sample = event, event.first
        elif isinstance(event, AnalysisEvent):
            if event.step == "start":
                source_s, is_new = event.start_s, True
            if sound is not None:
                begin_s, source_s = source_s, source_s + event.n_samples / sound.rate_hz + event.seconds
                if event.step != "sound":
                    is_new = is_new or source_s > begin_s
                    continue
                if is_new:
                    runs.append(_Run(begin_s, begin_s, event.at, sound, next_sample))
                next_sample, is_new, runs[-1].end_s = next_sample + event.n_samples, False, source_s
    pieces = []
    for clock, end_at in zip(clocks, [*(one.at for one in clocks[1:]), end], strict=True):
        at = clock.at
        while clock.is_running and at < end_at:
            position_s = clock.position_s + (at - clock.at) / CLOCK_HZ
            run = next((one for one in reversed(runs) if one.at < end_at and _covers(one, position_s)), None)
            if run is None:  # it was not analysed, or only later
                break
            first = run.first + round((position_s - run.begin_s) * run.sound.rate_hz)
            until = min(end_at, at + max(1, round((run.end_s - position_s) * CLOCK_HZ)))
            begins = run.sound.model_copy(update={"at": at, "first": max(first, 0)})
            pieces.append(_Piece(begins, until, None, run.sound.rate_hz / CLOCK_HZ))
            at = until
    return pieces


def _covers(run: _Run, position_s: float) -> bool:
    near_s = 0.5 / CLOCK_HZ
    return run.begin_s - near_s <= position_s < run.end_s - near_s


def _at_places(reader: PartReader, places: np.ndarray, step: float) -> np.ndarray:
    """The sound at places between samples. step: samples from one place to the next."""
    slower = max(1, int(np.ceil(step - 1e-3)))
    n_taps = _TAPS * slower
    whole = np.floor(places).astype(np.int64)
    phases = np.rint((places - whole) * _PHASES).astype(np.int64)
    lowest, highest = int(whole[0]) + _FIRST * slower, int(whole[-1]) + n_taps + _FIRST * slower
    begin = max(lowest, 0)
    window = np.zeros(highest - lowest + 1, np.float32)
    window[begin - lowest :] = reader.read(begin, highest - begin + 1)
    starts = whole + _FIRST * slower - lowest
    if not phases.any() and slower == 1:
        return window[starts - _FIRST]
    taps: np.ndarray = window[starts[:, np.newaxis] + np.arange(n_taps)]
    return np.einsum("ij,ij->i", taps, _kernel(slower)[phases]).astype(np.float32)


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
