"""How long it takes from a picture that is asked for until it is seen, dreamt, inside the zoom of a running journey.

python -m benchmarks new_picture [--quick]
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import numpy as np

import visualizer.show.stage
from benchmarks.draw import display
from benchmarks.journey import N_DEPTHS, RATE_HZ, median_and_slowest, opened
from benchmarks.show import play_silently, write_song
from visualizer.beat.features import Features
from visualizer.show.travel import Travel

#: stations a second without a picture
ZOOM = 0.15
#: a station is seen from this weight on
VISIBLE = 0.1
#: seconds between a picture that is seen and the next one: a different part of the way each time
PAUSES_S = (3.0, 4.1, 5.2, 6.3, 3.7)
#: torch is loaded, and the first stations are there
FIRST_S = 12.0
STEPS = ("read", "first preview on the card", "seen")


class Timed(Travel):
    """A journey that is led to a picture now and then, and notes how long each step takes. n_pictures: then it is done;
    newest: the one that is shown.
    """

    folder = Path()
    newest: Timed
    n_pictures = 10

    def __init__(self, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        self.seconds: list[tuple[float, ...]] = []
        type(self).newest = self
        self._next_s = time.perf_counter() + FIRST_S
        self._began_s: float | None = None
        self._steps: list[float] = []

    def move(self, features: Features) -> None:
        now = time.perf_counter()
        if self._began_s is None and now > self._next_s and len(self.seconds) < self.n_pictures:
            self._began_s, self._steps = now, []
            self.lead_to(picture(self.folder, len(self.seconds)))
        elif self._began_s is not None:  # what the display frame before has shown
            is_reached = (self._hurries_to > 0, self._is_there(self._hurries_to), self._weight() > VISIBLE)
            while len(self._steps) < len(STEPS) and is_reached[len(self._steps)]:
                self._steps.append(now - self._began_s)
            if len(self._steps) == len(STEPS):
                self.seconds.append(tuple(self._steps))
                self._began_s, self._next_s = None, now + PAUSES_S[len(self.seconds) % len(PAUSES_S)]
        super().move(features)

    def _weight(self) -> float:
        slot = self._slots.get(self._hurries_to)
        return max((one.weight for one in self._texture.stations if one.slot == slot), default=0.0)


def picture(folder: Path, number: int) -> Path:
    """A new photograph: smooth noise of 12 megapixels."""
    from PIL import Image

    rng = np.random.default_rng(number)
    small = Image.fromarray(rng.integers(0, 256, (9, 12, 3), np.uint8).astype(np.uint8))
    path = folder / f"photo{number}.jpg"
    if not path.exists():
        small.resize((4000, 3000), Image.Resampling.BICUBIC).save(path, quality=90)
    return path


def rows_at(size: tuple[int, int], song: Path, n_pictures: int) -> list[tuple[str, str]]:
    """Pictures that a show is led to, one after the other."""
    from visualizer.show.onscreen import Staging

    Timed.folder, Timed.n_pictures = song.parent, n_pictures
    for number in range(n_pictures):
        picture(song.parent, number)
    before, own = os.getloadavg()[0], visualizer.show.stage.Travel
    visualizer.show.stage.Travel = Timed
    try:
        loaded = opened(size, ZOOM, seed=7)
        staging = Staging(rate_hz=RATE_HZ, adapt=False)
        play_silently(loaded, song, staging, lambda *_: len(Timed.newest.seconds) >= n_pictures)
    finally:
        visualizer.show.stage.Travel = own
    found = np.array(Timed.newest.seconds)
    where = f"a picture of 12 megapixels that the journey is led to at {size[0]}x{size[1]}, {N_DEPTHS} depths, paced at {RATE_HZ}"
    rows = []
    for index, step in enumerate(STEPS):
        values = found[:, index]
        rows.append((f"{where}: until {step}, median (slowest) of {len(values)}", median_and_slowest(values, 2)))
    rows.append((f"{where}: load average before and after", f"{before:.1f}, {os.getloadavg()[0]:.1f}"))
    return rows


def run(quick: bool) -> list[tuple[str, str]]:
    """Rows of (what, figure). quick: one size, fewer pictures."""
    with tempfile.TemporaryDirectory() as name, display():
        song = write_song(Path(name) / "song.wav", 600)
        rows = rows_at((640, 360), song, 3 if quick else 10)
        if not quick:
            rows += rows_at((1280, 720), song, 10)
    return rows
