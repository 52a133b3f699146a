"""Writing settings files: plain data as YAML that `yamlfile.read_settings` reads back as the same, and people read
easily.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .yamlfile import scalar

#: an item or a section that fits into so many characters stands on one line
_MOST_ON_A_LINE = 72
#: text that needs no quotes: it begins with a letter, a digit or (, and holds nothing that means something in YAML; a
#: comma would end it in a list that stands on one line
_PLAIN = re.compile(r"[A-Za-z0-9(./](?:[A-Za-z0-9 ._()+*/%^<>=&|-]*[A-Za-z0-9._()%])?")
_PLAIN_ALONE = re.compile(r"[A-Za-z0-9(./](?:[A-Za-z0-9 ._()+*/%^<>=&|,-]*[A-Za-z0-9._()%])?")


def yaml_text(data: Mapping[str, Any]) -> str:
    """Data as YAML: mappings with texts as keys, lists, texts, numbers, true, false and None; without line breaks in
    texts of more than a line. Raises TypeError for anything else.
    """
    return "".join(f"{line}\n" for line in _lines(data))


def _lines(data: Mapping[str, Any]) -> list[str]:
    lines = []
    for key, value in data.items():
        head = f"{_text(key)}:"
        short = _text(value, _PLAIN_ALONE) if isinstance(value, str) else _flow(value)
        is_section = isinstance(value, Mapping) and bool(value)
        is_deep = is_section and any(isinstance(one, Mapping | list | tuple) for one in value.values())
        is_long = len(head) + len(short) > _MOST_ON_A_LINE and not isinstance(value, str)
        if is_section and (is_deep or is_long):
            lines += [head, *(f"  {line}" for line in _lines(value))]
        elif is_long and value and isinstance(value, list | tuple):
            lines += [head, *(f"  {line}" for line in _items(value))]
        else:
            lines.append(f"{head} {short}")
    return lines


def _items(items: Sequence[Any]) -> list[str]:
    lines = []
    for item in items:
        if isinstance(item, Mapping) and item and len(_flow(item)) > _MOST_ON_A_LINE:
            first, *rest = _lines(item)
            lines += [f"- {first}", *(f"  {line}" for line in rest)]
        else:
            lines.append(f"- {_flow(item)}")
    return lines


def _flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(key)}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    raise TypeError(f"{type(value).__name__} cannot be written as YAML")


def _text(text: str, plain: re.Pattern[str] = _PLAIN) -> str:
    if plain.fullmatch(text) and scalar(text) == text:
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"
