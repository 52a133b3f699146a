"""Where stations are seen: every number goes on smoothly along the journey, and nothing that is seen is left out."""

from __future__ import annotations

import cmath
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.journey.edge import soft_edge
from visualizer.journey.geometry import (
    COVERS,
    FEATHER,
    MOST_SEEN,
    ZOOM,
    Transform,
    crop,
    is_covering,
    largest_shift,
    largest_turn,
    motion_of,
    placements,
    view,
)

ASPECTS = st.sampled_from([16 / 9, 4 / 3, 21 / 9, 1.0, 9 / 16])


@st.composite
def travels(draw):
    """(aspect, crops) of a journey whose crops are turned and shifted as far as is allowed."""
    aspect = draw(ASPECTS)
    turn = draw(st.floats(-1, 1)) * largest_turn(aspect)
    most = largest_shift(turn, aspect)
    places = draw(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=3, max_size=6))
    crops = [crop(turn, complex(x * most.real, y * most.imag)) for x, y in places]
    return aspect, lambda station: crops[station % len(crops)]


def corners(aspect):
    return [complex(x * aspect, y) for x in (-0.5, 0.5) for y in (-0.5, 0.5)]


def close(one: Transform, other: Transform) -> bool:
    return abs(one.scale - other.scale) < 1e-9 and abs(one.shift - other.shift) < 1e-9


def test_a_transform_is_undone_by_its_inverse():
    one = Transform(0.5 * cmath.exp(0.3j), 0.1 - 0.2j)
    assert close(one.after(one.inverse), Transform())
    assert close(one.inverse.after(one), Transform())


@given(travels())
def test_the_motion_to_the_next_station_ends_at_its_crop(travel):
    _, crops = travel
    assert close(motion_of(crops(0)).until(1.0), crops(0))
    assert close(motion_of(crops(0)).until(0.0), Transform())


@given(travels(), st.integers(0, 5))
def test_on_the_border_of_two_stations_both_say_the_same(travel, station):
    _, crops = travel
    number, here = view(station, crops)
    assert number == station and close(here, Transform())
    _, before = view(station + 1 - 1e-10, crops)
    assert close(before, Transform(*crops(station))) or abs(before.shift - crops(station).shift) < 1e-8


@given(travels(), st.floats(0, 5, exclude_max=True))
def test_the_size_falls_evenly(travel, position):
    _, crops = travel
    _, here = view(position, crops)
    assert abs(here.scale) == pytest.approx(ZOOM ** -(position - math.floor(position)))


@given(travels(), st.floats(0.05, 5))
def test_the_way_has_no_bend(travel, position):
    """The velocity on the screen is nearly the same a little earlier and later, also on a border."""
    _, crops = travel
    step = 1e-4

    def seen(at: float) -> Transform:
        """From the screen at `position` to the screen `at`."""
        station, here = view(at, crops)
        first, begin = view(position, crops)
        between = Transform()
        for number in range(min(station, first), max(station, first)):
            between = between.after(crops(number))
        if station > first:
            here = between.after(here)
        elif station < first:
            begin = between.after(begin)
        return here.inverse.after(begin)

    later, earlier = seen(position + step), seen(position - step)
    assert abs(later.shift + earlier.shift) < 20 * step * step * 10
    assert abs(later.scale * earlier.scale - 1) < 20 * step * step * 10


@given(travels(), st.floats(0, 6) | st.integers(1, 6))
def test_placements_follow_one_another_without_a_jump(travel, position):
    """Of two positions that are very near, each pixel of every station has nearly the same share."""
    aspect, crops = travel
    step = 1e-6

    def shares(at: float) -> dict[int, list[float]]:
        found, left = {}, [1.0] * 9
        points = [complex(x * aspect, y) for x in (-0.5, 0.1, 0.5) for y in (-0.5, 0.2, 0.5)]
        for one in placements(at, crops, aspect, begins_at=0.5, present=lambda station: 1.0):
            found[one.station] = []
            for index, point in enumerate(points):
                place = one.at(point)
                soft = float(soft_edge(place.real / aspect + 0.5, place.imag + 0.5, one.feather))
                found[one.station].append(left[index] * one.weight * soft)
                left[index] *= 1 - one.weight * soft
        return found

    here, there = shares(max(0, position - step)), shares(position + step)
    for station in here.keys() | there.keys():
        for one, other in zip(here.get(station, [0.0] * 9), there.get(station, [0.0] * 9), strict=True):
            assert abs(one - other) < 1e-4
    assert sum(map(sum, here.values())) == pytest.approx(9)


@given(travels(), st.floats(0, 6))
def test_depths_follow_one_another_without_a_jump_and_end_at_the_show_s(travel, position):
    aspect, crops = travel
    for one in placements(position, crops, aspect, begins_at=0.5, present=lambda station: 1.0):
        assert 0.5 <= one.depth <= 1.0
        if position >= one.station:
            assert one.depth == 1.0


@given(travels(), st.floats(0, 6))
def test_only_some_stations_are_seen_and_the_outermost_covers_the_picture(travel, position):
    aspect, crops = travel
    found = placements(position, crops, aspect, begins_at=0.5, present=lambda station: 1.0 if station >= 0 else 0.0)
    assert 1 <= len(found) <= MOST_SEEN
    assert [one.station for one in found] == sorted((one.station for one in found), reverse=True)
    assert is_covering(found[-1].at, aspect, 0.0)
    assert (found[-1].weight, found[-1].feather) == (1.0, 0.0)


@given(travels(), st.floats(0, 1, exclude_max=True))
def test_a_station_covers_the_picture_before_the_one_around_it_is_left_out(travel, done):
    aspect, crops = travel
    at = view(COVERS + done, crops)[1]
    for station in range(COVERS - 1, -1, -1):
        at = crops(station).after(at)
    assert is_covering(at, aspect, FEATHER)


def test_a_station_that_arrives_late_grows_from_nothing():
    def crops(station):
        return crop(0.2, 0)

    none = placements(1.5, crops, 16 / 9, begins_at=0.5, present=lambda station: float(station <= 1))
    hardly = placements(1.5, crops, 16 / 9, begins_at=0.5, present=lambda station: 1.0 if station <= 1 else 1e-4)
    assert [one.station for one in none] == [1, 0]
    assert hardly[0].station == 2 and hardly[0].weight < 1e-4
    assert hardly[1:] == none


def test_there_is_nothing_to_draw_without_stations():
    assert placements(0.0, lambda station: crop(0, 0), 1.0, begins_at=0.5, present=lambda station: 0.0) == ()


@given(travels(), st.floats(0, 5), st.floats(0, 1), st.floats(0, 1))
def test_the_matrix_says_the_same_in_coordinates_of_the_picture(travel, position, u, v):
    aspect, crops = travel
    for one in placements(position, crops, aspect, begins_at=0.5, present=lambda station: 1.0):
        (a, b, c), (d, e, f) = one.matrix(aspect)
        place = one.at(complex((u - 0.5) * aspect, v - 0.5))
        assert a * u + b * v + c == pytest.approx(place.real / aspect + 0.5)
        assert d * u + e * v + f == pytest.approx(place.imag + 0.5)
