"""Sound files for the tests, written with PyAV, and a sound that is nowhere like itself elsewhere."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

import av
import numpy as np
from av.stream import Disposition
from PIL import Image

# name -> (codec, container, sample rate, bit rate)
FORMATS = {
    "a.wav": ("pcm_s16le", "wav", 44_100, None),
    "24bit.wav": ("pcm_s24le", "wav", 96_000, None),
    "float.wav": ("pcm_f32le", "wav", 48_000, None),
    "u8.wav": ("pcm_u8", "wav", 8_000, None),
    "a.flac": ("flac", "flac", 44_100, None),
    "a.mp3": ("libmp3lame", "mp3", 44_100, 128_000),
    "low.mp3": ("libmp3lame", "mp3", 22_050, 64_000),
    "a.ogg": ("vorbis", "ogg", 44_100, 128_000),
    "a.opus": ("libopus", "ogg", 48_000, 96_000),
    "a.m4a": ("aac", "ipod", 44_100, 128_000),
    "alac.m4a": ("alac", "ipod", 44_100, None),
    "a.aac": ("aac", "adts", 44_100, 128_000),
    "a.aiff": ("pcm_s16be", "aiff", 44_100, None),
    "a.mka": ("aac", "matroska", 44_100, 128_000),
    "opus.webm": ("libopus", "webm", 48_000, 96_000),
    "vorbis.mka": ("vorbis", "matroska", 44_100, 128_000),
    "a.wma": ("wmav2", "asf", 44_100, 128_000),
    "a.ts": ("aac", "mpegts", 48_000, 128_000),
}


def chirp(n_samples: int, rate_hz: int, n_channels: int = 2) -> np.ndarray:
    """(n, channels) float32 within +-0.5: a tone that climbs from 100 to 2000 Hz, other phase in each channel."""
    t = np.arange(n_samples) / rate_hz
    sweep = 2 * np.pi * (100 * t + 1900 * t**2 / (2 * max(n_samples / rate_hz, 1e-9)))
    return np.stack([0.5 * np.sin(sweep + channel) for channel in range(n_channels)], axis=1).astype(np.float32)


def write(
    path: Path, sound: np.ndarray, *, codec: str, container: str, rate_hz: int, bit_rate: int | None = None,
    layout: str | None = None, picture: bool = False, tags: Mapping[str, str] = MappingProxyType({}),
    cover: Image.Image | None = None,
) -> Path:  # fmt: skip
    """Encode sound (n, channels) float32; picture: with a video stream before it; tags, cover: what the file says of
    itself.
    """
    layout = layout or {1: "mono", 2: "stereo", 6: "5.1"}[sound.shape[1]]
    with av.open(str(path), "w", format=container) as output:
        output.metadata.update(tags)
        video = None
        if picture:
            video = output.add_stream("mpeg4", rate=25)
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        options = {"strict": "experimental"} if codec == "vorbis" else {}
        stream = output.add_stream(codec, rate=rate_hz, layout=layout, options=options)
        attached = _attached(output, cover) if cover is not None else None
        if bit_rate:
            stream.bit_rate = bit_rate
        context = stream.codec_context
        context.open()
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound.T), format="fltp", layout=layout)
        frame.sample_rate = rate_hz
        resampler = av.AudioResampler(
            format=context.format, layout=layout, rate=rate_hz, frame_size=context.frame_size or 4096
        )
        if attached is not None:
            output.mux(attached)
        position = 0
        for part in resampler.resample(frame) + resampler.resample(None):
            part.pts, part.time_base = position, Fraction(1, rate_hz)
            position += part.samples
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
        if video is not None:
            for index in range(round(len(sound) / rate_hz * 25)):
                grey = np.full((48, 64, 3), index % 256, np.uint8)
                picture_frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
                picture_frame.pts = index
                output.mux(video.encode(picture_frame))
            output.mux(video.encode(None))
    return path


def _attached(output: av.container.OutputContainer, cover: Image.Image) -> av.Packet:
    """A cover picture as the packet of a stream of its own."""
    data = BytesIO()
    cover.save(data, "JPEG")
    stream = output.add_mux_stream("mjpeg", width=cover.width, height=cover.height)
    stream.disposition = Disposition.attached_pic
    packet = av.Packet(data.getvalue())
    packet.stream = stream
    packet.pts = packet.dts = 0
    return packet


def write_named(folder: Path, name: str, seconds: float = 4.0, n_channels: int = 2) -> Path:
    """One of FORMATS, with a chirp in it."""
    codec, container, rate_hz, bit_rate = FORMATS[name]
    sound = chirp(round(seconds * rate_hz), rate_hz, n_channels)
    return write(folder / name, sound, codec=codec, container=container, rate_hz=rate_hz, bit_rate=bit_rate)


def write_streams(path: Path, levels: list[float], *, seconds: float = 2.0, from_s: float = 0.0) -> Path:
    """A file with a sine in each of its sound streams, 200 Hz, 400 Hz ...; silent before from_s; level 0: silent."""
    rate_hz = 48_000
    with av.open(str(path), "w") as output:
        streams = []
        for number, _ in enumerate(levels, 1):
            stream = output.add_stream("aac", rate=rate_hz, layout="stereo")
            stream.metadata.update(
                {
                    "language": ["eng", "deu", "fra"][number - 1],
                    "title": f"Mix {number}",
                    "handler_name": f"Mix {number}",
                }
            )
            streams.append(stream)
        t = np.arange(1024) / rate_hz
        for start in range(0, round(seconds * rate_hz), 1024):
            for number, (stream, level) in enumerate(zip(streams, levels, strict=True), 1):
                on = level if start >= from_s * rate_hz else 0.0
                sine = (on * np.sin(2 * np.pi * 200 * number * (t + start / rate_hz))).astype(np.float32)
                frame = av.AudioFrame.from_ndarray(np.stack([sine, sine]), format="fltp", layout="stereo")
                frame.sample_rate, frame.pts, frame.time_base = rate_hz, start, Fraction(1, rate_hz)
                output.mux(stream.encode(frame))
        for stream in streams:
            output.mux(stream.encode(None))
    return path


def wav_bytes(
    samples: np.ndarray,
    rate_hz: int,
    *,
    claimed_bytes: int | None = None,
    kind: int | None = None,
    n_channels: int | None = None,
) -> bytes:
    """A WAV file by hand, so that its header can lie. samples: (n, channels) int16 or float32."""
    data = samples.tobytes()
    channels = n_channels if n_channels is not None else samples.shape[1]
    kind = kind if kind is not None else (3 if samples.dtype == np.float32 else 1)
    width = samples.dtype.itemsize
    size = len(data) if claimed_bytes is None else claimed_bytes
    header = struct.pack(
        "<HHIIHH", kind, channels, rate_hz, rate_hz * channels * width % 2**32, channels * width, width * 8
    )
    riff_size = min(36 + size, 2**32 - 1)
    return (
        b"RIFF"
        + struct.pack("<I", riff_size)
        + b"WAVEfmt \x10\0\0\0"
        + header
        + b"data"
        + struct.pack("<I", size)
        + data
    )
