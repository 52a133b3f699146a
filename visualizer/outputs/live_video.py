"""A video of a show, written while it is shown: an ordinary mp4 at the end, and one that plays if the program is
killed.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..beat.features import Features
from ..oneline import reason_of
from ..render.canvas import Canvas
from .output import Output

if TYPE_CHECKING:
    from av import AudioFrame, VideoFrame

log = logging.getLogger(__name__)

#: pictures and blocks of sound that may wait for the encoder; what comes while so many wait is dropped
MOST_WAITING = 12
_SOUND_RATE_HZ = 48_000
# sound that comes later than the sound before by more than this gets its place in time again
_OFF_SAMPLES = _SOUND_RATE_HZ // 50
# so long after its time, sound that has not come is silence
_LATE_S = 0.25
# bars that would be smaller than this share of a side are none
_SAME_SHAPE = 0.01
_CRF = 20
_PRESET = "superfast"  # a show is running beside it


class LiveVideo(Output):
    """Writes `path` (.mp4), a new file, while the show runs. Everything but reading the picture happens on a thread.

    size: (width, height) of the video, px; odd ones lose a pixel. Pictures of another size are scaled to it, with black
    bars where their shape is another. fps: at most so many pictures a second are taken. now: seconds of the show; the
    video begins at the time of its first picture.

    n_pictures: taken so far. n_repeated: pictures that stay for longer than one, since no newer one came in time.
    n_dropped: pictures and blocks of sound that the encoder was too slow for. fault: why nothing is written any more,
    "" while it is.
    """

    name = "video"

    def __init__(self, path: Path, size: tuple[int, int], fps: Fraction, now: Callable[[], float]) -> None:
        self.path, self.fps = path, fps
        self.n_pictures = self.n_repeated = self.n_dropped = 0
        self.fault = ""
        self._size = size[0] // 2 * 2, size[1] // 2 * 2
        self._now = now
        self._start_s: float | None = None
        self._index = -1
        self._waiting: queue.Queue[VideoFrame | tuple[np.ndarray, float, int] | None] = queue.Queue(MOST_WAITING)
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="video", daemon=True)
        self._thread.start()

    def present(self, canvas: Canvas, sound: np.ndarray, features: Features) -> None:
        """Take the picture, if it is time for the next one and the encoder has room for it."""
        now_s = self._now()
        if self._start_s is None:
            self._start_s = now_s
        index = int((now_s - self._start_s) * self.fps)
        if index <= self._index or self.fault or self._is_closed.is_set():
            return
        if self._waiting.full():
            self.n_dropped += 1
            return
        from av import VideoFrame

        frame = VideoFrame.from_ndarray(np.ascontiguousarray(canvas.pixels()), format="rgb24")
        frame.pts, frame.time_base = index, 1 / self.fps
        self.n_repeated += index - self._index - 1
        self._index = index
        self.n_pictures += 1
        self._put(frame)

    def write_sound(self, block: np.ndarray, time_s: float, rate_hz: int) -> None:
        """Write mono sound, (n,) float32. time_s: of its first sample, seconds of the show. Sound of before the first
        picture is left out.
        """
        if self._start_s is not None and len(block):
            self._put((block, time_s - self._start_s, rate_hz))

    @property
    def is_written(self) -> bool:
        """Whether nothing is written any more."""
        return not self._thread.is_alive()

    def end(self) -> None:
        """Take no more pictures: what waits is written, and the index."""
        self._is_closed.set()

    def close(self) -> None:
        """End, and wait until all is written."""
        self.end()
        self._thread.join()

    def _put(self, item: VideoFrame | tuple[np.ndarray, float, int]) -> None:
        try:
            self._waiting.put_nowait(item)
        except queue.Full:  # sound that is lost is silence
            self.n_dropped += 1

    def _run(self) -> None:
        from .encoder import Encoder

        encoder = None
        try:
            encoder = Encoder(
                self.path, self._size, self.fps, _SOUND_RATE_HZ, crf=_CRF, preset=_PRESET, survives_kill=True
            )
            sound = _Sound()
            while not (self._is_closed.is_set() and self._waiting.empty()):
                try:
                    item = self._waiting.get(timeout=0.1)
                except queue.Empty:
                    continue
                if isinstance(item, tuple):
                    for frame in sound.frames(*item):
                        encoder.push(frame)
                elif item is not None:
                    # the muxer waits for both kinds: while no sound comes, it gets silence
                    for frame in sound.silence(float((item.pts or 0) / self.fps) - _LATE_S):
                        encoder.push(frame)
                    encoder.push(item if (item.width, item.height) == self._size else self._scaled(item))
            if self.n_pictures:
                encoder.finish()
        except Exception as fault:
            log.exception("the video stopped")
            self.fault = f"the video has stopped: {reason_of(fault)}"
        finally:
            if encoder is not None:
                encoder.drop()

    def _scaled(self, picture: VideoFrame) -> VideoFrame:
        from av import VideoFrame

        width, height = _fitted((picture.width, picture.height), self._size)
        scaled = picture.reformat(width=width, height=height)
        if (width, height) != self._size:
            whole = np.zeros((self._size[1], self._size[0], 3), np.uint8)
            left, top = (self._size[0] - width) // 2, (self._size[1] - height) // 2
            whole[top : top + height, left : left + width] = scaled.to_ndarray()
            scaled = VideoFrame.from_ndarray(whole, format="rgb24")
        scaled.pts, scaled.time_base = picture.pts, picture.time_base
        return scaled


def _fitted(size: tuple[int, int], into: tuple[int, int]) -> tuple[int, int]:
    """The largest size of the shape of `size` within another: all of it where only rounding makes the shapes differ."""
    (width, height), (most_width, most_height) = size, into
    scale = min(most_width / width, most_height / height)
    fitted = round(width * scale), round(height * scale)
    return (
        into
        if min(fitted[0] / most_width, fitted[1] / most_height) > 1 - _SAME_SHAPE
        else (max(1, fitted[0]), max(1, fitted[1]))
    )


class _Sound:
    """Makes continuous stereo frames of blocks of mono sound with their times."""

    def __init__(self) -> None:
        self._rate_hz = 0
        self._next = 0  # the sample of the video that comes next

    def frames(self, block: np.ndarray, time_s: float, rate_hz: int) -> list[AudioFrame]:
        """Frames of a block whose first sample is at a time of the video."""
        from av import AudioFrame, AudioResampler

        if rate_hz != self._rate_hz:
            self._rate_hz = rate_hz
            self._resampler = AudioResampler(format="fltp", layout="stereo", rate=_SOUND_RATE_HZ)
        at = round(time_s * _SOUND_RATE_HZ)
        frames = []
        if at - self._next > _OFF_SAMPLES:
            frames += self.silence(time_s)
        elif self._next - at > _OFF_SAMPLES:  # it was heard already, or is of before the video
            block = block[min(len(block), round((self._next - at) * rate_hz / _SOUND_RATE_HZ)) :]
        if len(block):
            clean = np.clip(np.nan_to_num(block, nan=0.0, posinf=1.0, neginf=-1.0), -1.0, 1.0).astype(np.float32)
            mono = AudioFrame.from_ndarray(clean[np.newaxis], format="fltp", layout="mono")
            mono.sample_rate = rate_hz
            frames += [self._stamped(frame.to_ndarray()) for frame in self._resampler.resample(mono)]
        return frames

    def silence(self, end_s: float) -> list[AudioFrame]:
        """Silence up to a time of the video, in place of sound that has not come until then."""
        n_missing = round(end_s * _SOUND_RATE_HZ) - self._next
        return [self._stamped(np.zeros((2, n_missing), np.float32))] if n_missing > 0 else []

    def _stamped(self, planes: np.ndarray) -> AudioFrame:
        from av import AudioFrame

        frame = AudioFrame.from_ndarray(np.ascontiguousarray(planes), format="fltp", layout="stereo")
        frame.sample_rate = _SOUND_RATE_HZ
        frame.pts, frame.time_base = self._next, Fraction(1, _SOUND_RATE_HZ)
        self._next += planes.shape[1]
        return frame
