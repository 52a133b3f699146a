"""A video written while a show runs: an ordinary one at the end, playable whenever the program is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from fractions import Fraction

import av
import numpy as np
import pytest

from visualizer.beat.features import Features
from visualizer.outputs.live_video import LiveVideo
from visualizer.show.source import NO_SOUND

SIZE = (64, 48)


class Canvas:
    """A canvas with a picture that a test sets."""

    def __init__(self, size=SIZE):
        self.picture = np.zeros((size[1], size[0], 3), np.uint8)

    def pixels(self):
        return self.picture


def show(video, canvas, clock, seconds, rate_hz=60):
    for _ in range(round(seconds * rate_hz)):
        clock.now_s += 1 / rate_hz
        canvas.picture = np.full_like(canvas.picture, round(clock.now_s * 40) % 256)
        while video._waiting.full():  # the test is faster than any show
            time.sleep(0.001)
        video.present(canvas, NO_SOUND, Features())


def boxes(path):
    """The names of the outer boxes of an mp4 file."""
    data, at, names = path.read_bytes(), 0, []
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        names.append(data[at + 4 : at + 8].decode())
        at += size if size >= 8 else int.from_bytes(data[at + 8 : at + 16], "big")
    return names


def pictures(path):
    """(time, mean grey) of each picture that can be decoded."""
    found = []
    with av.open(str(path)) as file:
        try:
            for frame in file.decode(video=0):
                found.append((float(frame.pts * frame.time_base), frame.to_ndarray(format="gray").mean()))
        except av.error.FFmpegError:
            pass
    return found


def test_closed_it_is_an_ordinary_video_with_every_second_display_frame(tmp_path, clock):
    video, canvas = LiveVideo(tmp_path / "a.mp4", SIZE, Fraction(30), clock), Canvas()
    show(video, canvas, clock, 4.0)
    video.close()
    video.close()
    assert not video.fault and (video.n_repeated, video.n_dropped) == (0, 0)
    found = pictures(tmp_path / "a.mp4")
    assert len(found) == video.n_pictures == pytest.approx(120, abs=1)
    assert "moof" not in boxes(tmp_path / "a.mp4") and "moov" in boxes(tmp_path / "a.mp4")
    assert [time_s for time_s, _ in found] == pytest.approx([index / 30 for index in range(len(found))], abs=1e-4)
    for time_s, grey in found:
        assert grey == pytest.approx(round((time_s + 1 / 60) * 40) % 256, abs=3)


def test_pictures_of_another_size_are_scaled_and_missing_ones_stay_longer(tmp_path, clock):
    video = LiveVideo(tmp_path / "a.mp4", (65, 49), Fraction(30), clock)
    show(video, Canvas(), clock, 1.0)
    show(video, Canvas((128, 96)), clock, 1.0, rate_hz=10)
    video.close()
    assert video.n_repeated == pytest.approx(20, abs=3)
    with av.open(str(tmp_path / "a.mp4")) as file:
        assert (file.streams.video[0].width, file.streams.video[0].height) == SIZE
    assert pictures(tmp_path / "a.mp4")[-1][0] == pytest.approx(2.0, abs=0.15)


@pytest.mark.parametrize(
    ("size", "inside"),
    [((128, 48), (64, 24)), ((32, 48), (32, 48)), ((640, 477), SIZE), ((2, 480), (1, 48))],
)
def test_a_picture_of_another_shape_has_black_bars(tmp_path, clock, size, inside):
    video, canvas = LiveVideo(tmp_path / "a.mp4", SIZE, Fraction(30), clock), Canvas(size)
    canvas.picture[:] = 200
    video.present(canvas, NO_SOUND, Features())
    video.close()
    assert not video.fault
    with av.open(str(tmp_path / "a.mp4")) as file:
        [picture] = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    left, top = (SIZE[0] - inside[0]) // 2, (SIZE[1] - inside[1]) // 2
    expected = np.zeros((SIZE[1], SIZE[0], 3), int)
    expected[top : top + inside[1], left : left + inside[0]] = 200
    off = np.abs(picture.astype(int) - expected)
    assert off.mean() < 6 and (off > 60).mean() < 0.05


def test_where_the_encoder_is_too_slow_pictures_are_dropped_and_nothing_waits(tmp_path, clock):
    video, canvas = LiveVideo(tmp_path / "a.mp4", (1280, 720), Fraction(240), clock), Canvas((1280, 720))
    began = time.monotonic()
    for _ in range(400):
        clock.now_s += 1 / 240
        video.present(canvas, NO_SOUND, Features())
    assert video.n_dropped > 0 and video.n_pictures + video.n_dropped >= 390
    assert time.monotonic() - began < 60
    video.close()
    assert len(pictures(tmp_path / "a.mp4")) == video.n_pictures


def test_sound_lies_where_it_was_heard(tmp_path, clock):
    """A click at 2 s, after a gap and at another sample rate than before."""
    video, canvas = LiveVideo(tmp_path / "a.mp4", SIZE, Fraction(30), clock), Canvas()
    video.write_sound(np.ones(480, np.float32), 0.0, 48_000)  # of before
    show(video, canvas, clock, 0.1)
    start_s = video._start_s
    video.write_sound(np.zeros(48_000, np.float32), start_s, 48_000)
    click = np.zeros(44_100, np.float32)
    click[22_050:22_100] = 0.9
    video.write_sound(click, start_s + 1.5, 44_100)
    show(video, canvas, clock, 3.0)
    video.close()
    assert not video.fault
    with av.open(str(tmp_path / "a.mp4")) as file:
        frames = [(float(one.pts * one.time_base), one.to_ndarray()[0]) for one in file.decode(audio=0)]
    loudest = max(frames, key=lambda one: np.abs(one[1]).max())
    at_s = loudest[0] + np.abs(loudest[1]).argmax() / 48_000
    assert at_s == pytest.approx(2.0, abs=0.005)


def test_on_a_disk_that_cannot_be_written_it_stops_and_says_so(tmp_path, clock):
    video = LiveVideo(tmp_path / "missing" / "a.mp4", SIZE, Fraction(30), clock)
    video._thread.join(60)
    show(video, Canvas(), clock, 0.2)
    assert "the video has stopped" in video.fault
    video.close()


def test_killed_it_can_be_played(tmp_path):
    path = tmp_path / "a.mp4"
    code = f"""
        import sys, time
        from fractions import Fraction
        from pathlib import Path
        import numpy as np
        from visualizer.beat.features import Features
        from visualizer.outputs.live_video import LiveVideo

        class Canvas:
            def pixels(self):
                return np.random.default_rng(0).integers(0, 255, (180, 320, 3)).astype(np.uint8)

        began = time.monotonic()
        video = LiveVideo(Path({str(path)!r}), (320, 180), Fraction(30), lambda: time.monotonic() - began)
        while True:
            time.sleep(1 / 60)
            video.present(Canvas(), None, Features())
            print(video._index, flush=True)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    shown = 0
    for line in process.stdout:
        shown = int(line)
        if shown >= 60:
            break
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    found = pictures(path)
    assert "moof" in boxes(path)
    # half a second in the muxer, and what waited for the encoder
    assert found[-1][0] >= 60 / 30 - 1.1 and len(found) > 15
