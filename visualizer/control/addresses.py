"""OSC messages to changes of the show: the addresses under /visualizer/, and those that the user bound. Pure: state
and time are arguments.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from ..errors import BadInput, nearest
from ..oneline import preset_label
from .actions import find_actions
from .bindings import OscBinding
from .bound_control import BoundControl, ShowInfo, preset_change
from .commands import Act, Change, Set, ShowPreset
from .oscbytes import OscValue
from .targets import PRESET

ROOT = "/visualizer"
PRESSED = 0.5


class Unusable(ValueError):
    """A message that cannot be used: its address or its value."""


class OscMapping:
    """What addresses do. For one thread at a time."""

    def __init__(self, bindings: Iterable[OscBinding] = ()) -> None:
        self._controls: dict[str, BoundControl] = {}
        self.rebind(bindings)

    def rebind(self, bindings: Iterable[OscBinding]) -> list[Change]:
        """Replace the bindings. Those bound as before keep their state; the changes returned release what the others
        hold.
        """
        before = {control.binding: control for control in self._controls.values()}
        # no pickup: a fader on a touch screen is put where it is touched
        controls = [before.pop(one) if one in before else BoundControl(one, pickup=False) for one in bindings]
        self._controls = {str(one.binding): one for one in controls}
        return [change for control in before.values() for change in control.disconnect()]

    def changes(self, address: str, values: Sequence[OscValue], show: ShowInfo, now_s: float) -> list[Change]:
        """The changes that a message asks for. Raises Unusable."""
        control = self._controls.get(address)
        if control is not None:
            return _bound(control, address, values, show, now_s)
        if not address.startswith(f"{ROOT}/"):
            raise Unusable(f"{address} is not bound to anything")
        actions = find_actions()
        for action in actions.values():
            if address in (action.address, f"{ROOT}/action/{action.name}"):
                if action.ends_show:
                    raise Unusable(f"{address} cannot end a show; bind an address of your own to {action.name}")
                return _switch(action.name, values, show) or _press(action.name, values)
        head, _, rest = address.removeprefix(f"{ROOT}/").partition("/")
        name = rest.replace("/", ".")
        if head in show.parameters.switches and not rest:
            return _switch(head, values, show) or _press(head, values)
        if head == "action":
            raise Unusable(f"unknown action {name!r}{nearest(name, actions)}")
        if head in ("set", "share"):
            return _set(name, values, show, is_share=head == "share")
        if head == PRESET and not rest:
            return _preset(values, show)
        raise Unusable(f"unknown address {address}")


def _bound(
    control: BoundControl, address: str, values: Sequence[OscValue], show: ShowInfo, now_s: float
) -> list[Change]:
    binding, is_knob = control.binding, control.is_knob(show)
    if binding.does == PRESET:
        return _preset(values, show)
    if not values:
        return [] if is_knob else control.press(show)
    full = binding.full if isinstance(binding, OscBinding) else 1.0
    share = _number(values) / full
    if not -1e-6 <= share <= 1 + 1e-6:
        raise Unusable(f"{address}: {values[0]:g} is out of range; allowed: 0 .. {full:g}")
    share = min(max(share, 0.0), 1.0)
    return control.turn(share, show, now_s) if is_knob else control.button(share >= PRESSED, show)


def _number(values: Sequence[OscValue]) -> float:
    """The first value. Raises Unusable unless it is a number, and finite."""
    if not values or isinstance(values[0], str):
        raise Unusable("needs a number")
    if not math.isfinite(values[0]):
        raise Unusable(f"{values[0]} is not a finite number")
    return values[0]


def _press(action: str, values: Sequence[OscValue]) -> list[Change]:
    """Buttons send 1 when pressed and 0 when released; some send nothing."""
    return [Act(action)] if not values or _number(values) != 0 else []


def _switch(name: str, values: Sequence[OscValue], show: ShowInfo) -> list[Change]:
    """A switch set to the value sent; nothing if none is sent, or this is no switch."""
    if name not in show.parameters.switches or not values:
        return []
    return [Set(name, float(_number(values) != 0))]


def _set(name: str, values: Sequence[OscValue], show: ShowInfo, *, is_share: bool) -> list[Change]:
    try:
        one = show.parameters.find(name)
        if not values:
            raise Unusable(f"{name} needs a value")
        if not is_share:
            return [Set(name, one.checked(values[0] if one.kind == "choice" else _number(values)))]
    except BadInput as fault:
        raise Unusable(str(fault)) from None
    share = _number(values)
    if not 0 <= share <= 1:
        raise Unusable(f"{name}: {share:g} is out of range; allowed: 0 .. 1")
    return [Set(name, one.at(share))]


def _preset(values: Sequence[OscValue], show: ShowInfo) -> list[Change]:
    if values and isinstance(values[0], str):
        wanted, presets = values[0], show.presets
        names = [preset_label(preset) for preset in presets]  # one given as a folder is listed by its path
        if presets and wanted not in (*presets, *names):
            raise Unusable(f"unknown preset {wanted[:60]!r}{nearest(wanted, names)}")
        return [ShowPreset(wanted)]
    number = _number(values)
    change = preset_change(int(number), show.presets) if number == int(number) else None
    if change is None:
        raise Unusable(f"there is no preset {number:g}")
    return [change]
