"""Exporting, checked on the finished file with an independent decoder."""

import math
import shutil
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from tests.show.flash import flash_times, flashes
from tests.sounds import KICKS_S, kicks, write_wav
from visualizer.audio.decode import Song
from visualizer.errors import BadInput
from visualizer.presets.cache import FrameCache
from visualizer.presets.dreams import Dreams, open_cache
from visualizer.presets.loaded import open_preset
from visualizer.settings import Preset
from visualizer.show.export import VideoOptions, export, parse_fps

SIZE = (160, 96)


@pytest.fixture(scope="module")
def baked(tiny_preset, tmp_path_factory):
    """A cache with the dream frames of the tiny preset in the size of these tests."""
    folder = tmp_path_factory.mktemp("baked") / "cache"
    list(Dreams(open_preset(str(tiny_preset), size=SIZE), FrameCache(folder, 10**9)).frames())
    return folder


@pytest.fixture
def loaded(tiny_preset, baked, home):
    """The tiny preset, its dream frames in the cache already."""
    shutil.copytree(baked, home / "cache", dirs_exist_ok=True)
    return open_preset(str(tiny_preset), size=SIZE)


def run(song, out, loaded, **options):
    return list(export(song, out, loaded, open_cache(), VideoOptions(**options)))


def pictures(path):
    with av.open(str(path)) as video:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)])


def sound(path):
    with av.open(str(path)) as video:
        rate_hz = video.streams.audio[0].rate
        return np.concatenate([f.to_ndarray().mean(axis=0) for f in video.decode(audio=0)]), rate_hz


def test_the_video_is_as_long_as_the_song_and_has_its_sound(kick_song, tiny_preset, tmp_path):
    out = tmp_path / "out.mp4"
    steps = run(kick_song, out, open_preset(str(tiny_preset), size=SIZE), fps=Fraction(30))
    assert [step.done for step in steps if step.stage == "dreaming"] == [0, 1, 2, 3, 4]
    assert steps[-1].stage == "exporting" and steps[-1].done == steps[-1].total == 180
    with av.open(str(out)) as video:
        stream = video.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", *SIZE)
        assert stream.average_rate == 30 and stream.frames == 180
        assert video.streams.audio[0].codec_context.name == "aac"
        assert abs(video.duration / 1e6 - 6.0) < 0.04
    heard, rate_hz = sound(out)
    loud = np.flatnonzero(np.abs(heard) > 0.2) / rate_hz
    assert abs(loud[0] - KICKS_S[0]) < 0.01


@pytest.mark.slow
def test_the_picture_deepens_on_every_kick_and_falls_between(kick_song, loaded, tmp_path):
    out = tmp_path / "out.mp4"
    run(kick_song, out, loaded, fps=Fraction(30), crf=4)
    shown = pictures(out).astype(float)
    # how far each picture is from the image itself (what is shown in the silence before the first kick)
    away = np.abs(shown - shown[0]).mean(axis=(1, 2, 3))
    assert away[:14].max() < 0.2 * away.max()
    for kick_s in KICKS_S:
        at = round(kick_s * 30)
        assert away[at - 2] < 0.85 * away[at : at + 3].max(), f"no rise at the kick at {kick_s} s"


def test_ntsc_rates_are_exact(kick_song, loaded, tmp_path):
    out = tmp_path / "out.mkv"
    steps = run(kick_song, out, loaded, fps=parse_fps("29.97"))
    assert steps[-1].done == 180  # 6 s x 29.97 = 179.8: the last display frame is begun
    with av.open(str(out)) as video:
        frames = [float(f.pts * f.time_base) for f in video.decode(video=0)]
    assert np.allclose(frames, np.arange(180) * 1001 / 30000, atol=0.0006)  # mkv counts milliseconds


def test_the_same_input_gives_the_same_file(kick_song, loaded, tmp_path):
    run(kick_song, tmp_path / "a.mp4", loaded)
    run(kick_song, tmp_path / "b.mp4", loaded)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_expressions_move_the_settings_of_the_beat(kick_song, loaded, tmp_path):
    def video(sensitivity):
        written = loaded.settings.model_dump(exclude={"variants"}) | {"beat": {"sensitivity": sensitivity}}
        run(kick_song, tmp_path / "out.mp4", replace(loaded, settings=Preset.model_validate(written)), fps=Fraction(10))
        return (tmp_path / "out.mp4").read_bytes()

    assert video("0.1 + 0.1*bass/10") == video("0.2/2 + 0.1*bass/10")
    assert video("0.1 + 0*kick") == video(0.1) != video(1.0), "from before the first kick on"


