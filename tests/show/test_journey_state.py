"""A journey that goes on after a crash or with rebuilt graphics: where it was, with the stations that were seen."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image

from tests.fixtures.journeys import with_journey
from tests.fixtures.watching import wait_for
from tests.render.pictures import smooth
from visualizer.beat.features import Features
from visualizer.presets.cache import FrameCache
from visualizer.presets.journey import ReadyStations, Stations
from visualizer.presets.loaded import Overrides, open_preset
from visualizer.render.offscreen import Offscreen
from visualizer.render.programs import Programs
from visualizer.show.journey_state import resumed
from visualizer.show.stage import Scene, Stage, build_picture
from visualizer.supervision.resume import JourneyState, ResumeState, StationState

SIZE = (96, 54)
JOURNEY = (
    "journey: {depth: 2, zoom_per_s: 0.5, rotation: 15, stations: [{layer: block2.expand}, {layer: block3.expand}]}\n"
)


@pytest.fixture(scope="module")
def folder(tiny_preset, tmp_path_factory):
    """The tiny preset with a journey of half a station a second."""
    return with_journey(tiny_preset, tmp_path_factory.mktemp("journeys"), JOURNEY)


@pytest.fixture(scope="module")
def baked(folder, tmp_path_factory):
    """A cache with the first stations."""
    cache = FrameCache(tmp_path_factory.mktemp("baked"), 10**9)
    stations = ReadyStations(Stations(open_preset(str(folder), size=SIZE), cache))
    stations.want(list(range(9)))
    stations.poll()
    return cache.folder


@pytest.fixture
def cache(baked, tmp_path):
    shutil.copytree(baked, tmp_path / "cache")
    return FrameCache(tmp_path / "cache", 10**9)


class Night:
    """A journey on a stage of its own."""

    def __init__(self, loaded, cache, journey=None):
        self.surface = Offscreen(SIZE)
        picture = build_picture(loaded, self.surface, Programs(self.surface.ctx), journey=journey)
        self.stations = Stations(loaded, cache, begun=() if journey is None else journey.begun)
        state = None if journey is None else journey.state
        self.scene = Scene(picture, ReadyStations(self.stations), loaded, journey=state)
        self.stage = Stage(self.surface, self.scene)
        self.time_s = 0.0

    def drawn(self, dt_s=1 / 30):
        """One display frame."""
        self.time_s += dt_s
        self.stage.advance(dt_s)
        self.stage.draw(Features(time_s=self.time_s, level=0.5), SIZE)
        return self.surface.read().astype(int)

    def go_beyond(self, position):
        while self.scene.travel.position < position:
            picture = self.drawn()
        return picture

    @property
    def state(self):
        """As another process gets it."""
        text = ResumeState(journey=self.scene.travel.kept).to_json()
        return ResumeState.from_json(text).journey

    def close(self):
        self.stage.release()
        self.surface.close()


@pytest.fixture
def night():
    """night(...) -> Night."""
    opened = []

    def of(*arguments, **named):
        opened.append(Night(*arguments, **named))
        return opened[-1]

    yield of
    for one in opened:
        one.close()


def test_the_same_picture_comes_again(folder, cache, night):
    loaded = open_preset(str(folder), size=SIZE)
    before = night(loaded, cache)
    picture, state = before.go_beyond(4.6), before.state
    later = [before.drawn() for _ in range(30)][-1]
    again = resumed(loaded, cache, state)
    assert again.news == "" and again.state == state
    after = night(loaded, cache, again)
    after.scene.picture.draw(0.0, SIZE)  # before the first dream frame: the image of the station that is seen
    assert np.abs(after.surface.read().astype(int) - picture).mean() < 30
    assert np.abs(after.drawn() - picture).mean() < 4
    assert after.scene.travel.position == state.position
    assert after.scene.travel.pace.speed == pytest.approx(0.5, rel=0.01)
    assert np.abs([after.drawn() for _ in range(30)][-1] - later).mean() < 4


def test_no_station_before_those_that_are_seen_is_read_or_baked_again(folder, cache, night):
    loaded = open_preset(str(folder), size=SIZE)
    before = night(loaded, cache)
    before.go_beyond(6.3)
    state = before.state
    n_dreams = len(cache.entries())
    seen = {one.key for one in state.stations if one.number >= 3}
    for entry in cache.entries():
        if entry.key not in seen:
            cache.remove(entry.key)
    assert len(cache.entries()) < n_dreams
    after = night(loaded, cache, resumed(loaded, cache, state))
    after.go_beyond(7.0)
    assert sorted(after.stations._keys)[0] == 0 and {entry.key for entry in cache.entries()} >= seen
    assert [after.stations._crops[number] for number in range(7)] == [
        before.stations._crops[number] for number in range(7)
    ]


def test_where_its_station_is_lost_it_goes_on_from_the_one_before(folder, cache, night):
    loaded = open_preset(str(folder), size=SIZE)
    before = night(loaded, cache)
    before.go_beyond(5.2)
    keys = {one.number: one.key for one in before.state.stations}
    for number in (4, 5, 6, 7, 8):
        if number in keys:
            cache.remove(keys[number])
    again = resumed(loaded, cache, before.state)
    assert again.news == "station 5 of the journey is in the cache no more: it goes on from station 4"
    assert again.state.position == 4.0 and [one.number for one in again.begun] == [0, 1, 2, 3, 4]
    after = night(loaded, cache, again)
    after.go_beyond(4.6)


def test_a_station_that_is_lost_is_found_from_the_one_before_it(folder, cache, night):
    loaded = open_preset(str(folder), size=SIZE)
    before = night(loaded, cache)
    before.go_beyond(5.2)
    image = before.stations.image(5)
    cache.remove({one.number: one.key for one in before.state.stations}[5])
    again = resumed(loaded, cache, before.state)
    assert again.news == "" and np.array_equal(again.image, image)


@pytest.mark.parametrize("more", [0, 1])
def test_layers_that_were_left_out_stay_so(folder, cache, night, more):
    """Also where the station from which they are left out has not begun. more: such stations."""
    loaded = open_preset(str(folder), size=SIZE)
    before = night(loaded, cache)
    before.go_beyond(2.2)
    before.scene.next_layer()
    picture = before.go_beyond(4.6)
    for _ in range(more):
        before.scene.next_layer()
    n_dreams = len(cache.entries())
    after = night(loaded, cache, resumed(loaded, cache, before.state))
    assert [after.stations._dream(number) for number in range(4, 12)] == [
        before.stations._dream(number) for number in range(4, 12)
    ]
    if not more:
        assert np.abs(after.drawn() - picture).mean() < 4
        assert len(cache.entries()) == n_dreams, "nothing is dreamt again"


@pytest.mark.parametrize("n_frames", [0, 5])
def test_it_is_still_led_to_a_picture(folder, cache, night, tmp_path, n_frames):
    """n_frames: display frames until it goes on elsewhere."""
    loaded = open_preset(str(folder), size=SIZE)
    Image.fromarray(smooth(SIZE, 5)).save(tmp_path / "cat.png")
    before = night(loaded, cache)
    before.go_beyond(3.9)  # the one after it is seen
    before.scene.lead_to(tmp_path / "cat.png")
    if n_frames:
        wait_for(lambda: before.scene.travel._reader._found is not None, "the picture")
    for _ in range(n_frames):
        before.drawn()
    assert before.scene.is_led
    after = night(loaded, cache, resumed(loaded, cache, before.state))
    wait_for(lambda: after.scene.travel._reader._found is not None, "the picture")
    after.drawn()
    assert after.scene.travel.hurries_to == 5
    after.go_beyond(4.9)
    assert np.array_equal(after.stations.image(5), smooth(SIZE, 5)) and not after.scene.is_led


def test_without_a_cache_it_begins_again(folder, cache, night, tmp_path):
    loaded = open_preset(str(folder), size=SIZE)
    before = night(loaded, cache)
    before.go_beyond(3.2)
    again = resumed(loaded, FrameCache(tmp_path / "another", 10**9), before.state)
    assert again.news == "station 3 of the journey is in the cache no more: it begins again"
    assert again.state.position == 0.0 and np.array_equal(again.image, loaded.image)


def test_a_loop_goes_on_where_it_was(folder, cache, night):
    loaded = open_preset(str(folder), size=SIZE, overrides=Overrides(journey=5))
    before = night(loaded, cache)
    picture = before.go_beyond(6.4)
    after = night(loaded, cache, resumed(loaded, cache, before.state))
    assert np.abs(after.drawn() - picture).mean() < 4
    after.go_beyond(9.5)
    assert after.stations.is_complete


@pytest.mark.parametrize(
    "state",
    [
        JourneyState(40.5, 0.1, 0.0, 0.0),
        JourneyState(
            40.5,
            -9.0,
            1.0,
            5.0,
            (StationState(40, "../../etc", (0.5, 0, 0, 0)), StationState(3, "f" * 64, (1e300, 0, 0, 0))),
        ),
        JourneyState(1e6, 0.0, 0.0, 0.0, (StationState(10**6, "0" * 64, None),)),
    ],
)
def test_a_state_that_nothing_fits_goes_on_with_the_image(folder, cache, night, state):
    loaded = open_preset(str(folder), size=SIZE)
    again = resumed(loaded, cache, state)
    assert np.array_equal(again.image, loaded.image)
    night(loaded, cache, again).drawn()


def test_out_of_the_picture_it_goes_on_where_it_was(folder, cache, night):
    loaded = open_preset(str(folder), size=SIZE)
    before = night(loaded, cache)
    before.go_beyond(0.5)
    before.stage.journey_speed = -1.0
    while before.scene.travel.position > -1.6:
        picture = before.drawn()
    again = resumed(loaded, cache, before.state)
    assert again.news == "" and again.state == before.state and again.state.position < -1.6
    n_dreams = len(cache.entries())
    after = night(loaded, cache, again)
    after.stage.journey_speed = -1.0
    assert np.abs(after.drawn() - picture).mean() < 4
    assert len(cache.entries()) == n_dreams, "nothing is dreamt again"


def test_a_preset_without_a_journey_has_none_that_goes_on(tiny_preset, cache):
    assert resumed(open_preset(str(tiny_preset), size=SIZE), cache, JourneyState(4.0, 0.1, 0.0, 0.0)) is None
