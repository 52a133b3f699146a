"""Compiled looks: shared while the file stays as it is, and compiled again when it is edited."""

import moderngl
import numpy as np
import pytest

from visualizer.errors import GraphicsError
from visualizer.looks.look import find_look
from visualizer.render.chain import Link
from visualizer.render.picture import Picture
from visualizer.render.programs import Programs


def test_a_look_is_compiled_once_and_anew_when_its_file_was_edited(offscreen, looks):
    programs = Programs(offscreen((8, 8)).ctx)
    file, text = looks / "own.frag", (looks / "crossfade.frag").read_text()
    file.write_text(text)

    def compiled():
        return programs.get(find_look("own"), {})

    first = compiled()
    assert compiled() is first
    file.write_text(text + "\n// edited\n")
    second = compiled()
    assert second is not first
    included = looks / "base" / "dream.glsl"
    included.write_text(included.read_text() + "\n// edited\n")
    assert compiled() is not second, "what it includes is a part of it"
    file.write_text(text + "\nthis is no shader\n")
    with pytest.raises(GraphicsError, match=r"own.frag, line"):
        compiled()
    file.write_text(text)
    compiled()
    programs.release()
    programs.release()


def is_released(compiled):
    return isinstance(compiled.program.mglo, moderngl.InvalidObject)


def test_what_an_edited_look_was_before_is_released_once_no_picture_uses_it(offscreen, looks):
    stage = offscreen((16, 9))
    programs = Programs(stage.ctx)
    file = looks / "own.frag"
    text = (looks / "crossfade.frag").read_text()

    def edited(words: str):
        file.write_text(text + words)
        return find_look("own")

    before = edited("")
    first = programs.get(before, {})
    after = edited("// edited\n")
    second = programs.get(after, {})
    assert not is_released(first), "a picture may still be drawn with it"
    programs.give_back(first)
    assert is_released(first)
    programs.give_back(second)
    assert not is_released(second) and programs.get(after, {}) is second, "the newest is kept"
    replaced = []
    for edit in range(5):
        look = edited(f"// edit {edit}\n")
        picture = Picture(stage.ctx, (16, 9), 1, [Link(look)], 1, programs)
        picture.put(0, np.full((9, 16, 3), 40 * edit, np.uint8))
        replaced.append(programs.get(look, {}))
        file.write_text("this is no shader\n")
        picture.draw(0.0, (16, 9))
        picture.draw(0.0, (5, 3))  # compiled only now, from the file as it was when the look was opened
        assert np.all(stage.read() == 40 * edit)
        picture.release()
        picture.release()
        programs.give_back(replaced[-1])
    programs.get(edited("// the last\n"), {})
    programs.give_back(second)
    assert all(is_released(one) for one in replaced)
    programs.release()
