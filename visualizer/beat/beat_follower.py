"""Kick and tempo together: kicks expected from the beat are shown before they sound."""

from __future__ import annotations

from bisect import bisect_left
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..settings import BeatSettings
from .blocks import sound_block
from .follower import KickFollower
from .motion import Change, Motion, moves_alike
from .onset_follower import Onset
from .tempo import TempoFollower

# A kick is expected where one came this many times in a row: (beats apart, times). For a bar two are enough, since
# songs change too often to wait for a third (docs/kick.md).
CHAINS = ((1, 4), (2, 3), (4, 2))
# A kick within this of a place is at it: seconds, or half a sixteenth where that is less.
PLACE_S, PLACE_BEATS = 0.04, 0.125
# The trust in each of CHAINS, 0..1: its first value; the fraction by which each expected kick moves it, towards 1 if
# the kick came, else towards 0; and the least trust with which a kick is expected. One miss is enough to stop a chain
# that was always right.
TRUST, TRUST_RATE, LEAST_TRUST = 0.7, 0.4, 0.65
# Below this confidence of the tempo no kick is expected.
LEAST_CONFIDENCE = 0.3
# A kick reported this near to an expected one is the expected one.
SAME_S = 0.05
# The least time between two expected kicks: kicks on sixteenths are shown when they are reported.
APART_S = 0.2
# When an expected kick does not come, the level falls back within this time: without a jump, and before the next beat.
MISSED_S = 0.08
# Number of kicks remembered: more than 3 bars of sixteenths.
KEPT = 64


@dataclass(frozen=True)
class ExpectedKick:
    """A kick that is expected. time_s: when it would be reported; strength: what it raises the level to, 0..1."""

    time_s: float
    strength: float


class KickPattern:
    """Where kicks came, and where the next one is expected. Pure: times and the length of a beat are handed in."""

    def __init__(self) -> None:
        self._times_s: list[float] = []
        self._strengths: list[float] = []
        self._trust = [TRUST] * len(CHAINS)
        self._open: list[float | None] = [None] * len(CHAINS)  # expected, and not yet reported
        self._last_s = [-1.0] * len(CHAINS)

    def add(self, time_s: float, strength: float) -> None:
        """Note a kick reported at time_s, later than all before it."""
        self._times_s.append(time_s)
        self._strengths.append(strength)
        if len(self._times_s) > KEPT:
            del self._times_s[0], self._strengths[0]

    def has_kick_at(self, time_s: float) -> bool:
        """Whether a kick was reported within SAME_S of a time."""
        return self._near(time_s, SAME_S) is not None

    def expected(self, time_s: float, now_s: float, beat_s: float, hop_s: float) -> ExpectedKick | None:
        """The kick expected at about time_s >= now_s, if that is trusted; call it every hop_s, in order. beat_s:
        seconds a beat.
        """
        place_s = min(PLACE_S, PLACE_BEATS * beat_s)
        best = None
        for index, (beats, n_kicks) in enumerate(CHAINS):
            open_s = self._open[index]
            if open_s is not None and now_s > open_s + SAME_S:
                self._trust[index] += TRUST_RATE * (self.has_kick_at(open_s) - self._trust[index])
                self._open[index] = None
            kick = self._continued(time_s, beats * beat_s, n_kicks, place_s)
            # at the hop nearest to it, or a little later where the beat has just moved
            if kick is None or not -2 * hop_s <= kick.time_s - time_s <= hop_s / 2:
                continue
            if kick.time_s - self._last_s[index] < APART_S:
                continue
            self._last_s[index] = kick.time_s
            if open_s is None:
                self._open[index] = kick.time_s
            if best is None and self._trust[index] >= LEAST_TRUST:
                best = kick
        return best

    def _continued(self, time_s: float, apart_s: float, n_kicks: int, place_s: float) -> ExpectedKick | None:
        """The kick at time_s, if the last n_kicks came apart_s from each other and from it."""
        at_s, sum_s, strength, newest_s = time_s, 0.0, 0.0, 0.0
        for back in range(n_kicks):
            index = self._near(at_s - apart_s, place_s)
            if index is None:
                return None
            at_s = self._times_s[index]
            newest_s = newest_s if back else at_s
            sum_s += at_s
            strength += self._strengths[index]
        # halfway between the length of the beat, which may still be changing, and the distance of these kicks
        apart_s = (apart_s + (newest_s - at_s) / (n_kicks - 1)) / 2
        return ExpectedKick(sum_s / n_kicks + apart_s * (n_kicks + 1) / 2, strength / n_kicks)

    def _near(self, time_s: float, within_s: float) -> int | None:
        """The index of the kick nearest to a time, if it is that near."""
        times_s = self._times_s
        index = bisect_left(times_s, time_s)
        if index == len(times_s) or (index > 0 and time_s - times_s[index - 1] < times_s[index] - time_s):
            index -= 1
        return index if index >= 0 and abs(times_s[index] - time_s) <= within_s else None


