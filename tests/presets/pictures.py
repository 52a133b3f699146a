"""Picture files for the tests, and how to recognise what was in them."""

import struct

import numpy as np
from PIL import Image

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 200, 40), (40, 50, 210), (240, 240, 240)


def quarters(size=(64, 48)):
    """Red, green / blue, white: every turn and mirror of it looks different."""
    width, height = size
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2], picture[: height // 2, width // 2 :] = RED, GREEN
    picture[height // 2 :, : width // 2], picture[height // 2 :, width // 2 :] = BLUE, WHITE
    return Image.fromarray(picture)


def corners(array):
    height, width = array.shape[:2]
    rows, columns = (height // 4, height * 3 // 4), (width // 4, width * 3 // 4)
    return [array[row, column].astype(int) for row in rows for column in columns]


def assert_quarters(array, tolerance=12):
    for seen, wanted in zip(corners(array), (RED, GREEN, BLUE, WHITE), strict=True):
        assert np.abs(seen - wanted).max() <= tolerance, (seen, wanted)


def assert_form(array, size):
    assert array.shape == (size[1], size[0], 3) and array.dtype == np.uint8
    assert array.flags.writeable and array.flags.c_contiguous


def saved(tmp_path, picture, name, **options):
    path = tmp_path / name
    picture.save(path, **options)
    return path


def wide_gamut_profile(space=b"RGB "):
    """A profile with gamma 1, by hand (ICC version 2): RGB with the primaries of Display P3, or b"GRAY"."""

    def xyz(x, y, z):
        return b"XYZ \0\0\0\0" + struct.pack(">iii", *(round(value * 65536) for value in (x, y, z)))

    linear = b"curv\0\0\0\0" + struct.pack(">I", 0)
    text = b"desc\0\0\0\0" + struct.pack(">I", 3) + b"P3\0" + bytes(78)
    tags = {
        b"desc": text + bytes(-len(text) % 4),
        b"cprt": b"text\0\0\0\0none\0\0\0\0",
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.5151, 0.2412, -0.0011),
        b"gXYZ": xyz(0.2920, 0.6922, 0.0419),
        b"bXYZ": xyz(0.1571, 0.0666, 0.7841),
        b"rTRC": linear,
        b"gTRC": linear,
        b"bTRC": linear,
    }
    if space == b"GRAY":
        tags = {name: tags[name] for name in (b"desc", b"cprt", b"wtpt")} | {b"kTRC": linear}
    offset, table, body = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", offset + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s", offset + len(body), b"lcms", 0x02100000, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + struct.pack(">iii", 63190, 65536, 54061)
    return head + bytes(128 - len(head)) + table + body
