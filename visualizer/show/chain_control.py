"""The parameters of a preset's looks in a show: what they are, and what sets and moves them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ..beat.features import Features
from ..control.parameters import LOOK, NO_SOURCE, Parameter, base_parameters, movers
from ..control.parameters import Value as Setting
from ..looks.declaration import PARTS, LookInput, Value
from ..looks.look import Look
from ..looks.modulation import ManualSetting, ModulatedNumber, Modulation, in_silence
from ..presets.loaded import LoadedPreset
from ..render.chain import Link
from .look_values import needs_of, numbers_of
from .open_looks import expressions_in

#: the range of a number that has none
_FREE = (0.0, 1.0)
#: settings of the beat are moved at most this often, seconds, and only by more than this fraction of their range
BEAT_STEP_S, BEAT_STEP = 0.1, 0.005
_BEAT = "beat."


@dataclass(frozen=True)
class ChainParameter:
    """A parameter of a chain. link: index of the look. input: of the look, None for the mix of the link; part: index of
    the number in a colour or a point.
    """

    parameter: Parameter
    link: int
    input: LookInput | None = None
    part: int | None = None


def parameters_of(loaded: LoadedPreset, links: Sequence[Link]) -> tuple[ChainParameter, ...]:
    """The parameters of a preset's chain: "look.NAME", where there are several looks "look.LOOK.NAME" and
    "look.LOOK.mix"; of a colour "look.NAME.red" and so on, of a point "look.NAME.x" and "look.NAME.y". The second use
    of a look is called LOOK-2.
    """
    return tuple(_all_parameters(loaded, [link.look for link in links]))


def written_looks(loaded: LoadedPreset, links: Sequence[Link], by_hand: Mapping[str, Setting]) -> list[dict[str, Any]]:
    """The looks of a preset as the preset would have to say them, for what a hand has set to be as it is now: for each
    its name, parameters, mix and blend mode, as far as they are not the usual ones.
    """
    found: list[dict[str, Any]] = []
    for one in loaded.settings.render.chain:
        parameters = {key: list(value) if isinstance(value, list) else value for key, value in one.parameters.items()}
        found.append({"look": one.look, "parameters": parameters, "mix": one.mix, "blend": one.blend})
    for changed in parameters_of(loaded, links):
        if not _is_set_by_hand(changed.parameter, by_hand):
            continue
        value, look = _written(changed.parameter, by_hand), found[changed.link]
        if changed.input is None:
            look["mix"] = value
        elif changed.part is None:
            is_switch = changed.parameter.kind == "switch" and not isinstance(value, str)
            look["parameters"][changed.input.name] = bool(value) if is_switch else value
        else:
            assert isinstance(changed.input.default, tuple)
            parts = look["parameters"].setdefault(changed.input.name, list(changed.input.default))
            parts[changed.part] = value
    usual: dict[str, Any] = {"parameters": {}, "mix": 1.0, "blend": "normal"}
    return [{key: value for key, value in look.items() if key not in usual or value != usual[key]} for look in found]


def _is_set_by_hand(one: Parameter, by_hand: Mapping[str, Setting]) -> bool:
    return one.name in by_hand or any(mover.name in by_hand for mover in movers(one))


def _written(one: Parameter, by_hand: Mapping[str, Setting]) -> Setting:
    """What a preset says for a parameter to be as a hand has set it: a number or an expression."""
    value = by_hand.get(one.name, one.default)
    if one.kind == "choice":
        return value
    base: Setting = one.expression if one.name not in by_hand and one.expression else _rounded(float(value), one)
    source, amount, smoothing_s = (by_hand.get(mover.name, mover.default) for mover in movers(one) or _STILL)
    if source == NO_SOURCE or amount == 0:
        return base
    span = one.high - one.low
    moved = f"smooth({source}, {smoothing_s:.3g})" if smoothing_s else str(source)
    by = f"{abs(float(amount)) * span:.6g}"
    sign, factor = "-" if float(amount) < 0 else "+", "" if by == "1" else f"{by}*"
    if isinstance(base, str):
        return f"{base if base.isidentifier() else f'({base})'} {sign} {factor}{moved}"
    return f"{base:.15g} {sign} {factor}{moved}"


def _rounded(value: float, one: Parameter) -> float:
    """A number in six digits, where these are still within the bounds; a whole one without a point."""
    short = min(max(float(f"{value:.6g}"), one.low), one.high)
    return int(short) if one.kind == "whole" else short


class ChainControl:
    """Sets the numbers of a preset's chain at every display frame: as the preset says, as a hand has set them, and as
    the music moves them.

    links: of its picture. before: the control of the same preset before it was edited: what this has integrated, held
    and smoothed goes on. parameters: of the chain, for the show. numbers: those that move, as they are now.
    """

    def __init__(self, loaded: LoadedPreset, links: Sequence[Link], before: ChainControl | None = None) -> None:
        self.links = links
        self._of = {one.parameter.name: one for one in parameters_of(loaded, links)}
        self.parameters = tuple(one.parameter for one in self._of.values())
        self._beat = {f"{_BEAT}{key}": base_parameters()[f"{_BEAT}{key}"] for key in loaded.settings.expressions}
        numbers = [_modulated_number(one) for one in self._of.values() if one.parameter.kind != "choice"]
        beat = [
            ModulatedNumber(one.name, one.low, one.high, expression=loaded.settings.expressions[one.key])
            for one in self._beat.values()
        ]
        kept: Modulation | None = None if before is None else before._modulation
        self._modulation: Modulation = Modulation([*numbers, *beat], kept)
        self._by_hand: Mapping[str, Setting] = {}
        self._time_s: float | None = None if before is None else before._time_s
        self.numbers: dict[str, float] = {}
        self._beat_numbers: dict[str, float] = {}
        self._beat_moved: tuple[float, dict[str, float]] = -math.inf, {}
        self.set_by_hand({})

    @property
    def needs(self) -> frozenset[str]:
        """The fields of `Features` that its numbers are made of."""
        return needs_of(self._modulation.names)

    def set_by_hand(self, by_hand: Mapping[str, Setting]) -> None:
        """Take over all that a hand has set of the parameters, and of what moves them. A name that is not among them is
        ignored.
        """
        self._by_hand = by_hand
        moved = {}
        for name, one in self._of.items():
            value = by_hand.get(name)
            if one.parameter.kind == "choice":
                self._choose(one, str(one.parameter.default if value is None else value))
                continue
            source, amount, smoothing_s = (
                by_hand.get(mover.name, mover.default) for mover in movers(one.parameter) or _STILL
            )
            if value is not None or source != NO_SOURCE:
                moved[name] = ManualSetting(
                    None if value is None else float(value),
                    "" if source == NO_SOURCE else str(source),
                    float(amount),
                    float(smoothing_s),
                )
        self._modulation.set_by_hand(moved)
        self._moving = [self._of[name] for name in self._modulation.moving if name in self._of]
        for name, one in self._of.items():
            if one.parameter.kind != "choice" and not one.parameter.is_event and name not in self._modulation.moving:
                value = by_hand.get(name, one.parameter.default)
                self._write(one, float(value))

    def fire(self, name: str) -> None:
        """Set an event: it is on for one display frame."""
        self._write(self._of[name], 1.0)

    def move(self, features: Features, depth: float, variant: float) -> None:
        """Set the numbers for a display frame. depth, variant: what is drawn of the dream."""
        dt_s = 0.0 if self._time_s is None else features.time_s - self._time_s
        self._time_s = features.time_s
        modulation = self._modulation
        if not modulation.moving:
            self.numbers = {}
            return
        numbers = modulation.advance(numbers_of(features, modulation.names, depth, variant), dt_s)
        for one in self._moving:
            self._write(one, numbers[one.parameter.name])
        self.numbers = {one.parameter.name: numbers[one.parameter.name] for one in self._moving}
        self._beat_numbers = {name: numbers[name] for name in self._beat}

    def begin_again(self) -> None:
        """Forget what was integrated, held and smoothed, as when a recording begins."""
        self._time_s = None
        self._modulation.begin_again()
        self.set_by_hand(self._by_hand)

    def moved_beat(self, known: Mapping[str, Setting]) -> dict[str, float]:
        """The settings of the beat as expressions have moved them, by name; empty where they are still as `known`, or
        were given out a moment ago.
        """
        time_s, numbers = self._time_s or 0.0, self._beat_numbers
        last_s, last = self._beat_moved
        is_new = self._differs(numbers, last) or time_s - last_s > 1.0  # the last ones may have been refused
        if 0.0 <= time_s - last_s < BEAT_STEP_S or not is_new or not self._differs(numbers, known):
            return {}
        self._beat_moved = time_s, numbers
        return numbers

    def _differs(self, numbers: Mapping[str, float], others: Mapping[str, Setting]) -> bool:
        return any(
            name not in others or abs(number - float(others[name])) > BEAT_STEP * (one.high - one.low)
            for name, number in numbers.items()
            for one in [self._beat[name]]
        )

    def _write(self, one: ChainParameter, number: float) -> None:
        """Hand a number to the look."""
        link = self.links[one.link]
        if one.input is None:
            link.mix = number
        elif one.part is not None:
            before = link.parameters[one.input.name]
            assert isinstance(before, tuple)
            link.parameters[one.input.name] = (*before[: one.part], number, *before[one.part + 1 :])
        elif one.parameter.is_event:  # set back where it was drawn
            if number > 0.5:
                link.parameters[one.input.name] = 1
        elif one.input.kind == "float":
            link.parameters[one.input.name] = number
        else:
            link.parameters[one.input.name] = int(number > 0.5) if one.input.kind == "bool" else round(number)

    def _choose(self, one: ChainParameter, label: str) -> None:
        assert one.input is not None
        self.links[one.link].parameters[one.input.name] = one.input.checked(label)


#: what moves a parameter that cannot be moved
_STILL = tuple(Parameter("", "", "number", default=default) for default in (NO_SOURCE, 0.0, 0.0))


def _modulated_number(one: ChainParameter) -> ModulatedNumber:
    parameter, low, high = one.parameter, one.parameter.low, one.parameter.high
    if one.input is not None and not math.isfinite(one.input.high - one.input.low):
        return ModulatedNumber(parameter.name, value=float(parameter.default), expression=parameter.expression)
    return ModulatedNumber(parameter.name, low, high, float(parameter.default), parameter.expression)


# -- the parameters of a chain ----------------------------------------------------------------------------------------


def _all_parameters(loaded: LoadedPreset, looks: Sequence[Look]) -> Iterator[ChainParameter]:
    settings, names = loaded.settings.render.chain, _unique([look.name for look in looks])
    for index, (look, one, name) in enumerate(zip(looks, settings, names, strict=True)):
        prefix = f"{LOOK}.{name}" if len(looks) > 1 else LOOK
        controls = look.declaration.controls
        for control in controls:
            written = expressions_in(control, one.parameters.get(control.name))
            for part, parameter in enumerate(_parameters(prefix, control, written)):
                parameter = replace(parameter, group=name)
                yield ChainParameter(parameter, index, control, part if control.kind in PARTS else None)
        if len(looks) > 1 or one.mix != 1.0:
            key = "mix" if all(control.name != "mix" for control in controls) else "mix-in-chain"
            text = one.mix if isinstance(one.mix, str) else ""
            mix = in_silence(ModulatedNumber("", 0.0, 1.0, expression=text)) if text else float(one.mix)
            words = f"how much of the look {look.name} is seen"
            parameter = Parameter(
                f"{prefix}.{key}",
                words,
                "number",
                default=mix,
                can_move=True,
                expression=text,
                label=key.replace("-", " "),
                group=name,
            )
            yield ChainParameter(parameter, index)


def _unique(names: Sequence[str]) -> list[str]:
    """Names of which a second one is called NAME-2."""
    found: list[str] = []
    for name in names:
        n_before, unique = 1, name
        while unique in found:
            n_before += 1
            unique = f"{name}-{n_before}"
        found.append(unique)
    return found


def _parameters(prefix: str, one: LookInput, written: Mapping[int, str]) -> list[Parameter]:
    """written: the expressions of its numbers, by index."""
    name, words, text = f"{prefix}.{one.name}", one.description or one.label, written.get(0, "")
    label = one.label
    if one.kind in ("bool", "event"):
        default, is_event = float(_number(one.default)), one.kind == "event"
        return [
            Parameter(name, words, "switch", default=default, is_event=is_event, expression=text, label=label),
        ]
    if one.labels:
        chosen = one.labels[one.values.index(int(_number(one.default)))]
        return [Parameter(name, words, "choice", choices=one.labels, default=chosen, label=label)]
    if not isinstance(one.default, tuple):
        kind: Literal["whole", "number"] = "whole" if one.kind == "long" else "number"
        default = float(one.default)
        number = Parameter(name, words, kind, one.low, one.high, default=default, label=label)
        return [replace(number, can_move=True, expression=text)]
    low, high = (one.low, one.high) if one.high - one.low < math.inf else _FREE
    return [
        Parameter(
            f"{name}.{part}",
            f"{words}: {part}",
            "number",
            min(low, number),
            max(high, number),
            default=float(number),
            can_move=True,
            expression=written.get(index, ""),
            label=f"{label} {part}",
        )
        for index, (part, number) in enumerate(zip(PARTS[one.kind], one.default, strict=True))
    ]


def _number(value: Value) -> float:
    assert not isinstance(value, tuple)
    return value
