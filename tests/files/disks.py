"""Places that are hard to write to, for the tests of the store room."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def full_disk(folder: Path, n_bytes: int) -> Iterator[Path]:
    """`folder` as a file system that holds n_bytes; where nothing may be mounted, no file may grow beyond that."""
    mounted = _run("mount", "-t", "tmpfs", "-o", f"size={n_bytes}", "tmpfs", str(folder))
    if mounted:
        try:
            yield folder
        finally:
            assert _run("umount", str(folder))
    else:
        with file_size_limit(n_bytes):
            yield folder


@contextlib.contextmanager
def file_size_limit(n_bytes: int) -> Iterator[None]:
    """No file of this process may grow beyond n_bytes: a write beyond it fails like one on a full disk."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def locked_folder(mode: int = 0o555) -> Iterator[Path]:
    """A folder this process may read but not write to (with 0o700: not even enter), also when the tests run as root."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(mode)
        was_root = os.geteuid() == 0
        if was_root:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            if was_root:
                os.seteuid(0)
            folder.chmod(0o755)


def give_away(folder: Path) -> None:
    """Make `folder` one that only another user may enter, for commands begun with UNPRIVILEGED."""
    if os.geteuid() == 0:
        os.chown(folder, 65534, 65534)
        folder.chmod(0o700)
    else:
        folder.chmod(0)


#: put before a command, it takes from root the right to enter every folder
UNPRIVILEGED = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []


def _run(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
