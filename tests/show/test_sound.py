"""Sources of sound and their follower."""

import threading
import time

import numpy as np
import pytest

from tests.sounds import KICKS_S, kicks, write_wav
from visualizer.audio.decode import Song
from visualizer.beat import BeatFollower
from visualizer.errors import BadInput
from visualizer.settings import BeatSettings
from visualizer.show.sound import ExportedSound, LiveSound, PlayedSound

BEAT = BeatSettings()


class Playback:
    """What PlayedSound asks of a playback: blocks of sound with their place in the song."""

    def __init__(self, blocks):
        self.blocks = blocks

    def drain(self):
        blocks, self.blocks = self.blocks, []
        return blocks


class Capture:
    """What LiveSound asks of a capture."""

    sample_rate_hz = 44100

    def __init__(self):
        self.waiting = ([], 0.0)

    def drain(self):
        waiting, self.waiting = self.waiting, ([], 0.0)
        return waiting


def rise_s(level_at, kick_s):
    """When the level has risen to a half around a kick, seconds from it."""
    times = np.arange(kick_s - 0.1, kick_s + 0.15, 0.001)
    return float(times[np.argmax([level_at(t) > 0.5 for t in times])] - kick_s)


def test_exported_kicks_land_on_the_sound(kick_song):
    with Song(kick_song) as song:
        sound = ExportedSound(song, BEAT)
        sound.pump(5.9)
        for kick_s in KICKS_S:
            assert abs(rise_s(sound.level_at, kick_s)) < 0.020


def test_export_reads_no_further_than_it_needs_and_hands_every_sample_on(kick_song):
    handed = []
    with Song(kick_song) as song:
        sound = ExportedSound(song, BEAT, handed.append)
        sound.pump(1.0)
        assert 1.0 <= sound.read_s < 1.3
        sound.pump(100.0)
        assert sound.ended and sound.read_s == pytest.approx(6.0)
    assert sum(map(len, handed)) == 6 * 44100


def test_played_kicks_land_on_the_sound_too():
    song = kicks(44100, KICKS_S, 6.0)
    playback = Playback([(start, song[start : start + 1024]) for start in range(0, len(song), 1024)])
    sound = PlayedSound(playback, 44100, BEAT)
    sound.pump(0.0)
    for kick_s in KICKS_S:
        assert abs(rise_s(sound.level_at, kick_s)) < 0.020


def test_a_seek_begins_a_new_follower_at_its_place():
    song = kicks(44100, KICKS_S, 6.0)
    at = 3 * 44100
    playback = Playback([(0, song[:44100])])
    sound = PlayedSound(playback, 44100, BEAT)
    sound.pump(0.0)
    playback.blocks = [(at, song[at : at + 44100]), (at + 44100, song[at + 44100 : at + 88200])]
    sound.pump(0.0)
    for kick_s in (3.5, 4.5):
        assert abs(rise_s(sound.level_at, kick_s)) < 0.020


def test_live_sound_counts_on_between_blocks_and_falls_when_they_stop():
    now = [50.0]
    capture = Capture()
    sound = LiveSound(capture, BEAT, now=lambda: now[0])
    sound.pump(0.0)
    assert sound.position_s() == 0.0
    song = kicks(44100, [0.1], 0.3)
    capture.waiting = ([song[:5000], song[5000:]], 50.0)
    sound.pump(0.0)
    start = sound.position_s()
    assert start == pytest.approx(0.3, abs=0.01)
    now[0] += 1.0
    assert sound.position_s() == pytest.approx(start + 1.0)
    assert sound.level_at(sound.position_s()) < 0.2 * sound.level_at(start)
    assert sound.take_peak() > 0.3 and sound.take_peak() == 0.0


def bright_then_bass(rate_hz=44100):
    """Two seconds of a high note, two of a bass note, seconds 0-2 and 2-4."""
    t = np.arange(2 * rate_hz) / rate_hz
    return np.concatenate([0.5 * np.sin(2 * np.pi * hz * t) for hz in (5000, 60)]).astype(np.float32)


