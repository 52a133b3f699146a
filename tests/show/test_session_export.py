"""Sessions exported: what was heard, commanded and shown, performed again."""

from __future__ import annotations

import shutil

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from tests import sounds
from tests.show.nights import RATE_HZ, Night, performed
from visualizer.beat import Analyzer
from visualizer.cli.commands import app
from visualizer.control.commands import Act, PresetShown, Reported, Set
from visualizer.files.paths import sessions_folder
from visualizer.presets.dreams import Dreams, open_cache
from visualizer.presets.loaded import open_preset
from visualizer.session.dream_files import pixel_sha256
from visualizer.session.events import SceneEvent, ticks_of
from visualizer.session.sound import on_grid
from visualizer.show.export import VideoOptions
from visualizer.show.session_export import export_session

SIZE = (64, 36)
DEPTHS = {1: 40, 2: 90, 3: 140, 4: 190}  # the colour of each depth
KICKS_S = [0.5 * n for n in range(1, 12)]


@pytest.fixture(scope="module")
def loaded(tiny_preset):
    return open_preset(str(tiny_preset), size=SIZE)


@pytest.fixture
def night(tmp_path, loaded):
    """A session that has begun with the tiny preset and its four depths."""
    night = Night(tmp_path / "night", loaded)
    night.preset(0.0, 0, loaded)
    for depth, colour in DEPTHS.items():
        night.dream(0.01, 0, depth, colour, SIZE)
    return night


def kicks(seconds):
    return sounds.kicks(RATE_HZ, [one for one in KICKS_S if one < seconds], seconds)


def test_the_depths_are_those_of_the_live_analyzer_with_its_settings_at_their_times(night, loaded):
    sound = on_grid(kicks(4.0))
    half = 2 * RATE_HZ
    night.sound(0.0, sound[:half])
    night.do(2.0, Set("beat.decay", 0.9))
    night.sound(2.0, sound[half:])
    shown, _ = performed(night.end(4.0), SIZE)
    assert len(shown) == 120

    beat = loaded.settings.beat
    analyzer, n_fed, depths = Analyzer(RATE_HZ, beat, is_live=True), 0, []
    for index in range(120):
        time_s = (index + 0.5) / 30
        n_heard = int(time_s * RATE_HZ)
        if n_fed < half <= n_heard:
            analyzer.push(sound[n_fed:half])
            analyzer.set_beat(beat.model_copy(update={"decay": 0.9}))
            n_fed = half
        analyzer.push(sound[n_fed:n_heard])
        n_fed = n_heard
        depths.append(1 + 3 * analyzer.features_at(time_s).level)
    found = [one.depth for one in shown]
    assert max(depths) > 3 and min(depths[20:]) < 2
    assert np.allclose(found[20:], depths[20:], atol=1e-6), "after the first depths have eased in"


def test_each_display_frame_has_the_sound_that_had_come_when_it_was_seen(night, loaded):
    """Sound that came late, in blocks of 25 ms and once not for 0.4 s; without lateness, each sample at its own time."""
    sound, analyzers = on_grid(kicks(4.0)), [Analyzer(RATE_HZ, loaded.settings.beat, is_live=True) for _ in range(2)]
    night.step(0.0, "start", rate_hz=RATE_HZ, came=[[0, 100]])
    blocks = []
    for first in range(0, len(sound), 1200):
        seconds = (first + 1200) / RATE_HZ + 0.03
        blocks.append((first, max(seconds, 1.65) if 1.25 < seconds < 1.65 else seconds))
        night.writer.sound(sound[first : first + 1200], first, RATE_HZ, ticks_of(blocks[-1][1]))
    root = night.end(4.0)
    late, on_time = ([one.depth for one in performed(root, SIZE, is_late=is_late)[0]][20:] for is_late in (True, False))
    expected, n_fed = ([], []), 0
    for index in range(120):
        time_s = (index + 0.5) / 30
        while blocks and blocks[0][1] <= time_s:
            first, _ = blocks.pop(0)
            analyzers[0].push(sound[first : first + 1200])
        analyzers[1].push(sound[n_fed : int(time_s * RATE_HZ)])
        n_fed = int(time_s * RATE_HZ)
        for depths, analyzer in zip(expected, analyzers, strict=True):
            depths.append(1 + 3 * analyzer.features_at(time_s).level)
    assert np.allclose(late, expected[0][20:], atol=1e-6) and np.allclose(on_time, expected[1][20:], atol=1e-6)
    assert np.abs(np.array(late) - on_time).max() > 0.5


