"""The text of a shader: includes, and where each line came from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from visualizer.errors import BadInput
from visualizer.looks.source import read_shader


def test_includes_are_put_in_and_every_line_knows_where_it_came_from(tmp_path):
    (tmp_path / "inner.glsl").write_text("float one;\nfloat two;\n")
    main = tmp_path / "main.frag"
    main.write_text('#version 330 core\n// see #include "base/x"\n#include "inner.glsl"\nvoid main() {}\n')
    source = read_shader(main).defining({"EXACT": 1, "TAPS": 2}, ["uniform float glow;"])
    assert source.text.split("\n") == [
        "#version 330 core",
        "#define EXACT 1",
        "#define TAPS 2",
        "uniform float glow;",
        '// see # include "base/x"',
        "float one;",
        "float two;",
        "void main() {}",
    ]
    assert [(Path(line.place).name, line.number) for line in source.lines] == [
        *[("main.frag", 1)] * 4,
        ("main.frag", 2),
        ("inner.glsl", 1),
        ("inner.glsl", 2),
        ("main.frag", 4),
    ]


def test_a_file_that_includes_itself_is_refused(tmp_path):
    (tmp_path / "a.glsl").write_text('#include "b.glsl"\n')
    (tmp_path / "b.glsl").write_text('\n#include "a.glsl"\n')
    with pytest.raises(BadInput, match=r"b\.glsl:2: a\.glsl includes itself"):
        read_shader(tmp_path / "a.glsl")


def test_a_missing_include_says_who_wanted_it(tmp_path):
    (tmp_path / "a.frag").write_text('#include "nowhere.glsl"\n')
    with pytest.raises(BadInput, match=r"nowhere\.glsl cannot be read \(no such file\), included by .*a\.frag:1$"):
        read_shader(tmp_path / "a.frag")


def test_the_shipped_functions_are_included_from_any_folder(tmp_path):
    (tmp_path / "own.frag").write_text('#version 330 core\n#include "base/dream.glsl"\n')
    assert "vec3 dream(" in read_shader(tmp_path / "own.frag").text


@pytest.mark.parametrize("name", ["../secret.glsl", "link.glsl", "{outside}/secret.glsl", "a/../../secret.glsl"])
def test_an_include_outside_the_folder_is_refused(tmp_path, name):
    folder = tmp_path / "preset"
    (folder / "a").mkdir(parents=True)
    (tmp_path / "secret.glsl").write_text("float secret;\n")
    (folder / "link.glsl").symlink_to(tmp_path / "secret.glsl")
    (folder / "own.frag").write_text(f'#version 330 core\n#include "{name.format(outside=tmp_path)}"\n')
    with pytest.raises(BadInput, match=r"own\.frag:2: .* lies outside the shader's folder") as raised:
        read_shader(folder / "own.frag")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["\0", "x" * 5000, "loop.glsl"])
def test_an_include_that_can_be_no_file_is_reported_in_one_line(tmp_path, name):
    (tmp_path / "loop.glsl").symlink_to(tmp_path / "loop.glsl")
    (tmp_path / "own.frag").write_text(f'#version 330 core\n#include "{name}"\n')
    with pytest.raises(BadInput, match=r"own\.frag") as raised:
        read_shader(tmp_path / "own.frag")
    assert "\n" not in str(raised.value)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.frag")
    with pytest.raises(BadInput, match="not an ordinary file"):
        read_shader(tmp_path / "pipe.frag")


def test_a_file_of_any_size_is_not_read_whole(tmp_path):
    with (tmp_path / "big.frag").open("wb") as file:
        file.truncate(10**9)
    with pytest.raises(BadInput, match="larger than 1 MB"):
        read_shader(tmp_path / "big.frag")


def test_accents_of_old_editors_are_read(tmp_path):
    (tmp_path / "own.fs").write_bytes("/*{}*/ // Größe\nvoid main() {}".encode("latin-1"))
    assert read_shader(tmp_path / "own.fs").lines[0].text == "/*{}*/ // Größe"
    (tmp_path / "own.fs").write_bytes("/*{}*/ // Größe\nvoid main() {}".encode("utf-16"))
    with pytest.raises(BadInput, match="not UTF-8 text"):
        read_shader(tmp_path / "own.fs")


def test_every_way_to_end_a_line_counts_lines_alike(tmp_path):
    (tmp_path / "own.frag").write_bytes(b"\xef\xbb\xbf#version 330 core\r\nfloat a;\rfloat b;\n")
    source = read_shader(tmp_path / "own.frag")
    assert source.text.split("\n") == ["#version 330 core", "float a;", "float b;"]
    assert [line.number for line in source.lines] == [1, 2, 3]
