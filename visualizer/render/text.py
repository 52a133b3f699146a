"""Text as pixels: which letters can be written, how long a line may be, and the panel behind it. No graphics card."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

ELLIPSIS = "…"
LEAST_TEXT_PX = 11
_LONGEST_LINE = 400  # characters looked at; no screen shows more
_INK = 245
_PANEL_OPACITY = 184

# What Pillow's own font lacks and a show likes to say, in letters it has.
_FOLDED = str.maketrans(
    {"←": "<", "→": ">", "↑": "^", "↓": "v", "–": "-", "—": "-", "−": "-", "×": "x", "•": "·", "▶": ">", "⏸": "||"}
)
# Looked for on the system for other scripts, first found first asked. None is shipped, none is needed.
_SYSTEM_FONTS = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "LiberationSans-Regular.ttf",
    "segoeui.ttf",
    "arial.ttf",
    "Arial Unicode.ttf",
    "NotoSansCJK-Regular.ttc",
    "msgothic.ttc",
    "Hiragino Sans GB.ttc",
)


@dataclass(frozen=True)
class Layout:
    """The measures of a panel, px, for one size of picture."""

    text_px: int
    margin_px: int
    padding_px: int
    line_px: int
    max_width_px: int
    max_lines: int

    @property
    def max_height_px(self) -> int:
        """What a panel of that many lines takes."""
        return self.max_lines * self.line_px + 2 * self.padding_px

    @classmethod
    def of(cls, size: tuple[int, int]) -> Layout | None:
        """The measures for a picture of size (width, height), px; None if no text could be read on it."""
        width, height = size
        text_px = max(LEAST_TEXT_PX, round(min(height / 34, width / 36)))
        margin_px = max(4, round(text_px * 0.9))
        padding_px = max(4, round(text_px * 0.7))
        line_px = round(text_px * 1.45)
        max_width_px = width - 2 * margin_px
        max_lines = (height - 2 * (margin_px + padding_px)) // line_px
        if max_width_px < 2 * padding_px + 3 * text_px or max_lines < 1:
            return None
        return cls(text_px, margin_px, padding_px, line_px, max_width_px, max_lines)

    def smaller(self, factor: float, room_px: tuple[int, int]) -> Layout | None:
        """The same with smaller letters, for a panel of at most `room_px` (width, height); None if they could not be read."""
        text_px = round(self.text_px * factor)
        padding_px = max(4, round(text_px * 0.7))
        line_px = round(text_px * 1.45)
        max_lines = (room_px[1] - 2 * padding_px) // line_px
        if text_px < LEAST_TEXT_PX or max_lines < 1 or room_px[0] < 2 * padding_px + 3 * text_px:
            return None
        return Layout(text_px, self.margin_px, padding_px, line_px, room_px[0], max_lines)


def draw_panel(lines: Sequence[str], layout: Layout, *, steady: bool = True) -> np.ndarray | None:
    """A dark panel with lines of text: (H, W, 4) uint8, premultiplied alpha, top row first; None without any text.

    A tab ends a column: what follows it begins at one place in all lines that have one. Lines that are too long end in an
    ellipsis, and so do lines that are too many. steady: the width goes in steps, so that
    the panel does not tremble while its figures change.
    """
    from PIL import Image, ImageDraw

    typeset = _typeset(tuple(lines), layout, steady)
    if typeset is None:
        return None
    rows, text_width = typeset
    width, height = _panel_size(rows, text_width, layout)

    ink = Image.new("L", (width, height))
    baseline = round((layout.line_px - layout.text_px) / 2 + layout.text_px * 0.82)
    for index, cells in enumerate(rows):
        strip = Image.new("L", (text_width, layout.line_px))
        draw = ImageDraw.Draw(strip)
        for start_px, row in cells:
            x = float(start_px)
            for font, run in row:
                draw.text((x, baseline), run, fill=255, font=font, anchor="ls")
                x += font.getlength(run)
        ink.paste(strip, (layout.padding_px, layout.padding_px + index * layout.line_px))
    letters = np.asarray(ink, np.uint16)
    pixels = np.empty((height, width, 4), np.uint8)
    pixels[..., :3] = (letters * _INK // 255)[..., None]  # the panel itself is black
    pixels[..., 3] = letters + _plate((width, height), layout.padding_px) * (255 - letters) // 255
    return pixels


def panel_size(lines: Sequence[str], layout: Layout, *, steady: bool = True) -> tuple[int, int]:
    """How wide and high `draw_panel` makes a panel, px; (0, 0) without any text."""
    typeset = _typeset(tuple(lines), layout, steady)
    return (0, 0) if typeset is None else _panel_size(*typeset, layout)


def _panel_size(rows: list[list[tuple[int, Row]]], text_width: int, layout: Layout) -> tuple[int, int]:
    return text_width + 2 * layout.padding_px, len(rows) * layout.line_px + 2 * layout.padding_px


@functools.lru_cache(maxsize=32)
def _typeset(lines: tuple[str, ...], layout: Layout, steady: bool) -> tuple[list[list[tuple[int, Row]]], int] | None:
    """The lines as they will stand, and the width of the widest, px; None without any text."""
    told = [tuple(tidy(cell) for cell in line.split("\t", 1)) for line in lines]
    if not any(any(cells) for cells in told):
        return None
    if len(told) > layout.max_lines:
        told = [*told[: layout.max_lines - 1], (ELLIPSIS,)]
    room_px = layout.max_width_px - 2 * layout.padding_px
    rows = _columns(told, layout.text_px, room_px)
    step_px = 2 * layout.text_px if steady else 1
    widest_px = max(x + _width(row) for cells in rows for x, row in cells)
    return rows, min(room_px, -(-widest_px // step_px) * step_px)


@functools.lru_cache(maxsize=8)
def _plate(size: tuple[int, int], radius_px: int) -> np.ndarray:
    """How opaque the panel behind the letters is: (H, W) uint16, 0..255; its corners are round."""
    from PIL import Image, ImageDraw

    # drawn four times as large and averaged: a round corner without steps
    scale = 4
    plate = Image.new("L", (size[0] * scale, size[1] * scale))
    ImageDraw.Draw(plate).rounded_rectangle(
        (0, 0, size[0] * scale - 1, size[1] * scale - 1), radius=radius_px * scale, fill=_PANEL_OPACITY
    )
    return np.asarray(plate.resize(size, Image.Resampling.BOX), np.uint16)


def tidy(line: str) -> str:
    """A line made fit to show: control, direction and half characters out, not endless."""
    shown = []
    # NFC: macOS writes file names with accents apart from their letters
    for character in unicodedata.normalize("NFC", line[: 4 * _LONGEST_LINE]).translate(_FOLDED):
        kind = unicodedata.category(character)
        if kind in ("Cc", "Zl", "Zp"):
            shown.append(" ")
        elif kind == "Cs":  # half of a pair, as in a file name that is not UTF-8
            shown.append("?")
        elif kind not in ("Cf", "Cn", "Co"):
            shown.append(character)
    return "".join(shown).rstrip()[:_LONGEST_LINE]


Row = list[tuple[Any, str]]  # runs of letters with the font each is written in


def _width(row: Row) -> int:
    return round(sum(font.getlength(run) for font, run in row) + 0.5)


def _columns(told: Sequence[tuple[str, ...]], text_px: int, room_px: int) -> list[list[tuple[int, Row]]]:
    """For each line its cells, one or two: where each begins, px, and its runs."""
    first = [_fit(cells[0], text_px, room_px if len(cells) == 1 else room_px // 2) for cells in told]
    # no double column is narrower than its widest first cell, and a gap of more than a word's
    stop_px = max((_width(row) for row, cells in zip(first, told, strict=True) if len(cells) > 1), default=0) + text_px
    rows: list[list[tuple[int, Row]]] = []
    for row, cells in zip(first, told, strict=True):
        rows.append([(0, row)])
        if len(cells) > 1:
            rows[-1].append((stop_px, _fit(cells[1], text_px, room_px - stop_px)))
    return rows


def _fit(line: str, text_px: int, room_px: int) -> Row:
    """The runs of a line, cut to a width with an ellipsis if it is wider."""
    row = _runs(line, text_px)
    if _width(row) <= room_px:
        return row
    low, high = 0, len(line)
    while low < high:
        middle = (low + high + 1) // 2
        if _width(_runs(line[:middle].rstrip() + ELLIPSIS, text_px)) <= room_px:
            low = middle
        else:
            high = middle - 1
    return _runs(line[:low].rstrip() + ELLIPSIS, text_px)


def _runs(line: str, text_px: int) -> Row:
    runs: Row = []
    for character in line:
        font, written = _written(character, text_px)
        if runs and runs[-1][0] is font:
            runs[-1] = (font, runs[-1][1] + written)
        else:
            runs.append((font, written))
    return runs


@functools.lru_cache(maxsize=4096)
def _written(character: str, text_px: int) -> tuple[Any, str]:
    """How a character is written: a font that has it and the letters to write; its base letter or "?" as a last resort."""
    own = _own_font(text_px)
    if unicodedata.combining(character):
        return own, ""
    if _has(own, character):
        return own, character
    for font in _system_fonts(text_px):
        if _has(font, character):
            return font, character
    plain = "".join(c for c in unicodedata.normalize("NFKD", character) if c.isascii() and c.isprintable())
    return own, plain or "?"


def _has(font: Any, character: str) -> bool:
    """True if the font draws the character as something else than its box for the unknown."""
    drawn, unknown = font.getmask(character), font.getmask("\uffff")
    return drawn.size != unknown.size or bytes(drawn) != bytes(unknown)


@functools.lru_cache(maxsize=8)
def _own_font(text_px: int) -> Any:
    """The font that comes inside Pillow: there on every machine."""
    from PIL import ImageFont

    return ImageFont.load_default(text_px)


@functools.lru_cache(maxsize=8)
def _system_fonts(text_px: int) -> tuple[Any, ...]:
    from PIL import ImageFont

    return tuple(ImageFont.truetype(file, text_px) for file in system_font_files())


@functools.lru_cache(maxsize=1)
def system_font_files() -> tuple[str, ...]:
    """Files of the fonts found on the system. Searching takes a while: done once, when a letter is first missing."""
    from PIL import ImageFont

    found = []
    for name in _SYSTEM_FONTS:
        try:
            found.append(str(ImageFont.truetype(name).path))
        except OSError:
            continue
    return tuple(found)