def test_every_sound_moves_along_the_variants_where_there_are_some(tmp_path):
    mono = bright_then_bass()
    write_wav(tmp_path / "x.wav", mono, 44100)
    blocks = [(start, mono[start : start + 1000]) for start in range(0, len(mono), 1000)]
    capture = Capture()
    capture.waiting = ([block for _, block in blocks], 0.0)
    with Song(tmp_path / "x.wav") as song:
        for sound in (
            ExportedSound(song, BEAT, n_variants=3),
            PlayedSound(Playback(blocks), 44100, BEAT, n_variants=3),
            LiveSound(capture, BEAT, now=lambda: 0.0, n_variants=3),
        ):
            sound.pump(3.9)
            assert sound.variant_at(-1.0) == 0.0
            assert sound.variant_at(1.9) == pytest.approx(1.0, abs=0.02)
            assert 0.05 < sound.variant_at(3.9) < 0.3, "it falls slowly"


def test_one_variant_is_never_left_and_costs_no_hearing(monkeypatch):
    def none(*_):
        raise AssertionError("nobody asked for the bands")

    monkeypatch.setattr("visualizer.show.ear.VariantFollower", none)
    sound = PlayedSound(Playback([(0, bright_then_bass())]), 44100, BEAT)
    sound.pump(0.0)
    assert sound.variant_at(1.9) == 0.0


def test_variants_leave_the_level_as_it_is():
    song = kicks(44100, KICKS_S, 6.0)
    alone, beside = (PlayedSound(Playback([(0, song)]), 44100, BEAT, n_variants=n_variants) for n_variants in (1, 3))
    alone.pump(0.0), beside.pump(0.0)
    assert all(alone.level_at(t) == beside.level_at(t) for t in np.arange(0, 6, 0.05))


def test_after_a_seek_the_variants_are_heard_from_there():
    mono = bright_then_bass()
    playback = Playback([(0, mono[:88200])])
    sound = PlayedSound(playback, 44100, BEAT, n_variants=2)
    sound.pump(0.0)
    assert sound.variant_at(1.9) > 0.9
    playback.blocks = [(10 * 44100, mono[88200:])]
    sound.pump(0.0)
    assert sound.variant_at(11.9) < 0.2


def test_a_lead_changes_nothing_where_the_sound_is_known_beforehand(tmp_path):
    """The picture is as early as it should be already: a kick shown before it sounds would be wrong."""
    times_s = np.arange(0.5, 9.8, 0.5)
    song = kicks(44100, times_s, 10.0)
    write_wav(tmp_path / "a.wav", song, 44100)
    at_s = np.arange(0, 10, 0.01)
    played, exported = [], []
    for beat in (BEAT, BeatSettings(lead_ms=150)):
        sound = PlayedSound(Playback([(0, song)]), 44100, beat)
        sound.pump(0.0)
        played.append([sound.level_at(t) for t in at_s])
        with Song(tmp_path / "a.wav") as file:
            export = ExportedSound(file, beat)
            export.pump(10.0)
            exported.append([export.level_at(t) for t in at_s])
    assert played[0] == played[1] and exported[0] == exported[1]


def test_a_played_song_takes_other_settings_over_in_its_place():
    song = kicks(44100, KICKS_S, 6.0)
    playback = Playback([(0, song[: 2 * 44100])])
    sound = PlayedSound(playback, 44100, BEAT)
    sound.pump(0.0)
    before = sound.level_at(1.9)
    sound.set_beat(BeatSettings(motion="punch"))
    assert sound.level_at(1.9) == pytest.approx(before, abs=0.01)
    playback.blocks = [(2 * 44100, song[2 * 44100 : 4 * 44100])]
    sound.pump(0.0)
    assert rise_s(sound.level_at, 3.0) == pytest.approx(0, abs=0.02)
    assert sound.level_at(3.4) < 0.2, "gone sooner"
    playback.blocks = [(10 * 44100, song[: 2 * 44100])]
    sound.pump(0.0)
    assert sound.level_at(11.4) < 0.2 < 0.75 < max(sound.level_at(t) for t in np.arange(11, 11.1, 0.01)), "after a seek"


