"""What tells a show what to do beside its keyboard: the performer's panel, MIDI, OSC, Link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .commands import Change
from .snapshot import Snapshot


class Controller(Protocol):
    """Asked and told by the drawing thread, so nothing here may wait or take longer than a tenth of a millisecond. name: for the HUD."""

    name: str

    def poll(self) -> Sequence[Change]:
        """What is asked for since the last call, in order. Asked before every display frame."""

    def tell(self, snapshot: Snapshot) -> None:
        """How the show stands; told about 30 times a second."""

    def status(self) -> list[str]:
        """Lines for the HUD, "name<tab>value"."""

    def news(self) -> str | None:
        """A line to be said once on the screen, if there is one."""

    def close(self) -> None:
        """Give everything back."""
