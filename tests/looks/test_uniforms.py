"""The table of uniforms, the files that declare them and the document that explains them say the same."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from visualizer.looks.look import open_look_file
from visualizer.looks.uniforms import MUSIC, PICTURE, SILENCE
from visualizer.render.chain import Link
from visualizer.render.offscreen import Offscreen
from visualizer.render.picture import Picture
from visualizer.resources import shipped

PAGE = Path(__file__).resolve().parents[2] / "docs" / "looks.md"


def declared(name: str) -> set[tuple[str, str]]:
    """The uniforms that a shipped file declares, without its arrays and its former names: (type, name)."""
    text = (shipped("shaders") / "base" / name).read_text()
    return set(re.findall(r"^uniform (\w+) (\w+);", text, re.MULTILINE)) - {("float", "row")}


def test_the_shipped_files_declare_every_uniform():
    assert declared("dream.glsl") == {(one.kind, one.name) for one in PICTURE}
    assert declared("music.glsl") == {(one.kind, one.name) for one in MUSIC}


def test_the_document_explains_every_uniform():
    lines = PAGE.read_text().splitlines()
    for one in (*PICTURE, *MUSIC):
        assert f"| {one.name} | {one.kind} | {one.words} |" in lines


def test_the_looks_in_the_document_draw(tmp_path):
    texts = re.findall(r"^```glsl\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(texts) >= 2
    with Offscreen((8, 8)) as stage:
        for text in texts:
            path = tmp_path / ("own.frag" if "#version" in text else "own.fs")
            path.write_text(text)
            picture = Picture(stage.ctx, (8, 8), 1, [Link(open_look_file(path))])
            picture.put(0, np.full((8, 8, 3), 120, np.uint8))
            picture.draw(0.0, (8, 8))
            assert np.all(stage.read() == 120)


def test_no_name_is_there_twice():
    names = [one.name for one in (*PICTURE, *MUSIC)]
    assert len(set(names)) == len(names)


def test_silence_has_no_kick():
    assert SILENCE["kick_time_s"] > 1e5 and SILENCE["kick"] == SILENCE["level"] == 0
