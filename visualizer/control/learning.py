"""Learning: which control was just moved. Pure: the movements are arguments."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import ValidationError

from .actions import find_actions
from .bindings import MidiBinding, OscBinding, check_address
from .mapping import Moved
from .oscbytes import OscValue
from .parameters import base_parameters
from .targets import PRESET

# Control changes from this number on are channel mode messages, like "all notes off".
FIRST_MODE = 120
BEND_CENTRE = 8192
MIDI_FULL = 127.0


class Learner:
    """Waits for a control to be moved. target: what it is to be bound to, "" while nothing is learned.

    Remembers the last value of every control, so that the first message of one shows whether it was moved.
    """

    def __init__(self) -> None:
        self.target = ""
        self._last: dict[tuple[str, int, int, str], int] = {}

    def midi(self, moved: Moved) -> MidiBinding | None:
        """The binding that a movement asks for, if something is being learned and this is a control for it."""
        key = (moved.kind, moved.number, moved.channel, moved.port)
        before = self._last.get(key, BEND_CENTRE if moved.kind == "bend" else None)
        self._last[key] = moved.value
        if not self.target:
            return None
        found: dict[str, object] = {"channel": moved.channel, "port": moved.port, "does": self.target}
        if moved.kind == "cc":
            if before is None or before == moved.value or moved.number >= FIRST_MODE:
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
        except ValidationError:  # a control that does not go with this target
            return None

    def osc(self, address: str, values: Sequence[OscValue]) -> OscBinding | None:
        """The binding that a message with a number asks for, if something is being learned."""
        if not self.target or not values or isinstance(values[0], str) or not math.isfinite(values[0]):
            return None
        full = 1.0 if values[0] <= 1 or self.target == PRESET else max(values[0], MIDI_FULL)
        try:
            check_address(address)
            return OscBinding.model_validate({"address": address, "does": self.target, "full": full})
        except (ValidationError, ValueError):
            return None


def sentence(binding: MidiBinding | OscBinding) -> str:
    """What was learned, for people: "CC 7 channel 1 of X now sets beat.sensitivity"."""
    does = binding.does
    if binding.is_knob:
        verb = "sets"
    elif does in base_parameters() or does in find_actions():
        verb = "does"
    else:
        verb, does = "shows", does.replace(f"{PRESET}:", "preset ") if does != PRESET else "the preset of its number"
    return f"{binding} now {verb} {does}"