def test_variants_may_come_and_go_while_a_song_plays():
    mono = np.concatenate([bright_then_bass(), bright_then_bass()])
    playback = Playback([(0, mono[:44100])])
    sound = PlayedSound(playback, 44100, BEAT)
    sound.pump(0.0)
    assert sound.variant_at(0.9) == 0.0
    sound.set_beat(BEAT, n_variants=3)
    playback.blocks = [(44100, mono[44100:])]
    sound.pump(0.0)
    assert sound.variant_at(0.9) == 0.0, "not heard then"
    assert sound.variant_at(1.95) > 0.9 and sound.variant_at(3.9) < 0.3 and sound.variant_at(5.9) > 0.9, (
        "at its place in the song"
    )
    sound.set_beat(BeatSettings(decay=0.9))
    assert sound.variant_at(5.9) > 0.9, "variants stay"
    sound.set_beat(BEAT, n_variants=1)
    assert sound.variant_at(5.9) == 0.0


class Stage:
    """A live sound whose device and time are in our hands; the device's stamps are those of its newest sample."""

    def __init__(self, rate_hz=44100, **beat):
        self.now_s = 1000.0
        self.capture = Capture()
        self.capture.sample_rate_hz = rate_hz
        self.capture.state = "ok"
        self.sound = LiveSound(self.capture, BeatSettings(**beat), now=lambda: self.now_s)
        self.times_s, self.levels = [], []

    def go_on(self, seconds, song=None, *, fps=60):
        """Frame by frame; song: what is heard meanwhile, None for nothing at all."""
        rate_hz = self.capture.sample_rate_hz
        for frame in range(round(seconds * fps)):
            self.now_s += 1 / fps
            if song is not None:
                block = song[round(frame / fps * rate_hz) : round((frame + 1) / fps * rate_hz)]
                self.capture.waiting = ([block], self.now_s)
            self.sound.pump(self.sound.position_s())
            time_s = self.sound.position_s()
            self.times_s.append(time_s)
            self.levels.append(self.sound.level_at(time_s))
        return np.array(self.levels[-round(seconds * fps) :])

    def until_rebuilt(self, before):
        """Frames without sound at one moment, until another follower has taken the place of `before`."""
        end_s = time.monotonic() + 20
        while self.sound.follower is before and time.monotonic() < end_s:
            self.sound.pump(self.sound.position_s())
        assert self.sound.follower is not before


def beats(seconds, rate_hz=44100, bpm=120.0, first_s=0.5):
    return kicks(rate_hz, np.arange(first_s, seconds - 0.05, 60 / bpm), seconds)


def test_while_the_sound_is_lost_the_picture_goes_on_in_its_tempo():
    stage = Stage()
    stage.go_on(15, beats(15, bpm=125))
    assert stage.sound.tempo_bpm == pytest.approx(125, abs=2) and stage.sound.confidence > 0.3
    beat_s = stage.sound.follower.tempo.next_beat_s(stage.sound.position_s())
    lost = stage.go_on(12)
    assert lost[45:60].max() < 0.16 and not stage.levels[0] > 0.03, "the last kick is let go first"
    assert 0.53 < lost[240:].max() < 0.61 and lost[240:].min() < 0.03
    assert np.abs(np.diff(lost[30:])).max() < 0.13, "no jump"
    times_s = np.array(stage.times_s[-720:])[240:]
    tops_s = times_s[1:-1][(lost[241:-1] > lost[240:-2]) & (lost[241:-1] >= lost[242:])]
    off = (tops_s - beat_s) * 125 / 60 % 1
    assert np.all(np.minimum(off, 1 - off) < 0.12), "on the beats that were heard"
    back = stage.go_on(6, beats(6, bpm=125))
    assert back.max() > 0.75 and not stage.sound.moves_by_itself
    assert np.diff(stage.times_s).min() >= 0 and np.diff(stage.times_s).max() < 0.05, "time is one"
    assert stage.times_s[-1] - stage.times_s[0] == pytest.approx(33 - 1 / 60, abs=0.1)


