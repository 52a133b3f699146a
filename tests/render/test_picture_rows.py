"""Several rows of dream frames: crossing between them, rows that are not there yet, and what a driver cannot hold."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.render.pictures import blend, noise, smooth, worst
from visualizer.errors import BadInput, GraphicsError
from visualizer.render.offscreen import Offscreen
from visualizer.render.picture import Picture

SIZE = (64, 48)
N_DEPTHS = 3
N_ROWS = 3
ROWS = [[noise(SIZE, 10 * row + depth) for depth in range(N_DEPTHS + 1)] for row in range(N_ROWS)]


def fill(picture: Picture, rows=range(N_ROWS), depths=range(N_DEPTHS + 1)) -> Picture:
    for row in rows:
        for depth_index in depths:
            picture.put(depth_index, ROWS[row][depth_index], row)
    return picture


def expected(depth: float, row: float) -> np.ndarray:
    """The crossing by its definition, in floats."""
    lower, upper = int(row), min(int(row) + 1, N_ROWS - 1)
    return blend(ROWS[lower], depth) * (1 - row + lower) + blend(ROWS[upper], depth) * (row - lower)


@pytest.fixture(scope="module")
def drawn():
    """draw(depth, row) -> the picture of ROWS there, pixel for pixel."""
    with Offscreen(SIZE) as stage:
        picture = fill(Picture(stage.ctx, SIZE, N_DEPTHS, n_rows=N_ROWS))

        def draw(depth: float, row: float) -> np.ndarray:
            stage.make_current()  # whatever a test before drew in
            picture.draw(depth, SIZE, row=row)
            return stage.read()

        yield draw


def test_a_whole_row_and_depth_is_the_dream_frame_itself_bit_for_bit(drawn):
    for row in range(N_ROWS):
        for depth in range(N_DEPTHS + 1):
            assert np.array_equal(drawn(float(depth), float(row)), ROWS[row][depth])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(depth=st.floats(0, N_DEPTHS), row=st.floats(0, N_ROWS - 1))
def test_any_place_is_the_blend_of_the_four_frames_around_it(drawn, depth, row):
    assert worst(drawn(depth, row), expected(depth, row)) <= 1


@pytest.mark.parametrize("depth", [0.0, 0.5, 2.0, 2.9])
def test_crossing_moves_by_no_more_than_a_step_asks_for(drawn, depth):
    rows = np.concatenate([np.linspace(0, 2, 41), [0.9999, 1.0001]])
    pictures = [drawn(depth, float(row)).astype(int) for row in np.sort(rows)]
    assert max(np.abs(after - before).max() for before, after in pairwise(pictures)) <= 255 * 0.05 + 2


@pytest.mark.parametrize(
    ("row", "shown"), [(math.nan, 0), (-1.0, 0), (-math.inf, 0), (math.inf, 2), (2.5, 2), (1e300, 2), (-0.0, 0)]
)
def test_a_row_that_is_none_is_the_nearest_that_is(drawn, row, shown):
    assert np.array_equal(drawn(1.0, row), ROWS[shown][1])


def test_a_depth_of_nan_is_the_image_in_every_row(drawn):
    assert np.array_equal(drawn(math.nan, 1.0), ROWS[1][0])
    assert np.array_equal(drawn(math.nan, math.nan), ROWS[0][0])


@pytest.mark.parametrize("size", [SIZE, (32, 24), (8, 6), (100, 90), (33, 70)])
def test_one_row_is_drawn_pixel_for_pixel_as_by_a_look_that_knows_none(offscreen, looks, size):
    """The crossfade as it is without rows, written out: what a picture of one row must be at every scale."""
    head, found, _ = (looks / "base" / "dream.glsl").read_text().partition("#if defined(ROWS)")
    assert found
    (looks / "base" / "plain.glsl").write_text(
        head
        + "vec3 dream(vec2 uv, float depth) {\n    float lower = floor(depth);\n    return mix(dream_frame(uv, lower), "
        "dream_frame(uv, min(lower + 1.0, deepest)), depth - lower);\n}\n"
    )
    for name in ("dream", "plain"):
        (looks / f"{name}.frag").write_text(
            f'#version 330 core\n#include "base/{name}.glsl"\nin vec2 uv;\nout vec4 colour;\n'
            "void main() { colour = vec4(dream(uv, depth), 1.0); }\n"
        )
    stage = offscreen(size)
    pictures = [fill(Picture(stage.ctx, SIZE, N_DEPTHS, name), [0]) for name in ("dream", "plain")]
    for depth in (0.0, 0.3, 1.0, 2.71, 3.0):
        seen = []
        for picture in pictures:
            picture.draw(depth, size, row=7.0)  # there is one row: any is the first
            seen.append(stage.read().copy())
        assert np.array_equal(*seen)


@pytest.mark.parametrize("size", [(32, 24), (8, 6), (100, 75)])
def test_rows_cross_at_every_scale(offscreen, size):
    """Against the same waves computed at the picture's own size."""
    stage = offscreen(size)
    picture = Picture(stage.ctx, SIZE, 1, n_rows=2)
    for row in range(2):
        for depth_index in range(2):
            picture.put(depth_index, smooth(SIZE, row), row)
    picture.draw(0.5, size, row=0.5)
    assert worst(stage.read(), smooth(size, 0) * 0.5 + smooth(size, 1) * 0.5) <= 12


