"""A journey in a session: where it was is recorded, and a performance travels the same way through the same dreams."""

from __future__ import annotations

import shutil
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from tests.render.pictures import smooth
from tests.show.nights import Pixels, recording_of
from tests.show.test_recorder import has_shown, is_not_recording, is_recording, session_in, song_show
from visualizer.control.commands import Act, Set
from visualizer.control.parameters import JOURNEY_SPEED
from visualizer.presets.dreams import open_cache
from visualizer.presets.journey import ReadyStations, Stations
from visualizer.presets.loaded import open_preset
from visualizer.render.canvas import Canvas
from visualizer.render.offscreen import Offscreen
from visualizer.render.programs import Programs
from visualizer.session.events import CLOCK_HZ, DreamEvent, JourneyEvent
from visualizer.session.reader import RecordedSession
from visualizer.show.clocks import FrameClock
from visualizer.show.export import VideoOptions
from visualizer.show.guard import Guard
from visualizer.show.performance import Performance, PerformanceLoop, PerformedSource, contents_of
from visualizer.show.recorder import RecordingOptions
from visualizer.show.session_export import export_session
from visualizer.show.session_files import SessionFiles
from visualizer.show.sources.session import SessionSource
from visualizer.show.stage import Scene, Stage, build_picture
from visualizer.show.travel import Travel

SIZE = (96, 54)
JOURNEY = "journey: {depth: 2, zoom_per_s: 0.5, zoom_per_bar: 1.0, stations: [{layer: block2.expand}, {seed: 7}]}\n"


@pytest.fixture
def loaded(tiny_preset, tmp_path, home):
    """The tiny preset with a journey, its first stations in the cache."""
    folder = tmp_path / "journey"
    shutil.copytree(tiny_preset, folder)
    (folder / "preset.yaml").write_text((folder / "preset.yaml").read_text() + JOURNEY)
    loaded = open_preset(str(folder), size=SIZE)
    source = ReadyStations(Stations(loaded, open_cache()))
    source.want(list(range(8)))
    source.poll()
    return loaded


@pytest.fixture
def travels(monkeypatch):
    """The journeys that are shown, in the order in which they began."""
    found = []

    class Watched(Travel):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            found.append(self)

    with monkeypatch.context() as patched:
        patched.setattr("visualizer.show.stage.Travel", Watched)
        yield found


def record(loaded, song, folder, *steps, first=()):
    """A recorded show of a song; its events of the journey. first: steps before the recording begins."""
    song_show(
        loaded,
        song,
        [
            *first,
            (1.0, [Act("record")]),
            (0.0, is_recording),
            *steps,
            (0.0, has_shown(40)),
            (0.0, [Act("record")]),
            (0.0, is_not_recording),
        ],
        RecordingOptions(folder=folder, copies_songs=True),
    )
    return session_in(folder)[1]


def performed(folder):
    """Perform a session; of every display frame (tick, position, slots), the pictures, and what was said."""
    session, pixels, said, found = RecordedSession(folder), Pixels(), [], []
    contents = contents_of(session)
    with Offscreen(SIZE) as surface:
        source = SessionSource(session)
        performance = Performance(
            SessionFiles(session), contents, session.events(), source, surface, Programs(surface.ctx), say=said.append
        )
        guard, canvas = Guard(raises=True), Canvas(surface.ctx)
        clock = FrameClock(Fraction(30))
        loop = PerformanceLoop(
            clock, PerformedSource(source, guard), performance, canvas, [pixels], guard, lambda: SIZE
        )
        for _ in loop.frames():
            travel = performance.stage.scene.travel
            tick = contents.start + round(clock.time_s * CLOCK_HZ)
            found.append((tick, travel.position, dict(travel.slots)))
        performance.release()
    return found, np.stack(pixels.pictures), said


