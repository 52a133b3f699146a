"""Measures how much the panel slows a show down: shows with and without it, in turns.

python -m benchmarks panel [--quick]
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.draw import display
from benchmarks.show import SIZE, play_silently, write_song
from visualizer.panel.link import PanelLink
from visualizer.panel.process import PanelOptions
from visualizer.panel.thumbnails import ThumbnailOptions

PLACE = (SIZE[0], 0, 640, 980)  # beside the projection
SETTLE_S = 4.0  # not measured: the panel opens and draws its thumbnails


def run(quick: bool) -> list[tuple[str, str]]:
    """Rows of (what, figure). quick: one turn each instead of four."""
    from visualizer.presets.dreams import Dreams, open_cache

    from .plain import open_plain

    n_turns, seconds = (1, 8.0) if quick else (4, 15.0)
    loaded = open_plain(SIZE)
    list(Dreams(loaded, open_cache()).frames())  # the dream is in the cache before anything is measured
    frame_ms: dict[bool, list[float]] = {False: [], True: []}
    spent_us: list[float] = []
    with tempfile.TemporaryDirectory() as folder, display() as screen:
        song = write_song(Path(folder) / "song.wav", round(seconds + SETTLE_S + 5))
        for turn in range(n_turns):
            for with_panel in (False, True) if turn % 2 == 0 else (True, False):
                frame_ms[with_panel] += shown_ms(loaded, song, seconds, spent_us if with_panel else None)
    name = f"{screen} {SIZE[0]}x{SIZE[1]}, paced at 60"
    rows, p95s = [], []
    for with_panel, text in ((False, "without"), (True, "with")):
        p50, p95, p99 = np.percentile(frame_ms[with_panel], (50, 95, 99))
        p95s.append(p95)
        rows.append(
            (f"{name}: {text} the panel, frame time median / p95 / p99", f"{p50:.1f} / {p95:.1f} / {p99:.1f} ms")
        )
    rows.append(("p95 with the panel open against without", f"{p95s[1] / p95s[0]:.2f}"))
    median, most = np.percentile(spent_us, (50, 95))
    rows.append(("time spent on the panel in a display frame: median / p95", f"{median:.0f} / {most:.0f} us"))
    return rows


def shown_ms(loaded, song_path: Path, seconds: float, spent_us: list[float] | None) -> list[float]:
    """Run a show for SETTLE_S + seconds. Returns the times between display frames after SETTLE_S, ms.

    spent_us: if not None the panel is opened, and the time that each display frame spends on it is appended,
    microseconds.
    """
    from visualizer.show.onscreen import Staging

    stamps: list[float] = []
    panels: list[TimedPanel] = []

    def note(_: int, __) -> bool:
        now = time.perf_counter()
        stamps.append(now)
        for panel in panels:
            if now - stamps[0] > SETTLE_S:
                spent_us.append(1e6 * panel.spent_s)
            panel.spent_s = 0.0
        return now - stamps[0] > SETTLE_S + seconds

    def opened(place=None, *, avoid=None):
        panels.append(TimedPanel(PanelOptions("panel", PLACE, avoid, ThumbnailOptions(loaded.size))))
        return panels[-1]

    play_silently(loaded, song_path, Staging(adapt=False, panel=spent_us is not None), note, opens_panel=opened)
    for panel in panels:
        panel.join(5.0)
        if panel.last_news:
            raise RuntimeError(panel.last_news)
    since = np.array(stamps) - stamps[0]
    return (np.diff(stamps)[since[1:] > SETTLE_S] * 1e3).tolist()


class TimedPanel(PanelLink):
    """A panel link that measures the time which the drawing thread spends on it."""

    spent_s, last_news = 0.0, ""

    def poll(self):
        start = time.perf_counter()
        commands = super().poll()
        self.spent_s += time.perf_counter() - start
        return commands

    def update(self, snapshot) -> None:
        start = time.perf_counter()
        super().update(snapshot)
        self.spent_s += time.perf_counter() - start

    def news(self):
        line = super().news()
        self.last_news = line or self.last_news
        return line
