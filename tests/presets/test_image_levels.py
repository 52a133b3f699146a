"""Pictures whose levels do not fill their range, or whose ink is dark on transparency: seen, or reported."""

import numpy as np
import pytest
from PIL import Image

from tests.presets.pictures import saved
from visualizer.presets.image import load_image

SIZE = (64, 32)


def loaded(path):
    """The picture and the lines said about it."""
    said = []
    picture = load_image(path, SIZE, say=said.append)
    assert all(line.isprintable() and str(path) in line for line in said)
    return picture, said


def ramp(top, dtype, bottom=0.0):
    """Levels bottom .. top from left to right."""
    return np.tile(np.linspace(bottom, top, SIZE[0]), (SIZE[1], 1)).astype(dtype)


def assert_ramp(picture, tolerance=2):
    assert np.abs(picture[16, :, 0] - np.linspace(0, 255, SIZE[0])).max() <= tolerance


def write_pfm(path, grey):
    """Portable float map: lines from the bottom up; a negative scale says little endian."""
    height, width = grey.shape
    path.write_bytes(f"Pf\n{width} {height}\n-1.0\n".encode() + np.flipud(grey).astype("<f4").tobytes())
    return path


def test_a_grey_float_map_is_seen(tmp_path):
    picture, said = loaded(write_pfm(tmp_path / "a.pfm", ramp(1.0, np.float32)))
    assert_ramp(picture)
    assert said == []


@pytest.mark.parametrize("top", [255, 1023, 4095, 16383, 65535])
@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.pgm", "float.tif"])
def test_levels_that_use_fewer_bits_are_scaled_and_reported(tmp_path, top, name):
    path = tmp_path / name
    if name == "a.pgm":
        path.write_bytes(b"P5 64 32 65535\n" + ramp(top, ">u2").tobytes())
    else:
        saved(tmp_path, Image.fromarray(ramp(top, np.float32 if name == "float.tif" else np.uint16)), name)
    picture, said = loaded(path)
    assert_ramp(picture)
    usual = top == 65535 or (top == 255 and name == "float.tif")
    assert (said == []) if usual else (len(said) == 1 and f"{top} is taken as white" in said[0])


def test_big_endian_sixteen_bit_is_scaled(tmp_path):
    from struct import pack

    levels = ramp(4095, ">u2")
    tags = [(256, 3, 64), (257, 3, 32), (258, 3, 16), (259, 3, 1), (262, 3, 1), (273, 4, 8), (278, 3, 32)]
    tags.append((279, 4, levels.nbytes))
    entries = b"".join(
        pack(">HHI", tag, kind, 1) + (pack(">HH", value, 0) if kind == 3 else pack(">I", value))
        for tag, kind, value in tags
    )
    head = b"MM\0*" + pack(">I", 8 + levels.nbytes)
    path = tmp_path / "a.tif"
    path.write_bytes(head + levels.tobytes() + pack(">H", len(tags)) + entries + bytes(4))
    with Image.open(path) as opened:
        assert opened.mode == "I;16B"
    assert_ramp(loaded(path)[0])


def test_float_levels_beyond_white_do_not_darken_the_rest(tmp_path):
    """A lamp in a room: what is brighter than white is cut off."""
    room = ramp(1.0, np.float32)
    room[:2, :2] = 900.0
    picture, said = loaded(write_pfm(tmp_path / "a.pfm", room))
    assert_ramp(picture)
    assert len(said) == 1 and "900" in said[0]
    picture, said = loaded(write_pfm(tmp_path / "b.pfm", ramp(4.0, np.float32)))
    assert_ramp(picture, 6)
    assert len(said) == 1 and "is taken as white" in said[0]


def test_a_few_negative_levels_are_black(tmp_path):
    grey = ramp(1.0, np.float32)
    grey[:4, :4] = -0.02  # as sharpening leaves them
    picture, said = loaded(write_pfm(tmp_path / "a.pfm", grey))
    assert_ramp(picture)
    assert said == []


