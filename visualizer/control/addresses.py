"""OSC messages to commands: our own addresses, and those that the user bound. Pure: values and time are handed in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from ..errors import BadInput, nearest
from .actions import ACTIONS, ENDING
from .bindings import PRESET, OscBinding
from .commands import Act, Change, Set, ShowPreset
from .oscbytes import Value
from .parameters import base_parameters
from .turning import Turning, Values, preset_change

ROOT = "/visualizer"
PRESSED = 0.5
SWITCHES = ("blackout", "freeze", "lock")


class Unusable(ValueError):
    """A message that means nothing here: its address or its value."""


class OscMapping:
    """What addresses do. Not for several threads at once."""

    def __init__(self, bindings: Iterable[OscBinding] = ()) -> None:
        self._turnings: dict[str, Turning] = {}
        self.rebind(bindings)

    def rebind(self, bindings: Iterable[OscBinding]) -> list[Change]:
        """Bind other addresses. Those bound as before keep their state; what the others hold is released by the commands returned."""
        before = {turning.binding: turning for turning in self._turnings.values()}
        # a finger on a glass is put where the fader is to be
        turnings = [before.pop(one) if one in before else Turning(one, pickup=False) for one in bindings]
        self._turnings = {str(one.binding): one for one in turnings}
        return [command for turning in before.values() for command in turning.lose()]

    def hear(
        self, address: str, told: Sequence[Value], values: Values, presets: Sequence[str], now_s: float
    ) -> list[Change]:
        """What a message asks for. values: how the show stands; presets: names in order. Raises Unusable."""
        turning = self._turnings.get(address)
        if turning is not None:
            return self._bound(turning, address, told, values, presets, now_s)
        if not address.startswith(f"{ROOT}/"):
            raise Unusable(f"{address} is not bound to anything")
        room, _, rest = address.removeprefix(f"{ROOT}/").partition("/")
        name = rest.replace("/", ".")
        if room in SWITCHES and not rest:
            return _switch(room, told)
        if room == "action" and name in SWITCHES:
            return _switch(name, told)
        if room == "tap" and not rest:
            return _press("tap", told)
        if room == "action":
            if name not in ACTIONS:
                raise Unusable(f"there is no action {name!r}{nearest(name, ACTIONS)}")
            if name in ENDING:
                raise Unusable(f"a show cannot be ended by {address}; bind an address of your own to {name}")
            return _press(name, told)
        if room in ("set", "share"):
            return _set(name, told, is_share=room == "share")
        if room == PRESET and not rest:
            return _preset(told, presets)
        raise Unusable(f"there is no address {address}")

    def _bound(
        self,
        turning: Turning,
        address: str,
        told: Sequence[Value],
        values: Values,
        presets: Sequence[str],
        now_s: float,
    ) -> list[Change]:
        binding = turning.binding
        if binding.does == PRESET:
            return _preset(told, presets)
        if not told:
            return turning.press() if not turning.is_knob else []
        number = _number(told) / (binding.full if isinstance(binding, OscBinding) else 1.0)
        if not -1e-6 <= number <= 1 + 1e-6:
            raise Unusable(f"{address}: {told[0]:g} is beyond 0 .. {getattr(binding, 'full', 1.0):g}")
        share = min(max(number, 0.0), 1.0)
        return turning.turn(share, values, now_s) if turning.is_knob else turning.button(share >= PRESSED)


def _number(told: Sequence[Value]) -> float:
    """The first value. Raises Unusable unless it is a number, and finite."""
    if not told or isinstance(told[0], str):
        raise Unusable("needs a number")
    if not math.isfinite(told[0]):
        raise Unusable(f"{told[0]} is no number that can be used")
    return told[0]


def _press(action: str, told: Sequence[Value]) -> list[Change]:
    """Buttons send 1 when pressed and 0 when let go; some send nothing."""
    return [Act(action)] if not told or _number(told) != 0 else []


def _switch(name: str, told: Sequence[Value]) -> list[Change]:
    if not told:
        return [Act(name)]
    return [Set(name, float(_number(told) != 0))]


def _set(name: str, told: Sequence[Value], *, is_share: bool) -> list[Change]:
    known = base_parameters()
    if name not in known:
        raise Unusable(f"there is no setting {name!r}{nearest(name, known)}")
    if not told:
        raise Unusable(f"{name} needs a value")
    one = known[name]
    if is_share:
        share = _number(told)
        if not 0 <= share <= 1:
            raise Unusable(f"{name}: {share:g} is beyond 0 .. 1")
        return [Set(name, one.at(share))]
    try:
        return [Set(name, one.checked(told[0] if one.kind == "choice" else _number(told)))]
    except BadInput as fault:
        raise Unusable(str(fault)) from None


def _preset(told: Sequence[Value], presets: Sequence[str]) -> list[Change]:
    if told and isinstance(told[0], str):
        names = [PurePath(preset).name for preset in presets]  # one given as a folder is listed by its path
        if presets and told[0] not in (*presets, *names):
            raise Unusable(f"no preset is called {told[0][:60]!r}{nearest(told[0], names)}")
        return [ShowPreset(told[0])]
    number = _number(told)
    command = preset_change(int(number), presets) if number == int(number) else None
    if command is None:
        raise Unusable(f"there is no preset {number:g}")
    return [command]
