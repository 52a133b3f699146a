"""An export of somebody else's session ends, or is refused in a line, whatever numbers are in it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.session.making import write_events
from tests.show.nights import RATE_HZ, Night
from visualizer.errors import VisualizerError
from visualizer.presets.dreams import open_cache
from visualizer.presets.loaded import open_preset
from visualizer.session.events import CLOCK_HZ, AnalysisEvent, UnknownEvent
from visualizer.session.layout import SessionFolder, SessionInfo
from visualizer.session.reader import RecordedSession
from visualizer.show.export import VideoOptions
from visualizer.show.performance import contents_of
from visualizer.show.session_export import export_session
from visualizer.show.sources.session import SessionSource

SIZE = (64, 36)
HUGE = 10**15
SOUND = {"file": "sound-0001.flac", "rate_hz": RATE_HZ, "channels": 1}
PRESET = {"scene": 1, "reference": "x", "name": "x", "width": 65_536, "height": 65_536}
#: kinds of events with numbers that no session has, or that are at the end of what one may have
CRAFTED = [
    ("gap", {"what": "sound", "count": HUGE}),
    ("gap", {"what": "sound", "count": 60 * RATE_HZ}),
    ("gap", {"what": "dream", "count": HUGE}),
    ("analysis", {"step": "sound", "n_samples": HUGE}),
    ("analysis", {"step": "sound", "n_samples": 60 * RATE_HZ}),
    ("analysis", {"step": "silence", "n_samples": HUGE}),
    ("analysis", {"step": "skip", "seconds": 1e300}),
    ("analysis", {"step": "skip", "seconds": 80_000.0}),
    ("analysis", {"step": "start", "rate_hz": 1}),
    ("analysis", {"step": "start", "rate_hz": 192_000, "start_s": 1e300}),
    ("analysis", {"step": "start", "rate_hz": RATE_HZ, "start_s": -1e300, "is_known": True}),
    ("sound", {**SOUND, "first": HUGE}),
    ("sound", {**SOUND, "rate_hz": 192_000}),
    ("sound", {**SOUND, "channels": 8, "full_scale": 16}),
    ("clock", {"position_s": 1e300}),
    ("clock", {"position_s": -1e300}),
    ("tempo", {"bpm": 0.0, "phase": 0.0, "confidence": 1.0}),
    ("tempo", {"bpm": -1e-300, "phase": 1e300, "confidence": 1.0}),
    ("tempo", {"bpm": 1e300, "phase": -1e300, "confidence": 1.0}),
    ("display", {"width": 65_536, "height": 65_536, "refresh_hz": 1e300}),
    ("size", {"width": 65_536, "height": 65_536}),
    ("preset", {"folder": "x", **PRESET}),
    ("scene", {"scene": HUGE}),
    ("dream", {"scene": 0, "variant": 1000, "depth_index": 1000, "sha256": "0" * 64, "width": 65_536, "height": 65_536, "finished": True}),
    ("features", {"values": {"level": 1e300, "n_kicks": 1e300, "is_kick": 1e300}}),
    ("command", {"command": {"at_samples": HUGE, "kind": "set", "name": "beat.decay", "value": 1e300}}),
    ("command", {"command": {"at_samples": -HUGE, "kind": "set_tempo", "bpm": 1e300, "beat_age_s": 1e300}}),
    ("song", {"name": "x", "sha256": "0" * 64, "start_s": 1e300, "file": "x.mp3"}),
    ("end", {}),
]  # fmt: skip


@pytest.fixture(scope="module")
def recorded(tiny_preset, tmp_path_factory):
    """A session of half a second, and its events."""
    loaded = open_preset(str(tiny_preset), size=SIZE)
    night = Night(tmp_path_factory.mktemp("hostile") / "night", loaded)
    night.preset(0.0, 0, loaded)
    night.dream(0.01, 0, 1, 200, SIZE)
    night.sound(0.0, [0.1] * (RATE_HZ // 2))
    root = night.end(0.5)
    return SessionFolder(root), list(RecordedSession(root).events())


def test_an_export_ends_or_is_refused_in_a_line(recorded, tmp_path):
    folder, events = recorded
    for at, kind, fields in [*((CLOCK_HZ // 4, *one) for one in CRAFTED), (HUGE, "size", {"width": 64, "height": 36})]:
        write_events(folder, [*events[:-1], UnknownEvent(at=at, name=kind, number=1, fields=fields), events[-1]])
        said, out = [], tmp_path / "x.mp4"
        try:
            list(export_session(folder.root, out, open_cache(), VideoOptions(to_s=0.5), say=said.append))
        except VisualizerError as fault:
            said.append(str(fault))
            assert not out.exists()
        else:
            out.unlink()
        assert all(line and "\n" not in line for line in said), (kind, fields)
        assert [path.name for path in tmp_path.iterdir()] == [], (kind, fields)


def test_session_json_makes_no_session_longer(recorded, tmp_path):
    folder, events = recorded
    write_events(folder, events)
    before = folder.info.read_bytes()
    folder.info.write_bytes(
        SessionInfo.from_json(before).model_copy(update={"end_at": 30 * 86_400 * CLOCK_HZ}).to_json()
    )
    assert contents_of(RecordedSession(folder.root)).duration_s < 1
    folder.info.write_bytes(before)


NUMBERS = st.one_of(st.integers(0, 2**53), st.integers(0, 1000), st.just(60 * RATE_HZ))
FLOATS = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.floats(0, 10))
STEPS = st.fixed_dictionaries(
    {"step": st.sampled_from(["start", "sound", "silence", "skip", "finish"])},
    optional={
        "n_samples": NUMBERS,
        "seconds": FLOATS,
        "rate_hz": st.integers(0, 200_000),
        "start_s": FLOATS,
        "is_known": st.booleans(),
    },
)
ANY = st.one_of(
    st.tuples(st.just("analysis"), STEPS),
    st.tuples(st.just("gap"), st.fixed_dictionaries({"what": st.just("sound"), "count": NUMBERS})),
    st.tuples(st.just("sound"), st.fixed_dictionaries({"first": NUMBERS, "full_scale": st.integers(0, 17)}).map(SOUND.__or__)),
    st.tuples(st.just("clock"), st.fixed_dictionaries({"position_s": FLOATS, "is_running": st.booleans()})),
    st.tuples(st.just("tempo"), st.fixed_dictionaries({"bpm": FLOATS, "phase": FLOATS, "confidence": FLOATS})),
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@example([("analysis", {"step": "start", "rate_hz": 1}), ("analysis", {"step": "silence", "n_samples": 100})])
@given(st.lists(ANY, min_size=1, max_size=4))
def test_any_numbers_are_analysed_or_left_out(recorded, crafted):
    folder, events = recorded
    lines = [UnknownEvent(at=CLOCK_HZ // 4, name=kind, number=1, fields=fields) for kind, fields in crafted]
    first = next(index for index, one in enumerate(events) if isinstance(one, AnalysisEvent))
    write_events(folder, [*events[: first + 1], *lines, *events[first + 1 :]])
    session = RecordedSession(folder.root)
    source = SessionSource(session)
    for event in session.events():
        if not source.take_event(event, CLOCK_HZ):
            break
        source.tick = event.at
        source.features_at(source.position_s())
    source.close()
