"""What a conductor holds: the stage's process, its private folders, its device, and what keeps the machine busy."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import secrets
import shutil
import subprocess
import sys
import threading
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from typing import Any

from ...errors import VisualizerError
from ...files.paths import config_folder, is_folder, temporary_folder
from ...presets.preset import FILE_NAME, load_preset
from .answers import ORDERS, Answer
from .sink import Sink

log = logging.getLogger(__name__)

#: the private preset that is edited, and the one that is baked
EDITED, BAKED, BAKED_TITLE = "rehearsal", "rehearsal-bake", "Rehearsal, baked"
END_S = 8.0  # how long the show may take to end when it is told to
_BUSY = "import os, sys, threading; threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0))).start()\nwhile True: pass"


class StageEnded(VisualizerError):
    """The show's process ended before it was told to; the words say how."""


class Rig:
    """Made for one rehearsal; `close` leaves nothing behind. preset, size: what is shown. Raises BadInput for them.

    home: the name of the preset shown; folder: what is private to this rehearsal.
    """

    def __init__(self, preset: str, size: tuple[int, int]) -> None:
        self.size = size
        self.patience = 1.0  # how long things are left as they are, as a factor
        self.sink: Sink | None = None
        self.osc_port = 0
        self.has_panel = False
        self.kinds_left: dict[str, str] = {}
        found = load_preset(preset)
        self.home, self.source = found.name, found.folder
        self.folder = temporary_folder("visualizer-rehearsal-")
        self.is_supervised = False
        self.pid = 0  # of the show's process
        self._process: subprocess.Popen[bytes] | None = None
        self._listener: Listener | None = None
        self._line: Connection | None = None
        self._answers: queue.Queue[Answer | None] = queue.Queue()
        self._error = ""
        self._busy: list[subprocess.Popen[bytes]] = []
        self.n_edits = 0
        for name in ("cache", "config", "log", "pictures"):
            (self.folder / name).mkdir()
        for name in (self.home, EDITED, BAKED):
            shutil.copytree(self.source, self.presets / name)
        if is_folder(looks := config_folder() / "looks"):
            shutil.copytree(looks, self.folder / "config" / "looks")
        self._settings = found.preset.model_dump(mode="json", exclude_unset=True)
        self.edit()
        self.ask_for_a_bake()

    @property
    def presets(self) -> Path:
        """The folder of the private presets."""
        return self.folder / "config" / "presets"

    @property
    def environment(self) -> dict[str, str]:
        """The show's: all that it keeps it keeps in the private folder."""
        named = ("cache", "config", "log", "pictures")
        return os.environ | {f"VISUALIZER_{name.upper()}_DIR": str(self.folder / name) for name in named}

    # -- the stage -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin the show."""
        key = secrets.token_bytes(32)
        self._listener = Listener(("127.0.0.1", 0), authkey=key)
        orders = {
            "preset": self.home,
            "size": self.size,
            "folder": str(self.folder),
            "device": self.sink.device if self.sink is not None else None,
            "sink": self.sink.name if self.sink is not None else "",
            "panel": self.has_panel,
            "osc": f"127.0.0.1:{self.osc_port}" if self.osc_port else "",
            "address": self._listener.address,
            "key": key.hex(),
        }
        threading.Thread(target=self._listen, args=(self._listener,), name="stage", daemon=True).start()
        module = "supervised" if self.is_supervised else "stage"
        with (self.folder / "stderr.txt").open("ab") as told:
            self._process = subprocess.Popen(
                [sys.executable, "-m", f"visualizer.diagnostics.rehearsal.{module}"],
                env=self.environment | {ORDERS: json.dumps(orders)},
                stdin=subprocess.DEVNULL, stdout=told, stderr=told,
            )  # fmt: skip

    def order(self, **order: Any) -> None:
        """Tell the stage; see `stage.Stage.do`."""
        if (line := self._line) is not None:
            with contextlib.suppress(OSError, ValueError):  # it has ended, which the next answer says
                line.send(order)

    def answer(self, timeout_s: float) -> Answer | None:
        """The next answer, None if there was none in that time. Raises StageEnded."""
        try:
            answer = self._answers.get(timeout=timeout_s)
        except queue.Empty:
            answer = None
            if self._process is not None and self._process.poll() is not None:  # it came never so far as to answer
                raise StageEnded(self._how_it_ended()) from None
        else:
            if answer is not None:
                self.pid = answer.pid
            elif not self.is_supervised:
                raise StageEnded(self._how_it_ended())
        return answer

    def stop(self) -> None:
        """Let the show end."""
        process, self._process = self._process, None
        if process is not None:
            self.order(do="quit")
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_S)
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_S)
            process.kill()
            process.wait()
        if self._listener is not None:
            listener, self._listener = self._listener, None
            with contextlib.suppress(OSError):
                listener.close()
        if self._line is not None:
            with contextlib.suppress(OSError):
                self._line.close()

    def stderr(self) -> str:
        """What the show's process wrote there."""
        try:
            return (self.folder / "stderr.txt").read_text(errors="replace")
        except OSError:
            return ""

    def _listen(self, listener: Listener) -> None:
        """Hear one stage after the other: one that was killed is followed by the next."""
        while self._listener is listener:
            try:
                line = self._line = listener.accept()
            except (OSError, AuthenticationError):
                if self._listener is not listener:
                    return
                continue
            with contextlib.suppress(OSError, EOFError):
                while True:
                    word, told = line.recv()
                    if word == "answer":
                        self._answers.put(told)
                    else:
                        self._error = told
            self._answers.put(None)

    def _how_it_ended(self) -> str:
        status = 0
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = self._process.wait(END_S)
        if self._error:
            return self._error
        last = self.stderr().strip().rpartition("\n")[2]
        how = f"signal {-status}" if status < 0 else f"status {status}"
        return f"the show's process ended with {how}" + (f": {last}" if last else "")

    # -- presets ---------------------------------------------------------------------------------------------------

    def edit(self, text: str | None = None, **changes: Any) -> None:
        """Write the edited preset: like the one shown but for these keys, or this text."""
        self.n_edits += 1
        settings = self._settings | {"title": "Rehearsal"} | changes
        # JSON is YAML, too
        (self.presets / EDITED / FILE_NAME).write_text(text if text is not None else json.dumps(settings), "utf-8")

    def ask_for_a_bake(self) -> None:
        """Write the preset that is baked: one that has not been baked before, quick to dream."""
        self.n_edits += 1
        # as many depths as take some seconds: it is to be caught while it is baked
        n_depths = min(max(round(4 * 1280 * 720 / (self.size[0] * self.size[1])), 4), 40)
        dream = {
            "layer": "block2.expand", "n_depths": n_depths, "n_octaves": 1, "steps_per_depth": 1, "seed": self.n_edits,
        }  # fmt: skip
        settings = {"title": BAKED_TITLE, "image": self._settings.get("image", "image.jpg"), "dream": dream}
        (self.presets / BAKED / FILE_NAME).write_text(json.dumps(settings), "utf-8")

    # -- the machine -----------------------------------------------------------------------------------------------

    def keep_busy(self, n_processes: int) -> None:
        """As many processes that compute for nothing."""
        for _ in range(n_processes):
            self._busy.append(subprocess.Popen([sys.executable, "-c", _BUSY], stdin=subprocess.PIPE))

    def let_rest(self) -> None:
        """They end."""
        busy, self._busy = self._busy, []
        for process in busy:
            process.kill()
        for process in busy:
            process.wait()
            if process.stdin is not None:
                process.stdin.close()

    def close(self) -> None:
        """End everything, and remove the private folder."""
        self.let_rest()
        self.stop()
        if self.sink is not None:
            self.sink.close()
        shutil.rmtree(self.folder, ignore_errors=True)
