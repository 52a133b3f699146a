from __future__ import annotations

import math
import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.looks.test_shipped_looks import LOOKS
from tests.render.pictures import blend, noise, smooth, worst
from visualizer.errors import BadInput, GraphicsError
from visualizer.looks.look import find_look
from visualizer.render.chain import Link
from visualizer.render.dream_texture import cover
from visualizer.render.offscreen import Offscreen
from visualizer.render.picture import Picture

SIZE = (64, 48)
N_DEPTHS = 5
FRAMES = [noise(SIZE, seed) for seed in range(N_DEPTHS + 1)]


@pytest.fixture(scope="module")
def drawn():
    """draw(depth) -> the picture of FRAMES at that depth, pixel for pixel."""
    with Offscreen(SIZE) as stage:
        picture = Picture(stage.ctx, SIZE, N_DEPTHS)
        for index, frame in enumerate(FRAMES):
            picture.put(index, frame)

        def draw(depth: float) -> np.ndarray:
            stage.make_current()  # whatever a test before drew in
            picture.draw(depth, SIZE)
            return stage.read()

        yield draw


def test_a_whole_depth_is_the_dream_frame_itself_bit_for_bit(drawn):
    for index, frame in enumerate(FRAMES):
        assert np.array_equal(drawn(float(index)), frame)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(depth=st.floats(0, N_DEPTHS))
def test_any_depth_is_the_blend_of_its_two_neighbours(drawn, depth):
    assert worst(drawn(depth), blend(FRAMES, depth)) <= 1


def test_every_frame_that_was_put_in_can_be_read_back_bit_for_bit(offscreen):
    frames = {
        (variant, depth): noise(SIZE, 10 * variant + depth)
        for variant, depth in ((0, 0), (0, 1), (0, 4), (1, 0), (1, 5))  # with gaps
    }
    stage = offscreen(SIZE)
    picture = Picture(stage.ctx, SIZE, N_DEPTHS, [Link(find_look("pulse"))], n_variants=2)
    for (variant, depth), frame in frames.items():
        picture.put(depth, frame, variant)
    for (variant, depth), frame in frames.items():
        assert np.array_equal(picture.frame(depth, variant), frame), (variant, depth)
    assert picture.deepest == 1, "reading changes nothing"


def test_the_crossfade_moves_by_no_more_than_a_step_asks_for(drawn):
    """No jump where one pair of frames hands over to the next."""
    before, after = drawn(2 - 1e-4).astype(int), drawn(2 + 1e-4).astype(int)
    assert np.abs(after - before).max() <= 1


@pytest.mark.parametrize(
    ("depth", "shown"),
    [
        (math.nan, 0),
        (-1.0, 0),
        (-math.inf, 0),
        (math.inf, N_DEPTHS),
        (N_DEPTHS + 0.5, N_DEPTHS),
        (1e300, N_DEPTHS),
        (-0.0, 0),
    ],
)
def test_a_depth_that_is_none_is_the_nearest_that_is(drawn, depth, shown):
    assert np.array_equal(drawn(depth), FRAMES[shown])


def test_the_deepest_frame_without_a_gap_is_the_limit(offscreen):
    stage = offscreen(SIZE)
    picture = Picture(stage.ctx, SIZE, 4)

    def shown(depth: float) -> np.ndarray:
        picture.draw(depth, SIZE)
        return stage.read()

    assert picture.deepest == -1
    assert not shown(3.0).any(), "black before there is a frame"
    picture.put(0, FRAMES[0])
    assert picture.deepest == 0
    assert np.array_equal(shown(3.7), FRAMES[0])
    picture.put(2, FRAMES[2])  # out of order: 1 is missing
    assert picture.deepest == 0
    assert np.array_equal(shown(1.0), FRAMES[0])
    picture.put(1, FRAMES[1])
    assert picture.deepest == 2
    assert np.array_equal(shown(9.0), FRAMES[2])
    assert worst(shown(1.25), blend(FRAMES, 1.25)) <= 1
    picture.put(2, FRAMES[4])  # put again: the new one counts
    assert np.array_equal(shown(2.0), FRAMES[4])


