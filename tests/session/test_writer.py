import dataclasses
import hashlib
import shutil
import threading

import numpy as np
import pytest
from filelock import FileLock, Timeout
from PIL import Image

from tests.fixtures.pulse import wait_until
from tests.session.recorded import (
    OPEN,
    count_of,
    counted,
    events_of,
    info_of,
    of,
    recorded,
    sound_files,
    sound_of,
)
from visualizer.errors import VisualizerError
from visualizer.looks.look import find_look
from visualizer.presets.dreams import DreamFrame
from visualizer.presets.loaded import Overrides, open_preset
from visualizer.session import writer as writer_room
from visualizer.session.events import (
    AnalysisEvent,
    CommandEvent,
    DreamEvent,
    EndEvent,
    GapEvent,
    PresetEvent,
    SongEvent,
    XrunEvent,
)
from visualizer.session.writer import SessionWriter

GB = 1_000_000_000


def test_a_session_is_open_while_it_is_recorded_and_closed_after_it(tmp_path):
    folder = tmp_path / 'a night 🎧 \'n "quotes"'
    writer = SessionWriter.open(folder, **OPEN, keep_free_bytes=0)
    writer.begin(0, {"clouds": 7})
    assert info_of(folder)["state"] == "open" and info_of(folder)["format"] == 1
    assert writer.state.is_recording and writer.folder.root == folder
    with pytest.raises(Timeout):
        FileLock(writer.folder.lock).acquire(timeout=0)
    writer.event(XrunEvent(at=96_000, n_xruns=1))
    writer.close()
    info = info_of(folder)
    assert (info["state"], info["end_at"], info["n_events"], info["seeds"]) == ("closed", 96_000, 2, {"clouds": 7})
    assert events_of(folder) == [XrunEvent(at=96_000, n_xruns=1), EndEvent(at=96_000)]
    assert sorted(path.name for path in folder.iterdir()) == ["dreams", "events.jsonl", "presets", "session.json"]
    with FileLock(writer.folder.lock).acquire(timeout=0):
        pass
    state = writer.state
    assert not state.is_recording and state.seconds == 2.0 and state.n_gaps == 0 and state.name == folder.name


def test_nothing_that_exists_is_written_into(tmp_path):
    (tmp_path / "night").mkdir()
    (tmp_path / "night" / "mine.txt").write_text("mine")
    assert recorded(tmp_path / "night").folder.root == tmp_path / "night-2"
    assert recorded(tmp_path / "night").folder.root == tmp_path / "night-3"
    assert [path.name for path in (tmp_path / "night").iterdir()] == ["mine.txt"]


def test_a_session_without_a_name_lies_in_the_folder_of_sessions(tmp_path, monkeypatch):
    monkeypatch.setenv("VISUALIZER_SESSIONS_DIR", str(tmp_path / "sessions"))
    first, second = recorded(None), recorded(None)
    assert first.folder.root.parent == second.folder.root.parent == tmp_path / "sessions"
    assert first.folder.root != second.folder.root


def test_a_place_that_cannot_be_written_to_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    for wanted in (tmp_path / "file" / "session", tmp_path / "a\0b"):
        with pytest.raises(VisualizerError) as caught:
            SessionWriter.open(wanted, **OPEN)
        assert "\n" not in str(caught.value) and caught.value.status == 1


def test_dream_frames_are_kept_once_and_as_they_were(tmp_path):
    rng = np.random.default_rng(1)
    frames = [rng.integers(0, 256, (36, 64, 3), np.uint8) for _ in range(3)]

    def show(writer):
        for depth_index, frame in enumerate(frames):
            writer.dream(100, 0, DreamFrame(0, depth_index, frame, False))
        writer.dream(200, 1, DreamFrame(2, 5, frames[1].copy(), True))

    folder = recorded(tmp_path / "s", show).folder
    events = of(events_of(folder.root), DreamEvent)
    assert [(one.at, one.scene, one.variant, one.depth_index, one.finished) for one in events] == [
        (100, 0, 0, 0, False),
        (100, 0, 0, 1, False),
        (100, 0, 0, 2, False),
        (200, 1, 2, 5, True),
    ]
    assert events[1].sha256 == events[3].sha256
    assert sorted(path.name for path in folder.dreams.iterdir()) == sorted({f"{one.sha256}.png" for one in events})
    for event, frame in zip(events, frames, strict=False):
        with Image.open(folder.dream(event.sha256)) as picture:
            assert np.array_equal(np.asarray(picture), frame)
            assert picture.size == (event.width, event.height)


