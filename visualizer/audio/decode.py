"""Reads a song from a file in any format that FFmpeg decodes, as stereo float32 at a chosen rate; seeks to the exact
sample.
"""

from __future__ import annotations

import logging
import math
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from ..errors import BadInput
from ..oneline import reason_of
from ..private import keep_private
from .stream_decoder import StreamDecoder

log = logging.getLogger(__name__)

# The sample rates that the rest of the program supports. A file outside this range is resampled to the nearer bound.
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8_000, 192_000
# Up to this size a file whose header may be wrong (MP3, Ogg, raw AAC) is scanned once to find its length: 0.3 s at
# most.
_SCANNED_BYTES = 40_000_000
# The resampling filter spans 16 samples of the slower rate to either side; this is several times that.
_FILTER_SAMPLES = 256


class Song:
    """The sound of a file, decoded as it is read: memory does not grow with its length.

    For one thread at a time; only `close` may be called from another.

    sample_rate_hz  of the samples that `read` returns: the file's own (limited to 8..192 kHz) unless one was given
    n_channels      always 2: mono goes to both sides, more channels are mixed down
    duration_s      length in seconds, None while it is not known; corrected when the real end is reached
    position        sample index of the next read
    gain            factor for playback; `read` returns the samples without it
    """

    n_channels = 2
    gain = 1.0

    def __init__(self, path: str | Path, *, sample_rate_hz: int | None = None, stream: int | None = None) -> None:
        """Open a sound file or the sound of a video.

        sample_rate_hz: 8000..192000; stream: number of its sound stream from 1, None for FFmpeg's choice. Raises
        BadInput if the file is missing, a folder, empty, not sound or too damaged, if it has no such stream, or for
        another sample rate.
        """
        self.path = Path(path)
        keep_private(self.path)
        if sample_rate_hz is not None and not LOWEST_RATE_HZ <= sample_rate_hz <= HIGHEST_RATE_HZ:
            raise BadInput(
                f"sample rate {sample_rate_hz} Hz is out of range; allowed: {LOWEST_RATE_HZ} .. {HIGHEST_RATE_HZ} Hz"
            )
        _check_file(self.path)
        self._decoder = StreamDecoder(self.path, stream)
        native_hz = self._decoder.rate_hz
        self.sample_rate_hz = sample_rate_hz or min(max(native_hz, LOWEST_RATE_HZ), HIGHEST_RATE_HZ)
        self.position = 0
        self._pending = np.empty((0, 2), np.float32)
        self._resampler: Any = None
        self._leftover = np.empty((0, 2), np.float32)  # the rest of a native block in which resampling begins
        self._at_end = False
        self._closed, self._in_use = False, threading.Lock()
        common = math.gcd(native_hz, self.sample_rate_hz)
        self._native_step, self._own_step = native_hz // common, self.sample_rate_hz // common
        self._begin(0)
        self.duration_s: float | None = self._decoder.claimed_s
        self._measure_duration()
        self._decoder.n_damaged = self._decoder.n_nonfinite = 0  # damage found while measuring is found again

    @property
    def tags(self) -> dict[str, str]:
        """The tags of the file and of its stream by name, in lower case."""
        return self._decoder.tags

    @property
    def n_damaged(self) -> int:
        """How many damaged places were read so far; they are replaced by silence."""
        return self._decoder.n_damaged

    @property
    def n_nonfinite(self) -> int:
        """How many NaN or infinite samples were read so far; they are replaced by 0."""
        return self._decoder.n_nonfinite

    def read(self, n_samples: int) -> np.ndarray:
        """The next samples, (n_samples, 2) float32, full scale 1; fewer at the end of the song, (0, 2) after it."""
        with self._reading():
            return self._read(n_samples)

    def seek(self, sample_index: int) -> None:
        """Make sample_index the next sample that `read` returns, exactly; clamped to 0 and to the end."""
        target = max(0, int(sample_index))
        with self._reading():
            if target != self.position and not self._closed:
                self._begin(target)
                while (n_left := target - self.position) > 0 and len(self._read(min(n_left, 65_536))):
                    pass

    def song_start(self, sample_index: int) -> int:
        """The index of the first sample of the song that contains a sample: always 0 here; a `SongList` has several
        songs.
        """
        return 0

    def close(self) -> None:
        """Close the file, as soon as no other thread reads. Closing twice is fine; afterwards `read` returns
        nothing.
        """
        self._closed = True
        self._close_if_free()

    def __enter__(self) -> Song:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- inside ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Marks the decoder as in use: a `close` on another thread is then done by this one at the end."""
        try:
            with self._in_use:
                yield
        finally:
            if self._closed:
                self._close_if_free()

    def _close_if_free(self) -> None:
        if self._in_use.acquire(blocking=False):
            try:
                self._decoder.close()
                self._pending = np.empty((0, 2), np.float32)
            finally:
                self._in_use.release()

    def _read(self, n_samples: int) -> np.ndarray:
        parts, n_got = [], 0
        while n_got < n_samples and not self._closed:
            if not len(self._pending):
                block = self._next_block()
                if block is None:
                    if not self._closed:
                        self._reached_end(self.position + n_got)
                    break
                self._pending = block
            part = self._pending[: n_samples - n_got]
            self._pending = self._pending[len(part) :]
            parts.append(part)
            n_got += len(part)
        self.position += n_got
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.empty((0, 2), np.float32)

    def _begin(self, target: int) -> None:
        """Move the decoder to a place at or before `target` (a sample index at this decoder's rate), and set `position`
        to that place.
        """
        self._pending = np.empty((0, 2), np.float32)
        self._at_end = False
        if self._native_step == self._own_step:
            self._decoder.seek(target)
            self.position = self._decoder.index
            return
        import av

        # Begin at a multiple of both rates' common period, where the resampler has the same phase as when the file is
        # read from the start: the samples are then the same.
        n_margin = math.ceil(_FILTER_SAMPLES * max(1.0, self._own_step / self._native_step))
        n_periods = max(0, (target - n_margin) // self._own_step)
        native_start = n_periods * self._native_step
        self._leftover = np.empty((0, 2), np.float32)
        self._decoder.seek(native_start)
        if self._decoder.index > native_start:
            native_start = n_periods = 0
            self._decoder.seek(0)
        while self._decoder.index < native_start:
            block = self._decoder.next_block()
            if block is None:  # the song ends before that
                self._begin(min(target - 1, self._decoder.index * self._own_step // self._native_step))
                return
            self._leftover = block[len(block) - max(0, self._decoder.index - native_start) :]
        self._resampler = av.AudioResampler(format="fltp", layout="stereo", rate=self.sample_rate_hz)
        self.position = n_periods * self._own_step

    def _next_block(self) -> np.ndarray | None:
        """The next block at this decoder's rate, not empty; None at the end."""
        while not self._at_end and not self._closed:
            block: np.ndarray | None = self._leftover
            if len(self._leftover):
                self._leftover = self._leftover[:0]
            else:
                block = self._decoder.next_block()
            if self._resampler is None:
                if block is None:
                    self._at_end = True
                elif len(block):
                    return block
                continue
            self._at_end = block is None
            moved = resampled(self._resampler, block, self._decoder.rate_hz)
            if len(moved):
                return moved
        return None

    def _measure_duration(self) -> None:
        """Read the last second once, because the length in a header may be wrong."""
        claimed = self.duration_s
        is_large = self.path.stat().st_size > _SCANNED_BYTES
        if is_large and (claimed is None or not self._decoder.finds_end_quickly):
            return
        self.seek(round(max(0.0, (claimed if claimed is not None else 1e9) - 1.0) * self.sample_rate_hz))
        while len(self.read(65_536)):
            pass
        self._begin(0)

    def _reached_end(self, end: int) -> None:
        measured_s = end / self.sample_rate_hz
        claimed_s, self.duration_s = self.duration_s, measured_s
        if claimed_s is not None and claimed_s - measured_s > 0.5:
            log.warning("%s: ends after %.1f s, but its header says %.1f s", self.path, measured_s, claimed_s)


def resampled(resampler: Any, block: np.ndarray | None, rate_hz: int) -> np.ndarray:
    """Resample a block, (n, 2) float32 at rate_hz, with an `av.AudioResampler`; None flushes it. Returns (m, 2)
    float32.
    """
    import av

    frame = None
    if block is not None:
        if not len(block):
            return block
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block.T), format="fltp", layout="stereo")
        frame.sample_rate = rate_hz
    parts = [part.to_ndarray().T for part in resampler.resample(frame)]
    return np.concatenate(parts) if parts else np.empty((0, 2), np.float32)


def _check_file(path: Path) -> None:
    """Raise BadInput unless path is a readable, non-empty, regular file (reading from a pipe could block for ever)."""
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise BadInput(f"{path}: is a folder; give a sound file")
        if not stat.S_ISREG(found.st_mode):
            raise BadInput(f"{path}: is not a regular file; give a sound file")
        if found.st_size == 0:
            raise BadInput(f"{path}: is empty; give a sound file")
    except FileNotFoundError:
        raise BadInput(f"{path}: there is no such file; check the path") from None
    except (OSError, ValueError) as error:
        raise BadInput(
            f"{path}: cannot be read ({reason_of(error)}); check its permissions, or give another file"
        ) from error
