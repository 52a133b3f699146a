"""The stations of a preset's journey: each begins in the one before, and is found again in the cache."""

from __future__ import annotations

import dataclasses
import multiprocessing
import shutil
import time

import numpy as np
import pytest
from PIL import Image

from tests.fixtures.journeys import with_journey, with_settings
from tests.fixtures.watching import wait_for
from tests.render.pictures import smooth
from visualizer.errors import BadInput, VisualizerError
from visualizer.journey.stations import light_of, next_image, with_picture_inside
from visualizer.presets import journey as journey_room
from visualizer.presets.bake import bake
from visualizer.presets.cache import FrameCache
from visualizer.presets.dreams import start
from visualizer.presets.journey import BackgroundStations, ReadyStations, Stations
from visualizer.presets.loaded import Overrides, open_preset

SIZE = (96, 54)
JOURNEY = "journey: {depth: 2, stations: [{layer: block2.expand}, {layer: block3.expand, colour: 1.0}]}\n"


@pytest.fixture(scope="module")
def folder(tiny_preset, tmp_path_factory):
    """The tiny preset with a journey."""
    return with_journey(tiny_preset, tmp_path_factory.mktemp("journeys"), JOURNEY)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A cache that these tests share: what one has baked the others find."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def cache(shared):
    return FrameCache(shared, 10**9)


def opened(folder, **options):
    return open_preset(str(folder), size=SIZE, overrides=Overrides(**options))


def frames_of(stations, number):
    return [placed.frame for placed in stations.frames(number)]


def test_every_station_begins_in_the_one_before_led_back_to_the_light_of_the_first(folder, cache):
    loaded = opened(folder)
    stations = Stations(loaded, cache)
    light, before = light_of(loaded.image), None
    for number in range(3):
        assert stations.nearest(9) == number
        frames = frames_of(stations, number)
        assert len(frames) == 5
        if before is None:
            assert np.array_equal(frames[0], loaded.image)
        else:
            assert np.array_equal(frames[0], next_image(before, stations.crop(number - 1), light, 0.5))
        before = frames[2]


def test_stations_are_found_again_in_the_cache(folder, cache):
    first = Stations(opened(folder), cache)
    before = [frames_of(first, number) for number in range(3)]
    again = Stations(opened(folder), FrameCache(cache.folder, 10**9))
    for number in range(3):
        assert again.dreams(number).from_cache
        assert np.array_equal(frames_of(again, number), before[number])
        assert again.crop(number) == first.crop(number)


def test_each_station_has_its_own_settings_and_seed_and_they_come_round(folder, cache):
    stations = Stations(opened(folder, seed=5), cache)
    found = [stations._loaded.stations[number % 2].settings.layer for number in range(3)]
    assert found == ["block2.expand", "block3.expand", "block2.expand"]
    one = stations._preset(0)
    assert (one.settings.dream.seed, one.settings.journey) == (5, None)
    frames_of(stations, 0)
    other = stations._preset(1)
    assert (other.settings.dream.seed, other.variants[0].settings.colour) == (6, 1.0)


def test_an_earlier_station_is_read_again_when_its_image_is_not_in_memory(folder, cache):
    stations = Stations(opened(folder), cache)
    before = frames_of(stations, 0)
    frames_of(stations, 1)
    stations._images.clear()
    assert np.array_equal(frames_of(stations, 0), before)


def test_a_station_that_is_in_the_cache_no_more_is_dreamt_around_the_one_after_it(folder, tmp_path):
    loaded, cache = opened(folder), FrameCache(tmp_path, 10**9)
    stations = Stations(loaded, cache)
    for number in range(4):
        frames_of(stations, number)
    inside, crop = stations.image(2), stations.crop(1)
    stations._images.clear()
    for number in (0, 1):
        cache.remove(stations._keys[number])
    assert stations.nearest(1) == 1 and stations.fault is None
    image = frames_of(stations, 1)[0]
    assert np.array_equal(image, with_picture_inside(loaded.image, inside, crop)) and stations.crop(1) == crop
    assert stations.fault == "station 1 of the journey is in the cache no more: another is dreamt in its place"
    assert np.array_equal(frames_of(stations, 0)[0], loaded.image), "the first is known"


