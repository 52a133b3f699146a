"""Presets that are malformed: each is refused with one line that names file and line, or shown."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from visualizer.errors import BadInput
from visualizer.presets.loaded import LoadedPreset, Variant
from visualizer.presets.preset import load_preset
from visualizer.show.chain_control import ChainControl
from visualizer.show.open_looks import open_links, open_transition

LOOK = (
    '/*{"INPUTS": [{"NAME": "zoom", "TYPE": "float"}, {"NAME": "tint", "TYPE": "color"}, {"NAME": "on", "TYPE": "bool"},'
    ' {"NAME": "n", "TYPE": "long", "MIN": 0, "MAX": 5}, {"NAME": "at", "TYPE": "point2D"}]}*/\n'
    "void main() { gl_FragColor = tint * zoom; }"
)
PRESET = """title: Odd
image: image.png
dream: {layer: block2.expand, n_depths: 4, n_octaves: 2}
beat: {decay: "0.9 + 0.05 * bass", sensitivity: 1.5}
render:
  looks:
    - crossfade
    - look: odd
      parameters: {zoom: "integrate(0.1 + kick)", tint: [1, 0, 0.5, 1], on: true, n: 3}
      mix: 0.5 + 0.5 * bass
      blend: screen
  budget_ms: 50
"""
WORDS = [
    "0123456789.+-*/(),",
    "kick",
    "bass",
    "zoom",
    "sin",
    "integrate",
    "mix",
    "hold",
    "pi",
    "time_s",
    "[",
    "]",
    "{",
    "}",
    ":",
    "#",
    "&",
    "'",
    '"',
    "\n\t",
    "odd",
    "nan",
    "inf",
    "é",
    "\x00",
]
names = st.sampled_from(["zoom", "tint", "on", "n", "at", "look", "looks", "mix", "blend", "parameters", "shader", "x"])
texts = st.lists(st.sampled_from(WORDS), max_size=8).map("".join) | st.text(max_size=12)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(names, inner, max_size=4), max_leaves=12
)
links = st.fixed_dictionaries(
    {"look": st.sampled_from(["odd", "crossfade", "none", "../odd"]) | values},
    optional={"parameters": st.dictionaries(names, values, max_size=4) | values, "mix": values, "blend": values},
)
renders = values | st.fixed_dictionaries(
    {}, optional={"looks": st.lists(links | values, max_size=20) | values, "transition": values, "budget_ms": values}
)
trees = renders.map(lambda render: yaml.safe_dump({**yaml.safe_load(PRESET), "render": render}, allow_unicode=True))


@st.composite
def torn(draw):
    """The preset with some pieces of its text removed, doubled or replaced."""
    text = PRESET
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        end = min(len(text), at + draw(st.integers(0, 20)))
        text = text[:at] + draw(st.sampled_from(WORDS) | st.just(text[at:end] * 2)) + text[end:]
    return text


@pytest.fixture(scope="module")
def folder(tiny_preset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd") / "odd"
    shutil.copytree(tiny_preset, folder)
    (folder / "odd.fs").write_text(LOOK)
    return folder


def opened(folder: Path, text: str) -> None:
    """Open a preset as a show does, without its image. Raises BadInput."""
    (folder / "preset.yaml").write_text(text, encoding="utf-8", errors="replace")
    preset = load_preset(str(folder)).preset
    image = np.zeros((9, 16, 3), np.uint8)
    loaded = LoadedPreset("odd", preset, image, (Variant(preset.dream),), str(folder), folder=folder)
    found = open_links(loaded)
    open_transition(loaded)
    ChainControl(loaded, found)


def check(folder: Path, text: str) -> None:
    try:
        opened(folder, text)
    except BadInput as fault:
        assert "preset.yaml" in str(fault) and "\n" not in str(fault) and len(str(fault)) < 1500, str(fault)


def test_the_preset_itself_is_shown(folder):
    opened(folder, PRESET)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('zoom: "integrate(0.1 + kick)"', "zoom: .nan"), ["preset.yaml:9", "zoom", "nan"]),
        (("mix: 0.5 + 0.5 * bass", "mix: .nan"), ["preset.yaml:10", "mix"]),
        (("mix: 0.5 + 0.5 * bass", "mix: 0.5 + bas"), ["preset.yaml:10", "bas", "'bass'"]),
        (("n: 3", "n: 30"), ["preset.yaml:9", "n"]),
        (("look: odd", "look: crossfad"), ["preset.yaml:8", "'crossfad'", "'crossfade'"]),
        (("blend: screen", "blend: scren"), ["preset.yaml:11", "scren"]),
        (("budget_ms: 50", "budget_ms: 0"), ["preset.yaml:12", "budget_ms"]),
    ],
)
def test_a_fault_is_named_with_its_line(folder, change, words):
    with pytest.raises(BadInput) as fault:
        opened(folder, PRESET.replace(*change))
    for word in words:
        assert word in str(fault.value)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(text=trees)
def test_malformed_values_are_refused_in_one_line(folder, text):
    check(folder, text)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(text=torn())
def test_torn_presets_are_refused_in_one_line(folder, text):
    check(folder, text)


@pytest.mark.long
@settings(max_examples=3000, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(text=trees | torn())
def test_many_malformed_presets_are_refused_in_one_line(folder, text):
    check(folder, text)
