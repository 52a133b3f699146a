"""Writes the large files of a session, dreams and presets, on a thread of their own: sound and events do not wait for
them.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class FileKeeper:
    """Runs jobs that write files, one after another.

    n_bytes: written so far. n_waiting_bytes: of what waits in memory. failed: why a job failed, the last one; None if
    none has.
    """

    def __init__(self) -> None:
        self.n_bytes = self.n_waiting_bytes = 0
        self.failed: Exception | None = None
        self._jobs: queue.SimpleQueue[tuple[Callable[[], int], int] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="session files", daemon=True)
        self._thread.start()

    def put(self, job: Callable[[], int], n_bytes: int) -> None:
        """Run a job, which returns the number of bytes that it wrote, after those before it. n_bytes: what it holds in
        memory.
        """
        with self._lock:
            self.n_waiting_bytes += n_bytes
        self._jobs.put((job, n_bytes))

    def close(self) -> None:
        """Finish all jobs."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (next_one := self._jobs.get()) is not None:
            job, n_bytes = next_one
            try:
                self.n_bytes += job()
            except Exception as error:
                log.exception("a file of the session could not be written")
                self.failed = error
            finally:
                del job, next_one  # a dream frame is megabytes
                with self._lock:
                    self.n_waiting_bytes -= n_bytes