@pytest.mark.parametrize("rate_hz", [8000, 22050, 96000])
@pytest.mark.slow
def test_songs_of_any_rate_are_exported(rate_hz, loaded, tmp_path):
    write_wav(tmp_path / "song.wav", kicks(rate_hz, [0.5], 1.01), rate_hz)
    steps = run(tmp_path / "song.wav", tmp_path / "out.mp4", loaded, fps=Fraction(25))
    assert steps[-1].done == 26
    with av.open(str(tmp_path / "out.mp4")) as video:
        assert abs(video.duration / 1e6 - 1.01) < 0.05


def test_stopping_early_leaves_no_file(kick_song, loaded, tmp_path):
    steps = export(kick_song, tmp_path / "out.mp4", loaded, open_cache())
    for step in steps:
        if step.stage == "exporting" and step.done == 20:
            break
    steps.close()
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_file_that_was_there(kick_song, loaded, tmp_path, monkeypatch):
    out = tmp_path / "out.mp4"
    out.write_bytes(b"last week's video")
    monkeypatch.setattr("visualizer.render.canvas.Canvas.texture", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(kick_song, out, loaded)
    assert out.read_bytes() == b"last week's video"
    assert list(tmp_path.iterdir()) == [out]


def test_odd_sizes_are_refused_before_any_work(kick_song, tiny_preset, tmp_path):
    with pytest.raises(BadInput, match="161x97.*160x96"):
        run(kick_song, tmp_path / "out.mp4", open_preset(str(tiny_preset), size=(161, 97)))


@pytest.mark.parametrize(
    ("render", "said"),
    [
        ("{looks: [unheard]}", r"preset\.yaml:\d+: render\.looks\.0\.look: unknown look 'unheard'"),
        ("{transition: unheard}", r"preset\.yaml:\d+: render\.transition\.look: unknown look 'unheard'"),
        ("{transition: pulse}", r"render\.transition\.look: pulse is no transition; a transition has the inputs"),
    ],
)
def test_looks_that_cannot_be_used_are_refused_before_any_work(kick_song, tiny_preset, tmp_path, render, said):
    folder = tmp_path / "own"
    shutil.copytree(tiny_preset, folder)
    with (folder / "preset.yaml").open("a") as file:
        file.write(f"render: {render}\n")
    with pytest.raises(BadInput, match=said):
        run(kick_song, tmp_path / "out.mp4", open_preset(str(folder), size=(160, 96)))
    assert list(tmp_path.iterdir()) == [folder]


def test_the_song_is_never_replaced_by_its_video(loaded, tmp_path):
    song = tmp_path / "song.mp4"
    write_wav(song, kicks(44100, [0.1], 0.5), 44100)
    before = song.read_bytes()
    with pytest.raises(BadInput, match="replace its own song"):
        run(song, tmp_path / "." / "song.mp4", loaded)
    assert song.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "fps"),
    [
        ("30", Fraction(30)),
        ("25.0", Fraction(25)),
        ("29.97", Fraction(30000, 1001)),
        ("23.976", Fraction(24000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        ("30000/1001", Fraction(30000, 1001)),
        ("12.5", Fraction(25, 2)),
        (" 60 ", Fraction(60)),
    ],
)
def test_frame_rates_are_read_as_fractions(text, fps):
    assert parse_fps(text) == fps


@pytest.mark.parametrize("text", ["", "0", "-30", "nan", "inf", "1/0", "thirty", "241", "0.5", "1e9"])
def test_rates_that_make_no_video_are_refused(text):
    with pytest.raises(BadInput, match="--fps.*1 .. 240"):
        parse_fps(text)


PEAK_KIB = """
import sys
from pathlib import Path
from visualizer.cli.run import run
assert run(sys.argv[1:]) == 0
assert "torch" not in sys.modules, "a warm export has no use for torch"
print(next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read the Linux way")
@pytest.mark.long
def test_memory_does_not_grow_with_the_song_and_a_warm_export_needs_no_torch(tiny_preset, tmp_path):
    loaded = ("-p", str(tiny_preset), "--size", "64x48")
    list(Dreams(open_preset(str(tiny_preset), size=(64, 48)), open_cache()).frames())  # warm
    peaks = []
    for seconds in (20, 400):
        song = tmp_path / f"{seconds}.wav"
        write_wav(song, kicks(22050, np.arange(0.5, seconds - 1, 0.5), seconds), 22050)
        command = [
            sys.executable,
            "-c",
            PEAK_KIB,
            "export",
            str(song),
            "-o",
            str(tmp_path / "x.mp4"),
            *loaded,
            "--fps",
            "5",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout.split()[-1]) / 1024)
    # the sound alone is 67 MB longer once decoded; what may grow is the file's own index
    assert peaks[1] - peaks[0] < 15, peaks


CLICK_S = 1.7183  # at no boundary of a display frame


#: each container and each rate once; every combination is `long`
QUICK_CLICKS = {(".mp4", "25"), (".mov", "29.97"), (".mkv", "60"), (".mp4", "120")}


@pytest.mark.parametrize(
    ("suffix", "fps", "rate_hz"),
    [
        pytest.param(suffix, fps, rate_hz, marks=[] if (suffix, fps) in QUICK_CLICKS else pytest.mark.long)
        for suffix in (".mp4", ".mov", ".mkv")
        for fps, rate_hz in (("25", 44100), ("29.97", 22050), ("60", 48000), ("120", 96000))
    ],
)
def test_a_click_and_its_flash_are_within_half_a_display_frame(tmp_path, suffix, fps, rate_hz):
    """Measured on the decoded file: neither the delay of the sound encoder, nor the resampler's, nor --from shows."""
    rate, from_s = parse_fps(fps), 0.777
    click = np.zeros(round(2.5 * rate_hz))
    first = round(CLICK_S * rate_hz)
    click[first : first + round(0.002 * rate_hz)] = 0.8
    write_wav(tmp_path / "song.wav", click, rate_hz)
    loaded = flashes(tmp_path, f"time_s >= {CLICK_S} && time_s < {CLICK_S + float(1 / rate)}")
    out = tmp_path / f"out{suffix}"
    run(tmp_path / "song.wav", out, loaded, fps=rate, from_s=from_s, size=(32, 32))
    (seen_s,) = flash_times(out)
    with av.open(str(out)) as video:
        frames = list(video.decode(audio=0))
    heard = np.concatenate([frame.to_ndarray().mean(axis=0) for frame in frames])
    loud = np.abs(heard) > 0.5 * np.abs(heard).max()
    heard_s = float(frames[0].pts * frames[0].time_base) + int(np.argmax(loud)) / frames[0].sample_rate
    begun_s = math.floor(from_s * rate) / rate
    assert heard_s == pytest.approx(CLICK_S - begun_s, abs=0.0015)
    assert abs(seen_s - heard_s) <= 0.5 / rate + 0.0015, "a click of 2 ms, blurred by the encoder"


@pytest.mark.slow
def test_kicks_are_seen_with_their_sound(kick_song, tmp_path):
    rate = Fraction(60)
    run(kick_song, tmp_path / "out.mp4", flashes(tmp_path, "kick_time_s < 1.0 / 60.0"), fps=rate, size=(32, 32))
    seen_s = flash_times(tmp_path / "out.mp4")
    assert np.abs(np.array(seen_s) - KICKS_S).max() <= 0.5 / rate


@pytest.mark.parametrize("fps", ["30", "29.97"])
def test_a_part_has_the_pictures_and_the_sound_of_the_whole(kick_song, loaded, tmp_path, fps):
    rate = parse_fps(fps)
    run(kick_song, tmp_path / "whole.mp4", loaded, fps=rate, crf=0)
    steps = run(kick_song, tmp_path / "part.mp4", loaded, fps=rate, crf=0, from_s=1.1, to_s=2.7)
    first, end = math.floor(1.1 * rate), math.ceil(2.7 * rate)
    whole, part = pictures(tmp_path / "whole.mp4"), pictures(tmp_path / "part.mp4")
    assert len(part) == end - first
    assert np.array_equal(part, whole[first:end]), "kicks before the part count, though they are not drawn"
    assert part.std(axis=0).max() > 5, "it moves"
    (heard, rate_hz), (of_whole, _) = sound(tmp_path / "part.mp4"), sound(tmp_path / "whole.mp4")
    assert len(heard) == pytest.approx((end - first) / rate * rate_hz, abs=1024), "and the sound is as long"
    with av.open(str(tmp_path / "part.mp4")) as video:
        lengths_s = [float(stream.duration * stream.time_base) for stream in video.streams]
    assert max(lengths_s) - min(lengths_s) < 0.5 / rate
    begin = round(first / rate * rate_hz)
    n = round(1.5 * rate_hz)
    assert np.abs(heard[:n] - of_whole[begin : begin + n])[2048:].max() < 0.05, "AAC is not lossless"
    said = [(step.stage, step.done, step.total) for step in steps if step.stage != "dreaming"]
    assert said[0] == ("analyzing", 0, first) and ("analyzing", first - 1, first) in said
    assert said[-1] == ("exporting", end - first, end - first)


@pytest.mark.parametrize("to_s", [5.999, 6.0, 100.0])
def test_a_part_may_go_to_the_end(kick_song, loaded, tmp_path, to_s):
    steps = run(kick_song, tmp_path / "out.mp4", loaded, fps=Fraction(10), from_s=5.0, to_s=to_s)
    assert steps[-1].done == steps[-1].total == 10 == len(pictures(tmp_path / "out.mp4"))


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"from_s": 2.0, "to_s": 2.0}, "--to 2 s must be after --from 2 s"),
        ({"from_s": 6.0}, "--from 6 s is after the end: it is 6.0 s long"),
        ({"from_s": 1e9}, "after the end"),
    ],
)
def test_a_part_that_is_not_there_is_refused_before_any_work(kick_song, loaded, tmp_path, part, said):
    with pytest.raises(BadInput, match=said):
        run(kick_song, tmp_path / "out.mp4", loaded, **part)
    assert list(tmp_path.iterdir()) == []


