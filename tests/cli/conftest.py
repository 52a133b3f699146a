"""Terminals for the tests of commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.cli.terminal import Terminal


@pytest.fixture
def terminal(pulse: object, home: object) -> Iterator[Callable[..., Terminal]]:
    """Starts the program on terminals of their own, with sound devices."""
    terminals: list[Terminal] = []

    def start(*arguments: str, **options) -> Terminal:
        terminals.append(Terminal(*arguments, **options))
        return terminals[-1]

    yield start
    for opened in terminals:
        opened.close()
