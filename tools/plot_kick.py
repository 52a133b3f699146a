"""Plots the detection of the kicks in some seconds of a file:
`python tools/plot_kick.py SOUND OUT.png [--from S] [--seconds S]`.

The sound from 25 to 400 Hz, the probability of a kick by the network and by the decision, the kicks of NAME.kicks.txt
beside the sound, if there is one, and the onsets reported; false and missed ones are marked.
"""

from __future__ import annotations

import argparse
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.annotated import sound_of, times_of
from benchmarks.kick_score import matched
from tools.kick_hops import inputs_of, onsets_of, probabilities
from visualizer.beat.follower import KICK_PROBABILITY
from visualizer.beat.kick_decision import OPEN_PROBABILITY, shipped_decision
from visualizer.beat.kick_inputs import HOPS_PER_S
from visualizer.beat.network import shipped_weights

WIDTH_IN, HEIGHT_IN, DPI = 11.0, 6.2, 90
LOWEST_HZ, HIGHEST_HZ, RANGE_DB = 25, 400, 48
MARKS_HZ = (25, 50, 100, 200, 400)
WINDOW_S, STEP_S = 0.06, 0.004
BACKGROUND, PANEL, TEXT, FAINT = "#14121d", "#1b1826", "#f2eefc", "#a9a3bd"
KICK, RIGHT, WRONG, LINE = "#e8e6f0", "#5fd3bc", "#ff6b4a", "#e0a458"


def spectrogram(sound: np.ndarray, rate_hz: int) -> np.ndarray:
    """Level below HIGHEST_HZ every STEP_S, dB relative to the loudest: (steps, bins), the bins from 0 to HIGHEST_HZ."""
    n, step = round(WINDOW_S * rate_hz), round(STEP_S * rate_hz)
    padded = np.pad(sound.astype(np.float64), n // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, n)[::step] * np.hanning(n)
    n_fft = round(rate_hz / 4)  # bins 4 Hz apart
    power = np.abs(np.fft.rfft(windows, n_fft, axis=1)[:, : HIGHEST_HZ * n_fft // rate_hz + 1]) ** 2
    return 10 * np.log10(power / power.max() + 1e-9)


def strip(axes: Any, kicks_s: np.ndarray | None, onsets_s: np.ndarray) -> None:
    """Kicks above, onsets below; those without a partner within 50 ms are marked."""
    kicks = np.zeros(0) if kicks_s is None else kicks_s
    pairs = matched(kicks, onsets_s, 0.05)
    for row, times_s, paired in (
        (1, kicks, [kick for kick, _ in pairs]),
        (0, onsets_s, [onset for _, onset in pairs]),
    ):
        is_right = np.isin(np.arange(len(times_s)), paired) | (kicks_s is None)
        axes.vlines(times_s[is_right], row + 0.1, row + 0.9, color=RIGHT if row == 0 else KICK, linewidth=2.5)
        axes.vlines(times_s[~is_right], row + 0.1, row + 0.9, color=WRONG, linewidth=2.5)
    axes.set_ylim(0, 2)
    axes.set_yticks(
        [0.5, 1.5], ["reported", "kicks"] if kicks_s is None else ["reported\nred: false", "kicks\nred: missed"]
    )


def draw(sound: np.ndarray, rate_hz: int, kicks_s: np.ndarray | None, span_s: tuple[float, float], title: str) -> Any:
    """A figure of the seconds span_s of mono sound, (n,), all of which is analysed. kicks_s: annotated kicks."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    network, decision = probabilities(shipped_weights(), shipped_decision(), *inputs_of(sound, rate_hz))
    onsets_s = onsets_of(decision)
    hops_s = (np.arange(len(network)) + 1) / HOPS_PER_S
    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=DPI, facecolor=BACKGROUND, layout="constrained")
    panels = figure.subplots(4, 1, sharex=True, height_ratios=[2.4, 1, 1, 1.1])
    for axes in panels:
        axes.set_facecolor(PANEL)
        axes.tick_params(colors=FAINT, labelsize=11, length=0)
        axes.yaxis.label.set(color=TEXT, fontsize=12)
        for spine in axes.spines.values():
            spine.set_visible(False)
    wave, by_network, by_decision, events = panels
    first, last = (max(0, round((at_s + pad_s) * rate_hz)) for at_s, pad_s in zip(span_s, (-0.1, 0.1), strict=True))
    level_db = spectrogram(sound[first:last], rate_hz)
    start_s = first / rate_hz
    times_s = start_s + np.arange(len(level_db)) * STEP_S
    freqs_hz = np.linspace(0, HIGHEST_HZ, level_db.shape[1])
    wave.pcolormesh(
        times_s, freqs_hz, level_db.T, shading="nearest", cmap="magma", vmin=-RANGE_DB, vmax=0, rasterized=True
    )
    wave.set_yscale("log")
    wave.set_ylim(LOWEST_HZ, HIGHEST_HZ)
    wave.minorticks_off()
    wave.set_yticks(MARKS_HZ, [str(mark_hz) for mark_hz in MARKS_HZ])
    wave.set_ylabel("Hz, sound")
    wave.set_title(title.replace("$", r"\$"), color=TEXT, fontsize=14, loc="left")
    for axes, probability, threshold, name in (
        (by_network, network, OPEN_PROBABILITY, "network"),
        (by_decision, decision, KICK_PROBABILITY, "decision"),
    ):
        axes.axhline(threshold, color=LINE, linewidth=1, linestyle="--")
        # a probability holds from the end of its hop to the end of the next
        axes.fill_between(hops_s, probability, step="post", color="#b39df3", alpha=0.35, linewidth=0)
        axes.step(hops_s, probability, where="post", color="#b39df3", linewidth=1.3)
        axes.set_ylim(0, 1.04)
        axes.set_yticks([0, 1])
        axes.set_ylabel(name)
    strip(events, kicks_s, onsets_s)
    if kicks_s is not None:
        for axes in (by_network, by_decision):
            axes.vlines(kicks_s, 0, 1, color=KICK, linewidth=0.8, alpha=0.5)
    events.set_xlabel("seconds", color=FAINT, fontsize=11)
    events.set_xlim(*span_s)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sound", type=Path, metavar="SOUND")
    parser.add_argument("out", type=Path, metavar="OUT.png")
    parser.add_argument("--from", type=float, default=0.0, dest="from_s", metavar="S", help="first second, default 0")
    parser.add_argument("--seconds", type=float, default=5.0, metavar="S", help="default 5")
    parser.add_argument("--title", help="default: the name of the file and the seconds")
    arguments = parser.parse_args()
    sound, rate_hz = sound_of(arguments.sound)
    notes = arguments.sound.with_suffix(".kicks.txt")
    kicks_s = times_of(notes) if notes.exists() else None
    span_s = arguments.from_s, arguments.from_s + arguments.seconds
    title = arguments.title or f"{arguments.sound.stem}, {span_s[0]:g} to {span_s[1]:g} s"
    whole = BytesIO()
    draw(sound, rate_hz, kicks_s, span_s, title).savefig(whole)
    # a palette makes the file a quarter as large
    Image.open(whole).convert("RGB").quantize(200, Image.Quantize.MAXCOVERAGE).save(arguments.out, optimize=True)


if __name__ == "__main__":
    main()
