"""An input as a source: time, losses, tempo, and what is shown of it."""

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from tests.fixtures.watching import wait_for
from tests.sounds import KICKS_S, kicks
from visualizer.beat.beat_follower import BeatFollower
from visualizer.errors import BadInput
from visualizer.settings import BeatSettings
from visualizer.show.analysis_steps import AnalysisSteps
from visualizer.show.guard import Guard
from visualizer.show.sources.guarded import GuardedSource
from visualizer.show.sources.input import InputSource
from visualizer.supervision.resume import ResumeState

BEAT = BeatSettings()


class Device:
    """What InputSource asks of an input."""

    sample_rate_hz = 44100
    state, reason = "ok", ""
    label = device_name = "mic"

    def __init__(self):
        self.waiting = ([], 0.0)
        self.arrived = threading.Event()

    def drain(self):
        waiting, self.waiting = self.waiting, ([], 0.0)
        return waiting

    def take_peaks(self):
        return ()

    def bring(self, block, stamp_s):
        self.waiting = ([block], stamp_s)
        self.arrived.set()


def set_beat(source, beat):
    """Other settings, as of another preset."""
    preset = SimpleNamespace(settings=SimpleNamespace(beat=beat))
    source.set_preset(preset)


def level(sound, time_s):
    return sound.features_at(time_s).level


def test_live_sound_counts_on_between_blocks_and_falls_when_they_stop():
    now = [50.0]
    capture = Device()
    sound = InputSource(capture, BEAT, now=lambda: now[0])
    sound.take_in(0.0)
    assert sound.position_s() == 0.0
    song = kicks(44100, [0.1], 0.3)
    capture.waiting = ([song[:5000], song[5000:]], 50.0)
    sound.take_in(0.0)
    start = sound.position_s()
    assert start == pytest.approx(0.3, abs=0.01)
    now[0] += 1.0
    assert sound.position_s() == pytest.approx(start + 1.0)
    assert level(sound, sound.position_s()) < 0.2 * level(sound, start)
    assert sound.levels.take_peak("status") > 0.3 and sound.levels.take_peak("status") == 0.0


class Stage:
    """A live sound whose device and time are in our hands; the device's stamps are those of its newest sample."""

    def __init__(self, rate_hz=44100, **beat):
        self.now_s = 1000.0
        self.capture = Device()
        self.capture.sample_rate_hz = rate_hz
        self.sound = InputSource(self.capture, BeatSettings(**beat), now=lambda: self.now_s)
        self.guarded = GuardedSource(self.sound, Guard(now=lambda: self.now_s))
        self.times_s, self.levels = [], []

    def go_on(self, seconds, song=None, *, fps=60):
        """Frame by frame; song: what is heard meanwhile, None for nothing at all."""
        rate_hz = self.capture.sample_rate_hz
        for frame in range(round(seconds * fps)):
            self.now_s += 1 / fps
            if song is not None:
                block = song[round(frame / fps * rate_hz) : round((frame + 1) / fps * rate_hz)]
                self.capture.waiting = ([block], self.now_s)
            features = self.guarded.listen(self.sound.position_s)
            self.times_s.append(features.time_s)
            self.levels.append(features.level)
        return np.array(self.levels[-round(seconds * fps) :])

    def until_rebuilt(self, before):
        """Frames without sound at one moment, until another follower has taken the place of `before`."""
        end_s = time.monotonic() + 60
        while self.sound.analyzer is before and time.monotonic() < end_s:
            self.sound.take_in(self.sound.position_s())
        assert self.sound.analyzer is not before


def beats(seconds, rate_hz=44100, bpm=120.0, first_s=0.5):
    return kicks(rate_hz, np.arange(first_s, seconds - 0.05, 60 / bpm), seconds)


