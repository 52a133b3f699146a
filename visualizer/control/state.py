"""The state of a show, and the one place where a command changes it: a pure function of state, command and context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, assert_never

from pydantic import ValidationError

from ..errors import BadInput, nearest
from ..oneline import preset_label
from ..settings import BeatSettings
from .capabilities import Capability
from .commands import (
    Act,
    Change,
    Command,
    Learn,
    PresetFailed,
    PresetShown,
    PresetsListed,
    PressKey,
    Reported,
    Set,
    SetTempo,
    SettingsMoved,
    ShowPreset,
    SourceReported,
    Unset,
)
from .parameters import LOOK, SOURCE, Parameters, Value, movers
from .targets import check_target

if TYPE_CHECKING:
    from .action import Action
    from .keys import Keymap
    from .parameters import Parameter

SENSITIVITY = "beat.sensitivity"
SENSITIVITY_RANGE = (0.1, 10.0)  # as in the settings
#: parameters of the beat that depend on the room and the machine: set by hand, they stay when the preset changes
KEPT = ("beat.lead_ms", "beat.floor_db")
#: fields of the state that the show itself may report, see `Reported`
REPORTED = ("fullscreen", "panel", "freeze", "record", "asks_to_end")


@dataclass(frozen=True, slots=True)
class Request:
    """Something to be done once. number: counts all requests from 1; kind: who does it, see `Dispatcher`; argument:
    for that kind.
    """

    number: int
    kind: str
    argument: str = ""


@dataclass(frozen=True)
class Context:
    """What `apply` depends on besides state and command; the same for a whole show.

    parameters: those that every show has, without the look's; capabilities: of the source.
    """

    actions: Mapping[str, Action]
    parameters: Parameters
    keymap: Keymap
    capabilities: frozenset[Capability]


@dataclass(frozen=True)
class ShowState:
    """What the commands of a show have made of it. A fresh one is the state before the first command.

    Attributes
    ----------
    preset, n_openings : reference of the preset wanted; how often one was asked for (asking again reads its files
        again)
    shown, n_shown : reference of the preset on the stage; how often a preset came on it
    presets : all references in order
    preset_values, look : what the preset shown says of its parameters; the parameters that its look declares
    moved : settings of the beat that expressions of the preset move, and their values
    by_hand, sensitivity_factor : parameters set by hand; the sensitivity is the preset's times this factor
    source_values : the parameters that the source has, and their values
    n_bakings, shown_dream : how often a parameter of the dream was set; those that the preset shown was opened with
    blackout, freeze, lock, record, hud, panel, fullscreen : whether each is on
    ended, asks_to_end : the show is over; leave_fullscreen was pressed once in a window
    tempo : set by a controller such as Link; None if the source's own tempo is used
    answer : to whoever gave the newest command
    requests, n_requests : what the newest command wants to be done once; how many requests there were so far
    """

    preset: str = ""
    n_openings: int = 0
    shown: str = ""
    n_shown: int = 0
    presets: tuple[str, ...] = ()
    preset_values: Mapping[str, Value] = field(default_factory=dict)
    look: tuple[Parameter, ...] = ()
    moved: Mapping[str, Value] = field(default_factory=dict)
    by_hand: Mapping[str, Value] = field(default_factory=dict)
    sensitivity_factor: float = 1.0
    source_values: Mapping[str, Value] = field(default_factory=dict)
    n_bakings: int = 0
    shown_dream: Mapping[str, Value] = field(default_factory=dict)
    blackout: bool = False
    freeze: bool = False
    lock: bool = False
    record: bool = False
    hud: bool = False
    panel: bool = False
    fullscreen: bool = False
    ended: bool = False
    asks_to_end: bool = False
    tempo: SetTempo | None = None
    answer: str = ""
    requests: tuple[Request, ...] = ()
    n_requests: int = 0

    # -- what is read from a state ------------------------------------------------------------------------------------

    def parameters(self, context: Context) -> Parameters:
        """The parameters at present: those of every show, and the look's."""
        return context.parameters.with_look(self.look) if self.look else context.parameters

    def value(self, name: str, context: Context) -> Value:
        """The value of a parameter. Raises BadInput for an unknown name."""
        return self._value(self.parameters(context).find(name))

    def values(self, context: Context) -> dict[str, Value]:
        """The value of every parameter."""
        return {name: self._value(one) for name, one in self.parameters(context).items()}

    def look_by_hand(self) -> dict[str, Value]:
        """The parameters of the look that were set by hand, and what moves them."""
        return {name: value for name, value in self.by_hand.items() if name.startswith(f"{LOOK}.")}

    def switch(self, name: str) -> bool:
        """Whether something is on. name: a switch of the show, or one of REPORTED."""
        return bool(getattr(self, name))

    def dream_by_hand(self) -> dict[str, Value]:
        """The settings of the dream that were set by hand, by their names without "dream."."""
        return _of_section("dream", self.by_hand)

    def beat_settings(self) -> BeatSettings:
        """The preset's settings of the beat with what its expressions have moved and what was set by hand. Raises
        ValueError where these exclude each other.
        """
        values = {**self.preset_values, **self.moved, **self.by_hand}
        values = _of_section("beat", values)
        settings = BeatSettings.model_validate(values)
        if self.sensitivity_factor == 1.0:
            return settings
        low, high = SENSITIVITY_RANGE
        sensitivity = min(max(settings.sensitivity * self.sensitivity_factor, low), high)
        return settings.model_copy(update={"sensitivity": sensitivity})

    def set_by_hand(self, context: Context) -> dict[str, Value]:
        """Every parameter that differs from the preset, with its value: what a restarted show sets again."""
        found = dict(self.by_hand) | {name: value for name, value in self.source_values.items() if value}
        if self.sensitivity_factor != 1.0:
            found[SENSITIVITY] = self.beat_settings().sensitivity
        return found | {name: 1.0 for name in context.parameters.switches if self.switch(name)}

    def _with(self, name: str, value: bool) -> ShowState:
        changed: dict[str, Any] = {name: value}
        return replace(self, **changed)

    def _value(self, one: Parameter) -> Value:
        if not one.section:
            return float(self.switch(one.name))
        if one.name == SENSITIVITY:
            return self.beat_settings().sensitivity
        if one.section in SOURCE:
            return self.source_values.get(one.name, one.default)
        for values in (self.by_hand, self.moved, self.preset_values):
            if one.name in values:
                return values[one.name]
        return one.default

    # -- what actions are made of -------------------------------------------------------------------------------------

    def answering(self, answer: str) -> ShowState:
        """This state, with an answer to whoever gave the command."""
        return replace(self, answer=answer)

    def requesting(self, kind: str, argument: str = "") -> ShowState:
        """This state, with one more request."""
        number = self.n_requests + 1
        return replace(self, requests=(*self.requests, Request(number, kind, argument)), n_requests=number)

    def wanting(self, reference: str) -> ShowState:
        """This state, with a preset wanted; settings of the dream set by hand are dropped."""
        number = f"{self.presets.index(reference) + 1}  " if reference in self.presets else ""
        return replace(
            self,
            preset=reference,
            n_openings=self.n_openings + 1,
            by_hand=_without("dream", self.by_hand),
            answer=f"{number}{preset_label(reference)} …",
        )

    def setting(self, name: str, value: Value, context: Context) -> ShowState:
        """This state, with a parameter set. Raises BadInput for an unknown name or a value that is not allowed."""
        one = self.parameters(context).find(name)
        value = one.checked(value)
        if not one.section:
            return self._with(name, bool(value))
        if one.is_event:
            return self.requesting("look", name) if value else self
        if one.section in SOURCE:  # a parameter that this source does not have is ignored
            known = name in self.source_values
            return replace(self, source_values={**self.source_values, name: value}) if known else self
        if name == SENSITIVITY:
            own = replace(self, sensitivity_factor=1.0).beat_settings().sensitivity
            return replace(self, sensitivity_factor=float(value) / own)
        is_by_hand = one.name in self.by_hand or not (one.expression or one.name in self.moved)
        if is_by_hand and self._value(one) == value:
            return self
        after = replace(self, by_hand={**self.by_hand, name: value})
        if one.section == "beat":
            try:
                after.beat_settings()
            except ValueError as fault:
                raise BadInput(f"{name} {value}: {_first_line(fault)}") from fault
        return replace(after, n_bakings=self.n_bakings + one.rebakes)

    def unsetting(self, name: str, context: Context) -> ShowState:
        """This state, with a parameter and what moves it as in the preset. Raises BadInput for an unknown name, and for
        a setting of the beat whose value in the preset excludes what is set of the others.
        """
        one = self.parameters(context).find(name)
        names = {one.name, *(mover.name for mover in movers(one))}
        after = replace(self, by_hand={key: value for key, value in self.by_hand.items() if key not in names})
        if one.name == SENSITIVITY:
            after = replace(after, sensitivity_factor=1.0)
        try:
            after.beat_settings()
        except ValueError as fault:
            raise BadInput(f"{name}: {_first_line(fault)}") from fault
        return replace(after, n_bakings=self.n_bakings + (one.rebakes and one.name in self.by_hand))


