"""A preset's look in the show: the values that the preset sets, what can be turned, and what a look is given of the
music.
"""

from __future__ import annotations

import dataclasses
import shutil

import numpy as np
import pytest

from tests.sounds import KICKS_S
from visualizer.audio.decode import Song
from visualizer.beat.features import Features
from visualizer.beat.sound import SoundBlock, spectrum
from visualizer.control.parameters import base_parameters
from visualizer.errors import BadInput, GraphicsError
from visualizer.looks.look import find_look
from visualizer.looks.uniforms import MUSIC, SILENCE
from visualizer.presets.cache import FrameCache
from visualizer.presets.dreams import ReadyDreams
from visualizer.presets.loaded import open_preset
from visualizer.render.offscreen import Offscreen
from visualizer.render.programs import Programs
from visualizer.resources import shipped
from visualizer.show.export import export
from visualizer.show.look import needs_of, open_look, parameters_of, set_parameter, uniforms_of
from visualizer.show.sources.song import SongFileSource
from visualizer.show.stage import Scene, Stage, build_picture

SIZE = (32, 18)
SHADER = """/*{"INPUTS": [
    {"NAME": "glow", "TYPE": "float", "DEFAULT": 0.5, "MAX": 2, "MIN": 0, "DESCRIPTION": "how much it glows"},
    {"NAME": "mirror", "TYPE": "bool"},
    {"NAME": "mode", "TYPE": "long", "VALUES": [0, 5], "LABELS": ["soft", "hard"], "DEFAULT": 5},
    {"NAME": "copies", "TYPE": "long", "MIN": 1, "MAX": 8},
    {"NAME": "tint", "TYPE": "color", "DEFAULT": [1, 0.5, 0, 1]},
    {"NAME": "centre", "TYPE": "point2D", "DEFAULT": [0.5, 3]},
    {"NAME": "flash", "TYPE": "event"}
]}*/
#version 330 core
out vec4 colour;
void main() { colour = tint * glow; }
"""


@pytest.fixture
def preset(tmp_path):
    """preset(text of its render section) -> the preset, opened; its folder holds the look "own"."""
    folder = tmp_path / "mine"
    shutil.copytree(shipped("presets") / "clouds", folder)
    (folder / "own.frag").write_text(SHADER)

    def opened(render: str):
        (folder / "preset.yaml").write_text(f"title: Mine\n{render}")
        return open_preset(str(folder), size=SIZE)

    return opened


