"""What a look is given: the music, its parameters, and the names that uniforms had before."""

from __future__ import annotations

import numpy as np
import pytest

from tests.render.pictures import noise
from visualizer.errors import GraphicsError
from visualizer.looks.look import find_look
from visualizer.looks.uniforms import MUSIC
from visualizer.render.chain import Link
from visualizer.render.picture import Picture

SIZE = (16, 8)
HEAD = "#version 330 core\nout vec4 colour;\n"


@pytest.fixture
def draw(offscreen, looks):
    """draw(text of a shader, **what the picture is drawn with) -> the picture, (8, 16, 3) uint8."""
    stage = offscreen(SIZE)

    def drawn(text: str, n_variants: int = 1, parameters=None, **how) -> np.ndarray:
        (looks / "own.frag").write_text(text)
        picture = Picture(stage.ctx, SIZE, 2, [Link(find_look("own"))], n_variants)
        for variant in range(n_variants):
            for depth in range(3):
                picture.put(depth, noise(SIZE, 10 * variant + depth), variant)
        picture.links[0].parameters |= parameters or {}
        picture.draw(how.pop("depth", 1.5), SIZE, **how)
        seen = stage.read().copy()
        assert stage.ctx.error == "GL_NO_ERROR"
        picture.release()
        return seen

    return drawn


@pytest.mark.parametrize("name", [one.name for one in MUSIC if one.kind == "float"])
def test_every_look_may_use_what_is_heard(draw, name):
    text = (
        f'#version 330 core\n#include "base/music.glsl"\nout vec4 colour;\nvoid main() {{ colour = vec4({name}); }}\n'
    )
    assert np.all(draw(text, uniforms={name: 0.4}) == 102)
    silent = 255 if name == "kick_time_s" or name.startswith("md_") else 0
    assert np.all(draw(text) == silent)


@pytest.mark.parametrize("name", ["spectrum", "waveform"])
def test_spectrum_and_waveform_are_textures_of_one_row(draw, name):
    text = (
        f'#version 330 core\n#include "base/music.glsl"\nin vec2 place;\nout vec4 colour;\n'
        f"void main() {{ colour = vec4(texture({name}, vec2(place.x, 0.5)).r, float(textureSize({name}, 0).x) / 1024.0, 0, 1); }}\n"
    )
    ramp = np.linspace(0, 1, 512, dtype=np.float32)
    seen = draw(text, uniforms={name: ramp}).astype(int)
    assert np.abs(seen[0, :, 0] - np.round((np.arange(16) + 0.5) / 16 * 255)).max() <= 1
    assert abs(seen[0, 0, 1] - 128) <= 1
    assert not draw(text)[..., 0].any(), "black while nothing is heard"


def test_a_spectrum_does_not_hide_the_dream_frames(draw):
    text = (
        '#version 330 core\n#include "base/dream.glsl"\n#include "base/music.glsl"\nin vec2 uv;\nout vec4 colour;\n'
        "void main() { colour = vec4(dream(uv, depth) + 0.0 * texture(spectrum, uv).r, 1.0); }\n"
    )
    for _ in range(2):
        assert np.array_equal(draw(text, depth=1.0, uniforms={"spectrum": np.ones(512, np.float32)}), noise(SIZE, 1))


def test_what_a_look_needs_of_the_music_is_what_it_uses(offscreen, looks):
    (looks / "own.frag").write_text(
        '#version 330 core\n#include "base/dream.glsl"\n#include "base/music.glsl"\nin vec2 uv;\nout vec4 colour;\n'
        "void main() { colour = vec4(dream(uv, depth) * bass * texture(spectrum, uv).r, 1.0); }\n"
    )
    picture = Picture(offscreen(SIZE).ctx, SIZE, 1, [Link(find_look("own"))])
    assert picture.needs == {"bass", "spectrum"}
    assert Picture(offscreen(SIZE).ctx, SIZE, 1).needs == frozenset()


PARAMETERS = """/*{"INPUTS": [
    {"NAME": "glow", "TYPE": "float", "DEFAULT": 0.2},
    {"NAME": "mirror", "TYPE": "bool"},
    {"NAME": "mode", "TYPE": "long", "VALUES": [0, 51]},
    {"NAME": "tint", "TYPE": "color", "DEFAULT": [0, 0, 0, 1]},
    {"NAME": "centre", "TYPE": "point2D"},
    {"NAME": "flash", "TYPE": "event"}
]}*/
"""


