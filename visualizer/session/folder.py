"""Access to the files of a session folder, which somebody else may have made: nothing outside the folder is opened."""

from __future__ import annotations

import os
import stat
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from ..errors import BadInput, VisualizerError
from ..oneline import plain, reason_of
from .layout import SessionFolder

#: a session of a whole day holds some thousand
MOST_FILES = 50_000
# a preset's folder is the deepest: presets/NAME/base/x.glsl
_MOST_NESTING = 8
_FORBIDDEN = set('<>:"/\\|?*')  # in the name of a session: Windows allows none of them
_RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{device}{n}" for device in ("COM", "LPT") for n in range(1, 10))}


def session_files(root: Path) -> list[str]:
    """The files of the session in the folder `root`, as relative paths with "/", sorted; without its lock and other
    files and folders whose names begin with a dot, such as those that were being written at a crash.

    `root` itself may be a link. Raises BadInput for links, for what is no ordinary file or folder, and for more files
    or folders in each other than a session has: whatever is opened in the folder after this is in the folder.
    """
    return sorted(_walk(root, "", 0, [0]))


def _walk(folder: Path, prefix: str, depth: int, count: list[int]) -> Iterator[str]:
    try:
        entries = list(os.scandir(folder))
    except OSError as fault:
        raise BadInput(f"{plain(folder)}: cannot be read: {reason_of(fault)}") from fault
    for entry in entries:
        count[0] += 1
        if count[0] > MOST_FILES or depth > _MOST_NESTING:
            raise BadInput(f"{plain(folder)}: holds more files or folders than a session does")
        mode = _mode_without_links(Path(entry.path))
        if entry.name.startswith("."):
            continue
        if stat.S_ISDIR(mode):
            yield from _walk(Path(entry.path), f"{prefix}{entry.name}/", depth + 1, count)
        elif not stat.S_ISREG(mode):
            raise BadInput(f"{plain(entry.path)}: is not an ordinary file, which a session does not hold")
        else:
            yield prefix + entry.name


def open_file(path: Path) -> BinaryIO:
    """Open a file of a session for reading. Raises BadInput if it is missing, a link, or not an ordinary file."""
    if not stat.S_ISREG(_mode_without_links(path)):  # a pipe would block
        raise BadInput(f"{plain(path)}: is not an ordinary file")
    try:
        return path.open("rb")
    except OSError as fault:
        raise BadInput(f"{plain(path)}: cannot be read: {reason_of(fault)}") from fault


def _mode_without_links(path: Path) -> int:
    """The mode of a file or folder. Raises BadInput if it is missing or a link."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        raise BadInput(f"{plain(path)}: is missing") from None
    except (OSError, ValueError) as fault:
        raise BadInput(f"{plain(path)}: cannot be read: {reason_of(fault)}") from fault
    is_junction = sys.platform == "win32" and status.st_reparse_tag == stat.IO_REPARSE_TAG_MOUNT_POINT
    if stat.S_ISLNK(status.st_mode) or is_junction:
        raise BadInput(f"{plain(path)}: is a link, which a session does not hold; put the file itself there")
    return status.st_mode


def check_name(name: str) -> str:
    """The same name, of a session. Raises BadInput unless it can be that of one folder on every system."""
    bad = next((char for char in name if char in _FORBIDDEN or unicodedata.category(char) in ("Cc", "Cs")), "")
    if bad:
        raise BadInput(f"the name {plain(name)!r} holds {plain(bad)!r}, which is not allowed in names of sessions")
    if name.strip(" ") != name or not name or name[0] == "." or name[-1] == "." or len(name.encode()) > 200:
        raise BadInput(
            f"the name {plain(name)!r} cannot be that of a session: it must not be empty, longer than 200 bytes, or begin "
            "or end with a dot or a space"
        )
    if is_device(name):
        raise BadInput(f"the name {plain(name)!r} is that of a device on Windows; choose another")
    return name


def is_device(name: str) -> bool:
    """Whether a file of this name is a device on Windows, such as NUL or COM1.txt."""
    return name.partition(".")[0].rstrip(" ").upper() in _RESERVED


def refuse_while_recorded(root: Path) -> None:
    """Raise VisualizerError if a program is recording the session in the folder `root` at this moment."""
    lock = SessionFolder(root).lock
    if not os.path.lexists(lock):
        return
    _mode_without_links(lock)
    try:
        with FileLock(lock).acquire(timeout=0):
            pass
    except Timeout:
        raise VisualizerError(f"{plain(root)}: is being recorded at this moment; end the recording first") from None
    except (OSError, NotImplementedError):
        return  # a disk without locks, or one that is read-only: nothing records to it
