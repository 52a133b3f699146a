from __future__ import annotations

import numpy as np
import pytest

from visualizer.show.frametimes import N_RECENT, NO_TIMES, FrameTimes

PERIOD_S = 1 / 60


@pytest.fixture
def times():
    return FrameTimes(PERIOD_S)


def test_before_the_first_display_frame_there_are_none(times):
    assert times.recent() == times.overall() == NO_TIMES


def test_percentiles_are_those_of_the_times_that_came(times):
    seconds = np.random.default_rng(3).gamma(20, 0.001, N_RECENT)
    for each in seconds:
        times.note(each, each)
    assert times.recent() == pytest.approx(np.percentile(seconds, (50, 95, 99)) * 1000)
    assert times.overall() == pytest.approx(np.percentile(seconds, (50, 95, 99)) * 1000, abs=0.5)


def test_the_recent_ones_forget_and_the_overall_ones_do_not(times):
    for _ in range(N_RECENT):
        times.note(0.1, 0.1)
    for _ in range(N_RECENT):
        times.note(0.01, 0.01)
    assert times.recent().p99_ms == pytest.approx(10)
    assert times.overall().p99_ms == pytest.approx(100, abs=0.2)
    assert times.work_s == 0.01


def test_on_time_none_is_dropped_or_repeated(times):
    for jitter in np.random.default_rng(0).uniform(-0.4, 0.4, 1000):
        times.note(PERIOD_S * (1 + jitter), 0.001)
    assert (times.n_dropped, times.n_repeated) == (0, 0)


@pytest.mark.parametrize(("periods", "n_repeated"), [(1.4, 0), (2.0, 1), (3.1, 2), (61.0, 60)])
def test_refreshes_without_a_new_display_frame_are_counted(times, periods, n_repeated):
    times.note(PERIOD_S, 0.001)
    times.note(PERIOD_S * periods, 0.001)
    assert times.n_repeated == n_repeated


def test_one_that_hardly_stood_is_dropped(times):
    for periods in (1.0, 1.7, 0.3, 1.0):
        times.note(PERIOD_S * periods, 0.001)
    assert (times.n_dropped, times.n_repeated) == (1, 1)


def test_the_first_has_none_before_it(times):
    times.note(5.0, 0.001)
    assert times.n_repeated == 0


def test_a_pause_of_minutes_is_kept_with_the_longest(times):
    times.note(PERIOD_S, 0.0)
    times.note(300.0, 0.0)
    assert times.overall().p99_ms == pytest.approx(500)
