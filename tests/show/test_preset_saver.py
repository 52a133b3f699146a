"""Saving what was turned as a new preset: what is written shows the same, and nothing is ever replaced."""

from __future__ import annotations

import dataclasses
import shutil

import pytest

from visualizer.beat.features import Features
from visualizer.control.actions import find_actions
from visualizer.control.capabilities import Capability
from visualizer.control.commands import Act, Command, PresetShown, Set
from visualizer.control.keys import Keymap
from visualizer.control.parameters import base_parameters
from visualizer.control.state import Context, ShowState, apply
from visualizer.errors import VisualizerError
from visualizer.files.yamltext import yaml_text
from visualizer.presets.loaded import Overrides, open_preset
from visualizer.presets.preset import load_preset, preset_names
from visualizer.show.chain_control import ChainControl
from visualizer.show.open_looks import open_links
from visualizer.show.preset_saver import PresetSaver, save_preset

SIZE = (32, 18)
CONTEXT = Context(find_actions(), base_parameters(), Keymap(), frozenset(Capability))
SHADER = """/*{"INPUTS": [
    {"NAME": "glow", "TYPE": "float", "DEFAULT": 0.5, "MAX": 2, "MIN": 0},
    {"NAME": "mirror", "TYPE": "bool"},
    {"NAME": "mode", "TYPE": "long", "VALUES": [0, 5], "LABELS": ["soft", "hard"], "DEFAULT": 5},
    {"NAME": "copies", "TYPE": "long", "MIN": 1, "MAX": 8},
    {"NAME": "tint", "TYPE": "color", "DEFAULT": [1, 0.5, 0, 1]}
]}*/
#version 330 core
#include "parts/own.glsl"
out vec4 colour;
void main() { colour = tint * glow; }
"""
PRESET = """title: Mine
description: "of # mine: and yours"
image: picture.jpg
dream: {layer: {block6.expand: 1, block9.expand: 0.5}, smoothing_px: 3}
variants:
  - seed: 7
beat: {decay: 0.9 + 0.05*bass, low_hz: 30, lead_ms: 20}
"""
LOOKS = """render:
  looks:
    - crossfade
    - {look: own, parameters: {glow: 0.5 + kick, tint: [1, bass, 0, 1]}, mix: bass, blend: screen}
    - own
  transition: {look: wipe, seconds: 2}
"""


@pytest.fixture
def preset(tmp_path, tiny_preset, monkeypatch):
    """preset(render section) -> a preset with a look of its own, in the folder "mine.d", opened."""
    monkeypatch.setenv("VISUALIZER_CONFIG_DIR", str(tmp_path / "config"))
    folder = tmp_path / "mine.d"
    (folder / "parts").mkdir(parents=True)
    shutil.copy(load_preset(str(tiny_preset)).image_path, folder / "picture.jpg")
    (folder / "own.frag").write_text(SHADER)
    (folder / "parts" / "own.glsl").write_text("\n")

    def opened(render="", overrides=None):
        (folder / "preset.yaml").write_text(PRESET + render)
        return open_preset(str(folder), size=SIZE, overrides=overrides)

    return opened


def show(loaded, *changes):
    """The links of a preset that is shown, and the state of the show after some changes."""
    links = open_links(loaded)
    values = tuple((f"beat.{key}", value) for key, value in loaded.settings.beat.model_dump().items())
    values += tuple(
        (f"dream.{one.key}", getattr(loaded.settings.dream, one.key)) for one in CONTEXT.parameters.of_section("dream")
    )
    state = ShowState()
    for change in (PresetShown(loaded.reference, values, (), ChainControl(loaded, links).parameters), *changes):
        state = apply(state, Command(0, change), CONTEXT)
        assert not state.answer or isinstance(change, Act), state.answer
    return links, state


def moved(loaded, links, by_hand=None):
    """What the looks are given at some instants of music."""
    control, found = ChainControl(loaded, links), []
    control.set_by_hand(by_hand or {})
    for n in range(8):
        heard = Features(n / 10, kick_time_s=n / 20, bass=(n % 4) / 4, mid=0.3, high=0.1 * n, bpm=120, beat_phase=n / 8)
        control.move(heard, 3.0, 0.0)
        found += [{**link.parameters, "mix": link.mix} for link in links]
    return found


