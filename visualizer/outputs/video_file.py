"""A video file as an output: pictures and sound become one H.264 + AAC file, complete or not at all."""

from __future__ import annotations

import logging
import queue
import secrets
import threading
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from ..beat.features import Features
from ..errors import BadInput, VisualizerError
from ..files.output_file import check_output_path
from ..oneline import plain, reason_of
from ..render.canvas import Canvas
from ..render.planes import PlaneReader
from .output import Output

if TYPE_CHECKING:
    from av import AudioFrame, VideoFrame

    from .encoder import Encoder

log = logging.getLogger(__name__)

SUFFIXES = (".mp4", ".mov", ".mkv")
MIN_FPS, MAX_FPS = 1, 240
MIN_SIDE_PX, MAX_SIDE_PX = 16, 8192
X264Preset = Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow"]

_QUEUE_BYTES = 32_000_000  # what may wait for the encoder: 12 pictures of 1280x720, never fewer than 3
_POLL_S = 0.1  # how often a thread that waits for the other checks that it still runs


class VideoFile(Output):
    """Writes `path` (.mp4, .mov or .mkv) while used as a context manager; encoding runs in a thread of its own.

        with VideoFile(path, (1280, 720), Fraction(30), sound_rate_hz=song.sample_rate_hz) as writer:
            writer.write_sound(block)
            writer.write_picture(picture)

    The file appears under its name when the block ends well; until then it has a temporary name in the same folder, and
    when anything goes wrong (an exception, Ctrl-C, a full disk) that is removed and a file that was there before stays.
    The same pictures and sound give the same bytes on one machine. Write pictures and sound about in step: the file
    interleaves them. As an output of a show it takes both from `present`.
    """

    name = "video file"

    def __init__(
        self,
        path: Path | str,
        size: tuple[int, int],
        fps: Fraction | int,
        *,
        sound_rate_hz: int | None,
        crf: int = 18,
        preset: X264Preset = "veryfast",
        overwrite: bool = True,
        tags: Mapping[str, str] = MappingProxyType({}),
        cover: bytes | None = None,
    ) -> None:
        """size: (width, height) px, both even. fps: exact, 1 .. 240. sound_rate_hz: None for a silent video.

        crf: 0 (lossless) .. 51 (worst). preset: x264's trade of time for file size. tags: title, artist, album and the
        like, by FFmpeg's names. cover: a JPEG or PNG file, for .mp4 and .mkv; .mov has no place for it.
        Raises BadInput, before any work is done, for anything that cannot become a video file.
        """
        _check(size, fps, crf, sound_rate_hz)
        self._path = check_output_path(Path(path), SUFFIXES, overwrite=overwrite)
        self._size = size
        self._fps = Fraction(fps)
        self._sound_rate_hz = sound_rate_hz
        self.needs_sound = sound_rate_hz is not None
        self._crf, self._x264_preset = crf, preset
        self._tags, self._cover = dict(tags), cover
        self._temp = self._path.with_name(f".visualizer-{secrets.token_hex(8)}.part{self._path.suffix.lower()}")
        self._queue: queue.Queue[VideoFrame | AudioFrame | None] = queue.Queue(
            max(3, min(12, _QUEUE_BYTES // (size[0] * size[1] * 3 // 2)))
        )
        self._abort = threading.Event()
        self._fault: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._reader: PlaneReader | None = None
        self._n_pictures = 0
        self._n_samples = 0

    @property
    def path(self) -> Path:
        """Where the video will be: absolute, links followed."""
        return self._path

    @property
    def n_pictures(self) -> int:
        """Pictures written so far."""
        return self._n_pictures

    @property
    def n_samples(self) -> int:
        """Samples of sound written so far, per channel."""
        return self._n_samples

    def __enter__(self) -> VideoFile:
        from .encoder import Encoder

        try:
            encoder = Encoder(
                self._temp,
                self._size,
                self._fps,
                self._sound_rate_hz,
                crf=self._crf,
                preset=self._x264_preset,
                tags=self._tags,
                cover=self._cover,
            )
            self._thread = threading.Thread(target=self._encode, args=(encoder,), name="encoder", daemon=True)
            self._thread.start()
            return self
        except BaseException as fault:  # Ctrl-C too: __exit__ is not asked then
            self._abandon()
            if isinstance(fault, PermissionError):
                raise BadInput(f"{plain(self._path)}: the folder cannot be written to: {reason_of(fault)}") from fault
            if isinstance(fault, OSError):
                raise self._write_error(fault) from fault
            raise

    def present(self, canvas: Canvas, sound: np.ndarray, features: Features) -> None:
        """Write the next sound and the next picture. Raises VisualizerError when the file cannot be written (a full
        disk).
        """
        if self.needs_sound:
            self.write_sound(sound)
        self.write_canvas(canvas)

    def write_canvas(self, canvas: Canvas) -> None:
        """Write the picture on the canvas as the next one, scaled where it has another size. It is converted on the
        graphics card and fetched two calls later, or by `close`; waits while the encoder is behind.

        Raises VisualizerError when the file cannot be written (a full disk).
        """
        if self._reader is None or self._reader.canvas is not canvas:
            self._reader = PlaneReader(canvas, self._size)  # pictures under way went with the other canvas's context
        self._reader.begin(self._n_pictures)
        self._n_pictures += 1
        if self._reader.is_full:
            self._fetch(self._reader)

    def close(self) -> None:
        """Fetch the pictures that are still under way. The canvas's context must exist and be current; the canvas may
        be released. Leaving the `with` block does the same.
        """
        if self._reader is not None:
            reader, self._reader = self._reader, None
            while len(reader):
                self._fetch(reader)
            reader.release()

    def write_picture(self, picture: np.ndarray) -> None:
        """Write the next picture: (height, width, 3) uint8 sRGB. It is copied. Waits while the encoder is behind.

        Raises VisualizerError when the file cannot be written (a full disk).
        """
        from av import VideoFrame

        height, width = self._size[1], self._size[0]
        if picture.shape != (height, width, 3) or picture.dtype != np.uint8:
            raise ValueError(f"expected ({height}, {width}, 3) uint8, got {picture.shape} {picture.dtype}")
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        frame.pts, frame.time_base = self._n_pictures, 1 / self._fps
        self._enqueue(frame)
        self._n_pictures += 1

    def write_sound(self, block: np.ndarray) -> None:
        """Write the next sound: (samples, 2) float32, -1 .. 1; louder samples are clipped, NaN is silence.

        Copied. Waits while the encoder is behind. Raises VisualizerError when the file cannot be written.
        """
        from av import AudioFrame

        if self._sound_rate_hz is None:
            raise ValueError("this video was opened without sound")
        if block.ndim != 2 or block.shape[1] != 2:
            raise ValueError(f"expected (samples, 2) float32, got {block.shape} {block.dtype}")
        if not len(block):
            return
        clean = np.nan_to_num(block.T.astype(np.float32), nan=0.0, posinf=1.0, neginf=-1.0)
        planes = np.ascontiguousarray(np.clip(clean, -1.0, 1.0))
        frame = AudioFrame.from_ndarray(planes, format="fltp", layout="stereo")
        frame.sample_rate = self._sound_rate_hz
        frame.pts, frame.time_base = self._n_samples, Fraction(1, self._sound_rate_hz)
        self._enqueue(frame)
        self._n_samples += len(block)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            # also reached when Ctrl-C arrives inside _finish; after success it does nothing
            self._abandon()

    def _fetch(self, reader: PlaneReader) -> None:
        """Hand the oldest picture under way to the encoder: read directly into the memory that it encodes from."""
        from av import VideoFrame

        frame = VideoFrame(*self._size, format="nv12")
        y, uv = (
            # PyAV's stubs do not say that a plane is a buffer
            np.frombuffer(cast(Any, plane), np.uint8).reshape(-1, plane.line_size)[:, : self._size[0]]
            for plane in frame.planes
        )
        frame.pts, frame.time_base = reader.fetch(y, uv), 1 / self._fps
        self._enqueue(frame)

    def _finish(self) -> None:
        self.close()
        if not self._n_pictures:
            raise VisualizerError(f"{plain(self._path)}: no picture was made, so there is no video")
        self._enqueue(None)
        self._wait_for_thread()
        if self._fault is not None:
            raise self._write_error(self._fault) from self._fault
        try:
            self._temp.replace(self._path)
        except OSError as fault:
            raise self._write_error(fault) from fault

    def _abandon(self) -> None:
        try:
            self._abort.set()
            self._wait_for_thread()
        finally:  # a second Ctrl-C while waiting
            self._remove_temp()

    def _enqueue(self, item: VideoFrame | AudioFrame | None) -> None:
        if self._thread is None:
            raise ValueError("use the writer in a `with` block")
        while self._fault is None:
            try:
                return self._queue.put(item, timeout=_POLL_S)
            except queue.Full:
                continue
        raise self._write_error(self._fault) from self._fault

    def _wait_for_thread(self) -> None:
        # in slices: a join without an end cannot be interrupted by Ctrl-C on every platform
        while self._thread is not None and self._thread.is_alive():
            self._thread.join(_POLL_S)

    def _remove_temp(self) -> None:
        try:
            self._temp.unlink(missing_ok=True)
        except OSError as fault:
            log.warning("video: %s could not be removed: %s", self._temp, fault)

    def _write_error(self, fault: BaseException) -> VisualizerError:
        log.error("video: %s failed", self._path, exc_info=fault)
        return VisualizerError(f"{plain(self._path)} could not be written: {reason_of(fault)}")

    def _encode(self, encoder: Encoder) -> None:
        """Run the encoder thread: encode until None arrives, an error occurs, or the file is abandoned."""
        try:
            while not self._abort.is_set():
                try:
                    item = self._queue.get(timeout=_POLL_S)
                except queue.Empty:
                    continue
                if item is None:
                    encoder.finish()
                    return
                encoder.push(item)
        except BaseException as fault:  # noqa: BLE001  raised again in the thread that writes
            self._fault = fault
        finally:
            encoder.drop()


def _check(size: tuple[int, int], fps: Fraction | int, crf: int, sound_rate_hz: int | None) -> None:
    width, height = size
    for side in size:
        if not MIN_SIDE_PX <= side <= MAX_SIDE_PX:
            raise BadInput(f"size {width}x{height}: each side must be {MIN_SIDE_PX} .. {MAX_SIDE_PX} px")
    if width % 2 or height % 2:
        even = f"{width + width % 2}x{height + height % 2}"
        raise BadInput(f"size {width}x{height}: H.264 needs even sides; try {even}")
    if not MIN_FPS <= fps <= MAX_FPS:
        raise BadInput(f"fps {float(fps):g}: must be {MIN_FPS} .. {MAX_FPS}")
    if Fraction(fps).numerator > MAX_FPS * 10_000:  # time is counted in 32 bits; 29.97 is meant as 30000/1001
        raise BadInput(f"fps {fps}: too fine a fraction; write it like 30, 23.976 or 30000/1001")
    if not 0 <= crf <= 51:
        raise BadInput(f"crf {crf}: must be 0 (lossless) .. 51 (worst); 18 looks like the original")
    if sound_rate_hz is not None and not 1000 <= sound_rate_hz <= 768_000:
        raise BadInput(f"sound rate {sound_rate_hz} Hz: must be 1000 .. 768000")
