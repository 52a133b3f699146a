"""What was lost of a session, in seconds and events, in plain words."""

from __future__ import annotations

import hashlib
import json
import zlib

import pytest
from filelock import FileLock

from tests.session.making import FRAME_SAMPLES, example_events, make_session, picture, write_events
from visualizer.session import check as check_room
from visualizer.session.check import examine, losses, notes
from visualizer.session.events import CLOCK_HZ, GapEvent

DREAM = hashlib.sha256(picture().data).hexdigest()


@pytest.fixture
def folder(tmp_path):
    return make_session(tmp_path / "night")


def damage(path, share=0.5):
    data = bytearray(path.read_bytes())
    data[int(len(data) * share)] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("thorough", [False, True])
def test_nothing_is_lost_of_a_whole_session(folder, thorough):
    found = examine(folder.root, thorough=thorough)
    assert found.state == "ok" and not [*losses(found), *notes(found)]
    assert (found.seconds, found.sound_s, found.lost_sound_s, found.n_lost_events) == (1.0, 1.0, 0.0, 0)
    assert found.presets == ["clouds"] and list(found.dreams) == [DREAM]
    assert found.n_bytes == sum(path.stat().st_size for path in folder.root.rglob("*") if path.is_file())


def test_a_session_that_was_cut_off(tmp_path):
    folder = make_session(tmp_path / "night", state="open")
    found = examine(folder.root, thorough=True)
    assert found.state == "cut off" and found.n_lost_events == 1
    assert 0 < found.lost_sound_s < 0.1
    lines = list(losses(found))
    assert "events.jsonl: its last line was cut off" in lines[0]
    assert "sound-0002.flac: 0.0" in lines[1] and "of 0.50 s of sound are lost" in lines[1]
    assert "sound-0002.flac: its last frame was cut off" in lines[2] and len(lines) == 3
    assert "sessions repair" in next(notes(found))


def test_while_it_is_recorded(tmp_path):
    folder = make_session(tmp_path / "night", state="open")
    with FileLock(folder.lock):
        found = examine(folder.root, thorough=False)
        assert found.state == "recording" and "repair" not in "".join(notes(found))
        found = examine(folder.root, thorough=True)
        assert found.state == "recording" and not [*losses(found)], "the ends of its files are being written"
        assert (found.lost_sound_s, found.n_lost_events) == (0.0, 0)
    assert examine(folder.root, thorough=False).state == "cut off"


def test_damaged_sound_is_seconds(folder):
    damage(folder.sound(1))
    assert examine(folder.root, thorough=False).state == "ok"  # only decoding finds it
    found = examine(folder.root, thorough=True)
    assert found.state == "damaged" and found.lost_sound_s == FRAME_SAMPLES / CLOCK_HZ
    assert list(losses(found)) == ["sound-0001.flac: 0.02 s of 0.50 s of sound are lost"]


@pytest.mark.parametrize("thorough", [False, True])
def test_what_is_missing(folder, thorough):
    folder.sound(1).unlink()
    folder.dream(DREAM).unlink()
    (folder.presets / "clouds-01" / "preset.yaml").unlink()
    found = examine(folder.root, thorough=thorough)
    assert found.state == "damaged" and found.lost_sound_s == 0.5
    lines = list(losses(found))
    assert "sound-0001.flac: is missing; 0.50 s of sound are lost" in lines[0]
    assert lines[1:] == ["1 of 1 dream frame missing", "missing presets: clouds"]


def test_a_session_without_dreams_lacks_none(folder):
    info = examine(folder.root, thorough=False).info
    folder.info.write_bytes(info.model_copy(update={"has_dreams": False}).to_json())
    folder.dream(DREAM).unlink()
    found = examine(folder.root, thorough=True)
    assert found.state == "ok" and list(notes(found)) == ["it was recorded without dream frames"]


def test_a_damaged_dream_frame(folder):
    damage(folder.dream(DREAM))
    found = examine(folder.root, thorough=True)
    assert list(losses(found)) == [f"1 dream frame damaged; the first: dreams/{DREAM}.png"]


def test_damaged_and_missing_lines_are_events(folder):
    lines = folder.events.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b"scene", b"scent")
    del lines[5:7]
    folder.events.write_bytes(b"".join(lines))
    found = examine(folder.root, thorough=False)
    assert found.state == "damaged" and found.n_lost_events == 3
    first, second = losses(found)
    assert "1 line cannot be read; the first: " in first and "events.jsonl:3: the line is damaged" in first
    assert second == f"events.jsonl: 3 events of {found.info.n_events} missing"


def test_lines_at_the_end_of_a_closed_session_are_missed(folder):
    lines = folder.events.read_bytes().splitlines(keepends=True)
    folder.events.write_bytes(b"".join(lines[:-4]))
    assert examine(folder.root, thorough=False).n_lost_events == 4


def test_lines_out_of_order(folder):
    lines = folder.events.read_bytes().splitlines(keepends=True)
    folder.events.write_bytes(b"".join(lines[::-1]))
    found = examine(folder.root, thorough=False)
    assert found.state == "damaged"
    assert next(losses(found)).startswith(f"{len(lines) - 1} lines out of order; the first: ")


def test_gaps_and_newer_events_are_no_damage(folder):
    gaps = [GapEvent(at=9, what="sound", count=24_000), GapEvent(at=9, what="dream", count=2)]
    write_events(folder, [*example_events(), *gaps])
    body = json.dumps({"n": len(example_events()) + 2, "at": 9, "type": "journey", "v": 1})[:-1].encode()
    folder.events.write_bytes(folder.events.read_bytes() + body + b',"crc":"%08x"}\n' % zlib.crc32(body))
    info = examine(folder.root, thorough=False).info
    folder.info.write_bytes(info.model_copy(update={"n_events": 0, "reason": "the disk is full"}).to_json())
    folder.dream(DREAM).unlink()
    found = examine(folder.root, thorough=True)
    assert found.state == "ok"
    assert list(notes(found)) == [
        "it ended because: the disk is full",
        "not recorded: 2 dream frames",
        "not recorded: 0.50 s of sound",
        "1 event of a kind that this version of the program does not know: journey 1",
    ]


def test_progress_is_reported_up_to_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(check_room, "PROGRESS_BYTES", 1000)
    folder = make_session(tmp_path / "night")
    steps = []
    examine(folder.root, thorough=True, progress=lambda *step: steps.append(step))
    n_read, n_bytes = zip(*steps, strict=True)
    assert list(n_read) == sorted(n_read) and len(steps) > 20 and len(set(n_bytes)) == 1
    assert n_bytes[0] * 0.8 < n_read[-1] <= n_bytes[0]
