import errno
import io
import threading

import pytest

from tests.fixtures.pulse import wait_until
from tests.session.recorded import OPEN, count_of, counted, events_of, sound_files, sound_of
from visualizer.session import syncer as syncer_room
from visualizer.session.events import XrunEvent
from visualizer.session.syncer import Syncer
from visualizer.session.writer import SessionWriter


@pytest.fixture
def synced(monkeypatch):
    """The descriptors that were synced, in order."""
    found, sync = [], syncer_room.sync_file

    def note(descriptor):
        found.append(descriptor)
        sync(descriptor)

    monkeypatch.setattr(syncer_room, "sync_file", note)
    return found


def test_files_are_synced_when_it_is_due_the_newest_first_and_closed_when_done(tmp_path, synced):
    now = [0.0]
    syncer = Syncer(tmp_path, 0.35, lambda: now[0])
    one, two = (io.FileIO(tmp_path / name, "xb") for name in ("one", "two"))
    numbers = [two.fileno(), one.fileno()]
    syncer.add(one)
    syncer.add(two)
    assert synced == []
    now[0] = 0.4
    wait_until(lambda: syncer.synced_s == 0.4)
    assert synced == numbers
    syncer.finish(one)
    now[0] = 0.8
    wait_until(lambda: one.closed and syncer.synced_s == 0.8)
    assert synced == [*numbers, numbers[1], numbers[0]]
    syncer.close()
    assert two.closed and synced[-1] == numbers[0]


def test_a_disk_that_takes_long_to_sync_holds_up_no_write(tmp_path, monkeypatch):
    stands_still, goes_on = threading.Event(), threading.Event()
    monkeypatch.setattr(syncer_room, "sync_file", lambda descriptor: stands_still.set() or goes_on.wait(60))
    writer = SessionWriter.open(tmp_path / "s", **OPEN, keep_free_bytes=0)
    assert stands_still.wait(60)
    for block in range(20):
        writer.sound(counted(block * 4800, 4800), block * 4800, 48_000 if block < 10 else 44_100)
    writer.event(XrunEvent(at=5, n_xruns=1))
    wait_until(lambda: XrunEvent(at=5, n_xruns=1) in events_of(tmp_path / "s"))
    assert sum(len(samples) for _, samples in sound_of(tmp_path / "s")) > 96_000 - 2 * 1152
    goes_on.set()
    writer.close()
    assert sum(count_of(samples) for _, samples in sound_of(tmp_path / "s")[:1]) == 48_000


def test_a_sync_that_fails_ends_the_recording(tmp_path, monkeypatch):
    def fail(descriptor):
        raise OSError(errno.EIO, "Input/output error")

    writer = SessionWriter.open(tmp_path / "s", **OPEN, keep_free_bytes=0)
    writer.sound(counted(0, 4800), 0, 48_000)
    monkeypatch.setattr(syncer_room, "sync_file", fail)
    wait_until(lambda: not writer.state.is_recording)
    assert writer.state.reason == "it could not be written: Input/output error"
    writer.close()
    assert sound_files(writer.folder.root) and not writer.folder.lock.exists()
