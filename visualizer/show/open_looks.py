"""Opens the looks of a preset with the values that the preset sets; what is wrong is reported with its place there."""

from __future__ import annotations

import math
from typing import Any

from ..errors import BadInput
from ..files.yamlfile import place_of
from ..looks.declaration import PARTS, TEXTURES, LookInput
from ..looks.expression import BadExpression
from ..looks.look import Look, find_look
from ..looks.modulation import ModulatedNumber, check, in_silence
from ..oneline import plain
from ..presets.loaded import LoadedPreset
from ..presets.preset import FILE_NAME
from ..render.chain import Link


def open_links(loaded: LoadedPreset) -> tuple[Link, ...]:
    """The looks of a preset in order, with the values that the preset sets as their defaults; those of an expression in
    silence.

    Raises BadInput, with the file, line and column of the preset, for a look that there is not, values that its header
    does not allow, and expressions that cannot be used, also those of the beat; and what `find_look` raises.
    """
    links = []
    for index, one in enumerate(loaded.settings.render.chain):
        place = _place(loaded, index)
        try:
            look = find_look(one.look, loaded.folder)
        except BadInput as fault:
            key = "look" if loaded.settings.render.looks else "shader"
            raise BadInput(f"{_where(loaded, *place, key)}{fault}") from fault
        for name, value in one.parameters.items():
            look = _with_value(loaded, look, (*place, "parameters", name), name, value)
        mix = one.mix if isinstance(one.mix, float | int) else _silent(loaded, (*place, "mix"), one.mix, 0.0, 1.0)
        links.append(Link(look, mix=mix, blend=one.blend))
    for key, text in loaded.settings.expressions.items():
        _silent(loaded, ("beat", key), text, -math.inf, math.inf)
    return tuple(links)


def open_transition(loaded: LoadedPreset) -> Link | None:
    """The look that leads to a preset, with the values that the preset sets as its defaults; None where there is none.

    Raises BadInput, with the file and line of the preset, for a look that there is not or that is no transition, and
    values that its header does not allow; and what `find_look` raises.
    """
    given = loaded.settings.render.transition
    if given is None:
        return None
    place = ("render", "transition", "look")
    try:
        look = find_look(given.look, loaded.folder)
    except BadInput as fault:
        raise BadInput(f"{_where(loaded, *place)}{fault}") from fault
    if look.declaration.kind != "transition":
        raise BadInput(
            f"{_where(loaded, *place)}{look.name} is no transition; a transition has the inputs startImage, endImage and progress"
        )
    for name, value in given.parameters.items():
        try:
            look = look.with_default(name, value)
        except BadInput as fault:
            raise BadInput(f"{_where(loaded, 'render', 'transition', 'parameters', name)}{fault}") from fault
    return Link(look)


def expressions_in(one: LookInput, given: object) -> dict[int, str]:
    """The expressions in a value as a preset writes it, by the index of the number: {0: TEXT} of a single number."""
    if isinstance(given, str) and not one.labels and one.kind not in (*PARTS, *TEXTURES):
        return {0: given}
    if isinstance(given, list) and one.kind in PARTS:
        return {index: text for index, text in enumerate(given) if isinstance(text, str)}
    return {}


def _with_value(loaded: LoadedPreset, look: Look, place: tuple[str | int, ...], name: str, given: Any) -> Look:
    """The look with a value of the preset as a default."""
    try:
        one = look.declaration.input(name)
        if one.kind == "image" and loaded.folder is not None:
            return look.with_picture(name, loaded.folder, given)
        for index, text in expressions_in(one, given).items():
            where = (*place, index) if isinstance(given, list) else place
            ends = (0.0, 1.0) if one.kind in ("bool", "event") else (one.low, one.high)
            silent: float = _silent(loaded, where, text, *ends, allowed=one.allowed)
            if one.kind == "long":
                silent = round(silent)
            given = (
                [silent if other == index else each for other, each in enumerate(given)] if where != place else silent
            )
        return look.with_default(name, given)
    except _Placed:
        raise
    except BadInput as fault:
        raise BadInput(f"{_where(loaded, *place)}{fault}") from fault


class _Placed(BadInput):
    """An error that names its place already."""


def _silent(
    loaded: LoadedPreset, place: tuple[str | int, ...], text: str, low: float, high: float, *, allowed: str = ""
) -> float:
    """The number of an expression in silence. Raises BadInput, with the place of the fault in the preset's file."""
    try:
        check(text)
    except BadExpression as fault:
        also = f"; allowed: {allowed}, or an expression" if allowed else ""
        raise _Placed(f"{_where(loaded, *place, column=fault.column)}{fault.what}{also}") from fault
    return in_silence(ModulatedNumber("", low, high, expression=text))


def _place(loaded: LoadedPreset, index: int) -> tuple[str | int, ...]:
    """Where a look of the chain stands in the preset."""
    return ("render", "looks", index) if loaded.settings.render.looks else ("render",)


def _where(loaded: LoadedPreset, *place: str | int, column: int = 0) -> str:
    """Where something stands in the preset: "FILE:LINE:COLUMN: render.shader: ".

    column: of the fault in an expression, 1 is its first character; 0 for a fault of the whole value.
    """
    dotted = f"{plain('.'.join(map(str, place)))}: "
    in_text = f"column {column}: " if column else ""
    if loaded.folder is None:
        return f"{dotted}{in_text}"
    file = loaded.folder / FILE_NAME
    try:
        line, begin = place_of(file, place)
    except BadInput:  # the file has gone since
        return f"{plain(file)}: {dotted}{in_text}"
    if column and begin:
        return f"{plain(file)}:{line}:{begin + column - 1}: {dotted}"
    return f"{plain(file)}:{line}: {dotted}{in_text}"