def test_only_zeros_are_no_sound():
    stage = Stage()
    stage.go_on(3, np.zeros(3 * 44100, np.float32))
    assert not stage.sound.moves_by_itself
    stage.capture.state = "only zeros"
    stage.go_on(3, np.zeros(3 * 44100, np.float32))
    assert stage.sound.moves_by_itself and max(stage.levels) > 0.2


def test_without_any_device_it_moves_by_itself_from_the_start_and_follows_a_tapping_hand():
    stage = Stage()
    stage.go_on(4)
    assert stage.sound.moves_by_itself and max(stage.levels) > 0.5
    for _ in range(5):
        stage.sound.tap(stage.sound.position_s())
        stage.go_on(0.6)
    assert stage.sound.tempo_bpm == pytest.approx(100, abs=1)
    stage.sound.scale_tempo(2.0)
    assert stage.sound.tempo_bpm == pytest.approx(200, abs=2)
    assert np.abs(np.diff(stage.levels)).max() < 0.13
    stage.go_on(6, beats(6))
    assert not stage.sound.moves_by_itself and max(stage.levels[-300:]) > 0.75


def test_a_short_dropout_is_not_seen():
    stage = Stage()
    stage.go_on(5, beats(5))
    lost = stage.go_on(0.9)
    assert not stage.sound.moves_by_itself and lost[-1] < 0.05
    assert np.diff(stage.times_s).min() >= 0


def test_another_sample_rate_after_a_loss_keeps_time_and_tempo():
    stage = Stage(48000)
    stage.go_on(15, beats(15, 48000))
    before = stage.sound.follower
    stage.go_on(3)
    stage.capture.sample_rate_hz = 32000
    song = beats(1.5, 32000, first_s=0.25)
    stage.go_on(1 / 60, song)
    stage.until_rebuilt(before)
    assert stage.sound.follower.sample_rate_hz == 32000
    back = stage.go_on(1.5 - 1 / 60, song[round(32000 / 60) :])
    assert stage.sound.tempo_bpm == pytest.approx(120, abs=3) and stage.sound.confidence > 0.3
    assert back.max() > 0.5
    assert np.diff(stage.times_s).min() >= 0 and np.diff(stage.times_s).max() < 0.1
    assert stage.times_s[-1] == pytest.approx(19.5, abs=0.15)


def test_followers_for_another_sample_rate_are_built_beside_the_picture(monkeypatch):
    built_on, may_go = [], threading.Event()

    class Slow(BeatFollower):
        def __init__(self, *arguments):
            built_on.append(threading.current_thread())
            if len(built_on) > 1:
                assert may_go.wait(20)
            super().__init__(*arguments)

    monkeypatch.setattr("visualizer.show.sound.BeatFollower", Slow)
    stage = Stage(48000)
    stage.go_on(4, beats(4, 48000))
    before, n_kicks = stage.sound.follower, stage.sound.heard().n_kicks
    stage.go_on(1)
    stage.capture.sample_rate_hz = 32000
    song = beats(3, 32000, first_s=0.25)
    stage.go_on(1.0, song)  # returns although nothing is built yet
    assert stage.sound.follower is before and len(built_on) == 2
    stage.sound.set_beat(BeatSettings(decay=0.8))
    may_go.set()
    stage.until_rebuilt(before)
    stage.go_on(1.5, song[32000:])
    assert built_on[1] is not threading.current_thread()
    assert stage.sound.heard().n_kicks == n_kicks + 5, "what came meanwhile was not lost"
    assert stage.sound.follower.settings.decay == 0.8
    assert np.diff(stage.times_s).min() >= 0 and np.diff(stage.times_s).max() < 0.1


