"""Which time stamps are believed: those that a file stores, not those that the demuxer adds up by itself."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from visualizer.audio.decode import Song

from .sounds import chirp, write

SECONDS = 3.0
# format -> (codec, container, bit rate)
RAW = {
    "aac": ("aac", "adts", 128_000),
    "latm": ("aac", "latm", 128_000),
    "mp3": ("libmp3lame", "mp3", 128_000),
    "mp2": ("mp2", "mp2", 128_000),
    "ac3": ("ac3", "ac3", 192_000),
    "flac": ("flac", "flac", None),
}
STORED = {"mka": ("aac", "matroska"), "m4a": ("aac", "ipod"), "opus": ("libopus", "ogg"), "ts": ("aac", "mpegts")}


def read_all(song: Song) -> np.ndarray:
    blocks = []
    while len(block := song.read(10_000)):
        blocks.append(block)
    return np.concatenate(blocks)


def longest_silence_s(sound: np.ndarray, rate_hz: int) -> float:
    """The longest run of samples that are exactly 0, seconds."""
    loud = np.flatnonzero(np.concatenate([[True], sound.any(axis=1), [True]]))
    return float((np.diff(loud).max() - 1) / rate_hz)


def check_seeks(song: Song, whole: np.ndarray) -> None:
    """Every place sought reads as in straight reading."""
    for share in (0.1, 0.9, 0.5, 0.75):
        start = round(len(whole) * share)
        song.seek(start)
        assert song.position == start
        assert np.abs(song.read(2000) - whole[start : start + 2000]).max() < 2e-3, share


def crc8(data: bytes) -> int:
    """FLAC's checksum of a frame header."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ (0x07 if crc & 0x80 else 0)) & 0xFF
    return crc


def cut_flac(path: Path) -> Path:
    """A FLAC stream at 48 kHz without its header, after what looks like the header of a frame at 32 kHz."""
    whole = write(path, chirp(round(48_000 * SECONDS), 48_000), codec="flac", container="flac", rate_hz=48_000)
    content = whole.read_bytes()
    first_frame = content.index(b"\xff\xf8", content.rindex(b"Lavf"))
    false_header = b"\xff\xf8\xc8\x18\x05"  # 4096 samples at 32 kHz, stereo, 16 bit, number 5
    noise = np.random.default_rng(1).integers(0, 255, 3000, np.uint8).tobytes()
    path.write_bytes(false_header + bytes([crc8(false_header)]) + noise + content[first_frame:])
    return path


def test_flac_cut_out_of_a_stream_is_not_stretched(tmp_path: Path) -> None:
    with Song(cut_flac(tmp_path / "cut.flac")) as song:
        sound = read_all(song)
        assert song.sample_rate_hz == 48_000
        assert len(sound) / 48_000 == pytest.approx(SECONDS, abs=0.1)
        assert song.duration_s == pytest.approx(len(sound) / 48_000)
        assert longest_silence_s(sound, 48_000) < 0.01
        check_seeks(song, sound)


def test_aac_after_a_false_first_header_is_not_stretched(tmp_path: Path) -> None:
    path = tmp_path / "a.aac"
    write(path, chirp(round(48_000 * SECONDS), 48_000), codec="aac", container="adts", rate_hz=48_000, bit_rate=128_000)
    content = bytearray(path.read_bytes())
    size = (content[3] & 3) << 11 | content[4] << 3 | content[5] >> 5
    false_frame = bytearray(content[:7]) + bytes([0xFF]) * (size - 7)
    false_frame[2] = false_frame[2] & 0xC3 | 4 << 2  # the same, at 44.1 kHz
    path.write_bytes(false_frame + content)
    with Song(path) as song:
        assert song.duration_s == pytest.approx(SECONDS, abs=0.2)
        sound = read_all(song)
        assert len(sound) / song.sample_rate_hz == pytest.approx(SECONDS, abs=0.2)
        assert longest_silence_s(sound, song.sample_rate_hz) < 0.06
        check_seeks(song, sound)


@pytest.mark.parametrize(
    ("name", "lead_hz"),
    # the FLAC decoder refuses blocks that are longer than those of the first header
    [*((name, 32_000) for name in sorted(RAW) if name != "flac"), ("aac", 44_100), ("ac3", 44_100), ("flac", 44_100)],
)
def test_change_of_rate_in_a_raw_stream_is_no_gap(tmp_path: Path, name: str, lead_hz: int) -> None:
    codec, container, bit_rate = RAW[name]
    parts = []
    for rate_hz, seconds in ((lead_hz, 0.5), (48_000, SECONDS)):
        sound = chirp(round(rate_hz * seconds), rate_hz)
        part = write(tmp_path / "part", sound, codec=codec, container=container, rate_hz=rate_hz, bit_rate=bit_rate)
        parts.append(part.read_bytes())
    path = tmp_path / f"a.{name}"
    path.write_bytes(b"".join(parts))
    with Song(path) as song:
        sound = read_all(song)
        assert len(sound) / song.sample_rate_hz == pytest.approx(SECONDS + 0.5, abs=0.15)
        assert longest_silence_s(sound, song.sample_rate_hz) < 0.06
        check_seeks(song, sound)


@pytest.mark.parametrize("name", sorted(STORED))
def test_jump_of_stored_stamps_is_silence(tmp_path: Path, name: str) -> None:
    codec, container = STORED[name]
    path = tmp_path / f"a.{name}"
    sound = chirp(96_000, 48_000)
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=48_000, layout="stereo")
        context = stream.codec_context
        context.open()
        resampler = av.AudioResampler(format=context.format, layout="stereo", rate=48_000, frame_size=960 if codec == "libopus" else 1024)  # fmt: skip
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound.T), format="fltp", layout="stereo")
        frame.sample_rate = 48_000
        place = 0
        for part in resampler.resample(frame) + resampler.resample(None):
            part.pts, part.time_base = place, Fraction(1, 48_000)
            place += part.samples
            for packet in stream.encode(part):
                if packet.pts * packet.time_base >= 1.0:
                    packet.pts = packet.dts = packet.pts + round(0.5 / packet.time_base)
                output.mux(packet)
    with Song(path) as song:
        read = read_all(song)
        assert len(read) / 48_000 == pytest.approx(2.5, abs=0.1)
        assert longest_silence_s(read, 48_000) == pytest.approx(0.5, abs=0.06)
        assert not read[round(1.1 * 48_000) : round(1.4 * 48_000)].any()
        check_seeks(song, read)


def test_frames_missing_in_a_flac_are_silence(tmp_path: Path) -> None:
    path = write(tmp_path / "a.flac", chirp(192_000, 48_000), codec="flac", container="flac", rate_hz=48_000)
    content = path.read_bytes()
    with av.open(str(path)) as file:
        starts = [packet.pos for packet in file.demux(file.streams.audio[0]) if packet.size]
    path.write_bytes(content[: starts[20]] + content[starts[26] :])
    with Song(path) as song:
        sound = read_all(song)
    assert len(sound) == 192_000
    assert not sound[20 * 4608 : 26 * 4608].any()
