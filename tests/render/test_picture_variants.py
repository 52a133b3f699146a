"""Several variants of dream frames: crossing between them, variants that are not there yet, and what a driver cannot
hold.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.render.pictures import blend, noise, smooth, worst
from visualizer.errors import BadInput, GraphicsError
from visualizer.looks.look import find_look
from visualizer.oneline import size_text
from visualizer.render.chain import Link
from visualizer.render.offscreen import Offscreen
from visualizer.render.picture import Picture

SIZE = (64, 48)
N_DEPTHS = 3
N_VARIANTS = 3
VARIANTS = [[noise(SIZE, 10 * variant + depth) for depth in range(N_DEPTHS + 1)] for variant in range(N_VARIANTS)]


def fill(picture: Picture, variants=range(N_VARIANTS), depths=range(N_DEPTHS + 1)) -> Picture:
    for variant in variants:
        for depth_index in depths:
            picture.put(depth_index, VARIANTS[variant][depth_index], variant)
    return picture


def expected(depth: float, variant: float) -> np.ndarray:
    """The crossing by its definition, in floats."""
    lower, upper = int(variant), min(int(variant) + 1, N_VARIANTS - 1)
    return blend(VARIANTS[lower], depth) * (1 - variant + lower) + blend(VARIANTS[upper], depth) * (variant - lower)


@pytest.fixture(scope="module")
def drawn():
    """draw(depth, variant) -> the picture of VARIANTS there, pixel for pixel."""
    with Offscreen(SIZE) as stage:
        picture = fill(Picture(stage.ctx, SIZE, N_DEPTHS, n_variants=N_VARIANTS))

        def draw(depth: float, variant: float) -> np.ndarray:
            stage.make_current()  # whatever a test before drew in
            picture.draw(depth, SIZE, variant=variant)
            return stage.read()

        yield draw


def test_a_whole_variant_and_depth_is_the_dream_frame_itself_bit_for_bit(drawn):
    for variant in range(N_VARIANTS):
        for depth in range(N_DEPTHS + 1):
            assert np.array_equal(drawn(float(depth), float(variant)), VARIANTS[variant][depth])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(depth=st.floats(0, N_DEPTHS), variant=st.floats(0, N_VARIANTS - 1))
def test_any_place_is_the_blend_of_the_four_frames_around_it(drawn, depth, variant):
    assert worst(drawn(depth, variant), expected(depth, variant)) <= 1


@pytest.mark.parametrize("depth", [0.0, 0.5, 2.0, 2.9])
def test_crossing_moves_by_no_more_than_a_step_asks_for(drawn, depth):
    variants = np.concatenate([np.linspace(0, 2, 41), [0.9999, 1.0001]])
    pictures = [drawn(depth, float(variant)).astype(int) for variant in np.sort(variants)]
    assert max(np.abs(after - before).max() for before, after in pairwise(pictures)) <= 255 * 0.05 + 2


@pytest.mark.parametrize(
    ("variant", "shown"), [(math.nan, 0), (-1.0, 0), (-math.inf, 0), (math.inf, 2), (2.5, 2), (1e300, 2), (-0.0, 0)]
)
def test_a_variant_that_is_none_is_the_nearest_that_is(drawn, variant, shown):
    assert np.array_equal(drawn(1.0, variant), VARIANTS[shown][1])


def test_a_depth_of_nan_is_the_image_in_every_variant(drawn):
    assert np.array_equal(drawn(math.nan, 1.0), VARIANTS[1][0])
    assert np.array_equal(drawn(math.nan, math.nan), VARIANTS[0][0])


@pytest.mark.parametrize("size", [SIZE, (32, 24), (8, 6), (100, 90), (33, 70)])
def test_one_variant_is_drawn_pixel_for_pixel_as_by_a_look_that_knows_none(offscreen, looks, size):
    """The crossfade as it is without variants, written out: what a picture of one variant must be at every scale."""
    head, found, _ = (looks / "base" / "dream.glsl").read_text().partition("#if defined(VARIANTS)")
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
    pictures = [fill(Picture(stage.ctx, SIZE, N_DEPTHS, [Link(find_look(name))]), [0]) for name in ("dream", "plain")]
    for depth in (0.0, 0.3, 1.0, 2.71, 3.0):
        seen = []
        for picture in pictures:
            picture.draw(depth, size, variant=7.0)  # there is one variant: any is the first
            seen.append(stage.read().copy())
        assert np.array_equal(*seen)


@pytest.mark.parametrize("size", [(32, 24), (8, 6), (100, 75)])
def test_variants_cross_at_every_scale(offscreen, size):
    """Against the same waves computed at the picture's own size."""
    stage = offscreen(size)
    picture = Picture(stage.ctx, SIZE, 1, n_variants=2)
    for variant in range(2):
        for depth_index in range(2):
            picture.put(depth_index, smooth(SIZE, variant), variant)
    picture.draw(0.5, size, variant=0.5)
    assert worst(stage.read(), smooth(size, 0) * 0.5 + smooth(size, 1) * 0.5) <= 12


