"""Which look is suspected when drawing hangs, and which are left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.shows import Clock
from visualizer.looks.look import open_look_file, plain_look
from visualizer.render.chain import Link
from visualizer.show.look_guard import NEW_S, DrawnLooks, again


@pytest.fixture
def looks(tmp_path):
    """Links of two looks, and the plain one."""
    links = []
    for name in ("a", "b"):
        (tmp_path / f"{name}.fs").write_text("void main() { gl_FragColor = vec4(1.0); }")
        links.append(Link(open_look_file(tmp_path / f"{name}.fs")))
    return [*links, Link(plain_look())]


def names(drawn):
    return [Path(path).stem for path in drawn.suspects]


def test_looks_drawn_since_a_moment_ago_are_suspected_first(looks):
    clock = Clock()
    drawn = DrawnLooks(clock)
    drawn.note(looks[:1])
    assert names(drawn) == ["a"] and drawn.has_new
    clock.now_s = NEW_S + 1
    drawn.note(looks)
    assert names(drawn) == ["b"]
    clock.now_s += NEW_S + 1
    drawn.note(looks)
    assert names(drawn) == ["a", "b"] and not drawn.has_new
    drawn.note(looks[2:])
    assert names(drawn) == []


def test_an_edited_look_is_new_again(looks):
    clock = Clock()
    drawn = DrawnLooks(clock, ["/somewhere/else.fs"])
    drawn.note(looks)
    clock.now_s = NEW_S + 1
    drawn.renew()
    drawn.note(looks)
    assert names(drawn) == ["a", "b"] and drawn.has_new and not drawn.left_out


def test_what_is_left_out_is_named_and_no_longer_suspected(looks):
    drawn = DrawnLooks(Clock())
    drawn.note(looks)
    assert drawn.leave_out(looks, [str(looks[1].look.path)]) == ["b"]
    assert [one.is_left_out for one in looks] == [False, True, False]
    assert drawn.left_out == {str(looks[1].look.path)}
    drawn.note(looks)
    assert names(drawn) == ["a"]
    assert again(["b"]).startswith("tried again when its file is saved")
    assert again(["a", "b"]).startswith("tried again when their files are saved")
