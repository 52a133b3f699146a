from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from tests.render.pictures import noise
from visualizer.errors import BadInput
from visualizer.render.offscreen import Offscreen
from visualizer.render.picture import Picture

OPEN_ONE = """
from visualizer.errors import VisualizerError
from visualizer.render.offscreen import Offscreen
try:
    Offscreen((64, 64))
    print("opened")
except VisualizerError as error:
    print(type(error).__name__, error.status, error)
"""


def open_in_subprocess(**environment: str) -> str:
    """What opening an Offscreen says in a fresh process without a display."""
    env = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(
        [sys.executable, "-c", OPEN_ONE],
        env={**env, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout.strip()


def test_it_needs_no_display():
    assert open_in_subprocess() == "opened"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="EGL is the way on Linux only")
def test_a_missing_egl_says_what_to_install():
    said = open_in_subprocess(GLCONTEXT_LINUX_LIBEGL="libnowhere.so.1")
    assert said.startswith("GraphicsError 1 no OpenGL for drawing without a window (libnowhere.so.1 not loaded)")
    assert "install libegl1" in said


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the override is Mesa's")
def test_an_old_driver_says_what_it_offers_and_what_is_needed():
    said = open_in_subprocess(MESA_GL_VERSION_OVERRIDE="2.1", LIBGL_ALWAYS_SOFTWARE="1")
    assert said.startswith("GraphicsError 1 OpenGL 3.3 is needed, the graphics driver offers 2.1")
    assert "\n" not in said


def test_reading_gives_the_top_row_first_and_fills_the_array_given(offscreen):
    size = (33, 21)  # rows of an odd number of bytes
    stage = offscreen(size)
    picture = Picture(stage.ctx, size, 1)
    frame = noise(size, 1)
    picture.put(0, frame)
    picture.draw(0, size)
    out = np.zeros((21, 33, 3), np.uint8)
    assert stage.read(out) is out
    assert np.array_equal(out, frame)
    again = stage.read()
    assert again is not out
    assert again.flags.c_contiguous
    assert np.array_equal(again, frame)


def test_what_was_read_does_not_change_with_the_next_picture(offscreen):
    stage = offscreen((8, 8))
    stage.ctx.clear(1, 1, 1)
    first = stage.read()
    stage.ctx.clear(0, 0, 0)
    stage.read()
    assert (first == 255).all()


@pytest.mark.parametrize(
    "out", [np.zeros((8, 8, 4), np.uint8), np.zeros((8, 8, 3), np.float32), np.zeros((9, 8, 3), np.uint8)]
)
def test_an_array_of_the_wrong_kind_is_refused(offscreen, out):
    with pytest.raises(BadInput, match=r"out must be \(8, 8, 3\) uint8"):
        offscreen((8, 8)).read(out)


@pytest.mark.parametrize("size", [(0, 8), (8, -3)])
def test_no_size_is_refused(size):
    with pytest.raises(BadInput, match="at least 1"):
        Offscreen(size)


def test_too_large_a_size_says_what_may_be():
    with pytest.raises(BadInput, match=r"cannot draw pictures of 1000000x8; --size may be up to \d+x\d+"):
        Offscreen((1_000_000, 8))


def test_two_stages_take_turns(offscreen):
    one, other = offscreen((8, 8)), offscreen((16, 16))
    other.ctx.clear(0, 0, 1)
    one.make_current()
    one.ctx.clear(1, 0, 0)
    assert one.read()[0, 0].tolist() == [255, 0, 0]
    other.make_current()
    assert other.read()[0, 0].tolist() == [0, 0, 255]
    one.close()  # not the current one: the other goes on
    assert other.read()[15, 15].tolist() == [0, 0, 255]


def test_many_can_be_opened_one_after_another():
    for _ in range(20):
        with Offscreen((8, 8)) as stage:
            stage.ctx.clear(0, 1, 0)
            assert stage.read()[0, 0].tolist() == [0, 255, 0]
    stage.close()  # a second time


@pytest.mark.parametrize("wait", ["swap", "read"])
def test_other_threads_run_while_it_is_drawn(offscreen, wait):
    """A callback of the sound must get its turn. Were Python's lock held, the other thread would stand still
    meanwhile.
    """
    size = (2048, 2048)
    stage = offscreen(size)
    picture = Picture(stage.ctx, (700, 700), 1)
    for index in range(2):
        picture.put(index, noise((700, 700), index))
    n_turns, stop = 0, threading.Event()

    def count() -> None:
        nonlocal n_turns
        while not stop.wait(0.0005):
            n_turns += 1

    thread = threading.Thread(target=count)
    thread.start()
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(30)  # Python itself takes the lock from nobody: the other thread runs only if it is let go
    try:
        turns, n_draws = [0], 3
        while max(turns) < 8 and len(turns) < 100 and n_draws < 2000:  # a quick card is given more to do
            for _ in range(n_draws):
                picture.draw(0.5, size)
            before, began_s = n_turns, time.perf_counter()
            if wait == "swap":
                stage.swap()
            else:
                stage.read()
            turns.append(n_turns - before)
            if time.perf_counter() - began_s < 0.02:
                n_draws *= 2
    finally:
        sys.setswitchinterval(usual_s)
        stop.set()
        thread.join()
    assert max(turns) >= 8, turns
