"""Compiled looks: shared while the file stays as it is, and compiled again when it is edited."""

import moderngl
import numpy as np
import pytest

from visualizer.errors import GraphicsError
from visualizer.looks.look import find_look, open_look_file
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
    with pytest.raises(GraphicsError, match=r"own\.frag:\d+: "):
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


ISF = """/*{
    "PASSES": [{"TARGET": "red"}, {"TARGET": "green"}, {}]
}*/
void main() {
    if (PASSINDEX == 0) gl_FragColor = vec4(1.0, 0.0, 0.0, 1.0);
    else if (PASSINDEX == 1) gl_FragColor = vec4(0.0, 1.0, 0.0, 1.0);
    else gl_FragColor = IMG_THIS_PIXEL(red) + IMG_THIS_PIXEL(green) + vec4(0.0, 0.0, 0.5 * float(PASSINDEX), 1.0);
}
"""


def test_every_pass_has_a_program_without_what_the_others_do(offscreen, tmp_path):
    """A software driver computes both sides of every `if`."""
    (tmp_path / "own.fs").write_text(ISF)
    look = open_look_file(tmp_path / "own.fs")
    stage = offscreen((16, 9))
    programs = Programs(stage.ctx)
    drawn = []
    for index in range(3):
        compiled = programs.get(look, {}, index)
        assert "PASSINDEX" not in compiled.uniforms
        assert len(compiled.samplers) == (2 if index == 2 else 0)
        drawn.append(compiled)
    assert programs.get(look, {}, 1) is drawn[1] and len(set(map(id, drawn))) == 3
    programs.release()
    picture = Picture(stage.ctx, stage.size, 1, [Link(look)])
    picture.put(0, np.zeros((9, 16, 3), np.uint8))
    picture.draw(0.0, stage.size)
    assert np.all(stage.read() == 255)
    picture.release()
