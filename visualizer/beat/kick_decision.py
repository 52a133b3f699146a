"""Decides which candidates are kicks, by what the song has played so far.

Where the network (`network.py`) says that a kick may begin, a candidate begins. For the next 53 ms the decision network
compares it, at every hop, with the candidates of the last 16 s as they were at the same age, and of which it is known
by now what they were: a second after they began, another network has judged them by what came after them
(`hindsight.py`). In most electronic music a kick is the same sample each time. So it adapts to the kick, the snare and
the bass of the song. It is also given where a kick would repeat earlier ones (`repeats.py`).
"""

from __future__ import annotations

import functools
import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .ahead_network import AheadWeights
from .hindsight import JUDGED_HOPS, MOST_LOG_ODDS, Hindsight
from .kick_inputs import HOPS_PER_S
from .network import EVENTS, WEIGHTS_FILE
from .repeats import N_REPEATS, SONG_HOPS, repeats
from .spectrum import Floats

# A candidate begins at this probability of the network, and may be reported within so many hops.
OPEN_PROBABILITY = 0.1
OPEN_HOPS = 8
# The next one may begin when the probability has fallen to this fraction of its highest, and risen by this factor
# since.
REARM, RISE_AGAIN = 0.5, 1.5
# A longer time since the candidate before counts as this, seconds.
LONGEST_S = 2.0
N_SCALARS = len(EVENTS) + 3 + 5
# Of each remembered candidate: how likely each of EVENTS was, and the log odds.
N_VALUES = 2 * len(EVENTS)
N_FIGURES = 4
# Log odds are divided by this, so that they are of the size of probabilities.
LOG_ODDS_SCALE = 4.0


class SongSoFar(NamedTuple):
    """The song so far, as a candidate is compared with it. sounds: (n, OPEN_HOPS, size), the remembered candidates at
    each age; values: (n + 1, N_VALUES + 1), theirs, and in the last row and column a 1 for none of them; forgotten: (n,
    heads), what their age takes from their scores; figures: (N_FIGURES,), how many there are and how many of them were
    kicks; repeats: (N_REPEATS,), see `repeats.repeats`.
    """

    sounds: Floats
    values: Floats
    forgotten: Floats
    figures: Floats
    repeats: Floats


@dataclass(eq=False)
class Candidate:
    """A moment that may be a kick. start: its first hop; most_log_odds, most_novelty: the highest values since; sounds:
    of its hops so far, see `CandidateTracker`; log_odds: (events,), by hindsight; song: the song before it, once it is
    needed.
    """

    start: int
    most_log_odds: float
    most_novelty: float
    sounds: list[Floats] = field(default_factory=list)
    log_odds: Floats | None = None
    song: SongSoFar | None = None

    @functools.cached_property
    def all_sounds(self) -> Floats:
        """Once it is OPEN_HOPS old: its sounds one after the other, (OPEN_HOPS x size,)."""
        return np.concatenate(self.sounds)


