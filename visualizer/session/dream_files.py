"""Dream frames as the files of a session: lossless PNG pictures, named after the hash of their pixels."""

from __future__ import annotations

import hashlib
import struct
import zlib
from pathlib import Path

import numpy as np

from ..files.output_file import atomic_write

# the filter "up" of PNG: each row is the difference from the one above
_UP = 2


def pixel_sha256(frame: np.ndarray) -> str:
    """The hash of a dream frame, (height, width, 3) uint8: 64 hexadecimal digits."""
    return hashlib.sha256(np.ascontiguousarray(frame).data).hexdigest()


def file_sha256(path: Path) -> str:
    """The hash of a file: 64 hexadecimal digits. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_dream(path: Path, frame: np.ndarray, *, compress: bool = True) -> int:
    """Write a dream frame, (height, width, 3) uint8 sRGB, as a PNG that is on the disk when this returns; its size in
    bytes.

    compress: to about 0.7 of its size; otherwise it takes a tenth of the time. Raises VisualizerError.
    """
    with atomic_write(path) as part:
        return part.write_bytes(encode_png(frame, compress=compress))


def encode_png(frame: np.ndarray, *, compress: bool = True) -> bytes:
    """A picture, (height, width, 3) uint8, as PNG (ISO/IEC 15948). Filter and run lengths alone compress dreams nearly
    as well as the search for repeated bytes, in half the time, and without holding up other threads.
    """
    height, width, _ = frame.shape
    rows = frame.reshape(height, -1)
    filtered = np.empty((height, 1 + rows.shape[1]), np.uint8)
    filtered[:, 0] = _UP
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    deflate = zlib.compressobj(1 if compress else 0, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    pixels = deflate.compress(filtered.data) + deflate.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits of red, green and blue
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(name)))
