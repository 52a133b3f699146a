"""Looks at one thing after the other, each in a process where it may hang, crash or be missing without harm."""

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
from ...processes import redirect_streams, start_child
from .controls import controls, midi_ports
from .dreaming import dreaming
from .files import folders, settings
from .finding import FAULT, Finding, of_error, plain
from .machine import clock, program
from .screen import drawing, letters, window
from .sound import sound
from .video import video

log = logging.getLogger(__name__)

POLL_S = 0.05
KILL_S = 2.0  # for how long a process that was killed is waited for; one that hangs in a driver may stay
_LOG_HINT = "run `visualizer doctor --json` and report it"


class Check(NamedTuple):
    """Something to look at.

    look: yields findings; it may raise, hang or crash. lane: checks of one lane go one after another in one process, the
    lanes at once. give_s: for how long it may say nothing. way_out: what to do where it hangs or crashes.
    """

    name: str
    look: Callable[[], Iterator[Finding]]
    lane: str
    give_s: float
    way_out: str = _LOG_HINT


#: in the order in which they are told. The times are for a slow machine that is busy; none is needed on a well one
CHECKS = (
    Check("program", program, "files", 20),
    Check("settings", settings, "files", 20, "see that no other program holds the files, and that the disk answers"),
    Check("folders", folders, "files", 20, "a disk does not answer: is it on a network, or failing?"),
    Check("sound", sound, "sound", 20, "restart the sound server, or unplug the sound devices one by one"),
    Check("window", window, "screen", 20, "update the graphics driver, or log out of the desktop and in again"),
    Check("drawing", drawing, "screen", 30, "update the graphics driver"),
    Check("letters", letters, "screen", 20, "reinstall Pillow with `pip install --force-reinstall Pillow`"),
    Check("dream", dreaming, "dream", 90, "reinstall torch with `pip install --force-reinstall torch==2.13.0`"),
    Check("controls", controls, "controls", 20, "reinstall what the line before does not name"),
    Check("MIDI ports", midi_ports, "controls", 20, "unplug the MIDI devices one by one"),
    Check("video", video, "files", 30, "reinstall PyAV with `pip install --force-reinstall av`"),
    Check("clock", clock, "files", 10),
)


def examine(
    checks: Sequence[Check] = CHECKS, *, now: Callable[[], float] = time.monotonic
) -> Generator[Finding, None, None]:
    """Every finding, in the order of the checks, as soon as it and all before it are there. Raises nothing. now: a clock in seconds.

    A check that hangs, crashes or raises is a finding itself. Closing the generator ends what still runs.
    """
    found: dict[str, list[Finding]] = {check.name: [] for check in checks}
    lanes = [
        _Lane([check for check in checks if check.lane == name], found, now)
        for name in dict.fromkeys(check.lane for check in checks)
    ]
    with contextlib.ExitStack() as stack:
        for lane in lanes:
            stack.callback(lane.close)
            lane.start()
        for check in checks:
            n_told, is_done = 0, False
            while not is_done:
                is_done = not any(check in lane.todo for lane in lanes)
                for finding in found[check.name][n_told:]:
                    level = logging.WARNING if finding.state == FAULT else logging.INFO
                    log.log(level, "doctor: %s: %s: %s", finding.name, finding.state, finding.said)
                    n_told += 1
                    yield finding
                if not is_done:
                    wait([lane.pipe for lane in lanes if lane.pipe is not None], POLL_S)
                    for lane in lanes:
                        lane.look()


class _Lane:
    """Checks that are made one after another in a process; when that dies, the rest is made in a new one."""

    def __init__(self, todo: list[Check], found: dict[str, list[Finding]], now: Callable[[], float]) -> None:
        self.todo = todo
        self.pipe: Connection | None = None
        self._found = found
        self._now = now
        self._process: Any = None
        self._heard_s = 0.0

    def start(self) -> None:
        """A process for what is left to do."""
        self.close()
        if not self.todo:
            return
        self._heard_s = self._now()
        try:
            # a bare start: a fork would share what this process holds, and a hang with it
            context = multiprocessing.get_context("spawn")
            ours, theirs = context.Pipe(duplex=False)
            self._process = context.Process(target=_child, args=(theirs, self.todo), name="doctor", daemon=True)
            start_child(self._process, os.devnull)
        except OSError as error:
            words = error.strerror or str(error)
            for check in list(self.todo):
                self._end(check, f"could not be looked at: no process can be started ({words})", "close other programs")
            return
        theirs.close()  # only the child's end is left: when it dies, reading ends
        self.pipe = ours

    def look(self) -> None:
        """Take what the process has told, and see that it lives and gets on."""
        if self.pipe is None:
            return
        try:
            while self.pipe.poll():
                finding = self.pipe.recv()
                self._heard_s = self._now()
                if finding is None:
                    self.todo.pop(0)
                else:
                    self._found[self.todo[0].name].append(plain(finding))
        except (EOFError, OSError):
            self._process.join(1.0)
            code = self._process.exitcode
            if self.todo:
                self._end(self.todo[0], f"whatever is behind it crashed ({_why(code)})", self.todo[0].way_out)
            self.start()
            return
        if self.todo and self._now() - self._heard_s > self.todo[0].give_s:
            check = self.todo[0]
            self._end(check, f"no answer within {check.give_s:g} s: something behind it hangs", check.way_out)
            self.start()

    def close(self) -> None:
        """End the process, whatever it is at."""
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
    """What pip calls the package that a module is in: "PIL.Image" -> "Pillow"."""
    name = (module or "visualizer").partition(".")[0]
    return metadata.packages_distributions().get(name, [name])[0]


def _why(code: int | None) -> str:
    if code is not None and code < 0:
        try:
            return signal.Signals(-code).name
        except ValueError:
            return f"signal {-code}"
    return f"status {code}"


def _child(pipe: Connection, checks: Sequence[Check]) -> None:
    """What the process does: look, and send each finding, and None after the last one of a check."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent decides
    # libraries write about what they miss to whatever 1 and 2 are
    redirect_streams(os.devnull, 0, 1, 2)
    logging.getLogger("visualizer").propagate = False
    logging.getLogger("visualizer").addHandler(logging.NullHandler())
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the parent has ended
        for check in checks:
            for finding in _looked(check):
                pipe.send(finding)
            pipe.send(None)


def _looked(check: Check) -> Iterator[Finding]:
    """The findings of a check, the last one that it broke, if it did."""
    try:
        yield from check.look()
    except GeneratorExit:
        raise
    except VisualizerError as error:
        yield of_error(check.name, error, way_out=check.way_out)
    except ImportError as error:
        words = " ".join(str(error).split())
        yield Finding(
            check.name,
            FAULT,
            f"a package cannot be loaded ({words})",
            f"reinstall it: `pip install --force-reinstall {_package_of(error.name)}`",
        )
    except MemoryError:
        yield Finding(check.name, FAULT, "there was not enough memory to look at it", "close other programs")
    except BaseException as error:  # noqa: BLE001  whatever it is, it is what is wrong here, and the rest goes on
        words = " ".join(f"{type(error).__name__}: {error}".split())
        yield Finding(check.name, FAULT, f"it broke while it was looked at ({words[:200]})", check.way_out)
