"""The state of a show at one moment, for the performer's panel and the controllers. Plain data, quick to send to
another process.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from .capabilities import Capability
from .parameters import Parameter


class Meters(NamedTuple):
    """What panel and HUD show of the source, see `Snapshot`. late_s: how long ago the newest sample came, seconds."""

    peak: float = 0.0
    channel_peaks: tuple[float, ...] = ()
    spectrum_db: np.ndarray = np.zeros(0, np.float32)
    level: float = 0.0
    n_kicks: int = 0
    bpm: float = 0.0
    phase: float = 0.0
    confidence: float = 0.0
    is_fallback: bool = False
    led_by: str = ""
    late_s: float = 0.0
    input: str = ""
    input_state: str = ""


@dataclass(frozen=True)
class Snapshot:
    """A show at one moment.

    Attributes
    ----------
    time_s : `clock.monotonic` seconds
    title, preset, presets, wanted : title and reference of the preset shown, references of all presets in order, and
        of the one being opened, "" if none; see `presets.preset.PresetFolder`
    peak, channel_peaks : the largest sample since the last snapshot, full scale = 1; of each channel of an input
        before they are mixed, () if there is no input
    spectrum_db : (n,) dBFS of bands of equal ratio from 30 Hz to 16 kHz, empty if there is no sound
    level, n_kicks : the kick's level 0..1, which depth is made of; kicks reported so far
    bpm, phase, confidence, led_by : the tempo, the place in the beat 0..1, how certain 0..1; what leads it ("Link"),
        "" if it is detected
    depth, n_depths, n_baked, n_dreams : the depth shown, 0..n_depths; finished dream frames, of how many
    rate_hz, p95_ms, n_dropped, n_repeated : display frames a second, time from one to the next, frames missed and
        shown again
    latency_ms, scale : from sound to light as far as the program can tell, 0 if it cannot; fraction of the size that
        is drawn
    input, input_state : name of the input or the song; why there is no sound, "" if there is
    has_journey : whether the preset shown has one
    is_fallback : whether the fallback metronome moves the picture
    values, look : the value of every parameter; the parameters of the looks that are shown
    moving, by_hand : the parameters of the looks that the music moves now, and the number that each has; those that a
        hand has set
    notice, faults, lines : the newest line for the user; parts that are failing, "analysis: ..."; the HUD's
        "name<tab>value" lines
    recording : how the recording of a session goes, "" while there is none
    learning, bindings : the target that the next control moved is bound to, "" if none; controls by target,
        "beat.decay" to "CC 7"
    capabilities : what the source can do: only actions that it can carry out have a button
    """

    time_s: float
    title: str
    preset: str
    presets: tuple[str, ...]
    wanted: str = ""
    peak: float = 0.0
    channel_peaks: tuple[float, ...] = ()
    spectrum_db: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    level: float = 0.0
    n_kicks: int = 0
    bpm: float = 0.0
    phase: float = 0.0
    confidence: float = 0.0
    depth: float = 0.0
    n_depths: int = 1
    n_baked: int = 0
    n_dreams: int = 0
    rate_hz: float = 0.0
    p95_ms: float = 0.0
    n_dropped: int = 0
    n_repeated: int = 0
    latency_ms: float = 0.0
    scale: float = 1.0
    input: str = ""
    input_state: str = ""
    has_journey: bool = False
    is_fallback: bool = False
    led_by: str = ""
    values: dict[str, float | str] = field(default_factory=dict)
    notice: str = ""
    faults: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    recording: str = ""
    learning: str = ""
    look: tuple[Parameter, ...] = ()
    moving: dict[str, float] = field(default_factory=dict)
    by_hand: frozenset[str] = frozenset()
    bindings: dict[str, str] = field(default_factory=dict)
    capabilities: frozenset[Capability] = frozenset(Capability)