def test_commands_happen_when_they_happened(night):
    night.heard = np.zeros(3 * RATE_HZ, np.float32)
    night.do(0.0, Reported("fullscreen", True))
    night.do(1.0, Act("blackout"))
    night.do(1.5, Act("screenshot"))
    night.do(2.0, Act("blackout"))
    night.do(2.9, Act("quit"))
    shown, pictures = performed(night.end(3.0), SIZE)
    brightness = pictures.mean(axis=(1, 2, 3))
    assert brightness[29] == pytest.approx(DEPTHS[1], abs=1), "depth 1 in silence"
    assert not brightness[40:60].any() and 0 < brightness[34] < DEPTHS[1]
    assert brightness[75] == brightness[29] and len(shown) == 90


def test_presets_come_when_they_came_with_the_frames_that_they_had(night, tmp_path, tiny_preset):
    other = tmp_path / "other"
    shutil.copytree(tiny_preset, other)
    second = open_preset(str(other), size=SIZE)
    night.heard = np.zeros(4 * RATE_HZ, np.float32)
    night.preset(1.0, 1, second)
    night.dream(1.5, 1, 1, 250, SIZE, finished=False)
    night.event(SceneEvent(at=ticks_of(1.5), scene=1))
    night.do(1.52, PresetShown(second.reference))
    night.dream(3.0, 1, 1, 10, SIZE)
    root = night.end(4.0)
    shutil.rmtree(other)  # gone since
    _, pictures = performed(root, SIZE)
    brightness = pictures.mean(axis=(1, 2, 3))
    image = second.image.mean()
    preview, finished = (image + (colour - image) / 4 for colour in (250, 10))  # one of four depths is there
    assert brightness[43] == pytest.approx(DEPTHS[1], abs=1) and brightness[70] == pytest.approx(preview, abs=1)
    assert DEPTHS[1] < brightness[55] < preview, "crossing"
    assert brightness[92] == pytest.approx(finished, abs=1), "the finished frame in place of the preview"


def test_what_is_missing_is_one_line_each_and_the_picture_goes_on(night, tmp_path, tiny_preset, loaded):
    night.heard = np.zeros(3 * RATE_HZ, np.float32)
    night.preset(1.0, 1, loaded)
    night.dream(1.0, 1, 1, 222, SIZE)
    night.dream(1.1, 1, 2, 223, SIZE)
    night.event(SceneEvent(at=ticks_of(1.1), scene=1))
    root = night.end(3.0)
    said = []
    (root / "dreams" / f"{pixel_sha256(np.full((36, 64, 3), DEPTHS[4], np.uint8))}.png").unlink()
    shutil.rmtree(next((root / "presets").iterdir()))
    next(root.glob("sound-*.flac")).unlink()
    _, pictures = performed(root, SIZE, said=said)
    assert len(said) == 4, said  # two presets, a dream, the sound
    assert all("\n" not in line for line in said)
    brightness = pictures.mean(axis=(1, 2, 3))
    assert brightness[20] == pytest.approx(0.75 * DEPTHS[1], abs=1), (
        "three of four depths are there; the image is black"
    )
    assert brightness[80] == pytest.approx(222, abs=1)


def test_sound_that_is_missing_is_said_once(night, tmp_path):
    night.sound(0.0, kicks(0.5))
    root = night.end(0.5)
    next(root.glob("sound-*.flac")).unlink()
    said = []
    list(export_session(root, tmp_path / "x.mp4", open_cache(), VideoOptions(size=(96, 54)), say=said.append))
    assert len(said) == 1 and "sound-0001.flac: is missing; it is silent there" in said[0]


def test_a_lost_device_is_the_fallback_metronome_and_silence_again(night):
    night.sound(0.0, kicks(2.0))
    night.step(2.0, "silence", n_samples=4 * RATE_HZ)
    night.sound(6.0, np.zeros(RATE_HZ, np.float32))
    shown, _ = performed(night.end(7.0), SIZE)
    depths = np.array([one.depth for one in shown])
    lost = depths[150:180]
    assert lost.max() > 1.5, "it moves by itself"
    assert depths[-2] == pytest.approx(1.0, abs=0.05)


