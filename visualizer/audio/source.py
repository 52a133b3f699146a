"""One sound stream of a media file, as stereo blocks whose place in the sound is known to the sample.

Positions are sample indices at the stream's own rate; index 0 is the first sample a straight reading yields, that is
after the encoder's priming samples have been cut off. `decode.Song` is the friendly face of this.
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
from .streams import ODD_FAULTS, open_container, sound_stream

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

log = logging.getLogger(__name__)

RATE_RANGE_HZ = (1_000, 1_536_000)
# Lossy codecs lean on what came before: half a second is far more than the 10 frames an MP3 bit reservoir can span
# or the 80 ms an Opus decoder asks for, and still decodes in a millisecond.
_PREROLL_S = 0.5
# A jump of the presentation time by more than this is lost sound, not the rounding of a container's clock.
_GAP_S, _LONGEST_GAP_S = 0.06, 10.0
# Stamps that the demuxer added up and that are off by more than this are wrong.
_DRIFT_S = 0.005
_DAMAGED_AT_OPENING = 200
_DAMAGED_IN_A_ROW = 2_000
_LIMIT = np.float32(8.0)
_FULL_SCALE = {"u8": 128.0, "s16": 32768.0, "s32": 2147483648.0, "s64": 9223372036854775808.0, "flt": 1.0, "dbl": 1.0}

# Containers whose demuxer seeks to where it says, with time stamps that are exact in samples.
_EXACT_FORMATS = frozenset({"wav", "flac", "aiff", "mov,mp4,m4a,3gp,3g2,mj2", "caf", "w64", "au"})
# Containers that store a time stamp with their packets: a jump of theirs is sound that is missing. Elsewhere the demuxer adds up
# the lengths it takes the packets to have, which is wrong after a false header or a change of rate.
_STAMPED_FORMATS = frozenset(
    {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "ogg", "asf", "mpegts", "mpeg", "flv", "nut", "rm", "wtv", "mxf", "wv"}
)
# These name other files, or draw text: not sound, and not to be followed wherever they point.
_REFUSED_FORMATS = frozenset({"hls", "concat", "dash", "tty", "lavfi", "image2", "sdp", "rtsp", "imf", "mpl2"})


def _reason(error: Exception, path: Path) -> str:
    """What an error of the decoder library means for the user, in a few words."""
    import av

    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, PermissionError) and not os.access(path, os.R_OK):
        return "may not be read (permission denied)"
    # the decoder library calls it a lack of permission when a playlist names files where it must not look
    if isinstance(error, av.error.InvalidDataError | av.error.EOFError | PermissionError):
        return "not sound, or in a format that is not known here"
    return f"cannot be read ({getattr(error, 'strerror', None) or error})"


class Source:
    """A sound stream of a file. Attributes: rate_hz, claimed_s (float or None), index, n_damaged, n_nonfinite.

    tags: those of the file and of the stream, their names in small letters.
    """

    def __init__(self, path: Path, stream: int | None = None) -> None:
        """Open `path` and decode its first block. stream: number of the sound stream from 1, the best one for None.

        Errors: BadInput when there is no sound to be had from it, or no stream of that number.
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
        self._told = False
        self._resamplers: dict[tuple[int, str], Any] = {}
        self._blocks: Iterator[np.ndarray] = iter(())
        try:
            self._open()
            self._learn_clock()
        except ODD_FAULTS as error:
            self.close()
            raise BadInput(f"{path}: its sound cannot be decoded here; convert it to FLAC or MP3") from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the file back. Closing twice is fine."""
        if self._container is not None:
            self._blocks = iter(())
            self._container.close()
            self._container = None

    @property
    def finds_end_quickly(self) -> bool:
        """Whether seeking near the end is quick however long the file is."""
        return self._exact and self._stamps_hold

    def next_block(self) -> np.ndarray | None:
        """The next samples (n, 2) float32, starting at `index` as it was before the call; None at the end."""
        block = next(self._blocks, None)
        if block is not None:
            self.index += len(block)
        return block

    def seek(self, index: int) -> None:
        """Go to a place at or before `index`, from where straight reading is as if one had read from the start.

        Afterwards `self.index` says where that is. Beyond the end, it is some place at the end or shortly before it.
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
            self._restart()  # stamps that jump, in a damaged file: decoding from the start is right in any case

    # -- opening ---------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        import av

        try:
            self._container = open_container(self.path)
        except (av.error.FFmpegError, *ODD_FAULTS, OSError) as error:
            raise BadInput(f"{self.path}: {_reason(error, self.path)}") from error
        if self._container.format.name in _REFUSED_FORMATS:
            raise BadInput(f"{self.path}: is a playlist or text, not sound; give the sound file itself")
        self._stream = sound_stream(self._container, self._number, self.path)
        if self._stream.codec_context is None:
            raise BadInput(
                f"{self.path}: its sound is in a format that cannot be decoded here; convert it to FLAC or MP3"
            )
        tags = {**self._container.metadata, **self._stream.metadata}
        self.tags = {name.lower(): value for name, value in tags.items()}
        self._unplaced = False
        self._settled_index = 0
        self._resamplers = {}
        self._blocks = self._decoded(self._demuxed())

    def _learn_clock(self) -> None:
        """Decode the beginning: it tells rate, origin of the time stamps, and the grid that coarse stamps snap to."""
        self._time_base = self._stream.time_base
        if self.next_block() is None:
            if self.n_damaged:
                raise BadInput(f"{self.path}: not sound, or damaged beyond use (nothing in it could be decoded)")
            raise BadInput(f"{self.path}: holds no sound at all (its length is zero)")
        format_name = self._container.format.name
        self._coarse = (1 / (self._time_base * self.rate_hz)).denominator != 1
        # a frame of FLAC stores the number of its sample, which the demuxer counts in samples of the rate it has found first
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
        """The number of samples all frames are made of; None if no such number tells neighbours apart."""
        sizes = self._blocks_ahead(6)
        grid = sizes[0] if sizes else 0
        if self._stream.codec_context.name == "vorbis":  # two sizes of block; the short one is 256, a quarter steps on
            grid = 64
        tick = float(self._time_base) * self.rate_hz
        return grid if grid > 2 * tick * 0.55 and all(size % grid == 0 for size in sizes[:-1]) else None

    def _blocks_ahead(self, n_blocks: int) -> list[int]:
        """The lengths of the next blocks, read to see whether their time stamps agree with them."""
        return [len(block) for block in (self.next_block() for _ in range(n_blocks)) if block is not None]

    def _restart(self) -> None:
        """Back to sample 0, with a decoder as new as at the first opening."""
        if self._container is not None:
            self._container.close()
            self._container = None
        self._open()
        self.index = 0

    # -- packets and frames ----------------------------------------------------------------------------------------

    def _demuxed(self) -> Iterator[Any]:
        """Packets of the stream, then one empty packet that flushes the decoder. A fault is passed over or ends it."""
        import av

        n_in_a_row = 0
        while (
            n_in_a_row < _DAMAGED_IN_A_ROW
        ):  # a demuxer may stumble over a fault and go on behind it, but not for ever
            try:
                for packet in self._container.demux(self._stream):
                    n_in_a_row = 0
                    yield packet
                return
            except av.error.EOFError:
                return
            except (av.error.FFmpegError, *ODD_FAULTS) as error:
                n_in_a_row += 1
                self._tell_damage(error)

    def _decoded(self, packets: Iterator[Any]) -> Iterator[np.ndarray]:
        """Blocks of consecutive samples; lost sound becomes silence, so that what follows stays in its place."""
        import av

        n_in_a_row, any_sound = 0, False
        for packet in packets:
            try:
                frames = packet.decode()
            except av.error.EOFError:
                return
            except (av.error.FFmpegError, *ODD_FAULTS) as error:
                self._tell_damage(error)
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
        """The first frame since opening or seeking comes out of the decoder."""
        if not self._n_first:
            low, high = RATE_RANGE_HZ
            if not low <= frame.sample_rate <= high:
                raise BadInput(f"{self.path}: sample rate {frame.sample_rate} Hz; only {low} to {high} Hz can be used")
            self._n_first, self._first_pts = frame.samples, frame.pts
            self.rate_hz = frame.sample_rate
        elif self._unplaced and frame.sample_rate != self.rate_hz:
            self._stamps_hold = False
        elif self._unplaced and frame.pts is not None:
            self.index = self._index_of(frame.pts)
            self._unplaced = False

    def _index_of(self, pts: int) -> int:
        """The sample index that a time stamp stands for, snapped to the frame grid where stamps are coarse."""
        index = round((pts - (self._first_pts or 0)) * self._time_base * self.rate_hz)
        if self._grid is not None and index > 0:
            offset = self._n_first % self._grid
            snapped = round((index - offset) / self._grid) * self._grid + offset
            if abs(snapped - index) <= 1.1 * self._time_base * self.rate_hz:
                return snapped
        return index

    def _gap_before(self, frame: AudioFrame) -> np.ndarray | None:
        """Silence for sound that is missing before this frame, by its time stamp; None when nothing is missing."""
        if frame.pts is None or self._first_pts is None or self._unplaced:
            return None
        missing_s = (self._index_of(frame.pts) - self.index) / self.rate_hz
        if not self._stamped:
            # what was added up and is not what was decoded is wrong, and says nothing of the places that follow
            self._stamps_hold = self._stamps_hold and abs(missing_s) <= _DRIFT_S
        if not self._stamped or not self._stamps_hold:
            return None
        if not _GAP_S < missing_s < _LONGEST_GAP_S:
            return None
        self._tell_damage(f"{missing_s:.2f} s are missing")
        return self._silence(missing_s)

    def _silence(self, seconds: float) -> np.ndarray:
        n_samples = round(min(max(seconds, 0.0), _LONGEST_GAP_S) * self.rate_hz)
        return np.zeros((n_samples, 2), np.float32)

    def _stereo(self, frame: AudioFrame) -> np.ndarray:
        """(n, 2) float32 at the stream's rate; NaN and infinity become 0 and are counted, |x| is limited to 8."""
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
            np.clip(planes, -_LIMIT, _LIMIT, out=planes)
        return to_stereo(planes, [channel.name for channel in frame.layout.channels])

    def _at_own_rate(self, frame: AudioFrame) -> np.ndarray:
        """A frame of another rate in mid-stream (chained files): brought to the rate the stream began with."""
        import av

        self._stamps_hold = False
        key = (frame.sample_rate, frame.layout.name)
        if key not in self._resamplers:
            log.warning("%s: changes to %d Hz in mid-sound", self.path, frame.sample_rate)
            self._resamplers = {key: av.AudioResampler(format="fltp", layout="stereo", rate=self.rate_hz)}
        frame.pts = None
        blocks = [part.to_ndarray() for part in self._resamplers[key].resample(frame)]
        planes = np.concatenate(blocks, axis=1) if blocks else np.empty((2, 0), np.float32)
        return np.nan_to_num(planes.T, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32)

    def _tell_damage(self, what: object) -> None:
        if self._unplaced or self.index < self._settled_index:
            return  # a decoder that starts in mid-sound may complain of what it has not seen
        self.n_damaged += 1
        if not self._told:
            self._told = True
            log.warning("%s: damaged near %.1f s, going on: %s", self.path, self.index / max(self.rate_hz, 1), what)

    # -- seeking ---------------------------------------------------------------------------------------------------

    def _seek_by_stamp(self, wanted: int, index: int) -> None:
        """Let the demuxer find the place, then believe the time stamp of what the decoder yields there."""
        import av

        pts = (self._first_pts or 0) + int(wanted / self.rate_hz / self._time_base)
        try:
            self._container.seek(pts, stream=self._stream, backward=True)
        except (av.error.FFmpegError, OverflowError):
            self._seek_by_passing(wanted, index)
            return
        if not self._resume(self._demuxed(), index) or self.index > index:
            self._seek_by_passing(wanted, index)  # landed behind the place, or nowhere

    def _seek_by_passing(self, wanted: int, index: int) -> None:
        """From the start, pass over whole packets undecoded: their stamps are those of straight reading. Four minutes take
        30 ms. The seek tables of MP3, the byte guesses of raw AAC and the last page of an Ogg file are not exact.
        """
        self._restart()
        if self._coarse and self._grid is None:
            return  # such stamps do not tell the sample; only decoding does
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
        wanted = place - math.ceil(_PREROLL_S * self.rate_hz)  # beyond the end: stay just before it
        if wanted > 0:
            self._seek_by_passing(wanted, place)
        else:
            self._restart()

    def _resume(self, packets: Iterator[Any], index: int) -> bool:
        """Decode on from packets in mid-sound; the first frame tells the place. False if it does not."""
        self._unplaced = True
        self._settled_index = index
        blocks = self._decoded(packets)
        first = next(blocks, None)
        self._blocks = blocks if first is None else chain([first], blocks)
        return first is not None and not self._unplaced
