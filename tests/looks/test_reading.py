"""What a header declares, and how a faulty one is reported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visualizer.errors import BadInput
from visualizer.looks.declaration import LookInput, Pass
from visualizer.looks.header import read_header
from visualizer.looks.reading import read_declaration

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
    assert found.categories == ("Glow",)
    assert found.news == (), "a key that means nothing here does no harm"
    assert {one.name: one.default for one in found.inputs} == {
        "glow": 0.5, "mirror": 1, "mode": 2, "copies": 3, "tint": (1, 0.5, 0, 1), "centre": (0.5, 0.5), "flash": 0,
    }  # fmt: skip
    assert found.input("glow").label == "Glow" and (found.input("glow").low, found.input("glow").high) == (0, 2)
    assert tuple(one.line for one in found.inputs) == (
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


@pytest.mark.parametrize(
    "before",
    ["// by me\n/* MIT licence */\n", "#version 300 es\nprecision highp float;\n/* a */ /* b\n*/", ""],
)
def test_other_comments_may_stand_before_the_header(before):
    text = before + '/*{"INPUTS": [{"NAME": "glow", "TYPE": "float"}]}*/\nvoid main() {}\n'
    assert [one.name for one in read_declaration(text, PATH).inputs] == ["glow"]
    faulty = before + '/*{"INPUTS": [\n{"NAME": 3}]}*/\nvoid main() {}\n'
    line = before.count("\n") + 2
    with pytest.raises(BadInput, match=rf"own\.frag:{line}: INPUTS\.0\.NAME: "):
        read_declaration(faulty, PATH)


def test_code_that_is_commented_out_behind_another_comment_is_no_header():
    assert read_declaration("/* by me */\n/*{ float a; }*/\nvoid main() {}\n", PATH).inputs == ()


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


def test_where_isfs_reference_host_is_lenient_this_is_too():
    assert (one(TYPE="float", MIN=3).low, one(TYPE="float", MIN=3).high) == (0, 1), "MIN and MAX both or neither"
    reversed_bounds = one(TYPE="float", MIN=1, MAX=0.25, DEFAULT=0.5)
    assert (reversed_bounds.low, reversed_bounds.high, reversed_bounds.default) == (0.25, 1, 0.5)
    assert one(TYPE="color", DEFAULT=[2, -1, 0, 1]).default == (1, 0, 0, 1), "clamped"
    assert one(TYPE="point2D", DEFAULT=[3, 0], MIN=[0, 0], MAX=[1, 1]).default == (1, 0), "clamped"
    assert one(TYPE="point2D", MIN=[0.5, 0.5], MAX=[1, 1]).default == (0.5, 0.5)
    assert one(TYPE="long", VALUES=[1, 2], LABELS=["x", "x"]).labels == ("x #1", "x #2")
    assert one(TYPE="long", VALUES=[0, 1], LABELS=[10, 20]).labels == ("10", "20")
    assert one(TYPE="long", VALUES=[0, 3, 9], DEFAULT=5).default == 3, "the nearest"
    texts = one(TYPE="long", VALUES=["soft", "hard"], DEFAULT="hard")
    assert (texts.values, texts.labels, texts.default) == ((0, 1), ("soft", "hard"), 1)
    assert one(TYPE="bool", DEFAULT="TRUE").default == 1 and one(TYPE="bool", DEFAULT="False").default == 0
    assert one(TYPE="event", DEFAULT="x").default == 0
    texts = one(TYPE="long", VALUES=["add", "multiply"], LABELS=["Add", "Multiply"], DEFAULT=1)
    assert (texts.values, texts.labels, texts.default) == ((0, 1), ("Add", "Multiply"), 1)


def test_numbers_in_quotes_are_numbers():
    number = one(TYPE="float", MIN="-1", MAX="2.5", DEFAULT="0.5")
    assert (number.low, number.high, number.default) == (-1, 2.5, 0.5)
    assert one(TYPE="bool", DEFAULT="1").default == 1 and one(TYPE="bool", DEFAULT="0").default == 0
    assert one(TYPE="long", VALUES=["2", "4"], DEFAULT="4").values == (2, 4)
    assert one(TYPE="color", DEFAULT=["1", 0, "0.5", 1]).default == (1, 0, 0.5, 1)
    assert one(TYPE="audio", MAX="1024").max_columns == 1024


def test_equal_bounds_are_replaced_and_reported():
    found = read('{"INPUTS": [{"NAME": "a", "TYPE": "float", "MIN": 3, "MAX": 3, "DEFAULT": 3}]}')
    assert (found.inputs[0].low, found.inputs[0].high, found.inputs[0].default) == (3, 4, 3)
    assert found.news == ("look own: MIN and MAX of the input 'a' are both 3; it goes from 3 to 4",)


def test_an_import_without_a_path_is_left_out():
    found = read('{"IMPORTED": {"trail": {"PASSINDEX": 0}}, "PASSES": [{"TARGET": "trail"}, {}]}')
    assert found.imported == {} and [one.target for one in found.passes] == ["trail", ""]
    assert found.news == ("look own: the picture 'trail' of its header is left out: it has no PATH",)


def test_an_input_of_an_unknown_type_and_labels_that_do_not_fit_are_reported_and_the_rest_is_used():
    found = read(
        """{"INPUTS": [{"NAME": "a", "TYPE": "flaot"}, {"NAME": "b", "TYPE": 3}, {"NAME": "glow", "TYPE": "float"},
        {"NAME": "mode", "TYPE": "long", "VALUES": [4, 5], "LABELS": ["soft"]}]}"""
    )
    assert [one.name for one in found.inputs] == ["glow", "mode"]
    assert found.input("mode").labels == ("4", "5")
    assert found.news == (
        "look own: the input 'a' is left out: its TYPE is 'flaot', which is not known (did you mean 'float'?)",
        "look own: the input 'b' is left out: its TYPE is 3, which is not known",
        "look own: the input 'mode' has 2 VALUES and not as many LABELS",
    )


def test_inputs_that_are_textures_are_no_controls():
    found = read(
        """{"INPUTS": [{"NAME": "inputImage", "TYPE": "image", "DEFAULT": null}, {"NAME": "glow", "TYPE": "float"},
        {"NAME": "left", "TYPE": "audio", "MAX": 256}, {"NAME": "bins", "TYPE": "audioFFT"}, {"NAME": "sky", "TYPE": "cube"}]}"""
    )
    assert [one.kind for one in found.inputs] == ["image", "float", "audio", "audioFFT", "cube"]
    assert [one.name for one in found.controls] == ["glow"]
    assert [one.max_columns for one in found.inputs] == [0, 0, 256, 0, 0]
    assert [one.line for one in found.inputs][-2:] == ["uniform sampler2D bins;", "uniform samplerCube sky;"]
    with pytest.raises(BadInput, match="'x' cannot be used; allowed: "):
        found.input("left").checked("x")


@pytest.mark.parametrize(
    ("inputs", "kind"),
    [
        ([], "generator"),
        ([("inputImage", "image")], "filter"),
        ([("inputImage", "float")], "generator"),
        ([("startImage", "image"), ("endImage", "image"), ("progress", "float")], "transition"),
        ([("startImage", "image"), ("endImage", "image"), ("progress", "long")], "generator"),
        ([("startImage", "image"), ("endImage", "image")], "generator"),
    ],
)
def test_what_a_look_is_follows_from_its_inputs(inputs, kind):
    entries = [{"NAME": name, "TYPE": kind} for name, kind in inputs]
    assert read(json.dumps({"INPUTS": entries})).kind == kind


def test_passes_are_read_with_their_targets_and_sizes():
    found = read(
        """{"INPUTS": [{"NAME": "quality", "TYPE": "float"}],
        "PASSES": [
            {"TARGET": "small", "WIDTH": "floor($WIDTH * $quality)", "HEIGHT": 2, "DESCRIPTION": "ignored"},
            {"TARGET": "trail", "PERSISTENT": true, "FLOAT": 1},
            {"TARGET": "trail"},
            {}
        ]}"""
    )
    small, trail, again, last = found.passes
    assert small.width is not None and small.width.evaluate({"WIDTH": 100.0, "quality": 0.33}) == 33
    assert small.height is not None and small.height.evaluate({}) == 2
    assert (trail.target, trail.is_persistent, trail.is_float, trail.width) == ("trail", True, True, None)
    assert (again.is_persistent, again.is_float) == (True, True), "a target is the same in all passes"
    assert last == Pass() and not small.is_persistent and found.has_history
    assert not read("{}").has_history and read('{"PASSES": []}').passes == read("{}").passes == (Pass(),)


def test_the_kept_buffers_of_isf_1_are_kept_targets():
    listed = read('{"PERSISTENT_BUFFERS": ["trail"], "PASSES": [{"TARGET": "trail"}, {"TARGET": "other"}, {}]}').passes
    assert [one.is_persistent for one in listed] == [True, False, False]
    (sized, _) = read(
        '{"PERSISTENT_BUFFERS": {"trail": {"WIDTH": 8, "HEIGHT": "$HEIGHT/2", "FLOAT": true}},'
        ' "PASSES": [{"TARGET": "trail"}, {}]}'
    ).passes
    assert sized.is_persistent and sized.is_float and sized.width is not None and sized.height is not None
    assert (sized.width.evaluate({}), sized.height.evaluate({"HEIGHT": 90.0})) == (8, 45)


def test_pictures_are_found_beside_the_shader(tmp_path):
    for name in ["noise.png", *"abcdef"]:
        (tmp_path / name).write_bytes(b"")
    path = tmp_path / "own.fs"
    listed = '[{"NAME": "grain", "PATH": "noise.png"}]'
    named = """{"grain": {"PATH": "noise.png"}, "sky": {"TYPE": "cube", "PATH": ["a", "b", "c", "d", "e", "f"]}}"""
    found = read_declaration(f'/*{{"IMPORTED": {named}}}*/', path).imported
    assert found == {"grain": (tmp_path / "noise.png",), "sky": tuple(tmp_path / name for name in "abcdef")}
    assert read_declaration(f'/*{{"IMPORTED": {listed}}}*/', path).imported == {"grain": (tmp_path / "noise.png",)}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ('"none.png"', "'none.png' is missing in the folder "),
        ('"../secret.png"', "'../secret.png' lies outside the folder"),
        ('"link.png"', "'link.png' lies outside the folder"),
        ('"/etc/passwd"', "lies outside the folder"),
        ('"."', "'.' is missing"),
        ('"a\\u0000b"', "cannot be the name of a file"),
        ("3", "not the name of a file; allowed: the name of one in the folder"),
        ('["own.fs"]', "must be a list of six files"),
        ('"round.png"', "round.png"),
    ],
)
def test_a_picture_that_cannot_be_is_refused(tmp_path, path, said):
    folder = tmp_path / "look"
    folder.mkdir()
    (tmp_path / "secret.png").write_bytes(b"")
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "round.png").symlink_to(folder / "round.png")
    with pytest.raises(BadInput) as raised:
        read_declaration(f'/*{{\n"IMPORTED": {{"grain": {{"PATH": {path}}}}}}}*/', folder / "own.fs")
    assert "own.fs:2: IMPORTED.grain.PATH: " in str(raised.value) and said in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("key", "meant"), [("INPUT", "INPUTS"), ("scale", "SCALE"), ("PASS", "PASSES"), ("VSN", "")])
def test_a_key_that_is_nearly_a_known_one_is_reported(key, meant):
    news = read(json.dumps({key: [], "INPUTS": []})).news
    hint = f"look own: the key {key!r} of its header means nothing (did you mean {meant!r}?)"
    assert news == ((hint,) if meant else ())


def test_our_own_keys():
    found = read('{"SCALE": 0.5, "LISTENS": "the kick", "COSTS": "little"}')
    assert (found.scale, found.listens, found.costs) == (0.5, "the kick", "little")
    assert read("{}").scale == 1


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ('{\n"INPUTS": 3}', "own.frag:2: INPUTS: must be a list, each entry an input like {"),
        ('{"INPUTS":\n[3]}', 'own.frag:2: INPUTS.0: must be an input like {"NAME": "glow", "TYPE": "float"}'),
        ('{"INPUTS": [{}]}', "own.frag:1: INPUTS.0.NAME: missing; allowed: letters, digits and _, beginning with"),
        (
            '{"INPUTS": [{"NAME": "gl_x", "TYPE": "float"}]}',
            "'gl_x' cannot be the name of a uniform; allowed: letters, digits and _, beginning with a letter, but not",
        ),
        ('{"INPUTS": [{"NAME": "a b", "TYPE": "float"}]}', "'a b' cannot be the name of a uniform"),
        (
            '{"INPUTS": [{"NAME": "a", "TYPE": "float"},\n{"NAME": "a", "TYPE": "bool"}]}',
            "own.frag:2: INPUTS.1.NAME: there is another input called 'a'",
        ),
        (
            '{"INPUTS": [{"NAME": "a", "TYPE": "long", "MIN": 0.5, "MAX": 3}]}',
            "INPUTS.0.MIN: 0.5 cannot be used; allowed: a whole number",
        ),
        ('{"INPUTS": [{"NAME": "sampler2D", "TYPE": "float"}]}', "'sampler2D' means something else in shaders"),
        ('{"INPUTS": [{"NAME": "TIME", "TYPE": "float"}]}', "'TIME' means something else in shaders"),
        (
            '{"INPUTS": [{"NAME": "a", "TYPE": "audio", "MAX": -1}]}',
            "INPUTS.0.MAX: -1 cannot be used; allowed: a whole",
        ),
        ('{"PASSES": {}}', 'own.frag:1: PASSES: must be a list, each entry a pass like {"TARGET": "trail"'),
        ('{"PASSES": [\n{"TARGET": "a b"}]}', "own.frag:2: PASSES.0.TARGET: 'a b' cannot be the name of a uniform"),
        ('{"PASSES": [{"PERSISTENT": "yes"}]}', "PASSES.0.PERSISTENT: 'yes' cannot be used; allowed: true or false"),
        ('{"PASSES": [{"WIDTH": []}]}', "PASSES.0.WIDTH: a list cannot be used; allowed: a number, or a text like"),
        (
            '{"PASSES": [{"TARGET": "a",\n"WIDTH": "$WIDHT / 2"}]}',
            "own.frag:2: PASSES.0.WIDTH: column 1: unknown name 'WIDHT' (did you mean 'WIDTH'?)",
        ),
        ('{"PASSES": [' + ",".join(["{}"] * 65) + "]}", "PASSES: 65 passes cannot be drawn; allowed: up to 64"),
        (
            '{"INPUTS": [{"NAME": "a", "TYPE": "image"}], "PASSES": [\n{"TARGET": "a"}]}',
            "own.frag:2: PASSES.0.TARGET: 'a' is declared above, too",
        ),
        ('{"PERSISTENT_BUFFERS": 3}', "PERSISTENT_BUFFERS: must be a list of names, or an object"),
        ('{"PERSISTENT_BUFFERS": [3]}', "PERSISTENT_BUFFERS.0: 3 cannot be the name of a uniform"),
        ('{"IMPORTED": 3}', 'IMPORTED: must be an object like {"noise": '),
        ('{"IMPORTED": [3]}', 'IMPORTED.0: must be like {"PATH": "noise.png"}'),
        ('{"SCALE": 0}', "SCALE: 0 cannot be used; allowed: a number above 0, up to 1"),
        ('{"LISTENS": ["kick"]}', "LISTENS: a list cannot be used; allowed: text"),
        (
            '{"INPUTS": [{"NAME": "a", "TYPE": "float", "DEFAULT": "x"}]}',
            "DEFAULT: 'x' cannot be used; allowed: a number, 0 .. 1",
        ),
        (
            '{"INPUTS": [{"NAME": "a", "TYPE": "color", "DEFAULT": [1, 0, 1]}]}',
            "allowed: a list of 4 numbers, each 0 .. 1",
        ),
        ('{"INPUTS": [{"NAME": "a", "TYPE": "long", "VALUES": [1.5]}]}', "VALUES: must be a list of whole numbers"),
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
        assert read(header).news == ()
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
        "audioFFT",
        "cube",
        "TARGET",
        "WIDTH",
        "$WIDTH / 2",
        "FLOAT",
        "PERSISTENT_BUFFERS",
        "PATH",
        "SCALE",
        "é\x00",
    ]
)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(WORDS, inner, max_size=6),
    max_leaves=20,
)
PASSES = st.fixed_dictionaries(
    {}, optional={
        "TARGET": WORDS, "PERSISTENT": st.booleans() | NUMBERS, "FLOAT": st.booleans() | WORDS,
        "WIDTH": NUMBERS | st.text(alphabet="$WIDTHab()*/+-^,<?:1.e ", max_size=20), "HEIGHT": WORDS,
    },
)  # fmt: skip
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
    for each in found.controls:
        assert (
            each.checked(each.labels[each.values.index(each.default)] if each.labels else each.default) == each.default
        )


HEADERS = st.dictionaries(WORDS, VALUES, max_size=6) | st.fixed_dictionaries(
    {"INPUTS": st.lists(ENTRIES, max_size=3), "PASSES": st.lists(PASSES, max_size=3)}
)


@settings(max_examples=300, deadline=None)
@given(HEADERS)
def test_any_header_is_read_or_refused_in_one_line(values):
    never_more_than_bad_input(json.dumps(values).replace("*/", ""))


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from('{}[]:,"\\ \t\n*/abc0123456789.eE+-truefalsn\0é'), max_size=60))
def test_any_text_is_read_or_refused_in_one_line(text):
    never_more_than_bad_input("{" + text.replace("*/", ""))


@pytest.mark.long
@settings(max_examples=3000, deadline=None)
@given(HEADERS)
def test_any_header_at_length_is_read_or_refused_in_one_line(values):
    never_more_than_bad_input(json.dumps(values).replace("*/", ""))


@pytest.mark.long
@settings(max_examples=3000, deadline=None)
@given(st.text(max_size=200))
def test_any_text_at_length_is_read_or_refused_in_one_line(text):
    never_more_than_bad_input("{" + text.replace("*/", ""))


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=5))
def test_values_are_those_that_json_reads(values):
    written = json.dumps(values, indent=1).replace("*/", "")
    try:
        header = read_header(f"/*{written}*/", PATH)
        assert header is not None and header.values == json.loads(written)
    except BadInput as fault:
        assert "too large" in str(fault)
