"""Windows under a real Wayland compositor, each in a process of its own: glfw chooses between X11 and Wayland once in a
process.

What differs from X11 is in docs/linux-desktops.md.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.fixtures.pulse import wait_until
from tests.fixtures.wayland import HEIGHT, WIDTH, Wayland, running_without_seat

ORANGE = (255, 128, 0)

SHOW = """
import json, sys
from visualizer.render.window import Window
with Window(*json.loads(sys.argv[1])[:2], **json.loads(sys.argv[1])[2]) as window:
    def report(**facts):
        print(json.dumps(facts), flush=True)
    def draw():
        window.ctx.clear(1.0, 0.5, 0.0, 1.0)
        window.finish()
        window.swap()
    report(size=window.framebuffer_size, fullscreen=window.is_fullscreen, news=window.news())
    while not window.should_close:
        size = window.framebuffer_size
        draw()
        for key in window.events():
            if key.name == "q":
                sys.exit()
            answer = window.toggle_fullscreen() if key.name == "f" else None
            answer = window.next_monitor() if key.name == "n" else answer
            report(key=key.name, answer=answer)
        if window.framebuffer_size != size:
            draw()
            report(size=window.framebuffer_size, fullscreen=window.is_fullscreen, pixel=window.read()[0, 0].tolist())
"""


class Shown:
    """A window shown by another process, which says what it is like."""

    def __init__(self, wayland: Wayland, **options: object) -> None:
        self._wayland = wayland
        words = json.dumps([[320, 180], "under test", options])
        self._process = subprocess.Popen(
            [sys.executable, "-c", SHOW, words],
            env=wayland.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def says(self) -> dict[str, object]:
        """The next thing that it says."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        return json.loads(line) if line else pytest.fail(self._process.communicate()[1])

    def press(self, key: str) -> dict[str, object]:
        """Press a key -> the answer to it."""
        self._wayland.screen.key(key)
        return self.says()

    def ended(self) -> str:
        """Wait for its end; what it wrote to stderr."""
        assert self._process.wait(60) == 0
        return self._process.communicate()[1]

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def shown(wayland: Wayland) -> Iterator[Callable[..., Shown]]:
    windows: list[Shown] = []

    def show(**options: object) -> Shown:
        wayland.focus(0)
        windows.append(Shown(wayland, **options))
        return windows[-1]

    yield show
    for window in windows:
        window.kill()
    wait_until(lambda: shares(wayland) == (0, 0), "it is still to be seen")


def shares(wayland: Wayland) -> tuple[float, float]:
    """How much of each monitor is orange, in windows of 320x180: nearly 1 (the pointer is drawn), and 4 for a whole
    monitor.
    """
    orange = np.all(np.abs(wayland.screen.screenshot().astype(int) - ORANGE) < 8, axis=2)
    return round(orange[:, :WIDTH].sum() / (320 * 180), 1), round(orange[:, WIDTH:].sum() / (320 * 180), 1)


def test_a_window_opens_shows_its_picture_and_goes_fullscreen_and_back(wayland, shown):
    window = shown()
    assert window.says() == {"size": [320, 180], "fullscreen": False, "news": None}
    wait_until(lambda: shares(wayland) == (1, 0), "the picture is not to be seen")
    assert window.press("f") == {"key": "f", "answer": None}
    assert window.says() == {"size": [WIDTH, HEIGHT], "fullscreen": True, "pixel": list(ORANGE)}
    wait_until(lambda: shares(wayland) == (4, 0), "it does not cover the monitor")
    window.press("f")
    assert window.says() == {"size": [320, 180], "fullscreen": False, "pixel": list(ORANGE)}
    wait_until(lambda: shares(wayland) == (1, 0), "it is not a window again")
    wayland.screen.key("q")
    assert window.ended() == ""


