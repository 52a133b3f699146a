"""The supervisor with small programs in place of the show: how they end, and what follows."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.fixtures.watching import finished, has_ended, wait_for
from visualizer.files.log import open_log, share_log
from visualizer.supervision import lifeline
from visualizer.supervision.child import Child, was_drawing
from visualizer.supervision.supervise import command_of

ROOT = Path(__file__).resolve().parents[2]

# argv: what it does in its first life, its second and so on, the last one for all further; a file it writes its lives
# to
CHILD = """
import ctypes, json, os, signal, sys, time
from types import SimpleNamespace
from visualizer.render.gl import gl_finish
from visualizer.supervision.lifeline import STANDBY, Lifeline, wait_as_standby
from visualizer.show.standby import preparations
from visualizer.supervision.resume import ResumeState
if STANDBY in os.environ:
    wait_as_standby(preparations)
line = Lifeline.inherited()
*lives, book = sys.argv[1:]
number = open(book).read().count("\\n")
life = lives[min(number, len(lives) - 1)]
def interrupt(*_):
    raise KeyboardInterrupt
signal.signal(signal.SIGTERM, interrupt)
with open(book, "a") as file:
    resume = line.resume
    word = {"pid": os.getpid(), "preset": resume and resume.preset, "values": resume and resume.values, "why": line.why}
    word["looks"] = resume and [resume.looks, resume.left_out]
    file.write(json.dumps(word) + "\\n")
if life == "bad":
    print("visualizer: no such thing", file=sys.stderr)
    sys.exit(2)
if life == "stuck":
    time.sleep(60)
try:
    line.keep(ResumeState(preset=f"preset {number}", values={"blackout": 1.0}, looks=("/a/glow.fs",)))
    for count in range(1, 100_000):
        line.beat(count, 0, 20.0)
        time.sleep(0.01)
        with open(book + ".beats", "a") as file:
            file.write(f"{os.getpid()}\\n")
        if count == 20:
            if life == "quit":
                break
            if life == "crash":
                ctypes.string_at(0)
            if life == "raise":
                sys.exit(1)
            if life == "hang":
                time.sleep(60)
            if life == "draw":
                gl_finish(SimpleNamespace(extra=SimpleNamespace(finish=lambda: ctypes.string_at(0))))
            if life == "draw on":
                gl_finish(SimpleNamespace(extra=SimpleNamespace(finish=lambda: time.sleep(60))))
            if life == "asks":
                line.ask_restart("the sound system hangs")
            if life == "ending":
                line.ended()
                os.kill(os.getpid(), signal.SIGSEGV)
except KeyboardInterrupt:
    if life == "stubborn":
        time.sleep(60)
