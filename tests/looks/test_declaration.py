"""What a header declares, and how a faulty one is reported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visualizer.errors import BadInput
from visualizer.looks.declaration import LookInput, read_declaration

PATH = Path("own.frag")


def read(header: str):
    return read_declaration(f"/*{header}*/\n#version 330 core\nvoid main() {{}}\n", PATH)


def one(**entry) -> LookInput:
    """The input that such an entry declares."""
    (found,) = read(json.dumps({"INPUTS": [{"NAME": "a", **entry}]})).inputs
    return found


def test_a_header_in_isf_form_is_read():
    found = read(
        """{
        "DESCRIPTION": "Glows.", "CREDIT": "by me", "CATEGORIES": ["Glow"], "ISFVSN": "2",
        "INPUTS": [
            {"NAME": "glow", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 2, "LABEL": "Glow", "DESCRIPTION": "how much"},
            {"NAME": "mirror", "TYPE": "bool", "DEFAULT": true},
            {"NAME": "mode", "TYPE": "long", "VALUES": [0, 2, 5], "LABELS": ["soft", "hard", "wild"], "DEFAULT": 2},
            {"NAME": "copies", "TYPE": "long", "MIN": 1, "MAX": 8, "DEFAULT": 3},
            {"NAME": "tint", "TYPE": "color", "DEFAULT": [1, 0.5, 0, 1]},
            {"NAME": "centre", "TYPE": "point2D", "DEFAULT": [0.5, 0.5], "MIN": [0, 0], "MAX": [1, 1]},
            {"NAME": "flash", "TYPE": "event"}
        ]
    }"""
    )
    assert found.description == "Glows." and found.credit == "by me"
    assert found.others == {"CATEGORIES": ["Glow"], "ISFVSN": "2"}, "unknown keys are kept"
    assert found.news == ()
    assert {one.name: one.default for one in found.inputs} == {
        "glow": 0.5, "mirror": 1, "mode": 2, "copies": 3, "tint": (1, 0.5, 0, 1), "centre": (0.5, 0.5), "flash": 0,
    }  # fmt: skip
    assert found.input("glow").label == "Glow" and (found.input("glow").low, found.input("glow").high) == (0, 2)
    assert found.uniforms == (
        "uniform float glow;", "uniform bool mirror;", "uniform int mode;", "uniform int copies;",
        "uniform vec4 tint;", "uniform vec2 centre;", "uniform bool flash;",
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#version 330 core\nvoid main() {}\n",
        "#version 330 core\n// {\n/* A look that glows. */\nvoid main() {}\n",
        "/* words */\n/*{}*/\n",
        "void main() {}\n/*{]*/\n",
    ],
)
def test_a_shader_without_a_header_declares_nothing(text):
    assert read_declaration(text, PATH).inputs == ()


def test_the_header_may_stand_below_the_version_line():
    text = '#version 330 core\n// glows\n/*{"INPUTS": [{"NAME": "glow", "TYPE": "float"}]}*/\nvoid main() {}\n'
    assert [one.name for one in read_declaration(text, PATH).inputs] == ["glow"]


def test_defaults_are_those_of_isf():
    assert one(TYPE="float").default == 0.5
    assert one(TYPE="float", MIN=2, MAX=4).default == 3
    assert one(TYPE="float", DEFAULT=7).default == 1, "clamped"
    assert one(TYPE="bool").default == 1 - 1
    assert one(TYPE="bool", DEFAULT=0.0).default == 0 and one(TYPE="bool", DEFAULT=1).default == 1
    assert one(TYPE="long", VALUES=[3, 1]).default == 3 and one(TYPE="long", VALUES=[3, 1]).labels == ("3", "1")
    assert one(TYPE="point2D").default == (0, 0)
    assert one(TYPE="color").default == (0, 0, 0, 1)
    assert one(TYPE="float", DEFAULT=None).default == 0.5
    assert one(TYPE="float").label == "a"


def test_what_is_not_supported_yet_is_reported_and_the_rest_is_used():
    found = read(
        """{"INPUTS": [{"NAME": "inputImage", "TYPE": "image", "DEFAULT": null}, {"NAME": "glow", "TYPE": "float"}],
        "PASSES": [{"TARGET": "trail", "PERSISTENT": true}, {}], "IMPORTED": {"noise": {"PATH": "n.png"}}}"""
    )
    assert [one.name for one in found.inputs] == ["glow"]
    assert found.news == (
        "look own: the input 'inputImage' is of type image, which is not supported yet",
        "look own: PASSES is not supported yet; it is drawn in one pass",
        "look own: PERSISTENT is not supported yet; it keeps nothing from one display frame to the next",
        "look own: IMPORTED is not supported yet; its pictures are not loaded",
    )


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ('{\n"INPUTS": 3}', "own.frag:2: INPUTS: must be a list of inputs, each like {...}"),
        ('{"INPUTS":\n[3]}', 'own.frag:2: INPUTS.0: must be an input like {"NAME": "glow", "TYPE": "float"}'),
        ('{"INPUTS": [{}]}', "own.frag:1: INPUTS.0.NAME: missing; allowed: letters, digits and _, beginning with"),
        ('{"INPUTS": [{"NAME": "gl_x", "TYPE": "float"}]}', "'gl_x' cannot be the name of a uniform; allowed: letters"),
        ('{"INPUTS": [{"NAME": "a b", "TYPE": "float"}]}', "'a b' cannot be the name of a uniform"),
        (
            '{"INPUTS": [{"NAME": "a",\n"TYPE": "flaot"}]}',
            "own.frag:2: INPUTS.0.TYPE: 'flaot' is no type (did you mean 'float'?); allowed: float, bool, long, event, color",
        ),
        (
            '{"INPUTS": [{"NAME": "a", "TYPE": "float"},\n{"NAME": "a", "TYPE": "bool"}]}',
            "own.frag:2: INPUTS.1.NAME: there is another input called 'a'",
        ),
        (
            '{"INPUTS": [{"NAME": "a", "TYPE": "float", "MIN": 1}]}',
            "INPUTS.0.MAX: missing; allowed: a number, and MIN and MAX both",
        ),
        (
            '{"INPUTS": [{"NAME": "a", "TYPE": "float",\n"MIN": 1,\n"MAX": 1}]}',
            "own.frag:3: INPUTS.0.MAX: 1 must be above MIN, which is 1",
        ),
        (
            '{"INPUTS": [{"NAME": "a", "TYPE": "float", "DEFAULT": "x"}]}',
            "DEFAULT: 'x' cannot be used; allowed: a number, 0 .. 1",
        ),
        (
            '{"INPUTS": [{"NAME": "a", "TYPE": "color", "DEFAULT": [1, 2, 3, 1]}]}',
            "allowed: a list of 4 numbers, each 0 .. 1",
        ),
        ('{"INPUTS": [{"NAME": "a", "TYPE": "long", "VALUES": [1.5]}]}', "VALUES: must be a list of whole numbers"),
        (
            '{"INPUTS": [{"NAME": "a", "TYPE": "long", "VALUES": [1], "LABELS": []}]}',
            "LABELS: must be a list of 1 texts",
        ),
        (
            '{"INPUTS": [{"NAME": "a", "TYPE": "long", "VALUES": [1, 2], "LABELS": ["x", "x"]}]}',
            "LABELS: each must be different",
        ),
        ('{"DESCRIPTION": 3}', "own.frag:1: DESCRIPTION: 3 cannot be used; allowed: text"),
        ('{\n\n"INPUTS" [', "own.frag:3: not valid JSON: '[' where : is expected"),
        ('{"a": 1,\n}', None),
        ('{"a": tru}', "own.frag:1: not valid JSON at 'tru}'"),
        ('{"a": 1e999}', "the number '1e999' is too large"),
        ('{"a": ' + "9" * 5000 + "}", "own.frag:1: "),
        ('{"a": ' + "[" * 100_000, "nested deeper than 16 levels"),
        ('{"a": 1} "b"', "own.frag:1: '\"b\"' follows the end of the header"),
        ('{"a": "', "own.frag:1: not valid JSON at '\"'"),
        ('{"a', "own.frag:1: not valid JSON at '\"a'"),
    ],
)
def test_a_faulty_header_is_reported_with_file_line_key_and_what_is_allowed(header, said):
    if said is None:  # a comma too many does no harm
        assert read(header).others == {"a": 1}
        return
    with pytest.raises(BadInput) as raised:
        read(header)
    assert said in str(raised.value) and "\n" not in str(raised.value)


def test_a_header_without_an_end_is_reported():
    with pytest.raises(BadInput, match=r"own\.frag:2: the comment with the header has no end"):
        read_declaration('#version 330 core\n/*{"INPUTS": []', PATH)


def test_an_unknown_parameter_names_the_nearest():
    with pytest.raises(BadInput, match=r"unknown parameter 'glwo' \(did you mean 'glow'\?\); there are: glow"):
        read('{"INPUTS": [{"NAME": "glow", "TYPE": "float"}]}').input("glwo")
    with pytest.raises(BadInput, match="this look declares none"):
        read("{}").input("glow")


@pytest.mark.parametrize(
    ("entry", "given", "taken"),
    [
        ({"TYPE": "float", "MIN": -1, "MAX": 1}, -0.5, -0.5),
        ({"TYPE": "float"}, 2, None),
        ({"TYPE": "float"}, float("nan"), None),
        ({"TYPE": "float"}, True, None),
        ({"TYPE": "float"}, "0.5", None),
        ({"TYPE": "bool"}, True, 1),
        ({"TYPE": "event"}, 1.0, 1),
        ({"TYPE": "bool"}, "yes", None),
        ({"TYPE": "long", "VALUES": [0, 5], "LABELS": ["soft", "hard"]}, "hard", 5),
        ({"TYPE": "long", "VALUES": [0, 5], "LABELS": ["soft", "hard"]}, 5, 5),
        ({"TYPE": "long", "VALUES": [0, 5], "LABELS": ["soft", "hard"]}, 4, None),
        ({"TYPE": "long", "MIN": 0, "MAX": 9}, 4.0, 4),
        ({"TYPE": "long", "MIN": 0, "MAX": 9}, 4.5, None),
        ({"TYPE": "color"}, [1, 0, 0.5, 1], (1, 0, 0.5, 1)),
        ({"TYPE": "color"}, [1, 0, 0.5], None),
        ({"TYPE": "point2D"}, [-300, 7e9], (-300, 7e9)),
        ({"TYPE": "point2D"}, [1, "x"], None),
    ],
)
def test_a_value_is_checked_against_the_declaration(entry, given, taken):
    found = one(**entry)
    if taken is not None:
        assert found.checked(given) == taken
        return
    with pytest.raises(BadInput, match="cannot be used; allowed: ") as raised:
        found.checked(given)
    assert found.allowed in str(raised.value)


# --- anything at all

WORDS = st.sampled_from(
    [
        "NAME",
        "TYPE",
        "DEFAULT",
        "MIN",
        "MAX",
        "VALUES",
        "LABELS",
        "INPUTS",
        "PASSES",
        "PERSISTENT",
        "IMPORTED",
        "DESCRIPTION",
        "glow",
        "float",
        "bool",
        "long",
        "color",
        "point2D",
        "event",
        "image",
        "é\x00",
    ]
)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(WORDS, inner, max_size=6),
    max_leaves=20,
)
ENTRIES = st.fixed_dictionaries(
    {"NAME": st.sampled_from(["a", "b", "c"]), "TYPE": WORDS},
    optional=dict.fromkeys(["DEFAULT", "MIN", "MAX"], NUMBERS | st.lists(NUMBERS, max_size=4)) | {
        "VALUES": st.lists(NUMBERS, max_size=3), "LABELS": st.lists(WORDS, max_size=3),
    },
)  # fmt: skip


def never_more_than_bad_input(header: str) -> None:
    try:
        found = read(header)
    except BadInput as fault:
        assert "\n" not in str(fault) and str(fault).startswith("own.frag:")
        return
    for each in found.inputs:
        assert (
            each.checked(each.labels[each.values.index(each.default)] if each.labels else each.default) == each.default
        )


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(WORDS, VALUES, max_size=6) | st.fixed_dictionaries({"INPUTS": st.lists(ENTRIES, max_size=3)}))
def test_any_header_is_read_or_refused_in_one_line(values):
    never_more_than_bad_input(json.dumps(values).replace("*/", ""))


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from('{}[]:,"\\ \t\n*/abc0123456789.eE+-truefalsn\0é'), max_size=60))
def test_any_text_is_read_or_refused_in_one_line(text):
    never_more_than_bad_input("{" + text.replace("*/", ""))


@pytest.mark.long
@settings(max_examples=3000, deadline=None)
@given(st.text(max_size=200))
def test_any_text_at_length_is_read_or_refused_in_one_line(text):
    never_more_than_bad_input("{" + text.replace("*/", ""))


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=5))
def test_values_are_those_that_json_reads(values):
    written = json.dumps(values, indent=1).replace("*/", "")
    if not {"INPUTS", "DESCRIPTION", "CREDIT", "PASSES"} & set(json.loads(written)):
        try:
            assert read(written).others == json.loads(written)
        except BadInput as fault:
            assert "too large" in str(fault)
