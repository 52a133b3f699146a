import os
import re
from typing import Annotated, Literal

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from visualizer.errors import BadInput
from visualizer.files import yamlfile
from visualizer.files.yamlfile import read_settings
from visualizer.settings import BeatSettings, DreamSettings, Preset, UserSettings

FUZZ = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(tmp_path, text, model=Preset):
    path = tmp_path / "preset.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_settings(path, model)


def fault(tmp_path, text, model=Preset):
    with pytest.raises(BadInput) as caught:
        read(tmp_path, text, model)
    said = str(caught.value)
    assert said.isprintable() and len(said) < 700
    return said.removeprefix(str(tmp_path / "preset.yaml"))


def test_a_whole_file(tmp_path):
    preset = read(
        tmp_path,
        """
# comment
title: "Sea: deep"
description: >
  two
  lines
dream: {layer: block6.expand, step_size: 2e-2}   # flow style
beat:
  low_hz: 30
  decay: 0.9
""",
    )
    assert (preset.title, preset.description) == ("Sea: deep", "two lines\n")
    assert preset.dream == DreamSettings(layer="block6.expand", step_size=0.02)
    assert preset.beat == BeatSettings(low_hz=30.0, decay=0.9)


def test_what_a_model_dumps_is_read_back(tmp_path):
    preset = Preset(title="ä: 'x' #", dream=DreamSettings(seed=2**32 - 1, step_size=1e-05), image="sub/ü.jpg")
    assert read(tmp_path, yaml.safe_dump(preset.model_dump(), allow_unicode=True)) == preset


@pytest.mark.parametrize(
    "text", ["", "\n\n", "# nothing\n", "---\n", "cache:\n", "cache: {}\n", "~", "\ufeffcache:\r\n"]
)
def test_empty_files_and_sections_give_the_defaults(tmp_path, text):
    assert read(tmp_path, text, UserSettings) == UserSettings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "title: a\ndream:\n  step_sise: 0.01\n",
            ":3: dream.step_sise: unknown key (did you mean 'step_size'?); allowed: ",
        ),
        (
            "title: a\nn_depths: 3\n",
            ":2: n_depths: unknown key here (did you mean 'dream.n_depths'?); allowed: title, ",
        ),
        (
            "title: a\nzzz: 3\n",
            ":2: zzz: unknown key; allowed: title, description, image, dream, variants, journey, beat, render",
        ),
        (
            "title: a\ndream:\n  n_depths: 41\n",
            ":3: dream.n_depths: 41 cannot be used; allowed: a whole number, 1 .. 40 (number of dream frames that are baked)",
        ),
        (
            "title: a\ndream: {n_depths: '20'}",
            ":2: dream.n_depths: '20' cannot be used; allowed: a whole number, 1 .. 40",
        ),
        ("title: a\ndream: {n_depths: true}", ":2: dream.n_depths: true cannot be used; allowed: a whole number"),
        ("title: a\ndream: {n_depths: 20.0}", ":2: dream.n_depths: 20.0 cannot be used; allowed: a whole number"),
        ("title: a\ndream: {n_depths: 1e1}", ":2: dream.n_depths: 10.0 cannot be used"),
        ("title: a\ndream: {colour: false}", ":2: dream.colour: false cannot be used; allowed: a number, 0 .. 1"),
        ("title: a\ndream: {colour: .nan}", ":2: dream.colour: nan cannot be used"),
        ("title: a\ndream: {colour: .inf}", ":2: dream.colour: inf cannot be used"),
        ("title: a\ndream: {colour: [1]}", ":2: dream.colour: a list cannot be used"),
        ("title: a\ndream: {colour: }", ":2: dream.colour: an empty value cannot be used"),
        ("title: a\ndream: {step_size: 0}", "allowed: a number, above 0, at most 0.1 (mean change"),
        (
            "title: a\ndream: {network: resnet}",
            ":2: dream.network: unknown network 'resnet' (did you mean 'resnet50'?); allowed: efficientnet-lite0, ",
        ),
        (
            "title: a\ndream: {layer: blok10.expand}",
            "unknown layer 'blok10.expand' of efficientnet-lite0 (did you mean 'block10.expand'?)",
        ),
        ("title: a\ndream: 3", ":2: dream: 3 cannot be used; allowed: a section with the keys network, layer"),
        ("title: a\ndream: [1]", ":2: dream: a list cannot be used; allowed: a section"),
        (
            "title: a\ndream: {tone_colours: []}",
            ":2: dream.tone_colours: a list cannot be used; allowed: a list, not empty, at most 8 (colours of a duotone",
        ),
        ("title: 2024", ":1: title: 2024 cannot be used; allowed: text, not empty, at most 60 characters"),
        ("title: " + "x" * 61, ":1: title: 'xxxx"),
        ("description: a", ":1: title: missing; allowed: text"),
        ("", ":1: title: missing; allowed: text"),
        (
            "title: a\n\nbeat:\n  low_hz: 200\n  high_hz: 210",
            ":3: beat: high_hz (210) must be at least 20 Hz above low_hz",
        ),
        (
            "title: a\nrender:\n  shader: ../x",
            ":3: render.shader: '../x' cannot be used; allowed: text, of the form ^[",
        ),
        ("title: a\ntitle: b", ":2: title: given twice, first in line 1"),
        ("title: a\ndream:\n  seed: 1\n  colour: 1\n  seed: 2", ":5: dream.seed: given twice, first in line 3"),
        ("title: a\n7: b", ":2: 7: unknown key"),
        ("title: a\n<<: {seed: 1}", ":2: <<: unknown key"),
        ("title: a\n? [x]\n: 1", ":2: a key must be plain text"),
        ("- a\n- b", ":1: a list is not a mapping"),
        ("hello", ":1: 'hello' is not a mapping"),
        ("42", ":1: 42 is not a mapping"),
        ("title: a\n---\ntitle: b", ":2: a second document"),
        ("title: a\ndream:\n\tseed: 1", "not valid YAML"),
        ("title: [a", "not valid YAML"),
        ("title: 'a", "not valid YAML"),
        ("title: a: b", ":1: not valid YAML"),
        ("title: a\n\x00", "not valid YAML"),
        ("title: \x1b[31mred", "not valid YAML"),
    ],
)
def test_what_is_wrong_where_and_what_is_allowed(tmp_path, text, said):
    assert said in fault(tmp_path, text)