# --- frames as they come


def test_every_row_goes_as_deep_as_its_own_frames(offscreen):
    stage = offscreen(SIZE)
    picture = Picture(stage.ctx, SIZE, N_DEPTHS, n_rows=2)
    fill(picture, [0])
    fill(picture, [1], [0, 1, 3])  # 2 is missing
    assert (picture.deepest, picture.deepest_of(0), picture.deepest_of(1)) == (3, 3, 1)
    picture.draw(3.0, SIZE, row=1.0)
    assert np.array_equal(stage.read(), ROWS[1][1])
    picture.draw(2.5, SIZE, row=0.5)
    assert worst(stage.read(), blend(ROWS[0], 2.5) * 0.5 + ROWS[1][1] * 0.5) <= 1
    picture.draw(0.5, SIZE, row=0.25)
    assert worst(stage.read(), expected(0.5, 0.25)) <= 1
    picture.put(2, ROWS[1][2], 1)
    picture.draw(3.0, SIZE, row=1.0)
    assert np.array_equal(stage.read(), ROWS[1][3])


def test_a_row_may_go_deeper_than_the_first(offscreen):
    stage = offscreen(SIZE)
    picture = Picture(stage.ctx, SIZE, N_DEPTHS, n_rows=2)
    fill(picture, [0], [0, 1])
    fill(picture, [1])
    for row, frame in ((0.0, ROWS[0][1]), (1.0, ROWS[1][3])):
        picture.draw(3.0, SIZE, row=row)
        assert np.array_equal(stage.read(), frame)


@pytest.mark.parametrize(
    ("there", "shows"),
    [
        ([0], {0.0: 0, 0.5: 0, 1.0: 0, 2.0: 0}),
        ([0, 1], {0.0: 0, 1.0: 1, 1.5: 1, 2.0: 1}),
        ([0, 2], {0.5: 0, 1.0: 0, 2.0: 2}),
        ([1], {0.0: 1, 0.7: 1, 1.0: 1, 2.0: 1}),
        ([2], {0.0: 2, 1.5: 2, 2.0: 2}),
        ([1, 2], {0.0: 1, 0.5: 1, 1.0: 1, 2.0: 2}),
    ],
)
def test_in_the_place_of_a_row_without_frames_stands_one_with(offscreen, there, shows):
    stage = offscreen(SIZE)
    picture = fill(Picture(stage.ctx, SIZE, N_DEPTHS, n_rows=N_ROWS), there)
    for row, shown in shows.items():
        picture.draw(1.0, SIZE, row=row)
        assert np.array_equal(stage.read(), ROWS[shown][1]), row


@pytest.mark.parametrize(("there", "below"), [([0, 2], 0), ([1, 2], 1)])
def test_to_the_next_row_there_is_it_crosses_without_a_jump(offscreen, there, below):
    stage = offscreen(SIZE)
    picture = fill(Picture(stage.ctx, SIZE, N_DEPTHS, n_rows=N_ROWS), there)
    for row in (1.001, 1.25, 1.5, 1.999):
        picture.draw(1.0, SIZE, row=row)
        assert worst(stage.read(), ROWS[below][1] * (2 - row) + ROWS[2][1] * (row - 1)) <= 1


def test_a_row_whose_first_frame_is_missing_is_not_there(offscreen):
    stage = offscreen(SIZE)
    picture = fill(Picture(stage.ctx, SIZE, N_DEPTHS, n_rows=2), [1], [1, 2, 3])
    picture.draw(1.0, SIZE, row=1.0)
    assert not stage.read().any(), "black before there is a frame"
    fill(picture, [0])
    picture.draw(1.0, SIZE, row=1.0)
    assert np.array_equal(stage.read(), ROWS[0][1])


def test_a_preview_is_replaced_by_the_finished_frame_in_its_row_alone(offscreen):
    stage = offscreen(SIZE)
    picture = fill(Picture(stage.ctx, SIZE, N_DEPTHS, n_rows=2), range(2))
    finished = noise(SIZE, 99)
    picture.draw(2.0, SIZE, row=1.0)  # drawn before, so that it is in use
    picture.put(2, finished, 1)
    assert picture.deepest_of(1) == N_DEPTHS
    picture.draw(2.0, SIZE, row=1.0)
    assert np.array_equal(stage.read(), finished)
    picture.draw(2.5, SIZE, row=1.0)
    assert worst(stage.read(), finished * 0.5 + ROWS[1][3] * 0.5) <= 1
    for depth, row, frame in ((2.0, 0.0, ROWS[0][2]), (1.0, 1.0, ROWS[1][1]), (3.0, 1.0, ROWS[1][3])):
        picture.draw(depth, SIZE, row=row)
        assert np.array_equal(stage.read(), frame)


