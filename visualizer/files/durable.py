"""Files that survive a power cut: what was written is on the disk when these return."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
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
