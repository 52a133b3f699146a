"""The controllers of a show: each is polled and updated, and none that fails stops the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from ..control.commands import Input
from ..control.controller import Controller
from ..control.snapshot import Snapshot
from .guard import Guard, Part

CONSEQUENCE = "the show goes on without it"


class Controllers:
    """Every controller of a show. guard: where one that fails is reported; it is tried again after a while."""

    def __init__(self, controllers: Iterable[Controller], guard: Guard) -> None:
        self._guard = guard
        self._members: list[tuple[Controller, Part]] = []
        for one in controllers:
            self.add(one)

    def __len__(self) -> int:
        return len(self._members)

    def add(self, controller: Controller) -> None:
        """Add a controller."""
        self._members.append((controller, self._guard.part(controller.name, CONSEQUENCE)))

    def remove(self, controller: Controller) -> None:
        """Remove a controller and close it."""
        self._members = [member for member in self._members if member[0] is not controller]
        with self._guard.part(controller.name, CONSEQUENCE):
            controller.close()

    def poll(self) -> list[Input]:
        """What all of them ask for."""
        changes: list[Input] = []
        for controller, part in self._working():
            with part:
                changes += controller.poll()
        return changes

    def update(self, snapshot: Snapshot) -> None:
        """Hand the state of the show to all of them."""
        for controller, part in self._working():
            with part:
                controller.update(snapshot)

    def status(self) -> list[str]:
        """Lines for the HUD."""
        lines: list[str] = []
        for controller, part in self._working():
            with part:
                lines += controller.status()
        return lines

    def news(self) -> list[str]:
        """Lines for the user that were not returned yet."""
        lines: list[str] = []
        for controller, part in self._working():
            with part:
                if line := controller.news():
                    lines.append(line)
        return lines

    def learn(self, target: str) -> str | None:
        """Make every controller that can learn bind the next control moved to a target; "" cancels. Returns why not,
        if none can.
        """
        able = [(controller, part) for controller, part in self._working() if controller.can_learn]
        for controller, part in able:
            with part:
                controller.learn(target)
        return None if able else "there is no MIDI or OSC to learn from; start the show with --midi or --osc"

    @property
    def learning(self) -> str:
        """The target that the next control moved is bound to, "" if none."""
        return next((controller.learning for controller, _ in self._members if controller.learning), "")

    @property
    def bindings(self) -> dict[str, str]:
        """The controls bound to each target, for people."""
        bound: dict[str, str] = {}
        for controller, _ in self._members:
            bound |= controller.bindings
        return bound

    def close(self) -> None:
        """Close all of them."""
        for controller, _ in self._members:
            with suppress(Exception):
                controller.close()
        self._members = []

    def _working(self) -> Iterator[tuple[Controller, Part]]:
        return ((controller, part) for controller, part in self._members if not part.is_suspended)
