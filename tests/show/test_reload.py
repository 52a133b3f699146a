"""Edits of what is shown, read while others are shown: which is handed over, and which fault stands."""

from __future__ import annotations

import shutil
import threading
from contextlib import closing

import pytest

from tests.fixtures.watching import wait_for
from tests.session.recorded import OPEN
from visualizer.presets.loaded import open_preset
from visualizer.session.events import EditEvent, PresetEvent
from visualizer.session.reader import RecordedSession
from visualizer.session.writer import SessionWriter
from visualizer.show.open_looks import open_links, open_transition
from visualizer.show.reload import Reloader
from visualizer.show.session_files import SessionFiles

LOOK = """/*{"INPUTS": [%s]}*/
void main() { gl_FragColor = vec4(1.0); }
"""
NUMBER = '{"NAME": "green", "TYPE": "float"}'
WIPE = """{"NAME": "startImage", "TYPE": "image"}, {"NAME": "endImage", "TYPE": "image"},
    {"NAME": "progress", "TYPE": "float"}"""


class Accepts:
    """Tries no look. then: called meanwhile."""

    def __init__(self, then=lambda: None):
        self.then = then

    def start(self):
        pass

    def __call__(self, links, options, is_superseded):
        self.then()

    def close(self):
        pass


@pytest.fixture
def folder(tiny_preset, tmp_path):
    """The folder of a preset with the look tint.fs of its own."""
    folder = tmp_path / "tinted"
    shutil.copytree(tiny_preset, folder)
    (folder / "tint.fs").write_text(LOOK % "")
    (folder / "wipe.fs").write_text(LOOK % WIPE)
    with (folder / "preset.yaml").open("a") as file:
        file.write("render: {looks: [tint], transition: wipe}\n")
    return folder


@pytest.fixture
def reloader(folder):
    with closing(Reloader(lambda words: None, Accepts())) as reloader:
        reloader.follow(*opened(folder))
        yield reloader


def opened(folder):
    """A preset as it is followed."""
    loaded = open_preset(str(folder), size=(160, 90))
    transition = open_transition(loaded)
    return loaded, (*open_links(loaded), *([transition] if transition else [])), (160, 90)


def names_in(edit):
    """Of the inputs of the first look."""
    return [one.name for one in edit.links[0].look.declaration.inputs]


def test_a_fault_of_a_newer_edit_stays_when_the_one_before_it_is_shown(folder, reloader):
    (folder / "tint.fs").write_text(LOOK % NUMBER)
    edit = wait_for(reloader.poll, "the edit is not handed over")
    (folder / "tint.fs").write_text(LOOK % "no JSON")
    wait_for(lambda: reloader.fault or None, "the fault is not noticed")
    reloader.shown(edit.all_links)
    assert "tint.fs" in reloader.fault
    reloader.failed("the edit before cannot be shown")
    assert "tint.fs" in reloader.fault
    (folder / "tint.fs").write_text(LOOK % NUMBER)
    edit = wait_for(reloader.poll, "the correction is not handed over")
    reloader.shown(edit.all_links)
    assert reloader.fault == "" and reloader.poll() is None


def test_what_is_recorded_of_an_edit_is_what_was_tried(folder, reloader, tmp_path):
    """And not what was saved while it was tried."""
    first, second = LOOK % NUMBER, LOOK % ""
    is_polled, is_saved = threading.Event(), threading.Event()

    def save_again():
        if is_saved.is_set():
            is_polled.wait(60)  # nothing newer is handed over before this edit is taken
        else:
            (folder / "tint.fs").write_text(second)
            is_saved.set()

    reloader._tries.then = save_again
    (folder / "tint.fs").write_text(first)
    edit = wait_for(reloader.poll, "the edit is not handed over")
    is_polled.set()
    assert names_in(edit) == ["green"]
    writer = SessionWriter.open(tmp_path / "session", **OPEN, keep_free_bytes=0)
    writer.edit(0, 0, edit.loaded, edit.copy)
    writer.close()
    [copy] = writer.folder.presets.iterdir()
    assert (copy / "tint.fs").read_text() == first and (folder / "tint.fs").read_text() == second


def test_speed_and_direction_of_a_journey_are_taken_over_and_nothing_else_of_it(folder, reloader):
    file = folder / "preset.yaml"
    text = file.read_text()
    file.write_text(text + "journey: {zoom_per_bar: 0.5}\n")
    reloader.follow(*opened(folder))
    file.write_text(text + "journey: {zoom_per_bar: 1.5, zoom_per_s: 0.3, direction: out}\n")
    edit = wait_for(reloader.poll, "the edit is not handed over")
    journey = edit.loaded.journey
    assert edit.links is not None
    assert (journey.zoom_per_bar, journey.zoom_per_s, journey.direction) == (1.5, 0.3, "out")
    reloader.shown(edit.all_links)
    file.write_text(text + "journey: {rotation: 3}\n")
    assert wait_for(reloader.poll, "the edit is not handed over").links is None