# --- frames as they come


def test_every_variant_goes_as_deep_as_its_own_frames(offscreen):
    stage = offscreen(SIZE)
    picture = Picture(stage.ctx, SIZE, N_DEPTHS, n_variants=2)
    fill(picture, [0])
    fill(picture, [1], [0, 1, 3])  # 2 is missing
    assert (picture.deepest, picture.deepest_of(0), picture.deepest_of(1)) == (3, 3, 1)
    picture.draw(3.0, SIZE, variant=1.0)
    assert np.array_equal(stage.read(), VARIANTS[1][1])
    picture.draw(2.5, SIZE, variant=0.5)
    assert worst(stage.read(), blend(VARIANTS[0], 2.5) * 0.5 + VARIANTS[1][1] * 0.5) <= 1
    picture.draw(0.5, SIZE, variant=0.25)
    assert worst(stage.read(), expected(0.5, 0.25)) <= 1
    picture.put(2, VARIANTS[1][2], 1)
    picture.draw(3.0, SIZE, variant=1.0)
    assert np.array_equal(stage.read(), VARIANTS[1][3])


def test_a_variant_may_go_deeper_than_the_first(offscreen):
    stage = offscreen(SIZE)
    picture = Picture(stage.ctx, SIZE, N_DEPTHS, n_variants=2)
    fill(picture, [0], [0, 1])
    fill(picture, [1])
    for variant, frame in ((0.0, VARIANTS[0][1]), (1.0, VARIANTS[1][3])):
        picture.draw(3.0, SIZE, variant=variant)
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
def test_in_the_place_of_a_variant_without_frames_stands_one_with(offscreen, there, shows):
    stage = offscreen(SIZE)
    picture = fill(Picture(stage.ctx, SIZE, N_DEPTHS, n_variants=N_VARIANTS), there)
    for variant, shown in shows.items():
        picture.draw(1.0, SIZE, variant=variant)
        assert np.array_equal(stage.read(), VARIANTS[shown][1]), variant


@pytest.mark.parametrize(("there", "below"), [([0, 2], 0), ([1, 2], 1)])
def test_to_the_next_variant_there_is_it_crosses_without_a_jump(offscreen, there, below):
    stage = offscreen(SIZE)
    picture = fill(Picture(stage.ctx, SIZE, N_DEPTHS, n_variants=N_VARIANTS), there)
    for variant in (1.001, 1.25, 1.5, 1.999):
        picture.draw(1.0, SIZE, variant=variant)
        assert worst(stage.read(), VARIANTS[below][1] * (2 - variant) + VARIANTS[2][1] * (variant - 1)) <= 1


def test_a_variant_whose_first_frame_is_missing_is_not_there(offscreen):
    stage = offscreen(SIZE)
    picture = fill(Picture(stage.ctx, SIZE, N_DEPTHS, n_variants=2), [1], [1, 2, 3])
    picture.draw(1.0, SIZE, variant=1.0)
    assert not stage.read().any(), "black before there is a frame"
    fill(picture, [0])
    picture.draw(1.0, SIZE, variant=1.0)
    assert np.array_equal(stage.read(), VARIANTS[0][1])


def test_a_preview_is_replaced_by_the_finished_frame_in_its_variant_alone(offscreen):
    stage = offscreen(SIZE)
    picture = fill(Picture(stage.ctx, SIZE, N_DEPTHS, n_variants=2), range(2))
    finished = noise(SIZE, 99)
    picture.draw(2.0, SIZE, variant=1.0)  # drawn before, so that it is in use
    picture.put(2, finished, 1)
    assert picture.deepest_of(1) == N_DEPTHS
    picture.draw(2.0, SIZE, variant=1.0)
    assert np.array_equal(stage.read(), finished)
    picture.draw(2.5, SIZE, variant=1.0)
    assert worst(stage.read(), finished * 0.5 + VARIANTS[1][3] * 0.5) <= 1
    for depth, variant, frame in ((2.0, 0.0, VARIANTS[0][2]), (1.0, 1.0, VARIANTS[1][1]), (3.0, 1.0, VARIANTS[1][3])):
        picture.draw(depth, SIZE, variant=variant)
        assert np.array_equal(stage.read(), frame)


