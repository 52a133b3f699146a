"""State of the panel between two of its frames: held peaks, fading lights, sliders being moved. Time is an argument."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np

from ..control.action import Action
from ..control.actions import find_actions
from ..control.capabilities import Capability
from ..control.parameters import Parameter
from ..control.snapshot import Snapshot

CLIPPED = 0.999  # of full scale
HOLD_S, CLIP_S = 1.5, 2.0
LEVEL_FALL_DB_S, HELD_FALL_DB_S, BARS_FALL_DB_S = 45.0, 20.0, 90.0
MIN_DB = -120.0
FLASH_S = 0.13
#: how long a slider shows the value it was set to, until the show reports that value
SETTLE_S = 0.6
#: the panel warns after this time without a snapshot
NO_SNAPSHOT_S = 1.5

#: the parameters that are always visible, with their labels
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
    """An input level that falls slowly, a held peak and a clip light.

    level_db, held_db: dBFS; is_clipped: clipping in the last `CLIP_S` seconds.
    """

    def __init__(self) -> None:
        self.level_db = self.held_db = MIN_DB
        self.is_clipped = False
        self._updated_s = self._held_s = 0.0
        self._clipped_s = -math.inf

    def update(self, peak: float, now_s: float) -> None:
        """Take in the largest sample since the last call, full scale = 1; NaN counts as silence."""
        new_db = 20 * math.log10(peak) if peak > 1e-6 else MIN_DB
        passed_s = max(now_s - self._updated_s, 0.0)
        self._updated_s = now_s
        self.level_db = max(new_db, self.level_db - LEVEL_FALL_DB_S * passed_s, MIN_DB)
        if new_db >= self.held_db:
            self.held_db, self._held_s = new_db, now_s
        elif now_s - self._held_s > HOLD_S:
            self.held_db = max(self.held_db - HELD_FALL_DB_S * passed_s, self.level_db)
        if peak >= CLIPPED:
            self._clipped_s = now_s
        self.is_clipped = now_s - self._clipped_s < CLIP_S


class Bars:
    """A spectrum whose bars fall slowly, and held peaks that fall more slowly. bands_db, held_db: (n,) dBFS."""

    def __init__(self) -> None:
        self.bands_db = self.held_db = np.zeros(0, np.float32)
        self._updated_s = 0.0

    def update(self, spectrum_db: np.ndarray, now_s: float) -> None:
        """Take in a spectrum: (n,) dBFS, empty without a signal."""
        passed_s = max(now_s - self._updated_s, 0.0)
        self._updated_s = now_s
        new_db = np.nan_to_num(np.asarray(spectrum_db, np.float32), nan=MIN_DB, neginf=MIN_DB, posinf=0.0)
        if new_db.shape != self.bands_db.shape:
            self.bands_db, self.held_db = new_db.copy(), new_db.copy()
        self.bands_db = np.maximum(new_db, self.bands_db - BARS_FALL_DB_S * passed_s)
        self.held_db = np.maximum(self.bands_db, self.held_db - HELD_FALL_DB_S * passed_s)


class Flash:
    """A light that flashes when a count has increased, and fades."""

    def __init__(self) -> None:
        self._count: int | None = None
        self._lit_s = -math.inf

    def brightness(self, count: int, now_s: float) -> float:
        """Brightness of the light, 0..1. The count of the first call does not flash."""
        if self._count is not None and count > self._count:
            self._lit_s = now_s
        self._count = count
        return math.exp(-max(now_s - self._lit_s, 0.0) / FLASH_S)


class PendingValues:
    """Values set in the panel that the show has not reported yet, so that a slider does not jump back while it is
    moved.
    """

    def __init__(self) -> None:
        self._set: dict[str, tuple[float | str, float]] = {}
        self._waiting: dict[str, float | str] = {}

    def value(self, name: str, reported: float | str | None, now_s: float) -> float | str | None:
        """The value to show: the one set in the panel recently, else the one the show has reported."""
        if name in self._waiting:
            return self._waiting[name]
        recent = self._set.get(name)
        if recent is not None and now_s - recent[1] <= SETTLE_S:
            return recent[0]
        self._set.pop(name, None)
        return reported

    def set(self, parameter: Parameter, value: float | str, now_s: float) -> float | str | None:
        """A control was moved to `value`: returns the value to send now; None while a new bake waits for the control's
        release.
        """
        self._set[parameter.name] = value, now_s
        if parameter.rebakes:
            self._waiting[parameter.name] = value
            return None
        return value

    def release(self, parameter: Parameter, now_s: float) -> float | str | None:
        """The control was released: returns the value to send now, None for none."""
        value = self._waiting.pop(parameter.name, None)
        if value is not None:
            self._set[parameter.name] = value, now_s
        return value


def beat_phase(snapshot: Snapshot, now_s: float) -> float | None:
    """Phase of the beat at `now_s`, 0..1, extrapolated from the last snapshot; None without a tempo."""
    if not snapshot.bpm > 0:
        return None
    return float((snapshot.phase + (now_s - snapshot.time_s) * snapshot.bpm / 60.0) % 1.0)


def beat_brightness(phase: float | None, confidence: float) -> float:
    """Brightness of the tempo light, 0..1: it flashes at each beat and fades; it is dimmer while the tempo is
    uncertain.
    """
    if phase is None:
        return 0.0
    return (1.0 - phase) ** 3 * (0.3 + 0.7 * min(max(confidence, 0.0), 1.0))


def small_buttons(capabilities: Collection[Capability] = frozenset(Capability), section: str = "") -> list[Action]:
    """The actions that have a small button in a section of the panel and that a source with these capabilities can
    carry out, in the order of the buttons.
    """
    actions = (
        one
        for one in find_actions().values()
        if one.button and one.section == section and (one.needs is None or one.needs in capabilities)
    )
    return sorted(actions, key=lambda one: one.button_order)


def n_buttons_across(width: float, n_buttons: int) -> int:
    """Number of small buttons side by side: as few rows as fit, filled evenly. width: of their column, units."""
    n_rows = math.ceil(n_buttons / max(int(width // 112), 1))
    return math.ceil(n_buttons / max(n_rows, 1))


def weights_beside(width: float, fixed: Sequence[float], gap: float = 8.0) -> list[float]:
    """The weights of a row whose first cell takes what cells of fixed widths leave. width: of the row; all in units."""
    return [max(width - sum(fixed) - gap * len(fixed), 1.0), *fixed]


def n_columns(width: float, height: float) -> int:
    """Number of columns of the panel. width, height: of its window, units."""
    if width >= 1215:
        return 3
    return 2 if width >= 760 or (width >= 640 and height < 560) else 1


def zoom(width: float, height: float) -> float:
    """Factor, 1..1.6, by which everything is enlarged in a window larger than needed: the text is read from a
    distance.
    """
    columns = n_columns(width, height)
    needed = {1: (520.0, 1000.0), 2: (780.0, 800.0), 3: (1250.0, 760.0)}[columns]
    return min(max(min(width / needed[0], height / needed[1]), 1.0), 1.6)


def n_thumbnails_across(width: float, n_presets: int) -> int:
    """Number of thumbnails side by side; fewer presets get larger ones. width: of their column, units."""
    return min(max(2, int(width // (170 if n_presets <= 9 else 140))), 5)


def label(parameter: Parameter) -> str:
    """Label of a parameter in the panel, without its unit."""
    if parameter.name in MAIN:
        return MAIN[parameter.name]
    if parameter.label:
        return parameter.label
    key = parameter.name.rpartition(".")[2].removeprefix("n_")
    for end in _UNITS:
        key = key.removesuffix(end)
    return key.replace("_", " ")


def format_value(parameter: Parameter, value: float | str) -> str:
    """Format a value with its unit."""
    if isinstance(value, str):
        return value
    if parameter.kind == "switch":
        return "on" if value >= 0.5 else "off"
    if parameter.name.endswith(".amount") and not parameter.can_move:  # of a source; a look's own input can be moved
        return f"{value:+.0%}"
    unit = next((unit for end, unit in _UNITS.items() if parameter.name.endswith(end)), "")
    if parameter.kind == "whole":
        digits = 0
    else:  # enough to distinguish neighbouring positions of a slider
        span = abs(value) if parameter.is_log else parameter.high - parameter.low
        digits = min(max(2 - math.floor(math.log10(span)), 0), 4) if 0 < span < math.inf else 2
    text = f"{value:.{digits}f}"
    return f"{text} {unit}" if unit else text


def slider_position(parameter: Parameter, value: float | str) -> float:
    """Position of a parameter's slider, 0..1; 0 for a value it cannot have."""
    try:
        position = parameter.share_of(value)
    except (ValueError, TypeError):
        return 0.0
    return position if 0.0 <= position <= 1.0 else 0.0
