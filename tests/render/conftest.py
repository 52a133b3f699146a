"""Stages for the tests of this room; each is closed after its test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from visualizer.render.offscreen import Offscreen
from visualizer.render.window import Window
from visualizer.resources import shipped


@pytest.fixture
def offscreen() -> Iterator[Callable[[tuple[int, int]], Offscreen]]:
    """Opens an Offscreen of a size (width, height)."""
    stages: list[Offscreen] = []

    def open_stage(size: tuple[int, int]) -> Offscreen:
        stages.append(Offscreen(size))
        return stages[-1]

    yield open_stage
    for stage in stages:
        stage.close()


@pytest.fixture
def open_window(screen) -> Iterator[Callable[..., Window]]:
    """Opens a Window on the private screen, the pointer on it so that it has the keyboard."""
    windows: list[Window] = []

    def open_one(size: tuple[int, int] = (640, 360), title: str = "under test", **options) -> Window:
        windows.append(Window(size, title, **options))
        return windows[-1]

    screen.move_pointer(300, 200)
    yield open_one
    for window in windows:
        window.close()


@pytest.fixture
def looks(tmp_path, monkeypatch) -> Path:
    """A folder of looks beside the plain one and base/, in the place of the shipped ones."""
    folder = tmp_path / "shaders"
    shutil.copytree(shipped("shaders"), folder)
    for module in ("looks.look", "looks.source", "render.gl"):
        monkeypatch.setattr(f"visualizer.{module}.shipped", lambda _name: folder)
    return folder
