"""Analyse a sound file with the followers of a live show, or with those of `play` and `export`."""

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
from ..beat import Bands, Hit, Onset
from ..errors import BadInput
from ..settings import BeatSettings
from ..show.depth import depth_of
from .input_analysis import Followers

log = logging.getLogger(__name__)

FPS = 60  # of the depth curve
BANDS_HZ = 50  # values a second of the bands
TEMPO_STEP_S = 0.5
PEAK_SAMPLES = 512  # per point of the waveform
SURE = 0.3  # confidence from which a tempo counts


@dataclass(frozen=True)
class Analysis:
    """The results of the followers: at each time, what was known then.

    Parameters
    ----------
    onsets, hits : kicks; snares, hats and bass notes; with the times at which they are reported, or `ahead`, at which
    they begin. depth : (n,) at times i / FPS, each a little later than the time of the sound where kicks are reported
    late; of the kick alone,
        whatever `beat.without_kicks` says, and with the motion decay in place of energy.
    bands : (m, 4) at times i / BANDS_HZ: bass, mid, high and loudness, 0..1.
    tempo : (k, 3) at times i * TEMPO_STEP_S: beats per minute, confidence 0..1 and phase of the beat 0..1.
    beats : predicted beats, (time_s, time of the prediction in s).
    silence : (from_s, to_s) of each silence, as it was reported.
    peaks : (p, 2), lowest and highest sample of each PEAK_SAMPLES samples.
    """

    onsets: list[Onset]
    hits: list[Hit]
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
        """Tempo of the whole file, beats per minute: the median of the certain values; None if there are none."""
        sure = self.tempo[self.tempo[:, 1] >= SURE, 0]
        return float(np.median(sure)) if len(sure) else None

    def as_json(self) -> dict[str, Any]:
        """The output of `--json`: times in seconds, depth 1..n_depths, bands, strengths, confidence and phase 0..1."""
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
            "snares_s": [round(hit.time_s, 6) for hit in self.hits if hit.drum == "snare"],
            "hats_s": [round(hit.time_s, 6) for hit in self.hits if hit.drum == "hat"],
            "bass_notes_s": [round(hit.time_s, 6) for hit in self.hits if hit.drum == "bass"],
            "bands": {"step_s": 1 / BANDS_HZ, **bands},
            "tempo": {
                "step_s": TEMPO_STEP_S,
                "bpm": np.round(bpm, 2).tolist(),
                "confidence": np.round(confidence, 3).tolist(),
                "phase": (np.round(phase, 4) % 1).tolist(),  # 1 after rounding is 0
            },
            "beats": [
                {"time_s": round(beat_s, 4), "told_at_s": round(predicted_s, 4)} for beat_s, predicted_s in self.beats
            ],
            "silence": [{"from_s": round(from_s, 3), "to_s": round(to_s, 3)} for from_s, to_s in self.silence],
        }


