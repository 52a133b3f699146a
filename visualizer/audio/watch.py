"""Checks in the sound server that this program's recording stream is still connected to its source."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from .soundserver import ServerError, ServerSource, SoundServer

log = logging.getLogger(__name__)

WATCH_S = 0.25


class StreamWatch:
    """Watches one recording stream of this process, from one thread. Without a sound server it reports nothing."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._server: SoundServer | None = None
        self._source = ""
        self._before: set[int] | None = None
        self._stream: int | None = None
        self._checked_s = 0.0
        self._suspended = ""

    def missing_reason(self, source: str) -> str:
        """Why a source cannot be opened now, without trying; "" if it is there."""
        try:
            with SoundServer(now=self._now) as server:
                there = any(one.name == source for one in server.sources())
        except ServerError as error:
            return str(error)
        return "" if there else f"{source!r} is not there"

    def prepare(self, source: str) -> None:
        """Call it before a stream is opened. source: the server's name of the source, "" for a device that is not the
        server's.
        """
        self.close()
        self._source = source
        if source:
            try:
                self._before = set(self._connected().our_streams())
            except ServerError as error:
                log.info("the stream is not watched: %s", error)

    def identify(self) -> None:
        """Call it when the stream is open: finds out which of the server's streams it is."""
        if self._before is None:
            return
        try:
            streams = self._connected().our_streams()
            new = {stream: source for stream, source in streams.items() if stream not in self._before}
            right = {one.index for one in self._connected().sources() if one.name == self._source}
            self._stream = max(new, key=lambda stream: (new[stream] in right, stream), default=None)
        except ServerError as error:
            log.info("the stream is not watched: %s", error)

    def check(self) -> tuple[str, str]:
        """Why the stream is gone for good, and why it is suspended for now; "" for each if it is not.

        The server is asked at most every WATCH_S seconds; in between the last answer is returned.
        """
        if self._stream is None or self._now() - self._checked_s < WATCH_S:
            return "", self._suspended
        gone = ""
        try:
            server = self._connected()
            gone, self._suspended = self._judge(server.our_streams().get(self._stream), server.sources())
        except ServerError as error:
            self._disconnect()
            gone, self._suspended = ("", str(error)) if error.hangs else (str(error), "")
        self._checked_s = self._now()
        return gone, self._suspended

    def close(self) -> None:
        """Stop watching, and disconnect from the server."""
        self._disconnect()
        self._source, self._before, self._stream, self._suspended = "", None, None, ""

    def _judge(self, at: int | None, sources: list[ServerSource]) -> tuple[str, str]:
        if at is None:
            return "the sound server closed the stream", ""
        if all(source.name != self._source for source in sources):
            return f"{self._source!r} is gone", ""
        here = next((source for source in sources if source.index == at), None)
        if here is None or here.name != self._source:
            where = f" to {here.name!r}" if here is not None else ""
            return f"the sound server moved the stream{where}", ""
        return "", "it is suspended" if here.is_suspended else ""

    def _connected(self) -> SoundServer:
        if self._server is None:
            self._server = SoundServer(now=self._now)
        return self._server

    def _disconnect(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
