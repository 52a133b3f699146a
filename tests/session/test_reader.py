"""Reading a session: everything good in it, nothing outside it."""

from __future__ import annotations

import json
import os
import zlib

import numpy as np
import pytest

from tests.session.making import example_events, make_session, noise, picture, write_events, write_flac
from visualizer.errors import BadInput
from visualizer.session.events import (
    CLOCK_HZ,
    AnalysisEvent,
    DisplayEvent,
    DreamEvent,
    PresetEvent,
    SizeEvent,
    SoundEvent,
    UnknownEvent,
)
from visualizer.session.layout import FORMAT
from visualizer.session.reader import RecordedSession, SoundTape


@pytest.fixture
def folder(tmp_path):
    return make_session(tmp_path / "night")


def refused(root, words):
    """Check that a session cannot be opened or read, for a reason with these words, in one line."""
    with pytest.raises(BadInput, match=words) as caught:
        list(RecordedSession(root).events())
    assert "\n" not in str(caught.value)


def append(folder, text):
    folder.events.write_bytes(folder.events.read_bytes() + text)


def line_of(data):
    body = json.dumps(data)[:-1].encode()
    return body + b',"crc":"%08x"}\n' % zlib.crc32(body)


def test_everything_of_a_whole_session_is_read(folder):
    session = RecordedSession(folder.root)
    events = list(session.events())
    assert events[:-1] == example_events() and session.info.n_events == len(events)
    assert session.tally.n_events == len(events) and session.tally.end_at == session.info.end_at == CLOCK_HZ
    assert not (session.tally.n_damaged or session.tally.n_missing or session.tally.n_torn or session.tally.fault)
    (dream,) = (event for event in events if isinstance(event, DreamEvent))
    np.testing.assert_array_equal(session.dream(dream), picture())
    (preset,) = (event for event in events if isinstance(event, PresetEvent))
    assert (session.preset(preset) / "preset.yaml").is_file()
    assert "presets/clouds-01/image.png" in session.files


def read_tape(session):
    """What an analyzer would get: all steps of the analysis, in order."""
    tape = SoundTape(session)
    blocks = []
    for event in session.events():
        if isinstance(event, SoundEvent):
            tape.begin(event)
        elif isinstance(event, AnalysisEvent) and event.step == "sound":
            blocks += tape.read(event.n_samples)
    tape.close()
    return np.concatenate(blocks), tape


def test_the_sound_of_all_parts_is_what_was_recorded(folder):
    samples, tape = read_tape(RecordedSession(folder.root))
    np.testing.assert_array_equal(samples, np.concatenate([noise(24_000, 1), noise(24_000, 2)]))
    assert not tape.faults and not tape.n_lost


