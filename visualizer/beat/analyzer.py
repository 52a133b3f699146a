"""From sound to `Features`: runs the followers of kick, tempo and bands, and returns the features at any time."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from ..settings import BeatSettings
from .ahead import AheadFollower
from .beat_follower import BeatFollower
from .features import BANDS, LOW_ENERGY, NEVER_S, RELATIVE, SOUND, TEMPO, VARIANT, Features
from .follower import REPORTED_AFTER_S, KickFollower
from .network import EVENTS
from .onset_follower import Onset, OnsetFollower
from .relative_bands import RESTING, RelativeBandFollower
from .shown_level import ShownLevel
from .sound import SoundBlock, block_samples
from .tempo import BeatState, TempoFollower
from .variants import VariantFollower
from .without_kicks import N_KICKS

#: Where the sound is known beforehand, features are taken from this much later, seconds: about as much as a causal
#: follower is late, so that the picture moves on the sound and not after it.
LOOK_AHEAD_S = REPORTED_AFTER_S
#: `Features.snare`, `hat` and `bass_note` fall with this time constant after an onset
HIT_RELEASE_S = 0.08
#: seconds of sound that are kept for `Features.sound`: more than a player analyses ahead
SOUND_S = 5.0
# Settings that the band follower is made with: with others it begins again.
_BAND_KEYS = ("bass_low_hz", "mid_low_hz", "high_low_hz", "high_high_hz", "band_attack_s", "band_release_s")
_NEWS_S = 0.05  # in the first features, a kick counts as new if it is at most this old
_ALIKE = 1e-9  # seconds by which two times may differ and still be the same


class Analyzer:
    """Analyses a stream of sound, of stereo the mean of both channels, and answers with the features of a time.

    Kick, snare, hat and bass notes are always followed. Bands, energy of the lows, place along the variants, tempo
    and the sound itself only where `needs` names them, see `features.py`; a follower that is added later starts without
    the sound before. Any split of a sound into blocks gives the same features.

    start_s: the time of the first sample pushed, seconds of the source; all other times of this class are of the
    source, too.
    kicks, tempo: the followers of kick and tempo (None while not followed), whose times are seconds of sound pushed.
    """

    def __init__(
        self,
        sample_rate_hz: int,
        settings: BeatSettings,
        needs: Collection[str] = (),
        *,
        is_live: bool = False,
        is_known: bool = False,
        start_s: float = 0.0,
    ) -> None:
        """sample_rate_hz: 8000..192000, else BadInput. settings: of the beat and the bands. needs: names of features.

        is_live: the tempo is always followed, and kicks may be shown before they come, see `BeatFollower`.
        is_known: the sound is known beforehand, and kicks are detected with what comes after them, see `AheadFollower`.
        """
        self.sample_rate_hz = sample_rate_hz
        self.start_s = start_s
        self.kicks: OnsetFollower
        self.tempo: TempoFollower | None = None
        if is_live:
            self.kicks = follower = BeatFollower(sample_rate_hz, settings)
            self.tempo = follower.tempo
        elif is_known:
            self.kicks = AheadFollower(sample_rate_hz, settings)
        else:
            self.kicks = KickFollower(sample_rate_hz, settings)
        self._is_live = is_live
        self._shown = ShownLevel(sample_rate_hz, settings)
        self._bands: VariantFollower | None = None
        self._relative: RelativeBandFollower | None = None
        self._tempo_from_s = self._bands_from_s = self._relative_from_s = 0.0  # where these began to follow
        self._sound: _Sound | None = None
        self._needs: frozenset[str] = frozenset()
        self._n_samples = 0
        self._onsets = {drum: _Onsets() for drum in EVENTS}
        self._n_asked: int | None = None  # kicks of the features before
        self._n_beats = 0  # counted before the first sample
        self.set_needs(needs)

    @property
    def n_kicks(self) -> int:
        """Kicks reported so far."""
        return self._onsets["kick"].n_onsets

    @property
    def end_s(self) -> float:
        """The time up to which kicks were looked for."""
        return self.start_s + self.kicks.time_s

    @property
    def needs_ahead_s(self) -> float:
        """Seconds of sound after a time that must have been pushed before its features with `LOOK_AHEAD_S` are
        complete.
        """
        return max(LOOK_AHEAD_S, self.kicks.needs_ahead_s)

    @property
    def settings(self) -> BeatSettings:
        """The settings in use."""
        return self.kicks.settings

    @property
    def needs(self) -> frozenset[str]:
        """The names of features that were asked for."""
        return self._needs

    def set_needs(self, names: Collection[str]) -> None:
        """Compute also these features from here on, and those that are not named no longer."""
        self._needs = frozenset(names)
        rate_hz, now_s = self.sample_rate_hz, self._n_samples / self.sample_rate_hz
        if not self._needs & (BANDS | {VARIANT}):
            self._bands = None
        elif self._bands is None:
            self._bands, self._bands_from_s = VariantFollower(rate_hz, self.kicks.settings), now_s
        if not self._needs & RELATIVE:
            self._relative = None
        elif self._relative is None:
            self._relative, self._relative_from_s = RelativeBandFollower(rate_hz), now_s
        if not self._is_live and not self._needs & TEMPO:
            self._n_beats = max(self._n_beats, self.beat_at(self.end_s).number)
            self.tempo = None
        elif self.tempo is None:
            self.tempo, self._tempo_from_s = TempoFollower(rate_hz), now_s
        self._shown.need_energy(LOW_ENERGY in self._needs)
        if SOUND not in self._needs:
            self._sound = None
        elif self._sound is None:
            self._sound = _Sound(round(SOUND_S * rate_hz), self._n_samples)

    def counts(self, until_s: float = math.inf) -> dict[str, int]:
        """How many onsets of each drum, and how many beats, there were until a time."""
        counts = {drum: onsets.before(until_s - self.start_s)[0] for drum, onsets in self._onsets.items()}
        return {**counts, "beat": self.beat_at(min(until_s, self.end_s)).number}

    def count_from(self, counts: Mapping[str, int]) -> None:
        """Count on from the `counts` of another analyzer. Call it before the first `push`."""
        for drum, onsets in self._onsets.items():
            onsets.n_onsets += counts.get(drum, 0)
        self._n_beats = counts.get("beat", 0)

    def set_beat(self, settings: BeatSettings) -> None:
        """Take over other settings; the level does not jump. Bands with other edges or times begin again."""
        before = self.kicks.settings
        if settings is not before:
            self.kicks.set_beat(settings)
            self._shown.set_beat(settings)
        if self._bands is not None and any(getattr(before, key) != getattr(settings, key) for key in _BAND_KEYS):
            self._bands = None
            self.set_needs(self._needs)

    def push(self, samples: NDArray[np.floating]) -> int:
        """Take the next block of sound, (n,) float in -1..1 or (n, 2), any n; how many kicks were reported in it.

        Raises BadInput for an array of any other shape or type.
        """
        sound = samples
        if samples.ndim == 2 and samples.shape[1] == 2:
            samples = (samples[:, 0] + samples[:, 1]) * np.float32(0.5)
        onsets = self.kicks.push(samples)
        self._shown.push(samples)
        self._note(onsets)
        if self.tempo is not None and not self._is_live:
            self.tempo.push(samples)
        if self._bands is not None:
            self._bands.push(samples)
        if self._relative is not None:
            self._relative.push(samples)
        if self._sound is not None:
            self._sound.push(sound)
        self._n_samples += len(samples)
        return len(onsets)

    def finish(self) -> None:
        """The sound has ended: detect what waited for more of it. Call it once, after the last `push`."""
        self._note(self.kicks.finish())

    def _note(self, onsets: list[Onset]) -> None:
        """Keep kicks just reported, and the hits reported with them."""
        for onset in onsets:
            self._onsets["kick"].add(onset.time_s, onset.strength)
        for hit in self.kicks.hits:
            self._onsets[hit.drum].add(hit.time_s, hit.probability)

    def features_at(self, time_s: float, ahead_s: float = 0.0) -> Features:
        """The features of a time.

        ahead_s: seconds of sound after that time that may be used, where the sound is known beforehand, LOOK_AHEAD_S:
        compensates that followers report late. `Features.kick` is relative to the call before.
        """
        sound_s = time_s - self.start_s
        known_s = sound_s + ahead_s
        hit_s = sound_s + min(ahead_s, self.kicks.latency_s)
        n_kicks, kick_s, strength = self._onsets["kick"].before(hit_s)
        n_snares, snare_s, _ = self._onsets["snare"].before(hit_s)
        n_hats, hat_s, _ = self._onsets["hat"].before(hit_s)
        n_bass_notes, bass_note_s, _ = self._onsets["bass"].before(hit_s)
        bass = mid = high = loudness = variant = 0.0
        if self._bands is not None:
            bass, mid, high, loudness, _ = self._bands.bands_at(known_s - self._bands_from_s)
            variant = self._bands.variant_at(known_s - self._bands_from_s) if VARIANT in self._needs else 0.0
        relative = RESTING if self._relative is None else self._relative.at(known_s - self._relative_from_s)
        bpm, phase, number, confidence = self.beat_at(time_s, ahead_s)
        if self._n_asked is None:  # after a seek, older kicks are not reported as new
            self._n_asked = n_kicks if hit_s - kick_s > _NEWS_S else n_kicks - 1
        is_new, self._n_asked = n_kicks > self._n_asked, n_kicks
        return Features(
            time_s=time_s,
            level=self.level_at(time_s, ahead_s),
            low_energy=self._shown.energy_at(known_s) if LOW_ENERGY in self._needs else 0.0,
            n_kicks=n_kicks,
            kick=is_new,
            kick_strength=strength,
            kick_time_s=min(NEVER_S, hit_s - kick_s),
            bass=bass,
            mid=mid,
            high=high,
            loudness=loudness,
            n_snares=n_snares,
            n_hats=n_hats,
            n_bass_notes=n_bass_notes,
            snare=math.exp(-(hit_s - snare_s) / HIT_RELEASE_S),
            hat=math.exp(-(hit_s - hat_s) / HIT_RELEASE_S),
            bass_note=math.exp(-(hit_s - bass_note_s) / HIT_RELEASE_S),
            bpm=bpm,
            beat_phase=phase,
            bar_phase=(number % 4 + phase) / 4,
            beat_number=number,
            confidence=confidence,
            variant=variant,
            md_bass=relative.bass,
            md_mid=relative.mid,
            md_treb=relative.treb,
            md_bass_att=relative.bass_att,
            md_mid_att=relative.mid_att,
            md_treb_att=relative.treb_att,
            sound=self._sound_at(sound_s),
        )

    def level_at(self, time_s: float, ahead_s: float = 0.0) -> float:
        """`Features.level` alone."""
        sound_s = time_s - self.start_s
        hit_s = sound_s + min(ahead_s, self.kicks.latency_s)
        kicks_s = self._onsets["kick"].times_before(hit_s, N_KICKS)
        return self._shown.level_at(sound_s + ahead_s, self.kicks.level_at(hit_s), kicks_s)

    def beat_at(self, time_s: float, ahead_s: float = 0.0) -> BeatState:
        """Tempo and beat alone; all 0 where the tempo is not followed."""
        if self.tempo is None:
            return BeatState(0.0, 0.0, 0, 0.0)
        # the place in the beat is known for any time; what is known of the beat may be of later sound
        state = self.tempo.state_at(time_s - self.start_s - self._tempo_from_s, ahead_s)
        return state._replace(number=state.number + self._n_beats) if self._n_beats else state

    def _sound_at(self, sound_s: float) -> SoundBlock | None:
        """The sound up to a time; up to the newest where the time is later."""
        if self._sound is None:
            return None
        rate_hz = self.sample_rate_hz
        return SoundBlock(self._sound.before(round(sound_s * rate_hz), block_samples(rate_hz)), rate_hz)


class _Onsets:
    """Times and strengths of the newest onsets of a drum. n_onsets: how many there were."""

    MOST = 512

    def __init__(self) -> None:
        self.n_onsets = 0
        self._times_s: list[float] = []
        self._strengths: list[float] = []

    def add(self, time_s: float, strength: float) -> None:
        """Note an onset later than all before it."""
        self.n_onsets += 1
        self._times_s.append(time_s)
        self._strengths.append(strength)
        if len(self._times_s) > self.MOST:
            del self._times_s[: self.MOST // 2], self._strengths[: self.MOST // 2]

    def before(self, time_s: float) -> tuple[int, float, float]:
        """How many there were until a time, and time and strength of the newest of them (-inf and 0 if there was
        none).
        """
        index = bisect_right(self._times_s, time_s + _ALIKE)
        n_onsets = self.n_onsets - len(self._times_s) + index
        if index == 0:
            return n_onsets, -math.inf, 0.0
        return n_onsets, self._times_s[index - 1], self._strengths[index - 1]

    def times_before(self, time_s: float, n_most: int) -> list[float]:
        """The times of the newest onsets until a time, n_most at most, in order."""
        index = bisect_right(self._times_s, time_s + _ALIKE)
        return self._times_s[max(0, index - n_most) : index]


class _Sound:
    """The newest sound, in stereo. n_samples: how many are kept; start: index of the first one pushed."""

    def __init__(self, n_samples: int, start: int) -> None:
        self._kept = np.zeros((2, n_samples), np.float32)
        self._end = start

    def push(self, samples: NDArray[np.floating]) -> None:
        """Keep the newest of a block, (n,) or (n, 2). Bad samples are 0."""
        n_kept = self._kept.shape[1]
        self._end += len(samples)
        newest = samples[-n_kept:].T
        good = np.nan_to_num(np.clip(newest, -1.0, 1.0), nan=0.0)
        at = (self._end - len(samples[-n_kept:])) % n_kept
        n_first = min(n_kept - at, good.shape[-1])
        self._kept[:, at : at + n_first] = good[..., :n_first]
        self._kept[:, : good.shape[-1] - n_first] = good[..., n_first:]

    def before(self, end: int, n_samples: int) -> NDArray[np.float32]:
        """n samples up to the index `end`: (2, n_samples). What is not kept is 0."""
        n_kept, end = self._kept.shape[1], min(end, self._end)
        found = np.zeros((2, n_samples), np.float32)
        first = max(0, end - n_samples, self._end - n_kept)
        if first < end:
            at, n_found = first % n_kept, end - first
            out = found[:, n_samples - n_found :]
            n_first = min(n_kept - at, n_found)
            out[:, :n_first] = self._kept[:, at : at + n_first]
            out[:, n_first:] = self._kept[:, : n_found - n_first]
        return found
