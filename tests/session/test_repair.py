"""Repairing a session: everything that can be read is kept, and it is consistent afterwards."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime, timedelta

import av
import numpy as np
import pytest
from filelock import FileLock

from tests.files.disks import file_size_limit, locked_folder
from tests.session.making import example_events, make_session, noise, picture
from tests.session.test_reader import read_tape
from visualizer.errors import BadInput, VisualizerError
from visualizer.session.check import examine, losses
from visualizer.session.events import EndEvent, GapEvent
from visualizer.session.layout import DamagedInfo
from visualizer.session.reader import RecordedSession
from visualizer.session.repair import repair

DREAM = hashlib.sha256(picture().data).hexdigest()


def contents(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def cut_off(tmp_path):
    """A session of a killed program."""
    return make_session(tmp_path / "night", state="open")


def test_a_session_that_was_cut_off_is_whole_after_it(cut_off):
    before = contents(cut_off.root)
    done = repair(cut_off.root)
    assert done.is_changed and done.after.state == "ok" and not list(losses(done.after))
    session = RecordedSession(cut_off.root)
    events = list(session.events())
    assert session.info.state == "closed" and session.info.reason == "the recording was cut off"
    assert (session.info.n_events, session.info.end_at) == (len(events), done.before.tally.end_at)
    assert events[: len(example_events()) - 4] == example_events()[:-4]
    assert isinstance(events[-1], EndEvent)
    gaps = [event for event in events if isinstance(event, GapEvent)]
    assert {gap.what for gap in gaps} == {"sound", "event"}
    assert sum(gap.count for gap in gaps if gap.what == "event") == 1
    # sound and gaps together are what the analyzer was given, and the sound is that which was recorded
    samples, tape = read_tape(session)
    n_gap = sum(gap.count for gap in gaps if gap.what == "sound")
    assert not tape.n_lost and len(samples) + n_gap == 48_000 == sum(
        part.n_samples for part in done.before.parts.values()
    )
    np.testing.assert_array_equal(samples, np.concatenate([noise(24_000, 1), noise(24_000, 2)])[: len(samples)])
    # what was taken out is kept
    assert done.kept is not None and (done.kept / "events.jsonl").read_bytes() == before["events.jsonl"]
    end = (done.kept / "sound-0002.flac.end").read_bytes()
    assert cut_off.sound(2).read_bytes() + end == before["sound-0002.flac"]
    assert sorted(contents(done.kept)) == ["events.jsonl", "sound-0002.flac.end"]
    # nothing else has changed, and nothing is left behind
    after = {name: text for name, text in contents(cut_off.root).items() if not name.startswith("cut-")}
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] != before[name]} == {
        "session.json",
        "events.jsonl",
        "sound-0002.flac",
    }


def test_any_player_plays_repaired_sound(cut_off):
    repair(cut_off.root)
    with av.open(str(cut_off.sound(2))) as file:
        n_samples = sum(frame.samples for frame in file.decode(audio=0))
    assert n_samples == examine(cut_off.root, thorough=True).parts["sound-0002.flac"].n_samples


def test_a_second_repair_does_nothing(cut_off):
    repair(cut_off.root)
    before = contents(cut_off.root)
    assert not repair(cut_off.root).is_changed and contents(cut_off.root) == before


def test_a_whole_session_is_not_touched(tmp_path):
    folder = make_session(tmp_path / "night")
    before = contents(folder.root)
    done = repair(folder.root)
    assert not done.is_changed and done.kept is None and contents(folder.root) == before


def test_one_that_only_was_not_closed_is_closed(tmp_path):
    folder = make_session(tmp_path / "night")
    info = RecordedSession(folder.root).info
    folder.info.write_bytes(info.model_copy(update={"state": "open", "end_at": 0, "n_events": 0}).to_json())
    events = folder.events.read_bytes()
    done = repair(folder.root)
    assert done.is_changed and done.kept is None and done.after.state == "ok"
    assert folder.events.read_bytes() == events


def test_lines_out_of_order_and_twice_are_put_in_order(tmp_path):
    folder = make_session(tmp_path / "night")
    lines = folder.events.read_bytes().splitlines(keepends=True)
    whole = b"".join(lines)
    lines[3], lines[4] = lines[4], lines[3]
    folder.events.write_bytes(b"".join([*lines[:6], lines[5], *lines[6:]]))
    done = repair(folder.root)
    assert done.after.state == "ok" and folder.events.read_bytes() == whole


def test_damaged_lines_and_missing_dreams_and_presets_become_gaps(tmp_path):
    folder = make_session(tmp_path / "night")
    lines = folder.events.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b"scene", b"scent")
    del lines[6]
    folder.events.write_bytes(b"".join(lines))
    folder.dream(DREAM).unlink()
    (folder.presets / "clouds-01" / "preset.yaml").unlink()
    done = repair(folder.root)
    assert done.after.state == "ok" and not list(losses(done.after))
    gaps = [(gap.what, gap.count) for gap in RecordedSession(folder.root).events() if isinstance(gap, GapEvent)]
    assert gaps == [("event", 1), ("event", 1), ("dream", 1), ("preset", 1)]
    assert done.kept is not None and (done.kept / "events.jsonl").read_bytes() == b"".join(lines)


def test_sound_that_is_missing_becomes_a_gap(tmp_path):
    folder = make_session(tmp_path / "night")
    folder.sound(2).unlink()
    done = repair(folder.root)
    assert done.after.state == "ok" and done.after.gap_sound_s == 0.5
    samples, tape = read_tape(RecordedSession(folder.root))
    assert len(samples) == 24_000 and not tape.n_lost


def test_damage_within_sound_stays_known(tmp_path):
    folder = make_session(tmp_path / "night")
    data = bytearray(folder.sound(1).read_bytes())
    data[len(data) // 2] ^= 1
    folder.sound(1).write_bytes(data)
    assert repair(folder.root).after.lost_sound_s == 1152 / 48_000
    assert folder.sound(1).read_bytes() == data


def test_a_session_that_is_being_recorded_is_not_touched(cut_off):
    before = contents(cut_off.root)
    with FileLock(cut_off.lock), pytest.raises(VisualizerError, match="is being recorded at this moment"):
        repair(cut_off.root)
    cut_off.lock.unlink(missing_ok=True)
    assert contents(cut_off.root) == before


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_on_a_full_disk_nothing_changes(cut_off, share):
    """share: of events.jsonl that the disk has room for; the new one, with gaps, is longer."""
    before = contents(cut_off.root)
    n_bytes = int(share * len(before["events.jsonl"]))
    with (
        file_size_limit(n_bytes),
        pytest.raises(VisualizerError, match="cannot be repaired|could not be written") as caught,
    ):
        repair(cut_off.root)
    assert "\n" not in str(caught.value)
    assert contents(cut_off.root) == before
    assert repair(cut_off.root).after.state == "ok"


def test_in_a_folder_that_cannot_be_written_to():
    with locked_folder(0o777) as locked:
        folder = make_session(locked / "night", state="open")
        folder.root.chmod(0o555)
        before = contents(folder.root)
        with pytest.raises(VisualizerError, match="cannot be repaired: Permission denied"):
            repair(folder.root)
        assert contents(folder.root) == before
        folder.root.chmod(0o755)


def test_cut_at_any_byte_of_both_tails_it_is_whole_after_a_repair(tmp_path):
    rng = np.random.default_rng(5)
    for number in range(25):
        folder = make_session(tmp_path / str(number), seconds=0.1, state="open")
        for path in (folder.events, folder.sound(2)):
            os.truncate(path, int(rng.integers(1, path.stat().st_size)))
        done = repair(folder.root)
        assert done.after.state == "ok", (number, list(losses(done.after)))
        assert [*RecordedSession(folder.root).events()][-1].kind == "end"


@pytest.mark.parametrize("text", [None, b"", b'{"format": 1, "sta', b"[]", b'{"format": 1}'])
def test_session_json_that_is_missing_or_damaged_is_rebuilt(cut_off, text):
    before = RecordedSession(cut_off.root).info
    if text is None:
        cut_off.info.unlink()
    else:
        cut_off.info.write_bytes(text)
    with pytest.raises(DamagedInfo, match=r"session.json.*`visualizer sessions repair` rebuilds it from the events$"):
        RecordedSession(cut_off.root)
    done = repair(cut_off.root)
    assert done.is_rebuilt and done.after.state == "ok" and not list(losses(done.after))
    info = done.after.info
    names = ("kind", "width", "height", "has_sound", "has_dreams", "at")
    assert [getattr(info, name) for name in names] == [getattr(before, name) for name in names]
    assert datetime.now().astimezone() - datetime.fromisoformat(info.started) < timedelta(minutes=10)
    kept = [path.read_bytes() for path in cut_off.root.glob("cut-*/session.json")]
    assert kept == ([] if text is None else [text])


def test_without_any_event_nothing_can_be_rebuilt(cut_off):
    cut_off.info.unlink()
    cut_off.events.write_bytes(b"x\n")
    before = contents(cut_off.root)
    with pytest.raises(BadInput, match="holds no event, so there is nothing to repair"):
        repair(cut_off.root)
    cut_off.events.unlink()
    with pytest.raises(BadInput, match=r"session.json: is missing$|events.jsonl: is missing"):
        repair(cut_off.root)
    assert contents(cut_off.root) == {name: data for name, data in before.items() if name != "events.jsonl"}


def test_a_session_cut_off_before_its_first_event_is_closed(cut_off):
    cut_off.events.unlink()
    done = repair(cut_off.root)
    assert done.after.state == "ok" and done.after.tally.n_events == 1