def test_while_the_sound_is_lost_the_picture_goes_on_in_its_tempo():
    stage = Stage()
    stage.go_on(15, beats(15, bpm=125))
    assert stage.sound.tempo.tempo_bpm == pytest.approx(125, abs=2) and stage.sound.tempo.confidence > 0.3
    beat_s = stage.sound.tempo.next_beat_s(stage.sound.position_s())
    lost = stage.go_on(12)
    assert lost[45:60].max() < 0.16 and not stage.levels[0] > 0.03, "the last kick is released first"
    assert 0.53 < lost[240:].max() < 0.61 and lost[240:].min() < 0.03
    assert np.abs(np.diff(lost[30:])).max() < 0.13, "no jump"
    times_s = np.array(stage.times_s[-720:])[240:]
    tops_s = times_s[1:-1][(lost[241:-1] > lost[240:-2]) & (lost[241:-1] >= lost[242:])]
    off = (tops_s - beat_s) * 125 / 60 % 1
    assert np.all(np.minimum(off, 1 - off) < 0.12), "on the beats that were heard"
    back = stage.go_on(6, beats(6, bpm=125))
    assert back.max() > 0.75 and not stage.guarded.is_fallback
    assert np.diff(stage.times_s).min() >= 0 and np.diff(stage.times_s).max() < 0.05, "time is one"
    assert stage.times_s[-1] - stage.times_s[0] == pytest.approx(33 - 1 / 60, abs=0.1)


def test_only_zeros_are_no_sound():
    stage = Stage()
    stage.go_on(3, np.zeros(3 * 44100, np.float32))
    assert not stage.guarded.is_fallback
    stage.capture.state = "only zeros"
    stage.go_on(3, np.zeros(3 * 44100, np.float32))
    assert stage.guarded.is_fallback and max(stage.levels) > 0.2


def test_without_any_device_the_metronome_moves_the_picture_from_the_start_and_follows_taps():
    stage = Stage()
    stage.go_on(4)
    assert stage.guarded.is_fallback and max(stage.levels) > 0.5
    for _ in range(5):
        stage.sound.tap(stage.sound.position_s())
        stage.go_on(0.6)
    assert stage.sound.tempo.tempo_bpm == pytest.approx(100, abs=1)
    stage.sound.do("tempo_double")
    assert stage.sound.tempo.tempo_bpm == pytest.approx(200, abs=2)
    assert np.abs(np.diff(stage.levels)).max() < 0.13
    stage.go_on(6, beats(6))
    assert not stage.guarded.is_fallback and max(stage.levels[-300:]) > 0.75


def test_a_short_dropout_is_not_seen():
    stage = Stage()
    stage.go_on(5, beats(5))
    lost = stage.go_on(0.9)
    assert not stage.guarded.is_fallback and lost[-1] < 0.05
    assert np.diff(stage.times_s).min() >= 0


def test_another_sample_rate_after_a_loss_keeps_time_and_tempo():
    stage = Stage(48000)
    stage.go_on(15, beats(15, 48000))
    before = stage.sound.analyzer
    stage.go_on(3)
    stage.capture.sample_rate_hz = 32000
    song = beats(1.5, 32000, first_s=0.25)
    stage.go_on(1 / 60, song)
    stage.until_rebuilt(before)
    assert stage.sound.analyzer.sample_rate_hz == 32000
    back = stage.go_on(1.5 - 1 / 60, song[round(32000 / 60) :])
    assert stage.sound.tempo.tempo_bpm == pytest.approx(120, abs=3) and stage.sound.tempo.confidence > 0.3
    assert back.max() > 0.5
    assert np.diff(stage.times_s).min() >= 0 and np.diff(stage.times_s).max() < 0.1
    assert stage.times_s[-1] == pytest.approx(19.5, abs=0.15)


def test_followers_for_another_sample_rate_are_built_beside_the_picture(monkeypatch):
    built_on, may_go = [], threading.Event()

    class Slow(BeatFollower):
        def __init__(self, *arguments):
            built_on.append(threading.current_thread())
            if len(built_on) > 1:
                assert may_go.wait(60)
            super().__init__(*arguments)

    monkeypatch.setattr("visualizer.beat.analyzer.BeatFollower", Slow)
    stage = Stage(48000)
    stage.go_on(4, beats(4, 48000))
    before, n_kicks = stage.sound.analyzer, stage.sound.meters().n_kicks
    stage.go_on(1)
    stage.capture.sample_rate_hz = 32000
    song = beats(3, 32000, first_s=0.25)
    stage.go_on(1.0, song)  # returns although nothing is built yet
    wait_for(lambda: len(built_on) == 2, "nothing is built")
    assert stage.sound.analyzer is before
    set_beat(stage.sound, BeatSettings(decay=0.8))
    may_go.set()
    stage.until_rebuilt(before)
    stage.go_on(1.5, song[32000:])
    assert built_on[1] is not threading.current_thread()
    assert stage.sound.meters().n_kicks == n_kicks + 5, "what came meanwhile was not lost"
    assert stage.sound.analyzer.settings.decay == 0.8
    assert np.diff(stage.times_s).min() >= 0 and np.diff(stage.times_s).max() < 0.1


