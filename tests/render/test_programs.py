"""Compiled looks: shared while the file stays as it is, and made anew when it is edited."""

import shutil

import pytest

from visualizer.errors import GraphicsError
from visualizer.render.gl import look_path
from visualizer.render.programs import Programs


def test_a_look_is_compiled_once_and_anew_when_its_file_was_edited(offscreen, tmp_path):
    programs = Programs(offscreen((8, 8)).ctx)
    look, text = tmp_path / "own.frag", look_path("crossfade").read_text()
    shutil.copytree(look_path("crossfade").parent / "base", tmp_path / "base")
    look.write_text(text)
    first = programs.get(look, {})
    assert programs.get(look, {}) is first
    look.write_text(text + "\n// another day\n")
    second = programs.get(look, {})
    assert second is not first
    included = tmp_path / "base" / "dream.glsl"
    included.write_text(included.read_text() + "\n// and another\n")
    assert programs.get(look, {}) is not second, "what it includes is a part of it"
    look.write_text(text + "\nthis is no shader\n")
    with pytest.raises(GraphicsError, match=r"own.frag, line"):
        programs.get(look, {})
    look.write_text(text)
    programs.get(look, {})
    programs.release()
    programs.release()
