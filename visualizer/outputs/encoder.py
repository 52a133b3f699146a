"""Encodes pictures and sound as H.264 and AAC in a container, with PyAV."""

from __future__ import annotations

import io
import logging
import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from ..files.durable import sync_file
from ..files.output_file import WholeWrites

if TYPE_CHECKING:
    from av import AudioFrame, Packet, VideoFrame
    from av.filter import Graph

log = logging.getLogger(__name__)

_SOUND_BITS_PER_S = 192_000
_SOUND_RATES_HZ = (44_100, 48_000)  # every player and site accepts these; others are resampled to the last
_KEYFRAME_EVERY_S = 2  # players seek to a keyframe
_FRAGMENT_S = 0.5  # what a killed program loses of a video at most
_BT709 = 1  # colour primaries, transfer and matrix in the numbers of H.273
_LIMITED_RANGE = 1
_FORMAT_BITEXACT, _CODEC_BITEXACT = 0x0400, 1 << 23  # no date and no library version in the file


class Encoder:
    """Encodes into the new file `path`. Push frames in the order of time, then call finish(); call drop() in any case.

    One thread uses it at a time.

    Raises OSError when the file cannot be made or written.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        fps: Fraction,
        sound_rate_hz: int | None,
        *,
        crf: int,
        preset: str,
        tags: Mapping[str, str] = MappingProxyType({}),
        cover: bytes | None = None,
        survives_kill: bool = False,
    ) -> None:
        """The arguments are those of `VideoFile`. survives_kill: the file can be played up to half a second before the
        program was killed; only for .mp4.
        """
        import av

        self._file = WholeWrites(path)
        # the default time base is 1/1000 s, which cannot express 1001/30000 s
        ticks = fps.numerator * math.ceil(48_000 / fps.numerator)
        # +faststart moves the index to the front, and opens the file a second time for that
        self._container = av.open(
            self._file,
            "w",
            format={".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}[path.suffix],
            container_options=_container_options(path.suffix, ticks, survives_kill=survives_kill),
            io_open=lambda url, flags, options: io.FileIO(path),
        )
        self._container.flags |= _FORMAT_BITEXACT
        self._container.metadata.update(tags)
        self._video = self._container.add_stream("libx264", rate=fps)
        self._video.width, self._video.height = size
        self._video.pix_fmt = "nv12"  # x264's own order in memory: read back from the graphics card as it is
        self._video.time_base = 1 / fps
        context = self._video.codec_context
        context.time_base = 1 / fps
        context.gop_size = max(1, round(fps * (_FRAGMENT_S if survives_kill else _KEYFRAME_EVERY_S)))
        context.color_range = _LIMITED_RANGE
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.options = {"crf": str(crf), "preset": preset, "chroma_sample_location": "left"}
        # x264's own code for AVX-512 gives other bytes from one time to the next at some sizes; this costs no time
        context.options |= {"x264-params": "cpu-independent=1"}
        if survives_kill:
            context.options |= {"tune": "zerolatency"}  # no picture waits for later ones
        self._fps = fps
        self._converter: Graph | None = None  # made for the first RGB picture

        self._sound = None
        if sound_rate_hz is not None:
            rate_hz = sound_rate_hz if sound_rate_hz in _SOUND_RATES_HZ else _SOUND_RATES_HZ[-1]
            self._sound = self._container.add_stream("aac", rate=rate_hz, layout="stereo")
            self._sound.bit_rate = _SOUND_BITS_PER_S
            self._sound.codec_context.flags |= _CODEC_BITEXACT
            self._resampler = None
            if rate_hz != sound_rate_hz:
                self._resampler = av.AudioResampler(format="fltp", layout="stereo", rate=rate_hz)
        self._first: Packet | None = None
        if cover is not None:
            self._add_cover(cover, path.suffix)

    def push(self, frame: VideoFrame | AudioFrame) -> None:
        """Encode one frame of either kind, with its pts and time_base set. Pictures: NV12 in BT.709, limited range, or
        RGB, which is converted here.
        """
        from av import VideoFrame

        if self._first is not None:
            self._mux([self._first])
            self._first = None
        if isinstance(frame, VideoFrame):
            self._mux(self._video.encode(frame if frame.format.name == "nv12" else self._to_yuv(frame)))
        elif self._sound is not None:
            for ready in [frame] if self._resampler is None else self._resampler.resample(frame):
                self._mux(self._sound.encode(ready))

    def finish(self) -> None:
        """Encode what is still buffered, then write the index; the file is complete and closed."""
        if self._sound is not None:
            if self._resampler is not None:
                for ready in self._resampler.resample(None):
                    self._mux(self._sound.encode(ready))
            self._mux(self._sound.encode())
        self._mux(self._video.encode())
        self._container.close()
        sync_file(self._file.fileno())  # a network disk may report only here that it is full
        self._file.close()

    def drop(self) -> None:
        """Close the file. Does nothing after finish(); before it the file is incomplete and useless."""
        self._file.close()

    def _add_cover(self, cover: bytes, suffix: str) -> None:
        """Put a picture into the file as its cover, if it is one; QuickTime (.mov) has no place for one."""
        import av
        from av.stream import Disposition
        from PIL import Image

        try:
            with Image.open(io.BytesIO(cover), formats=("JPEG", "PNG")) as picture:
                kind, size = str(picture.format), picture.size
        except Exception as fault:  # noqa: BLE001  whatever is damaged in a picture: the video does without it
            log.warning("video: the cover picture is left out: %s", fault)
            return
        if suffix == ".mkv":
            name = {"JPEG": "cover.jpg", "PNG": "cover.png"}[kind]
            self._container.add_attachment(name, f"image/{kind.lower()}", cover)
        elif suffix == ".mp4":
            codec = {"JPEG": "mjpeg", "PNG": "png"}[kind]
            stream = self._container.add_mux_stream(codec, width=size[0], height=size[1])
            stream.disposition = Disposition.attached_pic
            packet = av.Packet(cover)
            packet.stream = stream
            packet.pts = packet.dts = 0
            self._first = packet  # written with the first frame: an encoder that is only made writes nothing

    def _to_yuv(self, picture: VideoFrame) -> VideoFrame:
        """An RGB picture as the planes that `PlaneReader` makes."""
        if self._converter is None:
            self._converter = _converter(picture, 1 / self._fps)
        self._converter.vpush(picture)
        return self._converter.vpull()

    def _mux(self, packets: Iterable[Packet]) -> None:
        for packet in packets:
            self._container.mux(packet)


def _converter(picture: VideoFrame, time_base: Fraction) -> Graph:
    """Converts pictures like this one, RGB, to NV12 in BT.709, limited range."""
    from av.filter import Graph

    # explicit: by default RGB counts as limited range and HD as BT.601. area and full_chroma_inp make each U and V the
    # mean of the colours around its place
    graph = Graph()
    graph.link_nodes(
        graph.add_buffer(width=picture.width, height=picture.height, format=picture.format, time_base=time_base),
        graph.add(
            "scale",
            "in_range=full:out_range=limited:in_color_matrix=bt709:out_color_matrix=bt709:out_chroma_loc=left:"
            "flags=area+full_chroma_inp+accurate_rnd+bitexact",
        ),
        graph.add("format", "pix_fmts=nv12"),
        graph.add("buffersink"),
    ).configure()
    return graph


def _container_options(suffix: str, ticks: int, *, survives_kill: bool) -> dict[str, str]:
    if suffix == ".mkv":
        return {}
    # a fragment begins at each keyframe; without flush_packets the muxer's buffer keeps them from the file. At the
    # close an ordinary index replaces them. delay_moov: what the encoder of sound puts before the first sample is known
    # to the index, else the pictures are moved against each other by it
    flags = (
        {"movflags": "+hybrid_fragmented+delay_moov", "flush_packets": "1"}
        if survives_kill
        else {"movflags": "+faststart"}
    )
    return {**flags, "movie_timescale": str(ticks)}
