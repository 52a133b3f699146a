"""Brings the files of a session to the disk while they are written, on a thread of its own: a disk can take longer than
a second for it, and a program that is killed meanwhile must not lose what came in this time.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from pathlib import Path

from ..files.durable import sync_file, sync_folder

# how often it is asked whether a sync is due
_POLL_S = 0.05


class Syncer:
    """Syncs open files every `period_s` seconds, in the order in which they were added, and closes those that are done.

    folder: the names in it are synced when a file was added. failed: why a sync failed, None while none has. synced_s:
    when the newest sync that is complete began, on the clock `now`.
    """

    def __init__(self, folder: Path, period_s: float, now: Callable[[], float]) -> None:
        self.failed: OSError | None = None
        self.synced_s = now()
        self._folder, self._period_s, self._now = folder, period_s, now
        self._lock = threading.Lock()
        self._files: list[io.FileIO] = []
        self._done: list[io.FileIO] = []
        self._has_new = self._is_ending = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="session sync", daemon=True)
        self._thread.start()

    def add(self, file: io.FileIO) -> None:
        """Sync a file from now on. Only this object closes it."""
        with self._lock:
            self._files.insert(0, file)
            self._has_new = True

    def finish(self, file: io.FileIO) -> None:
        """Sync a file once more, and close it."""
        with self._lock:
            self._files.remove(file)
            self._done.append(file)

    def close(self) -> None:
        """Sync all files a last time and close them. Raises what a sync raised."""
        self._is_ending = True
        self._wake.set()
        self._thread.join()
        if self.failed is not None:
            raise self.failed

    def _run(self) -> None:
        is_last = False
        while not is_last:
            self._wake.wait(_POLL_S)
            is_last = self._is_ending
            if is_last or self._now() - self.synced_s >= self._period_s:
                self._sync()
        for file in self._files:
            file.close()

    def _sync(self) -> None:
        began_s = self._now()
        with self._lock:
            files, done, self._done = list(self._files), self._done, []
            has_new, self._has_new = self._has_new, False
        try:
            for file in (*done, *files):
                sync_file(file.fileno())
            if has_new:
                sync_folder(self._folder)
        except OSError as fault:
            self.failed = fault
        for file in done:
            file.close()
        self.synced_s = began_s
