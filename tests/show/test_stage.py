"""What is drawn, pixel for pixel: transitions, freeze and blackout; and how far the sound acts on what is baked."""

from __future__ import annotations

import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.show.ramp import N_DEPTHS, SIZE, Frames, Steady, grey, preset
from visualizer.beat.features import Features
from visualizer.looks.look import find_look
from visualizer.memory import give_free_memory_back, give_large_blocks_back
from visualizer.presets.dreams import DreamFrame
from visualizer.render.chain import Link
from visualizer.render.offscreen import Offscreen
from visualizer.render.picture import Picture
from visualizer.settings import BeatSettings
from visualizer.show.depth import DepthLimiter
from visualizer.show.stage import BLACKOUT_S, FADE_S, WAIT_S, Scene, Stage


@pytest.fixture
def small():
    """A small surface with a time that a test sets, and a way to draw what is on the stage."""
    with Offscreen(SIZE) as offscreen:

        class Small:
            ctx = offscreen.ctx
            time_s = 0.0
            sound = Steady(variant=0.0)

            def scene(self, base, *, image_only=False, n_depths=N_DEPTHS, polls=None):
                """Frames of a grey that is `base` for the image and 10 more for each depth."""
                picture = Picture(self.ctx, SIZE, n_depths)
                picture.put(0, grey(base))
                if polls is None:
                    polls = [[DreamFrame(0, depth, grey(base + 10 * depth), True) for depth in range(1, n_depths + 1)]]
                return Scene(picture, Frames(*([] if image_only else polls)), preset(n_depths))

            def stage(self, scene):
                return Stage(offscreen, scene)

            def draw(self, stage, dt_s=1 / 60, size=SIZE):
                """Draw the next display frame; (DisplayFrame, the grey of its first pixel)."""
                self.time_s += dt_s
                offscreen.ctx.clear(1.0, 0.0, 1.0)
                stage.advance(dt_s)
                shown = stage.draw(self.sound.features_at(self.time_s), size)
                return shown, int(offscreen.read()[0, 0, 0])

            def read(self):
                return offscreen.read()

        yield Small()


def test_one_scene_is_drawn_as_the_sound_says(small):
    stage = small.stage(small.scene(50))
    small.sound.depth = 2.5
    shown, level = small.draw(stage)
    assert (shown.depth, shown.variant, shown.n_baked) == (2.5, 0.0, N_DEPTHS)
    assert level == 75


# --- from one to the next


def test_scenes_cross_evenly_and_the_old_one_leaves(small):
    old, new = small.scene(0), small.scene(100)
    stage = small.stage(old)
    assert small.draw(stage)[1] == 40
    assert stage.bring(new) is None
    levels, gone = [], None
    while gone is None:
        levels.append(small.draw(stage)[1])
        gone = stage.take_gone()
        assert len(levels) < 100
    assert gone is old and stage.scene is new and stage.take_gone() is None
    # as dark as the old one at first; the new one's reach starts at what it has, so it ends at its own depth
    assert levels[0] <= 45 and levels[-1] == 140
    assert np.diff(levels).min() >= 0 and np.diff(levels).max() < 20
    assert len(levels) == pytest.approx(FADE_S * 60, abs=3)


def test_both_move_while_they_cross(small):
    stage = small.stage(small.scene(0))
    stage.bring(small.scene(100))
    for _ in range(20):
        small.draw(stage)
    small.sound.depth = 0.0
    (_, low), small.sound.depth = small.draw(stage), 4.0
    _, high = small.draw(stage)
    assert high - low > 30


def test_the_old_one_stays_until_the_next_has_its_first_depth(small):
    stage = small.stage(small.scene(0))
    late = small.scene(100, polls=[[]] * 30 + [[DreamFrame(0, 1, grey(110), True)]])
    stage.bring(late)
    assert [small.draw(stage)[1] for _ in range(30)] == [40] * 30
    assert stage.coming is late
    small.draw(stage)
    assert stage.scene is late and stage.is_crossing