def again(folder, loaded):
    return dataclasses.replace(loaded, settings=load_preset(str(folder)).preset, folder=folder)


@pytest.mark.parametrize("render", ["", LOOKS, "render: {shader: own, parameters: {glow: 1.5, mode: soft}}\n"])
def test_without_a_change_the_same_is_written(preset, tmp_path, render):
    loaded = preset(render)
    folder = save_preset(loaded, *show(loaded))
    found = load_preset(str(folder)).preset
    same = {"title": "Mine 2"} if render else {"title": "Mine 2", "render": found.render}
    assert found == loaded.settings.model_copy(update=same)
    assert found.expressions == {"decay": "0.9 + 0.05*bass"}
    assert folder == tmp_path / "config" / "presets" / "mine-d-2"


def test_the_budget_of_a_preset_is_kept(preset):
    loaded = preset("render: {budget_ms: 20, shader: own}\n")
    folder = save_preset(loaded, *show(loaded))
    assert load_preset(str(folder)).preset.render == loaded.settings.render


HAND = {
    "look.own.glow": 1.25,
    "look.own.glow.source": "bass",
    "look.own.glow.amount": 0.25,
    "look.own.mix.source": "beat",
    "look.own.mix.amount": -0.5,
    "look.own.tint.blue": 0.75,
    "look.own.tint.red.source": "high",
    "look.own-2.glow.source": "kick",
    "look.own-2.glow.smoothing_s": 0.2,
    "look.own-2.mirror": 1.0,
    "look.own-2.mode": "soft",
    "look.own-2.copies": 3.0,
    "look.own-2.copies.source": "mid",
    "look.crossfade.mix": 0.123456789,
}


