"""Sources of sound and their follower."""

import numpy as np
import pytest

from tests.sounds import KICKS_S, kicks, write_wav
from visualizer.audio.decode import Song
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


def rise_s(depth_at, kick_s):
    """When the depth has risen halfway to the deepest around a kick, seconds from it."""
    times = np.arange(kick_s - 0.1, kick_s + 0.15, 0.001)
    return float(times[np.argmax([depth_at(t) > 10 for t in times])] - kick_s)


def test_exported_kicks_land_on_the_sound(kick_song):
    with Song(kick_song) as song:
        sound = ExportedSound(song, BEAT, 20)
        sound.pump(5.9)
        for kick_s in KICKS_S:
            assert abs(rise_s(sound.depth_at, kick_s)) < 0.020


def test_export_reads_no_further_than_it_needs_and_hands_every_sample_on(kick_song):
    handed = []
    with Song(kick_song) as song:
        sound = ExportedSound(song, BEAT, 20, handed.append)
        sound.pump(1.0)
        assert 1.0 <= sound.read_s < 1.3
        sound.pump(100.0)
        assert sound.ended and sound.read_s == pytest.approx(6.0)
    assert sum(map(len, handed)) == 6 * 44100


def test_played_kicks_land_on_the_sound_too():
    song = kicks(44100, KICKS_S, 6.0)
    playback = Playback([(start, song[start : start + 1024]) for start in range(0, len(song), 1024)])
    sound = PlayedSound(playback, 44100, BEAT, 20)
    sound.pump(0.0)
    for kick_s in KICKS_S:
        assert abs(rise_s(sound.depth_at, kick_s)) < 0.020


def test_a_seek_begins_a_new_follower_at_its_place():
    song = kicks(44100, KICKS_S, 6.0)
    at = 3 * 44100
    playback = Playback([(0, song[:44100])])
    sound = PlayedSound(playback, 44100, BEAT, 20)
    sound.pump(0.0)
    playback.blocks = [(at, song[at : at + 44100]), (at + 44100, song[at + 44100 : at + 88200])]
    sound.pump(0.0)
    for kick_s in (3.5, 4.5):
        assert abs(rise_s(sound.depth_at, kick_s)) < 0.020


def test_live_sound_counts_on_between_blocks_and_falls_when_they_stop():
    now = [50.0]
    capture = Capture()
    sound = LiveSound(capture, BEAT, 20, now=lambda: now[0])
    sound.pump(0.0)
    assert sound.position_s() == 0.0
    song = kicks(44100, [0.1], 0.3)
    capture.waiting = ([song[:5000], song[5000:]], 50.0)
    sound.pump(0.0)
    start = sound.position_s()
    assert start == pytest.approx(0.3, abs=0.01)
    now[0] += 1.0
    assert sound.position_s() == pytest.approx(start + 1.0)
    assert sound.depth_at(sound.position_s()) < 0.2 * sound.depth_at(start) + 1
    assert sound.take_peak() > 0.3 and sound.take_peak() == 0.0


def bright_then_bass(rate_hz=44100):
    """Two seconds of a high note, two of a bass note, seconds 0-2 and 2-4."""
    t = np.arange(2 * rate_hz) / rate_hz
    return np.concatenate([0.5 * np.sin(2 * np.pi * hz * t) for hz in (5000, 60)]).astype(np.float32)


def test_every_sound_moves_along_the_rows_where_there_are_some(tmp_path):
    mono = bright_then_bass()
    write_wav(tmp_path / "x.wav", mono, 44100)
    blocks = [(start, mono[start : start + 1000]) for start in range(0, len(mono), 1000)]
    capture = Capture()
    capture.waiting = ([block for _, block in blocks], 0.0)
    with Song(tmp_path / "x.wav") as song:
        for sound in (
            ExportedSound(song, BEAT, 20, n_rows=3),
            PlayedSound(Playback(blocks), 44100, BEAT, 20, n_rows=3),
            LiveSound(capture, BEAT, 20, now=lambda: 0.0, n_rows=3),
        ):
            sound.pump(3.9)
            assert sound.row_at(-1.0) == 0.0
            assert sound.row_at(1.9) == pytest.approx(1.0, abs=0.02)
            assert 0.05 < sound.row_at(3.9) < 0.3, "it falls slowly"


def test_one_row_is_never_left_and_costs_no_hearing(monkeypatch):
    def none(*_):
        raise AssertionError("nobody asked for the bands")

    monkeypatch.setattr("visualizer.show.sound.RowFollower", none)
    sound = PlayedSound(Playback([(0, bright_then_bass())]), 44100, BEAT, 20)
    sound.pump(0.0)
    assert sound.row_at(1.9) == 0.0


def test_rows_leave_the_depth_as_it_is():
    song = kicks(44100, KICKS_S, 6.0)
    alone, beside = (PlayedSound(Playback([(0, song)]), 44100, BEAT, 20, n_rows=n_rows) for n_rows in (1, 3))
    alone.pump(0.0), beside.pump(0.0)
    assert all(alone.depth_at(t) == beside.depth_at(t) for t in np.arange(0, 6, 0.05))


def test_after_a_seek_the_rows_are_heard_from_there():
    mono = bright_then_bass()
    playback = Playback([(0, mono[:88200])])
    sound = PlayedSound(playback, 44100, BEAT, 20, n_rows=2)
    sound.pump(0.0)
    assert sound.row_at(1.9) > 0.9
    playback.blocks = [(10 * 44100, mono[88200:])]
    sound.pump(0.0)
    assert sound.row_at(11.9) < 0.2
