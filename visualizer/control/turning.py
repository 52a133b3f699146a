"""One bound control: what its movements command for. Pure: values and time are handed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .bindings import PRESET, Binding
from .commands import Act, Change, Set, ShowPreset
from .parameters import Parameter

#: how a show stands: the value of each setting by its name
Values = Mapping[str, float | str]
# A knob has hold of a value this near to its place, of its whole way: one and a half of 127 steps.
NEAR = 1.5 / 127
# So long after it was turned a value that is told may still be the one before, seconds.
IN_FLIGHT_S = 0.5
# An endless knob goes through the whole range in so many steps.
STEPS = 127
# presets that have an action of their own
N_NUMBERED = 9


def preset_change(number: int, presets: Sequence[str]) -> Change | None:
    """The command for the preset of a number, 1 is the first; None if there is no such. presets: their names, as far as known."""
    if 1 <= number <= len(presets):
        return ShowPreset(presets[number - 1])
    return Act(f"preset_{number}") if not presets and 1 <= number <= N_NUMBERED else None


class Turning:
    """What one bound control does, movement by movement. pickup: whether a knob waits until it passes the value."""

    def __init__(self, binding: Binding, *, pickup: bool = True) -> None:
        self.binding = binding
        self._parameter = binding.parameter
        self._low, self._high = binding.shares
        self._pickup = pickup if binding.pickup is None else binding.pickup
        self._is_pressed = False
        self._is_held = False  # on, until the control is released
        self._place: float | None = None  # of the knob, on the setting's slider
        self._holds = False
        self._set: float | str | None = None  # what it was turned to by this control
        self._set_s = -IN_FLIGHT_S
        self._share = 0.0  # an endless knob's, finer than the value where that is whole

    @property
    def is_knob(self) -> bool:
        """Whether it follows the control's place, and not its being pressed."""
        one = self._parameter
        return one is not None and one.kind != "switch" and self.binding.value is None

    def press(self, number: int = 0, presets: Sequence[str] = ()) -> list[Change]:
        """It was pressed. number, 0 the first: of the program sent, for a binding to presets by number."""
        binding = self.binding
        if binding.value is not None:
            return [Set(binding.does, binding.value)]
        if binding.hold:
            self._is_held = True
            return [Set(binding.does, 1.0)]
        if binding.does == PRESET:
            command = preset_change(number + 1, presets)
            return [] if command is None else [command]
        if binding.does.startswith(f"{PRESET}:"):
            return [ShowPreset(binding.does.partition(":")[2].strip())]
        return [] if self.is_knob else [Act(binding.does)]

    def release(self) -> list[Change]:
        """It was released."""
        self._is_held = False
        return [Set(self.binding.does, 0.0)] if self.binding.hold else []

    def lose(self) -> list[Change]:
        """It is gone: unplugged, or bound to something else. Where it stood is forgotten, and what it holds is released."""
        self._is_pressed = self._holds = False
        self._place = None
        return self.release() if self._is_held else []

    def button(self, is_pressed: bool) -> list[Change]:
        """It tells whether it is pressed, perhaps again."""
        before, self._is_pressed = self._is_pressed, is_pressed
        if is_pressed == before:
            return []
        return self.press() if is_pressed else self.release()

    def turn(self, share: float, values: Values, now_s: float) -> list[Change]:
        """It is at `share` 0..1 of its way. Nothing is asked for until it has taken hold of the value."""
        one = self._parameter
        if one is None:
            return []
        before, self._place = self._place, self._low + share * (self._high - self._low)
        if self._pickup and not self._has_hold(one, before, self._place, values, now_s):
            return []
        return self._wish(one, self._place, now_s)

    def step(self, n_steps: int, values: Values, now_s: float) -> list[Change]:
        """An endless knob was turned by so many steps, from whatever the value is."""
        one = self._parameter
        if one is None or n_steps == 0:
            return []
        current = self._current(one, values, now_s)
        if current is not None and current != self._set:
            self._share = one.share_of(current)
        size = 1 / STEPS
        if one.kind == "choice":
            size = 1 / len(one.choices)
        elif one.kind == "switch":
            size = 1.0
        elif one.kind == "whole":
            size = max(size, 1 / max(1.0, one.high - one.low))
        low, high = min(self._low, self._high), max(self._low, self._high)
        self._share = min(max(self._share + n_steps * size, low), high)
        return self._wish(one, self._share, now_s)

    def _wish(self, one: Parameter, share: float, now_s: float) -> list[Change]:
        self._set, self._set_s = one.at(share), now_s
        return [Set(one.name, self._set)]

    def _has_hold(self, one: Parameter, before: float | None, place: float, values: Values, now_s: float) -> bool:
        """Whether the knob turns the value: it does once it was at the value or passed it, until something else changes that."""
        current = self._current(one, values, now_s)
        if current is None:
            self._holds = True
            return True
        low, high = min(self._low, self._high), max(self._low, self._high)
        share = one.share_of(current)
        near = NEAR * (high - low) + 1e-9
        if self._holds and self._set is not None and current != self._set:
            self._holds = abs(share - one.share_of(self._set)) <= near
        if not self._holds:
            share = min(max(share, low), high)  # a value that the knob does not reach is taken at its end
            passed = before is not None and (before - share) * (place - share) <= 0
            self._holds = passed or abs(place - share) <= near or one.at(place) == current
        return self._holds

    def _current(self, one: Parameter, values: Values, now_s: float) -> float | str | None:
        """The value as it stands: what this control has just set, else what was told; None if that is not known."""
        told = values.get(one.name)
        if self._set is not None and now_s - self._set_s < IN_FLIGHT_S:
            return self._set
        return told
