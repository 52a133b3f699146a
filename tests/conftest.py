"""Fixtures shared by all tests: a private sound server, a private screen, and private folders in place of the
user's.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

from tests import sounds
from visualizer.presets import baker as baker_room

# no deadlines, because the machine may be busy; and the same examples in each run
settings.register_profile("tests", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # pytest was started in the background (`make test &`); programs that tests interrupt would inherit the ignored
    # signal
    signal.signal(signal.SIGINT, signal.default_int_handler)

#: fixtures of servers and screens: tests with them are marked `realtime`
_REAL_TIME = {
    *("pulse", "mortal_pulse", "pipewire_server", "screen", "own_screen", "wayland", "midi", "own_jack", "terminal")
}

#: a test marked `slow` takes as long as so many others
_SLOW_AS = 10

pytest_plugins = [
    "tests.fixtures.alone",
    "tests.fixtures.pulse",
    "tests.fixtures.pipewire",
    "tests.fixtures.screen",
    "tests.fixtures.wayland",
    "tests.fixtures.midi",
    "tests.fixtures.shows",
    "tests.fixtures.glslang",
    "tests.fixtures.looks",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that need a sound server, a screen or MIDI ports as `realtime`; `make test-fast` leaves them out.

    Where several processes share these, the files that take longest come first: the last ones end at the same time.
    """
    taken: Counter[Path] = Counter()
    for item in items:
        if _REAL_TIME & set(getattr(item, "fixturenames", ())):
            item.add_marker("realtime")
            taken[item.path] += _SLOW_AS if item.get_closest_marker("slow") else 1
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: -taken[item.path])  # stable: the others, and those of a file, stay in their order


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Set cache, log, config and networks folders to temporary ones: the user's are neither read nor written."""
    folder = tmp_path_factory.mktemp("home")
    for name in ("CACHE", "LOG", "CONFIG", "NETWORKS", "SESSIONS", "GRABS"):
        monkeypatch.setenv(f"VISUALIZER_{name}_DIR", str(folder / name.lower()))
    yield folder


@pytest.fixture(autouse=True)
def log_taken_back() -> Iterator[None]:
    """Restore the logger that a command, run by a test in this process, has changed."""
    logger = logging.getLogger("visualizer")
    level, handlers, up = logger.level, list(logger.handlers), logger.propagate
    yield
    for handler in set(logger.handlers) - set(handlers):
        handler.close()
    logger.handlers[:], logger.propagate = handlers, up
    logger.setLevel(level)


@pytest.fixture
def alone_in_link() -> Iterator[None]:
    """No other test on this machine is in an Ableton Link session: all sessions of a network are one."""
    with FileLock(Path(tempfile.gettempdir()) / "kickdream-tests-link.lock", mode=0o666):
        yield


@pytest.fixture(autouse=True, scope="session")
def bakes_forked() -> Iterator[None]:
    """Fork the processes of bakes that a test begins in this process from one that has loaded torch: loading it takes
    longer than a small bake. Programs that tests start load it as ever.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        yield
        return
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "visualizer.presets.baker", "visualizer.dream.baking"])
    with pytest.MonkeyPatch.context() as patch:
        forked = SimpleNamespace(Pipe=multiprocessing.Pipe, get_context=lambda _: context)
        patch.setattr(baker_room, "multiprocessing", forked)
        yield


@pytest.fixture(scope="session")
def kick_song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds at 44.1 kHz with a kick every half second from 0.5 s on (sounds.KICKS_S)."""
    path = tmp_path_factory.mktemp("songs") / "kicks.wav"
    sounds.write_wav(path, sounds.kicks(44100, sounds.KICKS_S, 6.0), 44100)
    return path


@pytest.fixture(scope="session")
def long_song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two minutes at 22.05 kHz with a kick every half second from 0.5 s on: a show of it ends when the test ends it,
    however slow the machine is.
    """
    path = tmp_path_factory.mktemp("songs") / "long.wav"
    sounds.write_wav(path, sounds.kicks(22050, np.arange(0.5, 119.5, 0.5), 120.0), 22050)
    return path


@pytest.fixture(scope="session")
def tiny_preset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A preset whose dream is computed in a moment: four depths of two octaves."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("presets") / "tiny"
    folder.mkdir()
    (folder / "preset.yaml").write_text(
        "title: Tiny\nimage: image.png\ndream: {layer: block2.expand, n_depths: 4, n_octaves: 2, steps_per_depth: 1}\n"
    )
    rows, columns = np.mgrid[0:90, 0:160]
    picture = np.stack([columns * 255 // 159, rows * 255 // 89, 127 + 0 * rows], axis=2).astype(np.uint8)
    Image.fromarray(picture).save(folder / "image.png")
    return folder
