"""Looks that keep something, in whole shows: exports, parts of exports, several frame rates, recordings performed again,
and graphics that are built again.
"""

from __future__ import annotations

import shutil
from fractions import Fraction

import numpy as np
import pytest

from tests.fixtures.watching import takes
from tests.render.isf import isf, kept
from tests.show.test_recorder import has_shown, is_recording
from tests.show.test_same_pixels import every_sixth, exported
from tests.show.test_session_live import Shown
from tests.sounds import kicks
from visualizer.control.commands import Act
from visualizer.presets.dreams import open_cache
from visualizer.presets.loaded import open_preset
from visualizer.render.window import Window
from visualizer.show.export import VideoOptions, export
from visualizer.show.graphics import Graphics, rebuilt
from visualizer.show.stage import Scene, build_picture

SIZE = (160, 96)
COUNT = "gl_FragColor = IMG_THIS_PIXEL(sum) + vec4(1.0 / 255.0, 0.0, 0.0, 1.0);"


@pytest.fixture
def preset_with(tiny_preset, tmp_path):
    """preset_with(render, size) -> the tiny preset with this `render` section, its folder holding the look `count`."""

    def of(render, size=SIZE):
        folder = tmp_path / "with"
        shutil.copytree(tiny_preset, folder, dirs_exist_ok=True)
        isf(folder, COUNT, name="count", passes=[kept("sum", FLOAT=True)])
        with (folder / "preset.yaml").open("a") as file:
            file.write(f"render: {render}\n")
        return open_preset(str(folder), size=size)

    return of


def test_an_export_of_a_look_that_keeps_something_is_the_same_file_every_time(preset_with, kick_song, tmp_path):
    loaded = preset_with("{looks: [trails, prism]}")
    files = [tmp_path / "one.mp4", tmp_path / "two.mp4"]
    for file in files:
        list(export(kick_song, file, loaded, open_cache(), VideoOptions(fps=Fraction(30), to_s=2.0)))
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize("supersample", [1, 2])
def test_a_part_of_an_export_shows_what_was_kept_from_the_beginning(
    preset_with, kick_song, tmp_path, monkeypatch, supersample
):
    loaded = preset_with("{looks: [trails, {look: count, blend: add}]}")
    whole = exported(kick_song, loaded, tmp_path / "whole.mp4", monkeypatch, to_s=2.0, supersample=supersample)
    part = exported(
        kick_song, loaded, tmp_path / "part.mp4", monkeypatch, from_s=1.0, to_s=2.0, supersample=supersample
    )
    assert len(part) == 30 and np.array_equal(part, whole[30:])


def test_trails_are_the_same_at_30_60_and_144_display_frames_a_second(preset_with, kick_song):
    """Pictures, and not their mean brightness, every 1/6 s: in the mean within 0.5 of 255, 99 of 100 pixels within 4,
    and all within 20. The trails move on in steps of 1/30 s, but are fed with what is seen at other instants.
    """
    loaded = preset_with("{shader: trails, parameters: {strength: 1}}")

    at_60 = every_sixth(kick_song, loaded, 60)
    for fps in (30, 144):
        off = np.abs(every_sixth(kick_song, loaded, fps) - at_60)
        assert off.mean() <= 0.5 and np.percentile(off, 99) <= 4 and off.max() <= 20, fps


@pytest.mark.slow
@takes()
def test_a_live_show_performed_again_has_what_its_looks_have_kept(screen, pulse, preset_with, tmp_path):
    """Begun in the middle: what was kept before is not part of the recording."""
    loaded = preset_with("{looks: [trails, {look: count, blend: add}]}", (320, 180))
    with pulse.play(kicks(48_000, np.arange(0.3, 60.0, 0.5), 60.0).astype(np.float32)):
        shown = Shown(
            tmp_path / "night",
            loaded,
            [
                (1.5, []),
                (0.0, lambda night: night.frames[-1].depth > 2.0),
                (0.3, [Act("record")]),
                (0.0, is_recording),
                (0.0, has_shown(30)),
                (0.5, [Act("freeze")]),
                (0.5, [Act("freeze")]),
                (0.5, [Act("blackout")]),
                (1.0, [Act("blackout")]),
                (2.5, []),
            ],
            begins=False,
        )
    off = np.abs(np.stack(shown.pictures_again).astype(int) - np.stack(shown.pictures)).mean(axis=(1, 2, 3))
    # a fade to black and back begins with the display frame after its command, which may be another one
    assert np.mean(off <= 0.5) > 0.8 and off[-10:].max() <= 0.5, off.round(2).tolist()


def test_what_is_kept_goes_on_when_the_graphics_are_built_again(screen, preset_with):
    loaded = preset_with("{shader: count}", (64, 36))
    window = Window((64, 36), "before")
    graphics = Graphics.of(window)
    scene = Scene(build_picture(loaded, window, graphics.programs), None, loaded)
    for index in range(5):
        scene.picture.draw(0.0, (64, 36), index / 60)
    after, picture = rebuilt(window, scene, dark=False)
    window.close()
    after.window.make_current()
    for n_drawn in (6, 7):
        after.canvas.begin((64, 36))
        picture.draw(0.0, (64, 36), n_drawn / 60)
        assert after.canvas.pixels()[0, 0].tolist() == [n_drawn, 0, 0]
    picture.release()
    after.release()
    after.window.close()
