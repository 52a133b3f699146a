"""Actions for the beat: sensitivity, reset, tempo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..action import Action, requesting
from ..capabilities import Capability
from ..parameters import LOOK
from ..state import Context, ShowState

STEP = 2**0.25
SENSITIVITY, TEMPO = "sensitivity", "tempo half, double"


def _sensitivity(factor: float) -> Callable[[ShowState, Context], ShowState]:
    def apply(state: ShowState, context: Context) -> ShowState:
        before = state.beat_settings().sensitivity
        after = replace(state, sensitivity_factor=state.sensitivity_factor * factor)
        now = after.beat_settings().sensitivity
        # at the end of the range the factor stays, so that the first step back already has an effect
        return (state if now == before else after).answering(f"sensitivity {now:.2f}")

    return apply


def _reset(state: ShowState, context: Context) -> ShowState:
    sections = ("beat.", "dream.", "journey.", f"{LOOK}.")
    return replace(
        state,
        sensitivity_factor=1.0,
        moved={},  # until they are moved again: what they are now may not fit what the preset says of the others
        by_hand={name: value for name, value in state.by_hand.items() if not name.startswith(sections)},
        n_bakings=state.n_bakings + bool(state.dream_by_hand()),
        answer="every parameter is as in the preset",
    )


ACTIONS = (
    Action(
        "sensitivity_up",
        keys=("up",),
        help="more sensitive",
        apply=_sensitivity(STEP),
        details="sensitivity; it stays when the preset changes",
        line=SENSITIVITY,
        order=20,
    ),
    Action(
        "sensitivity_down",
        keys=("down",),
        help="less sensitive",
        apply=_sensitivity(1 / STEP),
        line=SENSITIVITY,
        order=21,
    ),
    Action(
        "reset",
        keys=("backspace",),
        help="all parameters as in the preset",
        apply=_reset,
        details="sets every parameter back to its value in the preset; input gain, volume, delay and switches stay",
        button="reset all",
        button_order=1,
        order=22,
    ),
    Action(
        "tap",
        keys=("t",),
        help="tap the tempo",
        apply=requesting("source", "tap"),
        details="tap the tempo (`live`)",
        needs=Capability.TEMPO,
        address="/visualizer/tap",
        order=30,
    ),
    Action(
        "tempo_half",
        keys=("[",),
        help="half the tempo",
        apply=requesting("source", "tempo_half"),
        details="halves, doubles the tempo (`live`)",
        line=TEMPO,
        needs=Capability.TEMPO,
        order=31,
    ),
    Action(
        "tempo_double",
        keys=("]",),
        help="double the tempo",
        apply=requesting("source", "tempo_double"),
        line=TEMPO,
        needs=Capability.TEMPO,
        order=32,
    ),
)
