"""What the header of a look declares: its JSON read and checked. Where ISF's reference host is lenient this is, too."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from ..errors import BadInput, nearest
from ..oneline import plain
from .declaration import CHANNELS, GLSL_TYPES, PARTS, TEXTURES, Declaration, Kind, LookInput, Pass, Value, number_of
from .expression import BadExpression, Expression, parse
from .glsl import RESERVED
from .header import Header, Place, read_header
from .source import file_in
from .uniforms import ISF

#: how many passes a look may have, and how many columns its sound
MAX_PASSES, MAX_COLUMNS = 64, 16384

#: what an input, a target or a picture may be called, a regular expression
NAME = "(?!gl_|isf_|.*__)[A-Za-z_][A-Za-z0-9_]{0,62}"
_TAKEN = frozenset(one.name for one in ISF) | RESERVED
_TEXTS = ("DESCRIPTION", "CREDIT", "CATEGORIES", "LISTENS", "COSTS")
#: the keys that change how a look is drawn; one that is like them, but none of them, may be a mistake
_DRAWN = ("INPUTS", "PASSES", "PERSISTENT_BUFFERS", "IMPORTED", "SCALE", "CHANNELS")
#: the kinds whose value is one number, by whose name the size of a pass may be given
_NUMBERS = ("float", "long", "bool", "event")


def read_declaration(text: str, path: Path) -> Declaration:
    """What the header of a shader declares; nothing where there is no header.

    text: the whole file. path: for messages; the pictures that it imports lie in its folder. Raises BadInput with file,
    line, key and what is allowed.
    """
    header = read_header(text, path)
    if header is None:
        return Declaration()
    news = [
        f"the key {_shown(key)} of its header means nothing{hint}"
        for key in header.values
        if key not in (*_TEXTS, *_DRAWN) and (hint := nearest(key, _DRAWN))
    ]
    inputs = tuple(_inputs(header, news))
    passes = _passes(header, inputs)
    imported = _imported(header, news)
    _check_names(header, inputs, passes, imported)
    categories = header.values.get("CATEGORIES")
    return Declaration(
        _text(header, (), header.values, "DESCRIPTION"),
        _text(header, (), header.values, "CREDIT"),
        tuple(one for one in categories if isinstance(one, str)) if isinstance(categories, list) else (),
        inputs,
        passes,
        imported,
        _scale(header),
        _text(header, (), header.values, "LISTENS"),
        _text(header, (), header.values, "COSTS"),
        _channels(header),
        tuple(f"look {plain(path.stem)}: {words}" for words in news),
    )


# -- inputs -----------------------------------------------------------------------------------------------------------


def _inputs(header: Header, news: list[str]) -> Iterable[LookInput]:
    """news: what cannot be used is added."""
    names: set[str] = set()
    for place, entry in _entries(header, "INPUTS", 'an input like {"NAME": "glow", "TYPE": "float"}'):
        name = _name(header, (*place, "NAME"), entry.get("NAME"))
        if name in names:
            raise header.fault(
                (*place, "NAME"), f"there is another input called {name!r}; each needs a name of its own"
            )
        names.add(name)
        kind = entry.get("TYPE")
        if isinstance(kind, str) and kind in GLSL_TYPES:
            yield _input(header, place, entry, name, kind, news)
        else:
            hint = nearest(kind, GLSL_TYPES) if isinstance(kind, str) else ""
            news.append(f"the input {name!r} is left out: its TYPE is {_shown(kind)}, which is not known{hint}")


def _input(header: Header, place: Place, entry: dict[str, Any], name: str, kind: Kind, news: list[str]) -> LookInput:
    found = LookInput(
        name,
        kind,
        _text(header, place, entry, "LABEL") or name,
        (),
        description=_text(header, place, entry, "DESCRIPTION"),
    )
    if kind in TEXTURES:
        return replace(found, max_columns=_columns(header, place, entry) if kind.startswith("audio") else 0)
    if kind == "long" and entry.get("VALUES") is not None:
        values, labels = _choices(header, place, entry, news)
        found = replace(found, values=values, labels=labels)
    elif kind in ("float", "long"):
        low, high = _bounds(header, place, entry, news, whole=kind == "long")
        found = replace(found, low=low, high=high)
    elif kind == "point2D":
        low, high = _corners(entry)
        found = replace(found, low=low, high=high)
    return replace(found, default=_default(header, place, entry, found))


def _default(header: Header, place: Place, entry: dict[str, Any], one: LookInput) -> Value:
    given = entry.get("DEFAULT")
    if given is None:
        if one.kind == "float":
            return (one.low + one.high) / 2
        if one.kind == "color":
            return (0.0, 0.0, 0.0, 1.0)
        if one.kind == "point2D":
            zero = min(max(0.0, one.low), one.high)
            return (zero, zero)
        if one.kind == "long":
            return one.values[0] if one.values else int(one.low)
        return 0
    if one.kind == "event":  # an event has no initial value
        return 0
    # numbers outside of what is allowed are clamped, as the reference does
    number = _number(given)
    if one.kind in ("float", "long") and not one.labels and number is not None:
        given = min(max(number, one.low), one.high)
    if one.labels and given not in one.labels and number is not None:
        given = min(one.values, key=lambda value: abs(value - number))
    if one.kind == "bool" and number is not None:
        given = number > 0
    if one.kind == "bool" and isinstance(given, str) and given.lower() in ("true", "false"):
        given = given.lower() == "true"
    if one.kind in PARTS and isinstance(given, list):
        given = [item if (part := _number(item)) is None else min(max(part, one.low), one.high) for item in given]
    try:
        return one.checked(given)
    except BadInput as fault:
        raise header.fault((*place, "DEFAULT"), str(fault)) from None


def _bounds(
    header: Header, place: Place, entry: dict[str, Any], news: list[str], *, whole: bool
) -> tuple[float, float]:
    """MIN and MAX in order; 0 and 1 unless there are both."""
    found: list[float] = []
    for key in ("MIN", "MAX"):
        if entry.get(key) is None:
            continue
        number = _number(entry[key])
        if number is None or (whole and number != round(number)):
            kind = "a whole number" if whole else "a number"
            raise header.fault((*place, key), f"{_shown(entry[key])} cannot be used; allowed: {kind}")
        found.append(number)
    if len(found) < 2:
        return 0.0, 1.0
    if found[0] == found[1]:
        low = found[0]
        news.append(
            f"MIN and MAX of the input {_shown(entry['NAME'])} are both {low:g}; it goes from {low:g} to {low + 1:g}"
        )
        return low, low + 1
    return min(found), max(found)


def _corners(entry: dict[str, Any]) -> tuple[float, float]:
    """The least and the greatest number of a point: unlimited unless MIN and MAX are points."""
    ends = [entry[key] if isinstance(entry.get(key), list) else [] for key in ("MIN", "MAX")]
    numbers = [number for end in ends for one in end if (number := _number(one)) is not None]
    if [len(end) for end in ends] != [2, 2] or len(numbers) != 4 or min(numbers[:2]) >= max(numbers[2:]):
        return -math.inf, math.inf
    return min(numbers[:2]), max(numbers[2:])


def _choices(
    header: Header, place: Place, entry: dict[str, Any], news: list[str]
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """VALUES and LABELS: equally many, the labels the numbers themselves where there are none that fit."""
    values, labels = entry.get("VALUES"), entry.get("LABELS")
    if isinstance(values, list) and values and all(isinstance(one, str) and _number(one) is None for one in values):
        values, labels = list(range(len(values))), labels or values  # as MadMapper writes it
    numbers = [_number(one) for one in values] if isinstance(values, list) else []
    if not numbers or any(one is None or one != round(one) for one in numbers):
        raise header.fault((*place, "VALUES"), "must be a list of whole numbers, at least one")
    whole = tuple(int(cast(float, one)) for one in numbers)
    if not isinstance(labels, list) or len(labels) != len(whole):
        if labels is not None:
            news.append(f"the input {_shown(entry['NAME'])} has {len(whole)} VALUES and not as many LABELS")
        labels = whole
    texts = [str(one) if isinstance(one, str | int | float) else _shown(one) for one in labels]
    texts = [one if texts.count(one) == 1 else f"{one} #{index}" for index, one in enumerate(texts, start=1)]
    if len(set(texts)) < len(texts):
        raise header.fault((*place, "LABELS"), "each must be different from the others")
    return whole, tuple(texts)


def _columns(header: Header, place: Place, entry: dict[str, Any]) -> int:
    if (given := entry.get("MAX")) is None:
        return 0
    number = _number(given)
    if number is None or number != round(number) or not 0 <= number <= MAX_COLUMNS:
        raise header.fault(
            (*place, "MAX"), f"{_shown(given)} cannot be used; allowed: a whole number up to {MAX_COLUMNS}"
        )
    return int(number)


# -- passes and pictures ----------------------------------------------------------------------------------------------


def _passes(header: Header, inputs: tuple[LookInput, ...]) -> tuple[Pass, ...]:
    names = {"WIDTH", "HEIGHT", *(one.name for one in inputs if one.kind in _NUMBERS)}
    buffers = _buffers(header)
    found = []
    for place, entry in _entries(header, "PASSES", 'a pass like {"TARGET": "trail", "PERSISTENT": true}'):
        target = entry.get("TARGET") or ""
        if target:
            _name(header, (*place, "TARGET"), target)
        buffer_place, buffer = buffers.get(target, (place, entry))
        width, height = (
            _size(header, (*place, key), entry[key], names)
            if key in entry
            else _size(header, (*buffer_place, key), buffer[key], names)
            if key in buffer
            else None
            for key in ("WIDTH", "HEIGHT")
        )
        is_float = _is_set(header, place, entry, "FLOAT") or _is_set(header, buffer_place, buffer, "FLOAT")
        is_persistent = _is_set(header, place, entry, "PERSISTENT") or target in buffers
        found.append(Pass(target, is_persistent and bool(target), is_float and bool(target), width, height))
    if len(found) > MAX_PASSES:
        raise header.fault(("PASSES",), f"{len(found)} passes cannot be drawn; allowed: up to {MAX_PASSES}")
    kept = {one.target for one in found if one.is_persistent}
    floats = {one.target for one in found if one.is_float}
    return tuple(replace(one, is_persistent=one.target in kept, is_float=one.target in floats) for one in found) or (
        Pass(),
    )


def _buffers(header: Header) -> dict[str, tuple[Place, dict[str, Any]]]:
    """The targets that ISF 1 declares as kept, by name: where each stands, and its keys."""
    given = header.values.get("PERSISTENT_BUFFERS", [])
    key: Place = ("PERSISTENT_BUFFERS",)
    if isinstance(given, dict):
        return {
            _name(header, (*key, name), name): ((*key, name), entry if isinstance(entry, dict) else {})
            for name, entry in given.items()
        }
    if not isinstance(given, list):
        raise header.fault(key, 'must be a list of names, or an object like {"trail": {}}')
    return {_name(header, (*key, index), name): ((*key, index), {}) for index, name in enumerate(given)}


def _size(header: Header, place: Place, given: object, names: set[str]) -> Expression:
    number = number_of(given)
    if number is None and not isinstance(given, str):
        raise header.fault(place, f'{_shown(given)} cannot be used; allowed: a number, or a text like "$WIDTH / 2"')
    try:
        return parse(str(given), names)
    except BadExpression as fault:
        raise header.fault(place, str(fault)) from None


def _is_set(header: Header, place: Place, entry: dict[str, Any], key: str) -> bool:
    given = entry.get(key, False)
    if not isinstance(given, bool) and number_of(given) is None:
        raise header.fault((*place, key), f"{_shown(given)} cannot be used; allowed: true or false")
    return bool(given)


def _imported(header: Header, news: list[str]) -> dict[str, tuple[Path, ...]]:
    """The pictures that a look comes with. ISF 1 lists them, ISF 2 has them by name. news: what cannot be used is
    added.
    """
    given = header.values.get("IMPORTED", {})
    key: Place = ("IMPORTED",)
    if isinstance(given, list):
        entries = [
            ((*key, index), entry.get("NAME") if isinstance(entry, dict) else None, entry)
            for index, entry in enumerate(given)
        ]
    elif isinstance(given, dict):
        entries = [((*key, name), name, entry) for name, entry in given.items()]
    else:
        raise header.fault(key, 'must be an object like {"noise": {"PATH": "noise.png"}}')
    found = {}
    for place, name, entry in entries:
        if not isinstance(entry, dict):
            raise header.fault(place, 'must be like {"PATH": "noise.png"}')
        if (paths := entry.get("PATH")) is None:
            news.append(f"the picture {_shown(name)} of its header is left out: it has no PATH")
            continue
        is_cube = isinstance(paths, list) or entry.get("TYPE") == "cube"
        if is_cube and not (isinstance(paths, list) and len(paths) == 6):
            raise header.fault((*place, "PATH"), "must be a list of six files: of a cube's sides")
        files = [_file(header, (*place, "PATH"), one) for one in (paths if isinstance(paths, list) else [paths])]
        found[_name(header, place, name)] = tuple(files)
    return found


def _file(header: Header, place: Place, name: object) -> Path:
    try:
        return file_in(header.path.parent, name)
    except BadInput as fault:
        raise header.fault(place, str(fault)) from None


def _channels(header: Header) -> tuple[str, ...]:
    given = header.values.get("CHANNELS", [])
    place: Place = ("CHANNELS",)
    allowed = f"{', '.join(CHANNELS)} or the name of a picture"
    if not isinstance(given, list) or len(given) > 4 or not all(isinstance(one, str) for one in given):
        raise header.fault(place, f"must be a list of up to four texts: {allowed}")
    for index, one in enumerate(given):
        if one not in CHANNELS:
            try:
                file_in(header.path.parent, one)
            except BadInput as fault:
                raise header.fault((*place, index), f"{fault}; or one of: {', '.join(CHANNELS)}") from None
    return tuple(given)


# -- all --------------------------------------------------------------------------------------------------------------


def _entries(header: Header, key: str, example: str) -> Iterable[tuple[Place, dict[str, Any]]]:
    """The entries of a list of objects, and where each stands."""
    given = header.values.get(key, [])
    if not isinstance(given, list):
        raise header.fault((key,), f"must be a list, each entry {example}")
    for index, entry in enumerate(given):
        if not isinstance(entry, dict):
            raise header.fault((key, index), f"must be {example}")
        yield (key, index), entry


def _check_names(
    header: Header, inputs: tuple[LookInput, ...], passes: tuple[Pass, ...], imported: dict[str, tuple[Path, ...]]
) -> None:
    """Raise BadInput where an input, a target and a picture have the same name."""
    names = {one.name for one in inputs}
    for place, name in [
        *(((("PASSES", index, "TARGET")), one.target) for index, one in enumerate(passes)),
        *((("IMPORTED", name), name) for name in imported),
    ]:
        if name in names or (place[0] == "IMPORTED" and name in {one.target for one in passes}):
            raise header.fault(place, f"{name!r} is declared above, too; each needs a name of its own")


def _name(header: Header, place: Place, name: object) -> str:
    if not isinstance(name, str) or not re.fullmatch(NAME, name):
        said = "missing" if name is None else f"{_shown(name)} cannot be the name of a uniform"
        allowed = "letters, digits and _, beginning with a letter, but not with gl_ or isf_, and without __"
        raise header.fault(place, f"{said}; allowed: {allowed}")
    if name in _TAKEN:
        raise header.fault(place, f"{name!r} means something else in shaders; allowed: any other name")
    return name


def _scale(header: Header) -> float:
    given = header.values.get("SCALE", 1.0)
    number = number_of(given)
    if number is None or not 0.0 < number <= 1.0:
        raise header.fault(("SCALE",), f"{_shown(given)} cannot be used; allowed: a number above 0, up to 1")
    return number


def _number(value: object) -> float | None:
    """A finite number, also one in quotes, as some programs write it; None for anything else."""
    try:
        return number_of(float(value) if isinstance(value, str) else value)
    except ValueError:
        return None


def _text(header: Header, place: Place, entry: dict[str, Any], key: str) -> str:
    text = entry.get(key)
    if text is not None and not isinstance(text, str):
        raise header.fault((*place, key), f"{_shown(text)} cannot be used; allowed: text")
    return text or ""


def _shown(value: object) -> str:
    """A value for a message, short."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = ascii(value)
    return text if len(text) <= 40 else text[:39] + "..."
