"""Several songs as one continuous sound."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fixtures.pulse import wait_until
from visualizer.audio import songlist
from visualizer.audio.decode import Song
from visualizer.audio.playback import SilentPlayback
from visualizer.audio.songlist import SongList
from visualizer.errors import BadInput, VisualizerError

from .sounds import chirp, write

RATE_HZ = 44_100


def write_song(path: Path, seconds: float, level: float = 1.0, rate_hz: int = RATE_HZ) -> Path:
    sound = level * chirp(round(seconds * rate_hz), rate_hz)
    return write(path, sound.astype(np.float32), codec="pcm_f32le", container="wav", rate_hz=rate_hz)


@pytest.fixture
def songs(tmp_path: Path) -> list[Path]:
    """Three of 1.0, 0.5 and 0.7 s."""
    return [
        write_song(tmp_path / f"{number}.wav", seconds, 1.0 / number)
        for number, seconds in ((1, 1.0), (2, 0.5), (3, 0.7))
    ]


def read_all(song: Song | SongList, n_samples: int = 3000) -> np.ndarray:
    blocks = []
    while len(block := song.read(n_samples)):
        blocks.append(block)
    return np.concatenate(blocks)


def whole(path: Path) -> np.ndarray:
    with Song(path) as song:
        return read_all(song)


def test_songs_of_one_rate_join_to_the_sample(songs: list[Path]) -> None:
    with SongList(songs) as joined:
        sound = read_all(joined)
        assert joined.position == len(sound)
    assert np.array_equal(sound, np.concatenate([whole(path) for path in songs]))


def test_a_song_of_another_rate_is_resampled_in_its_place(tmp_path: Path) -> None:
    paths = [write_song(tmp_path / "a.wav", 1.0), write_song(tmp_path / "b.wav", 1.0, rate_hz=48_000)]
    with SongList(paths) as joined:
        assert joined.sample_rate_hz == RATE_HZ
        sound = read_all(joined)
    assert abs(len(sound) - 2 * RATE_HZ) <= 2
    assert np.abs(sound[RATE_HZ + 300 : -300] - chirp(RATE_HZ, RATE_HZ)[300 : len(sound) - RATE_HZ - 300]).max() < 1e-3


@pytest.mark.parametrize(("file_hz", "list_hz"), [(8_000, 48_000), (22_050, 44_100), (96_000, 96_000)])
def test_a_list_has_a_rate_that_is_good_enough(tmp_path: Path, file_hz: int, list_hz: int) -> None:
    path = write_song(tmp_path / "a.wav", 0.2, rate_hz=file_hz)
    with SongList([path, path]) as several, SongList([path]) as single:
        assert several.sample_rate_hz == list_hz
        assert single.sample_rate_hz == file_hz


def test_places_in_the_list(songs: list[Path]) -> None:
    with SongList(songs) as joined:
        assert joined.at(0.25) == (0, 0.25, 1.0)
        read_all(joined)
        assert [joined.at(seconds).song for seconds in (0.0, 0.99, 1.0, 1.49, 1.5, 9.0)] == [0, 0, 1, 1, 2, 2]
        assert joined.at(1.75).seconds == pytest.approx(0.25)
        assert joined.song_start(RATE_HZ + 5) == RATE_HZ


def test_seeking_back_over_a_join_and_on_again(songs: list[Path]) -> None:
    with SongList(songs) as joined:
        sound = read_all(joined)
        for start in (100, RATE_HZ - 10, RATE_HZ, RATE_HZ + 10, len(sound) - 5):
            joined.seek(start)
            assert joined.position == start
            assert np.array_equal(read_all(joined), sound[start:])


def test_a_song_that_is_jumped_to_has_a_place_of_its_own(songs: list[Path]) -> None:
    with SongList(songs) as joined:
        joined.read(1000)
        start_s = joined.jump(2)
        joined.seek(round(start_s * RATE_HZ))
        assert joined.at(start_s + 0.1) == (2, pytest.approx(0.1), pytest.approx(0.7))
        assert np.array_equal(read_all(joined), whole(songs[2]))
        back_s = joined.jump(0)
        assert back_s > start_s
        joined.seek(round(back_s * RATE_HZ))
        assert np.array_equal(read_all(joined), np.concatenate([whole(path) for path in songs]))
        assert joined.at(back_s + 1.2).song == 1


def test_broken_songs_are_skipped_with_one_line_each(songs: list[Path], tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound at all")
    said: list[str] = []
    paths = [tmp_path / "missing.wav", songs[0], tmp_path / "text.wav", tmp_path / "text.wav", songs[1], tmp_path]
    with SongList(paths, say=said.append) as joined:
        assert np.array_equal(read_all(joined), np.concatenate([whole(songs[0]), whole(songs[1])]))
        assert [joined.neighbour(1, 1), joined.neighbour(4, -1), joined.neighbour(4, 1)] == [4, 1, None]
        joined.seek(round(joined.jump(3) * RATE_HZ))
        assert np.array_equal(read_all(joined), whole(songs[1])), "the next one that can be played"
    assert [line.endswith("; skipped") for line in said] == [True] * 4
    assert "no such file" in said[0] and "not sound" in said[1] and "is a folder" in said[3]


def test_a_song_whose_opening_fails_unexpectedly_is_skipped(songs: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(path: Path, **options: Any) -> Song:
        if path == songs[1]:
            raise RuntimeError("a fault of the decoder library")
        return Song(path, **options)

    monkeypatch.setattr(songlist, "Song", opened)
    said: list[str] = []
    with SongList(songs, say=said.append) as joined:
        sound = read_all(joined)
    assert np.array_equal(sound, np.concatenate([whole(songs[0]), whole(songs[2])]))
    assert len(said) == 1 and "2.wav: cannot be opened (RuntimeError" in said[0] and said[0].endswith("; skipped")


def test_a_list_of_which_nothing_can_be_played(tmp_path: Path) -> None:
    missing = [tmp_path / "a.wav", tmp_path / "b.wav"]
    said: list[str] = []
    with pytest.raises(VisualizerError, match="none of the 2 songs can be played") as caught:
        SongList(missing, say=said.append)
    assert caught.value.status == 1 and len(said) == 2
    with pytest.raises(BadInput, match="no such file"):
        SongList(missing[:1], say=said.append)
    assert len(said) == 2


def test_a_list_begins_with_the_song_asked_for(songs: list[Path]) -> None:
    with SongList(songs, first=songs[1]) as joined:
        assert joined.at(0.0).song == 1
        assert np.array_equal(read_all(joined), np.concatenate([whole(songs[1]), whole(songs[2])]))
    with SongList(songs, first=songs[1].parent / "gone.wav") as joined:
        assert joined.at(0.0).song == 0


def test_a_player_goes_through_the_list_and_jumps(songs: list[Path]) -> None:
    """What is drained has the indices of the continuous sound, and begins anew only at a jump."""
    now_s = 0.0
    with SongList(songs) as joined, SilentPlayback(joined, now=lambda: now_s) as player:
        player.start()
        end = time.monotonic() + 60
        blocks = []
        while sum(len(block) for _, block in blocks) < round(2.2 * RATE_HZ):
            now_s = min(now_s + 0.01, 2.0)
            blocks += player.drain()
            assert time.monotonic() < end
        assert blocks[0][0] == 0
        assert all(start + len(block) == after for (start, block), (after, _) in itertools.pairwise(blocks))
        assert joined.at(player.position_s).song == 2 and not player.ended
        start_s = joined.jump(1)
        player.seek(start_s)
        assert joined.at(player.position_s) == (1, 0.0, 0.5)
        first = wait_until(player.drain, "nothing is read after the jump")[0]
        assert first[0] == round(start_s * RATE_HZ), "no preroll out of another song"
        now_s += 1.3
        wait_until(lambda: player.ended, "the list does not end")


def test_closing_while_the_next_song_is_opened(songs: list[Path]) -> None:
    for _ in range(20):
        joined = SongList(songs)
        joined.read(10)
        joined.close()
        joined.close()
        assert joined.read(10).shape == (0, 2)
