"""The shipped look "pulse": a crossfade in silence, moved by the music, and never a flash of the whole picture."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from tests.render.pictures import worst
from visualizer.looks.look import find_look
from visualizer.render.chain import Link
from visualizer.render.offscreen import Offscreen
from visualizer.render.picture import Picture
from visualizer.resources import shipped

SIZE = (320, 180)


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    """A picture with much detail, and the same with its figures a little elsewhere."""
    with Image.open(shipped("presets") / "clouds" / "image.jpg") as image:
        pixels = np.asarray(image.convert("RGB").resize(SIZE), np.int32)
    detail = np.random.default_rng(0).integers(-40, 40, (45, 80, 3)).repeat(4, 0).repeat(4, 1)
    return [np.clip(pixels + np.roll(detail, 3 * depth, 1), 0, 255).astype(np.uint8) for depth in range(3)]


@pytest.fixture(scope="module")
def draw(frames) -> Iterator:
    """draw(look, time_s, parameters, **music) -> the picture, (180, 320, 3) uint8."""
    with Offscreen(SIZE) as stage:
        pictures = {name: Picture(stage.ctx, SIZE, 2, [Link(find_look(name))]) for name in ("pulse", "crossfade")}
        for picture in pictures.values():
            for depth, frame in enumerate(frames):
                picture.put(depth, frame)

        def drawn(look: str = "pulse", time_s: float = 0.0, depth: float = 1.5, parameters=None, **music) -> np.ndarray:
            stage.make_current()
            picture = pictures[look]
            before = dict(picture.links[0].parameters)
            picture.links[0].parameters |= parameters or {}
            picture.draw(depth, SIZE, time_s, uniforms=music)
            picture.links[0].parameters = before
            return stage.read().copy()

        yield drawn


def luminance(pixels: np.ndarray) -> np.ndarray:
    """Relative luminance of blocks of 10 x 10 pixels, 0..1."""
    share = pixels / 255.0
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return (linear @ [0.2126, 0.7152, 0.0722]).reshape(18, 10, 32, 10).mean((1, 3))


def test_in_silence_it_is_the_crossfade(draw):
    for depth in (0.0, 1.0, 1.7):
        assert worst(draw(depth=depth), draw("crossfade", depth=depth)) <= 1


def test_it_uses_what_its_description_names():
    look = find_look("pulse")
    with Offscreen((8, 8)) as stage:
        assert Picture(stage.ctx, (8, 8), 1, [Link(look)]).needs == {"bass", "kick_time_s", "snare"}
    for name in ("bass", "kick", "snare"):
        assert name in look.declaration.description


@pytest.mark.parametrize("music", [{"bass": 1.0}, {"kick_time_s": 0.15}, {"snare": 1.0}])
def test_each_thing_heard_moves_it(draw, music):
    assert np.abs(draw(**music).astype(int) - draw()).mean() > 1.0


@pytest.mark.parametrize(
    ("parameter", "music"), [("zoom", {"bass": 1.0}), ("ripple", {"kick_time_s": 0.15}), ("glint", {"snare": 1.0})]
)
def test_each_parameter_turns_its_own_part_off(draw, parameter, music):
    assert worst(draw(parameters={parameter: 0.0}, **music), draw()) <= 1


def test_the_ring_has_gone_a_second_after_the_kick(draw):
    assert np.abs(draw(kick_time_s=1.2).astype(int) - draw()).mean() < 0.3


def test_nothing_heard_flashes_the_whole_picture(draw):
    """A flash is a change of relative luminance by 0.1 over a quarter of the picture (WCAG 2.2, 2.3.1)."""
    most = {one.name: one.high for one in find_look("pulse").declaration.inputs}
    rest = luminance(draw(depth=1.0))
    for parameters, limit in (({}, 0.05), (most, 0.25)):
        for music in ({"bass": 1.0}, {"kick_time_s": 0.02}, {"kick_time_s": 0.2}, {"snare": 1.0}):
            change = np.abs(luminance(draw(depth=1.0, parameters=parameters, **music)) - rest)
            assert change.mean() < 0.06
            assert (change >= 0.1).mean() < limit, (parameters, music)
