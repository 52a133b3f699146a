"""Songs are read and sought to the sample, whatever they are encoded with."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from visualizer.audio.decode import Song

from .sounds import FORMATS, chirp, wav_bytes, write, write_named

LOSSLESS = {"a.wav", "24bit.wav", "float.wav", "u8.wav", "a.flac", "alac.m4a", "a.aiff"}
SECONDS = 4.0


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("songs")
    for name in FORMATS:
        write_named(folder, name, SECONDS)
    return folder


def read_all(song: Song, n_samples: int = 10_000) -> np.ndarray:
    blocks = []
    while len(block := song.read(n_samples)):
        blocks.append(block)
    return np.concatenate(blocks) if blocks else np.empty((0, 2), np.float32)


@pytest.mark.parametrize("name", FORMATS)
def test_sound_is_what_was_encoded(songs: Path, name: str) -> None:
    rate_hz = FORMATS[name][2]
    with Song(songs / name) as song:
        sound = read_all(song)
        assert (song.sample_rate_hz, song.n_channels, sound.dtype) == (rate_hz, 2, np.float32)
        assert song.duration_s == pytest.approx(len(sound) / rate_hz)
        assert song.position == len(sound)
    wanted = chirp(round(SECONDS * rate_hz), rate_hz)
    # raw AAC and AAC in a transport stream have no place to say how many samples are the encoder's priming
    # and the WMA decoder swallows its first frame
    primed = {"a.aac": 1024, "a.ts": 1024, "a.wma": -2048}.get(name, 0)
    assert len(wanted) - 512 <= len(sound) - primed <= len(wanted) + 2 * 2048
    middle = slice(rate_hz // 2, round((SECONDS - 0.5) * rate_hz))
    difference = np.abs(sound[rate_hz // 2 + primed :][: len(wanted[middle])] - wanted[middle])
    if name in LOSSLESS:
        assert difference.max() < (0.01 if name == "u8.wav" else 1e-4)
    else:
        assert np.sqrt(np.square(difference).mean()) < 0.03
    if name not in LOSSLESS:  # in its place to the sample: any shift fits worse
        errors = {
            shift: np.square(sound[rate_hz // 2 + primed + shift :][: len(wanted[middle])] - wanted[middle]).mean() for shift in (-2, -1, 0, 1, 2)        }  # fmt: skip
        assert min(errors, key=errors.__getitem__) == 0


@pytest.mark.parametrize("asked_hz", [None, 32_000])
@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.slow
def test_seek_then_read_equals_reading_straight_through(songs: Path, name: str, asked_hz: int | None) -> None:
    rng = np.random.default_rng(1)
    with Song(songs / name, sample_rate_hz=asked_hz) as song:
        whole = read_all(song)
        edges = [0, 1, 1151, 1152, len(whole) - 1, len(whole) // 2]
        for start in [*edges, *rng.integers(0, len(whole), 8)]:
            song.seek(int(start))
            assert song.position == start
            piece = song.read(3000)
            wanted = whole[start : start + 3000]
            assert piece.shape == wanted.shape
            # codecs that fill bands with noise of their own (AAC) or predict (Opus) may differ by a hair
            assert np.abs(piece - wanted).max() < 2e-3


@given(data=st.data())
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.large_base_example],
)
@pytest.mark.slow
def test_any_split_into_reads_gives_the_same_samples(songs: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["a.mp3", "a.flac", "a.wav"]))
    asked_hz = data.draw(st.sampled_from([None, 8_000, 48_000]))
    with Song(songs / name, sample_rate_hz=asked_hz) as song:
        whole = song.read(60_000)
        song.seek(0)
        parts, n_got = [], 0
        while n_got < len(whole):
            part = song.read(min(30_001 - data.draw(st.integers(0, 30_000)), len(whole) - n_got))
            parts.append(part)
            n_got += len(part)
        assert np.array_equal(np.concatenate(parts), whole)


def test_seeking_outside_is_clamped(songs: Path) -> None:
    for name in ("a.mp3", "a.wav", "a.mka", "a.aac"):
        with Song(songs / name) as song:
            n_samples = len(read_all(song))
            song.seek(10**12)
            assert song.position == n_samples
            assert song.read(10).shape == (0, 2)
            song.seek(-5)
            assert song.position == 0
            assert len(read_all(song)) == n_samples


def test_seeking_outside_is_clamped_at_another_rate(songs: Path) -> None:
    with Song(songs / "a.aac", sample_rate_hz=48_000) as song:
        n_samples = len(read_all(song))
        song.seek(10**12)
        assert song.position == n_samples


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 44_100, 88_200, 192_000])
def test_any_rate_is_kept(tmp_path: Path, rate_hz: int) -> None:
    path = write(tmp_path / "a.wav", chirp(rate_hz, rate_hz), codec="pcm_s16le", container="wav", rate_hz=rate_hz)
    with Song(path) as song:
        assert song.sample_rate_hz == rate_hz
        assert len(read_all(song)) == rate_hz


@pytest.mark.parametrize(("file_hz", "song_hz"), [(4_000, 8_000), (384_000, 192_000)])
def test_rate_outside_the_program_is_brought_to_its_bound(tmp_path: Path, file_hz: int, song_hz: int) -> None:
    (tmp_path / "a.wav").write_bytes(wav_bytes((chirp(file_hz, file_hz) * 32767).astype(np.int16), file_hz))
    with Song(tmp_path / "a.wav") as song:
        assert song.sample_rate_hz == song_hz
        assert song.duration_s == pytest.approx(1.0, abs=0.001)


def test_resampling_keeps_sound_in_its_place(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", chirp(88_200, 44_100), codec="pcm_f32le", container="wav", rate_hz=44_100)
    with Song(path, sample_rate_hz=48_000) as song:
        sound = read_all(song)
    assert abs(len(sound) - 96_000) <= 1
    assert np.abs(sound[500:-500] - chirp(96_000, 48_000)[500 : len(sound) - 500]).max() < 1e-3


def test_mono_fills_both_sides_at_full_level(tmp_path: Path) -> None:
    sound = chirp(20_000, 44_100, 1)
    path = write(tmp_path / "a.wav", sound, codec="pcm_f32le", container="wav", rate_hz=44_100)
    with Song(path) as song:
        assert np.array_equal(read_all(song), np.repeat(sound, 2, axis=1))


def test_surround_is_folded_down_without_clipping(tmp_path: Path) -> None:
    loud = np.ones((9_600, 6), np.float32)
    path = write(tmp_path / "a.wav", loud, codec="pcm_f32le", container="wav", rate_hz=48_000)
    centre = np.zeros((9_600, 6), np.float32)
    centre[:, 2] = 1.0
    other = write(tmp_path / "b.wav", centre, codec="pcm_f32le", container="wav", rate_hz=48_000)
    with Song(path) as song, Song(other) as centred:
        assert read_all(song).max() == pytest.approx(1.0, abs=1e-6)
        sides = read_all(centred)
        assert sides[100, 0] == sides[100, 1] > 0.2


def test_sound_of_a_video(tmp_path: Path) -> None:
    sound = chirp(88_200, 44_100)
    path = write(
        tmp_path / "a.mp4", sound, codec="aac", container="mp4", rate_hz=44_100, bit_rate=128_000, picture=True
    )
    with Song(path) as song:
        whole = read_all(song)
        assert song.duration_s == pytest.approx(2.0, abs=0.05)
        song.seek(60_000)
        assert np.abs(song.read(2000) - whole[60_000:62_000]).max() < 2e-3


def test_cover_art_is_not_in_the_way(tmp_path: Path) -> None:
    plain = write_named(tmp_path, "a.mp3", 1.0)
    tagged = tmp_path / "tagged.mp3"
    title = b"TIT2" + (9).to_bytes(4, "big") + b"\0\0" + b"\0\xff\xfe\x80abcde"  # a title in no encoding at all
    picture = (
        b"APIC" + (1200).to_bytes(4, "big") + b"\0\0" + b"\0image/png\0\x03\0" + b"\x89PNG\r\n\x1a\n" + bytes(1179)
    )
    frames = title + picture
    n = len(frames)
    size = bytes([n >> 21 & 127, n >> 14 & 127, n >> 7 & 127, n & 127])
    tagged.write_bytes(b"ID3\x03\0\0" + size + frames + plain.read_bytes())
    with Song(plain) as song, Song(tagged) as other:
        assert np.array_equal(read_all(song), read_all(other))


def test_strange_names(tmp_path: Path) -> None:
    plain = write_named(tmp_path, "a.wav", 0.2)
    for name in ("http:song.wav", "concat:a|b.wav", "snow ☃ %d.wav", "-i.wav", "a'b\"c\\d.wav"):
        (tmp_path / name).write_bytes(plain.read_bytes())
        with Song(tmp_path / name) as song:
            assert len(read_all(song)) == 8820


def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    path = write(tmp_path / "a.flac", chirp(44_100 * 60, 44_100), codec="flac", container="flac", rate_hz=44_100)
    tracemalloc.start()
    try:
        with Song(path) as song:
            while len(song.read(4096)):
                pass
            song.seek(44_100 * 50)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6_000_000  # the sound itself is 21 MB as float32


def test_two_songs_of_one_file_yield_the_same_bits(songs: Path) -> None:
    with Song(songs / "a.m4a") as one, Song(songs / "a.m4a") as other:
        other.seek(50_000)
        other.seek(0)
        assert np.array_equal(read_all(one, 999), read_all(other, 4096))


def test_nothing_is_left_open(songs: Path) -> None:
    opened = Path("/proc/self/fd")
    if not opened.is_dir():
        pytest.skip("only Linux lists its open files")

    def n_open() -> int:
        names = []
        for file in opened.iterdir():
            with suppress(FileNotFoundError):  # another thread's, closed meanwhile
                names.append(file.readlink())
        return names.count(songs / "a.mp3")

    for _ in range(5):
        with Song(songs / "a.mp3") as song:
            song.seek(90_000)
            assert n_open() == 1
        song.close()
        song.seek(7)
        assert song.read(5).shape == (0, 2)
        assert song.duration_s == pytest.approx(SECONDS, abs=0.1)
    assert n_open() == 0
