"""Pictures that arrive in a folder: whole ones, and of many only the newest."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.fixtures.watching import wait_for
from visualizer.errors import BadInput
from visualizer.pictures import picture_folder
from visualizer.pictures.picture_folder import BURST_S, POLL_S, RETRY_S, SETTLE_S, Arrivals, PictureFolder

A, B, C = Path("a.jpg"), Path("b.jpg"), Path("c.jpg")


@pytest.fixture
def watched():
    """watched(folder) -> PictureFolder, closed at the end."""
    with contextlib.ExitStack() as stack:

        def of(folder):
            one = PictureFolder(folder)
            stack.callback(one.close)
            wait_for(lambda: one.n_looks > 0, "the first look")
            return one

        yield of


def picture(path, level=100, changed_s=None):
    Image.new("RGB", (64, 36), (level, level, level)).save(path)
    if changed_s is not None:
        os.utime(path, (changed_s, changed_s))
    return path


# -- which has arrived, without a disk


class Lists:
    """A folder that is listed at instants that the test sets."""

    def __init__(self, check=lambda path: None):
        self.now_s = 0.0
        self.arrivals = Arrivals(check, lambda: self.now_s)

    def take(self, *statuses, after_s=POLL_S):
        self.now_s += after_s
        return self.arrivals.take(dict(statuses))


def test_what_is_there_at_first_has_not_arrived():
    lists = Lists()
    assert [lists.take((A, (1, 10))) for _ in range(9)] == [None] * 9


def test_a_file_is_taken_once_it_does_not_change_any_more():
    lists = Lists()
    lists.take()
    assert [lists.take((A, (1, n))) for n in (10, 20, 30)] == [None] * 3
    assert lists.take((A, (1, 30)), after_s=SETTLE_S) == A
    assert lists.take((A, (1, 30)), after_s=9) is None
    assert lists.take((A, (2, 30)), after_s=9) is None
    assert lists.take((A, (2, 30)), after_s=9) == A  # written again


def test_of_many_only_the_newest_is_taken():
    lists = Lists()
    lists.take()
    many = [(Path(f"{n}.jpg"), (1000 + n * 7 % 300, 10)) for n in range(300)]
    assert lists.take(*many) is None
    assert lists.take(*many, after_s=1) == max(many, key=lambda one: one[1])[0]
    assert [lists.take(*many, after_s=1) for _ in range(5)] == [None] * 5


def test_while_others_arrive_the_newest_waits_but_not_for_ever():
    lists = Lists()
    lists.take()
    found, there = [], []
    for n in range(40):  # another every quarter of a second
        there.append((Path(f"{n:02}.jpg"), (n, 10)))
        if (one := lists.take(*there)) is not None:
            found.append((lists.now_s, one))
    assert [round(b[0] - a[0], 2) >= BURST_S - POLL_S for a, b in itertools.pairwise(found)] == [True, True]
    assert len(found) == 3


def test_one_that_cannot_be_read_is_said_after_a_while_and_does_not_keep_others_waiting():
    def check(path):
        if path == B:
            raise BadInput("b.jpg: the picture is damaged")

    lists = Lists(check)
    lists.take()
    lists.take((A, (1, 10)), (B, (2, 10)))
    assert lists.take((A, (1, 10)), (B, (2, 10)), after_s=1) == A
    assert lists.take((A, (1, 10)), (B, (2, 10)), after_s=1) is None and lists.arrivals.fault is None
    assert lists.take((A, (1, 10)), (B, (2, 10)), after_s=RETRY_S) is None
    assert lists.arrivals.fault == "b.jpg: the picture is damaged; the journey goes on without it"
    assert lists.take((A, (1, 10)), (B, (2, 10)), after_s=RETRY_S) is None and lists.arrivals.fault is None


def test_after_the_folder_was_gone_nothing_has_arrived():
    lists = Lists()
    lists.take((A, (1, 10)))
    lists.arrivals.forget()
    assert [lists.take((A, (1, 10)), (B, (2, 10)), after_s=1) for _ in range(4)] == [None] * 4


@given(
    st.lists(
        st.dictionaries(st.sampled_from([A, B, C]), st.tuples(st.integers(0, 3), st.integers(1, 3))),
        min_size=2,
        max_size=12,
    )
)
def test_of_all_that_has_changed_when_the_folder_is_quiet_again_the_newest_is_taken_once(listings):
    lists, known = Lists(), dict(listings[0])
    for one in listings:
        known = {path: status for path, status in known.items() if path in one}
        assert lists.take(*one.items(), after_s=0.01) is None
    last = listings[-1]
    new = [(status, path) for path, status in last.items() if known.get(path) != status]
    taken = [lists.take(*last.items(), after_s=1.0) for _ in range(5)]
    assert [one for one in taken if one is not None] == ([max(new)[1]] if new else [])


# -- on a disk


def test_a_picture_that_arrives_is_taken_by_itself(tmp_path, watched):
    picture(tmp_path / "before.png")
    folder = watched(tmp_path)
    arrived = picture(tmp_path / "arrived.png")
    assert wait_for(folder.poll, "the picture") == arrived
    assert folder.poll() is None and folder.news() is None


def test_one_that_is_still_written_is_waited_for(tmp_path, watched, monkeypatch):
    monkeypatch.setattr(picture_folder, "RETRY_S", 600.0)  # however long this process stands still in the middle
    whole = picture(tmp_path.parent / "whole.png").read_bytes()
    folder = watched(tmp_path)
    with (tmp_path / "slow.png").open("wb") as file:
        for part in (whole[:40], whole[40:90], whole[90:]):
            assert folder.poll() is None
            file.write(part)
            file.flush()
            threading.Event().wait(SETTLE_S + 2 * POLL_S)  # longer than a file must stay the same to be tried
            assert part == whole[90:] or folder.poll() is None
    assert wait_for(folder.poll, "the picture") == tmp_path / "slow.png"
    assert folder.news() is None


def test_of_many_that_arrive_at_once_only_the_newest_is_taken(tmp_path, watched):
    folder, made = watched(tmp_path), tmp_path.parent / "made"
    made.mkdir()
    for number in range(200):
        picture(made / f"{number:03}.png", changed_s=1_000_000 + number * 77 % 200)
    for path in made.iterdir():
        path.rename(tmp_path / path.name)
    newest = max(tmp_path.iterdir(), key=lambda one: one.stat().st_mtime)
    assert wait_for(folder.poll, "the newest") == newest
    threading.Event().wait(SETTLE_S + 2 * POLL_S)
    assert folder.poll() is None and folder.news() is None


def test_hidden_and_temporary_files_and_others_are_ignored(tmp_path, watched):
    folder = watched(tmp_path)
    for name in (".hidden.png", "~temporary.png"):
        picture(tmp_path / name)
    shutil.copy(tmp_path / ".hidden.png", tmp_path / "picture.png.part")
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "empty.png").write_bytes(b"")
    assert "newest picture" in folder.want_newest()
    assert wait_for(folder.news, "a line") == f"there is no picture in {tmp_path}"
    assert folder.poll() is None


def test_the_newest_is_taken_when_it_is_asked_for_and_a_damaged_one_is_passed_over(tmp_path, watched):
    picture(tmp_path / "old.png", changed_s=1000)
    newest = picture(tmp_path / "new.png", changed_s=3000)
    picture(tmp_path / "older.png", changed_s=2000)
    (tmp_path / "damaged.jpg").write_bytes(newest.read_bytes()[:60])
    folder = watched(tmp_path)
    folder.want_newest()
    assert wait_for(folder.poll, "the newest") == newest
    folder.want_newest()
    assert wait_for(folder.poll, "the newest again") == newest


def test_a_folder_that_is_not_there_and_one_that_goes_are_said_in_one_line_and_read_again(tmp_path, watched):
    folder = watched(tmp_path / "phone")
    assert wait_for(folder.news, "a line").endswith("phone cannot be read (No such file or directory); "
                                                    "pictures are taken from it once it is there")  # fmt: skip
    folder.want_newest()
    assert wait_for(folder.news, "a line").endswith("cannot be read (No such file or directory)")
    (tmp_path / "phone").mkdir()
    picture(tmp_path / "phone" / "one.png")
    assert wait_for(folder.news, "a line").endswith("phone is there")
    shutil.rmtree(tmp_path / "phone")
    assert "cannot be read" in wait_for(folder.news, "a line")
    (tmp_path / "phone").mkdir()
    wait_for(folder.news, "a line")
    two = picture(tmp_path / "phone" / "two.png")
    assert wait_for(folder.poll, "the picture") == two


def test_a_photograph_that_cannot_be_read_is_said(tmp_path, watched, monkeypatch):
    monkeypatch.setattr("visualizer.pictures.picture_folder.RETRY_S", 0.5)
    folder = watched(tmp_path)
    (tmp_path / "photo.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    line = wait_for(folder.news, "a line")
    assert "HEIC; save it as JPEG first" in line and line.endswith("the journey goes on without it")


def test_while_a_picture_takes_long_to_read_the_folder_is_looked_at_as_often(tmp_path, watched, monkeypatch):
    takes_s = [1.6]
    monkeypatch.setattr(picture_folder, "_MOST_POLL_S", 1000.0)
    monkeypatch.setattr(picture_folder, "_check", lambda path: threading.Event().wait(takes_s.pop() if takes_s else 0))
    folder = watched(tmp_path)
    for name in ("one.png", "two.png"):
        arrived = picture(tmp_path / name)
        assert wait_for(folder.poll, "the picture") == arrived


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes")
def test_a_named_pipe_in_the_folder_holds_nothing(tmp_path, watched):
    os.mkfifo(tmp_path / "pipe.png")
    one = picture(tmp_path / "one.png")
    folder = watched(tmp_path)
    folder.want_newest()
    assert wait_for(folder.poll, "the picture") == one
