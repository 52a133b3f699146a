"""Where our stream hangs in the sound server: on its source, on another, on one that is suspended, or on none."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from .soundserver import ServerError, SoundServer, Source

log = logging.getLogger(__name__)

WATCH_S = 0.25


class StreamWatch:
    """Watches one recording stream of this process. It belongs to one thread; on a machine without such a server it sees nothing."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._server: SoundServer | None = None
        self._source = ""
        self._before: set[int] | None = None
        self._stream: int | None = None
        self._looked_s = 0.0
        self._held = ""

    def lacks(self, source: str) -> str:
        """Why a source cannot be opened now, without touching it; "" when it is there."""
        try:
            with SoundServer(now=self._now) as server:
                there = any(one.name == source for one in server.sources())
        except ServerError as error:
            return str(error)
        return "" if there else f"{source!r} is not there"

    def before_opening(self, source: str) -> None:
        """A stream is about to be opened on a source; "" when it is not the server's."""
        self.close()
        self._source = source
        if source:
            try:
                self._before = set(self._connected().our_streams())
            except ServerError as error:
                log.info("the stream is not watched: %s", error)

    def opened(self) -> None:
        """The stream is open: find out which it is."""
        if self._before is None:
            return
        try:
            streams = self._connected().our_streams()
            new = {stream: source for stream, source in streams.items() if stream not in self._before}
            right = {one.index for one in self._connected().sources() if one.name == self._source}
            self._stream = max(new, key=lambda stream: (new[stream] in right, stream), default=None)
        except ServerError as error:
            log.info("the stream is not watched: %s", error)

    def look(self) -> tuple[str, str]:
        """(why the stream is gone for good, why it is held back for a while), "" each if it is not; asks 4 times a second."""
        if self._stream is None or self._now() - self._looked_s < WATCH_S:
            return "", self._held
        gone = ""
        try:
            server = self._connected()
            gone, self._held = self._judged(server.our_streams().get(self._stream), server.sources())
        except ServerError as error:
            self._hang_up()
            gone, self._held = ("", str(error)) if error.hangs else (str(error), "")
        self._looked_s = self._now()
        return gone, self._held

    def close(self) -> None:
        """Forget the stream, and hang up."""
        self._hang_up()
        self._source, self._before, self._stream, self._held = "", None, None, ""

    def _judged(self, at: int | None, sources: list[Source]) -> tuple[str, str]:
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

    def _hang_up(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
