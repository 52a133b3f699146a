"""What the panel shows and nobody turns: level, spectrum, lights, figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .sheet import Box, Sheet
from .style import AMBER, BLACK, BODY, FAINT, GREEN, HUGE, LARGE, RED, SMALL, TEXT, TRACK, WHITE, Colour, mixed

#: what the level meter and the spectrum show, dBFS
METER_LOW_DB, SPECTRUM_LOW_DB = -60.0, -96.0
_HOT_DB, _RED_DB = -12.0, -3.0
#: of more channels than this only the loudest is drawn
_MOST_LINES = 4


def meter(sheet: Sheet, levels_db: Sequence[float], held_db: float, is_clipped: bool) -> None:
    """The level of each channel of the input, dB of full scale, with the peak that is held and the light of clipping."""
    u = sheet.u
    box = sheet.take(42.0)
    light = Box(box.right - 58 * u, box.y, 58 * u, 26 * u)
    bar = Box(box.x, box.y, box.w - 122 * u, 26 * u)
    n = len(levels_db)
    line_h = (bar.h - (n - 1) * 2 * u) / n if n <= _MOST_LINES else bar.h
    for index, level_db in enumerate(levels_db if n <= _MOST_LINES else [max(levels_db)]):
        line = Box(bar.x, bar.y + index * (line_h + 2 * u), bar.w, line_h)
        rounding = 4 if line_h == bar.h else 0
        sheet.fill(line, TRACK, rounding)
        for low_db, high_db, colour in ((METER_LOW_DB, _HOT_DB, GREEN), (_HOT_DB, _RED_DB, AMBER), (_RED_DB, 0.0, RED)):
            left, right = _share(low_db), _share(min(high_db, level_db))
            if right > left:
                lit = Box(line.x + line.w * left, line.y, line.w * (right - left), line.h)
                sheet.fill(lit, colour, rounding if low_db == METER_LOW_DB else 0)
    if held_db > METER_LOW_DB:
        x = bar.x + bar.w * min(_share(held_db), 1.0)
        sheet.fill(Box(min(x, bar.right - 3 * u), bar.y, 3 * u, bar.h), WHITE, 0)
    words = f"{held_db:.1f}" if held_db > METER_LOW_DB else "-"
    sheet.write(Box(bar.right, bar.y, light.x - bar.right - 8 * u, bar.h), words, BODY, WHITE, bold=True, align=1.0)
    sheet.fill(light, RED if is_clipped else TRACK, 4)
    sheet.write(light, "CLIP", SMALL, WHITE if is_clipped else FAINT, bold=True, align=0.5)
    for db in (-60, -48, -36, -24, -12, 0):
        x = bar.x + bar.w * _share(db)
        align = 0.0 if db == -60 else 1.0 if db == 0 else 0.5
        sheet.write(Box(x - 20 * u * 2 * align, bar.bottom, 40 * u, 16 * u), f"{db}", 12.0, FAINT, align=align)


def _share(db: float) -> float:
    return min(max((db - METER_LOW_DB) / -METER_LOW_DB, 0.0), 1.0)


def spectrum(
    sheet: Sheet,
    bands_db: np.ndarray,
    held_db: np.ndarray,
    band: tuple[float, float] | None,
    low_colour: Colour,
    colour: Colour,
) -> None:
    """The spectrum as bars. bands_db, held_db: (n,) dBFS and the peaks held; band: the share of the width, from and to, 0..1, that
    is marked and drawn in `low_colour`: where a kick's strength is measured.
    """
    u = sheet.u
    box = sheet.take(104.0)
    bars = Box(box.x, box.y, box.w, box.h - 16 * u)
    sheet.fill(bars, TRACK, 4, 0.55)
    n = len(bands_db)
    if band is not None:
        marked = Box(bars.x + bars.w * band[0], bars.y, bars.w * (band[1] - band[0]), bars.h)
        sheet.fill(marked, low_colour, 4, 0.16)
    if n == 0:
        sheet.write(bars, "nothing is heard", BODY, FAINT, align=0.5)
    width = bars.w / max(n, 1)
    gap = min(1.5 * u, width * 0.25)
    for index in range(n):
        x = bars.x + index * width
        share = min(max(float(bands_db[index]) / -SPECTRUM_LOW_DB + 1.0, 0.0), 1.0)
        held = min(max(float(held_db[index]) / -SPECTRUM_LOW_DB + 1.0, 0.0), 1.0)
        inside = band is not None and band[0] <= (index + 0.5) / n <= band[1]
        ink = low_colour if inside else colour
        sheet.fill(Box(x + gap / 2, bars.bottom - bars.h * share, width - gap, bars.h * share), ink, 1)
        if held > 0:
            sheet.fill(
                Box(x + gap / 2, bars.bottom - bars.h * held, width - gap, 2 * u), mixed(ink, WHITE, 0.5), 0, 0.75
            )
    for hz, words in ((30, "30 Hz"), (100, "100"), (300, "300"), (1000, "1k"), (3000, "3k"), (16000, "16k")):
        x = bars.x + bars.w * frequency_share(hz)
        align = 0.0 if hz == 30 else 1.0 if hz == 16000 else 0.5
        sheet.write(Box(x - 60 * u * align, bars.bottom, 60 * u, 16 * u), words, 12.0, FAINT, align=align)


def frequency_share(hz: float) -> float:
    """Where a frequency lies across the spectrum, 0..1: equal ratios from 30 Hz to 16 kHz."""
    return float(min(max(np.log(max(hz, 1.0) / 30.0) / np.log(16000.0 / 30.0), 0.0), 1.0))


def light(sheet: Sheet, label: str, brightness: float, colour: Colour, height: float) -> None:
    """A lamp with its name under it. brightness: 0..1."""
    u = sheet.u
    box = sheet.take(height)
    lamp = Box(box.x, box.y, box.w, box.h - 20 * u)
    x, y, radius = lamp.x + lamp.w / 2, lamp.y + lamp.h / 2, min(lamp.w, lamp.h) * 0.36
    for glow in (1.38, 1.22, 1.1):
        sheet.disc(x, y, radius * glow, colour, 0.2 * brightness)
    sheet.disc(x, y, radius, mixed(TRACK, mixed(colour, WHITE, 0.25 * brightness), brightness))
    sheet.ring(x, y, radius, mixed(TRACK, colour, 0.5 + 0.5 * brightness), 2 * u)
    sheet.write(
        Box(box.x, lamp.bottom, box.w, 20 * u), label, SMALL, mixed(FAINT, WHITE, brightness), bold=True, align=0.5
    )


def number(sheet: Sheet, value: str, unit: str, note: str, height: float, colour: Colour = TEXT) -> None:
    """A large number with its unit beside and a note under it."""
    u = sheet.u
    box = sheet.take(height)
    upper = Box(box.x, box.y, box.w, box.h - 22 * u)
    size = HUGE
    while size > LARGE and sheet.text_width(value, size, bold=True) + sheet.text_width(unit, SMALL) + 8 * u > box.w:
        size -= 3
    used = sheet.write(upper, value, size, colour, bold=True)
    rest = Box(upper.x + used + 7 * u, upper.y + upper.h / 2, upper.w - used - 7 * u, size * 0.38 * u)
    sheet.write(rest, unit, SMALL, FAINT, down=1.0)
    sheet.write(Box(box.x, upper.bottom, box.w, 22 * u), note, SMALL, FAINT)


def tile(sheet: Sheet, label: str, value: str, colour: Colour = TEXT) -> None:
    """A figure under its name."""
    u = sheet.u
    box = sheet.take(50.0)
    sheet.write(Box(box.x, box.y, box.w, 18 * u), label, SMALL, FAINT)
    sheet.write(Box(box.x, box.y + 18 * u, box.w, 32 * u), value, LARGE, colour, bold=True)


def bar(
    sheet: Sheet, label: str, share: float, text: str, colour: Colour, *, height: float = 30.0, marks: int = 0
) -> None:
    """A level from 0 to 1 with words in it. marks: how many equal parts are told apart by lines."""
    u = sheet.u
    box = sheet.take(height)
    share = min(max(share, 0.0), 1.0)
    sheet.fill(box, TRACK, 5)
    sheet.fill(Box(box.x, box.y, box.w * share, box.h), mixed(BLACK, colour, 0.62), 5)
    if share > 0:
        x = box.x + box.w * share
        sheet.fill(Box(max(x - 4 * u, box.x), box.y, min(4 * u, box.w * share), box.h), colour, 2)
    for index in range(1, marks):
        sheet.fill(Box(box.x + box.w * index / marks, box.bottom - 5 * u, 1 * u, 5 * u), FAINT, 0, 0.5)
    inner = Box(box.x + 10 * u, box.y, box.w - 20 * u, box.h)
    used = sheet.write(inner, text, BODY, WHITE, bold=True, align=1.0)
    sheet.write(Box(inner.x, inner.y, inner.w - used - 8 * u, inner.h), label, BODY, TEXT)


def lines_of_faults(sheet: Sheet, faults: Sequence[str]) -> None:
    """The parts that are degraded, one under the other."""
    for fault in faults:
        u = sheet.u
        for index, line in enumerate(sheet.paragraph(fault, SMALL, sheet.width * u - 24 * u, 3)):
            box = sheet.take(17.0)
            if index == 0:
                sheet.disc(box.x + 7 * u, box.y + box.h / 2, 4.5 * u, AMBER)
            sheet.write(Box(box.x + 20 * u, box.y, box.w - 20 * u, box.h), line, SMALL, AMBER)
