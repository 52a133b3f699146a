"""Tempo and the beats to come: sound in; beats a minute, phase and predicted beats out."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from .blocks import check_rate, sound_block
from .grid import folded, next_beat_s, phase
from .tempo_metre import MetreJudge, related
from .tempo_states import FASTEST_BPM, SLOWEST_BPM, BarPointer
from .tempo_strokes import DELAY_S, N_GROUPS, StrokeFinder

# A beat is told once it is this near, seconds: never nearer than 50 ms.
LEAST_AHEAD_S = 0.05
# ... if it is at least this sure, and not so soon after the last that it must be the same one.
LEAST_CONFIDENCE = 0.05
SAME_BEAT = 0.55
# Less than this in all groups together (of N_GROUPS) keeps no time.
REAL_STROKE = 0.5
# A first stroke after so long is where a piece sets in; one at once is where somebody pressed a button.
SILENCE_S = 0.2
# Longer than the slowest beat without a real stroke is a break: the beats go on as they were.
BREAK_S = 1.25
# The strokes' rates without a rhythm are learned over this time, and how much better the rhythm tells them over that.
RATE_S = 4.0
EVIDENCE_S = 3.0
# A rhythm that tells a second of strokes so much better than chance (ln of likelihoods) is none, or certain. Music that is
# hard to follow gives -1 to 1, noise falls below -5 within seconds.
CHANCE, CERTAIN = -3.0, 4.0
# So often the judge is asked, seconds, once it has heard so much; what it must be surer of than of the beat believed (ln).
JUDGE_S = 0.2
HEARD_S = 1.5
MARGIN = 1.5
# What the filter says counts with this weight beside the judge (ln of its probability, at least of this).
FILTER_SHARE = 0.15
LEAST_MASS = 1e-3
# The filter is told again what is believed when less than this of its probability is near it.
LOST = 0.1
# How fast the beats follow what is heard, seconds: a phase that trembles less than the filter's.
FOLLOW_S = 0.15
# Off by more than this, of a beat or of the tempo: another beat, taken over at once.
OTHER_PHASE = 0.12
OTHER_TEMPO = 0.06
# 200 and 60 beats a minute, and a little more where a mean of both ends may fall.
SHORTEST_S, LONGEST_S = 60 / FASTEST_BPM - 1e-3, 60 / SLOWEST_BPM + 1e-3
# While a beat tapped by hand is still so sure, nobody else chooses one.
HOLD_TAP = 0.05
# Less confidence than this gives back a tempo that was halved or doubled by hand.
HOLD_CONFIDENCE = 0.05
# A break is bridged with the tempo of so many beats; over 32 beats 0.1 % adds up to 16 ms at 120 BPM.
STEADY_BEATS = 12
# ... or of the last few, if the tempo has moved by more than this.
FEW_BEATS = 6
DRIFT = 0.025
# In a break the confidence falls with this time constant: half is left after 8 bars at 120 BPM.
BREAK_RELEASE_S = 24.0
# Two taps further apart are not two beats; a beat tapped by hand is this sure.
LONGEST_TAP_S = 1.5
TAP_CONFIDENCE = 0.8
N_TAPS = 8
# Hops whose spectra are computed together: bounds memory when a whole song is pushed at once.
BATCH_HOPS = 64
# Beats told that are kept in `predicted`.
KEPT = 4096


class BeatState(NamedTuple):
    """Tempo and beat at one time. bpm: beats a minute; phase: place in the beat, 0 on it, below 1; number: beats counted since the
    sound began, never falling; confidence: 0..1."""

    bpm: float
    phase: float
    number: int
    confidence: float


class _Grid(NamedTuple):
    """What was known after a hop: one beat and when any of them is, seconds; and beats counted, with the phase as their fraction."""

    period_s: float
    beat_s: float
    confidence: float
    beats: float
    number: int


class TempoFollower:
    """Follows the tempo and the beat in a stream of mono sound, and tells the next beats before they come.

    Times are seconds of sound pushed since the start. Any split of a sound into blocks gives bit-identical results.
    `predicted` holds (beat_time_s, told_at_s) of the last 4096 beats told, told_at_s at least 0.05 s before beat_time_s.
    """

    def __init__(self, sample_rate_hz: int, *, trail_s: float = 30.0) -> None:
        """sample_rate_hz: 8000..192000, else BadInput. trail_s: how many seconds are remembered for `state_at`."""
        check_rate(sample_rate_hz)
        self._strokes = StrokeFinder(sample_rate_hz)
        self._pointer = BarPointer(self._strokes.hop_s)
        self.hop_s = self._strokes.hop_s
        self.n_hops = 0
        self.predicted: deque[tuple[float, float]] = deque(maxlen=KEPT)
        # music before the first sample was silence
        self._pending = np.zeros(self._strokes.window_samples - self._strokes.hop_samples, np.float32)
        self._judge = MetreJudge()
        self._judged_s = 0.0
        self._chosen = False
        self._mass = 0.0  # how much of the filter's probability is near what is believed
        self._held = False  # half or double was asked for
        self._metre_sure = 0.0  # how much likelier this beat is than its relatives
        self._beat_s = 0.0  # one beat, any
        self._period_s = 0.5
        self._mode = 0.0  # how much of the probability lies on this tempo and phase
        self._evidence = 0.0
        self._rates_hz = [1.0] * N_GROUPS
        self._real_s = -math.inf  # the last real stroke
        self._sure = 0.0  # `confidence` at that stroke
        self._tap_sure = 0.0
        self._told_s = -math.inf
        self._lead: tuple[float, float] | None = None  # (one beat, any) while somebody else leads
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
        """Beats a minute, 60..200; 120 before anything was heard."""
        return min(FASTEST_BPM, max(SLOWEST_BPM, 60.0 / self._grid[0]))

    @property
    def confidence(self) -> float:
        """How sure tempo and phase are, 0..1: 0 in silence and noise; it falls slowly while nothing is struck. 1 while led."""
        if self._lead is not None:
            return 1.0
        rested_s = max(0.0, self.time_s - self._real_s - BREAK_S)
        return self._sure * math.exp(-rested_s / BREAK_RELEASE_S) if self._sure > 0 else 0.0

    @property
    def is_led(self) -> bool:
        """Whether tempo and beat come from elsewhere, see `lead`."""
        return self._lead is not None

    def phase_at(self, time_s: float) -> float:
        """How far into a beat a time in seconds of sound lies, 0 <= phase < 1 (0: on the beat), as believed now."""
        return phase(time_s, *self._grid)

    def next_beat_s(self, after_s: float) -> float:
        """The first beat later than `after_s`, both in seconds of sound, as believed now."""
        return next_beat_s(after_s, *self._grid)

    def state_at(self, time_s: float, ahead_s: float = 0.0) -> BeatState:
        """Tempo and beat at a time in seconds of sound, as known when it had been analysed, or ahead_s later; as known now
        where that has not been analysed yet.

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
        """One beat in seconds, and when any is: as led, else as heard."""
        return (self._period_s, self._beat_s) if self._lead is None else self._lead

    def lead(self, bpm: float | None, beat_time_s: float = 0.0) -> None:
        """Take tempo and beat from elsewhere: a beat at beat_time_s in seconds of sound, and all others bpm a minute from it.

        While led, nothing heard or tapped moves them. A tempo beyond 60..200 is halved or doubled until it is within; the
        beats counted then stay the same ones when it is told again. None gives them back: they go on from there, as after
        tapping. Raises BadInput unless both are finite and bpm is within 10..1000.
        """
        if bpm is None:
            if self._lead is not None:
                self._period_s, self._beat_s = self._lead
                self._lead = None
                self._sure = self._tap_sure = max(self._sure, TAP_CONFIDENCE)
                self._real_s = max(self._real_s, self.time_s)
                self._held = False
                self._passed.clear()
                self._taps.clear()
                self._seat(0.95)
            return
        if not (math.isfinite(beat_time_s) and 10 <= bpm <= 1000):  # not true for NaN either
            raise BadInput(
                f"a tempo to follow needs 10 .. 1000 BPM and the time of a beat, got {bpm} and {beat_time_s}"
            )
        self._lead = folded(60.0 / bpm, beat_time_s, SHORTEST_S, LONGEST_S, self._lead)

    def push(self, samples: NDArray[np.floating]) -> list[tuple[float, float]]:
        """Take the next block of mono sound, (n,) float in -1..1, any n; the (beat_time_s, told_at_s) newly told in it.

        NaN, infinite and absurdly large samples count as silence. Raises BadInput for anything but a one-dimensional
        array of floats.
        """
        block, _ = sound_block(samples)
        pending = np.concatenate([self._pending, block.astype(np.float32)])
        hop, window = self._strokes.hop_samples, self._strokes.window_samples
        told: list[tuple[float, float]] = []
        while (n_ready := (len(pending) - window) // hop + 1) > 0:
            n_now = min(n_ready, BATCH_HOPS)
            windows = np.lib.stride_tricks.sliding_window_view(pending, window)[: n_now * hop : hop]
            for strokes in self._strokes.push(windows):
                beat = self._step(strokes)
                if beat is not None:
                    told.append(beat)
            pending = pending[n_now * hop :]
        # a copy, since a view would keep a whole pushed song alive
        self._pending = pending.copy()
        return told

    def tap(self, time_s: float) -> None:
        """A beat tapped by hand at a time in seconds of sound.

        One tap sets the phase; taps 0.3 to 1.5 s apart set the tempo too, the mean of the last 8 if they are that regular.
        What is heard goes on correcting both. While led it does nothing. Raises BadInput for a time that is not finite.
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
            # a hand that changed its mind: only the taps since then
            if abs(gaps_s[-1] / period_s - 1) > 0.2:
                period_s = float(gaps_s[-1])
                self._taps = deque(list(self._taps)[-2:], maxlen=N_TAPS)
            else:
                period_s = (self._taps[-1] - self._taps[0]) / round((self._taps[-1] - self._taps[0]) / period_s)
            self._period_s = min(60.0 / SLOWEST_BPM, max(60.0 / FASTEST_BPM, period_s))
            self._sure = max(self._sure, TAP_CONFIDENCE)
            self._tap_sure = TAP_CONFIDENCE
            self._real_s = max(self._real_s, self.time_s)
        self._beat_s = time_s
        self._held = False
        self._passed.clear()
        self._seat(0.95)

    def scale(self, factor: float) -> bool:
        """Count half as many beats (0.5) or twice as many (2.0); whether that was done: not beyond 60..200 a minute, nor while led.

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
        self._seat(0.95)
        return True

    def _seat(self, sure: float) -> None:
        """Tell the filter what is believed."""
        self._pointer.seat(self._period_s, self._heard_phase_at(self.time_s - DELAY_S), sure=sure)

    def _heard_phase_at(self, time_s: float) -> float:
        """`phase_at` of what is heard, whoever leads."""
        return phase(time_s, self._period_s, self._beat_s)

    def _step(self, strokes: list[float]) -> tuple[float, float] | None:
        """One hop on: the beat told now, if any."""
        before_s = self.time_s
        self.n_hops += 1
        now_s = self.time_s
        real = sum(strokes) >= REAL_STROKE
        rested_s = now_s - self._real_s
        if real and rested_s > BREAK_S and self._sure > 0:
            # the filter stood still in the break, the beats did not
            self._seat(0.9)
            self._passed.clear()
        first = real and self._real_s == -math.inf
        if real or rested_s <= BREAK_S:
            self._hear(strokes)
            self._judge.hear(now_s - DELAY_S, strokes)
        if first and now_s > SILENCE_S:
            self._pointer.start(DELAY_S)
            self._judge.start(now_s - DELAY_S)
        if real:
            self._real_s = now_s
            self._believe(now_s)
        self._pass(before_s, now_s)
        self._remember(now_s)
        return self._tell(now_s)

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

    def _hear(self, strokes: list[float]) -> None:
        """Move the filter on, and weigh how much better it told these strokes than chance."""
        chance = self._pointer.expected(strokes, self._rates_hz)
        gain = (self._pointer.step(strokes) - chance) / self.hop_s
        self._evidence += (gain - self._evidence) * self.hop_s / EVIDENCE_S
        for group, stroke in enumerate(strokes):
            rate_hz = self._rates_hz[group]
            self._rates_hz[group] = max(0.1, rate_hz + (stroke / self.hop_s - rate_hz) * self.hop_s / RATE_S)

    def _believe(self, now_s: float) -> None:
        """Take over what the filter says, gently where it agrees with what was believed."""
        if now_s - self._judged_s >= JUDGE_S:
            self._judged_s = now_s
            self._choose(now_s)
        period_s, place, self._mode, self._mass = self._pointer.read(
            (self._period_s, self._heard_phase_at(now_s - DELAY_S)) if self._chosen else None
        )
        beat_s = now_s - DELAY_S - place * period_s
        off_beats = self._off_beats(period_s, beat_s)
        if abs(off_beats) > OTHER_PHASE or abs(period_s / self._period_s - 1) > OTHER_TEMPO:
            self._passed.clear()
            self._beat_s, self._period_s = beat_s, period_s
        else:
            share = 1 - math.exp(-self.hop_s * 5 / FOLLOW_S)
            self._beat_s = beat_s - (1 - share) * off_beats * self._period_s
            steady_s = self._steady_s()
            self._period_s += share * ((steady_s or period_s) - self._period_s)
        heard = min(1.0, max(0.0, (self._evidence - CHANCE) / (CERTAIN - CHANCE))) * self._mode
        if self._chosen:
            heard *= min(1.0, 0.4 + 0.6 * self._metre_sure)
        self._tap_sure *= math.exp(-self.hop_s)
        self._sure = max(heard, self._tap_sure)

    def _off_beats(self, period_s: float, beat_s: float) -> float:
        """How far a beat lies from the nearest of those believed, in beats: -0.5..0.5."""
        off_beats = (beat_s - self._beat_s) / self._period_s
        return off_beats - round(off_beats)

    def _choose(self, now_s: float) -> None:
        """Ask the judge which of the related beats it is."""
        if self._held and self._sure < HOLD_CONFIDENCE:
            self._held = False
        if now_s - self._judge.since_s < HEARD_S or self._tap_sure > HOLD_TAP:
            return
        heard_s = now_s - DELAY_S
        period_s, place, *_ = self._pointer.read()
        heard = self._judge.fit(period_s, heard_s - place * period_s, heard_s)
        mine: list[tuple[float, float]] = []
        beats: list[tuple[float, float]] = []
        if self._chosen or self._held:
            beats = related(self._period_s, self._beat_s)
            mine = beats[:1]
            scores = self._judge.judge(beats, now_s, self._passed)
        others = [beat for beat in related(*heard) if not any(_same(beat, one, heard_s) for one in beats)]
        if others:
            new = self._judge.judge(others, now_s)
            scores = np.concatenate([scores, new]) if beats else new
            beats += others
        if FILTER_SHARE:
            masses = self._pointer.near([(period_s, (heard_s - beat_s) / period_s % 1.0) for period_s, beat_s in beats])
            scores = scores + FILTER_SHARE * np.log(np.maximum(masses, LEAST_MASS))
        if self._held:  # of half or double the judge has no say, of the phase it has
            scores = np.where(
                [abs(period_s / self._period_s - 1) < OTHER_TEMPO for period_s, _ in beats], scores, -np.inf
            )
        odds = np.exp(scores - scores.max())
        best = int(scores.argmax())
        if mine and scores[best] - scores[0] < MARGIN:
            best = 0
        self._metre_sure = float(odds[best] / odds.sum())
        if mine and best == 0:
            if self._mass < LOST:
                self._pointer.seat(self._period_s, self._heard_phase_at(heard_s), sure=0.3)
            return
        self._period_s, self._beat_s = beats[best]
        self._passed.clear()
        self._chosen = True
        self._pointer.seat(self._period_s, self._heard_phase_at(heard_s), sure=0.8)

    def _steady_s(self) -> float | None:
        """The period that the last beats kept, seconds: least squares; None if they were too few."""
        if len(self._passed) < FEW_BEATS:
            return None
        few_s, all_s = (_slope(np.array(self._passed)[-n_beats:]) for n_beats in (FEW_BEATS, STEADY_BEATS))
        return all_s if abs(few_s / all_s - 1) < DRIFT else few_s

    def _pass(self, before_s: float, now_s: float) -> None:
        """Note a beat that has come, a little late, so that its own strokes have been heard."""
        late_s = DELAY_S + 0.05
        beat_s = next_beat_s(before_s - late_s, self._period_s, self._beat_s)
        if beat_s <= now_s - late_s and now_s - self._real_s < BREAK_S:
            gap_s = beat_s - self._passed[-1] if self._passed else 0.0
            if gap_s > 1.5 * self._period_s:
                self._passed.clear()  # a break
            elif self._passed and gap_s < SAME_BEAT * self._period_s:
                self._passed.pop()
            self._passed.append(beat_s)

    def _tell(self, now_s: float) -> tuple[float, float] | None:
        """Tell the next beat if it is near enough."""
        beat_s = self.next_beat_s(now_s + LEAST_AHEAD_S)
        near = beat_s - now_s <= LEAST_AHEAD_S + self.hop_s + 1e-3
        if not near or self.confidence < LEAST_CONFIDENCE or beat_s - self._told_s < SAME_BEAT * self._grid[0]:
            return None
        self._told_s = beat_s
        told = (beat_s, now_s)
        self.predicted.append(told)
        return told


def _same(beat: tuple[float, float], other: tuple[float, float], time_s: float) -> bool:
    """Whether two beats (period_s, beat_s) are one about time_s."""
    period_s, beat_s = beat
    near_s = beat_s + round((time_s - beat_s) / period_s) * period_s
    off_beats = (near_s - other[1]) / other[0]
    return abs(period_s / other[0] - 1) < OTHER_TEMPO and abs(off_beats - round(off_beats)) < OTHER_PHASE


def _counted(beats: float, dt_s: float, time_s: float, period_s: float, beat_s: float) -> float:
    """Beats counted dt_s after there were `beats`: whole ones, and the phase of time_s in a grid; the nearest to steady counting."""
    place = phase(time_s, period_s, beat_s)
    return round(beats + dt_s / period_s - place) + place


def _slope(times_s: NDArray[np.float64]) -> float:
    """Seconds from beat to beat, least squares over beats at times_s: (n,), n > 1."""
    along = np.arange(len(times_s)) - (len(times_s) - 1) / 2
    return float((along * times_s).sum() / (along**2).sum())
