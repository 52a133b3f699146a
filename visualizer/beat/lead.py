"""The kick and the tempo, heard together: kicks foreseen from the beat, shown before they are heard."""

from __future__ import annotations

from bisect import bisect_left
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..settings import BeatSettings
from .blocks import sound_block
from .follower import KickFollower, Onset
from .motion import Change, Motion, moves_alike
from .tempo import TempoFollower

# A kick is foreseen where one came so many times in a row: (beats apart, times). A bar is told by two bars, since songs
# change too often to wait for a third (docs/kick.md).
CHAINS = ((1, 4), (2, 3), (4, 2))
# Kicks within this of a place are at it: seconds, and half a sixteenth where that is less.
PLACE_S, PLACE_BEATS = 0.04, 0.125
# Each of the three is trusted so far at first; after each kick it foresaw the trust goes this share of the way to 1 or, when
# the kick stayed away, to 0; and below this it only watches. One that was always right watches after one that was not.
TRUST, TRUST_RATE, LEAST_TRUST = 0.7, 0.4, 0.65
# Without a beat there is nothing to foresee.
LEAST_CONFIDENCE = 0.3
# A kick told this near to a foreseen one is the one foreseen.
SAME_S = 0.05
# No kick is foreseen so soon after another that was: sixteenths are followed, not foreseen.
APART_S = 0.2
# A kick that did not come is let go within this time: too smooth to be a jump, gone before it is a beat.
LET_GO_S = 0.08
# Kicks that are remembered: more than 3 bars of sixteenths.
KEPT = 64


@dataclass(frozen=True)
class Foreseen:
    """A kick to come. time_s: when it would be told; strength: how far it lifts, 0..1."""

    time_s: float
    strength: float


class KickPattern:
    """Where kicks came, and where that foresees the next one. Pure: times and the length of a beat are handed in."""

    def __init__(self) -> None:
        self._times_s: list[float] = []
        self._strengths: list[float] = []
        self._trust = [TRUST] * len(CHAINS)
        self._open: list[float | None] = [None] * len(CHAINS)  # foreseen, and not yet come
        self._last_s = [-1.0] * len(CHAINS)

    def told(self, time_s: float, strength: float) -> None:
        """Note a kick told at time_s, later than all before it."""
        self._times_s.append(time_s)
        self._strengths.append(strength)
        if len(self._times_s) > KEPT:
            del self._times_s[0], self._strengths[0]

    def came(self, time_s: float) -> bool:
        """Whether a kick was told within SAME_S of a time."""
        return self._near(time_s, SAME_S) is not None

    def due(self, time_s: float, now_s: float, beat_s: float, hop_s: float) -> Foreseen | None:
        """The kick foreseen for about time_s >= now_s, if that is trusted; ask every hop_s, in order. beat_s: one beat, seconds."""
        place_s = min(PLACE_S, PLACE_BEATS * beat_s)
        best = None
        for index, (beats, n_kicks) in enumerate(CHAINS):
            foretold_s = self._open[index]
            if foretold_s is not None and now_s > foretold_s + SAME_S:
                self._trust[index] += TRUST_RATE * (self.came(foretold_s) - self._trust[index])
                self._open[index] = None
            kick = self._foresee(time_s, beats * beat_s, n_kicks, place_s)
            # the hop nearest to it, or a little later where the beat has just moved
            if kick is None or not -2 * hop_s <= kick.time_s - time_s <= hop_s / 2:
                continue
            if kick.time_s - self._last_s[index] < APART_S:
                continue
            self._last_s[index] = kick.time_s
            if foretold_s is None:
                self._open[index] = kick.time_s
            if best is None and self._trust[index] >= LEAST_TRUST:
                best = kick
        return best

    def _foresee(self, time_s: float, apart_s: float, n_kicks: int, place_s: float) -> Foreseen | None:
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
        # halfway between the beat's own length, which may still be settling, and how far these kicks lay apart
        apart_s = (apart_s + (newest_s - at_s) / (n_kicks - 1)) / 2
        return Foreseen(sum_s / n_kicks + apart_s * (n_kicks + 1) / 2, strength / n_kicks)

    def _near(self, time_s: float, within_s: float) -> int | None:
        """The index of the kick nearest to a time, if it is that near."""
        times_s = self._times_s
        index = bisect_left(times_s, time_s)
        if index == len(times_s) or (index > 0 and time_s - times_s[index - 1] < times_s[index] - time_s):
            index -= 1
        return index if index >= 0 and abs(times_s[index] - time_s) <= within_s else None


