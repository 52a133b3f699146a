"""What looks keep from one display frame to the next: the same in a show, an export and a replay, seen or not; and
transitions that a look draws.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.render.isf import image, isf, kept, number
from tests.show.nights import TheseTimes
from tests.show.ramp import N_DEPTHS, SIZE, Frames, Steady, grey, preset
from tests.show.test_frame import Pixels
from visualizer.errors import BadInput, GraphicsError
from visualizer.presets.dreams import DreamFrame
from visualizer.render.canvas import Canvas
from visualizer.render.look_renderer import LookRenderer
from visualizer.render.offscreen import Offscreen
from visualizer.render.programs import Programs
from visualizer.settings import RenderSettings, TransitionSettings
from visualizer.show.frame import FrameLoop
from visualizer.show.guard import Guard
from visualizer.show.open_looks import open_links, open_transition
from visualizer.show.stage import BLACKOUT_S, Scene, Stage, build_picture, date_at

#: the picture and what is left of those before it; after 0.2 s a third
GLOW = """
    vec4 seen = IMG_THIS_PIXEL(inputImage);
    vec4 past = IMG_THIS_PIXEL(glow) * exp(-TIMEDELTA / 0.2);
    gl_FragColor = PASSINDEX == 0 ? max(seen, past) : IMG_THIS_PIXEL(glow);"""
COUNT = "gl_FragColor = IMG_THIS_PIXEL(sum) + vec4(1.0 / 255.0, 0.0, 0.0, 1.0);"


@pytest.fixture
def surface():
    with Offscreen(SIZE) as offscreen:
        yield offscreen


@pytest.fixture
def staged(surface, tmp_path):
    """staged(looks, base, transition) -> a stage with a preset of greys, or for `bring` a scene of it."""

    def loaded(looks, base=0, transition=None):
        of = preset(base=base)
        settings = of.settings.model_copy(update={"render": RenderSettings(looks=looks, transition=transition)})
        return replace(of, settings=settings, folder=tmp_path)

    class Staged:
        def __init__(self):
            isf(tmp_path, GLOW, image("inputImage"), name="glow", passes=[kept("glow", FLOAT=True), {}])
            isf(tmp_path, COUNT, name="count", passes=[kept("sum", FLOAT=True)])
            self.programs = Programs(surface.ctx)

        def scene(self, looks, base=0, transition=None):
            of = loaded(looks, base, transition)
            frames = [DreamFrame(0, depth, grey(base + 10 * depth), True) for depth in range(1, N_DEPTHS + 1)]
            return Scene(build_picture(of, surface, self.programs), Frames(frames), of)

        def stage(self, *given, **named):
            return Stage(surface, self.scene(*given, **named))

        def draw(self, stage, time_s, depth=4.0, size=SIZE, dt_s=1 / 60, attempts=None):
            """The grey of the first pixel, or its three colours."""
            surface.make_current()
            stage.advance(dt_s)
            stage.draw(Steady(depth, 0.0).features_at(time_s), size, attempts)
            assert surface.ctx.error == "GL_NO_ERROR"
            return surface.read()[0, 0].tolist()

    return Staged()


# --- whether it is seen or not


def test_what_is_kept_does_not_depend_on_what_is_seen(staged):
    """A blackout, and a window that is minimised: afterwards all is as it would have been."""
    seen, unseen = staged.stage(["count"]), staged.stage(["count"])
    for index in range(60):
        time_s, size = index / 60, (0, 0) if 40 < index < 50 else SIZE
        unseen.is_dark = 5 < index < 20
        one, other = staged.draw(seen, time_s), staged.draw(unseen, time_s, size=size)
        if index < 5 or (index >= 20 + BLACKOUT_S * 60 + 1 and size == SIZE):
            assert one == other == [index + 1, 0, 0]
        elif 5 + BLACKOUT_S * 60 + 1 < index < 20:
            assert other == [0, 0, 0]


def test_a_look_that_keeps_nothing_is_not_drawn_where_nothing_is_seen(staged, monkeypatch):
    drawn, inner = [], LookRenderer.draw
    monkeypatch.setattr(
        LookRenderer, "draw", lambda self, *given, **named: (drawn.append(1), inner(self, *given, **named))
    )
    stage = staged.stage(["crossfade"])
    for size in (SIZE, (0, 0)):
        staged.draw(stage, 0.1, size=size)
    assert len(drawn) == 1


def test_time_of_a_look_begins_with_its_scene_and_again_with_a_recording(staged, tmp_path):
    isf(tmp_path, "gl_FragColor = vec4(TIME / 2.55, 0.0, 0.0, 1.0);", name="clock")
    stage = staged.stage(["clock"])
    assert [staged.draw(stage, 60 + one)[0] for one in (0.0, 0.1, 1.0)] == [0, 10, 100]
    stage.clear_history()
    assert [staged.draw(stage, 62 + one)[0] for one in (0.0, 0.5)] == [0, 50]
    assert [staged.draw(stage, 10 + one)[0] for one in (0.0, 0.5)] == [0, 50], "after a seek backwards"
    hidden = staged.stage(["clock"])
    staged.draw(hidden, 1.0, size=(0, 0))
    assert staged.draw(hidden, 2.0)[0] == 100, "display frames that are not seen count, too"


def test_a_frozen_picture_stands_and_goes_on_from_there(staged):
    stage = staged.stage(["count"])
    times_s = [0.0, 0.1, 0.2, 0.3]
    assert [staged.draw(stage, one)[0] for one in times_s] == [1, 2, 3, 4]
    stage.freeze(True)
    assert [staged.draw(stage, 1.0 + one)[0] for one in times_s] == [5] * 4
    stage.freeze(False)
    assert [staged.draw(stage, 2.0 + one)[0] for one in times_s] == [6, 7, 8, 9]
    assert [staged.draw(stage, 2.3)[0] for _ in times_s] == [9] * 4, "a paused song"


def test_it_begins_again_where_a_recording_begins(staged):
    stage, fresh = staged.stage(["glow", "count"]), staged.stage(["glow", "count"])
    for index in range(10):
        staged.draw(stage, index / 60)
    stage.clear_history()
    for index in range(10, 20):
        assert staged.draw(stage, index / 60) == staged.draw(fresh, index / 60)


def test_the_date_goes_on_with_the_time_of_the_source(staged, tmp_path):
    isf(tmp_path, "gl_FragColor = vec4(DATE.yz / 255.0, DATE.w / 86400.0, 1.0);", name="date")
    stage = staged.stage(["date"])
    stage.began = stage.began.replace(year=2026, month=11, day=30, hour=23, minute=59, second=59)
    assert staged.draw(stage, 0.5) == [11, 30, 255]
    assert staged.draw(stage, 1.5) == [12, 1, 0]
    assert date_at(stage.began, 1.5) == (2026.0, 12.0, 1.0, 0.5)


# --- display frames a second


def test_a_look_made_for_any_frame_rate_gives_the_same_pictures_at_the_same_times(staged):
    """A glow that decays with time, behind a depth that jumps up and falls, as after kicks. What is seen between two
    display frames is seen at some rates only: a tolerance of 4 of 255.
    """

    def pictures(rate_hz):
        stage, seen = staged.stage(["glow"]), []
        for index in range(2 * rate_hz):
            time_s = index / rate_hz
            grey_seen = staged.draw(stage, time_s, depth=1.0 + 3.0 * 0.5 ** (10 * (time_s % 0.5)), dt_s=1 / rate_hz)[0]
            if index % (rate_hz // 6) == 0:
                seen.append(grey_seen)
        return np.array(seen, float)

    at_60 = pictures(60)
    assert np.ptp(at_60) > 15
    for rate_hz in (30, 144):
        assert np.abs(pictures(rate_hz) - at_60).max() <= 4, rate_hz


# --- a look that fails


def test_a_look_that_fails_is_named_and_the_others_are_drawn(staged, surface, monkeypatch):
    stage = staged.stage(["count", "crossfade"], 100)
    inner = LookRenderer.draw

    def fails(self, *given, **named):
        if self.look.name == "count":
            raise GraphicsError("a test")
        return inner(self, *given, **named)

    monkeypatch.setattr(LookRenderer, "draw", fails)
    said, pixels = [], Pixels()
    guard = Guard(said.append)
    loop = FrameLoop(TheseTimes([0.1, 0.2]), Steady(), stage, Canvas(surface.ctx), [pixels], guard, lambda: SIZE)
    frames = loop.frames()
    assert next(frames).is_drawn and next(frames).is_drawn
    assert said == ["the look count failed (GraphicsError: a test); it is left out"]
    assert [one[0, 0].tolist() for one in pixels.pictures] == [[140] * 3] * 2


# --- transitions


WIPE = """
    gl_FragColor = isf_FragNormCoord.x < progress ? IMG_THIS_PIXEL(endImage) : IMG_THIS_PIXEL(startImage);"""
WIPE_INPUTS = image("startImage"), image("endImage"), number("progress", 0.0)


def test_a_look_leads_from_one_preset_to_the_next_in_the_time_that_the_preset_says(staged, tmp_path, surface):
    isf(tmp_path, WIPE, *WIPE_INPUTS, name="wipe")
    stage = staged.stage(["crossfade"], 0)
    staged.draw(stage, 0.0)
    new = staged.scene(["crossfade"], 100, TransitionSettings(look="wipe", seconds=2.0))
    stage.bring(new)
    edges, n = [], 0
    staged.draw(stage, 0.0)
    while stage.is_crossing:
        staged.draw(stage, n / 60, depth=1.0)
        row = surface.read()[0, :, 0].tolist()
        assert set(row) <= {10, 110} and row == sorted(row, reverse=True)
        edges.append(row.count(110))
        stage.take_gone()
        n += 1
    assert abs(n - 120) <= 2 and edges[0] == 0 and edges[-1] == SIZE[0] and abs(edges[60] - SIZE[0] // 2) <= 1
    assert stage.scene is new and staged.draw(stage, 3.0) == [140] * 3


def test_a_transition_that_fails_is_a_crossfade(staged, tmp_path, monkeypatch):
    isf(tmp_path, WIPE, *WIPE_INPUTS, name="wipe")
    stage = staged.stage(["crossfade"], 0)
    stage.bring(staged.scene(["crossfade"], 100, TransitionSettings(look="wipe", seconds=1.0)))
    inner = LookRenderer.draw

    def fails(self, *given, **named):
        if self.look.name == "wipe":
            raise GraphicsError("a test")
        return inner(self, *given, **named)

    monkeypatch.setattr(LookRenderer, "draw", fails)
    said = []
    guard = Guard(said.append)
    greys = [staged.draw(stage, n / 60, attempts=guard.part)[0] for n in range(62)]
    assert said == ["the transition wipe failed (GraphicsError: a test); the presets are crossfaded"]
    assert greys[0] <= 45 and greys[-1] == 140 and np.diff(greys).min() >= 0 and np.diff(greys).max() < 20


def test_both_presets_go_on_with_what_they_keep_while_a_look_leads_over(staged, tmp_path):
    isf(
        tmp_path,
        "gl_FragColor = vec4(IMG_THIS_PIXEL(startImage).r, IMG_THIS_PIXEL(endImage).r, progress, 1.0);",
        *WIPE_INPUTS,
        name="both",
    )
    stage = staged.stage(["count"])
    for n in range(10):
        staged.draw(stage, n / 60)
    stage.bring(staged.scene(["count"], 0, TransitionSettings(look="both", seconds=1.0)))
    seen = [staged.draw(stage, (10 + n) / 60) for n in range(4)]
    assert [one[:2] for one in seen] == [[11 + n, 1 + n] for n in range(4)]


def test_an_edited_transition_is_drawn_from_then_on(staged, tmp_path):
    isf(tmp_path, "gl_FragColor = vec4(0.2);", *WIPE_INPUTS, name="wipe")
    stage = staged.stage(["crossfade"])
    new = staged.scene(["crossfade"], 0, TransitionSettings(look="wipe", seconds=1.0))
    isf(tmp_path, "gl_FragColor = vec4(vec3(0.4), 1.0);", *WIPE_INPUTS, name="wipe")
    new.exchange(new.loaded, open_links(new.loaded), open_transition(new.loaded))
    isf(tmp_path, "gl_FragColor = nothing;", *WIPE_INPUTS, name="wipe")
    with pytest.raises(GraphicsError, match=r"wipe\.fs"):
        new.exchange(new.loaded, open_links(new.loaded), open_transition(new.loaded))
    stage.bring(new)
    assert [staged.draw(stage, n / 60)[0] for n in range(2)] == [102, 102]


def test_a_transition_begins_again_where_a_recording_begins(staged, tmp_path):
    body = "gl_FragColor = IMG_THIS_PIXEL(sum) + vec4(1.0 / 255.0, 0.0, 0.0, 1.0);"
    isf(tmp_path, body, *WIPE_INPUTS, name="counts", passes=[kept("sum", FLOAT=True)])
    stage = staged.stage(["crossfade"])
    stage.bring(staged.scene(["crossfade"], 0, TransitionSettings(look="counts", seconds=1.0)))
    assert [staged.draw(stage, n / 60)[0] for n in range(4)] == [1, 2, 3, 4]
    stage.clear_history()
    assert [staged.draw(stage, n / 60)[0] for n in range(4, 6)] == [1, 2]


def test_a_transition_that_keeps_something_goes_on_where_nothing_is_seen(staged, tmp_path):
    """In a blackout, and in a window that is minimised."""
    body = "gl_FragColor = IMG_THIS_PIXEL(sum) + vec4(1.0 / 255.0, 0.0, 0.0, 1.0);"
    isf(tmp_path, body, *WIPE_INPUTS, name="counts", passes=[kept("sum", FLOAT=True)])
    stage = staged.stage(["crossfade"])
    stage.bring(staged.scene(["count"], 0, TransitionSettings(look="counts", seconds=3.0)))
    seen = {}
    for index in range(1, 121):
        stage.is_dark = 20 < index < 60
        size = (0, 0) if 90 < index < 110 else SIZE
        red = staged.draw(stage, index / 60, size=size)[0]
        if min(size) > 0:
            seen[index] = red
    assert stage.is_crossing
    assert seen[50] == 0 and [seen[index] for index in (20, 85, 90, 110, 120)] == [20, 85, 90, 110, 120]


@pytest.mark.parametrize(
    ("render", "said"),
    [
        ({"look": "nothing"}, r"render\.transition\.look: unknown "),
        ({"look": "count"}, r"render\.transition\.look: count is no transition; .* startImage, endImage and progress"),
        (
            {"look": "wipe", "parameters": {"progres": 1}},
            r"render\.transition\.parameters\.progres: unknown parameter 'progres'",
        ),
    ],
)
def test_a_transition_that_cannot_be_used_is_named_with_its_place(staged, tmp_path, render, said):
    isf(tmp_path, WIPE, *WIPE_INPUTS, name="wipe")
    with pytest.raises(BadInput, match=said):
        staged.scene(["crossfade"], 0, TransitionSettings(**render))
