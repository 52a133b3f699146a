"""The list of sessions: all of them, each by its name, and only sessions are deleted."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from tests.files.disks import locked_folder
from tests.session.making import make_session
from visualizer.errors import BadInput, VisualizerError
from visualizer.files.paths import sessions_folder
from visualizer.session.listing import delete_session, find_session, list_sessions, rename_session, session_named


@pytest.fixture
def night():
    return make_session(sessions_folder() / "night", seconds=0.1)


def test_no_sessions():
    assert list_sessions() == []
    with pytest.raises(BadInput, match="unknown session 'x'; there are: none"):
        find_session("x")


def test_every_session_is_listed_the_newest_first(night):
    folder = sessions_folder()
    for name, started in (("old", "2025-01-01T10:00:00+01:00"), ("new", "2027-01-01T10:00:00+01:00")):
        other = make_session(folder / name, seconds=0.1)
        text = other.info.read_text()
        other.info.write_text(text.replace("2026-11-28T21:30:05+01:00", started))
    (folder / "broken").mkdir()
    (folder / "broken" / "session.json").write_text('{"format": 2, "program": "9"}')
    (folder / "holiday").mkdir()
    (folder / "notes.txt").write_text("mine")
    (folder / ".visualizer-00.part").mkdir()
    listed = list_sessions()
    assert [one.name for one in listed] == ["new", "night", "old", "broken"]
    assert [one.found and one.found.state for one in listed] == ["ok", "ok", "ok", None]
    assert "newer version of the program, 9" in listed[-1].fault


def test_a_session_is_found_by_name_and_by_folder(night, tmp_path, monkeypatch):
    elsewhere = make_session(tmp_path / "Bob's night", seconds=0.1)
    assert find_session("night") == night.root
    for text in (str(elsewhere.root), str(elsewhere.info)):
        assert find_session(text) == elsewhere.root
    monkeypatch.chdir(tmp_path)
    assert find_session("Bob's night").samefile(elsewhere.root)
    for text in ("nigth", "", "a\0b", "x" * 5000):
        with pytest.raises(BadInput, match="unknown session") as caught:
            find_session(text)
        assert "\n" not in str(caught.value)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="empty: is not the folder of a session"):
        find_session("empty")
    with pytest.raises(BadInput, match="did you mean 'night'"):
        find_session("nigth")


def test_the_name_of_a_session_stands_for_its_folder_unless_there_is_a_file_of_that_name(night, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert session_named(Path("night")) == night.root
    for text in ("nigth", "", "..", "a\0b", "x" * 5000, str(night.root), "other/night"):
        assert session_named(Path(text)) == Path(text)
    (tmp_path / "night").write_text("a song")
    assert session_named(Path("night")) == Path("night")


@pytest.mark.parametrize("name", ["Friday night", "it's 🌙", "ночь", "a.b"])
def test_it_is_renamed(night, name):
    assert rename_session(night.root, name) == sessions_folder() / name
    assert [one.name for one in list_sessions()] == [name]


@pytest.mark.parametrize(
    "name", ["../x", "a/b", "a\\b", "", ".", "..", ".x", "x.", " x", 'a"b', "a:b", "NUL", "a\nb", "x" * 300]
)
def test_names_that_cannot_be_one(night, name):
    with pytest.raises(BadInput, match="the name") as caught:
        rename_session(night.root, name)
    assert "\n" not in str(caught.value) and night.info.exists()


def test_a_name_that_is_taken(night):
    (sessions_folder() / "other").mkdir()
    (sessions_folder() / "dangling").symlink_to("nowhere")
    for name in ("other", "dangling", "night"):
        with pytest.raises(BadInput, match="already exists"):
            rename_session(night.root, name)


def test_it_is_deleted_and_nothing_that_links_lead_to(night, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a").write_text("mine")
    (night.dreams / "link").symlink_to(tmp_path / "mine")
    delete_session(night.root)
    assert not night.root.exists() and (tmp_path / "mine" / "a").read_text() == "mine"


def test_only_sessions_are_deleted(night, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "link").symlink_to(night.root)
    (night.root / "holiday.jpg").write_text("mine")
    for root, words in [
        (tmp_path / "mine", "is not the folder of a session"),
        (tmp_path / "link", "is a link"),
        (night.root, "holiday.jpg: is not part of a session"),
    ]:
        with pytest.raises(BadInput, match=words):
            delete_session(root)
    (night.root / "holiday.jpg").unlink()
    with FileLock(night.lock):
        for change in (delete_session, lambda root: rename_session(root, "other")):
            with pytest.raises(VisualizerError, match="is being recorded"):
                change(night.root)
    assert night.events.exists() and (tmp_path / "mine").exists()


def test_where_nothing_can_be_changed():
    with locked_folder(0o777) as locked:
        folder = make_session(locked / "night", seconds=0.1)
        folder.root.chmod(0o555)
        with pytest.raises(VisualizerError, match="cannot be deleted: Permission denied"):
            delete_session(folder.root)
        assert folder.events.exists()
        folder.root.chmod(0o755)