def test_a_sample_rate_that_comes_back_at_once_keeps_the_followers():
    stage = Stage(48000)
    stage.go_on(1, beats(1, 48000))
    before = stage.sound.analyzer
    for rate_hz in (32000, 48000):
        stage.capture.sample_rate_hz = rate_hz
        stage.go_on(1 / 60, np.zeros(rate_hz, np.float32))
    stage.go_on(1, np.zeros(48000, np.float32))
    if stage.sound.analyzer.sample_rate_hz == 32000:  # it was built before the rate came back
        stage.until_rebuilt(stage.sound.analyzer)
    assert stage.sound.analyzer is before or stage.sound.analyzer.sample_rate_hz == 48000


def test_followers_that_cannot_be_built_are_reported_and_tried_again():
    stage = Stage(48000)
    stage.go_on(1, beats(1, 48000))
    stage.capture.sample_rate_hz = 1_000_000
    stage.capture.waiting = ([np.zeros(100, np.float32)], stage.now_s)
    with pytest.raises(BadInput, match="sample rate"):
        end_s = time.monotonic() + 60
        while time.monotonic() < end_s:
            stage.sound.take_in(0.0)
    before, stage.capture.sample_rate_hz = stage.sound.analyzer, 32000
    stage.go_on(1 / 60, np.zeros(32000, np.float32))
    stage.until_rebuilt(before)


def test_after_a_stall_the_dropped_sound_leaves_a_gap_in_time_not_a_shift():
    stage = Stage()
    song = beats(20)
    stage.go_on(10, song)
    stage.now_s += 3.0  # the program was stopped; what was older than half a second was dropped
    stage.capture.waiting = ([song[round(12.5 * 44100) : 13 * 44100]], stage.now_s)
    stage.sound.take_in(0.0)
    assert stage.sound.position_s() == pytest.approx(13.0, abs=0.05)
    rest = stage.go_on(4, song[13 * 44100 :])
    assert stage.sound.tempo.tempo_bpm == pytest.approx(120, abs=3) and rest.max() > 0.75
    off_s = (stage.sound.tempo.next_beat_s(stage.sound.position_s()) - 0.5) % 0.5
    assert min(off_s, 0.5 - off_s) < 0.06, "the beats stand where they stood"


def test_who_observes_the_analysis_may_ask_for_the_time_in_the_middle_of_a_gap():
    class Asks(AnalysisSteps):
        def sound(self, block, start_s, rate_hz):
            stage.sound.position_s()
            return block

        def silence(self, n_samples, start_s):
            stage.sound.position_s()

    stage, song = Stage(), beats(1.0)
    stage.sound.observe_analysis(Asks())
    stage.go_on(1.0, song)
    for seconds in (2.0, 20.0):  # the program stood still
        before_s = stage.sound.position_s()
        stage.now_s += seconds
        stage.go_on(1.0, song)
        assert stage.sound.position_s() == pytest.approx(before_s + seconds + 1.0, abs=0.05)


def test_an_hour_without_sound_costs_no_more_than_a_moment():
    stage = Stage()
    stage.go_on(1, beats(1))
    stage.now_s += 3600.0
    stage.sound.take_in(0.0)
    assert stage.sound.position_s() == pytest.approx(3601, abs=0.1)
    assert stage.sound.analyzer.kicks.time_s < 6


def test_live_settings_change_without_a_jump_of_time_or_tempo():
    stage = Stage()
    stage.go_on(12, beats(12))
    tempo = stage.sound.tempo.tempo_bpm
    set_beat(stage.sound, BeatSettings(motion="punch"))
    assert stage.sound.tempo.tempo_bpm == tempo


def test_listening_hears_what_comes_and_tells_a_kick_once():
    capture, now = Device(), [0.0]
    sound = InputSource(capture, BEAT, now=lambda: now[0])
    song, told_s = kicks(44100, KICKS_S, 6.0), []
    for start in range(0, len(song) - 256, 256):
        now[0] = (start + 256) / 44100
        capture.bring(song[start : start + 256], now[0])
        if sound.wait_for_kick(10.0):
            told_s.append(now[0])
            assert level(sound, sound.position_s()) > 0.5
        assert not sound.wait_for_kick(0.0)
    assert np.array(told_s) == pytest.approx(KICKS_S, abs=0.025)
    assert sound.analyzer.kicks.time_s > 5.9