def apply(state: ShowState, command: Command, context: Context) -> ShowState:
    """The state after a command. Whatever is wrong with the command is in the answer, and nothing else has changed
    then.
    """
    before = replace(state, answer="", requests=())
    try:
        return _changed(before, command, context)
    except BadInput as fault:
        return before.answering(str(fault))


def changes_to(state: ShowState, context: Context) -> list[Change]:
    """The changes that make a state of a fresh one in which the same is shown.

    What is still asked for (a preset that is being opened, requests) is left out, and so is a tempo set from elsewhere,
    and what concerns the window only.
    """
    changes: list[Change] = [
        PresetsListed(state.presets),
        PresetShown(state.shown, tuple(state.preset_values.items()), tuple(state.shown_dream.items()), state.look),
        SourceReported(tuple(state.source_values.items())),
    ]
    if state.moved:
        changes.append(SettingsMoved(tuple((name, float(value)) for name, value in state.moved.items())))
    after = ShowState()
    for change in changes:
        after = apply(after, Command(0, change), context)
    waiting = list(state.set_by_hand(context).items())
    for _ in range(len(waiting)):  # a value may be allowed only with another one: the edges of a band
        refused = []
        for name, value in waiting:
            changed = apply(after, Command(0, Set(name, value)), context)
            if changed.answer:
                refused.append((name, value))
            else:
                after = changed
                changes.append(Set(name, value))
        waiting = refused
    return changes


