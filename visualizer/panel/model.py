"""What the performer's panel keeps in mind between two pictures: peaks held, lights fading, sliders being turned. Time is handed in."""

from __future__ import annotations

import math

import numpy as np

from ..control.parameters import Parameter
from ..control.snapshot import Snapshot

CLIPPED = 0.999  # of full scale
HOLD_S, CLIP_S = 1.5, 2.0
LEVEL_FALL_DB_S, HELD_FALL_DB_S, BARS_FALL_DB_S = 45.0, 20.0, 90.0
LEAST_DB = -120.0
FLASH_S = 0.13
#: how long a slider keeps what it was turned to, until the show has taken it over and said so
SETTLE_S = 0.6
#: after so long without a word the show is said to be silent
SILENT_S = 1.5

#: the controls that are always at hand, and what they are called there
MAIN = {
    "beat.sensitivity": "sensitivity",
    "beat.decay": "decay",
    "beat.low_hz": "band from",
    "beat.high_hz": "band to",
    "beat.smoothing_ms": "smoothing",
    "input.gain_db": "input gain",
}
MOTION = "beat.motion"
_UNITS = {"_hz": "Hz", "_db": "dB", "_ms": "ms", "_s": "s", "_px": "px"}


class Meter:
    """An input level that falls slowly, its peak held for a while, and the light of clipping.

    level_db, held_db: dB of full scale; is_clipped.
    """

    def __init__(self) -> None:
        self.level_db = self.held_db = LEAST_DB
        self.is_clipped = False
        self._seen_s = self._held_s = 0.0
        self._clipped_s = -math.inf

    def see(self, peak: float, now_s: float) -> None:
        """The largest sample of late, full scale = 1; NaN is silence."""
        heard_db = 20 * math.log10(peak) if peak > 1e-6 else LEAST_DB
        passed_s = max(now_s - self._seen_s, 0.0)
        self._seen_s = now_s
        self.level_db = max(heard_db, self.level_db - LEVEL_FALL_DB_S * passed_s, LEAST_DB)
        if heard_db >= self.held_db:
            self.held_db, self._held_s = heard_db, now_s
        elif now_s - self._held_s > HOLD_S:
            self.held_db = max(self.held_db - HELD_FALL_DB_S * passed_s, self.level_db)
        if peak >= CLIPPED:
            self._clipped_s = now_s
        self.is_clipped = now_s - self._clipped_s < CLIP_S


class Bars:
    """A spectrum whose bars fall slowly, and the peaks over them, slower still. bands_db, held_db: (n,) dBFS."""

    def __init__(self) -> None:
        self.bands_db = self.held_db = np.zeros(0, np.float32)
        self._seen_s = 0.0

    def see(self, spectrum_db: np.ndarray, now_s: float) -> None:
        """The spectrum of late: (n,) dBFS, empty where nothing is heard."""
        passed_s = max(now_s - self._seen_s, 0.0)
        self._seen_s = now_s
        heard_db = np.nan_to_num(np.asarray(spectrum_db, np.float32), nan=LEAST_DB, neginf=LEAST_DB, posinf=0.0)
        if heard_db.shape != self.bands_db.shape:
            self.bands_db, self.held_db = heard_db.copy(), heard_db.copy()
        self.bands_db = np.maximum(heard_db, self.bands_db - BARS_FALL_DB_S * passed_s)
        self.held_db = np.maximum(self.bands_db, self.held_db - HELD_FALL_DB_S * passed_s)


class Flash:
    """A light that flashes whenever a count has risen, and fades."""

    def __init__(self) -> None:
        self._count: int | None = None
        self._lit_s = -math.inf

    def brightness(self, count: int, now_s: float) -> float:
        """0..1. What was counted before the first look does not flash."""
        if self._count is not None and count > self._count:
            self._lit_s = now_s
        self._count = count
        return math.exp(-max(now_s - self._lit_s, 0.0) / FLASH_S)


