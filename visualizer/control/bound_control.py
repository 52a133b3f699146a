"""One bound control: the changes that its movements ask for. Pure: the state of the show and the time are arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .bindings import Binding
from .commands import Act, Change, Set, ShowPreset
from .parameters import Parameter, Parameters, Value, base_parameters
from .targets import PRESET

# A knob has picked up a value that is this near to its position, as a fraction of its range: one and a half of 127
# steps.
NEAR = 1.5 / 127
# For so long after a control has set a value, the value reported by the show may still be the one before, seconds.
IN_FLIGHT_S = 0.5
# An endless knob goes through the whole range in so many steps.
STEPS = 127
# presets that have an action of their own
N_NUMBERED = 9


@dataclass(frozen=True)
class ShowInfo:
    """What controls need to know of a show. values: of its parameters, as far as known; presets: their names in
    order, () if unknown.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    presets: tuple[str, ...] = ()
    parameters: Parameters = field(default_factory=base_parameters)


def preset_change(number: int, presets: tuple[str, ...]) -> Change | None:
    """The change to the preset of a number, 1 is the first; None if there is none. presets: their names, () if
    unknown.
    """
    if 1 <= number <= len(presets):
        return ShowPreset(presets[number - 1])
    return Act(f"preset_{number}") if not presets and 1 <= number <= N_NUMBERED else None


class BoundControl:
    """What one bound control does, movement by movement. pickup: whether a knob has no effect until it passes the
    value.
    """

    def __init__(self, binding: Binding, *, pickup: bool = True) -> None:
        self.binding = binding
        self._pickup = pickup if binding.pickup is None else binding.pickup
        self._is_pressed = False
        self._is_held = False  # a switch is on until this control is released
        self._position: float | None = None  # of the knob, on the parameter's slider
        self._has_value = False  # the knob has picked up the value
        self._set: Value | None = None  # what this control has set
        self._set_s = -IN_FLIGHT_S
        self._share = 0.0  # of an endless knob, finer than a value that is a whole number

    def is_knob(self, show: ShowInfo) -> bool:
        """Whether it follows the position of the control, and not whether it is pressed."""
        one = show.parameters.get(self.binding.does)
        return one is not None and one.kind != "switch" and self.binding.value is None

    def press(self, show: ShowInfo, number: int = 0) -> list[Change]:
        """The control was pressed. number: of the program sent, 0 is the first, for a binding to presets by number."""
        binding = self.binding
        if binding.value is not None:
            return [Set(binding.does, binding.value)]
        if binding.hold:
            self._is_held = True
            return [Set(binding.does, 1.0)]
        if binding.does == PRESET:
            change = preset_change(number + 1, show.presets)
            return [] if change is None else [change]
        if binding.does.startswith(f"{PRESET}:"):
            return [ShowPreset(binding.does.partition(":")[2].strip())]
        one = show.parameters.get(binding.does)
        if one is not None and one.section:  # no action toggles these
            is_on = show.values.get(one.name) == 1.0
            return [Set(one.name, float(not is_on))] if one.kind == "switch" else []
        return [] if binding.is_of_look else [Act(binding.does)]

    def release(self) -> list[Change]:
        """The control was released."""
        self._is_held = False
        return [Set(self.binding.does, 0.0)] if self.binding.hold else []

    def disconnect(self) -> list[Change]:
        """The control was unplugged or bound to something else: forget its position, and release what it holds."""
        self._is_pressed = self._has_value = False
        self._position = None
        return self.release() if self._is_held else []

    def button(self, is_pressed: bool, show: ShowInfo) -> list[Change]:
        """The control reported whether it is pressed, perhaps once more."""
        before, self._is_pressed = self._is_pressed, is_pressed
        if is_pressed == before:
            return []
        return self.press(show) if is_pressed else self.release()

    def turn(self, share: float, show: ShowInfo, now_s: float) -> list[Change]:
        """The control is at a position 0..1 of its way. Asks for nothing until it has picked up the value."""
        one = show.parameters.get(self.binding.does)
        if one is None:
            return []
        low, high = self.binding.shares(one)
        before, self._position = self._position, low + share * (high - low)
        if self._pickup and not self._picks_up(one, before, self._position, show, now_s):
            return []
        return self._change(one, self._position, now_s)

    def step(self, n_steps: int, show: ShowInfo, now_s: float) -> list[Change]:
        """An endless knob was turned by so many steps, from the present value."""
        one = show.parameters.get(self.binding.does)
        if one is None or n_steps == 0:
            return []
        current = self._current(one, show, now_s)
        if current is not None and current != self._set:
            self._share = one.share_of(current)
        size = 1 / STEPS
        if one.kind == "choice":
            size = 1 / len(one.choices)
        elif one.kind == "switch":
            size = 1.0
        elif one.kind == "whole":
            size = max(size, 1 / max(1.0, one.high - one.low))
        low, high = sorted(self.binding.shares(one))
        self._share = min(max(self._share + n_steps * size, low), high)
        return self._change(one, self._share, now_s)

    def _change(self, one: Parameter, share: float, now_s: float) -> list[Change]:
        self._set, self._set_s = one.at(share), now_s
        return [Set(one.name, self._set)]

    def _picks_up(self, one: Parameter, before: float | None, position: float, show: ShowInfo, now_s: float) -> bool:
        """Whether the knob sets the value: from when it was at the value or passed it, until something else changes
        the value.
        """
        current = self._current(one, show, now_s)
        if current is None:
            self._has_value = True
            return True
        low, high = sorted(self.binding.shares(one))
        share = one.share_of(current)
        near = NEAR * (high - low) + 1e-9
        if self._has_value and self._set is not None and current != self._set:
            self._has_value = abs(share - one.share_of(self._set)) <= near
        if not self._has_value:
            share = min(max(share, low), high)  # a value outside the knob's part is picked up at the nearer end
            passed = before is not None and (before - share) * (position - share) <= 0
            self._has_value = passed or abs(position - share) <= near or one.at(position) == current
        return self._has_value

    def _current(self, one: Parameter, show: ShowInfo, now_s: float) -> Value | None:
        """The present value: what this control has just set, otherwise what the show reported; None if that is
        unknown.
        """
        if self._set is not None and now_s - self._set_s < IN_FLIGHT_S:
            return self._set
        return show.values.get(one.name)
