"""The constraints of a settings model in words, for error messages: made from the declarations of its fields."""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ..errors import nearest

#: most keys of a section that are named one by one
_MOST_KEYS = 8
_TYPE_WORDS = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}


def known_keys(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """The keys allowed in the section at `loc`, a path of keys; () is the top."""
    section = _section(model, loc)
    return list(section.model_fields) if section else []


def suggest_key(model: type[BaseModel], loc: Sequence[str | int]) -> str:
    """A hint for an unknown key: ` (did you mean 'x'?)`, or the section where it would be right; "" if there is
    none.
    """
    word = str(loc[-1])
    elsewhere = [dotted for dotted in _all_keys(model) if dotted.rpartition(".")[2] == word]
    if elsewhere:
        return f" here (did you mean {elsewhere[0]!r}?)"
    return nearest(word, known_keys(model, loc[:-1]))


def describe_field(model: type[BaseModel], loc: Sequence[str | int]) -> str:
    """Type, bounds and meaning of the field at `loc`, in words: `a whole number, 1 .. 40 (how many ...)`."""
    names = [part for part in loc if isinstance(part, str)]
    section = _section(model, names[:-1])
    if section is None or not names or names[-1] not in section.model_fields:
        return ""
    info = section.model_fields[names[-1]]
    nested = _as_model(info.annotation)
    is_list = get_origin(info.annotation) is list
    bounds = _bounds(info).replace(" characters", "") if is_list else _bounds(info)
    if nested is not None and is_list:
        keys = ", ".join(nested.model_fields)
        if len(nested.model_fields) > _MOST_KEYS:
            keys = f"keys of {nested.__name__.removesuffix('Settings').lower()}"
        return f"a list of sections{bounds}, each with {keys}"
    if nested is not None:
        return f"a section with the keys {', '.join(nested.model_fields)}"
    described = f" ({info.description})" if info.description else ""
    return _type_words(info.annotation) + bounds + described


def fill_empty_sections(model: type[BaseModel], value: Any) -> Any:
    """`value` with {} for sections without lines: YAML reads `dream:` with every line below it commented out as
    None.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        return value
    sections = {
        name: _as_model(info.annotation)
        for name, info in model.model_fields.items()
        if get_origin(info.annotation) is not list and not (info.default is None and value.get(name) is None)
    }
    return {
        name: fill_empty_sections(section, below) if (section := sections.get(name)) else below
        for name, below in value.items()
    }


def _section(model: type[BaseModel], loc: Sequence[str | int]) -> type[BaseModel] | None:
    section: type[BaseModel] | None = model
    for part in loc:
        if isinstance(part, int):  # an index in a list of sections
            continue
        if section is None or part not in section.model_fields:
            return None
        section = _as_model(section.model_fields[str(part)].annotation)
    return section


def _all_keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, info in model.model_fields.items():
        yield prefix + name
        nested = _as_model(info.annotation)
        if nested is not None:
            yield from _all_keys(nested, f"{prefix}{name}.")


def _as_model(annotation: Any) -> type[BaseModel] | None:
    for one in (annotation, *get_args(annotation)):  # get_args: a section may be optional
        if get_origin(one) is Annotated:
            one = get_args(one)[0]
        if isinstance(one, type) and issubclass(one, BaseModel):
            return one
    return None


def _type_words(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is Literal:
        return " or ".join(str(choice) for choice in get_args(annotation))
    if origin is Annotated:
        inner, *rules = get_args(annotation)
        return _type_words(inner) + "".join(_bounds(rule) for rule in rules if isinstance(rule, FieldInfo))
    if origin in (Union, types.UnionType):
        return " or ".join(_type_words(one) for one in get_args(annotation))
    if annotation is type(None):
        return "empty"
    if origin in (list, tuple):
        return "a list"
    if origin is dict:
        return "a section of names and values"
    return _TYPE_WORDS.get(annotation, getattr(annotation, "__name__", "a value"))


def _bounds(info: FieldInfo) -> str:
    limits: dict[str, Any] = {}
    for rule in info.metadata:
        for name in ("ge", "gt", "le", "lt", "min_length", "max_length", "pattern"):
            if getattr(rule, name, None) is not None:
                limits[name] = getattr(rule, name)
    words = []
    if "ge" in limits and "le" in limits:
        words.append(f"{_number(limits['ge'])} .. {_number(limits['le'])}")
    else:
        words += [
            f"{word} {_number(limits[name])}"
            for name, word in (("ge", "at least"), ("gt", "above"), ("le", "at most"), ("lt", "below"))
            if name in limits
        ]
    if limits.get("min_length"):
        words.append("not empty" if limits["min_length"] == 1 else f"at least {limits['min_length']} characters")
    if "max_length" in limits:
        words.append(f"at most {limits['max_length']} characters")
    if "pattern" in limits:
        words.append(f"of the form {limits['pattern']}")
    return "".join(f", {word}" for word in words)


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"
