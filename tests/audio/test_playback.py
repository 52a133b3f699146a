"""Playing in silence: an exact clock, and sound read ahead for the follower. All times are handed in."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.fixtures.pulse import wait_until
from visualizer.audio.decode import Song
from visualizer.audio.mixing import to_mono
from visualizer.audio.playback import SilentPlayback

from .sounds import chirp, wav_bytes

RATE_HZ = 8_000


class Now:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def song(tmp_path: Path) -> Song:
    (tmp_path / "a.wav").write_bytes(wav_bytes(chirp(30 * RATE_HZ, RATE_HZ), RATE_HZ))
    return Song(tmp_path / "a.wav")


def drained_until(player: SilentPlayback, second: float) -> tuple[int, np.ndarray]:
    """Drain until the sound reaches `second` of the song -> (first index, all of it), which must be without a gap."""
    first, parts, n_end = None, [], 0

    def reached() -> bool:
        nonlocal first, n_end
        for start, block in player.drain():
            assert block.dtype == np.float32 and block.shape[1] == 2 and len(block)
            if first is None:
                first = n_end = start
            assert start == n_end
            parts.append(block)
            n_end += len(block)
        return n_end >= second * RATE_HZ

    wait_until(reached, f"the sound does not reach {second} s")
    assert first is not None
    return first, to_mono(np.concatenate(parts))


def test_position_is_the_clock(song: Song) -> None:
    now = Now()
    with SilentPlayback(song, now=now) as player:
        assert player.position_s == 0.0
        now.s += 5
        player.start()
        player.start()
        assert player.position_s == 0.0
        now.s += 1.25
        assert player.position_s == 1.25
        player.pause()
        now.s += 100
        assert (player.position_s, player.paused, player.ended) == (1.25, True, False)
        player.resume()
        now.s += 0.5
        assert player.position_s == 1.75
        player.seek(20.0)
        assert player.position_s == 20.0
        now.s += 1
        assert player.position_s == 21.0
        assert (player.lost, player.n_underruns) == (None, 0)


def test_paused_before_the_start(song: Song) -> None:
    now = Now()
    with SilentPlayback(song, now=now) as player:
        player.pause()
        player.start()
        now.s += 3
        assert player.position_s == 0.0
        player.resume()
        now.s += 3
        assert player.position_s == 3.0


def test_ends_when_all_was_heard_and_can_be_sought_back(song: Song) -> None:
    now = Now()
    with SilentPlayback(song, now=now) as player:
        player.start()
        player.seek(29.0)
        now.s += 0.9
        drained_until(player, 29.9)
        assert not player.ended
        wait_until(lambda: (player.drain(), player.is_drained)[1], "its end is not read")
        now.s += 5
        wait_until(lambda: player.ended, "it does not end")
        assert player.position_s == 30.0
        player.seek(10.0)
        assert not player.ended and not player.is_drained
        now.s += 0.25
        assert player.position_s == 10.25


@pytest.mark.parametrize(
    ("target_s", "position_s"), [(-3.0, 0.0), (1e9, 30.0), (float("inf"), 30.0), (float("nan"), 0.0), (30.0, 30.0)]
)
def test_seek_is_clamped(song: Song, target_s: float, position_s: float) -> None:
    now = Now()
    with SilentPlayback(song, now=now) as player:
        player.start()
        player.pause()
        player.seek(target_s)
        assert player.position_s == position_s
        if position_s == 30.0:
            wait_until(lambda: player.ended, "it does not end")


def test_sound_for_the_follower_is_ahead_and_without_a_gap(song: Song) -> None:
    now = Now()
    with SilentPlayback(song, now=now) as player:
        player.start()
        start, sound = drained_until(player, 1.9)
        assert start == 0
        assert player.position_s == 0.0
        for _ in range(20):
            now.s += 0.2
            start, more = drained_until(player, player.position_s + 0.25)
            assert start == len(sound)
            sound = np.concatenate([sound, more])
    left_and_right = chirp(30 * RATE_HZ, RATE_HZ)
    assert np.abs(sound - left_and_right.mean(axis=1)[: len(sound)]).max() < 1e-6
    assert len(sound) / RATE_HZ < 4.0 + 2.5  # ahead, but not the whole song


def test_after_a_seek_the_preroll_comes_first(song: Song) -> None:
    with SilentPlayback(song, now=Now()) as player:
        player.start()
        drained_until(player, 1.0)
        player.seek(20.0)
        start, sound = drained_until(player, 21.0)
        assert start == 18 * RATE_HZ
        wanted = chirp(30 * RATE_HZ, RATE_HZ).mean(axis=1)[start : start + len(sound)]
        assert np.abs(sound - wanted).max() < 1e-6
        player.seek(0.5)
        assert drained_until(player, 1.0)[0] == 0


def test_many_seeks_leave_only_the_last(song: Song) -> None:
    with SilentPlayback(song, now=Now()) as player:
        player.start()
        for second in range(25):
            player.seek(second)
        start, _ = drained_until(player, 25.0)
        assert start == 22 * RATE_HZ
        assert player.position_s == 24.0


def test_paused_it_stays_ahead_and_no_more(song: Song) -> None:
    now = Now()
    with SilentPlayback(song, now=now) as player:
        player.start()
        player.pause()
        _, sound = drained_until(player, 1.9)
        now.s += 60
        threading.Event().wait(0.2)  # time for a wrong player to read on
        assert sum(len(block) for _, block in player.drain()) + len(sound) <= 2.3 * RATE_HZ


def test_sound_nobody_drains_is_dropped_and_counted(song: Song) -> None:
    now = Now()
    with SilentPlayback(song, now=now) as player:
        player.start()

        def at_end() -> bool:
            now.s += 0.5
            return player.ended

        wait_until(at_end, "it does not end")
        kept = player.drain()
        n_kept = sum(len(block) for _, block in kept)
        assert n_kept <= 15 * RATE_HZ
        assert player.n_dropped + n_kept == 30 * RATE_HZ
        assert kept[0][0] == player.n_dropped


def test_a_song_that_breaks_off_ends_the_playback(song: Song, monkeypatch: pytest.MonkeyPatch) -> None:
    now = Now()
    with SilentPlayback(song, now=now) as player:
        player.start()
        drained_until(player, 1.0)

        def fail(_: int) -> np.ndarray:
            raise RuntimeError("the disk is gone")

        monkeypatch.setattr(song, "read", fail)
        now.s += 10
        wait_until(lambda: player.ended, "it does not end")
        assert player.position_s < 10
        player.seek(3.0)
        wait_until(lambda: player.ended, "it does not end again")


@pytest.mark.parametrize("what", ["read", "seek"])
def test_a_song_closed_while_it_is_read_stays_open_for_the_reader(
    song: Song, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    """A file on a slow disk: the reader does not come back before the song is closed."""
    source, inside, may_go_on = song._decoder, threading.Event(), threading.Event()
    real = source.next_block
    found_open = []

    def slow() -> np.ndarray | None:
        inside.set()
        may_go_on.wait(60)
        found_open.append(source._container is not None)
        return real()

    player = SilentPlayback(song)
    monkeypatch.setattr(source, "next_block", slow)
    player.start()
    if what == "seek":
        player.seek(20.0)
    assert inside.wait(60)
    player.close()  # waits for a second
    song.close()
    song.close()
    may_go_on.set()
    wait_until(lambda: found_open, "it was not read")
    wait_until(lambda: source._container is None, "the file stays open")
    assert found_open == [True]
    assert len(song.read(10)) == 0
    song.seek(5)
    assert not [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]


def test_close_ends_the_thread_and_leaves_the_song_open(song: Song) -> None:
    gc.collect()
    n_before = threading.active_count()
    for _ in range(5):
        player = SilentPlayback(song)
        player.start()
        player.close()
        player.close()
        player.start()  # closed is closed
    SilentPlayback(song).close()  # never started
    wait_until(lambda: threading.active_count() <= n_before, "threads are left")
    song.seek(0)
    assert len(song.read(10)) == 10
