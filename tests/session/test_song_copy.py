"""Songs of a session are known by their content, and copied where that is asked for."""

from __future__ import annotations

import hashlib

import pytest

from visualizer.session.song_copy import keep_song


@pytest.fixture
def song(tmp_path):
    path = tmp_path / "a song, with spaces.FLAC"
    path.write_bytes(b"sound" * 1000)
    return path


def test_a_song_is_known_by_its_content(song, tmp_path):
    assert keep_song(song, None) == (hashlib.sha256(song.read_bytes()).hexdigest(), "", "")
    assert list(tmp_path.iterdir()) == [song]


def test_it_is_copied_once_under_a_name_that_every_system_allows(song, tmp_path):
    folder = tmp_path / "songs"
    kept = keep_song(song, folder)
    assert kept.file == f"{kept.sha256}.flac" and (folder / kept.file).read_bytes() == song.read_bytes()
    assert keep_song(song, folder) == kept and len(list(folder.iterdir())) == 1


def test_where_it_cannot_be_copied_the_reason_is_returned(song, tmp_path):
    (tmp_path / "songs").write_text("no folder")
    kept = keep_song(song, tmp_path / "songs")
    assert kept.file == "" and "a song, with spaces.FLAC is not copied" in kept.fault and len(kept.sha256) == 64
