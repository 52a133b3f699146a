"""Draws the analysis of live input, and level meters, in the terminal."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from ..oneline import time_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console
    from rich.text import Text

    from ..audio.devices import Device
    from ..diagnostics.input_analysis import InputAnalysis, InputReading

METER_DB = (-60.0, 0.0)
# The input meter changes its colour at these levels, dBFS: hot, and about to clip.
HOT_DB, FULL_DB = -6.0, -0.5
# Below this level the advice is to turn the input up, dBFS.
SOFT_DB = -30.0
# Below this level it is called silence, dBFS.
SILENT_DB = -80.0
# How long the kick indicator is lit, seconds.
FLASH_S = 0.12
# Tempo and beat are shown from this confidence on, 0..1.
MIN_CONFIDENCE = 0.1
BEAT_CELLS = 8
LABEL, READING = 7, 14  # columns left and right of a bar
WIDEST_BAR = 80

INK, FAINT, DIM = "#e8e6f0", "#a09bb8", "#4a4560"
LEVEL, HOT, FULL = "#7f9fe8", "#e0a458", "#ff5c5c"
BASS, MID, HIGH, KICK, DEPTH, BEAT = "#e0a458", "#5fd3bc", "#b39df3", "#ff7a59", "#d8d4ea", "#8fd0ff"


def draw_input(analysis: InputAnalysis) -> InputReading | None:
    """Draw readings until Ctrl-C. Returns the last one. Raises DeviceError if the device is lost."""
    from rich.console import Console
    from rich.live import Live

    console = Console(highlight=False)
    last: InputReading | None = None
    with closing(analysis.readings()) as readings, Live(console=console, auto_refresh=False) as screen:
        try:
            for last in readings:
                screen.update(page(analysis, last, console), refresh=True)
        except KeyboardInterrupt:
            pass  # a normal end
    return last


def summary(analysis: InputAnalysis, reading: InputReading | None) -> str:
    """A summary in one line."""
    if reading is None or reading.time_s <= 0:
        return f"{analysis.device_name}: no sound was received"
    parts = [
        f"{analysis.device_name}: {reading.time_s:.0f} s",
        f"{reading.n_kicks} kicks ({60 * reading.n_kicks / reading.time_s:.0f} a minute)",
        f"{reading.tempo_bpm:.1f} BPM" if reading.confidence >= MIN_CONFIDENCE else "no steady beat",
        f"loudest {reading.peak_db:.1f} dBFS",
        f"{reading.n_overruns} xruns",
    ]
    if reading.n_dropped:
        parts.append(f"{reading.n_dropped} samples dropped")
    if reading.n_clipped:
        parts.append(f"{reading.n_clipped} samples clipped")
    return ", ".join(parts)


def page(analysis: InputAnalysis, reading: InputReading, console: Console) -> Text:
    """The page to draw now: 13 lines, at most as wide as the console."""
    from rich.text import Text

    pen = _Pen(console)
    clock = time_text(reading.time_s)
    bands = reading.bands
    flash = reading.kick is not None and reading.time_s - reading.kick.time_s < FLASH_S
    n_depths = analysis.n_depths
    share = (reading.depth - 1) / (n_depths - 1) if n_depths > 1 else reading.depth
    lines = [
        pen.header(analysis.device_name, f"{analysis.sample_rate_hz} Hz  {clock}"),
        Text(),
        pen.meter(reading.level_db),
        _advice(reading),
        pen.bar("kick", share, KICK if flash else DEPTH, f"depth {reading.depth:4.1f}", lamp=flash),
        Text(),
        pen.bar("high", bands.high, HIGH, f"{bands.high:.2f}"),
        pen.bar("mid", bands.mid, MID, f"{bands.mid:.2f}"),
        pen.bar("bass", bands.bass, BASS, f"{bands.bass:.2f}"),
        pen.bar("loud", bands.loudness, FAINT, "silence" if bands.silent else f"{bands.loudness:.2f}"),
        Text(),
        pen.beat(reading),
        pen.counts(reading),
    ]
    for line in lines:
        line.truncate(console.width)
    return Text("\n").join(lines)


def level_page(device: Device, level_db: Mapping[int, float], note: str, console: Console) -> Text:
    """The page of a level meter. level_db: level in dBFS by channel number; note: a line of advice, or ""."""
    from rich.text import Text

    pen = _Pen(console)
    lines = [pen.header(device.description or device.name, f"{device.default_rate_hz} Hz"), Text()]
    lines += [pen.meter(db, f"ch {channel}") for channel, db in level_db.items()]
    loudest_db = max(level_db.values(), default=-99.0)
    word = "silence" if loudest_db < SILENT_DB else _word(loudest_db)
    lines.append(Text(" " * LABEL + f"{word}   press any key to stop", style=FAINT))
    if note:
        lines.append(Text(" " * LABEL + note, style=HOT))
    for line in lines:
        line.truncate(console.width)
    return Text("\n").join(lines)


def _word(level_db: float) -> str:
    return "clips: turn it down" if level_db >= FULL_DB else "soft: turn it up" if level_db < SOFT_DB else "good"


def _advice(reading: InputReading) -> Text:
    """Advice about the level."""
    from rich.text import Text

    if reading.level_db >= FULL_DB:
        word, colour = "clips: turn it down", FULL
    elif reading.bands.silent:
        word, colour = "silence", FAINT
    elif reading.note:
        word, colour = reading.note, HOT
    else:
        word, colour = ("soft: turn it up", HOT) if reading.level_db < SOFT_DB else ("good", FAINT)
    return Text(" " * LABEL + word, style=colour)


class _Pen:
    """Builds lines as wide as the console, in ASCII where it has no Unicode."""

    def __init__(self, console: Console) -> None:
        self._plain = console.options.ascii_only
        self._n_columns = console.width
        self._n_bar = max(8, min(WIDEST_BAR, console.width - LABEL - READING))

    def header(self, left: str, right: str) -> Text:
        from rich.text import Text

        width = min(self._n_columns, LABEL + self._n_bar + READING)
        name = Text(left, style=f"bold {INK}")
        name.truncate(max(1, width - len(right) - 2), overflow="crop" if self._plain else "ellipsis", pad=True)
        return name.append(f"  {right}", style=FAINT)

    def bar(self, label: str, share: float, colour: str, reading: str, *, lamp: bool | None = None) -> Text:
        """A line: label, lamp, a bar filled to `share` 0..1, and a value as text."""
        from rich.text import Text

        line = Text(f"{label:<{LABEL - 2}}", style=FAINT)
        light = " " if lamp is None else ("*" if self._plain else "●") if lamp else "." if self._plain else "·"
        line.append(f"{light} ", style=f"bold {KICK}" if lamp else DIM)
        self._fill(line, min(1.0, max(0.0, share)), colour)
        return line.append(f"  {reading}", style=INK)

    def meter(self, level_db: float, label: str = "input") -> Text:
        """A line with the level of an input, dBFS."""
        low_db, high_db = METER_DB
        colour = FULL if level_db >= FULL_DB else HOT if level_db >= HOT_DB else LEVEL
        reading = f"{level_db:5.1f} dBFS" if level_db > -90 else "   no dBFS"
        return self.bar(label, (level_db - low_db) / (high_db - low_db), colour, reading)

    def beat(self, reading: InputReading) -> Text:
        """A line with the tempo, its confidence, and a light that runs along once a beat."""
        from rich.text import Text

        sure = reading.confidence >= MIN_CONFIDENCE
        line = Text(f"{'beat':<{LABEL}}", style=FAINT)
        on, off = ("#", ".") if self._plain else ("●", "·")
        here = int(reading.phase * BEAT_CELLS) if sure else -1
        for cell in range(BEAT_CELLS):
            lit = cell == here
            line.append(f"{on if lit else off} ", style=(f"bold {KICK}" if cell == 0 else BEAT) if lit else DIM)
        line.append(f"  {reading.tempo_bpm:5.1f} BPM" if sure else "    -   BPM", style=f"bold {INK}" if sure else DIM)
        line.append("   sure ", style=FAINT)
        n_cells = 10
        n_lit = round(reading.confidence * n_cells)
        line.append(("=" if self._plain else "━") * n_lit, style=BEAT)
        line.append(("-" if self._plain else "━") * (n_cells - n_lit), style=DIM)
        return line.append(f" {reading.confidence:.2f}", style=INK)

    def counts(self, reading: InputReading) -> Text:
        from rich.text import Text

        line = Text(f"{'kicks':<{LABEL}}", style=FAINT)
        line.append(f"{reading.n_kicks}", style=INK)
        for name, count in (
            ("xruns", reading.n_overruns),
            ("dropped", reading.n_dropped),
            ("clipped", reading.n_clipped),
        ):
            line.append(f"   {name} ", style=FAINT).append(f"{count}", style=FULL if count else INK)
        return line.append("   Ctrl-C to stop", style=DIM)

    def _fill(self, line: Text, share: float, colour: str) -> None:
        if self._plain:
            n_full = round(share * self._n_bar)
            line.append("#" * n_full, style=colour).append("." * (self._n_bar - n_full), style=DIM)
            return
        whole, eighths = divmod(round(share * self._n_bar * 8), 8)
        line.append("█" * whole, style=colour)
        if eighths:
            line.append(" ▏▎▍▌▋▊▉"[eighths], style=colour)
        line.append("─" * (self._n_bar - whole - bool(eighths)), style=DIM)
