"""Whatever is in the folder of a session: it is read, or refused in one line; and nothing outside it is touched."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.session.making import make_session
from visualizer.errors import BadInput, VisualizerError
from visualizer.session.check import examine, losses, notes
from visualizer.session.events import (
    EVENTS,
    AnalysisEvent,
    DreamEvent,
    PresetEvent,
    SoundEvent,
    encode,
)
from visualizer.session.layout import SessionFolder
from visualizer.session.reader import RecordedSession, SoundTape
from visualizer.session.repair import repair

#: values that a crafted line may have: of every JSON type, at the ends of every range
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2**70),
    st.sampled_from([0, 1, 48_000, 2**31, 2**53 - 1, 2**53, -1]),
    st.floats(allow_nan=True),
    st.sampled_from(
        ["", "sound-0001.flac", "../x", "/etc/passwd", "session.json", "sound", "silence", "skip", "0" * 64]
    ),
    st.text(max_size=8),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=4), st.integers(), max_size=3),
)
NAMES = sorted({name for event in EVENTS.values() for name in event.model_fields} | {"n", "at", "type", "v", "x"})


@st.composite
def crafted_line(draw):
    """A line with a right checksum, and fields that may be anything."""
    data = {
        "n": draw(st.integers(0, 60)),
        "at": draw(st.integers(0, 10**6)),
        "type": draw(st.sampled_from(sorted(EVENTS))),
    }
    data |= {"v": draw(st.sampled_from([1, 1, 1, 2]))}
    data |= draw(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4))
    body = json.dumps(data)[:-1].encode()
    return body + b',"crc":"%08x"}\n' % zlib.crc32(body)


@st.composite
def changes(draw):
    """What is done to a file: (its name, how, where as a fraction, with what)."""
    name = draw(st.sampled_from(["events.jsonl"] * 4 + ["session.json", "sound-0001.flac", "sound-0002.flac"]))
    how = draw(st.sampled_from(["cut", "flip", "insert", "delete", "swap", "line"]))
    if name != "events.jsonl" and how in ("swap", "line"):
        how = "flip"
    what = draw(crafted_line()) if how == "line" else draw(st.binary(max_size=40))
    return name, how, draw(st.floats(0, 1)), what


def change(data: bytes, how: str, share: float, what: bytes) -> bytes:
    """The contents of a file after a change."""
    at = min(int(share * len(data)), max(0, len(data) - 1))
    match how:
        case "cut":
            return data[:at]
        case "flip":
            return data[:at] + bytes([data[at] ^ (what[0] if what else 1)]) + data[at + 1 :] if data else data
        case "insert":
            return data[:at] + what + data[at:]
        case "delete":
            return data[:at] + data[at + len(what) :]
        case _:
            lines = data.splitlines(keepends=True)
            place = int(share * len(lines))
            if how == "line":
                return b"".join([*lines[:place], what, *lines[place:]])
            return b"".join([*lines[:place], *lines[place : place + 2][::-1], *lines[place + 2 :]])


def read_all(root: Path) -> int:
    """Read everything that a replay would, as far as a session allows. Returns how many samples that were."""
    session = RecordedSession(root)
    tape = SoundTape(session)
    n_samples = 0
    try:
        for event in session.events():
            assert encode(0, event)
            match event:
                case SoundEvent():
                    tape.begin(event)
                case AnalysisEvent(step="sound"):
                    for block in tape.read(min(event.n_samples, 1_000_000)):
                        assert block.dtype == np.float32 and np.isfinite(block).all() and len(block) <= 65_536
                        n_samples += len(block)
                case PresetEvent():
                    with_fault(lambda event=event: session.preset(event))
                case DreamEvent():
                    with_fault(lambda event=event: session.dream(event))
    finally:
        tape.close()
    return n_samples


def with_fault(act):
    """Do it; what fails must fail in one line."""
    try:
        return act()
    except VisualizerError as fault:
        assert str(fault) and "\n" not in str(fault)
        return None


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """The files of a small session, and what is beside it."""
    root = tmp_path_factory.mktemp("hostile")
    (root / "mine.txt").write_text("mine")
    folder = make_session(root / "night", seconds=0.06)
    return folder, {path: path.read_bytes() for path in folder.root.rglob("*") if path.is_file()}


def restore(folder: SessionFolder, files: dict[Path, bytes]) -> None:
    """Make the session what it was."""
    for path in sorted(folder.root.rglob("*"), reverse=True):
        if path.is_file() and path not in files:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    for path, data in files.items():
        if not path.exists() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def check_one(example, edits, *, repairs: bool = False) -> None:
    folder, files = example
    restore(folder, files)
    for name, how, share, what in edits:
        path = folder.root / name
        path.write_bytes(change(path.read_bytes(), how, share, what))
    with_fault(lambda: read_all(folder.root))
    found = with_fault(lambda: examine(folder.root, thorough=True))
    if found is not None:
        assert all("\n" not in line for line in (*losses(found), *notes(found)))
        assert found.lost_sound_s <= found.sound_s and found.seconds <= 31 * 86_400
    if repairs:
        done = with_fault(lambda: repair(folder.root))
        if done is not None:
            assert not (done.after.tally.n_damaged or done.after.tally.n_disorder or done.after.n_lost_events)
            read_all(folder.root)
    assert sorted(path.name for path in folder.root.parent.iterdir()) == ["mine.txt", "night"]
    assert (folder.root.parent / "mine.txt").read_text() == "mine"


HOSTILE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


@pytest.mark.slow
@settings(HOSTILE, max_examples=200)
@given(st.lists(changes(), min_size=1, max_size=4))
def test_two_hundred_damaged_and_crafted_sessions(example, edits):
    check_one(example, edits)


@settings(HOSTILE, max_examples=20)
@given(st.lists(changes(), min_size=1, max_size=4))
def test_damaged_and_crafted_sessions_are_repaired_or_refused(example, edits):
    check_one(example, edits, repairs=True)


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(HOSTILE, max_examples=2000)
@given(st.lists(changes(), min_size=1, max_size=6))
def test_two_thousand_damaged_and_crafted_sessions(example, edits):
    check_one(example, edits)


def test_the_changes_reach_every_outcome(example):
    """Without this the test above could be one in which every session is refused at once."""
    folder, files = example
    restore(folder, files)
    assert read_all(folder.root) > 0
    with pytest.raises(BadInput):
        path = folder.info
        path.write_bytes(change(path.read_bytes(), "cut", 0.5, b""))
        read_all(folder.root)
