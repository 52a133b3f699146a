"""A song whose channels cancel each other is followed all the same, and the same way, whichever way it comes in."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import numpy as np
import pytest

from tests import sounds
from tests.fixtures.pulse import Pulse, wait_until
from visualizer.audio.capture import Capture
from visualizer.audio.decode import Song
from visualizer.audio.input import OK, LiveInput
from visualizer.audio.mixing import to_mono
from visualizer.audio.playback import SilentPlayback
from visualizer.audio.songlist import SongList
from visualizer.cli.run import run
from visualizer.diagnostics.analyze import analyze
from visualizer.settings import BeatSettings
from visualizer.show.sources import analyzed
from visualizer.show.sources.song import SongFileSource, SongSource

RATE_HZ, SECONDS = 48_000, 5.0
KICKS = sounds.kicks(RATE_HZ, [0.5 * n for n in range(1, 10)], SECONDS)
HIGH = (0.2 * np.sin(2 * np.pi * 1000 * np.arange(len(KICKS)) / RATE_HZ)).astype(np.float32)
NOTE = "the channels cancel each other (is one inverted?); only the left channel is used"
SETTLED_S = 1.6


def song_of(folder: Path, left: np.ndarray, right: np.ndarray) -> Path:
    path = folder / "song.wav"
    sounds.write_wav(path, np.stack([left, right], axis=1), RATE_HZ)
    return path


def onsets_s(path: Path, said: list[str]) -> list[float]:
    return [onset.time_s for onset in analyze(path, BeatSettings(), 20, say=said.append).onsets]


@pytest.mark.parametrize("rest", [0 * HIGH, HIGH], ids=["all of it", "only the low frequencies"])
def test_the_kicks_of_an_inverted_song_are_those_of_one_side(tmp_path: Path, rest: np.ndarray) -> None:
    said: list[str] = []
    wanted = onsets_s(song_of(tmp_path, KICKS + rest, KICKS + rest), said)
    assert len(wanted) == 9 and said == []
    found = onsets_s(song_of(tmp_path, KICKS + rest, rest - KICKS), said)
    late = [time_s for time_s in wanted if time_s > SETTLED_S]
    assert [time_s for time_s in found if time_s > SETTLED_S] == pytest.approx(late, abs=0.03)
    assert said == [f"song.wav: {NOTE}"]


def test_a_dead_side_changes_no_kick(tmp_path: Path) -> None:
    said: list[str] = []
    wanted = onsets_s(song_of(tmp_path, KICKS, KICKS), said)
    assert onsets_s(song_of(tmp_path, KICKS, 0 * KICKS), said) == wanted and said == []


def test_every_source_hears_the_same(tmp_path: Path, pulse: Pulse, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the follower gets when the song is exported, played and captured, bit for bit."""
    path = song_of(tmp_path, KICKS + HIGH, HIGH - KICKS)
    taken: list[np.ndarray] = []

    class Analyzer:
        """Stands for the analyzer: keeps the sound."""

        def __init__(self, *_: object, **__: object) -> None:
            self.needs_ahead_s = self.start_s = 0.0
            self.sample_rate_hz = RATE_HZ

        def push(self, block: np.ndarray) -> int:
            taken.append(to_mono(block))
            return 0

        def finish(self) -> None:
            pass

    def heard() -> np.ndarray:
        whole = np.concatenate(taken)
        taken.clear()
        return whole

    monkeypatch.setattr(analyzed, "Analyzer", Analyzer)
    with Song(path) as song:
        exported = SongFileSource(song, BeatSettings())
        exported.take_in(SECONDS)
        in_export = heard()
        assert exported.mix_note == NOTE
    with SongList([path]) as song, SilentPlayback(song, now=iter(np.arange(0, 1e6, 0.1)).__next__) as playback:
        played = SongSource(playback, song, BeatSettings())
        playback.start()
        n_samples = len(in_export)

        def all_of_it() -> bool:
            played.take_in(0.0)
            return sum(map(len, taken)) >= n_samples

        wait_until(all_of_it, "the song was not read")
        assert np.array_equal(heard(), in_export)
        assert playback.news() == f"song.wav: {NOTE}" and not playback.news()
    with Song(path) as song, Capture() as capture:
        assert (capture.sample_rate_hz, capture._n_channels) == (RATE_HZ, 2)
        capture._go_on, capture._input_overflow = 0, 2
        while len(block := song.read(256)):
            capture._callback(block.tobytes(), len(block), None, 0)
            taken.extend(capture.drain()[0])
        assert capture.lost is None and np.array_equal(heard(), in_export)
        assert capture.mix_note == NOTE.replace("the left channel", "channel 1")


def test_of_a_list_each_song_is_mixed_for_itself(tmp_path: Path) -> None:
    paths = []
    for name, right in (("inverted", -KICKS), ("ordinary", KICKS)):
        (tmp_path / name).mkdir()
        paths.append(song_of(tmp_path / name, KICKS, right))
    with SongList(paths) as songs, SilentPlayback(songs, now=iter(np.arange(0, 1e6, 0.1)).__next__) as playback:
        playback.start()
        taken: list[np.ndarray] = []
        lines: list[str] = []

        def all_of_it() -> bool:
            taken.extend(to_mono(block) for _, block in playback.drain())
            lines.extend(line for line in [playback.news()] if line)
            assert playback.position_s >= 0  # time goes on
            return sum(map(len, taken)) >= 2 * len(KICKS)

        wait_until(all_of_it, "the songs were not read")
    with Song(paths[1]) as song:
        ordinary = to_mono(song.read(len(KICKS)))
    assert np.array_equal(np.concatenate(taken)[len(KICKS) :], ordinary)
    assert lines == [f"song.wav: {NOTE}"]


def test_an_inverted_input_is_reported_once_and_is_not_only_zeros(
    mortal_pulse: Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A balanced cable in a stereo input."""
    monkeypatch.setattr("visualizer.audio.input.ZEROS_S", 0.5)
    mortal_pulse.control("load-module", "module-null-sink", "sink_name=line", "norewinds=1")
    stereo = np.stack([KICKS + HIGH, -KICKS - HIGH], axis=1)  # never only zeros, not even for a moment
    lines: deque[str] = deque()
    n_heard = 0
    with mortal_pulse.play(np.tile(stereo, (20, 1)), sink="line"), LiveInput("line.monitor") as source:
        source.start()

        def loudest() -> float:
            nonlocal n_heard
            while line := source.news():
                lines.append(line)
            blocks = source.drain()[0]
            n_heard += sum(map(len, blocks))
            return max((float(np.abs(block).max()) for block in blocks), default=0.0)

        wait_until(lambda: loudest() > 0.3, "the sound cancels")
        noted = [line for line in lines if "cancel each other" in line]
        assert [line.rpartition("; ")[2] for line in noted] == ["only channel 1 is used"]
        assert noted[0].startswith("Monitor of Null Output: the channels cancel each other")
        n_enough = n_heard + RATE_HZ  # longer than ZEROS_S: whoever listened to the sum would say so, and stay at it
        wait_until(lambda: loudest() > 0.3 and n_heard > n_enough and source.state == OK, "only zeros")
        assert source.n_losses == 0
        left, right = wait_until(lambda: (peaks := source.take_peaks()) and min(peaks) > 0.1 and peaks)
        assert left == pytest.approx(right, abs=0.05)


def test_the_command_says_so_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["analyze", str(song_of(tmp_path, KICKS, -KICKS))]) == 0
    out, err = capsys.readouterr()
    assert "7 kicks" in out and err == f"visualizer: song.wav: {NOTE}\n"
