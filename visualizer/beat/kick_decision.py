"""Decides which candidates are kicks, by what the song has played so far.

Where the network (`network.py`) says that a kick may begin, a candidate begins. For the next 53 ms the decision network
is given, at every hop, the state of the first network, the bands and their rises, and the song so far: the last
candidates, each as it was 80 ms after it began, when a kick and a bass note are easily told apart. It compares the
new candidate with these (attention), and its time with theirs (a kick that continues an interval is expected). So it
adapts to the kick and the bass of the song.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .kick_inputs import HOPS_PER_S, N_VIEWS, RISE_LAGS
from .network import EVENTS, WEIGHTS_FILE
from .spectrum import Floats

# A candidate begins at this probability of the network, and may be reported within so many hops.
OPEN_PROBABILITY = 0.1
OPEN_HOPS = 8
# The next one may begin when the probability has fallen to this fraction of its highest, and risen by this factor since.
REARM, RISE_AGAIN = 0.5, 1.5
# What is remembered of a candidate: what rose and sounded so many hops after it began, and what sounds so many hops after.
FIRST_HOPS, EARLY_HOPS, AFTER_HOPS = 1, 5, 12
# So many of the last candidates are remembered.
MEMORY = 64
# How exactly a kick continues an interval, seconds (standard deviation).
INTERVAL_S = 0.015
# Log odds beyond this are cut off.
MOST_LOGIT = 8.0
VIEWS = slice(0, N_VIEWS)
# How far each band rose within 53 ms: what differs most from drum to drum.
RISES = slice(N_VIEWS * (1 + RISE_LAGS.index(8)), N_VIEWS * (2 + RISE_LAGS.index(8)))
N_SCALARS, N_AFTER_SCALARS = 8 + len(EVENTS), 1 + len(EVENTS)
N_INTERVALS = 2


class Candidate:
    """A moment that may be a kick. start: its first hop; most_logits, most_novelty: the highest values since."""

    def __init__(self, start: int, logits: Floats, novelty: float) -> None:
        self.start = start
        self.most_logits = logits
        self.most_novelty = novelty
        self.early: list[Floats] = []

    def update(self, logits: Floats, novelty: float) -> None:
        """Take the next hop's values."""
        self.most_logits = np.maximum(self.most_logits, logits)
        self.most_novelty = max(self.most_novelty, novelty)