def test_sound_that_was_lost_is_silence_of_its_length(folder):
    whole, _ = read_tape(RecordedSession(folder.root))
    data = bytearray(folder.sound(1).read_bytes())
    data[len(data) // 2] ^= 1
    folder.sound(1).write_bytes(data)
    samples, tape = read_tape(RecordedSession(folder.root))
    lost = np.flatnonzero(np.any(samples != whole, axis=1))
    assert tape.n_lost == 1152 and len(samples) == len(whole)
    assert np.all(samples[lost[0] : lost[-1] + 1] == 0) and lost[-1] - lost[0] < 1152
    folder.sound(2).unlink()
    samples, tape = read_tape(RecordedSession(folder.root))
    assert "is missing" in tape.faults[0] and not samples[24_000:].any() and len(samples) == 48_000


def test_sound_of_which_the_file_says_something_else_than_the_event(folder):
    write_flac(folder.sound(1), noise(1000), 44_100)
    _, tape = read_tape(RecordedSession(folder.root))
    assert "44100 Hz" in tape.faults[0] and tape.n_lost == 24_000


def test_full_scale_multiplies_the_samples(folder):
    events = [
        event.model_copy(update={"full_scale": 16}) if isinstance(event, SoundEvent) else event
        for event in example_events()
    ]
    write_events(folder, events)
    samples, _ = read_tape(RecordedSession(folder.root))
    np.testing.assert_array_equal(samples[:24_000], 16 * noise(24_000, 1))


def test_a_session_that_was_cut_off(tmp_path):
    folder = make_session(tmp_path / "night", state="open")
    session = RecordedSession(folder.root)
    assert list(session.events()) == example_events()[:-1]
    assert session.tally.n_torn > 0 and not session.tally.n_damaged and not session.tally.fault


def test_cut_at_every_byte_of_the_last_lines_all_whole_lines_are_read(folder):
    data = folder.events.read_bytes()
    lines = data.splitlines(keepends=True)
    for length in range(len(data) - sum(map(len, lines[-3:])), len(data) + 1):
        folder.events.write_bytes(data[:length])
        session = RecordedSession(folder.root)
        # a line without its line feed is whole
        n_whole = sum(sum(map(len, lines[: n + 1])) - 1 <= length for n in range(len(lines)))
        assert len(list(session.events())) == n_whole, length
        assert not session.tally.n_damaged and session.tally.n_missing == len(lines) - n_whole


@pytest.mark.parametrize("tail", [b"\0" * 3_000_000, b"{", b'{"n":5', "é".encode()])
def test_what_a_power_cut_leaves_at_the_end_is_dropped(folder, tail):
    n = len(list(RecordedSession(folder.root).events()))
    append(folder, tail)
    session = RecordedSession(folder.root)
    assert len(list(session.events())) == n and session.tally.n_torn > 0 and not session.tally.n_damaged


def test_a_damaged_line_is_left_out_and_counted(folder):
    data = bytearray(folder.events.read_bytes())
    lines = data.splitlines(keepends=True)
    data[len(lines[0]) + len(lines[1]) + 5] ^= 1
    folder.events.write_bytes(data)
    session = RecordedSession(folder.root)
    assert len(list(session.events())) == len(lines) - 1
    assert (session.tally.n_damaged, session.tally.n_missing) == (1, 1)
    assert "events.jsonl:3: the line is damaged" in session.tally.fault


def test_lines_out_of_order_are_refused_with_the_way_out(folder):
    lines = folder.events.read_bytes().splitlines(keepends=True)
    lines[3], lines[4] = lines[4], lines[3]
    folder.events.write_bytes(b"".join(lines))
    refused(folder.root, "event 3 comes after a later one.*sessions repair")
    session = RecordedSession(folder.root)
    assert len(list(session.lines())) == len(lines)
    assert (session.tally.n_disorder, session.tally.n_missing) == (1, 0) and "events.jsonl:5" in session.tally.fault


def test_events_of_a_newer_version_are_kept_and_counted(folder):
    n = RecordedSession(folder.root).info.n_events
    append(folder, line_of({"n": n, "at": 9, "type": "journey", "v": 1, "x": [1]}))
    append(folder, line_of({"n": n + 1, "at": 9, "type": "size", "v": 7}))
    session = RecordedSession(folder.root)
    events = list(session.events())
    assert all(isinstance(event, UnknownEvent) for event in events[-2:]) and not session.tally.fault
    assert session.tally.unknown == {"journey 1": 1, "size 7": 1}


def test_a_newer_format_is_refused(folder):
    folder.info.write_text(json.dumps({"format": FORMAT + 1, "program": "9.0"}))
    refused(folder.root, f"night: session.json: format {FORMAT + 1} is of a newer version of the program, 9.0")


@pytest.mark.parametrize(
    "event",
    [
        {"n": 10**12, "at": 0, "type": "end", "v": 1},
        {"n": 60, "at": 10**15, "type": "end", "v": 1},
        {"n": 60, "at": 0, "type": "analysis", "v": 1, "step": "silence", "n_samples": 2**50},
        {"n": 60, "at": 0, "type": "analysis", "v": 1, "step": "skip", "seconds": 1e300},
        {"n": 60, "at": 0, "type": "analysis", "v": 1, "step": "sound", "n_samples": 10**15},
        {"n": 60, "at": 0, "type": "gap", "v": 1, "what": "sound", "count": 10**15},
    ],
    ids=str,
)
def test_numbers_that_no_session_has_are_damage(folder, event):
    write_events(folder, example_events())
    text = folder.events.read_bytes()
    folder.events.write_bytes(line_of(event) + text)
    session = RecordedSession(folder.root)
    assert list(session.events()) == example_events()
    assert session.tally.n_damaged == 1 and "no session of so few events is so long" in session.tally.fault


def test_windows_and_dream_frames_that_no_machine_has(folder):
    events = [kind(at=0, width=65_536, height=65_536) for kind in (SizeEvent, DisplayEvent)]
    write_events(folder, [*events, *example_events()])
    session = RecordedSession(folder.root)
    assert list(session.events()) == example_events() and session.tally.n_damaged == 2
    assert "claims a window of 65536x65536: none is so large" in session.tally.fault
    folder.info.write_bytes(session.info.model_copy(update={"width": 65_536, "height": 65_536}).to_json())
    refused(folder.root, "session.json: claims dream frames of 65536x65536: none are so large")


def test_many_steps_that_claim_much_together(folder):
    for step, n_read in (
        (AnalysisEvent(at=0, step="skip", seconds=3600.0), 24),
        (AnalysisEvent(at=0, step="silence", n_samples=600 * 48_000), 10),
        (AnalysisEvent(at=0, step="sound", n_samples=50 * 48_000), 40),
    ):
        write_events(folder, [step] * 40)
        assert len(list(RecordedSession(folder.root).events())) == n_read


def test_a_session_cut_off_before_its_first_event_is_empty(tmp_path):
    folder = make_session(tmp_path / "night", state="open")
    folder.events.unlink()
    session = RecordedSession(folder.root)
    assert list(session.events()) == [] and session.tally.n_events == 0


def test_a_line_without_end_takes_no_memory(folder):
    write_events(folder, example_events())
    text = folder.events.read_bytes()
    with folder.events.open("wb") as file:
        file.truncate(300_000_000)
        file.seek(0, 2)
        file.write(b"\n" + text)
    session = RecordedSession(folder.root)
    assert list(session.events()) == example_events() and session.tally.n_damaged == 1


@pytest.mark.parametrize(
    "name", ["session.json", "events.jsonl", "sound-0001.flac", "presets", "dreams", "dreams/x", ".lock"]
)
def test_links_are_refused(folder, tmp_path, name):
    outside = tmp_path / "outside"
    path = folder.root / name
    if path.exists():
        path.rename(outside)
    else:
        outside.write_text("mine")
    path.symlink_to(outside)
    refused(folder.root, "is a link")


def test_what_is_no_file_is_refused(folder):
    os.mkfifo(folder.root / "sound-0003.flac")
    refused(folder.root, "not an ordinary file")


def test_a_folder_that_holds_too_much(folder):
    deep = folder.root.joinpath(*["a"] * 12)
    deep.mkdir(parents=True)
    refused(folder.root, "more files or folders")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("session.json", None, "session.json: is missing"),
        ("session.json", b"{", "night: session.json is damaged"),
        ("session.json", b" " * 200_000, "larger than any"),
        ("events.jsonl", None, "events.jsonl: is missing"),
    ],
)
def test_without_its_files_it_is_no_session(folder, name, text, words):
    (folder.root / name).unlink()
    if text is not None:
        (folder.root / name).write_bytes(text)
    refused(folder.root, words)


