"""Drawing in a process of its own: what it returns, and that errors, hangs and crashes there are errors here."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.fixtures.watching import has_ended, wait_for
from visualizer.errors import BadInput, GraphicsError
from visualizer.render.graphics_process import CrashError, GraphicsProcess, HangError, Superseded

ROOT = Path(__file__).resolve().parents[2]


def double(surface, number):
    return 2 * number


def draw(surface, colour):
    surface.framebuffer.use()
    surface.ctx.clear(*colour)
    return surface.read()[0, 0].tolist()


def refuse(surface):
    raise BadInput("glow.fs:3: no")


def fail(surface):
    raise KeyError("size")


def hang(surface):
    threading.Event().wait()


def crash(surface):
    ctypes.string_at(0)


def hang_noticed(surface, file):
    file.touch()
    threading.Event().wait()


def kind_of(surface):
    return type(surface).__name__


def number_of(surface):
    return os.getpid()


@pytest.fixture(scope="module")
def process():
    with GraphicsProcess() as process:
        yield process


def test_it_draws_and_returns_the_result(process):
    assert process.call(double, 21, deadline_s=60) == 42
    assert process.call(draw, (1.0, 0.0, 0.2), deadline_s=60) == [255, 0, 51]


def test_errors_of_the_function_are_raised_here(process):
    with pytest.raises(BadInput, match=r"^glow.fs:3: no$"):
        process.call(refuse, deadline_s=60)
    with pytest.raises(GraphicsError, match=r"^internal error: KeyError: 'size'$"):
        process.call(fail, deadline_s=60)
    before = process.call(number_of, deadline_s=60)
    assert process.call(number_of, deadline_s=60) == before


@pytest.mark.parametrize(
    ("function", "error", "words"),
    [(hang, HangError, "did not end within 0.2 s"), (crash, CrashError, "crashed the graphics driver")],
)
def test_after_a_hang_and_a_crash_the_next_call_has_another_process(process, function, error, words):
    before = process.call(number_of, deadline_s=60)
    with pytest.raises(error, match=words):
        process.call(function, deadline_s=0.2 if function is hang else 30)
    assert process.call(number_of, deadline_s=60) != before


def test_a_call_that_is_superseded_ends_and_the_next_one_has_another_process(process):
    before, n_asked = process.call(number_of, deadline_s=60), []

    def is_superseded():
        n_asked.append(1)
        return len(n_asked) > 2

    with pytest.raises(Superseded):
        process.call(hang, deadline_s=60, is_superseded=is_superseded)
    assert process.call(number_of, deadline_s=60) != before


def test_a_call_that_is_superseded_before_it_begins_leaves_the_process_alone(process):
    before = process.call(number_of, deadline_s=60)
    with pytest.raises(Superseded):
        process.call(hang, deadline_s=60, is_superseded=lambda: True)
    assert process.call(number_of, deadline_s=60) == before


def test_in_a_hidden_window_the_same_is_drawn(screen):
    with GraphicsProcess(has_window=True, niceness=5, n_threads=1) as process:
        assert process.call(kind_of, deadline_s=60) == "Window"


@pytest.mark.slow
def test_a_call_that_hangs_ends_even_if_whoever_asked_for_it_was_killed(tmp_path):
    program = (
        "from tests.render.test_graphics_process import *\n"
        "if __name__ == '__main__':\n"
        "    process = GraphicsProcess()\n"
        "    print(process.call(number_of, deadline_s=60), flush=True)\n"
        "    process.call(hang_noticed, Path(sys.argv[1]), deadline_s=1.0)\n"
    )
    begun = tmp_path / "begun"
    command = [sys.executable, "-c", program, str(begun)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as asking:
        pid = int(asking.stdout.readline())
        wait_for(begun.exists, "the call has not begun")
        asking.kill()
    wait_for(lambda: has_ended(pid), "it hangs on")


def test_closing_it_ends_a_call_that_another_thread_waits_for():
    process, errors, begun = GraphicsProcess(), [], threading.Event()

    def wait():
        process.call(double, 1, deadline_s=60)
        begun.set()
        try:
            process.call(hang, deadline_s=60)
        except GraphicsError as error:
            errors.append(str(error))

    thread = threading.Thread(target=wait)
    thread.start()
    assert begun.wait(60)
    process.close()
    thread.join(60)
    assert not thread.is_alive() and len(errors) == 1
    with pytest.raises(GraphicsError, match="closed"):
        process.call(double, 1, deadline_s=60)
