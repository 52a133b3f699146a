"""Pictures that are too large, damaged, or no pictures."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.presets.pictures import RED, assert_form, quarters, saved, wide_gamut_profile
from visualizer.errors import BadInput
from visualizer.presets.image import MAX_PIXELS, load_image


def huge_png(path, width, height):
    """An honest, well compressed 1-bit PNG of any size, without its pixels in memory."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    packer, row, data = zlib.compressobj(1), bytes(1 + (width + 7) // 8), b""
    for _ in range(height):
        data += packer.compress(row)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", data + packer.flush()) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def test_a_decompression_bomb_is_told_with_size_and_limit(tmp_path):
    huge_png(tmp_path / "bomb.png", 20_000, 20_000)
    kept = Image.MAX_IMAGE_PIXELS
    with pytest.raises(BadInput, match=r"20000x20000 is 400 megapixels; at most 250 "):
        load_image(tmp_path / "bomb.png", (32, 24))
    assert kept == Image.MAX_IMAGE_PIXELS


def test_large_pictures_below_the_limit_load_without_a_word(tmp_path, recwarn):
    """Pillow itself would warn from 89 megapixels on and refuse from 179."""
    huge_png(tmp_path / "large.png", 20_000, 10_000)
    assert 179e6 < 20_000 * 10_000 < MAX_PIXELS
    assert_form(load_image(tmp_path / "large.png", (32, 24)), (32, 24))
    # what an earlier test did not close may be warned of just now
    assert not [one for one in recwarn if not issubclass(one.category, ResourceWarning)]


def test_large_jpeg_keeps_its_detail(tmp_path):
    """The decoder may skip detail only beyond what the size needs."""
    y, x = np.mgrid[:2000, :3000]
    stripes = np.where((x // 10) % 2, 230, 20).astype(np.uint8)
    loaded = load_image(saved(tmp_path, Image.fromarray(stripes), "a.jpg", quality=95), (600, 400))
    assert loaded[200, :, 0].astype(int).max() > 215 and loaded[200, :, 0].min() < 35
    assert y.shape == x.shape


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.gif", "a.tif", "a.bmp"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_cut_short(tmp_path, name, share):
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    path = saved(tmp_path, noise, name)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(BadInput, match=r"damaged|not a picture") as caught:
        load_image(path, (32, 24))
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("text.jpg", b"hello, I am no picture at all", "not a picture"),
        ("empty.png", b"", "empty"),
        ("zero.png", bytes(10_000), "not a picture"),
        ("a.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100), "HEIC.*JPEG"),
        ("a.pdf", b"%PDF-1.7 ...", "drawing.*PNG"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "drawing.*PNG"),
        ("a.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "drawing.*PNG"),
        ("a.mp4", b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41", "not a picture"),
    ],
)
def test_not_a_picture(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=said) as caught:
        load_image(tmp_path / name, (32, 24))
    assert "\n" not in str(caught.value) and name in str(caught.value) and caught.value.status == 2


def test_no_file_to_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "file").touch()
    for name, said in (
        ("missing.jpg", "no such file"),
        ("folder.jpg", "is a folder"),
        ("pipe.jpg", "ordinary file"),
        ("file/a.jpg", "cannot be read"),
        ("nul\0l.jpg", "cannot be read"),
        ("x" * 300, "cannot be read"),
        ("line\nbreak\x1b[31m.jpg", "no such file"),
    ):
        with pytest.raises(BadInput, match=said) as caught:
            load_image(tmp_path / name, (32, 24))
        assert str(caught.value).isprintable()


def test_impossible_sizes(tmp_path):
    path = saved(tmp_path, quarters(), "a.png")
    for size in ((0, 10), (10, 0), (-5, 5)):
        with pytest.raises(BadInput, match="at least 1"):
            load_image(path, size)


def encoded(name):
    kept = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = quarters((24, 16))
    picture.save(kept, format=name, exif=exif, icc_profile=wide_gamut_profile())
    return kept.getvalue()


SEEDS = [encoded(name) for name in ("PNG", "JPEG", "WEBP", "TIFF")]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.sampled_from(SEEDS), data=st.data())
def test_any_damage_gives_a_picture_or_bad_input(tmp_path, seed, data):
    content = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "fuzz").write_bytes(content[: data.draw(st.integers(1, len(content)))])
    try:
        assert_form(load_image(tmp_path / "fuzz", (20, 12)), (20, 12))
    except BadInput as fault:
        assert str(fault).isprintable()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    have=st.tuples(st.integers(1, 300), st.integers(1, 300)), want=st.tuples(st.integers(1, 200), st.integers(1, 200))
)
def test_any_shape_fills_any_size(tmp_path, have, want):
    path = saved(tmp_path, Image.new("RGB", have, RED), "any.png")
    loaded = load_image(path, want)
    assert_form(loaded, want)
    assert np.abs(loaded.astype(int) - RED).max() <= 1
