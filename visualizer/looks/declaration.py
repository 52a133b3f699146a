"""What a look declares in its header: its description, and the inputs that can be changed in a show."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, cast

from ..errors import BadInput, nearest
from .header import Header, Place, read_header

Kind = Literal["float", "bool", "long", "event", "color", "point2D", "image", "audio", "audioFFT", "cube"]
#: the value of an input as a shader takes it; () of one that is a texture
Value = int | float | tuple[float, ...]

#: ISF's types, and what each is in GLSL
GLSL_TYPES: dict[Kind, str] = {
    "float": "float",
    "bool": "bool",
    "long": "int",
    "event": "bool",
    "color": "vec4",
    "point2D": "vec2",
    "image": "sampler2D",
    "audio": "sampler2D",
    "audioFFT": "sampler2D",
    "cube": "samplerCube",
}
#: the types that are textures: no parameters that can be changed in a show
TEXTURES: tuple[Kind, ...] = ("image", "audio", "audioFFT", "cube")
#: what the parts of a value of several numbers are called
PARTS: dict[str, tuple[str, ...]] = {"color": ("red", "green", "blue", "alpha"), "point2D": ("x", "y")}

_NAME = re.compile(r"(?!gl_)[A-Za-z_][A-Za-z0-9_]{0,62}")


@dataclass(frozen=True)
class LookInput:
    """One input of a look.

    name: of the uniform. label, description: for the performer. default: its value at first. low, high: bounds of each
    of its numbers. labels: of a long that is a choice, in the order of `values`, which are what the shader is given.
    max_columns: of audio and audioFFT, how many columns its texture has, 0 for as many as there are.
    """

    name: str
    kind: Kind
    label: str
    default: Value
    low: float = 0.0
    high: float = 1.0
    description: str = ""
    values: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()
    max_columns: int = 0

    @property
    def allowed(self) -> str:
        """What a value may be, in words."""
        if self.kind in ("bool", "event"):
            return "true or false"
        if self.kind == "long":
            return " or ".join(self.labels) if self.labels else f"a whole number, {self.low:g} .. {self.high:g}"
        if self.kind == "float":
            return f"a number, {self.low:g} .. {self.high:g}"
        return f"a list of {len(PARTS[self.kind])} numbers" + (
            f", each {self.low:g} .. {self.high:g}" if math.isfinite(self.high) else ""
        )

    def checked(self, given: object) -> Value:
        """The value for the shader, for one as it is written: a number, true or false, a label, a list of numbers.

        Raises BadInput, which says what is allowed.
        """
        value = self._taken(given)
        if value is None:
            shown = repr(given) if isinstance(given, str | int | float) else "this value"
            raise BadInput(f"{shown[:60]} cannot be used; allowed: {self.allowed}")
        return value

    def _taken(self, given: object) -> Value | None:
        """The value for the shader, None for what cannot be."""
        if self.kind in ("bool", "event"):
            is_one = isinstance(given, bool) or _number(given) is not None
            return int(cast(float, given) > 0) if is_one else None
        if self.kind == "long" and self.labels:
            if isinstance(given, str):
                return self.values[self.labels.index(given)] if given in self.labels else None
            number = _number(given)
            return int(number) if number is not None and number in self.values else None
        if self.kind in PARTS:
            numbers = [_number(one) for one in given] if isinstance(given, list | tuple) else []
            if len(numbers) != len(PARTS[self.kind]) or not all(self._is_within(one) for one in numbers):
                return None
            return tuple(cast(list[float], numbers))
        number = _number(given)
        if number is None or not self._is_within(number):
            return None
        if self.kind == "long":
            return int(number) if number == int(number) else None
        return number

    def _is_within(self, number: float | None) -> bool:
        return number is not None and self.low <= number <= self.high


class _Expression(Protocol):
    """Of a pass's size."""

    def evaluate(self, values: Mapping[str, float]) -> float: ...


@dataclass(frozen=True)
class Pass:
    """One pass of a look.

    target: the name of the texture it draws into, "" for the look's picture. is_persistent: what it draws into is kept
    for the next display frame. is_float: it holds 32-bit floats instead of bytes. width, height: its size, px, for the
    names WIDTH, HEIGHT and the inputs that are numbers; None for that of the look's picture. program: index of the
    program it is drawn with.
    """

    target: str = ""
    is_persistent: bool = False
    is_float: bool = False
    width: _Expression | None = None
    height: _Expression | None = None
    program: int = 0


