"""Which files have changed: written in place, replaced, deleted; and not before they are whole."""

from __future__ import annotations

import pytest

from tests.fixtures.shows import Clock
from visualizer.files.watch import GONE_S, SETTLE_S, FileWatch


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def watch(clock):
    return FileWatch(clock)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "glow.fs"
    path.write_text("one")
    return path


def settled(watch, clock, seconds=SETTLE_S):
    """What has changed once the files were left alone for so long."""
    watch.changed()
    clock.now_s += seconds
    return watch.changed()


def test_nothing_has_changed_at_first(watch, clock, file):
    watch.follow([file])
    assert settled(watch, clock) == frozenset()


def test_a_file_written_in_place_is_reported_once(watch, clock, file):
    watch.follow([file])
    file.write_text("another")
    assert settled(watch, clock) == {file}
    assert settled(watch, clock) == frozenset()


def test_a_file_that_another_one_replaces_is_reported(watch, clock, file):
    """As editors save: a new file of the same size is renamed over the old one."""
    watch.follow([file])
    new = file.with_suffix(".new")
    new.write_text("two")
    new.replace(file)
    assert settled(watch, clock) == {file}


def test_a_file_that_is_still_being_written_is_not_reported(watch, clock, file):
    watch.follow([file])
    for n_written in range(1, 5):
        file.write_text("line\n" * n_written)
        assert watch.changed() == frozenset()
        clock.now_s += SETTLE_S / 2
    assert settled(watch, clock) == {file}


def test_a_file_that_is_missing_for_a_moment_only_is_no_change_of_its_own(watch, clock, file):
    watch.follow([file])
    file.unlink()
    assert settled(watch, clock, GONE_S / 2) == frozenset()
    file.write_text("after")
    assert settled(watch, clock) == {file}


def test_a_file_that_has_gone_and_one_that_comes_are_reported(watch, clock, file):
    coming = file.with_name("coming.fs")
    watch.follow([file, coming])
    file.unlink()
    coming.write_text("now")
    watch.changed()
    clock.now_s += GONE_S
    assert watch.changed() == {file, coming}


def test_a_change_between_two_sets_of_files_is_not_lost(watch, clock, file, tmp_path):
    watch.follow([file])
    file.write_text("changed")
    watch.follow([file, tmp_path / "other.fs"])
    assert settled(watch, clock) == {file}
    watch.follow([])
    file.write_text("no longer watched")
    assert settled(watch, clock) == frozenset()


def test_a_change_that_is_not_settled_is_known_and_not_reported(watch, clock, file):
    watch.follow([file])
    assert not watch.has_changes()
    file.write_text("another")
    assert watch.has_changes() and watch.changed() == frozenset() and watch.has_changes()
    clock.now_s += SETTLE_S
    assert watch.changed() == {file} and not watch.has_changes()
