"""The garbage collector in the loop: when it works, and an hour of display frames that leave nothing behind."""

from __future__ import annotations

import gc
import subprocess
import sys
from contextlib import ExitStack
from fractions import Fraction
from itertools import islice

import numpy as np
import pytest

from tests.show.ramp import grey, preset
from visualizer.beat.features import Features
from visualizer.outputs.output import Output
from visualizer.presets.dreams import DreamFrame, ReadyDreams
from visualizer.render.canvas import Canvas
from visualizer.render.offscreen import Offscreen
from visualizer.render.picture import Picture
from visualizer.show.adaptive_size import AdaptiveSize
from visualizer.show.clocks import FrameClock
from visualizer.show.frame import FrameLoop
from visualizer.show.frametimes import FrameTimes
from visualizer.show.garbage import N_YOUNG, scheduled_collection
from visualizer.show.guard import Guard
from visualizer.show.hud_text import Notices
from visualizer.show.source import Source
from visualizer.show.stage import Scene, Stage


@pytest.fixture
def stack():
    with ExitStack() as opened:
        yield opened


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
    with scheduled_collection() as garbage:
        collections.clear()
        rings(20 * N_YOUNG)
        assert collections == []
        garbage.collect_some()
        assert collections == [0]
        garbage.collect_some()
        assert collections == [0], "nothing new"
    assert gc.isenabled() and gc.get_freeze_count() == 0


def test_the_middle_aged_are_looked_through_now_and_then_the_old_never(collections):
    with scheduled_collection() as garbage:
        collections.clear()
        for _ in range(25):
            rings(2 * N_YOUNG)
            garbage.collect_some()
    assert collections.count(1) == 2 and collections.count(0) == 23 and 2 not in collections


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    try:
        with scheduled_collection():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_an_error_switches_it_on_again():
    with pytest.raises(ValueError), scheduled_collection():
        raise ValueError
    assert gc.isenabled()


class FastClock(FrameClock):
    """Sixty display frames a second, without the seconds."""

    def __init__(self):
        super().__init__(Fraction(60))
        self.times = FrameTimes(1 / 60)

    def shown(self):
        self.times.note(1 / 60, 0.01)


class NoScreen(Output):
    """Shows nothing, at once."""

    def __init__(self, clock):
        self._clock = clock

    def present(self, canvas, sound, features):
        self._clock.shown()


class Murmur(Source):
    """Sound that, as the real one, makes arrays and rings as it goes."""

    def features_at(self, time_s):
        self.block = np.full(128, time_s)
        rings(1)
        return Features(time_s, level=0.5 + 0.5 * float(np.sin(time_s)), variant=time_s % 1)


@pytest.mark.long
def test_an_hour_leaves_nothing_behind_and_the_old_are_never_looked_through(collections, stack):
    clock, scale = FastClock(), AdaptiveSize(1 / 60)
    notices = Notices(clock.now)
    surface = stack.enter_context(Offscreen((2, 2)))
    picture = Picture(surface.ctx, (2, 2), 20, n_variants=2)
    dreams = ReadyDreams([DreamFrame(v, d, grey(9, (2, 2)), True) for v in range(2) for d in range(21)])
    stage = Stage(surface, Scene(picture, dreams, preset(20, n_variants=2, size=(2, 2))))
    second, hour = 60, 3600 * 60
    with scheduled_collection() as garbage:

        class Loop(FrameLoop):
            def after(self, shown):
                garbage.collect_some()
                scale.note(clock.times.work_s)

        loop = Loop(clock, Murmur(), stage, Canvas(surface.ctx), [NoScreen(clock)], Guard(), lambda: (2, 2))
        frames = loop.frames()
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
    assert most < 4 * N_YOUNG + 10 * N_YOUNG, "no more than what waits for its collection"
    assert left < 500 and left_objects < 200


HELD = """
import numpy as np, psutil
from visualizer.show.garbage import RETURN_EVERY, scheduled_collection

process, kept = psutil.Process(), []
with scheduled_collection() as garbage:
    blocks = [np.ones(100_000, np.uint8) for _ in range(600)]
    kept = blocks[::30]  # what stays lies between what goes, up to the end of the heap
    kept.append(blocks[-1])
    del blocks
    before = process.memory_info().rss
    for _ in range(RETURN_EVERY):
        garbage.collect_some()
print(before - process.memory_info().rss)
"""


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only glibc, Linux's C library, can be told to give memory back"
)
def test_free_memory_is_given_back_now_and_then():
    done = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, check=True, timeout=120)
    assert int(done.stdout) > 40e6
