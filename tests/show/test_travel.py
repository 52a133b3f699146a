"""A journey on the stage: the stations that are on the card, the pace, and every display frame of the way."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from tests.fixtures.journeys import with_journey
from visualizer.beat.features import Features
from visualizer.journey.geometry import MOST_SEEN
from visualizer.presets.cache import FrameCache
from visualizer.presets.dreams import DreamFrame, ReadyDreams, open_cache
from visualizer.presets.journey import ReadyStations, Stations
from visualizer.presets.loaded import Overrides, open_preset
from visualizer.render.offscreen import Offscreen
from visualizer.render.programs import Programs
from visualizer.show.export import VideoOptions, export
from visualizer.show.stage import Scene, Stage, build_picture
from visualizer.show.travel import BEYOND, N_SLOTS

SIZE = (96, 54)
RATE_HZ = 30
JOURNEY = "journey: {depth: 2, zoom_per_s: 0.5, zoom_per_bar: 0.5, rotation: 15, stations: [{layer: block2.expand}, {layer: block3.expand}]}\n"


@pytest.fixture(scope="module")
def folder(tiny_preset, tmp_path_factory):
    """The tiny preset with a journey of half a station a second."""
    return with_journey(tiny_preset, tmp_path_factory.mktemp("journeys"), JOURNEY)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A cache that these tests share: what one has baked the others find."""
    return tmp_path_factory.mktemp("cache")


class Late:
    """Stations whose frames are polled one at a time, and not beyond the number `last`."""

    fault = None

    def __init__(self, stations):
        self._ready = ReadyStations(stations)
        self.stations, self.last, self.wanted = stations, 10**9, []
        self._frames = []

    def want(self, numbers):
        self.wanted = numbers
        self._ready.want([number for number in numbers if number <= self.last])

    def poll(self):
        self._frames += self._ready.poll()
        return [self._frames.pop(0)] if self._frames else []

    def close(self):
        pass


class Trip:
    """A stage with a journey on it, driven at a steady level."""

    def __init__(self, surface, loaded, dreams):
        self.surface = surface
        self.scene = Scene(build_picture(loaded, surface, Programs(surface.ctx)), dreams, loaded)
        self.stage = Stage(surface, self.scene)
        self.time_s = 0.0
        self.bpm = 0.0

    def go(self, seconds, level=0.5):
        """Draw these seconds; the display frames."""
        found = []
        for _ in range(round(seconds * RATE_HZ)):
            self.stage.advance(1 / RATE_HZ)
            beats = self.time_s * self.bpm / 60
            features = Features(
                time_s=self.time_s,
                level=level,
                bpm=self.bpm,
                confidence=1.0,
                beat_number=int(beats),
                beat_phase=beats - int(beats),
            )
            self.stage.draw(features, SIZE)
            found.append(self.surface.read())
            self.time_s += 1 / RATE_HZ
        return found

    @property
    def position(self):
        return self.scene.travel.position


@pytest.fixture
def surface():
    with Offscreen(SIZE) as surface:
        yield surface


@pytest.fixture
def trip(folder, shared, surface):
    """Opens a trip of the preset; options of its overrides. late: frames come one at a time."""

    def open_trip(late=False, **options):
        loaded = open_preset(str(folder), size=SIZE, overrides=Overrides(**options))
        stations = Stations(loaded, FrameCache(shared, 10**9))
        return Trip(surface, loaded, Late(stations) if late else ReadyStations(stations))

    return open_trip


def outliers(frames):
    """By how much each display frame changes more than those around it do."""
    changes = np.array([np.abs(now.astype(float) - before).mean() for before, now in itertools.pairwise(frames)])
    usual = [np.median(changes[max(0, index - 8) : index + 9]) for index in range(len(changes))]
    return changes / np.maximum(usual, 0.05)


def test_it_begins_with_the_image_s_own_dream(trip):
    one = trip()
    first = one.go(1 / RATE_HZ, level=0.0)[0]
    station = ReadyStations(one.scene.dreams.stations)
    station.want([0])
    assert np.abs(first.astype(int) - station.poll()[1].frame).max() <= 1


def test_no_display_frame_of_a_journey_jumps(trip):
    one = trip()
    frames = one.go(16)
    assert one.position > 6
    assert outliers(frames[5:]).max() < 1.6