class CandidateTracker:
    """Finds candidates in successive hops, and what the decision network is given of them.

    after: (n, n_after(units)), the remembered candidates, at most MEMORY; starts: (n,), the hops at which they began.
    candidate: the one to be decided, None without one.
    """

    def __init__(self, n_units: int) -> None:
        """n_units: of the first network."""
        self.after: Floats = np.zeros((0, n_after(n_units)))
        self.starts: NDArray[np.int64] = np.zeros(0, np.int64)
        self.candidate: Candidate | None = None
        self.hop = -1
        self._unfinished: list[Candidate] = []  # not yet remembered
        self._is_armed = True
        self._most, self._least = 0.0, 1.0  # highest probability since the newest candidate, lowest since then
        self._newest_start = self._last_start = (
            -10 * HOPS_PER_S
        )  # first hops of the newest candidate and the one before
        self._before = (-MOST_LOGIT,) * 3  # log odds of a kick in the hops before, the newest first

    def step(self, logits: Floats, state: Floats, row: Floats, novelty: float) -> Floats | None:
        """Take the next hop; what is given of the candidate: (n_given(units),), None without a candidate.

        logits: (events,) log odds that each of EVENTS begins. state: (units,) of the first network. row: (N_INPUTS,), its
        inputs. novelty: see KickInputs.
        """
        self.hop += 1
        kick = min(MOST_LOGIT, max(-MOST_LOGIT, float(logits[0])))
        probability = 1.0 / (1.0 + math.exp(-kick))
        self._most = max(self._most, probability)
        self._least = min(self._least, probability)
        if not self._is_armed and probability < max(OPEN_PROBABILITY / 2, REARM * self._most):
            self._is_armed, self._least = True, probability
        begins = self._is_armed and probability >= max(OPEN_PROBABILITY, RISE_AGAIN * self._least)
        given = None
        if begins or self._unfinished:
            given = self._follow(begins, np.clip(logits, -MOST_LOGIT, MOST_LOGIT), state, row, novelty)
        if begins:
            self._is_armed, self._most, self._least = False, probability, probability
        self._before = (kick, *self._before[:-1])
        return given

    def _follow(self, begins: bool, logits: Floats, state: Floats, row: Floats, novelty: float) -> Floats | None:
        """Go one hop on with the candidates not yet remembered, and one that may begin now."""
        for one in self._unfinished:
            one.update(logits, novelty)
        if begins:
            self._last_start, self._newest_start = self._newest_start, self.hop
            self.candidate = Candidate(self.hop, logits, novelty)
            self._unfinished.append(self.candidate)
        given = None
        if self.candidate is not None:
            age = self.hop - self.candidate.start
            if age < OPEN_HOPS:
                given = np.concatenate(
                    [state, row[VIEWS], row[RISES], self._scalars(self.candidate, logits, novelty, age)]
                )
            else:
                self.candidate = None
        for one in self._unfinished:
            if self.hop - one.start == FIRST_HOPS:
                one.early.append(row[RISES])
            elif self.hop - one.start == EARLY_HOPS:
                one.early += [row[VIEWS], row[RISES]]
        if self.hop - self._unfinished[0].start == AFTER_HOPS:
            self._remember(self._unfinished.pop(0), state, row)
        return given

    def _scalars(self, one: Candidate, logits: Floats, novelty: float, age: int) -> Floats:
        since_s = min(2.0, (one.start - self._last_start) / HOPS_PER_S)
        rest = [
            one.most_logits[0],
            math.log1p(10 * novelty),
            math.log1p(10 * one.most_novelty),
            age / OPEN_HOPS,
            since_s,
        ]
        return np.concatenate([logits, self._before, rest])

    def _remember(self, one: Candidate, state: Floats, row: Floats) -> None:
        """Keep a candidate as it is AFTER_HOPS after it began."""
        scalars = [*one.most_logits, math.log1p(10 * one.most_novelty)]
        after = np.concatenate([state, *one.early, row[VIEWS], scalars])
        self.after = np.concatenate([self.after[-MEMORY + 1 :], after[None]])
        self.starts = np.concatenate([self.starts[-MEMORY + 1 :], [one.start]])


def n_given(n_units: int) -> int:
    """Numbers that `CandidateTracker.step` gives of a candidate."""
    return n_units + 2 * N_VIEWS + N_SCALARS


def n_after(n_units: int) -> int:
    """Numbers that are remembered of a candidate."""
    return n_units + 4 * N_VIEWS + N_AFTER_SCALARS


def expected(start: int, starts: NDArray[np.int64], kicks: Floats) -> Floats:
    """How far a kick at a hop continues the intervals of earlier candidates: (N_INTERVALS,), 0 not at all.

    starts: (n,), hops at which they began; kicks: (n,), how likely each was a kick, 0..1. First the sum over pairs, one
    as long after the second as that after the first, of the product of both; then the same relative to all kicks.
    """
    if len(starts) < 2:
        return np.zeros(N_INTERVALS)
    times_s = (starts - start) / HOPS_PER_S
    misses_s = 2 * times_s[None, :] - times_s[:, None]  # (first, second): how late the kick would be
    pairs = np.exp(-0.5 * (misses_s / INTERVAL_S) ** 2) * kicks[:, None] * kicks[None, :]
    total = float((pairs * (times_s[:, None] < times_s[None, :])).sum())
    return np.array([math.log1p(total), total / (0.5 + float(kicks.sum()))])


