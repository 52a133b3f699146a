"""What controls a show besides its keyboard: the performer's panel, MIDI, OSC, Link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .commands import Input
from .snapshot import Snapshot


class Controller:
    """A controller of a show: overrides what it can do. Called by the drawing thread, so nothing here may wait or
    take more than 0.1 ms.

    name: for the HUD and the log. can_learn: whether it can bind the next control that is moved, see `learn`.
    """

    name = ""
    can_learn = False

    def poll(self) -> Sequence[Input]:
        """What was asked for since the last call, in order. Called for every display frame."""
        return ()

    def update(self, snapshot: Snapshot) -> None:
        """Take over the state of the show. Called about 30 times a second."""

    def learn(self, target: str) -> None:
        """Bind the next control that is moved to a target; "" cancels. Only where `can_learn`. Raises BadInput for an
        unknown target.
        """

    @property
    def learning(self) -> str:
        """The target that the next control moved is bound to, "" if none."""
        return ""

    @property
    def bindings(self) -> Mapping[str, str]:
        """The controls bound to each target, for people: "beat.decay" to "CC 7 channel 1"."""
        return {}

    def status(self) -> list[str]:
        """Lines for the HUD, "name<tab>value"."""
        return []

    def news(self) -> str | None:
        """A line for the user that was not returned yet, if there is one."""
        return None

    def close(self) -> None:
        """Release ports, sockets and threads."""


class PanelController(Controller):
    """The performer's panel. place: of its window, x, y, width, height on the desktop, None if unknown; is_open:
    False once it was closed.
    """

    name = "panel"
    place: tuple[int, int, int, int] | None = None
    is_open = True