def test_without_a_cache_stations_are_dreamt_anew_from_the_picture_on(folder, tmp_path):
    stations = Stations(opened(folder), FrameCache(tmp_path, 10**9))
    for number in range(3):
        frames_of(stations, number)
    stations._images.clear()
    shutil.rmtree(tmp_path)
    read = []
    while (nearest := stations.nearest(3)) != 3:
        read.append(nearest)
        frames_of(stations, nearest)
    assert read == [0, 1, 2] and len(frames_of(stations, 3)) == 5


def test_out_of_the_picture_each_station_has_the_one_after_it_inside(folder, cache):
    loaded = opened(folder)
    stations = Stations(loaded, cache)
    assert (stations.nearest(-1), stations.nearest(-3)) == (-1, -1)
    frames = {-number: frames_of(stations, -number) for number in range(4)}
    assert all(len(one) == 5 for one in frames.values())
    for number in (-1, -2, -3):
        expected = with_picture_inside(loaded.image, frames[number + 1][0], stations.crop(number))
        assert np.array_equal(frames[number][0], expected)
    layers = [stations._dream(number).settings.layer for number in (0, -1, -2)]
    assert layers == ["block2.expand", "block3.expand", "block2.expand"]
    again = Stations(opened(folder), cache)
    for number in (0, -1, -2, -3):
        assert again.dreams(number).from_cache and np.array_equal(frames_of(again, number)[4], frames[number][4])
    stations._images.clear()
    assert np.array_equal(stations.image(-2), frames[-2][0]), "found in the cache"
    light = light_of(loaded.image)
    assert np.array_equal(frames_of(stations, 1)[0], next_image(frames[0][2], stations.crop(0), light, 0.5))


def test_out_of_the_picture_the_pictures_of_the_preset_come_in_turn(tiny_preset, tmp_path):
    folder = with_journey(tiny_preset, tmp_path, "journey: {depth: 2, pictures: [a.png, b.png]}\n")
    for name, seed in (("a.png", 3), ("b.png", 4)):
        Image.fromarray(smooth(SIZE, seed)).save(folder / name)
    stations = Stations(opened(folder), FrameCache(tmp_path / "cache", 10**9))
    outside = [stations.image(-number)[0, 0] for number in (1, 2, 3)]
    expected = [smooth(SIZE, seed)[0, 0] for seed in (3, 4, 3)]
    assert all(map(np.array_equal, outside, expected))


def test_a_journey_out_of_the_picture_is_baked_beforehand(tiny_preset, tmp_path):
    folder = with_journey(tiny_preset, tmp_path, "journey: {depth: 2, direction: out}\n")
    cache = FrameCache(tmp_path / "cache", 10**9)
    steps = list(bake(opened(folder), cache))
    assert (steps[-1].done, steps[-1].n_stations) == (steps[-1].total, 12)
    stations = Stations(opened(folder), cache)
    for number in range(0, -12, -1):
        assert stations.dreams(number).from_cache
        frames_of(stations, number)
    assert opened(folder, journey=5).journey.loop == 5


def test_a_loop_ends_with_the_first_picture_inside(folder, cache):
    loaded = opened(folder, journey=5)
    stations = Stations(loaded, cache)
    frames = [frames_of(stations, number) for number in range(5)]
    light = light_of(loaded.image)
    plain = next_image(frames[3][2], stations.crop(3), light, 0.5)
    assert np.array_equal(frames[4][0], with_picture_inside(plain, loaded.image, stations.crop(4)))
    inside = next_image(frames[4][0], stations.crop(4), light, 0.0)
    middle = np.s_[14:40, 26:70]
    assert np.abs(inside[middle].astype(float) - loaded.image[middle]).mean() < 12
    assert stations.index(5) == 0 and stations.crop(6) == stations.crop(1)


def test_where_most_is_dreamt_the_next_one_begins(folder, cache):
    loaded = with_settings(opened(folder), centre="dreamt")
    stations = Stations(loaded, cache)
    middle = stations.crop(0)
    frames_of(stations, 0)
    assert middle.shift == 0 and stations.crop(0).shift != 0


def test_a_loop_with_dreamt_crops_ends_with_the_first_picture_where_the_last_crop_is(folder, cache):
    loaded = with_settings(opened(folder, journey=5), centre="dreamt")
    stations = Stations(loaded, cache)
    frames = [frames_of(stations, number) for number in range(5)]
    light = light_of(loaded.image)
    plain = next_image(frames[3][2], stations.crop(3), light, 0.5)
    assert np.array_equal(frames[4][0], with_picture_inside(plain, loaded.image, stations.crop(4)))


