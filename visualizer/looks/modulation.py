"""Modulation: numbers of looks that move with the music, by an expression or by a source that was chosen by hand.

Nothing here knows a clock: features and seconds are handed in, and the same ones give the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Protocol

from ..easing import limited_step
from .expression import LIMIT, Evaluate, Expression, Function, finite, parse
from .uniforms import MUSIC, Uniform

#: what expressions may use besides the numbers of `uniforms.MUSIC`
OWN = (
    Uniform("time_s", "float", "seconds of the sound"),
    Uniform("depth", "float", "how deep is dreamt: 0 .. the number of depths"),
    Uniform("variant", "float", "which variant, or between which two: 0 .. the number of variants - 1"),
    Uniform("beat", "float", "1 on a beat, falling to 0 until the next; 0 while the tempo is not known"),
    Uniform("bar", "float", "1 on the first beat of a bar of four, falling to 0 until the next; 0 without a tempo"),
    Uniform("n_kicks", "float", "kicks so far, a whole number"),
    Uniform("n_snares", "float", "snares so far"),
    Uniform("n_hats", "float", "hi-hats so far"),
    Uniform("n_bass_notes", "float", "bass notes so far"),
)
#: the names that an expression may use, and what each is
NAMES: Mapping[str, str] = MappingProxyType({one.name: one.words for one in (*MUSIC, *OWN) if one.kind == "float"})
#: by so much a trigger must rise, from its lowest value since it fired last, to fire again
RISE = 0.3


@dataclass(frozen=True)
class ModulatedNumber:
    """A number that may move.

    name: unique. low, high: what it is limited to. value: where neither an expression nor a hand moves it. expression:
    that moves it, "" if none does.
    """

    name: str
    low: float = -LIMIT
    high: float = LIMIT
    value: float = 0.0
    expression: str = ""


@dataclass(frozen=True)
class ManualSetting:
    """What a hand has set of a number.

    value: in place of the expression or the value, None: as these say. source: one of `settings.SOURCES` that is added,
    "" for none, amount: by how much at most, as a fraction of the number's range, -1..1. smoothing_s: the time constant
    of a low-pass filter on the source, seconds.
    """

    value: float | None = None
    source: str = ""
    amount: float = 0.0
    smoothing_s: float = 0.0


def check(text: str) -> Expression:
    """The expression of a text, to be sure that it can be used. Raises BadExpression."""
    return parse(text, NAMES, _Memory().functions(""))


def in_silence(number: ModulatedNumber) -> float:
    """The number at the beginning, while nothing sounds. Raises BadExpression."""
    return Modulation([number]).advance(dict.fromkeys(NAMES, 0.0) | {"kick_time_s": 1e6}, 0.0)[number.name]


class Modulation:
    """The numbers of a preset at every display frame. Raises BadExpression for an expression that cannot be used.

    before: of the same preset before it was edited, whose memory goes on: what was integrated and set by hand is not
    lost.

    names: those of NAMES whose values `advance` needs. moving: the names of the numbers that change from one display
    frame to the next.
    """

    def __init__(self, modulated: Sequence[ModulatedNumber], before: Modulation | None = None) -> None:
        self._modulated = {one.name: one for one in modulated}
        by_hand = {} if before is None else before._by_hand
        self._by_hand: Mapping[str, ManualSetting] = {
            name: one for name, one in by_hand.items() if name in self._modulated
        }
        self._smoothers: dict[str, _Smoother] = {} if before is None else before._smoothers
        self._begin({} if before is None else before._memory.cells)

    def begin_again(self) -> None:
        """Forget what was integrated, held and smoothed, as when a recording begins."""
        self._smoothers = {}
        self._begin({})

    def _begin(self, kept: Mapping[_Place, _Cell]) -> None:
        self._memory = _Memory(kept)
        self._expressions = [
            (one, parse(one.expression, NAMES, self._memory.functions(one.name)))
            for one in self._modulated.values()
            if one.expression
        ]
        self.set_by_hand(self._by_hand)

    def set_by_hand(self, by_hand: Mapping[str, ManualSetting]) -> None:
        """Take over what a hand has set, by the names of numbers; the others are as the preset says."""
        self._by_hand = by_hand
        self._numbers = {name: one.value for name, one in self._modulated.items()}
        self._by_source: list[tuple[ModulatedNumber, ManualSetting, _Smoother]] = []
        smoothers, self._smoothers = self._smoothers, {}
        for name, one in by_hand.items():
            if one.value is not None:
                self._numbers[name] = one.value
            if one.source and one.amount:
                self._smoothers[name] = smoother = smoothers.get(name) or _Smoother()
                self._by_source.append((self._modulated[name], one, smoother))
        values = {name: one.value for name, one in by_hand.items() if one.value is not None}
        self._evaluated = [(one.name, expression, values.get(one.name)) for one, expression in self._expressions]
        self.moving = frozenset(
            {one.name for one, _ in self._expressions if one.name not in values} | self._smoothers.keys()
        )
        self._limits = [(name, self._modulated[name].low, self._modulated[name].high) for name in self.moving]
        self._bases = [(one.name, self._numbers[one.name]) for one, _, _ in self._by_source]
        self.names = frozenset().union(
            *(expression.names for _, expression in self._expressions), (one.source for _, one, _ in self._by_source)
        )

    def advance(self, values: Mapping[str, float], dt_s: float) -> Mapping[str, float]:
        """Every number at one display frame, by its name.

        values: of `names`, floats. dt_s: seconds since the display frame before; 0 at the first one and while the
        picture is frozen.
        """
        self._memory.dt_s = dt_s = limited_step(dt_s)
        numbers = self._numbers
        numbers.update(self._bases)
        for name, expression, by_hand in self._evaluated:
            number = expression.evaluate(values)  # also where a hand has set another: what it integrates goes on
            numbers[name] = number if by_hand is None else by_hand
        for one, setting, smoother in self._by_source:
            span = one.high - one.low if one.high - one.low < LIMIT else 1.0
            numbers[one.name] += (
                setting.amount * span * smoother.step(values[setting.source], setting.smoothing_s, dt_s)
            )
        for name, low, high in self._limits:
            numbers[name] = min(max(numbers[name], low), high)
        return numbers


# -- functions with a memory ------------------------------------------------------------------------------------------


class _Integral:
    """The sum of a rate over time, 0 at the beginning. By the trapezoidal rule: a rate that changes steadily is summed
    up alike at every frame rate.
    """

    def __init__(self) -> None:
        self._total = 0.0
        self._last: float | None = None

    def step(self, rate: float, _: float, dt_s: float) -> float:
        """Go on by dt_s seconds; the sum."""
        last = rate if self._last is None else self._last
        self._total = finite(self._total + (rate + last) / 2 * dt_s)
        self._last = rate
        return self._total


class _Held:
    """The value at the moment when the trigger last rose by RISE; at the beginning the value then."""

    def __init__(self) -> None:
        self._value: float | None = None
        self._lowest = 0.0

    def step(self, trigger: float, value: float, dt_s: float) -> float:
        """The value that is held now."""
        if self._value is None or trigger >= self._lowest + RISE:
            self._value, self._lowest = value, trigger
        self._lowest = min(self._lowest, trigger)
        return self._value


class _Smoother:
    """A low-pass filter of the first order, exact for what changes steadily between two steps."""

    def __init__(self) -> None:
        self._value: float | None = None
        self._input = 0.0

    def step(self, value: float, time_s: float, dt_s: float) -> float:
        """Go on by dt_s seconds to an input; the output. time_s: the time constant, 0 or less: no filter."""
        before, self._input = self._input, value
        if self._value is None or time_s <= 0.0:
            self._value = value
        elif dt_s > 0.0:
            kept = math.exp(-dt_s / time_s)
            # the input went from `before` to `value` in a straight line: the solution of the filter's equation for that
            lag = (value - before) * (1.0 - (1.0 - kept) * time_s / dt_s)
            self._value = before + (self._value - before) * kept + lag
        return self._value


class _Cell(Protocol):
    """What is remembered at one place. step: of the values of the arguments and dt_s, seconds."""

    def step(self, first: float, second: float, dt_s: float, /) -> float: ...


#: the functions that remember something: what each remembers, and how many arguments it takes
_REMEMBERING: Mapping[str, tuple[type[_Integral | _Held | _Smoother], int]] = MappingProxyType(
    {"integrate": (_Integral, 1), "hold": (_Held, 2), "smooth": (_Smoother, 2)}
)
#: where something is remembered: the number, the function, and which of them in its expression
_Place = tuple[str, str, int]


class _Memory:
    """What expressions remember from one display frame to the next, one cell for each place where a function stands.

    kept: cells to go on with. dt_s: seconds since the display frame before.
    """

    def __init__(self, kept: Mapping[_Place, _Cell] = MappingProxyType({})) -> None:
        self.dt_s = 0.0
        self.cells: dict[_Place, _Cell] = {}
        self._kept = kept

    def functions(self, name: str) -> Mapping[str, Function]:
        """The functions for the expression of a number. name: of the number."""
        return {
            function: Function(n_arguments, n_arguments, partial(self._make, name, function), is_pure=False)
            for function, (_, n_arguments) in _REMEMBERING.items()
        }

    def _make(self, name: str, function: str, arguments: Sequence[Evaluate]) -> Evaluate:
        index = sum(place[:2] == (name, function) for place in self.cells)
        place = name, function, index
        cell = self.cells[place] = self._kept.get(place) or _REMEMBERING[function][0]()
        if len(arguments) == 1:
            (only,) = arguments
            return lambda values: cell.step(finite(only(values)), 0.0, self.dt_s)
        first, second = arguments
        return lambda values: cell.step(finite(first(values)), finite(second(values)), self.dt_s)
