"""Which key does which action: the defaults that the actions declare, replaced by those of keys.yaml in the config
folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from itertools import groupby
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, create_model, field_validator

from ..errors import nearest
from ..files.paths import config_folder
from ..files.yamlfile import read_settings
from .action import Action
from .actions import find_actions
from .capabilities import Capability

FILE_NAME = "keys.yaml"

#: keys that are written as a name
NAMED_KEYS = (
    *("space", "enter", "tab", "backspace", "escape", "insert", "delete", "home", "end", "pageup", "pagedown"),
    *("left", "right", "up", "down", "pause", "printscreen", "menu"),
    *(f"f{number}" for number in range(1, 26)),
)
MODIFIERS = ("ctrl", "alt", "shift", "super")
_OTHER_NAMES = {"esc": "escape", "return": "enter", "del": "delete", "ins": "insert", "cmd": "super", "control": "ctrl"}


def read_key(text: str) -> str:
    """The name that a window gives to a key as a user writes it ("Ctrl+Q", "esc", "["). Raises ValueError."""
    *held, key = re.split(r"\+(?=.)", text.strip().lower()) if text.strip() else [""]
    key, held = _OTHER_NAMES.get(key, key), [_OTHER_NAMES.get(word, word) for word in held]
    for word in held:
        if word not in MODIFIERS:
            raise ValueError(
                f"{text!r}: unknown modifier {word!r}{nearest(word, MODIFIERS)}; allowed: {', '.join(MODIFIERS)}"
            )
    if key not in NAMED_KEYS and not (len(key) == 1 and key.isprintable() and not key.isspace()):
        raise ValueError(
            f"unknown key {text!r}{nearest(key, NAMED_KEYS)}; "
            f"allowed: what the key writes (a, 1, [), {', '.join(NAMED_KEYS[:18])}, f1 .. f25, with ctrl+ alt+ shift+ super+ before"
        )
    return "+".join([*(word for word in MODIFIERS if word in held), key])


class Keymap:
    """Which key does which action.

    keys: for some actions, the keys in place of the defaults (of keys named twice the last one counts). actions: all
    there are.
    """

    def __init__(
        self, keys: Mapping[str, tuple[str, ...]] | None = None, actions: Mapping[str, Action] | None = None
    ) -> None:
        own = keys or {}
        taken = {key for asked in own.values() for key in asked}
        self._keys = {
            name: own.get(name, tuple(key for key in action.keys if key not in taken))
            for name, action in (actions or find_actions()).items()
        }
        self._actions = {key: name for name, of_action in self._keys.items() for key in of_action}

    def action(self, names: Iterable[str]) -> str | None:
        """The action of a key. names: what the key is called, the first one that has an action counts. None without
        an action.
        """
        return next((self._actions[name] for name in names if name in self._actions), None)

    def keys_of(self, action: str) -> tuple[str, ...]:
        """The keys of an action, the main one first; empty if keys.yaml gives it none."""
        return self._keys[action]

    def shown(self, action: str) -> str:
        """The keys of an action for people: "F, F11"; "" if it has none."""
        return ", ".join(shown(key) for key in self._keys[action])


def shown(key: str) -> str:
    """The name of a key for people: "ctrl+q" -> "Ctrl+Q", "pageup" -> "Page up"."""
    words = {"pageup": "Page up", "pagedown": "Page down", "escape": "Esc", "printscreen": "Print"}
    *held, last = re.split(r"\+(?=.)", key)
    return "+".join([*(word.capitalize() for word in held), words.get(last, last.capitalize())])


def help_lines(
    keymap: Keymap, capabilities: Collection[Capability], actions: Mapping[str, Action] | None = None
) -> list[str]:
    """The keys, one line for each thing they do, "KEYS<tab>what". capabilities: of the source; actions that need
    another are left out. actions: those of the keymap; all there are if None.
    """
    lines = []
    for line in help_groups(actions or find_actions()):
        first = line[0]
        if first.needs is not None and first.needs not in capabilities:
            continue
        words = (
            first.help_paused if first.help_paused and Capability.PAUSE in capabilities else first.line or first.help
        )
        if keys := _together([keymap.shown(one.name) for one in line]):
            lines.append(f"{keys}\t{words}")
    return lines


def help_groups(actions: Mapping[str, Action]) -> list[list[Action]]:
    """The actions in the order of help, those of one line together."""
    return [list(group) for _, group in groupby(actions.values(), lambda one: one.line or one.name)]


def _together(keys: list[str]) -> str:
    """The keys of several actions: "Left, Right", "1 .. 9", "[   ]"."""
    if keys == [str(number) for number in range(1, 10)]:
        return "1 .. 9"
    keys = [key for key in keys if key]
    are_signs = all(len(key) == 1 and not key.isalnum() for key in keys)
    return ("   " if are_signs else ", ").join(keys)


def load_keys() -> Keymap:
    """The keys of this user: the defaults, and what keys.yaml says. Raises BadInput with FILE:LINE for errors in it."""
    path = config_folder() / FILE_NAME
    try:
        exists = os.path.lexists(path)
    except (OSError, ValueError):
        exists = False
    if not exists:
        return Keymap()
    read = read_settings(path, _keys_file()).model_dump(exclude_none=True)
    return Keymap(read)


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _keys_exist(cls, asked: Any, info: ValidationInfo) -> tuple[str, ...]:
        """`f`, `[f, f11]`, or `[]` for none. A digit is a key too, although YAML reads it as a number."""
        listed = asked if isinstance(asked, list) else [asked]
        keys = []
        for one in listed:
            if isinstance(one, bool) or not isinstance(one, str | int):
                raise ValueError(f"needs a key or a list of keys, like f or [f, f11]; [] for none{_quote_hint(one)}")
            keys.append(read_key(str(one)))
        for action, others in info.data.items():
            for key in set(keys) & set(others or ()):
                raise ValueError(f"the key {key!r} is already used for {action}; a key can have only one action")
        return tuple(keys)


def _quote_hint(value: Any) -> str:
    return '; in YAML some characters need quotes: "~"' if value is None else ""


@cache
def _keys_file() -> type[BaseModel]:
    """What keys.yaml may hold: a key for every action."""
    fields: dict[str, Any] = {name: (tuple[str, ...] | None, Field(default=None)) for name in find_actions()}
    return create_model("KeysSettings", __base__=_Checked, **fields)
