"""Messages for the user on the terminal, in addition to a command's own output."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ..errors import BadInput
from ..oneline import plain

if TYPE_CHECKING:
    from ..presets.loaded import LoadedPreset


def print_message(text: str) -> None:
    """Print one line to stderr. Line breaks and control characters, as in the name of a file, are escaped."""
    print(f"visualizer: {plain(text, most=None)}", file=sys.stderr)


def print_news(loaded: LoadedPreset) -> None:
    """Print what the user should know about a loaded preset, such as a missing network that was replaced."""
    for line in loaded.news:
        print_message(line)


def print_look_faults(loaded: LoadedPreset) -> None:
    """Print why a show of a preset would not begin: a look that there is not, or that cannot be used as the preset
    says.
    """
    from ..show.open_looks import open_links, open_transition

    for opens in (open_links, open_transition):
        try:
            opens(loaded)
        except BadInput as fault:
            print_message(f"no show can begin with it: {fault}")
