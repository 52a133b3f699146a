"""The files of the songs of a session: the copies in it, or those that were played; and nothing else."""

from __future__ import annotations

import shutil

import pytest

from tests.session.recorded import OPEN
from visualizer.files.remembered import remember_song
from visualizer.session.dream_files import file_sha256
from visualizer.session.events import SongEvent
from visualizer.session.reader import RecordedSession
from visualizer.session.songs import song_files
from visualizer.session.writer import SessionWriter


@pytest.fixture
def song(tmp_path):
    path = tmp_path / "a song.mp3"
    path.write_bytes(b"sound" * 1000)
    return path


def found(root):
    session, said = RecordedSession(root), []
    songs = [one for one in session.events() if isinstance(one, SongEvent)]
    return list(song_files(session, songs, said.append).values()), said


def recorded(tmp_path, song, *, copy):
    writer = SessionWriter.open(tmp_path / "night", **OPEN | {"kind": "play"}, keep_free_bytes=0)
    writer.song(0, 0.0, song, copy=copy)
    writer.song(48_000, 60.0, song, copy=copy)
    writer.close()
    return tmp_path / "night"


def test_the_copy_in_the_session_is_used_first(tmp_path, song):
    root = recorded(tmp_path, song, copy=True)
    (copy,) = (root / "songs").iterdir()
    assert found(root) == ([copy], [])
    copy.write_bytes(b"another")
    assert found(root)[0] == [] and "is damaged" in found(root)[1][0]


def test_a_song_that_was_not_copied_is_found_where_it_was_last_if_it_is_the_same(tmp_path, song):
    root = recorded(tmp_path, song, copy=False)
    assert found(root) == ([song], [])
    assert str(tmp_path) not in (root / "events.jsonl").read_text(), "a session says nothing of other folders"
    moved = tmp_path / "moved.mp3"
    remember_song(file_sha256(song), moved)
    assert found(root) == ([song], [])
    shutil.move(song, moved)
    assert found(root) == ([moved], [])
    moved.write_bytes(b"another")
    files, (line,) = found(root)
    assert files == [] and "a song.mp3" in line and line.endswith("its sound is the mono mix that was analysed")
