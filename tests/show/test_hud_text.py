"""Text over the picture."""

from __future__ import annotations

import pytest

from visualizer.presets.loaded import open_preset
from visualizer.show.frametimes import FrameTimes
from visualizer.show.hud_text import (
    ANSWER_S,
    LONGEST_WAIT_S,
    MOST_WAITING,
    NOTICE_S,
    Notices,
    figure_lines,
)
from visualizer.show.stage import DisplayFrame


@pytest.fixture
def line_at(clock):
    """Notices, and the line that is on the screen at a time."""
    notices = Notices(clock)

    def at(time_s):
        clock.now_s = time_s
        return notices.current()

    at.say, at.answer, at.notices = notices.say, notices.answer, notices
    return at


def test_notices_are_shown_once_each_and_one_after_another(line_at):
    line_at.say("one"), line_at.say("two"), line_at.say("one")
    assert line_at(0.0) == "one"
    assert line_at(NOTICE_S - 0.1) == "one"
    assert line_at(NOTICE_S + 0.1) == "two"
    assert line_at(2 * NOTICE_S + 0.3) is None
    line_at.say("two")
    assert line_at(100.0) is None
    line_at.say("two")
    assert line_at(100.1) == "two", "what happens again later is said again"


def test_a_notice_that_is_not_true_any_more_is_taken_back(line_at):
    line_at.say("no sound"), line_at.say("line 3 is wrong")
    assert line_at(0.0) == "no sound"
    line_at.notices.take_back("line 3 is wrong"), line_at.notices.take_back("never said")
    assert line_at(NOTICE_S + 0.1) is None
    line_at.say("line 3 is wrong")
    assert line_at(NOTICE_S + 0.2) == "line 3 is wrong", "the same mistake, made again"
    line_at.notices.take_back("line 3 is wrong")
    assert line_at(NOTICE_S + 0.3) is None


def test_an_answer_comes_at_once_and_the_notice_goes_on_after_it(line_at):
    line_at.say("notice")
    assert line_at(0.0) == "notice"
    line_at.answer("first"), line_at.answer("sensitivity 1.19")
    assert line_at(1.0) == "sensitivity 1.19"
    assert line_at(1.0 + ANSWER_S) == "sensitivity 1.19"
    assert line_at(1.1 + ANSWER_S) == "notice"
    line_at.answer("sensitivity 1.19")
    assert line_at(5.0) == "sensitivity 1.19", "the same answer may come again"


def test_notices_of_while_nothing_was_drawn_are_not_shown_later(line_at, clock):
    """As in a blackout of ten minutes, with an input that comes and goes."""
    for second in range(600):
        clock.now_s = float(second)
        line_at.say(f"input lost, {second}"), line_at.answer(f"answer {second}")
    assert line_at.notices.line == "answer 599"
    clock.now_s = 605.0
    line_at.say("newest")
    shown = [line_at(605.0 + tenths / 10) for tenths in range(300)]
    lines = [line for line in dict.fromkeys(shown) if line is not None]
    assert lines[0] == "answer 599" and lines[-1] == "newest" and len(lines) <= 4
    assert all(int(line.split()[-1]) >= 595 for line in lines if line != "newest")
    assert shown[round(10 * (LONGEST_WAIT_S + NOTICE_S)) + 1] is None, "nothing waits longer than that"
    line_at.answer("late")
    clock.now_s += LONGEST_WAIT_S + 0.1
    assert line_at.notices.current() is None, "an answer that nobody could see"


@pytest.mark.slow
def test_a_flood_of_notices_is_bounded_and_the_newest_are_kept(line_at):
    for index in range(10_000):
        line_at.say(f"line {index}")
    assert len(line_at.notices._waiting) == MOST_WAITING
    assert line_at(0.0) == f"line {10_000 - MOST_WAITING}"
    assert line_at(NOTICE_S + 0.1) == f"line {10_001 - MOST_WAITING}"
    assert line_at(2 * NOTICE_S + 0.2) is None, "the others have waited too long by then"
    line_at.say("another")
    assert len(line_at.notices._said_s) <= 2


def test_the_figures(tiny_preset):
    loaded = open_preset(str(tiny_preset), size=(64, 36))
    times = FrameTimes(1 / 60)
    for _ in range(10):
        times.note(0.02, 0.01)
    lines = figure_lines(loaded, DisplayFrame(1.0, 2.0, 4), times, 50.0, 1.0, "")
    assert lines[0] == "Tiny"
    assert lines[1].startswith("depth\t2.0 / 4  ||||||||||||············")
    assert lines[2] == "screen\t50 fps   dropped 0   repeated 0"
    assert lines[3] == "frame\t20.0 / 20.0 / 20.0 ms  (50 / 95 / 99 %)"
    assert not any(line.startswith(("dream", "now")) for line in lines)
    lines = figure_lines(loaded, DisplayFrame(1.0, 2.0, 1), times, 50.0, 0.75, "frozen")
    assert "drawn at 75%" in lines[2]
    assert "dream\t1 / 4" in lines and "now\tfrozen" in lines
