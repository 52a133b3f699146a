"""Lines for the user on the terminal, beside what a command prints."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ..oneline import plain

if TYPE_CHECKING:
    from ..presets.loaded import LoadedPreset


def tell(line: str) -> None:
    """A line on stderr, and only one: a file's name may hold line breaks and codes that a terminal obeys."""
    print(f"visualizer: {plain(line, most=None)}", file=sys.stderr)


def tell_news(loaded: LoadedPreset) -> None:
    """What there is to say about a loaded."""
    for line in loaded.news:
        tell(line)
