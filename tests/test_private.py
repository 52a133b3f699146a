"""What a user's folders are called is in no log, no state to resume from and no report."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests import sounds
from visualizer import private
from visualizer.cli.run import run
from visualizer.diagnostics.doctor import CHECKS, as_json, examine
from visualizer.files.paths import log_folder
from visualizer.private import keep_private, name_only, without_folders

SECRET = "geheim 'ö"


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private, "_folders", set())
    monkeypatch.setattr(private, "_pattern", None)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with a song, one whose sound ends early, and something that is none."""
    folder = tmp_path / SECRET
    folder.mkdir()
    sounds.write_wav(folder / "song.wav", np.stack([sounds.kicks(44100, [0.5], 1.0)] * 2, axis=1), 44100)
    (folder / "cut.wav").write_bytes((folder / "song.wav").read_bytes()[:60_000])
    (folder / "broken.wav").write_bytes(b"no sound")
    yield folder


def log_text() -> str:
    for handler in logging.getLogger("visualizer").handlers:
        handler.flush()
    return "".join(file.read_text(encoding="utf-8") for file in log_folder().iterdir())


def test_no_command_logs_where_songs_are(
    folder: Path,
    tiny_preset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    shutil.copytree(tiny_preset, tmp_path / "tiny")
    monkeypatch.chdir(folder.parent)
    loaded = ["--preset", str(tmp_path / "tiny"), "--size", "32x32"]
    for words in (
        ["analyze", folder / "song.wav"],
        ["analyze", Path(SECRET) / "cut.wav"],
        ["analyze", folder / "broken.wav"],
        ["analyze", folder / "not there.wav"],
        ["analyze", folder],
        ["export", folder / "song.wav", "-o", folder / "video.mp4", *loaded],
        ["export", folder / "song.wav", "-o", folder / "nowhere" / "video.mp4", *loaded],
        ["play", folder / "song.wav", *loaded],
        ["play", folder, *loaded],
        ["play", folder / "empty", *loaded],
    ):
        run([str(word) for word in words])
    capsys.readouterr()
    report = as_json(examine([check for check in CHECKS if check.group == "files"]))
    text = log_text()
    assert "song.wav" in text and "cut.wav" in text and "broken.wav" in text
    for line in text.splitlines():
        assert "geheim" not in line, line
    assert "geheim" not in json.dumps(report, ensure_ascii=False)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/music/mine/a.wav: damaged", "a.wav: damaged"),
        ("file:/music/mine/a.wav", "file:a.wav"),
        ("'/music/mine/a.wav'", "'a.wav'"),
        ("/music/mine: cannot be read", ": cannot be read"),
        ("/music/mine2/a.wav", "/music/mine2/a.wav"),
        ("/other/music/mine/a.wav", "/other/music/mine/a.wav"),
        ("a/b.wav: damaged, data/b.wav is not", "b.wav: damaged, data/b.wav is not"),
        ("a word", "a word"),
    ],
)
def test_private_folders_are_left_out(text: str, shown: str) -> None:
    assert without_folders(text) == text
    keep_private(Path("/music/mine/a.wav"))
    keep_private(Path("a/b.wav"))
    keep_private(Path("c.wav"))
    assert without_folders(text) == shown


def test_what_is_no_path_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_private(Path("x/a\0b.wav"))
    assert without_folders("x/a") == "a" and name_only("a\0b") == "a\0b"
    assert without_folders("/etc/fstab") == "/etc/fstab"


def test_the_home_folder_is_written_as_a_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/anna")
    monkeypatch.setenv("USERPROFILE", "/home/anna")
    assert without_folders("/home/anna/.cache/x, /home/anna and /home/annabel") == "~/.cache/x, ~ and /home/annabel"


def test_a_command_is_logged_without_folders(tmp_path: Path) -> None:
    words = [
        "play",
        "/x/y/song.wav",
        str(tmp_path),
        "--preset",
        "clouds",
        "--image=/x/p.png",
        "-o",
        "x/v.mp4",
        "--gain=3",
    ]
    assert [name_only(word) for word in words] == [
        *("play", "(folder)/song.wav", "(folder)", "--preset", "clouds", "--image=(folder)/p.png", "-o", "(folder)/v.mp4"),
        "--gain=3",
    ]  # fmt: skip