def test_an_export_is_the_whole_session_and_the_same_bytes_again(night, tmp_path):
    night.sound(0.0, kicks(1.5))
    night.sound(2.0, kicks(1.0))
    root = night.end(3.0)
    steps = list(export_session(root, tmp_path / "one.mp4", open_cache(), VideoOptions(size=(96, 54))))
    list(export_session(root, tmp_path / "two.mp4", open_cache(), VideoOptions(size=(96, 54))))
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()
    assert steps[-1].done == 90 and steps[-1].total == 90
    with av.open(str(tmp_path / "one.mp4")) as video:
        assert (video.streams.video[0].width, video.streams.video[0].height) == (96, 54)
        blocks = [frame.to_ndarray()[0] for frame in video.decode(audio=0)]
    sound = np.concatenate(blocks)
    loud = np.abs(sound).reshape(-1)[: 3 * RATE_HZ]
    assert len(sound) >= 3 * RATE_HZ - 2048
    assert loud[round(1.55 * RATE_HZ) : round(1.95 * RATE_HZ)].max() < 0.01, "the gap is silent"
    assert loud[round(2.5 * RATE_HZ) : round(2.6 * RATE_HZ)].max() > 0.3, "and what follows is in its place"


def test_as_intended_the_whole_dream_is_there_from_the_beginning_at_full_size(night, tmp_path, tiny_preset, loaded):
    root = night.end(1.0)
    large = open_preset(str(tiny_preset), size=(128, 72))
    frames = {one.depth_index: one.frame for one in Dreams(large, open_cache()).frames()}
    said = []
    steps = list(
        export_session(
            root, tmp_path / "a.mp4", open_cache(), VideoOptions(size=(128, 72)), as_intended=True, say=said.append
        )
    )
    assert any(step.stage == "dreaming" for step in steps) and said == []
    with av.open(str(tmp_path / "a.mp4")) as video:
        pictures = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    assert len(pictures) == 30
    assert np.abs(pictures[20].astype(int) - frames[1]).mean() < 12, "depth 1 in silence, as it is baked now"


def test_frames_of_before_the_recording_are_there_from_its_beginning(tmp_path, loaded):
    night = Night(tmp_path / "later", loaded, at_s=20.0)
    night.preset(20.0, 0, loaded)
    night.step(20.0, "start", rate_hz=RATE_HZ, start_s=20.0)
    night.sound(20.0, np.zeros(2 * RATE_HZ, np.float32))
    for depth, colour in DEPTHS.items():  # read back later, with the time at which the recording began
        night.dream(20.0, 0, depth, colour, SIZE)
    shown, pictures = performed(night.end(22.0), SIZE)
    assert len(shown) == 60 and shown[0].time_s == pytest.approx(20 + 0.5 / 30)
    assert pictures[3].mean() == pytest.approx(DEPTHS[1], abs=1)


@pytest.mark.parametrize("is_named", [False, True])
def test_the_command_exports_a_session_by_its_folder_or_name(night, tmp_path, is_named):
    night.sound(0.0, np.zeros(RATE_HZ // 2, np.float32))
    folder = sessions_folder() if is_named else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    root = night.end(0.5).rename(folder / "a 'night' 🎧")
    result = CliRunner().invoke(
        app, ["export", root.name if is_named else str(root), "-o", str(tmp_path / "night.mp4")]
    )
    assert result.exit_code == 0, result.output
    with av.open(str(tmp_path / "night.mp4")) as video:
        assert (video.streams.video[0].width, video.streams.video[0].height) == SIZE


def test_a_part_of_a_session_has_the_pictures_and_the_sound_of_the_whole(night, tmp_path):
    """Kicks, a command and a blackout before the part count, though nothing of them is drawn."""
    night.heard = kicks(3.0)
    night.do(0.4, Set("beat.decay", 0.9))
    night.do(0.9, Act("blackout"))
    night.do(1.1, Act("blackout"))
    root, out = night.end(3.0), {"whole": VideoOptions(crf=0), "part": VideoOptions(crf=0, from_s=1.2, to_s=2.5)}
    pictures, sound = {}, {}
    for name, video in out.items():
        steps = list(export_session(root, tmp_path / f"{name}.mp4", open_cache(), video))
        with av.open(str(tmp_path / f"{name}.mp4")) as file:
            pictures[name] = np.stack([frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)])
            file.seek(0)
            sound[name] = np.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=0)])
    assert steps[-1].done == steps[-1].total == 39
    assert np.array_equal(pictures["part"], pictures["whole"][36:75])
    assert np.ptp(pictures["part"].mean(axis=(1, 2, 3))) > 5, "it moves"
    begin, n = round(1.2 * RATE_HZ), round(1.2 * RATE_HZ)
    assert np.abs(sound["part"][:n] - sound["whole"][begin : begin + n])[2048:].max() < 0.05, "AAC is not lossless"
