from __future__ import annotations

from pathlib import Path

import pytest

from visualizer.errors import GraphicsError
from visualizer.looks.source import read_shader
from visualizer.render.gl import _first_fault, compile_program


@pytest.mark.parametrize(
    "message",
    [
        "GLSL Compiler failed\n\nfragment_shader\n====\n0:2(10): warning: unused\n0:3(10): error: `b' undeclared\n",
        "GLSL Compiler failed\n\nfragment_shader\n====\n0(3) : error C1008: `b' undeclared\n",
        "GLSL Compiler failed\n\nfragment_shader\n====\nERROR: 0:3: `b' undeclared\nERROR: 1 compilation errors.\n",
    ],
    ids=["Mesa", "NVIDIA", "Apple, AMD, Intel"],
)
def test_the_first_fault_is_found_in_each_drivers_words(tmp_path, message):
    (tmp_path / "x.frag").write_text("a\nb\n\tfloat a = b;\nd\n")
    said = _first_fault(message, read_shader(tmp_path / "x.frag"))
    assert said == f'{tmp_path / "x.frag"}:3: `b\' undeclared, in "float a = b;"'


def test_a_fault_without_a_line_names_the_file_at_least(tmp_path):
    (tmp_path / "x.frag").write_text("a\n")
    said = _first_fault("GLSL Linker failed\n\nprogram\n===\nerror: no main\n", read_shader(tmp_path / "x.frag"))
    assert said.startswith(f"{tmp_path / 'x.frag'}: ")
    assert said.endswith("error: no main")


def test_a_faulty_vertex_shader_is_named_too(offscreen, tmp_path: Path):
    (tmp_path / "v.vert").write_text("#version 330 core\nvoid main() { gl_Position = wrong; }\n")
    (tmp_path / "f.frag").write_text("#version 330 core\nout vec4 c;\nvoid main() { c = vec4(1.0); }\n")
    with pytest.raises(GraphicsError, match=r"v\.vert:2: .*wrong"):
        compile_program(offscreen((8, 8)).ctx, read_shader(tmp_path / "v.vert"), read_shader(tmp_path / "f.frag"))
