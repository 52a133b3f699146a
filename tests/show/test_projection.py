"""What is drawn, pixel for pixel: scenes crossed into each other, frozen, black, and drawn small."""

from __future__ import annotations

import numpy as np
import psutil
import pytest

from tests.show.greys import N_DEPTHS, SIZE, Frames, Steady, grey
from visualizer.memory import give_free_memory_back, give_large_blocks_back
from visualizer.presets.dreams import Placed
from visualizer.render.offscreen import Offscreen
from visualizer.render.picture import Picture
from visualizer.settings import BeatSettings
from visualizer.show.projection import BLACKOUT_S, FADE_S, WAIT_S, Projection
from visualizer.show.scene import Scene


@pytest.fixture
def stage():
    """A small stage with a clock that a test sets, and a way to draw what is on it."""
    with Offscreen(SIZE) as offscreen:

        class Small:
            ctx = offscreen.ctx
            now_s = 0.0
            time_s = 0.0
            sound = Steady(variant=0.0)

            def scene(self, base, *, image_only=False, n_depths=N_DEPTHS, polls=None):
                """Frames of a grey that is `base` for the image and 10 more for each depth."""
                picture = Picture(self.ctx, SIZE, n_depths)
                picture.put(0, grey(base))
                if polls is None:
                    polls = [[Placed(0, depth, grey(base + 10 * depth), True) for depth in range(1, n_depths + 1)]]
                return Scene(picture, Frames(*([] if image_only else polls)), n_depths)

            def projection(self, scene):
                return Projection(offscreen, scene, now=lambda: self.now_s)

            def draw(self, projection, dt_s=1 / 60, size=SIZE):
                """Draw the next display frame; (Shown, the grey of its first pixel)."""
                self.now_s += dt_s
                self.time_s += dt_s
                offscreen.ctx.clear(1.0, 0.0, 1.0)
                shown = projection.draw(self.time_s, self.sound, size)
                return shown, int(offscreen.read()[0, 0, 0])

            def read(self):
                return offscreen.read()

        yield Small()


def test_one_scene_is_drawn_as_the_sound_says(stage):
    projection = stage.projection(stage.scene(50))
    stage.sound.depth = 2.5
    shown, level = stage.draw(projection)
    assert (shown.depth, shown.variant, shown.n_baked) == (2.5, 0.0, N_DEPTHS)
    assert level == 75


# --- from one to the next


def test_scenes_cross_evenly_and_the_old_one_leaves(stage):
    old, new = stage.scene(0), stage.scene(100)
    projection = stage.projection(old)
    assert stage.draw(projection)[1] == 40
    assert projection.bring(new) is None
    levels, gone = [], None
    while gone is None:
        levels.append(stage.draw(projection)[1])
        gone = projection.take_gone()
        assert len(levels) < 100
    assert gone is old and projection.scene is new and projection.take_gone() is None
    # as dark as the old one at first; the new one's reach starts at what it has, so it ends at its own depth
    assert levels[0] <= 45 and levels[-1] == 140
    assert np.diff(levels).min() >= 0 and np.diff(levels).max() < 20
    assert len(levels) == pytest.approx(FADE_S * 60, abs=3)


def test_both_move_while_they_cross(stage):
    projection = stage.projection(stage.scene(0))
    projection.bring(stage.scene(100))
    for _ in range(20):
        stage.draw(projection)
    stage.sound.depth = 0.0
    (_, low), stage.sound.depth = stage.draw(projection), 4.0
    _, high = stage.draw(projection)
    assert high - low > 30


def test_the_old_one_stays_until_the_next_has_its_first_depth(stage):
    projection = stage.projection(stage.scene(0))
    late = stage.scene(100, polls=[[]] * 30 + [[Placed(0, 1, grey(110), True)]])
    projection.bring(late)
    assert [stage.draw(projection)[1] for _ in range(30)] == [40] * 30
    assert projection.coming is late
    stage.draw(projection)
    assert projection.scene is late and projection.is_crossing


def test_but_not_for_ever(stage):
    projection = stage.projection(stage.scene(0))
    projection.bring(stage.scene(100, image_only=True))
    for _ in range(int((WAIT_S + FADE_S) * 60) + 5):
        level = stage.draw(projection)[1]
    assert level == 100


def test_one_that_never_came_is_given_back(stage):
    first, second = stage.scene(100, image_only=True), stage.scene(200)
    projection = stage.projection(stage.scene(0))
    projection.bring(first)
    stage.draw(projection)
    assert projection.bring(second) is first
    for _ in range(60):
        level = stage.draw(projection)[1]
    assert level == 240


def test_scenes_of_different_depths_cross_at_the_same_level(stage):
    projection = stage.projection(stage.scene(0))
    projection.bring(stage.scene(100, n_depths=2))
    stage.draw(projection)
    assert projection.is_crossing
    shown, level = stage.draw(projection)
    assert shown.depth == 2.0 and level < 60, "the old one is as deep as before"


def test_with_the_motion_steps_only_whole_depths_are_shown(stage):
    scene = stage.scene(50)
    scene.beat = BeatSettings(motion="steps")
    projection = stage.projection(scene)
    stage.sound.depth = 2.6
    shown, level = stage.draw(projection)
    assert shown.depth == 3.0 and level == 80


def test_the_fade_goes_on_after_a_pause_where_it_was(stage):
    projection = stage.projection(stage.scene(0))
    projection.bring(stage.scene(100))
    stage.draw(projection)
    stage.draw(projection, dt_s=30.0)
    assert projection.is_crossing


# --- freeze


