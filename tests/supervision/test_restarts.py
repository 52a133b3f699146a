"""What to do after an end, decided from how it came alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.supervision.restarts import CRASHES_PER_STEP, EARLY_S, MAX_STARTS, WAITS_S, Exit, Restarts, Timeout

SHOWN = Exit(-9, 600.0)
EARLY = Exit(-11, 1.0)
DARK = Exit(1, None)


def after(*ends):
    restarts = Restarts()
    return [restarts.after(end) for end in ends]


@pytest.mark.parametrize("shown_s", [None, 0.1, 1e5])
def test_a_show_that_ends_by_itself_has_ended(shown_s):
    assert after(Exit(0, shown_s)) == [("end", 0, 0.0, 0)]
    assert after(SHOWN, EARLY, Exit(0, shown_s))[-1] == ("end", 0, 0.0, 0)


@pytest.mark.parametrize(("status", "expected"), [(1, 1), (2, 2), (-11, 139), (-9, 137)])
def test_before_the_first_picture_its_status_is_passed_on(status, expected):
    assert after(Exit(status, None)) == [("end", expected, 0.0, 0)]


@pytest.mark.parametrize("status", [1, 2, 139, -9, -11, -6])
def test_after_it_the_show_is_started_again_at_once(status):
    assert after(Exit(status, 5.0)) == [("start", 0, 0.0, 0)]


def test_a_hang_is_a_crash_whatever_the_status_even_before_the_first_picture():
    for shown_s in (None, 100.0):
        assert after(Exit(0, shown_s, hung=True))[0].what == "start"
    assert after(Exit(-9, None, hung=True), DARK)[-1] == ("end", 1, 0.0, 0)


def test_a_crash_while_it_closes_is_an_end():
    assert after(Exit(-11, 50.0, ending=True)) == [("end", 0, 0.0, 0)]
    assert after(Exit(-9, 50.0, hung=True, ending=True)) == [("end", 0, 0.0, 0)]
    assert after(Exit(1, 50.0, ending=True)) == [("end", 1, 0.0, 0)]


def test_the_sooner_it_dies_the_longer_the_wait():
    decisions = after(SHOWN, *(9 * [EARLY]))
    assert [decision.wait_s for decision in decisions] == [0, 0, 0, 0.5, 1, 2, 5, 5, 5, 5]
    assert [decision.step for decision in decisions] == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]


def test_a_show_that_held_begins_a_new_count():
    decisions = after(*(4 * [EARLY]), Exit(-11, EARLY_S), EARLY)
    assert [decision.step for decision in decisions] == [0, 0, 1, 1, 0, 0]
    assert decisions[-1].wait_s == 0


def test_starts_that_bring_no_picture_come_to_an_end():
    decisions = after(SHOWN, *(MAX_STARTS * [DARK]))
    assert {decision.what for decision in decisions[:-1]} == {"start"} and decisions[-1] == ("end", 1, 0.0, 0)
    decisions = after(SHOWN, *((MAX_STARTS - 1) * [DARK]), EARLY, *((MAX_STARTS - 1) * [DARK]))
    assert {decision.what for decision in decisions} == {"start"}


def test_nothing_is_to_blame_where_there_is_no_display():
    decisions = after(SHOWN, *(6 * [Exit(None, None)]))
    assert [decision.step for decision in decisions] == 7 * [0] and decisions[-1].wait_s == 5
    assert after(SHOWN, *(MAX_STARTS * [Exit(None, None)]))[-1] == ("end", 1, 0.0, 0)


@given(
    st.lists(
        st.builds(
            Exit,
            st.none() | st.integers(-64, 255),
            st.none() | st.floats(0, 1e6),
            hung=st.booleans(),
            ending=st.booleans(),
        ),
        max_size=60,
    )
)
def test_a_decision_is_always_one_that_can_be_carried_out(ends):
    for decision in after(*ends):
        assert (
            decision.wait_s in WAITS_S
            and 0 <= decision.status <= 255
            and 0 <= decision.step <= len(ends) // CRASHES_PER_STEP
        )
    assert all(end.cause and "\n" not in end.cause for end in ends)


def test_causes_as_text():
    causes = [Exit(status, 1.0).cause for status in (-9, -11, 1, -64, None)]
    assert causes[:3] == ["killed by signal 9 (SIGKILL)", "killed by signal 11 (SIGSEGV)", "exit status 1"]
    assert causes[3].startswith("killed by signal 64") and causes[4] == "there is no display"
    assert Exit(-9, 1.0, hung=True).cause == "it hung" and Exit(-9, None, hung=True).cause == "it did not start"


def test_a_timeout_expires_and_is_reset():
    timeout = Timeout(1.0)
    assert [timeout.has_expired(0.25) for _ in range(5)] == [False, False, False, True, True]
    timeout.reset(0.3)
    assert not timeout.has_expired(0.25) and timeout.has_expired(0.25)
    timeout.reset(None)
    assert not any(timeout.has_expired(1e9) for _ in range(100))


def test_suspended_time_does_not_count():
    timeout = Timeout(5.0)
    assert not timeout.has_expired(8 * 3600.0) and not timeout.has_expired(0.25)
    assert not timeout.has_expired(-1.0)
