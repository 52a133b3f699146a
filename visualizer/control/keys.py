"""What each key does: the defaults, and what keys.yaml in the config folder puts in their place."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, create_model, field_validator

from ..errors import nearest
from ..files.paths import config_folder
from ..files.yamlfile import read_settings

FILE_NAME = "keys.yaml"

#: every action with its keys, in the order in which help shows them
DEFAULT_KEYS: dict[str, tuple[str, ...]] = {
    "help": ("h", "f1"),
    "fullscreen": ("f", "f11"),
    "next_monitor": ("shift+f",),
    "leave_fullscreen": ("escape",),
    "quit": ("ctrl+q",),
    "lock": ("l",),
    "screenshot": ("s",),
    "blackout": ("b",),
    "freeze": ("space",),
    "panel": ("o",),
    "next_preset": ("n",),
    "previous_preset": ("p",),
    **{f"preset_{number}": (str(number),) for number in range(1, 10)},
    "sensitivity_up": ("up",),
    "sensitivity_down": ("down",),
    "reset": ("backspace",),
    "tap": ("t",),
    "tempo_half": ("[",),
    "tempo_double": ("]",),
    "next_input": ("i",),
    "volume_up": ("+", "="),
    "volume_down": ("-",),
    "mute": ("m",),
    "seek_back": ("left",),
    "seek_forward": ("right",),
    "previous_song": ("shift+left",),
    "next_song": ("shift+right",),
}
#: keys that have a name and not a sign
NAMED_KEYS = (
    *("space", "enter", "tab", "backspace", "escape", "insert", "delete", "home", "end", "pageup", "pagedown"),
    *("left", "right", "up", "down", "pause", "printscreen", "menu"),
    *(f"f{number}" for number in range(1, 26)),
)
MODIFIERS = ("ctrl", "alt", "shift", "super")
_OTHER_NAMES = {"esc": "escape", "return": "enter", "del": "delete", "ins": "insert", "cmd": "super", "control": "ctrl"}


def read_key(text: str) -> str:
    """A key as a user writes it ("Ctrl+Q", "esc", "[") by the name that a window gives it. Raises ValueError."""
    *held, key = re.split(r"\+(?=.)", text.strip().lower()) if text.strip() else [""]
    key, held = _OTHER_NAMES.get(key, key), [_OTHER_NAMES.get(word, word) for word in held]
    for word in held:
        if word not in MODIFIERS:
            raise ValueError(
                f"{text!r}: there is no modifier {word!r}{nearest(word, MODIFIERS)}; allowed: {', '.join(MODIFIERS)}"
            )
    if key not in NAMED_KEYS and not (len(key) == 1 and key.isprintable() and not key.isspace()):
        raise ValueError(
            f"there is no key {text!r}{nearest(key, NAMED_KEYS)}; "
            f"allowed: what the key writes (a, 1, [), {', '.join(NAMED_KEYS[:18])}, f1 .. f25, with ctrl+ alt+ shift+ super+ before"
        )
    return "+".join([*(word for word in MODIFIERS if word in held), key])


class Keymap:
    """Which key does what. keys: for actions, the keys instead of the defaults (of keys named twice the last one counts)."""

    def __init__(self, keys: dict[str, tuple[str, ...]] | None = None) -> None:
        own = keys or {}
        taken = {key for asked in own.values() for key in asked}
        self._keys = {
            action: own.get(action, tuple(key for key in default if key not in taken))
            for action, default in DEFAULT_KEYS.items()
        }
        self._actions = {key: action for action, of_action in self._keys.items() for key in of_action}

    def action(self, names: Iterable[str]) -> str | None:
        """What a key does, called by any of these names, the first that has a meaning; None if nothing."""
        return next((self._actions[name] for name in names if name in self._actions), None)

    def keys_of(self, action: str) -> tuple[str, ...]:
        """The keys of an action, the main one first; none if the user took them away."""
        return self._keys[action]

    def shown(self, action: str) -> str:
        """The keys of an action for reading: "F, F11"; "" if it has none."""
        return ", ".join(shown(key) for key in self._keys[action])


def shown(key: str) -> str:
    """A key for reading: "ctrl+q" -> "Ctrl+Q", "pageup" -> "Page up"."""
    words = {"pageup": "Page up", "pagedown": "Page down", "escape": "Esc", "printscreen": "Print"}
    *held, last = re.split(r"\+(?=.)", key)
    return "+".join([*(word.capitalize() for word in held), words.get(last, last.capitalize())])


def load_keys() -> Keymap:
    """The keys of this user: the defaults, and what keys.yaml says. Raises BadInput with FILE:LINE for faults in it."""
    path = config_folder() / FILE_NAME
    try:
        exists = os.path.lexists(path)
    except (OSError, ValueError):
        exists = False
    if not exists:
        return Keymap()
    read = read_settings(path, _KeysFile)
    return Keymap({action: keys for action in DEFAULT_KEYS if (keys := getattr(read, action)) is not None})


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _keys_exist(cls, asked: Any, info: ValidationInfo) -> tuple[str, ...]:
        """`f`, `[f, f11]`, or `[]` for none. A digit is a key too, although YAML reads it as a number."""
        told = asked if isinstance(asked, list) else [asked]
        keys = []
        for one in told:
            if isinstance(one, bool) or not isinstance(one, str | int):
                raise ValueError(f"needs a key or a list of keys, like f or [f, f11]; [] for none{_quote_hint(one)}")
            keys.append(read_key(str(one)))
        for action, others in info.data.items():
            for key in set(keys) & set(others or ()):
                raise ValueError(f"the key {key!r} is given to {action} already; a key does one thing")
        return tuple(keys)


def _quote_hint(value: Any) -> str:
    return '; in YAML some signs need quotes: "~"' if value is None else ""


_KeysFile: type[BaseModel] = create_model(
    "KeysSettings",
    __base__=_Checked,
    **{action: (tuple[str, ...] | None, Field(default=None)) for action in DEFAULT_KEYS},  # type: ignore[call-overload]
)