def test_a_preset_sets_the_parameters_of_its_look(preset):
    look = open_look(preset("render:\n  shader: own\n  parameters: {glow: 1.5, mode: soft, tint: [0, 1, 0, 1]}\n"))
    defaults = {one.name: one.default for one in look.declaration.inputs}
    assert defaults == {
        "glow": 1.5, "mirror": 0, "mode": 0, "copies": 1, "tint": (0, 1, 0, 1), "centre": (0.5, 3), "flash": 0,
    }  # fmt: skip
    assert {one.name: one.default for one in parameters_of(look)} == {
        "look.glow": 1.5, "look.mirror": 0, "look.mode": "soft", "look.copies": 1, "look.tint.red": 0, "look.tint.green": 1,
        "look.tint.blue": 0, "look.tint.alpha": 1, "look.centre.x": 0.5, "look.centre.y": 3, "look.flash": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("render", "said"),
    [
        (
            "render:\n  shader: owm\n",
            r"preset\.yaml:3: render\.shader: unknown shader 'owm' \(did you mean 'own'\?\); there are",
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
    ],
)
def test_what_the_look_does_not_allow_is_reported_with_the_presets_line(preset, render, said):
    with pytest.raises(BadInput, match=said) as raised:
        open_look(preset(render))
    assert "\n" not in str(raised.value)


def test_parameters_that_are_no_section_are_refused_when_the_preset_is_read(preset):
    with pytest.raises(
        BadInput, match=r"preset\.yaml:2: render\.parameters: .* allowed: a section of names and values"
    ):
        preset("render: {shader: own, parameters: 3}\n")


def test_a_fault_in_the_header_names_the_shaders_line(preset, tmp_path):
    (tmp_path / "mine" / "own.frag").write_text('/*{\n"INPUTS": 3}*/\n')
    with pytest.raises(BadInput, match=r"own\.frag:2: INPUTS: must be a list"):
        open_look(preset("render: {shader: own}\n"))


def test_a_preset_whose_file_has_gone_is_still_reported(preset, tmp_path):
    loaded = preset("render: {shader: own, parameters: {glow: 7}}\n")
    (tmp_path / "mine" / "preset.yaml").unlink()
    with pytest.raises(BadInput, match=r"preset\.yaml: render\.parameters\.glow: 7 cannot be used"):
        open_look(loaded)
    with pytest.raises(BadInput, match=r"^render\.shader: unknown shader 'own'"):
        open_look(dataclasses.replace(loaded, folder=None))


# --- turning


@pytest.fixture
def look(preset):
    return open_look(preset("render: {shader: own}\n"))


def test_every_parameter_of_a_look_can_be_turned_from_end_to_end(look):
    known = base_parameters().with_look(parameters_of(look))
    values = {one.name: one.default for one in look.declaration.inputs}
    for share in (0.0, 1.0):
        for one in known.of_section("look"):
            set_parameter(values, look, one.name, one.checked(one.at(share)))
    assert values == {
        "glow": 2, "mirror": 1, "mode": 5, "copies": 8, "tint": (1, 1, 1, 1), "centre": (1, 3), "flash": 1,
    }  # fmt: skip


def test_a_part_of_a_colour_leaves_the_others(look):
    values = {"tint": (1.0, 0.5, 0.0, 1.0)}
    set_parameter(values, look, "look.tint.blue", 0.25)
    assert values["tint"] == (1.0, 0.5, 0.25, 1.0)


def test_a_turned_value_is_checked(look):
    values = {one.name: one.default for one in look.declaration.inputs}
    for name, value in (("look.glow", 3.0), ("look.mode", "loud"), ("look.nothing", 1.0)):
        with pytest.raises(BadInput):
            set_parameter(values, look, name, value)
    assert values["glow"] == 0.5


def test_the_description_of_an_input_is_that_of_its_parameter(look):
    assert {one.name: one.description for one in parameters_of(look)}["look.glow"] == "how much it glows"
    assert {one.name: one.description for one in parameters_of(look)}["look.mirror"] == "mirror"


def test_a_picture_that_is_built_again_keeps_its_look_and_its_parameters(preset, tmp_path):
    loaded = preset("render: {shader: own}\n")
    with Offscreen((8, 8)) as surface:
        before = build_picture(loaded, surface, Programs(surface.ctx))
        (link,) = before.links
        set_parameter(link.parameters, link.look, "look.glow", 1.5)
    (tmp_path / "mine" / "own.frag").write_text("this is no shader\n")
    with Offscreen((8, 8)) as surface:
        after = build_picture(loaded, surface, Programs(surface.ctx), before)
        assert after.links[0].look is link.look and after.links[0].parameters["glow"] == 1.5
        with pytest.raises(GraphicsError):
            build_picture(loaded, surface, Programs(surface.ctx))


# --- music


def test_every_uniform_of_the_music_has_a_value():
    everything = {one.name for one in MUSIC}
    assert uniforms_of(Features(), everything) == dict(SILENCE)
    sound = SoundBlock(np.random.default_rng(1).uniform(-1, 1, (2, 20_000)).astype(np.float32), 48_000)
    heard = Features(level=0.4, kick_time_s=0.1, bass=0.3, mid=0.6, high=0.9, beat_number=7, sound=sound)
    values = uniforms_of(heard, everything)
    assert values["kick"] == pytest.approx(0.5) and values["energy"] == pytest.approx(0.6)
    assert values["level"] == 0.4 and values["beat_number"] == 7 and np.array_equal(values["spectrum"], spectrum(sound))


def test_textures_of_the_sound_are_made_when_a_look_reads_them():
    sound = SoundBlock(np.random.default_rng(1).uniform(-1, 1, (2, 20_000)).astype(np.float32), 48_000)
    names = {"audio:7", "audioFFT:0", "shadertoy_sound", "waveform"}
    values = uniforms_of(Features(sound=sound), names)
    assert {name: value.shape for name, value in values.items()} == {
        "audio:7": (2, 7),
        "audioFFT:0": (2, 1024),
        "shadertoy_sound": (2, 512),
        "waveform": (512,),
    }
    assert needs_of(names) == {"sound"} and uniforms_of(Features(), names) == {}


def test_only_what_a_look_uses_is_made_and_asked_for():
    assert uniforms_of(Features(), {"bass"}) == {"bass": 0.0}
    assert needs_of({"energy", "kick", "spectrum"}) == {"bass", "mid", "high", "kick_time_s", "sound"}
    fields = {field.name for field in dataclasses.fields(Features)}
    assert needs_of({one.name for one in MUSIC}) <= fields


def test_the_plain_look_asks_for_nothing():
    assert parameters_of(find_look("crossfade")) == ()


def test_an_export_reports_a_faulty_look_before_any_work(preset, tmp_path):
    loaded = preset("render: {shader: own, parameters: {glow: 7}}\n")
    with pytest.raises(BadInput, match=r"render\.parameters\.glow: 7 cannot be used"):
        next(export(tmp_path / "no-song.mp3", tmp_path / "out.mp4", loaded, FrameCache(tmp_path / "cache", 10**6)))


def test_the_look_of_a_song_hears_its_kicks(preset, kick_song, tmp_path):
    """The kick, at the display frame in which it is heard, from the file of a song to the pixels."""
    (tmp_path / "mine" / "own.frag").write_text(
        '#version 330 core\n#include "base/music.glsl"\nout vec4 colour;\nvoid main() { colour = vec4(kick); }\n'
    )
    loaded, levels = preset("render: {shader: own}\n"), []
    with Song(kick_song) as song, Offscreen((2, 2)) as surface:
        source = SongFileSource(song, loaded.settings.beat, frame_s=1 / 30)
        stage = Stage(surface, Scene(build_picture(loaded, surface, Programs(surface.ctx)), ReadyDreams([]), loaded))
        source.needs(stage.needs)
        for n in range(6 * 30):
            stage.advance(1 / 30)
            stage.draw(source.listen(lambda time_s=(n + 0.5) / 30: time_s), (2, 2))
            levels.append(int(surface.read()[0, 0, 0]))
    for kick_s in KICKS_S:
        at = round(kick_s * 30)
        assert levels[at - 1] < 40 and max(levels[at : at + 3]) > 180
