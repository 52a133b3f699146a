"""Files that survive a power cut: what was written is on the disk when these return."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

if sys.platform == "darwin":
    import fcntl


def sync_file(descriptor: int) -> None:
    """Wait until the contents of an open file are on the disk. Raises OSError, also for what could not be written
    before.
    """
    if sys.platform == "linux":
        os.fdatasync(descriptor)
        return
    os.fsync(descriptor)
    if sys.platform == "darwin":  # there fsync leaves it in the memory of the disk; network disks refuse the rest
        with suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)


def write_folder(
    folder: Path, files: Mapping[str, bytes | Path], check: Callable[[Path], None] = lambda part: None
) -> None:
    """Write a new folder, whole or not at all, on the disk when this returns.

    files: contents, or files to copy, by path in the folder, with "/". check: called with the folder when it is written
    and has another name still; what it raises is raised, and nothing is left. Raises FileExistsError where something of
    that name is, and OSError.
    """
    part = folder.with_name(f".part-{folder.name}")
    shutil.rmtree(part, ignore_errors=True)  # of a program that was killed
    try:
        for name, data in files.items():
            path = part / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with ExitStack() as stack:
                file = stack.enter_context(path.open("xb"))
                if isinstance(data, Path):
                    shutil.copyfileobj(stack.enter_context(data.open("rb")), file)
                else:
                    file.write(data)
                file.flush()
                sync_file(file.fileno())
        sync_folder(part)
        check(part)
        if folder.exists():  # renaming would replace an empty one
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder))
        part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk. Windows has no such call, and needs none; some file systems
    refuse it.
    """
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as fault:
        if fault.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
