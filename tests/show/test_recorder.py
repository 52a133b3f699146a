"""A show that is recorded: what its session holds makes the same picture again."""

from __future__ import annotations

import time

import av
import numpy as np
import pytest

from tests.session.recorded import info_of
from tests.sounds import kicks
from visualizer.audio.playback import SilentPlayback
from visualizer.audio.songlist import SongList
from visualizer.beat import Analyzer
from visualizer.beat.analyzer import LOOK_AHEAD_S, SOUND_S
from visualizer.control.actions import find_actions
from visualizer.control.capabilities import Capability
from visualizer.control.commands import Act, Command, Set, ShowPreset
from visualizer.control.controller import Controller
from visualizer.control.keys import Keymap
from visualizer.control.parameters import base_parameters
from visualizer.control.state import Context, ShowState, apply
from visualizer.presets.dreams import Dreams, open_cache
from visualizer.session.events import (
    CLOCK_HZ,
    AnalysisEvent,
    ClockEvent,
    CommandEvent,
    DeviceEvent,
    DisplayEvent,
    DreamEvent,
    EndEvent,
    FeaturesEvent,
    GapEvent,
    PresetEvent,
    SceneEvent,
    SizeEvent,
    SongEvent,
    SoundEvent,
    ticks_of,
)
from visualizer.session.reader import RecordedSession, SoundTape
from visualizer.show.depth import depth_of
from visualizer.show.live import open_input
from visualizer.show.onscreen import Staging, run
from visualizer.show.recorder import RecordingOptions
from visualizer.show.sources.input import InputSource
from visualizer.show.sources.song import SongSource

PLAIN = Staging(adapt=False)
LIMIT_S = 600.0


class Hand(Controller):
    """Gives the commands of a test, and keeps the newest snapshot."""

    name = "hand"

    def __init__(self):
        self.changes, self.snapshot = [], None

    def poll(self):
        changes, self.changes = self.changes, []
        return changes

    def update(self, snapshot):
        self.snapshot = snapshot


class Watched:
    """Gives the commands of a test to a show, step by step: (seconds after the step before, changes).

    A function in the place of changes is a condition that is waited for. frames: every display frame shown. hand: its
    controller.
    """

    def __init__(self, steps):
        self.frames, self.hand, self._steps = [], Hand(), list(steps)
        self.n_before = 0  # display frames before the recording
        self._since = self._began = time.monotonic()

    def on_frame(self, number, shown):
        self.frames.append(shown)
        now = time.monotonic()
        if number == 1:
            self._since = now
        assert now - self._began < LIMIT_S, f"still waiting for {self._steps}"
        if not self._steps:
            return True
        wait_s, what = self._steps[0]
        if callable(what):
            if what(self):
                self._steps.pop(0)
                self._since = now
        elif now - self._since >= wait_s:
            self._steps.pop(0)
            self._since = now
            self.hand.changes += what
        return False


def live_show(loaded, steps, recording):
    """A live show in a real window."""
    watched = Watched(steps)
    with open_input(None) as device:
        source = InputSource(device, loaded.settings.beat)
        run(
            loaded,
            source,
            open_cache(),
            staging=PLAIN,
            controllers=[watched.hand],
            on_frame=watched.on_frame,
            recording=recording,
        )
    return watched


def song_show(loaded, path, steps, recording):
    """A song, played silently in a real window."""
    watched = Watched(steps)
    with SongList([path]) as songs:
        playback = SilentPlayback(songs)
        run(
            loaded,
            SongSource(playback, songs, loaded.settings.beat),
            open_cache(),
            staging=PLAIN,
            controllers=[watched.hand],
            on_frame=watched.on_frame,
            recording=recording,
        )
    return watched


def is_recording(night):
    night.n_before = len(night.frames)
    return night.hand.snapshot is not None and night.hand.snapshot.recording != ""


def has_shown(n_frames):
    """So many display frames since the recording began, and among them a kick: however slow the machine is."""

    def check(night):
        shown = night.frames[night.n_before :]
        return len(shown) >= n_frames and max(one.depth for one in shown) > 2.0

    return check


def is_not_recording(night):
    return night.hand.snapshot.recording == ""


@pytest.fixture
def song():
    return kicks(48_000, np.arange(0.3, 60.0, 0.5), 60.0).astype(np.float32)


def session_in(folder):
    """The session, and its events."""
    session = RecordedSession(folder)
    events = list(session.events())
    assert (session.tally.n_damaged, session.tally.n_missing, session.tally.n_torn) == (0, 0, 0)
    assert not [one for one in events if isinstance(one, GapEvent)]
    return session, events


