"""The words of GLSL: comments, names and conditions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visualizer.looks.glsl import declared, hoisted, with_words, without_comments, words


def test_comments_and_continued_lines_go_and_lines_stay():
    text = "float a; // one\n/* two\nthree */ float b;\n#define SUM(x) \\\n  x + 1\nfloat c; /* no end\n"
    assert without_comments(text).split("\n") == [
        "float a;       ",
        "      ",
        "         float b;",
        "#define SUM(x)    x + 1",
        "",
        "float c;          ",
        "",
    ]


def test_words_are_replaced_but_for_numbers_and_fields():
    text = "vec4 e5 = vec4(1e5, .5e5, 1.e5, a . e5); e5x = e5.e5; // e5"
    assert with_words(without_comments(text), {"e5": "X"}).rstrip() == (
        "vec4 X = vec4(1e5, .5e5, 1.e5, a . e5); e5x = X.e5;"
    )
    assert words("kick.level + 1.0level + mid") == {"kick", "mid"}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("uniform float level;", {"level"}),
        ("float a = 1.0, level[3], b;", {"a", "level", "b"}),
        ("const vec3 a = vec3(level, kick, mid) * bass;", {"a"}),
        ("vec3 level(vec2 kick) { float mid; return mid; }\nfloat b;", {"level", "b"}),
        ("struct level { float kick; } mid;\nlevel bass;", {"level", "mid", "bass"}),
        ("void main(void) { if (true) { float level; } }", {"main"}),
        ("precision mediump float;\nin vec2 level[5];", {"level"}),
        ("float[2] level;", {"level"}),
        ("#ifdef A\nvoid f() {\n#else\nvoid f() {\n#endif\nfloat kick;\n}\nfloat level;", {"f", "level"}),
        ("#define SHTOY 0\n#if SHTOY\nfloat level;\n#endif\nfloat kick;", {"kick"}),
        ("#if 1\nfloat a;\n#elif 1\nfloat b;\n#else\nfloat c;\n#endif", {"a"}),
        ("#if 0\nfloat a;\n#elif defined(B) || __VERSION__ >= 130\nfloat b;\n#else\nfloat c;\n#endif", {"b"}),
        ("#define A\n#ifndef A\nfloat a;\n#if 1\nfloat b;\n#endif\n#else\nfloat c;\n#endif\nfloat d;", {"c", "d"}),
        ("#define A x\n#if A & 3\nfloat a;\n#else\nfloat b;\n#endif", {"a", "b"}),
        ("#define A 1\n#undef A\n#ifdef A\nfloat a;\n#endif", set()),
        ("#endif\n#else\n#\n#if\nfloat a;", {"a"}),
        ("#define M mainImage\nvoid M(out vec4 a, vec2 b) {}", {"mainImage"}),
        ("#define R vec4\n#define D R level\nD, kick;", {"level", "kick"}),
        ("#define A float level;\n#undef A\n#define B(x) float x;\nB(kick)\nA", set()),
        ("#define A A float b\nA;", {"b"}),
    ],
)
def test_what_is_declared_for_all_functions_is_found(text, names):
    assert declared(text) == names


def test_macros_one_within_the_other_end():
    macros = "".join(f"#define A{n} A{n + 1}\n" for n in range(5000))
    assert "a" in declared(f"{macros}A0; float a;")


def test_macros_that_double_each_other_end():
    macros = "".join(f"#define A{n} A{n + 1} A{n + 1}\n" for n in range(99))
    assert "a" in declared(f"{macros}A0; float a;")


def test_extensions_and_versions_are_taken_out_of_their_lines():
    text = " #version 120\n#extension GL_EXT_a : require\n  #  extension GL_EXT_b : enable\n#line 5\nfloat a;"
    assert hoisted(text) == (
        "\n\n\n\nfloat a;",
        ["#extension GL_EXT_a : enable", "#extension GL_EXT_b : enable"],
    )


def test_a_macro_is_parted_from_its_body():
    text = "#define NEAR.001\n# define  FAR(x) x\n#define MINUS-1\n#define ON\n#define TWO 2\nfloat a.b;"
    assert hoisted(text)[0] == text.replace("NEAR.", "NEAR .").replace("MINUS-", "MINUS -")


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from("{}()[];,#\\/*\n\t .1eax_if defn0\0é"), max_size=80))
def test_any_text_keeps_its_lines(text):
    plain, _ = hoisted(without_comments(text))
    assert plain.count("\n") == text.count("\n")
    assert with_words(plain, {}) == plain
    assert declared(plain) <= words(plain)