def test_put_takes_what_numpy_can_view(offscreen):
    """Mirrored and cut views are not contiguous in memory."""
    stage = offscreen(SIZE)
    picture = Picture(stage.ctx, SIZE, 1)
    wide = noise((SIZE[0] * 2, SIZE[1]), 9)
    for view in (FRAMES[0][::-1], FRAMES[0][:, ::-1], wide[:, ::2], np.asfortranarray(FRAMES[1])):
        picture.put(0, view)
        picture.draw(0, SIZE)
        assert np.array_equal(stage.read(), view)


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (np.zeros((48, 64), np.uint8), r"\(48, 64\) uint8"),
        (np.zeros((48, 64, 4), np.uint8), r"\(48, 64, 4\)"),
        (np.zeros((64, 48, 3), np.uint8), r"must be \(48, 64, 3\) uint8 .* not \(64, 48, 3\)"),
        (np.zeros((48, 64, 3), np.float32), "float32"),
        (np.zeros((0, 0, 3), np.uint8), r"\(0, 0, 3\)"),
    ],
)
def test_a_frame_of_the_wrong_kind_is_refused_and_changes_nothing(offscreen, frame, said):
    picture = Picture(offscreen(SIZE).ctx, SIZE, 1)
    with pytest.raises(BadInput, match=said):
        picture.put(0, frame)
    assert picture.deepest == -1


@pytest.mark.parametrize("depth_index", [-1, 2, 999])
def test_a_frame_for_a_depth_that_is_none_is_refused(offscreen, depth_index):
    picture = Picture(offscreen(SIZE).ctx, SIZE, 1)
    with pytest.raises(BadInput, match=rf"{depth_index} is outside 0\.\.1"):
        picture.put(depth_index, FRAMES[0])


# --- fit


@given(
    frame_size=st.tuples(st.integers(1, 8000), st.integers(1, 8000)),
    size=st.tuples(st.integers(1, 8000), st.integers(1, 8000)),
)
def test_cover_fills_the_picture_evenly_without_stretching(frame_size, size):
    fit = cover(frame_size, size)
    seen_px = [extent * px for extent, px in zip(fit.extent, frame_size, strict=True)]
    assert seen_px[0] / size[0] == pytest.approx(seen_px[1] / size[1], rel=1e-6), "stretched"
    assert max(fit.extent) == pytest.approx(1), "cut on both sides"
    for origin, extent, px in zip(fit.origin, fit.extent, frame_size, strict=True):
        assert origin >= -1e-9
        assert origin + extent <= 1 + 1e-9, "beyond the frame"
        left_px, right_px = origin * px, (1 - origin - extent) * px
        assert abs(left_px - right_px) <= 1 + 1e-6, "not centred"


@pytest.mark.parametrize("size", [(64, 20), (20, 48), (64, 47), (63, 48), (64, 48)])
def test_a_picture_cut_from_the_frame_is_still_exact(offscreen, size):
    stage = offscreen(size)
    picture = Picture(stage.ctx, SIZE, 1)
    picture.put(0, FRAMES[0])
    picture.draw(0, size)
    left, top = (SIZE[0] - size[0]) // 2, (SIZE[1] - size[1]) // 2
    assert np.array_equal(stage.read(), FRAMES[0][top : top + size[1], left : left + size[0]])


@pytest.mark.parametrize("size", [(400, 100), (100, 400), (320, 180), (777, 333), (1280, 720)])
def test_circles_stay_round_and_in_the_middle(offscreen, size):
    x, y = np.meshgrid(np.arange(320) - 159.5, np.arange(180) - 89.5)
    disc = np.repeat(((x**2 + y**2 < 40**2) * 255).astype(np.uint8)[..., None], 3, -1)
    stage = offscreen(size)
    picture = Picture(stage.ctx, (320, 180), 1)
    picture.put(0, disc)
    picture.draw(0, size)
    rows, columns = np.nonzero(stage.read()[..., 0] > 127)
    radius = 40 * max(size[0] / 320, size[1] / 180)
    across, down = columns.max() - columns.min() + 1, rows.max() - rows.min() + 1
    assert across == pytest.approx(min(2 * radius, size[0]), abs=2)
    assert down == pytest.approx(min(2 * radius, size[1]), abs=2)
    assert columns.mean() == pytest.approx((size[0] - 1) / 2, abs=0.6)
    assert rows.mean() == pytest.approx((size[1] - 1) / 2, abs=0.6)