def test_without_dreams_and_beyond_their_cap_events_alone_are_kept(tmp_path):
    rng = np.random.default_rng(1)
    frames = [rng.integers(0, 256, (36, 64, 3), np.uint8) for _ in range(4)]

    def show(writer):
        for depth_index, frame in enumerate(frames):
            writer.dream(100, 0, DreamFrame(0, depth_index, frame, True))

    without = recorded(tmp_path / "without", show, keep_dreams=False).folder
    assert len(of(events_of(without.root), DreamEvent)) == 4 and not list(without.dreams.iterdir())
    assert not of(events_of(without.root), GapEvent) and info_of(without.root)["has_dreams"] is False

    writer = recorded(tmp_path / "some", show, most_dream_bytes=2 * frames[0].nbytes)
    events = events_of(writer.folder.root)
    assert len(of(events, DreamEvent)) == 4 and len(list(writer.folder.dreams.iterdir())) == 2
    assert [(gap.what, gap.count) for gap in of(events, GapEvent)] == [("dream", 1)]
    assert any("no further ones are kept" in line for line in news_of(writer))


def news_of(writer):
    lines = []
    while (line := writer.news()) is not None:
        lines.append(line)
    return lines


@pytest.fixture
def preset(tmp_path):
    """A preset with a picture, a guide in a folder, and a look of its own that includes a file."""
    folder = tmp_path / "my own préset"
    (folder / "pictures").mkdir(parents=True)
    (folder / "base").mkdir()
    (folder / "notes.txt").write_text("private")
    rng = np.random.default_rng(2)
    for name in ("image.png", "pictures/guide.png", "colours.png"):
        Image.fromarray(rng.integers(0, 256, (36, 64, 3), np.uint8)).save(folder / name)
    (folder / "preset.yaml").write_text(
        "title: mine\nimage: image.png\ndream:\n  guide: pictures/guide.png\n"
        "  tone: picture\n  tone_picture: colours.png\nrender:\n  shader: own\n"
    )
    (folder / "own.frag").write_text('#version 330\n#include "base/part.glsl"\nvoid main() {}\n')
    (folder / "base" / "part.glsl").write_text("float two() { return 2.0; }\n")
    return folder


def test_a_preset_is_copied_with_its_pictures_and_its_look_each_only_once(tmp_path, preset):
    loaded = open_preset(str(preset), size=(64, 36))

    def show(writer):
        writer.preset(100, 0, loaded)
        writer.preset(200, 1, loaded)

    folder = recorded(tmp_path / "s", show).folder
    first, second = of(events_of(folder.root), PresetEvent)
    assert (first.scene, second.scene, first.folder) == (0, 1, second.folder)
    assert (first.name, first.reference, first.width, first.height) == (preset.name, str(preset), 64, 36)
    [copy] = folder.presets.iterdir()
    assert copy.name == first.folder
    assert {path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file()} == {
        "preset.yaml",
        "image.png",
        "pictures/guide.png",
        "colours.png",
        "own.frag",
        "base/part.glsl",
    }
    shutil.rmtree(preset)
    again = open_preset(str(copy), size=(64, 36))
    assert np.array_equal(again.image, loaded.image) and again.settings == loaded.settings
    assert np.array_equal(again.variants[0].guide, loaded.variants[0].guide)


