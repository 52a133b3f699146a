"""A journey on a graphics card that has no memory for all of its stations."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.fixtures.journeys import with_journey
from visualizer.beat.features import Features
from visualizer.errors import GraphicsError
from visualizer.journey.stations import wandering_crop
from visualizer.presets.dreams import DreamFrame
from visualizer.presets.loaded import open_preset
from visualizer.render.offscreen import Offscreen
from visualizer.render.programs import Programs
from visualizer.show.stage import Scene, Stage, build_picture
from visualizer.show.travel import N_SLOTS

SIZE = (16, 9)
JOURNEY = "journey: {depth: 2, zoom_per_s: 1.0}\n"


class Painted:
    """Stations of one colour each, of which the first dream frame is there at once. They are their own plan."""

    fault, is_recorded, begins_at, refusal = None, False, 0.5, ""

    def __init__(self, settings):
        self.settings, self.stations = settings, self
        self.wanted, self._given = [], set()

    def index(self, station):
        return station

    def crop(self, station):
        return wandering_crop(0.1, SIZE[0] / SIZE[1], max(station, 0), 1)

    def want(self, numbers):
        self.wanted = numbers
        self._given &= set(numbers)

    def poll(self):
        new = [number for number in self.wanted if number not in self._given]
        self._given.update(new)
        return [DreamFrame(number, depth, _painted(number), True) for number in new for depth in (0, 1)]


def _painted(number):
    return np.full((SIZE[1], SIZE[0], 3), 60 + 37 * number % 150, np.uint8)


@pytest.fixture
def surface():
    with Offscreen(SIZE) as surface:
        yield surface


@pytest.fixture
def loaded(tiny_preset, tmp_path):
    return open_preset(str(with_journey(tiny_preset, tmp_path, JOURNEY)), size=SIZE)


def as_deep(loaded, n_depths):
    """The preset with so many depths: more than a preset can have, so that the driver cannot hold all stations."""
    dream = loaded.settings.dream.model_copy(update={"n_depths": n_depths})
    return dataclasses.replace(loaded, settings=loaded.settings.model_copy(update={"dream": dream}))


@pytest.mark.parametrize("n_slots", [4, 3, 2, 1])
def test_it_goes_on_with_fewer_stations(loaded, surface, n_slots):
    n_depths = surface.ctx.info["GL_MAX_ARRAY_TEXTURE_LAYERS"] // n_slots - 1
    loaded = as_deep(loaded, n_depths)
    picture = build_picture(loaded, surface, Programs(surface.ctx), fewer_stations=True)
    assert picture.n_variants == n_slots < N_SLOTS
    dreams = Painted(loaded.journey)
    stage = Stage(surface, Scene(picture, dreams, loaded))
    travel = stage.scene.travel
    line = f"there is graphics memory for {'one station' if n_slots == 1 else f'{n_slots} stations'}"
    assert [one for one in stage.scene.news if one.startswith(line) and "smaller --size" in one]
    time_s = 0.0

    def go(seconds):
        nonlocal time_s
        for _ in range(round(seconds * 20)):
            time_s += 0.05
            stage.advance(0.05)
            stage.draw(Features(time_s=time_s, level=0.5), SIZE)
            assert surface.read().min() > 40 and len(dreams.wanted) <= n_slots  # nothing is missing

    go(12)
    assert travel.position > 3 if n_slots > 1 else 0 < travel.position < 0.5
    far = travel.position
    stage.journey_speed = -1.0
    go(8)
    assert travel.position < max(far - 2, 0.1)
    stage.release()


def test_with_one_station_no_other_is_asked_for(loaded, surface, tmp_path):
    loaded = as_deep(loaded, surface.ctx.info["GL_MAX_ARRAY_TEXTURE_LAYERS"] - 1)
    picture = build_picture(loaded, surface, Programs(surface.ctx), fewer_stations=True)
    scene = Scene(picture, Painted(loaded.journey), loaded)
    line = "there is graphics memory for one station; a smaller --size needs less"
    assert scene.lead_to(tmp_path / "cat.jpg") == f"cat.jpg: {line}" and scene.next_layer() == line
    assert not scene.is_led and scene.travel.hurries_to == 0
    picture.release()


def test_an_export_does_not_show_fewer(loaded, surface):
    n_depths = surface.ctx.info["GL_MAX_ARRAY_TEXTURE_LAYERS"] // 3 - 1
    with pytest.raises(GraphicsError, match="this graphics driver holds"):
        build_picture(as_deep(loaded, n_depths), surface, Programs(surface.ctx))


def test_where_not_even_one_station_fits_it_is_said(loaded, surface):
    n_depths = surface.ctx.info["GL_MAX_ARRAY_TEXTURE_LAYERS"]
    with pytest.raises(GraphicsError, match="this graphics driver holds"):
        build_picture(as_deep(loaded, n_depths), surface, Programs(surface.ctx), fewer_stations=True)
