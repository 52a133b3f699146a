"""The panel's displays: level meter, spectrum, lights, numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .style import AMBER, BLACK, BODY, FAINT, GREEN, HUGE, LARGE, RED, SMALL, TEXT, TRACK, WHITE, Colour, mixed
from .ui import Box, Ui

#: lower ends of the level meter and the spectrum, dBFS
METER_LOW_DB, SPECTRUM_LOW_DB = -60.0, -96.0
_HOT_DB, _RED_DB = -12.0, -3.0
#: of more channels than this only the loudest is drawn
_MAX_CHANNELS = 4


def meter(ui: Ui, levels_db: Sequence[float], held_db: float, is_clipped: bool) -> None:
    """Draw the level of each input channel, the held peak and the clip light.

    levels_db: of each channel, dBFS; held_db: the highest recent peak, dBFS.
    """
    u = ui.u
    box = ui.take(42.0)
    light = Box(box.right - 58 * u, box.y, 58 * u, 26 * u)
    bar = Box(box.x, box.y, box.w - 122 * u, 26 * u)
    n = len(levels_db)
    line_h = (bar.h - (n - 1) * 2 * u) / n if n <= _MAX_CHANNELS else bar.h
    for index, level_db in enumerate(levels_db if n <= _MAX_CHANNELS else [max(levels_db)]):
        line = Box(bar.x, bar.y + index * (line_h + 2 * u), bar.w, line_h)
        rounding = 4 if line_h == bar.h else 0
        ui.fill(line, TRACK, rounding)
        for low_db, high_db, colour in ((METER_LOW_DB, _HOT_DB, GREEN), (_HOT_DB, _RED_DB, AMBER), (_RED_DB, 0.0, RED)):
            left, right = _fraction(low_db), _fraction(min(high_db, level_db))
            if right > left:
                lit = Box(line.x + line.w * left, line.y, line.w * (right - left), line.h)
                ui.fill(lit, colour, rounding if low_db == METER_LOW_DB else 0)
    if held_db > METER_LOW_DB:
        x = bar.x + bar.w * min(_fraction(held_db), 1.0)
        ui.fill(Box(min(x, bar.right - 3 * u), bar.y, 3 * u, bar.h), WHITE, 0)
    text = f"{held_db:.1f}" if held_db > METER_LOW_DB else "-"
    ui.write(Box(bar.right, bar.y, light.x - bar.right - 8 * u, bar.h), text, BODY, WHITE, bold=True, align=1.0)
    ui.fill(light, RED if is_clipped else TRACK, 4)
    ui.write(light, "CLIP", SMALL, WHITE if is_clipped else FAINT, bold=True, align=0.5)
    for db in (-60, -48, -36, -24, -12, 0):
        x = bar.x + bar.w * _fraction(db)
        align = 0.0 if db == -60 else 1.0 if db == 0 else 0.5
        ui.write(Box(x - 20 * u * 2 * align, bar.bottom, 40 * u, 16 * u), f"{db}", 12.0, FAINT, align=align)


def _fraction(db: float) -> float:
    """Position of a level on the meter, 0..1."""
    return min(max((db - METER_LOW_DB) / -METER_LOW_DB, 0.0), 1.0)


def spectrum(
    ui: Ui,
    bands_db: np.ndarray,
    held_db: np.ndarray,
    band: tuple[float, float] | None,
    low_colour: Colour,
    colour: Colour,
    message: str = "",
) -> None:
    """Draw the spectrum as bars.

    Parameters
    ----------
    bands_db, held_db : (n,) levels and held peaks, dBFS.
    band : left and right end of the band that the kick detector measures, as fractions of the width, 0..1; None: none
    is marked. low_colour, colour : of the bars inside that band, and of the others.
    message : drawn over it: why there is no signal.
    """
    u = ui.u
    box = ui.take(104.0)
    bars = Box(box.x, box.y, box.w, box.h - 16 * u)
    ui.fill(bars, TRACK, 4, 0.55)
    n = len(bands_db)
    if band is not None:
        marked = Box(bars.x + bars.w * band[0], bars.y, bars.w * (band[1] - band[0]), bars.h)
        ui.fill(marked, low_colour, 4, 0.16)
    width = bars.w / max(n, 1)
    gap = min(1.5 * u, width * 0.25)
    for index in range(n):
        x = bars.x + index * width
        level = min(max(float(bands_db[index]) / -SPECTRUM_LOW_DB + 1.0, 0.0), 1.0)
        held = min(max(float(held_db[index]) / -SPECTRUM_LOW_DB + 1.0, 0.0), 1.0)
        inside = band is not None and band[0] <= (index + 0.5) / n <= band[1]
        bar_colour = low_colour if inside else colour
        ui.fill(Box(x + gap / 2, bars.bottom - bars.h * level, width - gap, bars.h * level), bar_colour, 1)
        if held > 0:
            ui.fill(
                Box(x + gap / 2, bars.bottom - bars.h * held, width - gap, 2 * u),
                mixed(bar_colour, WHITE, 0.5),
                0,
                0.75,
            )
    lines = ui.paragraph(message or ("" if n else "no signal"), BODY, bars.w - 20 * u, 3)
    for index, line in enumerate(lines):
        y = bars.y + bars.h / 2 + (index - len(lines) / 2) * 22 * u
        ui.write(Box(bars.x, y, bars.w, 22 * u), line, BODY, AMBER if message else FAINT, align=0.5)
    for hz, text in ((30, "30 Hz"), (100, "100"), (300, "300"), (1000, "1k"), (3000, "3k"), (16000, "16k")):
        x = bars.x + bars.w * frequency_position(hz)
        align = 0.0 if hz == 30 else 1.0 if hz == 16000 else 0.5
        ui.write(Box(x - 60 * u * align, bars.bottom, 60 * u, 16 * u), text, 12.0, FAINT, align=align)


def frequency_position(hz: float) -> float:
    """Position of a frequency across the spectrum, 0..1: logarithmic from 30 Hz to 16 kHz."""
    return float(min(max(np.log(max(hz, 1.0) / 30.0) / np.log(16000.0 / 30.0), 0.0), 1.0))


def light(ui: Ui, label: str, brightness: float, colour: Colour, height: float) -> None:
    """Draw a lamp with its label under it. brightness: 0..1; height: units."""
    u = ui.u
    box = ui.take(height)
    lamp = Box(box.x, box.y, box.w, box.h - 20 * u)
    x, y, radius = lamp.x + lamp.w / 2, lamp.y + lamp.h / 2, min(lamp.w, lamp.h) * 0.36
    for glow in (1.38, 1.22, 1.1):
        ui.disc(x, y, radius * glow, colour, 0.2 * brightness)
    ui.disc(x, y, radius, mixed(TRACK, mixed(colour, WHITE, 0.25 * brightness), brightness))
    ui.ring(x, y, radius, mixed(TRACK, colour, 0.5 + 0.5 * brightness), 2 * u)
    ui.write(
        Box(box.x, lamp.bottom, box.w, 20 * u), label, SMALL, mixed(FAINT, WHITE, brightness), bold=True, align=0.5
    )


def number(ui: Ui, value: str, unit: str, note: str, height: float, colour: Colour = TEXT) -> None:
    """Draw a large number with its unit beside it and a note under it. height: units."""
    u = ui.u
    box = ui.take(height)
    upper = Box(box.x, box.y, box.w, box.h - 22 * u)
    size = HUGE
    while size > LARGE and ui.text_width(value, size, bold=True) + ui.text_width(unit, SMALL) + 8 * u > box.w:
        size -= 3
    used = ui.write(upper, value, size, colour, bold=True)
    rest = Box(upper.x + used + 7 * u, upper.y + upper.h / 2, upper.w - used - 7 * u, size * 0.38 * u)
    ui.write(rest, unit, SMALL, FAINT, down=1.0)
    ui.write(Box(box.x, upper.bottom, box.w, 22 * u), note, SMALL, FAINT)


def tile(ui: Ui, label: str, value: str, colour: Colour = TEXT) -> None:
    """Draw a number under its label."""
    u = ui.u
    box = ui.take(50.0)
    ui.write(Box(box.x, box.y, box.w, 18 * u), label, SMALL, FAINT)
    ui.write(Box(box.x, box.y + 18 * u, box.w, 32 * u), value, LARGE, colour, bold=True)


def bar(
    ui: Ui, label: str, fraction: float, text: str, colour: Colour, *, height: float = 30.0, marks: int = 0
) -> None:
    """Draw a level, 0..1, as a bar with a label and a value in it. marks: number of equal parts, separated by tick
    marks.
    """
    u = ui.u
    box = ui.take(height)
    fraction = min(max(fraction, 0.0), 1.0)
    ui.fill(box, TRACK, 5)
    ui.fill(Box(box.x, box.y, box.w * fraction, box.h), mixed(BLACK, colour, 0.62), 5)
    if fraction > 0:
        x = box.x + box.w * fraction
        ui.fill(Box(max(x - 4 * u, box.x), box.y, min(4 * u, box.w * fraction), box.h), colour, 2)
    for index in range(1, marks):
        ui.fill(Box(box.x + box.w * index / marks, box.bottom - 5 * u, 1 * u, 5 * u), FAINT, 0, 0.5)
    inner = Box(box.x + 10 * u, box.y, box.w - 20 * u, box.h)
    used = ui.text_width(text, BODY, bold=True)
    if (left := inner.right - used - 4 * u) < box.x + box.w * fraction:  # the bar's end must not cross out the value
        ui.fill(Box(left, box.y + 3 * u, used + 8 * u, box.h - 9 * u), mixed(BLACK, colour, 0.62), 3)
    ui.write(inner, text, BODY, WHITE, bold=True, align=1.0)
    ui.write(Box(inner.x, inner.y, inner.w - used - 8 * u, inner.h), label, BODY, TEXT)


def fault_lines(ui: Ui, faults: Sequence[str]) -> None:
    """Draw one paragraph for each degraded part of the show."""
    for fault in faults:
        u = ui.u
        for index, line in enumerate(ui.paragraph(fault, SMALL, ui.width * u - 24 * u, 3)):
            box = ui.take(17.0)
            if index == 0:
                ui.disc(box.x + 7 * u, box.y + box.h / 2, 4.5 * u, AMBER)
            ui.write(Box(box.x + 20 * u, box.y, box.w - 20 * u, box.h), line, SMALL, AMBER)
