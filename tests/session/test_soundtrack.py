"""The sound track of a session: every sample at its time, whatever the device did."""

from __future__ import annotations

import numpy as np
import pytest

from tests.session.recorded import OPEN
from visualizer.session.events import CLOCK_HZ, AnalysisEvent, ClockEvent, DeviceEvent, EndEvent
from visualizer.session.reader import RecordedSession
from visualizer.session.soundtrack import Soundtrack
from visualizer.session.writer import SessionWriter


def tone(n_samples, rate_hz, hz=1000.0, start=0.0):
    """A tone whose phase says where in time a sample is."""
    return (0.5 * np.sin(2 * np.pi * hz * (np.arange(n_samples) / rate_hz + start))).astype(np.float32)


def track_of(root, ticks, block=1600, start=0):
    session, said = RecordedSession(root), []
    track = Soundtrack(session, session.events(), start, said.append)
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
