"""What follows from a death: decided from how it came alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.supervision.restarts import DEATHS_A_STEP, EARLY_S, MOST_STARTS, WAITS_S, Death, Patience, Restarts

SHOWN = Death(-9, 600.0)
EARLY = Death(-11, 1.0)
DARK = Death(1, None)


def after(*deaths):
    restarts = Restarts()
    return [restarts.after(death) for death in deaths]


@pytest.mark.parametrize("shown_s", [None, 0.1, 1e5])
def test_a_show_that_ends_by_itself_has_ended(shown_s):
    assert after(Death(0, shown_s)) == [("end", 0, 0.0, 0)]
    assert after(SHOWN, EARLY, Death(0, shown_s))[-1] == ("end", 0, 0.0, 0)


@pytest.mark.parametrize(("status", "told"), [(1, 1), (2, 2), (-11, 139), (-9, 137)])
def test_before_the_first_picture_its_status_is_passed_on(status, told):
    assert after(Death(status, None)) == [("end", told, 0.0, 0)]


@pytest.mark.parametrize("status", [1, 2, 139, -9, -11, -6])
def test_after_it_the_show_is_started_again_at_once(status):
    assert after(Death(status, 5.0)) == [("start", 0, 0.0, 0)]


def test_a_hang_is_a_death_whatever_the_status_even_before_the_first_picture():
    for shown_s in (None, 100.0):
        assert after(Death(0, shown_s, hung=True))[0].what == "start"
    assert after(Death(-9, None, hung=True), DARK)[-1] == ("end", 1, 0.0, 0)


def test_dying_while_it_is_taken_down_is_an_end():
    assert after(Death(-11, 50.0, ending=True)) == [("end", 0, 0.0, 0)]
    assert after(Death(-9, 50.0, hung=True, ending=True)) == [("end", 0, 0.0, 0)]
    assert after(Death(1, 50.0, ending=True)) == [("end", 1, 0.0, 0)]


def test_the_sooner_it_dies_the_longer_the_wait():
    verdicts = after(SHOWN, *(9 * [EARLY]))
    assert [verdict.wait_s for verdict in verdicts] == [0, 0, 0, 0.5, 1, 2, 5, 5, 5, 5]
    assert [verdict.step for verdict in verdicts] == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]


def test_a_show_that_held_begins_the_count_anew():
    verdicts = after(*(4 * [EARLY]), Death(-11, EARLY_S), EARLY)
    assert [verdict.step for verdict in verdicts] == [0, 0, 1, 1, 0, 0]
    assert verdicts[-1].wait_s == 0


def test_starts_that_bring_no_picture_come_to_an_end():
    verdicts = after(SHOWN, *(MOST_STARTS * [DARK]))
    assert {verdict.what for verdict in verdicts[:-1]} == {"start"} and verdicts[-1] == ("end", 1, 0.0, 0)
    verdicts = after(SHOWN, *((MOST_STARTS - 1) * [DARK]), EARLY, *((MOST_STARTS - 1) * [DARK]))
    assert {verdict.what for verdict in verdicts} == {"start"}


def test_nothing_is_to_blame_where_there_is_no_display():
    verdicts = after(SHOWN, *(6 * [Death(None, None)]))
    assert [verdict.step for verdict in verdicts] == 7 * [0] and verdicts[-1].wait_s == 5
    assert after(SHOWN, *(MOST_STARTS * [Death(None, None)]))[-1] == ("end", 1, 0.0, 0)


@given(
    st.lists(
        st.builds(
            Death,
            st.none() | st.integers(-64, 255),
            st.none() | st.floats(0, 1e6),
            hung=st.booleans(),
            ending=st.booleans(),
        ),
        max_size=60,
    )
)
def test_a_verdict_is_always_one_that_can_be_carried_out(deaths):
    for verdict in after(*deaths):
        assert (
            verdict.wait_s in WAITS_S
            and 0 <= verdict.status <= 255
            and 0 <= verdict.step <= len(deaths) // DEATHS_A_STEP
        )
    assert all(death.cause and "\n" not in death.cause for death in deaths)


def test_causes_are_told_in_words():
    told = [Death(status, 1.0).cause for status in (-9, -11, 1, -64, None)]
    assert told[:3] == ["killed by signal 9 (SIGKILL)", "killed by signal 11 (SIGSEGV)", "exit status 1"]
    assert told[3].startswith("killed by signal 64") and told[4] == "there is no display"
    assert Death(-9, 1.0, hung=True).cause == "it hung" and Death(-9, None, hung=True).cause == "it did not begin"


def test_patience_runs_out_and_is_renewed():
    patience = Patience(1.0)
    assert [patience.waited(0.25) for _ in range(5)] == [False, False, False, True, True]
    patience.renew(0.3)
    assert not patience.waited(0.25) and patience.waited(0.25)
    patience.renew(None)
    assert not any(patience.waited(1e9) for _ in range(100))


def test_a_night_asleep_is_not_waited_for():
    patience = Patience(5.0)
    assert not patience.waited(8 * 3600.0) and not patience.waited(0.25)
    assert not patience.waited(-1.0)
