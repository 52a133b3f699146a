"""Draw text boxes into arrays with Pillow: fonts, line lengths and the background. Does not use the graphics card."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

ELLIPSIS = "…"
MIN_TEXT_PX = 11
MOST_COLUMNS = 4
_MAX_LENGTH = 400  # characters of a line; no display shows more
_TEXT_BRIGHTNESS = 245  # 0..255
_BOX_OPACITY = 184  # 0..255

# Characters missing in Pillow's own font, and what is drawn instead.
_REPLACED = str.maketrans(
    {"←": "<", "→": ">", "↑": "^", "↓": "v", "–": "-", "—": "-", "−": "-", "×": "x", "•": "·", "▶": ">", "⏸": "||"}
)
# Fonts of the system for other scripts, in order of preference. None is shipped, none is needed.
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
    """Measures of a text box, px, for one size of the picture."""

    text_px: int
    margin_px: int
    padding_px: int
    line_px: int
    max_width_px: int
    max_lines: int

    @property
    def max_height_px(self) -> int:
        """Height of a box with `max_lines` lines."""
        return self.max_lines * self.line_px + 2 * self.padding_px

    @classmethod
    def of(cls, size: tuple[int, int]) -> Layout | None:
        """Measures for a picture of size (width, height), px; None if it is too small for legible text."""
        width, height = size
        text_px = max(MIN_TEXT_PX, round(min(height / 34, width / 36)))
        margin_px = max(4, round(text_px * 0.9))
        padding_px = max(4, round(text_px * 0.7))
        line_px = round(text_px * 1.45)
        max_width_px = width - 2 * margin_px
        max_lines = (height - 2 * (margin_px + padding_px)) // line_px
        if max_width_px < 2 * padding_px + 3 * text_px or max_lines < 1:
            return None
        return cls(text_px, margin_px, padding_px, line_px, max_width_px, max_lines)

    def smaller(self, factor: float, room_px: tuple[int, int], closer: float = 1.0) -> Layout | None:
        """The layout with a smaller font, for a box of at most `room_px` (width, height); None if that would not be
        legible. closer: factor of the distance between lines.
        """
        text_px = round(self.text_px * factor)
        padding_px = max(4, round(text_px * 0.7))
        line_px = round(text_px * 1.45 * closer)
        max_lines = (room_px[1] - 2 * padding_px) // line_px
        if text_px < MIN_TEXT_PX or max_lines < 1 or room_px[0] < 2 * padding_px + 3 * text_px:
            return None
        return Layout(text_px, self.margin_px, padding_px, line_px, room_px[0], max_lines)


def draw_text_box(lines: Sequence[str], layout: Layout, *, steady: bool = True) -> np.ndarray | None:
    """Draw lines of text on a dark box: (H, W, 4) uint8, premultiplied alpha, top row first; None without any text.

    Tabs separate up to four columns, which are aligned in all lines that have them. A line that is too long ends in an
    ellipsis, and so does a list of too many lines. steady: the width grows in steps, so that the box does not change
    with every digit.
    """
    from PIL import Image, ImageDraw

    typeset = _typeset(tuple(lines), layout, steady)
    if typeset is None:
        return None
    rows, text_width = typeset
    width, height = _box_size(rows, text_width, layout)

    mask = Image.new("L", (width, height))
    baseline = round((layout.line_px - layout.text_px) / 2 + layout.text_px * 0.82)
    for index, cells in enumerate(rows):
        strip = Image.new("L", (text_width, layout.line_px))
        draw = ImageDraw.Draw(strip)
        for start_px, row in cells:
            x = float(start_px)
            for font, run in row:
                draw.text((x, baseline), run, fill=255, font=font, anchor="ls")
                x += font.getlength(run)
        mask.paste(strip, (layout.padding_px, layout.padding_px + index * layout.line_px))
    coverage = np.asarray(mask, np.uint16)
    pixels = np.empty((height, width, 4), np.uint8)
    pixels[..., :3] = (coverage * _TEXT_BRIGHTNESS // 255)[..., None]  # the box itself is black
    pixels[..., 3] = coverage + _background((width, height), layout.padding_px) * (255 - coverage) // 255
    return pixels


def text_box_size(lines: Sequence[str], layout: Layout, *, steady: bool = True) -> tuple[int, int]:
    """Width and height of the box that `draw_text_box` draws, px; (0, 0) without any text."""
    typeset = _typeset(tuple(lines), layout, steady)
    return (0, 0) if typeset is None else _box_size(*typeset, layout)


@functools.lru_cache(maxsize=8)
def wrapped(text: str, layout: Layout, most_lines: int) -> tuple[str, ...]:
    """A text in as many lines of a box as it needs, divided at spaces where there is one; at most `most_lines`, the
    last of which is longer where it does not fit.
    """
    room_px = layout.max_width_px - 2 * layout.padding_px
    lines: list[str] = []
    rest = printable(text)
    while len(lines) < most_lines - 1 and _width(_runs(rest, layout.text_px)) > room_px:
        n = max(1, _n_fitting(rest, layout.text_px, room_px))
        space = rest.rfind(" ", n // 2, n + 1)  # a line is at least half full
        cut = space if space > 0 else n
        lines.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return (*lines, rest)


def _box_size(rows: list[list[tuple[int, Runs]]], text_width: int, layout: Layout) -> tuple[int, int]:
    return text_width + 2 * layout.padding_px, len(rows) * layout.line_px + 2 * layout.padding_px


@functools.lru_cache(maxsize=32)
def _typeset(lines: tuple[str, ...], layout: Layout, steady: bool) -> tuple[list[list[tuple[int, Runs]]], int] | None:
    """Lay out the lines -> (lines of cells, width of the widest line in px); None without any text."""
    texts = [tuple(printable(cell) for cell in line.split("\t", MOST_COLUMNS - 1)) for line in lines]
    if not any(any(cells) for cells in texts):
        return None
    if len(texts) > layout.max_lines:
        texts = [*texts[: layout.max_lines - 1], (ELLIPSIS,)]
    room_px = layout.max_width_px - 2 * layout.padding_px
    rows = _columns(texts, layout.text_px, room_px)
    step_px = 2 * layout.text_px if steady else 1
    widest_px = max(x + _width(row) for cells in rows for x, row in cells)
    return rows, min(room_px, -(-widest_px // step_px) * step_px)


@functools.lru_cache(maxsize=8)
def _background(size: tuple[int, int], radius_px: int) -> np.ndarray:
    """Opacity of the box behind the text: (H, W) uint16, 0..255, with round corners."""
    from PIL import Image, ImageDraw

    # drawn four times as large and averaged, for antialiased corners
    scale = 4
    background = Image.new("L", (size[0] * scale, size[1] * scale))
    ImageDraw.Draw(background).rounded_rectangle(
        (0, 0, size[0] * scale - 1, size[1] * scale - 1), radius=radius_px * scale, fill=_BOX_OPACITY
    )
    return np.asarray(background.resize(size, Image.Resampling.BOX), np.uint16)


def printable(line: str) -> str:
    """Remove control, direction and unpaired surrogate characters from a line, and limit its length."""
    shown = []
    # NFC: macOS writes accents in file names as separate characters
    for character in unicodedata.normalize("NFC", line[: 4 * _MAX_LENGTH]).translate(_REPLACED):
        kind = unicodedata.category(character)
        if kind in ("Cc", "Zl", "Zp"):
            shown.append(" ")
        elif kind == "Cs":  # an unpaired surrogate, as in a file name that is not UTF-8
            shown.append("?")
        elif kind not in ("Cf", "Cn", "Co"):
            shown.append(character)
    return "".join(shown).rstrip()[:_MAX_LENGTH]


Runs = list[tuple[Any, str]]  # (font, text): parts of a line, each in one font


def _width(runs: Runs) -> int:
    return round(sum(font.getlength(run) for font, run in runs) + 0.5)


def _columns(texts: Sequence[tuple[str, ...]], text_px: int, room_px: int) -> list[list[tuple[int, Runs]]]:
    """For each line its cells: the start of each, px, and its runs."""
    rows: list[list[tuple[int, Runs]]] = [[] for _ in texts]
    start_px = 0
    for column in range(max(map(len, texts))):
        # a cell with others after it leaves half of the room to them
        fitted = {
            index: _fit(cells[column], text_px, (room_px - start_px) // (1 if column == len(cells) - 1 else 2))
            for index, cells in enumerate(texts)
            if len(cells) > column
        }
        for index, row in fitted.items():
            rows[index].append((start_px, row))
        # the next column starts after the widest cell that has one beside it, and a gap
        widest_px = max((_width(row) for index, row in fitted.items() if len(texts[index]) > column + 1), default=0)
        start_px += widest_px + text_px * (2 if column % 2 else 1)  # wider after a pair of cells
    return rows


def _fit(line: str, text_px: int, room_px: int) -> Runs:
    """The runs of a line, cut with an ellipsis if it is wider than `room_px`."""
    row = _runs(line, text_px)
    if _width(row) <= room_px:
        return row
    return _runs(line[: _n_fitting(line, text_px, room_px, ELLIPSIS)].rstrip() + ELLIPSIS, text_px)


def _n_fitting(line: str, text_px: int, room_px: int, end: str = "") -> int:
    """How many characters of a line are no wider than `room_px` together with `end`."""
    low, high = 0, len(line)
    while low < high:
        middle = (low + high + 1) // 2
        if _width(_runs(line[:middle].rstrip() + end, text_px)) <= room_px:
            low = middle
        else:
            high = middle - 1
    return low


def _runs(line: str, text_px: int) -> Runs:
    runs: Runs = []
    for character in line:
        font, text = _glyph(character, text_px)
        if runs and runs[-1][0] is font:
            runs[-1] = (font, runs[-1][1] + text)
        else:
            runs.append((font, text))
    return runs


@functools.lru_cache(maxsize=4096)
def _glyph(character: str, text_px: int) -> tuple[Any, str]:
    """A font that has a character, and the text to draw with it; the base letter or "?" if no font has it."""
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
    """Whether the font has the character: it is not drawn as the box for unknown characters."""
    drawn, unknown = font.getmask(character), font.getmask("\uffff")
    return drawn.size != unknown.size or bytes(drawn) != bytes(unknown)


@functools.lru_cache(maxsize=8)
def _own_font(text_px: int) -> Any:
    """The font inside Pillow, which exists on every machine."""
    from PIL import ImageFont

    return ImageFont.load_default(text_px)


@functools.lru_cache(maxsize=8)
def _system_fonts(text_px: int) -> tuple[Any, ...]:
    from PIL import ImageFont

    return tuple(ImageFont.truetype(file, text_px) for file in system_font_files())


@functools.lru_cache(maxsize=1)
def system_font_files() -> tuple[str, ...]:
    """Paths of the fonts found on the system. The search is slow: it is done once, when a character is first
    missing.
    """
    from PIL import ImageFont

    found = []
    for name in _SYSTEM_FONTS:
        try:
            found.append(str(ImageFont.truetype(name).path))
        except OSError:
            continue
    return tuple(found)
