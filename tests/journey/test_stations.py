"""The image of the next station: where it lies in the one before, and its light and colour."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.journey.pictures import linear
from tests.render.pictures import smooth
from visualizer.journey.geometry import Transform, crop, largest_shift
from visualizer.journey.stations import (
    dreamt_crop,
    fixed_crop,
    light_of,
    next_image,
    wandering_crop,
    with_picture_inside,
)

SIZE = (160, 90)
ASPECT = 160 / 90


def seen(frame: np.ndarray, at: Transform) -> np.ndarray:
    """By definition: the frame at the place of every pixel."""
    height, width = frame.shape[:2]
    v, u = np.mgrid[0:height, 0:width]
    w = at.scale * (((u + 0.5) / width - 0.5) * width / height + 1j * ((v + 0.5) / height - 0.5)) + at.shift
    return linear(frame, w.real * height / width + 0.5, w.imag + 0.5)


@pytest.mark.parametrize("turn", [0.0, 0.25, -0.25])
def test_the_image_of_the_next_station_is_the_crop_enlarged(turn):
    frame = smooth(SIZE)
    at = crop(turn, 0.05 - 0.03j)
    found = next_image(frame, at, light_of(frame), 0.0)
    assert np.abs(found - seen(frame, at)).max() < 2


@pytest.mark.parametrize("way_back", [0.0, 0.5, 1.0])
def test_light_and_colour_are_led_back_as_far_as_asked(way_back):
    random = np.random.default_rng(1)
    frame = random.normal((150, 90, 60), 20, (90, 160, 3)).clip(0, 255).astype(np.uint8)
    first = random.normal((100, 120, 110), 40, (90, 160, 3)).clip(0, 255).astype(np.uint8)
    at = crop(0.1, 0)
    led, plain = (light_of(next_image(frame, at, light_of(first), amount)) for amount in (way_back, 0.0))
    wanted = light_of(first)
    assert led.mean == pytest.approx(plain.mean + way_back * (wanted.mean - plain.mean), abs=1.5)
    assert led.deviation == pytest.approx(plain.deviation + way_back * (wanted.deviation - plain.deviation), abs=2.5)


def test_a_picture_of_one_colour_is_no_fault():
    grey = np.full((90, 160, 3), 90, np.uint8)
    assert (next_image(grey, crop(0.2, 0), light_of(grey), 0.5) == 90).all()


def test_the_same_crop_gives_the_same_image():
    frame = smooth(SIZE, 3)
    one, other = (next_image(frame, crop(0.2, 0.03j), light_of(frame), 0.5) for _ in range(2))
    assert np.array_equal(one, other)


def test_a_picture_laid_into_a_crop_is_found_there_again():
    first, image, at = smooth(SIZE, 5), smooth(SIZE, 1), crop(0.2, 0.04 + 0.02j)
    found = next_image(with_picture_inside(image, first, at), at, light_of(first), 0.0)
    middle = np.s_[25:65, 45:115]  # but for the soft edge
    assert np.abs(found[middle].astype(float) - first[middle]).max() < 6
    outside = with_picture_inside(image, first, at)
    assert np.array_equal(outside[:8], image[:8]) and np.array_equal(outside[:, :20], image[:, :20])


def test_a_wandering_journey_goes_round_within_what_is_allowed():
    turn = math.radians(15)
    most = largest_shift(turn, ASPECT)
    crops = [wandering_crop(turn, ASPECT, station, 7) for station in range(24)]
    assert crops == [wandering_crop(turn, ASPECT, station, 7) for station in range(24)]
    assert all(abs(one.shift.real) <= most.real and abs(one.shift.imag) <= most.imag for one in crops)
    assert min(abs(one.shift) for one in crops) > 0.3 * abs(most.imag)
    directions = np.unwrap([math.atan2(one.shift.imag, one.shift.real) for one in crops])
    assert abs(directions[-1] - directions[0]) > 2 * math.pi
    assert crops != [wandering_crop(turn, ASPECT, station, 8) for station in range(24)]


def test_a_turn_is_limited_by_the_shape_of_the_picture():
    assert abs(fixed_crop(1.0, 21 / 9).scale.imag) < abs(fixed_crop(1.0, 1.0).scale.imag)
    assert fixed_crop(0.1, ASPECT) == crop(0.1, 0)


def test_the_crop_is_where_most_is_dreamt():
    image = np.full((90, 160, 3), 100, np.uint8)
    deepest = image.copy()
    most = largest_shift(0.0, ASPECT)
    x, y = round((0.5 + 0.5 * most.real / ASPECT) * 160), round((0.5 - 0.5 * most.imag) * 90)
    deepest[y - 5 : y + 5, x - 5 : x + 5] = 200
    found = dreamt_crop(0.0, ASPECT, image, deepest)
    assert found.shift == pytest.approx(complex(0.5 * most.real, -0.5 * most.imag), abs=0.03)


def test_where_nothing_is_dreamt_the_crop_is_allowed_nevertheless():
    image = smooth(SIZE)
    found = dreamt_crop(0.2, ASPECT, image, image)
    most = largest_shift(0.2, ASPECT)
    assert abs(found.shift.real) <= most.real and abs(found.shift.imag) <= most.imag
