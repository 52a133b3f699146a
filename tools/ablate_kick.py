"""Measures what each part of the kick network contributes: `python tools/ablate_kick.py [--songs N]` prints the table of docs/kick.md.

Trains smaller networks, on fewer songs and passes than the shipped one, each without one part, and evaluates each on held-out
songs.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.kick import HOLD_HOPS, late, without_buried
from tools.kick_lessons import lessons
from tools.kick_masters import Song, song
from tools.kick_songs import WITHOUT_KICKS
from tools.kick_sounds import RATE_HZ
from tools.train_kick import SEED, Arrays, Plan, train
from visualizer.beat.kick_inputs import HOPS_PER_S, LOW_HZ, N_BANDS, N_INPUTS, N_VIEWS, RISE_LAGS, KickInputs
from visualizer.beat.kick_picker import KickPicker
from visualizer.beat.network import KickNetwork, as_weights
from visualizer.settings import BeatSettings

JUDGE_SEED = 2_000_001
PLAN = Plan(n_songs=400, n_units=64, n_epochs=8)
VIEW = np.arange(N_INPUTS) % N_VIEWS
LAG = np.array([0, *RISE_LAGS])[np.arange(N_INPUTS) // N_VIEWS]
# of the second look at the low bands, which band each is
BAND = np.where(VIEW < N_BANDS, VIEW, VIEW - N_BANDS)

# each: the features that are kept, (N_INPUTS,) bool
EARS: dict[str, np.ndarray] = {
    "everything": np.ones(N_INPUTS, bool),
    "no rises, only the bands as they are": LAG == 0,
    "only the rises": LAG > 0,
    "no rises over 53 and 107 ms": LAG <= 4,
    "low bands beside the whole sound only": VIEW < N_BANDS,
    "no high bands (260 Hz and above)": len(LOW_HZ) > BAND,
    "no low bands (214 Hz and below)": len(LOW_HZ) <= BAND,
}


def heard(sound: np.ndarray) -> np.ndarray:
    """The network's inputs, (hops, N_INPUTS), for mono sound, (n,) at RATE_HZ."""
    inputs = KickInputs(RATE_HZ, BeatSettings().floor_db)
    before = np.zeros(inputs.window_samples - inputs.hop_samples)
    windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([before, sound]), inputs.window_samples)
    return inputs.rows(windows[:: inputs.hop_samples])


def judged(weights: Arrays, songs: dict[str, list[tuple[np.ndarray, Song]]]) -> list[str]:
    """The cells of a row: F50 of each set with kicks, false onsets a minute of the set without. The network decides alone."""
    cells = []
    for made in songs.values():
        hits = n_kicks = n_onsets = n_hops = 0
        for inputs, judge in made:
            picker = KickPicker(0.5, HOLD_HOPS, 1 / HOPS_PER_S)
            probabilities = KickNetwork(as_weights(weights)).push(inputs)[:, 0].tolist()
            onsets_s = np.array([(hop + 1) / HOPS_PER_S for hop, one in enumerate(probabilities) if picker.step(one)])
            onsets_s, kicks_s = without_buried(onsets_s, judge), judge.kicks_s[~judge.buried]
            hits += len(late(kicks_s, onsets_s, 0.05))
            n_kicks, n_onsets, n_hops = n_kicks + len(kicks_s), n_onsets + len(onsets_s), n_hops + len(probabilities)
        cells.append(
            f"{2 * hits / (n_kicks + n_onsets):.3f}" if n_kicks else f"{60 * n_onsets * HOPS_PER_S / n_hops:.0f}"
        )
    return cells


def main() -> None:
    """Train every variant and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=int, default=PLAN.n_songs)
    plan = dataclasses.replace(PLAN, n_songs=parser.parse_args().songs)
    taught = lessons(SEED, plan.n_songs)

    def hear(kind: str, index: int) -> tuple[np.ndarray, Song]:
        made = song(JUDGE_SEED, index, kind=kind)
        return heard(made.sound), made

    songs = {
        "mixes": [hear("mix", index) for index in range(24)],
        "loud bass": [hear("loud bass", 100 + index) for index in range(24)],
        "no kicks": [hear(kind, 200 + index) for index, kind in enumerate([*WITHOUT_KICKS] * 2)],
    }
    print("| trained | mixes F50 | loud bass F50 | without kicks: false a minute |\n|---|---|---|---|", flush=True)

    def row(name: str, made: tuple[Arrays, list[float]]) -> None:
        print(f"| {name} | {' | '.join(judged(made[0], songs))} |", flush=True)

    for name, kept in EARS.items():
        row(name, train(plan, taught, kept))
    row("16 units instead of 64", train(dataclasses.replace(plan, n_units=16), taught))
    row("no tapes without kicks", train(plan, [one for one in taught if len(one.hits_s["kick"])]))
    mastered = [one for one in taught if one.mastered]
    longer = plan.n_epochs * len(taught) // max(1, len(mastered))
    row("mastered tapes only, nothing mixed anew", train(dataclasses.replace(plan, n_epochs=longer), mastered))


if __name__ == "__main__":
    main()
