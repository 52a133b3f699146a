"""Where a show stood: what one that is started again in its place begins with."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

from ..settings import DEFAULT_PRESET

Area = tuple[int, int, int, int]

# Beyond these nothing is a window's place, a name, or a number of settings turned by hand.
FARTHEST_PX = 100_000
LONGEST = 1000
LONGEST_PATH = 40_000
MOST_VALUES = 500
#: what stays even when all else set by hand is given up: a stage that was dark must not light up by itself
KEPT = ("blackout",)


@dataclasses.dataclass(frozen=True)
class ResumeState:
    """A show at one moment, as far as another process can go on with it.

    preset: its reference, see `PresetFolder`, "" for the one asked for at the start; place: x, y, width, height of the window on the desktop while it
    is not fullscreen; monitor: the name of the one it is on; values: what was set by hand, by the names of
    `parameters.Parameters`; hud, panel: whether they are shown, panel_place: where the panel is; bpm: beats a minute, 0 if not
    known, beat_s: when one of them was, `time.monotonic` seconds; input: the name of the sound input; song, position_s, paused: the path of
    the song, how far into it, and whether it stands there, for play.
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

    def to_json(self) -> str:
        """One line that `from_json` reads."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> ResumeState:
        """The state that a line tells; what in it is damaged or missing is as in a fresh one. Never raises."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            data = None
        return cls.from_data(data)

    @classmethod
    def from_data(cls, data: object) -> ResumeState:
        """As `from_json`, of what a JSON reader made of it."""
        told: dict[str, Any] = data if isinstance(data, dict) else {}
        given = told.get("values")
        values = {
            name: value
            for name, value in list(given.items() if isinstance(given, dict) else ())[:MOST_VALUES]
            if len(name) <= LONGEST and (_is_number(value) or (isinstance(value, str) and len(value) <= LONGEST))
        }
        return cls(
            preset=_text(told.get("preset")) or "",
            place=_area(told.get("place")),
            fullscreen=told.get("fullscreen") is True,
            monitor=_text(told.get("monitor")),
            values=values,
            hud=told.get("hud") is True,
            panel=told.get("panel") is True,
            panel_place=_area(told.get("panel_place")),
            bpm=max(0.0, _number(told.get("bpm"))),
            beat_s=_number(told.get("beat_s")),
            input=_text(told.get("input")),
            song=_text(told.get("song"), LONGEST_PATH) or "",
            position_s=max(0.0, _number(told.get("position_s"))),
            paused=told.get("paused") is True,
        )

    def with_less(self, step: int) -> ResumeState:
        """The state without what may have brought the show down.

        step: 0 all of it; 1 without the panel and what was set by hand; 2 with the default preset, too; 3 and more: nothing but that.
        A blackout stays throughout.
        """
        if step <= 0:
            return self
        values = {name: value for name, value in self.values.items() if name in KEPT}
        if step >= 3:
            return ResumeState(preset=DEFAULT_PRESET, values=values)
        preset = self.preset if step == 1 else DEFAULT_PRESET
        return dataclasses.replace(self, preset=preset, values=values, panel=False)


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:  # a whole number of more than 300 digits
        return False


def _number(value: Any) -> float:
    return float(value) if _is_number(value) else 0.0


def _text(value: object, longest: int = LONGEST) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= longest else None


def _area(value: object) -> Area | None:
    """A place on the desktop; None for what cannot be one."""
    if not isinstance(value, list | tuple) or len(value) != 4 or not all(_is_number(number) for number in value):
        return None
    x, y, width, height = (int(number) for number in value)
    fits = max(abs(x), abs(y), width, height) <= FARTHEST_PX and min(width, height) >= 1
    return (x, y, width, height) if fits else None
