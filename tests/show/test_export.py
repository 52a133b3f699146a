"""Exporting, checked on the finished file with an independent decoder."""

import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest

from tests.sounds import KICKS_S, kicks, write_wav
from visualizer.errors import BadInput
from visualizer.presets.dreams import Dreams, open_cache
from visualizer.presets.loaded import open_preset
from visualizer.show.export import export, parse_fps

SIZE = (160, 96)


@pytest.fixture
def loaded(tiny_preset):
    return open_preset(str(tiny_preset), size=SIZE)


def run(song, out, loaded, **options):
    return list(export(song, out, loaded, open_cache(), **options))


def pictures(path):
    with av.open(str(path)) as video:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)])


def sound(path):
    with av.open(str(path)) as video:
        rate_hz = video.streams.audio[0].rate
        return np.concatenate([f.to_ndarray().mean(axis=0) for f in video.decode(audio=0)]), rate_hz


def test_the_video_is_as_long_as_the_song_and_has_its_sound(kick_song, loaded, tmp_path):
    out = tmp_path / "out.mp4"
    steps = run(kick_song, out, loaded, fps=Fraction(30))
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
    monkeypatch.setattr("visualizer.render.canvas.Canvas.pixels", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(kick_song, out, loaded)
    assert out.read_bytes() == b"last week's video"
    assert list(tmp_path.iterdir()) == [out]


def test_odd_sizes_are_refused_before_any_work(kick_song, tiny_preset, tmp_path):
    with pytest.raises(BadInput, match="161x97.*160x96"):
        run(kick_song, tmp_path / "out.mp4", open_preset(str(tiny_preset), size=(161, 97)))


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
