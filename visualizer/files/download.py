"""A partial download: the bytes received so far, where they come from, and a lock for one process at a time.

    NAME.part         the bytes received so far
    NAME.part.json    their source: url, the server's version of the file (ETag or date), its total size

A process killed at any moment leaves these two, from which another continues; NAME itself appears complete, by a
rename.
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
from .durable import sync_file


class DownloadSource(BaseModel):
    """Where the bytes come from.

    version: a strong ETag or a Last-Modified date, "" if unknown; n_total: size of the file, None if unknown.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    url: str
    version: str
    n_total: int | None


class PartialDownload:
    """The part of the file `to` that has been received, for use in a `with` block. Methods raise OSError.

    n_bytes: its size. source: where it comes from; None if that is unknown, and the download has to start again.
    """

    n_bytes: int
    source: DownloadSource | None

    def __init__(self, to: Path) -> None:
        """Create the folder and the file if necessary, and lock it. Raises VisualizerError if another process holds
        it.
        """
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
            self.remove()  # nothing was received: leave no file
        self._file.close()

    @property
    def folder(self) -> Path:
        """The folder it is in."""
        return self._path.parent

    def holds_all_of(self, url: str) -> bool:
        """True if all bytes of the file at `url` have been received."""
        return self.source is not None and (self.source.url, self.source.n_total) == (url, self.n_bytes)

    @property
    def file(self) -> io.FileIO:
        """The open file, for reading."""
        return self._file

    def begin(self, source: DownloadSource) -> None:
        """Remove all bytes, and start again with bytes from `source`."""
        # in this order: if the process is killed between two lines, there is never an old note for new bytes
        self._file.seek(0)
        self._file.truncate()
        self.n_bytes, self.source = 0, source
        self._note.write_text(source.model_dump_json(), encoding="utf-8")

    def append(self, block: bytes) -> None:
        """Append bytes."""
        rest = memoryview(block)
        while rest:
            n_written = self._file.write(rest)
            self.n_bytes += n_written
            rest = rest[n_written:]

    def finish(self) -> None:
        """Rename it to `to`, replacing a file that was there."""
        sync_file(self._file.fileno())
        if sys.platform == "win32":  # an open file cannot be renamed there
            self._file.close()
        self._path.replace(self._to)
        self._note.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove it."""
        if sys.platform == "win32":
            self._file.close()
        self._path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def _open(self) -> io.FileIO:
        while True:
            # unbuffered: what was written stays if the process is killed
            file = io.FileIO(os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644), "r+b")
            try:
                _lock(file)
                # the process that held it may just have renamed it: then this is not the partial file any more
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


def _lock(file: io.FileIO) -> None:
    """Lock the file for other processes until it is closed. Raises BlockingIOError if one holds it."""
    if sys.platform == "win32":
        import msvcrt

        file.seek(1 << 40)  # far beyond the bytes, since what is locked there cannot be read or written
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
            pass  # a network disk without locks: a single process needs none
