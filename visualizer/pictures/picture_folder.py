"""A folder that pictures arrive in, such as one that a phone copies its photographs to: which is the newest.

The folder is listed again and again in a thread, which works on every disk (docs/decisions/0026).
"""

from __future__ import annotations

import logging
import os
import stat
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ..clock import Stopwatch, monotonic
from ..errors import BadInput
from ..oneline import plain, reason_of
from ..presets.image import load_image

log = logging.getLogger(__name__)

_READABLE = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif", ".tif", ".tiff", ".gif", ".bmp")
#: endings of picture files, lower case: also of HEIC, which cannot be read, so that it is reported
ENDINGS = frozenset((*_READABLE, ".heic", ".heif"))
#: how often the folder is listed, seconds; where listing takes long, so many times as long, at most so long
POLL_S, _POLL_FACTOR, _MOST_POLL_S = 0.25, 20.0, 3.0
#: a file is whole once its size and time have stayed the same for so long, seconds
SETTLE_S = 0.5
#: while others still arrive, the newest that is whole waits for them, at most so long, seconds
BURST_S = 3.0
#: a file that cannot be read is tried again for so long, seconds: it may still be written
RETRY_S = 5.0
_TRIED_PX = (64, 36)


class _Status(NamedTuple):
    """Time of the last change, ns; size, bytes."""

    changed_ns: int
    n_bytes: int


class _Arrival(NamedTuple):
    """A file that is new, and since when it has been as it is, seconds."""

    status: _Status
    since_s: float


class Arrivals:
    """Which picture of a folder that is listed again and again has arrived. check: raises BadInput for a file that
    cannot be read as a picture. now: seconds, rising.
    """

    def __init__(self, check: Callable[[Path], None], now: Callable[[], float] = monotonic) -> None:
        self._check, self._now = check, now
        self._known: dict[Path, _Status] | None = None  # before the first list all are
        self._new: dict[Path, _Arrival] = {}
        self._first_s = 0.0  # since when there are new ones, or the last one was returned
        self.fault: str | None = None

    def forget(self) -> None:
        """The folder has gone: those in the next list have been there before."""
        self._known = None
        self._new.clear()

    def take(self, listed: dict[Path, _Status]) -> Path | None:
        """Take a list of the folder. Returns a picture that has arrived and is whole: of several the newest, once."""
        now_s, self.fault = self._now(), None
        if self._known is None:
            self._known = dict(listed)
        self._known = {path: status for path, status in self._known.items() if path in listed}
        if not self._new:
            self._first_s = now_s
        before, self._new = self._new, {}
        for path, status in listed.items():
            if self._known.get(path) != status:
                arrival = before.get(path)
                is_same = arrival is not None and arrival.status == status
                self._new[path] = arrival if is_same and arrival is not None else _Arrival(status, now_s)
        whole = [path for path, one in self._new.items() if now_s - one.since_s >= SETTLE_S]
        if not whole or (len(whole) < len(self._new) and now_s - self._first_s < BURST_S):
            return None
        newest_first = sorted(whole, key=lambda path: (self._new[path].status, path), reverse=True)
        for index, path in enumerate(newest_first):
            try:
                self._check(path)
            except BadInput as fault:
                if now_s - self._new[path].since_s >= RETRY_S:
                    self.fault = f"{fault}; the journey goes on without it"
                    self._note(path)
                continue
            for one in newest_first[index:]:  # the older ones do not follow
                self._note(one)
            self._first_s = now_s
            return path
        return None

    def _note(self, path: Path) -> None:
        assert self._known is not None
        self._known[path] = self._new.pop(path).status


class PictureFolder:
    """Watches a folder for pictures, in a thread. The folder need not be there yet. n_looks: how often it has been
    looked at.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.n_looks = folder.absolute(), 0
        self._pictures: deque[Path] = deque(maxlen=1)  # only the newest is wanted
        self._news: deque[str] = deque(maxlen=4)
        self._ended, self._wake, self._wants_newest = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="picture folder", daemon=True)
        self._thread.start()

    def want_newest(self) -> str:
        """Ask for the newest picture that is in the folder. Returns a line for the user."""
        self._wants_newest.set()
        self._wake.set()
        return f"the newest picture of {plain(self.folder.name)} …"

    def poll(self) -> Path | None:
        """A picture that was asked for, or has arrived, since the last call."""
        return self._pictures.popleft() if self._pictures else None

    def news(self) -> str | None:
        """A line for the user about the folder, or a picture in it, once."""
        return self._news.popleft() if self._news else None

    def close(self) -> None:
        """End the thread, without waiting for a disk that hangs."""
        self._ended.set()
        self._wake.set()
        self._thread.join(1.0)

    def _work(self) -> None:
        arrivals, is_there = Arrivals(_check), True
        while not self._ended.is_set():
            watch, fault = Stopwatch(), ""
            listing_s = 0.0
            try:
                listed = _pictures_in(self.folder)
                listing_s = watch.elapsed_s()  # reading a picture takes long on any disk
                if (picture := arrivals.take(listed)) is not None:
                    self._pictures.append(picture)
                if arrivals.fault:
                    self._news.append(arrivals.fault)
                if self._wants_newest.is_set():
                    self._wants_newest.clear()
                    self._give_newest(listed)
            except (OSError, ValueError) as error:
                arrivals.forget()
                fault = reason_of(error)
            if is_there and fault:
                self._news.append(
                    f"the folder {plain(self.folder)} cannot be read ({fault}); "
                    "pictures are taken from it once it is there"
                )
            elif self._wants_newest.is_set() and fault:
                self._news.append(f"the folder {plain(self.folder)} cannot be read ({fault})")
            elif not is_there and not fault:
                self._news.append(f"the folder {plain(self.folder)} is there")
            is_there = not fault
            if fault:
                self._wants_newest.clear()
            self.n_looks += 1
            self._wake.wait(min(max(POLL_S, _POLL_FACTOR * listing_s), _MOST_POLL_S))
            self._wake.clear()

    def _give_newest(self, listed: dict[Path, _Status]) -> None:
        for path in sorted(listed, key=lambda one: (listed[one], one), reverse=True):
            try:
                _check(path)
            except BadInput as fault:  # half-written, or not a picture: the one before is taken
                log.info("%s", fault)
                continue
            self._pictures.append(path)
            return
        self._news.append(f"there is no picture in {plain(self.folder)}")


def _pictures_in(folder: Path) -> dict[Path, _Status]:
    """The picture files of a folder, without hidden and temporary ones. Raises OSError."""
    found = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith((".", "~")) or Path(entry.name).suffix.lower() not in ENDINGS:
                continue
            path = Path(entry.path)
            try:
                status = path.stat()  # that of the entry is out of date on Windows while the file is written
            except OSError:  # it has gone meanwhile
                continue
            if stat.S_ISREG(status.st_mode) and status.st_size > 0:
                found[path] = _Status(status.st_mtime_ns, status.st_size)
    return found


def _check(path: Path) -> None:
    """Raise BadInput where a file is not a whole picture."""
    load_image(path, _TRIED_PX, say=log.info)
