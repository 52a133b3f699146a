"""A file that is still arriving: its bytes so far, where they are from, and one process at a time.

    NAME.part         the bytes so far
    NAME.part.json    where from: url, what the server calls this version of the file (ETag or date), its whole size

Killed at any moment it leaves these two, from which another run goes on; NAME itself appears whole, by a rename.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from pathlib import Path
from types import TracebackType

from pydantic import BaseModel, ConfigDict, ValidationError

from ..errors import VisualizerError
from ..oneline import plain


class DownloadSource(BaseModel):
    """Where the bytes are from. version: a strong ETag or a Last-Modified, "" if unknown; n_total: None if not told."""

    model_config = ConfigDict(frozen=True, strict=True)

    url: str
    version: str
    n_total: int | None


class PartialDownload:
    """The part of the file `to` that is there, to be used in a `with` block. Methods raise OSError as the disk does.

    n_bytes: how much is there. source: where it is from; None if that is not known, and it can only be begun anew.
    """

    n_bytes: int
    source: DownloadSource | None

    def __init__(self, to: Path) -> None:
        """Make the folder and the part if need be, and hold it. Raises VisualizerError if another process does."""
        self._to = to
        self._path = to.with_name(to.name + ".part")
        self._note = to.with_name(to.name + ".part.json")
        to.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._open()
        self.n_bytes = self._file.seek(0, os.SEEK_END)
        self.source = self._read_note() if self.n_bytes else None

    def __enter__(self) -> PartialDownload:
        return self

    def __exit__(self, kind: type | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        if self.n_bytes == 0:
            self.remove()  # nothing came: nothing stays
        self._file.close()

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self._path.parent

    def holds_all_of(self, url: str) -> bool:
        """True if all the bytes that the server at `url` told of are there."""
        return self.source is not None and (self.source.url, self.source.n_total) == (url, self.n_bytes)

    @property
    def file(self) -> io.FileIO:
        """To read the bytes."""
        return self._file

    def begin(self, source: DownloadSource) -> None:
        """Empty it, for bytes from `source`."""
        # in this order: killed between any two lines, an old note never stands beside new bytes
        self._file.seek(0)
        self._file.truncate()
        self.n_bytes, self.source = 0, source
        self._note.write_text(source.model_dump_json(), encoding="utf-8")

    def append(self, block: bytes) -> None:
        """Add bytes at the end."""
        rest = memoryview(block)
        while rest:
            n_written = self._file.write(rest)
            self.n_bytes += n_written
            rest = rest[n_written:]

    def finish(self) -> None:
        """Give it its name: from here on `to` is there, whole, in place of what was."""
        os.fsync(self._file.fileno())
        if sys.platform == "win32":  # an open file cannot be renamed there
            self._file.close()
        self._path.replace(self._to)
        self._note.unlink(missing_ok=True)

    def remove(self) -> None:
        """Throw the bytes away."""
        if sys.platform == "win32":
            self._file.close()
        self._path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def _open(self) -> io.FileIO:
        while True:
            # unbuffered: what was written is there although the process is killed
            file = io.FileIO(os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644), "r+b")
            try:
                _hold(file)
                # the process that held it may just have given it its name: then this is no longer the part
                with contextlib.suppress(FileNotFoundError):
                    if os.path.samestat(os.fstat(file.fileno()), self._path.stat()):
                        return file
            except BlockingIOError:
                file.close()
                raise VisualizerError(
                    f"{plain(self._to.name)} is being fetched by another process; wait until it is done"
                ) from None
            except BaseException:
                file.close()
                raise
            file.close()

    def _read_note(self) -> DownloadSource | None:
        try:
            return DownloadSource.model_validate_json(self._note.read_bytes())
        except (OSError, ValidationError):
            return None


def _hold(file: io.FileIO) -> None:
    """Keep other processes away until the file is closed. Raises BlockingIOError if one holds it already."""
    if sys.platform == "win32":
        import msvcrt

        file.seek(1 << 40)  # far behind the bytes: what is locked there cannot be read or written
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as fault:
            raise BlockingIOError from fault
    else:
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:
            pass  # a network's disk without locks: alone there is no harm
