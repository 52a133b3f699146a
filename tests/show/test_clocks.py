"""Clocks, with time handed in."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from visualizer.show.clocks import FrameClock, Pacer, RateMeter, ScreenClock, pace_hz


class Wall:
    """A clock that moves only when told, or slept on."""

    def __init__(self):
        self.time_s = 100.0
        self.slept_s = 0.0

    def now(self):
        return self.time_s

    def sleep(self, seconds):
        assert seconds >= 0
        self.slept_s += seconds
        self.time_s += seconds


def test_the_frame_clock_counts_exactly():
    clock = FrameClock(Fraction(30000, 1001))
    for _ in range(30001):
        clock.tick()
    assert clock.frame_index == 30000
    assert clock.now() == pytest.approx(1001.0 + 1001 / 60000, abs=1e-9)


def test_the_pacer_sleeps_what_drawing_left_over():
    wall = Wall()
    pacer = Pacer(50.0, now=wall.now, sleep=wall.sleep)
    for _ in range(101):
        pacer.wait()
        wall.time_s += 0.005  # drawing
    assert wall.time_s - 100.0 == pytest.approx(100 / 50 + 0.005)


def test_the_pacer_never_hurries_to_catch_up():
    wall = Wall()
    pacer = Pacer(50.0, now=wall.now, sleep=wall.sleep)
    pacer.wait()
    wall.time_s += 3.0  # the machine was busy for three seconds
    starts = []
    for _ in range(5):
        pacer.wait()
        starts.append(wall.time_s)
    gaps = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert gaps == pytest.approx([0.02] * 4)


def test_the_pacer_sleeps_not_at_all_when_the_swap_already_waits():
    wall = Wall()
    pacer = Pacer(60.0, now=wall.now, sleep=wall.sleep)
    for _ in range(100):
        pacer.wait()
        wall.time_s += 1 / 60 + 1e-4
    assert wall.slept_s < 1e-3


def test_the_screen_clock_looks_half_a_refresh_ahead():
    clock = ScreenClock(lambda: 12.0, 60.0)
    assert clock.now() == pytest.approx(12.0 + 1 / 120)


def test_the_screen_clock_notes_how_long_display_frames_took_and_worked():
    wall = Wall()
    clock = ScreenClock(lambda: 0.0, 1e9, now=wall.now)  # so fast that it never sleeps
    for wait_s, work_s in ((0.0, 0.004), (0.016, 0.004), (0.030, 0.010)):
        wall.time_s += wait_s
        clock.tick()
        wall.time_s += work_s
        clock.shown()
    assert clock.times.n_frames == 3
    assert clock.times.work_s == pytest.approx(0.010)
    assert clock.times.recent().p50_ms == pytest.approx(20.0)


def test_another_pace_keeps_what_was_counted():
    clock = ScreenClock(lambda: 5.0, 60.0)
    clock.shown()
    clock.set_rate(50.0)
    assert (clock.rate_hz, clock.times.period_s, clock.times.n_frames) == (50.0, 0.02, 1)
    assert clock.now() == pytest.approx(5.0 + 0.01)


def test_the_rate_meter_counts_what_was_shown():
    wall = Wall()
    meter = RateMeter(now=wall.now)
    for _ in range(100):
        wall.time_s += 0.02
        meter.count()
    assert meter.rate_hz == pytest.approx(50.0, rel=0.01)


def test_the_pace_never_falls_short_of_a_screen_whose_rate_was_rounded_down():
    assert pace_hz(59.0, 1 / 59.94) > 59.94  # the swap waits: out of its way
    assert pace_hz(60.0, 0.002) == 60.0  # it does not: the pace is all there is


def test_a_waiting_swap_and_its_pace_show_every_refresh_once():
    wall = Wall()
    refresh_s = 1 / 59.94
    pacer = Pacer(pace_hz(59.0, refresh_s), now=wall.now, sleep=wall.sleep)
    refreshes = []
    for _ in range(600):
        pacer.wait()
        wall.time_s += 0.003  # drawing
        refreshes.append(int(wall.time_s / refresh_s) + 1)  # swap: until the next refresh
        wall.time_s = refreshes[-1] * refresh_s
    assert set(np.diff(refreshes)) == {1}
