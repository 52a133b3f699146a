"""Compiled looks: shared while the file stays as it is, and made anew when it is edited."""

import shutil

import moderngl
import numpy as np
import pytest

from visualizer.errors import GraphicsError
from visualizer.render.gl import look_path
from visualizer.render.picture import Picture
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


def is_released(compiled):
    return isinstance(compiled.program.mglo, moderngl.InvalidObject)


def test_what_an_edited_look_was_before_is_released_once_no_picture_uses_it(offscreen, looks):
    stage = offscreen((16, 9))
    programs = Programs(stage.ctx)
    file = looks / "own.frag"
    text = (looks / "crossfade.frag").read_text()
    file.write_text(text)
    first = programs.get(file, {})
    file.write_text(text + "// edited\n")
    second = programs.get(file, {})
    assert not is_released(first), "a picture may still be drawn with it"
    programs.give_back(first)
    assert is_released(first)
    programs.give_back(second)
    assert not is_released(second) and programs.get(file, {}) is second, "the newest is kept"
    replaced = []
    for edit in range(5):
        picture = Picture(stage.ctx, (16, 9), 1, "own", 1, programs)
        picture.put(0, np.full((9, 16, 3), 40 * edit, np.uint8))
        replaced.append(programs.get(file, {}))
        file.write_text(text + f"// edit {edit}\n")
        picture.draw(0.0, (16, 9))
        picture.draw(0.0, (5, 3))  # a variant that is compiled only now, from the file as it is by now
        assert np.all(stage.read() == 40 * edit)
        picture.release()
        picture.release()
        programs.give_back(replaced[-1])
    programs.get(file, {})
    programs.give_back(second)
    assert all(is_released(one) for one in replaced)
    programs.release()