def action_of_key(key: PressKey, state: ShowState, context: Context) -> str | None:
    """The action that a key does, None if it does none. Raises BadInput while the keys are locked."""
    names = [key.name, key.place]
    if key.place.startswith("shift+") and key.place[6:].isdigit():
        names.append(key.place[6:])  # on keyboards that need Shift for digits
    name = context.keymap.action(names)
    if state.lock and (name is None or not context.actions[name].works_locked):
        lock = context.keymap.shown("lock")
        raise BadInput(f"the keys are locked{f'; {lock} unlocks them' if lock else ''}")
    return name


def _changed(state: ShowState, command: Command, context: Context) -> ShowState:
    change = command.change
    match change:
        case Act(action):
            return _acted(state, action, context)
        case Set(name, value):
            return state.setting(name, value, context)
        case Unset(name):
            return state.unsetting(name, context)
        case ShowPreset(preset):
            return state.wanting(_reference(preset, state))
        case SetTempo():
            return replace(state, tempo=change if change.bpm > 0 else None)
        case Learn(target):
            if target:
                check_target(target, [*state.parameters(context), *context.actions])
            return state.requesting("learn", target)
        case PresetsListed(presets):
            return replace(state, presets=presets)
        case PresetShown():
            return _shown(state, change)
        case PresetFailed():
            return replace(state, by_hand=_without("dream", state.by_hand) | dict(state.shown_dream))
        case SourceReported(values):
            return replace(state, source_values=dict(values))
        case SettingsMoved(values):
            return _moved(state, values, context)
        case Reported(name, value):
            if name not in REPORTED:
                raise BadInput(f"unknown state {name[:60]!r}{nearest(name, REPORTED)}; known: {', '.join(REPORTED)}")
            return state._with(name, value)
        case _:
            assert_never(change)


