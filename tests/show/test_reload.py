"""Edits of what is shown, read while others are shown: which is handed over, and which fault stands."""

from __future__ import annotations

import shutil
import threading
from contextlib import closing

import pytest

from tests.fixtures.watching import wait_for
from tests.session.recorded import OPEN
from visualizer.presets.loaded import open_preset
from visualizer.session.writer import SessionWriter
from visualizer.show.chain import open_links, open_transition
from visualizer.show.reload import Reloader

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
    loaded, said = open_preset(str(folder), size=(160, 90)), []
    with closing(Reloader(said.append, Accepts())) as reloader:
        transition = open_transition(loaded)
        reloader.follow(loaded, (*open_links(loaded), transition), (160, 90))
        # only what is saved once it follows the files is an edit
        wait_for(lambda: folder / "tint.fs" in reloader._watch._seen, "the look is not followed")
        yield reloader


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
            is_polled.wait(10)  # nothing newer is handed over before this edit is taken
        else:
            (folder / "tint.fs").write_text(second)
            is_saved.set()

    reloader._tries.then = save_again
    (folder / "tint.fs").write_text(first)
    edit = wait_for(reloader.poll, "the edit is not handed over")
    is_polled.set()
    assert [one.name for one in edit.links[0].look.declaration.inputs] == ["green"]
    writer = SessionWriter.open(tmp_path / "session", **OPEN, keep_free_bytes=0)
    writer.edit(0, 0, edit.loaded, edit.copy)
    writer.close()
    [copy] = writer.folder.presets.iterdir()
    assert (copy / "tint.fs").read_text() == first and (folder / "tint.fs").read_text() == second


def test_an_edited_transition_is_read_and_tried(folder, reloader):
    (folder / "wipe.fs").write_text(LOOK % f"{WIPE}, {NUMBER}")
    edit = wait_for(reloader.poll, "the edit is not handed over")
    assert "green" in edit.transition.parameters and edit.all_links[-1] is edit.transition
