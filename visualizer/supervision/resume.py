"""The state of a show that another process continues from after a crash, as JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any, TypeGuard

from ..settings import PLAIN_PRESET

Area = tuple[int, int, int, int]

# Limits of what is accepted: a window's place, the length of a name and of a path, the number of values.
MAX_PX = 100_000
MAX_LENGTH = 1000
MAX_PATH_LENGTH = 40_000
MAX_VALUES = 500
MAX_LOOKS = 50
MAX_STATIONS, MAX_POSITION, MAX_SPEED = 50, 1e6, 100.0
MAX_SKIPPED = 100
#: kept even when all other values are dropped: a screen that was blacked out must not light up by itself
KEPT = ("blackout",)


@dataclasses.dataclass(frozen=True)
class StationState:
    """A station of a journey. key: of its dream in the cache, "": it has none yet; crop: where in it the next one lies,
    as scale (real and imaginary part) and shift of `journey.geometry.Transform`; None: not known yet; n_skipped: how
    many dreams were left out up to it, of those that come in turn.
    """

    number: int
    key: str
    crop: tuple[float, float, float, float] | None
    n_skipped: int = 0


@dataclasses.dataclass(frozen=True)
class JourneyState:
    """Where a journey is, see `journey.pace.Pace`, and the stations around it, as far as they have begun.

    picture: path of the picture that it is on its way to, "": none; picture_at: the first station that may begin with
    it.
    """

    position: float
    speed: float
    linger: float
    linger_s: float
    stations: tuple[StationState, ...] = ()
    picture: str = ""
    picture_at: int = 0


@dataclasses.dataclass(frozen=True)
class ResumeState:
    """What another process needs to continue a show.

    Parameters
    ----------
    preset : its reference, see `PresetFolder`; "" for the one named on the command line.
    place : x, y, width, height of the window on the desktop while it is not fullscreen, px.
    fullscreen : whether the window is fullscreen.
    monitor : name of the monitor it is on.
    values : parameters and switches set by hand, by name, see `control.parameters`.
    hud, panel : whether they are shown.
    panel_place : x, y, width, height of the panel's window.
    bpm : tempo, beats per minute; 0 if unknown.
    beat_s : time of one beat, `time.monotonic` seconds.
    input : name of the sound input.
    song, position_s, paused : path of the song, position in it in seconds, whether it is paused; for play.
    looks, left_out : paths of the looks that the preset is drawn with, without those that come with the program; and of
        those that it should be drawn with, and is not, since they took too long or hung the graphics driver.
    journey : where the journey of the preset is, None without one.
    """

    preset: str = ""
    place: Area | None = None
    fullscreen: bool = False
    monitor: str | None = None
    values: dict[str, float | str] = dataclasses.field(default_factory=dict)
    hud: bool = False
    panel: bool = False
    panel_place: Area | None = None
    bpm: float = 0.0
    beat_s: float = 0.0
    input: str | None = None
    song: str = ""
    position_s: float = 0.0
    paused: bool = False
    looks: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    journey: JourneyState | None = None

    def to_json(self) -> str:
        """Format as one line of JSON, which `from_json` parses."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> ResumeState:
        """Parse a line of JSON. Fields that are missing or damaged get their defaults; never raises."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            data = None
        return cls.from_data(data)

    @classmethod
    def from_data(cls, data: object) -> ResumeState:
        """Like `from_json`, for data that is parsed already."""
        fields: dict[str, Any] = data if isinstance(data, dict) else {}
        given = fields.get("values")
        values = {
            name: value
            for name, value in list(given.items() if isinstance(given, dict) else ())[:MAX_VALUES]
            if len(name) <= MAX_LENGTH and (_is_number(value) or (isinstance(value, str) and len(value) <= MAX_LENGTH))
        }
        return cls(
            preset=_text(fields.get("preset")) or "",
            place=_area(fields.get("place")),
            fullscreen=fields.get("fullscreen") is True,
            monitor=_text(fields.get("monitor")),
            values=values,
            hud=fields.get("hud") is True,
            panel=fields.get("panel") is True,
            panel_place=_area(fields.get("panel_place")),
            bpm=max(0.0, _number(fields.get("bpm"))),
            beat_s=_number(fields.get("beat_s")),
            input=_text(fields.get("input")),
            song=_text(fields.get("song"), MAX_PATH_LENGTH) or "",
            position_s=max(0.0, _number(fields.get("position_s"))),
            paused=fields.get("paused") is True,
            looks=_texts(fields.get("looks")),
            left_out=_texts(fields.get("left_out")),
            journey=_journey(fields.get("journey")),
        )

    def journey_of(self, preset: str) -> JourneyState | None:
        """Where the journey of the preset of that reference is; None where another one was shown: the one that was may
        not open any more.
        """
        return self.journey if self.preset in ("", preset) else None

    def without_looks(self) -> ResumeState:
        """Return the state with the looks left out that the preset was drawn with: drawing has ended the show."""
        left_out = tuple(dict.fromkeys((*self.left_out, *self.looks)))
        return dataclasses.replace(self, looks=(), left_out=left_out)

    def reduced(self, step: int) -> ResumeState:
        """Return the state without the parts that may have caused a crash.

        step: 0: everything; 1: without the panel and the values set by hand; 2: also with the plain preset; 3 and
        more: only the plain preset. A blackout is always kept.
        """
        if step <= 0:
            return self
        values = {name: value for name, value in self.values.items() if name in KEPT}
        if step >= 3:
            return ResumeState(preset=PLAIN_PRESET, values=values)
        if step == 1:
            return dataclasses.replace(self, values=values, panel=False)
        return dataclasses.replace(self, preset=PLAIN_PRESET, values=values, panel=False, journey=None)


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:  # an integer of more than 300 digits
        return False


def _number(value: Any) -> float:
    return float(value) if _is_number(value) else 0.0


def _text(value: object, max_length: int = MAX_LENGTH) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= max_length else None


def _texts(value: object) -> tuple[str, ...]:
    given = value[:MAX_LOOKS] if isinstance(value, list | tuple) else ()
    return tuple(text for one in given if (text := _text(one, MAX_PATH_LENGTH)) is not None)


def _journey(value: object) -> JourneyState | None:
    """A journey; None for one without a possible position."""
    if not isinstance(value, dict) or not _is_number(value.get("position")):
        return None
    position = _number(value.get("position"))
    if not abs(position) <= MAX_POSITION:
        return None
    given = value.get("stations")
    stations = [_station(one) for one in (given[:MAX_STATIONS] if isinstance(given, list | tuple) else ())]
    return JourneyState(
        position,
        min(max(_number(value.get("speed")), -MAX_SPEED), MAX_SPEED),
        min(max(_number(value.get("linger")), 0.0), 1.0),
        min(max(_number(value.get("linger_s")), 0.0), MAX_POSITION),
        tuple(one for one in stations if one is not None),
        _text(value.get("picture"), MAX_PATH_LENGTH) or "",
        _place(value.get("picture_at")) or 0,
    )


def _station(value: object) -> StationState | None:
    fields = value if isinstance(value, dict) else {}
    number, key, crop = _place(fields.get("number")), fields.get("key"), fields.get("crop")
    if number is None or not isinstance(key, str) or len(key) > MAX_LENGTH:
        return None
    n_skipped = _count(fields.get("n_skipped"), MAX_SKIPPED) or 0
    if not isinstance(crop, list | tuple) or len(crop) != 4 or not all(_is_number(one) for one in crop):
        return StationState(number, key, None, n_skipped)
    a, b, x, y = map(float, crop)
    return StationState(number, key, (a, b, x, y), n_skipped)


def _place(value: object) -> int | None:
    """The number of a station; None for an impossible one."""
    return value if _is_integer(value) and abs(value) <= MAX_POSITION else None


def _count(value: object, at_most: int) -> int | None:
    return value if _is_integer(value) and 0 <= value <= at_most else None


def _is_integer(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _area(value: object) -> Area | None:
    """A rectangle on the desktop; None for an impossible one."""
    if not isinstance(value, list | tuple) or len(value) != 4 or not all(_is_number(number) for number in value):
        return None
    x, y, width, height = (int(number) for number in value)
    fits = max(abs(x), abs(y), width, height) <= MAX_PX and min(width, height) >= 1
    return (x, y, width, height) if fits else None
