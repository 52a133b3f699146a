"""Looks in the Interactive Shader Format, one for each of its features: what they draw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.fixtures.glslang import Refused
from tests.looks.drawing import drawing
from tests.looks.test_shipped_looks import LOOKS
from tests.render.pictures import noise, smooth, worst
from visualizer.errors import BadInput, GraphicsError
from visualizer.looks.look import Look, find_look, open_look_file
from visualizer.render.dream_texture import DreamTexture
from visualizer.render.look_renderer import LookRenderer
from visualizer.render.offscreen import Offscreen
from visualizer.render.programs import Programs
from visualizer.render.targets import TargetPool

FOLDER = Path(__file__).parent / "isf"
NAMES = sorted(path.stem for path in FOLDER.glob("*.fs"))


def look(name: str) -> Look:
    return open_look_file(FOLDER / f"{name}.fs")


@pytest.mark.parametrize("name", NAMES)
def test_what_it_is_translated_to_is_glsl_330(refused: Refused, name):
    assert refused(look(name)) == []
    assert refused(look(name), {"TAPS": 3, "VARIANTS": 2, "ROWS": 2}) == []


@pytest.mark.parametrize("name", LOOKS)
def test_shipped_looks_are_glsl_330(refused: Refused, name):
    for defines in ({}, {"EXACT": 1}, {"TAPS": 3}, {"VARIANTS": 2, "ROWS": 2}):
        assert refused(find_look(name), defines) == []


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_said_against_its_header(name):
    assert look(name).declaration.news == ()


def test_values_of_each_type_reach_the_shader():
    with drawing(look("values"), (6, 1)) as drawn:
        assert drawn.at()[0].tolist() == [
            [64] * 3, [255] * 3, [3] * 3, [64, 128, 0], [51, 102, 153], [0] * 3,
        ]  # fmt: skip
        drawn.picture.links[0].parameters |= {"amount": 1.0, "mirror": 0, "mode": 5, "flash": 1}
        assert drawn.at(1.0)[0].tolist() == [[255] * 3, [0] * 3, [5] * 3, [64, 128, 0], [51, 102, 153], [255] * 3]
        assert drawn.at(2.0)[0, 5].tolist() == [0, 0, 0], "an event lasts one display frame"


@pytest.mark.parametrize("size", [(16, 9), (33, 20)])
def test_all_ways_to_read_a_picture_agree(size):
    dream = noise(size, 1)
    with drawing(look("images"), size, {0: dream}) as drawn:
        assert worst(drawn.at(), dream) <= 1


def test_an_image_input_may_be_a_picture_file():
    size = (8, 8)
    mixed = look("mixed").with_picture("other", FOLDER, "grain.png")
    assert mixed.declaration.imported == {"other": (FOLDER / "grain.png",)}
    with drawing(look("mixed"), size) as drawn:
        assert drawn.at()[0, 0].tolist() == [128, 128, 128], "without one it is the dream"
    with drawing(mixed, size) as drawn:
        assert drawn.at()[0, 0].tolist() == [192, 64, 64], "half grey, half red"
    with pytest.raises(BadInput, match=r"^'none\.png' is missing in the folder"):
        look("mixed").with_picture("other", FOLDER, "none.png")
    with pytest.raises(BadInput, match="'parts' takes no picture"):
        look("passes").with_picture("parts", FOLDER, "grain.png")


def test_a_transition_goes_from_its_start_to_its_end():
    size = (8, 4)
    start, end = noise(size, 1), noise(size, 2)
    with Offscreen(size) as stage:
        programs, pool = Programs(stage.ctx), TargetPool(stage.ctx)
        renderer = LookRenderer(stage.ctx, look("wipe"), programs, DreamTexture(stage.ctx, size, 1, 1))
        images = {
            name: stage.ctx.texture(size, 3, pixels[::-1].tobytes(), alignment=1)
            for name, pixels in (("startImage", start), ("endImage", end))
        }

        def at(progress: float) -> np.ndarray:
            renderer.draw({}, size, {"progress": progress}, images, pool)
            return stage.read()

        assert look("wipe").declaration.kind == "transition"
        assert worst(at(0.0), start) <= 1 and worst(at(1.0), end) <= 1
        half = at(0.5)
        assert worst(half[:, :4], start[:, :4]) <= 1 and worst(half[:, 4:], end[:, 4:]) <= 1


def test_passes_have_sizes_of_their_own():
    with drawing(look("passes"), (64, 36)) as drawn:
        assert drawn.at()[0, :3].tolist() == [[16, 2, 10], [16, 2, 20], [1, 1, 0]]
        drawn.picture.links[0].parameters["parts"] = 2.0
        assert drawn.at(1.0)[0, 0].tolist() == [32, 2, 10]


def test_targets_that_are_too_large_together_are_an_error(tmp_path):
    a_pass = '{"TARGET": "t%d", "FLOAT": true, "PERSISTENT": true, "WIDTH": 8192, "HEIGHT": 4000}'
    path = tmp_path / "large.fs"
    passes = ", ".join(a_pass % n for n in range(4))
    path.write_text(f'/*{{"PASSES": [{passes}, {{}}]}}*/\nvoid main() {{ gl_FragColor = vec4(1.0); }}\n')
    said = pytest.raises(GraphicsError, match=r"look large: its targets take 4\.2 GB .* allowed: up to 4;")
    with said, drawing(open_look_file(path), (64, 36)):
        pass


def test_a_kept_target_begins_black_and_is_what_it_was_in_the_display_frame_before():
    with drawing(look("trail"), (4, 4)) as drawn:
        assert look("trail").declaration.has_history
        # what pass 0 has drawn is what pass 1 reads, floats beyond 1 and all
        assert [drawn.at(time_s)[0, 0].tolist() for time_s in (5.0, 6.0, 7.0)] == [[1, 0, 0], [2, 1, 1], [3, 2, 2]]
        assert drawn.at(7.0)[0, 0].tolist() == [3, 2, 2], "the same display frame again"


def test_pictures_that_come_with_a_look_are_upright():
    with drawing(look("pictures"), (12, 8)) as drawn:
        seen = drawn.at()
    assert seen[0, ::2].tolist() == [[10, 0, 0], [20, 0, 0], [0, 30, 0], [0, 40, 0], [0, 0, 50], [0, 0, 60]]
    lower = seen[4:]
    assert [lower[0, 0].tolist(), lower[0, -1].tolist()] == [[255, 0, 0], [0, 255, 0]]
    assert [lower[-1, 0].tolist(), lower[-1, -1].tolist()] == [[0, 0, 255], [255, 255, 255]]


def test_a_vertex_shader_moves_the_corners():
    with drawing(look("corners"), (16, 16)) as drawn:
        seen = drawn.at()
    assert not seen[:4].any() and not seen[-4:].any() and not seen[:, :4].any(), "black around it"
    inside = seen[4:12, 4:12]
    ramp = (np.arange(8) + 0.5) / 8 * 255
    assert np.abs(inside[0, :, 0] - ramp).max() <= 1 and np.abs(inside[:, 0, 1] - ramp).max() <= 1
    assert (inside[..., 2] == 255).all()


def test_sound_is_two_rows_of_as_many_columns_as_are_asked_for():
    samples = np.array([[0.0, 0.2, 0.4, 0.6], [1.0, 0.8, 0.6, 0.4]], np.float32)
    bins = np.repeat(np.array([[0.1, 0.3, 0.5, 0.7], [0.9, 0.8, 0.7, 0.6]], np.float32), 2, axis=1)
    with drawing(look("sound"), (4, 2)) as drawn:
        seen = drawn.at(**{"audio:4": samples, "audioFFT:8": bins})
        # the left channel is row 0, at the bottom
        assert worst(seen[::-1, :, 0], samples * 255) <= 1 and worst(seen[::-1, :, 1], bins[:, ::2] * 255) <= 1
        assert not seen[..., 2].any()
        assert {"audio:4", "audioFFT:8"} <= drawn.picture.needs


def test_version_1_of_the_format_and_older_glsl_are_read():
    dream = smooth((16, 9))
    with drawing(look("first"), (16, 9), {0: dream}) as drawn:
        for n_drawn in (1, 2, 3):
            assert worst(drawn.at(float(n_drawn)), dream * (n_drawn / 10)) <= 1


def test_our_own_names_are_there_where_a_look_uses_them():
    dream = [smooth((16, 9), seed) for seed in range(3)]
    with drawing(look("own"), (16, 9), dict(enumerate(dream))) as drawn:
        seen = drawn.at(depth=1.0, kick=1.0, bass=0.1)
        expected = np.concatenate([dream[1][:, :8], dream[2][:, 8:]], axis=1)
        assert worst(seen, expected) <= 2
        assert "kick" in drawn.picture.needs and not {"bass", "mid", "high", "level"} & drawn.picture.needs
        assert not drawn.at(1.0, 1.0, kick=0.0).any()


def test_a_fault_is_reported_with_the_line_and_the_text_of_the_file_itself(tmp_path):
    path = tmp_path / "own.fs"
    path.write_text(
        '/*{\n"INPUTS": []\n}*/\n/* more\n*/ void main() {\n    gl_FragColor = vec4(nowhere, 1.0); // here\n}\n'
    )
    with (
        pytest.raises(GraphicsError, match=r"own\.fs:6: .*nowhere.*, in \"gl_FragColor = .*; // here\"") as raised,
        drawing(open_look_file(path), (8, 8)),
    ):
        pass
    assert "\n" not in str(raised.value)
    path.write_text("void main() { gl_FragColor = vec4(moved, 0.0, 1.0); }\n")
    path.with_suffix(".vs").write_text("out vec2 moved;\nvoid main() {\n  moved = vec3(1.0);\n}\n")
    with (
        pytest.raises(GraphicsError, match=r"own\.vs:3: .*, in \"moved = vec3\(1\.0\);\""),
        drawing(open_look_file(path), (8, 8)),
    ):
        pass
