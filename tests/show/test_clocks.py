"""Clocks, with time handed in."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from visualizer.show.clocks import LONGEST_STEP_S, FrameClock, Pacer, RateMeter, ScreenClock, pace_hz


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
        clock.wait()
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
        clock.wait()
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


def called_at(wall, *calls_s):
    """A `listen` that sleeps until the next of these times, or as long as it is given."""
    waiting = [100.0 + call_s for call_s in calls_s]

    def listen(timeout_s):
        end_s = wall.time_s + timeout_s
        called = bool(waiting) and waiting[0] <= end_s
        wall.time_s = max(wall.time_s, waiting.pop(0)) if called else end_s
        return called

    return listen


def begun(wall, listen, n, work_s=0.005, rate_hz=50.0):
    """When n display frames of work_s were begun, seconds from the first."""
    pacer, found = Pacer(rate_hz, now=wall.now, sleep=wall.sleep), []
    for _ in range(n):
        pacer.wait(listen)
        found.append(wall.time_s - 100.0)
        wall.time_s += work_s
    return found


def test_a_call_begins_a_display_frame_at_once_and_the_pace_goes_on_from_there():
    wall = Wall()
    assert begun(wall, called_at(wall, 0.033), 4) == pytest.approx([0, 0.02, 0.033, 0.053])


def test_a_call_leaves_the_picture_before_it_most_of_its_time():
    wall = Wall()
    assert begun(wall, called_at(wall, 0.022), 4) == pytest.approx([0, 0.02, 0.031, 0.051])


def test_without_a_call_the_pace_is_as_ever():
    wall = Wall()
    assert begun(wall, called_at(wall), 5) == pytest.approx([0, 0.02, 0.04, 0.06, 0.08])


def test_calls_never_make_it_hurry():
    wall = Wall()
    times_s = begun(wall, lambda timeout_s: True, 100)
    assert np.diff(times_s) == pytest.approx([0.011] * 99)


def test_a_machine_that_is_late_is_not_held_up_by_listening():
    wall = Wall()
    assert begun(wall, lambda timeout_s: pytest.fail("there is no time"), 3, work_s=0.03) == pytest.approx(
        [0, 0.03, 0.06]
    )


def refreshing(wall, clock, works_s, refresh_s=1 / 60):
    """Display frames of so much work, each swap waiting for the screen -> ages of what was heard when shown,
    refreshes missed.
    """
    ages_s, missed, last = [], 0, int(wall.time_s / refresh_s)
    for work_s in works_s:
        clock.wait()
        heard_s = wall.time_s
        wall.time_s += work_s
        clock.drawn()
        refresh = int(wall.time_s / refresh_s + 1e-6) + 1
        wall.time_s = refresh * refresh_s
        clock.shown()
        ages_s.append(wall.time_s - heard_s)
        missed += refresh - last - 1
        last = refresh
    return np.array(ages_s), missed


def test_where_the_swap_waits_a_display_frame_is_begun_as_late_as_it_may_be():
    works_s = np.random.default_rng(0).uniform(0.002, 0.004, 20_000)
    ages_s, missed = {}, {}
    for swap_waits in (False, True):
        wall = Wall()
        clock = ScreenClock(lambda: 0.0, 63.0, swap_waits=swap_waits, now=wall.now, sleep=wall.sleep)
        ages_s[swap_waits], missed[swap_waits] = refreshing(wall, clock, works_s)
    assert missed == {False: 0, True: 0}
    assert np.median(ages_s[False]) > 0.015
    assert np.median(ages_s[True][5000:]) < 0.008


def test_a_machine_that_needs_all_its_time_gets_it():
    wall = Wall()
    clock = ScreenClock(lambda: 0.0, 63.0, swap_waits=True, now=wall.now, sleep=wall.sleep)
    _, missed = refreshing(wall, clock, np.random.default_rng(0).uniform(0.013, 0.0155, 10_000))
    assert missed == 0


def test_a_machine_that_is_late_at_times_is_soon_given_more_of_them():
    """One display frame in 300 takes three times as long: hardly more refreshes are missed than must be."""
    rng = np.random.default_rng(0)
    works_s = np.where(rng.random(60_000) < 1 / 300, 0.013, 0.004)
    wall = Wall()
    clock = ScreenClock(lambda: 0.0, 63.0, swap_waits=True, now=wall.now, sleep=wall.sleep)
    _, missed = refreshing(wall, clock, works_s)
    assert missed <= 25  # in 17 minutes; none were needed


def test_the_step_handed_to_fades_is_the_time_between_display_frames_and_never_a_pause():
    wall = Wall()
    clock = ScreenClock(lambda: 0.0, 1e9, now=wall.now, sleep=wall.sleep)
    steps_s = []
    for pause_s in (0.0, 0.02, 0.03, 30.0):
        wall.time_s += pause_s
        clock.wait()
        steps_s.append(clock.dt_s)
    assert steps_s == pytest.approx([0.0, 0.02, 0.03, LONGEST_STEP_S], abs=1e-6)
    assert clock.time_s == pytest.approx(30.05, abs=1e-6), "which a pause counts in"


def test_the_step_of_the_frame_clock_is_exact():
    clock = FrameClock(Fraction(30000, 1001))
    steps_s = []
    for _ in range(3):
        clock.wait()
        steps_s.append(clock.dt_s)
    assert steps_s == [0.0, 1001 / 30000, 1001 / 30000]
    assert clock.time_s == 2002 / 30000