class CandidateTracker:
    """Finds candidates in successive hops, and collects what the decision network is given of them.

    candidate: the one to be decided, None without one. judged: those of the last SONG_HOPS that are judged by now, the
    oldest first.
    """

    def __init__(self, sound_of: Callable[[Floats], Floats], hindsight: Hindsight) -> None:
        """sound_of: from the inputs of a hop, (N_INPUTS,), to what its sound is compared by, (size,)."""
        self.candidate: Candidate | None = None
        self.judged: list[Candidate] = []
        self.hop = -1
        self._sound_of, self._hindsight = sound_of, hindsight
        self._unjudged: deque[Candidate] = deque()
        self._begun: list[Candidate] = []  # OPEN_HOPS ago or later
        self._is_armed = True
        self._most, self._least = 0.0, 1.0  # highest probability since the newest candidate, lowest since then
        self._newest_start = -SONG_HOPS
        self._since_s = 0.0  # from the first hop of the candidate before to that of this one
        self._before = (-MOST_LOG_ODDS,) * 3  # log odds of a kick in the hops before, the newest first

    def step(self, log_odds: Floats, row: Floats, novelty: float) -> Floats | None:
        """Take the next hop; the scalars of the candidate to be decided: (N_SCALARS,), None without a candidate.

        log_odds: (events,) that each of EVENTS begins. row: (N_INPUTS,), the inputs. novelty: see KickInputs.
        """
        self.hop += 1
        self._hindsight.step(row)
        self._judge()
        kick = min(MOST_LOG_ODDS, max(-MOST_LOG_ODDS, float(log_odds[0])))
        if self._begins(1.0 / (1.0 + math.exp(-kick))):
            self._since_s = min(LONGEST_S, (self.hop - self._newest_start) / HOPS_PER_S)
            self._newest_start = self.hop
            self.candidate = Candidate(self.hop, kick, novelty)
            self._begun.append(self.candidate)
            self._unjudged.append(self.candidate)
        scalars = None
        if self._begun:
            self._follow(kick, row, novelty)
            if self.candidate is not None:
                scalars = self._scalars(self.candidate, log_odds, novelty)
        self._before = (kick, *self._before[:-1])
        return scalars

    def _follow(self, kick: float, row: Floats, novelty: float) -> None:
        """Go one hop on with the candidates that began a moment ago."""
        if self.hop - self._begun[0].start == OPEN_HOPS:
            del self._begun[0]
        if not self._begun:
            self.candidate = None
            return
        sound = self._sound_of(row)
        for one in self._begun:
            one.sounds.append(sound)
            one.most_log_odds = max(one.most_log_odds, kick)
            one.most_novelty = max(one.most_novelty, novelty)

    def _scalars(self, one: Candidate, log_odds: Floats, novelty: float) -> Floats:
        scalars = [
            *(min(MOST_LOG_ODDS, max(-MOST_LOG_ODDS, value)) for value in log_odds.tolist()),
            *self._before,
            one.most_log_odds,
            math.log1p(10 * novelty),
            math.log1p(10 * one.most_novelty),
            (self.hop - one.start) / OPEN_HOPS,
            self._since_s,
        ]
        return np.array(scalars)

    def _judge(self) -> None:
        """Take over the judgement of a candidate that is known now, and forget the one that is too old."""
        if self._unjudged and self._unjudged[0].start == self.hop - JUDGED_HOPS:
            one = self._unjudged.popleft()
            one.log_odds = self._hindsight.of(one.start)
            self.judged.append(one)
        if self.judged and self.judged[0].start == self.hop - SONG_HOPS:
            del self.judged[0]

    def _begins(self, probability: float) -> bool:
        """Whether a candidate begins now."""
        self._most = max(self._most, probability)
        self._least = min(self._least, probability)
        if not self._is_armed and probability < max(OPEN_PROBABILITY / 2, REARM * self._most):
            self._is_armed, self._least = True, probability
        if not (self._is_armed and probability >= max(OPEN_PROBABILITY, RISE_AGAIN * self._least)):
            return False
        self._is_armed, self._most, self._least = False, probability, probability
        return True


def figures_of(kicks: Floats) -> Floats:
    """(N_FIGURES,) of how likely each remembered candidate was a kick, (n,): the song's number of kicks and of
    candidates, both as logarithms, the most likely kick, the share of kicks.
    """
    total = float(kicks.sum())
    most = float(kicks.max()) if len(kicks) else 0.0
    return np.array([math.log1p(total), math.log1p(len(kicks)) / 2, most, total / (len(kicks) + 1)])


def values_of(log_odds: Floats) -> Floats:
    """(n, events), by hindsight -> (n, N_VALUES)."""
    return np.concatenate([1.0 / (1.0 + np.exp(-log_odds)), log_odds / LOG_ODDS_SCALE], axis=1)


