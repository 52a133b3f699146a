"""Looks that a show turned off, in its session: a performance turns them off at the same instant."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from tests.show.nights import Night, performed, recording_of
from visualizer.presets.dreams import ReadyDreams
from visualizer.presets.loaded import open_preset
from visualizer.render.offscreen import Offscreen
from visualizer.render.programs import Programs
from visualizer.session.events import LooksEvent, PresetEvent, ticks_of
from visualizer.session.reader import RecordedSession
from visualizer.show.open_looks import open_links, open_transition
from visualizer.show.stage import Scene, Stage, build_picture

SIZE = (64, 36)
COLOUR = "/*{}*/\nvoid main() { gl_FragColor = vec4(%s, 1.0); }\n"


@pytest.fixture
def loaded(tiny_preset, tmp_path):
    """The tiny preset with two looks, red and over it green."""
    folder = tmp_path / "coloured"
    shutil.copytree(tiny_preset, folder)
    (folder / "red.fs").write_text(COLOUR % "1.0, 0.0, 0.0")
    (folder / "green.fs").write_text(COLOUR % "0.0, 1.0, 0.0")
    with (folder / "preset.yaml").open("a") as file:
        file.write("render: {looks: [red, green]}\n")
    return open_preset(str(folder), size=SIZE)


def test_looks_are_left_out_when_they_were(loaded, tmp_path):
    night = Night(tmp_path / "night", loaded)
    night.preset(0.0, 0, loaded)
    for at_s, left_out in ((0.5, [1]), (1.0, [0, 1, 7]), (1.5, [])):
        night.event(LooksEvent(at=ticks_of(at_s), scene=0, left_out=left_out))
    root = night.end(2.0)
    times_s = [0.4, 0.6, 1.1, 1.6]
    _, pictures = performed(root, SIZE, times_s=times_s)
    green, red = [0, 255, 0], [255, 0, 0]
    seen = [picture[0, 0].tolist() for picture in pictures]
    assert [seen[0], seen[1], seen[3]] == [green, red, green]
    assert np.abs(pictures[2].astype(int) - loaded.image).mean() < 5, "the dream alone"
    _, pictures = performed(root, SIZE, times_s=times_s, bakes=lambda loaded: ReadyDreams([]))
    assert {tuple(picture[0, 0]) for picture in pictures} == {tuple(green)}, "as it was intended"


def test_a_recording_has_the_looks_that_are_not_drawn(loaded, kick_song, tmp_path):
    """Those at its beginning, those turned off while it goes on; after an edit all are drawn again."""
    with Offscreen(SIZE) as surface:
        scene = Scene(build_picture(loaded, surface, Programs(surface.ctx)), ReadyDreams([]), loaded)
        stage = Stage(surface, scene)
        scene.picture.links[1].is_left_out = True
        with recording_of(stage, kick_song, tmp_path / "night") as (recorder, follow):
            scene.picture.links[0].is_left_out = True
            follow()
            scene.exchange(loaded, open_links(loaded), open_transition(loaded))
            recorder.edited(scene, None)
            follow()
            scene.picture.links[0].is_left_out = True
            follow()
        stage.release()
    events = list(RecordedSession(tmp_path / "night").events())
    assert isinstance(events[0], PresetEvent) and isinstance(events[1], LooksEvent)
    assert [one.left_out for one in events if isinstance(one, LooksEvent)] == [[1], [0, 1], [0]]
