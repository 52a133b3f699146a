"""What a look declares in its header: its description, and the inputs that can be changed in a show."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from ..errors import BadInput, nearest
from .expression import Expression

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
#: what one of Shadertoy's channels may read, besides a picture
CHANNELS = ("sound", "dream", "noise", "grey noise", "self", "none")
#: the images that the show gives: no parameters that a preset can set
GIVEN = ("inputImage", "startImage", "endImage")
#: what the parts of a value of several numbers are called
PARTS: dict[str, tuple[str, ...]] = {"color": ("red", "green", "blue", "alpha"), "point2D": ("x", "y")}


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
    def line(self) -> str:
        """What declares it in GLSL."""
        return f"uniform {GLSL_TYPES[self.kind]} {self.name};"

    @property
    def allowed(self) -> str:
        """What a value may be, in words."""
        if self.kind in TEXTURES:
            return "the name of a picture" if self.kind == "image" else "nothing"
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
        if self.kind in TEXTURES:
            return None
        if self.kind in ("bool", "event"):
            is_one = isinstance(given, bool) or number_of(given) is not None
            return int(cast(float, given) > 0) if is_one else None
        if self.kind == "long" and self.labels:
            if isinstance(given, str):
                return self.values[self.labels.index(given)] if given in self.labels else None
            number = number_of(given)
            return int(number) if number is not None and number in self.values else None
        if self.kind in PARTS:
            numbers = [number_of(one) for one in given] if isinstance(given, list | tuple) else []
            if len(numbers) != len(PARTS[self.kind]) or not all(self._is_within(one) for one in numbers):
                return None
            return tuple(cast(list[float], numbers))
        number = number_of(given)
        if number is None or not self._is_within(number):
            return None
        if self.kind == "long":
            return int(number) if number == int(number) else None
        return number

    def _is_within(self, number: float | None) -> bool:
        return number is not None and self.low <= number <= self.high


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
    width: Expression | None = None
    height: Expression | None = None
    program: int = 0


@dataclass(frozen=True)
class Declaration:
    """What a header says.

    passes: in the order they are drawn. imported: pictures by the name of their sampler, one file each, six for a cube.
    scale: the fraction of the picture's size it is drawn at. listens, costs: what of the music it uses and how much
    work it is, in words. channels: what Shadertoy's iChannels read, of CHANNELS or names of files. news: lines for the
    user about what cannot be used.
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
    channels: tuple[str, ...] = ()
    news: tuple[str, ...] = ()

    @property
    def kind(self) -> Literal["filter", "transition", "generator"]:
        """Whether it changes the picture before it (`inputImage`), goes from `startImage` to `endImage` with
        `progress`, or neither.
        """
        kinds = {one.name: one.kind for one in self.inputs}
        if kinds.get("inputImage") == "image":
            return "filter"
        is_transition = kinds.get("startImage") == kinds.get("endImage") == "image" and kinds.get("progress") == "float"
        return "transition" if is_transition else "generator"

    @property
    def has_history(self) -> bool:
        """Whether a picture depends on the display frames before it."""
        return any(one.is_persistent for one in self.passes)

    @property
    def controls(self) -> tuple[LookInput, ...]:
        """The inputs that are parameters: all but those that are textures."""
        return tuple(one for one in self.inputs if one.kind not in TEXTURES)

    def input(self, name: str) -> LookInput:
        """The input of that name, which a preset may set. Raises BadInput, naming those there are."""
        names = [one.name for one in self.inputs if one.name not in GIVEN]
        if name not in names:
            known = f"there are: {', '.join(names)}" if names else "this look declares none"
            raise BadInput(f"unknown parameter {name!r}{nearest(name, names)}; {known}")
        return next(one for one in self.inputs if one.name == name)


def number_of(value: object) -> float | None:
    """A finite number; None for anything else, true and false too."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
