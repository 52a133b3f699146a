"""Songs one after another: places, keys, lines for the user, and going on after a crash."""

from __future__ import annotations

import dataclasses
import shutil
import signal
from collections import deque
from pathlib import Path

import psutil
import pytest

from tests.fixtures.watching import finished, wait_for, window_shown
from tests.sounds import KICKS_S, kicks, write_wav
from visualizer.audio.playback import SilentPlayback
from visualizer.audio.songlist import SongList
from visualizer.errors import BadInput
from visualizer.files.remembered import remember_delay_ms
from visualizer.show.play import song_list
from visualizer.show.song_output import OutputDelay
from visualizer.show.sources.song import SongSource
from visualizer.supervision.resume import ResumeState

RATE_HZ = 22_050


@pytest.fixture
def songs(tmp_path):
    paths = [tmp_path / f"{number}.wav" for number in (1, 2, 3)]
    for path in paths:
        write_wav(path, kicks(RATE_HZ, KICKS_S, 8.0), RATE_HZ)
    return paths


@pytest.fixture
def act(songs, clock, loaded):
    with SongList(songs) as joined, SilentPlayback(joined, now=clock) as playback:
        act = SongSource(playback, joined, loaded.settings.beat)
        playback.start()
        yield act


def where(act):
    values = act.resume_values()
    return values["song"][-5], round(values["position_s"], 3)


def test_keys_go_through_the_list(act, clock):
    clock.now_s = 2.0
    assert act.do("next_song") == "2 / 3  2.wav" and where(act) == ("2", 0.0)
    assert act.title == "2.wav - visualizer"
    line = "song\t0:00 / 0:08  song 2 of 3  2.wav"
    wait_for(lambda: act.status()[0] == line, "the length of the song")
    clock.now_s = 4.0
    act.do("seek_forward")
    assert where(act) == ("2", 7.0)
    assert act.do("previous_song") == "2 / 3  2.wav" and where(act) == ("2", 0.0), "first to its beginning"
    assert act.do("previous_song") == "1 / 3  1.wav" and where(act) == ("1", 0.0)
    act.do("seek_back")
    assert act.do("previous_song") == "1 / 3  1.wav" and where(act) == ("1", 0.0)
    act.do("pause")
    assert act.do("next_song") and act.do("next_song") == "3 / 3  3.wav"
    clock.now_s = 50.0
    assert where(act) == ("3", 0.0), "paused, it stands at the beginning of the song"
    assert act.do("next_song") == "this is the last song"
    assert act.news() is None, "what was answered to a key is not said again"
    act.do("previous_song")
    for _ in range(2):
        act.do("seek_forward")
    assert where(act) in (("2", 8.0), ("3", 0.0)), "no further than to the end of the song"


def test_a_song_that_begins_by_itself_is_announced(act, clock):
    assert act.news() is None
    act.lines.append("x.wav: not sound; skipped")
    assert act.news() == "x.wav: not sound; skipped"
    _play_until(act, clock, 8.5)
    assert act.news() == "2 / 3  2.wav" and act.news() is None
    assert where(act)[0] == "2"


def test_the_picture_follows_the_kicks_over_a_join_and_after_a_jump(act, clock):
    levels = _play_until(act, clock, 8.9)
    kick_s = 8.0 + KICKS_S[0]
    assert max(level for at_s, level in levels if kick_s - 0.02 < at_s < kick_s + 0.1) > 0.66
    act.do("next_song")
    begin_s = clock.now_s
    levels = _play_until(act, clock, begin_s + 0.7)
    assert max(level for at_s, level in levels if begin_s + 0.45 < at_s) > 0.66
    assert max(level for at_s, level in levels if begin_s + 0.2 < at_s < begin_s + 0.4) < 0.5