def test_damaged_float_levels_do_not_darken_the_rest(tmp_path):
    grey = ramp(1.0, np.float32)
    grey[0, 0], grey[0, 1], grey[0, 2] = np.nan, np.inf, -np.inf
    picture, said = loaded(write_pfm(tmp_path / "a.pfm", grey))
    assert_ramp(picture)
    assert said == []


def ink(colour, mode="RGBA"):
    """A filled disc of `colour` on full transparency."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    picture = np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
    picture[(x - 32) ** 2 + (y - 16) ** 2 < 100] = (*colour, 255)
    return Image.fromarray(picture).convert(mode)


@pytest.mark.parametrize(("mode", "name"), [("RGBA", "a.png"), ("LA", "a.png"), ("PA", "a.gif"), ("RGBA", "a.webp")])
def test_dark_ink_on_transparency_lies_on_white(tmp_path, mode, name):
    picture = ink((12, 12, 14)).convert("RGBA" if mode == "PA" else mode)
    path = saved(tmp_path, picture, name, **({"lossless": True} if name == "a.webp" else {}))
    seen, said = loaded(path)
    assert seen[0, 0].min() >= 250 and seen[16, 32].max() < 40
    assert len(said) == 1 and "white" in said[0]


@pytest.mark.parametrize("colour", [(51, 51, 51), (33, 37, 41), (0, 0, 128), (120, 0, 0)])
def test_ink_without_contrast_to_black_lies_on_white(tmp_path, colour):
    seen, said = loaded(saved(tmp_path, ink(colour), "a.png"))
    assert seen[0, 0].min() == 255 and np.abs(seen[16, 32].astype(int) - colour).max() <= 1
    assert len(said) == 1 and "white" in said[0]


@pytest.mark.parametrize("colour", [(255, 255, 255), (60, 60, 60), (200, 0, 0), (0, 0, 255)])
def test_ink_that_is_seen_on_black_stays_there(tmp_path, colour):
    seen, said = loaded(saved(tmp_path, ink(colour), "a.png"))
    assert seen[0, 0].max() == 0 and np.abs(seen[16, 32].astype(int) - colour).max() <= 1
    assert said == []


def test_a_dark_picture_with_transparent_corners_stays_on_black(tmp_path):
    dark = Image.new("RGBA", SIZE, (12, 12, 14, 255))
    dark.paste((0, 0, 0, 0), (0, 0, 6, 6))
    seen, said = loaded(saved(tmp_path, dark, "a.png"))
    assert seen[0, 0].max() == 0
    assert len(said) == 1 and "black" in said[0]


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "P"])
def test_a_picture_that_is_nearly_black_stays_so_and_is_reported(tmp_path, mode):
    dark = Image.fromarray(np.full((32, 64, 3), 9, np.uint8))
    dark.paste((255, 255, 255), (0, 0, 2, 2))
    dark = dark.quantize(4) if mode == "P" else dark.convert(mode)
    seen, said = loaded(saved(tmp_path, dark, "a.tif"))
    assert 5 <= seen[16, 32, 0] <= 13
    assert len(said) == 1 and "nearly black" in said[0]


def test_a_wholly_transparent_picture_is_reported(tmp_path):
    seen, said = loaded(saved(tmp_path, Image.new("RGBA", SIZE, (200, 100, 50, 0)), "a.png"))
    assert seen.max() == 0 and len(said) == 1 and "transparent" in said[0]


def test_ordinary_pictures_are_loaded_without_a_word(tmp_path):
    """A dark room with some lights, and every picture of the shipped presets."""
    from visualizer.presets.preset import list_presets

    room = np.full((32, 64, 3), 9, np.uint8)
    room[4:8, 4:12] = 200
    assert loaded(saved(tmp_path, Image.fromarray(room), "a.png"))[1] == []
    assert [line for found in list_presets() for line in loaded(found.image_path)[1]] == []
