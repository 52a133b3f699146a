"""The sound of a session, torn or damaged: every whole frame, at its exact sample."""

from __future__ import annotations

import numpy as np
import pytest

from tests.session.making import FRAME_SAMPLES, noise, write_flac
from visualizer.errors import BadInput
from visualizer.session.sound_reader import SoundFile


def frames_of(path):
    with SoundFile(path) as file:
        return list(file.frames()), file.end_offset


@pytest.fixture
def part(tmp_path):
    """A part of 10 frames, the last one short."""
    path = tmp_path / "sound-0001.flac"
    write_flac(path, noise(9 * FRAME_SAMPLES + 500))
    return path


@pytest.mark.parametrize("n_channels", [1, 2])
def test_a_whole_file_is_read_bit_for_bit(tmp_path, n_channels):
    samples = noise(2 * 20_000).reshape(-1, n_channels)
    path = tmp_path / "sound-0001.flac"
    write_flac(path, samples, 44_100)
    with SoundFile(path) as file:
        assert (file.rate_hz, file.n_channels) == (44_100, n_channels)
        frames = list(file.frames())
        assert file.end_offset == file.n_bytes == path.stat().st_size
    np.testing.assert_array_equal(np.concatenate([frame.samples for frame in frames]), samples)
    assert [frame.first_sample for frame in frames] == list(range(0, len(samples), FRAME_SAMPLES))


def test_a_file_of_a_killed_program(tmp_path):
    path = tmp_path / "sound-0001.flac"
    samples = noise(10 * FRAME_SAMPLES - 1)
    write_flac(path, samples, is_torn=True)
    frames, end = frames_of(path)
    read = np.concatenate([frame.samples for frame in frames])
    np.testing.assert_array_equal(read, samples[: len(read)])
    assert len(read) >= 8 * FRAME_SAMPLES and end == path.stat().st_size


def test_cut_at_every_byte_of_its_last_two_frames_all_whole_frames_are_read(part):
    quiet = np.trunc(noise(4 * FRAME_SAMPLES + 500) * 2**7) / 2**23  # of few bytes
    write_flac(part, quiet)
    data = part.read_bytes()
    frames, _ = frames_of(part)
    for length in range(frames[-3].offset, len(data)):
        part.write_bytes(data[:length])
        read, end = frames_of(part)
        whole = [frame for frame in frames if frame.offset + frame.n_bytes <= length]
        assert [frame[:3] for frame in read] == [frame[:3] for frame in whole], length
        assert end == whole[-1].offset + whole[-1].n_bytes


def test_cut_within_the_header_it_holds_no_sound(part):
    data = part.read_bytes()
    first = frames_of(part)[0][0].offset
    for length in [*range(60), first - 1]:
        part.write_bytes(data[:length])
        with pytest.raises(BadInput, match="no sound") as caught:
            SoundFile(part)
        assert "\n" not in str(caught.value)
    part.write_bytes(data[:first])
    assert frames_of(part) == ([], first)


@pytest.mark.parametrize("place", ["header", "middle", "checksum"])
def test_a_damaged_frame_is_left_out_and_the_next_is_where_it_was(part, place):
    frames, _ = frames_of(part)
    broken = frames[4]
    data = bytearray(part.read_bytes())
    data[broken.offset + {"header": 2, "middle": broken.n_bytes // 2, "checksum": broken.n_bytes - 1}[place]] ^= 4
    part.write_bytes(data)
    read, end = frames_of(part)
    assert [frame[:3] for frame in read] == [frame[:3] for frame in frames if frame is not broken]
    assert end == len(data)


def test_a_frame_that_is_missing_altogether(part):
    frames, _ = frames_of(part)
    data = part.read_bytes()
    gone = frames[4]
    part.write_bytes(data[: gone.offset] + data[gone.offset + gone.n_bytes :])
    read, _ = frames_of(part)
    assert [frame.first_sample for frame in read] == [frame.first_sample for frame in frames if frame is not gone]


@pytest.mark.parametrize("junk", [b"\0" * 100, b"\0" * 200_000, b"\xff\xf8" * 5000, b"junk" * 700])
def test_what_follows_the_last_frame_is_not_part_of_it(part, junk):
    frames, end = frames_of(part)
    part.write_bytes(part.read_bytes() + junk)
    read, now = frames_of(part)
    assert [frame[:3] for frame in read] == [frame[:3] for frame in frames] and now == end


def test_what_is_no_flac_file(tmp_path):
    path = tmp_path / "sound-0001.flac"
    for text in (b"", b"RIFF", b"#EXTM3U\n/etc/hostname\n", b"fLaC" + bytes(500), b"fLaC" + b"\x01\0\0\0" * 9999):
        path.write_bytes(text)
        with pytest.raises(BadInput, match="no sound"):
            SoundFile(path)
    with pytest.raises(BadInput, match="is missing"):
        SoundFile(tmp_path / "x.flac")
    (tmp_path / "link.flac").symlink_to(path)
    with pytest.raises(BadInput, match="is a link"):
        SoundFile(tmp_path / "link.flac")
