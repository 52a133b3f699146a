"""Draw docs/pictures/motions.png: the six motions after the same kicks, and the energy also of a bass note.
`python tools/make_motions.py`
"""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np

from visualizer.beat.energy import EnergyFollower
from visualizer.beat.motion import motion_for
from visualizer.settings import BeatSettings
from visualizer.show.depth import depth_of

OUT = Path(__file__).resolve().parent.parent / "docs" / "pictures" / "motions.png"
HOP_S = 1 / 150
KICKS_S = (0.5, 1.0, 1.5, 2.0, 3.0)
STRENGTHS = (1.0, 0.9, 1.0, 0.9, 1.0)
BASS_S = (3.75, 4.4)  # begin and end of a bass note, which moves the energy only
RATE_HZ = 44_100


def sound() -> np.ndarray:
    """The kicks and the bass note: (n,) float."""
    t = np.arange(5 * RATE_HZ) / RATE_HZ
    made = (
        0.35
        * np.sin(2 * np.pi * 55 * t)
        * np.clip((t - BASS_S[0]) / 0.02, 0, 1)
        * np.clip((BASS_S[1] - t) / 0.05, 0, 1)
    )
    for at_s, strength in zip(KICKS_S, STRENGTHS, strict=True):
        since_s = np.maximum(t - at_s, 0)
        tone = np.sin(2 * np.pi * (50 * since_s + 2.1 * (1 - np.exp(-since_s / 0.03))))
        made += 0.6 * strength * tone * np.exp(-since_s / 0.08)
    return made


def levels(beat: BeatSettings, times_s: np.ndarray) -> list[float]:
    """The level at times a hop apart."""
    if beat.motion == "energy":
        follower = EnergyFollower(RATE_HZ, beat)
        follower.push(sound())
        return [follower.level_at(time_s) for time_s in times_s]
    kicks = {round(time_s / HOP_S): strength for time_s, strength in zip(KICKS_S, STRENGTHS, strict=True)}
    motion = motion_for(beat, HOP_S)
    return [motion.step(kicks.get(hop, 0.0)) for hop in range(len(times_s))]


def main() -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    names = get_args(BeatSettings.model_fields["motion"].annotation)
    figure, axes = plt.subplots(len(names), 1, figsize=(11, 8.4), sharex=True, facecolor="#14121c")
    times = np.arange(0, 5, HOP_S)
    for axis, name in zip(axes, names, strict=True):
        beat = BeatSettings(motion=name)
        depths = np.array([depth_of(level, 20, beat) for level in levels(beat, times)])
        axis.set_facecolor("#1b1924")
        axis.fill_between(times, 1, depths, color="#d8d3e8", alpha=0.25, linewidth=0)
        axis.plot(times, depths, color="#d8d3e8", linewidth=1.5)
        axis.vlines(KICKS_S, 1, 20, color="#ff7b54", linewidth=1, alpha=0.7)
        axis.set_ylim(0, 21)
        axis.set_yticks([1, 20])
        axis.set_ylabel(name, rotation=0, ha="right", va="center", color="#f2eefc", fontsize=14, labelpad=8)
        axis.tick_params(colors="#a9a3bd", labelsize=11)
        for spine in axis.spines.values():
            spine.set_visible(False)
    axes[-1].axvspan(*BASS_S, color="#e0a458", alpha=0.25, linewidth=0)
    axes[-1].text(sum(BASS_S) / 2, 2, "a bass note", color="#e0a458", ha="center", va="bottom", fontsize=11)
    axes[-1].set_xlabel("seconds", color="#a9a3bd", fontsize=12)
    axes[0].set_title("depth after the same kicks (orange)", color="#f2eefc", fontsize=14, loc="left")
    figure.tight_layout()
    figure.savefig(OUT, dpi=110, facecolor=figure.get_facecolor())


if __name__ == "__main__":
    main()
