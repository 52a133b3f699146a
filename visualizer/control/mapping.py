"""MIDI messages to commands, by what the user bound. Pure: values and time are handed in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .bindings import MidiBinding
from .commands import Change
from .turning import Turning, Values

# A control change or bend is pressed from here on, and let go below; MIDI says so of pedals.
PRESSED = 64
BENT = 0.75
BEND_RANGE = 8192


class Moved(NamedTuple):
    """A control was moved. kind: "cc", "note", "program" or "bend"; number 0..127 (0 for the bend); channel 1..16;
    value: 0..127, of the bend 0..16383, of a note its velocity (0: let go), of a program its number."""

    kind: str
    number: int
    channel: int
    value: int
    port: str

    @property
    def share(self) -> float:
        """The place of a knob, 0..1."""
        return self.value / (2 * BEND_RANGE - 1 if self.kind == "bend" else 127)

    def __str__(self) -> str:
        """For reading: "CC 7 channel 1 = 64 of nanoKONTROL2"."""
        name = {"cc": f"CC {self.number}", "bend": "pitch bend", "program": "program"}.get(
            self.kind, f"note {self.number}"
        )
        return f"{name} channel {self.channel} = {self.value} of {self.port}"


class MidiMapping:
    """What the bound controls do. Not for several threads at once."""

    def __init__(self, bindings: Iterable[MidiBinding] = ()) -> None:
        self._heards: list[_Heard] = []
        self._of: dict[tuple[str, int, int, str], list[_Heard]] = {}  # for each control that has been moved
        self.rebind(bindings)

    @property
    def bindings(self) -> tuple[MidiBinding, ...]:
        """What is bound."""
        return tuple(heard.binding for heard in self._heards)

    def rebind(self, bindings: Iterable[MidiBinding]) -> list[Change]:
        """Bind other controls. Those bound as before keep their state; what the others hold is released by the commands returned."""
        before = {heard.binding: heard for heard in self._heards}
        self._heards = [before.pop(binding) if binding in before else _Heard(binding) for binding in bindings]
        self._of = {}
        return [command for heard in before.values() for command in heard.turning.lose()]

    def lose(self, port: str) -> list[Change]:
        """A port is gone. What its controls hold is released by the commands returned."""
        return [command for heard in self._heards if heard.port == port for command in heard.turning.lose()]

    def hear(self, moved: Moved, values: Values, presets: Sequence[str], now_s: float) -> list[Change]:
        """What a movement asks for. values: how the show stands; presets: names in order; now_s: seconds that never go back."""
        return [command for heard in self._heard(moved) for command in heard.hear(moved, values, presets, now_s)]

    def targets(self, moved: Moved) -> list[str]:
        """What the control that was moved is bound to."""
        return [heard.binding.does for heard in self._heard(moved)]

    def _heard(self, moved: Moved) -> list[_Heard]:
        key = (moved.kind, moved.number, moved.channel, moved.port)
        found = self._of.get(key)
        if found is None:
            found = self._of[key] = [heard for heard in self._heards if _means(heard.binding, moved)]
        return found


def _means(binding: MidiBinding, moved: Moved) -> bool:
    kind, number = binding.control
    numbers = (number, number + 32) if binding.fine and number is not None else (number,)
    return (
        kind == moved.kind
        and (number is None or moved.number in numbers)
        and binding.channel in (None, moved.channel)
        and binding.port.lower() in moved.port.lower()
    )


class _Heard:
    """A binding's turning, and what of MIDI it must remember."""

    def __init__(self, binding: MidiBinding) -> None:
        self.binding = binding
        # a knob stands somewhere; a pad that is hit does not
        self.turning = Turning(binding, pickup=binding.control[0] in ("cc", "bend"))
        self.port = ""  # that moved it last
        self._upper = 0  # of 14 bits

    def hear(self, moved: Moved, values: Values, presets: Sequence[str], now_s: float) -> list[Change]:
        binding, turning, self.port = self.binding, self.turning, moved.port
        if moved.kind == "program":
            return turning.turn(moved.share, values, now_s) if turning.is_knob else turning.press(moved.number, presets)
        if moved.kind == "note":
            if turning.is_knob:  # how hard it was hit
                return turning.turn(moved.share, values, now_s) if moved.value else []
            return turning.press() if moved.value else turning.release()
        if binding.relative is not None:
            return turning.step(_steps(binding.relative, moved.value), values, now_s)
        share = moved.share
        if binding.fine:
            if moved.number == binding.cc:
                self._upper = moved.value
                share = moved.value / 127 if not turning.is_knob else (moved.value << 7) / 16383
            else:
                share = (self._upper << 7 | moved.value) / 16383
        if turning.is_knob:
            return turning.turn(share, values, now_s)
        return turning.button(share >= (BENT if moved.kind == "bend" else PRESSED / 127))


def _steps(relative: str, value: int) -> int:
    """How far an endless knob was turned."""
    if relative == "twos":
        return value if value < 64 else value - 128
    if relative == "offset":
        return value - 64
    return value if value < 64 else 64 - value
