"""The files of a session read ahead of time: there when they are asked for, few of them in memory, each as it is."""

from __future__ import annotations

import threading
from contextlib import closing

import numpy as np
import pytest

from tests.fixtures.watching import wait_for
from tests.show.nights import Night
from visualizer.errors import BadInput
from visualizer.presets.loaded import open_preset
from visualizer.session.events import DreamEvent, PresetEvent
from visualizer.session.reader import RecordedSession
from visualizer.show import session_files
from visualizer.show.session_files import FilesAhead, SessionFiles

SIZE = (64, 36)
N_BYTES = 64 * 36 * 3


@pytest.fixture
def session(tiny_preset, tmp_path):
    """A preset with 20 dream frames in 2 s, and another at 8 s with as many."""
    loaded = open_preset(str(tiny_preset), size=SIZE)
    night = Night(tmp_path / "night", loaded)
    for scene, at_s in ((0, 0.0), (1, 8.0)):
        night.preset(at_s, scene, loaded)
        for number in range(20):
            night.dream(at_s + 0.1 * number, scene, number, 100 * scene + number, SIZE)
    return RecordedSession(night.end(12.0))


def dreams_of(session):
    return [one for one in session.events() if isinstance(one, DreamEvent)]


def test_what_comes_within_seconds_is_read_in_a_thread_and_no_more(session, monkeypatch):
    readers = []
    read = session.dream

    def dream(event):
        readers.append((threading.current_thread(), event.scene))
        return read(event)

    monkeypatch.setattr(session, "dream", dream)
    with closing(FilesAhead(session)) as files:
        events = files.coming(session.events())
        first = next(events)
        assert isinstance(first, PresetEvent) and files.preset(first).size == SIZE
        wait_for(lambda: len(files._frames) == 20, "the frames of the first preset")
        for event in dreams_of(session)[:20]:
            assert (files.dream(event) == event.depth_index).all(), "it does not wait"
        assert threading.main_thread() not in [thread for thread, _ in readers]
        assert {scene for _, scene in readers} == {0}, "those of 8 s later are not read yet"
        assert list(events)[-1] == list(session.events())[-1]
        wait_for(lambda: len(readers) == 40, "the others")


def test_a_frame_that_nobody_expected_comes_a_little_later(session):
    event = dreams_of(session)[30]
    with closing(FilesAhead(session)) as files:
        assert files.dream(event) is None
        frame = wait_for(lambda: files.dream(event), "the frame")
        assert (frame == 110).all()
    assert (SessionFiles(session).dream(event) == frame).all()


def test_few_frames_are_in_memory_and_those_that_are_asked_for_come_before_others(session, monkeypatch):
    monkeypatch.setattr(session_files, "MOST_BYTES", 10 * N_BYTES)
    dreams = dreams_of(session)
    with closing(FilesAhead(session)) as files:
        for _ in files.coming(session.events()):
            pass
        wait_for(lambda: len(files._frames) >= 5, "the first frames")
        for event in [dreams[-1], *dreams]:
            frame = wait_for(lambda event=event: files.dream(event), "a frame")
            assert frame[0, 0, 0] == 100 * event.scene + event.depth_index
            assert len(files._frames) <= 11


def test_a_damaged_frame_is_reported_when_it_is_asked_for(session):
    event = dreams_of(session)[3]
    session.folder.dream(event.sha256).write_bytes(b"no picture")
    with closing(FilesAhead(session)) as files:
        files.dream(event)

        def fails():
            try:
                return files.dream(event)
            except BadInput as fault:
                return str(fault)

        assert "is damaged" in wait_for(fails, "its fault")
        assert np.array_equal(wait_for(lambda: files.dream(dreams_of(session)[4]), "the next"), np.full((36, 64, 3), 4))
