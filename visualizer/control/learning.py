"""Learning: which control was just moved. Pure: what is heard is handed in."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import ValidationError

from .actions import ACTIONS
from .bindings import PRESET, MidiBinding, OscBinding, check_address
from .mapping import Moved
from .oscbytes import Value
from .parameters import base_parameters

# Control changes from here on are no controls but orders, like "all notes off".
FIRST_ORDER = 120
BEND_RESTS = 8192
MIDI_FULL = 127.0


class Learner:
    """Waits for a control to be moved. target: what it is for, "" while nothing is learned.

    What controls told before is kept, so that one is known to have moved by its first word.
    """

    def __init__(self) -> None:
        self.target = ""
        self._last: dict[tuple[str, int, int, str], int] = {}

    def hear_midi(self, moved: Moved) -> MidiBinding | None:
        """The binding that a movement asks for, if something is being learned and this is a control for it."""
        key = (moved.kind, moved.number, moved.channel, moved.port)
        before = self._last.get(key, BEND_RESTS if moved.kind == "bend" else None)
        self._last[key] = moved.value
        if not self.target:
            return None
        found: dict[str, object] = {"channel": moved.channel, "port": moved.port, "does": self.target}
        if moved.kind == "cc":
            if before is None or before == moved.value or moved.number >= FIRST_ORDER:
                return None
            found["cc"] = moved.number
        elif moved.kind == "note":
            if moved.value == 0:
                return None
            found["note"] = moved.number
        elif moved.kind == "program":
            found["program"] = "any" if self.target == PRESET else moved.number
        else:
            if before == moved.value:
                return None
            found["bend"] = True
        try:
            return MidiBinding.model_validate(found)
        except ValidationError:  # not for this target: something else will be moved
            return None

    def hear_osc(self, address: str, told: Sequence[Value]) -> OscBinding | None:
        """The binding that a message with a number asks for, if something is being learned."""
        if not self.target or not told or isinstance(told[0], str) or not math.isfinite(told[0]):
            return None
        full = 1.0 if told[0] <= 1 or self.target == PRESET else max(told[0], MIDI_FULL)
        try:
            check_address(address)
            return OscBinding.model_validate({"address": address, "does": self.target, "full": full})
        except (ValidationError, ValueError):
            return None


def sentence(binding: MidiBinding | OscBinding) -> str:
    """What was learned, for reading: "CC 7 channel 1 of X now turns beat.sensitivity"."""
    does = binding.does
    if binding.parameter is not None and binding.parameter.kind != "switch":
        verb = "turns"
    elif does in base_parameters() or does in ACTIONS:
        verb = "does"
    else:
        verb, does = "shows", does.replace(f"{PRESET}:", "preset ") if does != PRESET else "the preset of its number"
    return f"{binding} now {verb} {does}"
