"""Parameters: everything that can be set while a show runs, with its bounds, taken from where each is declared."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from types import UnionType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from ..errors import BadInput, nearest
from ..settings import DELAY_MS, SOURCES, VOLUME_DB, BeatSettings, DreamSettings

#: a value of a parameter: a number in the parameter's unit, or one of its words
Value = float | str
#: the section of the parameters that the look of a preset declares, and of those that belong to the source
LOOK, SOURCE = "look", ("input", "output")
#: the parameter of the speed of a journey
JOURNEY_SPEED = "journey.speed"
#: the choice of NAME.source for no source
NO_SOURCE = "none"
#: endings of names whose parameters are perceived by ratio: a slider moves them logarithmically
_BY_RATIO = ("_hz", "sensitivity", "_s", "step_size", "threshold")
#: settings that only a preset chooses
_FIXED = (
    "dream.network",
    "dream.layer",
    "dream.channels",
    "dream.guide",
    "dream.n_depths",
    "dream.tone_colours",
    "dream.tone_picture",
)
#: choices that had another name in earlier versions of the program
_FORMER_CHOICES: dict[tuple[str, float | str], str] = {("beat.motion", "seed"): "decay"}


@dataclass(frozen=True)
class Parameter:
    """A parameter of the show.

    name: "beat.decay", or "blackout" for a switch of the show itself; description: what it does, for people; kind:
    "number", "whole" (a whole number), "choice" (one of `choices`) or "switch" (0 or 1). low, high: bounds of a
    number, in its unit. is_log: a slider moves it by ratio. rebakes: setting it bakes the dream again. default: its
    value where nothing else sets one. is_event: of a look: a switch that is on for one display frame when it is set.
    can_move: a source can move it, see `movers`; expression: that moves it as long as no hand has set it, "" for none.
    label: short, for people, "" for none; group: what it belongs to, such as a look in a chain.
    """

    name: str
    description: str
    kind: Literal["number", "whole", "choice", "switch"]
    low: float = 0.0
    high: float = 1.0
    is_log: bool = False
    choices: tuple[str, ...] = ()
    rebakes: bool = False
    default: Value = 0.0
    is_event: bool = False
    can_move: bool = False
    expression: str = ""
    label: str = ""
    group: str = ""

    @property
    def section(self) -> str:
        """The part of the name before its dot: "beat"; "" for a switch of the show itself."""
        return self.name.partition(".")[0] if "." in self.name else ""

    @property
    def key(self) -> str:
        """The part of the name after its dot: "decay"."""
        return self.name.partition(".")[2] or self.name

    def at(self, share: float) -> Value:
        """The value at a position 0..1 of a slider or knob. A share outside is taken as the nearest end, NaN as 0."""
        share = 0.0 if math.isnan(share) else min(max(share, 0.0), 1.0)
        if self.kind == "choice":
            return self.choices[min(int(share * len(self.choices)), len(self.choices) - 1)]
        if self.kind == "switch":
            return float(share >= 0.5)
        if self.is_log:
            value = math.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low)))
        else:
            value = self.low + share * (self.high - self.low)
        value = min(max(value, self.low), self.high)
        return float(round(value)) if self.kind == "whole" else value

    def share_of(self, value: Value) -> float:
        """The position 0..1 of a value on a slider; the inverse of `at`."""
        if self.kind == "choice":
            return (self.choices.index(str(value)) + 0.5) / len(self.choices) if value in self.choices else 0.0
        number = min(max(float(value), self.low), self.high)
        if self.is_log:
            return (math.log(number) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return (number - self.low) / (self.high - self.low)

    def checked(self, value: Value) -> Value:
        """`value` if the parameter can have it, a whole number rounded. Raises BadInput for a value out of bounds or
        an unknown word.
        """
        if self.kind == "choice":
            value = _FORMER_CHOICES.get((self.name, value), value)
            if value not in self.choices:
                words = str(value)
                raise BadInput(
                    f"{self.name}: unknown value {words!r}{nearest(words, self.choices)}; allowed: {', '.join(self.choices)}"
                )
            return value
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise BadInput(f"{self.name} needs a number, not {value!r}") from None
        if not self.low <= number <= self.high:  # not true for NaN either
            raise BadInput(f"{self.name} {number:g} is out of range; allowed: {self.low:g} .. {self.high:g}")
        return float(round(number)) if self.kind in ("whole", "switch") else number


class Parameters(Mapping[str, Parameter]):
    """A set of parameters by name, in their order. A value: it never changes."""

    def __init__(self, declared: Iterable[Parameter] = ()) -> None:
        self._of = {one.name: one for one in declared}

    def __getitem__(self, name: str) -> Parameter:
        return self._of[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._of)

    def __len__(self) -> int:
        return len(self._of)

    def find(self, name: str) -> Parameter:
        """The parameter of that name. Raises BadInput, naming the nearest."""
        if name not in self._of:
            raise BadInput(f"unknown parameter {name[:60]!r}{nearest(name, self._of)}; known: {', '.join(self._of)}")
        return self._of[name]

    def with_look(self, declared: Sequence[Parameter]) -> Parameters:
        """These parameters with those of a look, named look.NAME, and what moves them, in place of the look's before.
        Raises ValueError for another name.
        """
        for one in declared:
            if one.section != LOOK:
                raise ValueError(f"{one.name!r}: a look's parameter is named {LOOK}.NAME")
        others = (one for one in self._of.values() if one.section != LOOK)
        return Parameters([*others, *(each for one in declared for each in (one, *movers(one)))])

    def of_section(self, *sections: str) -> list[Parameter]:
        """The parameters of some sections: "beat"."""
        return [one for one in self._of.values() if one.section in sections]

    @property
    def switches(self) -> tuple[str, ...]:
        """The names of the switches of the show itself: blackout, freeze, lock, record."""
        return tuple(one.name for one in self.of_section("") if one.kind == "switch")


@lru_cache(maxsize=1024)
def movers(one: Parameter) -> tuple[Parameter, ...]:
    """The parameters that say what moves a parameter: NAME.source, NAME.amount and NAME.smoothing_s. None for one that
    cannot be moved.
    """
    if not one.can_move:
        return ()
    return (
        Parameter(
            f"{one.name}.source", f"what moves {one.name}", "choice", choices=(NO_SOURCE, *SOURCES), default=NO_SOURCE
        ),
        Parameter(
            f"{one.name}.amount",
            f"how far the source moves {one.name}, as a fraction of its range",
            "number",
            -1.0,
            1.0,
            default=0.5,
        ),
        Parameter(
            f"{one.name}.smoothing_s",
            f"time constant of a low-pass filter on the source of {one.name}, seconds",
            "number",
            0.0,
            2.0,
        ),
    )


@cache
def base_parameters() -> Parameters:
    """The parameters that every show has: of beat, dream and source, and the switches. A look may add more, see
    `Parameters.with_look`.
    """
    return Parameters(
        [
            *_of_model("beat", BeatSettings),
            *_of_model("dream", DreamSettings),
            Parameter("input.gain_db", "gain of the input, dB", "number", -60.0, 60.0),
            Parameter("output.volume_db", "volume of a song, dB", "number", *VOLUME_DB),
            Parameter("output.mute", "mutes a song", "switch"),
            Parameter(
                "output.delay_ms", "delay of the loudspeaker; below 0: of the projector, ms", "number", *DELAY_MS
            ),
            Parameter(
                JOURNEY_SPEED,
                "speed of a journey, times the preset's: 0 holds it, below 0 it goes back",
                "number",
                -4.0,
                4.0,
                default=1.0,
            ),
            Parameter("blackout", "shows black", "switch"),
            Parameter("freeze", "freezes the picture", "switch"),
            Parameter("lock", "locks the keys", "switch"),
            Parameter("record", "records a session", "switch"),
        ]
    )


def _of_model(section: str, model: type[BaseModel]) -> list[Parameter]:
    found = []
    for key, field in model.model_fields.items():
        name, kind = f"{section}.{key}", field.annotation
        if name in _FIXED or get_origin(kind) is UnionType:
            continue
        words, rebakes, default = field.description or "", section == "dream", field.default
        if get_origin(kind) is Literal:
            choices = get_args(kind)
            found.append(Parameter(name, words, "choice", choices=choices, rebakes=rebakes, default=default))
        elif kind in (int, float):
            low, high = _bounds(field.metadata)
            is_log = low > 0 and high / low >= 10 and any(key.endswith(end) for end in _BY_RATIO)
            kind_name: Literal["whole", "number"] = "whole" if kind is int else "number"
            found.append(
                Parameter(name, words, kind_name, low, high, is_log=is_log, rebakes=rebakes, default=float(default))
            )
    return found


def _bounds(metadata: list[Any]) -> tuple[float, float]:
    """The least and the largest value that a field's constraints allow."""
    low, high, above = -math.inf, math.inf, None
    for rule in metadata:
        low = rule.ge if getattr(rule, "ge", None) is not None else low
        high = rule.le if getattr(rule, "le", None) is not None else high
        above = rule.gt if getattr(rule, "gt", None) is not None else above
    if above is not None:
        low = above + (high - above) / 100  # a slider has a lowest value, and the field allows none at its bound
    return float(low), float(high)