def test_what_was_turned_is_written_and_looks_the_same(preset):
    loaded = preset(LOOKS)
    changes = [Set(name, value) for name, value in HAND.items()]
    links, state = show(
        loaded, *changes, Set("beat.threshold", 0.3), Set("dream.colour", 0.5), Set("beat.lead_ms", 99.0)
    )
    folder = save_preset(loaded, links, state)
    found = load_preset(str(folder)).preset
    assert (found.beat.threshold, found.beat.low_hz, found.beat.lead_ms) == (0.3, 30, 20), (
        "the room's stay the preset's"
    )
    assert found.expressions == {"decay": "0.9 + 0.05*bass"}
    assert [one.colour for one in (found.dream, *found.variants)] == [0.5, 0.5] and found.variants[0].seed == 7
    saved = again(folder, loaded)
    before, after = moved(loaded, links, HAND), moved(saved, open_links(saved))
    for one, other in zip(before, after, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            assert other[name] == pytest.approx(one[name], abs=1e-5), name
    assert (
        (folder / "preset.yaml")
        .read_text()
        .endswith(
            """render:
  looks:
    - {look: crossfade, mix: 0.123457}
    - look: own
      parameters:
        glow: 1.25 + 0.5*bass
        tint: [1 + 0.5*high, bass, 0.75, 1]
      mix: bass - 0.5*beat
      blend: screen
    - look: own
      parameters:
        glow: 0.5 + smooth(kick, 0.2)
        mirror: true
        mode: soft
        copies: 3 + 3.5*mid
  transition: {look: wipe, seconds: 2.0}
"""
        )
    )


def test_a_setting_of_the_beat_set_by_hand_replaces_its_expression(preset):
    loaded = preset()
    found = load_preset(str(save_preset(loaded, *show(loaded, Set("beat.decay", 0.5), Act("sensitivity_up"))))).preset
    assert (found.expressions, found.beat.decay) == ({}, 0.5)
    assert found.beat.sensitivity == pytest.approx(2**0.25, rel=1e-5)


def test_its_own_files_are_copied_and_a_chosen_picture(preset, tmp_path):
    chosen = tmp_path / "other.jpg"
    shutil.copy(tmp_path / "mine.d" / "picture.jpg", chosen)
    loaded = preset(LOOKS, Overrides(image=chosen, seed=5))
    folder = save_preset(loaded, *show(loaded))
    names = {one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()}
    assert names == {"preset.yaml", "picture.jpg", "chosen-picture.jpg", "own.frag", "parts/own.glsl"}
    found = load_preset(str(folder)).preset
    assert (found.image, found.dream.seed) == ("chosen-picture.jpg", 5)


def test_the_pictures_of_its_journey_are_copied(preset, tmp_path):
    shutil.copy(tmp_path / "mine.d" / "picture.jpg", tmp_path / "mine.d" / "cat.jpg")
    preset()
    file = tmp_path / "mine.d" / "preset.yaml"
    file.write_text(PRESET.replace("variants:\n  - seed: 7\n", "journey: {pictures: [cat.jpg], picture_every: 3}\n"))
    loaded = open_preset(str(file.parent), size=SIZE)
    folder = save_preset(loaded, *show(loaded))
    found = load_preset(str(folder)).preset.journey
    assert (found.pictures, found.picture_every) == (["cat.jpg"], 3) and (folder / "cat.jpg").is_file()


def test_no_preset_is_ever_replaced(preset, tmp_path):
    loaded = preset()
    presets = tmp_path / "config" / "presets"
    (presets / "MINE-D-3").mkdir(parents=True)
    kept = save_preset(loaded, *show(loaded))
    text = (kept / "preset.yaml").read_text()
    assert save_preset(loaded, *show(loaded)).name == "mine-d-4"
    second = open_preset("mine-d-4", size=SIZE)
    assert save_preset(second, *show(second)).name == "mine-d-5" and (kept / "preset.yaml").read_text() == text
    assert {"mine-d-2", "mine-d-4", "mine-d-5"} <= set(preset_names())
    assert not [one for one in presets.iterdir() if one.name.startswith(".")]


def test_where_it_cannot_be_written_nothing_is_left(preset, tmp_path):
    loaded = preset()
    links, state = show(loaded)
    (tmp_path / "file").write_text("")
    with pytest.raises(VisualizerError, match="the preset cannot be saved in"):
        save_preset(loaded, links, state, tmp_path / "file" / "presets")
    loaded = preset("render: {shader: own}\n")
    links, state = show(loaded)
    (tmp_path / "mine.d" / "own.frag").unlink()
    with pytest.raises(VisualizerError, match="the preset cannot be saved: .*unknown look 'own'"):
        save_preset(loaded, links, state)
    assert list((tmp_path / "config" / "presets").iterdir()) == []


@pytest.mark.parametrize("values", [{}, {"smoothing_px": 1}, {"contrast_growth": 1}, {"seed": 3, "fine_growth": 0}])
@pytest.mark.parametrize("variant", [{}, {"smoothing_px": 2}, {"saturation_growth": 1, "smoothing_px": 3.5}])
def test_dreams_that_earlier_versions_would_read_otherwise_are_read_back(preset, tmp_path, values, variant):
    preset()
    file = tmp_path / "mine.d" / "preset.yaml"
    file.write_text(yaml_text({"title": "Mine", "image": "picture.jpg", "dream": values, "variants": [variant]}))
    loaded = open_preset(str(file.parent), size=SIZE)
    found = load_preset(str(save_preset(loaded, *show(loaded)))).preset
    assert (found.dream, found.variants) == (loaded.settings.dream, loaded.settings.variants)


def test_it_is_saved_in_a_thread_and_answers(preset):
    loaded = preset()
    saver = PresetSaver()
    assert saver.save(loaded, *show(loaded)) is None
    saver.close()
    assert "saved as preset mine-d-2, in " in (saver.answer() or "") and saver.answer() is None
    shutil.rmtree(loaded.folder)
    assert saver.save(loaded, *show(loaded)) is None
    saver.close()
    assert "mine.d" in (saver.answer() or "")
