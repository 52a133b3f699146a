"""Which look is turned off, and when."""

from __future__ import annotations

from visualizer.show.budget import LookBudget


def turned_off(budget, work_s, look_times_s, *, seconds=10.0, can_be_smaller=False):
    """Display frames that all take as long, until a look is turned off -> (its index, after how many seconds)."""
    passed_s = 0.0
    while passed_s < seconds:
        passed_s += work_s
        times = look_times_s if budget.is_measuring else []
        if (index := budget.note(work_s, times, can_be_smaller=can_be_smaller)) is not None:
            return index, passed_s
    return None


def test_the_slowest_look_is_turned_off_after_a_second_of_measuring():
    index, after_s = turned_off(LookBudget(0.1), 0.15, [0.02, 0.12, 0.01])
    assert index == 1 and 1.0 <= after_s <= 1.6


def test_looks_within_the_budget_stay_however_long_it_takes():
    assert turned_off(LookBudget(0.1), 0.09, [0.09]) is None
    assert turned_off(LookBudget(0.1), 0.5, [0.05, 0.06]) is None, "something else is slow"


def test_while_a_smaller_picture_may_help_only_one_that_stands_still_is_turned_off():
    assert turned_off(LookBudget(0.1), 0.15, [0.14], can_be_smaller=True) is None
    assert turned_off(LookBudget(0.1), 0.4, [0.39], can_be_smaller=True) is not None
    assert turned_off(LookBudget(0.5), 0.4, [0.39], can_be_smaller=True) is None


def test_a_single_slow_display_frame_begins_again():
    budget = LookBudget(0.1)
    for _ in range(20):
        assert budget.note(0.4, [0.4], can_be_smaller=False) is None
        assert budget.note(0.4, [0.4], can_be_smaller=False) is None
        assert budget.is_measuring
        assert budget.note(0.02, [0.01], can_be_smaller=False) is None
        assert not budget.is_measuring
