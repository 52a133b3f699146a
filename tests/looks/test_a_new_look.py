"""A new look is one file: this one is found, declares a parameter, hears the music, is set by a preset and turned in
a show.
"""

from __future__ import annotations

import shutil

import numpy as np

from visualizer.beat.features import Features
from visualizer.control.parameters import base_parameters
from visualizer.looks.look import look_names
from visualizer.presets.loaded import open_preset
from visualizer.render.offscreen import Offscreen
from visualizer.render.picture import Picture
from visualizer.resources import shipped
from visualizer.show.chain_control import ChainControl
from visualizer.show.look_values import uniforms_of
from visualizer.show.open_looks import open_links

NEW_LOOK = """/*{
    "DESCRIPTION": "Grey, but for the kick.",
    "INPUTS": [{"NAME": "grey", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 1, "LABEL": "grey"}]
}*/
#version 330 core
#include "base/dream.glsl"
#include "base/music.glsl"
in vec2 uv;
out vec4 colour;
void main() {
    vec3 seen = dream(uv, depth);
    colour = vec4(mix(seen, vec3((seen.r + seen.g + seen.b) / 3.0), grey * (1.0 - kick)), 1.0);
}
"""
SIZE = (16, 9)


def test_a_new_look_is_one_file(tmp_path, monkeypatch):
    monkeypatch.setenv("VISUALIZER_CONFIG_DIR", str(tmp_path))
    (tmp_path / "looks").mkdir()
    (tmp_path / "looks" / "grey.frag").write_text(NEW_LOOK)
    assert "grey" in look_names()

    preset = tmp_path / "presets" / "mine"
    shutil.copytree(shipped("presets") / "clouds", preset)
    (preset / "preset.yaml").write_text("title: Mine\nrender:\n  shader: grey\n  parameters: {grey: 0.5}\n")
    loaded = open_preset("mine", size=SIZE)
    links = open_links(loaded)
    control = ChainControl(loaded, links)
    known = base_parameters().with_look(control.parameters)
    assert known["look.grey"].default == 0.5

    with Offscreen(SIZE) as stage:
        picture = Picture(stage.ctx, SIZE, 1, links)
        picture.put(0, np.full((9, 16, 3), (240, 120, 0), np.uint8))

        def pixel(features: Features) -> list[int]:
            picture.draw(0.0, SIZE, features.time_s, uniforms=uniforms_of(features, picture.needs))
            return [int(level) for level in stage.read()[0, 0]]

        assert pixel(Features()) == [180, 120, 60], "as the preset sets it"
        control.set_by_hand({"look.grey": known.find("look.grey").checked(1.0)})
        assert pixel(Features()) == [120, 120, 120], "turned in the show"
        assert pixel(Features(kick_time_s=0.0)) == [240, 120, 0], "at a kick"
