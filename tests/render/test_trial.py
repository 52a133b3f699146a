"""The trial of looks: what is refused before a show draws it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.render.isf import isf
from visualizer.errors import GraphicsError
from visualizer.render import trial
from visualizer.render.chain import Link
from visualizer.render.offscreen import Offscreen
from visualizer.render.trial import TrialOptions, try_links

OPTIONS = TrialOptions((64, 36), (64, 36))
SLOW = "float v = TIME; for (int i = 0; i < 20000; i++) v = fract(1.7 * v + sin(v + float(i))); gl_FragColor = vec4(v);"


def test_a_look_that_takes_too_long_for_a_small_picture_is_refused(tmp_path, monkeypatch):
    with Offscreen(OPTIONS.size) as surface:
        assert try_links(surface, [Link(isf(tmp_path, "gl_FragColor = vec4(1.0);", name="quick"))], OPTIONS) > 0
        monkeypatch.setattr(trial, "LONGEST_S", 0.02)  # a busy machine may take longer for a quick one, too
        with pytest.raises(GraphicsError, match="look slow: takes .* s for a picture of 64x36 px; make it simpler, or"):
            try_links(surface, [Link(isf(tmp_path, SLOW, name="slow"))], OPTIONS)


def test_all_of_the_picture_is_timed_however_small_the_surface_is(tmp_path, monkeypatch):
    """That of a trial is a hidden window of 16x16 px. A look that takes long elsewhere would be shown."""
    monkeypatch.setattr(trial, "LONGEST_S", 0.02)
    elsewhere = isf(tmp_path, f"gl_FragColor = vec4(1.0); if (gl_FragCoord.x > 20.0) {{ {SLOW} }}", name="elsewhere")
    with Offscreen((16, 16)) as surface, pytest.raises(GraphicsError, match="look elsewhere: takes .* of 64x36 px"):
        try_links(surface, [Link(elsewhere)], OPTIONS)


def test_the_programs_of_a_journey_are_tried(tmp_path):
    look = isf(tmp_path, "gl_FragColor = vec4(1.0);\n#ifdef JOURNEY\nnothing;\n#endif", name="static")
    with Offscreen(OPTIONS.size) as surface:
        assert try_links(surface, [Link(look)], OPTIONS) > 0
        with pytest.raises(GraphicsError, match="nothing"):
            try_links(surface, [Link(look)], replace(OPTIONS, is_journey=True))
