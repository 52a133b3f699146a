"""Shows for the tests: a look that dreams in a moment, and the program started as a user would."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys

import psutil
import pytest

from tests.show.watching import Eye
from visualizer.show.dreams import Dreams
from visualizer.show.look import open_look
from visualizer.store.cache import FrameCache

SIZE = (320, 180)


class Clock:
    """Seconds that a test sets."""

    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(scope="session")
def baked(tiny_preset, tmp_path_factory):
    """A cache with the dream frames of the tiny preset: baked once, copied for each test."""
    folder = tmp_path_factory.mktemp("baked") / "cache"
    list(Dreams(open_look(str(tiny_preset), size=SIZE), FrameCache(folder, 10**9)).placed())
    return folder


@pytest.fixture
def look(tiny_preset, baked, home):
    """The tiny preset, its dream frames in the cache already."""
    shutil.copytree(baked, home / "cache", dirs_exist_ok=True)
    return open_look(str(tiny_preset), size=SIZE)


@pytest.fixture
def eye(screen):
    """Looks at the screen from outside, pixel by pixel."""
    eye = Eye(screen.display)
    yield eye
    eye.close()


@pytest.fixture
def started(screen, pulse, home, tiny_preset):
    """Starts the program as a user would; what is left running is ended."""
    running = []

    def start(*arguments, **environment):
        process = subprocess.Popen(
            [sys.executable, "-m", "visualizer", *arguments, "--preset", str(tiny_preset), "--size", "320x180"],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        if process.poll() is None:
            # the supervisor first: it would start the show again, and the show goes on without it
            family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            for one in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
        process.communicate()