def test_a_look_in_a_folder_of_its_own_is_found_in_the_copy(tmp_path, preset):
    look = preset / "glow"
    look.mkdir()
    (look / "Main.fs").write_text('/*{"IMPORTED": {"grain": {"PATH": "grain.png"}}}*/\nvoid main() {}\n')
    (look / "Main.vs").write_text("void main() { isf_vertShaderInit(); }\n")
    shutil.copy(preset / "image.png", look / "grain.png")
    (preset / "preset.yaml").write_text("title: mine\nimage: image.png\nrender:\n  shader: glow\n")
    loaded = open_preset(str(preset), size=(64, 36))
    folder = recorded(tmp_path / "s", lambda writer: writer.preset(0, 0, loaded)).folder
    [copy] = folder.presets.iterdir()
    found = find_look("glow", copy)
    assert found.files == tuple(copy / "glow" / name for name in ("Main.fs", "Main.vs", "grain.png"))


def test_a_preset_that_was_changed_is_another_copy(tmp_path, preset):
    before = open_preset(str(preset), size=(64, 36))
    writer = SessionWriter.open(tmp_path / "s", **OPEN, keep_free_bytes=0)
    writer.preset(100, 0, before)
    wait_until(lambda: list(writer.folder.presets.glob("[!.]*")))
    (preset / "own.frag").write_text("#version 330\nvoid main() {}\n")
    writer.preset(200, 1, open_preset(str(preset), size=(64, 36)))
    writer.close()
    first, second = of(events_of(writer.folder.root), PresetEvent)
    assert first.folder != second.folder
    assert (writer.folder.presets / first.folder / "base" / "part.glsl").exists()
    assert not (writer.folder.presets / second.folder / "base").exists()


def test_what_the_user_asked_for_instead_of_the_presets_values_is_kept(tmp_path, preset):
    own = tmp_path / "holiday.jpg"
    Image.new("RGB", (64, 36), (200, 10, 10)).save(own)
    overrides = Overrides(image=own, seed=9, dream=(("colour", 0.5),))
    loaded = open_preset(str(preset), size=(64, 36), overrides=overrides)
    folder = recorded(tmp_path / "s", lambda writer: writer.preset(0, 0, loaded)).folder
    [event] = of(events_of(folder.root), PresetEvent)
    assert (event.seed, event.dream, event.network) == (9, {"colour": 0.5}, None)
    copy = folder.presets / event.folder
    own.unlink()
    again = open_preset(str(copy), size=(64, 36), overrides=dataclasses.replace(overrides, image=copy / event.image))
    assert np.array_equal(again.image, loaded.image) and again.settings == loaded.settings


def test_every_shipped_preset_can_be_shown_from_its_copy(tmp_path):
    from visualizer.presets.preset import preset_names
    from visualizer.show.open_looks import open_links

    loaded = [open_preset(name, size=(32, 18)) for name in preset_names()]

    def show(writer):
        for scene, one in enumerate(loaded):
            writer.preset(0, scene, one)

    folder = recorded(tmp_path / "s", show).folder
    for event, one in zip(of(events_of(folder.root), PresetEvent), loaded, strict=True):
        again = open_preset(str(folder.presets / event.folder), size=(32, 18))
        assert again.settings == one.settings and np.array_equal(again.image, one.image)
        for link, copied in zip(open_links(one), open_links(again), strict=True):
            look, own = link.look, copied.look
            assert own.programs[0].fragment.text == look.programs[0].fragment.text
            assert own.path.is_relative_to(folder.presets)


def test_a_preset_that_has_gone_is_a_gap(tmp_path, preset):
    loaded = open_preset(str(preset), size=(64, 36))
    shutil.rmtree(preset)
    writer = recorded(tmp_path / "s", lambda writer: writer.preset(7, 0, loaded))
    [gap] = of(events_of(writer.folder.root), GapEvent)
    assert (gap.what, gap.at) == ("preset", 7) and writer.state.n_gaps == 1


