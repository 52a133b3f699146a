"""The child of a rehearsal: the live show, in its own window and with its own sound, told by its conductor what goes wrong.

`python -m visualizer.diagnostics.rehearsal.stage`; the environment says what to show and where the conductor is. When that has gone the show
ends, and what the conductor leaves behind is cleared away.
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
from .answers import ORDERS, Answer
from .hooks import Gaps, Opened, Switches, install, watched
from .sink import unload

log = logging.getLogger(__name__)

ANSWER_S = 0.25  # how often the conductor is told how it stands; at once when there are news
END_S = 5.0  # how long a show may take to end when its conductor has gone


class Cues(Controller):
    """The controller through which the conductor's commands come to the show."""

    name = "rehearsal"

    def __init__(self) -> None:
        self.commands: deque[Change] = deque()
        self.snapshot: Snapshot | None = None

    def poll(self) -> Sequence[Change]:
        return [self.commands.popleft() for _ in range(len(self.commands))]

    def update(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot


class Listener(logging.Handler):
    """Hears what the show tells its performer and its log."""

    def __init__(self, news: threading.Event) -> None:
        super().__init__(logging.INFO)
        self.said: deque[str] = deque(maxlen=100)
        self.logged: deque[str] = deque(maxlen=100)
        self.tracebacks: deque[str] = deque(maxlen=100)
        self._news = news

    def emit(self, record: logging.LogRecord) -> None:
        words = record.getMessage()
        if words.startswith(("notice: ", "answer: ")):
            self.said.append(words.partition(": ")[2])
        elif record.levelno >= logging.WARNING:
            self.logged.append(words.partition("\n")[0])
        else:
            return
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            self.tracebacks.append(" ".join(f"{type(error).__name__}: {error}".split()))
        elif "Traceback (most recent call last)" in words:  # handed on by a process of the show
            self.tracebacks.append(words.strip().rpartition("\n")[2])
        self._news.set()


class Stage:
    """The show's side of the talk. orders: what is shown, see `Rig.start`; line: to the conductor."""

    def __init__(self, orders: dict[str, Any], line: Connection) -> None:
        self.orders = orders
        self.cues, self.gaps, self.switches = Cues(), Gaps(), Switches()
        self.opened = Opened()
        self.news, self.ended = threading.Event(), threading.Event()
        self.listener = Listener(self.news)
        self.is_conducted = True
        self._source: Any = None
        self._others: list[Any] = []
        self._line, self._outlet = line, Outlet(line)  # two threads answer

    def answer(self) -> Answer:
        """How the show stands; news are taken."""
        gap_s, gap_at_s, open_s = self.gaps.take()
        shot, source, heard = self.cues.snapshot, self._source, self.listener
        of_show: dict[str, Any] = {}
        if shot is not None:
            names = "preset wanted n_baked n_dreams rate_hz n_dropped n_repeated scale moves_by_itself n_kicks faults"
            of_show = {name: getattr(shot, name) for name in names.split()}
        return Answer(
            time_s=monotonic(),
            pid=os.getpid(),
            n_frames=self.gaps.n_frames,
            first_s=self.gaps.first_s,
            gap_s=gap_s,
            gap_at_s=gap_at_s,
            open_s=open_s,
            n_windows=self.opened.n_windows,
            input_state=getattr(source, "state", ""),
            n_losses=getattr(source, "n_losses", 0),
            n_recoveries=getattr(source, "n_recoveries", 0),
            lines=tuple(line for one in self._others for line in one.status()),
            said=_taken(heard.said),
            logged=_taken(heard.logged),
            tracebacks=_taken(heard.tracebacks),
            children=_children(),
            graphics=self.opened.graphics,
            **of_show,
        )

    def tell(self) -> None:
        """Answer until the show is over."""
        while not self.ended.is_set():
            self.news.wait(ANSWER_S)
            self.news.clear()
            with contextlib.suppress(OSError, ValueError):
                self._outlet.send("answer", self.answer())

    def listen(self) -> None:
        """Do what the conductor says until it is gone."""
        with contextlib.suppress(OSError, EOFError):
            while True:
                self.do(self._line.recv())
        if self.ended.is_set():
            return
        self.is_conducted = False
        self.cues.commands.append(Act("quit"))
        if not self.ended.wait(END_S):
            clear_away(self.orders)
            os._exit(1)

    def do(self, order: dict[str, Any]) -> None:
        """One of {"do": action}, {"show": preset}, {"fail": part, "seconds": s}."""
        if "do" in order:
            self.cues.commands.append(Act(order["do"]))
        elif "show" in order:
            self.cues.commands.append(ShowPreset(order["show"]))
        elif "fail" in order:
            self.switches.turn_on(order["fail"], order["seconds"])

    def run(self, lifeline: Lifeline | None) -> None:
        """The show, from the first picture to the last. Raises as `live` does."""
        from ...files.log import open_log
        from ...presets.dreams import open_cache
        from ...presets.loaded import open_preset
        from ...show.live import Live, open_input
        from ...show.onscreen import Staging, run

        orders = self.orders
        open_log("info")
        logging.getLogger("visualizer").addHandler(self.listener)
        install(self.switches)
        again = lifeline.resume.preset if lifeline is not None and lifeline.resume is not None else ""
        loaded = open_preset(again or orders["preset"], size=tuple(orders["size"]))
        with open_input(orders["device"]) as self._source:
            self._others = self._controllers()
            run(
                loaded,
                Live(self._source, loaded),
                open_cache(),
                title="rehearsal - visualizer",
                staging=Staging(),
                controllers=[self.cues, *self._others],
                opens=watched(self.gaps, self.switches, self.opened),
                opens_panel=self._opens_panel(),
                lifeline=lifeline,
            )

    def _opens_panel(self) -> Any:
        """As `live` opens it; None without one."""
        if not self.orders["panel"]:
            return None
        from functools import partial

        from ...panel.link import open_panel

        return partial(open_panel, size=tuple(self.orders["size"]))

    def _controllers(self) -> list[Any]:
        """The others that a performer would have, as far as they are asked for."""
        if not self.orders["osc"]:
            return []
        from ...control.controllers import open_controllers

        return list(open_controllers(None, self.orders["osc"], False))

    def say_error(self, error: str) -> None:
        """Why the show ends."""
        with contextlib.suppress(OSError, ValueError):
            self._outlet.send("error", error)


def clear_away(orders: dict[str, Any]) -> None:
    """What a conductor that was killed leaves behind: its limits, its device and its folder."""
    if sys.platform.startswith("linux"):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))  # what is started from here must be able to write
    if name := orders.get("sink"):
        unload(name)
    shutil.rmtree(orders["folder"], ignore_errors=True)


