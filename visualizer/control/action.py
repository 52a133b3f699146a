"""What an action declares: once, and everything that must know of it is made from this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .capabilities import Capability
from .state import Context, ShowState


@dataclass(frozen=True)
class Action:
    """Something a show can be told to do, by a key, the panel, MIDI or OSC.

    name: in keys.yaml, controls.yaml and the OSC address /visualizer/action/NAME. keys: that do it by default. help: what it does, in
    a few words. apply: the state after it; pure. details: the same for docs/keys.md, in full; `help` if empty. line: words for
    several actions that help shows in one line; all of these declare the same. needs: what the source must be able to do, else
    the action does nothing; help_paused: help where the source can be paused. ends_show: it may end the show, so that OSC
    does it only at an address that the user bound. works_locked: its keys work while the keys are locked. address: a second OSC
    address. button: on the panel, none if empty; button_on: while a
    switch of the action's name is on; button_order: of the buttons. order: of help and tables.
    """

    name: str
    keys: tuple[str, ...]
    help: str
    apply: Callable[[ShowState, Context], ShowState]
    details: str = ""
    line: str = ""
    needs: Capability | None = None
    help_paused: str = ""
    ends_show: bool = False
    works_locked: bool = False
    address: str = ""
    button: str = ""
    button_on: str = ""
    button_order: float = 100.0
    order: float = 1000.0
