"""Lines for the user on the terminal, beside what a command prints."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..show.look import Look


def tell(line: str) -> None:
    """A line on stderr."""
    print(f"visualizer: {line}", file=sys.stderr)


def tell_news(look: Look) -> None:
    """What there is to say about a look."""
    for line in look.news:
        tell(line)
