"""The garbage collector in the loop: when it works, and an hour of display frames that leave nothing behind."""

from __future__ import annotations

import gc
import subprocess
import sys
from itertools import islice

import numpy as np
import pytest

from visualizer.show.adapt import RenderScale
from visualizer.show.frametimes import FrameTimes
from visualizer.show.loop import display_frames
from visualizer.show.scene import Scene
from visualizer.show.sweep import YOUNG, no_pauses
from visualizer.show.words import Notices


@pytest.fixture
def collections():
    """The generations collected, in order."""
    seen = []

    def note(phase, info):
        if phase == "start":
            seen.append(info["generation"])

    gc.callbacks.append(note)
    yield seen
    gc.callbacks.remove(note)


def rings(n):
    """Garbage that only the collector can take away."""
    for _ in range(n):
        ring = []
        ring.append(ring)


def test_nothing_is_collected_until_there_is_time(collections):
    with no_pauses() as sweep:
        collections.clear()
        rings(20 * YOUNG)
        assert collections == []
        sweep.rest()
        assert collections == [0]
        sweep.rest()
        assert collections == [0], "nothing new"
    assert gc.isenabled() and gc.get_freeze_count() == 0


def test_the_middle_aged_are_looked_through_now_and_then_the_old_never(collections):
    with no_pauses() as sweep:
        collections.clear()
        for _ in range(25):
            rings(2 * YOUNG)
            sweep.rest()
    assert collections.count(1) == 2 and collections.count(0) == 23 and 2 not in collections


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    try:
        with no_pauses():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_an_error_switches_it_on_again():
    with pytest.raises(ValueError), no_pauses():
        raise ValueError
    assert gc.isenabled()


class FastClock:
    """Sixty display frames a second, without the seconds."""

    def __init__(self):
        self.n = 0
        self.times = FrameTimes(1 / 60)

    def tick(self):
        self.n += 1

    def now(self):
        return self.n / 60

    def drawn(self):
        pass

    def shown(self):
        self.times.note(1 / 60, 0.01)


class NoStage:
    framebuffer_size = (16, 8)

    def finish(self):
        pass

    def swap(self):
        pass


class NoPicture:
    n_variants, deepest = 2, 20

    def put(self, *_):
        pass

    def deepest_of(self, _variant):
        return 20

    def draw(self, *_):
        pass


class NoDreams:
    fault = None

    def poll(self):
        return []


class Murmur:
    """Sound that, as the real one, makes arrays and rings as it goes."""

    def pump(self, time_s):
        self.block = np.full(128, time_s)
        rings(1)

    def level_at(self, time_s):
        return 0.5 + 0.5 * float(np.sin(time_s))

    def variant_at(self, time_s):
        return time_s % 1


@pytest.mark.long
def test_an_hour_leaves_nothing_behind_and_the_old_are_never_looked_through(collections):
    clock, scale = FastClock(), RenderScale(1 / 60)
    notices = Notices(clock.now)
    scene = Scene(NoPicture(), NoDreams(), 20)
    second, hour = 60, 3600 * 60
    with no_pauses() as sweep:

        def rest():
            sweep.rest()
            scale.note(clock.times.work_s)

        frames = display_frames(NoStage(), scene, clock, Murmur(), rest)
        for _ in islice(frames, 20 * second):  # warm: whatever is made once
            notices.current()
        gc.collect()
        collections.clear()
        before, n_objects = sys.getallocatedblocks(), len(gc.get_objects())
        most = 0
        for index, _ in enumerate(islice(frames, hour)):
            notices.current()
            if index % (60 * second) == 0:
                most = max(most, sys.getallocatedblocks() - before)
        during = list(collections)
        gc.collect()
        left, left_objects = sys.getallocatedblocks() - before, len(gc.get_objects()) - n_objects
    assert clock.times.n_frames >= hour
    assert 2 not in during, "a look through everything in the middle of the show"
    assert len(during) > 50, "it must be looked at all"
    assert most < 4 * YOUNG + 10 * YOUNG, "no more than what waits for its collection"
    assert left < 500 and left_objects < 200


HELD = """
import numpy as np, psutil
from visualizer.show.sweep import GIVE_BACK_EVERY, no_pauses

process, kept = psutil.Process(), []
with no_pauses() as sweep:
    blocks = [np.ones(100_000, np.uint8) for _ in range(600)]
    kept = blocks[::30]  # what stays lies between what goes, up to the end of the heap
    kept.append(blocks[-1])
    del blocks
    before = process.memory_info().rss
    for _ in range(GIVE_BACK_EVERY):
        sweep.rest()
print(before - process.memory_info().rss)
"""


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only glibc, Linux's C library, can be told to give memory back"
)
def test_free_memory_is_given_back_now_and_then():
    done = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, check=True, timeout=60)
    assert int(done.stdout) > 40e6
