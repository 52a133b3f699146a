"""What can be turned while a show runs: every setting with its bounds, taken from where it is declared."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from ..errors import BadInput, nearest
from ..settings import DELAY_MS, VOLUME_DB, BeatSettings, DreamSettings

#: turned by ratios and not by differences: twice as sensitive, an octave higher
_BY_RATIO = ("_hz", "sensitivity", "_s", "step_size", "threshold")
#: what a preset does not turn into another of: the network is chosen by its preset
_FIXED = ("dream.network", "dream.layer", "dream.channels", "dream.guide", "dream.n_depths")


@dataclass(frozen=True)
class Tunable:
    """A setting that can be turned. name: "beat.decay"; low, high: bounds of a number, in its unit; is_log: turned by ratios;
    choices: of a word; rebakes: whether the dream is baked anew for it.
    """

    name: str
    words: str
    kind: Literal["number", "whole", "choice", "switch"]
    low: float = 0.0
    high: float = 1.0
    is_log: bool = False
    choices: tuple[str, ...] = ()
    rebakes: bool = False

    def at(self, share: float) -> float | str:
        """The value at a place 0..1 of a slider or knob; beyond, the nearest end; NaN is 0."""
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

    def share_of(self, value: float | str) -> float:
        """The place 0..1 of a value, the opposite of `at`."""
        if self.kind == "choice":
            return (self.choices.index(str(value)) + 0.5) / len(self.choices) if value in self.choices else 0.0
        number = min(max(float(value), self.low), self.high)
        if self.is_log:
            return (math.log(number) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return (number - self.low) / (self.high - self.low)

    def checked(self, value: float | str) -> float | str:
        """`value` as it is taken over: a number within its bounds, a word that there is. Raises BadInput."""
        if self.kind == "choice":
            if value not in self.choices:
                words = str(value)
                raise BadInput(
                    f"{self.name}: there is no {words!r}{nearest(words, self.choices)}; there are: {', '.join(self.choices)}"
                )
            return value
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise BadInput(f"{self.name} needs a number, not {value!r}") from None
        if not self.low <= number <= self.high:  # not true for NaN either
            raise BadInput(f"{self.name} {number:g} is out of range; allowed: {self.low:g} .. {self.high:g}")
        return float(round(number)) if self.kind in ("whole", "switch") else number


@cache
def tunables() -> dict[str, Tunable]:
    """Every setting that can be turned, by its name, those of the beat first."""
    found = [*_of_model("beat", BeatSettings), *_of_model("dream", DreamSettings)]
    found += [
        Tunable("input.gain_db", "how much louder the input is taken, dB", "number", -60.0, 60.0),
        Tunable("output.volume_db", "how loud a song is played, dB", "number", *VOLUME_DB),
        Tunable("output.mute", "a song is played silently", "switch"),
        Tunable("output.delay_ms", "how late the loudspeaker is; below 0: the projector, ms", "number", *DELAY_MS),
        Tunable("blackout", "all black", "switch"),
        Tunable("freeze", "the picture stands still", "switch"),
        Tunable("lock", "the keys are locked", "switch"),
    ]
    return {one.name: one for one in found}


def tunable(name: str) -> Tunable:
    """The setting of that name. Raises BadInput, naming the nearest."""
    known = tunables()
    if name not in known:
        raise BadInput(f"nothing to be turned is called {name!r}{nearest(name, known)}; there are: {', '.join(known)}")
    return known[name]


def _of_model(section: str, model: type[BaseModel]) -> list[Tunable]:
    found = []
    for key, field in model.model_fields.items():
        name, kind = f"{section}.{key}", field.annotation
        if name in _FIXED or get_origin(kind) is UnionType:
            continue
        words, rebakes = field.description or "", section == "dream"
        if get_origin(kind) is Literal:
            found.append(Tunable(name, words, "choice", choices=get_args(kind), rebakes=rebakes))
        elif kind in (int, float):
            low, high = _bounds(field.metadata)
            by_ratio = low > 0 and high / low >= 10 and any(key.endswith(end) for end in _BY_RATIO)
            found.append(
                Tunable(name, words, "whole" if kind is int else "number", low, high, is_log=by_ratio, rebakes=rebakes)
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
        low = above + (high - above) / 100  # a slider has an end
    return float(low), float(high)
