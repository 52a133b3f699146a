"""The state of a dream after a finished depth: enough to continue as if it had never been interrupted."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

_MAGIC = b"VIZDREAM"
_VERSION = 1
_HEADER = struct.Struct("<8sII")  # magic, version, CRC of all that follows
_COUNTS = struct.Struct("<II")  # depth, number of states
_SHAPE = struct.Struct("<III")  # channels, height, width of each state; then the states themselves


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The states of the finer octaves after `depth_index`; the coarse ones are computed again, in a second or two.

    states: (1, 3 or 6, h, w) float32 each (see ascent.deepened), finest last; views of the dream's memory on its
    device, not to be changed. A reference to one keeps that memory from being reused (at most twice the image in
    float32): drop it, or convert it to bytes, before asking for the next depth.
    """

    depth_index: int
    states: tuple[Tensor | np.ndarray, ...]

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """(height, width) of the states."""
        return [(state.shape[2], state.shape[3]) for state in self.states]

    def parts(self) -> list[bytes | memoryview]:
        """The checkpoint with a checksum as bytes, 12 or 24 for every pixel of every state and a few more. In parts,
        for writing to a file without a second copy in memory: views, valid as long as the states.
        """
        head = _COUNTS.pack(self.depth_index, len(self.states)) + b"".join(
            _SHAPE.pack(*state.shape[1:]) for state in self.states
        )
        parts: list[bytes | memoryview] = [head]
        for state in self.states:
            values = state if isinstance(state, np.ndarray) else state.cpu().numpy()
            parts.append(np.ascontiguousarray(values, "<f4").data.cast("B"))
        checksum = 0
        for part in parts:
            checksum = zlib.crc32(part, checksum)
        return [_HEADER.pack(_MAGIC, _VERSION, checksum), *parts]

    @classmethod
    def from_bytes(cls, content: bytes | bytearray | memoryview) -> Checkpoint:
        """A checkpoint from the parts in one. Raises ValueError for anything else, even a single wrong bit."""
        view = memoryview(content).cast("B")
        try:
            magic, version, checksum = _HEADER.unpack_from(view)
            if magic != _MAGIC or version != _VERSION:
                raise ValueError(f"not a checkpoint of a dream (it begins with {bytes(view[:12])!r})")
            if zlib.crc32(view[_HEADER.size :]) != checksum:
                raise ValueError("a checkpoint of a dream is damaged: its checksum does not match")
            at = _HEADER.size + _COUNTS.size
            depth_index, n_states = _COUNTS.unpack_from(view, _HEADER.size)
            shapes = [_SHAPE.unpack_from(view, at + index * _SHAPE.size) for index in range(n_states)]
        except struct.error as error:
            raise ValueError(f"a checkpoint of a dream ends early ({len(view)} bytes)") from error
        at += n_states * _SHAPE.size
        if len(view) != at + sum(4 * channels * height * width for channels, height, width in shapes):
            raise ValueError(f"a checkpoint of a dream has {len(view)} bytes, not what its {n_states} states need")
        states = []
        for channels, height, width in shapes:
            # a copy: a checkpoint must not change with the caller's buffer, and torch needs writable memory
            values = np.frombuffer(view, "<f4", channels * height * width, at).astype(np.float32)
            states.append(values.reshape(1, channels, height, width))
            at += values.nbytes
        return cls(depth_index, tuple(states))
