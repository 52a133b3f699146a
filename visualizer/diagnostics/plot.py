"""Plot an analysis: waveform, bands, kicks, beats, tempo and depth over time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import VisualizerError
from ..files.output_file import atomic_write, check_output_path
from ..oneline import time_text
from .analyze import BANDS_HZ, FPS, PEAK_SAMPLES, SURE, TEMPO_STEP_S, Analysis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLOT_SUFFIXES = (".png", ".svg", ".pdf", ".jpg")
WIDTH_PX, HEIGHT_PX, DPI = 1600, 1000, 100
# Closer than this, beats cannot be distinguished: then only every 4th or 16th is drawn.
MIN_BEAT_PX = 9
GAP = 0.18  # between two tracks, each of height 1
BACKGROUND, PANEL, TEXT, FAINT = "#14121d", "#1b1826", "#e8e6f0", "#a09bb8"
WAVE, BASS, MID, HIGH, KICK, DEPTH = "#7f9fe8", "#e0a458", "#5fd3bc", "#b39df3", "#ff7a59", "#d8d4ea"
TEMPO = "#e58fb4"
HITS = {"bass": "#c9b37e", "snare": "#f2d16b", "hat": "#9fd8ef"}
# Opacity of the beats' lines at confidence 1 and 0.
GRID_ALPHA, MIN_GRID_ALPHA = 0.2, 0.05


def check_plot(out: Path) -> Path:
    """Check that a plot can be written to `out`, before any work is done; returns its path. Raises BadInput or
    VisualizerError.
    """
    path = check_output_path(out, PLOT_SUFFIXES)
    try:
        import matplotlib  # noqa: F401  to know before the song is analysed
    except ImportError:
        raise VisualizerError(
            "--plot needs matplotlib, which is not installed; pip install 'kickdream[plot]'"
        ) from None
    return path


def plot(analysis: Analysis, out: Path, title: str) -> None:
    """Write the plot to `out`, completely or not at all. Raises VisualizerError."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    size = (WIDTH_PX / DPI, HEIGHT_PX / DPI)
    layout = ConstrainedLayoutEngine(h_pad=0.08, w_pad=0.12, hspace=0.01)
    figure = Figure(figsize=size, dpi=DPI, layout=layout, facecolor=BACKGROUND)
    panels = figure.subplots(5, 1, sharex=True, height_ratios=[1.0, 1.8, 1.2, 0.6, 1.3])
    wave, bands, kicks, tempo, depth = panels
    step = _beat_step(analysis)
    for axes in panels:
        _style(axes)
        _grid(axes, analysis, step)
    _wave(wave, analysis)
    _bands(bands, analysis)
    _kicks(kicks, analysis)
    _tempo(tempo, analysis)
    _depth(depth, analysis)
    depth.set_xlim(0, max(analysis.duration_s, 1e-3))
    _time_axis(depth, analysis.duration_s)
    figure.align_ylabels()
    # matplotlib would read $..$ in a file name as a formula
    name = title if len(title) <= 70 else f"{title[:67]}..."
    wave.set_title(name.replace("$", r"\$"), color=TEXT, loc="left", fontsize=15, pad=12)
    wave.set_title(_summary(analysis, step), color=FAINT, loc="right", fontsize=13, pad=12)
    with atomic_write(out) as part:
        figure.savefig(part, dpi=DPI)


