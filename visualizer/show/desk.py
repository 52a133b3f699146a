"""The desk: what keys, the panel and controllers do to the window, the picture and the act."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Collection, Sequence

from ..control.actions import find_actions
from ..control.commands import Act, Change, PressKey, Set, SetTempo, ShowPreset
from ..control.keys import Keymap
from ..control.parameters import base_parameters
from ..errors import BadInput, VisualizerError
from ..presets.loaded import LoadedPreset
from ..presets.loader import PresetLoader
from ..render.keyboard import Press
from ..render.window import Window
from ..settings import BeatSettings
from .source import Source
from .stage import Stage
from .words import OF_ACTS, Notices

log = logging.getLogger(__name__)

AGAIN_S = 2.0  # a second Esc within this ends the show
SENSITIVITY_STEP = 2**0.25
SENSITIVITY_RANGE = (0.1, 10.0)  # as in the settings
#: sections of the settings that are the act's own; all of them are 0 where the act has no use for them
OF_ACT = ("input", "output")
#: settings of the beat that belong to the room and the machine: turned by hand they stay when the preset changes
STAYS = ("lead_ms", "floor_db")


class Desk:
    """Keys to actions. takes: the OF_ACTS that the act has a use for. now: seconds.

    loaded: what is shown, with the settings as they were turned by hand; of these the sensitivity and STAYS stay when the preset
    changes. said: the last answer to somebody who has a screen of their own. panel_wanted: the panel is to be opened or closed.
    """

    def __init__(
        self,
        keymap: Keymap,
        *,
        window: Window,
        projection: Stage,
        act: Source,
        changes: PresetLoader,
        notices: Notices,
        loaded: LoadedPreset,
        takes: Collection[str],
        now: Callable[[], float],
    ) -> None:
        self.keymap = keymap
        self.loaded = self._own = loaded
        self.hud_shown = self.locked = self.ended = False
        self.screenshot_wanted = self.panel_wanted = False
        self.said = ""
        self._window, self._projection, self._act = window, projection, act
        self._changes, self._notices, self._takes, self._now = changes, notices, takes, now
        self._trim = 1.0
        self._by_hand: dict[str, float | str] = {}  # of the beat, without the sensitivity
        self._escaped_s: float | None = None

    def press(self, presses: Sequence[Press | PressKey]) -> None:
        """Do what the keys are for, in order."""
        for press in presses:
            names = [press.name, press.place]
            if press.place.startswith("shift+") and press.place[6:].isdigit():
                names.append(press.place[6:])  # where digits are written with Shift
            action = self.keymap.action(names)
            if self.locked and action not in ("lock", "quit"):
                lock = self.keymap.shown("lock")
                self._notices.answer(f"the keys are locked{f'; {lock} unlocks them' if lock else ''}")
            elif action is not None and (answer := self._do(action)):
                self._notices.answer(answer)

    def restage(self, window: Window, projection: Stage) -> None:
        """Another window and projection have taken the place of those before."""
        self._window, self._projection = window, projection

    def grant(self, command: Change) -> None:
        """Do what the panel or a controller asks for. What there is to answer is in `said` and not on the screen."""
        if isinstance(command, PressKey):
            self.press([command])
            return
        answer: str | None = None
        if isinstance(command, Set):
            answer = self._set(command.name, command.value)
        elif isinstance(command, ShowPreset):
            answer = self._changes.named(command.preset)
        elif isinstance(command, SetTempo):
            self._act.lead_tempo(command.bpm, command.beat_s)
        elif isinstance(command, Act) and command.action in find_actions():
            answer = self._do(command.action)
        self.said = answer or self.said

    def values(self) -> dict[str, float | str]:
        """How everything that can be turned stands: `parameters.Parameters` names to values."""
        settings, turned = self.loaded.settings, self._changes.turned
        found: dict[str, float | str] = {}
        for name in base_parameters():
            section, _, key = name.partition(".")
            if section == "beat":
                found[name] = getattr(settings.beat, key)
            elif section == "dream":
                found[name] = turned.get(key, getattr(settings.dream, key))
            elif section in OF_ACT:
                found[name] = 0.0
        found |= self._act.parameters()
        found |= {
            "blackout": float(self._projection.is_dark),
            "freeze": float(self._is_held),
            "lock": float(self.locked),
        }
        return found

    def by_hand(self) -> dict[str, float | str]:
        """What was turned by hand, and stands otherwise than the preset says: for a show that goes on from here."""
        found = {f"beat.{key}": value for key, value in self._by_hand.items()}
        found |= {f"dream.{key}": value for key, value in self._changes.turned.items()}
        if self._trim != 1.0:
            found["beat.sensitivity"] = self.loaded.settings.beat.sensitivity
        found |= {name: value for name, value in self._act.parameters().items() if value}
        for name, holds in (("blackout", self._projection.is_dark), ("freeze", self._is_held), ("lock", self.locked)):
            if holds:
                found[name] = 1.0
        return found

    def set_preset(self, loaded: LoadedPreset) -> None:
        """Another look has come on the stage."""
        if loaded.reference != self._own.reference:
            self._by_hand = {key: value for key, value in self._by_hand.items() if key in STAYS}
        self._own = loaded
        try:
            self._tell_act()
        except ValueError:  # the preset's file was changed, and what was turned by hand no longer goes with it
            self._by_hand = {}
            self._tell_act()

    def states(self) -> str:
        """What holds at present, for reading."""
        told = {"frozen": self._projection.is_frozen, "blackout": self._projection.is_dark, "locked": self.locked}
        return "   ".join(word for word, holds in told.items() if holds)

    @property
    def _is_held(self) -> bool:
        return self._act.is_paused if "pause" in self._takes else self._projection.is_frozen

    def _do(self, action: str) -> str | None:
        """Do an action; what to answer."""
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
        elif action == "panel":
            self.panel_wanted = True
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
        elif action == "reset":
            answer = self._reset()
        elif action in OF_ACTS & set(self._takes):
            answer = self._act.do(action)
        return answer

    def _set(self, name: str, value: float | str) -> str | None:
        """Turn a setting; what to answer."""
        try:
            value = base_parameters().find(name).checked(value)
            section, _, key = name.partition(".")
            if name == "beat.sensitivity":
                self._trim = float(value) / self._own.settings.beat.sensitivity
                self._tell_act()
            elif section == "beat":
                before = dict(self._by_hand)
                try:
                    self._by_hand[key] = value
                    self._tell_act()
                except ValueError as fault:
                    self._by_hand = before
                    raise BadInput(f"{name} {value}: {first_words(fault)}") from fault
            elif section == "dream":
                self._changes.turn(key, value)
            elif section in OF_ACT:
                self._act.set_parameter(name, float(value))
            elif name == "lock":
                self.locked = bool(value)
            elif name == "blackout":
                self._projection.is_dark = bool(value)
            elif bool(value) != self._is_held:  # freeze
                return self._do("freeze")
        except VisualizerError as fault:
            return str(fault)
        return None

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
        before = self.loaded.settings.beat.sensitivity
        self._trim *= factor
        self._tell_act()
        now = self.loaded.settings.beat.sensitivity
        if now == before:  # at the end of the range: the way back begins at once
            self._trim /= factor
        return f"sensitivity {now:.2f}"

    def _reset(self) -> str:
        self._trim, self._by_hand = 1.0, {}
        self._tell_act()
        self._changes.reset()
        return "every parameter is as in the preset"

    def _tell_act(self) -> None:
        """The look with what was turned by hand, to the act. Raises ValueError for what cannot be together."""
        beat = self._own.settings.beat
        low, high = SENSITIVITY_RANGE
        if self._by_hand:
            beat = BeatSettings.model_validate({**beat.model_dump(), **self._by_hand})
        if self._trim != 1.0:
            beat = beat.model_copy(update={"sensitivity": min(max(beat.sensitivity * self._trim, low), high)})
        settings = self._own.settings.model_copy(update={"beat": beat})
        self.loaded = dataclasses.replace(self._own, settings=settings)
        self._projection.scene.beat = beat
        self._act.set_preset(self.loaded)


def first_words(fault: ValueError) -> str:
    """What a model's validator says, in one line."""
    errors = getattr(fault, "errors", None)
    return str(errors()[0]["msg"]).removeprefix("Value error, ") if errors is not None else str(fault)
