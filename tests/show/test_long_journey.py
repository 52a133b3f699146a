"""A live journey of hundreds of stations, its time compressed: nothing that it uses grows."""

from __future__ import annotations

import multiprocessing
import time

import psutil
import pytest

from tests.fixtures.journeys import with_journey
from visualizer.beat.features import Features
from visualizer.memory import give_large_blocks_back
from visualizer.presets.cache import FrameCache
from visualizer.presets.dreams import start
from visualizer.presets.journey import N_STATIONS
from visualizer.presets.loaded import open_preset
from visualizer.render.offscreen import Offscreen
from visualizer.render.programs import Programs
from visualizer.show.stage import Scene, Stage, build_picture
from visualizer.show.travel import N_SLOTS

SIZE = (96, 54)
JOURNEY = "journey: {depth: 2, zoom_per_s: 1.0, stations: [{layer: block2.expand}, {layer: block3.expand}]}\n"
STATION_BYTES = 5 * (SIZE[0] * SIZE[1] * 3 + 1000)
#: where memory is first measured, and where the journey ends; what it may differ by then, bytes
FIRST, LAST, MARGIN_BYTES = 40, 150, 12_000_000


def held_bytes():
    """Memory of this process, and of the one that bakes."""
    bakes = [child.pid for child in multiprocessing.active_children() if child.name == "bake"]
    return [psutil.Process(pid).memory_info().rss for pid in (None, *bakes)]


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_hours_of_a_journey_take_no_more_memory_and_disk_than_its_beginning(tiny_preset, tmp_path):
    give_large_blocks_back()
    loaded = open_preset(str(with_journey(tiny_preset, tmp_path, JOURNEY)), size=SIZE)
    cache = FrameCache(tmp_path / "cache", 40 * STATION_BYTES)
    dreams, held, time_s = start(loaded, cache), {}, 0.0
    end_s = time.monotonic() + 1000

    def go_on():
        nonlocal time_s
        assert time.monotonic() < end_s and dreams.fault is None, dreams.fault
        time_s += 1 / 30
        stage.advance(1 / 30)
        stage.draw(Features(time_s=time_s, level=0.5), SIZE)
        surface.ctx.finish()
        time.sleep(0.002)  # the bake needs the core more than this

    with Offscreen(SIZE) as surface:
        scene = Scene(build_picture(loaded, surface, Programs(surface.ctx)), dreams, loaded)
        stage = Stage(surface, scene)
        stage.journey_speed = 4.0
        try:
            while (position := scene.travel.position) < LAST:
                go_on()
                if int(position) in (FIRST, LAST - 1) and int(position) not in held:
                    held[int(position)] = held_bytes()
                    assert sum(entry.n_bytes for entry in cache.entries()) <= 1.2 * cache.max_bytes
            before, after = held[FIRST], held[LAST - 1]
            assert all(now - then < MARGIN_BYTES for now, then in zip(after, before, strict=True)), (before, after)
            assert scene.picture.n_variants == N_SLOTS and len(scene.frames) <= N_SLOTS * 5
            stations = dreams.stations
            assert len(stations._images) <= 8 and all(stations.dreams(one).from_cache for one in range(N_STATIONS))
            # the oldest of those that were passed are gone, and it can be turned back to those that are not
            assert not cache.entry_folder(stations._keys[FIRST]).exists()
            stage.journey_speed = -1.0
            while scene.travel.position > LAST - 6:
                go_on()
        finally:
            dreams.close()
