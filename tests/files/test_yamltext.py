"""Writing settings files: what is written is read back as the same, and is easy to read."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import RootModel

from visualizer.files.yamlfile import read_settings
from visualizer.files.yamltext import yaml_text

_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**15), 10**15),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(
        ["null", "yes", "1e3", "0x1f", "~", "- a", "a: b", "a #b", "1 + 0.1*kick", "a ? 1 : 2", "010", "---"]
    ),
)
_keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
_trees = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3), max_leaves=12
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(_keys, _trees, max_size=4))
def test_whatever_is_written_is_read_back_as_the_same(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "settings.yaml"
    path.write_text(yaml_text(data), encoding="utf-8")
    assert read_settings(path, RootModel[dict[str, Any]]).root == data


def test_it_is_easy_to_read():
    text = yaml_text(
        {
            "title": "Tr\N{LATIN SMALL LETTER A WITH DIAERESIS}ume 2",
            "dream": {"layer": {"block6.expand": 1, "block9.expand": 0.5}, "seed": 7},
            "beat": {"decay": "0.9 + 0.05*bass"},
            "render": {
                "looks": [
                    "crossfade",
                    {
                        "look": "kaleidoscope",
                        "parameters": {
                            "segments": 6,
                            "angle": "fract(integrate(0.1 + kick))",
                            "tint": [1, "bass", 0, 1],
                        },
                        "mix": "bass > 0.5 ? 1 : 0.25",
                    },
                ]
            },
        }
    )
    assert (
        text
        == """title: "Tr\N{LATIN SMALL LETTER A WITH DIAERESIS}ume 2"
dream:
  layer: {block6.expand: 1, block9.expand: 0.5}
  seed: 7
beat: {decay: 0.9 + 0.05*bass}
render:
  looks:
    - crossfade
    - look: kaleidoscope
      parameters:
        segments: 6
        angle: fract(integrate(0.1 + kick))
        tint: [1, bass, 0, 1]
      mix: "bass > 0.5 ? 1 : 0.25"
"""
    )
    assert yaml.safe_load(text)["render"]["looks"][1]["parameters"]["segments"] == 6


def test_what_is_no_data_is_refused():
    with pytest.raises(TypeError):
        yaml_text({"a": object()})
