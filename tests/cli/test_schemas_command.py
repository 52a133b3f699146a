"""`visualizer schemas`, and that the schemas in docs/ are those of this version."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.cli.running import here, refused
from visualizer.errors import BadInput
from visualizer.looks.declaration import GLSL_TYPES
from visualizer.looks.reading import read_declaration
from visualizer.presets.schema import preset_schema

DOCS = Path(__file__).resolve().parents[2] / "docs" / "schemas"
SHIPPED = Path(__file__).resolve().parents[2] / "presets"


def test_it_writes_both_schemas_and_those_in_the_documents_are_the_same(tmp_path):
    """After a change: `visualizer schemas docs/schemas`."""
    run = here("schemas", tmp_path)
    assert run.returncode == 0 and run.stderr == ""
    assert sorted(Path(line).name for line in run.stdout.splitlines()) == ["look.schema.json", "preset.schema.json"]
    for path in tmp_path.iterdir():
        assert path.read_text() == (DOCS / path.name).read_text()


def test_a_folder_that_is_missing_is_refused(tmp_path):
    refused(here("schemas", tmp_path / "nowhere"), "nowhere")


def test_the_schema_of_headers_knows_every_type():
    schema = json.loads((DOCS / "look.schema.json").read_text())
    assert schema["properties"]["INPUTS"]["items"]["properties"]["TYPE"]["enum"] == list(GLSL_TYPES)


@pytest.mark.parametrize("name", ["glow", "gl_x", "isf_x", "a__b", "1a", ""])
def test_the_schema_of_headers_takes_the_names_that_a_look_may_use(name, tmp_path):
    passes = json.loads((DOCS / "look.schema.json").read_text())["properties"]["PASSES"]["items"]
    try:
        read_declaration(f'/*{{"PASSES": [{{"TARGET": "{name}"}}]}}*/', tmp_path / "x.fs")
        is_taken = True
    except BadInput:
        is_taken = False
    assert bool(re.search(passes["properties"]["TARGET"]["pattern"], name)) == is_taken == (name in ("glow", ""))


def test_the_schema_of_presets_allows_expressions_and_looks_by_name_alone():
    parts = preset_schema()["$defs"]
    assert parts["BeatSettings"]["properties"]["decay"]["type"] == ["number", "string"]
    assert parts["BeatSettings"]["properties"]["bass_low_hz"]["type"] == "number"
    link = {"$ref": "#/$defs/LinkSettings"}
    render = parts["RenderSettings"]["properties"]
    assert render["looks"]["items"] == {"anyOf": [link, {"type": "string"}]}
    assert {"type": "string"} in render["transition"]["anyOf"] and {"type": "null"} in render["transition"]["anyOf"]
    assert {"type": "string"} in parts["LinkSettings"]["properties"]["mix"]["anyOf"]


@pytest.mark.parametrize("preset", sorted(path.parent.name for path in SHIPPED.glob("*/preset.yaml")))
def test_the_schema_names_every_key_of_the_presets_that_come_with_the_program(preset):
    schema = preset_schema()

    def check(value, part):
        part = schema["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part
        if isinstance(value, dict) and "properties" in part:
            for key, inner in value.items():
                check(inner, part["properties"][key])

    check(yaml.safe_load((SHIPPED / preset / "preset.yaml").read_text()), schema)
