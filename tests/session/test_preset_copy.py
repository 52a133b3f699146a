"""The copy of a preset: every look in it reads the files that it read before."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.session.recorded import OPEN
from visualizer.errors import VisualizerError
from visualizer.looks.look import find_look
from visualizer.presets.loaded import open_preset
from visualizer.presets.preset import load_preset
from visualizer.session.preset_copy import copy_of, write_copy
from visualizer.session.writer import MOST_WAITING_BYTES, SessionWriter

LOOK = """/*{"IMPORTED": {"noise": {"PATH": "image.jpg"}}}*/
#include "base/own.glsl"
void main() { gl_FragColor = IMG_NORM_PIXEL(noise, vec2(0.0)); }
"""


@pytest.fixture
def preset(tmp_path, tiny_preset, monkeypatch) -> Path:
    """The folder of a preset that shows the looks a and b."""
    monkeypatch.setenv("VISUALIZER_CONFIG_DIR", str(tmp_path / "config"))
    folder = tmp_path / "mine"
    folder.mkdir()
    shutil.copy(load_preset(str(tiny_preset)).image_path, folder / "image.jpg")
    (folder / "preset.yaml").write_text("title: Mine\nimage: image.jpg\nrender: {looks: [crossfade, a, b]}\n")
    return folder


def write_look(folder: Path, name: str) -> None:
    (folder / "base").mkdir(parents=True)
    (folder / f"{name}.fs").write_text(LOOK)
    (folder / "image.jpg").write_text(f"of {name}")
    (folder / "base" / "own.glsl").write_text(f"// of {name}\n")


@pytest.mark.parametrize("place", ["mine/a", "config/looks/a", "config/looks"])
def test_looks_keep_their_files_apart(preset, tmp_path, place):
    write_look(tmp_path / place, "a")
    write_look(preset / "b", "only")
    loaded = open_preset(str(preset), size=(32, 18))
    copy = copy_of(loaded)
    write_copy(copy, tmp_path)
    kept = tmp_path / copy.folder
    assert (kept / "image.jpg").read_bytes() == (preset / "image.jpg").read_bytes()
    for name in ("crossfade", "a", "b"):
        look, before = find_look(name, kept), find_look(name, preset)
        assert look.path.is_relative_to(kept)
        assert [one.read_bytes() for one in look.files] == [one.read_bytes() for one in before.files]


def test_the_pictures_of_a_journey_are_copied(preset, tmp_path):
    (preset / "bank").mkdir()
    shutil.copy(preset / "image.jpg", preset / "bank" / "cat.jpg")
    with (preset / "preset.yaml").open("a") as file:
        file.write("journey: {pictures: [bank/cat.jpg]}\n")
    copy = copy_of(open_preset(str(preset), size=(32, 18)))
    write_copy(copy, tmp_path)
    assert load_preset(str(tmp_path / copy.folder)).preset.journey.pictures == ["bank/cat.jpg"]
    assert (tmp_path / copy.folder / "bank" / "cat.jpg").read_bytes() == (preset / "image.jpg").read_bytes()


def test_the_pictures_of_a_journey_are_not_held_in_memory(preset, tmp_path):
    """Nor counted as what waits for the disk: an edit with many is recorded, too."""
    with (preset / "bank.jpg").open("wb") as file:
        file.truncate(MOST_WAITING_BYTES + 1)
    with (preset / "preset.yaml").open("a") as file:
        file.write("journey: {pictures: [bank.jpg]}\n")
    copy = copy_of(loaded := open_preset(str(preset), size=(32, 18)))
    assert copy.n_memory_bytes == sum(len(one) for one in copy.files.values() if isinstance(one, bytes)) < 1_000_000
    writer = SessionWriter.open(tmp_path / "session", **OPEN, keep_free_bytes=0)
    writer.edit(0, 0, loaded, copy)
    writer.close()
    assert writer.state.n_gaps == 0
    [kept] = writer.folder.presets.iterdir()
    assert (kept / "bank.jpg").stat().st_size == MOST_WAITING_BYTES + 1


def test_a_picture_that_was_changed_makes_another_copy(preset):
    shutil.copy(preset / "image.jpg", preset / "cat.jpg")
    with (preset / "preset.yaml").open("a") as file:
        file.write("journey: {pictures: [cat.jpg]}\n")
    loaded = open_preset(str(preset), size=(32, 18))
    first = copy_of(loaded).folder
    assert copy_of(loaded).folder == first
    with (preset / "cat.jpg").open("ab") as file:
        file.write(b"more")
    assert copy_of(loaded).folder != first


def test_two_files_of_one_name_are_an_error(preset, tmp_path):
    write_look(preset / "b", "b")
    write_look(tmp_path / "config" / "looks", "a")
    (preset / "a").mkdir()
    shutil.copy(preset / "image.jpg", preset / "a" / "image.jpg")
    with (preset / "preset.yaml").open("a") as file:
        file.write("dream: {guide: a/image.jpg}\n")
    loaded = open_preset(str(preset), size=(32, 18))
    with pytest.raises(VisualizerError, match=r"look a: .* would both be 'a/image\.jpg' in a copy of the preset"):
        copy_of(loaded)
