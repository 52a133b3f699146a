"""What the recording of a session costs the drawing thread of a live show.

python -m benchmarks.recording [--quick]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.draw import display

SIZE = (1280, 720)
RATE_HZ = 48_000
N_PAIRS = 10
KICK_EVERY_S = 0.5


class Kicks:
    """An input that hears a kick every half second."""

    state, reason, label, device_name, gain_db, sample_rate_hz = "ok", "", "kicks", "kicks", 0.0, RATE_HZ
    n_overruns = n_dropped = n_stalls = n_losses = n_recoveries = 0

    def __init__(self) -> None:
        import threading

        self.arrived = threading.Event()
        t = np.arange(round(KICK_EVERY_S * RATE_HZ)) / RATE_HZ
        self._sound = (0.7 * np.sin(2 * np.pi * 60 * t) * np.exp(-t / 0.08)).astype(np.float32)
        self._began_s, self._n = time.monotonic(), 0

    def start(self) -> None:
        """Nothing has to be opened."""

    def drain(self) -> tuple[list[np.ndarray], float]:
        """The sound since the last call, and when the newest of it was heard."""
        now_s = time.monotonic()
        end = round((now_s - self._began_s) * RATE_HZ)
        block = np.take(self._sound, np.arange(self._n, end), mode="wrap")
        self._n = end
        return ([block] if len(block) else []), now_s

    def take_peaks(self) -> tuple[float, ...]:
        """The peak of its channel."""
        return (0.7,)

    def news(self) -> None:
        """It has none."""

    def next_input(self) -> None:
        """There is no other."""

    def set_gain(self, gain_db: float) -> None:
        """It has none."""


def run(quick: bool, *, has_video: bool = False) -> list[tuple[str, str]]:
    """Rows of (what, figure). quick: shorter turns."""
    from visualizer.control.commands import Set
    from visualizer.control.controller import Controller
    from visualizer.presets.dreams import Dreams, open_cache
    from visualizer.settings import BeatSettings
    from visualizer.show.onscreen import Staging
    from visualizer.show.onscreen import run as show
    from visualizer.show.recorder import RecordingOptions
    from visualizer.show.sources.input import InputSource

    from .plain import open_plain

    turn_s, settle_s = (2.0, 4.0) if quick else (6.0, 6.0)  # at first dream frames are read back
    loaded = open_plain(SIZE)
    list(Dreams(loaded, open_cache()).frames())

    class Hand(Controller):
        name = "hand"
        changes: tuple[Set, ...] = ()

        def poll(self) -> tuple[Set, ...]:
            changes, self.changes = self.changes, ()
            return changes

    hand = Hand()
    turns: list[list[float]] = [[]]
    since, before_s = time.monotonic(), time.thread_time()

    def on_frame(number: int, shown: object) -> bool:
        nonlocal since, before_s
        now, thread_s = time.monotonic(), time.thread_time()
        if now - since > settle_s:
            turns[-1].append(thread_s - before_s)
        before_s = thread_s
        if now - since > settle_s + turn_s:
            since = now
            hand.changes = (Set("record", float(len(turns) % 2)),)
            turns.append([])
        return len(turns) > 2 * N_PAIRS

    with tempfile.TemporaryDirectory() as name, display():
        show(
            loaded,
            InputSource(Kicks(), BeatSettings()),  # type: ignore[arg-type]  # as much of an input as the source asks for
            open_cache(),
            staging=Staging(adapt=False),
            controllers=[hand],
            recording=RecordingOptions(folder=Path(name) / "night", has_video=has_video),
            on_frame=on_frame,
        )
    means = np.array([np.mean(turn) * 1000 for turn in turns[: 2 * N_PAIRS]])
    costs = means[1::2] - means[0::2]
    what = "session and video" if has_video else "a session"
    return [
        (
            f"recording {what} at {SIZE[0]}x{SIZE[1]}: CPU of the drawing thread a display frame, {N_PAIRS} pairs",
            f"{np.median(costs):+.2f} ms (of {np.median(means[0::2]):.1f} ms; {costs.min():+.2f} .. {costs.max():+.2f})",
        )
    ]


if __name__ == "__main__":
    for video in (False, True):
        for what, figure in run("--quick" in sys.argv, has_video=video):
            print(f"{what:<100} {figure}")
