"""What a key on the keyboard is called."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple


class Press(NamedTuple):
    """A key that was pressed, with the modifiers held: "ctrl+alt+shift+super+q" in this order.

    name: what the key writes, in small letters ("q", "1", "ä"), or "space", "left", "escape", "f11" and so on. place: what
    it is called on an American keyboard, where that is not a letter: digits and brackets lie elsewhere on other keyboards,
    or are not written by one key alone. The same as `name` where that says it all.
    """

    name: str
    place: str


# what the keys of an American keyboard write, by glfw's names for them
_WRITTEN = {
    "apostrophe": "'",
    "backslash": "\\",
    "comma": ",",
    "equal": "=",
    "graveaccent": "`",
    "leftbracket": "[",
    "minus": "-",
    "period": ".",
    "rightbracket": "]",
    "semicolon": ";",
    "slash": "/",
    "kpadd": "+",
    "kpdecimal": ".",
    "kpdivide": "/",
    "kpenter": "enter",
    "kpequal": "=",
    "kpmultiply": "*",
    "kpsubtract": "-",
    **{f"kp{digit}": str(digit) for digit in range(10)},
}


def pressed(glfw: Any, key: int, scancode: int, modifiers: int) -> Press | None:
    """The key of an event; None for modifiers alone and unknown keys."""
    name = key_name(glfw, key, scancode)
    if not name:
        return None
    place = places(glfw).get(key, name)
    if len(place) == 1 and place.isalpha():
        # letters go by what they write: where A writes "a" it is not Q, wherever it lies
        place = name
    return Press(_with_modifiers(glfw, name, modifiers), _with_modifiers(glfw, place, modifiers))


def key_name(glfw: Any, key: int, scancode: int) -> str:
    """What a key is called: what it writes on this keyboard, or the name of its place; "" for modifiers and unknown ones."""
    if key == glfw.KEY_SPACE:
        return "space"
    written = glfw.get_key_name(key, scancode)
    if isinstance(written, bytes):
        written = written.decode("utf-8", "replace")
    if written and (written.isascii() or key == glfw.KEY_UNKNOWN):
        return written.lower()
    # a Cyrillic or Greek keyboard writes no "q": then the place of the key counts
    return places(glfw).get(key, (written or "").lower())


@functools.cache
def places(glfw: Any) -> dict[int, str]:
    """Key codes to the names of keys on an American keyboard, without the modifiers; the same on every layout, so built once."""
    silent = ("SHIFT", "CONTROL", "ALT", "SUPER", "UNKNOWN", "LAST", "LOCK")
    names = {}
    for constant in dir(glfw):
        if constant.startswith("KEY_") and not any(word in constant for word in silent):
            name = constant.removeprefix("KEY_").lower().replace("_", "")
            names[getattr(glfw, constant)] = _WRITTEN.get(name, name)
    return names


def _with_modifiers(glfw: Any, name: str, modifiers: int) -> str:
    held = (("ctrl", glfw.MOD_CONTROL), ("alt", glfw.MOD_ALT), ("shift", glfw.MOD_SHIFT), ("super", glfw.MOD_SUPER))
    return "+".join([word for word, bit in held if modifiers & bit] + [name])