def _style(axes: Axes) -> None:
    axes.set_facecolor(PANEL)
    axes.tick_params(colors=FAINT, labelsize=12, length=0, pad=6)
    axes.yaxis.label.set(color=FAINT, fontsize=13)
    axes.xaxis.label.set(color=FAINT, fontsize=13)
    axes.margins(x=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _grid(axes: Axes, analysis: Analysis, step: int) -> None:
    """A line at every step-th beat, with an opacity by the tempo's confidence when the beat was predicted."""
    beats = np.array(analysis.beats).reshape(-1, 2)[::step]
    if not len(beats):
        return
    predicted = np.minimum(beats[:, 1] / TEMPO_STEP_S, len(analysis.tempo) - 1).astype(int)
    alphas = MIN_GRID_ALPHA + (GRID_ALPHA - MIN_GRID_ALPHA) * analysis.tempo[predicted, 1]
    colours = [(1.0, 1.0, 1.0, alpha) for alpha in alphas.tolist()]
    axes.vlines(beats[:, 0], 0, 1, transform=axes.get_xaxis_transform(), colors=colours, linewidth=0.8, zorder=1)


def _wave(axes: Axes, analysis: Analysis) -> None:
    peak_s = (np.arange(len(analysis.peaks)) + 0.5) * PEAK_SAMPLES / analysis.sample_rate_hz
    axes.fill_between(peak_s, analysis.peaks[:, 0], analysis.peaks[:, 1], color=WAVE, linewidth=0.4, zorder=2)
    reach = max(0.05, float(np.abs(analysis.peaks).max(initial=0.0)) * 1.05)
    axes.set_ylim(-reach, reach)
    axes.set_yticks([0], [""])
    axes.set_ylabel("sound")
    for from_s, to_s in analysis.silence:
        axes.axvspan(from_s, to_s, color=BACKGROUND, alpha=0.6, linewidth=0, zorder=1.5)
        if to_s - from_s > 0.06 * analysis.duration_s:
            axes.text((from_s + to_s) / 2, 0, "silence", color=FAINT, ha="center", va="bottom", fontsize=12)


def _bands(axes: Axes, analysis: Analysis) -> None:
    seconds = np.arange(len(analysis.bands)) / BANDS_HZ
    for track, colour in enumerate((BASS, MID, HIGH)):
        _curve(axes, seconds, analysis.bands[:, track], colour, base=track * (1 + GAP))
    axes.set_yticks([track * (1 + GAP) + 0.5 for track in range(3)], ["bass", "mid", "high"])
    for label, colour in zip(axes.get_yticklabels(), (BASS, MID, HIGH), strict=True):
        label.set(color=colour, fontsize=13)
    axes.set_ylim(-0.1, 3 + 2 * GAP + 0.1)


def _kicks(axes: Axes, analysis: Analysis) -> None:
    """Kicks, as high as their strength; above them bass notes, snares and hats, with an opacity by their
    probability.
    """
    times_s = [onset.time_s for onset in analysis.onsets]
    strengths = [onset.strength for onset in analysis.onsets]
    room_px = WIDTH_PX * 0.9 / max(1, len(times_s))
    axes.vlines(times_s, 0, strengths, color=KICK, alpha=0.75, linewidth=min(1.6, max(0.6, room_px / 4)), zorder=3)
    axes.scatter(times_s, strengths, s=min(26.0, max(3.0, 1.6 * room_px)), color=KICK, linewidth=0, zorder=4)
    found = {hit.drum for hit in analysis.hits}
    tracks = {drum: 1.3 + 0.3 * place for place, drum in enumerate(drum for drum in HITS if drum in found)}
    for drum, height in tracks.items():
        at_s, sure = np.array([(hit.time_s, hit.probability) for hit in analysis.hits if hit.drum == drum]).T
        size = min(14.0, max(2.0, WIDTH_PX * 0.9 / len(at_s)))
        axes.scatter(at_s, np.full(len(at_s), height), s=size, color=HITS[drum], alpha=sure, linewidth=0, zorder=4)
    axes.set_ylim(0, 2.1)
    axes.set_yticks([0.5, *tracks.values()], ["kick", *tracks])
    for label, colour in zip(axes.get_yticklabels(), (KICK, *map(HITS.__getitem__, tracks)), strict=True):
        label.set(color=colour, fontsize=13)


def _tempo(axes: Axes, analysis: Analysis) -> None:
    """Tempo, fainter where its confidence is low; each value holds until the next one."""
    bpm, confidence = analysis.tempo[:, 0], analysis.tempo[:, 1]
    certain = bpm[confidence >= SURE]
    low, high = (float(certain.min()), float(certain.max())) if len(certain) else (120.0, 120.0)
    room = max(5.0, 0.15 * (high - low))
    seconds = np.arange(len(bpm)) * TEMPO_STEP_S
    colours = [(TEMPO, 1.0 if sure >= SURE else 0.5 * sure / SURE) for sure in confidence.tolist()]
    axes.hlines(bpm, seconds, seconds + TEMPO_STEP_S, colors=colours, linewidth=2.0, zorder=3)
    axes.set_ylim(low - room, high + room)
    axes.set_yticks(sorted({round(low), round(high)}) if high - low >= 8 else [round((low + high) / 2)])
    axes.set_ylabel("BPM")


def _depth(axes: Axes, analysis: Analysis) -> None:
    _curve(axes, np.arange(len(analysis.depth)) / FPS, analysis.depth - 1, DEPTH, base=1)
    room = 0.06 * max(1, analysis.n_depths - 1)
    axes.set_ylim(1 - room, analysis.n_depths + room)
    axes.set_yticks(sorted({1, round(analysis.n_depths / 2), analysis.n_depths}))
    axes.set_ylabel("depth")


def _curve(axes: Axes, seconds: np.ndarray, values: np.ndarray, colour: str, *, base: float = 0.0) -> None:
    axes.fill_between(seconds, base, base + values, color=colour, alpha=0.3, linewidth=0, zorder=2)
    crowded = len(values) > 4 * WIDTH_PX
    axes.plot(seconds, base + values, color=colour, linewidth=0.5 if crowded else 1.2, zorder=3)


def _beat_step(analysis: Analysis) -> int:
    """Number of beats from one line to the next."""
    px_apart = WIDTH_PX * 0.9 / max(1, len(analysis.beats))
    return next((step for step in (1, 4, 16) if step * px_apart >= MIN_BEAT_PX), 64)


def _time_axis(axes: Axes, duration_s: float) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    if duration_s < 90:
        axes.set_xlabel("seconds")
        return
    steps: list[Any] = [1, 1.5, 3, 6, 10]
    axes.xaxis.set_major_locator(MaxNLocator(14, steps=steps, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: time_text(value)))
    axes.set_xlabel("minutes")


def _summary(analysis: Analysis, step: int) -> str:
    bpm = analysis.tempo_bpm
    parts = [f"{bpm:.1f} BPM" if bpm is not None else "no steady beat"]
    if analysis.beats:
        parts.append("one line per beat" if step == 1 else f"one line every {step} beats")
    n = len(analysis.onsets)
    parts.append(f"{n} kick{'' if n == 1 else 's'}")
    return "    ".join(parts)
