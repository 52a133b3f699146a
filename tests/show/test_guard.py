"""Parts that fail alone: what is reported, what is logged, when they are tried again."""

import logging

import pytest

from visualizer.show.guard import LOG_S, RECOVERY_S, WAITS_S, Guard


@pytest.fixture
def show():
    class Show:
        now_s, said = 100.0, []

    found = Show()
    found.said = []
    found.guard = Guard(found.said.append, now=lambda: found.now_s)
    found.part = found.guard.part("analysis", "the picture moves by itself")
    return found


def fail(part, words="bad block"):
    with part:
        raise ValueError(words)


def test_a_failure_ends_at_its_part_is_told_once_and_logged_with_its_traceback(show, caplog):
    with caplog.at_level(logging.ERROR):
        fail(show.part)
        fail(show.part)
    assert show.said == ["the analysis failed (ValueError: bad block); the picture moves by itself"]
    assert len(caplog.records) == 1 and caplog.records[0].exc_info[1].args == ("bad block",)
    assert show.guard.faults() == ("analysis: ValueError: bad block",)
    assert show.part.n_faults == 2


def test_it_is_suspended_longer_and_longer_and_never_for_good(show):
    waits = []
    for _ in range(10):
        fail(show.part)
        before = show.now_s
        while show.part.is_suspended:
            show.now_s += 0.01
        waits.append(show.now_s - before)
    assert waits[: len(WAITS_S)] == pytest.approx(WAITS_S, abs=0.02)
    assert waits[-1] == pytest.approx(WAITS_S[-1], abs=0.02)


def test_it_has_recovered_after_a_while_without_failures_and_says_so(show):
    fail(show.part)
    with show.part:
        pass
    assert show.part.n_in_a_row, "once is not enough"
    show.now_s += RECOVERY_S
    with show.part:
        pass
    assert not show.part.n_in_a_row and show.guard.faults() == ()
    assert show.said[-1] == "the analysis works again"
    fail(show.part)
    assert len(show.said) == 3, "another time is reported again"


def test_one_that_fails_for_hours_does_not_fill_the_log(show, caplog):
    with caplog.at_level(logging.ERROR):
        for _ in range(1000):
            show.now_s += 0.06
            fail(show.part)
    assert len(caplog.records) <= 60 / LOG_S + 1


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_meant_to_end_the_show_ends_it(show, end):
    with pytest.raises(end), show.part:
        raise end
    assert not show.part.n_in_a_row


def test_lines_wait_for_a_screen_and_one_that_fails_takes_nothing_along():
    guard = Guard(now=lambda: 0.0)
    fail(guard.part("drawing", "plain"))
    said = []
    guard.report_to(said.append)
    assert said == ["the drawing failed (ValueError: bad block); plain"]
    guard.report_to(lambda line: 1 / 0)
    fail(guard.part("words", "none"))
    assert len(guard.faults()) == 2


def test_a_long_or_many_lined_error_is_one_short_line(show):
    fail(show.part, "first\nsecond " + "x" * 1000)
    assert "\n" not in show.said[0] and len(show.said[0]) < 260
