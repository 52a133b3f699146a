"""A commented example to begin a look with."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import BadInput, VisualizerError
from ..files.output_file import atomic_write
from ..files.paths import config_folder
from ..oneline import plain, reason_of
from ..resources import shipped
from .look import look_names

_NAME = re.compile(r"[a-z0-9_-]{1,60}")


def example_path() -> Path:
    """The file of the example."""
    return shipped("shaders") / "base" / "example.isf"


def write_example(name: str) -> Path:
    """Write the example as a new look into `looks/` of the config folder; returns the file.

    Raises BadInput for a name that a look cannot have, or that another look has; VisualizerError where it cannot be
    written.
    """
    if not _NAME.fullmatch(name):
        raise BadInput(f"{plain(name)!r} cannot be the name of a look; allowed: small letters, digits, - and _")
    folder = config_folder() / "looks"
    path = folder / f"{name}.fs"
    if name in look_names():
        raise BadInput(f"there is a look called {name} already; `visualizer looks` lists all; choose another name")
    try:
        text = example_path().read_text(encoding="utf-8")
        folder.mkdir(parents=True, exist_ok=True)
        if path.exists():
            raise BadInput(f"{plain(path)} exists already; choose another name")
        with atomic_write(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as fault:
        raise VisualizerError(f"{plain(path)} cannot be written: {reason_of(fault)}") from fault
    return path
