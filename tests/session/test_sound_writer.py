"""The sound of a session: its parts, its anchors and the steps of the analysis."""

import dataclasses

import numpy as np
import pytest

from tests.session.recorded import (
    count_of,
    counted,
    decoded,
    events_of,
    info_of,
    of,
    recorded,
    sound_files,
    sound_of,
)
from visualizer.beat import Analyzer
from visualizer.session import sound_writer as sound_room
from visualizer.session import writer as writer_room
from visualizer.session.events import (
    AnalysisEvent,
    DeviceEvent,
    EndEvent,
    SceneEvent,
    SoundEvent,
    XrunEvent,
)
from visualizer.session.reader import RecordedSession, SoundTape
from visualizer.session.sound import on_grid
from visualizer.settings import BeatSettings

GB = 1_000_000_000


def test_sound_comes_back_as_it_was_analysed_in_its_place_in_time(tmp_path):
    def play(writer):
        for block in range(20):
            writer.sound(counted(block * 4410, 4410), 48_000 + block * 4800, 44_100)

    recorded(tmp_path / "s", play, at=48_000)
    [(anchors, samples)] = sound_of(tmp_path / "s")
    assert anchors == [SoundEvent(at=48_000, file="sound-0001.flac", rate_hz=44_100, channels=1)]
    assert count_of(samples) == 88_200
    steps = of(events_of(tmp_path / "s"), AnalysisEvent)
    assert sum(step.n_samples for step in steps) == 88_200 and len(steps) < 12
    at = 48_000
    for step in steps:  # joined, and each where the one before ends
        assert step.step == "sound" and step.at == at
        at += round(step.n_samples * 48_000 / 44_100)
    assert info_of(tmp_path / "s")["end_at"] == 48_000 + 96_000


def test_when_sound_and_silence_came_is_kept_where_steps_are_joined(tmp_path):
    def play(writer):
        writer.event(AnalysisEvent(at=0, step="start", rate_hz=48_000, came=[[0, 900]]))
        for at in range(0, 1440, 480):
            writer.sound(counted(at, 480), at, 48_000, at + 1000)
        for at in (1440, 1920):
            writer.event(AnalysisEvent(at=at, step="silence", n_samples=480, came=[[480, 2000]]))

    recorded(tmp_path / "s", play)
    steps = of(events_of(tmp_path / "s"), AnalysisEvent)
    for name, n_samples, late in (("sound", 1440, 1000), ("silence", 960, 2000)):
        came = [(one.at + n, one.at + ticks) for one in steps if one.step == name for n, ticks in one.came]
        first = came[0][0] - 480
        assert came == [(first + n, first + n - 480 + late) for n in range(480, n_samples + 1, 480)]
        assert sum(one.n_samples for one in steps if one.step == name) == n_samples


def test_the_analyzer_finds_the_same_in_the_recorded_sound(tmp_path):
    """Sample for sample what it was given, of any sound, too loud as well."""
    sound = on_grid((np.random.default_rng(5).standard_normal(48_000) * 0.5).astype(np.float32))
    sound[24_000:] *= 8

    def play(writer):
        for at in range(0, len(sound), 480):
            writer.sound(sound[at : at + 480], at, 48_000)

    recorded(tmp_path / "s", play)
    parts = sound_of(tmp_path / "s")
    assert [anchors[0].full_scale for anchors, _ in parts] == sorted({anchors[0].full_scale for anchors, _ in parts})
    assert parts[-1][0][0].full_scale >= 16
    assert np.array_equal(np.concatenate([samples[:, 0] for _, samples in parts]), on_grid(sound))
    for anchors, _ in parts:
        assert len(anchors) == 1


