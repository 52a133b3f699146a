"""A journey on the stage: the stations that are on the card, the pace, and every display frame of the way."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.fixtures.journeys import with_journey, with_settings
from tests.fixtures.watching import wait_for
from tests.render.pictures import smooth
from visualizer.beat.features import Features
from visualizer.journey.geometry import MOST_SEEN
from visualizer.journey.stations import light_of, next_image, with_picture_inside
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


def test_the_frames_counted_are_those_of_the_station_it_is_in(trip):
    one = trip()
    one.go(6.0)
    assert one.position > 2 and one.scene.n_baked == one.scene.n_depths


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
    loaded = with_settings(open_preset(str(folder), size=SIZE), centre="dreamt")
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


def test_back_at_the_first_station_it_goes_out_of_the_picture_and_in_again(trip):
    one = trip()
    frames = one.go(3)
    one.stage.journey_speed = -2.0
    frames += one.go(6)
    assert one.position < -1.5
    one.stage.journey_speed = 2.0
    frames += one.go(8)
    assert one.position > 0
    assert outliers(frames[5:]).max() < 1.9


def test_no_station_out_of_the_picture_is_asked_for_by_a_journey_into_it(trip):
    one = trip(late=True)
    one.go(3)
    assert min(one.scene.dreams.wanted) == 0
    one.stage.journey_speed = -1.0
    one.go(1 / RATE_HZ)
    assert min(one.scene.dreams.wanted) == -1


class Out(Late):
    """Stations whose frames are polled one at a time, and not before the number `last`."""

    def want(self, numbers):
        self.wanted = numbers
        self._ready.want([number for number in numbers if number >= self.last])


def out_of(folder, **changes):
    """The preset with a journey out of the picture."""
    return with_settings(open_preset(str(folder), size=SIZE), direction="out", **changes)


@pytest.mark.parametrize("centre", ["wander", "dreamt"])
def test_no_display_frame_of_a_journey_out_of_the_picture_jumps(folder, shared, surface, centre):
    loaded = out_of(folder, centre=centre)
    one = Trip(surface, loaded, ReadyStations(Stations(loaded, FrameCache(shared, 10**9))))
    first = one.go(1 / RATE_HZ, level=0.0)[0]
    assert np.abs(first.astype(int) - loaded.image).mean() < 3, "it begins with the image"
    frames = one.go(10)
    assert one.position < -3
    assert outliers(frames[5:]).max() < 1.9


def test_no_display_frame_jumps_where_stations_out_of_the_picture_arrive_late(folder, shared, surface):
    loaded = out_of(folder)
    one = Trip(surface, loaded, Out(Stations(loaded, FrameCache(shared, 10**9))))
    one.scene.dreams.last = -1
    frames = one.go(10)
    assert -1.0 <= one.position < -0.6
    moved = one.go(2)
    assert np.abs(moved[-1].astype(int) - moved[0]).mean() > 0.3, "it lingers"
    frames += moved
    one.scene.dreams.last = -9
    one.scene.dreams.want(one.scene.dreams.wanted)
    frames += one.go(6)
    assert one.position < -2
    assert outliers(frames[20:]).max() < 2.5


def test_a_journey_out_of_the_picture_is_led_to_a_picture(folder, shared, surface, tmp_path):
    loaded = out_of(folder)
    one = Trip(surface, loaded, ReadyStations(Stations(loaded, FrameCache(shared, 10**9))))
    one.go(6)
    assert one.position < -1
    led_to(one, saved(tmp_path, 7))
    one.go(1 / RATE_HZ)
    station = one.scene.travel.hurries_to
    assert station
    positions = hurried(one)
    assert positions[-1] == pytest.approx(station, abs=0.2) and is_smooth(positions)
    one.go(4)
    assert one.position < station - 1, "and it goes on as before"


def test_a_loop_that_is_turned_round_at_its_beginning_goes_on(trip):
    one = trip(journey=5)
    frames = one.go(2)
    one.stage.journey_speed = -1.0
    frames += one.go(8)
    assert 1 < one.position % 5 < 4
    assert outliers(frames[5:]).max() < 1.9


def test_speed_and_direction_of_an_edited_preset_are_taken_over_at_once(trip):
    one = trip()
    one.go(4)
    position, now = one.position, with_settings(one.scene.loaded, zoom_per_s=0.8, direction="out")
    one.scene.exchange(now, one.scene.picture.links, None)
    assert one.position == position
    one.go(5)
    assert one.position < position and one.scene.travel.pace.speed == pytest.approx(-0.8, abs=0.02)


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
    loaded = with_settings(open_preset(str(folder), size=SIZE, overrides=Overrides(journey=5)), direction="out")
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


def saved(folder, seed):
    """A picture file."""
    path = folder / f"picture{seed}.png"
    Image.fromarray(smooth(SIZE, seed)).save(path)
    return path


def led_to(one, picture):
    """Lead a trip to a picture; what it said. The picture is read when this returns."""
    said = one.scene.lead_to(picture)
    reader = one.scene.travel._reader
    wait_for(lambda: reader._found is not None or reader.fault is not None, "the picture")
    return said


def hurried(one, seconds=8.0):
    """Go on until a trip hurries no more; the positions."""
    found = [one.position]
    for _ in range(round(seconds * RATE_HZ)):
        one.go(1 / RATE_HZ)
        found.append(one.position)
        if not one.scene.travel.hurries_to:
            break
    return np.array(found)


def is_smooth(positions):
    """Whether the speed never jumps: by what a hurry or a brake changes it in one display frame."""
    speeds = np.diff(positions) * RATE_HZ
    return np.abs(np.diff(speeds)).max() < 0.25


def test_only_a_journey_is_led_to_a_picture(trip, folder, surface, tmp_path):
    assert trip().scene.lead_to(tmp_path / "cat.png") == "the journey comes to cat.png"
    loaded = open_preset(str(folder), size=SIZE)
    plain = Scene(build_picture(loaded, surface, Programs(surface.ctx)), ReadyDreams([]), loaded)
    assert "no journey" in plain.lead_to(tmp_path / "cat.png") and "no journey" in plain.next_layer()
    loop = trip(journey=5)
    assert "cat.png: a journey that comes back" in loop.scene.lead_to(tmp_path / "cat.png")
    assert "comes back" in loop.scene.next_layer()


@pytest.mark.parametrize(("seconds", "station"), [(0.0, 1), (2.6, 2), (4.5, 3)])
def test_a_picture_becomes_the_first_station_that_is_not_seen(trip, tmp_path, seconds, station):
    one = trip()
    one.go(seconds)
    assert station - 2 < one.position <= station - 1
    before = one.go(1 / RATE_HZ)[0]
    led_to(one, saved(tmp_path, 7))
    after = one.go(1 / RATE_HZ)[0]
    travel, stations = one.scene.travel, one.scene.dreams.stations
    assert travel.hurries_to == station and np.array_equal(stations._images[station], smooth(SIZE, 7))
    assert station not in travel.slots, "a recording has that it was gone"
    assert np.abs(after.astype(int) - before).mean() < 3, "nothing that is seen has changed"
    one.go(2 / RATE_HZ)
    assert station in travel.slots
    positions = hurried(one)
    assert positions[-1] == pytest.approx(station, abs=0.2)


@pytest.mark.parametrize("speed", [0.0, -1.0, 0.125, 1.0])
def test_it_hurries_to_a_picture_and_goes_on_as_before(trip, tmp_path, speed):
    one = trip()
    one.go(6)
    one.stage.journey_speed = speed
    one.go(3)
    usual = one.scene.travel.pace.speed
    led_to(one, saved(tmp_path, 7))
    frames = one.go(2 / RATE_HZ)
    station = one.scene.travel.hurries_to
    positions = [one.position]
    for _ in range(4 * RATE_HZ):
        frames += one.go(1 / RATE_HZ)
        positions.append(one.position)
    there = next(index for index, place in enumerate(positions) if place > station - 0.4)
    assert there / RATE_HZ < 2.2
    speeds = np.diff(positions) * RATE_HZ
    assert speeds[15:there].min() > 0.8 or there < 15
    assert is_smooth(positions)
    assert outliers(frames).max() < 2.5
    one.go(4)
    assert one.scene.travel.pace.speed == pytest.approx(usual, abs=0.05)
    if speed == 0.0:
        assert one.position == pytest.approx(station, abs=0.35), "held there"


def test_it_does_not_hurry_beyond_what_is_there(trip, tmp_path):
    one = trip(late=True)
    one.go(4)
    one.scene.dreams.last = 1
    led_to(one, saved(tmp_path, 7))
    one.go(6)
    assert one.scene.travel.hurries_to == 3 and one.position <= 2.0 + BEYOND
    one.scene.dreams.last = 9
    one.scene.dreams.want(one.scene.dreams.wanted)
    assert is_smooth(hurried(one))
    assert one.position > 2.8


def test_a_picture_is_seen_before_the_newest_of_those_that_wait(trip, tmp_path):
    """Else no picture is ever dreamt while others are asked for."""
    one = trip(late=True)
    one.go(3)
    source = one.scene.dreams
    travel, stations, source.last = one.scene.travel, source.stations, 1
    assert led_to(one, saved(tmp_path, 7)) == "the journey comes to picture7.png"
    one.go(2 / RATE_HZ)
    station = travel.hurries_to
    assert led_to(one, saved(tmp_path, 8)) == "the journey comes to picture8.png, after picture7.png"
    assert led_to(one, saved(tmp_path, 9)) == "the journey comes to picture9.png, in the place of picture8.png"
    one.go(1)
    assert travel.hurries_to == station and np.array_equal(stations._images[station], smooth(SIZE, 7))
    source.last = 9
    source.want(source.wanted)
    while travel.hurries_to == station:
        assert travel.is_led
        one.go(1 / RATE_HZ)
    assert travel._is_seen(station), "it was seen"
    assert travel.hurries_to == station + 1 and np.array_equal(stations._images[station + 1], smooth(SIZE, 9))
    hurried(one)
    assert not travel.is_led
    assert led_to(one, saved(tmp_path, 6)) == "the journey comes to picture6.png", "that one was seen"


def test_another_layer_does_not_begin_a_picture_again(trip, tmp_path):
    one = trip(late=True)
    one.go(3)
    one.scene.dreams.last = 1
    led_to(one, saved(tmp_path, 7))
    one.go(2 / RATE_HZ)
    travel, stations = one.scene.travel, one.scene.dreams.stations
    station = travel.hurries_to
    before = stations._dream(station)
    assert one.scene.next_layer().startswith("the next station: ")
    assert station in travel.slots and stations._dream(station) == before


def test_a_picture_that_cannot_be_read_changes_nothing(trip, tmp_path):
    one = trip()
    one.go(3)
    (tmp_path / "notes.txt").write_text("no picture")
    slots = one.scene.travel.slots
    led_to(one, tmp_path / "notes.txt")
    one.go(0.1)
    line = one.scene.faults[1]
    assert "notes.txt: not a picture" in line and line.endswith("; the journey goes on without it")
    assert one.scene.travel.hurries_to == 0 and one.scene.travel.slots == slots
    assert "place" not in led_to(one, saved(tmp_path, 7)) and one.scene.faults == (None, None)


def test_the_next_layer_comes_with_the_next_station(trip, folder, shared, surface):
    one = trip()
    one.go(3)
    stations = one.scene.dreams.stations
    assert one.scene.next_layer() == "the next station: block3.expand"
    frames = one.go(6)
    assert [stations._dream(number).settings.layer for number in range(4)] == [
        "block2.expand",
        "block3.expand",
        "block3.expand",
        "block2.expand",
    ]
    assert one.scene.travel.hurries_to == 0 and outliers(frames).max() < 1.6
    loaded = open_preset(str(folder), size=SIZE)
    loaded = dataclasses.replace(loaded, stations=loaded.stations[:1])
    alone = Trip(surface, loaded, ReadyStations(Stations(loaded, FrameCache(shared, 10**9))))
    assert "only one dream" in alone.scene.next_layer()


class Cheap:
    """The dream of a station at no cost: its image, every depth a little lighter."""

    fault, kept = None, True

    def __init__(self, station, image):
        self.key, self._image = f"{station}", image

    def frames(self, preview):
        for depth in range(5):
            yield DreamFrame(0, depth, np.clip(self._image + depth, 0, 255).astype(np.uint8), True)


class CheapStations(Stations):
    def dreams(self, station):
        return Cheap(station, self.image(station))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("picture"), st.integers(1, 3)),
            st.tuples(st.just("layer"), st.just(0)),
            st.tuples(st.just("speed"), st.sampled_from([-4.0, -1.0, 0.0, 0.25, 1.0, 4.0])),
            st.tuples(st.just("go"), st.integers(1, 60)),
        ),
        max_size=12,
    )
)
def test_whatever_is_asked_for_each_station_is_there_once_with_its_own_frames(folder, tmp_path, surface, steps):
    loaded = open_preset(str(folder), size=SIZE)
    stations = CheapStations(loaded, FrameCache(tmp_path, 10**9))
    one = Trip(surface, loaded, ReadyStations(stations))
    travel, texture, put = one.scene.travel, one.scene.picture.dreams, {}
    one.scene.on_put = lambda placed: put.__setitem__((placed.variant, placed.depth_index), placed.frame)
    light, begun, positions, time_s = light_of(loaded.image), {0: loaded.image}, [0.0], 0.0
    begin = stations.begin

    def noted(first, image):
        for other in [other for other in begun if other >= first]:
            del begun[other]
        begun[first] = image
        begin(first, image)

    stations.begin = noted
    try:
        for what, value in [*steps, ("go", 60)]:
            if what == "picture":
                led_to(one, saved(tmp_path, value))
            elif what == "layer":
                one.scene.next_layer()
            elif what == "speed":
                travel.speed = value
            for _ in range(value if what == "go" else 1):
                one.scene.take()
                one.scene.move(Features(time_s=time_s, level=0.5))
                time_s += 1 / RATE_HZ
                positions.append(travel.position)
                slots = travel.slots
                assert len(set(slots.values())) == len(slots) <= N_SLOTS
                assert all(0 <= slot < N_SLOTS for slot in slots.values())
                there = {station: slot for station, slot in slots.items() if texture.deepest_of(slot) >= 0}
                for station, slot in there.items():
                    if station in begun:
                        assert np.array_equal(put[slot, 0], begun[station])
                    elif station < min(begun):  # out of the picture; the one inside may have another image since
                        if (inside := there.get(station + 1)) is not None and station + 1 not in begun.keys() - {0}:
                            expected = with_picture_inside(loaded.image, put[inside, 0], stations.crop(station))
                            assert np.array_equal(put[slot, 0], expected)
                    elif (before := there.get(station - 1)) is not None:
                        expected = next_image(put[before, 2], stations.crop(station - 1), light, 0.5)
                        assert np.array_equal(put[slot, 0], expected)
        assert np.abs(np.diff(positions)).max() < 0.5 * 4 / RATE_HZ + 0.01
        assert math.floor(travel.position) in there
    finally:
        one.stage.release()


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
    assert len(one.scene.travel.slots) <= N_SLOTS


def test_the_fastest_zoom_is_locked_to_the_bars_too(trip):
    """Where every station is there in time, nothing slows it down."""
    one = trip()
    one.bpm, one.stage.journey_speed = 120.0, 3.0
    one.go(4)
    before = one.position
    one.go(4)  # two bars of one and a half stations
    assert one.position - before == pytest.approx(3.0, abs=0.05)