@pytest.mark.parametrize("row", [-1, 2, 99])
def test_a_frame_for_a_row_that_is_none_is_refused(offscreen, row):
    picture = Picture(offscreen(SIZE).ctx, SIZE, 1, n_rows=2)
    with pytest.raises(BadInput, match=rf"row {row} is outside 0\.\.1"):
        picture.put(0, ROWS[0][0], row)
    assert picture.deepest_of(1) == -1


# --- looks


def test_a_look_may_choose_its_own_rows(offscreen, looks):
    """Left half the first row, right half the second, whatever the row asked for."""
    (looks / "halves.frag").write_text(
        '#version 330 core\n#include "base/dream.glsl"\nin vec2 uv;\nin vec2 place;\nout vec4 colour;\n'
        "void main() { colour = vec4(dream(uv, depth, place.x < 0.5 ? 0.0 : 1.0), 1.0); }\n"
    )
    stage = offscreen(SIZE)
    picture = fill(Picture(stage.ctx, SIZE, N_DEPTHS, "halves", n_rows=2), range(2))
    picture.draw(1.0, SIZE, row=0.3)
    assert np.array_equal(stage.read()[:, :32], ROWS[0][1][:, :32])
    assert np.array_equal(stage.read()[:, 32:], ROWS[1][1][:, 32:])
    alone = fill(Picture(stage.ctx, SIZE, N_DEPTHS, "halves"), [0])
    alone.draw(1.0, SIZE)
    assert np.array_equal(stage.read(), ROWS[0][1]), "and works where there is one"


def test_a_look_that_reads_part_of_the_table_of_rows_draws(offscreen, looks):
    """The compiler may cut the table down to the rows that are read."""
    (looks / "second.frag").write_text(
        '#version 330 core\n#include "base/dream.glsl"\nout vec4 colour;\n'
        "void main() { colour = vec4(rows[1].x / 255.0, rows[0].y / 255.0, row / 255.0, 1.0); }\n"
    )
    stage = offscreen((2, 2))
    picture = fill(Picture(stage.ctx, SIZE, N_DEPTHS, "second", n_rows=N_ROWS))
    picture.draw(1.0, (2, 2), row=2.0)
    assert stage.read()[0, 0].tolist() == [4, 3, 2]


# --- what cannot be


def test_more_frames_than_the_driver_holds_are_refused_in_one_line(offscreen):
    ctx = offscreen((8, 8)).ctx
    most = ctx.info["GL_MAX_ARRAY_TEXTURE_LAYERS"]
    n_rows = most // 21 + 1
    with pytest.raises(
        GraphicsError, match=rf"holds {most} dream frames, {n_rows * 21} \({n_rows} rows of 21\) .*; name fewer rows"
    ) as raised:
        Picture(ctx, (8, 8), 20, n_rows=n_rows)
    assert "\n" not in str(raised.value)


def test_as_many_rows_as_the_driver_holds_are_drawn(offscreen):
    stage = offscreen((8, 8))
    n_rows = min(stage.ctx.info["GL_MAX_ARRAY_TEXTURE_LAYERS"] // 21, 100)
    picture = Picture(stage.ctx, (8, 8), 20, n_rows=n_rows)
    picture.put(0, np.full((8, 8, 3), 10, np.uint8))
    picture.put(0, np.full((8, 8, 3), 90, np.uint8), n_rows - 1)
    picture.draw(0.0, (8, 8), row=n_rows - 1.5)
    assert stage.read()[0, 0].tolist() == [50, 50, 50]
    assert stage.ctx.error == "GL_NO_ERROR"


def test_too_little_graphics_memory_for_rows_is_told_with_its_size(offscreen):
    ctx = offscreen((8, 8)).ctx
    largest = ctx.info["GL_MAX_TEXTURE_SIZE"]
    megabytes = f"{largest * largest * 4 * 63 / 1e6:.0f}"
    with pytest.raises(
        GraphicsError, match=rf"63 dream frames of {largest}x{largest} in 3 rows take {megabytes} MB; .* or fewer rows"
    ):
        Picture(ctx, (largest, largest), 20, n_rows=3)
    assert ctx.error == "GL_NO_ERROR"


@pytest.mark.parametrize("n_rows", [0, -1])
def test_a_picture_of_no_rows_is_refused(offscreen, n_rows):
    with pytest.raises(BadInput, match=rf"{n_rows} rows cannot be; 1 is the least"):
        Picture(offscreen((8, 8)).ctx, SIZE, 1, n_rows=n_rows)