def test_a_replay_of_the_steps_gives_the_same_features(tmp_path):
    """Bit for bit: kicks, tempo and level of the live analyzer, over a loss of the device."""
    settings, times_s = BeatSettings(), np.arange(0.0, 5.0, 0.05)
    rng = np.random.default_rng(7)
    t = np.arange(2 * 48_000) / 48_000
    loud = (np.exp(-((t % 0.5) * 18)) * np.sin(2 * np.pi * 55 * t) * 1.4 + rng.standard_normal(len(t)) * 0.01).astype(
        np.float32
    )

    def features(analyzer):
        return [dataclasses.astuple(analyzer.features_at(time_s)) for time_s in times_s]

    def play(writer):
        live = Analyzer(48_000, settings, is_live=True)
        writer.event(AnalysisEvent(at=0, step="start", rate_hz=48_000))
        for at in range(0, len(loud), 700):
            block = on_grid(loud[at : at + 700] * 0.5)
            writer.sound(block, at, 48_000)
            live.push(block)
        writer.event(AnalysisEvent(at=len(loud), step="silence", n_samples=48_000))
        live.push(np.zeros(48_000, np.float32))
        for at in range(0, len(loud), 1100):
            block = on_grid(loud[at : at + 1100])
            writer.sound(block, len(loud) + 48_000 + at, 48_000)
            live.push(block)
        heard.append(features(live))

    heard = []
    session = RecordedSession(recorded(tmp_path / "s", play).folder.root)
    replayed, tape = Analyzer(48_000, settings, is_live=True), SoundTape(session)
    for event in session.events():
        if isinstance(event, SoundEvent):
            tape.begin(event)
        elif isinstance(event, AnalysisEvent) and event.step == "sound":
            for block in tape.read(event.n_samples):
                replayed.push(block[:, 0])
        elif isinstance(event, AnalysisEvent) and event.step == "silence":
            replayed.push(np.zeros(event.n_samples, np.float32))
    tape.close()
    assert (
        replayed.n_kicks >= 6 and not tape.n_lost and len(sound_files(session.folder.root)) == 2
    )  # louder than full scale
    assert features(replayed) == heard[0]


def test_events_keep_their_order_between_the_steps_of_the_analysis(tmp_path):
    def play(writer):
        writer.event(AnalysisEvent(at=0, step="start", rate_hz=48_000))
        writer.sound(counted(0, 480), 0, 48_000)
        writer.sound(counted(480, 480), 480, 48_000)
        writer.event(AnalysisEvent(at=960, step="silence", n_samples=480))
        writer.sound(counted(960, 480), 1440, 48_000)
        writer.event(SceneEvent(at=1920, scene=1))
        writer.sound(counted(1440, 480), 1920, 48_000)

    recorded(tmp_path / "s", play)
    events = [one for one in events_of(tmp_path / "s") if not isinstance(one, SoundEvent)]
    assert events == [
        AnalysisEvent(at=0, step="start", rate_hz=48_000),
        AnalysisEvent(at=0, step="sound", n_samples=960),
        AnalysisEvent(at=960, step="silence", n_samples=480),
        AnalysisEvent(at=1440, step="sound", n_samples=480),
        SceneEvent(at=1920, scene=1),
        AnalysisEvent(at=1920, step="sound", n_samples=480),
        EndEvent(at=2400),
    ]
    [(anchors, samples)] = sound_of(tmp_path / "s")
    # the silence is not in the file: what follows it is anchored again
    assert [(one.first, one.at) for one in anchors] == [(0, 0), (960, 1440)]
    assert count_of(samples) == 1920


def test_sound_left_over_from_before_the_recording_is_left_out(tmp_path):
    def play(writer):
        writer.sound(counted(0, 4800), 0, 48_000)  # all of it before
        writer.sound(counted(4800, 4800), 4800, 48_000)  # half of it before
        writer.sound(counted(9600, 4800), 9600, 48_000)

    recorded(tmp_path / "s", play, at=7200)
    [(anchors, samples)] = sound_of(tmp_path / "s")
    assert [(one.first, one.at) for one in anchors] == [(0, 7200)]
    assert np.array_equal(samples[:, 0], counted(7200, 7200))
    assert sum(step.n_samples for step in of(events_of(tmp_path / "s"), AnalysisEvent)) == 7200


def test_another_device_begins_a_part_and_strands_no_sound(tmp_path):
    def play(writer):
        writer.event(DeviceEvent(at=0, state="ok", label="one"))
        writer.sound(counted(0, 4800), 0, 48_000)
        writer.event(DeviceEvent(at=4800, state="lost", label="one", reason="gone"))
        writer.event(AnalysisEvent(at=4800, step="silence", n_samples=9600))
        writer.event(DeviceEvent(at=14_400, state="ok", label="one"))
        writer.sound(counted(4800, 4800), 14_400, 48_000)
        writer.event(DeviceEvent(at=19_200, state="ok", label="another"))
        writer.sound(counted(9600, 4800), 19_200, 48_000)
        writer.event(DeviceEvent(at=24_000, state="ok", label="another"))  # nothing has changed
        writer.sound(counted(14_400, 4800), 24_000, 48_000)

    recorded(tmp_path / "s", play)
    parts = sound_of(tmp_path / "s")
    assert [[(one.first, one.at) for one in anchors] for anchors, _ in parts] == [
        [(0, 0)],
        [(0, 14_400)],
        [(0, 19_200)],
    ]
    assert count_of(np.concatenate([samples for _, samples in parts])) == 19_200