def analyze(
    path: Path,
    beat: BeatSettings,
    n_depths: int,
    *,
    stream: int | None = None,
    ahead: bool = False,
    say: Callable[[str], None] = log.warning,
    progress: Callable[[float, float | None], None] = lambda done_s, total_s: None,
) -> Analysis:
    """Analyse a sound file causally, as a live show would, or as a song that is known beforehand.

    Parameters
    ----------
    path : of the file.
    beat : settings of the followers.
    n_depths : deepest depth.
    stream : number of the sound stream, see `Song`.
    ahead : detect kicks, snares and hats with what comes after them, as `play` and `export` do.
    say : called with each message for the user.
    progress : called with the seconds analysed so far and of the whole file, None if that is unknown.

    Raises BadInput.
    """
    onsets: list[Onset] = []
    hits: list[Hit] = []
    beats: list[tuple[float, float]] = []
    hop_bands: list[np.ndarray] = []
    peaks: list[np.ndarray] = []
    levels: list[float] = []
    tempo = [(120.0, 0.0, 0.0)]
    n_samples = 0
    with Song(path, stream=stream) as song:
        if note := silence_note(path, stream):
            say(note)
        rate_hz = song.sample_rate_hz
        mix, followers = MonoMix(rate_hz), Followers(rate_hz, beat, is_known=ahead)
        ahead_s = followers.kicks.latency_s
        rest = np.zeros(0, np.float32)
        # blocks as long as the step between two tempos, because a follower knows only its current tempo
        while len(block := song.read(_samples_to(len(tempo), rate_hz) - n_samples)):
            mono = mix.push(block)
            n_samples += len(mono)
            new_onsets, new_bands, new_beats = followers.push(mono)
            onsets += new_onsets
            hits += followers.kicks.hits
            beats += new_beats
            hop_bands.append(np.array(new_bands, np.float32).reshape(-1, len(Bands._fields)))
            if n_samples == _samples_to(len(tempo), rate_hz):
                now = followers.tempo
                tempo.append((now.tempo_bpm, now.confidence, now.phase_at(n_samples / rate_hz)))
            # only where the analysis is complete: the newest samples wait until their hop is full
            while len(levels) / FPS + ahead_s <= followers.kicks.time_s:
                levels.append(followers.kicks.level_at(len(levels) / FPS + ahead_s))
            rest = np.concatenate([rest, mono])
            whole = len(rest) // PEAK_SAMPLES * PEAK_SAMPLES
            stretches = rest[:whole].reshape(-1, PEAK_SAMPLES)
            peaks.append(np.stack([stretches.min(axis=1), stretches.max(axis=1)], axis=1))
            rest = rest[whole:]
            progress(n_samples / rate_hz, song.duration_s)
    if not n_samples:
        raise BadInput(f"{path} contains no sound")
    if mix.note:
        say(f"{path.name}: {mix.note}")
    duration_s = n_samples / rate_hz
    onsets += followers.kicks.finish()
    hits += followers.kicks.hits
    while len(levels) < duration_s * FPS:
        levels.append(followers.kicks.level_at(len(levels) / FPS + ahead_s))
    depth = [depth_of(level, n_depths, beat) for level in levels]
    hops = np.concatenate(hop_bands)
    return Analysis(
        [onset for onset in onsets if onset.time_s <= duration_s],
        [hit for hit in hits if hit.time_s <= duration_s],
        np.array(depth[: int(np.ceil(duration_s * FPS))]),
        _sampled(hops[:, :4], followers.bands.hop_s, duration_s),
        np.array(tempo),
        [one for one in beats if one[0] < duration_s],
        _spans(hops[:, 4] > 0, followers.bands.hop_s, duration_s),
        np.concatenate(peaks),
        n_depths,
        rate_hz,
        duration_s,
    )


def _samples_to(n_steps: int, rate_hz: int) -> int:
    """Number of samples before the n-th tempo."""
    return round(n_steps * TEMPO_STEP_S * rate_hz)


def _sampled(hops: np.ndarray, hop_s: float, duration_s: float) -> np.ndarray:
    """Values known at times i / BANDS_HZ: (hops, n) -> (ceil(duration_s * BANDS_HZ), n)."""
    times_s = np.arange(int(np.ceil(duration_s * BANDS_HZ))) / BANDS_HZ
    # before the first hop there was silence
    known = np.concatenate([np.zeros((1, hops.shape[1])), hops])
    return known[np.minimum((times_s / hop_s + 1e-6).astype(int), len(hops))]


def _spans(true: np.ndarray, hop_s: float, duration_s: float) -> list[tuple[float, float]]:
    """Intervals of True: (hops,) bool, known at the end of each hop -> (from_s, to_s). The first value also counts
    before its hop ends.
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], true[:1], true, [False]]).astype(int)))
    times_s = np.minimum(edges * hop_s, duration_s).tolist()
    return list(zip(times_s[::2], times_s[1::2], strict=True))
