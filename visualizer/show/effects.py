"""What commands do to the parts of a show: each kind of part carries out its share of a change of the state.

A show is declared by the parts it has. A window show has all kinds, a performance that is rendered again has a
stage and no window.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence

from ..control.capabilities import Capability
from ..control.commands import (
    Change,
    Input,
    PresetFailed,
    PresetShown,
    PresetsListed,
    Reported,
    SettingsMoved,
    ShowPreset,
)
from ..control.parameters import JOURNEY_SPEED, Parameter
from ..control.state import Context, ShowState
from ..presets.loaded import LoadedPreset
from ..presets.loader import PresetLoader
from ..render.window import Window
from .guard import Guard
from .panel_switch import PanelSwitch
from .recorder import Recorder
from .source import Source
from .stage import Stage

AGAIN_S = 2.0  # a second press of leave_fullscreen within this ends the show
COMMANDS = ("commands", "other commands may still work")  # the part of a show that commands fail in


class Effects:
    """What commands do to one part of a show; the base does nothing. Each step is guarded by itself."""

    def prepare(self, change: Input, state: ShowState) -> Iterable[Change]:
        """Called before a change is made a command; returns what the state must get first."""
        return ()

    def carry_out(self, before: ShowState, after: ShowState, at_samples: int) -> list[str | None]:
        """Do what has changed between two states by the command of that time; the answers."""
        return []

    def reports(self, state: ShowState) -> Iterable[Change]:
        """The changes that no command caused, such as a closed panel. Asked for every display frame."""
        return ()


class StageEffects(Effects):
    """What commands do to the picture and to the source that moves it.

    loaded: the preset on the stage, its beat settings with what was set by hand.
    """

    def __init__(self, context: Context, loaded: LoadedPreset, stage: Stage, source: Source, guard: Guard) -> None:
        self.loaded = self._own = loaded
        self._capabilities, self._parameters = context.capabilities, context.parameters
        self._stage, self._source, self._guard = stage, source, guard

    def shown(self, loaded: LoadedPreset, look: Sequence[Parameter]) -> PresetShown:
        """Another preset, or the same one read again, is on the stage: the change to dispatch at once. look: the
        parameters of its looks.
        """
        self._own = loaded
        settings = loaded.settings
        values = tuple(
            (one.name, getattr(settings.beat if one.section == "beat" else settings.dream, one.key))
            for one in self._parameters.of_section("beat", "dream")
        )
        dream = tuple((f"dream.{key}", value) for key, value in loaded.overrides.dream)
        return PresetShown(loaded.reference, values, dream, tuple(look))

    def replace(self, stage: Stage, state: ShowState) -> None:
        """Use another stage in place of the one before, and set it as the state says."""
        self._stage = stage
        self._stage.set_beat(self.loaded.settings.beat)
        self._stage.journey_speed = _journey_speed(state)
        self._stage.set_by_hand(state.look_by_hand())

    @property
    def moving(self) -> dict[str, float]:
        """The parameters of the looks that the music moves now, and the number that each has."""
        return self._stage.moving

    def fire(self, name: str) -> None:
        """Set an event of the look: it is on for one display frame."""
        self._stage.fire(name)

    def carry_out(self, before: ShowState, after: ShowState, at_samples: int) -> list[str | None]:
        part = self._guard.part(*COMMANDS)
        self._stage.journey_speed = _journey_speed(after)
        if after.blackout != self._stage.is_dark:
            with part:
                self._stage.is_dark = after.blackout
        if after.freeze != before.freeze:
            with part:
                self._freeze(after.freeze)
        if after.tempo != before.tempo and Capability.TEMPO in self._capabilities:
            with part:
                at_s = at_samples / self._source.sample_rate_hz
                bpm, beat_age_s = (after.tempo.bpm, after.tempo.beat_age_s) if after.tempo else (0.0, 0.0)
                self._source.lead_tempo(bpm, at_s - beat_age_s)
        beat = after.beat_settings()
        is_another = after.n_shown > max(before.n_shown, 1)  # the source began with the first
        if is_another or beat != self.loaded.settings.beat:
            with part:
                settings = self._own.settings.model_copy(update={"beat": beat})
                self.loaded = dataclasses.replace(self._own, settings=settings)
                self._stage.set_beat(beat)
                self._source.set_preset(self.loaded)
        with part:
            set_source_values(self._source, before, after)
        if after.n_shown != before.n_shown or after.look_by_hand() != before.look_by_hand():
            with part:
                self._stage.set_by_hand(after.look_by_hand())
        return []

    def reports(self, state: ShowState) -> Iterable[Change]:
        moved = self._stage.moved_beat(state.moved)
        return [SettingsMoved(tuple(moved.items()))] if moved else []

    def _freeze(self, on: bool) -> None:
        if Capability.PAUSE not in self._capabilities:
            self._stage.freeze(on)
        elif self._source.is_paused != on:
            self._source.do("pause")


class WindowEffects(Effects):
    """What commands do to the window and the panel. now: seconds, rising."""

    def __init__(self, window: Window, panel: PanelSwitch, guard: Guard, now: Callable[[], float]) -> None:
        self.window = window
        self._panel, self._guard, self._now = panel, guard, now
        self._asked_s = 0.0

    def carry_out(self, before: ShowState, after: ShowState, at_samples: int) -> list[str | None]:
        part = self._guard.part(*COMMANDS)
        answers: list[str | None] = []
        if after.fullscreen not in (before.fullscreen, self.window.is_fullscreen):
            with part:
                self.window.toggle_fullscreen()
        if after.panel not in (before.panel, self._panel.is_open):
            with part:
                answers.append(self._panel.switch(after.panel))
        if after.asks_to_end and not before.asks_to_end:
            self._asked_s = self._now()
        return answers

    def reports(self, state: ShowState) -> Iterable[Change]:
        is_late = state.asks_to_end and self._now() - self._asked_s > AGAIN_S
        return switches(
            state,
            fullscreen=self.window.is_fullscreen,
            panel=self._panel.is_open,
            asks_to_end=state.asks_to_end and not is_late,
        )


class LoaderEffects(Effects):
    """What commands do to the loader of presets. failed: called with one line for the user about a preset that could
    not be opened.
    """

    def __init__(self, loader: PresetLoader, guard: Guard, failed: Callable[[str], None]) -> None:
        self._loader, self._guard, self._failed = loader, guard, failed

    def prepare(self, change: Input, state: ShowState) -> Iterable[Change]:
        if isinstance(change, ShowPreset) and change.preset not in state.presets:
            with self._guard.part(*COMMANDS):
                self._loader.list_again()
            return self._listed(state)
        return ()

    def carry_out(self, before: ShowState, after: ShowState, at_samples: int) -> list[str | None]:
        with self._guard.part(*COMMANDS):
            if after.n_openings != before.n_openings:
                self._loader.want(after.preset)
            elif after.n_bakings != before.n_bakings:
                self._loader.set_dream(after.dream_by_hand())
        return []

    def reports(self, state: ShowState) -> Iterable[Change]:
        if (fault := self._loader.fault()) is not None:
            self._failed(fault)
            return [*self._listed(state), PresetFailed()]
        return self._listed(state)

    def _listed(self, state: ShowState) -> list[Change]:
        presets = tuple(self._loader.names)
        return [PresetsListed(presets)] if presets != state.presets else []


class RecorderEffects(Effects):
    """What commands do to the recorder: the switch "record" begins and ends a recording. size: returns that of the
    dream frames on the stage, (width, height) px.
    """

    def __init__(self, recorder: Recorder, guard: Guard, size: Callable[[], tuple[int, int]]) -> None:
        self._recorder, self._guard, self._size = recorder, guard, size

    def carry_out(self, before: ShowState, after: ShowState, at_samples: int) -> list[str | None]:
        if after.record != self._recorder.is_wanted:
            with self._guard.part("recording", "the show goes on"):
                if after.record:
                    self._recorder.begin(self._size())
                else:
                    self._recorder.end()
        return []

    def reports(self, state: ShowState) -> Iterable[Change]:
        return switches(state, record=self._recorder.is_wanted)


def _journey_speed(state: ShowState) -> float:
    return float(state.by_hand.get(JOURNEY_SPEED, 1.0))


def set_source_values(source: Source, before: ShowState, after: ShowState) -> None:
    """Set the parameters of a source that have changed between two states."""
    own = source.parameters()
    for name, value in after.source_values.items():
        if value not in (before.source_values.get(name), own.get(name)):
            source.set_parameter(name, float(value))


def switches(state: ShowState, **are_on: bool) -> list[Change]:
    """The reports of the fields of the state, by name, that are no longer as the state says."""
    return [Reported(name, is_on) for name, is_on in are_on.items() if state.switch(name) != is_on]