def test_a_performance_travels_the_same_way_through_the_same_dreams(screen, loaded, long_song, tmp_path):
    folder = tmp_path / "night"
    events = record(loaded, long_song, folder, (1.0, []), (1.5, [Set(JOURNEY_SPEED, -1.0)]))
    recorded = [one for one in events if isinstance(one, JourneyEvent)]
    assert len(recorded) >= 3 and recorded[-1].position > 0.2
    assert {one.variant for one in events if isinstance(one, DreamEvent)} >= {0, 1, 2}
    found, pictures, said = performed(folder)
    assert said == []
    ticks, positions = np.array([one[0] for one in found]), np.array([one[1] for one in found])
    for one in recorded[1:]:
        # a busy machine shows few display frames, and its speed follows the tempo in larger steps
        assert np.interp(one.at, ticks, positions) == pytest.approx(one.position, abs=0.1)
        nearest = int(np.searchsorted(ticks, one.at))
        if nearest < len(found) and not any(one.at < other.at <= ticks[nearest] for other in recorded):
            assert found[nearest][2] == {station: slot for slot, station in one.slots}
    assert np.abs(np.diff(positions)).max() < 0.15
    changes = np.abs(np.diff(pictures[::3].astype(float), axis=0)).mean((1, 2, 3))
    assert np.median(changes) > 0.2, "it moves"


def test_a_recording_that_begins_in_a_later_station_has_its_frames_at_once(
    screen, loaded, long_song, tmp_path, travels
):
    """Also out of the picture."""
    first = [(0.0, [Set(JOURNEY_SPEED, -4.0)]), (0.0, lambda night: travels[0].position < -1.5)]
    folder = tmp_path / "night"
    events = record(loaded, long_song, folder, first=first)
    assert next(one for one in events if isinstance(one, JourneyEvent)).position < -1
    _, pictures, said = performed(folder)
    assert said == [] and pictures.mean((1, 2, 3)).min() > 10


def test_a_session_of_a_journey_is_exported_and_as_it_was_intended(screen, loaded, long_song, tmp_path):
    folder = tmp_path / "night"
    record(loaded, long_song, folder)
    for name, as_intended in (("one.mp4", False), ("other.mp4", True)):
        out = tmp_path / name
        steps = list(export_session(folder, out, open_cache(), VideoOptions(), as_intended=as_intended))
        assert out.stat().st_size > 1000 and steps[-1].stage == "exporting"


def test_a_recording_forgets_the_journey_of_a_scene_that_has_gone(loaded, kick_song, tmp_path):
    with Offscreen(SIZE) as surface:
        programs = Programs(surface.ctx)
        first, second = (
            Scene(build_picture(loaded, surface, programs), ReadyStations(Stations(loaded, open_cache())), loaded)
            for _ in range(2)
        )
        stage = Stage(surface, first)
        with recording_of(stage, kick_song, tmp_path / "night") as (recorder, follow):
            stage.bring(second)
            stage.cross()
            follow()
            assert set(recorder._journeys) == {first, second}
            stage.advance(60.0)
            assert stage.take_gone() is first
            follow()
            assert set(recorder._journeys) == {second}
        stage.release()


def test_a_performance_has_the_picture_that_the_show_was_led_to(screen, loaded, long_song, tmp_path, travels):
    """It hurries as it did, and the station with the picture holds the frames that it had."""
    picture = tmp_path / "cat.png"
    Image.fromarray(smooth(SIZE, 9)).save(picture)

    def asks(night):
        said.append(travels[0].lead_to(picture))
        return True

    def is_there(night):
        hurries.append(travels[0].hurries_to)
        return max(hurries) > 0 and hurries[-1] == 0

    said, hurries, folder = [], [], tmp_path / "night"
    events = record(loaded, long_song, folder, (0.5, [Set(JOURNEY_SPEED, 0.0)]), (0.2, asks), (0.0, is_there))
    assert said == ["the journey comes to cat.png"]
    station = max(hurries)
    recorded = [one for one in events if isinstance(one, JourneyEvent)]
    hurry = [one for one in recorded if one.hurries_to == station]
    assert hurry and recorded[-1].hurries_to == 0 and recorded[-1].position > station - 0.5
    assert not any(station in dict(map(reversed, one.slots)) for one in hurry[:1]), "its slot is given again"
    slot = next(slot for slot, number in recorded[-1].slots if number == station)
    begun = [one for one in events if isinstance(one, DreamEvent) and one.at > hurry[0].at]
    first = next(one for one in begun if one.variant == slot and one.depth_index == 0)
    assert np.array_equal(SessionFiles(RecordedSession(folder)).dream(first), smooth(SIZE, 9))
    found, _, said = performed(folder)
    assert said == []
    ticks, positions = np.array([one[0] for one in found]), np.array([one[1] for one in found])
    for one in recorded[1:]:
        assert np.interp(one.at, ticks, positions) == pytest.approx(one.position, abs=0.15)
