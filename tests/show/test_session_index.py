"""The events up to any moment of a session: few of them in memory, with the effect of all."""

from __future__ import annotations

import numpy as np
import pytest

from tests.session.making import make_session, write_events
from visualizer.control.actions import find_actions
from visualizer.control.commands import Act, Command, Set
from visualizer.control.keys import Keymap
from visualizer.control.parameters import base_parameters
from visualizer.control.state import Context, ShowState, apply
from visualizer.session.events import (
    CLOCK_HZ,
    AnalysisEvent,
    CommandEvent,
    DreamEvent,
    FeaturesEvent,
    JourneyEvent,
    PresetEvent,
    SoundEvent,
)
from visualizer.session.reader import RecordedSession
from visualizer.show.session_index import SessionIndex, condensed
from visualizer.show.sources.session import CAPABILITIES

SECONDS = 120


def command(at, change):
    return CommandEvent(at=at, command=Command(at, change).to_data())


@pytest.fixture
def events():
    """Two minutes of features for each display frame, settings that move, sound in two parts, and some actions."""
    rng = np.random.default_rng(5)
    events = [
        PresetEvent(at=0, folder="clouds-01", scene=0, reference="clouds", name="clouds", width=16, height=9),
        SoundEvent(at=0, file="sound-0001.flac", rate_hz=CLOCK_HZ, channels=1),
        AnalysisEvent(at=0, step="start", rate_hz=CLOCK_HZ),
    ]
    for frame in range(60 * SECONDS):
        at = frame * CLOCK_HZ // 60
        events.append(FeaturesEvent(at=at, values={"level": frame / (60 * SECONDS)}))
        if frame % 15 == 0:
            events.append(AnalysisEvent(at=at, step="sound", n_samples=CLOCK_HZ // 4))
        if frame == 45 * 60:
            events.append(SoundEvent(at=at, file="sound-0002.flac", rate_hz=CLOCK_HZ, channels=1))
        if frame % 2:
            name = ("beat.decay", "beat.sensitivity")[int(rng.integers(2))]
            events.append(command(at, Set(name, float(rng.uniform(0.3, 0.9)))))
        if rng.random() < 0.004:
            events.append(command(at, Act("blackout")))
    return events


@pytest.fixture
def index(events, tmp_path):
    folder = make_session(tmp_path / "night")
    write_events(folder, events)
    session = RecordedSession(folder.root)
    index = SessionIndex(session)
    for line in session.checked_lines():
        index.add(line)
    return index


def effect(events):
    """What is set, how much sound there was of each part, and the newest features."""
    context = Context(find_actions(), base_parameters(), Keymap(), CAPABILITIES["live"])
    state, sound, features, part = ShowState(), {}, None, ""
    for event in events:
        match event:
            case CommandEvent():
                state = apply(state, Command.from_data(event.command), context)
            case SoundEvent():
                part = event.file
            case AnalysisEvent():
                sound[part] = sound.get(part, 0) + event.n_samples
            case FeaturesEvent():
                features = event
    return state.values(context), state.blackout, sound, features


@pytest.mark.parametrize("at_s", [0.0, 9.99, 31.0, 45.3, 78.0, 119.9, 500.0])
def test_the_events_up_to_a_moment_have_the_effect_of_all_of_them(events, index, at_s):
    tick = round(at_s * CLOCK_HZ)
    before, rest = index.split(tick, 12.0)
    assert effect(before) == effect([one for one in events if one.at <= tick])
    assert list(rest) == [one for one in events if one.at > tick]
    newest = [one for one in before if tick - 12 * CLOCK_HZ < one.at]
    assert newest == [one for one in events if tick - 12 * CLOCK_HZ < one.at <= tick], "of the last 12 s, each of them"


def test_it_begins_with_nothing_before(events, index):
    before, rest = index.split(-1, 0.0)
    assert before == [] and list(rest) == events


def test_few_events_are_kept(events, index):
    before, _ = index.split(SECONDS * CLOCK_HZ, 0.0)
    assert len(before) < 0.1 * len(events)
    steps = [AnalysisEvent(at=n, step="sound", n_samples=1) for n in range(1000)]
    assert condensed(steps) == [AnalysisEvent(at=0, step="sound", n_samples=1000)]


def journey(at, slots, scene=0):
    place = dict.fromkeys(("time_s", "beats", "position", "speed", "linger", "linger_s", "first", "last"), 0.0)
    return JourneyEvent(at=at, scene=scene, arrives_s=1.0, slots=slots, crops=[], **place)


def test_the_frames_of_a_station_come_after_it_has_got_its_slot():
    """A slot that gets another station drops the frames that wait for it."""
    frame = {"scene": 0, "variant": 0, "depth_index": 0, "sha256": "0" * 64, "width": 16, "height": 9, "finished": True}
    other = journey(3, [[0, 5]], scene=1)
    one = [journey(1, [[0, 1]]), DreamEvent(at=2, **frame), other, journey(4, [[0, 1]]), journey(5, [[0, 1]])]
    two = [journey(6, [[0, 2]]), DreamEvent(at=7, **frame), journey(8, [[0, 2]])]
    again = [journey(9, [[0, 1]]), DreamEvent(at=10, **frame), journey(11, [[0, 1]]), journey(12, [[0, 1]])]
    found = [event.at for event in condensed([*one, *two, *again])]
    assert found == [1, 2, 3, 5, 6, 7, 8, 9, 10, 12]
