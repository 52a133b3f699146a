"""Targets: what a control of MIDI or OSC can be bound to, by name."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..errors import BadInput, nearest
from .parameters import LOOK

#: before the name of a preset; alone it is the preset whose number is sent
PRESET = "preset"
#: of the name of a look's parameter: the names of looks have "-" and may begin with a digit
_PART = re.compile(r"[\w-]+")


def check_target(text: str, known: Iterable[str]) -> str:
    """`text` if it is a target: one of `known` (actions and parameters), "preset", "preset:NAME" or "look.NAME",
    which only some looks have. Raises BadInput, naming the nearest.
    """
    names = list(dict.fromkeys([*known, PRESET]))
    section, colon, preset = text.partition(":")
    head, *parts = text.split(".")
    is_look = head == LOOK and bool(parts) and all(map(_PART.fullmatch, parts))
    if text in names or is_look or (section == PRESET and colon and preset.strip()):
        return text
    raise BadInput(
        f"unknown target {text[:60]!r}{nearest(text, names)}; known: {', '.join(names)}, {PRESET}:NAME, {LOOK}.NAME"
    )