def test_ready_stations_come_when_they_are_wanted_and_once(folder, cache):
    source = ReadyStations(Stations(opened(folder), cache))
    assert source.poll() == []
    source.want([2, 0])
    assert [(one.variant, one.depth_index) for one in source.poll()] == [
        (number, depth) for number in (2, 0) for depth in range(5)
    ]
    assert source.poll() == []
    source.want([2])
    source.want([0, 2])
    assert {one.variant for one in source.poll()} == {0}
    source.close()


def bake_children():
    return [child for child in multiprocessing.active_children() if child.name == "bake"]


def bake_pids():
    return {child.pid for child in bake_children()}


def polled(source, n_frames):
    """Frames until n finished ones have come."""
    found = []

    def enough():
        found.extend(source.poll())
        return sum(one.finished for one in found) >= n_frames or source.fault

    wait_for(enough, "the frames of the stations")
    assert source.fault is None
    return found


def test_stations_are_baked_behind_a_show(folder, cache):
    source = start(opened(folder), cache)
    try:
        assert isinstance(source, BackgroundStations)
        source.want([1, 0])
        found = polled(source, 10)
        assert {one.variant for one in found} == {0, 1}
        stations = Stations(opened(folder), cache)
        expected = [frames_of(stations, number) for number in (0, 1)][1]
        last = {one.depth_index: one.frame for one in found if one.variant == 1 and one.finished}
        assert all(np.array_equal(last[depth], expected[depth]) for depth in range(5))
    finally:
        source.close()


def test_a_show_that_ends_ends_its_bake(folder, tmp_path):
    source = BackgroundStations(opened(folder), FrameCache(tmp_path, 10**9))
    source.want([3])
    source.close()
    assert not source._thread.is_alive()


def test_a_show_that_ends_ends_a_process_that_waits_for_the_next_bake(folder, tmp_path):
    source = start(opened(folder), FrameCache(tmp_path, 10**9))
    try:
        polled(source, 5)
        wait_for(lambda: source.stations.nearest(1) == 1, "the end of the bake")
    finally:
        source.close()
    assert source._process._child is None


def test_a_station_that_cannot_be_baked_leaves_the_journey_where_it_is(folder, tmp_path):
    loaded = opened(folder)
    broken = tuple(dataclasses.replace(one, weights=tmp_path / "gone.pth") for one in loaded.stations)
    source = start(dataclasses.replace(loaded, stations=broken), FrameCache(tmp_path / "cache", 10**9))
    try:
        wait_for(lambda: source.poll() is None or source.fault, "a fault")
        assert "the journey stays where it is" in source.fault and "\n" not in source.fault
    finally:
        source.close()