@dataclass(frozen=True)
class DecisionWeights:
    """The trained weights of the decision network, float64. It compares in several ways (H attention heads).

    sound, sound_bias: (size, inputs), (size,), the inputs of a hop -> what its sound is compared by (tanh), an equal
    part for each head. sharpness, forget, nobody: (H,), the score of a remembered candidate is minus sharpness times
    the squared distance minus forget times its age in seconds; nobody is the score of none of them. The shares are the
    softmax of the scores. first, first_bias, second, second_bias, out, out_bias: scalars, repeats, for each head the
    mean values and the share of nobody, figures -> log odds, through two hidden layers (tanh).
    """

    sound: Floats
    sound_bias: Floats
    sharpness: Floats
    forget: Floats
    nobody: Floats
    first: Floats
    first_bias: Floats
    second: Floats
    second_bias: Floats
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


class KickDecision:
    """Runs the decision network over the candidates of successive hops."""

    def __init__(self, weights: DecisionWeights, ahead: AheadWeights) -> None:
        """ahead: of the network that judges candidates by hindsight."""
        self._weights = weights
        self._tracker = CandidateTracker(self._sound, Hindsight(ahead))

    def step(self, log_odds: Floats, row: Floats, novelty: float) -> float:
        """Take the next hop, see `CandidateTracker.step`. Returns the probability 0..1 that a kick has begun, 0 without
        a candidate.
        """
        scalars = self._tracker.step(log_odds, row, novelty)
        candidate = self._tracker.candidate
        if scalars is None or candidate is None:
            return 0.0
        if candidate.song is None:
            candidate.song = song_so_far(self._weights, candidate.start, self._tracker.judged)
        return decided(self._weights, scalars, candidate.sounds, candidate.song)

    def _sound(self, row: Floats) -> Floats:
        sound: Floats = np.tanh(self._weights.sound @ row + self._weights.sound_bias)
        return sound


def song_so_far(w: DecisionWeights, start: int, judged: list[Candidate]) -> SongSoFar:
    """The song for a candidate that began at a hop. judged: see `CandidateTracker`."""
    starts = np.array([one.start for one in judged], np.int64)
    sounds = np.array([one.all_sounds for one in judged]).reshape(-1, OPEN_HOPS, len(w.sound_bias))
    values = np.zeros((len(judged) + 1, N_VALUES + 1))
    values[:-1, :-1] = values_of(np.array([one.log_odds for one in judged], np.float64).reshape(-1, len(EVENTS)))
    values[-1, -1] = 1.0
    kicks = values[:-1, 0]
    return SongSoFar(
        sounds,
        values,
        w.forget * ((start - starts) / HOPS_PER_S)[:, None],
        figures_of(kicks),
        repeats(start, starts, kicks),
    )


def decided(w: DecisionWeights, scalars: Floats, sounds: list[Floats], song: SongSoFar) -> float:
    """The probability 0..1 that a candidate is a kick. scalars: see `CandidateTracker.step`; sounds: of its hops so
    far.
    """
    age = len(sounds) - 1
    n_heads = len(w.sharpness)
    squares = (song.sounds[:, age] - sounds[age]) ** 2
    distances = squares.reshape(len(squares), n_heads, squares.shape[1] // n_heads).sum(axis=2)
    scores = np.concatenate([-w.sharpness * distances - song.forgotten, w.nobody[None]])
    shares = np.exp(scores - scores.max(axis=0))
    shares /= shares.sum(axis=0)
    given = np.concatenate([scalars, song.repeats, (shares.T @ song.values).ravel(), song.figures])
    hidden = np.tanh(w.second @ np.tanh(w.first @ given + w.first_bias) + w.second_bias)
    return 1.0 / (1.0 + math.exp(-float(w.out @ hidden + w.out_bias)))


def n_given(n_heads: int) -> int:
    """Numbers that the hidden layers are given."""
    return N_SCALARS + N_REPEATS + n_heads * (N_VALUES + 1) + N_FIGURES
