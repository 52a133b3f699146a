"""Looks of Shadertoy: single files, and shaders as its site exports them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.fixtures.glslang import Refused
from tests.looks.drawing import drawing
from tests.render.pictures import smooth, worst
from visualizer.errors import BadInput, GraphicsError
from visualizer.looks.look import open_look_file
from visualizer.looks.program import TextureRef
from visualizer.looks.shadertoy import read_export

FOLDER = Path(__file__).parent / "shadertoy"
IMAGE = "void mainImage(out vec4 c, in vec2 p) { c = vec4(p / iResolution.xy, 0.0, 0.0); }"


def export(tmp_path: Path, *passes: dict) -> Path:
    path = tmp_path / "toy.json"
    path.write_text(json.dumps({"info": {"name": "toy"}, "renderpass": list(passes)}))
    return path


@pytest.mark.parametrize("name", ["single.fs", "several.json"])
def test_what_it_is_translated_to_is_glsl_330(refused: Refused, name):
    look = open_look_file(FOLDER / name)
    assert look.format == "shadertoy" and refused(look) == []


def test_each_channel_of_a_single_file_reads_what_its_header_says():
    dream = smooth((16, 8))
    look = open_look_file(FOLDER / "single.fs")
    assert look.declaration.kind == "filter" and look.declaration.has_history and not look.declaration.news
    with drawing(look, (16, 8), {0: dream}) as drawn:
        sound = np.repeat(np.array([[0.25], [0.75]], np.float32), 512, axis=1)
        drawn.at(0.25)
        seen = drawn.at(0.5, shadertoy_sound=sound)
        assert "shadertoy_sound" in drawn.picture.needs
        assert np.abs(seen[:4, :4].astype(int) - 191).max() <= 1 and np.abs(seen[4:, :4].astype(int) - 64).max() <= 1
        assert worst(seen[:, 4:8], dream[:, 4:8]) <= 1
        assert (seen[:, 8:12] == [255, 255, 1]).all(), "noise of 256x256"
        assert (seen[:, 12:] == [2, 128, 1]).all(), "what it drew before, the time, and the count of display frames"


def test_too_many_passes_or_pictures_are_an_error(tmp_path):
    image = {"type": "image", "code": IMAGE}
    path = export(tmp_path, *[{"type": "buffer", "name": f"{n:03}", "code": IMAGE} for n in range(64)], image)
    with pytest.raises(BadInput, match=r"toy\.json: 65 passes cannot be drawn; allowed: up to 64"):
        open_look_file(path)
    (tmp_path / "x.png").write_bytes(b"")
    inputs = [{"channel": n, "ctype": "texture", "src": "x.png"} for n in range(4)]
    passes = [{"type": "buffer", "name": str(n), "code": IMAGE, "inputs": inputs} for n in range(9)]
    with pytest.raises(BadInput, match=r"toy\.json: 36 pictures cannot be used; allowed: up to 32"):
        open_look_file(export(tmp_path, *passes, image))


def test_without_a_header_the_channels_are_sound_dream_and_noise(tmp_path):
    for suffix in (".fs", ".frag"):
        path = tmp_path / f"toy{suffix}"
        path.write_text(IMAGE)
        look = open_look_file(path)
        (program,) = look.programs
        noise = TextureRef("noise", "rgba", "repeat", columns=256, is_top_first=True)
        assert [program.textures[f"iChannel{index}"] for index in range(4)] == [
            TextureRef("shadertoy_sound"),
            TextureRef("input", "inputImage"),
            noise,
            noise,
        ]
        assert look.declaration.kind == "generator", "it reads none of them"
        with drawing(look, (4, 4)) as drawn:
            assert drawn.at()[0, 3].tolist() == [223, 223, 0], "the alpha of the picture means nothing"


def test_channels_may_be_named_as_editors_have_it(tmp_path, refused: Refused):
    path = tmp_path / "toy.fs"
    (tmp_path / "moon.PNG").write_bytes(b"")
    (tmp_path / "a.glsl").write_text("")
    path.write_text(
        '#iChannel0 "file://./moon.PNG"\n#iChannel0::WrapMode "Repeat"\n#iChannel1 "self"\n#iChannel2 "file://a.glsl"\n'
        '#iChannel3 "dream"\n'
        "#iKeyboard\nvoid mainImage(out vec4 c, in vec2 p) { c = texture(iChannel0, p) + texture(iChannel1, p); }"
    )
    look = open_look_file(path)
    assert refused(look) == []
    textures = look.programs[0].textures
    assert [textures[f"iChannel{index}"].source for index in range(4)] == ["file", "target", "input", "input"]
    assert look.declaration.imported == {"iChannel0": (tmp_path / "moon.PNG",)} and look.declaration.has_history
    assert look.declaration.news == (
        "look toy: iChannel2 reads the dream: 'file://a.glsl' is no picture beside the file",
    )


def test_a_shader_may_write_what_older_glsl_calls_its_picture(tmp_path, refused: Refused):
    path = tmp_path / "toy.fs"
    path.write_text("void mainImage(out vec4 c, in vec2 p) { gl_FragColor = vec4(p, 0.0, 1.0); c = gl_FragColor; }")
    assert refused(open_look_file(path)) == []


def test_a_single_file_may_have_a_picture(tmp_path):
    path = tmp_path / "toy.fs"
    (tmp_path / "moon.png").write_bytes(b"")
    path.write_text('/*{"CHANNELS": ["moon.png"]}*/' + IMAGE)
    look = open_look_file(path)
    assert look.programs[0].textures["iChannel0"] == TextureRef("file", "iChannel0", "repeat")
    assert look.declaration.imported == {"iChannel0": (tmp_path / "moon.png",)} and look.files[-1].name == "moon.png"


def test_a_single_file_reads_smaller_versions_of_its_pictures_where_it_chooses_them(tmp_path):
    path = tmp_path / "toy.fs"
    path.write_text("void mainImage(out vec4 c, in vec2 p) { c = textureLod(iChannel2, p, 2.0); }")
    textures = open_look_file(path).programs[0].textures
    assert [textures[f"iChannel{index}"].filter for index in range(4)] == ["linear", "linear", "mipmap", "mipmap"]


@pytest.mark.parametrize(
    ("channels", "said"),
    [
        ("3", "toy.fs:1: CHANNELS: must be a list of up to four texts: sound, dream, noise, grey noise, self, none or"),
        ('["a", "b", "c", "d", "e"]', "must be a list of up to four texts"),
        ('["sond"]', "toy.fs:1: CHANNELS.0: 'sond' is missing in the folder"),
        ('["../moon.png"]', "'../moon.png' lies outside the folder"),
        ('["a\\u0000b"]', "; or one of: sound, dream, noise, grey noise, self, none"),
    ],
)
def test_channels_that_cannot_be_are_refused(tmp_path, channels, said):
    (tmp_path / "moon.png").write_bytes(b"")
    path = tmp_path / "look" / "toy.fs"
    path.parent.mkdir()
    path.write_text(f'/*{{"CHANNELS": {channels}}}*/' + IMAGE)
    with pytest.raises(BadInput) as raised:
        open_look_file(path)
    assert said in str(raised.value) and "\n" not in str(raised.value)


def test_an_export_is_drawn_pass_by_pass():
    look = open_look_file(FOLDER / "several.json")
    assert [(one.target, one.is_persistent, one.program) for one in look.declaration.passes] == [
        ("buffer0", True, 0), ("buffer1", True, 1), ("", False, 2),
    ]  # fmt: skip
    assert look.declaration.description == "Two buffers and their picture"
    assert look.declaration.news == (
        "look several: its pass 'Sound' is left out: only buffers and the image are drawn",
        "look several: iChannel1 of its pass 'Image' reads the dream: 'noise.png' is not beside the file",
        "look several: iChannel2 of its pass 'Image' is black: what it reads (keyboard) is not supported",
        "look several: iChannel3 of its pass 'Image' is black: what it reads (volume) is not supported",
    )
    last = look.programs[2].textures
    assert last["iChannel0"] == TextureRef("target", "buffer1", "repeat", "nearest")
    with drawing(look, (8, 8)) as drawn:
        # buffer A counts display frames, and buffer B reads it in the same one; B reads itself of the one before
        seen = [drawn.at(time_s)[0, 0].tolist() for time_s in (0.0, 1.0, 2.0)]
    assert seen == [[0, 51, 128], [51, 102, 128], [102, 153, 128]]


def test_a_shader_reads_smaller_versions_of_a_buffer_a_picture_and_the_dream(tmp_path):
    half = "void mainImage(out vec4 c, in vec2 p) { c = vec4(step(8.0, p.x)); }"
    read = (
        "void mainImage(out vec4 c, in vec2 p) { c = vec4(textureLod(iChannel0, p / iResolution.xy, 9.0).r, "
        "textureLod(iChannel1, p / iResolution.xy, 9.0).r, textureLod(iChannel2, p / iResolution.xy, 9.0).r, 1.0); }"
    )
    Image.fromarray(np.repeat(np.array([[0, 200]], np.uint8), 4, axis=1)).save(tmp_path / "a.png")
    mipmap = {"sampler": {"filter": "mipmap", "wrap": "clamp"}}
    inputs = [
        {"channel": 0, "ctype": "buffer", "id": "A", **mipmap},
        {"channel": 1, "ctype": "texture", "src": "a.png", **mipmap},
        {"channel": 2, "ctype": "texture", "src": "none.png", **mipmap},
    ]
    buffer = {"type": "buffer", "name": "Buffer A", "code": half, "outputs": [{"id": "A"}]}
    look = open_look_file(export(tmp_path, buffer, {"type": "image", "code": read, "inputs": inputs}))
    dream = np.zeros((16, 16, 3), np.uint8)
    dream[:8] = 100
    with drawing(look, (16, 16), {0: dream}) as drawn:
        for time_s in (0.0, 1.0):
            seen = drawn.at(time_s)
            assert np.abs(seen.astype(int) - [128, 100, 50]).max() <= 1
    plain = open_look_file(export(tmp_path, {"type": "image", "code": IMAGE, "inputs": inputs[1:]}))
    assert plain.programs[0].textures["iChannel1"].filter == "linear", "it chooses no smaller version"


def test_buffers_of_the_same_name_are_drawn_in_the_order_they_are_in(tmp_path):
    buffer = {"type": "buffer", "name": "Buffer A", "code": IMAGE}
    look = open_look_file(export(tmp_path, buffer, {**buffer, "outputs": []}, {"type": "image", "code": IMAGE}))
    assert len(look.programs) == 3


def test_a_fault_in_an_export_names_its_pass_and_line(tmp_path):
    path = export(
        tmp_path,
        {"type": "common", "name": "Common", "code": "float one;\nfloat two;"},
        {"type": "image", "name": "Image", "code": "\n" + IMAGE.replace("0.0, 0.0", "nowhere")},
    )
    with (
        pytest.raises(GraphicsError, match=r"toy\.json \(Image\):2: .*nowhere.*, in \"void mainImage"),
        drawing(open_look_file(path), (8, 8)),
    ):
        pass


def test_what_the_sites_interface_gives_is_read_like_what_it_exports(tmp_path):
    image = {"type": "image", "code": IMAGE, "inputs": [{"channel": 0, "ctype": "webcam"}, {"channel": 1, "src": 3}]}
    path = tmp_path / "toy.json"
    for whole in ({"Shader": {"renderpass": [image]}}, [{"renderpass": [image]}], {"renderpass": [image]}):
        path.write_text(json.dumps(whole))
        look = open_look_file(path)
        assert look.programs[0].textures["iChannel0"] == TextureRef("input", "inputImage")
        assert look.declaration.kind == "filter"


def test_shadertoys_own_noise_is_noise_and_its_other_pictures_are_the_dream_unless_they_are_there(tmp_path):
    inputs = [
        {
            "channel": index,
            "type": "texture",
            "filepath": f"/media/a/{name}",
            "sampler": {"vflip": flip, "wrap": "repeat"},
        }
        for index, (name, flip) in enumerate(
            [("f735bee5.png", "true"), ("0a405623.png", "false"), ("8979352a.jpg", "true"), ("wood.jpg", "false")]
        )
    ]
    path = export(tmp_path, {"type": "image", "code": IMAGE, "inputs": inputs})
    (tmp_path / "wood.jpg").write_bytes(b"")
    look = open_look_file(path)
    assert [look.programs[0].textures[f"iChannel{index}"] for index in range(4)] == [
        TextureRef("noise", "rgba", "repeat", columns=256),
        TextureRef("noise", "grey", "repeat", columns=64, is_top_first=True),
        TextureRef("input", "inputImage", "repeat"),
        TextureRef("file", "picture0", "repeat", is_top_first=True),
    ]
    assert look.declaration.imported == {"picture0": (tmp_path / "wood.jpg",)} and len(look.declaration.news) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "toy.json: not valid JSON: "),
        ("[" * 100_000, "toy.json: not valid JSON: "),
        ("[]", "toy.json: not a shader of Shadertoy: it has no list `renderpass`"),
        ('{"renderpass": 3}', "it has no list `renderpass`"),
        ('{"renderpass": []}', "toy.json: it has no pass of the type image"),
        ('{"renderpass": [{"type": "image"}]}', "toy.json: pass 1 has no code"),
        ('{"renderpass": [{"type": "image", "code": 3}]}', "toy.json: pass 1 has no code"),
        ('{"renderpass": [{"type": "buffer", "code": ""}]}', "it has no pass of the type image"),
    ],
)
def test_an_export_that_cannot_be_used_is_refused(text, said):
    with pytest.raises(BadInput) as raised:
        read_export(text, Path("toy.json"))
    assert said in str(raised.value) and "\n" not in str(raised.value)


KEYS = st.sampled_from(
    ["type", "ctype", "code", "inputs", "outputs", "id", "channel", "sampler", "wrap", "filter", "src", "name", "info"]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1, 5)
    | st.sampled_from(
        ["image", "buffer", "common", "texture", "keyboard", "a\0b", "../x", IMAGE, "void main() {", "repeat"]
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)
PASSES = st.fixed_dictionaries(
    {"type": st.sampled_from(["image", "buffer", "common", "sound"]), "code": st.sampled_from([IMAGE, "", "}{"])},
    optional={
        "inputs": st.lists(st.dictionaries(KEYS, VALUES, max_size=5), max_size=3),
        "outputs": VALUES,
        "name": VALUES,
    },
)


@settings(max_examples=300)
@given(st.dictionaries(KEYS, VALUES, max_size=3), st.lists(PASSES, max_size=4) | VALUES)
def test_any_export_is_read_or_refused_in_one_line(others, passes):
    try:
        _, programs = read_export(json.dumps({**others, "renderpass": passes}), Path("toy.json"))
    except BadInput as fault:
        assert "\n" not in str(fault) and str(fault).startswith("toy.json")
        return
    for program in programs:
        assert program.fragment.text.count("\n") + 1 == len(program.fragment.lines)
