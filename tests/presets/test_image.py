import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps, features

from tests.presets.pictures import (
    GREEN,
    RED,
    WHITE,
    assert_form,
    assert_quarters,
    corners,
    quarters,
    saved,
    wide_gamut_profile,
)
from visualizer.errors import BadInput
from visualizer.presets.image import load_image

FILES = ["a.png", "a.jpg", "a.webp", "a.bmp", "a.tif", "a.gif", "a.ppm", "a.tga", "a.jp2", "a.ico", "a.avif", "a.dds"]


@pytest.mark.parametrize("name", FILES)
def test_formats(tmp_path, name):
    needs = {"a.avif": "avif", "a.webp": "webp", "a.jp2": "jpg_2000"}.get(name)
    if needs and not features.check(needs):
        with pytest.raises(OSError, match=r".*"):
            quarters().save(tmp_path / name)
        return
    loaded = load_image(saved(tmp_path, quarters(), name), (32, 24))
    assert_form(loaded, (32, 24))
    assert_quarters(loaded, 24)


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "I", "F", "I;16"]
)
def test_every_mode_a_tiff_may_have(tmp_path, mode):
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(quarters().convert("L")).astype(np.uint16) * 257)
    elif mode == "LAB":
        to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
        picture = ImageCms.applyTransform(quarters(), to_lab)
    elif mode == "PA":
        picture = quarters().convert("P").convert("PA")
    else:
        picture = quarters().convert(mode)
    name = "a.tif" if mode not in ("PA", "RGBX") else "a.png"
    picture = picture.convert("RGBA") if name == "a.png" else picture
    loaded = load_image(saved(tmp_path, picture, name), (32, 24))
    assert_form(loaded, (32, 24))
    if mode in ("RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "P", "PA"):
        assert_quarters(loaded, 12)
    else:  # grey: equal channels, and the same order of light
        assert np.array_equal(loaded[..., 0], loaded[..., 1]) and np.array_equal(loaded[..., 0], loaded[..., 2])
        red, green, blue, white = (corner[0] for corner in corners(loaded))
        assert white > green >= red >= blue
        assert mode == "1" or abs(white - 240) <= 1  # 1: light is told by dots


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif"])
@pytest.mark.parametrize("size", [(32, 24), (24, 32), (64, 24)])
def test_exif_orientation(tmp_path, turn, name, size):
    """The file holds the picture turned as the tag says; Pillow's own transposition is the judge of the test file."""
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Transpose values that bring an upright picture into that state
    turned = quarters() if turn == 1 else quarters().transpose(Image.Transpose(undo[turn]))
    exif = Image.Exif()
    exif[0x0112] = turn
    path = saved(tmp_path, turned, name, exif=exif, **({"quality": 95} if name == "a.jpg" else {}))
    with Image.open(path) as picture:
        upright = ImageOps.exif_transpose(picture).convert("RGB")
    assert upright.size == (64, 48)
    assert_quarters(np.asarray(upright), 30)
    loaded = load_image(path, size)
    assert_form(loaded, size)
    assert_quarters(loaded, 30)


@pytest.mark.parametrize("value", [0, 9, 99, 65535])
def test_nonsense_orientation_is_left_aside(tmp_path, value):
    exif = Image.Exif()
    exif[0x0112] = value
    assert_quarters(load_image(saved(tmp_path, quarters(), "a.png", exif=exif), (32, 24)))


def test_damaged_exif_does_not_cost_the_picture(tmp_path):
    path = saved(tmp_path, quarters(), "a.jpg", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff rubbish", quality=95)
    assert_quarters(load_image(path, (32, 24)), 20)


def test_the_middle_is_kept_and_nothing_is_stretched(tmp_path):
    wide = np.zeros((100, 300, 3), np.uint8)
    wide[:, 100:200] = WHITE
    path = saved(tmp_path, Image.fromarray(wide), "a.png")
    assert np.abs(load_image(path, (50, 50))[:, 2:-2].astype(int) - 240).max() <= 2
    y, x = np.mgrid[:200, :400]
    disc = np.where((x - 200) ** 2 + (y - 100) ** 2 < 60**2, 255, 0).astype(np.uint8)
    loaded = load_image(saved(tmp_path, Image.fromarray(disc), "b.png"), (90, 150))[..., 0] > 127
    assert abs(np.ptp(np.nonzero(loaded.any(axis=0))) - np.ptp(np.nonzero(loaded.any(axis=1)))) <= 1
    assert abs(np.ptp(np.nonzero(loaded.any(axis=0))) + 1 - 90) <= 1


@pytest.mark.parametrize("turn", range(1, 9))
def test_of_a_tall_picture_what_lies_above_the_middle_is_kept(tmp_path, turn):
    """A portrait in a wide show keeps the head, however the camera was held."""
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    ramp = np.repeat(np.arange(240, dtype=np.uint8)[:, None], 80, axis=1)  # as bright as its row
    upright = Image.fromarray(np.stack([ramp] * 3, axis=2))
    turned = upright if turn == 1 else upright.transpose(Image.Transpose(undo[turn]))
    exif = Image.Exif()
    exif[0x0112] = turn
    loaded = load_image(saved(tmp_path, turned, "a.png", exif=exif), (160, 120))
    assert abs(int(loaded[0, 0, 0]) - 60) <= 1 and abs(int(loaded[-1, 0, 0]) - 119) <= 1


def test_the_size_of_the_image_itself_changes_no_pixel(tmp_path):
    noise = np.random.default_rng(1).integers(0, 256, (37, 53, 3), dtype=np.uint8)
    assert np.array_equal(load_image(saved(tmp_path, Image.fromarray(noise), "a.png"), (53, 37)), noise)


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (2, 3), (1280, 720)])
@pytest.mark.parametrize("asked", [(1, 1), (320, 180), (180, 320)])
def test_tiny_and_thin(tmp_path, size, asked):
    loaded = load_image(saved(tmp_path, Image.new("RGB", size, RED), "a.png"), asked)
    assert_form(loaded, asked)
    assert np.abs(loaded.astype(int) - RED).max() <= 1


