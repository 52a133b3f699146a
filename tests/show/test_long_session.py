"""A night of three hours, exported: its memory stays what it was, and sound and picture do not drift apart."""

from __future__ import annotations

import subprocess
import sys

import av
import numpy as np
import pytest

from tests.show.flash import SIZE, flash_times, flashes
from tests.show.nights import Night
from tests.sounds import kicks
from visualizer.session import writer as writer_room

RATE_HZ, FPS, N_KICKS = 8000, 2, 12

EXPORT = """
import sys
from pathlib import Path
from visualizer.cli.run import run
assert run(sys.argv[1:]) == 0
print(next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")))
"""


def exported(folder, loaded, seconds):
    """A session of that many seconds as a video, and the peak of the memory that the export took, MiB.

    Kicks come about every second, each 10 ms earlier before the middle of a display frame than the one before, and
    after 12 of them again. Which display frame shows a kick then depends on 10 ms.
    """
    times_s = [1.25 + n - 0.01 * n for n in range(N_KICKS)]
    pattern = kicks(RATE_HZ, times_s, N_KICKS + 2.0)
    pattern[: 2 * RATE_HZ] += pattern[N_KICKS * RATE_HZ :]  # one begins where the one before still sounds
    pattern = pattern[: N_KICKS * RATE_HZ]
    night = Night(folder / f"night {seconds}", loaded)
    night.preset(0.0, 0, loaded)
    for begin_s in range(0, seconds, N_KICKS):
        night.sound(float(begin_s), pattern, RATE_HZ, block=len(pattern))
    root, out = night.end(float(seconds)), folder / f"{seconds}.mp4"
    command = [sys.executable, "-c", EXPORT, "export", str(root), "-o", str(out), "--fps", str(FPS), "--size", "64x36"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "damaged" not in done.stderr, done.stderr
    return out, int(done.stdout.split()[-1]) / 1024


def flash_frames(path, from_s):
    """The display frames, counted from a time, in which the kicks of one pattern are seen."""
    first = from_s * FPS
    frames = [round(time_s * FPS) - first for time_s in flash_times(path)]
    return [index for index in frames if 0 <= index < N_KICKS * FPS]


def heard_s(path, from_s):
    """When the kicks of one pattern begin to sound, seconds from a time."""
    with av.open(str(path)) as video:
        stream = video.streams.audio[0]
        video.seek(max(0, round((from_s - 1) / stream.time_base)), stream=stream)
        parts = []
        for frame in video.decode(stream):
            begin_s = frame.pts * frame.time_base
            if begin_s >= from_s + N_KICKS:
                break
            parts.append((float(begin_s), frame.to_ndarray()[0]))
    rate_hz = stream.rate
    sound = np.abs(np.concatenate([samples for _, samples in parts]))
    loud = np.flatnonzero(sound > 0.2) / rate_hz + parts[0][0] - from_s
    loud = loud[(loud >= 0.5) & (loud < N_KICKS)]
    return loud[np.diff(loud, prepend=-1.0) > 0.5]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read the Linux way")
@pytest.mark.long
@pytest.mark.timeout(7200)
def test_three_hours_take_the_memory_of_five_minutes_and_nothing_drifts(tmp_path, monkeypatch):
    monkeypatch.setattr(writer_room, "MOST_WAITING_BYTES", 10**9)  # it is written as quickly as the disk takes it
    loaded, seconds = flashes(tmp_path, "kick_time_s < 0.5"), 3 * 3600
    assert loaded.size == SIZE
    _, short_mib = exported(tmp_path, loaded, 300)
    out, long_mib = exported(tmp_path, loaded, seconds)
    with av.open(str(out)) as video:
        assert video.streams.video[0].frames == seconds * FPS
        lengths_s = [float(stream.duration * stream.time_base) for stream in video.streams]
    assert lengths_s == pytest.approx([seconds, seconds], abs=0.05)
    begin_s, end_s = 10 * N_KICKS, seconds - N_KICKS
    first, last = flash_frames(out, begin_s), flash_frames(out, end_s)
    assert len(first) >= N_KICKS - 1 and first == last, "no picture is 10 ms later or earlier after three hours"
    assert len({index % FPS for index in first}) == FPS, "a shift of 10 ms would be seen"
    assert heard_s(out, end_s) == pytest.approx(heard_s(out, begin_s), abs=0.001)
    # libavformat keeps an entry for each packet until it writes the index of the mp4: half a million packets of sound
    assert long_mib - short_mib < 60, (short_mib, long_mib)
