"""Which files a list of songs is made of."""

import os

import pytest

from visualizer.errors import BadInput
from visualizer.files.songs import song_files


def test_a_folder_is_its_songs_in_natural_order(tmp_path):
    for name in (
        "10 last.flac",
        "2 Two.MP3",
        "2 one.mp3",
        "1.wav",
        ".hidden.mp3",
        "cover.jpg",
        "list.m3u",
        "notes",
        "B.ogg",
        "a.opus",
    ):
        (tmp_path / name).touch()
    (tmp_path / "disc 2.mp3").mkdir()
    (tmp_path / "disc 2.mp3" / "inside.mp3").touch()
    found = [path.name for path in song_files([tmp_path])]
    assert found == ["1.wav", "2 one.mp3", "2 Two.MP3", "10 last.flac", "a.opus", "B.ogg"]


def test_files_stay_in_the_order_given_and_may_be_called_anything(tmp_path):
    (tmp_path / "x.mp3").touch()
    given = [tmp_path / "b", tmp_path / "a.mp3", tmp_path, tmp_path / "missing.wav"]
    (tmp_path / "b").touch()
    assert song_files(given) == [tmp_path / "b", tmp_path / "a.mp3", tmp_path / "x.mp3", tmp_path / "missing.wav"]


def test_a_folder_without_songs_is_an_error(tmp_path):
    (tmp_path / "cover.jpg").touch()
    with pytest.raises(BadInput, match="there are no songs in this folder"):
        song_files([tmp_path])


def test_a_folder_that_may_not_be_read(tmp_path, monkeypatch):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0)
    if os.access(folder, os.R_OK):  # as root nothing is forbidden

        def refuse(self):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("pathlib.Path.iterdir", refuse)
    with pytest.raises(BadInput, match=r"locked: cannot be read \(Permission denied\)"):
        song_files([folder])
