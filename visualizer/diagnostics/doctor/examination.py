"""Run the checks in processes of their own, in which one may hang, crash or fail to load without harm."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from importlib import metadata
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

from ...errors import VisualizerError
from ...oneline import reason_of
from ...processes import redirect_streams, start_child
from .controls import controls, midi_ports
from .dreaming import dreaming
from .files import folders, settings
from .finding import FAULT, Finding, of_error, plain
from .machine import clock, program
from .screen import drawing, fonts, window
from .sound import sound
from .video import video

log = logging.getLogger(__name__)

POLL_S = 0.05
KILL_S = 2.0  # how long to wait for a process that was killed; one that hangs in a driver may not end
_LOG_HINT = "run `visualizer doctor --json` and report it"


class Check(NamedTuple):
    """A check.

    run: yields findings; it may raise, hang or crash. group: the checks of a group run one after another in one
    process, the groups in parallel. timeout_s: longest time to the next finding. way_out: what to do if it hangs or
    crashes.
    """

    name: str
    run: Callable[[], Iterator[Finding]]
    group: str
    timeout_s: float
    way_out: str = _LOG_HINT


#: in the order of the report. The timeouts are for a slow and busy machine
CHECKS = (
    Check("program", program, "files", 20),
    Check(
        "settings", settings, "files", 20, "check that no other program has locked the files, and that the disk works"
    ),
    Check("folders", folders, "files", 20, "a disk does not answer: check the network or the disk"),
    Check("sound", sound, "sound", 20, "restart the sound server, or unplug the sound devices one by one"),
    Check("window", window, "screen", 20, "update the graphics driver, or log out of the desktop and in again"),
    Check("drawing", drawing, "screen", 30, "update the graphics driver"),
    Check("fonts", fonts, "screen", 20, "reinstall Pillow with `pip install --force-reinstall Pillow`"),
    Check("dream", dreaming, "dream", 90, "reinstall torch with `pip install --force-reinstall torch==2.13.0`"),
    Check("controls", controls, "controls", 20, "reinstall the package that the line before does not name"),
    Check("MIDI ports", midi_ports, "controls", 20, "unplug the MIDI devices one by one"),
    Check("video", video, "files", 30, "reinstall PyAV with `pip install --force-reinstall av`"),
    Check("clock", clock, "files", 10),
)


def examine(
    checks: Sequence[Check] = CHECKS, *, now: Callable[[], float] = time.monotonic
) -> Generator[Finding, None, None]:
    """Run the checks and yield their findings in the order of the checks, each as early as that order allows.

    Raises nothing: a check that hangs, crashes or raises yields a finding itself. Closing the generator ends what still
    runs.
    now: clock, seconds.
    """
    found: dict[str, list[Finding]] = {check.name: [] for check in checks}
    groups = [
        _Group([check for check in checks if check.group == name], found, now)
        for name in dict.fromkeys(check.group for check in checks)
    ]
    with contextlib.ExitStack() as stack:
        for group in groups:
            stack.callback(group.close)
            group.start()
        for check in checks:
            n_yielded, is_done = 0, False
            while not is_done:
                is_done = not any(check in group.todo for group in groups)
                for finding in found[check.name][n_yielded:]:
                    level = logging.WARNING if finding.state == FAULT else logging.INFO
                    log.log(level, "doctor: %s: %s: %s", finding.name, finding.state, finding.said)
                    n_yielded += 1
                    yield finding
                if not is_done:
                    wait([group.pipe for group in groups if group.pipe is not None], POLL_S)
                    for group in groups:
                        group.poll()


class _Group:
    """Checks that run one after another in a process; if that crashes, the rest runs in a new one."""

    def __init__(self, todo: list[Check], found: dict[str, list[Finding]], now: Callable[[], float]) -> None:
        self.todo = todo
        self.pipe: Connection | None = None
        self._found = found
        self._now = now
        self._process: Any = None
        self._received_s = 0.0

    def start(self) -> None:
        """Start a process for the remaining checks."""
        self.close()
        if not self.todo:
            return
        self._received_s = self._now()
        try:
            # not a fork, which would inherit the locks of this process
            context = multiprocessing.get_context("spawn")
            ours, theirs = context.Pipe(duplex=False)
            self._process = context.Process(target=_child, args=(theirs, self.todo), name="doctor", daemon=True)
            start_child(self._process, os.devnull)
        except OSError as error:
            for check in list(self.todo):
                self._end(check, f"not checked: no process can be started ({reason_of(error)})", "close other programs")
            return
        theirs.close()  # the child has the only other end: reading fails when it ends
        self.pipe = ours

    def poll(self) -> None:
        """Receive the findings of the process, and handle its crash or timeout."""
        if self.pipe is None:
            return
        try:
            while self.pipe.poll():
                finding = self.pipe.recv()
                self._received_s = self._now()
                if finding is None:
                    self.todo.pop(0)
                else:
                    self._found[self.todo[0].name].append(plain(finding))
        except (EOFError, OSError):
            self._process.join(1.0)
            code = self._process.exitcode
            if self.todo:
                self._end(self.todo[0], f"the check crashed ({_exit_reason(code)})", self.todo[0].way_out)
            self.start()
            return
        if self.todo and self._now() - self._received_s > self.todo[0].timeout_s:
            check = self.todo[0]
            self._end(
                check, f"the check did not end within {check.timeout_s:g} s: a driver or a server hangs", check.way_out
            )
            self.start()

    def close(self) -> None:
        """End the process."""
        if self.pipe is not None:
            self.pipe.close()
            self.pipe = None
        if self._process is not None:
            if self._process.pid is not None:
                self._process.kill()
                self._process.join(KILL_S)
            self._process = None

    def _end(self, check: Check, said: str, way_out: str) -> None:
        before = self._found[check.name]
        after = f" (after {before[-1].name})" if before else ""
        before.append(Finding(check.name, FAULT, said + after, way_out))
        self.todo.remove(check)


def _package_of(module: str | None) -> str:
    """The name that pip knows for the package of a module: "PIL.Image" -> "Pillow"."""
    name = (module or "visualizer").partition(".")[0]
    return metadata.packages_distributions().get(name, [name])[0]


def _exit_reason(code: int | None) -> str:
    if code is not None and code < 0:
        try:
            return signal.Signals(-code).name
        except ValueError:
            return f"signal {-code}"
    return f"status {code}"


def _child(pipe: Connection, checks: Sequence[Check]) -> None:
    """In the process: run the checks, send each finding, and None after the last one of a check."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent decides
    # libraries print to the terminal what they do not find
    redirect_streams(os.devnull, 0, 1, 2)
    logging.getLogger("visualizer").propagate = False
    logging.getLogger("visualizer").addHandler(logging.NullHandler())
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the parent has ended
        for check in checks:
            for finding in _findings_of(check):
                pipe.send(finding)
            pipe.send(None)


def _findings_of(check: Check) -> Iterator[Finding]:
    """Run a check; an exception that it raises becomes its last finding."""
    try:
        yield from check.run()
    except GeneratorExit:
        raise
    except VisualizerError as error:
        yield of_error(check.name, error, way_out=check.way_out)
    except ImportError as error:
        reason = " ".join(str(error).split())
        yield Finding(
            check.name,
            FAULT,
            f"a package cannot be loaded ({reason})",
            f"reinstall it: `pip install --force-reinstall {_package_of(error.name)}`",
        )
    except MemoryError:
        yield Finding(check.name, FAULT, "there was not enough memory for the check", "close other programs")
    except BaseException as error:  # noqa: BLE001  any exception is a fault of this check only
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        yield Finding(check.name, FAULT, f"the check failed ({reason[:200]})", check.way_out)
