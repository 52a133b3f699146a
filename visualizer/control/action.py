"""What an action declares, once: keys, help, buttons, addresses and tables are made from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .capabilities import Capability
from .state import Context, ShowState


@dataclass(frozen=True)
class Action:
    """Something a show can do: by a key, a button of the panel, MIDI or OSC.

    Attributes
    ----------
    name : its name in keys.yaml, in controls.yaml and in the OSC address /visualizer/action/NAME
    keys : its default keys
    help : what it does, in a few words
    apply : the state after it; pure
    details : what it does, for the table in docs/keys.md; `help` if empty. Of several in one line those of the first
    line : the text for several actions that help shows in one line; each of them has the same
    needs : what the source must be able to do, otherwise the action does nothing
    help_paused : replaces `help` where the source can pause
    ends_show : it may end the show: OSC does it only at an address that the user bound
    works_locked : its keys work while the keys are locked
    address : a second OSC address
    button, button_on, button_order : label of its button on the panel, none if empty; label while the switch of its
        name is on; place among the buttons
    section : of the panel, that its button is in; "" for the small buttons, "journey" for those of a journey
    order : place in help and tables
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
    section: Literal["", "journey"] = ""
    order: float = 1000.0


def requesting(kind: str, argument: str = "") -> Callable[[ShowState, Context], ShowState]:
    """The `apply` of an action that only adds a request to the state, see `ShowState.requesting`."""
    return lambda state, context: state.requesting(kind, argument)