@dataclass(frozen=True)
class Declaration:
    """What a header says.

    passes: in the order they are drawn. imported: pictures by the name of their sampler, one file each, six for a cube.
    scale: the fraction of the picture's size it is drawn at. listens, costs: what it hears and how much work it is, in
    words. news: lines for the user about what cannot be used. others: keys that mean nothing here, as they are written.
    """

    description: str = ""
    credit: str = ""
    categories: tuple[str, ...] = ()
    inputs: tuple[LookInput, ...] = ()
    passes: tuple[Pass, ...] = (Pass(),)
    imported: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    scale: float = 1.0
    listens: str = ""
    costs: str = ""
    news: tuple[str, ...] = ()
    others: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> Literal["filter", "transition", "generator"]:
        """Whether it changes the picture before it (`inputImage`), goes from `startImage` to `endImage` with `progress`,
        or neither.
        """
        kinds = {one.name: one.kind for one in self.inputs}
        if kinds.get("inputImage") == "image":
            return "filter"
        is_transition = kinds.get("startImage") == kinds.get("endImage") == "image" and kinds.get("progress") == "float"
        return "transition" if is_transition else "generator"

    @property
    def controls(self) -> tuple[LookInput, ...]:
        """The inputs that are parameters: all but those that are textures."""
        return tuple(one for one in self.inputs if one.kind not in TEXTURES)

    @property
    def uniforms(self) -> tuple[str, ...]:
        """The lines that declare the inputs in GLSL."""
        return tuple(f"uniform {GLSL_TYPES[one.kind]} {one.name};" for one in self.inputs)

    def input(self, name: str) -> LookInput:
        """The input of that name. Raises BadInput, naming those there are."""
        names = [one.name for one in self.inputs]
        if name not in names:
            known = f"there are: {', '.join(names)}" if names else "this look declares none"
            raise BadInput(f"unknown parameter {name!r}{nearest(name, names)}; {known}")
        return self.inputs[names.index(name)]


def read_declaration(text: str, path: Path) -> Declaration:
    """What the header of a shader declares; nothing where there is no header.

    text: the whole file. path: for messages. Raises BadInput with file, line, key and what is allowed.
    """
    header = read_header(text, path)
    if header is None:
        return Declaration()
    values = header.values
    entries = values.get("INPUTS", [])
    if not isinstance(entries, list):
        raise header.fault(("INPUTS",), "must be a list of inputs, each like {...}")
    inputs: list[LookInput] = []
    news: list[str] = []
    for index, entry in enumerate(entries):
        place: Place = ("INPUTS", index)
        if not isinstance(entry, dict):
            raise header.fault(place, 'must be an input like {"NAME": "glow", "TYPE": "float"}')
        name = _name(header, place, entry)
        if any(name == one.name for one in inputs):
            raise header.fault(
                (*place, "NAME"), f"there is another input called {name!r}; each needs a name of its own"
            )
        kind = entry.get("TYPE")
        if kind in TEXTURES:
            news.append(f"look {path.stem}: the input {name!r} is of type {kind}, which is not supported yet")
        elif kind in GLSL_TYPES:
            inputs.append(_input(header, place, entry, name, cast(Kind, kind)))
        else:
            allowed = ", ".join(GLSL_TYPES)
            hint = nearest(kind, GLSL_TYPES) if isinstance(kind, str) else ""
            raise header.fault((*place, "TYPE"), f"{_shown(kind)} is no type{hint}; allowed: {allowed}")
    news += [f"look {path.stem}: {words}" for words in _later(values)]
    known = ("DESCRIPTION", "CREDIT", "INPUTS")
    return Declaration(
        _text(header, (), values, "DESCRIPTION"),
        _text(header, (), values, "CREDIT"),
        inputs=tuple(inputs),
        news=tuple(news),
        others={key: value for key, value in values.items() if key not in known},
    )


def _later(values: dict[str, Any]) -> list[str]:
    """What is declared and not supported yet, in words."""
    found = []
    passes = values.get("PASSES")
    if isinstance(passes, list) and len(passes) > 1:
        found.append("PASSES is not supported yet; it is drawn in one pass")
    keeps = isinstance(passes, list) and any(isinstance(one, dict) and one.get("PERSISTENT") for one in passes)
    if keeps or values.get("PERSISTENT_BUFFERS"):
        found.append("PERSISTENT is not supported yet; it keeps nothing from one display frame to the next")
    if values.get("IMPORTED"):
        found.append("IMPORTED is not supported yet; its pictures are not loaded")
    return found


def _name(header: Header, place: Place, entry: dict[str, Any]) -> str:
    name = entry.get("NAME")
    if not isinstance(name, str) or not _NAME.fullmatch(name) or "__" in name:
        said = "missing" if "NAME" not in entry else f"{_shown(name)} cannot be the name of a uniform"
        raise header.fault((*place, "NAME"), f"{said}; allowed: letters, digits and _, beginning with a letter")
    return name


