"""The pictures that are kept of a camera."""

from __future__ import annotations

import os

import numpy as np
import pytest
from PIL import Image

from visualizer.errors import VisualizerError
from visualizer.pictures import camera_process
from visualizer.pictures.camera_process import remove_oldest, save_picture


def image(level):
    return Image.new("RGB", (32, 18), (level, level, level))


def test_what_was_grabbed_becomes_a_picture_and_none_is_replaced(tmp_path):
    paths = [save_picture(image(level), tmp_path / "new" / "grabs") for level in (10, 120, 240)]
    assert len(set(paths)) == 3
    for path, level in zip(paths, (10, 120, 240), strict=True):
        with Image.open(path) as picture:
            assert abs(int(np.asarray(picture)[9, 16, 0]) - level) < 3
    assert sorted(one.name for one in (tmp_path / "new" / "grabs").iterdir()) == sorted(one.name for one in paths)


def test_only_the_newest_are_kept_and_other_files_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(camera_process, "MOST_KEPT", 3)
    mine = ["mine.jpg", "camera-mine.jpg", "camera-roll-001.jpg", "camera-20260131-235959-edited.jpg"]
    for name in mine:
        (tmp_path / name).write_bytes(b"mine")
        os.utime(tmp_path / name, (1, 1))
    for number in range(6):
        path = save_picture(image(40 * number), tmp_path)
        os.utime(path, (1000 + number, 1000 + number))
        remove_oldest(tmp_path)
    levels = [int(np.asarray(Image.open(one))[9, 16, 0]) for one in tmp_path.iterdir() if one.name not in mine]
    assert sorted(levels) == pytest.approx([120, 160, 200], abs=3)
    assert all((tmp_path / name).exists() for name in mine)


def test_what_goes_while_the_oldest_are_removed_is_no_fault(tmp_path, monkeypatch):
    monkeypatch.setattr(camera_process, "MOST_KEPT", 1)
    old, new = (save_picture(image(level), tmp_path) for level in (10, 200))
    os.utime(old, (1, 1))
    (tmp_path / "camera-20260101-000000.jpg").symlink_to(tmp_path / "removed by another show")
    remove_oldest(tmp_path)
    remove_oldest(tmp_path / "no folder")
    assert new.exists() and not old.exists()


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(VisualizerError, match=r"cannot be made: .*; VISUALIZER_GRABS_DIR names another folder"):
        save_picture(image(1), tmp_path / "file" / "grabs")