def test_the_end_of_the_last_song_is_shown_and_what_is_sought_after_it(tmp_path, clock, loaded):
    write_wav(tmp_path / "a.wav", kicks(RATE_HZ, [0.5, 1.0, 2.7], 3.0), RATE_HZ)
    with SongList([tmp_path / "a.wav"]) as joined, SilentPlayback(joined, now=clock) as playback:
        act = SongSource(playback, joined, loaded.settings.beat)
        playback.start()
        levels = _play_until(act, clock, 2.95)
        assert max(level for at_s, level in levels if at_s > 2.65) > 0.66
        levels = _play_until(act, clock, 4.0)
        assert act.ended and act.analyzer.n_kicks == 3
        playback.seek(0.3)
        levels = _play_until(act, clock, 4.3)
        assert max(level for at_s, level in levels) > 0.66 and not act.ended


def _play_until(act, clock, end_s):
    """Move the clock on, a display frame at a time, as fast as the song is read -> (time, level) of each."""
    import time

    levels, until = [], time.monotonic() + 60
    while clock.now_s < end_s:
        ahead_s = act.playback.position_s + act.analyzer.needs_ahead_s
        while act._next_sample / act.sample_rate_hz < ahead_s and not act.playback.is_drained:
            act.take_in(act.position_s())
            assert time.monotonic() < until, "the song is not read"
            time.sleep(0.001)
        clock.now_s += 1 / 60
        levels.append((clock.now_s, act.features_at(act.position_s()).level))
    return levels


def test_a_show_that_is_started_again_goes_on_in_the_same_song(songs, clock, loaded):
    state = ResumeState.from_json(ResumeState(song=str(songs[1]), position_s=3.0).to_json())
    with SongList(songs, first=songs[1]) as joined, SilentPlayback(joined, now=clock) as playback:
        act = SongSource(playback, joined, loaded.settings.beat)
        act.resume_from(dataclasses.replace(state, paused=True))
        assert act.resume_values() == {"song": state.song, "position_s": 3.0, "paused": True}
        assert act.do("next_song") == "3 / 3  3.wav"
    with SongList(songs[:1]) as joined, SilentPlayback(joined, now=clock) as playback:
        act = SongSource(playback, joined, loaded.settings.beat)
        act.resume_from(state)
        assert where(act) == ("1", 0.0), "that song is gone"


def test_a_shuffled_list_depends_on_its_seed_alone(songs, tmp_path):
    assert song_list([tmp_path]) == songs
    orders = {tuple(song_list([tmp_path], seed)) for seed in range(20)}
    assert len(orders) == 6 and all(sorted(order) == songs for order in orders)
    assert song_list([tmp_path], 5) == song_list([tmp_path], 5)
    with pytest.raises(BadInput):
        song_list([tmp_path.parent / "nowhere", _empty(tmp_path)])


def _empty(tmp_path):
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def test_lines_of_other_threads_are_kept_in_order(act):
    act.lines = deque(["one", "two"])
    assert [act.news(), act.news(), act.news()] == ["one", "two", None]


@pytest.fixture
def long_songs(long_song, tmp_path):
    """Three songs that last longer than any test."""
    return [Path(shutil.copy(long_song, tmp_path / f"{number}.wav")) for number in (1, 2, 3)]


def test_a_list_in_its_window(started, screen, long_songs, tmp_path):
    """A broken song is one line, the window is called after the song, and keys go through the list."""
    (tmp_path / "0 text.wav").write_text("no sound")
    process = started("play", str(tmp_path))
    wait_for(lambda: screen.has_window("1.wav - visualizer") and window_shown(screen), "the first song")
    screen.move_pointer(200, 150)
    screen.key("shift+Right")
    wait_for(lambda: screen.has_window("2.wav - visualizer"), "the second song")

    def goes_back():  # from far inside a song it first goes to its beginning
        screen.key("shift+Left")
        return screen.has_window("1.wav - visualizer")

    wait_for(goes_back, "the first song again")
    screen.key("ctrl+q")
    status, _, err = finished(process)
    assert status == 0 and err.count("\n") == 1 and "0 text.wav: not sound" in err and err.endswith("; skipped\n")


