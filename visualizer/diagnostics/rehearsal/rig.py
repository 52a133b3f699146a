"""Resources of a rehearsal: the show's process, its private folders, its sound device and the busy processes."""

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
from .sink import RehearsalSink
from .status import OPTIONS, Status

log = logging.getLogger(__name__)

#: the private preset that is edited, and the one that is baked
EDITED, BAKED, BAKED_TITLE = "rehearsal", "rehearsal-bake", "Rehearsal, baked"
END_S = 8.0  # longest time for the show to end
_BUSY = "import os, sys, threading; threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0))).start()\nwhile True: pass"


class ShowEnded(VisualizerError):
    """The show's process ended unexpectedly; the message says how."""


class Rig:
    """The resources of one rehearsal; `close` removes them all. preset, size: what is shown. Raises BadInput for them.

    home: name of the preset shown; folder: private folder of the rehearsal.
    """

    def __init__(self, preset: str, size: tuple[int, int]) -> None:
        self.size = size
        self.patience = 1.0  # factor for the duration of the faults
        self.sink: RehearsalSink | None = None
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
        self._connection: Connection | None = None
        self._statuses: queue.Queue[Status | None] = queue.Queue()
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
        self.write_bake_preset()

    @property
    def presets(self) -> Path:
        """Folder of the private presets."""
        return self.folder / "config" / "presets"

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables of the show, which writes only to the private folder."""
        named = ("cache", "config", "log", "pictures")
        return os.environ | {f"VISUALIZER_{name.upper()}_DIR": str(self.folder / name) for name in named}

    # -- the show --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the show."""
        key = secrets.token_bytes(32)
        self._listener = Listener(("127.0.0.1", 0), authkey=key)
        options = {
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
        threading.Thread(target=self._listen, args=(self._listener,), name="rehearsed show", daemon=True).start()
        module = "supervised" if self.is_supervised else "show_process"
        with (self.folder / "stderr.txt").open("ab") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-m", f"visualizer.diagnostics.rehearsal.{module}"],
                env=self.environment | {OPTIONS: json.dumps(options)},
                stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr,
            )  # fmt: skip

    def send(self, **order: Any) -> None:
        """Send an order to the show, see `RehearsedShow.carry_out`."""
        if (connection := self._connection) is not None:
            with contextlib.suppress(OSError, ValueError):  # it has ended, which `status` reports
                connection.send(order)

    def status(self, timeout_s: float) -> Status | None:
        """The next status; None if none came in that time. Raises ShowEnded."""
        try:
            status = self._statuses.get(timeout=timeout_s)
        except queue.Empty:
            status = None
            if self._process is not None and self._process.poll() is not None:  # it ended before its first status
                raise ShowEnded(self._how_it_ended()) from None
        else:
            if status is not None:
                self.pid = status.pid
            elif not self.is_supervised:
                raise ShowEnded(self._how_it_ended())
        return status

    def stop(self) -> None:
        """End the show."""
        process, self._process = self._process, None
        if process is not None:
            self.send(do="quit")
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
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.close()

    def stderr(self) -> str:
        """What the show's process wrote to stderr."""
        try:
            return (self.folder / "stderr.txt").read_text(errors="replace")
        except OSError:
            return ""

    def _listen(self, listener: Listener) -> None:
        """In a thread: receive from one show process after the other; one that was killed is followed by the next."""
        while self._listener is listener:
            try:
                connection = self._connection = listener.accept()
            except (OSError, AuthenticationError):
                if self._listener is not listener:
                    return
                continue
            with contextlib.suppress(OSError, EOFError):
                while True:
                    kind, value = connection.recv()
                    if kind == "status":
                        self._statuses.put(value)
                    else:
                        self._error = value
            self._statuses.put(None)

    def _how_it_ended(self) -> str:
        exit_status = 0
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                exit_status = self._process.wait(END_S)
        if self._error:
            return self._error
        last = self.stderr().strip().rpartition("\n")[2]
        how = f"signal {-exit_status}" if exit_status < 0 else f"status {exit_status}"
        return f"the show's process ended with {how}" + (f": {last}" if last else "")

    # -- presets ---------------------------------------------------------------------------------------------------

    def edit(self, text: str | None = None, **changes: Any) -> None:
        """Write the edited preset: the one shown with these changes, or this text."""
        self.n_edits += 1
        settings = self._settings | {"title": "Rehearsal"} | changes
        # JSON is valid YAML
        (self.presets / EDITED / FILE_NAME).write_text(text if text is not None else json.dumps(settings), "utf-8")

    def write_bake_preset(self) -> None:
        """Write the preset that is baked: one that was not baked before and takes little time."""
        self.n_edits += 1
        # depths for some seconds, so that the fault comes during the bake
        n_depths = min(max(round(4 * 1280 * 720 / (self.size[0] * self.size[1])), 4), 40)
        dream = {
            "layer": "block2.expand", "n_depths": n_depths, "n_octaves": 1, "steps_per_depth": 1, "seed": self.n_edits,
        }  # fmt: skip
        settings = {"title": BAKED_TITLE, "image": self._settings.get("image", "image.jpg"), "dream": dream}
        (self.presets / BAKED / FILE_NAME).write_text(json.dumps(settings), "utf-8")

    # -- the machine -----------------------------------------------------------------------------------------------

    def keep_busy(self, n_processes: int) -> None:
        """Start processes that only use the processor."""
        for _ in range(n_processes):
            self._busy.append(subprocess.Popen([sys.executable, "-c", _BUSY], stdin=subprocess.PIPE))

    def stop_busy(self) -> None:
        """End those processes."""
        busy, self._busy = self._busy, []
        for process in busy:
            process.kill()
        for process in busy:
            process.wait()
            if process.stdin is not None:
                process.stdin.close()

    def close(self) -> None:
        """End all processes, and remove the device and the private folder."""
        self.stop_busy()
        self.stop()
        if self.sink is not None:
            self.sink.close()
        shutil.rmtree(self.folder, ignore_errors=True)
