"""The show's end of the performer's panel: sends it snapshots of the show and receives the performer's commands.

The panel runs in its own process, so that neither drawing it nor its end can delay the show. Two threads connect the
two: one sends the newest snapshot, and may block while the panel does not read; the other one reads.
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
from ..control.commands import Input
from ..control.controller import PanelController
from ..control.snapshot import Snapshot
from ..errors import VisualizerError
from ..presets.loaded import Overrides
from ..processes import how_it_ended, log_here, start_child
from ..render.monitors import Area
from ..settings import DEFAULT_SIZE
from .process import PanelOptions, run_panel, user_keys
from .thumbnails import ThumbnailOptions
from .window import MISSING, has_imgui

log = logging.getLogger(__name__)

TITLE = "panel - visualizer"


class PanelLink(PanelController):
    """A panel in its own process, which is started at once.

    is_open: False once the performer or the show has closed it or its process has ended. place: left, top, width and
    height of its window on the desktop; None before it has reported them. controls: with
    `PanelOptions.reports_controls`, the rectangle of each control in its window, by name.
    """

    def __init__(self, options: PanelOptions) -> None:
        self.is_open = True
        self.place = options.place
        self.controls: dict[str, Area] = {}
        self._backlog = Backlog()  # bounded: while the show's window is hidden, nobody may poll for long
        self._news: deque[str] = deque()
        self._latest: Snapshot | None = None
        # True: there is a snapshot to send; False: end the sending thread
        self._to_send: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._process: Any = None
        self._reader = threading.Thread(target=self._work, args=(options,), name="panel", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int | None:
        """Its process number; None before the process has started."""
        return None if self._process is None else self._process.pid

    def poll(self) -> Sequence[Input]:
        """The performer's commands since the last call, in order."""
        return self._backlog.take()

    def update(self, snapshot: Snapshot) -> None:
        """Send a snapshot of the show. A panel that is slow or stopped misses some."""
        self._latest = snapshot
        if self._to_send.empty():
            self._to_send.put(True)

    def news(self) -> str | None:
        """Why it has ended, returned once, unless the performer closed it."""
        return self._news.popleft() if self._news else None

    def close(self) -> None:
        """Close it without waiting for that. May be called twice."""
        self.is_open = False
        self._closing.set()
        self._end()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait until its process has ended."""
        self._reader.join(timeout_s)

    def _end(self) -> None:
        """Kill the process: a stopped one does not notice that its pipe is closed, and a panel holds nothing to
        save.
        """
        if self._process is not None:
            with suppress(ValueError, OSError):
                self._process.kill()

    def _work(self, options: PanelOptions) -> None:
        """In a thread: start the process, and read its messages until it ends."""
        # fork would copy locks held by threads of the window and the sound
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=True)
        process = context.Process(target=run_panel, args=(theirs, options), name="panel", daemon=True)
        fault: str | None = None
        try:
            start_child(process, os.devnull)  # the panel unblocks Ctrl-C itself
            theirs.close()  # the child has the only other end: reading fails when it ends
            self._process = process
            if self._closing.is_set():
                self._end()
            threading.Thread(target=self._send, args=(ours,), name="panel out", daemon=True).start()
            fault = self._read(ours)
        except OSError as error:
            fault = f"the panel cannot be opened: {error}"
        finally:
            self.is_open = False
            self._to_send.put(False)
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
        """Handle the panel's messages until it ends; returns why it ended, None if the performer closed it."""
        while True:
            try:
                kind, value = pipe.recv()
            except (EOFError, OSError):
                self._process.join()
                return f"the panel has stopped ({how_it_ended(self._process.exitcode)}){_how_to_reopen()}"
            if kind == "commands":
                self._backlog.put(value)
            elif kind == "place":
                self.place = value
            elif kind == "controls":
                self.controls = value
            elif kind == "log":
                log_here(value)
            elif kind == "error":
                return f"{value}{_how_to_reopen()}"
            else:
                return None

    def _send(self, pipe: Connection) -> None:
        """In a thread: send the newest snapshot whenever there is one."""
        with suppress(OSError):
            while self._to_send.get():
                pipe.send(self._latest)


def open_panel(
    place: Area | None = None,
    *,
    avoid: Area | None = None,
    size: tuple[int, int] = DEFAULT_SIZE,
    overrides: Overrides | None = None,
    reports_controls: bool = False,
) -> PanelLink:
    """Open the performer's panel without waiting for its window.

    Parameters
    ----------
    place : left, top, width, height of its window the last time it was open.
    avoid : rectangle of the projection: the panel opens on another monitor if there is one.
    size, overrides : of the preset that is shown, for the thumbnails of the presets.
    reports_controls : report the rectangle of each control, for tests.

    Raises VisualizerError if imgui-bundle is not installed.
    """
    if not has_imgui():
        raise VisualizerError(MISSING)
    return PanelLink(
        PanelOptions(TITLE, place, avoid, ThumbnailOptions(size, overrides or Overrides()), reports_controls)
    )


def _how_to_reopen() -> str:
    key = user_keys().shown("panel")
    return f"; {key} opens it again" if key else ""