def test_a_bake_that_died_is_tried_again_and_the_journey_goes_on(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(journey_room, "RETRY_S", 0.3)
    cache = FrameCache(tmp_path / "cache", 10**9)
    source = start(opened(folder), cache)
    try:
        polled(source, 5)
        wait_for(lambda: bake_children() or None, "the process")
        for child in bake_children():
            child.kill()
        source.want([0, 1, 2])
        found, faults = set(), set()

        def all_there():
            found.update((one.variant, one.depth_index) for one in source.poll() if one.finished)
            faults.add(source.fault)
            return len(found) == 10 and source.fault is None

        wait_for(all_there, "both stations")
        assert [one for one in faults if one and "the dream's process died" in one and "stays where it is" in one]
    finally:
        source.close()


@pytest.mark.parametrize("fault", [OSError(11, "Resource temporarily unavailable"), MemoryError()])
def test_whatever_fails_is_tried_again(folder, cache, monkeypatch, fault):
    monkeypatch.setattr(journey_room, "RETRY_S", 0.3)
    frames_of(Stations(opened(folder), cache), 0)
    source = start(opened(folder), cache)
    frames, n_tries, faults = source.stations.frames, [], set()

    def failing(number, *, preview=False):
        n_tries.append(number)
        if len(n_tries) == 1:
            raise fault
        return frames(number, preview=preview)

    try:
        polled(source, 5)
        monkeypatch.setattr(source.stations, "frames", failing)
        source.want([0, 1])
        wait_for(lambda: faults.add(source.fault) or (source.poll() and source.fault is None) or None, "the next one")
        assert n_tries[:2] == [1, 1]
        (line,) = faults - {None}
        assert type(fault).__name__ in line and "stays where it is" in line and "\n" not in line
    finally:
        source.close()


def test_a_preset_without_a_journey_becomes_one_when_asked(tiny_preset):
    assert opened(tiny_preset).journey is None and opened(tiny_preset).stations == ()
    loaded = opened(tiny_preset, journey=0)
    assert loaded.journey.loop == 0
    assert [one.settings.layer for one in loaded.stations] == ["block2.expand"]
    with pytest.raises(BadInput, match="--journey 2: must be 0, or at least 5"):
        opened(tiny_preset, journey=2)


def test_the_variants_of_a_preset_are_the_stations_of_its_journey(tiny_preset, tmp_path):
    shutil.copytree(tiny_preset, tmp_path / "two")
    file = tmp_path / "two" / "preset.yaml"
    file.write_text(file.read_text() + "variants: [{layer: block3.expand}]\n")
    loaded = opened(tmp_path / "two", journey=0)
    assert [one.settings.layer for one in loaded.stations] == ["block2.expand", "block3.expand"]
    assert len(loaded.variants) == 1 and loaded.settings.variants == []


def test_a_journey_is_baked_beforehand(folder, tmp_path):
    cache = FrameCache(tmp_path / "cache", 10**9)
    steps = list(bake(opened(folder, journey=5), cache))
    assert (steps[-1].done, steps[-1].total, steps[-1].n_stations) == (20, 20, 5)
    assert [one.done for one in steps] == sorted(one.done for one in steps)
    assert not steps[-1].from_cache and len(cache.entries()) == 5 and steps[-1].folder == cache.folder
    again = list(bake(opened(folder, journey=5), cache))
    assert again[-1].from_cache and again[-1].device == "cache"


def test_a_journey_that_does_not_fit_into_the_cache_is_said(folder, tmp_path):
    cache = FrameCache(tmp_path / "cache", 14 * SIZE[0] * SIZE[1] * 3)
    with pytest.raises(VisualizerError, match=r"the stations of the journey do not fit .*raise cache\.max_gb"):
        list(bake(opened(folder, journey=5), cache))


def test_the_guide_of_a_station_must_be_there(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "guided")
    file = tmp_path / "guided" / "preset.yaml"
    file.write_text(file.read_text().replace("{layer: block2.expand}, {", "{guide: leaves.png}, {"))
    with pytest.raises(BadInput, match=r"journey\.stations\.0\.guide: 'leaves\.png' is not a file"):
        opened(tmp_path / "guided")


def test_one_process_bakes_all_stations(folder, tmp_path):
    """Starting another for each would take seconds every time."""
    cache = FrameCache(tmp_path / "cache", 10**9)
    source, found = start(opened(folder), cache), set()
    try:
        source.want([0, 1, 2])

        def all_there():
            found.update(bake_pids())
            source.poll()
            return len(cache.entries()) == 3 and not source.stations.fault

        wait_for(all_there, "three stations")
        assert len(found) == 1 and source.fault is None
    finally:
        source.close()
    assert not bake_pids() & found


def test_a_station_that_begins_with_a_picture_leads_to_the_next_one(folder, cache):
    picture, loaded = smooth(SIZE, 9), opened(folder)
    stations = Stations(loaded, cache)
    for number in range(3):
        frames_of(stations, number)
    stations.begin(2, picture)
    frames = frames_of(stations, 2)
    assert np.array_equal(frames[0], picture)
    expected = next_image(frames[2], stations.crop(2), light_of(loaded.image), 0.5)
    assert np.array_equal(frames_of(stations, 3)[0], expected)
    frames_of(stations, 1)
    assert np.array_equal(frames_of(stations, 2)[0], picture), "the one before, read again, leaves it as it is"


@pytest.mark.parametrize("centre", ["fixed", "dreamt"])
def test_a_picture_comes_into_a_station_that_is_not_finished(folder, cache, centre):
    loaded = with_settings(opened(folder), centre=centre)
    stations = Stations(loaded, cache)
    next(stations.frames(0))
    crop = stations.crop(0)
    stations.begin(1, smooth(SIZE, 9))
    assert stations.nearest(1) == 1
    frames_of(stations, 1)
    frames_of(stations, 0)
    assert stations.crop(0) == crop, "where it lies was shown already"
    assert np.array_equal(frames_of(stations, 1)[0], smooth(SIZE, 9))


def test_another_layer_comes_from_a_station_on(folder, cache):
    stations = Stations(opened(folder), cache)
    image = [frames_of(stations, number)[0] for number in range(3)][1]
    assert stations.next_layer(1) == "block2.expand"
    layers = [stations._dream(number).settings.layer for number in range(4)]
    assert layers == ["block2.expand", "block2.expand", "block3.expand", "block2.expand"]
    assert np.array_equal(frames_of(stations, 1)[0], image)
    assert stations.next_layer(1) == "block3.expand"


def test_a_loop_keeps_its_stations(folder, cache):
    loop = opened(folder, journey=5)
    assert "comes back" in Stations(loop, cache).refusal
    assert Stations(opened(folder), cache).refusal == ""


def with_picture(source, number, picture):
    """Begin a station with a picture behind a show, and its frames and those of the others that are wanted."""
    source.stations.begin(number, picture)
    assert not [one for one in source._ready if one.variant >= number]
    source.want([number, *range(number)])
    found = polled(source, 5)
    while {one.depth_index for one in found if one.variant == number and one.finished} != set(range(5)):
        found += polled(source, 1)
    return [one for one in found if one.variant == number]


def test_a_picture_interrupts_the_bake_in_the_same_process(folder, tmp_path):
    loaded = open_preset(str(folder), size=(480, 270))
    cache = FrameCache(tmp_path / "cache", 10**9)
    source = start(loaded, cache)
    try:
        source.want([0, 1, 2])
        polled(source, 2)
        children = bake_pids()
        for seed in (3, 4, 5):  # each interrupts the one before
            picture = smooth(loaded.size, seed)
            source.stations.begin(1, picture)
            source.want([1, 0])
            wait_for(lambda: [one for one in source.poll() if one.variant == 1], "the picture's station")
        found = with_picture(source, 1, picture)
        assert np.array_equal(found[0].frame, picture)
        alone = Stations(loaded, FrameCache(tmp_path / "other", 10**9))
        alone.begin(1, picture)
        expected = frames_of(alone, 1)
        last = {one.depth_index: one.frame for one in found if one.finished}
        assert all(np.array_equal(last[depth], expected[depth]) for depth in range(5))
        assert bake_pids() == children
        source.want([1, 0])  # what was interrupted is finished afterwards
        rest = []
        wait_for(
            lambda: rest.extend(source.poll()) or {(0, 4), (1, 4)} & {(one.variant, one.depth_index) for one in rest},
            "the first station",
        )
        assert all(one.finished for one in rest), "no preview takes the place of what is there"
        assert all(one.depth_index for one in rest), "the image means another station"
    finally:
        source.close()


@pytest.mark.parametrize("is_named", [True, False])
def test_a_picture_is_dreamt_before_an_older_station_goes_on(folder, tmp_path, monkeypatch, is_named):
    """A show names the station of a picture two display frames after the interruption."""
    loaded = open_preset(str(folder), size=(480, 270))
    source = start(loaded, FrameCache(tmp_path / "cache", 10**9))
    frames, begun = source.stations.frames, []

    def noted(number, *, preview=False):
        begun.append(number)
        return frames(number, preview=preview)

    monkeypatch.setattr(source.stations, "frames", noted)
    try:
        source.want([0, 1])
        polled(source, 2)
        del begun[:]
        source.stations.begin(1, smooth(loaded.size, 9))
        source.want([0])
        wait_for(lambda: not source._renewed, "the interruption")
        source.want([1, 0] if is_named else [0])
        wait_for(lambda: source.poll() is None or begun or None, "the next bake")
        assert begun[0] == (1 if is_named else 0)
    finally:
        source.close()


def test_that_a_station_cannot_be_kept_is_said(folder, tmp_path):
    (tmp_path / "full").write_text("no folder can be made here")
    source = start(opened(folder), FrameCache(tmp_path / "full" / "cache", 10**9))
    try:
        wait_for(lambda: source.poll() is None or source.fault, "a line")
        assert "not kept for next time" in source.fault
    finally:
        source.close()


def test_a_process_waits_for_a_picture_where_all_is_in_the_cache(folder, cache):
    frames_of(Stations(opened(folder), cache), 0)
    source = start(opened(folder), cache)
    try:
        wait_for(lambda: source.poll() is None or bake_children() or None, "a process")
        found = with_picture(source, 1, smooth(SIZE, 21))
        assert np.array_equal(found[0].frame, smooth(SIZE, 21))
    finally:
        source.close()


def test_whatever_comes_in_between_each_station_has_its_own_frames(folder, cache):
    source, rng = start(opened(folder), cache), np.random.default_rng(5)
    begun, wanted = {}, [0, 1, 2]
    try:
        for turn in range(40):
            what = rng.integers(4)
            number = int(rng.integers(1, 4))
            if what == 0 and source.stations._has_image(number - 1):
                source.stations.begin(number, picture := smooth(SIZE, turn))
                begun = {one: image for one, image in begun.items() if one < number} | {number: picture}
                wanted = [number, *(one for one in wanted if one < number)]
            elif what == 1 and source.stations._has_image(number - 1):
                source.stations.next_layer(number)
                begun = {one: image for one, image in begun.items() if one <= number}
            else:
                wanted = sorted(rng.permutation(4)[:3].tolist(), key=lambda one: (one - number) % 4)
            source.want(wanted)
            for _ in range(int(rng.integers(1, 12))):
                for one in source.poll():
                    assert what > 0 or one.variant <= number, "those after it are forgotten"
                    if one.depth_index == 0 and one.variant in begun:
                        assert np.array_equal(one.frame, begun[one.variant])
                time.sleep(0.003)
        assert source.fault is None
    finally:
        source.close()


def test_a_journey_that_goes_on_bakes_nothing_before_the_stations_that_are_wanted(folder, cache):
    """They are in the cache; the first, which it has left long ago, is not known any more."""
    stations = Stations(opened(folder), cache)
    for number in range(4):
        frames_of(stations, number)
    n_dreams = len(cache.entries())
    source = start(opened(folder), cache, stations.known([2, 3]))
    try:
        time.sleep(0.2)  # so long the show takes to say what it wants
        assert not bake_pids(), "no process is started before the first picture of the show"
        source.want([3, 2])
        assert {one.variant for one in polled(source, 10)} == {2, 3}
        assert len(cache.entries()) == n_dreams
    finally:
        source.close()


def test_a_journey_goes_back_where_a_station_behind_it_is_lost(folder, tmp_path):
    cache = FrameCache(tmp_path / "cache", 10**9)
    source = start(opened(folder), cache)
    try:
        source.want([0, 1])
        polled(source, 10)
        wait_for(lambda: 2 in source.stations._images, "the image of the next one")
        source.stations._images = {2: source.stations._images[2]}
        for number in (0, 1):
            cache.remove(source.stations._keys[number])
        source.want([2])
        polled(source, 5)
        source.want([2, 1, 0])
        found = []

        def all_there():
            found.extend(source.poll())
            return {(0, 4), (1, 4)} <= {(one.variant, one.depth_index) for one in found if one.finished}

        wait_for(all_there, "both stations", 60.0)
        assert source.fault == "station 1 of the journey is in the cache no more: another is dreamt in its place"
    finally:
        source.close()


def test_a_station_that_becomes_wanted_while_it_is_baked_for_the_next_one_comes(folder, cache, monkeypatch):
    source = start(opened(folder), cache)
    frames = source.stations.frames

    def frames_then_wanted(number, *, preview=False):
        for placed in frames(number, preview=preview):
            if number == 1 and not preview:
                source.want([1, 2])
            yield placed

    try:
        polled(source, 5)
        monkeypatch.setattr(source.stations, "frames", frames_then_wanted)
        source.want([2])
        assert {one.variant for one in polled(source, 10)} == {1, 2}
    finally:
        source.close()


def test_the_process_of_a_bake_ends_once_all_of_a_loop_is_baked(folder, cache):
    loaded = opened(folder, journey=5)
    stations = Stations(loaded, cache)
    for number in range(5):
        frames_of(stations, number)
    cache.remove(stations._keys[4])
    source, seen = start(loaded, cache), set()
    try:
        source.want([4])

        def has_ended():
            source.poll()
            seen.update(children := bake_pids())
            return bool(seen) and not children

        wait_for(has_ended, "the end of the process")
        assert source.stations.is_complete and source.fault is None
        assert source.stations.dreams(4).from_cache
    finally:
        source.close()
