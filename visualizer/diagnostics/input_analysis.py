"""Analyse an input device: kicks, bands and tempo together."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np

from ..audio.capture import Capture
from ..audio.devices import list_devices
from ..beat import AheadFollower, BandFollower, Bands, KickFollower, Onset
from ..beat.onset_follower import OnsetFollower
from ..beat.tempo import TempoFollower
from ..clock import Stopwatch
from ..errors import DeviceError
from ..files.remembered import DEFAULT_INPUT, remembered_input
from ..settings import BeatSettings
from ..show.clocks import Pacer
from ..show.depth import depth_of

RATE_HZ = 25.0  # readings per second: enough for a terminal
# The meter rises at once and falls like a studio's (IEC 60268-10, type I: 20 dB in 1.7 s), down to a minimum.
METER_FALL_DB_S = 12.0
METER_MIN_DB = -99.0
CLIPPED = 0.999
QUIET = Bands(0.0, 0.0, 0.0, 0.0, silent=True)


def input_of(device: str | int | None) -> str | int | None:
    """The input that `live` would use: for None the remembered one if it is connected; None (the default input) for
    "default".
    """
    if device is None:
        remembered = remembered_input()
        if remembered is not None and any(one.name == remembered for one in list_devices() if one.n_inputs):
            return remembered
    return None if device == DEFAULT_INPUT else device


class Followers:
    """The followers of kicks, bands and tempo, fed with the same sound."""

    def __init__(self, sample_rate_hz: int, beat: BeatSettings, *, is_known: bool = False) -> None:
        """is_known: the sound is known beforehand, and kicks are detected with what comes, see `AheadFollower`."""
        follower: type[OnsetFollower] = AheadFollower if is_known else KickFollower
        self.kicks = follower(sample_rate_hz, beat)
        self.bands = BandFollower(sample_rate_hz, beat)
        self.tempo = TempoFollower(sample_rate_hz)

    def push(self, mono: np.ndarray) -> tuple[list[Onset], list[Bands], list[tuple[float, float]]]:
        """Take the next block, (n,) float -> kicks reported in it, bands of every hop in it, (beat_s, predicted_at_s)
        predicted in it.
        """
        return self.kicks.push(mono), self.bands.push(mono), self.tempo.push(mono)


@dataclass(frozen=True)
class InputReading:
    """The analysis of an input at one time. Times in seconds of sound since the start."""

    time_s: float
    level_db: float  # the meter, dB of full scale
    peak_db: float  # the loudest sample so far
    bands: Bands
    depth: float  # 1..n_depths
    n_kicks: int
    kick: Onset | None  # the last one
    tempo_bpm: float
    confidence: float  # of the tempo, 0..1
    phase: float  # of the beat, 0..1
    n_beats: int  # beats predicted
    n_clipped: int  # samples at full scale
    n_overruns: int
    n_dropped: int
    note: str = ""  # a message if the channels cancel each other, see `MonoMix`


class InputAnalysis:
    """Analyses an input device. `readings` yields without end; close it, or use it as a context."""

    def __init__(
        self,
        device: str | int | None,
        beat: BeatSettings,
        n_depths: int,
        *,
        channels: Sequence[int] = (),
        gain_db: float = 0.0,
    ) -> None:
        """Open the device: its index, name, a part of its name, or None for the one that `live` would use.

        channels: those to mix, from 1; () for all. gain_db: of the input. Raises UnknownDevice, BadInput, DeviceError.
        """
        self._capture = Capture(input_of(device), channels=channels, gain_db=gain_db)
        self.device_name = self._capture.device_name
        self.sample_rate_hz = self._capture.sample_rate_hz
        self.n_depths = n_depths
        self._followers = Followers(self.sample_rate_hz, beat)
        self._bands = QUIET
        self._kick: Onset | None = None
        self._n_kicks = self._n_beats = self._n_clipped = 0
        self._level_db = self._peak_db = METER_MIN_DB

    def readings(self, *, rate_hz: float = RATE_HZ) -> Generator[InputReading, None, None]:
        """Yield a reading rate_hz times a second. Raises DeviceError when the device is lost."""
        self._capture.start()
        pacer, since = Pacer(rate_hz), Stopwatch()
        before_s = 0.0
        while True:
            pacer.wait()
            now_s = since.elapsed_s()
            self._level_db = max(METER_MIN_DB, self._level_db - METER_FALL_DB_S * (now_s - before_s))
            before_s = now_s
            for block in self._capture.drain()[0]:
                self._take(block)
            if self._capture.lost:
                raise DeviceError(f"the sound of {self.device_name!r} is lost: {self._capture.lost}")
            yield self._now()

    def _take(self, block: np.ndarray) -> None:
        onsets, bands, beats = self._followers.push(block)
        if onsets:
            self._kick = onsets[-1]
        if bands:
            self._bands = bands[-1]
        self._n_kicks += len(onsets)
        self._n_beats += len(beats)
        size = np.abs(block)
        self._n_clipped += int(np.count_nonzero(size >= CLIPPED))
        level_db = 20 * math.log10(max(float(size.max(initial=0.0)), 1e-10))
        self._level_db = max(self._level_db, level_db)
        self._peak_db = max(self._peak_db, level_db)

    def _now(self) -> InputReading:
        kicks, tempo = self._followers.kicks, self._followers.tempo
        return InputReading(
            time_s=kicks.time_s,
            level_db=self._level_db,
            peak_db=self._peak_db,
            bands=self._bands,
            depth=depth_of(kicks.level_at(kicks.time_s), self.n_depths, kicks.settings),
            n_kicks=self._n_kicks,
            kick=self._kick,
            tempo_bpm=tempo.tempo_bpm,
            confidence=tempo.confidence,
            phase=tempo.phase_at(kicks.time_s),
            n_beats=self._n_beats,
            n_clipped=self._n_clipped,
            n_overruns=self._capture.n_overruns,
            n_dropped=self._capture.n_dropped,
            note=self._capture.mix_note,
        )

    def close(self) -> None:
        """Close the device. May be called twice."""
        self._capture.close()

    def __enter__(self) -> InputAnalysis:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
