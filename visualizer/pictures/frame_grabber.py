"""Grabs pictures from a camera during a show. The camera is read in another process: a driver that hangs or crashes
does nothing to the show.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import queue
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Literal

from ..clock import Stopwatch
from ..errors import VisualizerError
from ..files.paths import grabs_folder
from ..files.remembered import DEFAULT_CAMERA, remember_camera, remembered_camera
from ..processes import how_it_ended, kill_child, start_child
from .camera_process import IDLE_S, serve_camera
from .cameras import LIST

log = logging.getLogger(__name__)

#: longest wait for a message at a time, seconds: by so much a deadline may be missed
_POLL_S = 0.2
#: longest time that a killed process is waited for, seconds
_END_S = 1.0


@dataclass(frozen=True)
class CameraTimes:
    """How long the process may take to start, the camera to open, and a frame to come, seconds; and after how long
    without a picture the camera is closed.
    """

    start_s: float = 30.0
    open_s: float = 10.0
    frame_s: float = 5.0
    idle_s: float = IDLE_S


class FrameGrabber:
    """Grabs the newest frame of a camera as a file, whenever it is asked to. It never waits.

    camera: its number, part of its name, or FORMAT:NAME, see `cameras.find_camera`; None: the one named last, or the
    first. A camera that is named is remembered once it was opened; "default" forgets it. opens: open a camera that is
    named now; else a camera is opened when a picture is asked of it.
    """

    def __init__(self, camera: str | None, times: CameraTimes | None = None, *, opens: bool = True) -> None:
        self._camera, self._times = camera, times or CameraTimes()
        self._requests: queue.SimpleQueue[Literal["open", "grab", "end"]] = queue.SimpleQueue()
        self._pictures: deque[Path] = deque()
        self._news: deque[str] = deque(maxlen=4)
        self._lock = threading.Lock()
        self._is_grabbing = self._is_closed = False
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._label = ""
        self._thread: threading.Thread | None = None
        if camera is not None and opens:
            self._ask("open")

    def grab(self) -> str:
        """Ask for a picture. Returns a line for the user."""
        if self._is_grabbing:
            return "the camera is on its way; one moment"
        self._is_grabbing = True
        self._ask("grab")
        return "a picture from the camera …"

    def poll(self) -> Path | None:
        """A picture that has come since the last call: its file."""
        return self._pictures.popleft() if self._pictures else None

    def news(self) -> str | None:
        """Why no picture comes, in one line, once."""
        return self._news.popleft() if self._news else None

    def close(self) -> None:
        """End the process, without waiting for it longer than a moment."""
        with self._lock:
            self._is_closed = True
            process = self._process
        if process is not None:
            process.kill()
        self._requests.put("end")
        if self._thread is not None:
            self._thread.join(1.0)

    # -- in the thread ------------------------------------------------------------------------------------------------

    def _ask(self, what: Literal["open", "grab"]) -> None:
        self._requests.put(what)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="camera", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        try:
            while (what := self._requests.get()) != "end":
                try:
                    self._carry_out(what)
                except VisualizerError as fault:  # no folder for its pictures
                    self._failed(str(fault))
                except Exception as fault:
                    log.exception("the camera failed")
                    self._failed(f"the camera failed: {type(fault).__name__} (details are in the log)")
        finally:
            self._end()

    def _carry_out(self, what: Literal["open", "grab"]) -> None:
        for _ in range(2):
            is_new = self._start()
            if self._pipe is None or (is_new and not self._has_opened()) or what == "open":
                return
            with suppress(OSError):
                self._pipe.send("grab")
                kind, value = self._receive(self._times.frame_s, "sends no picture")
                if kind == "black":
                    self._news.append(
                        f"camera {self._label}: its picture is black; is it covered, or not allowed for this program?"
                    )
                if kind in ("grabbed", "black"):
                    self._is_grabbing = False  # before the picture is seen: whoever has it may ask for the next one
                    self._pictures.append(Path(str(value)))
                if kind != "closed":
                    return
            self._end()  # it had nothing to do for long, and was closed just now
        self._failed(f"camera {self._label}".rstrip() + ": was closed before it sent a picture; ask for it again")

    def _has_opened(self) -> bool:
        kind, value = self._receive(self._times.start_s, "does not answer")
        if kind == "found":
            self._label = str(value)
            kind, _ = self._receive(self._times.open_s, "does not open")
        if kind == "opened":
            log.info("camera %s opened", self._label)
            if self._camera is not None:
                remember_camera(None if self._camera == DEFAULT_CAMERA else self._camera)
        return kind == "opened"

    def _receive(self, deadline_s: float, late: str) -> tuple[str, str | None]:
        """The next message; ("failed", None) where there is none: then the fault is reported, and the process ended."""
        watch, pipe, process = Stopwatch(), self._pipe, self._process
        assert pipe is not None and process is not None
        try:
            while not pipe.poll(min(_POLL_S, deadline_s)):
                if watch.elapsed_s() > deadline_s:
                    self._failed(
                        f"camera {self._label}".rstrip() + f": {late} ({deadline_s:g} s); unplug it and plug it in "
                        f"again, or name another with --camera: {LIST}"
                    )
                    return "failed", None
            kind, value = pipe.recv()
        except (EOFError, OSError):
            process.join(1.0)
            self._failed(
                f"camera {self._label}".rstrip() + f": reading it crashed ({how_it_ended(process.exitcode)}); name "
                f"another with --camera: {LIST}"
            )
            return "failed", None
        if kind == "fault":
            self._failed(str(value))
            return "failed", None
        return kind, value

    def _failed(self, line: str) -> None:
        self._end()
        self._is_grabbing = False
        if not self._is_closed:
            log.warning("%s", line)
            self._news.append(line)

    def _start(self) -> bool:
        """Start the process where none runs that can answer; whether it was."""
        if self._pipe is not None and self._process is not None:
            # a message that nobody asked for is its last
            if self._process.is_alive() and not self._pipe.poll():
                return False
            self._end()
        context = multiprocessing.get_context("spawn")  # fork would copy the locks of other threads
        pipe, theirs = context.Pipe()
        wanted = None if self._camera == DEFAULT_CAMERA else self._camera or remembered_camera()
        arguments = theirs, wanted, self._camera is None, grabs_folder(), self._times.idle_s
        process = context.Process(target=serve_camera, args=arguments, name="camera", daemon=True)
        start_child(process, os.devnull)
        theirs.close()  # then the process has the only other end: when it dies, reading ends
        self._label = ""
        with self._lock:
            self._pipe, self._process = pipe, process
            is_closed = self._is_closed
        if is_closed:
            process.kill()
        return True

    def _end(self) -> None:
        """Kill the process."""
        with self._lock:
            process, pipe, self._process, self._pipe = self._process, self._pipe, None, None
        if process is not None and pipe is not None:
            kill_child(process, _END_S)
            pipe.close()