def test_a_killed_show_goes_on_in_the_same_song_of_the_list(started, screen, long_songs, home):
    process = started("play", *map(str, long_songs), "--supervise", "--log-level", "debug")
    log = home / "log" / "visualizer.log"
    wait_for(lambda: screen.has_window("1.wav - visualizer") and window_shown(screen), "the first song")
    screen.move_pointer(200, 150)
    screen.key("shift+Right")
    wait_for(lambda: '"song": "2.wav"' in log.read_text(), "the supervisor does not learn of the song")
    children = psutil.Process(process.pid).children()
    min(children, key=lambda one: one.create_time()).kill()

    def goes_on():
        _, death, after = log.read_text().partition("the show stopped: ")
        return death and '"song": "2.wav"' in after

    wait_for(goes_on, "it does not go on")
    wait_for(lambda: screen.has_window("2.wav - visualizer"), "the window is not called after the song")
    process.send_signal(signal.SIGINT)
    assert finished(process)[0] == 0
    assert str(long_songs[0].parent) not in log.read_text().rpartition("state of the show: ")[2]


def test_volume_and_mute(act):
    act.set_parameter("output.volume_db", -12.0)
    act.set_parameter("output.mute", 1.0)
    act.set_parameter("input.gain_db", 3.0)
    assert act.playback.volume.level_db == -12.0 and act.playback.volume.is_muted
    assert act.parameters() == {"output.volume_db": -12.0, "output.mute": 1.0, "output.delay_ms": 0.0}
    assert any("muted" in line for line in act.status())


@pytest.mark.parametrize("delay_ms", [0.0, 300.0, -200.0])
def test_the_picture_waits_for_a_loudspeaker_that_is_late(act, clock, delay_ms):
    act.set_parameter("output.delay_ms", delay_ms)
    clock.now_s = 1.6

    def is_analysed():
        act.take_in(act.position_s())
        return act._next_sample > 2.9 * act.sample_rate_hz

    wait_for(is_analysed, "the sound")
    levels = {}
    for step in range(100):
        clock.now_s = 1.6 + 0.01 * step
        levels[clock.now_s] = act.features_at(act.position_s()).level
    risen_s = max(levels, key=levels.__getitem__)
    kick_s = min(KICKS_S, key=lambda kick_s: abs(kick_s + delay_ms / 1000 - risen_s))
    assert risen_s - kick_s == pytest.approx(delay_ms / 1000, abs=0.06)
    assert act.resume_values()["position_s"] == clock.now_s, (
        "a show that goes on after a crash goes on where the sound was"
    )


def test_a_delay_set_before_the_output_is_known_holds_for_it(home, act):
    """So does the one that a show goes on with after a crash."""
    remember_delay_ms("bluetooth", 100.0)
    act.set_parameter("output.delay_ms", 250.0)
    act.delay.follow("bluetooth")
    assert act.parameters()["output.delay_ms"] == 250.0
    act.delay.follow("hdmi")
    assert act.parameters()["output.delay_ms"] == 0.0
    act.delay.follow("bluetooth")
    assert act.parameters()["output.delay_ms"] == 250.0


def test_the_delay_is_remembered_for_each_output(home):
    first = OutputDelay(250.0)
    first.follow(None)
    assert first.ms == 250.0
    first.follow("bluetooth")
    first.follow("hdmi")
    assert first.ms == 0.0, "another output is not as late"
    first.ms = -40.0
    first.keep()
    later = OutputDelay()
    later.follow("bluetooth")
    assert later.ms == 250.0
    later.follow("hdmi")
    assert later.ms == -40.0
    later.ms = 0.0
    later.keep()
    assert len(list((home / "config").iterdir())) == 1, "an output that is not late needs no file"
    for file in (home / "config").iterdir():
        file.write_text('{"delay_ms": 1e9}')
    later.follow("bluetooth")
    assert later.ms == 0.0
