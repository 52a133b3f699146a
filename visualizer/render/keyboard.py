"""Names of keys."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple


class Press(NamedTuple):
    """A key press with its modifiers: "ctrl+alt+shift+super+q", in this order.

    name: what the key types, in lower case ("q", "1", "ä"), or "space", "left", "escape", "f11" and so on. place: the
    name of the key in the same position on an American keyboard, if that is not a letter: on other layouts digits and
    brackets are elsewhere, or need more than one key. Equal to `name` otherwise.
    """

    name: str
    place: str


# what the keys of an American keyboard type, by glfw's names
_TYPED = {
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


def key_press(glfw: Any, key: int, scancode: int, modifiers: int) -> Press | None:
    """The key press of a glfw event; None for modifiers and unknown keys."""
    name = key_name(glfw, key, scancode)
    if not name:
        return None
    place = us_key_names(glfw).get(key, name)
    if len(place) == 1 and place.isalpha():
        # letters are named by what they type, whatever their position: on an AZERTY keyboard A is "a", not "q"
        place = name
    return Press(_with_modifiers(glfw, name, modifiers), _with_modifiers(glfw, place, modifiers))


def key_name(glfw: Any, key: int, scancode: int) -> str:
    """Name of a key: what it types on this keyboard, or the name of its position; "" for modifiers and unknown keys."""
    if key == glfw.KEY_SPACE:
        return "space"
    written = glfw.get_key_name(key, scancode)
    if isinstance(written, bytes):
        written = written.decode("utf-8", "replace")
    if written and (written.isascii() or key == glfw.KEY_UNKNOWN):
        return written.lower()
    # a Cyrillic or Greek keyboard types no "q": the position of the key counts there
    return us_key_names(glfw).get(key, (written or "").lower())


@functools.cache
def us_key_names(glfw: Any) -> dict[int, str]:
    """Names of the keys of an American keyboard by glfw's key code, without modifiers; the same on every layout, so
    cached.
    """
    silent = ("SHIFT", "CONTROL", "ALT", "SUPER", "UNKNOWN", "LAST", "LOCK")
    names = {}
    for constant in dir(glfw):
        if constant.startswith("KEY_") and not any(word in constant for word in silent):
            name = constant.removeprefix("KEY_").lower().replace("_", "")
            names[getattr(glfw, constant)] = _TYPED.get(name, name)
    return names


def _with_modifiers(glfw: Any, name: str, modifiers: int) -> str:
    held = (("ctrl", glfw.MOD_CONTROL), ("alt", glfw.MOD_ALT), ("shift", glfw.MOD_SHIFT), ("super", glfw.MOD_SUPER))
    return "+".join([word for word, bit in held if modifiers & bit] + [name])
