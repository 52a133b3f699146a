"""How a show stands at one moment: what the performer's panel and the controllers are told. Plain data, quick to send."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from .parameters import Parameter


class Meters(NamedTuple):
    """What there is to show of a sound, see `Snapshot`. late_s: how long ago the newest sample came, seconds."""

    peak: float = 0.0
    channel_peaks: tuple[float, ...] = ()
    spectrum_db: np.ndarray = np.zeros(0, np.float32)
    level: float = 0.0
    n_kicks: int = 0
    bpm: float = 0.0
    phase: float = 0.0
    confidence: float = 0.0
    moves_by_itself: bool = False
    led_by: str = ""
    late_s: float = 0.0
    input: str = ""
    input_state: str = ""


@dataclass(frozen=True)
class Snapshot:
    """A show at one moment.

    time_s: `time.monotonic`. preset: the one shown, presets: all of them in their order, wanted: the one being opened, "" if
    none; each by its reference, see `PresetFolder`. peak: largest sample since the last snapshot, full scale = 1, and channel_peaks: of each channel of an input before they are
    mixed, () where there is no input; spectrum_db: (n,) dBFS of
    bands of equal ratio from 30 Hz to 16 kHz, empty where nothing is heard; level: 0..1, what the depth is made of; n_kicks:
    kicks told so far. bpm, phase 0..1 and confidence 0..1 of the tempo. depth: 0..n_depths; n_baked of n_dreams: finished
    dream frames. rate_hz: display frames a second; p95_ms: from one to the next; latency_ms: from sound to light as far as
    the program can tell, 0 if it cannot. scale: share of the size drawn. input: its name; input_state: "" while it is heard.
    led_by: what leads the tempo ("Link"), "" if it is heard. values: of every `parameters.Parameters` name. notice: the line
    said last; faults: parts that are degraded, "analysis: ..."; lines: the HUD's "name<tab>value" lines. learning: what the
    next control moved will be bound to, "" if nothing; look: the parameters that the look shown declares; bindings: target to control, "beat.decay" to "CC 7 channel 1".
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
    moves_by_itself: bool = False
    led_by: str = ""
    values: dict[str, float | str] = field(default_factory=dict)
    notice: str = ""
    faults: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    learning: str = ""
    look: tuple[Parameter, ...] = ()
    bindings: dict[str, str] = field(default_factory=dict)
