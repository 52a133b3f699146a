"""The chosen input and output are remembered by name, and nothing that may be wrong with the file matters to a show."""

from pathlib import Path

import pytest

from visualizer.files import remembered
from visualizer.files.remembered import (
    remember_input,
    remember_output,
    remember_song,
    remembered_input,
    remembered_output,
    remembered_songs,
)


def test_it_is_remembered_changed_and_forgotten(home: Path) -> None:
    assert remembered_input() is None
    for name in ("USB Audio", 'Mikrofon "links" ☃', "USB Audio"):
        remember_input(name)
        assert remembered_input() == name
    assert [path.name for path in (home / "config").iterdir()] == ["input.json"]
    remember_output("hdmi")
    remember_input(None)
    remember_input(None)
    assert remembered_output() == "hdmi"
    remember_output(None)
    assert remembered_input() is None and list((home / "config").iterdir()) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[1]",
        b'"x"',
        b"null",
        b'{"input": 3}',
        b'{"input": ""}',
        b"{}",
        b"\xff\xfe",
        b"[" * 9000,
        b'{"input": "' + b"x" * 20_000,
    ],
)
def test_a_damaged_file_is_as_none_and_is_written_anew(home: Path, data: bytes) -> None:
    (home / "config").mkdir(exist_ok=True)
    (home / "config" / "input.json").write_bytes(data)
    assert remembered_input() is None
    remember_input("mic")
    assert remembered_input() == "mic"


def test_a_folder_that_cannot_be_used_is_only_logged(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (home / "file").write_text("")
    monkeypatch.setenv("VISUALIZER_CONFIG_DIR", str(home / "file"))
    remember_input("mic")
    assert "cannot be remembered" in caplog.text
    assert remembered_input() is None
    monkeypatch.setenv("VISUALIZER_CONFIG_DIR", "~nobody-of-that-name/x")
    remember_input("mic")
    assert remembered_input() is None


def test_songs_are_remembered_by_their_hash(home, tmp_path):
    one, two = tmp_path / "one 🎧.mp3", tmp_path / "two.mp3"
    for path in (one, two, one, two):
        remember_song("a" * 64, path)
    remember_song("b" * 64, one)
    assert remembered_songs("a" * 64) == [two, one] and remembered_songs("b" * 64) == [one]
    assert remembered_songs("c" * 64) == []
    file = home / "config" / "songs.jsonl"
    assert file.read_text().count("\n") == 3
    file.write_bytes(b"\xff\n[]\n{}\n" + file.read_bytes() + b'{"sha256": ')
    assert remembered_songs("b" * 64) == [one]


def test_of_many_songs_the_newer_half_is_remembered(home, tmp_path, monkeypatch):
    monkeypatch.setattr(remembered, "_MAX_SONGS_BYTES", 2000)
    for number in range(100):
        remember_song(f"{number:064d}", tmp_path / f"{number}.mp3")
    assert remembered_songs(f"{99:064d}") and not remembered_songs(f"{0:064d}")
    assert (home / "config" / "songs.jsonl").stat().st_size < 4000