@pytest.mark.parametrize("copy", [True, False])
def test_a_song_is_kept_by_its_hash_and_as_a_copy(tmp_path, copy):
    song = tmp_path / "a song 🎵.mp3"
    song.write_bytes(b"not really a song" * 1000)

    def play(writer):
        writer.song(5, 0.0, song, copy=copy)
        writer.song(9, 12.5, song, copy=copy)
        writer.song(10, 20.0, tmp_path / "gone.mp3", copy=copy)

    folder = recorded(tmp_path / "s", play).folder
    first, second = of(events_of(folder.root), SongEvent)
    assert (first.at, first.name, first.start_s, second.start_s) == (5, song.name, 0.0, 12.5)
    assert first.sha256 == hashlib.sha256(song.read_bytes()).hexdigest()
    if copy:
        assert first.file == second.file == f"{first.sha256[:16]}.mp3"
        assert (folder.songs / first.file).read_bytes() == song.read_bytes()
    else:
        assert first.file == "" and not folder.songs.exists()
    assert [(gap.what, gap.at) for gap in of(events_of(folder.root), GapEvent)] == [("song", 10)]


def test_what_a_slow_disk_cannot_take_is_marked_and_reported(tmp_path, monkeypatch):
    """The disk stands still for a while: nothing waits for it, and what does not fit into memory becomes a gap in its
    place.
    """
    monkeypatch.setattr(writer_room, "MOST_WAITING_BYTES", 40_000)
    stands_still, goes_on = threading.Event(), threading.Event()
    encode = writer_room.encode

    def slow(n, event):
        stands_still.set()
        assert goes_on.wait(60)
        return encode(n, event)

    writer = SessionWriter.open(tmp_path / "s", **OPEN, keep_free_bytes=0)
    monkeypatch.setattr(writer_room, "encode", slow)
    writer.event(XrunEvent(at=0, n_xruns=0))
    assert stands_still.wait(60)
    for block in range(20):  # 20 x 2920 bytes
        writer.sound(counted(block * 480, 480), block * 480, 48_000)
    for n_xruns in range(30):
        writer.event(XrunEvent(at=9600, n_xruns=n_xruns))
    monkeypatch.setattr(writer_room, "MOST_WAITING_BYTES", GB)
    writer.sound(counted(9600, 480), 9600, 48_000)
    assert writer.state.is_recording
    goes_on.set()
    writer.close()
    events = events_of(tmp_path / "s")
    gaps = {gap.what: gap for gap in of(events, GapEvent)}
    steps = of(events, AnalysisEvent)
    assert gaps["sound"].at == sum(step.n_samples for step in steps[:-1])
    assert gaps["sound"].count + sum(step.n_samples for step in steps) == 10_080
    assert gaps["event"].count == 31 - len(of(events, XrunEvent)) and gaps["event"].count > 0
    assert writer.state.n_gaps == 2
    assert any("s of sound could not be written: the disk is too slow" in line for line in news_of(writer))
    [(anchors, samples)] = sound_of(tmp_path / "s")
    assert [(one.first, one.at) for one in anchors] == [(0, 0), (gaps["sound"].at, 9600)]
    assert np.array_equal(samples[-480:, 0], counted(9600, 480))


def test_an_event_that_cannot_be_written_is_a_gap(tmp_path):
    def show(writer):
        for value in (float("nan"), object(), "x" * 1_000_000, 0.5):
            writer.event(CommandEvent(at=7, command={"value": value}))

    events = events_of(recorded(tmp_path / "s", show).folder.root)
    assert [(gap.what, gap.at) for gap in of(events, GapEvent)] == [("event", 7)] * 3
    assert [one.command for one in of(events, CommandEvent)] == [{"value": 0.5}]


def test_many_dream_frames_at_once_do_not_take_the_place_of_sound(tmp_path, monkeypatch):
    monkeypatch.setattr(writer_room, "MOST_WAITING_BYTES", 10_000)
    frames = np.random.default_rng(1).integers(0, 256, (40, 360, 640, 3), np.uint8)

    def show(writer):
        for depth_index, frame in enumerate(frames):
            writer.dream(0, 0, DreamFrame(0, depth_index, frame, True))
        writer.sound(counted(0, 480), 0, 48_000)

    folder = recorded(tmp_path / "s", show).folder
    assert not of(events_of(folder.root), GapEvent) and len(list(folder.dreams.iterdir())) == len(frames)
    assert count_of(sound_of(folder.root)[0][1]) == 480


