"""The speed of a journey: the song's or its own, smooth, and never beyond the stations that are there."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.journey.geometry import is_covering
from visualizer.journey.pace import ARRIVES_S, HURRY_PER_S, Pace, Presence, Speed, Supply, hurry_to

FAR = (0.0, 1e9)
IN, OUT = Speed(0.25, 0.1), Speed(-0.25, -0.1)


def go(pace, seconds, *, speed=IN, ends=FAR, bpm=0.0, rate_hz=60.0):
    """Go on at an even beat; the positions."""
    found = []
    for _ in range(round(seconds * rate_hz)):
        pace.advance(1 / rate_hz, speed, ends, bpm=bpm, n_beats=bpm / 60 / rate_hz)
        found.append(pace.position)
    return found


def test_without_a_tempo_it_goes_at_its_own_speed():
    pace = Pace()
    go(pace, 10)
    before = pace.position
    go(pace, 10)
    assert pace.position - before == pytest.approx(1.0, rel=0.01)


def test_with_a_tempo_it_goes_by_bars():
    pace = Pace()
    go(pace, 10, bpm=120)
    before = pace.position
    go(pace, 8, bpm=120)  # four bars
    assert pace.position - before == pytest.approx(1.0, rel=0.01)


def test_a_jump_of_the_beat_counter_is_no_jump_of_the_picture():
    pace = Pace()
    go(pace, 5, bpm=120)
    before = pace.position
    pace.advance(1 / 60, IN, FAR, bpm=120, n_beats=400.0)
    assert pace.position - before < 0.01
    pace.advance(1 / 60, IN, FAR, bpm=120, n_beats=-400.0)
    assert 0 < pace.position - before < 0.02


@given(st.floats(20, 240), st.floats(0, 300))
def test_it_depends_hardly_on_the_rate_of_display_frames(rate_hz, bpm):
    one, other = Pace(), Pace()
    go(one, 5, bpm=bpm)
    go(other, 5, bpm=bpm, rate_hz=rate_hz)
    assert one.position == pytest.approx(other.position, abs=0.05)


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0, 200), st.integers(0, 9)), min_size=1, max_size=60))
def test_it_never_goes_beyond_what_is_there(steps):
    pace, high = Pace(), 0.0
    for dt_s, bpm, more in steps:
        high += float(more == 9)
        pace.advance(dt_s, IN, (0.0, high), bpm=bpm, n_beats=0.0)
        assert 0 <= pace.position <= high


def test_it_slows_down_smoothly_before_the_end_and_lingers():
    pace = Pace()
    found = go(pace, 60, ends=(0.0, 2.0))
    steps = [b - a for a, b in itertools.pairwise(found)]
    assert 1.95 < pace.position <= 2.0 and pace.linger > 0.9
    assert max(abs(b - a) for a, b in itertools.pairwise(steps)) < 0.1 * max(steps)
    go(pace, 20, ends=(0.0, 9.0))  # the next stations have come
    assert pace.position > 3 and pace.linger < 0.1


def test_it_turns_round_smoothly_and_stops_at_the_first_station():
    pace = Pace()
    go(pace, 20)
    found = go(pace, 60, speed=OUT)
    assert found[-1] == pytest.approx(0.0, abs=0.01)
    steps = [b - a for a, b in itertools.pairwise(found)]
    assert max(abs(b - a) for a, b in itertools.pairwise(steps)) < 0.1 * max(map(abs, steps))


def test_a_journey_that_is_held_stays():
    pace = Pace()
    go(pace, 10)
    go(pace, 20, speed=Speed(0.0, 0.0), bpm=120)
    before = pace.position
    go(pace, 5, speed=Speed(0.0, 0.0), bpm=120)
    assert pace.position == pytest.approx(before, abs=1e-3)


@given(st.floats(0, 1), st.floats(0, 1000), st.sampled_from([16 / 9, 4 / 3, 1.0, 9 / 16, 21 / 9]))
def test_what_is_seen_while_it_lingers_lies_in_the_picture(linger, time_s, aspect):
    pace = Pace()
    pace.linger, pace.linger_s = linger, time_s
    assert is_covering(pace.moved, aspect, 0.0)


def test_the_same_input_gives_the_same_positions():
    assert go(Pace(), 20, bpm=123) == go(Pace(), 20, bpm=123)


def test_the_first_station_is_there_at_once_and_a_late_one_appears_smoothly():
    presence = Presence()
    presence.advance(0.0, {0})
    assert (presence.of(0), presence.of(1)) == (1.0, 0.0)
    amounts = []
    for _ in range(300):
        presence.advance(1 / 60, {0, 1})
        amounts.append(presence.of(1))
    assert amounts == sorted(amounts) and amounts[0] < 0.05 and amounts[-1] == 1.0
    assert max(b - a for a, b in itertools.pairwise(amounts)) < 0.05
    presence.advance(1 / 60, {1})
    assert presence.of(0) == 0.0


def test_pace_of_nothing_handed_in_is_nothing():
    pace = Pace(2.5)
    pace.advance(0.0, IN, FAR, bpm=120, n_beats=1.0)
    pace.advance(-3.0, IN, FAR, bpm=120, n_beats=1.0)
    assert pace.position == 2.5 and math.isclose(abs(pace.moved.scale), 1.0)


def supplied(every_s, seconds=200, rate_hz=30):
    """A journey of which a station comes every so many seconds: speeds, stations a second, and its lingering."""
    pace, supply, speeds, lingers = Pace(), Supply(), [], []
    for index in range(seconds * rate_hz):
        last = 1.0 + int(index / rate_hz / every_s)
        last = min(last, math.floor(pace.position) + 2.0)  # no more are baked ahead
        supply.advance(1 / rate_hz, last, is_waiting=pace.linger > 0.05)
        before = pace.position
        pace.advance(1 / rate_hz, IN, (0.0, last), bpm=0.0, n_beats=0.0, arrives_s=supply.arrives_s)
        speeds.append((pace.position - before) * rate_hz)
        lingers.append(pace.linger)
    return speeds, lingers


def test_where_stations_come_slowly_it_goes_evenly_at_their_pace():
    speeds, _ = supplied(20.0)
    late = speeds[len(speeds) // 2 :]
    assert sum(late) / len(late) == pytest.approx(1 / 20, rel=0.1)
    assert max(late) < 4 * min(late), "it does not rush and wait in turns"


def test_where_stations_come_fast_enough_it_goes_at_its_own_speed():
    speeds, lingers = supplied(5.0)
    assert speeds[-1] == pytest.approx(0.1, rel=0.01) and max(lingers[-600:]) < 0.01


def test_a_station_that_comes_at_once_leaves_the_usual_time_constant():
    supply = Supply()
    for last in (2.0, 3.0, 4.0):
        supply.advance(0.1, last, is_waiting=False)
        assert supply.arrives_s == ARRIVES_S


@given(st.floats(0, 1), st.floats(-1, 1), st.floats(24, 144), st.floats(0, 4))
def test_it_hurries_to_a_station_smoothly_and_then_goes_on_as_before(way, speed, rate_hz, there_s):
    """The station is there after a while: until then it goes no further than the one before it lasts."""
    pace, station, found, hurries = Pace(10.0 + way), 12, [10.0 + way], True
    pace.speed, own = speed, Speed(0.0, speed)
    for number in range(round(9 * rate_hz)):
        hurry = hurry_to(station, pace.position) if hurries else 0.0
        hurries = hurry > 0
        high = 12.3 if number / rate_hz > there_s else 11.3
        pace.advance(1 / rate_hz, own, (8.0, high), bpm=0, n_beats=0, hurry=hurry)
        assert pace.position <= max(high, 10.0 + way)
        found.append(pace.position)
    assert not hurries and max(found) > 11.97
    speeds = [(after - before) * rate_hz for before, after in itertools.pairwise(found)]
    assert max(speeds) <= HURRY_PER_S + 1e-6
    changes = [abs(after - before) * rate_hz for before, after in itertools.pairwise(speeds[1:])]
    assert max(changes) < 10, "stations a second in a second"
