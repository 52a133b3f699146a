"""An action in one file: it calms the picture, key C. Only the tests add this folder to the actions."""

from __future__ import annotations

from visualizer.control.action import Action
from visualizer.control.state import Context, ShowState


def _calm(state: ShowState, context: Context) -> ShowState:
    return state.setting("beat.smoothing_ms", 400.0, context).answering("calm")


ACTIONS = (Action("calm", keys=("c",), help="calm the picture", apply=_calm, button="calm"),)