def test_a_recording_begun_in_the_middle_of_a_show_holds_all_that_is_shown(screen, pulse, loaded, song, tmp_path):
    folder = tmp_path / "night"
    with pulse.play(song):
        live_show(
            loaded,
            [
                (1.5, [Set("beat.decay", 0.7), Act("sensitivity_up")]),
                (0.5, [Act("record")]),
                (0.0, is_recording),
                (2.0, []),
                (0.0, has_shown(60)),
                (0.0, [Set("beat.decay", 0.5), Act("tap")]),
                (1.0, [Act("record")]),
                (0.0, is_not_recording),
                (0.3, []),
            ],
            RecordingOptions(folder=folder),
        )
    assert info_of(folder)["state"] == "closed" and info_of(folder)["reason"] == ""
    session, events = session_in(folder)
    begins = session.info.at
    assert begins > 1.0 * CLOCK_HZ, "the time is that of the show, not since R"
    assert isinstance(events[0], PresetEvent) and events[0].at == begins
    assert isinstance(events[-1], EndEvent)
    for kind in (SizeEvent, DisplayEvent, DeviceEvent, SoundEvent):
        assert [one for one in events if isinstance(one, kind)], kind
    # nothing of before
    sounds = [one for one in events if isinstance(one, SoundEvent)]
    assert sounds[0].at >= begins and sounds[0].first == 0
    # the state that was set
    context = Context(find_actions(), base_parameters(), Keymap(), frozenset(Capability))
    state = at_first = ShowState()
    for one in events:
        if isinstance(one, CommandEvent):
            state = apply(state, Command.from_data(one.command), context)
            at_first = state if one.at == begins else at_first
    assert at_first.value("beat.decay", context) == 0.7
    assert state.value("beat.decay", context) == 0.5 and not state.record
    assert state.value("beat.sensitivity", context) == pytest.approx(2**0.25)
    # every dream frame that was in the picture, at the time of the beginning
    dreams = [one for one in events if isinstance(one, DreamEvent)]
    assert {one.at for one in dreams} == {begins} and all(one.finished for one in dreams)
    assert {one.depth_index for one in dreams} == set(range(loaded.n_depths + 1))
    kept = {one.depth_index: one.frame for one in Dreams(loaded, open_cache()).frames()}
    for one in dreams:
        assert np.array_equal(session.dream(one), kept[one.depth_index])


def test_from_the_beginning_with_another_preset_and_no_sound(screen, pulse, loaded, song, tmp_path, tiny_preset):
    folder, said = tmp_path / "no sound", []
    with pulse.play(song):
        night = live_show(
            loaded,
            [
                (0.0, is_recording),
                (0.0, lambda night: night.frames[-1].n_baked == 4),
                (2.5, []),
                (0.0, has_shown(30)),
                (0.0, [ShowPreset("tiny")]),
                (0.0, lambda night: night.hand.snapshot.wanted == ""),
                (2.0, [Act("blackout")]),
                (0.5, []),
            ],
            RecordingOptions(begins=True, folder=folder, keeps_sound=False, keeps_dreams=False, say=said.append),
        )
    assert said == [f"recorded: {folder}"]
    session, events = session_in(folder)
    assert info_of(folder)["state"] == "closed" and not session.info.has_sound
    assert not list(folder.glob("*.flac")) and not list(session.folder.dreams.iterdir())
    assert not [one for one in events if isinstance(one, AnalysisEvent | SoundEvent)]
    heard = {one.at: one.values for one in events if isinstance(one, FeaturesEvent)}
    crossed_at = next(one.at for one in events if isinstance(one, SceneEvent))  # then depths are limited for a moment
    baked_at = next(ticks_of(one.time_s) for one in night.frames if one.n_baked == 4)  # until then, too
    times = range(baked_at + CLOCK_HZ, crossed_at - 4800)
    shown = [one for one in night.frames if ticks_of(one.time_s) in heard and ticks_of(one.time_s) in times]
    assert len(shown) > 5
    for one in shown:
        level = heard[ticks_of(one.time_s)]["level"]
        assert one.depth == pytest.approx(depth_of(level, 4, loaded.settings.beat), abs=1e-6)
    presets = [one for one in events if isinstance(one, PresetEvent)]
    assert [one.scene for one in presets] == [0, 1] and len({one.folder for one in presets}) == 1
    crossing = next(index for index, one in enumerate(events) if isinstance(one, SceneEvent))
    assert events[crossing].scene == 1
    kinds = [one.command["kind"] if isinstance(one, CommandEvent) else "" for one in events]
    assert "preset_shown" in kinds[crossing:], "the crossfade begins before the state says so"
    assert events.index(presets[1]) < crossing
    put = [one.scene for one in events if isinstance(one, DreamEvent)]
    assert put.count(0) == 5 and put.count(1) >= 4


