"""Analysing a file: all that a causal follower hears in it, as numbers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..audio.decode import Song
from ..audio.mono import MonoMix
from ..audio.streams import silence_note
from ..beat import Bands, Onset, Stroke
from ..errors import BadInput
from ..settings import BeatSettings
from ..show.depth import depth_of
from .hear import Ear

log = logging.getLogger(__name__)

FPS = 60  # of the depth curve: a display frame each
BANDS_HZ = 50  # values a second of the bands
TEMPO_STEP_S = 0.5
PEAK_SAMPLES = 512  # of sound to a point of the waveform
SURE = 0.3  # confidence from which a tempo is worth telling


@dataclass(frozen=True)
class Analysis:
    """What a causal follower told of a song: at each time, what it knew then.

    onsets: kicks, and strokes: snares and hats, at their emission times; depth: (n,) at times i / FPS, as `play` and `export`
    show it: they know the song and look ahead by what a kick is told late; bands: (m, 4) at times i / BANDS_HZ, bass, mid, high
    and loudness 0..1; tempo: (k, 3) at times i * TEMPO_STEP_S, beats a minute, confidence 0..1 and phase, how far into the
    beat it was, 0..1; beats: (time_s, told_at_s) predicted; silence: (from_s, to_s), as it was told; peaks: (p, 2), lowest and highest sample of each stretch of
    PEAK_SAMPLES.
    """

    onsets: list[Onset]
    strokes: list[Stroke]
    depth: np.ndarray
    bands: np.ndarray
    tempo: np.ndarray
    beats: list[tuple[float, float]]
    silence: list[tuple[float, float]]
    peaks: np.ndarray
    n_depths: int
    sample_rate_hz: int
    duration_s: float

    @property
    def tempo_bpm(self) -> float | None:
        """The tempo of the whole, beats a minute: the median of where it was sure; None if it never was."""
        sure = self.tempo[self.tempo[:, 1] >= SURE, 0]
        return float(np.median(sure)) if len(sure) else None

    def as_json(self) -> dict[str, Any]:
        """What `--json` prints. Times in seconds, depth 1..n_depths, levels, strengths, confidence and phase 0..1."""
        bands = dict(zip(("bass", "mid", "high", "loudness"), np.round(self.bands.T, 4).tolist(), strict=True))
        bpm, confidence, phase = self.tempo.T
        return {
            "onsets_s": [round(onset.time_s, 6) for onset in self.onsets],
            "depth": np.round(self.depth, 4).tolist(),
            "fps": FPS,
            "n_depths": self.n_depths,
            "sample_rate": self.sample_rate_hz,
            "duration_s": round(self.duration_s, 6),
            "onsets": [
                {"time_s": round(onset.time_s, 6), "strength": round(onset.strength, 4)} for onset in self.onsets
            ],
            "snares_s": [round(stroke.time_s, 6) for stroke in self.strokes if stroke.drum == "snare"],
            "hats_s": [round(stroke.time_s, 6) for stroke in self.strokes if stroke.drum == "hat"],
            "bands": {"step_s": 1 / BANDS_HZ, **bands},
            "tempo": {
                "step_s": TEMPO_STEP_S,
                "bpm": np.round(bpm, 2).tolist(),
                "confidence": np.round(confidence, 3).tolist(),
                "phase": (np.round(phase, 4) % 1).tolist(),  # what is rounded up to a beat is on it
            },
            "beats": [{"time_s": round(beat_s, 4), "told_at_s": round(told_s, 4)} for beat_s, told_s in self.beats],
            "silence": [{"from_s": round(from_s, 3), "to_s": round(to_s, 3)} for from_s, to_s in self.silence],
        }


def analyze(
    path: Path,
    beat: BeatSettings,
    n_depths: int,
    *,
    stream: int | None = None,
    say: Callable[[str], None] = log.warning,
    progress: Callable[[float, float | None], None] = lambda done_s, total_s: None,
) -> Analysis:
    """Hear the sound file `path` causally, as a live show would.

    stream: number of its sound stream, see `Song`. say: called with a line the user should read. progress: called with the
    seconds of sound analysed so far and of the whole, None if that is unknown. Raises BadInput.
    """
    onsets: list[Onset] = []
    strokes: list[Stroke] = []
    beats: list[tuple[float, float]] = []
    heard: list[np.ndarray] = []
    peaks: list[np.ndarray] = []
    levels: list[float] = []
    tempo = [(120.0, 0.0, 0.0)]
    n_samples = 0
    with Song(path, stream=stream) as song:
        if note := silence_note(path, stream):
            say(note)
        rate_hz = song.sample_rate_hz
        mix, ear = MonoMix(rate_hz), Ear(rate_hz, beat)
        ahead_s = ear.kicks.latency_s
        rest = np.zeros(0, np.float32)
        # as much at a time as lies between two tempos: a follower tells what it believes now, not what it once did
        while len(block := song.read(_samples_to(len(tempo), rate_hz) - n_samples)):
            mono = mix.push(block)
            n_samples += len(mono)
            new_onsets, new_bands, new_beats = ear.push(mono)
            onsets += new_onsets
            strokes += ear.kicks.strokes
            beats += new_beats
            heard.append(np.array(new_bands, np.float32).reshape(-1, len(Bands._fields)))
            if n_samples == _samples_to(len(tempo), rate_hz):
                now = ear.tempo
                tempo.append((now.tempo_bpm, now.confidence, now.phase_at(n_samples / rate_hz)))
            # only what has been analysed is sampled: the newest samples wait for their hop to fill
            while len(levels) / FPS + ahead_s <= ear.kicks.time_s:
                levels.append(ear.kicks.level_at(len(levels) / FPS + ahead_s))
            rest = np.concatenate([rest, mono])
            whole = len(rest) // PEAK_SAMPLES * PEAK_SAMPLES
            stretches = rest[:whole].reshape(-1, PEAK_SAMPLES)
            peaks.append(np.stack([stretches.min(axis=1), stretches.max(axis=1)], axis=1))
            rest = rest[whole:]
            progress(n_samples / rate_hz, song.duration_s)
    if not n_samples:
        raise BadInput(f"{path} holds no sound")
    if mix.note:
        say(f"{path.name}: {mix.note}")
    duration_s = n_samples / rate_hz
    while len(levels) < duration_s * FPS:
        levels.append(ear.kicks.level_at(len(levels) / FPS + ahead_s))
    depth = [depth_of(level, n_depths, beat) for level in levels]
    hops = np.concatenate(heard)
    return Analysis(
        onsets,
        strokes,
        np.array(depth[: int(np.ceil(duration_s * FPS))]),
        _sampled(hops[:, :4], ear.bands.hop_s, duration_s),
        np.array(tempo),
        [told for told in beats if told[0] < duration_s],
        _spans(hops[:, 4] > 0, ear.bands.hop_s, duration_s),
        np.concatenate(peaks),
        n_depths,
        rate_hz,
        duration_s,
    )


def _samples_to(n_steps: int, rate_hz: int) -> int:
    """How many samples lie before the n-th tempo."""
    return round(n_steps * TEMPO_STEP_S * rate_hz)


def _sampled(hops: np.ndarray, hop_s: float, duration_s: float) -> np.ndarray:
    """What was known at times i / BANDS_HZ: (hops, n) -> (ceil(duration_s * BANDS_HZ), n)."""
    times_s = np.arange(int(np.ceil(duration_s * BANDS_HZ))) / BANDS_HZ
    # before the first hop there was silence
    known = np.concatenate([np.zeros((1, hops.shape[1])), hops])
    return known[np.minimum((times_s / hop_s + 1e-6).astype(int), len(hops))]


def _spans(true: np.ndarray, hop_s: float, duration_s: float) -> list[tuple[float, float]]:
    """Where it was silent: (hops,) bool, told at the end of each hop -> (from_s, to_s). Until the first it is as then."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], true[:1], true, [False]]).astype(int)))
    times_s = np.minimum(edges * hop_s, duration_s).tolist()
    return list(zip(times_s[::2], times_s[1::2], strict=True))
