"""The show's side of the performer's panel: it is told how the show stands, and says what the performer asks for.

The panel is a process of its own: neither its drawing nor its end can hold up the picture. Two threads stand between: one sends
the newest snapshot, and may wait for a panel that does not take it; one reads.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import queue
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from ..control.backlog import Backlog
from ..control.commands import Change
from ..control.snapshot import Snapshot
from ..errors import VisualizerError
from ..presets.loaded import Overrides
from ..processes import how_it_ended, log_here, start_child
from ..render.monitors import Area
from ..settings import DEFAULT_SIZE
from .process import Orders, child, own_keys
from .thumbnails import Pictured
from .window import MISSING, has_imgui

log = logging.getLogger(__name__)

TITLE = "panel - visualizer"


class PanelLink:
    """A panel, opened at once, in a process of its own. A `Controller`.

    is_open: until the performer or the show closes it, or it dies. place: left, top, width and height of its window, as last
    told; None before. where: with `tells_where`, each control that can be reached in its window, by name.
    """

    name = "panel"

    def __init__(self, orders: Orders) -> None:
        self.is_open = True
        self.place = orders.place
        self.where: dict[str, Area] = {}
        self._backlog = Backlog()  # bounded: a window that is hidden may hold up the show for long
        self._news: deque[str] = deque()
        self._latest: Snapshot | None = None
        self._bell: queue.SimpleQueue[bool] = (
            queue.SimpleQueue()
        )  # True: there is something to send, False: nothing any more
        self._closing = threading.Event()
        self._process: Any = None
        self._reader = threading.Thread(target=self._work, args=(orders,), name="panel", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int | None:
        """The number of its process; None before that is there."""
        return None if self._process is None else self._process.pid

    def poll(self) -> Sequence[Change]:
        """What the performer asks for since the last call, in order."""
        return self._backlog.take()

    def tell(self, snapshot: Snapshot) -> None:
        """How the show stands. A panel that is slow, or stands still, misses some."""
        self._latest = snapshot
        if self._bell.empty():
            self._bell.put(True)

    def status(self) -> list[str]:
        """Nothing: the panel itself is seen."""
        return []

    def news(self) -> str | None:
        """Why it has stopped, once, if the performer did not close it."""
        return self._news.popleft() if self._news else None

    def close(self) -> None:
        """Take it off the screen; does not wait for that. Closing twice is fine."""
        self.is_open = False
        self._closing.set()
        self._end()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait until its process has gone."""
        self._reader.join(timeout_s)

    def _end(self) -> None:
        """A process that was stopped does not hear that its pipe is closed; and a panel has nothing to put away."""
        if self._process is not None:
            with suppress(ValueError, OSError):
                self._process.kill()

    def _work(self, orders: Orders) -> None:
        """In a thread: start the process, and read what it says until it ends."""
        context = multiprocessing.get_context("spawn")  # fork would copy the window's and the sound's threads and locks
        ours, theirs = context.Pipe(duplex=True)
        process = context.Process(target=child, args=(theirs, orders), name="panel", daemon=True)
        fault: str | None = None
        try:
            start_child(process, os.devnull)  # it lets Ctrl-C in again by itself
            theirs.close()  # only the child's end is left: when it dies, reading ends
            self._process = process
            if self._closing.is_set():
                self._end()
            threading.Thread(target=self._send, args=(ours,), name="panel out", daemon=True).start()
            fault = self._read(ours)
        except OSError as error:
            fault = f"the panel cannot be opened: {error}"
        finally:
            self.is_open = False
            self._bell.put(False)
            self._end()
            if self._process is not None:
                process.join()
            ours.close()
        if fault is None and not self._closing.is_set():
            log.info("the panel was closed")
        elif fault is not None and not self._closing.is_set():
            log.warning("%s", fault)
            self._news.append(fault)

    def _read(self, pipe: Connection) -> str | None:
        """Take what the panel says until its end; why that came, None if the performer closed it."""
        while True:
            try:
                word, value = pipe.recv()
            except (EOFError, OSError):
                self._process.join()
                return f"the panel has stopped ({how_it_ended(self._process.exitcode)}){_way_out()}"
            if word == "commands":
                self._backlog.put(value)
            elif word == "place":
                self.place = value
            elif word == "where":
                self.where = value
            elif word == "log":
                log_here(value)
            elif word == "error":
                return f"{value}{_way_out()}"
            else:
                return None

    def _send(self, pipe: Connection) -> None:
        """In a thread: send the newest snapshot, one after the other."""
        with suppress(OSError):
            while self._bell.get():
                pipe.send(self._latest)


def open_panel(
    place: Area | None = None,
    *,
    avoid: Area | None = None,
    size: tuple[int, int] = DEFAULT_SIZE,
    overrides: Overrides | None = None,
    tells_where: bool = False,
) -> PanelLink:
    """Open the performer's panel; this does not wait until it is there. Raises VisualizerError if imgui-bundle is not installed.

    place: where its window was the last time; avoid: where the projection is: another monitor is chosen if there is one. size,
    overrides: of the look shown, for the presets' pictures.
    """
    if not has_imgui():
        raise VisualizerError(MISSING)
    return PanelLink(Orders(TITLE, place, avoid, Pictured(size, overrides or Overrides()), tells_where))


def _way_out() -> str:
    key = own_keys().shown("panel")
    return f"; {key} opens it again" if key else ""