def test_no_display_frame_jumps_where_stations_arrive_late(trip):
    """They are waited for: it slows down before the end of what is there, lingers, and goes on."""
    one = trip(late=True)
    one.scene.dreams.last = 2
    frames = one.go(14)
    assert 1.6 < one.position <= 2.0 + BEYOND
    one.scene.dreams.last = 9
    one.scene.dreams.want(one.scene.dreams.wanted)
    frames += one.go(6)
    assert one.position > 2.5
    assert outliers(frames[20:]).max() < 2.5


def test_a_dreamt_way_ends_at_the_newest_station(trip, folder, shared, surface):
    """Where the next one begins is known once this one is baked: until then it cannot be approached."""
    loaded = open_preset(str(folder), size=SIZE)
    journey = loaded.settings.journey.model_copy(update={"centre": "dreamt"})
    loaded = dataclasses.replace(loaded, settings=loaded.settings.model_copy(update={"journey": journey}))
    one = Trip(surface, loaded, Late(Stations(loaded, FrameCache(shared, 10**9))))
    one.scene.dreams.last = 2
    frames = one.go(14)
    assert 1.6 < one.position <= 2.0
    one.scene.dreams.last = 9
    one.scene.dreams.want(one.scene.dreams.wanted)
    frames += one.go(6)
    assert one.position > 2.2
    assert outliers(frames[20:]).max() < 2.5


def test_a_journey_that_lingers_still_moves(trip):
    one = trip(late=True)
    one.scene.dreams.last = 1
    one.go(20)
    frames = one.go(2)
    assert np.abs(frames[-1].astype(int) - frames[0]).mean() > 0.3


def test_the_zoom_is_locked_to_the_bars(trip):
    one = trip()
    one.bpm = 120.0
    one.go(6)
    before = one.position
    one.go(4)  # two bars
    assert one.position - before == pytest.approx(1.0, abs=0.03)


def test_the_same_features_give_the_same_pixels(folder, shared):
    def frames():
        with Offscreen(SIZE) as surface:
            loaded = open_preset(str(folder), size=SIZE)
            return Trip(surface, loaded, ReadyStations(Stations(loaded, FrameCache(shared, 10**9)))).go(5)

    assert all(np.array_equal(one, other) for one, other in zip(frames(), frames(), strict=True))


def test_a_kick_deepens_all_that_is_seen(trip):
    one = trip()
    one.go(5)
    stage, time_s = one.stage, one.time_s
    stage.draw(Features(time_s=time_s, level=0.0), SIZE)
    calm = one.surface.read().astype(int)
    stage.draw(Features(time_s=time_s, level=1.0), SIZE)
    change = np.abs(one.surface.read() - calm).mean(2)
    thirds = [change[:18].mean(), change[18:36].mean(), change[36:].mean()]
    assert min(thirds) > 0.5


def test_a_frozen_journey_stands_still(trip):
    one = trip()
    one.go(3)
    one.stage.freeze(True)
    before = one.go(0.1)[0]
    assert np.array_equal(one.go(1)[-1], before)
    one.stage.freeze(False)
    assert not np.array_equal(one.go(1)[-1], before)


def test_it_turns_round_is_held_and_goes_on_smoothly(trip):
    one = trip()
    frames = one.go(8)
    far = one.position
    one.stage.journey_speed = -1.0
    frames += one.go(6)
    near = one.position
    assert near < far - 1
    one.stage.journey_speed = 0.0
    one.go(6)
    held = one.position
    one.go(1)
    assert one.position == pytest.approx(held, abs=0.01)
    one.stage.journey_speed = 1.0
    one.go(6)
    assert one.position > held + 1
    assert outliers(frames[5:]).max() < 2.5


def test_back_at_the_first_station_it_stays(trip):
    one = trip()
    one.go(3)
    one.stage.journey_speed = -2.0
    one.go(10)
    assert 0.0 <= one.position < 0.05


def test_a_loop_comes_back_to_where_it_was(trip):
    one = trip(journey=5)
    one.go(20)
    position, before = one.position, one.go(1 / RATE_HZ)[0]
    assert position > 5
    n_frames = 0
    while n_frames == 0 or abs(one.position - position) > 0.01:
        frames = one.go(1 / RATE_HZ)
        n_frames += 1
        assert n_frames < 20 * RATE_HZ
    assert n_frames > 8 * RATE_HZ  # five stations later
    assert np.abs(frames[0].astype(int) - before).mean() < 3