def test_declared_inputs_are_uniforms_and_begin_with_their_defaults(draw):
    text = (
        PARAMETERS
        + HEAD
        + "void main() { colour = vec4(glow, float(mode) / 255.0 + float(mirror), tint.g + centre.y, 1.0); }\n"
    )
    assert draw(text)[0, 0].tolist() == [51, 0, 0]
    turned = {"glow": 0.4, "mode": 51, "tint": (0, 0.4, 0, 1), "centre": (0.0, 0.2)}
    assert draw(text, parameters=turned)[0, 0].tolist() == [102, 51, 153]
    assert draw(text, parameters={"mirror": 1})[0, 0, 1] == 255


def test_an_event_is_drawn_once(offscreen, looks):
    (looks / "own.frag").write_text(PARAMETERS + HEAD + "void main() { colour = vec4(float(flash)); }\n")
    stage = offscreen(SIZE)
    picture = Picture(stage.ctx, SIZE, 1, [Link(find_look("own"))])
    picture.put(0, noise(SIZE, 0))
    picture.links[0].parameters["flash"] = 1
    seen = []
    for _ in range(3):
        picture.draw(0.0, SIZE)
        seen.append(int(stage.read()[0, 0, 0]))
    assert seen == [255, 0, 0]


def test_a_parameter_may_have_the_name_of_something_heard(draw):
    text = '/*{"INPUTS": [{"NAME": "bass", "TYPE": "color", "DEFAULT": [0, 0.2, 0, 1]}]}*/\n' + HEAD
    assert draw(text + "void main() { colour = bass; }\n", uniforms={"bass": 1.0})[0, 0].tolist() == [0, 51, 0]


def test_a_uniform_of_the_wrong_type_is_named(draw):
    text = HEAD + "uniform int beat_number;\nvoid main() { colour = vec4(float(beat_number)); }\n"
    with pytest.raises(GraphicsError, match=r"own\.frag: the uniform beat_number must be declared as float"):
        draw(text)


def test_an_array_in_the_place_of_a_number_is_named(draw):
    text = HEAD + "uniform float bass[3];\nvoid main() { colour = vec4(bass[0] + bass[2]); }\n"
    with pytest.raises(GraphicsError, match="the uniform bass must be declared as float"):
        draw(text)


# --- looks as they were written for earlier versions

FORMER = """#version 330 core
#include "base/dream.glsl"
in vec2 uv;
out vec4 colour;
void main() {
#if defined(ROWS)
    float last = rows[ROWS - 1].y;
    vec3 whole = dream_row(uv, min(depth, last), int(row));
    colour = vec4(mix(whole, dream(uv, min(depth, last), row), 0.5), 1.0);
#else
    colour = vec4(dream(uv, depth, row), 1.0);
#endif
}
"""
OWN_FORMER = """#version 330 core
uniform sampler2DArray frames;
uniform float row;
#ifdef ROWS
uniform vec2 rows[ROWS];
#endif
in vec2 uv;
out vec4 colour;
void main() {
#ifdef ROWS
    colour = vec4(texture(frames, vec3(uv, rows[int(row)].x + 1.0)).rgb, 1.0);
#else
    colour = vec4(texture(frames, vec3(uv, row + 1.0)).rgb, 1.0);
#endif
}
"""


@pytest.mark.parametrize("text", [FORMER, OWN_FORMER], ids=["with the shipped functions", "by itself"])
@pytest.mark.parametrize("n_variants", [1, 3])
def test_a_look_written_for_the_former_names_draws_the_same(draw, text, n_variants):
    variant = n_variants - 1
    assert np.array_equal(draw(text, n_variants, depth=1.0, variant=variant), noise(SIZE, 10 * variant + 1))
    renamed = text.replace("ROWS", "VARIANTS").replace("rows", "variants").replace("row", "variant")
    if "dream(" in text:
        how = {"depth": 1.3, "variant": 0.4 * variant}
        assert np.array_equal(draw(text, n_variants, **how), draw(renamed, n_variants, **how))
