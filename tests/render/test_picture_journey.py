"""A journey as the graphics card draws it, compared with its definition in floats."""

from __future__ import annotations

import numpy as np
import pytest

from tests.journey.pictures import drawn
from tests.render.pictures import noise, smooth
from visualizer.journey.geometry import MOST_SEEN, crop, placements
from visualizer.journey.stations import light_of, next_image, wandering_crop
from visualizer.looks.look import find_look, open_look_file, plain_look
from visualizer.render.chain import Link
from visualizer.render.dream_texture import MOST_STATIONS, PlacedStation
from visualizer.render.picture import Picture

SIZE = (160, 90)
ASPECT = 160 / 90
N_DEPTHS, BEGINS = 4, 2
N_STATIONS = 5


def crops(station):
    return wandering_crop(0.2, ASPECT, max(0, station), 3)


def stations() -> dict[int, list[np.ndarray]]:
    """Stations of a journey whose dreams are waves that grow with the depth."""
    found, image = {}, smooth(SIZE, 1)
    light = light_of(image)
    for station in range(N_STATIONS):
        waves = [smooth(SIZE, 7 * station + 1).astype(int) - 128 for _ in range(N_DEPTHS + 1)]
        frames = [np.clip(image + depth * waves[depth] / 8, 0, 255).astype(np.uint8) for depth in range(N_DEPTHS + 1)]
        found[station] = frames
        image = next_image(frames[BEGINS], crops(station), light, 0.5)
    return found


STATIONS = stations()


def seen(position):
    return placements(
        position, crops, ASPECT, begins_at=BEGINS / N_DEPTHS, present=lambda station: float(0 <= station < N_STATIONS)
    )


def put(picture, found):
    picture.dreams.stations = [
        PlacedStation(one.station, one.matrix(ASPECT), one.weight, one.feather, one.depth) for one in found
    ]


@pytest.fixture
def journey(offscreen):
    """A picture with the stations in it, and the stage it is drawn on."""
    stage = offscreen(SIZE)
    picture = Picture(stage.ctx, SIZE, N_DEPTHS, n_variants=N_STATIONS, is_journey=True)
    for station, frames in STATIONS.items():
        for depth, frame in enumerate(frames):
            picture.put(depth, frame, station)
    return stage, picture


def test_as_many_stations_are_drawn_as_can_be_seen():
    assert MOST_STATIONS == MOST_SEEN


@pytest.mark.parametrize("depth", [0.0, 1.3, 4.0])
def test_the_card_draws_a_journey_as_it_is_defined(journey, depth):
    stage, picture = journey
    for position in np.linspace(0, N_STATIONS - 1, 23):
        found = seen(position)
        put(picture, found)
        picture.draw(depth, SIZE)
        difference = np.abs(stage.read() - drawn(STATIONS, found, depth))
        assert difference.max() < 2.5, position
        assert difference.mean() < 0.5, position


def test_no_display_frame_differs_from_the_one_before_more_than_its_neighbours_do(journey):
    """Whole journeys, on whose hand-overs nothing jumps: neither place, nor light, nor sharpness."""
    stage, picture = journey
    changes, before = [], None
    for position in np.arange(0, N_STATIONS - 1, 0.01):
        put(picture, seen(position))
        picture.draw(2.5, SIZE)
        now = stage.read().astype(float)
        if before is not None:
            changes.append(np.abs(now - before).mean())
        before = now
    usual = np.array([np.median(changes[max(0, index - 6) : index + 7]) for index in range(len(changes))])
    assert (np.array(changes) < 1.5 * usual + 0.05).all()


def test_a_journey_at_a_whole_station_seen_alone_is_that_dream_frame(journey):
    stage, picture = journey
    picture.dreams.place_alone(2)
    picture.draw(3.0, SIZE)
    assert np.array_equal(stage.read(), STATIONS[2][3])


def test_a_frame_is_read_back_as_it_was_put_and_the_stations_stay(journey):
    _, picture = journey
    put(picture, seen(1.5))
    before = picture.dreams.stations
    frame = noise(SIZE, 8)
    picture.put(2, frame, 4)
    assert np.array_equal(picture.frame(2, 4), frame)
    assert picture.dreams.stations is before


def test_every_look_draws_the_journey(journey):
    """A look that calls dream() knows nothing of stations; one that reads the picture before it neither."""
    stage, plain = journey
    picture = Picture(stage.ctx, SIZE, N_DEPTHS, [Link(find_look("pulse"))], n_variants=N_STATIONS, is_journey=True)
    for each in (plain, picture):
        for station, frames in STATIONS.items():
            for depth, frame in enumerate(frames):
                each.put(depth, frame, station)
        put(each, seen(2.4))
    stage.make_current()
    plain.draw(2.0, SIZE)
    expected = stage.read()
    picture.draw(2.0, SIZE)
    assert np.abs(stage.read().astype(int) - expected).mean() < 8


@pytest.mark.parametrize("size", [(160, 90), (90, 90), (173, 60), (400, 200), (40, 20)])
def test_the_plain_look_shows_what_any_look_gets_from_dream(offscreen, tmp_path, size):
    """It is drawn in another way, whatever the size: cut, enlarged, or far smaller than the frames."""
    look = tmp_path / "own.frag"
    look.write_text(plain_look().path.read_text("utf-8"), "utf-8")
    stage = offscreen(size)
    pictures = [
        Picture(stage.ctx, SIZE, N_DEPTHS, [Link(one)], n_variants=N_STATIONS, is_journey=True)
        for one in (plain_look(), open_look_file(look))
    ]
    for each in pictures:
        for station, frames in STATIONS.items():
            for depth, frame in enumerate(frames):
                each.put(depth, frame, station)
    stage.make_current()
    for position in (1.0, 1.55, 2.05, 2.3, 2.7):
        shown = []
        for each in pictures:
            put(each, seen(position))
            each.draw(1.3, size)
            shown.append(stage.read().astype(int))
        assert np.abs(shown[0] - shown[1]).max() <= 2, position


def test_a_slot_is_used_again(journey):
    stage, picture = journey
    picture.dreams.clear(1)
    assert picture.deepest_of(1) == -1
    picture.put(1, noise(SIZE, 1), 1)
    assert picture.deepest_of(1) == -1
    picture.put(0, noise(SIZE, 2), 1)
    assert picture.deepest_of(1) == 1
    picture.dreams.place_alone(1)
    picture.draw(4.0, SIZE)
    assert np.array_equal(stage.read(), noise(SIZE, 1))


def test_a_station_without_frames_is_left_out(journey):
    stage, picture = journey
    put(picture, seen(1.5))
    picture.dreams.clear(2)
    picture.draw(1.0, SIZE)
    found = [one for one in seen(1.5) if one.station != 2]
    assert np.abs(stage.read() - drawn(STATIONS, found, 1.0)).max() < 2.5


def test_a_journey_without_stations_is_black(journey):
    stage, picture = journey
    picture.draw(1.0, SIZE)
    assert not stage.read().any()


def test_the_middle_of_the_picture_is_the_station_ahead(journey):
    stage, picture = journey
    found = placements(1.7, lambda station: crop(0, 0), ASPECT, begins_at=0.0, present=lambda station: 1.0)
    assert found[0].station == 2 and found[0].weight == 1.0
    put(picture, found)
    picture.draw(0.0, SIZE)
    centre = stage.read()[44:46, 79:81].mean((0, 1))
    assert np.abs(centre - STATIONS[2][0][44:46, 79:81].mean((0, 1))).max() < 2
