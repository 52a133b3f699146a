"""Commands: every change of a show as a frozen value with its time. Pure; each can be written as JSON and read."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..errors import BadInput, nearest
from .parameters import Parameter, Value


@dataclasses.dataclass(frozen=True, slots=True)
class Act:
    """Do an action, by its name, see `control.actions`."""

    action: str


@dataclasses.dataclass(frozen=True, slots=True)
class Set:
    """Set a parameter. name: of a `Parameter`; value: in the parameter's unit, checked when the command is applied."""

    name: str
    value: Value


@dataclasses.dataclass(frozen=True, slots=True)
class Unset:
    """Take a parameter, and what moves it, back to what the preset says. name: of a `Parameter`."""

    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class ShowPreset:
    """Show a preset. preset: its name or its reference, see `presets.preset.PresetFolder`."""

    preset: str


@dataclasses.dataclass(frozen=True, slots=True)
class SetTempo:
    """Set the tempo from outside, as Link does. bpm: beats a minute, 0: the source's own tempo again; beat_age_s: how
    long before the command one of its beats was, seconds.
    """

    bpm: float
    beat_age_s: float


@dataclasses.dataclass(frozen=True, slots=True)
class Learn:
    """Bind the next control that is moved to a target: an action, a parameter's name or "preset:NAME"; "" cancels
    learning.
    """

    target: str


@dataclasses.dataclass(frozen=True, slots=True)
class PresetsListed:
    """Reported by the show: the presets that exist, as references in the order of `visualizer presets`."""

    presets: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class PresetShown:
    """Reported by the show: a preset is on the stage.

    preset: its reference. values: what it says of the parameters beat.* and dream.*, (name, value). dream: the
    parameters dream.* set by hand that it was opened with, (name, value). look: the parameters that its look
    declares, named look.*.
    """

    preset: str
    values: tuple[tuple[str, Value], ...] = ()
    dream: tuple[tuple[str, Value], ...] = ()
    look: tuple[Parameter, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class PresetFailed:
    """Reported by the show: the preset that was wanted could not be opened; the one shown goes on."""


@dataclasses.dataclass(frozen=True, slots=True)
class SourceReported:
    """Reported by the show: the parameters that the source has, input.* and output.*, and their values, (name,
    value).
    """

    values: tuple[tuple[str, Value], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class SettingsMoved:
    """Reported by the show: expressions of the preset have moved settings of the beat. values: (name, value)."""

    values: tuple[tuple[str, float], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Reported:
    """Reported by the show: a value of the state has changed without a command. name: of a field of `ShowState`:
    "fullscreen" at the start, "panel" when its window was closed, "asks_to_end" when the time for the second press
    is over.
    """

    name: str
    value: bool


Change = (
    Act
    | Set
    | Unset
    | ShowPreset
    | SetTempo
    | Learn
    | PresetsListed
    | PresetShown
    | PresetFailed
    | SourceReported
    | SettingsMoved
    | Reported
)


@dataclasses.dataclass(frozen=True, slots=True)
class PressKey:
    """A key was pressed: the dispatcher makes the change of it that the user's keys say, so that no command depends
    on these.

    name: what the key writes; place: what it is called on an American keyboard, see `render.keyboard.Press`.
    """

    name: str
    place: str


#: what a controller may ask for
Input = Change | PressKey
#: the kinds of change by the name that JSON has for them
KINDS: dict[str, type[Change]] = {
    "act": Act,
    "set": Set,
    "unset": Unset,
    "show_preset": ShowPreset,
    "set_tempo": SetTempo,
    "learn": Learn,
    "presets_listed": PresetsListed,
    "preset_shown": PresetShown,
    "preset_failed": PresetFailed,
    "source_reported": SourceReported,
    "settings_moved": SettingsMoved,
    "reported": Reported,
}
_NAMES = {kind: name for name, kind in KINDS.items()}


@dataclasses.dataclass(frozen=True, slots=True)
class Command:
    """A change of the show and when it came. at_samples: samples of the source since its start."""

    at_samples: int
    change: Change

    def to_data(self) -> dict[str, Any]:
        """What `json.dumps` writes and `from_data` reads: at_samples, kind, and the fields of the change."""
        return {"at_samples": self.at_samples, "kind": _NAMES[type(self.change)], **dataclasses.asdict(self.change)}

    @classmethod
    def from_data(cls, data: object) -> Command:
        """The command that `to_data` wrote, after JSON. Raises BadInput for anything else."""
        if not isinstance(data, dict):
            raise BadInput(f"a command must be a JSON object, not {str(data)[:60]!r}")
        fields = dict(data)
        at_samples, kind = fields.pop("at_samples", None), fields.pop("kind", None)
        if not isinstance(at_samples, int) or isinstance(at_samples, bool):
            raise BadInput(f"at_samples must be a whole number, not {str(at_samples)[:60]!r}")
        if not isinstance(kind, str) or kind not in KINDS:
            raise BadInput(
                f"unknown kind of command {str(kind)[:60]!r}{nearest(str(kind), KINDS)}; known: {', '.join(KINDS)}"
            )
        unknown = fields.keys() - {field.name for field in dataclasses.fields(KINDS[kind])}
        if unknown:
            raise BadInput(f"{kind} has no field {min(unknown)[:60]!r}")
        try:
            change = _reader(kind).validate_python(fields)
        except ValidationError as fault:
            first = fault.errors()[0]
            raise BadInput(f"{kind}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from fault
        return cls(at_samples, change)


@cache
def _reader(kind: str) -> TypeAdapter[Change]:
    return TypeAdapter(KINDS[kind])
