"""A look of a preset in a show in a real window: turned by a controller, reset, and seen on the screen."""

from __future__ import annotations

import shutil

import pytest

from tests.fixtures.watching import Quiet, Script
from tests.show.test_onscreen_company import PLAIN, Hand
from visualizer.control.commands import Act, ShowPreset
from visualizer.presets.dreams import open_cache
from visualizer.presets.loaded import open_preset
from visualizer.show.onscreen import run

LOOK = """/*{"INPUTS": [{"NAME": "tint", "TYPE": "color", "DEFAULT": [0, 0.2, 0, 1]}]}*/
#version 330 core
out vec4 colour;
void main() { colour = tint; }
"""


@pytest.fixture
def tinted(tiny_preset, loaded, tmp_path):
    """A preset like the tiny one, with a look of its own that fills the picture with a colour."""
    folder = tmp_path / "tinted"
    shutil.copytree(tiny_preset, folder)
    (folder / "tint.frag").write_text(LOOK)
    with (folder / "preset.yaml").open("a") as file:
        file.write("render: {shader: tint, parameters: {tint: [0.4, 0, 0, 1]}}\n")
    return open_preset(str(folder), size=loaded.size)


def test_a_parameter_of_a_look_is_turned_from_outside_and_reset(screen, eye, tinted):
    hand = Hand()

    def sees(*colour):
        return lambda: eye.at(160, 90) == colour

    def reported(value):
        return lambda: hand.snapshots[-1].values.get("look.tint.green") == value

    script = Script(
        screen,
        lambda: bool(hand.snapshots) and len(hand.snapshots[-1].look) == 4,
        sees(102, 0, 0),
        hand.osc("/visualizer/set/look/tint/green", 0.6),
        sees(102, 153, 0),
        reported(0.6),
        hand.osc("/visualizer/share/look/tint/blue", 1.0),
        sees(102, 153, 255),
        lambda: hand.changes.append(Act("reset")) or True,
        sees(102, 0, 0),
        lambda: hand.changes.append(ShowPreset("clouds")) or True,
        lambda: "look.breathe.swell" in (values := hand.snapshots[-1].values) and "look.tint.red" not in values,
    )
    screen.move_pointer(100, 90)
    run(
        tinted,
        Quiet(depth=3.0),
        open_cache(),
        on_frame=script,
        controllers=[hand],
        title="look",
        staging=PLAIN,
        greeting="",
    )
