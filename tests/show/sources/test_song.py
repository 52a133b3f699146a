"""Songs as sources: kicks on the sound, seeks, variants, and reading no further than is needed."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.sounds import KICKS_S, kicks, write_wav
from visualizer.audio.decode import Song
from visualizer.audio.songlist import Place
from visualizer.beat.features import VARIANT
from visualizer.settings import BeatSettings
from visualizer.show.sources.song import SongFileSource, SongSource

BEAT = BeatSettings()


class Playback:
    """What SongSource asks of a playback: blocks of sound with their place in the song. is_drained: whether the song
    ends with the last of them.
    """

    position_s, paused, lost = 0.0, False, None

    def __init__(self, blocks, is_drained=True):
        self.blocks, self.is_drained = blocks, is_drained

    def drain(self):
        blocks, self.blocks = self.blocks, []
        return blocks


def level(sound, time_s):
    return sound.features_at(time_s).level


def variant(sound, time_s):
    return sound.features_at(time_s).variant


def played(playback, beat=BEAT, needs=()):
    """A source of one song of 44.1 kHz."""
    songs = SimpleNamespace(paths=[Path("a.wav")], sample_rate_hz=44100, at=lambda time_s: Place(0, time_s, None))
    return SongSource(playback, songs, beat, needs)


def set_beat(source, beat):
    """Other settings, as of another preset."""
    source.set_preset(SimpleNamespace(settings=SimpleNamespace(beat=beat)))


def rise_s(sound, kick_s):
    """When the level has risen to a half around a kick, seconds from it."""
    times = np.arange(kick_s - 0.1, kick_s + 0.15, 0.001)
    return float(times[np.argmax([level(sound, t) > 0.5 for t in times])] - kick_s)


def test_exported_kicks_land_on_the_sound(kick_song):
    with Song(kick_song) as song:
        sound = SongFileSource(song, BEAT)
        sound.take_in(5.9)
        for kick_s in KICKS_S:
            assert abs(rise_s(sound, kick_s)) < 0.020


def test_export_reads_no_further_than_it_needs_and_hands_every_sample_on(kick_song):
    with Song(kick_song) as song:
        sound = SongFileSource(song, BEAT, frame_s=0.1)
        sound.take_in(1.0)
        assert 1.0 <= sound.read_s < 1.0 + sound.analyzer.needs_ahead_s + 0.1 and not sound.is_read
        n_taken = len(sound.take_sound())
        sound.take_in(6.04)
        assert sound.is_read and sound.read_s == pytest.approx(6.0) and not sound.ended, (
            "this frame begins before the end"
        )
        sound.take_in(6.06)
        assert sound.ended and sound.position_s() == 6.06
        assert n_taken + len(sound.take_sound()) == 6 * 44100 and not len(sound.take_sound())


def test_played_kicks_land_on_the_sound_too():
    song = kicks(44100, KICKS_S, 6.0)
    playback = Playback([(start, song[start : start + 1024]) for start in range(0, len(song), 1024)])
    sound = played(playback)
    sound.take_in(0.0)
    for kick_s in KICKS_S:
        assert abs(rise_s(sound, kick_s)) < 0.020


def test_a_seek_begins_a_new_follower_at_its_place():
    song = kicks(44100, KICKS_S, 6.0)
    at = 3 * 44100
    playback = Playback([(0, song[:44100])])
    sound = played(playback)
    sound.take_in(0.0)
    playback.blocks = [(at, song[at : at + 44100]), (at + 44100, song[at + 44100 : at + 88200])]
    sound.take_in(0.0)
    for kick_s in (3.5, 4.5):
        assert abs(rise_s(sound, kick_s)) < 0.020


def test_an_analyzer_that_gets_the_newest_sound_again_counts_no_kick_twice():
    song = kicks(44100, KICKS_S, 8.0)
    playback = Playback([(start, song[start : start + 1024]) for start in range(0, len(song), 1024)], is_drained=False)
    sound = played(playback)
    sound.take_in(0.0)
    before = sound.features_at(7.0)
    analyzer = sound.analyzer
    sound.renew_analysis()
    while sound.analyzer is analyzer:
        sound.take_in(0.0)
    assert before.n_kicks > 4 and sound.features_at(7.0).n_kicks == before.n_kicks


def bright_then_bass(rate_hz=44100):
    """Two seconds of a high note, two of a bass note, seconds 0-2 and 2-4."""
    t = np.arange(2 * rate_hz) / rate_hz
    return np.concatenate([0.5 * np.sin(2 * np.pi * hz * t) for hz in (5000, 60)]).astype(np.float32)


def test_every_song_moves_along_the_variants_where_there_are_some(tmp_path):
    mono = bright_then_bass()
    write_wav(tmp_path / "x.wav", mono, 44100)
    blocks = [(start, mono[start : start + 1000]) for start in range(0, len(mono), 1000)]
    with Song(tmp_path / "x.wav") as song:
        for sound in (
            SongFileSource(song, BEAT, {VARIANT}),
            played(Playback(blocks), needs={VARIANT}),
        ):
            sound.take_in(3.9)
            assert variant(sound, -1.0) == 0.0
            assert variant(sound, 1.9) == pytest.approx(1.0, abs=0.02)
            assert 0.05 < variant(sound, 3.9) < 0.3, "it falls slowly"


def test_one_variant_is_never_left_and_costs_no_hearing(monkeypatch):
    def none(*_):
        raise AssertionError("nobody asked for the bands")

    monkeypatch.setattr("visualizer.beat.analyzer.VariantFollower", none)
    sound = played(Playback([(0, bright_then_bass())]))
    sound.take_in(0.0)
    assert variant(sound, 1.9) == 0.0


def test_variants_leave_the_level_as_it_is():
    song = kicks(44100, KICKS_S, 6.0)
    alone, beside = (played(Playback([(0, song)]), needs=needs) for needs in ((), {VARIANT}))
    alone.take_in(0.0), beside.take_in(0.0)
    assert all(level(alone, t) == level(beside, t) for t in np.arange(0, 6, 0.05))


def test_after_a_seek_the_variants_are_heard_from_there():
    mono = bright_then_bass()
    playback = Playback([(0, mono[:88200])])
    sound = played(playback, needs={VARIANT})
    sound.take_in(0.0)
    assert variant(sound, 1.9) > 0.9
    playback.blocks = [(10 * 44100, mono[88200:])]
    sound.take_in(0.0)
    assert variant(sound, 11.9) < 0.2


def test_a_lead_changes_nothing_where_the_sound_is_known_beforehand(tmp_path):
    """The picture is as early as it should be already: a kick shown before it sounds would be wrong."""
    times_s = np.arange(0.5, 9.8, 0.5)
    song = kicks(44100, times_s, 10.0)
    write_wav(tmp_path / "a.wav", song, 44100)
    at_s = np.arange(0, 10, 0.01)
    in_play, in_export = [], []
    for beat in (BEAT, BeatSettings(lead_ms=150)):
        sound = played(Playback([(0, song)]), beat)
        sound.take_in(0.0)
        in_play.append([level(sound, t) for t in at_s])
        with Song(tmp_path / "a.wav") as file:
            export = SongFileSource(file, beat)
            export.take_in(10.0)
            in_export.append([level(export, t) for t in at_s])
    assert in_play[0] == in_play[1] == in_export[0] == in_export[1]


def test_a_played_song_takes_other_settings_over_in_its_place():
    song = kicks(44100, KICKS_S, 6.0)
    playback = Playback([(0, song[: 3 * 44100])], is_drained=False)
    sound = played(playback)
    sound.take_in(0.0)
    before = level(sound, 1.9)
    set_beat(sound, BeatSettings(motion="punch"))
    assert level(sound, 1.9) == pytest.approx(before, abs=0.01)
    playback.blocks = [(3 * 44100, song[3 * 44100 : 5 * 44100])]
    sound.take_in(0.0)
    assert rise_s(sound, 3.0) == pytest.approx(0, abs=0.02)
    assert level(sound, 3.4) < 0.2, "gone sooner"
    playback.blocks, playback.is_drained = [(10 * 44100, song[: 2 * 44100])], True
    sound.take_in(0.0)
    assert level(sound, 11.4) < 0.2 < 0.75 < max(level(sound, t) for t in np.arange(11, 11.1, 0.01)), "after a seek"


def test_variants_may_come_and_go_while_a_song_plays():
    mono = np.concatenate([bright_then_bass(), bright_then_bass()])
    playback = Playback([(0, mono[:44100])])
    sound = played(playback)
    sound.take_in(0.0)
    assert variant(sound, 0.9) == 0.0
    sound.needs({VARIANT})
    playback.blocks = [(44100, mono[44100:])]
    sound.take_in(0.0)
    assert variant(sound, 0.9) == 0.0, "not heard then"
    assert variant(sound, 1.95) > 0.9 and variant(sound, 3.9) < 0.3 and variant(sound, 5.9) > 0.9, (
        "at its place in the song"
    )
    set_beat(sound, BeatSettings(decay=0.9))
    assert variant(sound, 5.9) > 0.9, "variants stay"
    sound.needs(())
    assert variant(sound, 5.9) == 0.0


def test_a_played_song_tells_what_is_heard_too():
    playback = Playback([(0, 0.5 * kicks(44100, np.arange(0.5, 3.95, 0.5), 4.0))])
    playback.position_s = 3.9
    sound = played(playback)
    sound.take_in(0.0)
    heard = sound.meters()
    assert heard.n_kicks == 7 and 0.2 < heard.peak <= 0.51 and heard.bpm == 0.0
    sound.restart_analysis()
    assert level(sound, 3.9) == 0.0


def test_bands_and_tempo_are_there_where_a_look_needs_them():
    song = kicks(44100, np.arange(0.5, 9.8, 0.5), 10.0)
    playback = Playback([(0, song)])
    sound = played(playback)
    sound.needs({"bpm", "bass", "kick"})
    sound.take_in(0.0)
    features = sound.features_at(9.0)
    assert features.bpm == pytest.approx(120, abs=2) and features.confidence > 0.3 and features.loudness > 0
    assert min(features.beat_phase, 1 - features.beat_phase) < 0.1
    playback.position_s = 9.0
    assert sound.meters().bpm == features.bpm
    sound.needs(())
    assert sound.features_at(9.0).bpm == 0.0 and sound.meters().bpm == 0.0


def test_an_export_and_a_play_of_a_song_have_the_same_features(tmp_path):
    song = kicks(44100, np.arange(0.5, 3.8, 0.5), 4.0)
    write_wav(tmp_path / "a.wav", song, 44100)
    needs = {"bass", "bpm", "sound", VARIANT}
    times_s = (np.arange(120) + 0.5) / 30
    with Song(tmp_path / "a.wav") as file:
        stereo = file.read(len(song)).copy()
    with Song(tmp_path / "a.wav") as file:
        export = SongFileSource(file, BEAT, needs, frame_s=1 / 30)
        in_export = [export.listen(lambda: time_s) for time_s in times_s]  # noqa: B023  it is called at once
    sound = played(
        Playback([(start, stereo[start : start + 700]) for start in range(0, len(stereo), 700)]), needs=needs
    )
    sound.take_in(0.0)
    for time_s, one in zip(times_s, in_export, strict=True):
        other = sound.features_at(time_s)
        assert np.array_equal(one.sound.samples, other.sound.samples)
        assert (one.level, one.n_kicks, one.bass, one.bpm, one.beat_phase, one.variant) == (
            *(other.level, other.n_kicks, other.bass),
            *(other.bpm, other.beat_phase, other.variant),
        )