def test_top_is_top_and_left_is_left_at_any_scale(offscreen):
    corners = np.zeros((48, 64, 3), np.uint8)
    corners[:24, :32], corners[:24, 32:], corners[24:, :32] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    for size in ((64, 48), (128, 96), (16, 12), (90, 90)):
        stage = offscreen(size)
        picture = Picture(stage.ctx, SIZE, 1)
        picture.put(0, corners)
        picture.draw(0, size)
        seen = stage.read()
        assert seen[0, 0].tolist() == [255, 0, 0]
        assert seen[0, -1].tolist() == [0, 255, 0]
        assert seen[-1, 0].tolist() == [0, 0, 255]
        assert seen[-1, -1].tolist() == [0, 0, 0]


@pytest.mark.parametrize("size", [(320, 240), (97, 73), (64, 48)])
def test_scaled_pictures_look_like_the_frame(offscreen, size):
    """Against the same waves computed at the picture's own size; 97x73 is a little narrower than 4:3."""
    stage = offscreen(size)
    picture = Picture(stage.ctx, (160, 120), 1)
    picture.put(0, smooth((160, 120)))
    picture.draw(0, size)
    assert worst(stage.read(), smooth(size)) <= 6


@pytest.mark.parametrize("factor", [4, 8, 16])
@pytest.mark.slow
def test_a_far_smaller_picture_averages_and_does_not_sparkle(offscreen, factor):
    """A checkerboard seen from afar is grey; one sample a pixel would give black or white."""
    size = (256 // factor, 256 // factor)
    board = np.indices((256, 256)).sum(0) % 2 * 255
    stage = offscreen(size)
    picture = Picture(stage.ctx, (256, 256), 1)
    picture.put(0, np.repeat(board.astype(np.uint8)[..., None], 3, -1))
    picture.draw(0, size)
    assert worst(stage.read(), np.full((size[1], size[0], 3), 127.5)) <= 2


@pytest.mark.parametrize("size", [(0, 0), (0, 10), (10, 0)])
def test_nothing_is_drawn_on_nothing(offscreen, size):
    stage = offscreen((10, 10))
    picture = Picture(stage.ctx, SIZE, 1)
    picture.put(0, np.full((48, 64, 3), 255, np.uint8))
    stage.ctx.clear(0, 0, 0)
    picture.draw(0, size)
    assert not stage.read().any()


def test_one_pixel_frames_and_pictures_work(offscreen):
    stage = offscreen((1, 1))
    picture = Picture(stage.ctx, (1, 1), 1)
    picture.put(0, np.array([[[1, 2, 3]]], np.uint8))
    picture.draw(0, (1, 1))
    assert stage.read().tolist() == [[[1, 2, 3]]]


# --- what cannot be


def test_a_picture_the_driver_cannot_hold_says_how_large_it_may_be(offscreen):
    ctx = offscreen((8, 8)).ctx
    largest = ctx.info["GL_MAX_TEXTURE_SIZE"]
    with pytest.raises(BadInput, match=f"up to {largest}x{largest}"):
        Picture(ctx, (largest + 1, 8), 1)


def test_more_depths_than_the_driver_holds_are_refused(offscreen):
    ctx = offscreen((8, 8)).ctx
    most = ctx.info["GL_MAX_ARRAY_TEXTURE_LAYERS"]
    with pytest.raises(GraphicsError, match="lower n_depths"):
        Picture(ctx, (8, 8), most)


def test_too_little_graphics_memory_is_reported_with_its_size(offscreen):
    ctx = offscreen((8, 8)).ctx
    largest = ctx.info["GL_MAX_TEXTURE_SIZE"]
    with pytest.raises(
        GraphicsError, match=r"too little graphics memory: 41 dream frames .* GB; choose a smaller --size"
    ):
        Picture(ctx, (largest, largest), 40)
    assert ctx.error == "GL_NO_ERROR"
    Picture(ctx, (8, 8), 1)  # and the context still works


@pytest.mark.parametrize(("frame_size", "n_depths"), [((0, 5), 1), ((5, -1), 1), ((5, 5), 0)])
def test_a_picture_of_nothing_is_refused(offscreen, frame_size, n_depths):
    with pytest.raises(BadInput, match="each must be at least 1"):
        Picture(offscreen((8, 8)).ctx, frame_size, n_depths)


# --- looks


@pytest.mark.parametrize("name", LOOKS)
def test_every_look_draws_at_every_scale(offscreen, name):
    stage = offscreen(SIZE)
    picture = Picture(stage.ctx, SIZE, 1, [Link(find_look(name))])
    picture.put(0, np.full((48, 64, 3), 200, np.uint8))
    picture.put(1, np.full((48, 64, 3), 100, np.uint8))
    for size in (SIZE, (32, 24), (8, 6), (20, 48)):
        picture.draw(0.5, size, time_s=1.5)
        assert stage.read().any()
    assert stage.ctx.error == "GL_NO_ERROR"


def test_a_look_of_ones_own_needs_no_more_than_a_file(offscreen, looks):
    """It may declare the uniforms itself, use few of them, and read the time."""
    (looks / "mine.frag").write_text(
        "#version 330 core\nuniform sampler2DArray frames;\nuniform float time_s;\nin vec2 place;\nout vec4 c;\n"
        "void main() { c = vec4(texture(frames, vec3(0.5, 0.5, 0.0)).r, place.y, time_s, 1.0); }\n"
    )
    stage = offscreen((4, 4))
    picture = Picture(stage.ctx, (4, 4), 1, [Link(find_look("mine"))])
    picture.put(0, np.full((4, 4, 3), 51, np.uint8))
    picture.draw(0, (4, 4), time_s=0.2)
    seen = stage.read()
    assert seen[0, 0].tolist() == [51, 32, 51]
    assert seen[3, 0].tolist() == [51, 223, 51]


@pytest.mark.parametrize("name", ["mine", "crossfade"])
def test_drawing_plainly_needs_no_file_any_more(open_window, looks, name):
    """Not even the plain look's own: it may have been edited, or its folder be gone."""
    (looks / "mine.frag").write_text((looks / "crossfade.frag").read_text())
    stage = open_window(SIZE)
    picture = Picture(stage.ctx, SIZE, N_DEPTHS, [Link(find_look(name))])
    for index, frame in enumerate(FRAMES):
        picture.put(index, frame)
    (looks / "crossfade.frag").write_text("this is no shader\n")
    picture.draw_plainly(2.0, SIZE)
    assert np.array_equal(stage.read(), FRAMES[2])
    shutil.rmtree(looks)
    for size in (SIZE, (SIZE[0] // 2, SIZE[1] // 2), (9, 7), SIZE):
        picture.draw_plainly(1.0, size)
    assert np.array_equal(stage.read(), FRAMES[1])
    picture.draw(3.0, SIZE)
    assert np.array_equal(stage.read(), FRAMES[3])
    picture.release()


def test_without_the_plain_look_a_look_of_ones_own_stands_for_it(open_window, looks):
    (looks / "mine.frag").write_text((looks / "crossfade.frag").read_text())
    (looks / "crossfade.frag").write_text("this is no shader\n")
    stage = open_window(SIZE)
    picture = Picture(stage.ctx, SIZE, 1, [Link(find_look("mine"))])
    picture.put(0, FRAMES[0])
    picture.draw_plainly(0.0, SIZE)
    assert np.array_equal(stage.read(), FRAMES[0])
    picture.release()


def test_a_fault_in_a_look_is_reported_with_file_and_line(offscreen, looks):
    (looks / "broken.frag").write_text(
        '#version 330 core\n#include "base/dream.glsl"\n\nout vec4 colour;\nvoid main() {\n    colour = nowhere;\n}\n'
    )
    with pytest.raises(GraphicsError, match=r"broken\.frag:6: .*nowhere") as raised:
        Picture(offscreen((8, 8)).ctx, SIZE, 1, [Link(find_look("broken"))])
    assert "\n" not in str(raised.value)


def test_a_fault_in_an_included_file_is_reported_with_that_file(offscreen, looks):
    dream = looks / "base" / "dream.glsl"
    line = len(dream.read_text().splitlines()) + 2
    dream.write_text(dream.read_text() + "\nfloat f() { return vec2(1.0); }\n")
    (looks / "fine.frag").write_text(
        '#version 330 core\n#include "base/dream.glsl"\nout vec4 c;\nvoid main() { c = vec4(dream(vec2(0), depth), 1.0); }\n'
    )
    with pytest.raises(GraphicsError, match=rf"dream\.glsl:{line}: "):
        Picture(offscreen((8, 8)).ctx, SIZE, 1, [Link(find_look("fine"))])


def test_a_look_that_is_no_text_is_reported(offscreen, looks):
    (looks / "binary.frag").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match=r"binary\.frag cannot be read \(not UTF-8 text; save it as UTF-8\)"):
        Picture(offscreen((8, 8)).ctx, SIZE, 1, [Link(find_look("binary"))])


def test_releasing_twice_is_fine(offscreen):
    picture = Picture(offscreen((8, 8)).ctx, SIZE, 1)
    picture.release()
    picture.release()
