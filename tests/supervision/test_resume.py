"""The state a show resumes from: written as JSON, read back complete, and damage never raises."""

from __future__ import annotations

import dataclasses
import json

from hypothesis import given
from hypothesis import strategies as st

from visualizer.settings import PLAIN_PRESET
from visualizer.supervision.resume import MAX_POSITION, MAX_PX, JourneyState, ResumeState, StationState

numbers = st.floats(allow_nan=False, allow_infinity=False)
names = st.text(min_size=1, max_size=40)
places = st.none() | st.tuples(*(2 * [st.integers(-MAX_PX, MAX_PX)]), *(2 * [st.integers(1, MAX_PX)]))
stations = st.builds(
    StationState,
    number=st.integers(-(10**6), 10**6),
    key=st.text(max_size=40),
    crop=st.none() | st.tuples(*(4 * [numbers])),
    n_skipped=st.integers(0, 100),
)
journeys = st.builds(
    JourneyState,
    position=st.floats(-MAX_POSITION, MAX_POSITION),
    speed=st.floats(-4, 4),
    linger=st.floats(0, 1),
    linger_s=st.floats(0, 1e5),
    stations=st.lists(stations, max_size=3).map(tuple),
    picture=st.text(max_size=40),
    picture_at=st.integers(-(10**6), 10**6),
)
states = st.builds(
    ResumeState,
    preset=st.text(max_size=40),
    place=places,
    fullscreen=st.booleans(),
    monitor=st.none() | names,
    values=st.dictionaries(names, numbers | st.text(max_size=20), max_size=8),
    hud=st.booleans(),
    panel=st.booleans(),
    panel_place=places,
    bpm=st.floats(0, 400),
    beat_s=numbers,
    input=st.none() | names,
    position_s=st.floats(0, 1e5),
    paused=st.booleans(),
    looks=st.lists(names, max_size=4).map(tuple),
    left_out=st.lists(names, max_size=4).map(tuple),
    journey=st.none() | journeys,
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=20,
)
FIELDS = [field.name for field in dataclasses.fields(ResumeState)]


@given(states)
def test_it_is_read_back_as_it_was_written(state):
    line = state.to_json()
    assert "\n" not in line and ResumeState.from_json(line) == state
    assert ResumeState.from_json(line.encode()) == state


@given(st.text() | st.binary() | anything.map(json.dumps))
def test_a_damaged_line_gives_a_state(text):
    assert isinstance(ResumeState.from_json(text), ResumeState)


@given(states, st.sampled_from(FIELDS), anything)
def test_a_damaged_field_leaves_the_others(state, name, damage):
    data = {**dataclasses.asdict(state), name: damage}
    read = ResumeState.from_json(json.dumps(data))
    for other in set(FIELDS) - {name}:
        assert getattr(read, other) == getattr(state, other)
    assert ResumeState.from_json(read.to_json()) == read


def test_impossible_places_and_numbers_are_dropped():
    for place in ([1, 2, 3], [0, 0, 0, 10], [0, 0, "5", 5], [1e9, 0, 5, 5], [True, 0, 5, 5], "1234", {"x": 1}):
        assert ResumeState.from_json(json.dumps({"place": place})).place is None
    values = {"a": 1, "b": "punch", "c": float("nan"), "d": None, "e": [1], "f": True, "g": 10**400, "h": "x" * 5000}
    assert ResumeState.from_json(json.dumps({"values": values})).values == {"a": 1, "b": "punch"}
    assert ResumeState.from_json('{"bpm": -5, "position_s": Infinity}') == ResumeState()
    assert ResumeState.from_json("[" * 100_000) == ResumeState()


@given(states, st.integers(0, 9))
def test_each_step_keeps_less(state, step):
    blackout = {name: value for name, value in state.values.items() if name == "blackout"}
    less = state.reduced(step)
    assert step > 0 or less == state
    assert step < 1 or (not less.panel and less.values == blackout)
    assert step < 2 or less.preset == PLAIN_PRESET
    assert step not in (1, 2) or (less.place, less.fullscreen, less.bpm) == (state.place, state.fullscreen, state.bpm)
    assert step < 3 or less == ResumeState(preset=PLAIN_PRESET, values=blackout)


def test_without_looks_they_are_left_out_with_those_left_out_before():
    state = ResumeState(preset="club", looks=("a", "b"), left_out=("c", "a"))
    assert state.without_looks() == ResumeState(preset="club", left_out=("c", "a", "b"))


def test_a_journey_goes_on_with_its_own_preset_only():
    journey = JourneyState(4.0, 0.1, 0.0, 0.0)
    state = ResumeState(preset="worlds", journey=journey)
    assert state.journey_of("worlds") == ResumeState(journey=journey).journey_of("worlds") == journey
    assert state.journey_of("marble") is None
