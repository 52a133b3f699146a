"""What is not a song, or only half of one: one clear line, never a trace of the decoder, never a hang."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from visualizer.audio.decode import Song
from visualizer.errors import BadInput

from .sounds import FORMATS, chirp, wav_bytes, write_named


def length(song: Song, limit: int = 10**8) -> int:
    """Samples until the end."""
    n_samples = 0
    while len(block := song.read(50_000)):
        assert np.isfinite(block).all()
        n_samples += len(block)
        assert n_samples < limit, "there is no end to it"
    return n_samples


def fault(path: Path, **arguments: int) -> str:
    with pytest.raises(BadInput) as caught:
        Song(path, **arguments)
    message = str(caught.value)
    assert "\n" not in message
    assert "Errno" not in message and "av." not in message.replace(str(path), "")
    return message


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.mp3", b"", "is empty"),
        ("text.mp3", b"It was a dark and stormy night; the rain fell in torrents.\n" * 50, "not sound|no sound"),
        ("one.wav", b"R", "not sound|no sound"),
        ("header.wav", b"RIFF\x24\0\0\0WAVE", "not sound|no sound"),
        ("zeros.mp3", bytes(100_000), "not sound|no sound"),
        ("list.mp3", b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n/etc/hostname\n#EXT-X-ENDLIST\n", "not sound|playlist"),
        ("list.wav", b"ffconcat version 1.0\nfile '/etc/hostname'\n", "not sound|playlist"),
        ("page.flac", b"<!DOCTYPE html><html><body>404</body></html>", "not sound|no sound"),
        ("flac.flac", b"fLaC" + bytes(500), "not sound|no sound"),
        ("ogg.ogg", b"OggS" + bytes(500), "not sound|no sound"),
    ],
)  # fmt: skip
def test_what_is_not_sound_is_said_to_be_none(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    message = fault(path)
    assert str(path) in message
    assert any(word in message for word in words.split("|")), message


def test_things_that_are_no_files(tmp_path: Path) -> None:
    assert "is a folder" in fault(tmp_path)
    assert "no such file" in fault(tmp_path / "missing.mp3")
    assert "nul" in fault(tmp_path / "nul\0byte.mp3")
    assert "cannot be read" in fault(tmp_path / ("x" * 5000))
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.wav")
        assert "not a regular file" in fault(tmp_path / "pipe.wav")


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_named(tmp_path, "a.wav", 0.1)
    path.chmod(0)
    if os.access(path, os.R_OK):  # as root: nothing is forbidden, so be somebody else as far as the program can tell

        def refuse(*_: object, **__: object) -> None:
            raise av.error.PermissionError(13, "Permission denied")

        monkeypatch.setattr(av, "open", refuse)
        monkeypatch.setattr(os, "access", lambda *_: False)
    assert "permission" in fault(path)


def test_pictures_and_silent_films(tmp_path: Path) -> None:
    Image.new("RGB", (40, 30), "red").save(tmp_path / "a.png")
    Image.new("RGB", (40, 30), "red").save(tmp_path / "a.mp3", format="png")
    Image.new("RGB", (40, 30), "red").save(tmp_path / "a.jpg")
    for name in ("a.png", "a.mp3", "a.jpg"):
        assert "sound" in fault(tmp_path / name)


@pytest.mark.parametrize("rate_hz", [0, -1, 7_999, 192_001, 10**9])
def test_rate_asked_for_is_checked(tmp_path: Path, rate_hz: int) -> None:
    path = write_named(tmp_path, "a.wav", 0.1)
    if rate_hz == 0:
        assert "0 Hz" in fault(path, sample_rate_hz=0)
    assert "allowed: 8000 .. 192000" in fault(path, sample_rate_hz=rate_hz)


@pytest.mark.parametrize("rate_hz", [0, 1, 999, 2**31 - 1])
def test_absurd_rate_in_the_header(tmp_path: Path, rate_hz: int) -> None:
    (tmp_path / "a.wav").write_bytes(wav_bytes(np.ones((1000, 2), np.int16), rate_hz))
    assert "a.wav" in fault(tmp_path / "a.wav")


def test_absurd_channel_counts(tmp_path: Path) -> None:
    (tmp_path / "none.wav").write_bytes(wav_bytes(np.ones((1000, 1), np.int16), 44_100, n_channels=0))
    assert "none.wav" in fault(tmp_path / "none.wav")
    (tmp_path / "many.wav").write_bytes(wav_bytes(np.full((1000, 64), 16384, np.int16), 44_100))
    with Song(tmp_path / "many.wav") as song:
        sound = song.read(2000)
    assert sound.shape == (1000, 2)
    assert np.abs(sound - 0.5).max() < 1e-3


def test_sound_of_no_length(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav_bytes(np.empty((0, 2), np.int16), 44_100))
    assert "no sound" in fault(tmp_path / "a.wav")


@pytest.mark.parametrize("claimed", [0xFFFFFFFF, 0x7FFFFFF0, 0, 10_000_000])
def test_length_is_what_is_there_not_what_the_header_claims(tmp_path: Path, claimed: int) -> None:
    (tmp_path / "a.wav").write_bytes(wav_bytes(np.ones((44_100, 2), np.int16), 44_100, claimed_bytes=claimed))
    with Song(tmp_path / "a.wav") as song:
        assert song.duration_s == pytest.approx(1.0, abs=0.01)
        assert length(song) == pytest.approx(44_100, abs=441)


def test_values_that_are_no_numbers_become_silence_and_are_counted(tmp_path: Path) -> None:
    sound = chirp(20_000, 44_100)
    sound[5_000:5_010] = np.nan
    sound[6_000, 0] = np.inf
    sound[7_000, 1] = 1e30
    (tmp_path / "a.wav").write_bytes(wav_bytes(sound, 44_100))
    with Song(tmp_path / "a.wav") as song:
        assert song.n_nonfinite == 0
        read = song.read(30_000)
        assert song.n_nonfinite == 21
    assert not read[5_000:5_010].any()
    assert read[6_000, 0] == 0
    assert read[7_000, 1] == 8
    assert np.array_equal(read[:5_000], sound[:5_000])


@pytest.mark.parametrize("share", [0.7, 0.1])
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_cut_off_file_plays_what_is_there(
    tmp_path: Path, name: str, share: float, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_named(tmp_path, name, 3.0)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    rate_hz = FORMATS[name][2]
    try:
        song = Song(path)
    except BadInput as error:  # MP4 has its table of contents at the end
        assert name.endswith(".m4a") or share == 0.1, str(error)
        return
    with song:
        n_samples = length(song)
        assert 0 < n_samples <= 3.0 * rate_hz * share * 1.7 + 5000
        assert song.duration_s == pytest.approx(n_samples / rate_hz)
        song.seek(n_samples // 2)
        assert song.position == n_samples // 2
        assert abs(length(song) - (n_samples - n_samples // 2)) <= 1


def test_a_song_that_loses_its_end_says_so_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_named(tmp_path, "a.flac", 3.0)
    path.write_bytes(path.read_bytes()[:20_000])
    with caplog.at_level(logging.WARNING), Song(path) as song:
        assert (song.duration_s or 9) < 2.5
    assert "ends after" in caplog.text


@pytest.mark.parametrize("name", ["a.mp3", "a.flac", "a.m4a", "a.opus", "a.ogg", "a.aac", "a.wma", "a.mka"])
def test_damage_in_the_middle_is_survived_in_place(
    tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    path = write_named(tmp_path, name, 4.0)
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(3)
    start = len(content) // 2
    content[start : start + 600] = rng.integers(0, 256, 600, np.uint8).tobytes()
    with Song(path) as song:
        whole = song.read(10**6)
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING), Song(path) as song:
        damaged = song.read(10**6)
        assert np.isfinite(damaged).all()
        if name != "a.mka":  # where the demuxer finds no way back into a damaged cluster
            assert abs(len(damaged) - len(whole)) < song.sample_rate_hz * 0.35
        n_whole = song.sample_rate_hz * 9 // 10  # what comes before is untouched
        assert np.abs(damaged[:n_whole] - whole[:n_whole]).max() < 1e-3
    assert len(caplog.records) <= 4, "told once, not for every packet"
    assert capfd.readouterr().err == ""


@given(data=st.binary(min_size=1, max_size=4000), head=st.sampled_from(
    [b"", b"RIFF\xff\xff\xff\xffWAVEfmt ", b"fLaC", b"OggS\0\x02", b"ID3\x03\0\0\0\0", b"\xff\xfb\x90\x00", b"\xff\xf1\x50\x80",
     b"FORM\0\0\0\x40AIFF", b"\0\0\0\x20ftypM4A ", b"\x1a\x45\xdf\xa3", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", b"#EXTM3U\n",
     b"caff\0\x01\0\0", b".snd", b"MThd", b"FLV\x01\x05"]))  # fmt: skip
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_bytes(tmp_path: Path, head: bytes, data: bytes) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(head + data)
    try:
        song = Song(path)
    except BadInput as error:
        assert "\n" not in str(error)
        return
    with song:
        length(song)


@given(
    name=st.sampled_from(["a.wav", "a.mp3", "a.flac", "a.ogg", "a.opus", "a.m4a", "a.aiff", "a.mka", "a.wma", "a.aac"]),
    hits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=40),
    place=st.integers(0, 50_000),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.slow
def test_damaged_bytes_anywhere(
    small_files: dict[str, bytes], tmp_path: Path, name: str, hits: list[tuple[float, int]], place: int
) -> None:
    content = bytearray(small_files[name])
    for where, value in hits:  # most of them in the head, where they hurt
        content[min(int(where**3 * len(content)), len(content) - 1)] = value
    path = tmp_path / name
    path.write_bytes(content)
    try:
        song = Song(path)
    except BadInput as error:
        assert "\n" not in str(error)
        return
    with song:
        length(song)
        song.seek(place)
        length(song)


@pytest.fixture(scope="module")
def small_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("small")
    return {name: write_named(folder, name, 1.2).read_bytes() for name in FORMATS}
