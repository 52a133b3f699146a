"""Pictures that come during a show are read in another thread, and what cannot be read is said in one line."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest
from PIL import Image

from tests.fixtures.watching import wait_for
from tests.render.pictures import smooth
from visualizer.presets import picture_reader
from visualizer.presets.picture_reader import PictureReader

SIZE = (96, 54)


def saved(path, seed):
    Image.fromarray(smooth(SIZE, seed)).save(path)
    return path


def read(reader, *pictures):
    """The image of the last of the pictures, each asked for at once; None where there is none."""
    for picture in pictures:
        reader.read(picture)
    found = []
    wait_for(lambda: found.append(reader.take()) or found[-1] is not None or not reader.is_reading, "the picture")
    return found[-1]


def test_of_several_pictures_the_newest_is_read_and_comes_once(tmp_path):
    reader = PictureReader(SIZE)
    pictures = [saved(tmp_path / f"{number}.png", number) for number in range(5)]
    assert np.array_equal(read(reader, *pictures), smooth(SIZE, 4))
    assert reader.take() is None and reader.fault is None
    wait_for(lambda: not reader.is_reading, "the end of the thread")
    assert np.array_equal(read(reader, pictures[1]), smooth(SIZE, 1))


def test_a_lack_of_memory_is_said_and_the_next_picture_is_read(tmp_path, monkeypatch):
    def fails(*_):
        raise MemoryError

    reader, picture = PictureReader(SIZE), saved(tmp_path / "one.png", 1)
    with monkeypatch.context() as patched:
        patched.setattr(picture_reader, "load_image", fails)
        assert read(reader, picture) is None
    assert reader.fault.endswith("one.png: cannot be read: MemoryError") and not reader.is_reading
    assert np.array_equal(read(reader, picture), smooth(SIZE, 1))


def broken(tmp_path, kind):
    path = tmp_path / f"{kind}.png"
    if kind == "a folder":
        path.mkdir()
    elif kind == "cut short":
        whole = saved(tmp_path / "whole.png", 1).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "a pipe":
        os.mkfifo(path)
    elif kind != "deleted":
        path.write_bytes({"empty": b"", "no picture": b"some words"}[kind])
    return path


@pytest.mark.parametrize("kind", ["a folder", "cut short", "a pipe", "deleted", "empty", "no picture"])
def test_what_cannot_be_read_is_said_in_one_line_and_the_next_one_is_read(tmp_path, kind):
    if kind == "a pipe" and sys.platform == "win32":
        pytest.skip("Windows has no named pipes")
    reader = PictureReader(SIZE)
    path = broken(tmp_path, kind)
    assert read(reader, path) is None
    assert path.name in reader.fault and "\n" not in reader.fault
    assert read(reader, saved(tmp_path / "good.png", 2)) is not None
    assert reader.fault is None


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a file that its user cannot read")
def test_a_picture_without_permission_is_said(tmp_path):
    path = saved(tmp_path / "secret.png", 1)
    path.chmod(0)
    reader = PictureReader(SIZE)
    assert read(reader, path) is None and "secret.png: cannot be read" in reader.fault


def test_a_picture_of_one_row_becomes_one_of_the_size(tmp_path):
    Image.new("RGB", (50_000, 1), (200, 10, 10)).save(tmp_path / "row.png")
    assert read(PictureReader(SIZE), tmp_path / "row.png").shape == (54, 96, 3)
