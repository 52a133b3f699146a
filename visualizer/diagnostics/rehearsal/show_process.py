"""The child process of a rehearsal: the live show in its own window, with faults that the runner asks for.

`python -m visualizer.diagnostics.rehearsal.show_process`; an environment variable holds the options and the address of
the runner. When the runner has ended, the show ends, and removes what the runner has left behind.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import signal
import sys
import threading
from collections import deque
from collections.abc import Sequence
from multiprocessing import process
from multiprocessing.connection import Client, Connection
from typing import Any

from ...clock import monotonic
from ...control.commands import Act, Change, ShowPreset
from ...control.controller import Controller
from ...control.snapshot import Snapshot
from ...errors import VisualizerError
from ...memory import share_one_heap
from ...processes import Outlet
from ...show.standby import preparations
from ...supervision.lifeline import STANDBY, Lifeline, wait_as_standby
from .hooks import FaultSwitches, FrameGaps, OpenedWindows, install, watched_window
from .sink import unload
from .status import OPTIONS, Status

log = logging.getLogger(__name__)

STATUS_S = 0.25  # longest time between two statuses; messages are sent at once
END_S = 5.0  # longest time for the show to end when the runner has ended


class RehearsalController(Controller):
    """The controller through which the runner's commands reach the show."""

    name = "rehearsal"

    def __init__(self) -> None:
        self.commands: deque[Change] = deque()
        self.snapshot: Snapshot | None = None

    def poll(self) -> Sequence[Change]:
        return [self.commands.popleft() for _ in range(len(self.commands))]

    def update(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot


class LogRecorder(logging.Handler):
    """Records the messages to the performer, warnings, errors and tracebacks of the show."""

    def __init__(self, has_messages: threading.Event) -> None:
        super().__init__(logging.INFO)
        self.said: deque[str] = deque(maxlen=100)
        self.logged: deque[str] = deque(maxlen=100)
        self.tracebacks: deque[str] = deque(maxlen=100)
        self._has_messages = has_messages

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if message.startswith(("notice: ", "answer: ")):
            self.said.append(message.partition(": ")[2])
        elif record.levelno >= logging.WARNING:
            self.logged.append(message.partition("\n")[0])
        else:
            return
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            self.tracebacks.append(" ".join(f"{type(error).__name__}: {error}".split()))
        elif "Traceback (most recent call last)" in message:  # forwarded from a child process of the show
            self.tracebacks.append(message.strip().rpartition("\n")[2])
        self._has_messages.set()


class RehearsedShow:
    """The show and its connection to the runner. options: see `Rig.start`; connection: to the runner."""

    def __init__(self, options: dict[str, Any], connection: Connection) -> None:
        self.options = options
        self.controller, self.gaps, self.switches = RehearsalController(), FrameGaps(), FaultSwitches()
        self.windows = OpenedWindows()
        self.has_messages, self.ended = threading.Event(), threading.Event()
        self.recorder = LogRecorder(self.has_messages)
        self.has_runner = True
        self._source: Any = None
        self._others: list[Any] = []
        self._connection, self._outlet = connection, Outlet(connection)  # two threads send

    def status(self) -> Status:
        """The current status; messages are contained in one status only."""
        gap_s, gap_at_s, open_s = self.gaps.take()
        snapshot, source, recorder = self.controller.snapshot, self._source, self.recorder
        of_show: dict[str, Any] = {}
        if snapshot is not None:
            names = "preset wanted n_baked n_dreams rate_hz n_dropped n_repeated scale is_fallback n_kicks faults"
            of_show = {name: getattr(snapshot, name) for name in names.split()}
        return Status(
            time_s=monotonic(),
            pid=os.getpid(),
            n_frames=self.gaps.n_frames,
            first_s=self.gaps.first_s,
            gap_s=gap_s,
            gap_at_s=gap_at_s,
            open_s=open_s,
            n_windows=self.windows.n_windows,
            input_state=source.state if source is not None else "",
            n_losses=source.n_losses if source is not None else 0,
            n_recoveries=source.n_recoveries if source is not None else 0,
            lines=tuple(line for one in self._others for line in one.status()),
            said=_take_all(recorder.said),
            logged=_take_all(recorder.logged),
            tracebacks=_take_all(recorder.tracebacks),
            children=_children(),
            graphics=self.windows.graphics,
            **of_show,
        )

    def send_statuses(self) -> None:
        """In a thread: send the status until the show has ended."""
        while not self.ended.is_set():
            self.has_messages.wait(STATUS_S)
            self.has_messages.clear()
            with contextlib.suppress(OSError, ValueError):
                self._outlet.send("status", self.status())

    def receive_orders(self) -> None:
        """In a thread: carry out the runner's orders until it has ended; then end the show."""
        with contextlib.suppress(OSError, EOFError):
            while True:
                self.carry_out(self._connection.recv())
        if self.ended.is_set():
            return
        self.has_runner = False
        self.controller.commands.append(Act("quit"))
        if not self.ended.wait(END_S):
            clean_up(self.options)
            os._exit(1)

    def carry_out(self, order: dict[str, Any]) -> None:
        """Carry out {"do": action}, {"show": preset} or {"fail": part, "seconds": s}."""
        if "do" in order:
            self.controller.commands.append(Act(order["do"]))
        elif "show" in order:
            self.controller.commands.append(ShowPreset(order["show"]))
        elif "fail" in order:
            self.switches.turn_on(order["fail"], order["seconds"])

    def run(self, lifeline: Lifeline | None) -> None:
        """Run the show. Raises like `live`."""
        from ...files.log import open_log
        from ...presets.dreams import open_cache
        from ...presets.loaded import open_preset
        from ...show.live import open_input
        from ...show.onscreen import Staging, run
        from ...show.sources.input import InputSource

        options = self.options
        open_log("info")
        logging.getLogger("visualizer").addHandler(self.recorder)
        install(self.switches)
        again = lifeline.resume.preset if lifeline is not None and lifeline.resume is not None else ""
        loaded = open_preset(again or options["preset"], size=tuple(options["size"]))
        with open_input(options["device"]) as self._source:
            self._others = self._controllers()
            run(
                loaded,
                InputSource(self._source, loaded.settings.beat),
                open_cache(),
                title="rehearsal - visualizer",
                staging=Staging(),
                controllers=[self.controller, *self._others],
                opens=watched_window(self.gaps, self.switches, self.windows),
                opens_panel=self._opens_panel(),
                lifeline=lifeline,
            )

    def _opens_panel(self) -> Any:
        """Opens the panel as `live` does; None without a panel."""
        if not self.options["panel"]:
            return None
        from functools import partial

        from ...panel.link import open_panel

        return partial(open_panel, size=tuple(self.options["size"]))

    def _controllers(self) -> list[Any]:
        """The OSC controller, if there is an address for it."""
        if not self.options["osc"]:
            return []
        from ...control.controllers import open_controllers

        return list(open_controllers(None, self.options["osc"], False))

    def send_error(self, error: str) -> None:
        """Send the reason why the show ends."""
        with contextlib.suppress(OSError, ValueError):
            self._outlet.send("error", error)


def clean_up(options: dict[str, Any]) -> None:
    """Remove what a runner that was killed has left behind: limits, device and folder."""
    if sys.platform.startswith("linux"):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))  # processes started from here must be able to write
    if name := options.get("sink"):
        unload(name)
    shutil.rmtree(options["folder"], ignore_errors=True)


