"""A preset's looks opened with its values; what is wrong is reported with its place in the preset."""

from __future__ import annotations

import dataclasses

import pytest

from visualizer.errors import BadInput
from visualizer.session.preset_copy import copy_of
from visualizer.show.chain_control import parameters_of
from visualizer.show.open_looks import open_links


def names_and_defaults(loaded):
    return {one.parameter.name: one.parameter.default for one in parameters_of(loaded, open_links(loaded))}


def test_a_preset_sets_the_parameters_of_its_look(look_preset):
    loaded = look_preset("render:\n  shader: own\n  parameters: {glow: 1.5, mode: soft, tint: [0, 1, 0, 1]}\n")
    (link,) = open_links(loaded)
    assert link.parameters == {
        "glow": 1.5, "mirror": 0, "mode": 0, "copies": 1, "tint": (0, 1, 0, 1), "centre": (0.5, 3), "flash": 0,
    }  # fmt: skip
    assert names_and_defaults(loaded) == {
        "look.glow": 1.5, "look.mirror": 0, "look.mode": "soft", "look.copies": 1, "look.tint.red": 0, "look.tint.green": 1,
        "look.tint.blue": 0, "look.tint.alpha": 1, "look.centre.x": 0.5, "look.centre.y": 3, "look.flash": 0,
    }  # fmt: skip


def test_a_preset_sets_the_picture_that_an_image_input_reads(look_preset, tmp_path):
    folder = tmp_path / "mine"
    (folder / "own.fs").write_text('/*{"INPUTS": [{"NAME": "logo", "TYPE": "image"}]}*/ void main() {}')
    (folder / "logo.png").write_bytes(b"")
    loaded = look_preset("render:\n  shader: own\n  parameters: {logo: logo.png}\n")
    (link,) = open_links(loaded)
    assert link.look.declaration.imported == {"logo": (folder / "logo.png",)} and link.parameters == {}
    assert {"own.fs", "logo.png"} <= copy_of(loaded).files.keys()
    with pytest.raises(
        BadInput, match=r"preset\.yaml:4: render\.parameters\.logo: 'none\.png' is missing in the folder"
    ):
        open_links(look_preset("render:\n  shader: own\n  parameters: {logo: none.png}\n"))


@pytest.mark.parametrize(
    ("render", "said"),
    [
        (
            "render:\n  shader: owm\n",
            r"preset\.yaml:3: render\.shader: unknown look 'owm' \(did you mean 'own'\?\); there are",
        ),
        (
            "render:\n  shader: own\n  parameters:\n    mirror: true\n    glow: 3\n",
            r"preset\.yaml:6: render\.parameters\.glow: 3 cannot be used; allowed: a number, 0 \.\. 2",
        ),
        (
            "render: {shader: own, parameters: {glwo: 1}}\n",
            r"preset\.yaml:2: render\.parameters\.glwo: unknown parameter 'glwo' \(did you mean 'glow'\?\)",
        ),
        ("render:\n  parameters: {glow: 1}\n", r"preset\.yaml:3: .* unknown parameter 'glow'; this look declares none"),
        ("render: {shader: own, parameters: {glow: .nan}}\n", r"preset\.yaml:2: .*glow: nan cannot be used"),
        ("render: {shader: own, parameters: {mode: loud}}\n", r"'loud' cannot be used; allowed: soft or hard"),
        ("render: {shader: own, parameters: {tint: red}}\n", r"'red' cannot be used; allowed: a list of 4 numbers"),
        (
            "render:\n  looks:\n    - crossfade\n    - owm\n",
            r"preset\.yaml:5: render\.looks\.1\.look: unknown look 'owm'",
        ),
        (
            "render:\n  parameters:\n    glow: 1 + kik*2\n  shader: own\n",
            r"preset\.yaml:4:15: render\.parameters\.glow: unknown name 'kik' \(did you mean 'kick'\?\); allowed: a number, "
            r"0 \.\. 2, or an expression",
        ),
        (
            "render:\n  looks:\n    - {look: own, parameters: {tint: [0, '1 +', 0, 1]}}\n",
            r"preset\.yaml:4:46: render\.looks\.0\.parameters\.tint\.1: the expression ends where",
        ),
        ("render: {looks: [{look: own, mix: bas}]}\n", r"preset\.yaml:2:35: render\.looks\.0\.mix: unknown name 'bas'"),
        (
            'render: {shader: own, parameters: {glow: "\\x31 + x"}}\n',
            r":2: render\.parameters\.glow: column 5: unknown na",
        ),
        (
            "beat: {decay: 0.9 + boss}\n",
            r"preset\.yaml:2:21: beat\.decay: unknown name 'boss' \(did you mean 'bass'\?\)",
        ),
    ],
)
def test_what_the_look_does_not_allow_is_reported_with_the_presets_line(look_preset, render, said):
    with pytest.raises(BadInput, match=said) as raised:
        open_links(look_preset(render))
    assert "\n" not in str(raised.value)


def test_parameters_that_are_no_section_are_refused_when_the_preset_is_read(look_preset):
    with pytest.raises(
        BadInput, match=r"preset\.yaml:2: render\.parameters: .* allowed: a section of names and values"
    ):
        look_preset("render: {shader: own, parameters: 3}\n")


def test_a_fault_in_the_header_names_the_shaders_line(look_preset, tmp_path):
    (tmp_path / "mine" / "own.frag").write_text('/*{\n"INPUTS": 3}*/\n')
    with pytest.raises(BadInput, match=r"own\.frag:2: INPUTS: must be a list"):
        open_links(look_preset("render: {shader: own}\n"))


def test_a_preset_whose_file_has_gone_is_still_reported(look_preset, tmp_path):
    loaded = look_preset("render: {shader: own, parameters: {glow: 7}}\n")
    (tmp_path / "mine" / "preset.yaml").unlink()
    with pytest.raises(BadInput, match=r"preset\.yaml: render\.parameters\.glow: 7 cannot be used"):
        open_links(loaded)
    with pytest.raises(BadInput, match=r"^render\.shader: unknown look 'own'"):
        open_links(dataclasses.replace(loaded, folder=None))
