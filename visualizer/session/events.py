"""The events of a session and the lines of events.jsonl that hold them. Pure. docs/sessions.md describes the format.

A new kind of event is one class here. A field added to a kind, or one that means something else, raises its `version`.
The names n, type, v and crc are the line's: no field has one of them.
"""

from __future__ import annotations

import json
import math
import zlib
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import BadInput
from ..oneline import plain

#: ticks a second of the clock of a session
CLOCK_HZ = 48_000
#: a longer line is damaged, or was not written by this program
MOST_LINE_BYTES = 1_000_000

# JSON's whole numbers are exact up to here in every program that reads them; in ticks, it is some 5,900 years
_MOST = 2**53 - 1
_Count = Annotated[int, Field(ge=0, le=_MOST)]
_Seconds = Annotated[float, Field(ge=-1e8, le=1e8)]  # of a source: some three years
_Tempo = Annotated[float, Field(ge=1, le=1000)]
_Phase = Annotated[float, Field(ge=-1, le=2)]
_Pair = Annotated[list[_Count], Field(min_length=2, max_length=2)]
_Place = Annotated[int, Field(ge=-_MOST, le=_MOST)]
_Pixels = Annotated[int, Field(ge=1, le=65_536)]
_Name = Annotated[str, Field(max_length=4096)]
#: a name inside the folder of a session: of letters that every system allows in the name of a file, and no path
_FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,120}$")]
_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_CRC_MARK = b',"crc":"'


def ticks_of(time_s: float) -> int:
    """Seconds of a session in ticks of its clock."""
    return round(time_s * CLOCK_HZ)


