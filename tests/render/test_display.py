"""How windows begin and end: one after another, side by side, with no display, with a driver that is too old."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from visualizer.errors import BadInput, GraphicsError
from visualizer.render.offscreen import Offscreen
from visualizer.render.window import Window, display_available

RED, GREEN, BLUE = [255, 0, 0], [0, 255, 0], [0, 0, 255]


def test_windows_can_follow_each_other_and_live_side_by_side(open_window, screen):
    for _ in range(3):
        with Window((64, 64), "one of three") as window:
            window.ctx.clear(0, 1, 0)
            window.swap()
            assert screen.screenshot()[5, 5].tolist() == GREEN
        window.close()  # a second time
    below, above = open_window((200, 200)), open_window((100, 100))
    above.ctx.clear(0, 0, 1)
    above.swap()
    below.make_current()
    below.ctx.clear(1, 0, 0)
    below.swap()
    shot = screen.screenshot()
    assert shot[150, 150].tolist() == RED
    assert shot[50, 50].tolist() == BLUE
    above.close()
    assert display_available()
    assert not below.should_close


def test_a_window_and_an_offscreen_take_turns(open_window, screen):
    """Their contexts are of two families on Linux; one made current over the other would end the process."""
    with Offscreen((32, 32)) as offscreen:
        window = open_window((64, 64))
        window.ctx.clear(1, 0, 0)
        window.swap()
        offscreen.make_current()
        offscreen.ctx.clear(0, 0, 1)
        assert offscreen.read()[0, 0].tolist() == BLUE
        window.make_current()
        window.ctx.clear(0, 1, 0)
        window.swap()
    assert screen.screenshot()[5, 5].tolist() == GREEN
    assert window.ctx.error == "GL_NO_ERROR"


@pytest.mark.parametrize("title", ["", "Traum 夢 \ud800", "a\0b", "x" * 5000])
def test_any_title_will_do(open_window, title):
    open_window(title=title).swap()


@pytest.mark.parametrize("size", [(0, 100), (100, -1)])
def test_a_window_of_no_size_is_refused(screen, size):
    with pytest.raises(BadInput, match="at least 1"):
        Window(size, "x")
    assert display_available()


def test_display_available_leaves_nothing_behind(screen):
    assert display_available()
    assert display_available()
    with Window((64, 64), "x") as window:
        assert display_available()
        window.swap()
        assert window.ctx.error == "GL_NO_ERROR"


OPEN_ONE = """
import logging
logging.basicConfig(level="WARNING")
from visualizer.errors import VisualizerError
from visualizer.render.window import Window, display_available
print(display_available())
try:
    Window((64, 64), "x")
except VisualizerError as error:
    print(type(error).__name__, error.status, error)
"""


def open_in_subprocess(**environment: str) -> tuple[list[str], str]:
    """(lines on stdout, stderr) of asking for a display and opening a window in a fresh process."""
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE")
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(
        [sys.executable, "-c", OPEN_ONE],
        env={**env, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout.splitlines(), done.stderr


def test_no_display_is_said_with_the_way_out():
    said, noise_on_stderr = open_in_subprocess()
    assert said == [
        "False",
        "GraphicsError 1 no display to open a window on; use `visualizer export` to make a video instead",
    ]
    assert noise_on_stderr == ""


def test_a_display_that_does_not_answer_is_named():
    said, noise_on_stderr = open_in_subprocess(DISPLAY=":29999")
    assert said[0] == "False"
    assert said[1].startswith("GraphicsError 1 no display to open a window on (X11: Failed to open display :29999);")
    assert len(said) == 2
    assert noise_on_stderr == ""


def test_an_old_driver_says_what_it_offers(screen):
    said, _noise = open_in_subprocess(**screen.env, MESA_GL_VERSION_OVERRIDE="2.1", LIBGL_ALWAYS_SOFTWARE="1")
    assert said[0] == "True"
    assert said[1].startswith("GraphicsError 1 OpenGL 3.3 is needed, the graphics driver offers 2.1")


def test_the_x11_variant_is_taken_where_only_x11_is(screen):
    """Logged in under Wayland, but shown on an X display elsewhere."""
    said, _noise = open_in_subprocess(**screen.env, XDG_SESSION_TYPE="wayland")
    assert said == ["True"]


def test_a_window_that_cannot_be_made_leaves_glfw_usable(screen, monkeypatch):
    import glfw

    with monkeypatch.context() as patch:
        patch.setattr(glfw, "create_window", lambda *_arguments: None)
        with pytest.raises(GraphicsError, match="no window can be opened"):
            Window((64, 64), "x")
    with Window((64, 64), "x") as window:
        window.swap()
