"""From sound to light: the whole visualizer against the least program that does it, in turns.

    python -m benchmarks latency [--quick]

Clicks go into a PulseAudio null sink of its own; both programs hear its monitor and draw on an Xvfb of their own, where
a third process watches a pixel. A click counts from when the sound server says that it is played.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.draw import xvfb

SIZE = (1280, 720)
PIXEL = (320, 240)
RISE = 51  # of 255: what a kick adds to the brightness in one picture
LATEST_S = 0.5
MINIMAL, WHOLE = "the least program", "visualizer live"


def run(quick: bool) -> list[tuple[str, str]]:
    """Rows of (what, figure). quick: half as many clicks."""
    from tests.fixtures.pulse import Pulse

    n_turns, n_clicks = (1, 10) if quick else (2, 14)
    delays_ms: dict[str, list[float]] = {MINIMAL: [], WHOLE: []}
    with (
        tempfile.TemporaryDirectory() as name,
        contextlib.closing(Pulse()) as pulse,
        pulse.in_environment(),
        xvfb() as display,
        _environment(Path(name)),
        Screen(display) as screen,
    ):
        loaded = _cached_look(Path(name))
        commands = {
            MINIMAL: ["-m", "benchmarks.minimal_live", pulse.source],
            WHOLE: ["-m", "visualizer", "live", "--preset", loaded, "--device", pulse.source],
        }
        for turn in range(n_turns):
            for what, command in commands.items():
                delays_ms[what] += one_turn(command, screen, Path(name), n_clicks, seed=turn)
    rows, medians, p95s = [], [], []
    for what, found in delays_ms.items():
        median, p95 = np.percentile(found, (50, 95)).tolist()
        rows.append((f"sound to light, {what}: median / p95 of {len(found)} clicks", f"{median:.1f} / {p95:.1f} ms"))
        medians.append(median)
        p95s.append(p95)
    ratio = f"{medians[1] / medians[0]:.2f} / {p95s[1] / p95s[0]:.2f}"
    return [*rows, (f"sound to light: {WHOLE} against {MINIMAL}, median / p95", ratio)]


class Screen:
    """What a pixel of the display shows, watched by a process of its own."""

    def __init__(self, display: str) -> None:
        command = [sys.executable, "-m", "benchmarks.screen_reader", display, *map(str, PIXEL)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.seen: list[tuple[float, int]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            stamp, brightness = line.split()
            self.seen.append((float(stamp), int(brightness)))

    def wait_for_picture(self, since_s: float) -> None:
        """Until something else than black is seen."""
        while not any(stamp > since_s and brightness > 0 for stamp, brightness in self.seen[-3:]):
            if time.monotonic() > since_s + 30:
                raise RuntimeError("no picture within 30 s")
            time.sleep(0.02)

    def rises(self) -> list[float]:
        """When it became much brighter."""
        seen = list(self.seen)
        return [now[0] for before, now in pairwise(seen) if now[1] - before[1] >= RISE]

    def __enter__(self) -> Screen:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)


def one_turn(command: list[str], screen: Screen, folder: Path, n_clicks: int, seed: int) -> list[float]:
    """Milliseconds from each click to its light."""
    from visualizer.audio.clicks import click_times, write_clicks
    from visualizer.audio.decode import Song
    from visualizer.audio.playback import Playback

    times_s = click_times(n_clicks, seed)
    since_s = time.monotonic()
    program = subprocess.Popen([sys.executable, *command], stderr=subprocess.DEVNULL)
    try:
        screen.wait_for_picture(since_s)
        places = []
        with Song(write_clicks(folder / "clicks.wav", times_s)) as song, Playback(song) as playback:
            playback.start()
            while playback.position_s < times_s[-1] + LATEST_S:
                places.append((time.monotonic(), playback.position_s))
                time.sleep(0.01)
                if program.poll() is not None:
                    raise RuntimeError(f"{command[1]} ended")
    finally:
        program.terminate()  # killed, `live` would leave its show to the next turn: that outlives its supervisor
        program.wait(20)
    rises = screen.rises()
    now_s, place_s = np.array(places).T
    delays_ms = []
    for time_s in times_s:
        played_s = time_s + float(np.median((now_s - place_s)[np.abs(place_s - time_s) < 0.25]))
        index = bisect_left(rises, played_s)
        if index < len(rises) and rises[index] < played_s + LATEST_S:
            delays_ms.append(1000 * (rises[index] - played_s))
    if len(delays_ms) < 0.5 * n_clicks:
        raise RuntimeError(f"{command[1]}: only {len(delays_ms)} of {n_clicks} clicks were seen; is the machine busy?")
    return delays_ms


def _cached_look(folder: Path) -> str:
    """A preset whose dream is in the cache already, the brighter the deeper."""
    from PIL import Image

    from visualizer.diagnostics.latency import with_test_ramp
    from visualizer.presets.dreams import open_cache
    from visualizer.presets.loaded import open_preset

    preset = folder / "grey"
    preset.mkdir()
    (preset / "preset.yaml").write_text("title: Grey\nimage: image.png\n")
    Image.new("RGB", SIZE).save(preset / "image.png")
    with_test_ramp(open_preset(str(preset), size=SIZE), open_cache())
    return str(preset)


@contextlib.contextmanager
def _environment(folder: Path) -> Iterator[None]:
    """The programs' folders, away from the user's."""
    names = {f"VISUALIZER_{name}_DIR": str(folder / name.lower()) for name in ("CACHE", "CONFIG", "LOG")}
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