def _children() -> dict[str, int]:
    """The processes of the show by name. `active_children` would take a dead one's status away from who waits for it."""
    return {child.name: child.pid for child in list(process._children) if child.pid}  # type: ignore[attr-defined]


def _taken(lines: deque[str]) -> tuple[str, ...]:
    return tuple(lines.popleft() for _ in range(len(lines)))


def main() -> int:
    """Show until told to end; the exit status, as that of `visualizer live`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the conductor decides
    share_one_heap()
    if STANDBY in os.environ:
        wait_as_standby(preparations)
    lifeline = Lifeline.inherited()
    orders = json.loads(os.environ[ORDERS])
    try:
        line = Client(tuple(orders["address"]), authkey=bytes.fromhex(orders["key"]))
    except OSError:
        clear_away(orders)
        return 0
    stage = Stage(orders, line)
    telling = threading.Thread(target=stage.tell, name="answers", daemon=True)
    threading.Thread(target=stage.listen, name="cues", daemon=True).start()
    telling.start()
    status = 0
    try:
        stage.run(lifeline)
    except VisualizerError as error:
        log.error("%s", error, exc_info=True)
        status = error.status
        stage.say_error(str(error))
    except Exception as error:
        log.exception("the show ended with a fault of its own")
        status = 1
        stage.say_error(f"{type(error).__name__}: {' '.join(str(error).split())}")
        sys.excepthook(*sys.exc_info())
    finally:
        stage.ended.set()
    telling.join(2.0)
    if not stage.is_conducted:
        clear_away(orders)
    return status


if __name__ == "__main__":
    sys.exit(main())