def test_a_sample_rate_that_comes_back_at_once_keeps_the_followers():
    stage = Stage(48000)
    stage.go_on(1, beats(1, 48000))
    before = stage.sound.follower
    for rate_hz in (32000, 48000):
        stage.capture.sample_rate_hz = rate_hz
        stage.go_on(1 / 60, np.zeros(rate_hz, np.float32))
    stage.go_on(1, np.zeros(48000, np.float32))
    assert stage.sound.follower is before or stage.sound.follower.sample_rate_hz == 48000


def test_followers_that_cannot_be_built_are_reported_and_tried_again():
    stage = Stage(48000)
    stage.go_on(1, beats(1, 48000))
    stage.capture.sample_rate_hz = 1_000_000
    stage.capture.waiting = ([np.zeros(100, np.float32)], stage.now_s)
    with pytest.raises(BadInput, match="sample rate"):
        end_s = time.monotonic() + 20
        while time.monotonic() < end_s:
            stage.sound.pump(0.0)
    before, stage.capture.sample_rate_hz = stage.sound.follower, 32000
    stage.go_on(1 / 60, np.zeros(32000, np.float32))
    stage.until_rebuilt(before)


def test_after_a_stall_the_dropped_sound_leaves_a_gap_in_time_not_a_shift():
    stage = Stage()
    song = beats(20)
    stage.go_on(10, song)
    stage.now_s += 3.0  # the program was stopped; what was older than half a second was dropped
    stage.capture.waiting = ([song[round(12.5 * 44100) : 13 * 44100]], stage.now_s)
    stage.sound.pump(0.0)
    assert stage.sound.position_s() == pytest.approx(13.0, abs=0.05)
    rest = stage.go_on(4, song[13 * 44100 :])
    assert stage.sound.tempo_bpm == pytest.approx(120, abs=3) and rest.max() > 0.75
    off_s = (stage.sound.follower.tempo.next_beat_s(stage.sound.position_s()) - 0.5) % 0.5
    assert min(off_s, 0.5 - off_s) < 0.06, "the beats stand where they stood"


def test_an_hour_without_sound_costs_no_more_than_a_moment():
    stage = Stage()
    stage.go_on(1, beats(1))
    stage.now_s += 3600.0
    stage.sound.pump(0.0)
    assert stage.sound.position_s() == pytest.approx(3601, abs=0.1)
    assert stage.sound.follower.time_s < 6


def test_live_settings_change_without_a_jump_of_time_or_tempo():
    stage = Stage()
    stage.go_on(12, beats(12))
    tempo = stage.sound.tempo_bpm
    stage.sound.set_beat(BeatSettings(motion="punch"), n_variants=2)
    assert stage.sound.tempo_bpm == tempo


class Arriving(Capture):
    """A capture that blocks come in to one by one."""

    def __init__(self):
        super().__init__()
        self.arrived = threading.Event()

    def bring(self, block, stamp_s):
        self.waiting = ([block], stamp_s)
        self.arrived.set()


def test_listening_hears_what_comes_and_tells_a_kick_once():
    capture, now = Arriving(), [0.0]
    sound = LiveSound(capture, BEAT, now=lambda: now[0])
    song, told_s = kicks(44100, KICKS_S, 6.0), []
    for start in range(0, len(song) - 256, 256):
        now[0] = (start + 256) / 44100
        capture.bring(song[start : start + 256], now[0])
        if sound.listen(10.0):
            told_s.append(now[0])
            assert sound.level_at(sound.position_s()) > 0.5
        assert not sound.listen(0.0)
    assert np.array(told_s) == pytest.approx(KICKS_S, abs=0.025)
    assert sound.follower.time_s > 5.9