def test_an_edit_is_recorded_without_the_pictures_of_the_journey(folder, tmp_path):
    shutil.copy(folder / open_preset(str(folder), size=(160, 90)).settings.image, folder / "bank.png")
    with (folder / "preset.yaml").open("a") as file:
        file.write("journey: {pictures: bank.png}\n")
    loaded = open_preset(str(folder), size=(160, 90))
    writer = SessionWriter.open(tmp_path / "session", **OPEN, keep_free_bytes=0)
    writer.preset(0, 0, loaded)
    writer.edit(0, 0, loaded, None)
    writer.close()
    first, edit = (
        one for one in RecordedSession(tmp_path / "session").events() if isinstance(one, PresetEvent | EditEvent)
    )
    presets = tmp_path / "session" / "presets"
    assert (presets / first.folder / "bank.png").exists() and not (presets / edit.folder / "bank.png").exists()
    files = SessionFiles(RecordedSession(tmp_path / "session"))
    assert files.edit(edit, loaded).journey == loaded.journey


def test_an_edited_transition_is_read_and_tried(folder, reloader):
    (folder / "wipe.fs").write_text(LOOK % f"{WIPE}, {NUMBER}")
    edit = wait_for(reloader.poll, "the edit is not handed over")
    assert "green" in edit.transition.parameters and edit.all_links[-1] is edit.transition


def test_what_is_saved_between_opening_and_following_is_an_edit(folder):
    """As while the picture crosses to a preset, or while an edit of the one before is tried."""
    text = (folder / "preset.yaml").read_text()

    def handed_over(file, content):
        before = opened(folder)
        (folder / file).write_text(content)
        with closing(Reloader(tries=Accepts())) as reloader:
            reloader.follow(*before)
            return wait_for(reloader.poll, f"{file} is not handed over")

    assert names_in(handed_over("tint.fs", LOOK % NUMBER)) == ["green"]
    assert len(handed_over("preset.yaml", text.replace("looks: [tint]", "looks: [tint, tint]")).links) == 2
    assert handed_over("preset.yaml", text.replace("n_depths: 4", "n_depths: 3")).links is None


def test_what_is_followed_as_it_was_opened_is_not_tried(folder):
    tried = []

    class Notes(Accepts):
        def __call__(self, links, options, is_superseded):
            tried.append([one.name for one in links[0].look.declaration.inputs])

    with closing(Reloader(tries=Notes())) as reloader:
        reloader.follow(*opened(folder))
        wait_for(lambda: folder / "tint.fs" in reloader._watch._seen, "the look is not followed")
        (folder / "tint.fs").write_text(LOOK % NUMBER)
        wait_for(reloader.poll, "the edit is not handed over")
    assert tried[0] == ["green"]


def test_a_look_that_a_preset_names_newly_is_followed_from_then_on(folder, reloader):
    """Also while it is tried, before it is shown."""
    text, is_saved = (folder / "preset.yaml").read_text(), threading.Event()
    (folder / "other.fs").write_text(LOOK % "")

    def save_once():
        if not is_saved.is_set():
            (folder / "other.fs").write_text(LOOK % NUMBER)
            is_saved.set()

    reloader._tries.then = save_once
    (folder / "preset.yaml").write_text(text.replace("looks: [tint]", "looks: [other]"))
    wait_for(is_saved.is_set, "the look is not tried")
    edits = []

    def handed_over():
        edits.extend([edit] if (edit := reloader.poll()) else [])
        return edits and names_in(edits[-1]) == ["green"]

    wait_for(lambda: handed_over() or None, "what was saved while it was tried is not handed over")
    assert edits[-1].links[0].look.name == "other"


@pytest.mark.parametrize(
    "wrong", [LOOK % "no JSON", '/*{"IMPORTED": {"map": {"PATH": "map.png"}}}*/', '#include "a.glsl"']
)
def test_a_look_that_could_not_be_read_is_corrected(folder, reloader, wrong):
    """In its own file, which is not shown, or by what it lacks."""
    text = (folder / "preset.yaml").read_text()
    (folder / "other.fs").write_text(wrong)
    (folder / "preset.yaml").write_text(text.replace("looks: [tint]", "looks: [other]"))
    wait_for(lambda: reloader.fault or None, "the fault is not noticed")
    if "JSON" in wrong:
        (folder / "other.fs").write_text(LOOK % "")
    else:
        shutil.copy(folder / "image.png", folder / "map.png")
        (folder / "a.glsl").write_text(LOOK % "")
    assert wait_for(reloader.poll, "the correction is not handed over").links[0].look.name == "other"
