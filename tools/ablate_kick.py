"""What each part of the kick network earns: `python tools/ablate_kick.py [--songs N]` prints the table of docs/kick.md.

Trains the network again and again, on fewer songs and passes than the shipped one, each time without one part, and scores
each on songs held out.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.kick import HOLD_HOPS, late
from tools.kick_songs import WITHOUT_KICKS, song
from tools.train_kick import SEED, Arrays, Plan, heard, lessons, train
from visualizer.beat.hearing import HOPS_PER_S, LOW_HZ, N_BANDS, N_FEATURES
from visualizer.beat.network import KickNetwork, as_weights
from visualizer.beat.onset import KickPicker

JUDGE_SEED = 2_000_001
PLAN = Plan(n_songs=400, n_epochs=12)
BAND = np.arange(N_FEATURES) % N_BANDS

# each: the features that are kept, (N_FEATURES,) bool
EARS: dict[str, np.ndarray] = {
    "everything": np.ones(N_FEATURES, bool),
    "no rises, only the bands as they are": np.arange(N_FEATURES) < N_BANDS,
    "only the rises": np.arange(N_FEATURES) >= N_BANDS,
    "no high bands (260 Hz and above)": len(LOW_HZ) > BAND,
    "no low bands (214 Hz and below)": len(LOW_HZ) <= BAND,
}


def judged(weights: Arrays, kept: np.ndarray, songs: dict[str, list[tuple[np.ndarray, np.ndarray]]]) -> list[str]:
    """F50 of each set with kicks, false onsets a minute of the set without: cells of a row."""
    cells = []
    for made in songs.values():
        hits = n_kicks = n_onsets = n_hops = 0
        for features, kicks_s in made:
            picker = KickPicker(0.4, HOLD_HOPS, 1 / HOPS_PER_S)
            told = KickNetwork(as_weights(weights)).push(features * kept)
            onsets_s = np.array([(hop + 1) / HOPS_PER_S for hop, sure in enumerate(told) if picker.step(sure)])
            hits += len(late(kicks_s, onsets_s, 0.05))
            n_kicks, n_onsets, n_hops = n_kicks + len(kicks_s), n_onsets + len(onsets_s), n_hops + len(told)
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
    with_kicks = taught[1].any(axis=1)

    def hear(kind: str, index: int) -> tuple[np.ndarray, np.ndarray]:
        made = song(JUDGE_SEED, index, kind=kind)
        return heard(made.sound).astype(np.float64), made.kicks_s

    songs = {
        "mixes": [hear("mix", index) for index in range(24)],
        "loud bass": [hear("loud bass", 100 + index) for index in range(24)],
        "no kicks": [hear(kind, 200 + index) for index, kind in enumerate([*WITHOUT_KICKS] * 2)],
    }
    print("| trained | mixes F50 | loud bass F50 | without kicks: false a minute |\n|---|---|---|---|", flush=True)

    def row(name: str, make: Callable[[], tuple[Arrays, list[float]]], kept: np.ndarray) -> None:
        print(f"| {name} | {' | '.join(judged(make()[0], kept, songs))} |", flush=True)

    for name, kept in EARS.items():
        row(name, lambda kept=kept: train(plan, taught[0] * kept.astype(np.float32), *taught[1:]), kept)
    whole = EARS["everything"]
    row("16 units instead of 64", lambda: train(dataclasses.replace(plan, n_units=16), *taught), whole)
    row("no songs without kicks", lambda: train(plan, *(part[with_kicks] for part in taught)), whole)


if __name__ == "__main__":
    main()