def _acted(state: ShowState, name: str, context: Context) -> ShowState:
    action = context.actions.get(name)
    if action is None:
        raise BadInput(f"unknown action {name[:60]!r}{nearest(name, context.actions)}")
    if action.needs is not None and action.needs not in context.capabilities:
        return state
    after = action.apply(state, context)
    # a key pressed for something else is not the first of two that end the show
    return replace(after, asks_to_end=after.asks_to_end and not state.asks_to_end)


def _reference(preset: str, state: ShowState) -> str:
    """The reference of a preset given by its name or reference. Raises BadInput."""
    known = [state.preset, *state.presets]
    for one in known:
        if one == preset:
            return one
    for one in known:
        if preset_label(one) == preset:
            return one
    raise BadInput(f"unknown preset {preset[:60]!r}{nearest(preset, map(preset_label, state.presets))}")


def _shown(state: ShowState, change: PresetShown) -> ShowState:
    by_hand = dict(state.by_hand)
    if not state.shown:  # the first one
        state = replace(state, preset=change.preset)
        by_hand |= dict(change.dream)
    elif change.preset != state.shown:
        sections = ("beat.", "journey.", f"{LOOK}.")
        by_hand = {name: value for name, value in by_hand.items() if name in KEPT or not name.startswith(sections)}
    after = replace(
        state,
        shown=change.preset,
        n_shown=state.n_shown + 1,
        preset_values=dict(change.values),
        shown_dream=dict(change.dream),
        look=change.look,
        moved={},
        by_hand=_allowed_look(by_hand, change.look),
    )
    try:
        after.beat_settings()
    except ValueError:  # its file was changed, and what was set by hand no longer fits
        after = replace(after, by_hand=_without("beat", after.by_hand))
    return after


def _moved(state: ShowState, values: tuple[tuple[str, float], ...], context: Context) -> ShowState:
    beat = Parameters(context.parameters.of_section("beat"))
    after = replace(state, moved={name: beat.find(name).checked(value) for name, value in values})
    try:
        after.beat_settings()
    except ValueError as fault:  # such as edges of a band that coincide
        raise BadInput(f"{', '.join(after.moved)}: {_first_line(fault)}") from fault
    return after


def _allowed_look(by_hand: Mapping[str, Value], look: tuple[Parameter, ...]) -> dict[str, Value]:
    """`by_hand` without the values that the look's parameters cannot have."""
    of_look, found = Parameters().with_look(look), dict(by_hand)
    for name in [name for name in by_hand if name.startswith(f"{LOOK}.")]:
        try:
            of_look[name].checked(by_hand[name])
        except (KeyError, BadInput):
            del found[name]
    return found


def _of_section(section: str, values: Mapping[str, Value]) -> dict[str, Value]:
    return {name.removeprefix(f"{section}."): value for name, value in values.items() if name.startswith(f"{section}.")}


def _without(section: str, values: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if not name.startswith(f"{section}.")}


def _first_line(fault: ValueError) -> str:
    if isinstance(fault, ValidationError):
        return str(fault.errors()[0]["msg"]).removeprefix("Value error, ")
    return str(fault)
