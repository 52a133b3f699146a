"""Looks by name: which file is taken, and that no name leads out of the folders."""

from __future__ import annotations

import pytest

from visualizer.errors import BadInput
from visualizer.looks.look import PLAIN, find_look, look_names, plain_look
from visualizer.resources import shipped
from visualizer.settings import RenderSettings

SHADER = "#version 330 core\nout vec4 colour;\nvoid main() { colour = vec4(1.0); } // "

ISF = "void main() { gl_FragColor = vec4(1.0); }"

TOY = '{"renderpass": [{"type": "image", "code": "void mainImage(out vec4 c, in vec2 p) {}"}]}'


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A preset's folder, and the user's folder of looks."""
    monkeypatch.setenv("VISUALIZER_CONFIG_DIR", str(tmp_path / "config"))
    preset, own = tmp_path / "preset", tmp_path / "config" / "looks"
    preset.mkdir()
    own.mkdir(parents=True)
    return preset, own


def test_the_presets_folder_comes_first_then_the_users_then_the_shipped_one(folders):
    preset, own = folders
    assert find_look(PLAIN, preset).path == shipped("shaders") / "crossfade.frag"
    assert find_look(PLAIN, preset) == find_look(PLAIN) == plain_look()
    (own / "crossfade.frag").write_text(SHADER + "the user's")
    assert find_look(PLAIN, preset).path == own / "crossfade.frag"
    (preset / "crossfade.frag").write_text(SHADER + "the preset's")
    assert "the preset's" in find_look(PLAIN, preset).programs[0].fragment.text
    assert "the user's" in find_look(PLAIN).programs[0].fragment.text
    assert plain_look().path == shipped("shaders") / "crossfade.frag", "what all falls back on is not replaced"
    assert plain_look().is_plain and not find_look(PLAIN).is_plain


def test_a_preset_sets_no_image_that_the_show_gives(folders):
    preset, _ = folders
    (preset / "own.fs").write_text(
        '/*{"INPUTS": [{"NAME": "inputImage", "TYPE": "image"}, {"NAME": "logo", "TYPE": "image"}]}*/' + ISF
    )
    with pytest.raises(BadInput, match="unknown parameter 'inputImage'; there are: logo$"):
        find_look("own", preset).with_picture("inputImage", preset, "own.fs")


def test_every_look_there_is_has_its_name_on_the_list_once(folders):
    preset, _ = folders
    before = look_names(preset)
    for folder in folders:
        (folder / "glow.frag").write_text(SHADER)
    assert look_names(preset) == sorted([*before, "glow"])
    assert look_names() == look_names(preset)


def test_a_look_is_a_file_of_a_known_format_or_a_folder_with_one(folders):
    preset, own = folders
    before = look_names()
    (own / "3D Rotate.fs").write_text(ISF)
    (own / "Old (v1) & new.frag").write_text(SHADER)
    (own / "Trails").mkdir()
    (own / "Trails" / "trails.fs").write_text(ISF)
    (own / "Trails" / "other.fs").write_text("")
    (own / "alone").mkdir()
    (own / "alone" / "Whatever.fs").write_text(ISF)
    (own / "base").mkdir()
    (own / "base" / "part.fs").write_text(ISF)
    (own / "many").mkdir()
    for name in ("a", "b"):
        (own / "many" / f"{name}.fs").write_text(ISF)
    (own / "toy.json").write_text(TOY)
    (own / "settings.json").write_text("{}")
    (own / "---.fs").write_text(ISF)
    assert look_names() == sorted({*before, "3d-rotate", "old-v1-new", "trails", "alone", "toy"})
    assert [find_look(name, preset).format for name in ("3d-rotate", "old-v1-new", "trails", "alone", "toy")] == [
        "isf", "frag", "isf", "isf", "shadertoy",
    ]  # fmt: skip
    assert find_look("alone").path == own / "alone" / "Whatever.fs" and find_look("alone").name == "alone"
    (own / "toy.fs").write_text(ISF)
    assert find_look("toy").format == "isf", "a .fs is taken before a .json, a .json before a .frag"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("\u65e5\u672c\u8a9e.fs", "\u65e5\u672c\u8a9e"),
        ("E\u0301t\u00c9.fs", "\u00e9t\u00e9"),
        ("\u00e9t\u00e9.fs", "t"),
    ],
)
def test_a_name_may_have_the_letters_of_any_script(folders, file, name):
    preset, own = folders
    (own / file).write_text(ISF)
    look = find_look(name, preset)
    assert look.path == own / file and look.name == name
    assert RenderSettings.model_validate({"looks": [name]}).chain[0].look == name


def test_the_ending_of_a_file_may_be_in_capitals(folders):
    _, own = folders
    (own / "GLOW.FS").write_text(ISF)
    (own / "GLOW.VS").write_text("void main() { isf_vertShaderInit(); }")
    (own / "Trails").mkdir()
    (own / "Trails" / "ALONE.FS").write_text(ISF)
    (own / "old.FRAG").write_text(SHADER)
    (own / "toy.JSON").write_text(TOY)
    assert find_look("glow").files == (own / "GLOW.FS", own / "GLOW.VS")
    assert [find_look(name).format for name in ("trails", "old", "toy")] == ["isf", "frag", "shadertoy"]


def test_a_main_image_that_a_macro_begins_is_one_of_shadertoy(folders):
    _, own = folders
    (own / "short.fs").write_text("#define Main void mainImage(out vec4 Q, in vec2 U)\nMain { Q = vec4(1.0); }")
    assert find_look("short").format == "shadertoy"


def test_files_that_differ_only_in_capital_letters_are_reported(folders):
    _, own = folders
    (own / "Glow.fs").write_text(ISF)
    (own / "glow.fs").write_text(ISF)
    (own / "glow.frag").write_text(SHADER)
    if len([*own.iterdir()]) < 3:
        pytest.skip("this file system ignores case")
    (news,) = find_look("glow").declaration.news
    assert news == "look glow: Glow.fs is used; glow.fs is the same file on macOS and Windows, rename one"
    (own / "glow.fs").unlink()
    assert find_look("glow").declaration.news == ()


def test_all_files_that_were_read_are_named(folders):
    _, own = folders
    (own / "part.glsl").write_text("float part;")
    (own / "grain.png").write_bytes(b"")
    (own / "glow.vs").write_text("void main() { isf_vertShaderInit(); }")
    (own / "glow.fs").write_text('/*{"IMPORTED": {"grain": {"PATH": "grain.png"}}}*/\n#include "part.glsl"\n' + ISF)
    assert find_look("glow").files == tuple(own / name for name in ("glow.fs", "part.glsl", "glow.vs", "grain.png"))


@pytest.mark.parametrize(
    "name", ["crosfade", "", "..", "../crossfade", "base/panel", "crossfade.frag", "CROSSFADE", "a\0b", "é", "x\n"]
)
def test_an_unknown_name_is_refused_with_those_there_are(folders, name):
    with pytest.raises(BadInput, match="unknown look .*there are: .*crossfade") as raised:
        find_look(name, folders[0])
    assert "\n" not in str(raised.value)


def test_the_nearest_name_is_proposed(folders):
    with pytest.raises(BadInput, match="did you mean 'crossfade'"):
        find_look("crosfade")


def test_a_link_out_of_the_folder_is_refused(folders, tmp_path):
    (tmp_path / "elsewhere.frag").write_text(SHADER)
    for folder in folders:
        (folder / "link.frag").symlink_to(tmp_path / "elsewhere.frag")
        with pytest.raises(BadInput, match=r"link\.frag is a link out of its folder"):
            find_look("link", folder)
        (folder / "link.frag").unlink()


def test_a_vertex_shader_out_of_the_folder_is_not_read(folders, tmp_path):
    own = folders[1]
    (own / "one.fs").write_text("/*{}*/\nvoid main() { gl_FragColor = vec4(1.0); }\n")
    (tmp_path / "secret.txt").write_text("secret\n")
    (own / "one.vs").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(BadInput, match=r"'one\.vs' lies outside the folder"):
        find_look("one")


def test_a_folder_that_is_a_link_itself_and_links_within_it_are_fine(folders, tmp_path):
    _, own = folders
    (own / "one.frag").write_text(SHADER)
    (own / "two.frag").symlink_to("one.frag")
    own.rename(tmp_path / "elsewhere")
    own.symlink_to(tmp_path / "elsewhere")
    assert find_look("two").programs[0].fragment.text == find_look("one").programs[0].fragment.text


def test_a_circle_of_links_is_no_look(folders):
    preset, _ = folders
    (preset / "round.frag").symlink_to(preset / "round.frag")
    with pytest.raises(BadInput):
        find_look("round", preset)
    (preset / "crossfade.frag").symlink_to(preset / "crossfade.frag")
    assert find_look(PLAIN, preset) == plain_look(), "the next place is looked in"


def test_a_folder_called_like_a_look_is_reported(folders):
    preset, _ = folders
    (preset / "glow.frag").mkdir()
    with pytest.raises(BadInput, match=r"glow\.frag cannot be read \(not an ordinary file\)"):
        find_look("glow", preset)


def test_a_look_stays_as_its_files_were_when_it_was_opened(folders):
    _, own = folders
    (own / "glow.frag").write_text('/*{"INPUTS": [{"NAME": "glow", "TYPE": "float"}]}*/\n' + SHADER)
    look = find_look("glow")
    (own / "glow.frag").write_text("gone")
    assert look.programs[0].defining({"EXACT": 1}).fragment.text.split("\n")[1:4] == [
        "#version 330 core",
        "#define EXACT 1",
        "uniform float glow;",
    ]
