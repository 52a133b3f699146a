"""Holding off the screen saver: tried on whatever runs the tests, and never in the way of a show."""

from __future__ import annotations

import pytest
import wakepy
from wakepy import keep

from visualizer.render.awake import kept_awake


def test_it_says_whether_the_screen_is_kept_awake_and_never_fails(caplog):
    with caplog.at_level("INFO", logger="visualizer"), kept_awake() as held:
        assert held in (True, False)
    assert "screen saver" in caplog.text


def test_it_is_held_while_the_show_runs_and_let_go_after(monkeypatch):
    """wakepy's own pretence of success, for tests."""
    monkeypatch.setenv("WAKEPY_FAKE_SUCCESS", "1")
    with kept_awake() as held:
        assert held
        assert wakepy.current_mode().active
    with pytest.raises(wakepy.NoCurrentModeError):
        wakepy.current_mode()


def test_a_desktop_that_answers_with_nonsense_stops_nothing(monkeypatch, caplog):
    def broken(**_options):
        raise RuntimeError("D-Bus fell over")

    monkeypatch.setattr(keep, "presenting", broken)
    with kept_awake() as held:
        assert not held
    assert "D-Bus fell over" in caplog.text


def test_an_error_of_the_show_itself_comes_through():
    try:
        with kept_awake():
            raise ValueError("the show's own")
    except ValueError as error:
        assert str(error) == "the show's own"
    else:
        raise AssertionError("swallowed")
