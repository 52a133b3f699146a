"""Decodes one sound stream of a media file to stereo blocks whose position is known to the exact sample.

Positions are sample indices at the stream's own rate; index 0 is the first sample that decoding from the start yields,
after the encoder's priming samples. `decode.Song` resamples the result and has the simpler interface.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BadInput
from .mixing import to_stereo
from .streams import DECODER_ERRORS, open_container, sound_stream

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

log = logging.getLogger(__name__)

RATE_RANGE_HZ = (1_000, 1_536_000)
# Lossy codecs need earlier sound to decode correctly: an MP3 bit reservoir up to 10 frames, Opus 80 ms. Half a second
# is far more, and is decoded in a millisecond.
_PREROLL_S = 0.5
# A jump of the time stamps by more than this is missing sound, and not rounding; longer ones than the second are
# ignored.
_GAP_S, _LONGEST_GAP_S = 0.06, 10.0
# Time stamps that the demuxer computed are wrong if they are off by more than this.
_DRIFT_S = 0.005
_DAMAGED_AT_OPENING = 200
_DAMAGED_IN_A_ROW = 2_000
_LARGEST_SAMPLE = np.float32(8.0)
_FULL_SCALE = {"u8": 128.0, "s16": 32768.0, "s32": 2147483648.0, "s64": 9223372036854775808.0, "flt": 1.0, "dbl": 1.0}

# Containers whose demuxer seeks reliably, with time stamps that are exact to the sample.
_EXACT_FORMATS = frozenset({"wav", "flac", "aiff", "mov,mp4,m4a,3gp,3g2,mj2", "caf", "w64", "au"})
# Containers that store time stamps: a jump means missing sound. For others the demuxer adds up the assumed lengths of
# the packets, which is wrong after a false header or a change of the rate.
_STAMPED_FORMATS = frozenset(
    {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "ogg", "asf", "mpegts", "mpeg", "flv", "nut", "rm", "wtv", "mxf", "wv"}
)
# Formats that refer to other files, or render text. They are refused, so that no other file is opened.
_REFUSED_FORMATS = frozenset({"hls", "concat", "dash", "tty", "lavfi", "image2", "sdp", "rtsp", "imf", "mpl2"})


def _reason(error: Exception, path: Path) -> str:
    """What an error of the decoder library means, in a few words for the user."""
    import av

    if isinstance(error, FileNotFoundError):
        return "there is no such file; check the path"
    if isinstance(error, PermissionError) and not os.access(path, os.R_OK):
        return "cannot be read (permission denied); check its permissions"
    # FFmpeg raises PermissionError, too, when a playlist names files that the protocol whitelist excludes
    if isinstance(error, av.error.InvalidDataError | av.error.EOFError | PermissionError):
        return "not sound, or in an unknown format; give a sound file, such as FLAC or MP3"
    return f"cannot be read ({getattr(error, 'strerror', None) or error}); give another file"


class StreamDecoder:
    """Decodes a sound stream of a file.

    rate_hz      sample rate of the stream
    claimed_s    its length by the header, seconds; None if the header has none
    index        sample index of the next block
    n_damaged    number of damaged places so far; n_nonfinite: number of NaN or infinite samples so far
    tags         of the file and of the stream, by name in lower case
    """

    def __init__(self, path: Path, stream: int | None = None) -> None:
        """Open `path` and decode its first block. stream: number of the sound stream from 1, None for FFmpeg's choice.

        Raises BadInput if no sound can be decoded, or there is no stream of that number.
        """
        self.path = path
        self._number = stream
        self.n_damaged = 0
        self.n_nonfinite = 0
        self.index = 0
        self.rate_hz = 0
        self.claimed_s: float | None = None
        self.tags: dict[str, str] = {}
        self._first_pts: int | None = None
        self._n_first = 0  # samples of the first frame; 0 while none has come
        self._grid: int | None = None
        self._coarse = self._exact = self._stamped = False
        self._stamps_hold = True
        self._container: Any = None
        self._damage_logged = False
        self._resamplers: dict[tuple[int, str], Any] = {}
        self._blocks: Iterator[np.ndarray] = iter(())
        try:
            self._open()
            self._learn_clock()
        except DECODER_ERRORS as error:
            self.close()
            raise BadInput(f"{path}: its sound cannot be decoded; convert it to FLAC or MP3") from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file. Closing twice is fine."""
        if self._container is not None:
            self._blocks = iter(())
            self._container.close()
            self._container = None

    @property
    def finds_end_quickly(self) -> bool:
        """Whether seeking to the end is fast for files of any length."""
        return self._exact and self._stamps_hold

    def next_block(self) -> np.ndarray | None:
        """The next samples, (n, 2) float32, from `index` on, which is then advanced; None at the end."""
        block = next(self._blocks, None)
        if block is not None:
            self.index += len(block)
        return block

    def seek(self, index: int) -> None:
        """Go to a place at or before `index` from which decoding yields the same samples as decoding from the start.

        `self.index` is then that place. For an index beyond the end it is at the end or shortly before it.
        """
        if index == self.index:
            return
        wanted = index - math.ceil(_PREROLL_S * self.rate_hz)
        if wanted <= 0 or not self._stamps_hold:
            self._restart()
        elif self._exact:
            self._seek_by_stamp(wanted, index)
        else:
            self._seek_by_passing(wanted, index)
        if self.index > index:
            self._restart()  # time stamps of a damaged file may jump; decoding from the start is always right

    # -- opening ---------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        import av

        try:
            self._container = open_container(self.path)
        except (av.error.FFmpegError, *DECODER_ERRORS, OSError) as error:
            raise BadInput(f"{self.path}: {_reason(error, self.path)}") from error
        if self._container.format.name in _REFUSED_FORMATS:
            raise BadInput(f"{self.path}: is a playlist or text, not sound; give a sound file")
        self._stream = sound_stream(self._container, self._number, self.path)
        if self._stream.codec_context is None:
            raise BadInput(f"{self.path}: its sound is in a format that cannot be decoded; convert it to FLAC or MP3")
        tags = {**self._container.metadata, **self._stream.metadata}
        self.tags = {name.lower(): value for name, value in tags.items()}
        self._unplaced = False
        self._settled_index = 0
        self._resamplers = {}
        self._blocks = self._decoded(self._demuxed())

    def _learn_clock(self) -> None:
        """Decode the beginning, to find the rate, the first time stamp, and the grid that coarse time stamps are
        rounded to.
        """
        self._time_base = self._stream.time_base
        if self.next_block() is None:
            if self.n_damaged:
                raise BadInput(f"{self.path}: not sound, or too damaged (nothing could be decoded); give another file")
            raise BadInput(f"{self.path}: has no sound (its length is zero); give another file")
        format_name = self._container.format.name
        self._coarse = (1 / (self._time_base * self.rate_hz)).denominator != 1
        # a FLAC frame stores its sample number, which the demuxer converts with the first rate it has found
        is_flac = format_name == "flac"
        self._stamped = format_name in _STAMPED_FORMATS or (is_flac and self._time_base * self.rate_hz == 1)
        stored = format_name in _EXACT_FORMATS or (self._coarse and self._stamped)
        self._exact = self._first_pts is not None and stored
        if self._coarse:
            self._grid = self._learn_grid()
        elif not self._stamped:
            self._blocks_ahead(8)
        claimed = self._stream.duration
        if claimed is not None:
            self.claimed_s = float(claimed * self._time_base)
        else:
            self.claimed_s = None if self._container.duration is None else self._container.duration / 1e6
        self._restart()

    def _learn_grid(self) -> int | None:
        """A number of samples that divides the length of all frames; None if the time stamps are too coarse to use
        it.
        """
        sizes = self._blocks_ahead(6)
        grid = sizes[0] if sizes else 0
        if (
            self._stream.codec_context.name == "vorbis"
        ):  # frames advance by multiples of 64: a quarter of the short block
            grid = 64
        tick = float(self._time_base) * self.rate_hz
        return grid if grid > 2 * tick * 0.55 and all(size % grid == 0 for size in sizes[:-1]) else None

    def _blocks_ahead(self, n_blocks: int) -> list[int]:
        """Decode the next blocks, to check their time stamps. Returns their lengths."""
        return [len(block) for block in (self.next_block() for _ in range(n_blocks)) if block is not None]

    def _restart(self) -> None:
        """Go back to sample 0 with a new decoder."""
        if self._container is not None:
            self._container.close()
            self._container = None
        self._open()
        self.index = 0

    # -- packets and frames ----------------------------------------------------------------------------------------

    def _demuxed(self) -> Iterator[Any]:
        """Packets of the stream, then an empty one that flushes the decoder. Errors are skipped, up to
        _DAMAGED_IN_A_ROW.
        """
        import av

        n_in_a_row = 0
        while n_in_a_row < _DAMAGED_IN_A_ROW:  # a demuxer may go on after an error, but could also repeat it for ever
            try:
                for packet in self._container.demux(self._stream):
                    n_in_a_row = 0
                    yield packet
                return
            except av.error.EOFError:
                return
            except (av.error.FFmpegError, *DECODER_ERRORS) as error:
                n_in_a_row += 1
                self._log_damage(error)

    def _decoded(self, packets: Iterator[Any]) -> Iterator[np.ndarray]:
        """Blocks of consecutive samples. Missing sound is replaced by silence, so that later sound keeps its
        position.
        """
        import av

        n_in_a_row, any_sound = 0, False
        for packet in packets:
            try:
                frames = packet.decode()
            except av.error.EOFError:
                return
            except (av.error.FFmpegError, *DECODER_ERRORS) as error:
                self._log_damage(error)
                n_in_a_row += 1
                if n_in_a_row >= (_DAMAGED_IN_A_ROW if any_sound else _DAMAGED_AT_OPENING):
                    return
                if any_sound and packet.duration:
                    yield self._silence(float(packet.duration * packet.time_base))
                continue
            for frame in frames:
                if frame.samples <= 0 or frame.sample_rate <= 0:
                    continue
                if not any_sound:
                    any_sound = True
                    self._enter(frame)
                n_in_a_row = 0
                gap = self._gap_before(frame)
                if gap is not None:
                    yield gap
                yield self._stereo(frame)

    def _enter(self, frame: AudioFrame) -> None:
        """Handle the first decoded frame after opening or seeking."""
        if not self._n_first:
            low, high = RATE_RANGE_HZ
            if not low <= frame.sample_rate <= high:
                raise BadInput(
                    f"{self.path}: sample rate {frame.sample_rate} Hz is out of range; allowed: {low} .. {high} Hz"
                )
            self._n_first, self._first_pts = frame.samples, frame.pts
            self.rate_hz = frame.sample_rate
        elif self._unplaced and frame.sample_rate != self.rate_hz:
            self._stamps_hold = False
        elif self._unplaced and frame.pts is not None:
            self.index = self._index_of(frame.pts)
            self._unplaced = False

    def _index_of(self, pts: int) -> int:
        """The sample index of a time stamp, rounded to the frame grid if time stamps are coarse."""
        index = round((pts - (self._first_pts or 0)) * self._time_base * self.rate_hz)
        if self._grid is not None and index > 0:
            offset = self._n_first % self._grid
            snapped = round((index - offset) / self._grid) * self._grid + offset
            if abs(snapped - index) <= 1.1 * self._time_base * self.rate_hz:
                return snapped
        return index

    def _gap_before(self, frame: AudioFrame) -> np.ndarray | None:
        """Silence in place of sound that is missing before this frame by its time stamp; None if nothing is missing."""
        if frame.pts is None or self._first_pts is None or self._unplaced:
            return None
        missing_s = (self._index_of(frame.pts) - self.index) / self.rate_hz
        if not self._stamped:
            # computed time stamps that differ from the decoded length are wrong, so later ones cannot be used either
            self._stamps_hold = self._stamps_hold and abs(missing_s) <= _DRIFT_S
        if not self._stamped or not self._stamps_hold:
            return None
        if not _GAP_S < missing_s < _LONGEST_GAP_S:
            return None
        self._log_damage(f"{missing_s:.2f} s are missing")
        return self._silence(missing_s)

    def _silence(self, seconds: float) -> np.ndarray:
        n_samples = round(min(max(seconds, 0.0), _LONGEST_GAP_S) * self.rate_hz)
        return np.zeros((n_samples, 2), np.float32)

    def _stereo(self, frame: AudioFrame) -> np.ndarray:
        """A frame as (n, 2) float32 at the stream's rate. NaN and infinity become 0 and are counted; |x| is limited to
        8.
        """
        if frame.sample_rate != self.rate_hz:
            return self._at_own_rate(frame)
        samples = frame.to_ndarray()
        name = frame.format.name.removesuffix("p")
        n_channels = len(frame.layout.channels)
        if not frame.format.is_planar:
            samples = samples.reshape(-1, n_channels).T
        planes = samples.astype(np.float32)
        if name == "u8":
            planes -= np.float32(128.0)
        if _FULL_SCALE[name] != 1.0:
            planes *= np.float32(1.0 / _FULL_SCALE[name])
        else:
            with np.errstate(invalid="ignore"):
                finite = np.isfinite(planes)
            if not finite.all():
                self.n_nonfinite += int(planes.size - np.count_nonzero(finite))
                planes[~finite] = 0.0
            np.clip(planes, -_LARGEST_SAMPLE, _LARGEST_SAMPLE, out=planes)
        return to_stereo(planes, [channel.name for channel in frame.layout.channels])

    def _at_own_rate(self, frame: AudioFrame) -> np.ndarray:
        """Resample a frame whose rate changed in mid-stream (chained files) to the rate at the beginning."""
        import av

        self._stamps_hold = False
        key = (frame.sample_rate, frame.layout.name)
        if key not in self._resamplers:
            log.warning("%s: the sample rate changes to %d Hz", self.path, frame.sample_rate)
            self._resamplers = {key: av.AudioResampler(format="fltp", layout="stereo", rate=self.rate_hz)}
        frame.pts = None
        blocks = [part.to_ndarray() for part in self._resamplers[key].resample(frame)]
        planes = np.concatenate(blocks, axis=1) if blocks else np.empty((2, 0), np.float32)
        return np.nan_to_num(planes.T, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32)

    def _log_damage(self, what: object) -> None:
        if self._unplaced or self.index < self._settled_index:
            return  # a decoder that starts in mid-stream may report errors about earlier data
        self.n_damaged += 1
        if not self._damage_logged:
            self._damage_logged = True
            log.warning("%s: damaged near %.1f s, continuing: %s", self.path, self.index / max(self.rate_hz, 1), what)

    # -- seeking ---------------------------------------------------------------------------------------------------

    def _seek_by_stamp(self, wanted: int, index: int) -> None:
        """Seek with the demuxer, and take the position from the time stamp of the first decoded frame."""
        import av

        pts = (self._first_pts or 0) + int(wanted / self.rate_hz / self._time_base)
        try:
            self._container.seek(pts, stream=self._stream, backward=True)
        except (av.error.FFmpegError, OverflowError):
            self._seek_by_passing(wanted, index)
            return
        if not self._resume(self._demuxed(), index) or self.index > index:
            self._seek_by_passing(wanted, index)  # the demuxer went too far, or found nothing

    def _seek_by_passing(self, wanted: int, index: int) -> None:
        """Skip packets from the start without decoding them; their time stamps are reliable. Four minutes take 30 ms.

        Needed where the demuxer's seeking is not exact: MP3 (seek tables), raw AAC (guessed byte positions), Ogg (last
        page).
        """
        self._restart()
        if self._coarse and self._grid is None:
            return  # the time stamps are too coarse to find the sample; only decoding finds it
        packets = self._demuxed()
        place = 0
        for packet in packets:
            if not packet.size:
                continue
            if packet.pts is None:
                self._restart()
                return
            place = self._index_of(packet.pts)
            if place >= wanted:
                if not self._resume(chain([packet], packets), index):
                    self._restart()
                return
        wanted = place - math.ceil(_PREROLL_S * self.rate_hz)  # the place is beyond the end: stay just before the end
        if wanted > 0:
            self._seek_by_passing(wanted, place)
        else:
            self._restart()

    def _resume(self, packets: Iterator[Any], index: int) -> bool:
        """Decode from packets in mid-stream. Returns whether the first frame gave the position."""
        self._unplaced = True
        self._settled_index = index
        blocks = self._decoded(packets)
        first = next(blocks, None)
        self._blocks = blocks if first is None else chain([first], blocks)
        return first is not None and not self._unplaced
