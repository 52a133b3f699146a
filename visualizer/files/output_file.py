"""Files that are written for the user: where one may be, checked before any work is done for it, and written whole."""

from __future__ import annotations

import logging
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..errors import BadInput, VisualizerError
from ..oneline import plain
from .paths import is_writable_folder

log = logging.getLogger(__name__)


def check_output_path(path: Path, suffixes: Sequence[str] = (), *, overwrite: bool = True) -> Path:
    """Where a file named `path` will be: absolute, links followed, or the rename at the end would replace the link.

    suffixes: how its name may end, lower case; any if empty. Raises BadInput if its name ends otherwise, or if no file
    can be written there.
    """
    name = plain(path)
    if suffixes and path.suffix.lower() not in suffixes:
        raise BadInput(f"{name}: the name must end in {', '.join(suffixes[:-1])} or {suffixes[-1]}")
    try:
        path = path.expanduser().resolve()
        folder = path.parent
        try:
            # stat and not is_dir or exists: from Python 3.14 on those say False for what cannot be looked at
            mode = path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            if not folder.is_dir():
                raise BadInput(f"{name}: there is no folder {plain(folder)}; make it first") from None
        else:
            if stat.S_ISDIR(mode):
                raise BadInput(f"{name}: is a folder; name a file in it")
            if not stat.S_ISREG(mode):
                raise BadInput(f"{name}: is not an ordinary file")
            if not overwrite:
                raise BadInput(f"{name}: already exists; choose another name or allow overwriting")
        if not is_writable_folder(folder):
            raise PermissionError
    except PermissionError as fault:
        raise BadInput(f"{name}: the folder {plain(path.parent)} cannot be written to (permission denied)") from fault
    except (OSError, ValueError, RuntimeError) as fault:  # a null byte, a name too long, a circle of links
        raise BadInput(f"{name}: cannot be a file name: {plain(fault)}") from fault
    return path


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A new file in the folder of `path`, to be written in the block; it gets the name `path` when the block ends well.

    When it does not, the new file is removed and what was at `path` stays. Raises VisualizerError, one line, for every
    OSError, also one of the block.
    """
    part = path.with_name(f".visualizer-{secrets.token_hex(8)}.part{path.suffix.lower()}")
    try:
        yield part
        with part.open("r+b") as file:
            os.fsync(file.fileno())  # a disk over a network may say only here that it is full
        part.replace(path)
    except OSError as fault:
        raise VisualizerError(f"{plain(path)} could not be written: {plain(fault.strerror or fault)}") from fault
    finally:
        remove(part)


def remove(path: Path) -> None:
    """Remove a file of this program, if it is there and can be removed; never raises for the disk's sake."""
    try:
        path.unlink(missing_ok=True)
    except OSError as fault:
        log.debug("%s stays: %s", path, fault)
