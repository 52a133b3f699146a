"""The three sources of sound, each with the followers that hear it.

`pump` takes in the sound that has come, `level_at` and `variant_at` answer for a time in seconds of that sound. Where the
sound is known before it is heard (playing a file, exporting), the follower is asked ahead by its own latency, so that the
picture moves on the kick; live, its newest word is the earliest there is.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np

from ..audio.capture import Capture
from ..audio.decode import Song
from ..audio.input import OK, ZEROS, LiveInput
from ..audio.mono import MonoMix
from ..audio.playback import Playback, SilentPlayback
from ..beat import BeatFollower, KickFollower
from ..control.snapshot import Meters
from ..settings import BeatSettings
from .ear import Ear
from .pulse import LEAST_SURE, InternalClock


class Sound(Protocol):
    """What the loop asks of a source of sound."""

    def pump(self, time_s: float) -> None:
        """Take in the sound there is, or as much as is needed to know the level at time_s."""

    def level_at(self, time_s: float) -> float:
        """The level 0..1 at a time in seconds of sound."""

    def variant_at(self, time_s: float) -> float:
        """The place along the variants at a time in seconds of sound, 0 the first .. 1 the last; 0 where there is one variant."""


class _Rebuild:
    """A follower being built in a thread: that takes as long as a display frame, and more where the machine is busy.

    rate_hz: sample rate of the sound that it is for; blocks, stamp_s: the sound that came meanwhile, and when its newest sample came.
    """

    def __init__(self, rate_hz: int, beat: BeatSettings) -> None:
        self.rate_hz = rate_hz
        self.blocks: list[np.ndarray] = []
        self.stamp_s = 0.0
        executor = ThreadPoolExecutor(1, "followers")
        self._future = executor.submit(BeatFollower, rate_hz, beat)
        executor.shutdown(wait=False)

    def result(self) -> BeatFollower | None:
        """The follower; None while it is being built. Raises what building it raised."""
        return self._future.result() if self._future.done() else None


class LiveSound:
    """Sound as it is caught. Its time is that of the newest sample; `position_s` counts on between blocks, and while the
    sound is lost: the followers then hear silence, so that time and tempo go on, and the internal clock moves the picture.
    """

    # No block for so long is taken for silence, and a gap in what came, as after stale sound was dropped, is filled with it;
    # of a longer one than this, only this much.
    REST_S, GAP_S, LONGEST_REST_S = 0.3, 0.2, 4.0
    # Silence is given this late, so that sound that comes after all finds its place.
    BEHIND_S = 0.05

    def __init__(
        self,
        capture: Capture | LiveInput,
        beat: BeatSettings,
        *,
        now: Callable[[], float],
        n_variants: int = 1,
    ) -> None:
        self._capture = capture
        self._now = now
        self._n_variants = n_variants
        self._rate_hz = capture.sample_rate_hz
        self._ear = Ear(BeatFollower(self._rate_hz, beat), n_variants)
        self._start_s = 0.0  # where in this sound's time the followers began
        self._fed_s: float | None = None  # when the newest sample came that the followers have heard
        self._position_s = 0.0
        self._rests = False  # whether that was silence for want of sound
        self._clock = InternalClock()
        self._rebuild: _Rebuild | None = None
        self._n_kicks = 0  # told by followers that are no more
        self._led: tuple[float, float] | None = None  # tempo and a beat of whoever leads it
        self._lifted = False  # a kick was told, or shown ahead, since `listen` said so last

    @property
    def follower(self) -> BeatFollower:
        """The one that hears now; another after the device came back with another sample rate."""
        return self._ear.kicks

    @property
    def tempo_bpm(self) -> float:
        """Beats a minute, as heard or tapped."""
        return self.follower.tempo.tempo_bpm

    @property
    def confidence(self) -> float:
        """How sure the tempo is, 0..1."""
        return self.follower.tempo.confidence

    @property
    def moves_by_itself(self) -> bool:
        """Whether the internal clock moves the picture."""
        return self._clock.is_seen

    def pump(self, time_s: float) -> None:
        blocks, stamp_s = self._capture.drain()
        if blocks:
            rate_hz, expected_hz = self._capture.sample_rate_hz, self._rate_hz
            if self._rebuild is not None:
                expected_hz = self._rebuild.rate_hz
            if rate_hz != expected_hz:
                self._rebuild = None if rate_hz == self._rate_hz else self._build(rate_hz)
        if self._rebuild is not None:
            if blocks:
                self._rebuild.blocks += blocks
                self._rebuild.stamp_s = stamp_s
            self._finish_rebuild(self._rebuild)
        elif blocks:
            self._hear(blocks, stamp_s)
        else:
            self._rest()
        now_s = self.position_s()
        lost = self._rests or getattr(self._capture, "state", OK) == ZEROS
        phase = self.follower.tempo.phase_at(now_s - self._start_s)
        self._clock.step(now_s, lost=lost, tempo_bpm=self.tempo_bpm, confidence=self.confidence, phase=phase)

    def listen(self, timeout_s: float) -> bool:
        """Wait so long at most for sound to come in, and hear it at once. True if a kick has raised the level since the last call."""
        if self._capture.arrived.wait(timeout_s):
            self._capture.arrived.clear()  # before it is fetched: what comes meanwhile sets it again
            self.pump(self.position_s())
        lifted, self._lifted = self._lifted, False
        return lifted

    def position_s(self) -> float:
        """Seconds since listening began: of sound, and of silence where there was none. Counts on from the newest block, and
        never goes back."""
        since_s = 0.0 if self._fed_s is None else max(0.0, self._now() - self._fed_s)
        # after a gap too short to be filled it stands still for as long
        self._position_s = max(self._position_s, self._start_s + self.follower.time_s + since_s)
        return self._position_s

    def level_at(self, time_s: float) -> float:
        return max(self.follower.level_at(time_s - self._start_s), self._clock.level_at(time_s))

    def variant_at(self, time_s: float) -> float:
        return self._ear.variant_at(time_s - self._start_s)

    def tap(self, time_s: float) -> None:
        """A beat tapped by hand at a time of this sound, seconds."""
        self.follower.tap(time_s - self._start_s)

    def scale_tempo(self, factor: float) -> None:
        """Halve (0.5) or double (2.0) the tempo."""
        self.follower.scale_tempo(factor)

    def set_beat(self, beat: BeatSettings, n_variants: int | None = None) -> None:
        """Take other settings over while it hears, and keep the tempo; n_variants: as before unless given."""
        self._n_variants = self._n_variants if n_variants is None else n_variants
        self._ear.set_beat(beat, n_variants)

    def take_peak(self) -> float:
        """The largest sample since the last call, full scale = 1."""
        return self._ear.take_peak()

    def begin_anew(self) -> None:
        """Replace followers that fail, and keep their tempo if it is sure. The new ones are built on another thread."""
        if self._rebuild is None:
            self._rebuild = self._build(self._rate_hz)

    def take_up(self, bpm: float, beat_s: float) -> None:
        """Begin with a tempo that was known before: beats a minute, and when one of its beats was, on the clock that sound is stamped with."""
        at_s = self.position_s() - self._start_s + beat_s - self._now()
        for back in (1, 0):
            self.tap(self._start_s + at_s - back * 60.0 / bpm)

    def lead_tempo(self, bpm: float, beat_s: float) -> None:
        """Take over a tempo led from elsewhere: beats a minute, and when one of its beats is on the clock that sound is stamped with.
        bpm 0: it is led no longer."""
        self._led = (bpm, beat_s) if bpm > 0 else None
        self._lead()

    def heard(self) -> Meters:
        """What there is to show of the sound."""
        follower, ear = self.follower, self._ear
        now_s = self.position_s() - self._start_s
        return Meters(
            peak=ear.take_peak("heard"),
            spectrum_db=ear.spectrum_db(),
            level=follower.level_at(now_s),
            n_kicks=self._n_kicks + ear.n_kicks,
            bpm=self.tempo_bpm,
            phase=follower.tempo.phase_at(now_s),
            confidence=self.confidence,
            moves_by_itself=self.moves_by_itself,
            led_by="Link" if self._led is not None else "",
            late_s=max(0.0, self._now() - self._fed_s) if self._fed_s is not None else 0.0,
        )

    def _lead(self) -> None:
        if self._led is None:
            self.follower.lead_tempo(None)
        else:
            bpm, beat_s = self._led
            sound_s = self.position_s() - self._start_s
            self.follower.lead_tempo(bpm, sound_s + beat_s - self._now())

    def _hear(self, blocks: list[np.ndarray], stamp_s: float) -> None:
        """Take in what came, the newest of it at stamp_s, in its place in time."""
        sound = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
        if self._fed_s is not None:
            gap_s = stamp_s - self._fed_s - len(sound) / self._rate_hz
            if gap_s > self.GAP_S:
                self._silence(gap_s)
            elif gap_s < 0 and self._rests:  # silence was heard in place of the oldest of it
                sound = sound[min(len(sound), round(-gap_s * self._rate_hz)) :]
        n_led = self.follower.n_led
        self._lifted = self._ear.push(sound) or self.follower.n_led > n_led or self._lifted
        self._fed_s = stamp_s if self._fed_s is None else max(stamp_s, self._fed_s)
        self._rests = False

    def _rest(self) -> None:
        """Nothing came: after a while that is silence."""
        now_s = self._now()
        if self._fed_s is None:
            self._fed_s = now_s
        if now_s - self._fed_s > (self.BEHIND_S if self._rests else self.REST_S):
            rest_s = now_s - self._fed_s - self.BEHIND_S
            self._silence(rest_s)
            self._fed_s += rest_s
            self._rests = True

    def _silence(self, seconds: float) -> None:
        heard_s = min(seconds, self.LONGEST_REST_S)
        self._start_s += seconds - heard_s
        self._ear.push(np.zeros(round(heard_s * self._rate_hz), np.float32))

    def _build(self, rate_hz: int) -> _Rebuild:
        return _Rebuild(rate_hz, self.follower.settings)

    def _finish_rebuild(self, rebuild: _Rebuild) -> None:
        """Take the new follower, once it is built; it hears first what came meanwhile. Raises what building it raised."""
        try:
            follower = rebuild.result()
        except Exception:
            self._rebuild = None
            raise
        if follower is not None:
            self._rebuild = None
            self._replace(follower)
            if rebuild.blocks:
                self._hear(rebuild.blocks, rebuild.stamp_s)

    def _replace(self, follower: BeatFollower) -> None:
        """Another follower, as for another sample rate, that begins with the tempo of the one before."""
        before, at_s = self.follower, self._start_s
        self._n_kicks += self._ear.n_kicks
        self._start_s += before.time_s
        self._rate_hz = follower.sample_rate_hz
        self._ear = Ear(follower, self._n_variants)
        self._ear.set_beat(before.settings)  # they may have been turned meanwhile
        if before.tempo.confidence >= LEAST_SURE:
            beat_s = at_s + before.tempo.next_beat_s(before.time_s) - self._start_s
            for back in (2, 1):
                self.follower.tap(beat_s - back * 60.0 / before.tempo.tempo_bpm)
        if self._led is not None:
            self._lead()


class PlayedSound:
    """A song being played. Its time is the position in the song; a seek begins a new follower there.

    `beat.lead_ms` does nothing here, nor in an export: the sound is known before it is heard, so every kick is shown on time,
    foreseen or not. Nothing needs the tempo either, and its 1 to 2 % of a core are saved.
    """

    def __init__(
        self,
        playback: Playback | SilentPlayback,
        rate_hz: int,
        beat: BeatSettings,
        *,
        n_variants: int = 1,
    ) -> None:
        self._playback = playback
        self._rate_hz = rate_hz
        self._beat = beat
        self._n_variants = n_variants
        self._next_sample = 0
        self._begin(0)

    def set_beat(self, beat: BeatSettings, n_variants: int | None = None) -> None:
        """Take other settings over while it plays; n_variants: as before unless given."""
        self._beat = beat
        self._n_variants = self._n_variants if n_variants is None else n_variants
        self._ear.set_beat(beat, n_variants)

    def begin_anew(self) -> None:
        """New followers: for when these fail."""
        self._begin(self._next_sample)

    def heard(self) -> Meters:
        """What there is to show of the sound."""
        ear = self._ear
        level = ear.kicks.level_at(self._heard_s(self._playback.position_s))
        return Meters(peak=ear.take_peak("heard"), spectrum_db=ear.spectrum_db(), level=level, n_kicks=ear.n_kicks)

    def _begin(self, start_sample: int) -> None:
        self._ear = Ear(KickFollower(self._rate_hz, self._beat), self._n_variants)
        self._start_s = start_sample / self._rate_hz
        self._next_sample = start_sample

    def pump(self, time_s: float) -> None:
        for start_sample, block in self._playback.drain():
            if start_sample != self._next_sample:
                self._begin(start_sample)
            self._ear.push(block)
            self._next_sample += len(block)

    def level_at(self, time_s: float) -> float:
        return self._ear.kicks.level_at(self._heard_s(time_s))

    def variant_at(self, time_s: float) -> float:
        return self._ear.variant_at(self._heard_s(time_s))

    def _heard_s(self, time_s: float) -> float:
        return time_s - self._start_s + self._ear.kicks.latency_s


class ExportedSound:
    """A song read just as far as the next display frame needs, handed on to `on_block` for the file's own sound track."""

    BLOCK_SAMPLES = 4096

    def __init__(
        self,
        song: Song,
        beat: BeatSettings,
        on_block: Callable[[np.ndarray], None] | None = None,
        *,
        n_variants: int = 1,
    ) -> None:
        self._song = song
        self._on_block = on_block
        self._n_samples = 0
        self._mix = MonoMix(song.sample_rate_hz)
        self.ended = False
        self._ear = Ear(KickFollower(song.sample_rate_hz, beat), n_variants)
        self.follower = self._ear.kicks

    @property
    def mix_note(self) -> str:
        """A line for the user where the song's channels cancel each other, "" if they do not; see `MonoMix`."""
        return self._mix.note

    @property
    def read_s(self) -> float:
        """Seconds of the song read so far: all of it once `ended`."""
        return self._n_samples / self._song.sample_rate_hz

    def pump(self, time_s: float) -> None:
        while not self.ended and self.read_s < time_s + self.follower.latency_s:
            block = self._song.read(self.BLOCK_SAMPLES)
            if not len(block):
                self.ended = True
                break
            self._n_samples += len(block)
            self._ear.push(self._mix.push(block))
            if self._on_block is not None:
                self._on_block(block)

    def level_at(self, time_s: float) -> float:
        return self.follower.level_at(time_s + self.follower.latency_s)

    def variant_at(self, time_s: float) -> float:
        return self._ear.variant_at(time_s + self.follower.latency_s)
