"""Whether there is a display, asked from outside."""

from __future__ import annotations

import socket
import sys

import pytest

from visualizer.supervision.display import display_answers, hides_windows

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asked on Linux only")


def test_a_running_x_server_answers_and_one_that_is_not_does_not(screen):
    assert display_answers({"DISPLAY": screen.display}) and display_answers({"DISPLAY": f"unix{screen.display}.0"})
    for name in ("", ":65000", ":no", "nonsense", ":", ":99999999999", "host.invalid:0"):
        assert not display_answers({"DISPLAY": name}), name
    assert not display_answers({})


def test_a_wayland_display_answers(tmp_path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "wayland-7"))
        server.listen()
        named = {"XDG_RUNTIME_DIR": str(tmp_path), "WAYLAND_DISPLAY": "wayland-7"}
        assert display_answers(named) and display_answers({**named, "DISPLAY": ":65000"})
    assert not display_answers(named)
    assert not display_answers({**named, "WAYLAND_DISPLAY": 200 * "x"})


def test_windows_are_hidden_from_their_programs_under_wayland_only():
    assert not hides_windows({"DISPLAY": ":0"}) and hides_windows({"WAYLAND_DISPLAY": "wayland-0"})
    both = {"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}
    assert hides_windows({**both, "XDG_SESSION_TYPE": "wayland"}) and not hides_windows(
        {**both, "XDG_SESSION_TYPE": "x11"}
    )
    assert not hides_windows({**both, "XDG_SESSION_TYPE": "wayland", "PYGLFW_LIBRARY_VARIANT": "x11"})
