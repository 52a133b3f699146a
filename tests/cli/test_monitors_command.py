"""`visualizer monitors` and the options that put a window somewhere."""

from __future__ import annotations

import json

import pytest

from visualizer.cli import options
from visualizer.cli.run import run
from visualizer.errors import GraphicsError
from visualizer.render.monitors import Monitor

LAPTOP = Monitor(0, "eDP-1", (0, 0, 1920, 1080), (0, 0, 1920, 1040), 60.0, 1.25, True)
BEAMER = Monitor(1, "HDMI-1", (1920, 0, 1280, 720), (1920, 0, 1280, 720), 0.0, 1.0, False)


@pytest.fixture
def plugged(monkeypatch):
    """Puts these monitors in the place of the real ones."""

    def put(monitors):
        monkeypatch.setattr("visualizer.render.monitors.list_monitors", lambda: monitors)

    return put


def test_each_is_a_line(plugged, capsys):
    plugged([LAPTOP, BEAMER])
    assert run(["monitors"]) == 0
    header, first, second = capsys.readouterr().out.splitlines()
    assert header.split() == ["index", "name", "size", "refresh", "position", "scale"]
    assert first.split() == ["0", "eDP-1", "1920x1080", "60", "Hz", "0,", "0", "1.25", "primary"]
    assert second.split() == ["1", "HDMI-1", "1280x720", "-", "1920,", "0", "1"]


def test_as_json(plugged, capsys):
    plugged([LAPTOP, BEAMER])
    assert run(["monitors", "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert first == {
        "index": 0, "name": "eDP-1", "width": 1920, "height": 1080, "x": 0, "y": 0, "refresh_hz": 60.0, "scale": 1.25,
        "primary": True,
    }  # fmt: skip
    assert (second["x"], second["refresh_hz"], second["primary"]) == (1920, None, False)


def test_none_is_said(plugged, capsys):
    plugged([])
    assert run(["monitors"]) == 0
    assert "no monitors were found" in capsys.readouterr().out
    assert run(["monitors", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_without_a_display_it_is_one_line(monkeypatch, capsys):
    def none():
        raise GraphicsError("no display to open a window on")

    monkeypatch.setattr("visualizer.render.monitors.list_monitors", none)
    assert run(["monitors"]) == 1
    assert capsys.readouterr().err == "visualizer: no display to open a window on\n"


def test_the_real_one(screen, capsys):
    assert run(["monitors"]) == 0
    assert f"{screen.width}x{screen.height}" in capsys.readouterr().out


@pytest.mark.parametrize(("text", "wanted"), [(None, None), ("1", 1), ("HDMI-1", "HDMI-1"), ("1a", "1a"), ("-1", "-1")])
def test_a_monitor_is_meant_by_number_or_name(text, wanted):
    staging = options.chosen_staging(True, text, False, True)
    assert staging.monitor == wanted and staging.fullscreen and not staging.adapt and not staging.borderless


@pytest.mark.parametrize("command", [["live"], ["play", "song.wav"], ["demo"]])
def test_the_options_are_told(command, capsys):
    assert run([*command, "--help"]) == 0
    told = capsys.readouterr().out
    assert all(option in told for option in ("--monitor", "--borderless", "--fullscreen", "--no-adapt"))
