"""Analysing a file: what the follower hears in it, as numbers or as a plot."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..audio.decode import Song
from ..beat import KickFollower, Onset
from ..beat.envelope import depth_of
from ..errors import BadInput, VisualizerError
from ..settings import BeatSettings

FPS = 60  # of the depth curve: a display frame each
BLOCK_SAMPLES = 65536
PLOT_SUFFIXES = (".png", ".svg", ".pdf", ".jpg")
PEAK_SAMPLES = 512  # of sound to a point of the waveform


@dataclass(frozen=True)
class Analysis:
    """What a causal follower told of a song.

    onsets: kicks at their emission times; depth, level: (n,) at times i / fps; peaks: (m, 2), lowest and highest sample of
    each stretch of PEAK_SAMPLES.
    """

    onsets: list[Onset]
    depth: np.ndarray
    level: np.ndarray
    peaks: np.ndarray
    fps: int
    n_depths: int
    sample_rate_hz: int
    duration_s: float

    def as_json(self) -> dict[str, Any]:
        """What `--json` prints. onsets_s, depth: lists of float, seconds and 1..n_depths."""
        return {
            "onsets_s": [round(onset.time_s, 6) for onset in self.onsets],
            "depth": [round(float(depth), 4) for depth in self.depth],
            "fps": self.fps,
            "n_depths": self.n_depths,
            "sample_rate": self.sample_rate_hz,
        }


def analyze(path: Path, beat: BeatSettings, n_depths: int) -> Analysis:
    """Follow the kicks of the sound file `path`, causally, as a live show would hear them. Raises BadInput."""
    onsets: list[Onset] = []
    peaks: list[np.ndarray] = []
    level: list[float] = []
    n_samples = 0
    with Song(path) as song:
        rate_hz = song.sample_rate_hz
        follower = KickFollower(rate_hz, beat, n_depths)
        rest = np.zeros(0, np.float32)
        while len(block := song.read(BLOCK_SAMPLES)):
            mono = block.mean(axis=1)
            n_samples += len(mono)
            onsets += follower.push(mono)
            # only what has been analysed is sampled: the newest samples wait for their hop to fill
            while len(level) / FPS <= follower.time_s:
                level.append(follower.level_at(len(level) / FPS))
            rest = np.concatenate([rest, mono])
            whole = len(rest) // PEAK_SAMPLES * PEAK_SAMPLES
            stretches = rest[:whole].reshape(-1, PEAK_SAMPLES)
            peaks.append(np.stack([stretches.min(axis=1), stretches.max(axis=1)], axis=1))
            rest = rest[whole:]
    duration_s = n_samples / rate_hz
    while len(level) < duration_s * FPS:
        level.append(follower.level_at(len(level) / FPS))
    levels = np.array(level[: int(np.ceil(duration_s * FPS))])
    return Analysis(
        onsets,
        np.array([depth_of(float(level), n_depths) for level in levels]),
        levels,
        np.concatenate(peaks),
        FPS,
        n_depths,
        rate_hz,
        duration_s,
    )


def check_plot(out: Path) -> None:
    """Raise BadInput or VisualizerError when no plot could be written to `out`, before any work is done."""
    if out.suffix.lower() not in PLOT_SUFFIXES:
        raise BadInput(f"{out}: a plot cannot be written as {out.suffix!r}; allowed: {', '.join(PLOT_SUFFIXES)}")
    if not out.absolute().parent.is_dir():
        raise BadInput(f"{out}: there is no folder {out.absolute().parent}; make it first")
    if out.is_dir():
        raise BadInput(f"{out} is a folder; name a file in it")
    try:
        import matplotlib  # noqa: F401  found out here, before the song is read
    except ImportError:
        raise VisualizerError(
            "--plot needs matplotlib, which is not installed; pip install 'visualizer[plot]'"
        ) from None


def plot(analysis: Analysis, out: Path, title: str) -> None:
    """Draw waveform, kick-band level, depth and onsets into the picture file `out`. Raises VisualizerError."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    ink, kick, faint = "#e8e6f0", "#ff7a59", "#8f8aa8"
    seconds = np.arange(len(analysis.depth)) / analysis.fps
    figure = Figure(figsize=(14, 7.5), layout="constrained", facecolor="#14121d")
    wave, level, depth = figure.subplots(3, 1, sharex=True, height_ratios=[1, 1, 1.4])
    peak_s = (np.arange(len(analysis.peaks)) + 0.5) * PEAK_SAMPLES / analysis.sample_rate_hz
    wave.fill_between(peak_s, analysis.peaks[:, 0], analysis.peaks[:, 1], color="#7aa2ff", linewidth=0.3)
    wave.set_ylabel("waveform")
    level.fill_between(seconds, 0, analysis.level, color="#5fd3bc", alpha=0.35, linewidth=0)
    level.plot(seconds, analysis.level, color="#5fd3bc", linewidth=0.9)
    level.set_ylabel("kick band level")
    level.set_ylim(0, 1.05)
    depth.plot(seconds, analysis.depth, color=ink, linewidth=1.0)
    depth.set_ylabel(f"depth 1..{analysis.n_depths}")
    depth.set_ylim(0.5, analysis.n_depths + 0.7)
    depth.set_xlabel("seconds")
    times = [onset.time_s for onset in analysis.onsets]
    depth.vlines(times, 0.5, analysis.n_depths + 0.7, color=kick, alpha=0.35, linewidth=0.7)
    depth.scatter(
        times,
        [depth_of(onset.strength, analysis.n_depths) for onset in analysis.onsets],
        s=14,
        color=kick,
        zorder=3,
    )
    for axes in (wave, level, depth):
        axes.set_facecolor("#1b1826")
        axes.tick_params(colors=faint)
        axes.yaxis.label.set_color(faint)
        axes.xaxis.label.set_color(faint)
        axes.grid(color="#ffffff", alpha=0.06)
        axes.margins(x=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
    # a file name is the user's, and matplotlib would read $..$ in it as a formula
    wave.set_title(title.replace("$", r"\$"), color=ink, loc="left")
    wave.set_title(f"{len(times)} onsets", color=kick, loc="right")
    part = out.with_name(f".{out.stem}.part{out.suffix}")
    try:
        figure.savefig(part, dpi=110)
        part.replace(out)
    except OSError as error:
        raise VisualizerError(f"{out}: the plot could not be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