def test_several_faults_give_the_first_by_line_and_how_many_more(tmp_path):
    text = "title: a\nbeat:\n  decay: 7\ndream:\n  colour: 3\n  sede: 1\ntitle: b\n"
    assert re.match(r":3: beat\.decay: 7 .*\(and 3 more\)$", fault(tmp_path, text))


@pytest.mark.parametrize(
    ("plain", "meant"),
    [("no", "no"), ("on", "on"), ("12:30", "12:30"), ("2024-01-01", "2024-01-01"), ("1_000", "1_000"), ("'7'", "7")],
)
def test_text_that_yaml_1_1_would_turn_into_something_else(tmp_path, plain, meant):
    assert read(tmp_path, f"title: {plain}").title == meant


@pytest.mark.parametrize(
    ("written", "value"), [("010", 10), ("0x10", 16), ("0o10", 8), ("+7", 7), ("1_0", None), ("09", 9)]
)
def test_whole_numbers(tmp_path, written, value):
    text = f"title: a\ndream: {{jitter_px: {written}}}"
    if value is None:
        assert "cannot be used" in fault(tmp_path, text)
    else:
        assert read(tmp_path, text).dream.jitter_px == value


@pytest.mark.parametrize("written", ["1e-2", "0.01", ".01", "1.0E-2", "+0.01"])
def test_numbers(tmp_path, written):
    assert read(tmp_path, f"title: a\ndream: {{step_size: {written}}}").dream.step_size == 0.01


@pytest.mark.parametrize("digits", [20, 64, 65, 5000])
def test_absurdly_long_numbers(tmp_path, digits):
    assert "dream.seed" in fault(tmp_path, f"title: a\ndream: {{seed: {'9' * digits}}}")
    assert "dream.colour" in fault(tmp_path, f"title: a\ndream: {{colour: {'9' * digits}}}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title: &a x\ndescription: *a", "anchors"),
        ("&a title: x", "anchors"),
        ("title: x\nbeat: &b [*b]", "anchors"),
        ("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b,*b]", "anchors"),
        ("title: !!python/object/apply:os.system ['true']", "tag"),
        ("title: !!str 3", "tag"),
        ("!!map title: 3", "tag"),
        ("title: " + "[" * 500 + "]" * 500, "nested deeper"),
        ("{a: " * 400 + "1" + "}" * 400, "nested deeper"),
        ("title: " + "[" * 100_000, "nested deeper"),
        ("- " * 20_000, "nested deeper"),
    ],
)
def test_bombs_and_code_are_refused(tmp_path, text, said):
    assert said in fault(tmp_path, text)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"title: caf\xe9", ":1: not UTF-8 text (byte 0xe9)"),
        (b"title: a\nimage: \xff", ":2: not UTF-8"),
        ("title: a".encode("utf-16"), "not UTF-8"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not UTF-8"),
        (b"\0" * 100, "not valid YAML"),
        (b"#" * 1_000_001, "larger than 1 MB"),
    ],
)
def test_files_that_are_no_text(tmp_path, data, said):
    assert said in fault(tmp_path, data)