line.ended()
print("closed", flush=True)
"""
PARENT = """
import json, signal, sys
from visualizer.files.log import open_log
from visualizer.supervision.supervise import Limits, supervise
open_log(None)
if sys.platform != "win32":
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # ignored where the tests were started with nohup
(limits, standby_after_s), child = json.loads(sys.argv[1]), sys.argv[2]
limits = Limits(**dict.fromkeys(("first_start_s", "start_s", "hang_s", "end_s", "standby_s"), 60.0) | limits)
say = lambda line: print("visualizer:", line, file=sys.stderr, flush=True)
sys.exit(supervise(sys.argv[3:], command=[sys.executable, child], say=say, standby_after_s=standby_after_s, limits=limits))
"""


HANG_S = 6.0  # of shows that are to be found hanging: a busy machine may give no turn to the others for seconds


class Supervised:
    """A supervisor and the lives of its child. process: the supervisor, in a process group of its own.

    limits: those that are to be reached; the others are so long that no machine is too busy for them.
    """

    def __init__(self, folder, lives, standby_after_s=None, **limits):
        self.book = folder / "book"
        self.book.touch()
        self._beats = folder / "book.beats"
        (folder / "child.py").write_text(CHILD)
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                PARENT,
                json.dumps([limits, standby_after_s]),
                *map(str, (folder / "child.py", *lives, self.book)),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )

    @property
    def lives(self):
        return [json.loads(line) for line in self.book.read_text().splitlines()]

    def n_beats(self, pid):
        """How many pictures a process has shown."""
        return self._beats.read_text().split().count(str(pid)) if self._beats.exists() else 0

    def life(self, number, n_beats=10):
        """The process of a life, from 1, once it has shown some pictures."""
        record = wait_for(lambda: len(self.lives) >= number and self.lives[number - 1], f"life {number}")
        wait_for(lambda: self.n_beats(record["pid"]) >= n_beats, "it shows no pictures")
        return record["pid"]


@pytest.fixture
def supervised(tmp_path, home, screen):
    begun = []

    def begin(*lives, **limits):
        begun.append(Supervised(tmp_path, lives, **limits))
        return begun[-1]

    yield begin
    for one in begun:
        pids = [life["pid"] for life in one.lives]
        if one.process.poll() is None:
            one.process.kill()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        one.process.communicate()


def test_a_normal_end_and_a_bad_beginning_are_passed_on(supervised):
    show = supervised("quit")
    assert finished(show.process) == (0, "closed\n", "") and len(show.lives) == 1


def test_before_the_first_picture_nothing_is_started_again_and_the_error_comes_once(supervised):
    show = supervised("bad")
    assert finished(show.process) == (2, "", "visualizer: no such thing\n") and len(show.lives) == 1


def test_crash_error_and_hang_are_survived_with_all_that_was_kept(supervised, home):
    show = supervised("crash", "raise", "hang", "quit", hang_s=HANG_S)
    status, out, err = finished(show.process)
    assert (status, out) == (0, "closed\n")
    causes = ["killed by signal 11 (SIGSEGV)", "exit status 1", "it hung"]
    assert err.splitlines() == [f"visualizer: the show stopped ({cause}); restarting it" for cause in causes]
    assert [life["why"] for life in show.lives] == ["", *(f"the show was restarted: {cause}" for cause in causes)]
    # the third early death in a row: there is less to begin with, the blackout stays
    assert [life["preset"] for life in show.lives] == [None, "preset 0", "preset 1", "preset 2"]
    assert [life["values"] for life in show.lives] == [None, *(3 * [{"blackout": 1.0}])]
    logged = (home / "log" / "visualizer.log").read_text()
    assert "Segmentation fault" in logged and "string_at" in logged and "display frames shown" in logged


def test_looks_are_left_out_after_a_crash_or_a_hang_while_they_were_drawn(supervised):
    show = supervised("crash", "draw", "hang", "draw on", "quit", hang_s=HANG_S)
    assert finished(show.process)[0] == 0
    kept, left_out = [["/a/glow.fs"], []], [[], ["/a/glow.fs"]]
    assert [life["looks"] for life in show.lives] == [None, kept, left_out, kept, left_out]


def test_killed_or_stopped_from_outside_it_is_back(supervised):
    show = supervised("stay", hang_s=HANG_S)
    first = show.life(1)
    os.kill(first, signal.SIGKILL)
    second = show.life(2)
    assert show.lives[1]["preset"] == "preset 0" and has_ended(first)
    os.kill(second, signal.SIGSTOP)  # a debugger, say: no beat, so it is a hang
    show.life(3)
    assert has_ended(second) and show.lives[2]["why"].endswith("it hung")


def test_a_hot_standby_takes_over_and_is_replaced(supervised):
    show = supervised("stay", standby_after_s=0.05)
    first = show.life(1)

    def standby(beside):
        found = {child.pid for child in psutil.Process(show.process.pid).children()} - {beside}
        return len(found) == 1 and found.pop()

    second = wait_for(lambda: standby(first), "there is no hot standby")
    os.kill(first, signal.SIGKILL)
    assert show.life(2) == second and show.lives[1]["preset"] == "preset 0" and show.lives[1]["why"]
    third = wait_for(lambda: standby(second), "there is no second hot standby")
    os.kill(third, signal.SIGKILL)  # a standby that ends does no harm
    show.process.send_signal(signal.SIGTERM)
    assert finished(show.process)[0] == 0 and has_ended(second) and has_ended(third) and len(show.lives) == 2


def test_a_show_that_asks_for_it_is_started_again(supervised, home):
    show = supervised("asks", "quit")
    status, out, err = finished(show.process)
    assert (status, out) == (0, "closed\n")
    assert err == "visualizer: the show stopped (the sound system hangs); restarting it\n"
    assert show.lives[1]["why"] == "the show was restarted: the sound system hangs" and show.lives[1]["preset"]
    assert has_ended(show.lives[0]["pid"])


def standby_beside(show, first, home, *, ready):
    """The process number of the hot standby, once there is one, or once it has loaded all."""
    children = psutil.Process(show.process.pid).children
    pid = wait_for(lambda: ({child.pid for child in children()} - {first} or {None}).pop(), "there is no hot standby")
    if ready:
        log = home / "log" / "visualizer.log"
        wait_for(lambda: f"hot standby {pid} is ready" in log.read_text(), "the hot standby does not get ready")
    return pid


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot stop a process")
@pytest.mark.parametrize("number", [signal.SIGSTOP, pytest.param(signal.SIGKILL, marks=pytest.mark.long)])
def test_a_hot_standby_that_stands_still_does_not_take_over(number, supervised, home):
    show = supervised("stay", standby_after_s=0.05, hang_s=HANG_S, standby_s=1.5, start_s=1000.0)
    first = show.life(1)
    standby = standby_beside(show, first, home, ready=True)
    with suppress(ProcessLookupError):  # on a busy machine it may have been ended already, and another begun
        os.kill(standby, signal.SIGSTOP)
    os.kill(
        first, number
    )  # stopped as well; or killed while the standby seems to wait, which is then called and silent
    second = show.life(2)
    assert second not in (first, standby) and has_ended(first) and has_ended(standby)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot stop a process")
def test_a_hot_standby_that_stands_still_while_it_loads_is_ended(supervised, home):
    show = supervised("stay", standby_after_s=0.05, start_s=2.0)
    first = show.life(1)
    standby = standby_beside(show, first, home, ready=False)
    with suppress(ProcessLookupError):  # on a slow machine it may have been ended already
        os.kill(standby, signal.SIGSTOP)
    wait_for(lambda: has_ended(standby), "it is kept")
    show.life(1, show.n_beats(first) + 10)
    assert len(show.lives) == 1


def test_a_hot_standby_that_is_interrupted_ends_silently(monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    ours, theirs = socket.socketpair()
    monkeypatch.setenv(lifeline.LINE, str(theirs.detach()))
    monkeypatch.setattr(lifeline, "share_one_heap", lambda: True)  # the tests' own process is left as it is
    with ours, pytest.raises(SystemExit) as end:
        lifeline.wait_as_standby(lambda: [interrupted])
    assert end.value.code == 0


def test_after_a_crash_the_next_hot_standby_starts_sooner(supervised):
    show = supervised("stay", standby_after_s=1000.0)
    children = psutil.Process(show.process.pid).children
    first = show.life(1, n_beats=200)  # longer than a hot standby takes after a crash
    assert len(children()) == 1
    os.kill(first, signal.SIGKILL)
    show.life(2)
    wait_for(lambda: len(children()) == 2, "there is no hot standby")


@pytest.mark.parametrize("ending", ["SIGTERM", "SIGINT"])
def test_asked_to_end_both_end(ending, supervised):
    show = supervised("stay")
    child = show.life(1)
    if ending == "SIGINT":  # as a terminal does it
        os.killpg(show.process.pid, signal.SIGINT)
    else:
        show.process.send_signal(signal.SIGTERM)
    assert finished(show.process) == (0, "closed\n", "") and has_ended(child) and len(show.lives) == 1


def test_a_show_that_ignores_the_request_to_end_is_killed(supervised):
    show = supervised("stubborn", end_s=1.0)
    child = show.life(1)
    show.process.send_signal(signal.SIGHUP)
    assert finished(show.process)[0] == 0 and has_ended(child)


def test_a_driver_that_dies_while_the_show_is_taken_down_is_an_end(supervised):
    show = supervised("ending")
    assert finished(show.process)[0] == 0 and len(show.lives) == 1


def test_a_start_that_hangs_is_begun_again(supervised):
    show = supervised("stuck", "quit", first_start_s=3.0)
    status, _, err = finished(show.process)
    assert (status, err) == (0, "visualizer: the show stopped (it did not start); restarting it\n")


LEAVES_ONE_BEHIND = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"]).pid, flush=True)
time.sleep(1000 if "stays" in sys.argv else 0)
"""