class BeatFollower(KickFollower):
    """A `KickFollower` and a `TempoFollower` that hear the same sound, and kicks shown ahead of being heard.

    With `lead_ms` above 0 the level is lifted that much before a kick would be told, where the beat is sure (confidence .3 or
    more) and kicks came at that place of the last beats, half bars or bars. Set to the time from sound to light, what is
    seen is then on the beat although the screen is late. The kick is heard when it comes, and lifts no second time; if it
    stays away the level goes, within a tenth of a second, back to where it would be. Kicks that nothing foresees are shown
    as they are heard. Onsets and their times are always the heard ones; with lead_ms 0 every bit is a KickFollower's.

    Only a live show needs it: where the sound is known beforehand, `latency_s` is all there is to take back.

    Times are seconds of sound pushed since the start. Any split of a sound into blocks gives bit-identical results.
    """

    def __init__(self, sample_rate_hz: int, settings: BeatSettings, *, trail_s: float | None = 30.0) -> None:
        """As `KickFollower`. `tempo`: the tempo, its confidence, the phase and the beats to come."""
        super().__init__(sample_rate_hz, settings, trail_s=trail_s)
        self.tempo = TempoFollower(sample_rate_hz)
        self.n_led = 0  # kicks shown ahead
        self.n_let_go = 0  # of these, those that did not come
        self._pattern = KickPattern()
        self._awaited: Foreseen | None = None  # the level is lifted for it
        self._led_s = -1.0
        self._without: Motion = self._motion  # how it would move had it not been
        self._n_samples = 0
        self._tempo_hop = round(self.tempo.hop_s * sample_rate_hz)
        self._beliefs = [self._belief()]  # after each of the tempo's hops in the block being heard
        self._beliefs_from = 0

    def push(self, samples: NDArray[np.floating]) -> list[Onset]:
        """As `KickFollower.push`; the tempo hears the block too."""
        if self.settings.lead_ms == 0:
            onsets = super().push(samples)
            self._hear(samples)
            return onsets
        block, _ = sound_block(samples)
        start, step = 0, self._tempo_hop
        # what a kick meets of the tempo must not depend on where a block ends: it is what was believed at that sample
        self._beliefs, self._beliefs_from = [self._belief()], self._n_samples // step
        while start < len(block):
            end = start + step - self._n_samples % step
            self._hear(block[start:end])
            if self._n_samples % step == 0:
                self._beliefs.append(self._belief())
            start = end
        return super().push(samples)

    def _hear(self, samples: NDArray[np.floating]) -> None:
        self.tempo.push(samples)
        self._n_samples += len(samples)

    def _belief(self) -> tuple[float, float]:
        """One beat in seconds, and how sure that is."""
        return 60.0 / self.tempo.tempo_bpm, self.tempo.confidence

    def tap(self, time_s: float) -> None:
        """A beat tapped by hand, see `TempoFollower.tap`."""
        self.tempo.tap(time_s)

    def lead_tempo(self, bpm: float | None, beat_time_s: float = 0.0) -> None:
        """Tempo and beat from elsewhere, or None to give them back, see `TempoFollower.lead`."""
        self.tempo.lead(bpm, beat_time_s)

    def scale_tempo(self, factor: float) -> None:
        """Halve (0.5) or double (2.0) the tempo, see `TempoFollower.scale`."""
        self.tempo.scale(factor)

    def set_beat(self, settings: BeatSettings) -> None:
        """As `KickFollower.set_beat`; the tempo and what is known of the kicks stay."""
        before = self.settings
        super().set_beat(settings)
        if self._awaited is not None and not moves_alike(before, settings):
            self._without = self._turned(self._without)

    def _move(self, strength: float) -> float:
        now_s = (self._n_hops + 1) * self._hop_s
        if strength > 0:
            self._pattern.told(now_s, strength)
        while isinstance(self._motion, Change) and self._motion.over:
            self._motion = self._motion.new
        lift = strength
        if self._awaited is not None and now_s > self._awaited.time_s + SAME_S:
            self._awaited = None
            self.n_let_go += 1
            self._motion = Change(self._motion, self._without, LET_GO_S, self._hop_s)
        if self._awaited is not None:
            self._without.step(strength)
            if strength > 0 and abs(now_s - self._awaited.time_s) <= SAME_S:
                self._awaited, lift = None, 0.0  # seen already
        kick = self._foreseen(now_s) if self.settings.lead_ms > 0 else None
        if kick is not None and self._awaited is None:
            self._awaited, self._led_s, self._without = kick, kick.time_s, deepcopy(self._motion)
            self._without.step(strength)
            self.n_led += 1
            lift = max(strength, kick.strength)
        return self._motion.step(lift)

    def _foreseen(self, now_s: float) -> Foreseen | None:
        """The kick to be shown from now on, if there is one."""
        hops = (self._n_hops + 1) * self._hop_samples // self._tempo_hop
        beat_s, confidence = self._beliefs[hops - self._beliefs_from]
        kick = self._pattern.due(now_s + self.settings.lead_ms / 1000, now_s, beat_s, self._hop_s)
        if kick is None or kick.time_s - self._led_s < APART_S or self._pattern.came(kick.time_s):
            return None
        return kick if confidence >= LEAST_CONFIDENCE else None