@pytest.mark.parametrize("variant", [-1, 2, 99])
def test_a_frame_for_a_variant_that_is_none_is_refused(offscreen, variant):
    picture = Picture(offscreen(SIZE).ctx, SIZE, 1, n_variants=2)
    with pytest.raises(BadInput, match=rf"variant {variant} is outside 0\.\.1"):
        picture.put(0, VARIANTS[0][0], variant)
    assert picture.deepest_of(1) == -1


# --- looks


def test_a_look_may_choose_its_own_variants(offscreen, looks):
    """Left half the first variant, right half the second, whatever the variant asked for."""
    (looks / "halves.frag").write_text(
        '#version 330 core\n#include "base/dream.glsl"\nin vec2 uv;\nin vec2 place;\nout vec4 colour;\n'
        "void main() { colour = vec4(dream(uv, depth, place.x < 0.5 ? 0.0 : 1.0), 1.0); }\n"
    )
    stage = offscreen(SIZE)
    picture = fill(Picture(stage.ctx, SIZE, N_DEPTHS, [Link(find_look("halves"))], n_variants=2), range(2))
    picture.draw(1.0, SIZE, variant=0.3)
    assert np.array_equal(stage.read()[:, :32], VARIANTS[0][1][:, :32])
    assert np.array_equal(stage.read()[:, 32:], VARIANTS[1][1][:, 32:])
    alone = fill(Picture(stage.ctx, SIZE, N_DEPTHS, [Link(find_look("halves"))]), [0])
    alone.draw(1.0, SIZE)
    assert np.array_equal(stage.read(), VARIANTS[0][1]), "and works where there is one"


def test_a_look_that_reads_part_of_the_table_of_variants_draws(offscreen, looks):
    """The compiler may cut the table down to the variants that are read."""
    (looks / "second.frag").write_text(
        '#version 330 core\n#include "base/dream.glsl"\nout vec4 colour;\n'
        "void main() { colour = vec4(variants[1].x / 255.0, variants[0].y / 255.0, variant / 255.0, 1.0); }\n"
    )
    stage = offscreen((2, 2))
    picture = fill(Picture(stage.ctx, SIZE, N_DEPTHS, [Link(find_look("second"))], n_variants=N_VARIANTS))
    picture.draw(1.0, (2, 2), variant=2.0)
    assert stage.read()[0, 0].tolist() == [4, 3, 2]


# --- what cannot be


def test_more_frames_than_the_driver_holds_are_refused_in_one_line(offscreen):
    ctx = offscreen((8, 8)).ctx
    most = ctx.info["GL_MAX_ARRAY_TEXTURE_LAYERS"]
    n_variants = most // 21 + 1
    with pytest.raises(
        GraphicsError,
        match=rf"holds {most} dream frames, {n_variants * 21} \({n_variants} variants of 21\) .*; name fewer variants",
    ) as raised:
        Picture(ctx, (8, 8), 20, n_variants=n_variants)
    assert "\n" not in str(raised.value)


def test_as_many_variants_as_the_driver_holds_are_drawn(offscreen):
    stage = offscreen((8, 8))
    n_variants = min(stage.ctx.info["GL_MAX_ARRAY_TEXTURE_LAYERS"] // 21, 100)
    picture = Picture(stage.ctx, (8, 8), 20, n_variants=n_variants)
    picture.put(0, np.full((8, 8, 3), 10, np.uint8))
    picture.put(0, np.full((8, 8, 3), 90, np.uint8), n_variants - 1)
    picture.draw(0.0, (8, 8), variant=n_variants - 1.5)
    assert stage.read()[0, 0].tolist() == [50, 50, 50]
    assert stage.ctx.error == "GL_NO_ERROR"


def test_too_little_graphics_memory_for_variants_is_reported_with_its_size(offscreen):
    ctx = offscreen((8, 8)).ctx
    largest = ctx.info["GL_MAX_TEXTURE_SIZE"]
    size = size_text(largest * largest * 4 * 63)
    with pytest.raises(
        GraphicsError,
        match=rf"63 dream frames of {largest}x{largest} in 3 variants take {size}; .* or fewer variants",
    ):
        Picture(ctx, (largest, largest), 20, n_variants=3)
    assert ctx.error == "GL_NO_ERROR"


@pytest.mark.parametrize("n_variants", [0, -1])
def test_a_picture_of_no_variants_is_refused(offscreen, n_variants):
    with pytest.raises(BadInput, match=rf"{n_variants} variants cannot be made; each must be at least 1"):
        Picture(offscreen((8, 8)).ctx, SIZE, 1, n_variants=n_variants)
