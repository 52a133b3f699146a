"""Reads a recorded session: what it is, its events in order, its sound and its dream frames.

Somebody else may have made it, and a crash may have cut it off. No number and no name in it is trusted: what is damaged
is left out and counted, nothing outside its folder is opened, and a small file cannot claim to be a large session.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import BadInput
from ..files.paths import is_file, is_folder
from ..oneline import plain, reason_of
from .events import (
    CLOCK_HZ,
    MOST_LINE_BYTES,
    AnalysisEvent,
    DisplayEvent,
    DreamEvent,
    EditEvent,
    Event,
    GapEvent,
    PresetEvent,
    SizeEvent,
    SoundEvent,
    UnknownEvent,
    decode,
)
from .folder import open_file, session_files
from .layout import MOST_INFO_BYTES, DamagedInfo, SessionFolder, SessionInfo
from .sound_reader import SoundFile, SoundFrame

#: a session is at most this long, seconds, and has at most so many events; what claims more is damaged or crafted
MOST_S, MOST_EVENTS = 31 * 86_400, 20_000_000
_MOST_TICKS = MOST_S * CLOCK_HZ
# The time and the sound that a session may claim: so many seconds, and more with each event, so that a small file
# cannot claim weeks of it. The program writes several events a second, and none while songs are paused or a laptop
# sleeps.
_FREE_S, _FREE_SOUND_S, _S_PER_EVENT = 86_400.0, 3600.0, 60.0
#: no dream frame is larger, and no window
MOST_DREAM_PIXELS, _MOST_WINDOW_PIXELS = 64_000_000, 16_384 * 8192
_BLOCK_SAMPLES = 65_536


class ReadLine(NamedTuple):
    """A line of events.jsonl that holds an event. text: its bytes, without the line feed; n: its number in the line;
    offset: where it begins, bytes.
    """

    text: bytes
    n: int
    event: Event
    offset: int


@dataclass
class LineTally:
    """What was found in events.jsonl.

    n_events    lines that hold an event
    n_damaged   lines that do not; the torn last line is not counted
    n_disorder  lines with a number that is not above that of the line before
    n_missing   events whose numbers are not there
    n_torn      bytes of a last line that was cut off
    end_at      the latest time of an event, ticks; that of the start without events
    unknown     how many events there are of each kind and version that this program does not know
    fault       the first damaged or misplaced line: where, and what is wrong; "" if there is none
    """

    n_events: int = 0
    n_damaged: int = 0
    n_disorder: int = 0
    n_missing: int = 0
    n_torn: int = 0
    end_at: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    fault: str = ""


class RecordedSession:
    """A session on the disk, to be read.

    folder: its places. info: what session.json says. files: the paths of all its files in the folder, with "/". tally:
    what the newest `events` or `lines` has found so far.
    """

    def __init__(self, root: Path, info: SessionInfo | None = None) -> None:
        """Open the session in the folder `root`. info: in place of session.json.

        Raises BadInput if there is none, if it is of a newer version of the program, or holds links; DamagedInfo if
        only session.json is missing or damaged.
        """
        if not is_folder(root):
            raise BadInput(f"{plain(root)}: is not the folder of a session")
        self.folder = SessionFolder(root)
        self.info = _read_info(self.folder) if info is None else info
        self.files = frozenset(session_files(root))
        self.tally = LineTally()

    def events(self, offset: int = 0) -> Iterator[Event]:
        """Every event that can be read, in order, see `checked_lines`."""
        return (line.event for line in self.checked_lines(offset))

    def checked_lines(self, offset: int = 0) -> Iterator[ReadLine]:
        """Every line that holds an event, in order; damaged lines are left out, see `tally`. offset: of the line to
        begin with, bytes.

        Raises BadInput if the lines are not in order, which no crash does, or the file cannot be read.
        """
        newest = -1
        for line in self.lines(offset):
            if line.n <= newest:
                raise BadInput(
                    f"{plain(self.folder.events)}: event {line.n} comes after a later one: the lines are out of order; "
                    "`visualizer sessions repair` puts them in order"
                )
            newest = line.n
            yield line

    def lines(self, offset: int = 0) -> Iterator[ReadLine]:
        """Every line that holds an event, in the order of the file. offset: of the line to begin with, bytes. Raises
        BadInput if the file cannot be read.
        """
        self.tally = tally = LineTally(end_at=self.info.at)
        if self.info.state == "open" and self.folder.events.name not in self.files:
            return  # it was cut off before its first event
        newest = -1
        limits = _Limits(self.info.at)
        for number, begin, text, is_last in _raw_lines(self.folder.events, offset):
            try:
                n, event = decode(text)
                limits.check(n, event)
            except BadInput as fault:
                if is_last:
                    tally.n_torn = len(text)
                else:
                    tally.n_damaged += 1
                    tally.fault = tally.fault or f"{plain(self.folder.events)}:{number}: {fault}"
                continue
            tally.n_events += 1
            tally.end_at = max(tally.end_at, event.at)
            if n <= newest:
                tally.n_disorder += 1
                what = f"event {n} comes after {newest}: the lines are out of order"
                tally.fault = tally.fault or f"{plain(self.folder.events)}:{number}: {what}"
            newest = max(newest, n)
            tally.n_missing = max(0, newest + 1 - tally.n_events)
            if isinstance(event, UnknownEvent):
                tally.unknown[f"{plain(event.name, 40)} {event.number}"] += 1
            yield ReadLine(text, n, event, begin)
        if self.info.state == "closed":
            tally.n_missing = max(tally.n_missing, self.info.n_events - tally.n_events)

    def sound(self, event: SoundEvent) -> SoundFile:
        """The part of sound that an event names. Raises BadInput if it is missing or no sound, or is not as it says."""
        path = self.folder.root / event.file
        found = SoundFile(path)
        if (found.rate_hz, found.n_channels) != (event.rate_hz, event.channels):
            found.close()
            raise BadInput(
                f"{plain(path)}: has {found.n_channels} channels at {found.rate_hz} Hz, and events.jsonl says "
                f"{event.channels} at {event.rate_hz} Hz"
            )
        return found

    def preset(self, event: PresetEvent | EditEvent) -> Path:
        """The folder of the copy of a preset. Raises BadInput if it is missing."""
        if f"presets/{event.folder}/preset.yaml" not in self.files:
            raise BadInput(f"{plain(self.folder.presets / event.folder)}: the preset {plain(event.name)!r} is missing")
        return self.folder.presets / event.folder

    def dream(self, event: DreamEvent) -> np.ndarray:
        """A dream frame, (height, width, 3) uint8 sRGB. Raises BadInput if it is missing or damaged."""
        from PIL import Image

        path = self.folder.dream(event.sha256)
        if event.width * event.height > MOST_DREAM_PIXELS:
            raise BadInput(f"{plain(path)}: {event.width}x{event.height} is larger than any dream frame")
        try:
            with open_file(path) as file, Image.open(file, formats=["PNG"]) as image:
                if image.size != (event.width, event.height) or image.mode != "RGB":
                    raise BadInput(f"{plain(path)}: is no dream frame of {event.width}x{event.height}")
                frame = np.array(image)
        # PIL raises SyntaxError, ValueError and others for damaged files
        except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as fault:
            raise BadInput(f"{plain(path)}: is damaged: {reason_of(fault)}") from fault
        if hashlib.sha256(frame.data).hexdigest() != event.sha256:
            raise BadInput(f"{plain(path)}: is damaged: its pixels are not those that its name says")
        return frame


class SoundTape:
    """The recorded sound of a session, one part after the other; what was lost of it is silence. For one thread.

    n_lost: samples that were silence instead. faults: parts that could not be read, a line each.
    """

    def __init__(self, session: RecordedSession) -> None:
        self.n_lost, self.faults = 0, list[str]()
        self._session = session
        self._file: SoundFile | None = None
        self._frames: Iterator[SoundFrame] = iter(())
        self._frame: SoundFrame | None = None
        self._event: SoundEvent | None = None
        self._position = 0

    def begin(self, event: SoundEvent) -> None:
        """Continue with the part of an event; nothing changes if it is the one that is read."""
        if self._event is not None and self._event.file == event.file:
            return
        self.close()
        self._event, self._position = event, event.first
        try:
            self._file = self._session.sound(event)
            self._frames = self._file.frames()
        except BadInput as fault:
            self.faults.append(str(fault))

    def read(self, n_samples: int) -> Iterator[np.ndarray]:
        """The next samples in blocks, (n, channels) float32, as the analyzer got them; exactly n_samples together."""
        while n_samples > 0:
            block = self._next(min(n_samples, _BLOCK_SAMPLES))
            n_samples -= len(block)
            yield block

    def skip(self, n_samples: int) -> None:
        """Leave out the next samples without decoding them."""
        self._position += n_samples
        if self._file is not None and (self._frame is None or self._frame.end <= self._position):
            self._frame, self._frames = None, self._file.frames(self._position)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        self._file, self._frame, self._frames, self._event = None, None, iter(()), None

    def _next(self, most: int) -> np.ndarray:
        """At least one sample, and at most `most`."""
        at = self._position
        while self._frame is None or self._frame.end <= at:
            try:
                self._frame = next(self._frames, None)
            except BadInput as fault:
                self.faults.append(str(fault))
                self._frame = None
            if self._frame is None:
                break
        frame, event = self._frame, self._event
        if frame is not None and event is not None and frame.first_sample <= at:
            block = frame.samples[at - frame.first_sample :][:most] * np.float32(event.full_scale)
        else:
            n_missing = most if frame is None else min(most, frame.first_sample - at)
            block = np.zeros((n_missing, 1 if event is None else event.channels), np.float32)
            self.n_lost += n_missing
        self._position += len(block)
        return block


class _Limits:
    """Refuses events that claim more than a session can hold. start: its first tick."""

    def __init__(self, start: int) -> None:
        self._start, self._rate_hz = start, CLOCK_HZ
        self._n_events, self._sound_s, self._skipped_s = 0, 0.0, 0.0

    def check(self, n: int, event: Event) -> None:
        """Raise BadInput if the event, the n-th, cannot be one of a session."""
        self._n_events += 1
        more_s = _S_PER_EVENT * self._n_events
        most_s, most_sound_s = min(_FREE_S + more_s, MOST_S), min(_FREE_SOUND_S + more_s, MOST_S)
        sound_s = skipped_s = 0.0
        if isinstance(event, AnalysisEvent):
            self._rate_hz = event.rate_hz or self._rate_hz
            sound_s, skipped_s = event.n_samples / self._rate_hz, event.seconds
        elif isinstance(event, GapEvent) and event.what == "sound":
            sound_s = event.count / self._rate_hz
        if n >= MOST_EVENTS or (event.at - self._start) / CLOCK_HZ > most_s:
            raise BadInput(
                f"event {n} at {event.at / CLOCK_HZ:.0f} s cannot be: no session of so few events is so long"
            )
        if self._sound_s + sound_s > most_sound_s or self._skipped_s + skipped_s > most_s:
            raise BadInput(
                f"event {n} claims {sound_s + skipped_s:.0f} s of sound: no session of so few events is so long"
            )
        if isinstance(event, SizeEvent | DisplayEvent) and event.width * event.height > _MOST_WINDOW_PIXELS:
            raise BadInput(f"event {n} claims a window of {event.width}x{event.height}: none is so large")
        self._sound_s += sound_s
        self._skipped_s += skipped_s


def _read_info(folder: SessionFolder) -> SessionInfo:
    hint = "; `visualizer sessions repair` rebuilds it from the events" if is_file(folder.events) else ""
    if not os.path.lexists(folder.info):
        raise DamagedInfo(f"{plain(folder.info)}: is missing{hint}")
    with open_file(folder.info) as file:
        try:
            text = file.read(MOST_INFO_BYTES + 1)
        except OSError as fault:
            raise BadInput(f"{plain(folder.info)}: cannot be read: {reason_of(fault)}") from fault
    if len(text) > MOST_INFO_BYTES:
        raise BadInput(f"{plain(folder.info)}: is larger than any {folder.info.name}")
    try:
        info = SessionInfo.from_json(text)
    except DamagedInfo as fault:
        raise DamagedInfo(f"{plain(folder.root)}: {fault}{hint}") from fault
    except BadInput as fault:
        raise BadInput(f"{plain(folder.root)}: {fault}") from fault
    if info.width * info.height > MOST_DREAM_PIXELS:
        raise BadInput(f"{plain(folder.info)}: claims dream frames of {info.width}x{info.height}: none are so large")
    if info.n_events > MOST_EVENTS or info.end_at > info.at + _MOST_TICKS:
        raise BadInput(f"{plain(folder.info)}: claims more events or time than a session can have")
    return info


def first_event(folder: SessionFolder) -> Event | None:
    """The first event that can be read; None if there is none. Raises BadInput if the file cannot be read."""
    for _, _, text, _ in _raw_lines(folder.events):
        with suppress(BadInput):
            return decode(text).event
    return None


def _raw_lines(path: Path, offset: int = 0) -> Iterator[tuple[int, int, bytes, bool]]:
    """Every line of a file from an offset on: (its number from 1, where it begins, its bytes without the line feed,
    whether nothing follows it).

    Of a line longer than any event only the beginning is returned.
    """
    with open_file(path) as file:
        try:
            size = file.seek(0, 2)
            begin = file.seek(offset)
            number = 0
            while text := file.readline(MOST_LINE_BYTES + 2):
                number += 1
                rest = text
                while rest and not rest.endswith(b"\n"):
                    rest = file.readline(MOST_LINE_BYTES)
                end = file.tell()
                yield number, begin, text.removesuffix(b"\n"), end >= size
                begin = end
        except OSError as fault:
            raise BadInput(f"{plain(path)}: cannot be read: {reason_of(fault)}") from fault