def _children() -> dict[str, int]:
    """Child processes by name. `active_children` is not used because it reaps those that have ended."""
    return {child.name: child.pid for child in list(process._children) if child.pid}  # type: ignore[attr-defined]


def _take_all(lines: deque[str]) -> tuple[str, ...]:
    return tuple(lines.popleft() for _ in range(len(lines)))


def main() -> int:
    """Run the show until it is asked to end; returns the exit status of `visualizer live`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the runner decides
    share_one_heap()
    if STANDBY in os.environ:
        wait_as_standby(preparations)
    lifeline = Lifeline.inherited()
    options = json.loads(os.environ[OPTIONS])
    try:
        connection = Client(tuple(options["address"]), authkey=bytes.fromhex(options["key"]))
    except OSError:
        clean_up(options)
        return 0
    show = RehearsedShow(options, connection)
    sending = threading.Thread(target=show.send_statuses, name="statuses", daemon=True)
    threading.Thread(target=show.receive_orders, name="orders", daemon=True).start()
    sending.start()
    status = 0
    try:
        show.run(lifeline)
    except VisualizerError as error:
        log.error("%s", error, exc_info=True)
        status = error.status
        show.send_error(str(error))
    except Exception as error:
        log.exception("the show ended with an internal error")
        status = 1
        show.send_error(f"{type(error).__name__}: {' '.join(str(error).split())}")
        sys.excepthook(*sys.exc_info())
    finally:
        show.ended.set()
    sending.join(2.0)
    if not show.has_runner:
        clean_up(options)
    return status


if __name__ == "__main__":
    sys.exit(main())