class Event(BaseModel):
    """Something that made the picture what it was. at: when, in ticks of the session's clock."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)

    kind: ClassVar[str] = ""
    version: ClassVar[int] = 1

    at: _Count


class SoundEvent(Event):
    """From sample `first` of a part of sound on, the sound is of this time and what follows it.

    Every part begins with one (first = 0). A further one for the same part says that its sound goes on at another time
    than the samples before make it: after a gap, or since the clock of the device is not exact.

    file: of the part. rate_hz, channels: of its samples. full_scale: what the largest sample of the file stands for.
    """

    kind: ClassVar[str] = "sound"

    file: _FileName
    rate_hz: int = Field(ge=8000, le=192_000)
    channels: int = Field(ge=1, le=8)
    first: _Count = 0
    full_scale: int = Field(default=1, ge=1, le=16)


class AnalysisEvent(Event):
    """One step of the analyzer, in order. They say which samples and which silence it was given.

    step: "start": a new analyzer for `rate_hz`, the first sample of which is at `start_s` seconds of the source; it
    continues the counts of the one before. "sound": the next `n_samples` of the recorded sound, the first of which is
    at the time of the event. "silence": `n_samples` zeros. "skip": time goes on by `seconds` without any sample.
    "finish": the sound has ended. is_known: whether kicks are found with the sound after them, as for songs.

    counts, bpm, phase: what a new analyzer begins with, see `AnalysisSteps.began`: what it counts on from, the tempo
    (0: none), and the place in the beat, 0..1. They are there where `came` is.

    came: [n, ticks] pairs, rising: a display frame seen `ticks` after `at`, or later, has the first n samples of the
    step. Sound comes late, and in blocks. Without it a step has come at its own time.
    """

    kind: ClassVar[str] = "analysis"
    version: ClassVar[int] = 2

    step: Literal["start", "sound", "silence", "skip", "finish"]
    n_samples: _Count = 0
    seconds: float = Field(default=0.0, ge=0)
    rate_hz: Literal[0] | Annotated[int, Field(ge=8000, le=192_000)] = 0
    start_s: _Seconds = 0.0
    is_known: bool = False
    counts: dict[str, _Count] = {}
    bpm: Literal[0] | _Tempo = 0
    phase: _Phase = 0.0
    came: list[_Pair] = []

    def n_come(self, tick: int) -> int:
        """How many of its samples a display frame at `tick` has, as `came` says; -1: not even the step has come."""
        n_come = -1
        for n_samples, ticks in self.came:
            if self.at + ticks > tick:
                return n_come
            n_come = min(n_samples, self.n_samples)
        return self.n_samples


class ClockEvent(Event):
    """From this tick on the source is at `position_s` seconds, and stands still or goes on. Only where the source's
    time is not that of the session, as for songs: seeks and pauses.
    """

    kind: ClassVar[str] = "clock"

    position_s: _Seconds
    is_running: bool = True


class CommandEvent(Event):
    """A command was applied. command: what `control.commands.Command.to_data` returns."""

    kind: ClassVar[str] = "command"

    command: dict[str, Any]


class DeviceEvent(Event):
    """The state of the input changed. state: "ok", "lost", "waiting", "only zeros"; label: the input, for people."""

    kind: ClassVar[str] = "device"

    state: _Name
    label: _Name = ""
    reason: _Name = ""


class XrunEvent(Event):
    """Sound was lost between device and program. n_xruns, n_dropped: all overruns and samples dropped until now."""

    kind: ClassVar[str] = "xrun"

    n_xruns: _Count
    n_dropped: _Count = 0


class TempoEvent(Event):
    """The tempo after it was tapped, halved, doubled or set from elsewhere; of version 1: what the newest analyzer
    began with. phase: place in the beat, 0..1; confidence: 0..1.
    """

    kind: ClassVar[str] = "tempo"
    version: ClassVar[int] = 2

    bpm: _Tempo
    phase: _Phase
    confidence: float


class PresetEvent(Event):
    """A preset was opened: its dream frames come into scene `scene`, which is shown once it has any.

    folder: its copy under presets/. reference, name: what the show called it. size: of its dream frames, px. image: the
    picture in its folder that the user asked for instead of the preset's, "" for the preset's. seed, network, layer,
    dream, journey: what the user asked for instead of the preset's values, see `presets.loaded.Overrides`.
    """

    kind: ClassVar[str] = "preset"

    folder: _FileName
    scene: _Count
    reference: _Name
    name: _Name
    width: _Pixels
    height: _Pixels
    image: str = Field(default="", pattern=r"^([A-Za-z0-9_-][A-Za-z0-9._-]{0,120})?$")
    seed: int | None = None
    network: _Name | None = None
    layer: _Name | None = None
    dream: dict[str, float | str] = {}
    journey: int | None = Field(default=None, ge=0, le=1000)


class EditEvent(Event):
    """The preset of a scene was edited while it was shown: from here on its settings and looks are those of another
    copy. Its image and its dream are the same.

    folder: the copy under presets/. name: what the show called the preset.
    """

    kind: ClassVar[str] = "edit"

    folder: _FileName
    scene: _Count
    name: _Name


class LooksEvent(Event):
    """Looks of a scene are not drawn from here on, since they take too long or the graphics were lost with them.

    left_out: which of its looks, by their places in the preset, from 0; all others are drawn.
    """

    kind: ClassVar[str] = "looks"

    scene: _Count
    left_out: list[Annotated[int, Field(ge=0, le=1000)]] = Field(max_length=1000)


class SceneEvent(Event):
    """A scene begins to be shown: the crossfade to it starts."""

    kind: ClassVar[str] = "scene"

    scene: _Count


class DreamEvent(Event):
    """A dream frame was put into a scene, in place of the one that was there before.

    sha256: of its pixels, height x width x 3 bytes; the frame is in dreams/. finished: False for a preview.
    """

    kind: ClassVar[str] = "dream"

    scene: _Count
    variant: int = Field(ge=0, le=1000)
    depth_index: int = Field(ge=0, le=1000)
    sha256: _Sha256
    width: _Pixels
    height: _Pixels
    finished: bool


class JourneyEvent(Event):
    """Where a scene is along its journey, at `time_s` seconds of the source and `beats` beats of it.

    position: stations from the first; speed: stations a second; linger, linger_s: how far it lingers, 0..1, and the
    time of the slow motion then, seconds; first, last: between what positions it can go with the stations that are
    there, and arrives_s: with what time constant it comes near these, seconds. slots: [slot, station] pairs: the frames
    of this station are those of the variant `slot`; a slot that has got another station is empty until its frames come.
    crops: [station, a, b, x, y]: where in a station the next one lies: the place w in that one is the place (a + ib) w
    + x + iy in this one, as complex numbers in heights of the picture from its middle, y downwards. hurries_to: the
    station that it hurries to, 0: none; version 1 has none. Versions 1 and 2 have no stations below 0, those out of the
    picture.
    """

    kind: ClassVar[str] = "travel"
    version: ClassVar[int] = 3

    scene: _Count
    time_s: _Seconds
    beats: float = Field(ge=0, le=1e9)
    position: float = Field(ge=-1e9, le=1e9)
    speed: float = Field(ge=-100, le=100)
    linger: float = Field(ge=0, le=1)
    linger_s: float = Field(ge=0, le=1e9)
    first: float = Field(ge=-1e9, le=1e9)
    last: float = Field(ge=-1e9, le=1e9)
    arrives_s: float = Field(gt=0, le=1000)
    slots: list[Annotated[list[_Place], Field(min_length=2, max_length=2)]] = Field(max_length=16)
    crops: list[Annotated[list[float], Field(min_length=5, max_length=5)]] = Field(max_length=16)
    hurries_to: _Place = 0


class SizeEvent(Event):
    """The size in which the look is drawn changed, px: it is adapted to what the machine can do."""

    kind: ClassVar[str] = "size"

    width: _Pixels
    height: _Pixels


class DisplayEvent(Event):
    """The window or its display changed. width, height: of the picture, px; refresh_hz: 0 if unknown."""

    kind: ClassVar[str] = "display"

    width: _Pixels
    height: _Pixels
    refresh_hz: float = Field(default=0.0, ge=0)


class FeaturesEvent(Event):
    """What the picture is drawn from, until the next one: where that does not follow from the sound.

    values: fields of `beat.features.Features` that are not as by default; none: it follows from the sound from here on.
    """

    kind: ClassVar[str] = "features"
    version: ClassVar[int] = 2

    values: dict[str, float]


class SongEvent(Event):
    """A song of `play`: it begins at `start_s` of the source. file: its copy under songs/, "" where there is none.
    gain: the factor that it was played with. stream: number of its sound stream, None for FFmpeg's choice.
    """

    kind: ClassVar[str] = "song"
    version: ClassVar[int] = 2

    name: _Name
    sha256: _Sha256
    start_s: _Seconds = 0.0
    file: str = Field(default="", pattern=r"^([A-Za-z0-9_-][A-Za-z0-9._-]{0,120})?$")
    gain: float = Field(default=1.0, ge=0, le=100)
    stream: int | None = Field(default=None, ge=1, le=1000)


class GapEvent(Event):
    """Something could not be written. what: "sound", "event", "dream", "preset", "song"; count: of samples, events,
    frames and so on. Of sound so many samples are missing, the first of which was at the time of the event; the
    analyzer had got them.
    """

    kind: ClassVar[str] = "gap"

    what: Literal["sound", "event", "dream", "preset", "song"]
    count: _Count = 1
    reason: _Name = ""


class EndEvent(Event):
    """The session ends. reason: "" if the user ended it, else why it could not go on."""

    kind: ClassVar[str] = "end"

    reason: _Name = ""


class UnknownEvent(Event):
    """An event of a newer version of the program: of a kind, or a version of one, that this one does not know.

    name, number: its kind and version; fields: all others.
    """

    name: _Name
    number: _Count
    fields: dict[str, Any]


#: every kind of event by the word that its line has for it
EVENTS: dict[str, type[Event]] = {one.kind: one for one in Event.__subclasses__() if one.kind}


class EventLine(NamedTuple):
    """A line of events.jsonl. n: its place in the sequence, from 0."""

    n: int
    event: Event


def encode(n: int, event: Event) -> bytes:
    """The line of an event, with its line feed. n: its place in the sequence, from 0.

    Raises TypeError or ValueError for a value that JSON does not have, ValueError for a line that is too long.
    """
    if isinstance(event, UnknownEvent):
        kind, version, fields = event.name, event.number, event.fields
    else:
        kind, version = event.kind, event.version
        fields = event.model_dump(exclude={"at"}, exclude_defaults=True)
    data = {"n": n, "at": event.at, "type": kind, "v": version, **fields}
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    body = text[:-1].encode()
    line = b'%s%s%08x"}\n' % (body, _CRC_MARK, zlib.crc32(body))
    if len(line) > MOST_LINE_BYTES:
        raise ValueError(f"its line is longer than {MOST_LINE_BYTES // 1_000_000} MB")
    return line


def decode(line: bytes) -> EventLine:
    """The event of a line, without its line feed. Raises BadInput, with the reason, for a line that is not as `encode`
    writes it. An event of a newer version becomes an `UnknownEvent`.
    """
    if len(line) > MOST_LINE_BYTES:
        raise BadInput(f"the line is longer than {MOST_LINE_BYTES // 1_000_000} MB")
    body, mark, rest = line.rpartition(_CRC_MARK)
    if not mark or len(rest) != 10 or rest[8:] != b'"}':
        raise BadInput("the line is incomplete")
    if rest[:8] != b"%08x" % zlib.crc32(body):
        raise BadInput("the line is damaged: its checksum is wrong")
    try:
        data = json.loads(body + b"}", parse_constant=_no_number, parse_float=_finite)
        n, at, kind, version = data.pop("n"), data.pop("at"), data.pop("type"), data.pop("v")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as fault:
        raise BadInput(f"the line is no event: {plain(fault, 80)}") from fault
    if type(n) is not int or n < 0 or type(version) is not int or version < 1 or type(kind) is not str:
        raise BadInput("the line is no event: n, type or v is wrong")
    known = EVENTS.get(kind)
    try:
        if known is None or version > known.version:
            return EventLine(n, UnknownEvent(at=at, name=kind, number=version, fields=data))
        return EventLine(n, known(at=at, **data))
    except (ValidationError, TypeError) as fault:
        reason = fault.errors()[0] if isinstance(fault, ValidationError) else {"loc": ("",), "msg": str(fault)}
        where = ".".join(map(str, reason["loc"]))
        raise BadInput(f"the event {plain(kind, 40)!r} is wrong: {plain(where, 60)}: {reason['msg']}") from fault


def _finite(word: str) -> float:
    number = float(word)
    if not math.isfinite(number):
        _no_number(word)
    return number


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")
