"""Actions for the picture, and the lock of the keys."""

from __future__ import annotations

from dataclasses import replace

from ..action import Action, requesting
from ..state import Context, ShowState

#: one line of help for the screenshot and for saving the preset
SAVE = "screenshot, save the preset"


def _blackout(state: ShowState, context: Context) -> ShowState:
    return replace(state, blackout=not state.blackout)


def _freeze(state: ShowState, context: Context) -> ShowState:
    return replace(state, freeze=not state.freeze)


def _lock(state: ShowState, context: Context) -> ShowState:
    answer = "unlocked" if state.lock else f"locked; {context.keymap.shown('lock')} unlocks"
    return replace(state, lock=not state.lock, answer=answer)


ACTIONS = (
    Action(
        "freeze",
        keys=("space",),
        help="freeze",
        apply=_freeze,
        details="freezes the picture; in `play` it pauses the song",
        help_paused="pause",
        order=9,
    ),
    Action(
        "blackout",
        keys=("b",),
        help="blackout",
        apply=_blackout,
        details="blackout: fades to black in 0.3 s, and back",
        order=8,
    ),
    Action(
        "screenshot",
        keys=("s",),
        help="screenshot",
        apply=requesting("screenshot"),
        details="saves the picture, without the text over it, as a PNG; the preset, with everything that was set by hand, "
        "as a [new one](modulation.md#saving)",
        line=SAVE,
        button="screenshot",
        button_order=9,
        order=7,
    ),
    Action(
        "lock",
        keys=("l",),
        help="lock the keys",
        apply=_lock,
        details="locks: every key but this one and `Ctrl+Q` is ignored until it is pressed again",
        works_locked=True,
        button="lock keys",
        button_order=5,
        button_on="LOCKED",
        order=6,
    ),
)