def test_the_largest_file_let_in(tmp_path):
    assert read(tmp_path, b"title: a\n" + b"#" * (yamlfile.MAX_BYTES - 9)).title == "a"


def test_no_file_to_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name, said in (
        (".", "is a folder"),
        ("none.yaml", "no such file"),
        ("pipe", "ordinary file"),
        ("a\0b", "cannot be"),
    ):
        with pytest.raises(BadInput, match=said):
            read_settings(tmp_path / name, Preset)


def test_the_same_without_libyaml(tmp_path, monkeypatch):
    monkeypatch.setattr(yamlfile, "_Loader", yaml.SafeLoader)
    test_a_whole_file(tmp_path)
    assert ":3: dream.step_sise: unknown key" in fault(tmp_path, "title: a\ndream:\n  step_sise: 1\n")
    assert ":2: not valid YAML" in fault(tmp_path, "title: a\n\x07: b")
    assert "tag" in fault(tmp_path, "title: !!python/name:os.system x")


class Odd(BaseModel):
    """Kinds of fields the program's own settings do not have yet."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    flag: bool = False
    maybe: Annotated[float, Field(gt=0)] | None = None
    choice: Literal["a", "b"] = "a"
    many: list[int] = []
    inner: DreamSettings | None = None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("flag: yes", "flag: 'yes' cannot be used; allowed: true or false"),
        ("maybe: x", "maybe: 'x' cannot be used; allowed: a number, above 0 or empty"),
        ("choice: c", "choice: 'c' cannot be used; allowed: a or b"),
        ("many: [1, x]", "many.1: 'x' cannot be used"),
        ("many: 3", "many: 3 cannot be used; allowed: a list"),
        ("inner: {sede: 1}", "inner.sede: unknown key (did you mean 'seed'?)"),
    ],
)
def test_other_kinds_of_fields(tmp_path, text, said):
    assert said in fault(tmp_path, text, Odd)


def settings_or_bad_input(tmp_path, data):
    path = tmp_path / "fuzz.yaml"
    path.write_bytes(data)
    for model in (Preset, UserSettings):
        try:
            assert isinstance(read_settings(path, model), model)
        except BadInput as told:
            assert str(told).isprintable() and str(told).startswith(str(path) + ":")


@FUZZ
@given(st.binary(max_size=200))
def test_any_bytes(tmp_path, data):
    settings_or_bad_input(tmp_path, data)


SCRAPS = (
    st.sampled_from(
        ["title", "dream", "beat", "cache", "seed", ":", "-", "{", "}", "[", "]", ",", "&a", "*a", "!!x", "|"]
    )
    | st.sampled_from(["1", "-.inf", "0x", "~", "#", "%", "@", "---", "...", "?", "\\u0000", "\\", "é", "\u2028", "<<"])
    | st.sampled_from([": ", "\n", "\n  ", "- ", "\t", "'", '"', ">"])
)


@FUZZ
@given(st.lists(SCRAPS | st.text(max_size=3), max_size=25).map("".join))
def test_any_scraps_of_yaml(tmp_path, text):
    settings_or_bad_input(tmp_path, text.encode("utf-8", "surrogatepass"))


NAMES = (
    st.sampled_from([*Preset.model_fields, *DreamSettings.model_fields, *BeatSettings.model_fields, "x"]) | st.text()
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=70) | st.binary(max_size=5) | st.dates(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=20,
)


@FUZZ
@given(VALUES)
@pytest.mark.slow
def test_any_structure(tmp_path, value):
    settings_or_bad_input(tmp_path, yaml.safe_dump(value, allow_unicode=True).encode("utf-8", "surrogatepass"))
