"""Says what a recorded session holds, and what of it was lost, in seconds and events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ..errors import BadInput, VisualizerError
from ..oneline import plain
from .events import CLOCK_HZ, AnalysisEvent, DreamEvent, EditEvent, GapEvent, PresetEvent, SoundEvent
from .folder import refuse_while_recorded
from .layout import SessionInfo
from .reader import LineTally, RecordedSession

#: progress is reported each time that so much more was read
PROGRESS_BYTES = 2_000_000
State = Literal["ok", "recording", "cut off", "damaged"]


@dataclass
class PartFound:
    """A part of sound.

    event: the first that names it. n_samples: that were recorded, as the events say; n_lost: those of them that are not
    in the file; n_until_end, end_offset: where its last whole frame ends, samples and bytes; n_torn: bytes after that;
    fault: why it cannot be read at all, "" if it can.
    """

    event: SoundEvent
    n_samples: int = 0
    n_lost: int = 0
    n_until_end: int = 0
    end_offset: int = 0
    n_torn: int = 0
    fault: str = ""


@dataclass
class Examined:
    """What a session holds, and what was lost.

    n_bytes         of all its files
    parts           the parts of its sound that the events name, by file
    presets         the names of its presets, in the order of their first use
    dreams          the dream frames by hash; missing_dreams, damaged_dreams: hashes of some of them
    missing_presets folders of presets that are not there
    gaps            what its events say could not be recorded: how many of what; gap_sound_s: of sound, seconds
    """

    root: Path
    info: SessionInfo
    tally: LineTally
    state: State = "ok"
    n_bytes: int = 0
    parts: dict[str, PartFound] = field(default_factory=dict)
    presets: list[str] = field(default_factory=list)
    dreams: dict[str, DreamEvent] = field(default_factory=dict)
    missing_dreams: list[str] = field(default_factory=list)
    damaged_dreams: list[str] = field(default_factory=list)
    missing_presets: dict[str, str] = field(default_factory=dict)
    gaps: Counter[str] = field(default_factory=Counter)
    gap_sound_s: float = 0.0

    @property
    def seconds(self) -> float:
        """How long it is."""
        return max(0, self.tally.end_at - self.info.at) / CLOCK_HZ

    @property
    def sound_s(self) -> float:
        """How much sound its events name."""
        return sum(part.n_samples / part.event.rate_hz for part in self.parts.values())

    @property
    def lost_sound_s(self) -> float:
        """How much of that is not in its files."""
        return sum(part.n_lost / part.event.rate_hz for part in self.parts.values())

    @property
    def n_lost_events(self) -> int:
        """Events that are missing or cannot be read."""
        return self.tally.n_missing + (self.tally.n_torn > 0)


def examine(
    root: Path, *, thorough: bool, progress: Callable[[int, int], None] = lambda n_read, n_bytes: None
) -> Examined:
    """What the session in the folder `root` holds, and what of it was lost.

    thorough: decode all sound and dream frames; otherwise only whether the files are there. progress: called now and
    then with the bytes read so far, and those to read in all; not for a small session. Raises BadInput if it is no
    session, is of a newer version of the program, or holds links.
    """
    session = RecordedSession(root)
    found = Examined(root, session.info, session.tally)
    sizes = {name: (root / name).lstat().st_size for name in session.files}
    found.n_bytes = sum(sizes.values())
    reading = _Reading(
        sum(n for name, n in sizes.items() if name.startswith(("events", "sound-", "dreams/"))), progress
    )
    part: PartFound | None = None
    folders: dict[str, PresetEvent | EditEvent] = {}
    for line in session.lines():
        reading.add(len(line.text) + 1)
        match line.event:
            case SoundEvent() as event:
                part = found.parts.setdefault(event.file, PartFound(event))
            case AnalysisEvent(step="sound") as event if part is not None:
                part.n_samples += event.n_samples
            case DreamEvent() as event:
                found.dreams.setdefault(event.sha256, event)
            case PresetEvent() | EditEvent() as event:
                folders.setdefault(event.folder, event)
            case GapEvent() as event:
                found.gaps[event.what] += event.count
                if event.what == "sound":
                    found.gap_sound_s += event.count / (part.event.rate_hz if part is not None else CLOCK_HZ)
    found.tally = session.tally
    found.presets = list(dict.fromkeys(event.name for event in folders.values()))
    for part in found.parts.values():
        _examine_part(session, part, reading, thorough=thorough)
    for event in folders.values():
        try:
            session.preset(event)
        except BadInput:
            found.missing_presets[event.folder] = event.name
    for sha256, event in found.dreams.items() if session.info.has_dreams else ():
        if f"dreams/{sha256}.png" not in session.files:
            found.missing_dreams.append(sha256)
        elif thorough:
            reading.add(sizes[f"dreams/{sha256}.png"])
            try:
                session.dream(event)
            except BadInput:
                found.damaged_dreams.append(sha256)
    found.state = _state(found)
    if found.state == "recording":  # the ends of its files are being written
        found.tally.n_torn = 0
        for part in [*found.parts.values()][-1:]:
            part.n_lost, part.n_torn, part.fault = 0, 0, ""
    return found


class _Reading:
    """Counts the bytes that were read. n_bytes: that are to be read."""

    def __init__(self, n_bytes: int, progress: Callable[[int, int], None]) -> None:
        self._n_bytes, self._progress = n_bytes, progress
        self._n_read = self._n_said = 0

    def add(self, n_read: int) -> None:
        """So many more were read."""
        self._n_read += n_read
        if self._n_read - self._n_said >= PROGRESS_BYTES:
            self._n_said = self._n_read
            self._progress(min(self._n_read, self._n_bytes), self._n_bytes)


def _examine_part(session: RecordedSession, part: PartFound, reading: _Reading, *, thorough: bool) -> None:
    if not thorough and part.event.file in session.files:
        return
    try:
        with session.sound(part.event) as file:
            part.n_lost = part.n_samples
            for frame in file.frames():
                part.n_lost -= max(0, min(frame.end, part.n_samples) - frame.first_sample)
                part.n_until_end = frame.end
                reading.add(frame.n_bytes)
            # below 0: more was written meanwhile
            part.end_offset, part.n_torn = file.end_offset, max(0, file.n_bytes - file.end_offset)
    except BadInput as fault:
        part.fault, part.n_lost = str(fault), part.n_samples


def _state(found: Examined) -> State:
    try:
        refuse_while_recorded(found.root)
    except VisualizerError:
        return "recording"
    if found.info.state == "open":
        return "cut off"
    return "damaged" if any(losses(found)) else "ok"


def losses(found: Examined) -> Iterator[str]:
    """What was lost or is damaged, a line each, in plain words; nothing for a whole session."""
    tally = found.tally
    if tally.n_torn:
        yield f"events.jsonl: its last line was cut off: {tally.n_torn} bytes"
    if tally.n_damaged:
        yield f"{counted(tally.n_damaged, 'line')} cannot be read; the first: {tally.fault}"
    if tally.n_missing:
        yield f"events.jsonl: {counted(tally.n_missing, 'event')} of {tally.n_events + tally.n_missing} missing"
    if tally.n_disorder:
        yield f"{counted(tally.n_disorder, 'line')} out of order; the first: {tally.fault}"
    for name, part in found.parts.items():
        rate_hz = part.event.rate_hz
        if part.fault and part.n_samples:
            yield f"{part.fault}; {part.n_lost / rate_hz:.2f} s of sound are lost"
        elif part.n_lost:
            yield f"{name}: {part.n_lost / rate_hz:.2f} s of {part.n_samples / rate_hz:.2f} s of sound are lost"
        if part.n_torn:
            yield f"{name}: its last frame was cut off: {part.n_torn} bytes"
    known = found.gaps
    if len(found.missing_dreams) > known["dream"]:
        yield f"{len(found.missing_dreams)} of {counted(len(found.dreams), 'dream frame')} missing"
    if found.damaged_dreams:
        first = f"dreams/{found.damaged_dreams[0]}.png"
        yield f"{counted(len(found.damaged_dreams), 'dream frame')} damaged; the first: {first}"
    if len(found.missing_presets) > known["preset"]:
        yield "missing presets: " + ", ".join(plain(name) for name in found.missing_presets.values())


def notes(found: Examined) -> Iterator[str]:
    """What is no damage, but worth knowing, a line each."""
    if found.info.state == "open" and found.state != "recording":
        yield "the recording was cut off; `visualizer sessions repair` closes it"
    for is_there, what in ((found.info.has_sound, "sound"), (found.info.has_dreams, "dream frames")):
        if not is_there:
            yield f"it was recorded without {what}"
    if found.info.reason:
        yield f"it ended because: {plain(found.info.reason)}"
    for what, n in sorted(found.gaps.items()):
        lost = f"{found.gap_sound_s:.2f} s of sound" if what == "sound" else counted(n, _GAPS[what])
        yield f"not recorded: {lost}"
    for kind, n in sorted(found.tally.unknown.items()):
        yield f"{counted(n, 'event')} of a kind that this version of the program does not know: {kind}"


_GAPS = {"event": "event", "dream": "dream frame", "preset": "preset"}


def counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"
