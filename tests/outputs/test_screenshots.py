from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.files.disks import locked_folder
from visualizer.errors import VisualizerError
from visualizer.files.paths import pictures_folder
from visualizer.outputs.screenshots import save_screenshot

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 16, 3), np.uint8)


def test_it_is_a_png_of_those_very_pixels(tmp_path):
    path = save_screenshot(PIXELS, "20260131-235959", tmp_path)
    assert path == tmp_path / "visualizer-20260131-235959.png"
    assert np.array_equal(np.asarray(Image.open(path)), PIXELS)
    assert list(tmp_path.iterdir()) == [path], "nothing half-written stays"


def test_none_is_ever_replaced(tmp_path):
    paths = [save_screenshot(PIXELS, "s", tmp_path) for _ in range(3)]
    assert [path.name for path in paths] == ["visualizer-s.png", "visualizer-s-2.png", "visualizer-s-3.png"]


def test_many_at_once_all_get_a_name(tmp_path):
    threads = [threading.Thread(target=save_screenshot, args=(PIXELS, "s", tmp_path)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(tmp_path.glob("*.png"))) == 8


def test_it_goes_to_the_pictures_folder_or_where_the_program_was_started(tmp_path, monkeypatch):
    pictures = tmp_path / "Pictures"
    monkeypatch.setenv("VISUALIZER_PICTURES_DIR", str(pictures))
    monkeypatch.chdir(tmp_path)
    assert pictures_folder() == pictures
    assert save_screenshot(PIXELS, "a").parent == tmp_path, "there is no such folder"
    pictures.mkdir()
    assert save_screenshot(PIXELS, "b").parent == pictures


def test_a_pictures_folder_that_may_not_be_entered_is_passed_over(tmp_path, monkeypatch):
    save_screenshot(PIXELS, "first", tmp_path)  # loads what it needs while every folder may be read
    with locked_folder(0o700) as closed, tempfile.TemporaryDirectory() as works:
        Path(works).chmod(0o777)
        monkeypatch.chdir(works)
        for folder in (closed, closed / "Pictures", closed / ("x" * 300)):
            monkeypatch.setenv("VISUALIZER_PICTURES_DIR", str(folder))
            assert save_screenshot(PIXELS, "s").parent == Path(works)
        with pytest.raises(VisualizerError, match="Permission denied"):
            save_screenshot(PIXELS, "s", closed)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not remove the working folder of a process")
def test_a_working_folder_that_was_removed_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("VISUALIZER_PICTURES_DIR", str(tmp_path / "none"))
    works = tmp_path / "works"
    works.mkdir()
    monkeypatch.chdir(works)
    works.rmdir()
    with pytest.raises(VisualizerError, match="No such file"):
        save_screenshot(PIXELS, "s")


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(VisualizerError, match="the screenshot cannot be written to .*nowhere: No such file"):
        save_screenshot(PIXELS, "s", tmp_path / "nowhere")


FULL = """
import resource, signal, sys
import numpy as np, psutil
from tests.files.disks import locked_folder
from visualizer.errors import VisualizerError
from visualizer.outputs.screenshots import save_screenshot

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # room for half of it
pixels = np.random.default_rng(0).integers(0, 256, (270, 480, 3), np.uint8)
process = psutil.Process()
for number in range(60):
    try:
        save_screenshot(pixels, "s")
    except VisualizerError as error:
        said = str(error)
    if number == 9:
        before = process.memory_info().rss
print(said)
print(process.memory_info().rss - before)
"""


@pytest.mark.skipif(
    sys.platform == "win32", reason="Windows knows no limit on the size of files: the test below stands for it"
)
def test_a_full_disk_is_told_and_leaves_nothing_on_it_nor_in_memory(tmp_path):
    """Pillow never frees what packs a PNG when a write fails: 400 kB each time."""
    known = {**os.environ, "VISUALIZER_PICTURES_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", FULL], env=known, capture_output=True, text=True, check=True, timeout=120
    )
    said, grown = done.stdout.splitlines()
    assert said.startswith(f"the screenshot cannot be written to {tmp_path}: File too large")
    assert list(tmp_path.iterdir()) == []
    assert int(grown) < 5e6


def test_a_disk_that_is_full_half_way_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    class Full(io.FileIO):
        def write(self, content):
            super().write(bytes(content)[:4])
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", lambda path, mode: Full(path, "x"))
    with pytest.raises(VisualizerError, match="No space left"):
        save_screenshot(PIXELS, "s", tmp_path)
    assert list(tmp_path.iterdir()) == []