def test_frozen_the_picture_stands_and_then_goes_on(stage):
    projection = stage.projection(stage.scene(50))
    stage.sound.depth = 2.0
    stage.draw(projection)
    projection.freeze(True)
    assert stage.draw(projection)[1] == 70
    stage.sound.depth = 4.0
    assert [stage.draw(projection)[1] for _ in range(5)] == [70] * 5
    projection.freeze(False)
    assert stage.draw(projection)[1] == 90
    assert not projection.is_frozen


def test_a_frozen_picture_can_be_crossed_to_another_of_the_same_depth(stage):
    projection = stage.projection(stage.scene(0))
    stage.draw(projection)
    projection.freeze(True)
    projection.bring(stage.scene(100))
    for _ in range(120):
        level = stage.draw(projection)[1]
    assert level == 140


# --- blackout


def test_it_fades_to_black_and_back(stage):
    projection = stage.projection(stage.scene(160))
    stage.draw(projection)
    projection.is_dark = True
    down = [stage.draw(projection)[1] for _ in range(int(BLACKOUT_S * 60) + 2)]
    assert down[0] > 170 and down[-1] == 0 and projection.is_black
    assert np.diff(down).max() <= 0 and np.diff(down).min() > -25
    assert down[len(down) // 2 - 1] == pytest.approx(100, abs=15)
    assert stage.read().max() == 0
    projection.is_dark = False
    up = [stage.draw(projection)[1] for _ in range(int(BLACKOUT_S * 60) + 2)]
    assert up[-1] == 200 and np.diff(up).min() >= 0


def test_turned_back_halfway_it_does_not_jump(stage):
    projection = stage.projection(stage.scene(160))
    stage.draw(projection)
    projection.is_dark = True
    levels = [stage.draw(projection)[1] for _ in range(9)]
    projection.is_dark = False
    levels += [stage.draw(projection)[1] for _ in range(9)]
    assert np.abs(np.diff(levels)).max() < 25 and 80 < min(levels) < 120


# --- size


def test_drawn_small_it_is_stretched_over_the_whole(stage):
    projection = stage.projection(stage.scene(50))
    for scale in (0.75, 0.5, 1.0):
        projection.scale = scale
        stage.draw(projection)
        assert stage.read().min() == stage.read().max() == 90


def test_at_full_size_every_pixel_is_the_frames_own(stage):
    picture = Picture(stage.ctx, SIZE, 1)
    frames = np.random.default_rng(5).integers(0, 256, (2, SIZE[1], SIZE[0], 3), np.uint8)
    for index, frame in enumerate(frames):
        picture.put(index, frame)
    projection = stage.projection(Scene(picture, Frames(), 1))
    stage.sound.depth = N_DEPTHS
    stage.draw(projection)
    assert np.array_equal(stage.read(), frames[1])
    projection.scale = 0.5
    stage.draw(projection)
    assert not np.array_equal(stage.read(), frames[1])
    projection.scale = 1.0
    stage.draw(projection)
    assert np.array_equal(stage.read(), frames[1])


def test_small_black_and_crossing_all_at_once(stage):
    projection = stage.projection(stage.scene(0))
    projection.scale = 0.5
    projection.bring(stage.scene(100))
    for _ in range(20):
        stage.draw(projection)
    projection.is_dark = True
    for _ in range(9):
        level = stage.draw(projection)[1]
    assert 20 < level < 80
    assert stage.ctx.error == "GL_NO_ERROR"


def test_minimised_nothing_is_drawn_and_the_fades_go_on(stage):
    projection = stage.projection(stage.scene(0))
    projection.bring(stage.scene(100))
    for _ in range(120):
        shown, level = stage.draw(projection, size=(0, 0))
        projection.take_gone()
    assert level == 255, "the test's own magenta"
    assert shown.depth == N_DEPTHS and not projection.is_crossing


def test_releasing_twice_is_fine(stage):
    projection = stage.projection(stage.scene(0))
    projection.bring(stage.scene(100))
    stage.draw(projection)
    projection.release()
    projection.release()


# --- what is kept of one that has left


@pytest.mark.alone
@pytest.mark.slow
def test_nothing_is_kept_of_the_one_that_left():
    """Software drawing keeps textures in the process: when a large picture has gone and a small one is shown, they have gone, too."""
    large, small, n_depths = (640, 360), (64, 36), 20
    process = psutil.Process()
    give_large_blocks_back()

    def scene(ctx, size):
        picture = Picture(ctx, size, n_depths)
        for depth in range(n_depths + 1):
            picture.put(depth, np.full((size[1], size[0], 3), 10 * depth, np.uint8))
        return Scene(picture, Frames(), n_depths)

    with Offscreen(large) as offscreen:
        now_s = 0.0
        software = "llvmpipe" in offscreen.ctx.info["GL_RENDERER"]
        projection = Projection(offscreen, scene(offscreen.ctx, small), now=lambda: now_s)
        held = []
        for size in (large, small) * 3:
            projection.bring(scene(offscreen.ctx, size))
            gone = None
            while gone is None:
                now_s += 1 / 60
                projection.draw(now_s, Steady(variant=0.0), large)
                offscreen.ctx.finish()
                gone = projection.take_gone()
                assert now_s < 60
            gone.picture.release()
            projection.draw(now_s, Steady(variant=0.0), large)
            offscreen.ctx.finish()
            give_free_memory_back()
            held.append(process.memory_full_info().uss / 1e6)
    if software:
        assert min(held[2::2]) - max(held[3::2]) > 0.8 * large[0] * large[1] * 4 * n_depths / 1e6, held
    else:
        assert max(held[3::2]) - held[1] < 5, held