def test_sixteen_bit_grey_is_scaled_and_not_clipped(tmp_path):
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (16, 1))
    for name in ("a.png", "a.tif"):
        loaded = load_image(saved(tmp_path, Image.fromarray(ramp), name), (256, 16))
        assert np.abs(loaded[8, :, 0].astype(int) - np.arange(256)).max() <= 1


def test_sixteen_bit_pgm_and_big_endian_tiff(tmp_path):
    ramp = np.tile(np.linspace(0, 65535, 256), (16, 1))
    (tmp_path / "a.pgm").write_bytes(b"P5 256 16 65535\n" + ramp.astype(">u2").tobytes())
    loaded = load_image(tmp_path / "a.pgm", (256, 16))
    assert np.abs(loaded[8, :, 0].astype(int) - np.arange(256)).max() <= 1


def test_sixteen_bit_colour_png(tmp_path):
    """Pillow cannot write one: made by hand."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    row = b"\0" + struct.pack(">HHH", 65535, 32768, 0) * 8
    path = tmp_path / "a.png"
    header = struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row * 8)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    assert np.abs(load_image(path, (4, 4)).astype(int) - (255, 128, 0)).max() <= 1


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255]),
        ([0.0, 128.0, 255.0], [0, 128, 255]),
        ([-1.0, 0.0, 1.0], [0, 128, 255]),
        ([0.0, 32768.0, 65535.0], [0, 128, 255]),
        ([0.0, 5e5, 1e6], [0, 128, 255]),
        ([np.nan, 0.5, 1.0], [128, 128, 255]),
        ([0.0, np.inf, 1.0], [0, 255, 255]),
        ([np.nan, np.nan, np.nan], [0, 0, 0]),
    ],
)
def test_floating_point(tmp_path, values, wanted):
    strip = np.repeat(np.array(values, np.float32), 8)[None].repeat(8, axis=0)
    loaded = load_image(saved(tmp_path, Image.fromarray(strip), "a.tif"), (24, 8))
    assert np.abs(loaded[4, [3, 12, 20], 0].astype(int) - wanted).max() <= 1


def test_transparency_lies_over_black(tmp_path):
    half = np.zeros((20, 40, 4), np.uint8)
    half[..., :3], half[:, :20, 3], half[:, 20:, 3] = (200, 100, 50), 255, 128
    for name in ("a.png", "a.webp", "a.tif"):
        options = {"lossless": True} if name == "a.webp" else {}
        loaded = load_image(saved(tmp_path, Image.fromarray(half), name, **options), (40, 20)).astype(int)
        assert np.abs(loaded[10, 5] - (200, 100, 50)).max() <= 1
        assert np.abs(loaded[10, 35] - (100, 50, 25)).max() <= 1


def test_what_hides_under_full_transparency_does_not_bleed(tmp_path):
    hidden = np.zeros((64, 64, 4), np.uint8)
    hidden[:, :32], hidden[:, 32:] = (255, 255, 255, 0), (0, 0, 255, 255)
    loaded = load_image(saved(tmp_path, Image.fromarray(hidden), "a.png"), (8, 8))
    assert loaded[..., :2].max() <= 1


def test_palette_grey_and_colour_key_transparency(tmp_path):
    palette = quarters().convert("P", palette=Image.Palette.ADAPTIVE, colors=4)
    red = int(np.asarray(palette)[0, 0])
    seen = corners(load_image(saved(tmp_path, palette, "p.png", transparency=red), (32, 24)))
    assert np.abs(seen[0]).max() <= 1 and np.abs(seen[1] - GREEN).max() <= 12
    key = load_image(saved(tmp_path, quarters(), "k.png", transparency=RED), (32, 24))
    assert np.abs(corners(key)[0]).max() <= 1 and np.abs(corners(key)[1] - GREEN).max() <= 1
    grey = quarters().convert("L")
    light = int(np.asarray(grey)[-1, -1])
    seen = corners(load_image(saved(tmp_path, grey, "g.png", transparency=light), (32, 24)))
    assert seen[3].max() <= 1 and seen[0].min() > 50
    la = grey.convert("LA")
    la.putalpha(0)
    assert load_image(saved(tmp_path, la, "la.png"), (32, 24)).max() == 0


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.tif"])
def test_of_an_animation_the_first_picture(tmp_path, name):
    others = [Image.new("RGB", (64, 48), colour) for colour in ((0, 0, 0), (255, 255, 255))]
    options = {"lossless": True} if name == "a.webp" else {}
    path = saved(tmp_path, quarters(), name, save_all=True, append_images=others, **options)
    with Image.open(path) as picture:
        assert picture.n_frames == 3
    assert_quarters(load_image(path, (32, 24)), 20)


def test_cmyk_jpeg(tmp_path):
    assert_quarters(load_image(saved(tmp_path, quarters().convert("CMYK"), "a.jpg", quality=95), (32, 24)), 15)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tif"])
def test_a_wide_gamut_profile_is_converted(tmp_path, name):
    """Linear 0.5 grey is 188 in sRGB; a P3 red of 0.5 is more saturated than sRGB can show."""
    colours = np.zeros((16, 32, 3), np.uint8)
    colours[:, :16], colours[:, 16:] = (128, 128, 128), (128, 0, 0)
    options = {"quality": 100, "subsampling": 0} if name == "a.jpg" else {"lossless": True} if name == "a.webp" else {}
    path = saved(tmp_path, Image.fromarray(colours), name, icc_profile=wide_gamut_profile(), **options)
    loaded = load_image(path, (32, 16)).astype(int)
    assert np.abs(loaded[8, 4] - (188, 188, 188)).max() <= 2
    assert loaded[8, 28][0] > 195 and loaded[8, 28][1:].max() < 5


@pytest.mark.parametrize("mode", ["L", "LA", "RGB"])
def test_a_grey_profile_is_converted(tmp_path, mode):
    picture = Image.new("L", (16, 16), 128).convert(mode)
    loaded = load_image(saved(tmp_path, picture, "a.png", icc_profile=wide_gamut_profile(b"GRAY")), (8, 8)).astype(int)
    assert np.abs(loaded - 188).max() <= 2


def test_profile_with_transparency_keeps_the_alpha(tmp_path):
    picture = Image.new("RGBA", (16, 16), (128, 128, 128, 128))
    loaded = load_image(saved(tmp_path, picture, "a.png", icc_profile=wide_gamut_profile()), (8, 8)).astype(int)
    assert np.abs(loaded - 94).max() <= 2


def test_a_plain_srgb_profile_changes_nothing(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert_quarters(load_image(saved(tmp_path, quarters(), "a.png", icc_profile=profile), (32, 24)), 2)


@pytest.mark.parametrize("profile", [b"rubbish", b"\0" * 128, wide_gamut_profile()[:150]])
def test_a_damaged_profile_does_not_cost_the_picture(tmp_path, profile, caplog):
    assert_quarters(load_image(saved(tmp_path, quarters(), "a.png", icc_profile=profile), (32, 24)))
    assert "colour profile" in caplog.text


def test_a_profile_for_other_pixels_does_not_cost_the_picture(tmp_path):
    grey = quarters().convert("L")
    load_image(saved(tmp_path, grey, "a.png", icc_profile=wide_gamut_profile()), (32, 24))
    cmyk = saved(tmp_path, quarters().convert("CMYK"), "a.jpg", quality=95, icc_profile=wide_gamut_profile())
    assert_quarters(load_image(cmyk, (32, 24)), 15)


def test_a_common_picture_does_not_load_what_other_formats_need(tmp_path):
    Image.new("RGB", (8, 8), (200, 120, 40)).save(tmp_path / "a.png")
    code = (
        "import sys; from visualizer.presets.image import load_image; load_image(sys.argv[1], (8, 8)); "
        "print('PIL.PngImagePlugin' in sys.modules, 'PIL.PsdImagePlugin' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.png")], check=True, timeout=120, capture_output=True, text=True
    )
    assert ran.stdout.split() == ["True", "False"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file that can be opened, and not read")
def test_a_file_that_can_be_opened_and_not_read_is_one_line(tmp_path):
    (tmp_path / "cloud.jpg").symlink_to("/proc/self/mem")
    with pytest.raises(BadInput, match=r"cloud\.jpg: cannot be read: Input/output error$"):
        load_image(tmp_path / "cloud.jpg", (8, 8))