@pytest.mark.skipif(
    not hasattr(os, "waitid"), reason="it cannot be known there that a process has ended without reaping it"
)
@pytest.mark.parametrize("how", ["ends", "stays"])
def test_the_group_is_killed_before_its_number_can_be_another_s(how, capfd):
    child = Child([sys.executable, "-c", LEAVES_ONE_BEHIND, how], os.environ)
    left_behind = int(wait_for(lambda: capfd.readouterr().out or None, "it does not begin"))
    if how == "stays":
        child.kill()
    wait_for(child.has_exited, "it does not end")
    assert psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE and not has_ended(left_behind)
    status = child.reap()
    assert status == 0 if how == "ends" else status < 0
    wait_for(lambda: has_ended(left_behind), "the process it has started is still running")
    assert not psutil.pid_exists(child.pid)


def test_when_the_supervisor_is_killed_the_show_goes_on_and_the_standby_ends(supervised):
    show = supervised("stay", standby_after_s=0.05)
    first = show.life(1)
    children = psutil.Process(show.process.pid).children
    standby = wait_for(
        lambda: len(children()) == 2 and ({child.pid for child in children()} - {first}).pop(), "no hot standby"
    )
    show.process.kill()
    show.process.wait()
    show.life(1, show.n_beats(first) + 30)
    assert len(show.lives) == 1
    wait_for(lambda: has_ended(standby), "the hot standby does not end")


