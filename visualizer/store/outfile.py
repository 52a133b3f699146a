"""Where a file may be written: looked at before any work is done for it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..errors import BadInput
from .oneline import plain


def checked_path(path: Path, suffixes: Sequence[str], *, overwrite: bool = True) -> Path:
    """Where a file named `path` will be: absolute, links followed, or the rename at the end would replace the link.

    Raises BadInput if its name does not end in one of `suffixes`, or none can be written there.
    """
    name = plain(path)
    if path.suffix.lower() not in suffixes:
        raise BadInput(f"{name}: the name must end in {', '.join(suffixes[:-1])} or {suffixes[-1]}")
    try:
        path = path.expanduser().resolve()
        folder = path.parent
        if path.is_dir():
            raise BadInput(f"{name}: is a folder; name a file in it")
        if path.exists() and not path.is_file():
            raise BadInput(f"{name}: is not an ordinary file")
        if path.exists() and not overwrite:
            raise BadInput(f"{name}: already exists; choose another name or allow overwriting")
        if not folder.is_dir():
            raise BadInput(f"{name}: there is no folder {plain(folder)}; make it first")
        if not os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
            raise BadInput(f"{name}: the folder {plain(folder)} cannot be written to")
    except (OSError, ValueError, RuntimeError) as fault:  # a null byte, a name too long, a circle of links
        raise BadInput(f"{name}: cannot be a file name: {plain(fault)}") from fault
    return path
