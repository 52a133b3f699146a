"""The sound track of a session: every sample at its time, whatever the device did."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from tests.session.making import make_session, write_events
from tests.session.recorded import OPEN
from tests.sounds import write_wav
from visualizer.session.events import CLOCK_HZ, AnalysisEvent, ClockEvent, DeviceEvent, EndEvent, SoundEvent
from visualizer.session.reader import RecordedSession
from visualizer.session.songs import song_files
from visualizer.session.soundtrack import SoundMap, Soundtrack
from visualizer.session.writer import SessionWriter


def tone(n_samples, rate_hz, hz=1000.0, start=0.0):
    """A tone whose phase says where in time a sample is."""
    return (0.5 * np.sin(2 * np.pi * hz * (np.arange(n_samples) / rate_hz + start))).astype(np.float32)


def track_of(root, ticks, block=1600, start=0):
    session, said = RecordedSession(root), []
    sounds = SoundMap(session)
    for event in session.events():
        sounds.add(event)
    songs = song_files(session, sounds.songs, said.append)
    track = Soundtrack(session, sounds.pieces(songs), songs, start, said.append)
    blocks = [track.take(min(tick, ticks)) for tick in range(start + block, ticks + block, block)]
    track.close()
    return np.concatenate(blocks), said


def written(tmp_path, *parts, **options):
    """A session of parts of sound, (tick, samples, rate); None: another device."""
    writer = SessionWriter.open(tmp_path / "night", **OPEN, keep_free_bytes=0, **options)
    for part in parts:
        if part is None:
            writer.event(DeviceEvent(at=0, state="lost"))
            writer.event(DeviceEvent(at=0, state="ok"))
        else:
            at, samples, rate_hz = part
            for first in range(0, len(samples), 1000):
                writer.sound(samples[first : first + 1000], at + round(first * CLOCK_HZ / rate_hz), rate_hz)
    writer.close()
    return tmp_path / "night"


@pytest.mark.parametrize("block", [1600, 1601, 48_000])
def test_sound_at_the_rate_of_the_clock_is_copied_and_gaps_are_silent(tmp_path, block):
    one, two = tone(24_000, 48_000), tone(24_000, 48_000, 700.0)
    root = written(tmp_path, (0, one, 48_000), (48_000, two, 48_000))
    sound, said = track_of(root, 96_000, block)
    assert sound.shape == (96_000, 2) and (sound[:, 0] == sound[:, 1]).all() and said == []
    assert np.allclose(sound[:24_000, 0], one, atol=1e-5) and np.allclose(sound[48_000:72_000, 0], two, atol=1e-5)
    assert not sound[24_000:48_000].any() and not sound[72_000:].any()


@pytest.mark.parametrize("rate_hz", [44_100, 32_000, 96_000])
def test_another_sample_rate_changes_neither_pitch_nor_place(tmp_path, rate_hz):
    root = written(tmp_path, (0, tone(48_000, 48_000), 48_000), None, (48_000, tone(rate_hz, rate_hz), rate_hz))
    sound, _ = track_of(root, 96_000)
    inside = slice(48_100, 95_800)
    assert np.abs(sound[inside, 0] - tone(48_000, 48_000)[100:47_800]).max() < 2e-3


def test_a_device_whose_clock_is_off_stays_with_the_picture_and_does_not_click(tmp_path):
    n_seconds, fast = 4, 1.002
    rate_hz = 48_000 * fast  # as it is; it says 48000
    heard = tone(round(n_seconds * rate_hz), rate_hz)
    writer = SessionWriter.open(tmp_path / "night", **OPEN, keep_free_bytes=0)
    for first in range(0, len(heard), 480):
        writer.sound(heard[first : first + 480], round(first / rate_hz * CLOCK_HZ), 48_000)
    writer.close()
    sound, _ = track_of(tmp_path / "night", n_seconds * CLOCK_HZ)
    wanted = tone(n_seconds * CLOCK_HZ, CLOCK_HZ)
    inside = slice(1000, (n_seconds - 1) * CLOCK_HZ)
    assert np.abs(sound[inside, 0] - wanted[inside]).max() < 0.05, "within 16 microseconds"


def test_a_session_that_begins_later_and_a_part_that_is_missing(tmp_path):
    root = written(
        tmp_path, (480_000, tone(48_000, 48_000), 48_000), None, (528_000, tone(4800, 48_000), 48_000), at=480_000
    )
    sound, said = track_of(root, 532_800, start=480_000)
    assert np.allclose(sound[:48_000, 0], tone(48_000, 48_000), atol=1e-5) and said == []
    (root / "sound-0001.flac").unlink()
    sound, said = track_of(root, 532_800, start=480_000)
    assert not sound[:48_000].any() and sound[48_000:].any()
    assert len(said) == 1 and "sound-0001.flac" in said[0] and "silent" in said[0]


def test_songs_are_heard_at_the_second_that_the_clock_says_and_not_when_they_were_analysed(tmp_path):
    """Analysed 2 s ahead; paused from 1 to 2 s; at 3 s a seek to second 10 of the songs."""
    writer = SessionWriter.open(tmp_path / "night", **OPEN | {"kind": "play"}, keep_free_bytes=0)
    song = np.linspace(0.0, 0.9, 20 * 48_000, dtype=np.float32)  # a sample says where it is
    rate = 48_000

    def analyse(at_s, begin_s, end_s, *, starts=False):
        if starts:
            writer.event(
                AnalysisEvent(at=round(at_s * rate), step="start", rate_hz=rate, start_s=begin_s, is_known=True)
            )
        for first in range(round(begin_s * rate), round(end_s * rate), 4096):
            block = song[first : min(first + 4096, round(end_s * rate))]
            writer.sound(block, round(at_s * rate), rate)

    analyse(0.0, 0.0, 2.0, starts=True)
    writer.event(ClockEvent(at=0, position_s=0.0))
    analyse(0.5, 2.0, 4.0)
    writer.event(ClockEvent(at=rate, position_s=1.0, is_running=False))
    writer.event(ClockEvent(at=2 * rate, position_s=1.0))
    writer.event(ClockEvent(at=3 * rate, position_s=10.0))
    analyse(3.01, 10.0, 12.5, starts=True)
    writer.event(EndEvent(at=5 * rate))
    writer.close()
    sound, _ = track_of(tmp_path / "night", 5 * CLOCK_HZ)
    for at_s, second in ((0.5, 0.5), (2.5, 1.5), (3.5, 10.5), (4.5, 11.5)):
        assert sound[round(at_s * rate), 0] == pytest.approx(song[round(second * rate)], abs=1e-4), at_s
    assert not sound[round(1.1 * rate) : round(1.9 * rate)].any()


def played(tmp_path, clocks, song=None, *, copy=False, end_s=8.0, **options):
    """A session of `play` with a song that is analysed at once, and the recorded times of its clock: (at, position, is
    running), seconds.
    """
    writer = SessionWriter.open(tmp_path / "night", **OPEN | {"kind": "play"}, keep_free_bytes=0)
    if song is not None:
        writer.song(0, 0.0, song, copy=copy, **options)
    writer.event(AnalysisEvent(at=0, step="start", rate_hz=CLOCK_HZ, is_known=True))
    ramp = np.linspace(0.0, 0.9, 10 * CLOCK_HZ, dtype=np.float32)  # a sample says where it is
    for first in range(0, len(ramp), 4096):
        writer.sound(ramp[first : first + 4096], 0, CLOCK_HZ)
    for at_s, position_s, *is_running in clocks:
        running = is_running[0] if is_running else True
        writer.event(ClockEvent(at=round(at_s * CLOCK_HZ), position_s=position_s, is_running=running))
    writer.event(EndEvent(at=round(end_s * CLOCK_HZ)))
    writer.close()
    return tmp_path / "night"


def test_a_clock_that_is_known_to_some_milliseconds_does_not_make_clicks(tmp_path):
    jitter = np.random.default_rng(1).uniform(-0.02, 0.02, 60)
    clocks = [(0.0, 0.0), *((0.1 + 0.1 * n, 0.1 + 0.1 * n + off) for n, off in enumerate(jitter.tolist()))]
    sound, _ = track_of(played(tmp_path, clocks), 6 * CLOCK_HZ)
    assert np.diff(sound[:, 0]).max() < 1e-5, "it goes on evenly"
    assert sound[3 * CLOCK_HZ, 0] == pytest.approx(0.27, abs=0.02 * 0.09), "where the clock says, in the middle"


def test_a_clock_that_gets_off_slowly_is_followed_without_clicks(tmp_path):
    clocks = [(at_s, at_s * 1.004) for at_s in np.arange(0.0, 8.0, 0.5).tolist()]
    sound, _ = track_of(played(tmp_path, clocks), 8 * CLOCK_HZ)
    assert np.diff(sound[:, 0]).max() < 1e-5
    assert sound[7 * CLOCK_HZ, 0] == pytest.approx(0.09 * 7 * 1.004, abs=0.09 * 0.06)


def test_sound_that_came_late_after_a_seek_is_heard_once(tmp_path):
    """At 2 s a seek to second 5, where nothing is heard for 0.3 s."""
    clocks = [(0.0, 0.0), (2.0, 5.0), *((2.0 + at_s, 5.0) for at_s in (0.016, 0.05, 0.3)), (2.4, 5.1)]
    sound, _ = track_of(played(tmp_path, clocks), 4 * CLOCK_HZ)
    assert sound[round(1.99 * CLOCK_HZ), 0] == pytest.approx(0.09 * 1.99, abs=1e-4)
    assert not sound[2 * CLOCK_HZ + 1 : round(2.29 * CLOCK_HZ)].any()
    assert sound[round(2.31 * CLOCK_HZ), 0] == pytest.approx(0.09 * 5.01, abs=1e-3)
    assert sound[3 * CLOCK_HZ, 0] == pytest.approx(0.09 * 5.7, abs=1e-3)


def test_songs_are_heard_in_stereo_and_as_loud_as_they_were(tmp_path):
    path, rate_hz = tmp_path / "song.wav", 44_100
    left, right = tone(8 * rate_hz, rate_hz), tone(8 * rate_hz, rate_hz, 700.0)
    write_wav(path, np.stack([left, right], axis=1), rate_hz)
    root = played(tmp_path, [(0.0, 0.0), (1.0, 1.0, False), (2.0, 1.0), (3.0, 6.0)], path, gain=0.5)
    sound, said = track_of(root, 4 * CLOCK_HZ)
    inside = slice(100, CLOCK_HZ - 100)
    for side, hz in enumerate((1000.0, 700.0)):
        assert np.abs(sound[inside, side] - 0.5 * tone(CLOCK_HZ, CLOCK_HZ, hz)[inside]).max() < 2e-3
        after = sound[3 * CLOCK_HZ :][inside, side]
        assert np.abs(after - 0.5 * tone(CLOCK_HZ, CLOCK_HZ, hz, 6.0)[inside]).max() < 2e-3
    assert said == [] and not sound[CLOCK_HZ + 1 : 2 * CLOCK_HZ].any()

    path.write_bytes(b"another file at its place")
    sound, said = track_of(root, 4 * CLOCK_HZ)
    assert len(said) == 1 and "song.wav" in said[0] and "mono" in said[0]
    assert sound[CLOCK_HZ // 2, 0] == sound[CLOCK_HZ // 2, 1] == pytest.approx(0.045, abs=1e-4)


def test_a_session_can_be_taken_up_anywhere(tmp_path):
    root = written(tmp_path, (0, tone(96_000, 48_000), 48_000))
    session = RecordedSession(root)
    sounds = SoundMap(session)
    for event in session.events():
        sounds.add(event)
    track = Soundtrack(session, sounds.pieces({}), {}, 0)
    whole = track.take(96_000)
    for tick in (90_000, 1000, 40_000):
        track.go_to(tick)
        assert np.array_equal(track.take(tick + 4000), whole[tick : tick + 4000])
    track.close()


def test_places_that_no_device_makes_take_no_memory(tmp_path):
    """Thousands of samples within a tick, and a frame of sound that says it is of an hour later."""
    folder = make_session(tmp_path / "night")
    lines = [
        SoundEvent(at=480, file="sound-0001.flac", rate_hz=48_000, channels=1, first=0),
        SoundEvent(at=481, file="sound-0001.flac", rate_hz=48_000, channels=1, first=2399),
        SoundEvent(at=482, file="sound-0001.flac", rate_hz=48_000, channels=1, first=2**53 - 1),
    ]
    write_events(folder, lines)
    tracemalloc.start()
    sound, said = track_of(folder.root, 9600)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(sound) == 9600 and said == [] and most < 30_000_000
