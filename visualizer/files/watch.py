"""Which of some files have changed, found by polling their status.

Polling ten files takes 0.01 ms, and works on every disk, network drives included (docs/decisions/0026).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from ..clock import monotonic

#: a file has changed once its status has stayed the same for so long, seconds: until then it may be half-written
SETTLE_S = 0.03
#: a file that is missing has gone once it has been missing for so long, seconds: editors delete and write again
GONE_S = 0.3

_Status = tuple[int, int, int] | None  # time of the last change, size, number of the file; None: it is missing


class _Seen(NamedTuple):
    """The status of a file. reported: the one that `changed` has taken into account. latest: the newest one, which the
    file has had since `since_s`, seconds.
    """

    reported: _Status
    latest: _Status
    since_s: float


class FileWatch:
    """Says which files have changed. now: seconds, rising."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._seen: dict[Path, _Seen] = {}

    def follow(self, files: Iterable[Path]) -> None:
        """Watch these files and no others, from their present status on; of those watched already, from the status that
        is known.
        """
        now_s = self._now()
        seen = {}
        for path in files:
            known = self._seen.get(path)
            if known is None:
                status = _status(path)
                known = _Seen(status, status, now_s)
            seen[path] = known
        self._seen = seen

    def has_changes(self) -> bool:
        """Whether a file has changed since it was last returned by `changed`, or is being written now."""
        return any(_status(path) != seen.reported for path, seen in self._seen.items())

    def changed(self) -> frozenset[Path]:
        """The files that have changed, appeared or gone since they were last returned here. Call it often: a change is
        returned once the file has not changed any more for SETTLE_S, or is missing for GONE_S.
        """
        now_s = self._now()
        found = set()
        for path, seen in self._seen.items():
            status = _status(path)
            if status != seen.latest:
                seen = seen._replace(latest=status, since_s=now_s)
            elif status != seen.reported and now_s - seen.since_s >= (SETTLE_S if status is not None else GONE_S):
                seen = seen._replace(reported=status)
                found.add(path)
            self._seen[path] = seen
        return frozenset(found)


def _status(path: Path) -> _Status:
    try:
        found = path.stat()
    except (OSError, ValueError):  # ValueError: a null byte in the name
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
