"""Measures how much the panel slows a show down: shows with and without it, in turns.

python -m benchmarks.panel [--quick]
"""

from __future__ import annotations

import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.draw import display
from benchmarks.show import SIZE, play_silently, write_song

PLACE = (SIZE[0], 0, 640, 980)  # beside the projection
SETTLE_S = 4.0  # not measured: the panel opens and draws its thumbnails


def run(quick: bool) -> list[tuple[str, str]]:
    """Rows of (what, figure). quick: one turn each instead of four."""
    from visualizer.presets.dreams import Dreams, open_cache
    from visualizer.presets.loaded import open_preset

    n_turns, seconds = (1, 8.0) if quick else (4, 15.0)
    loaded = open_preset(size=SIZE)
    list(Dreams(loaded, open_cache()).frames())  # the dream is in the cache before anything is measured
    frame_ms: dict[bool, list[float]] = {False: [], True: []}
    told_us: list[float] = []
    with tempfile.TemporaryDirectory() as folder, display() as screen:
        song = write_song(Path(folder) / "song.wav", round(seconds + SETTLE_S + 5))
        for turn in range(n_turns):
            for with_panel in (False, True) if turn % 2 == 0 else (True, False):
                frame_ms[with_panel] += shown_ms(loaded, song, seconds, told_us if with_panel else None)
    name = f"{screen} {SIZE[0]}x{SIZE[1]}, paced at 60"
    rows, p95s = [], []
    for with_panel, words in ((False, "without"), (True, "with")):
        p50, p95, p99 = np.percentile(frame_ms[with_panel], (50, 95, 99))
        p95s.append(p95)
        rows.append(
            (f"{name}: {words} the panel, frame time median / p95 / p99", f"{p50:.1f} / {p95:.1f} / {p99:.1f} ms")
        )
    rows.append(("p95 with the panel open against without", f"{p95s[1] / p95s[0]:.2f}"))
    median, most = np.percentile(told_us, (50, 95))
    rows.append(("telling and asking the panel, a display frame: median / p95", f"{median:.0f} / {most:.0f} us"))
    return rows


def shown_ms(loaded, song_path: Path, seconds: float, told_us: list[float] | None) -> list[float]:
    """Run a show for SETTLE_S + seconds. Returns the times between display frames after SETTLE_S, ms.

    told_us: if not None the panel is opened, and the time that each display frame spends on it is appended, microseconds.
    """
    from visualizer.panel.link import open_panel
    from visualizer.show.onscreen import Staging

    stamps: list[float] = []
    panels: list[Timed] = []

    def note(_: int, __) -> bool:
        now = time.perf_counter()
        stamps.append(now)
        for panel in panels:
            if now - stamps[0] > SETTLE_S:
                told_us.append(1e6 * panel.spent_s)
            panel.spent_s = 0.0
        return now - stamps[0] > SETTLE_S + seconds

    def opened(place=None, *, avoid=None):
        panels.append(Timed(partial(open_panel, size=loaded.size)(PLACE, avoid=avoid)))
        return panels[-1]

    play_silently(loaded, song_path, Staging(adapt=False, panel=told_us is not None), note, opens_panel=opened)
    for panel in panels:
        panel.link.join(5.0)
        if panel.news_told:
            raise RuntimeError(panel.news_told)
    since = np.array(stamps) - stamps[0]
    return (np.diff(stamps)[since[1:] > SETTLE_S] * 1e3).tolist()


class Timed:
    """A panel link that measures the time which the drawing thread spends on it."""

    def __init__(self, link) -> None:
        self.link, self.spent_s, self.news_told = link, 0.0, ""

    name = "panel"
    place = property(lambda self: self.link.place)
    is_open = property(lambda self: self.link.is_open)

    def poll(self):
        start = time.perf_counter()
        wishes = self.link.poll()
        self.spent_s += time.perf_counter() - start
        return wishes

    def tell(self, snapshot) -> None:
        start = time.perf_counter()
        self.link.tell(snapshot)
        self.spent_s += time.perf_counter() - start

    def status(self) -> list[str]:
        return self.link.status()

    def news(self):
        line = self.link.news()
        self.news_told = line or self.news_told
        return line

    def close(self) -> None:
        self.link.close()


if __name__ == "__main__":
    for what, figure in run("--quick" in sys.argv):
        print(f"| {what} | {figure} |")