class Turning:
    """Values that were turned here and that the show has not told of yet: a slider must not jump back under the hand."""

    def __init__(self) -> None:
        self._turned: dict[str, tuple[float | str, float]] = {}
        self._waiting: dict[str, float | str] = {}

    def value(self, name: str, told: float | str | None, now_s: float) -> float | str | None:
        """What to show: as turned here of late, else as the show tells; None if it does not."""
        if name in self._waiting:
            return self._waiting[name]
        turned = self._turned.get(name)
        if turned is not None and now_s - turned[1] <= SETTLE_S:
            return turned[0]
        self._turned.pop(name, None)
        return told

    def turn(self, parameter: Parameter, value: float | str, now_s: float) -> float | str | None:
        """Turned to `value`; what is to be wished for now. None: nothing, a bake anew waits until it is let go."""
        self._turned[parameter.name] = value, now_s
        if parameter.rebakes:
            self._waiting[parameter.name] = value
            return None
        return value

    def release(self, parameter: Parameter, now_s: float) -> float | str | None:
        """It was let go; what is to be wished for now, None for nothing."""
        value = self._waiting.pop(parameter.name, None)
        if value is not None:
            self._turned[parameter.name] = value, now_s
        return value


def beat_phase(snapshot: Snapshot, now_s: float) -> float | None:
    """Where in the beat it is now, 0..1, gone on from what was told last; None without a tempo."""
    if not snapshot.bpm > 0:
        return None
    return float((snapshot.phase + (now_s - snapshot.time_s) * snapshot.bpm / 60.0) % 1.0)


def beat_brightness(phase: float | None, confidence: float) -> float:
    """How bright the tempo light is: it flashes with the beat and dims until the next; fainter the less sure the tempo is."""
    if phase is None:
        return 0.0
    return (1.0 - phase) ** 3 * (0.3 + 0.7 * min(max(confidence, 0.0), 1.0))


def n_columns(width: float, height: float) -> int:
    """Into how many columns the panel is laid out. width, height: units."""
    if width >= 1215:
        return 3
    return 2 if width >= 760 or (width >= 640 and height < 560) else 1


def zoom(width: float, height: float) -> float:
    """How much larger all is drawn where there is more room than is needed: letters are read at arm's length. 1..1.6."""
    columns = n_columns(width, height)
    needed = {1: (520.0, 1000.0), 2: (780.0, 800.0), 3: (1250.0, 760.0)}[columns]
    return min(max(min(width / needed[0], height / needed[1]), 1.0), 1.6)


def n_across(width: float, n_presets: int) -> int:
    """How many thumbnails stand side by side. width: of their column, units. Fewer presets get larger pictures."""
    return min(max(2, int(width // (170 if n_presets <= 9 else 140))), 5)


def label(parameter: Parameter) -> str:
    """What a control is called in the panel, without its unit."""
    if parameter.name in MAIN:
        return MAIN[parameter.name]
    key = parameter.name.rpartition(".")[2]
    for end in _UNITS:
        key = key.removesuffix(end)
    return key.replace("_", " ")


def shown_value(parameter: Parameter, value: float | str) -> str:
    """A value for reading, with its unit."""
    if isinstance(value, str):
        return value
    if parameter.kind == "switch":
        return "on" if value >= 0.5 else "off"
    unit = next((unit for end, unit in _UNITS.items() if parameter.name.endswith(end)), "")
    if parameter.kind == "whole":
        digits = 0
    else:  # as many as tell two neighbouring places apart
        span = abs(value) if parameter.is_log else parameter.high - parameter.low
        digits = min(max(2 - math.floor(math.log10(span)), 0), 4) if 0 < span < math.inf else 2
    words = f"{value:.{digits}f}"
    return f"{words} {unit}" if unit else words


def share_of(parameter: Parameter, value: float | str) -> float:
    """Where a slider stands, 0..1, whatever the value."""
    try:
        share = parameter.share_of(value)
    except (ValueError, TypeError):
        return 0.0
    return share if 0.0 <= share <= 1.0 else 0.0