def test_what_is_lost_last_is_marked_at_the_close(tmp_path, monkeypatch):
    writer = SessionWriter.open(tmp_path / "s", **OPEN, keep_free_bytes=0)
    monkeypatch.setattr(writer_room, "MOST_WAITING_BYTES", 0)
    writer.sound(counted(0, 480), 0, 48_000)
    writer.sound(counted(480, 480), 480, 48_000)
    writer.close()
    assert events_of(tmp_path / "s") == [
        GapEvent(at=0, what="sound", count=960, reason="the disk is too slow"),
        EndEvent(at=0),
    ]


class Space:
    """A disk with so many bytes free."""

    def __init__(self, monkeypatch, free):
        self.free = free
        monkeypatch.setattr(writer_room.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(0, 0, self.free))


def test_the_room_is_said_at_the_start_and_warned_about(tmp_path, monkeypatch):
    space = Space(monkeypatch, 100 * GB)
    monkeypatch.setattr(writer_room, "SPACE_S", 0.0)
    writer = SessionWriter.open(tmp_path / "s", **OPEN)
    assert news_of(writer) == ["recording; the disk has room for 251.3 hours"]
    assert writer.state.free_s == pytest.approx(99.5e9 / 110_000)
    space.free = round(0.5 * GB + 20 * 60 * 110_000)
    wait_until(lambda: writer.state.free_s < 1800)
    lines = []
    wait_until(lambda: lines.extend(news_of(writer)) or lines)
    assert lines == ["the disk has room for only 20 minutes of recording"]
    frame = np.zeros((36, 64, 3), np.uint8)
    writer.dream(5, 0, DreamFrame(0, 1, frame, True))  # the room that is left is for the sound
    writer.sound(counted(0, 480), 0, 48_000)
    wait_until(lambda: writer.state.n_gaps == 1)
    assert not list(writer.folder.dreams.iterdir())
    space.free = round(0.4 * GB)
    wait_until(lambda: not writer.state.is_recording)
    assert writer.state.reason == "the disk is full: only 400 MB are free"
    assert news_of(writer)[-1] == "the recording has stopped: the disk is full: only 400 MB are free"
    writer.sound(counted(480, 480), 480, 48_000)  # ignored from here on
    writer.close()
    info = info_of(tmp_path / "s")
    assert (info["state"], info["reason"]) == ("closed", writer.state.reason)
    assert of(events_of(tmp_path / "s"), EndEvent) == [EndEvent(at=480, reason=writer.state.reason)]
    assert count_of(sound_of(tmp_path / "s")[0][1]) == 480


def test_no_recording_begins_on_a_full_disk(tmp_path, monkeypatch):
    Space(monkeypatch, 10_000_000)
    with pytest.raises(VisualizerError, match="the disk has only 10 MB free"):
        SessionWriter.open(tmp_path / "s", **OPEN)


def test_a_folder_that_is_removed_stops_the_recording_and_nothing_else(tmp_path):
    writer = SessionWriter.open(tmp_path / "s", **OPEN, keep_free_bytes=0)
    writer.sound(counted(0, 480), 0, 48_000)
    wait_until(lambda: sound_files(writer.folder.root))
    shutil.rmtree(tmp_path / "s")
    writer.sound(counted(0, 480), 480, 44_100)  # another part: it cannot be made
    wait_until(lambda: not writer.state.is_recording)
    assert writer.state.reason.startswith("it could not be written: ")
    writer.event(XrunEvent(at=5, n_xruns=1))
    writer.close()
    assert not (tmp_path / "s").exists()


def test_ending_waits_for_nothing_and_any_thread_may_hand_over(tmp_path):
    writer = SessionWriter.open(tmp_path / "s", **OPEN, keep_free_bytes=0)

    def give(number):
        for n in range(200):
            writer.event(XrunEvent(at=number, n_xruns=n))

    threads = [threading.Thread(target=give, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.end()
    wait_until(lambda: not writer.state.is_recording)
    events = of(events_of(tmp_path / "s"), XrunEvent)
    for number in range(4):
        assert [one.n_xruns for one in events if one.at == number] == list(range(200))
    writer.close()
    writer.close()
