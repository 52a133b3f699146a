"""The action that records a session."""

from __future__ import annotations

from dataclasses import replace

from ..action import Action
from ..state import Context, ShowState


def _record(state: ShowState, context: Context) -> ShowState:
    return replace(state, record=not state.record)


ACTIONS = (
    Action(
        "record",
        keys=("r",),
        help="record",
        apply=_record,
        details="records a [session](sessions.md): sound, commands and dreams; again: ends it",
        button="record",
        button_on="RECORDING",
        button_order=4.5,
        order=7.5,
    ),
)
