"""Files that are written for the user: the path is checked before any work is done, and the file is written
atomically.
"""

from __future__ import annotations

import io
import logging
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadInput, VisualizerError
from ..oneline import plain, reason_of
from .durable import sync_file
from .paths import is_writable_folder

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

log = logging.getLogger(__name__)


def check_output_path(path: Path, suffixes: Sequence[str] = (), *, overwrite: bool = True) -> Path:
    """The absolute path where a file named `path` will be written. Links are followed: a rename would replace the link.

    suffixes: allowed endings of the name, lower case; any if empty. overwrite: whether an existing file may be
    replaced.
    Raises BadInput for another ending, or if no file can be written there.
    """
    name = plain(path)
    if suffixes and path.suffix.lower() not in suffixes:
        *first, last = suffixes
        raise BadInput(f"{name}: the name must end in {', '.join(first)}{' or ' if first else ''}{last}")
    try:
        path = path.expanduser().resolve()
        folder = path.parent
        try:
            # stat and not is_dir or exists: from Python 3.14 on those return False where permissions are missing
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
                raise BadInput(f"{name}: already exists; choose another name")
        if not is_writable_folder(folder):
            raise PermissionError
    except PermissionError as fault:
        raise BadInput(f"{name}: the folder {plain(path.parent)} cannot be written to (permission denied)") from fault
    except (OSError, ValueError, RuntimeError) as fault:  # a null byte, a name too long, a loop of links
        raise BadInput(f"{name}: cannot be a file name: {plain(fault)}") from fault
    return path


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield the path of a temporary file in the folder of `path`, to be written in the block, and rename it to `path`
    after.

    If the block raises, the temporary file is removed and a file at `path` stays as it was. Raises VisualizerError, one
    line, for every OSError, also one of the block.
    """
    part = path.with_name(f".visualizer-{secrets.token_hex(8)}.part{path.suffix.lower()}")
    try:
        yield part
        with part.open("r+b") as file:
            sync_file(file.fileno())  # a network disk may report only here that it is full
        part.replace(path)
    except OSError as fault:
        raise VisualizerError(f"{plain(path)} could not be written: {reason_of(fault)}") from fault
    finally:
        remove(part)


class WholeWrites(io.FileIO):
    """A new file whose writes are complete or raise: a write of FileIO may be of a part, and FFmpeg's muxers do not
    check that.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "xb")
        self.name = "file"  # PyAV needs text, and a file name may be bytes

    def write(self, data: ReadableBuffer) -> int:
        rest = memoryview(data)
        n_bytes = rest.nbytes
        while rest.nbytes:
            rest = rest[super().write(rest) :]
        return n_bytes


def remove(path: Path) -> None:
    """Remove a file of this program if it exists; a failure is only logged."""
    try:
        path.unlink(missing_ok=True)
    except OSError as fault:
        log.debug("%s stays: %s", path, fault)
