"""A song on disk: any sound the decoder library knows, as stereo float32 at a chosen rate, read and sought to the sample."""

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
from ..private import keep_private
from .source import Source

log = logging.getLogger(__name__)

# What the rest of the program works at. A file outside is brought to the nearer bound.
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8_000, 192_000
# A file up to this size is looked through once where its header alone cannot be trusted (MP3, Ogg, raw AAC): 0.3 s at most.
_LOOKED_THROUGH_BYTES = 40_000_000
# The resampling filter spans 16 samples of the slower rate to either side; this is several times that.
_FILTER_SAMPLES = 256


class Song:
    """The sound of a file. Streams: memory does not grow with its length. Not for two threads at once, but for `close`.

    sample_rate_hz  of what `read` yields: the file's own (brought into 8..192 kHz) unless asked for
    n_channels      always 2: mono fills both sides, more channels are folded down
    duration_s      length in seconds as far as known, else None; corrected when the end turns out to be elsewhere
    position        sample index of the next read
    gain            what the sound for the loudspeaker is to be multiplied with; `read` yields it as it is in the file
    """

    n_channels = 2
    gain = 1.0

    def __init__(self, path: str | Path, *, sample_rate_hz: int | None = None, stream: int | None = None) -> None:
        """Open a sound file or the sound of a video. stream: number of its sound stream from 1, the best one for None.

        Errors: BadInput when the file is missing, a folder, not sound, empty or damaged beyond use, when it has no such
        stream, or when sample_rate_hz is outside 8000..192000.
        """
        self.path = Path(path)
        keep_private(self.path)
        if sample_rate_hz is not None and not LOWEST_RATE_HZ <= sample_rate_hz <= HIGHEST_RATE_HZ:
            raise BadInput(f"sample rate {sample_rate_hz} Hz; allowed: {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ}")
        _check_file(self.path)
        self._source = Source(self.path, stream)
        native_hz = self._source.rate_hz
        self.sample_rate_hz = sample_rate_hz or min(max(native_hz, LOWEST_RATE_HZ), HIGHEST_RATE_HZ)
        self.position = 0
        self._pending = np.empty((0, 2), np.float32)
        self._resampler: Any = None
        self._leftover = np.empty((0, 2), np.float32)  # of a native block cut at the place where resampling begins
        self._at_end = False
        self._closed, self._in_use = False, threading.Lock()
        common = math.gcd(native_hz, self.sample_rate_hz)
        self._native_step, self._own_step = native_hz // common, self.sample_rate_hz // common
        self._begin(0)
        self.duration_s: float | None = self._source.claimed_s
        self._measure_duration()
        self._source.n_damaged = self._source.n_nonfinite = 0  # what was met while looking ahead is met again

    @property
    def tags(self) -> dict[str, str]:
        """The tags of the file and of its stream, their names in small letters."""
        return self._source.tags

    @property
    def n_damaged(self) -> int:
        """How many damaged places were met so far; each is silence in what was read."""
        return self._source.n_damaged

    @property
    def n_nonfinite(self) -> int:
        """How many NaN or infinite values were met so far; each is 0 in what was read."""
        return self._source.n_nonfinite

    def read(self, n_samples: int) -> np.ndarray:
        """The next samples, (n <= n_samples, 2) float32, full scale 1; fewer only at the end, (0, 2) when it is over."""
        with self._reading():
            return self._read(n_samples)

    def seek(self, sample_index: int) -> None:
        """Make sample_index the next sample read, exactly; clamped to 0 and to the end."""
        target = max(0, int(sample_index))
        with self._reading():
            if target != self.position and not self._closed:
                self._begin(target)
                while (n_left := target - self.position) > 0 and len(self._read(min(n_left, 65_536))):
                    pass

    def song_start(self, sample_index: int) -> int:
        """The index of the first sample of the song that a sample lies in: 0. A `SongList` has several."""
        return 0

    def close(self) -> None:
        """Close the file, at once or when the thread that reads has left. Closing twice is fine; reading afterwards yields nothing."""
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
        """The decoder is in use: `close` on another thread leaves the closing to this one."""
        try:
            with self._in_use:
                yield
        finally:
            if self._closed:
                self._close_if_free()

    def _close_if_free(self) -> None:
        if self._in_use.acquire(blocking=False):
            try:
                self._source.close()
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
        """Bring the source to a place from where `target` (own rate) can be read on to; sets `position` to that place."""
        self._pending = np.empty((0, 2), np.float32)
        self._at_end = False
        if self._native_step == self._own_step:
            self._source.seek(target)
            self.position = self._source.index
            return
        import av

        # Begin at a multiple of both rates' common period: there the resampler has the same phase as in a straight
        # reading from the start, so both yield the same samples.
        n_margin = math.ceil(_FILTER_SAMPLES * max(1.0, self._own_step / self._native_step))
        n_periods = max(0, (target - n_margin) // self._own_step)
        native_start = n_periods * self._native_step
        self._leftover = np.empty((0, 2), np.float32)
        self._source.seek(native_start)
        if self._source.index > native_start:
            native_start = n_periods = 0
            self._source.seek(0)
        while self._source.index < native_start:
            block = self._source.next_block()
            if block is None:  # the end is nearer than that
                self._begin(min(target - 1, self._source.index * self._own_step // self._native_step))
                return
            self._leftover = block[len(block) - max(0, self._source.index - native_start) :]
        self._resampler = av.AudioResampler(format="fltp", layout="stereo", rate=self.sample_rate_hz)
        self.position = n_periods * self._own_step

    def _next_block(self) -> np.ndarray | None:
        """The next block at the own rate, of any length above 0; None at the end."""
        while not self._at_end and not self._closed:
            block: np.ndarray | None = self._leftover
            if len(self._leftover):
                self._leftover = self._leftover[:0]
            else:
                block = self._source.next_block()
            if self._resampler is None:
                if block is None:
                    self._at_end = True
                elif len(block):
                    return block
                continue
            self._at_end = block is None
            moved = resampled(self._resampler, block, self._source.rate_hz)
            if len(moved):
                return moved
        return None

    def _measure_duration(self) -> None:
        """Read the last second once, so that a length that a header only claims is not believed."""
        claimed = self.duration_s
        is_large = self.path.stat().st_size > _LOOKED_THROUGH_BYTES
        if is_large and (claimed is None or not self._source.finds_end_quickly):
            return
        self.seek(round(max(0.0, (claimed if claimed is not None else 1e9) - 1.0) * self.sample_rate_hz))
        while len(self.read(65_536)):
            pass
        self._begin(0)

    def _reached_end(self, end: int) -> None:
        measured_s = end / self.sample_rate_hz
        claimed_s, self.duration_s = self.duration_s, measured_s
        if claimed_s is not None and claimed_s - measured_s > 0.5:
            log.warning("%s: ends after %.1f s although it claims %.1f s", self.path, measured_s, claimed_s)


def resampled(resampler: Any, block: np.ndarray | None, rate_hz: int) -> np.ndarray:
    """Push block (n, 2) float32 at rate_hz through an `av.AudioResampler`; None: what it still holds -> (m, 2)."""
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
    """BadInput unless path is a readable, non-empty, ordinary file (a pipe could keep one waiting for ever)."""
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise BadInput(f"{path}: is a folder; give a sound file")
        if not stat.S_ISREG(found.st_mode):
            raise BadInput(f"{path}: is not an ordinary file; give a sound file")
        if found.st_size == 0:
            raise BadInput(f"{path}: is empty")
    except FileNotFoundError:
        raise BadInput(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
