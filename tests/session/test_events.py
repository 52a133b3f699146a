import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.control.commands import Act, Command
from visualizer.errors import BadInput
from visualizer.session.events import (
    CLOCK_HZ,
    EVENTS,
    AnalysisEvent,
    ClockEvent,
    CommandEvent,
    DeviceEvent,
    DisplayEvent,
    DreamEvent,
    EditEvent,
    EndEvent,
    FeaturesEvent,
    GapEvent,
    JourneyEvent,
    LooksEvent,
    PresetEvent,
    SceneEvent,
    SizeEvent,
    SongEvent,
    SoundEvent,
    TempoEvent,
    UnknownEvent,
    XrunEvent,
    decode,
    encode,
    ticks_of,
)

ONE_OF_EACH = [
    SoundEvent(at=0, file="sound-0001.flac", rate_hz=44_100, channels=1),
    SoundEvent(at=96_000, file="sound-0001.flac", rate_hz=44_100, channels=1, first=88_203, full_scale=16),
    AnalysisEvent(at=0, step="start", rate_hz=44_100, start_s=0.25),
    AnalysisEvent(at=960, step="sound", n_samples=1024),
    ClockEvent(at=5, position_s=-0.02, is_running=False),
    CommandEvent(at=7, command=Command(7, Act("blackout")).to_data()),
    DeviceEvent(at=8, state="lost", label='Mic "1" é\n', reason="no sound for 0.5 s"),
    XrunEvent(at=9, n_xruns=3),
    TempoEvent(at=9, bpm=128.0, phase=0.25, confidence=1.0),
    PresetEvent(at=9, folder="neon-01234567", scene=0, reference="neon", name="neon", width=64, height=36, seed=3),
    EditEvent(at=7, folder="club-12ab", scene=2, name="club"),
    LooksEvent(at=8, scene=2, left_out=[0, 3]),
    SceneEvent(at=9, scene=1),
    JourneyEvent(
        at=9,
        scene=1,
        time_s=1.5,
        beats=3.25,
        position=2.5,
        speed=-0.1,
        linger=0.5,
        linger_s=7.0,
        first=1.0,
        last=4.0,
        arrives_s=2.5,
        slots=[[0, 5], [1, 6]],
        crops=[[5.0, 0.48, 0.1, 0.05, -0.02]],
    ),
    DreamEvent(
        at=9, scene=1, variant=0, depth_index=4, sha256="0123456789abcdef" * 4, width=64, height=36, finished=False
    ),
    SizeEvent(at=9, width=64, height=36),
    DisplayEvent(at=9, width=64, height=36, refresh_hz=59.94),
    FeaturesEvent(at=9, values={"level": 0.125, "n_kicks": 4}),
    SongEvent(at=9, name="a song.mp3", sha256="0123456789abcdef" * 4),
    GapEvent(at=9, what="sound", count=480, reason="the disk is too slow"),
    EndEvent(at=2**40),
]


def line_of(data):
    """A line with a right checksum."""
    body = json.dumps(data)[:-1].encode()
    return body + b',"crc":"%08x"}' % zlib.crc32(body)


@pytest.mark.parametrize("event", ONE_OF_EACH, ids=lambda event: event.kind)
def test_an_event_is_read_as_it_was_written(event):
    line = encode(17, event)
    assert line.endswith(b"\n") and line.count(b"\n") == 1 and line.isascii()
    assert decode(line[:-1]) == (17, event)
    assert encode(*decode(line[:-1])) == line


def test_there_is_an_example_of_each_kind():
    assert {event.kind for event in ONE_OF_EACH} == set(EVENTS)


def test_no_field_of_an_event_has_the_name_of_one_of_the_line():
    for event in EVENTS.values():
        assert not {"n", "type", "v", "crc"} & set(event.model_fields)


def test_a_line_is_as_the_documents_show_it():
    assert encode(17, DeviceEvent(at=30 * CLOCK_HZ, state="lost")).startswith(
        b'{"n":17,"at":1440000,"type":"device","v":1,"state":"lost","crc":"'
    )


@pytest.mark.parametrize("event", ONE_OF_EACH, ids=lambda event: event.kind)
def test_a_line_cut_off_anywhere_or_changed_in_a_byte_is_not_taken_for_another(event):
    line = encode(3, event)[:-1]
    for length in range(len(line)):
        with pytest.raises(BadInput):
            decode(line[:length])
    for at in range(len(line)):
        with pytest.raises(BadInput):
            decode(line[:at] + bytes([line[at] ^ 1]) + line[at + 1 :])


def test_a_newer_version_or_kind_is_kept():
    for data in (
        {"n": 0, "at": 5, "type": "journey", "v": 1, "place": [1, {"a": 2.5}]},
        {"n": 0, "at": 5, "type": "device", "v": 2, "state": "lost", "more": None},
    ):
        line = line_of(data)
        event = decode(line).event
        assert isinstance(event, UnknownEvent) and event.at == 5 and event.name == data["type"]
        again = decode(encode(0, event)[:-1]).event
        assert again == event


@pytest.mark.parametrize(
    "data",
    [
        [],
        7,
        {},
        {"n": 0, "at": 1, "type": "end"},
        {"n": True, "at": 1, "type": "end", "v": 1},
        {"n": -1, "at": 1, "type": "end", "v": 1},
        {"n": 0, "at": -1, "type": "end", "v": 1},
        {"n": 0, "at": 1.5, "type": "end", "v": 1},
        {"n": 0, "at": 10**30, "type": "end", "v": 1},
        {"n": 0, "at": 1, "type": ["end"], "v": 1},
        {"n": 0, "at": 1, "type": "end", "v": 0},
        {"n": 0, "at": 1, "type": "end", "v": 1, "nothing": 1},
        {"n": 0, "at": 1, "type": "tempo", "v": 1, "bpm": float("nan"), "phase": 0, "confidence": 0},
        {"n": 0, "at": 1, "type": "journey", "v": 1, "place": float("inf")},
        {"n": 0, "at": 1, "type": "sound", "v": 1, "file": "../x.flac", "rate_hz": 48000, "channels": 1},
        {"n": 0, "at": 1, "type": "sound", "v": 1, "file": ".hidden", "rate_hz": 48000, "channels": 1},
        {"n": 0, "at": 1, "type": "sound", "v": 1, "file": "a\n", "rate_hz": 48000, "channels": 1},
        {"n": 0, "at": 1, "type": "analysis", "v": 1, "step": "sound", "n_samples": 2**63},
    ],
    ids=str,
)
def test_a_line_with_a_right_checksum_that_is_no_event(data):
    with pytest.raises(BadInput) as caught:
        decode(line_of(data))
    assert "\n" not in str(caught.value)


def test_deep_and_long_lines_are_refused():
    with pytest.raises(BadInput):
        decode(line_of({"n": 0, "at": 0, "type": "x", "v": 1})[:-17] + b',"crc":"00000000"}')
    body = b'{"n":0,"at":0,"type":"x","v":1,"a":' + b"[" * 100_000
    with pytest.raises(BadInput):
        decode(body + b',"crc":"%08x"}' % zlib.crc32(body))
    with pytest.raises(BadInput, match="longer"):
        decode(b"{" + b" " * 1_000_000 + b"}")


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_bad_input(line):
    for one in (line, line + b',"crc":"%08x"}' % zlib.crc32(line)):
        try:
            decode(one)
        except BadInput as fault:
            assert "\n" not in str(fault)


def test_ticks():
    assert ticks_of(0.0) == 0 and ticks_of(1.5) == 72_000 and ticks_of(1 / 44_100) == 1