def test_listening_ends_when_nothing_comes_and_keeps_what_a_pump_heard():
    capture = Arriving()
    sound = LiveSound(capture, BEAT, now=lambda: 1.0)
    assert not sound.listen(0.001)
    capture.bring(kicks(44100, [0.5], 1.0), 1.0)
    sound.pump(0.0)  # a display frame came before anybody listened
    assert sound.listen(0.0), "it has not been told yet"


# --- what is shown of the sound, a tempo from elsewhere, and beginning anew


def test_what_is_heard_is_told_for_the_panel():
    stage = Stage()
    stage.go_on(7.56, 0.5 * beats(8))
    heard = stage.sound.heard()
    assert heard.n_kicks == pytest.approx(15, abs=1) and heard.bpm == pytest.approx(120, abs=2)
    assert 0.2 < heard.peak <= 0.51 and stage.sound.take_peak() == heard.peak, "each who asks has a peak of their own"
    assert stage.sound.heard().peak == 0.0, "since the last time"
    assert (
        heard.spectrum_db.shape == (48,)
        and 0 <= int(np.argmax(heard.spectrum_db)) < 16
        and heard.spectrum_db.max() > -40
    ), "a kick is low"
    assert 0 <= heard.phase < 1 and 0 <= heard.level <= 1 and not heard.moves_by_itself and heard.led_by == ""
    stage.go_on(5)
    assert stage.sound.heard().moves_by_itself and stage.sound.heard().late_s >= 0


def test_a_played_song_tells_what_is_heard_too():
    playback = Playback([(0, 0.5 * beats(4))])
    playback.position_s = 3.9
    sound = PlayedSound(playback, 44100, BEAT)
    sound.pump(0.0)
    heard = sound.heard()
    assert heard.n_kicks == 7 and 0.2 < heard.peak <= 0.51 and heard.bpm == 0.0
    sound.begin_anew()
    assert sound.level_at(3.9) == 0.0


def test_a_tempo_led_from_elsewhere_is_taken_over_beat_for_beat_and_given_back():
    stage = Stage()
    stage.go_on(6, beats(6, bpm=120))
    stage.sound.lead_tempo(93.0, stage.now_s + 0.25)
    heard = stage.sound.heard()
    assert (heard.bpm, heard.led_by, heard.confidence) == (93.0, "Link", 1.0)
    assert heard.phase == pytest.approx(1 - 0.25 * 93 / 60, abs=0.01)
    stage.go_on(3, beats(3, bpm=120))
    assert stage.sound.tempo_bpm == 93.0, "what is heard does not move it"
    before = stage.sound.follower
    stage.sound.begin_anew()
    stage.until_rebuilt(before)
    assert stage.sound.tempo_bpm == 93.0, "nor do new followers"
    stage.sound.lead_tempo(0.0, 0.0)
    assert stage.sound.heard().led_by == ""
    stage.go_on(12, beats(12, bpm=120))
    assert stage.sound.tempo_bpm == pytest.approx(120, abs=2)


def test_new_followers_keep_time_kicks_told_and_tempo():
    stage = Stage()
    stage.go_on(10, beats(10, bpm=110))
    before = stage.sound.heard()
    at_s, follower = stage.sound.position_s(), stage.sound.follower
    stage.sound.begin_anew()
    stage.until_rebuilt(follower)
    after = stage.sound.heard()
    assert stage.sound.position_s() == pytest.approx(at_s, abs=0.01)
    assert after.n_kicks == before.n_kicks and after.bpm == pytest.approx(before.bpm, abs=1)


def test_a_tempo_known_before_is_taken_up_on_its_beat():
    stage = Stage()
    stage.go_on(0.1, np.zeros(44100, np.float32))
    stage.sound.take_up(100.0, stage.now_s - 0.2)
    heard = stage.sound.heard()
    assert heard.bpm == pytest.approx(100, abs=0.1) and heard.confidence >= 0.3
    assert heard.phase == pytest.approx(0.2 * 100 / 60, abs=0.02)
