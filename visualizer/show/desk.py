"""The desk: what keys do to the window, the picture and the act."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from ..render.keyboard import Press
from ..render.window import Window
from ..store.keys import Keymap
from .changes import Changes
from .look import Look
from .panel import OF_ACTS, Notices
from .projection import Projection

log = logging.getLogger(__name__)

AGAIN_S = 2.0  # a second Esc within this ends the show
SENSITIVITY_STEP = 2**0.25
SENSITIVITY_RANGE = (0.1, 10.0)  # as in the settings


class Player(Protocol):
    """What the desk asks of an act."""

    def do(self, action: str) -> str | None:
        """Do one of the OF_ACTS; what to answer. What the act has no use for is ignored."""

    def set_look(self, look: Look) -> None:
        """Another look is shown, or the same with other settings for the beat."""


class Desk:
    """Keys to actions. takes: the OF_ACTS that the act has a use for. now: seconds.

    look: what is shown, with the sensitivity as it was set by hand, which stays when the preset changes.
    """

    def __init__(
        self,
        keymap: Keymap,
        *,
        window: Window,
        projection: Projection,
        act: Player,
        changes: Changes,
        notices: Notices,
        look: Look,
        takes: Collection[str],
        now: Callable[[], float],
    ) -> None:
        self.keymap = keymap
        self.look = self._own = look
        self.hud_shown = self.locked = self.ended = False
        self.screenshot_wanted = False
        self._window, self._projection, self._act = window, projection, act
        self._changes, self._notices, self._takes, self._now = changes, notices, takes, now
        self._trim = 1.0
        self._escaped_s: float | None = None

    def press(self, presses: Sequence[Press]) -> None:
        """Do what the keys are for, in order."""
        for press in presses:
            names = [press.name, press.place]
            if press.place.startswith("shift+") and press.place[6:].isdigit():
                names.append(press.place[6:])  # where digits are written with Shift
            action = self.keymap.action(names)
            if self.locked and action not in ("lock", "quit"):
                lock = self.keymap.shown("lock")
                self._notices.answer(f"the keys are locked{f'; {lock} unlocks them' if lock else ''}")
            elif action is not None:
                self._do(action)

    def set_look(self, look: Look) -> None:
        """Another look has come on the stage."""
        self._own = look
        self._tell_act()

    def states(self) -> str:
        """What holds at present, for reading."""
        told = {"frozen": self._projection.is_frozen, "blackout": self._projection.is_dark, "locked": self.locked}
        return "   ".join(word for word, holds in told.items() if holds)

    def _do(self, action: str) -> None:
        answer: str | None = None
        if action == "quit":
            self.ended = True
        elif action == "help":
            self.hud_shown = not self.hud_shown
        elif action == "lock":
            self.locked = not self.locked
            answer = f"locked; {self.keymap.shown('lock')} unlocks" if self.locked else "unlocked"
        elif action == "leave_fullscreen":
            answer = self._escape()
        elif action == "fullscreen":
            self._window.toggle_fullscreen()
        elif action == "next_monitor":
            answer = self._window.next_monitor() or "there is no other monitor"
        elif action == "blackout":
            self._projection.is_dark = not self._projection.is_dark
        elif action == "screenshot":
            self.screenshot_wanted = True
        elif action == "freeze" and "pause" in self._takes:
            answer = self._act.do("pause")
        elif action == "freeze":
            self._projection.freeze(not self._projection.is_frozen)
        elif action in ("next_preset", "previous_preset"):
            answer = self._changes.step(1 if action == "next_preset" else -1)
        elif action.startswith("preset_"):
            answer = self._changes.number(int(action.removeprefix("preset_")))
        elif action in ("sensitivity_up", "sensitivity_down"):
            answer = self._sensitivity(SENSITIVITY_STEP if action == "sensitivity_up" else 1 / SENSITIVITY_STEP)
        elif action in OF_ACTS & set(self._takes):
            answer = self._act.do(action)
        if answer:
            self._notices.answer(answer)

    def _escape(self) -> str | None:
        """Leave fullscreen; from a window, end the show at the second press."""
        if self._window.is_fullscreen:
            self._window.toggle_fullscreen()
            self._escaped_s = None
        elif self._escaped_s is not None and self._now() - self._escaped_s <= AGAIN_S:
            self.ended = True
        else:
            self._escaped_s = self._now()
            return f"{self.keymap.shown('leave_fullscreen')} again ends the show"
        return None

    def _sensitivity(self, factor: float) -> str:
        before = self.look.settings.beat.sensitivity
        self._trim *= factor
        self._tell_act()
        now = self.look.settings.beat.sensitivity
        if now == before:  # at the end of the range: the way back begins at once
            self._trim /= factor
        return f"sensitivity {now:.2f}"

    def _tell_act(self) -> None:
        """The look with the sensitivity set by hand, to the act."""
        beat = self._own.settings.beat
        low, high = SENSITIVITY_RANGE
        if self._trim != 1.0:
            beat = beat.model_copy(update={"sensitivity": min(max(beat.sensitivity * self._trim, low), high)})
        settings = self._own.settings.model_copy(update={"beat": beat})
        self.look = dataclasses.replace(self._own, settings=settings)
        self._act.set_look(self.look)
