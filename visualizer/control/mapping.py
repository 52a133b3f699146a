"""MIDI messages to changes of the show, by what the user bound. Pure: the state of the show and the time are
arguments.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .bindings import MidiBinding
from .bound_control import BoundControl, ShowInfo
from .commands import Change

# A control change counts as pressed from this value on, as MIDI defines for pedals; a bend from this fraction of its
# range.
PRESSED = 64
BENT = 0.75
BEND_RANGE = 8192


class Moved(NamedTuple):
    """A control was moved. kind: "cc", "note", "program" or "bend"; number 0..127 (0 for the bend); channel 1..16;
    value: 0..127, of the bend 0..16383, of a note its velocity (0: released), of a program its number."""

    kind: str
    number: int
    channel: int
    value: int
    port: str

    @property
    def share(self) -> float:
        """The position of a knob, 0..1."""
        return self.value / (2 * BEND_RANGE - 1 if self.kind == "bend" else 127)

    def __str__(self) -> str:
        """For people: "CC 7 channel 1 = 64 of nanoKONTROL2"."""
        name = {"cc": f"CC {self.number}", "bend": "pitch bend", "program": "program"}.get(
            self.kind, f"note {self.number}"
        )
        return f"{name} channel {self.channel} = {self.value} of {self.port}"


class MidiMapping:
    """What the bound controls do. For one thread at a time."""

    def __init__(self, bindings: Iterable[MidiBinding] = ()) -> None:
        self._controls: list[_MidiControl] = []
        self._of: dict[tuple[str, int, int, str], list[_MidiControl]] = {}  # by each control that was moved
        self.rebind(bindings)

    @property
    def bindings(self) -> tuple[MidiBinding, ...]:
        """What is bound."""
        return tuple(one.binding for one in self._controls)

    def rebind(self, bindings: Iterable[MidiBinding]) -> list[Change]:
        """Replace the bindings. Those bound as before keep their state; the changes returned release what the others
        hold.
        """
        before = {one.binding: one for one in self._controls}
        self._controls = [before.pop(binding) if binding in before else _MidiControl(binding) for binding in bindings]
        self._of = {}
        return [change for one in before.values() for change in one.control.disconnect()]

    def disconnect(self, port: str) -> list[Change]:
        """A port was unplugged. The changes returned release what its controls hold."""
        return [change for one in self._controls if one.port == port for change in one.control.disconnect()]

    def changes(self, moved: Moved, show: ShowInfo, now_s: float) -> list[Change]:
        """The changes that a movement asks for. now_s: seconds that never go back."""
        return [change for one in self._bound_to(moved) for change in one.changes(moved, show, now_s)]

    def targets(self, moved: Moved) -> list[str]:
        """The targets of the control that was moved."""
        return [one.binding.does for one in self._bound_to(moved)]

    def _bound_to(self, moved: Moved) -> list[_MidiControl]:
        key = (moved.kind, moved.number, moved.channel, moved.port)
        found = self._of.get(key)
        if found is None:
            found = self._of[key] = [one for one in self._controls if _matches(one.binding, moved)]
        return found


def _matches(binding: MidiBinding, moved: Moved) -> bool:
    kind, number = binding.control
    numbers = (number, number + 32) if binding.fine and number is not None else (number,)
    return (
        kind == moved.kind
        and (number is None or moved.number in numbers)
        and binding.channel in (None, moved.channel)
        and binding.port.lower() in moved.port.lower()
    )


class _MidiControl:
    """A bound control, and the MIDI state that it needs: the port, and the upper half of a 14-bit value."""

    def __init__(self, binding: MidiBinding) -> None:
        self.binding = binding
        # a knob has a position; a pad that is hit has none
        self.control = BoundControl(binding, pickup=binding.control[0] in ("cc", "bend"))
        self.port = ""  # that moved it last
        self._upper = 0  # of 14 bits

    def changes(self, moved: Moved, show: ShowInfo, now_s: float) -> list[Change]:
        binding, control, self.port = self.binding, self.control, moved.port
        is_knob = control.is_knob(show)
        if moved.kind == "program":
            return control.turn(moved.share, show, now_s) if is_knob else control.press(show, moved.number)
        if moved.kind == "note":
            if is_knob:  # how hard it was hit
                return control.turn(moved.share, show, now_s) if moved.value else []
            return control.press(show) if moved.value else control.release()
        if binding.relative is not None:
            return control.step(_steps(binding.relative, moved.value), show, now_s)
        share = moved.share
        if binding.fine:
            if moved.number == binding.cc:
                self._upper = moved.value
                share = moved.value / 127 if not is_knob else (moved.value << 7) / 16383
            else:
                share = (self._upper << 7 | moved.value) / 16383
        if is_knob:
            return control.turn(share, show, now_s)
        return control.button(share >= (BENT if moved.kind == "bend" else PRESSED / 127), show)


def _steps(relative: str, value: int) -> int:
    """The number of steps that an endless knob was turned."""
    if relative == "twos":
        return value if value < 64 else value - 128
    if relative == "offset":
        return value - 64
    return value if value < 64 else 64 - value
