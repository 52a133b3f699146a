"""Packing a session, and unpacking one that may be crafted: nothing outside the new folder is written."""

from __future__ import annotations

import os
import shutil
import stat
import struct
import tempfile
import zipfile
from pathlib import Path

import pytest
from filelock import FileLock

from tests.files.disks import file_size_limit, locked_folder
from tests.session.making import make_session
from visualizer.errors import BadInput, VisualizerError
from visualizer.session.archive import pack, unpack
from visualizer.session.reader import RecordedSession


@pytest.fixture
def folder(tmp_path):
    return make_session(tmp_path / "night")


def contents(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def refused(archive, into, words):
    """Check that a file is not unpacked, for a reason with these words, and that nothing is left behind."""
    before = contents(into.parent)
    with pytest.raises(BadInput, match=words) as caught:
        unpack(archive, into)
    assert "\n" not in str(caught.value)
    assert contents(into.parent) == before and not (into.exists() and any(into.iterdir()))


def zipped(path, entries):
    """A ZIP file of (name or ZipInfo, contents), beside a right session.json in its folder "night"."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("night/session.json", "{}")
        for name, text in entries:
            file.writestr(name, text)
    return path


@pytest.mark.parametrize("name", ["night", "Friday night", "Bob's best 🌙", "ночь"])
def test_what_was_packed_is_unpacked(tmp_path, name):
    folder = make_session(tmp_path / name)
    (folder.root / ".lock").touch()
    (folder.dreams / ".visualizer-00.part").write_text("half")
    out = tmp_path / "my 'night'.zip"
    assert pack(folder.root, out) == out.stat().st_size
    found = unpack(out, tmp_path / "deep" / "sessions")
    assert found == tmp_path / "deep" / "sessions" / name
    whole = contents(folder.root)
    del whole[".lock"], whole["dreams/.visualizer-00.part"]
    assert contents(found) == whole
    assert [path.name for path in found.parent.iterdir()] == [name]
    assert len(list(RecordedSession(found).events())) == RecordedSession(found).info.n_events


def test_it_is_packed_the_same_under_another_name(folder, tmp_path):
    pack(folder.root, tmp_path / "a.zip")
    assert unpack(tmp_path / "a.zip", tmp_path / "to", "other").name == "other"
    with pytest.raises(BadInput, match="already exists; give another name with --name"):
        unpack(tmp_path / "a.zip", tmp_path)
    for name in ("../x", "a/b", "", ".hidden", "CON", "a."):
        with pytest.raises(BadInput, match="the name"):
            unpack(tmp_path / "a.zip", tmp_path / "to", name)
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["other"]


def test_where_it_cannot_be_packed(folder, tmp_path):
    for out, words in [
        (tmp_path / "a.tar", "must end in .zip"),
        (tmp_path / "none" / "a.zip", "there is no folder"),
        (folder.root / "a.zip", "lies in the session itself"),
    ]:
        with pytest.raises(BadInput, match=words):
            pack(folder.root, out)
    (tmp_path / "mine.zip").write_text("mine")
    with pytest.raises(BadInput, match="already exists"):
        pack(folder.root, tmp_path / "mine.zip")
    assert (tmp_path / "mine.zip").read_text() == "mine"
    with FileLock(folder.lock), pytest.raises(VisualizerError, match="is being recorded"):
        pack(folder.root, tmp_path / "a.zip")
    (folder.root / "link").symlink_to("/etc/hostname")
    with pytest.raises(BadInput, match="is a link"):
        pack(folder.root, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


def test_on_a_full_disk_nothing_is_left(folder, tmp_path):
    pack(folder.root, tmp_path / "a.zip")
    (tmp_path / "small").mkdir()
    with file_size_limit(20_000):
        with pytest.raises(VisualizerError, match="could not be written"):
            pack(folder.root, tmp_path / "b.zip")
        with pytest.raises(VisualizerError, match="could not be unpacked"):
            unpack(tmp_path / "a.zip", tmp_path / "small")
    assert not any((tmp_path / "small").iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "night", "small"]


def test_into_a_folder_that_cannot_be_written_to(folder):
    with tempfile.TemporaryDirectory() as readable:  # tmp_path is for root only
        Path(readable).chmod(0o755)
        pack(folder.root, Path(readable) / "a.zip")
        with locked_folder() as locked:
            with pytest.raises(VisualizerError, match="Permission denied"):
                unpack(Path(readable) / "a.zip", locked)
            assert not any(locked.iterdir())


def link(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("night/../../evil", "may lead out"),
        ("../evil", "may lead out"),
        ("/etc/evil", "may lead out"),
        ("night/./a", "may lead out"),
        ("night//a", "may lead out"),
        ("night\\..\\..\\evil", "may lead out"),
        ("C:/evil", "may lead out"),
        ("night/a:stream", "may lead out"),
        ("night/a\nb", "control character"),
        ("night/NUL", "on Windows"),
        ("night/com1.flac", "on Windows"),
        ("night/a.", "on Windows"),
        ("night/" + "x" * 300, "is too long"),
        ("night/" + "x/" * 20 + "y", "is too long"),
        (link("night/sound-0001.flac"), "is a link or a device"),
        ("night/Session.json", "is in it twice"),
        ("night/session.json/x", "is a file and a folder"),
        ("other/x", "holds no session"),
        ("evil", "holds no session"),
    ],
    ids=str,
)
def test_crafted_names_are_refused(tmp_path, name, words):
    refused(zipped(tmp_path / "a.zip", [(name, "x")]), tmp_path / "to", words)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_same_name_twice_is_refused(tmp_path):
    refused(zipped(tmp_path / "a.zip", [("night/session.json", "{}")]), tmp_path / "to", "is in it twice")
    accents = [("night/é", "1"), ("night/e\u0301", "2")]
    refused(zipped(tmp_path / "b.zip", accents), tmp_path / "to", "is in it twice")


def test_a_name_with_a_null_byte_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", [("night/aXb", "x")])
    path.write_bytes(path.read_bytes().replace(b"night/aXb", b"night/a\0b"))
    refused(path, tmp_path / "to", "control character")


def test_a_zip_bomb_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("night/session.json", "{}")
        with file.open("night/sound-0001.flac", "w", force_zip64=True) as entry:
            for _ in range(150):
                entry.write(bytes(1_000_000))
    refused(tmp_path / "a.zip", tmp_path / "to", "would become 0.2 GB from 0.000 GB")


def test_a_file_larger_than_it_claims_is_not_written_further(tmp_path):
    path = zipped(tmp_path / "a.zip", [("night/a", bytes(1_000_000))])
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", 1_000_000), struct.pack("<I", 1000)))
    refused(path, tmp_path / "to", "is damaged")


def test_more_files_than_any_session_are_refused(tmp_path):
    refused(zipped(tmp_path / "a.zip", [(f"night/{n}", "") for n in range(50_001)]), tmp_path / "to", "50002 files")
    refused(
        zipped(tmp_path / "b.zip", [(f"night/{n:0200}", "") for n in range(60_000)]), tmp_path / "to", "50000 files"
    )


@pytest.mark.parametrize("text", [b"", b"PK", b"PK\x05\x06" + bytes(18), b"not a zip" * 100])
def test_what_is_no_zip_file(tmp_path, text):
    (tmp_path / "a.zip").write_bytes(text)
    refused(tmp_path / "a.zip", tmp_path / "to", "is no ZIP file, or is damaged|holds no session")


def test_files_that_are_missing_or_no_files(tmp_path):
    refused(tmp_path / "a.zip", tmp_path / "to", "no such file")
    refused(tmp_path, tmp_path / "to", "is not an ordinary file")
    os.mkfifo(tmp_path / "p.zip")
    with pytest.raises(BadInput, match="is not an ordinary file"):
        unpack(tmp_path / "p.zip", tmp_path / "to")


def test_a_damaged_zip_file_cut_anywhere(folder, tmp_path):
    pack(folder.root, tmp_path / "a.zip")
    data = (tmp_path / "a.zip").read_bytes()
    damaged = tmp_path / "b.zip"
    for length in range(0, len(data), len(data) // 40):
        damaged.write_bytes(data[:length])
        refused(damaged, tmp_path / "to", "is no ZIP file, or is damaged")
    places = [*((at, 0x20) for at in range(30, len(data), len(data) // 40))]
    places += [
        (at, 0xFF) for at in range(len(data) - 22, len(data))
    ]  # of the record that says where the list of files is
    for at, mask in places:
        damaged.write_bytes(data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :])
        try:
            found = unpack(damaged, tmp_path / "to", "found")
        except BadInput as fault:
            assert "\n" not in str(fault)
            assert not any((tmp_path / "to").iterdir())
        else:  # a byte that means nothing
            assert contents(found) == contents(folder.root)
            shutil.rmtree(found)


def test_an_encrypted_file_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", [])
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    refused(path, tmp_path / "to", "is encrypted")


def test_progress_is_reported_up_to_the_end(tmp_path):
    night = make_session(tmp_path / "night", seconds=0.1)
    for run in (
        lambda move: pack(night.root, tmp_path / "night.zip", move),
        lambda move: unpack(tmp_path / "night.zip", tmp_path / "here", None, move),
    ):
        said = []
        run(lambda done, total, said=said: said.append((done, total)))
        assert [done for done, _ in said] == sorted(done for done, _ in said)
        total = sum(path.stat().st_size for path in night.root.rglob("*") if path.is_file())
        assert said[-1] == (total, total)