def test_a_song_is_recorded_with_its_time_and_a_pause(screen, loaded, tmp_path, long_song):
    folder = tmp_path / "song"
    night = song_show(
        loaded,
        long_song,
        [
            (1.0, [Act("record")]),
            (0.0, is_recording),
            (1.5, []),
            (0.0, has_shown(30)),
            (0.0, [Act("freeze")]),
            (0.5, [Act("freeze")]),
            (1.0, [Act("record")]),
            (0.0, is_not_recording),
        ],
        RecordingOptions(folder=folder, copies_songs=True),
    )
    session, events = session_in(folder)
    assert session.info.kind == "play"
    song = next(one for one in events if isinstance(one, SongEvent))
    assert song.name == "long.wav" and song.start_s == pytest.approx(0.0, abs=1e-6)
    assert (folder / "songs" / song.file).read_bytes() == long_song.read_bytes()
    clocks = [one for one in events if isinstance(one, ClockEvent)]
    assert False in [one.is_running for one in clocks] and clocks[-1].is_running
    assert len(clocks) < 20, "only where it jumps or stands still"
    paused_at = next(one.at for one in clocks if not one.is_running)
    # before the pause: what is heard again is what was shown
    start = next(one for one in events if isinstance(one, AnalysisEvent) and one.step == "start")
    heard_last_s = max(0.0, clocks[0].position_s - SOUND_S)
    assert start.is_known and start.start_s == pytest.approx(heard_last_s, abs=1.0), "it is analysed again"
    tape, analyzer = (
        SoundTape(session),
        Analyzer(start.rate_hz, loaded.settings.beat, is_known=True, start_s=start.start_s),
    )
    for one in events:
        if isinstance(one, SoundEvent):
            tape.begin(one)
        elif isinstance(one, AnalysisEvent) and one.step == "sound":
            analyzer.push(np.concatenate([block[:, 0] for block in tape.read(one.n_samples)]))
    first, last = clocks[0], paused_at
    begin_s = first.position_s + 0.5
    end_s = first.position_s + (last - first.at) / CLOCK_HZ
    shown = [one for one in night.frames if begin_s < one.time_s < end_s]
    assert len(shown) > 20
    for one in shown:
        level = analyzer.features_at(one.time_s, LOOK_AHEAD_S).level
        assert one.depth == pytest.approx(depth_of(level, 4, loaded.settings.beat), abs=0.02)


def test_where_nothing_can_be_recorded_the_reason_is_shown_and_the_show_goes_on(screen, loaded, tmp_path, long_song):
    (tmp_path / "file").write_text("in the way")
    notices = []

    def refused(night):
        notices.append(night.hand.snapshot.notice if night.hand.snapshot else "")
        return any("file" in one for one in notices)

    night = song_show(
        loaded,
        long_song,
        [
            (0.2, [Act("record")]),
            (0.0, refused),
            (0.3, []),
            (0.0, lambda night: night.hand.snapshot.values["record"] == 0.0),
        ],
        RecordingOptions(folder=tmp_path / "file" / "night"),
    )
    assert night.hand.snapshot.recording == "" and not night.hand.snapshot.faults


def test_a_video_of_what_is_shown_is_written_beside_it(screen, pulse, loaded, song, tmp_path):
    folder = tmp_path / "night"
    with pulse.play(song):
        live_show(
            loaded,
            [
                (0.0, is_recording),
                (2.0, []),
                (0.0, has_shown(30)),
                (0.0, [Act("blackout")]),
                (2.0, [Act("record")]),
                (0.0, is_not_recording),
                (0.5, []),
            ],
            RecordingOptions(begins=True, folder=folder, has_video=True),
        )
    session_in(folder)
    with av.open(str(folder / "video.mp4")) as file:
        brightness = [frame.to_ndarray(format="gray").mean() for frame in file.decode(video=0)]
        assert (file.streams.video[0].width, file.streams.video[0].height) == loaded.size
    assert len(brightness) > 20 and max(brightness[:5]) > 30 and brightness[-1] < 18, "it ends in the blackout"
    with av.open(str(folder / "video.mp4")) as file:
        heard = np.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=0)])
    assert np.abs(heard).max() > 0.2
