"""The dispatcher: every command of a show is applied here, and the parts of the show carry out what it changed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from ..control.capabilities import Capability
from ..control.commands import Act, Change, Command, Input, PressKey, SourceReported
from ..control.parameters import Value
from ..control.state import Context, Request, ShowState, action_of_key, apply
from ..errors import BadInput
from ..render.keyboard import Press
from .effects import COMMANDS, Effects, switches
from .guard import Guard
from .hud_text import Notices
from .source import Source

log = logging.getLogger(__name__)


class Dispatcher:
    """Applies commands to the state, one at a time, and has the difference between the state before and after carried
    out.

    context: what the commands depend on. source: stamps the commands with its time. effects: of the parts that the show
    has, in order. requests: for each kind of `Request` besides "source", what carries it out: it is called with the
    argument and returns what to answer. on_command: called with every command that was applied.

    state: as the commands so far have made it. said: the newest answer to a controller; those to a key are shown as a
    notice.
    """

    def __init__(
        self,
        context: Context,
        source: Source,
        effects: Sequence[Effects],
        *,
        notices: Notices,
        guard: Guard,
        requests: Mapping[str, Callable[[str], str | None]],
        on_command: Callable[[Command], None] = lambda command: None,
    ) -> None:
        self.context, self.state = context, ShowState()
        self.said = ""
        self._source, self._effects = source, effects
        self._notices, self._guard = notices, guard
        self._requests = requests
        self._on_command = on_command

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
        for effects in self._effects:
            for first in effects.prepare(change, self.state):
                self._stamp_and_apply(first)
        self._stamp_and_apply(change, is_key=is_key)

    def apply(self, command: Command, *, is_key: bool = False) -> None:
        """Apply a command and carry out what it changed. is_key: the answer is shown on the screen."""
        before, after = self.state, apply(self.state, command, self.context)
        self.state = after
        with self._guard.part("record of commands", "they are carried out all the same"):
            self._on_command(command)
        answers: list[str | None] = [after.answer]
        for effects in self._effects:
            answers += effects.carry_out(before, after, command.at_samples)
        for request in after.requests:
            with self._guard.part(*COMMANDS):
                answers.append(self._request(request, command.at_samples))
        for answer in answers:
            if not answer:
                continue
            if is_key:
                self._notices.answer(answer)
            else:
                self.said = answer
                self._notices.record(answer)

    def report(self) -> None:
        """Make commands of changes that no command caused, such as a closed panel. Called for every display frame."""
        for effects in self._effects:
            for change in effects.reports(self.state):
                self.dispatch(change)
        if Capability.PAUSE in self.context.capabilities:
            for change in switches(self.state, freeze=self._source.is_paused):
                self.dispatch(change)
        values = self._source.parameters()
        if any(self.state.source_values.get(name) != value for name, value in values.items()):
            self.dispatch(SourceReported(tuple(values.items())))

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

    def _request(self, request: Request, at_samples: int) -> str | None:
        if request.kind == "source":
            return self._source.do(request.argument, at_samples / self._source.sample_rate_hz)
        return self._requests[request.kind](request.argument)

    def _stamp_and_apply(self, change: Change, *, is_key: bool = False) -> None:
        with self._guard.part(*COMMANDS):
            self.apply(Command(self._source.samples_at(self._source.position_s()), change), is_key=is_key)
