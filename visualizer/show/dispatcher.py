"""The dispatcher: every command of a show is applied here, and what it changed is carried out on window, stage,
source and loader.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from ..control.capabilities import Capability
from ..control.commands import (
    Act,
    Command,
    Input,
    PresetFailed,
    PresetShown,
    PresetsListed,
    PressKey,
    Reported,
    ShowPreset,
    SourceReported,
)
from ..control.parameters import Parameter, Value
from ..control.state import Context, ShowState, action_of_key, apply
from ..errors import BadInput
from ..presets.loaded import LoadedPreset
from ..presets.loader import PresetLoader
from ..render.keyboard import Press
from ..render.window import Window
from .guard import Guard
from .hud_text import Notices
from .panel_switch import PanelSwitch
from .source import Source
from .stage import Stage

log = logging.getLogger(__name__)

AGAIN_S = 2.0  # a second press of leave_fullscreen within this ends the show


class Dispatcher:
    """Applies commands to the state, one at a time, and carries out the difference between the state before and
    after.

    context: what the commands depend on. requests: for each kind of `Request` besides "source" and "look", what carries
    it out: it is called with the argument and returns what to answer. now: seconds, rising. on_command: called with
    every command that was applied.

    state: as the commands so far have made it. loaded: the preset on the stage, its beat settings with what was set
    by hand. said: the newest answer to a controller; those to a key are shown as a notice.
    """

    def __init__(
        self,
        context: Context,
        loaded: LoadedPreset,
        *,
        window: Window,
        stage: Stage,
        source: Source,
        loader: PresetLoader,
        notices: Notices,
        guard: Guard,
        requests: Mapping[str, Callable[[str], str | None]],
        panel: PanelSwitch,
        now: Callable[[], float],
        look: Sequence[Parameter] = (),
        on_command: Callable[[Command], None] = lambda command: None,
    ) -> None:
        self.context, self.state = context, ShowState()
        self.loaded = self._own = loaded
        self.said = ""
        self._window, self._stage, self._source, self._loader = window, stage, source, loader
        self._notices, self._guard, self._now = notices, guard, now
        self._requests = {**requests, "source": source.do, "look": self._fire}
        self._panel, self._on_command = panel, on_command
        self._asked_s = 0.0
        self.preset_shown(loaded, look)
        self.report()

    def press(self, presses: Iterable[Press]) -> None:
        """Dispatch the keys that were pressed, in order."""
        for press in presses:
            self.dispatch(PressKey(press.name, press.place))

    def dispatch(self, change: Input) -> None:
        """Make a command of a change, with the time that is now, and apply it. A failure is reported, and the show
        goes on.
        """
        is_key = isinstance(change, PressKey)
        if isinstance(change, PressKey):
            try:
                action = action_of_key(change, self.state, self.context)
            except BadInput as fault:
                self._notices.answer(str(fault))
                return
            if action is None:
                return
            change = Act(action)
        if isinstance(change, ShowPreset) and change.preset not in self.state.presets:
            with self._guard.part("commands", "other commands may still work"):
                self._loader.list_again()
            self._report_presets()
        with self._guard.part("commands", "other commands may still work"):
            self.apply(Command(self._source.samples_at(self._source.position_s()), change), is_key=is_key)

    def apply(self, command: Command, *, is_key: bool = False) -> None:
        """Apply a command and carry out what it changed. is_key: the answer is shown on the screen."""
        before, after = self.state, apply(self.state, command, self.context)
        self.state = after
        with self._guard.part("record of commands", "they are carried out all the same"):
            self._on_command(command)
        answers = [after.answer, *self._carry_out(before, after, command.at_samples)]
        for answer in answers:
            if not answer:
                continue
            if is_key:
                self._notices.answer(answer)
            else:
                self.said = answer
                self._notices.record(answer)

    def preset_shown(self, loaded: LoadedPreset, look: Sequence[Parameter]) -> None:
        """Another preset, or the same one read again, is on the stage. look: the parameters that its look declares."""
        self._own = loaded
        settings = loaded.settings
        values = tuple(
            (one.name, getattr(settings.beat if one.section == "beat" else settings.dream, one.key))
            for one in self.context.parameters.of_section("beat", "dream")
        )
        dream = tuple((f"dream.{key}", value) for key, value in loaded.overrides.dream)
        self.dispatch(PresetShown(loaded.reference, values, dream, tuple(look)))

    def report(self) -> None:
        """Make commands of changes that no command caused, such as a closed panel. Called for every display frame."""
        self._report_presets()
        self._report_switch("fullscreen", self._window.is_fullscreen)
        self._report_switch("panel", self._panel.is_open)
        if Capability.PAUSE in self.context.capabilities:
            self._report_switch("freeze", self._source.is_paused)
        values = self._source.parameters()
        if any(self.state.source_values.get(name) != value for name, value in values.items()):
            self.dispatch(SourceReported(tuple(values.items())))
        if (fault := self._loader.fault()) is not None:
            self.dispatch(PresetFailed())
            self._notices.answer(fault)
        if self.state.asks_to_end and self._now() - self._asked_s > AGAIN_S:
            self._report_switch("asks_to_end", False)

    def replace(self, window: Window, stage: Stage) -> None:
        """Use another window and stage in place of those before, and set them as the state says."""
        self._window, self._stage = window, stage
        self._stage.set_beat(self.loaded.settings.beat)
        for one in self.state.look:
            if (value := self.state.value(one.name, self.context)) != one.default:
                self._stage.set_look(one.name, value)

    def values(self) -> dict[str, Value]:
        """The value of every parameter."""
        return self.state.values(self.context)

    def set_by_hand(self) -> dict[str, Value]:
        """Every parameter that differs from the preset: what a restarted show sets again."""
        return self.state.set_by_hand(self.context)

    def state_words(self) -> str:
        """What is switched on, for people."""
        state, can_pause = self.state, Capability.PAUSE in self.context.capabilities
        words = {"frozen": state.freeze and not can_pause, "blackout": state.blackout, "locked": state.lock}
        return "   ".join(word for word, is_on in words.items() if is_on)

    def _report_presets(self) -> None:
        if (presets := tuple(self._loader.names)) != self.state.presets:
            self.dispatch(PresetsListed(presets))

    def _report_switch(self, name: str, is_on: bool) -> None:
        if self.state.switch(name) != is_on:
            self.dispatch(Reported(name, is_on))

    def _carry_out(self, before: ShowState, after: ShowState, at_samples: int) -> list[str | None]:
        """Do what has changed; the answers. Each is guarded by itself: one that fails does not stop the others."""
        answers: list[str | None] = []
        part = self._guard.part("commands", "other commands may still work")
        if after.fullscreen not in (before.fullscreen, self._window.is_fullscreen):
            with part:
                self._window.toggle_fullscreen()
        if after.blackout != self._stage.is_dark:
            with part:
                self._stage.is_dark = after.blackout
        if after.freeze != before.freeze:
            with part:
                self._freeze(after.freeze)
        if after.tempo != before.tempo and Capability.TEMPO in self.context.capabilities:
            with part:
                at_s = at_samples / self._source.sample_rate_hz
                bpm, beat_age_s = (after.tempo.bpm, after.tempo.beat_age_s) if after.tempo else (0.0, 0.0)
                self._source.lead_tempo(bpm, at_s - beat_age_s)
        if after.n_openings != before.n_openings:
            with part:
                self._loader.want(after.preset)
        elif after.n_bakings != before.n_bakings:
            with part:
                self._loader.set_dream(after.dream_by_hand())
        beat, is_another = (
            after.beat_settings(),
            after.n_shown > max(before.n_shown, 1),
        )  # the source began with the first
        if is_another or beat != self.loaded.settings.beat:
            with part:
                settings = self._own.settings.model_copy(update={"beat": beat})
                self.loaded = dataclasses.replace(self._own, settings=settings)
                self._stage.set_beat(beat)
                self._source.set_preset(self.loaded)
        own = self._source.parameters()
        for name, value in after.source_values.items():
            if value not in (before.source_values.get(name), own.get(name)):
                with part:
                    self._source.set_parameter(name, float(value))
        is_new = after.n_shown != before.n_shown  # another look stands at its defaults
        look_before = {one.name: one.default for one in after.look} if is_new else before.look_values()
        for name, value in after.look_values().items():
            if look_before[name] != value:
                with part:
                    self._stage.set_look(name, value)
        if after.panel not in (before.panel, self._panel.is_open):
            with part:
                answers.append(self._panel.switch(after.panel))
        if after.asks_to_end and not before.asks_to_end:
            self._asked_s = self._now()
        for request in after.requests:
            with part:
                answers.append(self._requests[request.kind](request.argument))
        return answers

    def _freeze(self, on: bool) -> None:
        if Capability.PAUSE not in self.context.capabilities:
            self._stage.freeze(on)
        elif self._source.is_paused != on:
            self._source.do("pause")

    def _fire(self, name: str) -> None:
        """Set an event of the look: it is on for one display frame."""
        self._stage.set_look(name, 1.0)
