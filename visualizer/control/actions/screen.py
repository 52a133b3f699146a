"""Actions for the window, the monitor, the help and the panel, and for ending the show."""

from __future__ import annotations

from dataclasses import replace

from ..action import Action, requesting
from ..state import Context, ShowState

FULLSCREEN = "fullscreen, next monitor"


def _help(state: ShowState, context: Context) -> ShowState:
    return replace(state, hud=not state.hud)


def _fullscreen(state: ShowState, context: Context) -> ShowState:
    return replace(state, fullscreen=not state.fullscreen)


def _leave_fullscreen(state: ShowState, context: Context) -> ShowState:
    if state.fullscreen:
        return replace(state, fullscreen=False)
    if state.asks_to_end:
        return replace(state, ended=True)
    return replace(state, asks_to_end=True, answer=f"{context.keymap.shown('leave_fullscreen')} again ends the show")


def _quit(state: ShowState, context: Context) -> ShowState:
    return replace(state, ended=True)


def _panel(state: ShowState, context: Context) -> ShowState:
    return replace(state, panel=not state.panel)


ACTIONS = (
    Action(
        "help",
        keys=("h", "f1"),
        help="keys and figures",
        apply=_help,
        details="shows keys and figures, and hides them",
        button="keys and HUD",
        button_order=8,
        order=1,
    ),
    Action(
        "fullscreen",
        keys=("f", "f11"),
        help="fullscreen",
        apply=_fullscreen,
        details="fullscreen on the monitor that the window is on; again: back to the window; the next monitor",
        line=FULLSCREEN,
        button="fullscreen",
        button_order=6,
        order=2,
    ),
    Action(
        "next_monitor",
        keys=("shift+f",),
        help="next monitor",
        apply=requesting("next_monitor"),
        line=FULLSCREEN,
        button="next monitor",
        button_order=7,
        order=3,
    ),
    Action(
        "leave_fullscreen",
        keys=("escape",),
        help="leave fullscreen; twice: end",
        apply=_leave_fullscreen,
        details="leaves fullscreen; in a window, pressed twice within two seconds, it ends the show",
        ends_show=True,
        order=4,
    ),
    Action(
        "quit",
        keys=("ctrl+q",),
        help="end the show",
        apply=_quit,
        details="ends the show",
        ends_show=True,
        works_locked=True,
        order=5,
    ),
    Action(
        "panel",
        keys=("o",),
        help="performer's panel",
        apply=_panel,
        details="opens the performer's [panel](panel.md), and closes it",
        order=9.5,
    ),
)
