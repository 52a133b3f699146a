from __future__ import annotations

from pathlib import Path

import pytest

from visualizer.errors import BadInput, GraphicsError
from visualizer.render.gl import _first_fault, compile_program, read_shader


def test_includes_are_put_in_and_every_line_knows_where_it_came_from(tmp_path):
    (tmp_path / "inner.glsl").write_text("float one;\nfloat two;\n")
    main = tmp_path / "main.frag"
    main.write_text('#version 330 core\n// see #include "base/x"\n#include "inner.glsl"\nvoid main() {}\n')
    source = read_shader(main, {"EXACT": 1, "TAPS": 2})
    assert source.text.split("\n") == [
        "#version 330 core",
        "#define EXACT 1",
        "#define TAPS 2",
        '// see # include "base/x"',
        "float one;",
        "float two;",
        "void main() {}",
    ]
    assert [(path.name, line) for path, line in source.lines] == [
        ("main.frag", 1),
        ("main.frag", 1),
        ("main.frag", 1),
        ("main.frag", 2),
        ("inner.glsl", 1),
        ("inner.glsl", 2),
        ("main.frag", 4),
    ]


def test_a_file_that_includes_itself_is_refused(tmp_path):
    (tmp_path / "a.glsl").write_text('#include "b.glsl"\n')
    (tmp_path / "b.glsl").write_text('\n#include "a.glsl"\n')
    with pytest.raises(BadInput, match=r"b\.glsl, line 2: a\.glsl includes itself"):
        read_shader(tmp_path / "a.glsl")


def test_a_missing_include_says_who_wanted_it(tmp_path):
    (tmp_path / "a.frag").write_text('#include "nowhere.glsl"\n')
    with pytest.raises(
        BadInput, match=r"nowhere\.glsl cannot be read \(No such file or directory\), included by .*a\.frag"
    ):
        read_shader(tmp_path / "a.frag")


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
    (tmp_path / "x.frag").write_text("a\nb\nc\nd\n")
    said = _first_fault(message, read_shader(tmp_path / "x.frag"))
    assert said == f"shader {tmp_path / 'x.frag'}, line 3: `b' undeclared"


def test_a_fault_without_a_line_names_the_file_at_least(tmp_path):
    (tmp_path / "x.frag").write_text("a\n")
    said = _first_fault("GLSL Linker failed\n\nprogram\n===\nerror: no main\n", read_shader(tmp_path / "x.frag"))
    assert said.startswith(f"shader {tmp_path / 'x.frag'}: ")
    assert said.endswith("error: no main")


def test_a_faulty_vertex_shader_is_named_too(offscreen, tmp_path: Path):
    (tmp_path / "v.vert").write_text("#version 330 core\nvoid main() { gl_Position = wrong; }\n")
    (tmp_path / "f.frag").write_text("#version 330 core\nout vec4 c;\nvoid main() { c = vec4(1.0); }\n")
    with pytest.raises(GraphicsError, match=r"v\.vert, line 2: .*wrong"):
        compile_program(offscreen((8, 8)).ctx, tmp_path / "v.vert", tmp_path / "f.frag")
