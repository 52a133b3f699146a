"""Looks as GLSL 3.30: what is put before their own lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.glslang import Refused
from visualizer.errors import BadInput
from visualizer.looks.look import open_look_file
from visualizer.looks.program import Program, TextureRef
from visualizer.looks.reading import read_declaration
from visualizer.looks.source import Line, ShaderSource
from visualizer.looks.translation import isf_program

PATH = Path("own.fs")


def source(text: str, place: str = "own.fs") -> ShaderSource:
    lines = text.split("\n")
    return ShaderSource(text, tuple(Line(place, number, line) for number, line in enumerate(lines, start=1)), (PATH,))


def translated(text: str, vertex: str | None = None) -> Program:
    return isf_program(
        source(text), vertex if vertex is None else source(vertex, "own.vs"), read_declaration(text, PATH)
    )


def before(text: str) -> list[str]:
    """The lines that are put before a fragment shader."""
    program = translated(text)
    return program.fragment.text.split("\n")[: -text.count("\n") - 1]


def test_every_line_knows_where_it_came_from():
    text = '/*{"INPUTS": []}*/\n#version 120\nvarying vec2 a; // é\n#define B \\\n  2\n\nvoid main() {}'
    program = translated(text, "void main() {\n  isf_vertShaderInit();\n}")
    for shader, place, count in ((program.fragment, "own.fs", 7), (program.vertex, "own.vs", 3)):
        assert len(shader.lines) == shader.text.count("\n") + 1
        assert [line.number for line in shader.lines[-count:]] == list(range(1, count + 1))
        assert {line.place for line in shader.lines} == {place} and {line.number for line in shader.lines[:-count]} == {
            1
        }
    assert program.fragment.text.split("\n")[0] == "#version 330 core"
    assert program.fragment.text.split("\n")[-5].rstrip() == "in vec2 a;"
    assert program.fragment.lines[-5].text == "varying vec2 a; // é"
    assert program.fragment.text.isascii()
    assert program.defining({"TAPS": 2}).fragment.text.split("\n")[1] == "#define TAPS 2"


def test_only_what_is_used_and_not_declared_is_declared():
    text = (
        '/*{"INPUTS": [{"NAME": "mid", "TYPE": "color"}, {"NAME": "unused", "TYPE": "float"}]}*/\n'
        "float bass; struct hat { float x; };\n"
        "void main() { float high = kick + a.loudness + TIME; gl_FragColor = mid; }"
    )
    declared = [line for line in before(text) if line.startswith(("uniform", "out"))]
    assert declared == [
        "out vec4 isf_FragColor;",
        "uniform float kick;",
        "uniform float high;",
        "uniform float TIME;",
        "uniform vec4 mid;",
    ]


def test_the_uniforms_of_shadertoy_are_there_beside_a_main_function(refused: Refused, tmp_path):
    path = tmp_path / "own.fs"
    path.write_text(
        '/*{"INPUTS": [{"NAME": "iMouse", "TYPE": "point2D"}]}*/\n#define iResolution RENDERSIZE\nout vec4 colour;\n'
        "void mainImage(out vec4 c, in vec2 p) { c = vec4(p / iResolution.xy + iMouse.xy, iTime, 1.0); }\n"
        "void main() { mainImage(colour, gl_FragCoord.xy); }"
    )
    assert refused(open_look_file(path)) == []


def test_names_that_glsl_330_has_for_itself_are_others():
    text = "float noise2(float packed) { return packed; }\nvoid main() { uint sample = 1; noise2(noise1); }"
    program = translated(text)
    assert program.fragment.text.split("\n")[-2:] == [
        "float own_noise2(float own_packed) { return own_packed; }",
        "void main() { uint own_sample = 1; own_noise2(noise1); }",
    ]
    assert "#extension GL_ARB_gpu_shader5 : enable" in before(text)


def test_the_place_in_pixels_that_some_hosts_declare_is_there():
    assert translated("void main() { gl_FragColor = vec4(isf_FragCoord.x); }").fragment.text.split("\n")[-1] == (
        "void main() { isf_FragColor = vec4(gl_FragCoord.xy.x); }"
    )


def test_a_look_may_write_its_own_output():
    assert not any(line.startswith("out") for line in before("out vec4 colour;\nvoid main() { colour = vec4(1.0); }"))


def test_dream_is_there_where_it_is_called_and_not_declared():
    assert any("vec3 dream(vec2 place, float depth)" in line for line in before("void main() { dream(p, 1.0); }"))
    for text in ("vec3 dream(vec2 p) { return p.xyx; }\nvoid main() { dream(p); }", "void main() { a.dream; }"):
        assert not any("dream" in line for line in before(text))
    declared = [line for line in before("void main() { dream(p, depth); }") if "uniform float depth" in line]
    assert len(declared) == 1


def test_an_input_that_is_called_like_what_dream_needs_is_refused():
    text = '/*{"INPUTS": [{"NAME": "size", "TYPE": "float"}]}*/ void main() { dream(p, size); }'
    with pytest.raises(BadInput, match=r"own\.fs: 'size' is a name that dream\(\) uses itself"):
        translated(text)
    assert "uniform float size;" in before(text.replace("dream(p, size)", "size"))


def test_textures_are_those_that_are_declared():
    text = """/*{
        "INPUTS": [{"NAME": "inputImage", "TYPE": "image"}, {"NAME": "left", "TYPE": "audio", "MAX": 64},
            {"NAME": "bins", "TYPE": "audioFFT"}, {"NAME": "sky", "TYPE": "cube"}],
        "PASSES": [{"TARGET": "trail"}, {}]}*/ void main() {}"""
    textures = translated(text).textures
    assert {name: textures[name] for name in ("inputImage", "left", "bins", "sky", "trail", "spectrum")} == {
        "inputImage": TextureRef("input", "inputImage"),
        "left": TextureRef("audio", "left", columns=64),
        "bins": TextureRef("audioFFT", "bins"),
        "sky": TextureRef("black"),
        "trail": TextureRef("target", "trail"),
        "spectrum": TextureRef("spectrum"),
    }


def test_a_uniform_that_nothing_sets_is_reported(tmp_path):
    header = '/*{"INPUTS": [{"NAME": "glow", "TYPE": "float"}], "PASSES": [{"TARGET": "trail"}, {}]}*/\n'
    uniforms = (
        "uniform float time, speed; uniform mediump vec2 resolution; uniform float unused; uniform float own = 1.0;\n"
        "uniform float TIME, glow, kick, iTime; uniform sampler2D trail; // uniform float time2; time2\n"
    )
    code = f"{header}{uniforms}float a = time + resolution.x + own + TIME + glow + kick + iTime + speed;\n"
    for name, rest in (
        ("a.fs", "void main() {}"),
        ("b.frag", "#version 330 core\nvoid main() {}"),
        ("c.fs", "void mainImage() {}"),
    ):
        (tmp_path / name).write_text(code + rest)
        news = open_look_file(tmp_path / name).declaration.news
        assert [line.partition(" stays 0: no input is called so")[0] for line in news] == [
            f"look {name[0]}: its uniform {one!r}" for one in ("time", "speed", "resolution")
        ]


def test_a_frag_file_without_a_version_is_read_like_an_fs_file(tmp_path):
    (tmp_path / "own.frag").write_text("void main() { gl_FragColor = vec4(isf_FragNormCoord, kick, 1.0); }")
    assert open_look_file(tmp_path / "own.frag").format == "isf"


def test_a_plain_look_reads_textures_too(tmp_path):
    (tmp_path / "grain.png").write_bytes(b"")
    (tmp_path / "own.frag").write_text(
        '/*{"INPUTS": [{"NAME": "inputImage", "TYPE": "image"}], "IMPORTED": {"grain": {"PATH": "grain.png"}}}*/\n'
        "#version 330 core\nvoid main() {}"
    )
    look = open_look_file(tmp_path / "own.frag")
    assert look.format == "frag" and look.programs[0].textures["grain"] == TextureRef("file", "grain")
    assert {"uniform sampler2D inputImage;", "uniform sampler2D grain;"} <= set(
        look.programs[0].fragment.text.split("\n")
    )


@settings(max_examples=300)
@given(
    st.text(alphabet=st.sampled_from("{}()[];,#\\/*\n\t .1eax_if"), max_size=60)
    | st.lists(
        st.sampled_from(
            ["dream(", "level", "#if", "#else", "#endif\n", "float ", "uint", "{", "}", ";", "/*", "//", "\n"]
        )
    ).map("".join)
)
def test_any_shader_is_translated_line_for_line(text):
    try:
        program = isf_program(source(text), source(text, "own.vs"), read_declaration(text, PATH))
    except BadInput as fault:
        assert "\n" not in str(fault)
        return
    for shader in (program.fragment, program.vertex):
        assert len(shader.lines) == shader.text.count("\n") + 1
        assert [line.number for line in shader.lines[-text.count("\n") - 1 :]] == list(range(1, text.count("\n") + 2))