def _input(header: Header, place: Place, entry: dict[str, Any], name: str, kind: Kind) -> LookInput:
    label = _text(header, place, entry, "LABEL") or name
    description = _text(header, place, entry, "DESCRIPTION")
    low, high = 0.0, 1.0
    values: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()
    if kind == "long" and ("VALUES" in entry or "LABELS" in entry):
        values, labels = _choices(header, place, entry)
    elif kind in ("float", "long"):
        low, high = _bounds(header, place, entry, whole=kind == "long")
    elif kind == "point2D":
        low, high = _corners(entry)
    found = LookInput(name, kind, label, 0.0, low, high, description, values, labels)
    default = _default(header, place, entry, found)
    return LookInput(name, kind, label, default, low, high, description, values, labels)


def _default(header: Header, place: Place, entry: dict[str, Any], one: LookInput) -> Value:
    given = entry.get("DEFAULT")
    if given is None:
        if one.kind == "float":
            return (one.low + one.high) / 2
        if one.kind == "color":
            return (0.0, 0.0, 0.0, 1.0)
        if one.kind == "point2D":
            return (0.0, 0.0)
        if one.kind == "long":
            return one.values[0] if one.values else int(one.low)
        return 0
    if one.kind == "event":  # an event has no initial value
        return 0
    if one.kind in ("float", "long") and not one.labels and (number := _number(given)) is not None:
        given = min(max(number, one.low), one.high)  # as the reference does
    try:
        return one.checked(given)
    except BadInput as fault:
        raise header.fault((*place, "DEFAULT"), str(fault)) from None


def _bounds(header: Header, place: Place, entry: dict[str, Any], *, whole: bool) -> tuple[float, float]:
    """MIN and MAX: both or neither, 0 and 1 where there are none."""
    if "MIN" not in entry and "MAX" not in entry:
        return 0.0, 1.0
    found: list[float] = []
    for key in ("MIN", "MAX"):
        number = _number(entry.get(key))
        if number is None or (whole and number != round(number)):
            said = "missing" if key not in entry else f"{_shown(entry[key])} cannot be used"
            kind = "a whole number" if whole else "a number"
            raise header.fault((*place, key), f"{said}; allowed: {kind}, and MIN and MAX both or neither")
        found.append(number)
    if found[0] >= found[1]:
        raise header.fault((*place, "MAX"), f"{found[1]:g} must be above MIN, which is {found[0]:g}")
    return found[0], found[1]


def _corners(entry: dict[str, Any]) -> tuple[float, float]:
    """The least and the greatest number of a point: unlimited unless MIN and MAX are points."""
    ends = [entry[key] if isinstance(entry.get(key), list) else [] for key in ("MIN", "MAX")]
    numbers = [number for end in ends for one in end if (number := _number(one)) is not None]
    if [len(end) for end in ends] != [2, 2] or len(numbers) != 4 or min(numbers[:2]) >= max(numbers[2:]):
        return -math.inf, math.inf
    return min(numbers[:2]), max(numbers[2:])


def _choices(header: Header, place: Place, entry: dict[str, Any]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """VALUES and LABELS: equally many, the labels the numbers themselves where there are none."""
    values = entry.get("VALUES")
    numbers = [_number(one) for one in values] if isinstance(values, list) else []
    if not numbers or any(one is None or one != round(one) for one in numbers):
        raise header.fault((*place, "VALUES"), "must be a list of whole numbers, at least one")
    whole = tuple(int(cast(float, one)) for one in numbers)
    labels = entry.get("LABELS", [str(one) for one in whole])
    if not isinstance(labels, list) or len(labels) != len(whole) or not all(isinstance(one, str) for one in labels):
        raise header.fault((*place, "LABELS"), f"must be a list of {len(whole)} texts, one for each of VALUES")
    if len(set(labels)) < len(labels):
        raise header.fault((*place, "LABELS"), "each must be different from the others")
    return whole, tuple(labels)


def _text(header: Header, place: Place, entry: dict[str, Any], key: str) -> str:
    text = entry.get(key, "")
    if not isinstance(text, str):
        raise header.fault((*place, key), f"{_shown(text)} cannot be used; allowed: text")
    return text


def _number(value: object) -> float | None:
    """A finite number; None for anything else, true and false too."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _shown(value: object) -> str:
    """A value for a message, short."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = ascii(value)
    return text if len(text) <= 40 else text[:39] + "..."
