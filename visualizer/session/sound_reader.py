"""Reads a part of a session's sound, a FLAC file that may be torn or damaged: every whole frame at its exact sample.

The frames are found by their headers and decoded one by one, because FFmpeg's demuxer loses the place of a frame after
damage. Format: RFC 9639, sections 8 (metadata), 9.1 and 9.3 (header and footer of a frame).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import BadInput
from ..oneline import plain, reason_of
from .folder import open_file

# A part is at most 10 minutes long; frames that claim to be later than this are taken for damage.
MAX_PART_S = 3600
# After so many damaged places the rest of a file is not read.
_MAX_DAMAGED = 200
_STREAMINFO_BYTES = 34
_HEADER_BYTES = 16  # of a frame, at most
_CHUNK_BYTES = 1 << 16
_MAX_METADATA_BYTES = 1 << 20
#: a frame of a file whose frames all have the same length; the encoder writes no others
_SYNC = b"\xff\xf8"
_FULL_SCALE = {"s16": 2.0**15, "s32": 2.0**31}  # of the sample formats that FFmpeg's FLAC decoder returns


class SoundFrame(NamedTuple):
    """A whole frame of a FLAC file. samples: (n, channels) float32, full scale 1; first_sample: their place."""

    offset: int
    n_bytes: int
    first_sample: int
    samples: np.ndarray

    @property
    def end(self) -> int:
        """The sample after its last one."""
        return self.first_sample + len(self.samples)


class SoundFile:
    """A part of a session's sound. For one thread.

    rate_hz, n_channels  as the file says
    n_bytes              size of the file
    end_offset           where the last whole frame ends that `frames` has returned, bytes
    """

    def __init__(self, path: Path) -> None:
        """Open it. Raises BadInput if it is missing, a link, or no FLAC file."""
        self.path = path
        self._file = open_file(path)
        try:
            self.n_bytes = self._file.seek(0, 2)
            self._streaminfo, self._start = self._read_metadata()
            # in STREAMINFO: block size in bytes 0..3; from byte 10 on rate (20 bits), channels - 1 (3 bits)
            self.rate_hz = int.from_bytes(self._streaminfo[10:13], "big") >> 4
            self.n_channels = (self._streaminfo[12] >> 1 & 7) + 1
            self._block_samples = int.from_bytes(self._streaminfo[2:4], "big")
            if not self.rate_hz or not self._block_samples:
                raise BadInput(f"{plain(self.path)}: holds no sound; its header is damaged")
        except OSError as fault:
            self._file.close()
            raise self._unreadable(fault) from fault
        except BadInput:
            self._file.close()
            raise
        self._max_frame_bytes = self._block_samples * self.n_channels * 4 + 256
        self.end_offset = self._start

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> SoundFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def frames(self, first_sample: int = 0) -> Iterator[SoundFrame]:
        """Every whole frame, in order, from at most a few before that of `first_sample` on. What is damaged between two
        is left out: the next one says where its samples belong. Raises BadInput if the disk fails.
        """
        self.end_offset = offset = self._offset_before(first_sample) if first_sample else self._start
        decoder = _open_decoder(self._streaminfo)
        expected = n_damaged = 0
        try:
            while n_damaged < _MAX_DAMAGED and (found := self._next_header(offset, expected)) is not None:
                start, first = found
                data = self._read(start, self._max_frame_bytes)
                n_bytes = next((at for at, n in self._headers(data, 2) if n == first + self._block_samples), 0)
                samples = self._decode(decoder, data[:n_bytes])
                if samples is None:  # the last frame, one before a damaged one, or a damaged one
                    n_damaged += 1
                    n_bytes, samples = self._frame_by_checksum(decoder, data)
                offset = start + max(n_bytes, len(_SYNC))
                if samples is not None:
                    self.end_offset, expected = offset, first + len(samples)
                    yield SoundFrame(start, n_bytes, first, samples)
        except OSError as fault:
            raise self._unreadable(fault) from fault

    def _offset_before(self, sample: int) -> int:
        """Where a frame begins that is not after a sample, and not far before it."""
        low, high = self._start, self.n_bytes
        while high - low > 2 * _CHUNK_BYTES:
            middle = (low + high) // 2
            found = self._next_header(middle, 0)
            if found is None or found[0] >= high or found[1] > sample:
                high = middle
            else:
                low = found[0]
        return low

    def _unreadable(self, fault: OSError) -> BadInput:
        return BadInput(f"{plain(self.path)}: cannot be read: {reason_of(fault)}")

    def _read(self, offset: int, n_bytes: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(n_bytes)

    def _read_metadata(self) -> tuple[bytes, int]:
        """The STREAMINFO block, and where the frames begin."""
        if self._read(0, 4) != b"fLaC":
            raise BadInput(f"{plain(self.path)}: holds no sound; it is not a FLAC file")
        offset, streaminfo, is_last = 4, b"", False
        while not is_last:
            head = self._read(offset, 4)
            if len(head) < 4 or offset > _MAX_METADATA_BYTES:
                break
            is_last = bool(head[0] & 0x80)
            if not head[0] & 0x7F:
                streaminfo = self._read(offset + 4, _STREAMINFO_BYTES)
            offset += 4 + int.from_bytes(head[1:], "big")
        if not is_last or offset > self.n_bytes or len(streaminfo) < _STREAMINFO_BYTES:
            raise BadInput(f"{plain(self.path)}: holds no sound; its header is incomplete")
        return streaminfo, offset

    def _next_header(self, offset: int, expected: int) -> tuple[int, int] | None:
        """The first frame header from `offset` on whose samples are not before `expected`: (offset, first sample)."""
        while True:
            data = self._read(offset, _CHUNK_BYTES)
            for place, first in self._headers(data, 0):
                if first >= expected:
                    return offset + place, first
            if len(data) < _CHUNK_BYTES:
                return None
            offset += len(data) - _HEADER_BYTES

    def _headers(self, data: bytes, place: int) -> Iterator[tuple[int, int]]:
        """Every frame header in `data` from `place` on: (place, its first sample)."""
        while (place := data.find(_SYNC, place)) >= 0:
            number = _frame_number(data[place : place + _HEADER_BYTES], self.n_channels)
            if number is not None and number * self._block_samples < MAX_PART_S * self.rate_hz:
                yield place, number * self._block_samples
            place += len(_SYNC)

    def _decode(self, decoder: Any, data: bytes) -> np.ndarray | None:
        """The samples of a frame, (n, channels) float32; None if `data` is not one whole frame."""
        import av

        if not data:
            return None
        try:
            (frame,) = decoder.decode(av.Packet(data))
        except (av.error.FFmpegError, ValueError):  # ValueError: not one frame
            return None
        if (frame.sample_rate, len(frame.layout.channels)) != (self.rate_hz, self.n_channels):
            return None
        samples: np.ndarray = frame.to_ndarray().reshape(-1, self.n_channels).astype(np.float32)
        return samples / np.float32(_FULL_SCALE[frame.format.name])

    def _frame_by_checksum(self, decoder: Any, data: bytes) -> tuple[int, np.ndarray | None]:
        """The length and samples of the frame that `data` begins with; (0, None) if it is not whole.

        Its checksum is its last two bytes, so that the checksum of the whole frame is 0.
        """
        checksum = 0
        for n_bytes, byte in enumerate(data, 1):
            checksum = (checksum << 8 & 0xFFFF) ^ _CRC_16[checksum >> 8 ^ byte]
            if not checksum and (samples := self._decode(decoder, data[:n_bytes])) is not None:
                return n_bytes, samples
        return 0, None


def _open_decoder(streaminfo: bytes) -> Any:
    import av

    decoder: Any = av.CodecContext.create("flac", "r")
    decoder.extradata = streaminfo
    decoder.options = {"err_detect": "crccheck+explode"}
    return decoder


def _frame_number(header: bytes, n_channels: int) -> int | None:
    """The number of the frame whose header `header` begins with; None if it is no frame header, or of other
    channels.
    """
    channels = header[3] >> 4 if len(header) > 4 else 0xF
    if (2 if channels in (8, 9, 10) else channels + 1) != n_channels:
        return None
    # the number has the form of UTF-8: the leading ones of its first byte say how many bytes it has
    ones = 8 - (header[4] ^ 0xFF).bit_length()
    if ones in (1, 7, 8):
        return None
    more = header[5 : 5 + max(0, ones - 1)]
    number = header[4] & (0x7F >> ones)
    for byte in more:
        if byte >> 6 != 2:
            return None
        number = number << 6 | byte & 0x3F
    # a block size or sample rate that has no code of its own follows
    n_bytes = 5 + len(more) + {6: 1, 7: 2}.get(header[2] >> 4, 0) + {12: 1, 13: 2, 14: 2}.get(header[2] & 0xF, 0)
    checksum = 0
    for byte in header[:n_bytes]:
        checksum = _CRC_8[checksum ^ byte]
    return number if header[n_bytes : n_bytes + 1] == bytes([checksum]) else None


def _crc_table(polynomial: int, n_bits: int) -> list[int]:
    """The table that makes a checksum of n_bits a lookup for each byte."""
    table = []
    for byte in range(256):
        value = byte << (n_bits - 8)
        for _ in range(8):
            value = value << 1 ^ (polynomial if value >> (n_bits - 1) & 1 else 0)
        table.append(value & ((1 << n_bits) - 1))
    return table


_CRC_8, _CRC_16 = _crc_table(0x07, 8), _crc_table(0x8005, 16)
