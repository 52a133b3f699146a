"""Actions that change the preset."""

from __future__ import annotations

from collections.abc import Callable

from ..action import Action, requesting
from ..state import Context, ShowState
from .picture import SAVE

STEP, NUMBER = "previous, next preset", "preset by number"


def _step(by: int) -> Callable[[ShowState, Context], ShowState]:
    def apply(state: ShowState, context: Context) -> ShowState:
        presets = state.presets
        if not presets:
            return state.answering("there are no presets")
        if state.preset in presets:
            index = (presets.index(state.preset) + by) % len(presets)
        else:  # a preset that is no longer on the list
            index = 0 if by > 0 else len(presets) - 1
        return state.wanting(presets[index])

    return apply


def _number(number: int) -> Callable[[ShowState, Context], ShowState]:
    def apply(state: ShowState, context: Context) -> ShowState:
        if number > len(state.presets):
            return state.answering(f"there is no preset {number}; there are {len(state.presets)}")
        return state.wanting(state.presets[number - 1])

    return apply


ACTIONS = (
    Action(
        "previous_preset",
        keys=("p",),
        help="the previous preset",
        apply=_step(-1),
        details="the previous preset, the next preset",
        line=STEP,
        order=10,
    ),
    Action(
        "save_preset",
        keys=("shift+s",),
        help="save as a new preset",
        apply=requesting("save_preset"),
        line=SAVE,
        order=7.1,
    ),
    Action("next_preset", keys=("n",), help="the next preset", apply=_step(1), line=STEP, order=11),
    *(
        Action(
            f"preset_{number}",
            keys=(str(number),),
            help=f"preset {number}",
            apply=_number(number),
            details="the presets in the order of `visualizer presets`",
            line=NUMBER,
            order=11 + number / 10,
        )
        for number in range(1, 10)
    ),
)
