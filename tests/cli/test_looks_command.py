"""`visualizer looks` as a user types it: the list, and a new look. The check has tests of its own in diagnostics/."""

from __future__ import annotations

import json

import pytest

from tests.cli.running import here, refused
from visualizer.diagnostics.looks_check.check import check_looks, look_files
from visualizer.looks.look import find_look

OWN = '/*{"DESCRIPTION": "All one colour.", "CREDIT": "N. N.", "CATEGORIES": ["Test"], "LISTENS": "kick", "COSTS": "nothing"}*/\nvoid main() { gl_FragColor = vec4(kick); }'


@pytest.fixture
def folder(home):
    folder = home / "config" / "looks"
    folder.mkdir(parents=True)
    return folder


def test_the_list_has_the_looks_of_the_program_and_of_the_user(folder):
    (folder / "Plain Colour.fs").write_text(OWN)
    run = here("looks")
    lines = {line.split()[0]: line for line in run.stdout.splitlines()}
    assert run.returncode == 0 and run.stderr == ""
    assert "the program" in lines["crossfade"]
    for words in ("generator", "your folder", "All one colour. (Test;", "kick", "nothing"):
        assert words in lines["plain-colour"]


def test_a_look_that_cannot_be_read_hides_no_other(folder):
    (folder / "torn.fs").write_text('/*{"INPUTS": [}*/')
    (folder / "whole.fs").write_text(OWN)
    run = here("looks", "--json")
    found = json.loads(run.stdout)
    assert {"crossfade", "whole"} <= {one["name"] for one in found["looks"]}
    assert len(found["faults"]) == 1 and "torn.fs:1" in found["faults"][0] and "torn.fs:1" in run.stderr


def test_a_new_look_is_an_example_that_works(home):
    run = here("looks", "new", "glow-2")
    path = home / "config" / "looks" / "glow-2.fs"
    assert run.returncode == 0 and run.stdout.startswith(f"{path}\n") and "looks: [glow-2]" in run.stdout
    look = find_look("glow-2")
    assert look.path == path and {one.name for one in look.declaration.controls} == {"zoom", "trail", "tint"}
    assert look.declaration.listens and look.declaration.costs
    (found,) = check_looks(path.parent, look_files(path.parent))
    assert not found.problems and found.kind == "filter"


def test_a_new_look_never_replaces_a_file(home, folder):
    (folder / "mine.fs").write_text("of the user")
    (folder / "other.frag").write_text("void main() {}")
    refused(here("looks", "new", "mine"), "called mine already")
    refused(here("looks", "new", "other"), "called other already")
    refused(here("looks", "new", "crossfade"), "called crossfade already")
    assert (folder / "mine.fs").read_text() == "of the user" and len([*folder.iterdir()]) == 2


@pytest.mark.parametrize("name", ["Big", "a/b", "..", "a.fs", ""])
def test_a_name_that_a_look_cannot_have_is_refused(name, home):
    refused(here("looks", "new", name), "cannot be the name of a look", "small letters")
    assert not (home / "config" / "looks").exists()
