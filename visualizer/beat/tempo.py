"""Tempo and the beats to come: sound in; beats a minute, phase and predicted beats out."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from .blocks import check_rate
from .grid import folded, next_beat_s, phase
from .tempo_metre import MetreJudge, related
from .tempo_onsets import DELAY_S, HOP_S, N_GROUPS, WINDOW_S, OnsetDetector
from .tempo_states import FASTEST_BPM, SLOWEST_BPM, BarPointer
from .windows import SlidingWindows

# A beat is predicted once it is this near, seconds: never nearer than 50 ms.
LEAST_AHEAD_S = 0.05
# It needs at least this confidence, and must lie this fraction of a beat after the last one: otherwise it is the same
# beat.
LEAST_CONFIDENCE = 0.05
SAME_BEAT = 0.55
# Onsets weaker than this, all groups together (of N_GROUPS), do not count for the tempo.
LEAST_ONSET = 0.5
# A first onset after this much silence is where music begins; an earlier one is where playing was started in the
# middle.
SILENCE_S = 0.2
# This long without an onset is a break, longer than the slowest beat: the beats continue as they were.
BREAK_S = 1.25
# Time constants: of the rates of onsets without a rhythm, and of how much better the rhythm explains them.
RATE_S = 4.0
EVIDENCE_S = 3.0
# Log likelihood ratio of the rhythm against chance, each second: at the first there is no rhythm, at the second it is
# certain. Music that is hard to follow gives -1 to 1; noise falls below -5 within seconds.
CHANCE, CERTAIN = -3.0, 4.0
# The judge is asked this often, seconds, once it has analysed this much; another beat needs this much more (log odds).
JUDGE_S = 0.2
ANALYSED_S = 1.5
MARGIN = 1.5
# Weight of the filter's log probability in addition to the judge's score, and the least probability used.
FILTER_SHARE = 0.15
LEAST_MASS = 1e-3
# The filter is aligned again when less than this of its probability is near the current beat.
LOST = 0.1
# Time constant with which the beats follow the filter: its phase fluctuates more than that.
FOLLOW_S = 0.15
# A phase or tempo that differs by more than this is another beat, used at once.
OTHER_PHASE = 0.12
OTHER_TEMPO = 0.06
# 200 and 60 beats a minute, and a little more where a mean of both ends may fall.
SHORTEST_S, LONGEST_S = 60 / FASTEST_BPM - 1e-3, 60 / SLOWEST_BPM + 1e-3
# While the confidence of a tapped beat is above this, the judge does not choose another.
HOLD_TAP = 0.05
# Below this confidence a tempo halved or doubled by hand is no longer held.
HOLD_CONFIDENCE = 0.05
# In a break the tempo of this many last beats continues; over 32 beats 0.1 % adds up to 16 ms at 120 BPM.
STEADY_BEATS = 12
# Instead the tempo of this many continues, if the two differ by more than DRIFT.
FEW_BEATS = 6
DRIFT = 0.025
# In a break the confidence falls with this time constant: half is left after 8 bars at 120 BPM.
BREAK_RELEASE_S = 24.0
# The longest time between two taps of successive beats; the confidence of a tapped beat.
LONGEST_TAP_S = 1.5
TAP_CONFIDENCE = 0.8
N_TAPS = 8
# Number of beats kept in `predicted`.
KEPT = 4096


class BeatState(NamedTuple):
    """Tempo and beat at one time. bpm: beats a minute; phase: place in the beat, 0 on it, below 1; number: beats
    counted since the sound began, never falling; confidence: 0..1.
    """

    bpm: float
    phase: float
    number: int
    confidence: float


class _Grid(NamedTuple):
    """What was known after a hop: one beat and when any of them is, seconds; and beats counted, with the phase as their
    fraction.
    """

    period_s: float
    beat_s: float
    confidence: float
    beats: float
    number: int


class TempoFollower:
    """Follows the tempo and the beat in a stream of mono sound, and predicts the next beats.

    Times are seconds of sound pushed since the start. Any split of a sound into blocks gives bit-identical results.
    `predicted` holds the last 4096 predicted beats as (beat_time_s, predicted_at_s), the second at least 0.05 s before
    the first.
    """

    def __init__(self, sample_rate_hz: int, *, trail_s: float = 30.0) -> None:
        """sample_rate_hz: 8000..192000, else BadInput. trail_s: how many seconds are remembered for `state_at`."""
        check_rate(sample_rate_hz)
        self._windows = SlidingWindows(sample_rate_hz, HOP_S, WINDOW_S)
        self._onsets = OnsetDetector(sample_rate_hz)
        self._pointer = BarPointer(self._onsets.hop_s)
        self.hop_s = self._onsets.hop_s
        self.n_hops = 0
        self.predicted: deque[tuple[float, float]] = deque(maxlen=KEPT)
        self._judge = MetreJudge()
        self._judged_s = 0.0
        self._chosen = False
        self._mass = 0.0  # the filter's probability near the current beat
        self._held = False  # it was halved or doubled by hand
        self._probability = 0.0  # probability of this beat among related ones
        self._beat_s = 0.0  # one beat, any
        self._period_s = 0.5
        self._mode = 0.0  # fraction of the probability on this tempo and phase
        self._evidence = 0.0
        self._rates_hz = [1.0] * N_GROUPS
        self._real_s = -math.inf  # the last onset that counts
        self._confidence = 0.0  # `confidence` at that onset
        self._tap_confidence = 0.0
        self._predicted_s = -math.inf
        self._lead: tuple[float, float] | None = None  # (seconds a beat, time of a beat) while led from elsewhere
        self._passed: deque[float] = deque(maxlen=STEADY_BEATS)
        self._taps: deque[float] = deque(maxlen=N_TAPS)
        self._trail: list[_Grid] = []  # of the last hops, the newest at n_hops % the longest length
        self._trail_hops = max(2, round(trail_s / self.hop_s))

    @property
    def time_s(self) -> float:
        """Seconds of sound analysed so far."""
        return self.n_hops * self.hop_s

    @property
    def tempo_bpm(self) -> float:
        """Beats a minute, 60..200; 120 before the first estimate."""
        return min(FASTEST_BPM, max(SLOWEST_BPM, 60.0 / self._grid[0]))

    @property
    def confidence(self) -> float:
        """Confidence of tempo and phase, 0..1: 0 in silence and noise; it falls slowly in a break. 1 while led."""
        if self._lead is not None:
            return 1.0
        rested_s = max(0.0, self.time_s - self._real_s - BREAK_S)
        return self._confidence * math.exp(-rested_s / BREAK_RELEASE_S) if self._confidence > 0 else 0.0

    def phase_at(self, time_s: float) -> float:
        """How far into a beat a time in seconds of sound lies, 0 <= phase < 1 (0: on the beat), as estimated now."""
        return phase(time_s, *self._grid)

    def next_beat_s(self, after_s: float) -> float:
        """The first beat later than `after_s`, both in seconds of sound, as estimated now."""
        return next_beat_s(after_s, *self._grid)

    def state_at(self, time_s: float, ahead_s: float = 0.0) -> BeatState:
        """Tempo and beat at a time in seconds of sound, as known when it had been analysed, or ahead_s later; as known
        now where that has not been analysed yet.

        Before the first hop no beat is counted; earlier than the trail, the oldest remembered.
        """
        known_s = time_s + ahead_s
        hop = int(known_s / self.hop_s + 1e-9) if known_s > 0 else 0  # number of hops finished by then
        hop = max(hop, self.n_hops - len(self._trail) + 1)
        if hop <= 0 or not self._trail:
            return BeatState(self.tempo_bpm, self.phase_at(time_s), 0, 0.0)
        then = self._trail[(min(hop, self.n_hops) - 1) % self._trail_hops]
        grid, confidence = then[:2], then.confidence
        if hop >= self.n_hops:  # it may have been tapped or led since
            grid, confidence = self._grid, self.confidence
        beats = _counted(then.beats, time_s - min(hop, self.n_hops) * self.hop_s, time_s, *grid)
        bpm = min(FASTEST_BPM, max(SLOWEST_BPM, 60.0 / grid[0]))
        return BeatState(bpm, phase(time_s, *grid), max(then.number, math.floor(beats)), confidence)

    @property
    def _grid(self) -> tuple[float, float]:
        """Seconds a beat, and the time of any beat: as led, else as estimated."""
        return (self._period_s, self._beat_s) if self._lead is None else self._lead

    def lead(self, bpm: float | None, beat_time_s: float = 0.0) -> None:
        """Take tempo and beat from elsewhere: a beat at beat_time_s in seconds of sound, and all others bpm a minute
        from it.

        While led, neither sound nor taps move them. A tempo beyond 60..200 is halved or doubled until it is within; the
        same beats then stay the counted ones when it is set again. None ends it: they continue from there, as after
        tapping. Raises BadInput unless both are finite and bpm is within 10..1000.
        """
        if bpm is None:
            if self._lead is not None:
                self._period_s, self._beat_s = self._lead
                self._lead = None
                self._confidence = self._tap_confidence = max(self._confidence, TAP_CONFIDENCE)
                self._real_s = max(self._real_s, self.time_s)
                self._held = False
                self._passed.clear()
                self._taps.clear()
                self._align(0.95)
            return
        if not (math.isfinite(beat_time_s) and 10 <= bpm <= 1000):  # not true for NaN either
            raise BadInput(
                f"a tempo to follow needs 10 .. 1000 BPM and the time of a beat, got {bpm} and {beat_time_s}"
            )
        self._lead = folded(60.0 / bpm, beat_time_s, SHORTEST_S, LONGEST_S, self._lead)

    def push(self, samples: NDArray[np.floating]) -> list[tuple[float, float]]:
        """Take the next block of mono sound, (n,) float in -1..1, any n; the (beat_time_s, predicted_at_s) newly
        predicted in it.

        NaN, infinite and absurdly large samples count as silence. Raises BadInput for anything but a one-dimensional
        array of floats.
        """
        predicted: list[tuple[float, float]] = []
        for windows in self._windows.push(samples):
            for onsets in self._onsets.push(windows.astype(np.float32)):
                beat = self._step(onsets)
                if beat is not None:
                    predicted.append(beat)
        return predicted

    def tap(self, time_s: float) -> None:
        """A beat tapped by hand at a time in seconds of sound.

        One tap sets the phase; taps 0.3 to 1.5 s apart set the tempo too, the mean of the last 8 if they are that
        regular. The sound continues to correct both. While led it does nothing. Raises BadInput for a time that is not
        finite.
        """
        if not math.isfinite(time_s):
            raise BadInput(f"a tap needs a time in seconds, got {time_s}")
        if self._lead is not None:
            return
        if self._taps and not 0 < time_s - self._taps[-1] <= LONGEST_TAP_S:
            self._taps.clear()
        self._taps.append(time_s)
        if len(self._taps) > 1:
            gaps_s = np.diff(self._taps)
            period_s = float(np.median(gaps_s))
            # the tempo of the taps has changed: only those since then count
            if abs(gaps_s[-1] / period_s - 1) > 0.2:
                period_s = float(gaps_s[-1])
                self._taps = deque(list(self._taps)[-2:], maxlen=N_TAPS)
            else:
                period_s = (self._taps[-1] - self._taps[0]) / round((self._taps[-1] - self._taps[0]) / period_s)
            self._period_s = min(60.0 / SLOWEST_BPM, max(60.0 / FASTEST_BPM, period_s))
            self._confidence = max(self._confidence, TAP_CONFIDENCE)
            self._tap_confidence = TAP_CONFIDENCE
            self._real_s = max(self._real_s, self.time_s)
        self._beat_s = time_s
        self._held = False
        self._passed.clear()
        self._align(0.95)

    def scale(self, factor: float) -> bool:
        """Count half as many beats (0.5) or twice as many (2.0); whether that was done: not beyond 60..200 a minute,
        nor while led.

        It stays until the next tap, or until confidence is lost. Raises BadInput for any other factor.
        """
        if factor not in (0.5, 2.0):
            raise BadInput(f"the tempo is halved or doubled, with a factor of 0.5 or 2, got {factor}")
        period_s = self._period_s / factor
        if self._lead is not None or not SHORTEST_S <= period_s <= LONGEST_S:
            return False
        self._period_s = period_s
        self._held = True
        self._passed.clear()
        self._align(0.95)
        return True

    def _align(self, weight: float) -> None:
        """Align the filter with the current beat."""
        self._pointer.align_to(self._period_s, self._own_phase_at(self.time_s - DELAY_S), weight=weight)

    def _own_phase_at(self, time_s: float) -> float:
        """`phase_at` of the own estimate, led or not."""
        return phase(time_s, self._period_s, self._beat_s)

    def _step(self, onsets: list[float]) -> tuple[float, float] | None:
        """Go one hop on; returns the beat predicted now, if any."""
        before_s = self.time_s
        self.n_hops += 1
        now_s = self.time_s
        real = sum(onsets) >= LEAST_ONSET
        rested_s = now_s - self._real_s
        if real and rested_s > BREAK_S and self._confidence > 0:
            # the filter stood still in the break, the beats continued
            self._align(0.9)
            self._passed.clear()
        first = real and self._real_s == -math.inf
        if real or rested_s <= BREAK_S:
            self._add(onsets)
            self._judge.add(now_s - DELAY_S, onsets)
        if first and now_s > SILENCE_S:
            self._pointer.start(DELAY_S)
            self._judge.start(now_s - DELAY_S)
        if real:
            self._real_s = now_s
            self._update(now_s)
        self._pass(before_s, now_s)
        self._remember(now_s)
        return self._predict(now_s)

    def _remember(self, now_s: float) -> None:
        """Keep what is known now for `state_at`."""
        before = self._trail[(self.n_hops - 2) % self._trail_hops] if self._trail else None
        grid = self._grid
        beats = _counted(0.0 if before is None else before.beats, self.hop_s, now_s, *grid)
        number = max(0 if before is None else before.number, math.floor(beats))
        known = _Grid(*grid, self.confidence, beats, number)
        if len(self._trail) < self._trail_hops:
            self._trail.append(known)
        else:
            self._trail[(self.n_hops - 1) % self._trail_hops] = known

    def _add(self, onsets: list[float]) -> None:
        """Advance the filter, and measure how much better than chance it explained these onsets."""
        chance = self._pointer.expected(onsets, self._rates_hz)
        gain = (self._pointer.step(onsets) - chance) / self.hop_s
        self._evidence += (gain - self._evidence) * self.hop_s / EVIDENCE_S
        for group, onset in enumerate(onsets):
            rate_hz = self._rates_hz[group]
            self._rates_hz[group] = max(0.1, rate_hz + (onset / self.hop_s - rate_hz) * self.hop_s / RATE_S)

    def _update(self, now_s: float) -> None:
        """Follow the filter: smoothly where it agrees with the current beat, else at once."""
        if now_s - self._judged_s >= JUDGE_S:
            self._judged_s = now_s
            self._choose(now_s)
        period_s, place, self._mode, self._mass = self._pointer.read(
            (self._period_s, self._own_phase_at(now_s - DELAY_S)) if self._chosen else None
        )
        beat_s = now_s - DELAY_S - place * period_s
        off_beats = self._off_beats(beat_s)
        if abs(off_beats) > OTHER_PHASE or abs(period_s / self._period_s - 1) > OTHER_TEMPO:
            self._passed.clear()
            self._beat_s, self._period_s = beat_s, period_s
        else:
            share = 1 - math.exp(-self.hop_s * 5 / FOLLOW_S)
            self._beat_s = beat_s - (1 - share) * off_beats * self._period_s
            steady_s = self._steady_s()
            self._period_s += share * ((steady_s or period_s) - self._period_s)
        confidence = min(1.0, max(0.0, (self._evidence - CHANCE) / (CERTAIN - CHANCE))) * self._mode
        if self._chosen:
            confidence *= min(1.0, 0.4 + 0.6 * self._probability)
        self._tap_confidence *= math.exp(-self.hop_s)
        self._confidence = max(confidence, self._tap_confidence)

    def _off_beats(self, beat_s: float) -> float:
        """Distance of a beat from the nearest of the current ones, in beats: -0.5..0.5."""
        off_beats = (beat_s - self._beat_s) / self._period_s
        return off_beats - round(off_beats)

    def _choose(self, now_s: float) -> None:
        """Let the judge choose among the related beats."""
        if self._held and self._confidence < HOLD_CONFIDENCE:
            self._held = False
        if now_s - self._judge.since_s < ANALYSED_S or self._tap_confidence > HOLD_TAP:
            return
        sound_s = now_s - DELAY_S
        period_s, place, *_ = self._pointer.read()
        fitted = self._judge.fit(period_s, sound_s - place * period_s, sound_s)
        mine: list[tuple[float, float]] = []
        beats: list[tuple[float, float]] = []
        if self._chosen or self._held:
            beats = related(self._period_s, self._beat_s)
            mine = beats[:1]
            scores = self._judge.judge(beats, now_s, self._passed)
        others = [beat for beat in related(*fitted) if not any(_same(beat, one, sound_s) for one in beats)]
        if others:
            new = self._judge.judge(others, now_s)
            scores = np.concatenate([scores, new]) if beats else new
            beats += others
        if FILTER_SHARE:
            masses = self._pointer.near([(period_s, (sound_s - beat_s) / period_s % 1.0) for period_s, beat_s in beats])
            scores = scores + FILTER_SHARE * np.log(np.maximum(masses, LEAST_MASS))
        if self._held:  # a tempo halved or doubled by hand is kept, only the phase is chosen
            scores = np.where(
                [abs(period_s / self._period_s - 1) < OTHER_TEMPO for period_s, _ in beats], scores, -np.inf
            )
        odds = np.exp(scores - scores.max())
        best = int(scores.argmax())
        if mine and scores[best] - scores[0] < MARGIN:
            best = 0
        self._probability = float(odds[best] / odds.sum())
        if mine and best == 0:
            if self._mass < LOST:
                self._pointer.align_to(self._period_s, self._own_phase_at(sound_s), weight=0.3)
            return
        self._period_s, self._beat_s = beats[best]
        self._passed.clear()
        self._chosen = True
        self._pointer.align_to(self._period_s, self._own_phase_at(sound_s), weight=0.8)

    def _steady_s(self) -> float | None:
        """Seconds a beat of the last beats, by least squares; None if they are too few."""
        if len(self._passed) < FEW_BEATS:
            return None
        few_s, all_s = (_slope(np.array(self._passed)[-n_beats:]) for n_beats in (FEW_BEATS, STEADY_BEATS))
        return all_s if abs(few_s / all_s - 1) < DRIFT else few_s

    def _pass(self, before_s: float, now_s: float) -> None:
        """Note a beat that has passed, a little late, so that its onsets were analysed."""
        late_s = DELAY_S + 0.05
        beat_s = next_beat_s(before_s - late_s, self._period_s, self._beat_s)
        if beat_s <= now_s - late_s and now_s - self._real_s < BREAK_S:
            gap_s = beat_s - self._passed[-1] if self._passed else 0.0
            if gap_s > 1.5 * self._period_s:
                self._passed.clear()  # a break
            elif self._passed and gap_s < SAME_BEAT * self._period_s:
                self._passed.pop()
            self._passed.append(beat_s)

    def _predict(self, now_s: float) -> tuple[float, float] | None:
        """Predict the next beat if it is near enough."""
        beat_s = self.next_beat_s(now_s + LEAST_AHEAD_S)
        near = beat_s - now_s <= LEAST_AHEAD_S + self.hop_s + 1e-3
        if not near or self.confidence < LEAST_CONFIDENCE or beat_s - self._predicted_s < SAME_BEAT * self._grid[0]:
            return None
        self._predicted_s = beat_s
        self.predicted.append((beat_s, now_s))
        return beat_s, now_s


def _same(beat: tuple[float, float], other: tuple[float, float], time_s: float) -> bool:
    """Whether two beats (period_s, beat_s) are one about time_s."""
    period_s, beat_s = beat
    near_s = beat_s + round((time_s - beat_s) / period_s) * period_s
    off_beats = (near_s - other[1]) / other[0]
    return abs(period_s / other[0] - 1) < OTHER_TEMPO and abs(off_beats - round(off_beats)) < OTHER_PHASE


def _counted(beats: float, dt_s: float, time_s: float, period_s: float, beat_s: float) -> float:
    """Beats counted dt_s after there were `beats`: whole ones, and the phase of time_s in a grid; the nearest to steady
    counting.
    """
    place = phase(time_s, period_s, beat_s)
    return round(beats + dt_s / period_s - place) + place


def _slope(times_s: NDArray[np.float64]) -> float:
    """Seconds from beat to beat, least squares over beats at times_s: (n,), n > 1."""
    along = np.arange(len(times_s)) - (len(times_s) - 1) / 2
    return float((along * times_s).sum() / (along**2).sum())
