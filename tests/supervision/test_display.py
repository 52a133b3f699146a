"""Whether a display server is reachable, without opening a window."""

from __future__ import annotations

import socket
import sys

import pytest

from visualizer.supervision.display import is_display_reachable, pauses_hidden_windows

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asked on Linux only")


def test_a_running_x_server_answers_and_one_that_is_not_does_not(screen):
    assert is_display_reachable({"DISPLAY": screen.display}) and is_display_reachable(
        {"DISPLAY": f"unix{screen.display}.0"}
    )
    for name in ("", ":65000", ":no", "nonsense", ":", ":99999999999", "host.invalid:0"):
        assert not is_display_reachable({"DISPLAY": name}), name
    assert not is_display_reachable({})


def test_a_wayland_is_display_reachable(tmp_path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "wayland-7"))
        server.listen()
        named = {"XDG_RUNTIME_DIR": str(tmp_path), "WAYLAND_DISPLAY": "wayland-7"}
        assert is_display_reachable(named) and is_display_reachable({**named, "DISPLAY": ":65000"})
    assert not is_display_reachable(named)
    assert not is_display_reachable({**named, "WAYLAND_DISPLAY": 200 * "x"})


def test_only_wayland_pauses_hidden_windows():
    assert not pauses_hidden_windows({"DISPLAY": ":0"}) and pauses_hidden_windows({"WAYLAND_DISPLAY": "wayland-0"})
    both = {"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}
    assert pauses_hidden_windows({**both, "XDG_SESSION_TYPE": "wayland"}) and not pauses_hidden_windows(
        {**both, "XDG_SESSION_TYPE": "x11"}
    )
    assert not pauses_hidden_windows({**both, "XDG_SESSION_TYPE": "wayland", "PYGLFW_LIBRARY_VARIANT": "x11"})