def test_but_not_for_ever(small):
    stage = small.stage(small.scene(0))
    stage.bring(small.scene(100, image_only=True))
    for _ in range(int((WAIT_S + FADE_S) * 60) + 5):
        level = small.draw(stage)[1]
    assert level == 100


def test_one_that_never_came_is_given_back(small):
    first, second = small.scene(100, image_only=True), small.scene(200)
    stage = small.stage(small.scene(0))
    stage.bring(first)
    small.draw(stage)
    assert stage.bring(second) is first
    for _ in range(60):
        level = small.draw(stage)[1]
    assert level == 240


def test_scenes_of_different_depths_cross_at_the_same_level(small):
    stage = small.stage(small.scene(0))
    stage.bring(small.scene(100, n_depths=2))
    small.draw(stage)
    assert stage.is_crossing
    shown, level = small.draw(stage)
    assert shown.depth == 2.0 and level < 60, "the old one is as deep as before"


def test_with_the_motion_steps_only_whole_depths_are_shown(small):
    scene = small.scene(50)
    scene.beat = BeatSettings(motion="steps")
    stage = small.stage(scene)
    small.sound.depth = 2.6
    shown, level = small.draw(stage)
    assert shown.depth == 3.0 and level == 80


# --- at any frame rate


def test_the_same_sound_gives_the_same_picture_at_the_same_times_at_any_frame_rate(small):
    """A transition, a blackout and depths that arrive: every 1/6 s, which 30, 60 and 144 display frames a second
    share.
    """

    def pictures(rate_hz):
        sixth = rate_hz // 6
        polls = [[]] * (sixth - 1) + [[DreamFrame(0, depth, grey(110 + 10 * depth), True) for depth in range(1, 3)]]
        stage = small.stage(small.scene(0))
        seen = []
        for index in range(2 * rate_hz):
            small.sound.depth = 2.5 + 1.5 * np.sin(2 * np.pi * index / rate_hz)
            small.draw(stage, dt_s=1 / rate_hz)
            if index % sixth == 0:
                seen.append(small.read().astype(float))
            if index == sixth:
                stage.bring(small.scene(100, polls=polls))
            if index in (7 * sixth, 10 * sixth):
                stage.is_dark = not stage.is_dark
        return np.stack(seen)

    at_60 = pictures(60)
    assert at_60.max() > 100 and at_60.min() == 0
    for rate_hz in (30, 144):
        assert np.abs(pictures(rate_hz) - at_60).max() <= 1, rate_hz


# --- freeze


def test_frozen_the_picture_stands_and_then_goes_on(small):
    stage = small.stage(small.scene(50))
    small.sound.depth = 2.0
    small.draw(stage)
    stage.freeze(True)
    assert small.draw(stage)[1] == 70
    small.sound.depth = 4.0
    assert [small.draw(stage)[1] for _ in range(5)] == [70] * 5
    stage.freeze(False)
    assert small.draw(stage)[1] == 90
    assert not stage.is_frozen


def test_a_frozen_picture_can_be_crossed_to_another_of_the_same_depth(small):
    stage = small.stage(small.scene(0))
    small.draw(stage)
    stage.freeze(True)
    stage.bring(small.scene(100))
    for _ in range(120):
        level = small.draw(stage)[1]
    assert level == 140


# --- blackout


