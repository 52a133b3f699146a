"""Which second is heard, told without any device."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.audio.clock import AudibleClock, SteadyClock


def test_steady_clock_stands_goes_holds_and_jumps() -> None:
    clock = SteadyClock()
    assert clock.position(5.0) == 0.0
    clock.release(10.0)
    clock.release(11.0)  # again: it is going already
    assert clock.position(12.5) == 2.5
    clock.hold(13.0)
    assert clock.position(99.0) == 3.0
    clock.restart(40.0, 99.0)
    assert clock.position(100.0) == 40.0
    clock.release(100.0)
    assert clock.position(101.0) == 41.0
    clock.restart(7.0, 102.0)
    assert clock.position(103.0) == 8.0


def test_audible_position_is_what_was_handed_over_plus_time_less_latency() -> None:
    clock = AudibleClock(0.05)
    clock.release()
    assert clock.position(1.0) == 0.0
    clock.delivered(1, 0.0, 2.0)
    assert clock.position(2.01) == 0.0  # in the device, not yet in the air
    assert clock.position(2.06) == pytest.approx(0.01)
    clock.delivered(1, 0.5, 2.5)
    assert clock.position(2.6) == pytest.approx(0.55)


def test_pause_holds_exactly_and_resume_takes_up_where_it_stood() -> None:
    clock = AudibleClock(0.05)
    clock.release()
    clock.delivered(1, 1.0, 10.0)
    clock.hold(10.02)
    held = clock.position(10.02)
    assert held == pytest.approx(0.97)
    assert clock.position(500.0) == held
    clock.release()
    assert clock.position(500.5) == held  # the device has not asked yet
    clock.delivered(1, 1.02, 501.0)
    assert clock.position(501.0) == pytest.approx(0.97)
    assert clock.position(501.1) == pytest.approx(1.07)


def test_seek_waits_for_sound_of_the_new_place() -> None:
    clock = AudibleClock(0.05)
    clock.release()
    clock.delivered(1, 1.0, 10.0)
    clock.restart(2, 30.0)
    clock.delivered(1, 1.02, 10.02)  # a block of the old segment that was already on its way
    assert clock.position(10.5) == 30.0
    clock.delivered(2, 30.0, 11.0)
    assert clock.position(11.15) == pytest.approx(30.1)
    clock.restart(3, 2.0)
    assert clock.position(12.0) == 2.0


@given(st.lists(st.tuples(st.floats(0, 0.1), st.floats(-0.02, 0.02)), min_size=2, max_size=50))
def test_never_goes_back_whatever_the_device_does(steps: list[tuple[float, float]]) -> None:
    clock, now_s, place_s, before = AudibleClock(0.04), 0.0, 0.0, 0.0
    clock.release()
    for wait_s, jitter_s in steps:
        now_s += wait_s
        place_s += max(0.0, wait_s + jitter_s)
        clock.delivered(1, place_s, now_s)
        position = clock.position(now_s + 0.001)
        assert position >= before
        before = position