def test_listening_ends_when_nothing_comes_and_keeps_what_a_pump_heard():
    capture = Device()
    sound = InputSource(capture, BEAT, now=lambda: 1.0)
    assert not sound.wait_for_kick(0.001)
    capture.bring(kicks(44100, [0.5], 1.0), 1.0)
    sound.take_in(0.0)  # a display frame came before anybody listened
    assert sound.wait_for_kick(0.0), "it has not been reported yet"


# --- what is shown of the sound, a tempo from elsewhere, and beginning anew


def test_what_is_heard_is_told_for_the_panel():
    stage = Stage()
    stage.go_on(7.56, 0.5 * beats(8))
    heard = stage.sound.meters()
    assert heard.n_kicks == pytest.approx(15, abs=1) and heard.bpm == pytest.approx(120, abs=2)
    assert 0.2 < heard.peak <= 0.51 and stage.sound.levels.take_peak("status") == heard.peak, (
        "each who asks has a peak of their own"
    )
    assert stage.sound.meters().peak == 0.0, "since the last time"
    assert (
        heard.spectrum_db.shape == (48,)
        and 0 <= int(np.argmax(heard.spectrum_db)) < 16
        and heard.spectrum_db.max() > -40
    ), "a kick is low"
    assert 0 <= heard.phase < 1 and 0 <= heard.level <= 1 and heard.led_by == ""
    stage.go_on(5)
    assert stage.guarded.meters().is_fallback and stage.sound.meters().late_s >= 0


def test_a_tempo_led_from_elsewhere_is_taken_over_beat_for_beat_and_given_back():
    stage = Stage()
    stage.go_on(6, beats(6, bpm=120))
    stage.sound.lead_tempo(93.0, stage.sound.position_s() + 0.25)
    heard = stage.sound.meters()
    assert (heard.bpm, heard.led_by, heard.confidence) == (93.0, "Link", 1.0)
    assert heard.phase == pytest.approx(1 - 0.25 * 93 / 60, abs=0.01)
    stage.go_on(3, beats(3, bpm=120))
    assert stage.sound.tempo.tempo_bpm == 93.0, "what is heard does not move it"
    before = stage.sound.analyzer
    stage.sound.restart_analysis()
    stage.until_rebuilt(before)
    assert stage.sound.tempo.tempo_bpm == 93.0, "nor do new followers"
    stage.sound.lead_tempo(0.0, 0.0)
    assert stage.sound.meters().led_by == ""
    stage.go_on(12, beats(12, bpm=120))
    assert stage.sound.tempo.tempo_bpm == pytest.approx(120, abs=2)


def test_a_tempo_led_from_elsewhere_keeps_its_beats_over_a_long_gap():
    """As when the computer was asleep: of such a gap only a part is analysed."""
    stage = Stage()
    stage.go_on(2, beats(2, bpm=120))
    beat_s = stage.sound.position_s() + 0.25
    stage.sound.lead_tempo(93.0, beat_s)
    stage.now_s += 20.0
    stage.sound.take_in(0.0)
    phase = (stage.sound.position_s() - beat_s) * 93 / 60 % 1
    assert (stage.sound.meters().phase - phase + 0.5) % 1 - 0.5 == pytest.approx(0.0, abs=0.01)


def test_new_followers_keep_time_kicks_told_and_tempo():
    stage = Stage()
    stage.go_on(10, beats(10, bpm=110))
    before = stage.sound.meters()
    at_s, follower = stage.sound.position_s(), stage.sound.analyzer
    stage.sound.restart_analysis()
    stage.until_rebuilt(follower)
    after = stage.sound.meters()
    assert stage.sound.position_s() == pytest.approx(at_s, abs=0.01)
    assert after.n_kicks == before.n_kicks and after.bpm == pytest.approx(before.bpm, abs=1)


def test_a_tempo_known_before_is_taken_up_on_its_beat():
    stage = Stage()
    stage.go_on(0.1, np.zeros(44100, np.float32))
    stage.sound.resume_from(ResumeState(bpm=100.0, beat_s=stage.now_s - 0.2))
    heard = stage.sound.meters()
    assert heard.bpm == pytest.approx(100, abs=0.1) and heard.confidence >= 0.3
    assert heard.phase == pytest.approx(0.2 * 100 / 60, abs=0.02)