def test_a_loop_is_travelled_out_of_the_picture(trip, folder, shared, surface):
    loaded = open_preset(str(folder), size=SIZE, overrides=Overrides(journey=5))
    journey = loaded.settings.journey.model_copy(update={"direction": "out"})
    loaded = dataclasses.replace(loaded, settings=loaded.settings.model_copy(update={"journey": journey}))
    one = Trip(surface, loaded, ReadyStations(Stations(loaded, FrameCache(shared, 10**9))))
    assert one.position == 5
    frames = one.go(16)
    assert outliers(frames[5:]).max() < 1.6
    assert 5 <= one.position < 10 and one.scene.travel.pace.speed == pytest.approx(-0.5, rel=0.01)


def test_a_loop_has_no_seam(trip):
    frames = trip(journey=5).go(24)
    assert outliers(frames[5:]).max() < 1.6


def test_slots_are_used_again_and_only_stations_around_are_wanted(trip):
    one = trip(late=True)
    for _ in range(12):
        one.go(1)
        wanted = one.scene.dreams.wanted
        assert len(wanted) <= N_SLOTS == MOST_SEEN + 1
        assert all(abs(number - one.position) < 4 for number in wanted)
    assert one.scene.n_baked <= N_SLOTS * one.scene.n_depths
    assert one.scene.picture.n_variants == N_SLOTS


def test_a_frame_of_a_station_that_was_passed_meanwhile_is_dropped(trip):
    one = trip()
    one.go(1)
    assert one.scene.travel.slot_of(40) is None
    one.scene._waiting.append(DreamFrame(40, 1, np.zeros((54, 96, 3), np.uint8), True))
    one.go(0.1)
    assert one.scene.travel.slot_of(0) is not None


def test_a_picture_of_a_journey_shows_its_image_before_it_begins(folder, surface):
    loaded = open_preset(str(folder), size=SIZE)
    scene = Scene(build_picture(loaded, surface, Programs(surface.ctx)), ReadyDreams([]), loaded)
    assert scene.travel is None
    scene.picture.draw(0.0, SIZE)
    assert np.array_equal(surface.read(), loaded.image)


def test_a_picture_is_met_by_a_journey_only(trip, folder, surface, tmp_path):
    assert trip().scene.meet(tmp_path / "cat.png") == "the journey comes to cat.png"
    loaded = open_preset(str(folder), size=SIZE)
    plain = Scene(build_picture(loaded, surface, Programs(surface.ctx)), ReadyDreams([]), loaded)
    assert "no journey" in plain.meet(tmp_path / "cat.png")


def test_a_journey_asks_for_the_tempo(trip, folder, surface):
    assert "bpm" in trip().stage.needs
    loaded = open_preset(str(folder), size=SIZE)
    plain = Scene(build_picture(loaded, surface, Programs(surface.ctx)), ReadyDreams([]), loaded)
    assert "bpm" not in plain.needs


def test_an_export_of_a_journey_bakes_what_the_song_needs_and_is_the_same_every_time(folder, kick_song, tmp_path, home):
    loaded = open_preset(str(folder), size=SIZE)
    videos = []
    for name in ("one.mp4", "other.mp4"):
        out = tmp_path / name
        steps = list(export(kick_song, out, loaded, open_cache(), VideoOptions()))
        assert [one.stage for one in steps].index("exporting") > 10
        videos.append(out.read_bytes())
    assert videos[0] == videos[1]
    assert len(open_cache().entries()) >= 4  # three bars of half a station each, and those ahead


def test_a_long_journey_keeps_no_more_than_a_short_one(trip):
    one = trip()
    one.stage.journey_speed = 4.0
    one.go(12)
    assert one.position > 15
    stations = one.scene.dreams.stations
    assert len(stations._images) <= 8
    assert len(one.scene.frames) <= N_SLOTS * 5 and len(one.scene._finished) <= N_SLOTS * 4
    assert len(one.scene.travel.state.slots) <= N_SLOTS


def test_the_fastest_zoom_is_locked_to_the_bars_too(trip):
    """Where every station is there in time, nothing slows it down."""
    one = trip()
    one.bpm, one.stage.journey_speed = 120.0, 3.0
    one.go(4)
    before = one.position
    one.go(4)  # two bars of one and a half stations
    assert one.position - before == pytest.approx(3.0, abs=0.05)