def test_a_change_of_the_sample_rate_begins_a_part_and_shifts_no_pitch(tmp_path):
    def play(writer):
        writer.sound(counted(0, 4800), 0, 48_000)
        writer.sound(counted(4800, 4410), 4800, 44_100)
        writer.sound(counted(9210, 9600), 9600, 96_000)

    folder = recorded(tmp_path / "s", play).folder
    parts = sound_of(folder.root)
    assert [(anchors[0].rate_hz, anchors[0].at, len(samples)) for anchors, samples in parts] == [
        (48_000, 0, 4800),
        (44_100, 4800, 4410),
        (96_000, 9600, 9600),
    ]
    assert [decoded(path)[1] for path in sound_files(folder.root)] == [48_000, 44_100, 96_000]
    assert count_of(np.concatenate([samples for _, samples in parts])) == 18_810


def test_a_new_part_every_ten_minutes(tmp_path, monkeypatch):
    assert sound_room.PART_S == 600
    monkeypatch.setattr(sound_room, "PART_S", 1.0)

    def play(writer):
        for block in range(25):
            writer.sound(counted(block * 800, 800), block * 4800, 8000)

    recorded(tmp_path / "s", play)
    parts = sound_of(tmp_path / "s")
    assert [(anchors[0].at, len(samples)) for anchors, samples in parts] == [(0, 8000), (48_000, 8000), (96_000, 4000)]
    assert count_of(np.concatenate([samples for _, samples in parts])) == 20_000


def length_of(path):
    """The samples of a closed part of sound, as its header says."""
    import av

    with av.open(str(path)) as file:
        return file.streams.audio[0].duration


@pytest.mark.parametrize("ppm", [pytest.param(100, marks=pytest.mark.slow), pytest.param(-100, marks=pytest.mark.long)])
def test_sound_and_picture_do_not_drift_apart_over_five_hours(tmp_path, monkeypatch, ppm):
    """The device's clock is wrong: its samples come at other ticks than their number says. Blocks of two seconds
    are handed over with their true time.
    """
    monkeypatch.setattr(writer_room, "MOST_WAITING_BYTES", GB)
    rate_hz, n_block = 8000, 16_000
    true_hz = rate_hz * (1 + ppm * 1e-6)
    ticks = [round(n * n_block * 48_000 / true_hz) for n in range(5 * 3600 * rate_hz // n_block)]

    def play(writer):
        for at in ticks:
            writer.sound(np.zeros(n_block, np.float32), at, rate_hz)

    recorded(tmp_path / "s", play)
    anchors = of(events_of(tmp_path / "s"), SoundEvent)
    lengths = {path.name: length_of(path) for path in (tmp_path / "s").glob("*.flac")}
    assert sum(lengths.values()) == len(ticks) * n_block and len(lengths) == 30
    n_before = worst = 0
    by_file = {}
    for one in anchors:
        by_file.setdefault(one.file, []).append(one)
    for file in sorted(by_file):
        places = by_file[file]
        for place, after in zip(places, [*places[1:], None], strict=True):
            end = lengths[file] if after is None else after.first
            for sample in range(place.first, end, n_block):
                tick = place.at + round((sample - place.first) * 48_000 / rate_hz)
                worst = max(worst, abs(tick - ticks[(n_before + sample) // n_block]))
        n_before += lengths[file]
    assert worst <= 48 + 1  # a millisecond
    assert len(anchors) < 5 * 3600 * 100e-6 * 1000 * 1.1 + 2 * 30


def test_without_sound_no_sound_is_kept(tmp_path):
    def play(writer):
        writer.sound(counted(0, 4800), 0, 48_000)
        writer.event(XrunEvent(at=5, n_xruns=1))

    folder = recorded(tmp_path / "s", play, keep_sound=False).folder
    assert events_of(folder.root) == [XrunEvent(at=5, n_xruns=1), EndEvent(at=5)]
    assert sound_files(folder.root) == [] and info_of(folder.root)["has_sound"] is False
