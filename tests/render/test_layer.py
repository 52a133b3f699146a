"""Pictures drawn aside and laid over others, against the blend computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.render.pictures import noise, worst
from visualizer.render.layer import Layer, Overlay
from visualizer.render.picture import Picture

SIZE = (64, 36)


@pytest.fixture
def scene(offscreen):
    """An object with a stage, an overlay, a layer, two pictures and their frames."""

    class Scene:
        stage = offscreen(SIZE)
        frames = (noise(SIZE, 1), noise(SIZE, 2))

    scene = Scene()
    scene.overlay, scene.layer = Overlay(scene.stage.ctx), Layer(scene.stage.ctx)
    scene.pictures = []
    for frame in scene.frames:
        picture = Picture(scene.stage.ctx, SIZE, 1)
        picture.put(0, frame)
        scene.pictures.append(picture)
    return scene


def draw_aside(scene, size=SIZE):
    with scene.layer.drawn_on(size):
        scene.pictures[1].draw(0, size)


def test_what_is_drawn_aside_is_not_seen(scene):
    scene.pictures[0].draw(0, SIZE)
    draw_aside(scene)
    assert worst(scene.stage.read(), scene.frames[0]) == 0


@pytest.mark.parametrize("opacity", [0.0, 0.25, 0.5, 0.9, 1.0])
def test_it_is_laid_over_as_opaque_as_asked(scene, opacity):
    draw_aside(scene)
    scene.pictures[0].draw(0, SIZE)
    scene.overlay.lay(scene.layer.texture, SIZE, opacity)
    expected = scene.frames[0] * (1 - opacity) + scene.frames[1] * opacity
    assert worst(scene.stage.read(), expected) <= (0 if opacity in (0, 1) else 1.5)


def test_a_smaller_one_is_stretched_smoothly(scene):
    draw_aside(scene, (32, 18))
    scene.pictures[0].draw(0, SIZE)
    scene.overlay.lay(scene.layer.texture, SIZE)
    seen = scene.stage.read().astype(int)
    small = scene.frames[1].reshape(18, 2, 32, 2, 3).mean(axis=(1, 3))
    nearest = small.repeat(2, axis=0).repeat(2, axis=1)
    assert np.abs(seen - nearest).mean() < 25
    steps = np.abs(np.diff(seen, axis=1)).mean(), np.abs(np.diff(nearest, axis=1)).mean()
    assert steps[0] < steps[1], "no blocks"


@pytest.mark.parametrize("opacity", [0.0, 0.4, 1.0, 1.5])
def test_darkness(scene, opacity):
    scene.pictures[0].draw(0, SIZE)
    scene.overlay.darken(SIZE, opacity)
    assert worst(scene.stage.read(), scene.frames[0] * max(0.0, 1 - opacity)) <= 1


def test_the_layer_follows_a_change_of_size_and_the_next_picture_is_whole(scene):
    for size in (SIZE, (7, 5), SIZE):
        draw_aside(scene, size)
        assert scene.layer.texture.size == size
        scene.overlay.lay(scene.layer.texture, SIZE, 0.5)
        scene.pictures[0].draw(0, SIZE)
        assert worst(scene.stage.read(), scene.frames[0]) == 0
    assert scene.stage.ctx.error == "GL_NO_ERROR"


def test_no_room_no_layer(scene):
    draw_aside(scene)
    scene.pictures[0].draw(0, SIZE)
    scene.overlay.lay(scene.layer.texture, (0, 0))
    assert worst(scene.stage.read(), scene.frames[0]) == 0


def test_releasing_twice_is_fine(scene):
    draw_aside(scene)
    for _ in range(2):
        scene.layer.release()
        scene.overlay.release()
