"""Numbers of looks that move, in whole shows: recorded and performed again; moved by hand, saved and shown again."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from tests.fixtures.watching import Quiet, Script, takes
from tests.show.test_onscreen_company import PLAIN, Hand
from tests.show.test_recorder import has_shown, is_recording
from tests.show.test_session_live import Shown
from tests.sounds import kicks
from visualizer.control.commands import Act, Set, ShowPreset
from visualizer.presets.dreams import open_cache
from visualizer.presets.loaded import open_preset
from visualizer.presets.preset import load_preset
from visualizer.session.events import CommandEvent
from visualizer.show.onscreen import run

SHADER = """/*{"INPUTS": [
    {"NAME": "red", "TYPE": "float", "DEFAULT": 0.2},
    {"NAME": "green", "TYPE": "float", "DEFAULT": 0.2},
    {"NAME": "blue", "TYPE": "float", "DEFAULT": 0.2}
]}*/
#version 330 core
out vec4 colour;
in vec2 uv;
// a picture made of uniforms alone is drawn wrongly by llvmpipe, which takes the first one for all channels in whole tiles
void main() { colour = vec4(vec3(red, green, blue) * step(-1.0, uv.x), 1.0); }
"""


@pytest.fixture
def preset_with(tiny_preset, tmp_path):
    """preset_with(lines) -> the tiny preset with these lines, its folder "mine" holding the look `own`."""

    def of(lines, size=(320, 180)):
        folder = tmp_path / "mine"
        shutil.copytree(tiny_preset, folder, dirs_exist_ok=True)
        (folder / "own.frag").write_text(SHADER)
        with (folder / "preset.yaml").open("a") as file:
            file.write(lines)
        return open_preset(str(folder), size=size)

    return of


@pytest.mark.slow
@takes()
def test_a_recorded_show_performed_again_moves_as_it_did(screen, pulse, preset_with, tmp_path):
    """Expressions with a memory, sources chosen by hand before and while it is recorded, and a moved beat."""
    loaded = preset_with(
        "beat: {decay: 0.85 + 0.1*mid}\n"
        "render: {shader: own, parameters: {red: 0.5 + 0.5*sin(integrate(1 + bass)), green: 'hold(kick, random(n_kicks))'}}\n"
    )
    with pulse.play(kicks(48_000, np.arange(0.3, 60.0, 0.5), 60.0).astype(np.float32)):
        shown = Shown(
            tmp_path / "night",
            loaded,
            [
                (1.0, [Set("look.blue.source", "bass"), Set("look.blue.smoothing_s", 0.1)]),
                (0.0, lambda night: night.frames[-1].depth > 2.0),
                (0.3, [Act("record")]),
                (0.0, is_recording),
                (0.0, has_shown(60)),
                (0.2, [Set("look.blue.amount", -0.25)]),
                (0.5, [Set("look.red", 0.9)]),
                (0.5, [Act("reset")]),
                (1.0, []),
            ],
            begins=False,
        )
    pictures, again = np.stack(shown.pictures).astype(int), np.stack(shown.pictures_again).astype(int)
    seen = pictures[:, 90, 160]
    assert (np.ptp(seen, axis=0) > 60).all(), "all three have moved"
    off = np.abs(again - pictures).max(axis=(1, 2, 3))
    assert np.mean(off <= 3) > 0.9 and off[-10:].max() <= 3, off.tolist()
    moved = [one.command for one in shown.events if isinstance(one, CommandEvent)]
    assert [one for one in moved if one["kind"] == "settings_moved"]


def test_a_source_chosen_from_outside_is_seen_saved_and_seen_again(screen, eye, preset_with):
    loaded, hand = preset_with("render: {shader: own, parameters: {blue: 0.4}}\n"), Hand()
    level = Quiet(depth=3.0).features_at(0.0).level
    assert 0.3 < level < 0.9
    green = round(255 * (0.2 + 0.5 * level))

    def sees(*colour):
        return lambda: max(abs(int(a) - b) for a, b in zip(eye.at(160, 90), colour, strict=True)) <= 1

    def does(change):
        return lambda: hand.changes.append(change) or True

    script = Script(
        screen,
        lambda: bool(hand.snapshots) and len(hand.snapshots[-1].look) == 3,
        sees(51, 51, 102),
        hand.osc("/visualizer/set/look/green/source", "level"),
        sees(51, green, 102),
        lambda: hand.snapshots[-1].moving.keys() == {"look.green"},
        lambda: hand.snapshots[-1].by_hand == {"look.green.source"},
        does(Act("save_preset")),
        lambda: "mine-2" in hand.snapshots[-1].presets,
        does(Act("reset")),
        sees(51, 51, 102),
        does(ShowPreset("mine-2")),
        sees(51, green, 102),
        lambda: hand.snapshots[-1].title == "Tiny 2",
    )
    screen.move_pointer(100, 90)
    run(
        loaded,
        Quiet(depth=3.0),
        open_cache(),
        on_frame=script,
        controllers=[hand],
        title="modulated",
        staging=PLAIN,
        greeting="",
    )
    found = load_preset("mine-2")
    assert found.preset.render.parameters == {"blue": 0.4, "green": "0.2 + 0.5*level"}
    assert (found.folder / "own.frag").read_text() == SHADER
