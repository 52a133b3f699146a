"""Regions show the same as all stations everywhere, and are drawn from no more stations than needed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.journey.geometry import FEATHER, placements
from visualizer.journey.stations import wandering_crop
from visualizer.render.journey_regions import on_screen, regions

SIZE = (128, 72)
ASPECT = SIZE[0] / SIZE[1]
X, Y = np.meshgrid((np.arange(SIZE[0]) + 0.5) / SIZE[0], (np.arange(SIZE[1]) + 0.5) / SIZE[1])


def seen(position, turn=12.0, present=lambda station: 1.0):
    def crops(station):
        return wandering_crop(np.radians(turn), ASPECT, max(0, station), 3)

    return placements(position, crops, ASPECT, begins_at=0.5, present=present)


def edge(matrix):
    return np.maximum(*(np.abs(2 * (a * X + b * Y + c) - 1) for a, b, c in matrix))


def shares(found, stack):
    """How much of each station is seen where only those of the stack are drawn; the last of them fills what is left."""
    total, left = np.zeros((len(found), *X.shape)), np.ones(X.shape)
    for index in stack:
        soft = np.clip((1 - edge(found[index].matrix(ASPECT))) / max(found[index].feather, 1e-3), 0, 1)
        share = left if index == stack[-1] else left * found[index].weight * soft * soft * (3 - 2 * soft)
        total[index] = share
        left = left - share
    return total


def drawn(found):
    """What the regions show: of each station its share of every pixel, and how many stations were read in all."""
    stations = [on_screen(one.matrix(ASPECT), one.weight, one.feather, SIZE) for one in found]
    result, n_read = np.full((len(found), *X.shape), np.nan), 0.0
    for region in regions(stations):
        around = edge(stations[region.around].matrix)
        there = (around >= region.start) & (around <= region.end)
        if region.within is not None:
            there &= edge(stations[region.within].matrix) <= region.limit
        result[:, there] = shares(found, region.stack)[:, there]
        n_read += there.mean() * len(region.stack)
    return result, n_read


@given(st.floats(0, 6), st.floats(-45, 45))
def test_every_pixel_is_drawn_from_the_stations_that_are_seen_there(position, turn):
    found = seen(position, turn)
    result, _ = drawn(found)
    assert np.abs(result - shares(found, range(len(found)))).max() < 1 / 255


@given(st.floats(1, 6), st.floats(-45, 45), st.lists(st.floats(0.01, 1), min_size=8, max_size=8))
def test_so_it_is_where_stations_are_on_their_way_still(position, turn, amounts):
    found = seen(position, turn, lambda station: amounts[station] if 0 <= station < 8 else 0.0)
    result, _ = drawn(found)
    assert np.abs(result - shares(found, range(len(found)))).max() < 1 / 255


def test_hardly_more_stations_are_read_than_a_pixel_shows():
    """What a journey costs, as long as it is not measured in milliseconds: make bench does that."""
    costs = [drawn(seen(position))[1] for position in np.arange(3, 7, 0.05)]
    assert np.mean(costs) < 1.8
    assert max(costs) < 2.0


def test_one_station_is_drawn_at_once():
    whole = on_screen(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)), 1.0, 0.0, SIZE)
    (region,) = regions([whole])
    assert region.stack == (0,) and (region.start, region.end, region.within) == (0.0, 1.0, None)


def test_what_a_station_hides_is_not_drawn():
    near = on_screen(((0.3, 0.0, 0.35), (0.0, 0.3, 0.35)), 1.0, FEATHER, SIZE)
    far = on_screen(((0.15, 0.0, 0.4), (0.0, 0.15, 0.4)), 1.0, 0.0, SIZE)
    assert [one.stack for one in regions([near, far])] == [(0,)]


def test_there_is_no_region_without_stations():
    assert list(regions([])) == []


@pytest.mark.parametrize("edge", [0.0, 0.7, 1.0])
def test_a_rectangle_is_where_a_station_has_that_edge(edge):
    one = on_screen(((1.2, 0.1, -0.2), (-0.3, 1.4, 0.1)), 1.0, FEATHER, SIZE)
    for x, y in one.rectangle(edge):
        for a, b, c in one.matrix:
            assert abs(2 * (a * x + b * y + c) - 1) == pytest.approx(edge)