def test_it_fades_to_black_and_back(small):
    stage = small.stage(small.scene(160))
    small.draw(stage)
    stage.is_dark = True
    down = [small.draw(stage)[1] for _ in range(int(BLACKOUT_S * 60) + 2)]
    assert down[0] > 170 and down[-1] == 0
    assert np.diff(down).max() <= 0 and np.diff(down).min() > -25
    assert down[len(down) // 2 - 1] == pytest.approx(100, abs=15)
    assert small.read().max() == 0
    stage.is_dark = False
    up = [small.draw(stage)[1] for _ in range(int(BLACKOUT_S * 60) + 2)]
    assert up[-1] == 200 and np.diff(up).min() >= 0


def test_turned_back_halfway_it_does_not_jump(small):
    stage = small.stage(small.scene(160))
    small.draw(stage)
    stage.is_dark = True
    levels = [small.draw(stage)[1] for _ in range(9)]
    stage.is_dark = False
    levels += [small.draw(stage)[1] for _ in range(9)]
    assert np.abs(np.diff(levels)).max() < 25 and 80 < min(levels) < 120


# --- size


def test_at_its_own_size_every_pixel_is_the_frames_own(small):
    picture = Picture(small.ctx, SIZE, 1)
    frames = np.random.default_rng(5).integers(0, 256, (2, SIZE[1], SIZE[0], 3), np.uint8)
    for index, frame in enumerate(frames):
        picture.put(index, frame)
    stage = small.stage(Scene(picture, Frames(), preset(1)))
    small.draw(stage)
    assert np.array_equal(small.read(), frames[1])


def test_black_and_crossing_at_once(small):
    stage = small.stage(small.scene(0))
    stage.bring(small.scene(100))
    for _ in range(20):
        small.draw(stage)
    stage.is_dark = True
    for _ in range(9):
        level = small.draw(stage)[1]
    assert 20 < level < 80
    assert small.ctx.error == "GL_NO_ERROR"


def test_minimised_nothing_is_drawn_and_the_fades_go_on(small):
    stage = small.stage(small.scene(0))
    stage.bring(small.scene(100))
    for _ in range(120):
        shown, level = small.draw(stage, size=(0, 0))
        stage.take_gone()
    assert level == 255, "the test's own magenta"
    assert shown.depth == N_DEPTHS and not stage.is_crossing


def test_releasing_twice_is_fine(small):
    stage = small.stage(small.scene(0))
    stage.bring(small.scene(100))
    small.draw(stage)
    stage.release()
    stage.release()


# --- what is kept of one that has left


@pytest.mark.alone
@pytest.mark.slow
def test_nothing_is_kept_of_the_one_that_left():
    """Software drawing keeps textures in the process: when a large picture has gone and a small one is shown, they
    have gone, too.
    """
    large, small, n_depths = (640, 360), (64, 36), 20
    process = psutil.Process()
    give_large_blocks_back()

    def scene(ctx, size):
        picture = Picture(ctx, size, n_depths)
        for depth in range(n_depths + 1):
            picture.put(depth, np.full((size[1], size[0], 3), 10 * depth, np.uint8))
        return Scene(picture, Frames(), preset(n_depths, size=size))

    with Offscreen(large) as offscreen:
        time_s = 0.0
        software = "llvmpipe" in offscreen.ctx.info["GL_RENDERER"]
        stage = Stage(offscreen, scene(offscreen.ctx, small))
        held = []
        for size in (large, small) * 3:
            stage.bring(scene(offscreen.ctx, size))
            gone = None
            while gone is None:
                time_s += 1 / 60
                stage.advance(1 / 60)
                stage.draw(Steady(variant=0.0).features_at(time_s), large)
                offscreen.ctx.finish()
                gone = stage.take_gone()
                assert time_s < 60
            gone.picture.release()
            stage.draw(Steady(variant=0.0).features_at(time_s), large)
            offscreen.ctx.finish()
            give_free_memory_back()
            held.append(process.memory_full_info().uss / 1e6)
    if software:
        assert min(held[2::2]) - max(held[3::2]) > 0.8 * large[0] * large[1] * 4 * n_depths / 1e6, held
    else:
        assert max(held[3::2]) - held[1] < 5, held


# --- how far the sound acts on what is baked


@given(st.floats(0, 20), st.integers(0, 20))
def test_the_limiter_never_asks_for_what_is_not_there(depth, available):
    limiter = DepthLimiter(20)
    for _ in range(5):
        limiter.advance(available, 0.1)
        assert 0 <= limiter.limited(depth) <= available


def test_once_all_is_baked_nothing_is_limited():
    limiter = DepthLimiter(20)
    limiter.advance(20, 0.0)
    assert limiter.limited(13.7) == pytest.approx(13.7)


def test_the_limit_eases_when_a_depth_arrives():
    limiter = DepthLimiter(20)
    limiter.advance(5, 0.0)
    shown = [limiter.limited(20.0)]
    assert shown == [pytest.approx(5.0)]
    for _ in range(60):
        limiter.advance(6, 1 / 60)
        shown.append(limiter.limited(20.0))
    assert np.abs(np.diff(shown)).max() < 0.2
    assert shown[-1] == pytest.approx(6.0, abs=0.01)


def test_the_limit_does_not_depend_on_the_frame_rate():
    slow, fast = DepthLimiter(20), DepthLimiter(20)
    slow.advance(0, 0.0), fast.advance(0, 0.0)
    for _ in range(6):
        slow.advance(10, 1 / 30)
    for _ in range(24):
        fast.advance(10, 1 / 120)
    assert slow.limited(20) == pytest.approx(fast.limited(20), rel=1e-6)


# --- looks


def test_a_look_hears_the_music_and_is_turned(small, tmp_path):
    (tmp_path / "own.frag").write_text(
        '/*{"INPUTS": [{"NAME": "gain", "TYPE": "float", "DEFAULT": 0.5}, {"NAME": "image", "TYPE": "image"}]}*/\n'
        '#version 330 core\n#include "base/music.glsl"\nout vec4 colour;\nvoid main() { colour = vec4(gain * energy); }\n'
    )
    picture = Picture(small.ctx, SIZE, N_DEPTHS, [Link(find_look("own", tmp_path))])
    picture.put(0, grey(50))
    stage = small.stage(Scene(picture, Frames(), preset()))
    assert stage.needs == {"bass", "mid", "high"}, "what the energy is made of"
    assert stage.scene.news == ()
    small.sound.features_at = lambda time_s: Features(time_s, bass=0.4, mid=0.4, high=0.4)
    assert small.draw(stage)[1] == 51
    stage.set_by_hand({"look.gain": 1.0})
    assert small.draw(stage)[1] == 102
    stage.set_by_hand({"look.gain": 0.0, "look.gain.source": "high", "look.gain.amount": 1.0})
    assert small.draw(stage)[1] == 41
    stage.set_by_hand({})
    assert small.draw(stage)[1] == 51


EVENT = """/*{"INPUTS": [{"NAME": "flash", "TYPE": "event"}]}*/
#version 330 core
out vec4 colour;
void main() { colour = vec4(float(flash)); }
"""


def test_an_event_passes_with_a_display_frame_that_is_not_drawn(small, tmp_path, monkeypatch):
    """As before the part of an export, and in a minimised window: it is not seen later."""
    monkeypatch.setenv("VISUALIZER_CONFIG_DIR", str(tmp_path))
    (tmp_path / "looks").mkdir()
    (tmp_path / "looks" / "flash.frag").write_text(EVENT)
    picture = Picture(small.ctx, SIZE, N_DEPTHS, [Link(find_look("flash"))])
    picture.put(0, grey(50))
    stage = small.stage(Scene(picture, Frames(), preset()))
    seen = []
    for size in (SIZE, (0, 0)):
        stage.fire("look.flash")
        small.draw(stage, size=size)
        seen.append([small.draw(stage)[1] for _ in range(2)])
        stage.fire("look.flash")
        seen.append([small.draw(stage)[1] for _ in range(2)])
    assert seen == [[0, 0], [255, 0], [0, 0], [255, 0]]
    stage.begin_dark()
    stage.fire("look.flash")
    assert small.draw(stage)[1] == 0
    stage.is_dark = False
    stage.advance(BLACKOUT_S)
    assert small.draw(stage)[1] == 0, "it does not wait for the end of a blackout"
