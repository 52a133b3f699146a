"""The controllers of a show: asked, told, and each kept from taking the others along."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from ..control.commands import Change
from ..control.controller import Controller
from ..control.snapshot import Snapshot
from .guard import Guard, Part


class Hub:
    """Every controller of a show. guard: where one that fails is noted; it is asked again after a while."""

    def __init__(self, controllers: Iterable[Controller], guard: Guard) -> None:
        self._guard = guard
        self._members: list[tuple[Controller, Part]] = []
        for one in controllers:
            self.add(one)

    def __len__(self) -> int:
        return len(self._members)

    def add(self, controller: Controller) -> None:
        """One more."""
        self._members.append((controller, self._guard.part(controller.name, "the show goes on without it")))

    def remove(self, controller: Controller) -> None:
        """One less; it is closed."""
        self._members = [member for member in self._members if member[0] is not controller]
        with self._guard.part(controller.name, "the show goes on without it"):
            controller.close()

    def poll(self) -> list[Change]:
        """What all of them command for."""
        commands: list[Change] = []
        for controller, part in self._members:
            if not part.rests:
                with part:
                    commands += controller.poll()
        return commands

    def tell(self, snapshot: Snapshot) -> None:
        """How the show stands, to all."""
        for controller, part in self._willing():
            with part:
                controller.tell(snapshot)

    def status(self) -> list[str]:
        """Lines for the HUD."""
        lines: list[str] = []
        for controller, part in self._willing():
            with part:
                lines += controller.status()
        return lines

    def news(self) -> list[str]:
        """Lines to be said once."""
        lines: list[str] = []
        for controller, part in self._willing():
            with part:
                if line := controller.news():
                    lines.append(line)
        return lines

    def learn(self, target: str) -> bool:
        """Let every controller that can bind the next control moved to a target; "" calls it off. Whether there is one."""
        able = False
        for controller, part in self._willing():
            if (learn := getattr(controller, "learn", None)) is not None:
                with part:
                    learn(target)
                    able = True
        return able

    @property
    def learning(self) -> str:
        """What waits for a control to be moved, "" if nothing."""
        return next((found for one, _ in self._members if (found := getattr(one, "learning", ""))), "")

    @property
    def bindings(self) -> dict[str, str]:
        """What is bound: target to control."""
        bound: dict[str, str] = {}
        for controller, _ in self._members:
            bound |= getattr(controller, "bindings", {})
        return bound

    def close(self) -> None:
        """Close all of them."""
        for controller, _ in self._members:
            with suppress(Exception):
                controller.close()
        self._members = []

    def _willing(self) -> Iterator[tuple[Controller, Part]]:
        return ((controller, part) for controller, part in self._members if not part.rests)
