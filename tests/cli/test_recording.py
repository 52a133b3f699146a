"""The program records as a user would start it: killed at any moment, its session can be read; restarted, it goes on."""

from __future__ import annotations

import os
import random
import signal
import time

import numpy as np
import pytest

from tests.fixtures.pulse import wait_until
from tests.sounds import kicks
from visualizer.cli.options import with_record_folder
from visualizer.session.events import CLOCK_HZ, AnalysisEvent, CommandEvent, DreamEvent, PresetEvent, SoundEvent
from visualizer.session.reader import RecordedSession, SoundTape


def recorded_sound(folder):
    """Seconds of sound that the events of a session name, those that its files lack, and the session."""
    session = RecordedSession(folder)
    tape, seconds = SoundTape(session), 0.0
    for event in session.events():
        if isinstance(event, SoundEvent):
            tape.begin(event)
            rate_hz = event.rate_hz
        elif isinstance(event, AnalysisEvent) and event.step == "sound":
            seconds += sum(len(block) for block in tape.read(event.n_samples)) / rate_hz
    return seconds, tape.n_lost / rate_hz, session


def is_recorded(folder, seconds):
    if not (folder / "events.jsonl").exists():
        return False
    events = RecordedSession(folder).events()
    ticks = [one.at for one in events if isinstance(one, AnalysisEvent) and one.step == "sound"]
    return bool(ticks) and ticks[-1] - ticks[0] > seconds * CLOCK_HZ


def killed_once(started, pulse, folder, seed):
    song = kicks(48_000, np.arange(0.3, 30.0, 0.5), 30.0).astype(np.float32)
    with pulse.play(song):
        process = started("live", "--no-supervise", "--record-to", str(folder))
        wait_until(lambda: is_recorded(folder, 1.5), 90, "nothing is recorded")
        time.sleep(random.Random(seed).uniform(0.0, 0.6))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    seconds, lost_s, session = recorded_sound(folder)
    events = list(session.events())
    assert session.info.state == "open" and seconds > 1.4 and lost_s < 0.5
    assert (session.tally.n_damaged, session.tally.n_missing) == (0, 0)
    for kind in (PresetEvent, CommandEvent, DreamEvent):
        assert [one for one in events if isinstance(one, kind)], kind


@pytest.mark.slow
def test_killed_its_session_can_be_read(started, pulse, loaded, tmp_path):
    killed_once(started, pulse, tmp_path / "night", 0)


@pytest.mark.long
def test_killed_at_many_moments_its_session_can_be_read(started, pulse, loaded, tmp_path):
    for number in range(20):
        killed_once(started, pulse, tmp_path / f"night {number}", number)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (["live", "--record"], ["live", "--record"]),
        (["live", "--record", "here"], ["live", "--record-to", "here"]),
        (["live", "--record", "--panel"], ["live", "--record", "--panel"]),
        (["play", "--record", "a.mp3"], ["play", "--record", "a.mp3"]),
        (["play", "a.mp3", "--record=here"], ["play", "a.mp3", "--record-to=here"]),
    ],
)
def test_record_may_name_a_folder(given, read):
    assert with_record_folder(given) == read
