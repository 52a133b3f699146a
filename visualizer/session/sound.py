"""The sound of a session: the grid that its samples are rounded to, and a part of it as a FLAC file."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ..files.output_file import WholeWrites

#: samples are whole multiples of 1 / GRID: 16 bits of a device stay exact, and the mean of 16 channels of them
GRID = 2**19
#: the largest value, full scale = 1: +24 dB, above which the analyzer takes a sample for an error
MOST = 16
# samples of a FLAC frame: a killed program loses what is not a whole one
_FRAME_SAMPLES = 1152


def on_grid(samples: np.ndarray) -> np.ndarray:
    """Sound as a session keeps it, of the same shape, float32: rounded to multiples of 1 / GRID; 0 for what is beyond
    +-MOST or no number. What is on the grid already stays as it is.
    """
    good = np.abs(samples) <= MOST  # False for NaN
    steps = np.rint(np.where(good, samples, 0) * np.float32(GRID))
    return (np.clip(steps, 1 - MOST * GRID, MOST * GRID - 1) / np.float32(GRID)).astype(np.float32)


def full_scale_for(samples: np.ndarray) -> int:
    """What full scale of a FLAC file must stand for to hold these samples: 1, 2, 4, 8 or 16."""
    if not samples.size:
        return 1
    scale = 1
    while scale < MOST and (samples.max() >= scale or samples.min() < -scale):
        scale *= 2
    return scale


class SoundPart:
    """A FLAC file of 24 bits that is readable up to the last frame at any time while it is written.

    path: of a new file; file: the same, open. rate_hz, n_channels: of its sound. full_scale: see `full_scale_for`.
    n_samples: written so far.

    Raises OSError when the file cannot be made or written.
    """

    def __init__(self, path: Path, rate_hz: int, n_channels: int, full_scale: int) -> None:
        import av

        self.path, self.rate_hz, self.n_channels, self.full_scale = path, rate_hz, n_channels, full_scale
        self.n_samples = 0
        self._to_24_bits = GRID * MOST // full_scale
        self.file = WholeWrites(path)
        # without flush_packets FFmpeg keeps the last 32 KB to itself
        self._container = av.open(self.file, "w", format="flac", container_options={"flush_packets": "1"})
        self._layout = "mono" if n_channels == 1 else "stereo" if n_channels == 2 else f"{n_channels}c"
        self._stream = self._container.add_stream("flac", rate=rate_hz, layout=self._layout, format="s32")
        self._stream.codec_context.options = {"frame_size": str(_FRAME_SAMPLES)}

    @property
    def n_bytes(self) -> int:
        """Its size so far."""
        return os.fstat(self.file.fileno()).st_size

    def write(self, samples: np.ndarray) -> None:
        """Append samples on the grid, (n, channels) float32, within its full scale."""
        from av import AudioFrame

        if not len(samples):
            return
        whole = (samples.astype(np.float64) * self._to_24_bits).astype(np.int32) << 8  # the upper 24 of 32 bits
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(whole).reshape(1, -1), format="s32", layout=self._layout)
        frame.sample_rate, frame.pts = self.rate_hz, self.n_samples
        self._container.mux(self._stream.encode(frame))
        self.n_samples += len(samples)

    def finish(self) -> None:
        """Write the last frame and the length. The file stays open: closing it is the caller's, in any case."""
        self._container.mux(self._stream.encode(None))
        self._container.close()