def test_what_is_no_folder(tmp_path):
    refused(tmp_path / "none", "is not the folder of a session")
    refused(tmp_path, "session.json: is missing")


def test_claims_of_session_json_are_bounded(folder):
    info = RecordedSession(folder.root).info
    for update in ({"n_events": 10**15}, {"end_at": 10**15}):
        folder.info.write_bytes(info.model_copy(update=update).to_json())
        refused(folder.root, "claims more events or time")


def test_a_dream_frame_that_is_missing_damaged_or_another(folder):
    session = RecordedSession(folder.root)
    (event,) = (event for event in session.events() if isinstance(event, DreamEvent))
    path = folder.dream(event.sha256)
    good = path.read_bytes()
    for text, words in [
        (good[: len(good) // 2], "is damaged"),
        (b"", "is damaged"),
        (b"GIF89a" + good, "is damaged"),
        (None, "is missing"),
    ]:
        path.unlink()
        if text is not None:
            path.write_bytes(text)
        with pytest.raises(BadInput, match=words) as caught:
            session.dream(event)
        assert "\n" not in str(caught.value)
        path.touch()
    path.write_bytes(good)
    with pytest.raises(BadInput, match="no dream frame of 17x9"):
        session.dream(event.model_copy(update={"width": 17}))
    with pytest.raises(BadInput, match="larger than any dream frame"):
        session.dream(event.model_copy(update={"width": 65_536, "height": 65_536}))
    other = event.model_copy(update={"sha256": "0" * 64})
    folder.dream(other.sha256).write_bytes(good)
    with pytest.raises(BadInput, match="its pixels are not those"):
        session.dream(other)


def test_a_preset_that_is_missing(folder):
    session = RecordedSession(folder.root)
    (event,) = (event for event in session.events() if isinstance(event, PresetEvent))
    with pytest.raises(BadInput, match="the preset 'clouds' is missing"):
        session.preset(event.model_copy(update={"folder": "other"}))


def test_names_with_spaces_quotes_and_emoji(tmp_path):
    for name in ["Friday night", 'Bob\'s "best"', "🌙 ночь", "a\nb"]:
        folder = make_session(tmp_path / name, seconds=0.1)
        assert list(RecordedSession(folder.root).events())[:-1] == example_events(0.1)
    folder.info.unlink()
    refused(folder.root, "is missing")