@dataclass(frozen=True)
class DecisionWeights:
    """The trained weights of the decision network, float64; each takes a column vector or rows.

    given, given_bias: what is given of a candidate -> its embedding (tanh). key, key_bias: what is remembered -> its
    embedding (tanh). kick, kick_bias: embedding of a remembered candidate -> log odds that it was a kick. value,
    value_bias: the same -> values. attend: embedding of the candidate -> what those remembered are scored with; nobody: the
    score of none of them; forget: what each second of age takes from a score. hidden, hidden_bias, out,
    out_bias: embedding, scalars, attended values, intervals -> log odds.
    """

    given: Floats
    given_bias: Floats
    key: Floats
    key_bias: Floats
    kick: Floats
    kick_bias: Floats
    value: Floats
    value_bias: Floats
    attend: Floats
    nobody: Floats
    forget: Floats
    hidden: Floats
    hidden_bias: Floats
    out: Floats
    out_bias: Floats


def as_decision_weights(arrays: Mapping[str, NDArray[np.float32]]) -> DecisionWeights:
    """Arrays named "decision_" and the fields of DecisionWeights, others ignored."""
    return DecisionWeights(
        *(np.asarray(arrays[f"decision_{part.name}"], np.float64) for part in fields(DecisionWeights))
    )


@functools.cache
def shipped_decision() -> DecisionWeights:
    """The weights beside this file, read once."""
    with np.load(WEIGHTS_FILE, allow_pickle=False) as file:
        return as_decision_weights(file)


class SongSoFar(NamedTuple):
    """The song so far, as a candidate is compared with it. keys: (n, embedding) of those remembered; values: (n, 1 + values),
    first how likely each was a kick; ages: (n,), what their age takes from their score; intervals: see `expected`.
    """

    keys: Floats
    values: Floats
    ages: Floats
    intervals: Floats


class KickDecision:
    """Runs the decision network over the candidates of successive hops."""

    def __init__(self, weights: DecisionWeights, n_units: int) -> None:
        self._weights = weights
        self._tracker = CandidateTracker(n_units)
        self._keys: Floats = np.zeros((0, len(weights.key_bias)))
        self._song: SongSoFar | None = None  # for the newest candidate; None: not yet computed
        self._song_start = -1

    def step(self, logits: Floats, state: Floats, row: Floats, novelty: float) -> float:
        """Take the next hop, see `CandidateTracker.step`; the probability 0..1 that a kick has begun, 0 without a candidate."""
        w, tracker = self._weights, self._tracker
        newest = int(tracker.starts[-1]) if len(tracker.starts) else -1
        given = tracker.step(logits, state, row, novelty)
        if len(tracker.starts) and int(tracker.starts[-1]) != newest:
            key = np.tanh(w.key @ tracker.after[-1] + w.key_bias)
            self._keys = np.concatenate([self._keys[-MEMORY + 1 :], key[None]])
            self._song = None
        if given is None or tracker.candidate is None:
            return 0.0
        start = tracker.candidate.start
        if self._song is None or start != self._song_start:
            self._song, self._song_start = song_so_far(w, self._keys, tracker.starts, start), start
        return decided(w, given, self._song)


def song_so_far(w: DecisionWeights, keys: Floats, starts: NDArray[np.int64], start: int) -> SongSoFar:
    """The song for a candidate that began at a hop. keys: (n, embedding), starts: (n,) of those remembered."""
    kicks = 1.0 / (1.0 + np.exp(-(keys @ w.kick + w.kick_bias)))
    values = np.concatenate([kicks[:, None], np.tanh(keys @ w.value.T + w.value_bias)], axis=1)
    return SongSoFar(keys, values, w.forget * (start - starts) / HOPS_PER_S, expected(start, starts, kicks))


def decided(w: DecisionWeights, given: Floats, song: SongSoFar) -> float:
    """The probability 0..1 that a candidate is a kick. given: see `CandidateTracker.step`."""
    query = np.tanh(w.given @ given + w.given_bias)
    scores = np.append(song.keys @ (w.attend @ query) - song.ages, w.nobody)
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    parts = [query, given[-N_SCALARS:], shares[:-1] @ song.values, shares[-1:], song.intervals]
    hidden = np.tanh(w.hidden @ np.concatenate(parts) + w.hidden_bias)
    return float(1.0 / (1.0 + np.exp(-(w.out @ hidden + w.out_bias))))
