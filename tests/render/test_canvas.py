"""The canvas: presented pixel for pixel, scaled where the output has another size, and read back."""

from __future__ import annotations

import numpy as np
import pytest

from tests.render.pictures import noise, worst
from visualizer.render.canvas import Canvas
from visualizer.render.picture import Picture

SIZE = (64, 36)


@pytest.fixture
def drawn(offscreen):
    """A surface, a canvas with a picture of noise on it, and that noise."""
    surface, frame = offscreen(SIZE), noise(SIZE, 1)
    canvas, picture = Canvas(surface.ctx), Picture(surface.ctx, SIZE, 1)
    picture.put(0, frame)
    canvas.begin(SIZE)
    picture.draw(0, SIZE)
    return surface, canvas, frame


def test_every_pixel_is_presented_as_it_is_drawn(drawn):
    surface, canvas, frame = drawn
    canvas.present_on(surface.framebuffer, SIZE)
    assert np.array_equal(surface.read(), frame)
    assert np.array_equal(canvas.pixels(), frame)


def test_what_is_drawn_over_an_output_is_not_on_the_canvas(drawn):
    surface, canvas, frame = drawn
    canvas.present_on(surface.framebuffer, SIZE)
    surface.ctx.clear(0.0, 0.0, 0.0)
    assert surface.read().max() == 0
    assert np.array_equal(canvas.pixels(), frame)


def test_an_output_of_another_size_gets_the_picture_scaled(offscreen):
    surface = offscreen((128, 72))
    canvas, picture, frame = Canvas(surface.ctx), Picture(surface.ctx, SIZE, 1), noise(SIZE, 1)
    picture.put(0, frame)
    canvas.begin(SIZE)
    picture.draw(0, SIZE)
    canvas.present_on(surface.framebuffer, (128, 72))
    seen = surface.read().astype(float)
    assert worst(seen.reshape(36, 2, 64, 2, 3).mean(axis=(1, 3)), frame) < 200, "about the same picture"
    assert np.abs(np.diff(seen, axis=1)).mean() < 0.7 * np.abs(np.diff(frame.astype(float), axis=1)).mean(), "smooth"


def test_pixels_are_read_once_a_display_frame(drawn):
    surface, canvas, _ = drawn
    first = canvas.pixels().copy()
    surface.ctx.clear(1.0, 1.0, 1.0)  # draws on the canvas, which is in use
    assert np.array_equal(canvas.pixels(), first)
    canvas.begin(SIZE)
    surface.ctx.clear(1.0, 1.0, 1.0)
    assert canvas.pixels().min() == 255


def test_a_canvas_nothing_was_drawn_on_presents_nothing_and_has_no_pixels(offscreen):
    surface = offscreen(SIZE)
    canvas = Canvas(surface.ctx)
    canvas.present_on(surface.framebuffer, SIZE)
    with pytest.raises(ValueError, match="nothing was drawn"):
        canvas.pixels()
    canvas.release()
    canvas.release()


def test_a_window_that_lends_its_framebuffer_has_the_picture_at_once(open_window):
    window, frame = open_window(SIZE), noise(SIZE, 1)
    canvas, picture = Canvas(window.ctx), Picture(window.ctx, SIZE, 1)
    picture.put(0, frame)
    canvas.begin(SIZE, window)
    picture.draw(0, SIZE)
    canvas.present_on(window.ctx.screen, SIZE)
    assert np.array_equal(window.read(), frame) and canvas.is_lent
    with pytest.raises(ValueError, match="nothing was drawn"):
        canvas.pixels()
    canvas.begin(SIZE)
    picture.draw(0, SIZE)
    window.ctx.screen.clear()
    canvas.present_on(window.ctx.screen, SIZE)
    assert np.array_equal(window.read(), frame) and np.array_equal(canvas.pixels(), frame)


def linear(srgb):
    """sRGB 0..255 as linear light 0..1 (IEC 61966-2-1)."""
    values = np.asarray(srgb, float) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("factor", [2, 3])
def test_a_supersampled_picture_is_averaged_in_linear_light(offscreen, factor):
    big = (SIZE[0] * factor, SIZE[1] * factor)
    surface, frame = offscreen(big), noise(big, 1)
    canvas, picture = Canvas(surface.ctx, supersample=factor), Picture(surface.ctx, big, 1)
    for depth_index, one in enumerate((frame, 255 - frame)):
        picture.put(depth_index, one)
    for depth_index, one in enumerate((frame, 255 - frame)):
        canvas.begin(big)
        picture.draw(depth_index, big)
        assert canvas.picture_size == SIZE
        light = linear(one).reshape(SIZE[1], factor, SIZE[0], factor, 3).mean(axis=(1, 3))
        assert np.abs(linear(canvas.pixels()) - light).max() < 0.006, "of each display frame anew, to half a level"
        canvas.present_on(surface.framebuffer, SIZE)
        assert np.array_equal(surface.read()[-SIZE[1] :, : SIZE[0]], canvas.pixels()), "pixel for pixel"
    canvas.release()