def test_from_a_window_the_next_monitor_is_reached_by_covering_it(wayland, shown):
    """Wayland lets no program place a window."""
    window = shown()
    window.says()
    wait_until(lambda: shares(wayland) == (1, 0), "the picture is not to be seen")
    assert window.press("n")["answer"] is not None
    wait_until(lambda: shares(wayland) == (0, 4), "it does not cover the next monitor")
    assert window.says()["fullscreen"]
    wayland.focus(1)
    window.press("f")
    assert not window.says()["fullscreen"]
    wait_until(lambda: sum(shares(wayland)) == 1, "it is not a window again")
    window.press("f")
    wait_until(lambda: shares(wayland) == (0, 4), "it covers another monitor than before")


@pytest.mark.parametrize("borderless", [False, True])
def test_it_begins_fullscreen_on_the_monitor_asked_for(wayland, shown, borderless):
    shown(fullscreen=True, monitor=1, borderless=borderless)
    wait_until(lambda: shares(wayland) == (0, 4), "it does not cover the monitor")


def test_a_monitor_asked_for_without_fullscreen_is_said_to_be_the_desktops_choice(shown):
    assert "the desktop chooses where a window opens" in shown(monitor=1).says()["news"]


LIST = "from visualizer.render.monitors import list_monitors; print([list(one.area) for one in list_monitors()])"
MISSING = """
from visualizer.errors import GraphicsError
from visualizer.render.window import Window, display_available
print(display_available())
try:
    Window((64, 64), "x")
except GraphicsError as error:
    print(error)
"""


def said(environment: dict[str, str], program: str) -> tuple[str, str]:
    """(stdout, stderr) of a program that ends well."""
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


def test_monitors_are_listed(wayland):
    assert said(wayland.env, LIST) == (f"[[0, 0, {WIDTH}, {HEIGHT}], [{WIDTH}, 0, {WIDTH}, {HEIGHT}]]", "")


def test_a_compositor_without_keyboard_and_mouse_is_reported():
    """glfw 3.4 would end the process."""
    with running_without_seat() as environment:
        stdout, stderr = said(environment, MISSING)
    assert stdout.splitlines()[0] == "False" and stderr == ""
    assert "connect a keyboard or a mouse" in stdout.splitlines()[1]


def pressed_until(wayland: Wayland, key: str, done: Callable[[], bool]) -> None:
    """Press a key, and again where nothing came of it for 10 s: the window may not have had the keyboard yet."""
    for _ in range(5):
        wayland.screen.key(key)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if done():
                return
            time.sleep(0.02)  # a poll, bounded by the deadline
    pytest.fail(f"{key} does nothing")


def test_a_show_runs_follows_keys_and_ends(wayland, tiny_preset: Path, long_song: Path):
    """The whole program."""
    wait_until(lambda: len(np.unique(wayland.screen.screenshot()[:, WIDTH:])) == 1, "there is something on the screen")
    wayland.focus(0)
    words = ["play", str(long_song), "--preset", str(tiny_preset), "--size", "320x180"]
    process = subprocess.Popen(
        [sys.executable, "-m", "visualizer", *words],
        env={**wayland.env, "PULSE_SERVER": "unix:/none"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        background = wayland.screen.screenshot()

        def n_changed() -> int:
            return int(np.any(wayland.screen.screenshot() != background, axis=2).sum())

        wait_until(lambda: n_changed() > 0.8 * 320 * 180, "nothing is shown")
        pressed_until(wayland, "f", lambda: n_changed() > 0.9 * WIDTH * HEIGHT)
        pressed_until(wayland, "ctrl+q", lambda: process.poll() is not None)
        _, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0
    assert not [line for line in stderr.splitlines() if "no sound" not in line]


PANEL = """
from visualizer.panel.window import PanelWindow
with PanelWindow("panel", place=(10, 10, 400, 420)) as window:
    for _ in range(3):
        window.events()
        window.begin(0.03)
        window.end()
    print(window.should_close)
"""


def test_the_panels_window_opens(wayland):
    """imgui-bundle brings a glfw that knows X11 only."""
    pytest.importorskip("imgui_bundle", reason="the panel is an extra")
    assert said(wayland.env, PANEL) == ("False", "")
