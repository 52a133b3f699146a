"""A live journey: how long its stations take beside the show, and what they cost the show.

python -m benchmarks journey [--quick]
"""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest.mock import patch

import numpy as np

from benchmarks.draw import display
from benchmarks.show import play_silently, write_song

RATE_HZ = 30
N_DEPTHS = 10
#: faster than stations can be baked, and so slow that those which are baked suffice
FAST, SLOW = 1.0, 0.05
#: display frames at the beginning that are not counted
N_FIRST = 30


@dataclass
class Watched:
    """What was seen of a show. stamps: of its display frames, seconds; ends: when each station was finished."""

    stamps: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)

    def note(self, n_finished: int) -> None:
        """A display frame, before which so many stations were finished."""
        self.stamps.append(time.perf_counter())
        self.ends += [self.stamps[-1]] * (n_finished - len(self.ends))

    def times_ms(self, since_s: float = 0.0) -> np.ndarray:
        """From one display frame to the next, from a moment on."""
        return np.diff([stamp for stamp in self.stamps[N_FIRST:] if stamp >= since_s]) * 1e3


def opened(size: tuple[int, int], zoom: float, seed: int):
    """The preset "worlds" with N_DEPTHS depths and a speed in stations a second and a bar."""
    from visualizer.presets.loaded import Overrides, open_preset

    dream = (("n_depths", float(N_DEPTHS)),)
    loaded = open_preset("worlds", size=size, overrides=Overrides(seed=seed, dream=dream))
    journey = loaded.settings.journey.model_copy(update={"zoom_per_s": zoom, "zoom_per_bar": 2 * zoom})
    return replace(loaded, settings=loaded.settings.model_copy(update={"journey": journey}))


def shown(loaded, song: Path, *, n_stations: int = 0, seconds: float = 0.0) -> Watched:
    """A show until so many stations are finished, or for so long."""
    from visualizer.presets.journey import Stations
    from visualizer.show.onscreen import Staging

    watched, finished = Watched(), set()
    frames = Stations.frames

    def noted(stations, station, *, preview=False):
        for placed in frames(stations, station, preview=preview):
            if placed.finished and placed.depth_index == N_DEPTHS:
                finished.add(station)
            yield placed

    def note(_: int, frame) -> bool:
        watched.note(len(finished))
        return watched.stamps[-1] - watched.stamps[0] > seconds if seconds else len(watched.ends) >= n_stations

    with patch.object(Stations, "frames", noted):
        play_silently(loaded, song, Staging(rate_hz=RATE_HZ, adapt=False), note)
    return watched


def rows_at(size: tuple[int, int], song: Path, *, n_stations: int, seconds: float) -> list[tuple[str, str]]:
    """Stations baked beside a show, and the same show with these in the cache."""
    where = f"journey at {size[0]}x{size[1]}, {N_DEPTHS} depths, paced at {RATE_HZ}"
    load = os.getloadavg()[0]
    # loading torch, and the first station's preview, are no part of the others
    baking = shown(opened(size, FAST, seed=1), song, n_stations=n_stations + 1)
    calm = shown(opened(size, SLOW, seed=1), song, seconds=seconds)
    taken = np.diff(baking.ends)
    percentiles = [np.percentile(one, (50, 95, 99)) for one in (baking.times_ms(baking.ends[0]), calm.times_ms())]
    texts = [" / ".join(f"{value:.1f}" for value in one) + " ms" for one in percentiles]
    return [
        (f"{where}: a station baked behind it, median of {len(taken)} (slowest)", median_and_slowest(taken)),
        (f"{where}: the first station, torch loaded for it", f"{baking.ends[0] - baking.stamps[0]:.1f} s"),
        (f"{where}: frame time median / p95 / p99 while stations are baked", texts[0]),
        (f"{where}: the same with stations from the cache", texts[1]),
        (
            f"{where}: p95 with a bake against without; load average before and after",
            f"{percentiles[0][1] / percentiles[1][1]:.2f}; {load:.1f}, {os.getloadavg()[0]:.1f}",
        ),
    ]


def median_and_slowest(taken_s: np.ndarray, n_digits: int = 1) -> str:
    """The median of some times, and the longest in brackets."""
    return f"{np.median(taken_s):.{n_digits}f} s ({taken_s.max():.{n_digits}f} s)"


def run(quick: bool) -> list[tuple[str, str]]:
    """Rows of (what, figure). quick: one size, fewer stations."""
    with tempfile.TemporaryDirectory() as name, display():
        song = write_song(Path(name) / "song.wav", 600)
        rows = rows_at((640, 360), song, n_stations=2 if quick else 6, seconds=10 if quick else 30)
        if not quick:
            rows += rows_at((1280, 720), song, n_stations=3, seconds=20)
    return rows