class BeatFollower(KickFollower):
    """A `KickFollower` and a `TempoFollower` of the same sound, which can show kicks before they sound.

    With `lead_ms` above 0 the level rises that much before a kick would be reported, where the confidence of the tempo
    is .3 or more and kicks came at that place of the last beats, half bars or bars. If `lead_ms` is the latency from
    sound to light, the picture is on the beat. When the kick comes it does not raise the level a second time; if it
    does not come, the level falls back within a tenth of a second. Other kicks are shown when they are reported. Onsets
    and their times are always those of the sound; with lead_ms 0 the results are bit-identical to those of a
    KickFollower.

    Only a live show needs it: where the sound is known beforehand, looking ahead by `latency_s` is enough.

    Times are seconds of sound pushed since the start. Any split of a sound into blocks gives bit-identical results.
    """

    def __init__(self, sample_rate_hz: int, settings: BeatSettings, *, trail_s: float | None = 30.0) -> None:
        """As `KickFollower`. `tempo`: the tempo, its confidence, the phase and the beats to come."""
        super().__init__(sample_rate_hz, settings, trail_s=trail_s)
        self.tempo = TempoFollower(sample_rate_hz)
        self.n_missed = 0  # of the `n_early` kicks, those that did not come
        self._pattern = KickPattern()
        self._expected_kick: ExpectedKick | None = None  # the level has been raised for it
        self._early_s = -1.0
        self._without: Motion = self._motion  # the motion as it would be without the expected kick
        self._n_samples = 0
        self._tempo_hop = round(self.tempo.hop_s * sample_rate_hz)
        self._tempos = [self._tempo_now()]  # after each of the tempo's hops in the block being analysed
        self._tempos_from = 0

    def push(self, samples: NDArray[np.floating]) -> list[Onset]:
        """As `KickFollower.push`; the tempo follower gets the block, too."""
        if self.settings.lead_ms == 0:
            onsets = super().push(samples)
            self._push_tempo(samples)
            return onsets
        block, _ = sound_block(samples)
        start, step = 0, self._tempo_hop
        # the tempo that a kick is compared with must not depend on where a block ends: it is the estimate at that
        # sample
        self._tempos, self._tempos_from = [self._tempo_now()], self._n_samples // step
        while start < len(block):
            end = start + step - self._n_samples % step
            self._push_tempo(block[start:end])
            if self._n_samples % step == 0:
                self._tempos.append(self._tempo_now())
            start = end
        return super().push(samples)

    def _push_tempo(self, samples: NDArray[np.floating]) -> None:
        self.tempo.push(samples)
        self._n_samples += len(samples)

    def _tempo_now(self) -> tuple[float, float]:
        """Seconds a beat, and the confidence of that."""
        return 60.0 / self.tempo.tempo_bpm, self.tempo.confidence

    def set_beat(self, settings: BeatSettings) -> None:
        """As `KickFollower.set_beat`; the tempo and the pattern of the kicks stay."""
        before = self.settings
        super().set_beat(settings)
        if self._expected_kick is not None and not moves_alike(before, settings):
            self._without = self._faded(self._without)

    def _move(self, strength: float) -> float:
        now_s = (self._trail.n_hops + 1) * self._hop_s
        if strength > 0:
            self._pattern.add(now_s, strength)
        while isinstance(self._motion, Change) and self._motion.over:
            self._motion = self._motion.new
        raised = strength
        if self._expected_kick is not None and now_s > self._expected_kick.time_s + SAME_S:
            self._expected_kick = None
            self.n_missed += 1
            self._motion = Change(self._motion, self._without, MISSED_S, self._hop_s)
        if self._expected_kick is not None:
            self._without.step(strength)
            if strength > 0 and abs(now_s - self._expected_kick.time_s) <= SAME_S:
                self._expected_kick, raised = None, 0.0  # shown already
        kick = self._expected(now_s) if self.settings.lead_ms > 0 else None
        if kick is not None and self._expected_kick is None:
            self._expected_kick, self._early_s, self._without = kick, kick.time_s, deepcopy(self._motion)
            self._without.step(strength)
            self.n_early += 1
            raised = max(strength, kick.strength)
        return self._motion.step(raised)

    def _expected(self, now_s: float) -> ExpectedKick | None:
        """The kick to show from now on, if there is one."""
        hops = (self._trail.n_hops + 1) * self._hop_samples // self._tempo_hop
        beat_s, confidence = self._tempos[hops - self._tempos_from]
        kick = self._pattern.expected(now_s + self.settings.lead_ms / 1000, now_s, beat_s, self._hop_s)
        if kick is None or kick.time_s - self._early_s < APART_S or self._pattern.has_kick_at(kick.time_s):
            return None
        return kick if confidence >= LEAST_CONFIDENCE else None