def test_a_part_after_an_end_that_is_not_known_before(kick_song, loaded, tmp_path, monkeypatch):
    monkeypatch.setattr(Song, "_measure_duration", lambda song: setattr(song, "duration_s", None))
    with pytest.raises(BadInput, match="--from 7 s is after the end: it is 6.0 s long"):
        run(kick_song, tmp_path / "out.mp4", loaded, fps=Fraction(10), from_s=7.0)
    assert list(tmp_path.iterdir()) == []


def test_a_dream_of_another_shape_fills_the_video_and_is_cut_evenly(kick_song, loaded, tmp_path):
    """160x96 of red from left to right and green from top to bottom, as an upright video of 80x96 and one twice as
    large.
    """
    run(kick_song, tmp_path / "same.mp4", loaded, fps=Fraction(10), to_s=0.1, crf=0)
    same = pictures(tmp_path / "same.mp4")[0].astype(int)
    for size in ((80, 96), (160, 192)):
        run(kick_song, tmp_path / "tall.mp4", loaded, fps=Fraction(10), to_s=0.1, crf=0, size=size)
        tall = pictures(tmp_path / "tall.mp4")[0].astype(int)
        assert tall.shape[1::-1] == size
        scale = size[1] // 96
        small = tall.reshape(96, scale, 80, scale, 3).mean(axis=(1, 3))
        assert np.abs(small - same[:, 40:120]).mean() < 2


def test_a_supersampled_video_is_the_same_picture_smoother(kick_song, tmp_path):
    """Vertical lines of one pixel, drawn by the look four times as dense as the video's pixels, become their mean."""
    lines = flashes(tmp_path, "mod(floor(gl_FragCoord.x), 2.0) < 0.5")
    seen = {}
    for supersample in (1, 2):
        run(
            kick_song,
            tmp_path / "out.mp4",
            lines,
            fps=Fraction(10),
            to_s=0.1,
            crf=0,
            size=(64, 48),
            supersample=supersample,
        )
        seen[supersample] = pictures(tmp_path / "out.mp4")[0].astype(int)
        assert seen[supersample].shape == (48, 64, 3)
    assert np.ptp(seen[1]) > 240, "lines of the video's own pixels"
    assert np.abs(seen[2] - 188).max() <= 3, "half the light of white, which is 188 of 255 in sRGB"


def test_a_picture_that_the_driver_cannot_draw_is_refused(kick_song, loaded, tmp_path):
    with pytest.raises(BadInput, match="cannot draw pictures of 32768x32768"):
        run(kick_song, tmp_path / "out.mp4", loaded, size=(8192, 8192), supersample=4)
    assert list(tmp_path.iterdir()) == []
