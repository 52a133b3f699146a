"""Measures what each part of the kick networks contributes: `python tools/ablate_kick.py [--lessons FOLDER]` prints the
tables of docs/kick.md.

Trains smaller networks, on fewer songs and passes than the shipped ones, each without one part, and evaluates each on
held-out songs. --lessons: the folder of `tools/train_kick.py --lessons`, whose songs are used; without it songs of
synthesised sounds are made.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.kick_score import f_measure, late, without_inaudible
from tools.kick_decisions import DecisionPlan, Walk, train_decision, walks
from tools.kick_hops import inputs_of, onsets_of, probabilities
from tools.kick_lessons import SECONDS, Lesson, Mixer, lessons, load
from tools.kick_masters import Song, song
from tools.kick_songs import WITHOUT_KICKS
from tools.kick_sounds import RATE_HZ
from tools.train_kick import DECISION_SEED, OTHERS_SEED, SEED, Arrays, Phase, Plan, repeatable, train
from visualizer.beat.ahead_network import shipped_ahead_weights
from visualizer.beat.kick_decision import N_FIGURES, N_SCALARS, as_decision_weights
from visualizer.beat.kick_inputs import LOW_HZ, N_BANDS, N_INPUTS, N_VIEWS, RISE_LAGS
from visualizer.beat.network import as_weights
from visualizer.beat.repeats import N_REPEATS

JUDGE_SEED = 2_000_001
N_LESSONS, N_OTHERS = 96, 64
PLAN = Plan(n_projected=48, n_units=64, n_together=6, phases=(Phase(SEED, 5, 4e-3, 0.15),))
DECISION_PLAN = DecisionPlan(n_songs=120, n_epochs=6, n_together=8)
# The songs of each column: kinds, and how many of each.
JUDGED = {
    "mixes": (("mix",), 8),
    "electronic": (("club", "tracker", "breakbeat", "half-time"), 2),
    "loud bass": (("loud bass",), 8),
    "without kicks": (WITHOUT_KICKS, 1),
}
VIEW = np.arange(N_INPUTS) % N_VIEWS
LAG = np.array([0, *RISE_LAGS])[np.arange(N_INPUTS) // N_VIEWS]
# of the second view of the low bands, which band each is
BAND = np.where(VIEW < N_BANDS, VIEW, VIEW - N_BANDS)

# each: the inputs that are kept, (N_INPUTS,) bool
INPUTS: dict[str, np.ndarray] = {
    "everything": np.ones(N_INPUTS, bool),
    "no rises, only the bands as they are": LAG == 0,
    "only the rises": LAG > 0,
    "low bands relative to the whole sound only": VIEW < N_BANDS,
    "no high bands (260 Hz and above)": len(LOW_HZ) > BAND,
    "no low bands (214 Hz and below)": len(LOW_HZ) <= BAND,
}

Judged = dict[str, list[tuple[np.ndarray, np.ndarray, Song]]]


def judged_songs() -> Judged:
    """For each column: inputs, novelty and song."""
    found: Judged = {}
    for place, (column, (kinds, n)) in enumerate(JUDGED.items()):
        songs = [
            song(JUDGE_SEED + place, 100 * index + count, SECONDS, kind)
            for index, kind in enumerate(kinds)
            for count in range(n)
        ]
        found[column] = [(*inputs_of(made.sound, RATE_HZ), made) for made in songs]
    return found


def cells(weights: Arrays, judged: Judged, *, decides: bool) -> list[str]:
    """F50 of each set with kicks, false onsets a minute of the set without. decides: the decision network does, not
    the first.
    """
    network = as_weights(weights)
    decision = as_decision_weights(weights) if decides else None
    found = []
    for column, songs in judged.items():
        n_hits = n_kicks = n_onsets = 0
        for rows, novelty, made in songs:
            first, second = probabilities(network, decision, rows, novelty)
            hidden = made.inaudible["kick"]
            onsets_s = without_inaudible(onsets_of(second if decides else first), made.kicks_s, hidden)
            n_hits += len(late(made.kicks_s[~hidden], onsets_s, 0.05))
            n_kicks, n_onsets = n_kicks + int((~hidden).sum()), n_onsets + len(onsets_s)
        rate = f"{60 * n_onsets / (SECONDS * len(songs)):.0f}"
        found.append(rate if column == "without kicks" else f"{f_measure(n_hits, n_kicks, n_onsets):.3f}")
    return found


# --- parts of the decision: what is left out of its training, and of its weights -------------------------------------


def whole(songs: list[Walk]) -> list[Walk]:
    """Nothing is left out."""
    return songs


def forgotten(songs: list[Walk]) -> list[Walk]:
    """No candidate is remembered."""
    return unrepeated([replace(one, known=np.zeros_like(one.known)) for one in songs])


def unrepeated(songs: list[Walk]) -> list[Walk]:
    """Nothing is expected because the song repeats itself."""
    return [replace(one, repeats=np.zeros_like(one.repeats)) for one in songs]


def unlike(songs: list[Walk]) -> list[Walk]:
    """All candidates sound alike."""
    return [replace(one, rows=np.zeros_like(one.rows)) for one in songs]


def forgets(weights: Arrays) -> None:
    """Make the weights attend to nobody, and ignore how many kicks there were."""
    weights["decision_nobody"] = np.full_like(weights["decision_nobody"], 1e6)
    weights["decision_first"][:, -N_FIGURES:] = 0
    has_no_repeats(weights)


def has_no_repeats(weights: Arrays) -> None:
    weights["decision_first"][:, N_SCALARS : N_SCALARS + N_REPEATS] = 0


def hears_no_difference(weights: Arrays) -> None:
    weights["decision_sound"][:] = 0


Change = tuple[Callable[[list[Walk]], list[Walk]], DecisionPlan, Callable[[Arrays], None]]
DECISIONS: dict[str, Change] = {
    "and the decision": (whole, DECISION_PLAN, lambda weights: None),
    "decision without the memory of the song": (forgotten, DECISION_PLAN, forgets),
    "decision without the repeats": (unrepeated, DECISION_PLAN, has_no_repeats),
    "decision that compares no sounds": (unlike, replace(DECISION_PLAN, noise=0.0), hears_no_difference),
}


def taught(folder: Path | None) -> tuple[list[Lesson], list[Lesson]]:
    """The lessons of the network, and others for the decision."""
    if folder is not None:
        return load(folder / "training")[:N_LESSONS], load(folder / "held out")[:N_OTHERS]
    return list(lessons(SEED, N_LESSONS)), list(lessons(OTHERS_SEED, N_OTHERS))


def main() -> None:
    """Train every variant and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lessons", type=Path, metavar="FOLDER")
    own, others = taught(parser.parse_args().lessons)
    judged = judged_songs()
    print("| trained | mixes F50 | electronic F50 | loud bass F50 | without kicks: false a minute |", flush=True)
    print("|---|---|---|---|---|", flush=True)

    def row(name: str, weights: Arrays, *, decides: bool = False) -> None:
        print(f"| {name} | {' | '.join(cells(weights, judged, decides=decides))} |", flush=True)

    networks = {}
    for name, kept in INPUTS.items():
        networks[name], _ = train(PLAN, own, kept)
        row(name, networks[name])
    row("16 units instead of 64", train(replace(PLAN, n_units=16), own)[0])
    row("no songs without kicks", train(PLAN, [one for one in own if len(one.hits_s["kick"])])[0])

    first = networks["everything"]
    with_candidates = walks(
        as_weights(first),
        shipped_ahead_weights(),
        Mixer(others),
        np.random.default_rng(OTHERS_SEED),
        DECISION_PLAN.n_songs,
    )
    for name, (change, plan, change_weights) in DECISIONS.items():
        with repeatable():
            decision, _ = train_decision(plan, change(with_candidates), DECISION_SEED)
        change_weights(decision)
        row(name, {**first, **decision}, decides=True)


if __name__ == "__main__":
    main()