def test_the_words_that_start_the_show(monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    assert command_of(["--debug", "live", "-f"]) == [sys.executable, "-m", "visualizer", "--debug", "live", "-f", "--no-supervise"]  # fmt: skip
    assert command_of(["play", "--", "-song.wav"])[3:] == ["play", "--no-supervise", "--", "-song.wav"]
    monkeypatch.chdir(tmp_path)
    assert command_of(["live"])[1:4] == [
        "-P",
        "-m",
        "visualizer",
    ]  # a json.py that lies about here is not the program's


def test_the_log_is_one_file_and_the_supervisor_does_not_hold_it(home):
    path = open_log("info")
    share_log()
    log = logging.getLogger("visualizer.test")
    log.info("before")
    path.rename(path.with_suffix(".old"))  # the show has turned it over
    log.info("after")
    assert "before" in path.with_suffix(".old").read_text() and "before" not in path.read_text()
    assert "after" in path.read_text()
    assert not [file for file in psutil.Process().open_files() if file.path == str(path)]


FRAME = '  File "/home/visualizer/lib/visualizer/{}.py", line 12 in {}\n'
STARTED = '  File "/usr/lib/python3.11/threading.py", line 1002 in _bootstrap\n'
MAIN = FRAME.format("show/window_show", "run") + FRAME.format("cli/main", "main")


@pytest.mark.parametrize(
    ("main", "other", "drew"),
    [
        (("render/gl", "gl_finish"), None, True),
        (("render/look_renderer", "_draw_pass"), ("render/graphics_process", "_receive"), True),
        (("render/window", "swap"), None, False),
        (("render/window", "events"), None, False),
        (("beat/kick", "step"), ("render/graphics_process", "_receive"), False),
        (("beat/kick", "step"), ("render/gl", "gl_finish"), False),
    ],
)
def test_only_a_main_thread_that_calls_opengl_was_drawing(main, other, drew):
    trace = "Fatal Python error: Segmentation fault\n\n"
    if other is not None:
        trace += f"Thread 0x00007f01 (most recent call first):\n{FRAME.format(*other)}{STARTED}\n"
    trace += f"Current thread 0x00007f02 (most recent call first):\n{FRAME.format(*main)}{MAIN}"
    assert was_drawing(trace) is drew
