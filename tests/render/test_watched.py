"""The window that reads back what it shows."""

from __future__ import annotations

import math

import pytest

from visualizer.render.watched import WatchedWindow


def test_every_picture_is_noted_with_its_brightness_and_times(screen):
    times = iter(range(1000))
    with WatchedWindow((320, 180), "watched", now=lambda: float(next(times))) as window:
        n_before = len(window.seen)
        for grey in (0.0, 0.2, 1.0, 0.6):
            window.ctx.clear(grey, grey, grey, 1.0)
            window.swap()
        seen = window.seen[n_before:]
    assert [one.brightness for one in seen] == pytest.approx([0.0, 0.2, 1.0, 0.6], abs=0.01)
    assert all(one.shown_s == one.drawn_s + 1 for one in seen)


def test_it_is_the_middle_that_is_read(screen):
    with WatchedWindow((320, 180), "watched") as window:
        window.ctx.clear(1.0, 1.0, 1.0, 1.0)
        window.ctx.clear(0.0, 0.0, 0.0, 1.0, viewport=(150, 80, 20, 20))
        window.swap()
        assert window.seen[-1].brightness == 0.0


def test_a_window_without_a_picture_has_no_brightness(screen, monkeypatch):
    with WatchedWindow((320, 180), "watched") as window:
        monkeypatch.setattr(WatchedWindow, "framebuffer_size", (0, 0))
        window.swap()
        assert math.isnan(window.seen[-1].brightness)
